"""Recolouring pictures: grayscale, brightness, contrast, saturation, hue, as functions and classes.

In: PIL images, or tensors (..., 3, H, W) or (..., 1, H, W). Out: the same kind. The random
classes draw from the facade's default generator, in torchvision's order.

Read next: `functional`; `random_draws`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageEnhance

from fnx_nn.vision.picture_arrays import rgb_to_gray
from fnx_nn.vision.tensor_bridge import array_of, tensor_of
from fnx_nn.vision.transforms.random_draws import draw_permutation, draw_uniform

__all__ = [
    "ColorJitter",
    "Grayscale",
    "RandomGrayscale",
    "adjust_brightness",
    "adjust_contrast",
    "adjust_hue",
    "adjust_saturation",
    "rgb_to_grayscale",
    "to_grayscale",
]

Array = NDArray[Any]


def rgb_to_grayscale(picture: Any, num_output_channels: int = 1) -> Any:
    """Return the luma of a picture, in 1 channel or repeated in 3.

    Parameters
    ----------
    picture : PIL image or tensor
        (..., C, H, W) if it is a tensor.
    num_output_channels : int
        1 or 3.
    """
    if num_output_channels not in (1, 3):
        raise ValueError(f"grayscale: 1 or 3 output channels, not {num_output_channels}.")
    if isinstance(picture, Image.Image):
        gray = picture.convert("L")
        return gray if num_output_channels == 1 else Image.merge("RGB", [gray] * 3)
    luma = rgb_to_gray(array_of(picture, "rgb_to_grayscale"))
    if num_output_channels == 3:
        luma = np.repeat(luma, 3, axis=-3)
    return tensor_of(luma)


to_grayscale = rgb_to_grayscale


def adjust_brightness(picture: Any, factor: float) -> Any:
    """Blend with black: 0 is black, 1 the picture, 2 twice as bright.

    Parameters
    ----------
    picture : PIL image or tensor
        (..., C, H, W) if it is a tensor.
    factor : float
        0 or more.
    """
    _check_factor("adjust_brightness", factor)
    if isinstance(picture, Image.Image):
        return ImageEnhance.Brightness(picture).enhance(factor)
    return _on_array("adjust_brightness", picture, lambda x: _blend(x, np.zeros_like(x), factor))


def adjust_contrast(picture: Any, factor: float) -> Any:
    """Blend with the mean gray: 0 is gray, 1 the picture.

    Parameters
    ----------
    picture : PIL image or tensor
        (..., C, H, W) if it is a tensor.
    factor : float
        0 or more.
    """
    _check_factor("adjust_contrast", factor)
    if isinstance(picture, Image.Image):
        return ImageEnhance.Contrast(picture).enhance(factor)

    def change(x: Array) -> Array:
        gray = rgb_to_gray(x) if x.shape[-3] == 3 else x
        kind = x.dtype if x.dtype.kind == "f" else np.dtype(np.float32)
        return _blend(x, gray.astype(kind).mean(axis=(-3, -2, -1), keepdims=True), factor)

    return _on_array("adjust_contrast", picture, change)


def adjust_saturation(picture: Any, factor: float) -> Any:
    """Blend with the grayscale picture: 0 is without colour, 1 the picture.

    Parameters
    ----------
    picture : PIL image or tensor
        (..., C, H, W) if it is a tensor.
    factor : float
        0 or more.
    """
    _check_factor("adjust_saturation", factor)
    if isinstance(picture, Image.Image):
        return ImageEnhance.Color(picture).enhance(factor)

    def change(x: Array) -> Array:
        return x if x.shape[-3] == 1 else _blend(x, rgb_to_gray(x), factor)

    return _on_array("adjust_saturation", picture, change)


def adjust_hue(picture: Any, factor: float) -> Any:
    """Turn the colour circle by `factor` of a full turn, from -1/2 to 1/2.

    Parameters
    ----------
    picture : PIL image or tensor
        (..., C, H, W) if it is a tensor.
    factor : float
        From -1/2 to 1/2.
    """
    if not -0.5 <= factor <= 0.5:
        raise ValueError(f"adjust_hue: the factor lies in [-0.5, 0.5], not {factor}.")
    if isinstance(picture, Image.Image):
        if picture.mode in ("L", "1", "I", "F"):
            return picture
        hue, saturation, value = picture.convert("HSV").split()
        turned = np.array(hue).astype(np.int64) + int(factor * 255)
        hue = Image.fromarray((turned % 256).astype(np.uint8))
        return Image.merge("HSV", (hue, saturation, value)).convert(picture.mode)
    return _on_array("adjust_hue", picture, lambda x: _turn_hue(x, factor))


class Grayscale:
    """Return the luma of a picture, in 1 channel or repeated in 3.

    Parameters
    ----------
    num_output_channels : int
        1 or 3.
    """

    def __init__(self, num_output_channels: int = 1) -> None:
        self.num_output_channels = num_output_channels

    def __call__(self, img: Any) -> Any:
        return rgb_to_grayscale(img, self.num_output_channels)

    def __repr__(self) -> str:
        return f"Grayscale(num_output_channels={self.num_output_channels})"


class RandomGrayscale:
    """Remove the colour with probability `p`, keeping the number of channels.

    Parameters
    ----------
    p : float
        The probability.
    """

    def __init__(self, p: float = 0.1) -> None:
        self.p = p

    def __call__(self, img: Any) -> Any:
        if draw_uniform() >= self.p:
            return img
        channels = len(img.getbands()) if isinstance(img, Image.Image) else img.shape[-3]
        return rgb_to_grayscale(img, channels)

    def __repr__(self) -> str:
        return f"RandomGrayscale(p={self.p})"


class ColorJitter:
    """Change brightness, contrast, saturation and hue by random amounts, in random order.

    Parameters
    ----------
    brightness, contrast, saturation : float or (min, max)
        A number v stands for the factors [max(0, 1 - v), 1 + v]; 0 changes nothing.
    hue : float or (min, max)
        A number v, at most 1/2, stands for the turns [-v, v].
    """

    def __init__(
        self,
        brightness: float | Sequence[float] = 0,
        contrast: float | Sequence[float] = 0,
        saturation: float | Sequence[float] = 0,
        hue: float | Sequence[float] = 0,
    ) -> None:
        self.brightness = _interval(brightness, "brightness")
        self.contrast = _interval(contrast, "contrast")
        self.saturation = _interval(saturation, "saturation")
        self.hue = _interval(hue, "hue", centre=0.0, bound=(-0.5, 0.5), clip=False)

    def __call__(self, img: Any) -> Any:
        order = draw_permutation(4)
        intervals = (self.brightness, self.contrast, self.saturation, self.hue)
        factors = [None if pair is None else draw_uniform(*pair) for pair in intervals]
        for index in order:
            factor = factors[index]
            if factor is not None:
                img = _ADJUSTMENTS[index](img, factor)
        return img

    def __repr__(self) -> str:
        return (
            f"ColorJitter(brightness={self.brightness}, contrast={self.contrast}, "
            f"saturation={self.saturation}, hue={self.hue})"
        )


_ADJUSTMENTS = (adjust_brightness, adjust_contrast, adjust_saturation, adjust_hue)


def _interval(
    value: float | Sequence[float],
    name: str,
    centre: float = 1.0,
    bound: tuple[float, float] = (0.0, float("inf")),
    clip: bool = True,
) -> tuple[float, float] | None:
    if isinstance(value, int | float):
        if value < 0:
            raise ValueError(f"ColorJitter: {name} must not be negative, got {value}.")
        low, high = centre - float(value), centre + float(value)
        low = max(low, 0.0) if clip else low
    elif isinstance(value, Sequence) and len(value) == 2:
        low, high = float(value[0]), float(value[1])
    else:
        raise TypeError(f"ColorJitter: {name} is a number or two, not {value!r}.")
    if not bound[0] <= low <= high <= bound[1]:
        raise ValueError(f"ColorJitter: {name} {(low, high)} must lie within {bound}, in order.")
    return None if low == high == centre else (low, high)


def _check_factor(operation: str, factor: float) -> None:
    if factor < 0:
        raise ValueError(f"{operation}: the factor must not be negative, got {factor}.")


def _on_array(operation: str, picture: Any, change: Callable[[Array], Array]) -> Any:
    array = array_of(picture, operation)
    if array.ndim < 3 or array.shape[-3] not in (1, 3):
        raise TypeError(
            f"{operation}: expects (..., 1 or 3, H, W), got the shape {tuple(array.shape)}."
        )
    return tensor_of(change(array))


def _blend(x: Array, other: Array, factor: float) -> Array:
    """`factor * x + (1 - factor) * other`, kept inside the range of the levels."""
    highest = 1.0 if x.dtype.kind == "f" else float(np.iinfo(x.dtype).max)
    kind = x.dtype if x.dtype.kind == "f" else np.dtype(np.float32)
    mixed = kind.type(factor) * x.astype(kind) + kind.type(1.0 - factor) * other.astype(kind)
    return np.clip(mixed, 0.0, highest).astype(x.dtype)


def _turn_hue(x: Array, factor: float) -> Array:
    if x.shape[-3] == 1:
        return x
    kind = x.dtype if x.dtype.kind == "f" else np.dtype(np.float32)
    scale = kind.type(1.0 if x.dtype.kind == "f" else np.iinfo(x.dtype).max)
    hue, saturation, value = _rgb_to_hsv(x.astype(kind) / scale)
    turned = _hsv_to_rgb((hue + kind.type(factor)) % kind.type(1.0), saturation, value)
    if x.dtype.kind == "f":
        return turned.astype(x.dtype)
    return (turned * (scale + kind.type(1.0 - 1e-3))).astype(x.dtype)


def _rgb_to_hsv(rgb: Array) -> tuple[Array, Array, Array]:
    """The hexcone model (A. R. Smith, "Color gamut transform pairs", SIGGRAPH 1978)."""
    red, green, blue = (rgb[..., k, :, :] for k in range(3))
    highest, lowest = rgb.max(axis=-3), rgb.min(axis=-3)
    spread = highest - lowest
    flat = spread == 0
    saturation = spread / np.where(flat, 1, highest)
    divisor = np.where(flat, 1, spread)
    to_red, to_green, to_blue = ((highest - c) / divisor for c in (red, green, blue))
    hue = np.where(
        highest == red,
        to_blue - to_green,
        np.where(highest == green, 2.0 + to_red - to_blue, 4.0 + to_green - to_red),
    )
    hue = (hue / 6.0 + 1.0) % 1.0
    return hue.astype(rgb.dtype), saturation.astype(rgb.dtype), highest


def _hsv_to_rgb(hue: Array, saturation: Array, value: Array) -> Array:
    sector = np.floor(hue * 6.0)
    fraction = hue * 6.0 - sector
    low = np.clip(value * (1.0 - saturation), 0.0, 1.0)
    falling = np.clip(value * (1.0 - saturation * fraction), 0.0, 1.0)
    rising = np.clip(value * (1.0 - saturation * (1.0 - fraction)), 0.0, 1.0)
    index = sector.astype(np.int64) % 6
    red = np.choose(index, (value, falling, low, low, rising, value))
    green = np.choose(index, (rising, value, value, falling, low, low))
    blue = np.choose(index, (low, low, rising, value, value, falling))
    return np.stack((red, green, blue), axis=-3)
