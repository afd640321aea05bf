"""Splitting along fixed axes, stacking of columns, quarter turns.  Read next: `joining`."""

from __future__ import annotations

from typing import Any

from fnx.errors import ArgumentValueError
from fnx.numpy.joining import atleast_3d, concatenate, split
from fnx.numpy.manipulation import flip, normal_axes, reshape, swapaxes
from fnx.numpy.promotion import as_arrays
from fnx.transforms.structural import structural

__all__ = ["column_stack", "dsplit", "dstack", "hsplit", "rot90", "vsplit"]


def _checked(name: str, ary: Any, least: int) -> Any:
    (x,) = as_arrays(name, ary)
    if x.ndim < least:
        raise ArgumentValueError(
            f"{name}: the operand must have {least} or more axes, got shape {x.shape}. "
            "Add axes with expand_dims."
        )
    return x


@structural("ary")
def vsplit(ary: Any, indices_or_sections: Any) -> list[Any]:
    """Parts of an array along its first axis.

    Parameters
    ----------
    ary : array-like
        The operand, of two axes or more.
    indices_or_sections : int or sequence of int
        How many equal parts, or where parts begin.
    """
    return split(_checked("vsplit", ary, 2), indices_or_sections, axis=0)


@structural("ary")
def hsplit(ary: Any, indices_or_sections: Any) -> list[Any]:
    """Parts of an array along its second axis, or its only one.

    Parameters
    ----------
    ary : array-like
        The operand.
    indices_or_sections : int or sequence of int
        How many equal parts, or where parts begin.
    """
    x = _checked("hsplit", ary, 1)
    return split(x, indices_or_sections, axis=0 if x.ndim == 1 else 1)


@structural("ary")
def dsplit(ary: Any, indices_or_sections: Any) -> list[Any]:
    """Parts of an array along its third axis.

    Parameters
    ----------
    ary : array-like
        The operand, of three axes or more.
    indices_or_sections : int or sequence of int
        How many equal parts, or where parts begin.
    """
    return split(_checked("dsplit", ary, 3), indices_or_sections, axis=2)


@structural("tup")
def dstack(tup: Any, dtype: Any = None) -> Any:
    """Arrays joined along the third axis.

    Parameters
    ----------
    tup : sequence of array-like
        The parts; those of fewer axes are widened by `atleast_3d`.
    dtype : dtype-like, optional
        Of the result.
    """
    return concatenate([atleast_3d(x) for x in tup], axis=2, dtype=dtype)


@structural("tup")
def column_stack(tup: Any) -> Any:
    """Arrays joined along the second axis, those of one axis as columns.

    Parameters
    ----------
    tup : sequence of array-like
        The parts.
    """
    parts = as_arrays("column_stack", *tup)
    return concatenate([reshape(x, (-1, 1)) if x.ndim < 2 else x for x in parts], axis=1)


@structural("m")
def rot90(m: Any, k: int = 1, axes: tuple[int, int] = (0, 1)) -> Any:
    """The array turned by quarters in the plane of two axes, from the first to the second.

    Parameters
    ----------
    m : array-like
        The operand, of two axes or more.
    k : int
        How many quarters.
    axes : pair of int
        The plane.
    """
    x = _checked("rot90", m, 2)
    if len(axes) != 2:
        raise ArgumentValueError(
            f"rot90: axes must be two, got {axes}. Pass a pair such as (0, 1)."
        )
    first, second = (normal_axes("rot90", axis, x.ndim)[0] for axis in axes)
    if first == second:
        raise ArgumentValueError(
            f"rot90: axes must differ, got {axes}. Pass a pair such as (0, 1)."
        )
    turns = k % 4
    if turns == 0:
        return x
    if turns == 2:
        return flip(x, (first, second))
    if turns == 1:
        return swapaxes(flip(x, second), first, second)
    return flip(swapaxes(x, first, second), second)
