"""Places of values among ordered numbers, and what lies between them: searchsorted, interp.

Read next: `histograms`, `sets`.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from fnx import dtypes
from fnx.control.loops import fori_loop
from fnx.core.array import adopt
from fnx.errors import ArgumentValueError
from fnx.numpy import ufuncs
from fnx.numpy.elementwise import clip, isnan, mod
from fnx.numpy.indexing import take
from fnx.numpy.joining import concatenate
from fnx.numpy.manipulation import flip
from fnx.numpy.promotion import as_arrays, known, promote_dtypes, promote_inexact
from fnx.numpy.sorting import argsort
from fnx.primitives import shaping

__all__ = ["digitize", "interp", "searchsorted"]

_METHODS = ("default", "scan", "scan_unrolled", "sort", "compare_all")


def _before(a: Any, v: Any) -> Any:
    """Whether `a` stands before `v` where NaN comes last."""
    less = ufuncs.less(a, v)
    if a.dtype.kind in "biu":
        return less
    return ufuncs.logical_or(less, ufuncs.logical_and(isnan(v), ufuncs.logical_not(isnan(a))))


def searchsorted(
    a: Any,
    v: Any,
    side: Literal["left", "right"] = "left",
    sorter: Any = None,
    *,
    method: str = "scan",
) -> Any:
    """Where elements would be inserted into ordered ones so that these stay ordered.

    Parameters
    ----------
    a : array-like
        Of one axis, in increasing order, NaN last; or in the order that `sorter` gives it.
    v : array-like
        What is to be inserted.
    side : {"left", "right"}
        Before equal elements, or after them.
    sorter : array-like of int, optional
        The places of the elements of `a` in increasing order.
    method : str
        One of JAX's; all stand for a binary search here.

    Returns
    -------
    array of int32 (int64 with ``enable_x64``)
        Of the shape of `v`.

    Examples
    --------
    >>> import fnx.numpy as jnp
    >>> searchsorted(jnp.array([1, 2, 2, 3]), jnp.array([2, 9]))
    Array([1, 4], dtype=int32)
    """
    if side not in ("left", "right"):
        raise ArgumentValueError(f"searchsorted: side is {side!r}. Pass 'left' or 'right'.")
    if method not in _METHODS:
        raise ArgumentValueError(
            f"searchsorted: method is {method!r}. Pass one of {', '.join(map(repr, _METHODS))}."
        )
    ordered, wanted = promote_dtypes("searchsorted", a, v)
    if ordered.dtype.kind in "fV" and ordered.dtype.itemsize < 4:  # exactly, and NumPy can search
        ordered, wanted = ordered.astype(np.float32), wanted.astype(np.float32)
    if ordered.ndim != 1:
        raise ArgumentValueError(f"searchsorted: a must have one axis, got {ordered.aval!r}.")
    if sorter is not None:
        ordered = take(ordered, as_arrays("searchsorted", sorter)[0])
    integer = np.dtype(np.int64) if ordered.shape[0] >= 2**31 else dtypes.default_dtype("i")
    table, values = known(ordered), known(wanted)
    if table is not None and values is not None and table.dtype.kind in "biufc":
        return adopt(np.asarray(np.searchsorted(table, values, side), integer))
    size = ordered.shape[0]
    if not size:
        return shaping.full(wanted.shape, 0, integer)

    def halve(_: Any, bounds: Any) -> Any:
        low, high = bounds
        middle = (low + high) // 2
        element = take(ordered, middle, mode="clip")
        passed = (
            _before(element, wanted)
            if side == "left"
            else ufuncs.logical_not(_before(wanted, element))
        )
        more = ufuncs.less(low, high)
        up, down = ufuncs.logical_and(more, passed), ufuncs.logical_and(more, ~passed)
        return ufuncs.where(up, middle + 1, low), ufuncs.where(down, middle, high)

    start = shaping.full(wanted.shape, 0, integer)
    stop = shaping.full(wanted.shape, size, integer)
    return fori_loop(0, int(size).bit_length(), halve, (start, stop))[0]


def digitize(x: Any, bins: Any, right: bool = False, *, method: str = "scan") -> Any:
    """The number of the bin into which each element falls.

    Parameters
    ----------
    x : array-like
        The elements.
    bins : array-like
        The edges, of one axis, in increasing or decreasing order.
    right : bool
        Whether bins contain their right edge instead of their left one.
    method : str
        As for `searchsorted`.
    """
    values, edges = as_arrays("digitize", x, bins)
    if edges.ndim != 1:
        raise ArgumentValueError(f"digitize: bins must have one axis, got {edges.aval!r}.")
    if not edges.shape[0]:
        return shaping.full(values.shape, 0, np.dtype(np.int32))
    side: Literal["left", "right"] = "left" if right else "right"

    def rising() -> Any:
        return searchsorted(edges, values, side, method=method)

    def falling() -> Any:
        return edges.shape[0] - searchsorted(flip(edges), values, side, method=method)

    ends = known(edges)
    if ends is None:
        found = ufuncs.where(ufuncs.greater_equal(edges[-1], edges[0]), rising(), falling())
    else:
        found = rising() if ends[-1] >= ends[0] else falling()
    return found.astype(np.int32)


def interp(
    x: Any, xp: Any, fp: Any, left: Any = None, right: Any = None, period: Any = None
) -> Any:
    """Values between given points, on straight lines.

    Parameters
    ----------
    x : array-like
        Where.
    xp, fp : array-like
        The points, of one axis; `xp` in increasing order.
    left, right : number, "extrapolate" or None
        What is given outside; the first and last of `fp` by default.
    period : number, optional
        Of `xp`, which then needs no order; `left` and `right` have no meaning.

    Examples
    --------
    >>> import fnx.numpy as jnp
    >>> interp(2.5, jnp.array([1., 2., 3.]), jnp.array([3., 2., 0.]))
    Array(1., dtype=float32)
    """
    points, values = as_arrays("interp", xp, fp)
    if points.ndim != 1 or points.shape != values.shape or not points.shape[0]:
        raise ArgumentValueError(
            f"interp: xp is {points.aval!r} and fp {values.aval!r}. Pass at least one point, as "
            "two arrays of one axis and one size."
        )
    for name, end in (("left", left), ("right", right)):
        if isinstance(end, str) and end != "extrapolate":
            raise ArgumentValueError(
                f"interp: {name} is {end!r}. Pass a number, 'extrapolate' or None."
            )
    where, points = promote_inexact("interp", x, points)
    (values,) = promote_inexact("interp", values)
    if where.dtype.kind == "c":
        raise ArgumentValueError(f"interp: x and xp must be real, got {where.aval!r}.")
    if period is not None:
        turn = abs(as_arrays("interp", period)[0])
        where, points = mod(where, turn), mod(points, turn)
        order = argsort(points)
        points, values = take(points, order), take(values, order)
        points = concatenate([points[-1:] - turn, points, points[:1] + turn])
        values = concatenate([values[-1:], values, values[:1]])
        left = right = None
    if points.shape[0] == 1:
        inner = values[0] + shaping.full(where.shape, 0, where.dtype)
    else:
        i = clip(searchsorted(points, where, "right"), 1, points.shape[0] - 1)
        x0, x1 = take(points, i - 1, mode="clip"), take(points, i, mode="clip")
        y0, y1 = take(values, i - 1, mode="clip"), take(values, i, mode="clip")
        # Two points at one place are a jump: the value is that of the later one.
        level = ufuncs.equal(x0, x1)
        width = ufuncs.where(level, 1, x1 - x0)
        inner = ufuncs.where(level, y0, y0 + (where - x0) / width * (y1 - y0))
    if left != "extrapolate":
        inner = ufuncs.where(where < points[0], values[0] if left is None else left, inner)
    if right != "extrapolate":
        inner = ufuncs.where(where > points[-1], values[-1] if right is None else right, inner)
    return inner
