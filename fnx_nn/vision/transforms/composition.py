"""Transforms made of transforms.

In: callables from picture to picture. Out: one callable.

Read next: `geometry`, `conversion`, `colour`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from fnx_nn.vision.transforms.random_draws import draw_uniform

__all__ = ["Compose", "Lambda", "RandomApply"]

Transform = Callable[[Any], Any]


class Compose:
    """Apply transforms one after the other.

    Parameters
    ----------
    transforms : sequence of callables
        The transforms, in order.

    Examples
    --------
    >>> from PIL import Image
    >>> from fnx_nn.vision.transforms.geometry import CenterCrop, Resize
    >>> Compose([Resize(32), CenterCrop(24)])(Image.new("L", (100, 50))).size
    (24, 24)
    """

    def __init__(self, transforms: Sequence[Transform]) -> None:
        self.transforms = transforms

    def __call__(self, img: Any) -> Any:
        for transform in self.transforms:
            img = transform(img)
        return img

    def __repr__(self) -> str:
        return _listing("Compose", self.transforms)


class RandomApply:
    """Apply transforms one after the other with probability `p`, otherwise none.

    Parameters
    ----------
    transforms : sequence of callables
        The transforms, in order.
    p : float
        The probability.
    """

    def __init__(self, transforms: Sequence[Transform], p: float = 0.5) -> None:
        self.transforms = transforms
        self.p = p

    def __call__(self, img: Any) -> Any:
        if self.p < draw_uniform():
            return img
        for transform in self.transforms:
            img = transform(img)
        return img

    def __repr__(self) -> str:
        return _listing(f"RandomApply(p={self.p})", self.transforms)


class Lambda:
    """Apply a function of the user's.

    Parameters
    ----------
    lambd : callable
        From a picture to a picture.
    """

    def __init__(self, lambd: Transform) -> None:
        if not callable(lambd):
            raise TypeError(f"Lambda: expects a function, not {type(lambd).__name__}.")
        self.lambd = lambd

    def __call__(self, img: Any) -> Any:
        return self.lambd(img)

    def __repr__(self) -> str:
        return "Lambda()"


def _listing(name: str, transforms: Sequence[Transform]) -> str:
    lines = "".join(f"\n    {transform!r}" for transform in transforms)
    return f"{name}({lines}\n)"
