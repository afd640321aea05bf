"""Quantiles along axes, with and without NaN.  Read next: `sorting`."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from fnx import dtypes
from fnx.core.array import Array
from fnx.errors import ArgumentValueError
from fnx.numpy import ufuncs
from fnx.numpy.creation import asarray
from fnx.numpy.elementwise import clip, isnan
from fnx.numpy.indexing import take_along_axis
from fnx.numpy.manipulation import normal_axes, ravel, reshape, transpose
from fnx.numpy.promotion import broadcast_to, cast, promote_inexact, refuse_out
from fnx.numpy.reductions import any, sum
from fnx.numpy.sorting import sort

__all__ = ["nanmedian", "nanpercentile", "nanquantile", "percentile", "quantile"]

_METHODS = ("linear", "lower", "higher", "midpoint", "nearest")


def _quantile(
    name: str, a: Any, q: Any, axis: Any, method: str, keepdims: bool, pass_nan: bool, scale: float
) -> Any:
    if method not in _METHODS:
        raise ArgumentValueError(
            f"{name}: method must be one of {', '.join(_METHODS)}, got {method!r}."
        )
    # First alone: a Python fraction does not widen the float that integers become.
    x, fractions = promote_inexact(name, *promote_inexact(name, a), q)
    if "c" in (x.dtype.kind, fractions.dtype.kind):
        raise ArgumentValueError(f"{name}: complex numbers have no order, got {x.aval!r}.")
    fractions = ufuncs.divide(fractions, ufuncs.constant_like(fractions, scale))
    if type(fractions) is Array and not np.all((fractions._data >= 0) & (fractions._data <= 1)):
        raise ArgumentValueError(f"{name}: q must lie between 0 and {scale:g}.")
    axes = normal_axes(name, axis, x.ndim)
    others = tuple(k for k in range(x.ndim) if k not in axes)
    kept = [x.shape[k] for k in others]
    count = math.prod([x.shape[k] for k in axes])
    if count == 0:
        raise ArgumentValueError(f"{name}: shape {x.shape} has no element along axes {axes}.")
    flat = reshape(transpose(x, (*others, *axes)), (*kept, count))
    missing = isnan(flat)
    ordered = sort(flat, axis=-1)
    # NaN stands last: the numbers are the first ones.
    total = asarray(count) if not pass_nan else count - sum(missing, axis=-1, keepdims=True)
    last = cast(ufuncs.maximum(total - 1, 0), x.dtype)
    points = ravel(fractions)
    place = broadcast_to(last * points, (*kept, points.size))
    low, high = ufuncs.floor(place), ufuncs.ceil(place)
    weight = place - low
    low = take_along_axis(ordered, _whole(clip(low, 0, last)), axis=-1)
    high = take_along_axis(ordered, _whole(clip(high, 0, last)), axis=-1)
    if method == "linear":
        # Where both are equal, infinities too, there is nothing to add.
        same = ufuncs.equal(low, high)
        rest = ufuncs.where(same, ufuncs.constant_like(high, 0), high - low)
        result = low + ufuncs.where(ufuncs.equal(weight, 0), 0, rest * weight)
    elif method == "midpoint":
        result = ufuncs.where(ufuncs.equal(weight, 0), low, (low + high) * 0.5)
    elif method == "nearest":
        # Halves go to the even place, as NumPy rounds.
        nearest = clip(ufuncs.rint(place), 0, last)
        result = take_along_axis(ordered, _whole(nearest), axis=-1)
    else:
        result = low if method == "lower" else high
    if not pass_nan:
        result = ufuncs.where(any(missing, axis=-1, keepdims=True), np.nan, result)
    result = transpose(result, (len(kept), *range(len(kept))))
    if keepdims:
        kept = [1 if k in axes else n for k, n in enumerate(x.shape)]
    return cast(reshape(result, (*fractions.shape, *kept)), x.dtype)


def _whole(place: Any) -> Any:
    return cast(place, dtypes.default_dtype("i"))


def quantile(
    a: Any,
    q: Any,
    axis: Any = None,
    out: None = None,
    overwrite_input: bool = False,
    method: str = "linear",
    keepdims: bool = False,
) -> Any:
    """Values below which a fraction of the elements lies.

    Parameters
    ----------
    a : array-like
        The operand.
    q : array-like
        Fractions from 0 to 1; their axes come first in the result.
    axis : int, sequence of int or None
        Along which axes; all elements by default.
    out : None
        Arrays are immutable.
    overwrite_input : bool
        Accepted.
    method : {"linear", "lower", "higher", "midpoint", "nearest"}
        What lies between two elements.
    keepdims : bool
        Keep the axis, with size 1.
    """
    refuse_out("quantile", out)
    return _quantile("quantile", a, q, axis, method, keepdims, False, 1)


def nanquantile(
    a: Any,
    q: Any,
    axis: Any = None,
    out: None = None,
    overwrite_input: bool = False,
    method: str = "linear",
    keepdims: bool = False,
) -> Any:
    """Values below which a fraction of the elements lies that are not NaN.

    Parameters
    ----------
    a : array-like
        The operand.
    q : array-like
        Fractions from 0 to 1; their axes come first in the result.
    axis : int, sequence of int or None
        Along which axes; all elements by default.
    out : None
        Arrays are immutable.
    overwrite_input : bool
        Accepted.
    method : {"linear", "lower", "higher", "midpoint", "nearest"}
        What lies between two elements.
    keepdims : bool
        Keep the axis, with size 1.
    """
    refuse_out("nanquantile", out)
    return _quantile("nanquantile", a, q, axis, method, keepdims, True, 1)


def percentile(
    a: Any,
    q: Any,
    axis: Any = None,
    out: None = None,
    overwrite_input: bool = False,
    method: str = "linear",
    keepdims: bool = False,
) -> Any:
    """Values below which so many in a hundred of the elements lie.

    Parameters
    ----------
    a : array-like
        The operand.
    q : array-like
        From 0 to 100; their axes come first in the result.
    axis : int, sequence of int or None
        Along which axes; all elements by default.
    out : None
        Arrays are immutable.
    overwrite_input : bool
        Accepted.
    method : {"linear", "lower", "higher", "midpoint", "nearest"}
        What lies between two elements.
    keepdims : bool
        Keep the axis, with size 1.
    """
    refuse_out("percentile", out)
    return _quantile("percentile", a, q, axis, method, keepdims, False, 100)


def nanpercentile(
    a: Any,
    q: Any,
    axis: Any = None,
    out: None = None,
    overwrite_input: bool = False,
    method: str = "linear",
    keepdims: bool = False,
) -> Any:
    """Values below which so many in a hundred of the elements lie that are not NaN.

    Parameters
    ----------
    a : array-like
        The operand.
    q : array-like
        From 0 to 100; their axes come first in the result.
    axis : int, sequence of int or None
        Along which axes; all elements by default.
    out : None
        Arrays are immutable.
    overwrite_input : bool
        Accepted.
    method : {"linear", "lower", "higher", "midpoint", "nearest"}
        What lies between two elements.
    keepdims : bool
        Keep the axis, with size 1.
    """
    refuse_out("nanpercentile", out)
    return _quantile("nanpercentile", a, q, axis, method, keepdims, True, 100)


def nanmedian(
    a: Any,
    axis: Any = None,
    out: None = None,
    overwrite_input: bool = False,
    keepdims: bool = False,
) -> Any:
    """The middle of the elements that are not NaN.

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
    refuse_out("nanmedian", out)
    return _quantile("nanmedian", a, 0.5, axis, "linear", keepdims, True, 1)
