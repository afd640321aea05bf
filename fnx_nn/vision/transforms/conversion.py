"""Transforms between PIL images, ndarrays and tensors, and of the values' scale.

In: PIL images, ndarrays (H, W, C) or tensors (..., C, H, W). Out: one of the others, or a tensor
in another scale.

Read next: `functional`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PIL import Image

from fnx_nn.vision.transforms import functional

__all__ = ["ConvertImageDtype", "Normalize", "PILToTensor", "ToPILImage", "ToTensor"]


class ToTensor:
    """Return a PIL image or an (H, W, C) ndarray as a (C, H, W) tensor; uint8 becomes 0..1."""

    def __call__(self, pic: Any) -> Any:
        return functional.to_tensor(pic)

    def __repr__(self) -> str:
        return "ToTensor()"


class PILToTensor:
    """Return a PIL image as a (C, H, W) tensor of its own levels."""

    def __call__(self, pic: Image.Image) -> Any:
        return functional.pil_to_tensor(pic)

    def __repr__(self) -> str:
        return "PILToTensor()"


class ToPILImage:
    """Return a (C, H, W) tensor or an (H, W, C) ndarray as a PIL image.

    Parameters
    ----------
    mode : str, optional
        The mode of the image, where several fit the number of channels.
    """

    def __init__(self, mode: str | None = None) -> None:
        self.mode = mode

    def __call__(self, pic: Any) -> Image.Image:
        return functional.to_pil_image(pic, self.mode)

    def __repr__(self) -> str:
        return f"ToPILImage(mode={self.mode})" if self.mode else "ToPILImage()"


class ConvertImageDtype:
    """Return a tensor in another dtype, with its levels scaled to that dtype's range.

    Parameters
    ----------
    dtype : dtype
        The dtype of the result.
    """

    def __init__(self, dtype: Any) -> None:
        self.dtype = dtype

    def __call__(self, image: Any) -> Any:
        return functional.convert_image_dtype(image, self.dtype)

    def __repr__(self) -> str:
        return f"ConvertImageDtype({self.dtype})"


class Normalize:
    """Return `(tensor - mean) / std`, with one mean and deviation per channel.

    Parameters
    ----------
    mean, std : sequence of float
        One number per channel.
    inplace : bool
        Whether the tensor itself is overwritten.
    """

    def __init__(self, mean: Sequence[float], std: Sequence[float], inplace: bool = False) -> None:
        self.mean = mean
        self.std = std
        self.inplace = inplace

    def __call__(self, tensor: Any) -> Any:
        return functional.normalize(tensor, self.mean, self.std, self.inplace)

    def __repr__(self) -> str:
        return f"Normalize(mean={self.mean}, std={self.std})"
