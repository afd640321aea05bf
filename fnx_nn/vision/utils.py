"""Pictures out of tensors: grids and files (torchvision's `utils`).

In: tensors (N, C, H, W) with values 0..1. Out: one tensor, or a file.

Read next: `grids`, `picture_files`.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import numpy as np

from fnx_nn.vision.grids import grid_of_arrays, levels_of_grid
from fnx_nn.vision.picture_arrays import array_to_image
from fnx_nn.vision.picture_files import write_picture
from fnx_nn.vision.tensor_bridge import array_of, is_tensor, tensor_of

__all__ = ["make_grid", "save_image"]


def make_grid(
    tensor: Any,
    nrow: int = 8,
    padding: int = 2,
    normalize: bool = False,
    value_range: tuple[float, float] | None = None,
    scale_each: bool = False,
    pad_value: float = 0.0,
) -> Any:
    """Return one picture with the given ones laid out in rows.

    Parameters
    ----------
    tensor : tensor or list of tensors
        Pictures (N, C, H, W), or a list of (C, H, W).
    nrow : int
        How many pictures stand in a row.
    padding : int
        Pixels between them and around them.
    normalize : bool
        Whether the values are moved to 0..1.
    value_range : (min, max), optional
        What becomes 0 and 1; otherwise the smallest and the largest value do.
    scale_each : bool
        Whether each picture is normalised on its own.
    pad_value : float
        The value between the pictures.

    Returns
    -------
    tensor
        (C, height, width), with three channels for gray pictures.
    """
    grid = grid_of_arrays(
        _pictures(tensor), nrow, padding, normalize, value_range, scale_each, pad_value
    )
    return tensor_of(grid)


def save_image(
    tensor: Any,
    fp: str | os.PathLike[str],
    format: str | None = None,
    *,
    nrow: int = 8,
    padding: int = 2,
    normalize: bool = False,
    value_range: tuple[float, float] | None = None,
    scale_each: bool = False,
    pad_value: float = 0.0,
) -> None:
    """Write pictures with values 0..1 as one picture file, completely or not at all.

    The parameters are those of `make_grid`; `format` is Pillow's name of the file format, which
    otherwise follows from the ending.

    Parameters
    ----------
    tensor : tensor or list of tensors
        Pictures (N, C, H, W) with values 0..1, or a list of (C, H, W).
    fp : path
        The file to write.
    format : str, optional
        Pillow's name of the file format; otherwise the ending decides.
    nrow, padding, normalize, value_range, scale_each, pad_value
        As in `make_grid`.
    """
    grid = grid_of_arrays(
        _pictures(tensor), nrow, padding, normalize, value_range, scale_each, pad_value
    )
    write_picture(array_to_image(levels_of_grid(grid)), fp, file_format=format)


def _pictures(tensor: Any) -> np.ndarray:
    if is_tensor(tensor):
        return array_of(tensor.detach(), "make_grid")
    if isinstance(tensor, Sequence) and tensor and all(is_tensor(item) for item in tensor):
        return np.stack([array_of(item.detach(), "make_grid") for item in tensor])
    raise TypeError(
        f"make_grid: expects a tensor or a list of tensors, not {type(tensor).__name__}."
    )
