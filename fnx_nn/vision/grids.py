"""Several pictures in one: rows of equal pictures with a margin between them.

In: an array (N, C, H, W), or (C, H, W), or (H, W). Out: one array (C, height, width).

Read next: `utils`, the tensor functions on top.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["grid_of_arrays", "levels_of_grid"]


def grid_of_arrays(
    pictures: NDArray[Any],
    columns: int = 8,
    padding: int = 2,
    normalize: bool = False,
    value_range: tuple[float, float] | None = None,
    scale_each: bool = False,
    pad_value: float = 0.0,
) -> NDArray[Any]:
    """Lay pictures out in rows of `columns`; gray pictures become three equal channels.

    With `normalize` the values are moved to 0..1: from `value_range`, or from their own smallest
    and largest, over all pictures or over each one (`scale_each`).
    """
    batch = _as_batch(pictures)
    if normalize:
        groups = batch if scale_each else batch[np.newaxis]
        batch = np.stack([_to_unit_range(group, value_range) for group in groups])
        batch = batch if scale_each else batch[0]
    count, channels, height, width = batch.shape
    if count == 1:
        return batch[0]
    across = min(columns, count)
    down = -(-count // across)
    step_y, step_x = height + padding, width + padding
    shape = (channels, step_y * down + padding, step_x * across + padding)
    grid = np.full(shape, pad_value, dtype=batch.dtype)
    for index, picture in enumerate(batch):
        top = (index // across) * step_y + padding
        left = (index % across) * step_x + padding
        grid[:, top : top + height, left : left + width] = picture
    return grid


def levels_of_grid(grid: NDArray[Any]) -> NDArray[np.uint8]:
    """Return (height, width, C) levels 0..255 of values 0..1, rounded."""
    scaled = grid * grid.dtype.type(255) + grid.dtype.type(0.5)
    return np.clip(scaled, 0, 255).astype(np.uint8).transpose(1, 2, 0)


def _as_batch(pictures: NDArray[Any]) -> NDArray[Any]:
    if pictures.ndim == 2:
        pictures = pictures[np.newaxis]
    if pictures.ndim == 3:
        pictures = pictures[np.newaxis]
    if pictures.ndim != 4:
        raise ValueError(
            f"make_grid: expects (N, C, H, W) or less, got the shape {pictures.shape}."
        )
    if pictures.shape[0] == 0:
        raise ValueError("make_grid: there is no picture to lay out.")
    return np.repeat(pictures, 3, axis=1) if pictures.shape[1] == 1 else pictures


def _to_unit_range(pictures: NDArray[Any], value_range: tuple[float, float] | None) -> NDArray[Any]:
    low, high = value_range or (float(pictures.min()), float(pictures.max()))
    clipped = np.clip(pictures, low, high)
    return ((clipped - low) / max(high - low, 1e-5)).astype(pictures.dtype)
