"""Counts: how often a number occurs, and how many elements fall into bins.  Read next: `sets`."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from fnx import dtypes
from fnx.errors import ArgumentTypeError, ArgumentValueError, ConcretizationTypeError
from fnx.numpy import reductions, ufuncs
from fnx.numpy.calculus import diff
from fnx.numpy.creation import linspace, ones, zeros
from fnx.numpy.elementwise import clip
from fnx.numpy.joining import unstack
from fnx.numpy.manipulation import ravel
from fnx.numpy.promotion import as_arrays, known, promote_inexact
from fnx.numpy.searching import searchsorted

__all__ = ["bincount", "histogram", "histogram2d", "histogram_bin_edges", "histogramdd"]


def bincount(x: Any, weights: Any = None, minlength: int = 0, *, length: int | None = None) -> Any:
    """How often each of the numbers 0, 1, 2... occurs.

    Parameters
    ----------
    x : array-like of int
        Of one axis; negative numbers count as 0.
    weights : array-like, optional
        What each element counts for; 1 by default.
    minlength : int
        The least length of the result.
    length : int, optional
        The length of the result, whatever occurs; needed where values aren't known, as under `jit`.

    Examples
    --------
    >>> import fnx.numpy as jnp
    >>> bincount(jnp.array([1, 1, 3]))
    Array([0, 2, 0, 1], dtype=int32)
    """
    (values,) = as_arrays("bincount", x)
    if values.dtype.kind not in "iub":
        raise ArgumentTypeError(f"bincount: x must hold integers, got {values.aval!r}.")
    if values.ndim != 1:
        raise ArgumentValueError(f"bincount: x must have one axis, got {values.aval!r}.")
    least = operator.index(minlength)
    if least < 0:
        raise ArgumentValueError(f"bincount: minlength must not be negative, got {minlength}.")
    if length is None:
        elements = known(values)
        if elements is None:
            raise ConcretizationTypeError(
                f"bincount of a traced {values.aval!r}: the largest element decides the length. "
                "Pass length=."
            )
        length = max(least, int(elements.max(initial=-1)) + 1)
    one = np.ones((), dtypes.default_dtype("i")) if weights is None else weights
    (counted,) = as_arrays("bincount", one)
    if weights is not None and counted.shape != values.shape:
        raise ArgumentValueError(
            f"bincount: weights {counted.aval!r} don't fit x {values.aval!r}. Pass one for each."
        )
    places = clip(values.astype(np.int64 if values.dtype.itemsize > 4 else np.int32), 0, None)
    return zeros(length, counted.dtype).at[places].add(counted, mode="drop")


def _limits(name: str, x: Any, given: Any) -> tuple[Any, Any]:
    """The ends of the bins; an interval of no width is widened by 1/2 on both sides."""
    if given is not None:
        if len(given) != 2:
            raise ArgumentValueError(f"{name}: range must be (low, high), got {given!r}.")
        low, high = promote_inexact(name, *given)
        low, high = low.astype(x.dtype), high.astype(x.dtype)
    elif x.size:
        low, high = reductions.min(x), reductions.max(x)
    else:
        low, high = zeros((), x.dtype), ones((), x.dtype)
    flat = ufuncs.equal(low, high)
    return ufuncs.where(flat, low - 0.5, low), ufuncs.where(flat, high + 0.5, high)


def histogram_bin_edges(a: Any, bins: Any = 10, range: Any = None, weights: Any = None) -> Any:
    """The edges of the bins of a `histogram`.

    Parameters
    ----------
    a : array-like
        The elements.
    bins : int, str or array-like
        How many bins of one width; or a rule of NumPy's ("auto", "fd", "sturges"...) that finds
        how many, where values are known; or the edges.
    range : (low, high), optional
        The ends; by default the smallest and the largest element.
    weights : array-like, optional
        Not used for the edges.
    """
    return _edges("histogram_bin_edges", a, bins, range)


def _edges(name: str, a: Any, bins: Any, range: Any) -> Any:
    (x,) = promote_inexact(name, a)
    if isinstance(bins, str):
        elements = known(x)
        if elements is None:
            raise ConcretizationTypeError(
                f"{name} of a traced {x.aval!r}: the rule {bins!r} finds the number of bins from "
                "values. Pass their number."
            )
        bins = len(np.histogram_bin_edges(elements.astype(np.float64), bins, range)) - 1
    elif np.ndim(bins) == 1 or getattr(bins, "ndim", 0) == 1:
        (edges,) = promote_inexact(name, np.asarray(bins) if isinstance(bins, list) else bins)
        return edges.astype(x.dtype)
    try:
        count = operator.index(bins)
    except TypeError:
        raise ArgumentTypeError(
            f"{name}: bins must be a number, a rule or edges of one axis, got {bins!r}."
        ) from None
    if count < 1:
        raise ArgumentValueError(f"{name}: bins must be positive, got {count}.")
    low, high = _limits(name, x, range)
    return linspace(low, high, count + 1, dtype=x.dtype)


def _bins(x: Any, edges: Any) -> Any:
    """The number of each element's bin; the last bin has both edges, outside is out of bounds."""
    last = edges.shape[0] - 1
    places = searchsorted(edges, x, "right") - 1
    places = ufuncs.where(ufuncs.equal(x, edges[-1]), last - 1, places)
    outside = ufuncs.logical_not((x >= edges[0]) & (x <= edges[-1]))
    return ufuncs.where(outside, last, places)


