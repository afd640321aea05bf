"""Reductions that pass over NaN: nansum, nanmean, nanmax and more.  Read next: `reductions`."""

from __future__ import annotations

from typing import Any

import numpy as np

from fnx.numpy import reductions, ufuncs
from fnx.numpy.elementwise import conjugate, isnan, real
from fnx.numpy.promotion import as_arrays, cast, promote_inexact, refuse_out

__all__ = [
    "nanargmax", "nanargmin", "nancumprod", "nancumsum", "nanmax", "nanmean", "nanmin", "nanprod",
    "nanstd", "nansum", "nanvar",
]  # fmt: skip


def _replaced(operation: str, a: Any, value: Any) -> Any:
    (x,) = as_arrays(operation, a)
    if x.dtype.kind in "biu":
        return x
    return ufuncs.where(isnan(x), ufuncs.constant_like(x, value), x)


def nansum(
    a: Any, axis: Any = None, dtype: Any = None, out: None = None, keepdims: bool = False
) -> Any:
    """The sum of the elements that are not NaN.

    Parameters
    ----------
    a : array-like
        The operand.
    axis : int, sequence of int or None
        Along which axes; all elements by default.
    dtype : dtype-like, optional
        Of the result.
    out : None
        Arrays are immutable.
    keepdims : bool
        Keep the axis, with size 1.
    """
    x = _replaced("nansum", a, 0)
    return reductions.sum(x, axis=axis, dtype=dtype, out=out, keepdims=keepdims)


def nanprod(
    a: Any, axis: Any = None, dtype: Any = None, out: None = None, keepdims: bool = False
) -> Any:
    """The product of the elements that are not NaN.

    Parameters
    ----------
    a : array-like
        The operand.
    axis : int, sequence of int or None
        Along which axes; all elements by default.
    dtype : dtype-like, optional
        Of the result.
    out : None
        Arrays are immutable.
    keepdims : bool
        Keep the axis, with size 1.
    """
    x = _replaced("nanprod", a, 1)
    return reductions.prod(x, axis=axis, dtype=dtype, out=out, keepdims=keepdims)


def nancumsum(a: Any, axis: int | None = None, dtype: Any = None, out: None = None) -> Any:
    """Sums of the elements up to each place, NaN counting as zero.

    Parameters
    ----------
    a : array-like
        The operand.
    axis : int or None
        Along which axis; None over all elements.
    dtype : dtype-like, optional
        Of the result.
    out : None
        Arrays are immutable.
    """
    return reductions.cumsum(_replaced("nancumsum", a, 0), axis=axis, dtype=dtype, out=out)


def nancumprod(a: Any, axis: int | None = None, dtype: Any = None, out: None = None) -> Any:
    """Products of the elements up to each place, NaN counting as one.

    Parameters
    ----------
    a : array-like
        The operand.
    axis : int or None
        Along which axis; None over all elements.
    dtype : dtype-like, optional
        Of the result.
    out : None
        Arrays are immutable.
    """
    return reductions.cumprod(_replaced("nancumprod", a, 1), axis=axis, dtype=dtype, out=out)


def _extreme(name: str, reduce: Any, neutral: float, a: Any, axis: Any, keepdims: bool) -> Any:
    (x,) = as_arrays(name, a)
    result = reduce(_replaced(name, x, neutral), axis=axis, keepdims=keepdims)
    if x.dtype.kind in "biu":
        return result
    return ufuncs.where(
        reductions.all(isnan(x), axis=axis, keepdims=keepdims),
        ufuncs.constant_like(result, np.nan),
        result,
    )


def nanmax(a: Any, axis: Any = None, out: None = None, keepdims: bool = False) -> Any:
    """The largest of the elements that are not NaN; NaN where there is none.

    Parameters
    ----------
    a : array-like
        The operand.
    axis : int, sequence of int or None
        Along which axes; all elements by default.
    out : None
        Arrays are immutable.
    keepdims : bool
        Keep the axis, with size 1.
    """
    refuse_out("nanmax", out)
    return _extreme("nanmax", reductions.max, -np.inf, a, axis, keepdims)


def nanmin(a: Any, axis: Any = None, out: None = None, keepdims: bool = False) -> Any:
    """The smallest of the elements that are not NaN; NaN where there is none.

    Parameters
    ----------
    a : array-like
        The operand.
    axis : int, sequence of int or None
        Along which axes; all elements by default.
    out : None
        Arrays are immutable.
    keepdims : bool
        Keep the axis, with size 1.
    """
    refuse_out("nanmin", out)
    return _extreme("nanmin", reductions.min, np.inf, a, axis, keepdims)


