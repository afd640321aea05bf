"""Pictures as ndarrays: to and from PIL images, and the operations on (..., C, H, W) arrays.

In: PIL images, or arrays with channels first: uint8 with levels 0..255, or floating point with
0..1. Out: new arrays or images. No tensor and no random number occurs here.

Read next: `transforms.functional`, which chooses between PIL and these.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

__all__ = [
    "array_to_image",
    "bytes_of_floats",
    "image_to_array",
    "pad_array",
    "resize_array",
    "rgb_to_gray",
]

_GRAY_WEIGHTS = (0.2989, 0.587, 0.114)  # ITU-R BT.601 luma
_PAD_MODES = {"edge": "edge", "reflect": "reflect", "symmetric": "symmetric"}


def image_to_array(image: Image.Image) -> NDArray[Any]:
    """Return a PIL image's levels as (C, H, W): uint8, int32 (mode I), uint16 or float32 (F)."""
    levels = np.array(image)
    if image.mode == "1":
        levels = levels.astype(np.uint8) * np.uint8(255)
    if levels.ndim == 2:
        levels = levels[:, :, np.newaxis]
    return np.ascontiguousarray(levels.transpose(2, 0, 1))


def array_to_image(array: NDArray[Any], mode: str | None = None) -> Image.Image:
    """Return an (H, W) or (H, W, C) array as a PIL image.

    The mode follows from the channels and the dtype: 1 channel gives L, I;16, I or F; 2, 3 and 4
    give LA, RGB and RGBA, where `mode` may name another with as many channels.
    """
    if array.ndim == 2:
        array = array[:, :, np.newaxis]
    if array.ndim != 3:
        raise ValueError(f"to_pil_image: a picture has 2 or 3 dimensions, not {array.ndim}.")
    channels = array.shape[2]
    allowed = _modes_for(channels, array.dtype)
    if mode is not None and mode not in allowed:
        raise ValueError(
            f"to_pil_image: mode {mode!r} does not fit {channels} channels of {array.dtype}; "
            f"possible: {', '.join(allowed)}."
        )
    chosen = mode or allowed[0]
    levels = array[:, :, 0] if channels == 1 else array
    image = Image.fromarray(np.ascontiguousarray(levels))
    if image.mode == chosen:
        return image
    # The same bytes under another name, such as YCbCr for three channels.
    return Image.frombytes(chosen, image.size, image.tobytes())


def bytes_of_floats(array: NDArray[Any]) -> NDArray[np.uint8]:
    """Return levels 0..255 of numbers in 0..1: scaled and truncated, as a C cast does it."""
    scaled = array * array.dtype.type(255)
    # By way of an integer: NumPy leaves the cast of numbers outside of 0..255 undefined.
    with np.errstate(invalid="ignore"):
        return scaled.astype(np.int64).astype(np.uint8)


def rgb_to_gray(array: NDArray[Any]) -> NDArray[Any]:
    """Return the luma of (..., 3, H, W) as (..., 1, H, W), in the same dtype."""
    if array.shape[-3] not in (1, 3):
        raise TypeError(f"grayscale: a picture has 1 or 3 channels, not {array.shape[-3]}.")
    if array.shape[-3] == 1:
        return array.copy()
    kind = array.dtype if array.dtype.kind == "f" else np.dtype(np.float32)
    red, green, blue = (array[..., k, :, :].astype(kind) for k in range(3))
    weights = [kind.type(w) for w in _GRAY_WEIGHTS]
    luma = weights[0] * red + weights[1] * green + weights[2] * blue
    return luma.astype(array.dtype)[..., np.newaxis, :, :]


def pad_array(
    array: NDArray[Any], padding: tuple[int, int, int, int], fill: float, mode: str
) -> NDArray[Any]:
    """Pad the last two axes by (left, top, right, bottom); negative numbers crop."""
    left, top, right, bottom = padding
    height, width = array.shape[-2:]
    array = array[
        ..., max(-top, 0) : height - max(-bottom, 0), max(-left, 0) : width - max(-right, 0)
    ]
    left, top, right, bottom = (max(n, 0) for n in (left, top, right, bottom))
    widths = [(0, 0)] * (array.ndim - 2) + [(top, bottom), (left, right)]
    if mode == "constant":
        return np.pad(array, widths, mode="constant", constant_values=fill)
    return np.pad(array, widths, mode=_PAD_MODES[mode])  # type: ignore[call-overload]


