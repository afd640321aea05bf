"""Picture transforms as functions, on PIL images and on tensors (torchvision's `functional`).

In: a PIL image, or a tensor (..., C, H, W) with levels 0..255 in uint8 or 0..1 in floating point.
Out: the same kind. On tensors, cropping, flipping and normalising are tensor operations, through
which gradients flow; what resamples or recolours works on the values, and refuses a picture that
requires a gradient.

Read next: `colour` (the adjustments), `geometry` and `conversion` (the classes on top).
"""

from __future__ import annotations

import enum
import numbers
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from fnx_nn.vision.picture_arrays import (
    array_to_image,
    bytes_of_floats,
    image_to_array,
    pad_array,
    resize_array,
)
from fnx_nn.vision.tensor_bridge import (
    array_of,
    as_default_float,
    is_tensor,
    numpy_dtype,
    tensor_of,
)
from fnx_nn.vision.transforms.colour import (
    adjust_brightness,
    adjust_contrast,
    adjust_hue,
    adjust_saturation,
    rgb_to_grayscale,
    to_grayscale,
)

__all__ = [
    "InterpolationMode",
    "adjust_brightness",
    "adjust_contrast",
    "adjust_hue",
    "adjust_saturation",
    "center_crop",
    "convert_image_dtype",
    "crop",
    "get_dimensions",
    "get_image_size",
    "hflip",
    "normalize",
    "pad",
    "pil_to_tensor",
    "resize",
    "rgb_to_grayscale",
    "to_grayscale",
    "to_pil_image",
    "to_tensor",
    "vflip",
]


class InterpolationMode(enum.Enum):
    """How a picture is resampled; box, hamming and lanczos are for PIL images only."""

    NEAREST = "nearest"
    NEAREST_EXACT = "nearest-exact"
    BILINEAR = "bilinear"
    BICUBIC = "bicubic"
    BOX = "box"
    HAMMING = "hamming"
    LANCZOS = "lanczos"


_PIL_FILTERS = {
    InterpolationMode.NEAREST: Image.Resampling.NEAREST,
    InterpolationMode.NEAREST_EXACT: Image.Resampling.NEAREST,
    InterpolationMode.BILINEAR: Image.Resampling.BILINEAR,
    InterpolationMode.BICUBIC: Image.Resampling.BICUBIC,
    InterpolationMode.BOX: Image.Resampling.BOX,
    InterpolationMode.HAMMING: Image.Resampling.HAMMING,
    InterpolationMode.LANCZOS: Image.Resampling.LANCZOS,
}
_ON_TENSORS = (InterpolationMode.NEAREST, InterpolationMode.BILINEAR, InterpolationMode.BICUBIC)
_PAD_MODES = ("constant", "edge", "reflect", "symmetric")


def to_tensor(picture: Any) -> Any:
    """Return a PIL image or an (H, W, C) ndarray as a (C, H, W) tensor.

    Levels 0..255 of uint8 become 0..1 in the default dtype; other dtypes keep their values.

    Parameters
    ----------
    picture : PIL image or ndarray
        (H, W) or (H, W, C) if it is an array.
    """
    if isinstance(picture, np.ndarray):
        if picture.ndim not in (2, 3):
            raise ValueError(f"to_tensor: a picture has 2 or 3 dimensions, not {picture.ndim}.")
        levels = picture[:, :, np.newaxis] if picture.ndim == 2 else picture
        levels = levels.transpose(2, 0, 1)
    elif isinstance(picture, Image.Image):
        levels = image_to_array(picture)
    else:
        raise TypeError(
            f"to_tensor: expects a PIL image or an ndarray, not {type(picture).__name__}."
        )
    tensor = tensor_of(levels)
    return as_default_float(tensor).div(255) if levels.dtype == np.uint8 else tensor


def pil_to_tensor(picture: Image.Image) -> Any:
    """Return a PIL image as a (C, H, W) tensor of its own levels, without scaling.

    Parameters
    ----------
    picture : PIL image
        The picture.
    """
    if not isinstance(picture, Image.Image):
        raise TypeError(f"pil_to_tensor: expects a PIL image, not {type(picture).__name__}.")
    return tensor_of(image_to_array(picture))


