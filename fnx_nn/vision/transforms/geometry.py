"""Transforms that change where the pixels are: resizing, cropping, flipping, padding.

In: PIL images or tensors (..., C, H, W). Out: the same kind. The random ones draw from the
facade's default generator, in torchvision's order.

Read next: `functional`, `random_draws`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fnx_nn.vision.transforms import functional
from fnx_nn.vision.transforms.functional import InterpolationMode
from fnx_nn.vision.transforms.random_draws import draw_integer, draw_uniform

__all__ = [
    "CenterCrop",
    "Pad",
    "RandomCrop",
    "RandomHorizontalFlip",
    "RandomVerticalFlip",
    "Resize",
]


class Resize:
    """Resample a picture to (height, width), or so that its shorter edge has `size` pixels.

    Parameters
    ----------
    size : int or (height, width)
        One number is the length of the shorter edge.
    interpolation : InterpolationMode
        How pixels are combined.
    max_size : int, optional
        With one `size`, the most that the longer edge may have.
    antialias : bool
        For tensors: whether the filter widens when a picture shrinks.

    Examples
    --------
    >>> from PIL import Image
    >>> Resize(32)(Image.new("RGB", (100, 50))).size
    (64, 32)
    """

    def __init__(
        self,
        size: int | Sequence[int],
        interpolation: InterpolationMode = InterpolationMode.BILINEAR,
        max_size: int | None = None,
        antialias: bool | None = True,
    ) -> None:
        if not isinstance(size, int | Sequence):
            raise TypeError(f"Resize: size must be an integer or two, not {size!r}.")
        if isinstance(size, Sequence) and len(size) not in (1, 2):
            raise ValueError(f"Resize: size must be an integer or two, not {size!r}.")
        self.size = size
        self.interpolation = interpolation
        self.max_size = max_size
        self.antialias = antialias

    def __call__(self, img: Any) -> Any:
        return functional.resize(img, self.size, self.interpolation, self.max_size, self.antialias)

    def __repr__(self) -> str:
        return (
            f"Resize(size={self.size}, interpolation={self.interpolation.value}, "
            f"max_size={self.max_size}, antialias={self.antialias})"
        )


class CenterCrop:
    """Cut out the middle, after padding with zeros where the picture is smaller.

    Parameters
    ----------
    size : int or (height, width)
        What is cut out.
    """

    def __init__(self, size: int | Sequence[int]) -> None:
        self.size = _size(size)

    def __call__(self, img: Any) -> Any:
        return functional.center_crop(img, self.size)

    def __repr__(self) -> str:
        return f"CenterCrop(size={self.size})"


class Pad:
    """Add a border: of one width, of (left and right, top and bottom), or of all four sides.

    Parameters
    ----------
    padding : int or sequence of int
        One width, (left and right, top and bottom), or (left, top, right, bottom).
    fill : number or tuple
        The levels of a constant border; a tuple names one per channel of an image.
    padding_mode : str
        "constant", "edge", "reflect" or "symmetric".
    """

    def __init__(
        self,
        padding: int | Sequence[int],
        fill: float | tuple[int, ...] = 0,
        padding_mode: str = "constant",
    ) -> None:
        self.padding = padding
        self.fill = fill
        self.padding_mode = padding_mode

    def __call__(self, img: Any) -> Any:
        return functional.pad(img, self.padding, self.fill, self.padding_mode)

    def __repr__(self) -> str:
        return f"Pad(padding={self.padding}, fill={self.fill}, padding_mode={self.padding_mode})"


class RandomCrop:
    """Cut out a rectangle of the given size at a random place.

    Parameters
    ----------
    size : int or (height, width)
        What is cut out.
    padding : int or sequence, optional
        A border that is added before.
    pad_if_needed : bool
        Whether a picture that is smaller is padded up to the size.
    fill, padding_mode
        What the border is made of; see `Pad`.
    """

    def __init__(
        self,
        size: int | Sequence[int],
        padding: int | Sequence[int] | None = None,
        pad_if_needed: bool = False,
        fill: float | tuple[int, ...] = 0,
        padding_mode: str = "constant",
    ) -> None:
        self.size = _size(size)
        self.padding = padding
        self.pad_if_needed = pad_if_needed
        self.fill = fill
        self.padding_mode = padding_mode

    @staticmethod
    def get_params(img: Any, output_size: tuple[int, int]) -> tuple[int, int, int, int]:
        """Draw a place: return top, left, height and width."""
        _, full_height, full_width = functional.get_dimensions(img)
        height, width = output_size
        if full_height < height or full_width < width:
            raise ValueError(
                f"RandomCrop: cannot cut {(height, width)} out of {(full_height, full_width)}; "
                "pass pad_if_needed=True, or resize first."
            )
        if (full_height, full_width) == (height, width):
            return 0, 0, height, width
        top = draw_integer(full_height - height + 1)
        left = draw_integer(full_width - width + 1)
        return top, left, height, width

    def __call__(self, img: Any) -> Any:
        if self.padding is not None:
            img = functional.pad(img, self.padding, self.fill, self.padding_mode)
        _, full_height, full_width = functional.get_dimensions(img)
        height, width = self.size
        if self.pad_if_needed and full_width < width:
            img = functional.pad(img, [width - full_width, 0], self.fill, self.padding_mode)
        if self.pad_if_needed and full_height < height:
            img = functional.pad(img, [0, height - full_height], self.fill, self.padding_mode)
        return functional.crop(img, *self.get_params(img, self.size))

    def __repr__(self) -> str:
        return f"RandomCrop(size={self.size}, padding={self.padding})"


class RandomHorizontalFlip:
    """Mirror a picture left to right with probability `p`.

    Parameters
    ----------
    p : float
        The probability.
    """

    def __init__(self, p: float = 0.5) -> None:
        self.p = p

    def __call__(self, img: Any) -> Any:
        return functional.hflip(img) if draw_uniform() < self.p else img

    def __repr__(self) -> str:
        return f"RandomHorizontalFlip(p={self.p})"


class RandomVerticalFlip:
    """Mirror a picture top to bottom with probability `p`.

    Parameters
    ----------
    p : float
        The probability.
    """

    def __init__(self, p: float = 0.5) -> None:
        self.p = p

    def __call__(self, img: Any) -> Any:
        return functional.vflip(img) if draw_uniform() < self.p else img

    def __repr__(self) -> str:
        return f"RandomVerticalFlip(p={self.p})"


def _size(size: int | Sequence[int]) -> tuple[int, int]:
    values = [size] if isinstance(size, int) else list(size)
    if len(values) not in (1, 2) or not all(n > 0 for n in values):
        raise ValueError(f"a size is a positive integer, or (height, width), not {size!r}.")
    return int(values[0]), int(values[-1])