def histogram(
    a: Any, bins: Any = 10, range: Any = None, weights: Any = None, density: bool | None = None
) -> tuple[Any, Any]:
    """How many elements fall into each bin.

    Parameters
    ----------
    a : array-like
        The elements, over all axes.
    bins, range
        As for `histogram_bin_edges`.
    weights : array-like, optional
        What each element counts for.
    density : bool, optional
        Divide by the total and the widths, so that the integral is 1.

    Returns
    -------
    counts, edges : array

    Examples
    --------
    >>> import fnx.numpy as jnp
    >>> histogram(jnp.array([1., 2., 4.]), bins=3)
    (Array([1., 1., 1.], dtype=float32), Array([1., 2., 3., 4.], dtype=float32))
    """
    (x,) = promote_inexact("histogram", a)
    w = ones(x.shape, x.dtype) if weights is None else as_arrays("histogram", weights)[0]
    if w.shape != x.shape:
        raise ArgumentValueError(
            f"histogram: weights {w.aval!r} don't fit a {x.aval!r}. Pass one for each element."
        )
    x, w = promote_inexact("histogram", x, w)
    edges = [_edges("histogram", x, bins, range)]
    counts, edges = histogramdd(ravel(x)[:, None], edges, weights=ravel(w), density=density)
    return counts, edges[0]


def histogram2d(
    x: Any,
    y: Any,
    bins: Any = 10,
    range: Any = None,
    weights: Any = None,
    density: bool | None = None,
) -> tuple[Any, Any, Any]:
    """How many pairs fall into each bin of a grid.

    Parameters
    ----------
    x, y : array-like
        Of one axis and one size.
    bins, range
        One as for `histogram_bin_edges` for both, or a list of two.
    weights, density
        As for `histogram`.

    Returns
    -------
    counts, x_edges, y_edges : array
    """
    first, second = promote_inexact("histogram2d", x, y)
    if first.ndim != 1 or first.shape != second.shape:
        raise ArgumentValueError(
            f"histogram2d: x {first.aval!r} and y {second.aval!r} must have one axis and one size."
        )
    if np.ndim(bins) == 1 and len(bins) not in (1, 2):
        bins = [bins, bins]
    both = first.reshape(-1, 1), second.reshape(-1, 1)
    counts, edges = histogramdd(np.concatenate(both, axis=1), bins, range, weights, density)
    return counts, edges[0], edges[1]


def histogramdd(
    sample: Any,
    bins: Any = 10,
    range: Sequence[Any] | None = None,
    weights: Any = None,
    density: bool | None = None,
) -> tuple[Any, list[Any]]:
    """How many points fall into each bin of a grid of several axes.

    Parameters
    ----------
    sample : array-like
        Points, of shape (count, axes).
    bins, range
        One as for `histogram_bin_edges` for all axes, or a list with one for each.
    weights, density
        As for `histogram`.

    Returns
    -------
    counts : array
        With one axis for each axis of the points.
    edges : list of array
    """
    (points,) = promote_inexact("histogramdd", sample)
    if points.ndim != 2:
        raise ArgumentValueError(
            f"histogramdd: sample must have shape (count, axes), got {points.aval!r}."
        )
    axes = points.shape[1]
    each = list(bins) if isinstance(bins, (list, tuple)) else [bins] * axes
    ends = [None] * axes if range is None else list(range)
    if len(each) != axes or len(ends) != axes:
        raise ArgumentValueError(
            f"histogramdd: points of {axes} axes need as many bins and ranges, got {len(each)} "
            f"and {len(ends)}."
        )
    columns = unstack(points, axis=1)
    edges = [_edges("histogramdd", x, b, r) for x, b, r in zip(columns, each, ends, strict=True)]
    edges = [e.astype(points.dtype) for e in edges]
    integer = np.ones(points.shape[0], dtypes.default_dtype("i"))
    (w,) = (
        as_arrays("histogramdd", integer)
        if weights is None
        else promote_inexact("histogramdd", weights)
    )
    shape = tuple([e.shape[0] - 1 for e in edges])
    places = tuple([_bins(x, e) for x, e in zip(columns, edges, strict=True)])
    counts = zeros(shape, w.dtype).at[places].add(w, mode="drop")
    if density:
        counts = counts.astype(points.dtype)
        counts = counts / reductions.sum(counts)
        for k, e in enumerate(edges):
            counts = counts / diff(e).reshape(-1, *[1] * (axes - 1 - k))
    return counts, edges