def to_pil_image(picture: Any, mode: str | None = None) -> Image.Image:
    """Return a (C, H, W) tensor or an (H, W, C) ndarray as a PIL image.

    A floating-point tensor is scaled by 255 and truncated to levels, unless `mode` is "F".

    Parameters
    ----------
    picture : tensor or ndarray
        A tensor (C, H, W) or (H, W), or an array (H, W, C) or (H, W).
    mode : str, optional
        The mode of the image, where several fit the number of channels.
    """
    if is_tensor(picture):
        array = array_of(picture, "to_pil_image")
        if array.ndim not in (2, 3):
            raise ValueError(f"to_pil_image: a picture has 2 or 3 dimensions, not {array.ndim}.")
        if array.ndim == 3 and array.shape[0] > 4:
            raise ValueError(f"to_pil_image: at most 4 channels, not {array.shape[0]}.")
        if array.dtype.kind not in "biu" and mode != "F":
            array = bytes_of_floats(array)
        return array_to_image(array if array.ndim == 2 else array.transpose(1, 2, 0), mode)
    if isinstance(picture, np.ndarray):
        return array_to_image(picture, mode)
    raise TypeError(f"to_pil_image: expects a tensor or an ndarray, not {type(picture).__name__}.")


def normalize(
    tensor: Any, mean: Sequence[float], std: Sequence[float], inplace: bool = False
) -> Any:
    """Return `(tensor - mean) / std`, with one mean and deviation per channel.

    Parameters
    ----------
    tensor : tensor
        Floating point, (..., C, H, W).
    mean, std : sequence of float
        One number per channel.
    inplace : bool
        Whether the tensor itself is overwritten.
    """
    if not is_tensor(tensor):
        raise TypeError(
            f"normalize: expects a tensor, not {type(tensor).__name__}; apply ToTensor first."
        )
    if not tensor.is_floating_point():
        raise TypeError(f"normalize: expects a floating-point tensor, not {tensor.dtype}.")
    if tensor.ndim < 3:
        raise ValueError(f"normalize: expects (..., C, H, W), got the shape {tuple(tensor.shape)}.")
    if any(deviation == 0 for deviation in std):
        raise ValueError(f"normalize: std={list(std)} contains zero, which would divide by zero.")
    result = tensor if inplace else tensor.clone()
    kind = numpy_dtype(tensor.dtype)
    shift, scale = (
        tensor_of(np.asarray(values, dtype=kind).reshape(-1, 1, 1)) for values in (mean, std)
    )
    return result.sub_(shift).div_(scale)


def convert_image_dtype(picture: Any, dtype: Any) -> Any:
    """Return a tensor in another dtype, with its levels scaled to that dtype's range.

    Parameters
    ----------
    picture : tensor
        (..., C, H, W).
    dtype : dtype
        The dtype of the result.
    """
    if picture.dtype == dtype:
        return picture
    target = numpy_dtype(dtype)
    if picture.is_floating_point() and target.kind not in "biu":
        return picture.to(dtype)
    return tensor_of(_scale_levels(array_of(picture, "convert_image_dtype"), target))


def resize(
    picture: Any,
    size: int | Sequence[int],
    interpolation: InterpolationMode = InterpolationMode.BILINEAR,
    max_size: int | None = None,
    antialias: bool | None = True,
) -> Any:
    """Resample a picture to (height, width), or so that its shorter edge has `size` pixels.

    Pillow always widens its filter when it shrinks a picture; on tensors `antialias` decides.

    Parameters
    ----------
    picture : PIL image or tensor
        (..., C, H, W) if it is a tensor.
    size : int or (height, width)
        One number is the length of the shorter edge.
    interpolation : InterpolationMode
        How pixels are combined.
    max_size : int, optional
        With one `size`, the most that the longer edge may have.
    antialias : bool
        For tensors: whether the filter widens when a picture shrinks.
    """
    if not isinstance(interpolation, InterpolationMode):
        raise TypeError("resize: interpolation must be an InterpolationMode.")
    _, height, width = get_dimensions(picture)
    new_height, new_width = _resized_size(height, width, size, max_size)
    if (new_height, new_width) == (height, width):
        return picture
    if isinstance(picture, Image.Image):
        return picture.resize((new_width, new_height), _PIL_FILTERS[interpolation])
    if interpolation not in _ON_TENSORS:
        raise ValueError(
            f"resize: {interpolation.value} is for PIL images; on tensors use nearest, bilinear "
            "or bicubic."
        )
    array = array_of(picture, "resize")
    smooth = bool(antialias) and interpolation is not InterpolationMode.NEAREST
    return tensor_of(resize_array(array, new_height, new_width, interpolation.value, smooth))