def _place(name: str, find: Any, neutral: float, a: Any, axis: Any, keepdims: bool) -> Any:
    (x,) = as_arrays(name, a)
    result = find(_replaced(name, x, neutral), axis=axis, keepdims=keepdims)
    if x.dtype.kind in "biu":
        return result
    return ufuncs.where(reductions.all(isnan(x), axis=axis, keepdims=keepdims), -1, result)


def nanargmax(a: Any, axis: int | None = None, out: None = None, keepdims: bool = False) -> Any:
    """Where the largest element that is not NaN stands; -1 where all are NaN.

    Parameters
    ----------
    a : array-like
        The operand.
    axis : int or None
        Along which axis; None over all elements.
    out : None
        Arrays are immutable.
    keepdims : bool
        Keep the axis, with size 1.
    """
    refuse_out("nanargmax", out)
    return _place("nanargmax", reductions.argmax, -np.inf, a, axis, keepdims)


def nanargmin(a: Any, axis: int | None = None, out: None = None, keepdims: bool = False) -> Any:
    """Where the smallest element that is not NaN stands; -1 where all are NaN.

    Parameters
    ----------
    a : array-like
        The operand.
    axis : int or None
        Along which axis; None over all elements.
    out : None
        Arrays are immutable.
    keepdims : bool
        Keep the axis, with size 1.
    """
    refuse_out("nanargmin", out)
    return _place("nanargmin", reductions.argmin, np.inf, a, axis, keepdims)


def _count(x: Any, axis: Any, keepdims: bool, dtype: Any) -> Any:
    present = ufuncs.logical_not(isnan(x))
    return cast(reductions.sum(present, axis=axis, keepdims=keepdims), np.dtype(dtype))


def nanmean(
    a: Any, axis: Any = None, dtype: Any = None, out: None = None, keepdims: bool = False
) -> Any:
    """The mean of the elements that are not NaN; NaN where there is none.

    Parameters
    ----------
    a : array-like
        The operand.
    axis : int, sequence of int or None
        Along which axes; all elements by default.
    dtype : dtype-like, optional
        To compute in.
    out : None
        Arrays are immutable.
    keepdims : bool
        Keep the axis, with size 1.
    """
    (x,) = promote_inexact("nanmean", a)
    if dtype is not None:
        x = cast(x, np.dtype(dtype))
    total = nansum(x, axis=axis, out=out, keepdims=keepdims)
    return ufuncs.divide(total, _count(x, axis, keepdims, total.dtype))


def nanvar(
    a: Any,
    axis: Any = None,
    dtype: Any = None,
    out: None = None,
    ddof: float = 0,
    keepdims: bool = False,
) -> Any:
    """The variance of the elements that are not NaN.

    Parameters
    ----------
    a : array-like
        The operand.
    axis : int, sequence of int or None
        Along which axes; all elements by default.
    dtype : dtype-like, optional
        To compute in.
    out : None
        Arrays are immutable.
    ddof : number
        What is subtracted from the count; NaN where the count is not larger.
    keepdims : bool
        Keep the axis, with size 1.
    """
    (x,) = promote_inexact("nanvar", a)
    if dtype is not None:
        x = cast(x, np.dtype(dtype))
    centre = nanmean(x, axis=axis, keepdims=True)
    # Replaced before the square: the derivative of the square at NaN would be NaN times zero.
    # Only where the operand is NaN: infinity less an infinite mean stays NaN.
    off = ufuncs.where(isnan(x), ufuncs.constant_like(x, 0), ufuncs.subtract(x, centre))
    square = real(ufuncs.multiply(off, conjugate(off))) if x.dtype.kind == "c" else off * off
    total = reductions.sum(square, axis=axis, out=out, keepdims=keepdims)
    freedom = _count(x, axis, keepdims, total.dtype) - ddof
    return ufuncs.where(freedom > 0, total / ufuncs.where(freedom > 0, freedom, 1), np.nan)


def nanstd(
    a: Any,
    axis: Any = None,
    dtype: Any = None,
    out: None = None,
    ddof: float = 0,
    keepdims: bool = False,
) -> Any:
    """The standard deviation of the elements that are not NaN.

    Parameters
    ----------
    a : array-like
        The operand.
    axis : int, sequence of int or None
        Along which axes; all elements by default.
    dtype : dtype-like, optional
        To compute in.
    out : None
        Arrays are immutable.
    ddof : number
        What is subtracted from the count; NaN where the count is not larger.
    keepdims : bool
        Keep the axis, with size 1.
    """
    return ufuncs.sqrt(nanvar(a, axis, dtype, out, ddof, keepdims))