def resize_array(
    array: NDArray[Any], height: int, width: int, interpolation: str, antialias: bool
) -> NDArray[Any]:
    """Resample the last two axes: "nearest", "bilinear" or "bicubic".

    With `antialias` the filter widens with the scale when a picture shrinks, as Pillow's does;
    the two axes are resampled one after the other.
    """
    if interpolation == "nearest":
        rows = _nearest(array.shape[-2], height)
        columns = _nearest(array.shape[-1], width)
        return array[..., rows[:, np.newaxis], columns[np.newaxis, :]]
    kind = array.dtype if array.dtype.kind == "f" else np.dtype(np.float32)
    result = array.astype(kind, copy=False)
    along_width = _resampling_matrix(array.shape[-1], width, interpolation, antialias)
    along_height = _resampling_matrix(array.shape[-2], height, interpolation, antialias)
    result = result @ along_width.T.astype(kind)
    result = along_height.astype(kind) @ result
    if array.dtype.kind == "f":
        return result
    limits = np.iinfo(array.dtype)
    return np.clip(np.rint(result), limits.min, limits.max).astype(array.dtype)


def _nearest(size: int, wanted: int) -> NDArray[np.int64]:
    scale = size / wanted
    return np.minimum((np.arange(wanted) * scale).astype(np.int64), size - 1)


def _resampling_matrix(
    size: int, wanted: int, interpolation: str, antialias: bool
) -> NDArray[np.float64]:
    """Return the (wanted, size) matrix that resamples one axis, with pixel centres aligned."""
    scale = size / wanted
    stretch = max(scale, 1.0) if antialias else 1.0
    centres = (np.arange(wanted) + 0.5) * scale - 0.5
    distance = (np.arange(size)[np.newaxis, :] - centres[:, np.newaxis]) / stretch
    if antialias:
        weights = _FILTERS[interpolation](np.abs(distance), -0.5)
        return weights / weights.sum(axis=1, keepdims=True)
    # Without the wider filter the border pixel stands for all beyond it.
    support = 1 if interpolation == "bilinear" else 2
    matrix = np.zeros((wanted, size))
    for row, centre in enumerate(centres):
        first = math.floor(centre) - support + 1
        for index in range(first, first + 2 * support):
            weight = _FILTERS[interpolation](np.abs(np.float64(index - centre)), -0.75)
            matrix[row, min(max(index, 0), size - 1)] += float(weight)
    return matrix


def _triangle(x: Any, _: float) -> Any:
    return np.maximum(1.0 - x, 0.0)


def _cubic(x: Any, a: float) -> Any:
    """Keys' cubic convolution; `a` is its slope at 1."""
    near = ((a + 2.0) * x - (a + 3.0)) * x * x + 1.0
    far = ((a * x - 5.0 * a) * x + 8.0 * a) * x - 4.0 * a
    return np.where(x < 1.0, near, np.where(x < 2.0, far, 0.0))


_FILTERS = {"bilinear": _triangle, "bicubic": _cubic}


def _modes_for(channels: int, dtype: np.dtype[Any]) -> tuple[str, ...]:
    if channels == 1:
        single = {"uint8": "L", "int16": "I;16", "uint16": "I;16", "int32": "I", "float32": "F"}
        if dtype.name in single:
            return (single[dtype.name],)
    elif dtype == np.uint8 and channels in (2, 3, 4):
        return {2: ("LA",), 3: ("RGB", "YCbCr", "HSV"), 4: ("RGBA", "CMYK", "RGBX")}[channels]
    raise TypeError(
        f"to_pil_image: no picture has {channels} channels of {dtype}; give 1 to 4 channels of "
        "uint8, or one of int16, int32 or float32."
    )