def crop(picture: Any, top: int, left: int, height: int, width: int) -> Any:
    """Cut out a rectangle; what lies outside of the picture is filled with zeros.

    Parameters
    ----------
    picture : PIL image or tensor
        (..., C, H, W) if it is a tensor.
    top, left, height, width : int
        The rectangle, in pixels.
    """
    _, full_height, full_width = get_dimensions(picture)
    if isinstance(picture, Image.Image):
        return picture.crop((left, top, left + width, top + height))
    bottom, right = top + height, left + width
    inside = picture[..., max(top, 0) : max(bottom, 0), max(left, 0) : max(right, 0)]
    missing = (
        max(-left, 0),
        max(-top, 0),
        max(right - full_width, 0),
        max(bottom - full_height, 0),
    )
    return pad(inside, missing) if any(missing) else inside


def center_crop(picture: Any, output_size: int | Sequence[int]) -> Any:
    """Cut out the middle, after padding with zeros where the picture is smaller.

    Parameters
    ----------
    picture : PIL image or tensor
        (..., C, H, W) if it is a tensor.
    output_size : int or (height, width)
        What is cut out.
    """
    height, width = _pair(output_size)
    _, full_height, full_width = get_dimensions(picture)
    if width > full_width or height > full_height:
        extra_width, extra_height = max(width - full_width, 0), max(height - full_height, 0)
        margins = (
            extra_width // 2,
            extra_height // 2,
            (extra_width + 1) // 2,
            (extra_height + 1) // 2,
        )
        picture = pad(picture, margins)
        _, full_height, full_width = get_dimensions(picture)
    top = round((full_height - height) / 2.0)
    left = round((full_width - width) / 2.0)
    return crop(picture, top, left, height, width)


def hflip(picture: Any) -> Any:
    """Mirror a picture left to right.

    Parameters
    ----------
    picture : PIL image or tensor
        (..., C, H, W) if it is a tensor.
    """
    if isinstance(picture, Image.Image):
        return picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    return picture.flip(-1)


def vflip(picture: Any) -> Any:
    """Mirror a picture top to bottom.

    Parameters
    ----------
    picture : PIL image or tensor
        (..., C, H, W) if it is a tensor.
    """
    if isinstance(picture, Image.Image):
        return picture.transpose(Image.Transpose.FLIP_TOP_BOTTOM)
    return picture.flip(-2)


def pad(
    picture: Any,
    padding: int | Sequence[int],
    fill: float | tuple[int, ...] = 0,
    padding_mode: str = "constant",
) -> Any:
    """Add a border: of one width, of (left and right, top and bottom), or of all four sides.

    Parameters
    ----------
    picture : PIL image or tensor
        (..., C, H, W) if it is a tensor.
    padding : int or sequence of int
        One width, (left and right, top and bottom), or (left, top, right, bottom).
    fill : number or tuple
        The levels of a constant border; a tuple names one per channel of an image.
    padding_mode : str
        "constant", "edge", "reflect" or "symmetric".
    """
    if padding_mode not in _PAD_MODES:
        raise ValueError(f"pad: padding_mode {padding_mode!r} is none of {', '.join(_PAD_MODES)}.")
    sides = _four_sides(padding)
    if isinstance(picture, Image.Image):
        if padding_mode == "constant":
            return ImageOps.expand(picture, border=sides, fill=_image_fill(picture, fill))
        return _pad_image(picture, sides, padding_mode)
    if isinstance(fill, tuple):
        raise TypeError("pad: a tensor is filled with one number, not with one per channel.")
    return tensor_of(pad_array(array_of(picture, "pad"), sides, fill, padding_mode))


