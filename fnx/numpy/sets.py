"""Arrays as sets: unique elements, and those of one array that are in another, or not.

Everything follows from one order: equal elements are neighbours, and the first of each run stands
for it.  How many there are depends on values, so programs being traced give ``size=``.
Read next: `histograms`.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from fnx import dtypes
from fnx.errors import ArgumentValueError, ConcretizationTypeError
from fnx.numpy import reductions, ufuncs
from fnx.numpy.elementwise import clip, isnan
from fnx.numpy.indexing import nonzero, take
from fnx.numpy.joining import concatenate
from fnx.numpy.manipulation import moveaxis, normal_axis, ravel, reshape
from fnx.numpy.promotion import as_arrays, known, promote_dtypes
from fnx.numpy.searching import searchsorted
from fnx.numpy.sorting import argsort, lexsort, sort
from fnx.primitives import shaping

__all__ = [
    "intersect1d", "isin", "setdiff1d", "setxor1d", "union1d", "unique", "unique_all",
    "unique_counts", "unique_inverse", "unique_values",
]  # fmt: skip


class UniqueAll(NamedTuple):
    """Unique elements, where they first occur, where each element is, how often it occurs."""

    values: Any
    indices: Any
    inverse_indices: Any
    counts: Any


class UniqueCounts(NamedTuple):
    """Unique elements, and how often each occurs."""

    values: Any
    counts: Any


class UniqueInverse(NamedTuple):
    """Unique elements, and where each element is among them."""

    values: Any
    inverse_indices: Any


def _firsts(rows: Any, equal_nan: bool) -> Any:
    """Whether each row of an ordered array differs from the one before it."""
    before, after = rows[:-1], rows[1:]
    new = ufuncs.not_equal(before, after)
    if equal_nan and rows.dtype.kind not in "biu":
        new = ufuncs.logical_and(new, ~ufuncs.logical_and(isnan(before), isnan(after)))
    head = shaping.full((min(rows.shape[0], 1),), True, np.dtype(bool))
    return concatenate([head, reductions.any(new, axis=1)])


def _selected(name: str, mask: Any, size: int | None) -> Any:
    """The places of true elements, filled with the number of elements."""
    if size is None and known(mask) is None:
        raise ConcretizationTypeError(
            f"{name}: the array is traced, and how many elements the result has depends on values. "
            "Pass size=."
        )
    return nonzero(mask, size=size, fill_value=mask.shape[0])[0]


def _taken(x: Any, places: Any, fill_value: Any) -> Any:
    """Elements at places; where there is none, a number, or the first that was taken."""
    count = x.shape[0]
    if not count:
        default = 0 if fill_value is None else fill_value
        return shaping.full((*places.shape, *x.shape[1:]), default, x.dtype)
    if not places.shape[0]:
        return x[:0]
    missing = ufuncs.greater_equal(places, count)
    found = take(x, clip(places, 0, count - 1), axis=0)
    holes = known(missing)
    if holes is not None and not holes.any():
        return found
    missing = shaping.broadcast_in_dim(missing, found.shape, (0,))
    rest = found[:1] if fill_value is None else as_arrays("unique", fill_value)[0]
    return ufuncs.where(missing, rest.astype(x.dtype), found)


def unique(
    ar: Any,
    return_index: bool = False,
    return_inverse: bool = False,
    return_counts: bool = False,
    axis: int | None = None,
    *,
    equal_nan: bool = True,
    size: int | None = None,
    fill_value: Any = None,
    sorted: bool = True,
) -> Any:
    """The different elements, in increasing order.

    Parameters
    ----------
    ar : array-like
        The operand.
    return_index, return_inverse, return_counts : bool
        Also where each first occurs, where each element of `ar` is among them, and how often each
        occurs.
    axis : int, optional
        Compare slices along this axis; by default single elements.
    equal_nan : bool
        Whether all NaN are one element.
    size : int, optional
        How many are given; needed where values aren't known, as under `jit`.
    fill_value : number, optional
        In what is left over of `size`; the smallest element by default.
    sorted : bool
        Accepted: the order is always the increasing one.

    Examples
    --------
    >>> import fnx.numpy as jnp
    >>> unique(jnp.array([3, 1, 3]), return_counts=True)
    (Array([1, 3], dtype=int32), Array([1, 2], dtype=int32))
    """
    (x,) = as_arrays("unique", ar)
    if axis is None:
        rows = reshape(x, (-1, 1))
    else:
        place = normal_axis("unique", axis, x.ndim)
        moved = moveaxis(x, place, 0)
        width = int(np.prod(moved.shape[1:], dtype=np.int64))
        rows = reshape(moved, (moved.shape[0], width))
    count = rows.shape[0]
    if rows.shape[1]:
        order = argsort(rows[:, 0]) if rows.shape[1] == 1 else lexsort(rows.T[::-1])
    else:
        order = shaping.full((count,), 0, dtypes.default_dtype("i"))
    ordered = take(rows, order, axis=0) if count else rows
    first = _firsts(ordered, equal_nan)
    # One more than asked for, if there is one, tells how often the last one occurs.
    ends = _selected("unique", first, None if size is None else size + 1)
    if size is None:
        ends = concatenate([ends, shaping.full((1,), count, ends.dtype)])
    places = ends[:-1]
    values = _taken(ordered, places, fill_value)
    if axis is None:
        values = values[:, 0]
    else:
        values = moveaxis(reshape(values, (values.shape[0], *moved.shape[1:])), 0, place)
    results = [values]
    if return_index:
        results.append(_taken(order, places, None))
    if return_inverse:
        ranks = reductions.cumsum(first.astype(dtypes.default_dtype("i"))) - 1
        inverse = shaping.full((count,), 0, ranks.dtype)
        inverse = inverse.at[order].set(ranks) if count else inverse
        results.append(reshape(inverse, x.shape) if axis is None else inverse)
    if return_counts:
        results.append(ends[1:] - ends[:-1])
    return tuple(results) if len(results) > 1 else values


def unique_all(x: Any, /, *, size: int | None = None, fill_value: Any = None) -> UniqueAll:
    """The different elements, where they first occur, the inverse, and counts; NaN all differ.

    Parameters
    ----------
    x : array-like
        The operand.
    size, fill_value
        As for `unique`.
    """
    return UniqueAll(
        *unique(x, True, True, True, equal_nan=False, size=size, fill_value=fill_value)
    )


def unique_counts(x: Any, /, *, size: int | None = None, fill_value: Any = None) -> UniqueCounts:
    """The different elements, and how often each occurs; NaN all differ.

    Parameters
    ----------
    x : array-like
        The operand.
    size, fill_value
        As for `unique`.
    """
    return UniqueCounts(
        *unique(x, return_counts=True, equal_nan=False, size=size, fill_value=fill_value)
    )


def unique_inverse(x: Any, /, *, size: int | None = None, fill_value: Any = None) -> UniqueInverse:
    """The different elements, and where each element is among them; NaN all differ.

    Parameters
    ----------
    x : array-like
        The operand.
    size, fill_value
        As for `unique`.
    """
    return UniqueInverse(
        *unique(x, return_inverse=True, equal_nan=False, size=size, fill_value=fill_value)
    )


def unique_values(x: Any, /, *, size: int | None = None, fill_value: Any = None) -> Any:
    """The different elements; NaN all differ.

    Parameters
    ----------
    x : array-like
        The operand.
    size, fill_value
        As for `unique`.
    """
    return unique(x, equal_nan=False, size=size, fill_value=fill_value)


def isin(
    element: Any,
    test_elements: Any,
    assume_unique: bool = False,
    invert: bool = False,
    *,
    method: str = "auto",
) -> Any:
    """Whether each element is among others; NaN never is.

    Parameters
    ----------
    element : array-like
        The elements.
    test_elements : array-like
        The others.
    assume_unique : bool
        Accepted: nothing is gained by it.
    invert : bool
        Whether each is not among them.
    method : {"auto", "compare_all", "binary_search", "sort"}
        Accepted: it is always a binary search.
    """
    if method not in ("auto", "compare_all", "binary_search", "sort"):
        raise ArgumentValueError(
            f"isin: method is {method!r}. Pass 'auto', 'compare_all', 'binary_search' or 'sort'."
        )
    x, others = promote_dtypes("isin", element, test_elements)
    others = sort(ravel(others))
    if not others.shape[0]:
        return shaping.full(x.shape, invert, np.dtype(bool))
    places = clip(searchsorted(others, x), 0, others.shape[0] - 1)
    found = ufuncs.equal(take(others, places), x)
    return ufuncs.logical_not(found) if invert else found


def _chosen(name: str, x: Any, wanted: Any, size: int | None, fill_value: Any) -> Any:
    """The different elements of which something holds, their places in the order, and this."""
    order = argsort(x)
    ordered = take(x, order) if x.shape[0] else x
    mask = ufuncs.logical_and(wanted(ordered), _firsts(ordered[:, None], True))
    places = _selected(name, mask, size)
    return _taken(ordered, places, fill_value), places, order


def intersect1d(
    ar1: Any,
    ar2: Any,
    assume_unique: bool = False,
    return_indices: bool = False,
    *,
    size: int | None = None,
    fill_value: Any = None,
) -> Any:
    """The different elements that two arrays share, in increasing order.

    Parameters
    ----------
    ar1, ar2 : array-like
        The operands, over all axes.
    assume_unique : bool
        Accepted: equal elements are always taken once.
    return_indices : bool
        Also where each first occurs in the first and in the second array.
    size, fill_value
        As for `unique`; places that are left over are the number of elements.
    """
    x, y = [ravel(v) for v in promote_dtypes("intersect1d", ar1, ar2)]
    found, places, order = _chosen("intersect1d", x, lambda v: isin(v, y), size, fill_value)
    if not return_indices:
        return found
    missing = ufuncs.greater_equal(places, x.shape[0])

    def first(order: Any, places: Any) -> Any:
        count = order.shape[0]
        if not count:
            return shaping.full(places.shape, 0, order.dtype)
        return ufuncs.where(missing, count, take(order, clip(places, 0, count - 1)))

    other = argsort(y)
    at = searchsorted(take(y, other), found) if y.shape[0] else places
    return found, first(order, places), first(other, at)


def setdiff1d(
    ar1: Any,
    ar2: Any,
    assume_unique: bool = False,
    *,
    size: int | None = None,
    fill_value: Any = None,
) -> Any:
    """The different elements of one array that another doesn't have.

    Parameters
    ----------
    ar1, ar2 : array-like
        The operands, over all axes.
    assume_unique : bool
        Leave the elements in the order in which they are, each as often as it occurs.
    size, fill_value
        As for `unique`; what is left over is 0 by default.
    """
    x, y = [ravel(v) for v in promote_dtypes("setdiff1d", ar1, ar2)]
    fill_value = 0 if fill_value is None else fill_value
    if assume_unique:
        places = _selected("setdiff1d", isin(x, y, invert=True), size)
        return _taken(x, places, fill_value)
    return _chosen("setdiff1d", x, lambda v: isin(v, y, invert=True), size, fill_value)[0]


def setxor1d(
    ar1: Any,
    ar2: Any,
    assume_unique: bool = False,
    *,
    size: int | None = None,
    fill_value: Any = None,
) -> Any:
    """The different elements that exactly one of two arrays has, in increasing order.

    Parameters
    ----------
    ar1, ar2 : array-like
        The operands, over all axes.
    assume_unique : bool
        Accepted: equal elements are always taken once.
    size, fill_value
        As for `unique`.
    """
    x, y = [ravel(v) for v in promote_dtypes("setxor1d", ar1, ar2)]

    def alone(v: Any) -> Any:
        single = ufuncs.not_equal(isin(v, x), isin(v, y))
        return single if v.dtype.kind in "biu" else ufuncs.logical_or(single, isnan(v))

    return _chosen("setxor1d", concatenate([x, y]), alone, size, fill_value)[0]


def union1d(ar1: Any, ar2: Any, *, size: int | None = None, fill_value: Any = None) -> Any:
    """The different elements of two arrays together, in increasing order.

    Parameters
    ----------
    ar1, ar2 : array-like
        The operands, over all axes.
    size, fill_value
        As for `unique`.
    """
    x, y = [ravel(v) for v in promote_dtypes("union1d", ar1, ar2)]
    return unique(concatenate([x, y]), size=size, fill_value=fill_value)
