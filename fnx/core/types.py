"""What is known of a value before it exists: shape, dtype, and whether its dtype is weak.

`ShapedArray` is the type of every variable of a Jaxpr.  `Effect` names something an equation does
besides computing its results; equations with effects keep their order and are never merged or
dropped. Read next: `array` (values), `jaxpr` (programs over these types).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from fnx.dtypes import float0, kind_of
from fnx.errors import type_string

__all__ = ["Effect", "ShapedArray", "float0", "tangent_type"]


class ShapedArray:
    """The type of an array: its shape, its dtype, and whether the dtype is weak.

    A weak dtype comes from a Python scalar and gives way to the dtype of what it meets.

    Parameters
    ----------
    shape : tuple of int
        The extents.
    dtype : numpy.dtype
        The element type.
    weak_type : bool
        Whether the dtype yields in promotion.

    Examples
    --------
    >>> ShapedArray((3, 4), np.dtype("float32"))
    f32[3,4]
    """

    __slots__ = ("_hash", "dtype", "shape", "weak_type")
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    weak_type: bool

    def __init__(
        self, shape: tuple[int, ...], dtype: np.dtype[Any], weak_type: bool = False
    ) -> None:
        self.shape = shape
        self.dtype = dtype
        self.weak_type = weak_type
        self._hash: int | None = None

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """Number of elements."""
        return math.prod(self.shape)

    def __eq__(self, other: object) -> bool:
        return (
            type(other) is ShapedArray
            and self.shape == other.shape
            and self.dtype == other.dtype
            and self.weak_type == other.weak_type
        )

    def __hash__(self) -> int:
        if self._hash is None:
            self._hash = hash((self.shape, self.dtype, self.weak_type))
        return self._hash

    def __repr__(self) -> str:
        return type_string(self.dtype, self.shape, self.weak_type)

    def same_type(self, other: ShapedArray) -> bool:
        """Whether shape and dtype agree, weakness aside."""
        return self.shape == other.shape and self.dtype == other.dtype

    def strengthen(self) -> ShapedArray:
        """The same type, not weak."""
        return ShapedArray(self.shape, self.dtype) if self.weak_type else self

    def update(self, **changes: Any) -> ShapedArray:
        """A copy with some fields changed."""
        return ShapedArray(
            changes.get("shape", self.shape),
            changes.get("dtype", self.dtype),
            changes.get("weak_type", self.weak_type),
        )


def tangent_type(aval: ShapedArray) -> ShapedArray:
    """The type of a tangent of a value of type `aval` (`float0` for integers and booleans)."""
    if kind_of(aval.dtype) in "fc":
        return aval.strengthen()
    return ShapedArray(aval.shape, float0)


class Effect:
    """Something an equation does beside computing: print, call back, draw, communicate.

    Parameters
    ----------
    name : str
        Shown in printed Jaxprs.
    ordered : bool
        Whether effects of this name happen in program order.
    repeatable : bool
        Whether it may happen again where a derivative computes a part of the program again.
    once : bool
        Whether it is left out there.
    """

    __slots__ = ("name", "once", "ordered", "repeatable")

    def __init__(
        self, name: str, ordered: bool = True, repeatable: bool = False, once: bool = False
    ) -> None:
        self.name = name
        self.once = once
        self.ordered = ordered
        self.repeatable = repeatable

    def __repr__(self) -> str:
        return self.name