def get_dimensions(picture: Any) -> list[int]:
    """Return a picture's channels, height and width.

    Parameters
    ----------
    picture : PIL image or tensor
        (..., C, H, W) if it is a tensor.
    """
    if isinstance(picture, Image.Image):
        return [len(picture.getbands()), picture.height, picture.width]
    if not is_tensor(picture):
        raise TypeError(
            f"a transform expects a PIL image or a tensor, not {type(picture).__name__}."
        )
    if picture.ndim < 2:
        raise TypeError(f"a picture has 2 dimensions or more, not {picture.ndim}.")
    channels = 1 if picture.ndim == 2 else picture.shape[-3]
    return [channels, picture.shape[-2], picture.shape[-1]]


def get_image_size(picture: Any) -> list[int]:
    """Return a picture's width and height.

    Parameters
    ----------
    picture : PIL image or tensor
        (..., C, H, W) if it is a tensor.
    """
    _, height, width = get_dimensions(picture)
    return [width, height]


def _resized_size(
    height: int, width: int, size: int | Sequence[int], max_size: int | None
) -> tuple[int, int]:
    wanted = [size] if isinstance(size, int) else list(size)
    if len(wanted) not in (1, 2) or not all(isinstance(n, int) and n > 0 for n in wanted):
        raise ValueError(f"resize: size must be a positive integer or two, not {size!r}.")
    if len(wanted) == 2:
        if max_size is not None:
            raise ValueError("resize: max_size goes with one size, that of the shorter edge.")
        return wanted[0], wanted[1]
    short, long = (width, height) if width <= height else (height, width)
    new_short, new_long = wanted[0], int(wanted[0] * long / short)
    if max_size is not None:
        if max_size <= wanted[0]:
            raise ValueError(f"resize: max_size={max_size} must be greater than size={wanted[0]}.")
        if new_long > max_size:
            new_short, new_long = int(max_size * new_short / new_long), max_size
    return (new_long, new_short) if width <= height else (new_short, new_long)


def _scale_levels(source: NDArray[Any], target: np.dtype[Any]) -> NDArray[Any]:
    if source.dtype.kind not in "biu":
        if target.itemsize > 4 or (target.itemsize == 4 and source.dtype.itemsize < 8):
            raise RuntimeError(
                f"convert_image_dtype: {source.dtype} cannot hold all levels of {target}; "
                "convert to a wider floating-point dtype first, or to narrower integers."
            )
        # Just under the next level: 1.0 is the highest, and each level gets an equal share.
        highest = float(np.iinfo(target).max)
        return (source * source.dtype.type(highest + 1.0 - 1e-3)).astype(target)
    source_levels = int(np.iinfo(source.dtype).max) + 1
    if target.kind not in "biu":
        return source.astype(target) / target.type(source_levels - 1)
    target_levels = int(np.iinfo(target).max) + 1
    if source_levels > target_levels:
        return (source // (source_levels // target_levels)).astype(target)
    return source.astype(target) * target.type(target_levels // source_levels)


def _pair(size: int | Sequence[int]) -> tuple[int, int]:
    if isinstance(size, numbers.Integral):
        return int(size), int(size)
    values = [int(n) for n in size] if isinstance(size, Sequence) else []
    if len(values) not in (1, 2):
        raise ValueError(f"a size is an integer, or (height, width), not {size!r}.")
    return values[0], values[-1]


def _four_sides(padding: int | Sequence[int]) -> tuple[int, int, int, int]:
    values = [padding] if isinstance(padding, numbers.Integral) else padding
    if not isinstance(values, Sequence) or len(values) not in (1, 2, 4):
        raise ValueError(f"pad: padding is 1, 2 or 4 integers, not {padding!r}.")
    left, top, right, bottom = (int(values[k % len(values)]) for k in range(4))
    return left, top, right, bottom


def _image_fill(picture: Image.Image, fill: float | tuple[int, ...]) -> Any:
    bands = len(picture.getbands())
    if isinstance(fill, tuple):
        if len(fill) != bands:
            raise ValueError(f"pad: fill has {len(fill)} numbers for {bands} channels.")
        return fill
    return fill if bands == 1 else (int(fill),) * bands


def _pad_image(picture: Image.Image, sides: tuple[int, int, int, int], mode: str) -> Image.Image:
    padded = pad_array(image_to_array(picture), sides, 0, mode)
    if padded.shape[0] > 1:
        return array_to_image(padded.transpose(1, 2, 0), picture.mode)
    image = array_to_image(padded[0])
    if picture.mode == "P":
        image.putpalette(picture.getpalette() or [])
    return image.convert("1") if picture.mode == "1" else image
