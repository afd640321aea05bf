"""Elements in order, and what an order tells: sort, lexsort, median.  Read next: `indexing`."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from fnx import dtypes
from fnx.errors import ArgumentTypeError, ArgumentValueError, UnsupportedError
from fnx.numpy import ufuncs
from fnx.numpy.elementwise import isnan
from fnx.numpy.manipulation import normal_axes, normal_axis, ravel
from fnx.numpy.promotion import as_arrays, promote_inexact, refuse_out
from fnx.numpy.reductions import any, mean, with_axes_kept
from fnx.primitives import shaping, sorting
from fnx.primitives.iota import iota
from fnx.primitives.slicing import slice as slice_

__all__ = ["argpartition", "argsort", "lexsort", "median", "partition", "sort", "sort_complex"]


def sort(
    a: Any,
    axis: int | None = -1,
    *,
    kind: str | None = None,
    order: None = None,
    stable: bool = True,
    descending: bool = False,
) -> Any:
    """The elements in increasing order, NaN last.

    Parameters
    ----------
    a : array-like
        The operand.
    axis : int or None
        Along which axis; None over all elements.
    kind : str, optional
        NumPy's names of algorithms; one is used for all.
    order : None
        Names of fields, which arrays don't have here.
    stable : bool
        Always true here.
    descending : bool
        In decreasing order.
    """
    _refuse_order("sort", order)
    (x,) = as_arrays("sort", a)
    if axis is None:
        x, axis = ravel(x), 0
    place = normal_axis("sort", axis, x.ndim)
    result = sorting.sort(x, dimension=place)
    return shaping.rev(result, (place,)) if descending else result


def _refuse_order(operation: str, order: Any) -> None:
    if order is not None:
        raise UnsupportedError(f"{operation}: arrays have no fields, so order= must be None.")


def argsort(
    a: Any,
    axis: int | None = -1,
    *,
    kind: str | None = None,
    order: None = None,
    stable: bool = True,
    descending: bool = False,
) -> Any:
    """The places of the elements in increasing order, NaN last.

    Parameters
    ----------
    a : array-like
        The operand.
    axis : int or None
        Along which axis; None over all elements.
    kind : str, optional
        NumPy's names of algorithms; one is used for all.
    order : None
        Names of fields, which arrays don't have here.
    stable : bool
        Always true here.
    descending : bool
        In decreasing order; equal elements keep their order.
    """
    _refuse_order("argsort", order)
    (x,) = as_arrays("argsort", a)
    if axis is None:
        x, axis = ravel(x), 0
    place = normal_axis("argsort", axis, x.ndim)
    n = x.shape[place]
    index = shaping.broadcast_in_dim(iota(dtypes.default_dtype("i"), n), x.shape, (place,))
    if not descending:
        return sorting.sort((x, index), dimension=place, num_keys=1)[1]
    flipped = sorting.sort(
        (shaping.rev(x, (place,)), shaping.rev(index, (place,))), dimension=place, num_keys=1
    )[1]
    return shaping.rev(flipped, (place,))


def lexsort(keys: Any, axis: int = -1) -> Any:
    """The places of elements in the order of several keys, of which the last counts most.

    Parameters
    ----------
    keys : array-like or sequence of array-like
        Of one shape.
    axis : int
        Along which axis of each key.

    Examples
    --------
    >>> import fnx.numpy as jnp
    >>> lexsort((jnp.array([2, 1, 0]), jnp.array([0, 1, 0])))
    Array([2, 0, 1], dtype=int32)
    """
    xs = as_arrays("lexsort", *keys)
    if not xs:
        raise ArgumentTypeError("lexsort: needs at least one key.")
    if len({x.shape for x in xs}) > 1:
        raise ArgumentValueError(
            f"lexsort: keys must have one shape, got {', '.join(repr(x.aval) for x in xs)}."
        )
    integer = dtypes.default_dtype("i")
    if not xs[0].ndim:
        return shaping.full((), 0, integer)
    place = normal_axis("lexsort", axis, xs[0].ndim)
    index = shaping.broadcast_in_dim(iota(integer, xs[0].shape[place]), xs[0].shape, (place,))
    return sorting.sort((*xs[::-1], index), dimension=place, num_keys=len(xs))[-1]


def _ordered_halves(name: str, a: Any, kth: int, axis: int) -> tuple[Any, int]:
    (x,) = as_arrays(name, a)
    if x.dtype.kind == "c":
        raise ArgumentTypeError(f"{name}: complex numbers have no order, got {x.aval!r}.")
    place = normal_axis(name, axis, x.ndim)
    if not -x.shape[place] <= kth < x.shape[place]:
        raise ArgumentValueError(
            f"{name}: kth={kth} is out of bounds for axis {place} of {x.aval!r}."
        )
    return x, place


def partition(a: Any, kth: int, axis: int = -1) -> Any:
    """The elements with the k-th smallest in its place, smaller before it and larger after it.

    Parameters
    ----------
    a : array-like
        The operand.
    kth : int
        Which place.
    axis : int
        Along which axis.

    Notes
    -----
    The whole axis is sorted, which is one such order.
    """
    x, place = _ordered_halves("partition", a, kth, axis)
    return sort(x, place)


def argpartition(a: Any, kth: int, axis: int = -1) -> Any:
    """The places of the elements in the order of `partition`.

    Parameters
    ----------
    a : array-like
        The operand.
    kth : int
        Which place.
    axis : int
        Along which axis.
    """
    x, place = _ordered_halves("argpartition", a, kth, axis)
    return argsort(x, place)


def sort_complex(a: Any) -> Any:
    """The elements as complex numbers, in the order of real, then imaginary parts.

    Parameters
    ----------
    a : array-like
        The operand; sorted along its last axis.
    """
    (x,) = promote_inexact("sort_complex", a)
    return sort(x.astype(dtypes.to_complex_dtype(x.dtype)))


def median(
    a: Any,
    axis: Any = None,
    out: None = None,
    overwrite_input: bool = False,
    keepdims: bool = False,
) -> Any:
    """The middle element, or the mean of the two in the middle.

    Parameters
    ----------
    a : array-like
        The operand.
    axis : int, sequence of int or None
        Along which axes; all elements by default.
    out : None
        Arrays are immutable.
    overwrite_input : bool
        Accepted.
    keepdims : bool
        Keep the axis, with size 1.
    """
    refuse_out("median", out)
    (x,) = promote_inexact("median", a)
    if x.dtype.kind == "c":
        raise ArgumentValueError(f"median: complex numbers have no order, got {x.aval!r}.")
    axes = normal_axes("median", axis, x.ndim)
    others = tuple([k for k in range(x.ndim) if k not in axes])
    kept = [x.shape[k] for k in others]
    count = math.prod([x.shape[k] for k in axes])
    y = shaping.reshape(shaping.transpose(x, (*others, *axes)), (*kept, count))
    place = len(others)
    ordered = sorting.sort(y, dimension=place)
    n = ordered.shape[place]
    low, high = [0] * ordered.ndim, list(ordered.shape)
    low[place], high[place] = max((n - 1) // 2, 0), min(n // 2 + 1, n)
    middle = mean(slice_(ordered, low, high), place)
    result = ufuncs.where(any(isnan(y), place), np.nan, middle)
    return with_axes_kept(result, x.shape, axes, keepdims)
