"""Sizes of windows as users write them: one number for all spatial dimensions, or one for each.

Read next: `convolution`, `pooling`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

__all__ = ["listed", "spatial_sizes"]

_WORDS = ("no", "one", "two", "three")


def spatial_sizes(value: Any, count: int, name: str, operation: str) -> tuple[int, ...]:
    """One number for each spatial dimension.

    Parameters
    ----------
    value : int or sequence of int
        As users give it; a sequence of one number stands for all.
    count : int
        How many dimensions there are.
    name : str
        The argument, for errors.
    operation : str
        What the argument belongs to, for errors.

    Raises
    ------
    RuntimeError
        There are too many or too few.
    TypeError
        They are no integers.
    """
    given = value if isinstance(value, Sequence) else (value,)
    try:
        sizes = tuple([n.__index__() for n in given])
    except (AttributeError, TypeError):
        raise TypeError(
            f"{operation}(): argument '{name}' must be int or tuple of ints, not "
            f"{type(value).__name__}"
        ) from None
    if len(sizes) == 1:
        return sizes * count
    if len(sizes) != count:
        raise RuntimeError(
            f"{operation}: {name} must either be a single int, or a tuple of {_WORDS[count]} ints"
        )
    return sizes


def listed(sizes: Sequence[int]) -> str:
    """Sizes as error messages show them: ``[2, 3]``.

    Parameters
    ----------
    sizes : sequence of int
        Any.
    """
    return str([int(n) for n in sizes])
