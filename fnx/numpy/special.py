"""Elementwise functions about signs, NaN and infinity, and sinc.  Read next: `elementwise`."""

from __future__ import annotations

from typing import Any

import numpy as np

from fnx import dtypes
from fnx.errors import ArgumentValueError
from fnx.numpy import ufuncs
from fnx.numpy.elementwise import abs, imag, isinf, isnan, logaddexp, real, signbit
from fnx.numpy.promotion import as_arrays, cast, promote, promote_inexact, refuse_out
from fnx.primitives.bessel import bessel_i0e
from fnx.primitives.complex_numbers import complex as complex_

__all__ = [
    "copysign", "fabs", "fmax", "fmin", "heaviside", "i0", "iscomplex", "isneginf", "isposinf",
    "isreal", "logaddexp2", "modf", "nan_to_num", "sinc",
]  # fmt: skip


def _real_only(name: str, *values: Any) -> None:
    for value in values:
        if value.dtype.kind == "c":
            raise ArgumentValueError(
                f"{name}: complex numbers have no sign, got {value.aval!r}. "
                "Pass the real or the imaginary part."
            )


def copysign(x1: Any, x2: Any, /) -> Any:
    """The first operand with the sign of the second.

    Parameters
    ----------
    x1, x2 : array-like
        The operands.
    """
    x, y = promote_inexact("copysign", x1, x2)
    _real_only("copysign", x, y)
    return ufuncs.where(ufuncs.not_equal(signbit(x), signbit(y)), ufuncs.negative(x), x)


def fabs(x: Any, /) -> Any:
    """The absolute value, as a float.

    Parameters
    ----------
    x : array-like
        The operand.
    """
    (value,) = promote_inexact("fabs", x)
    _real_only("fabs", value)
    return abs(value)


def _without_nan(name: str, choose: Any, x1: Any, x2: Any) -> Any:
    x, y = promote(name, x1, x2)
    if x.dtype.kind in "biu":
        return choose(x, y)
    return ufuncs.where(isnan(x), y, ufuncs.where(isnan(y), x, choose(x, y)))


def fmax(x1: Any, x2: Any) -> Any:
    """The larger of two; where one is NaN, the other.

    Parameters
    ----------
    x1, x2 : array-like
        The operands.
    """
    return _without_nan("fmax", ufuncs.maximum, x1, x2)


def fmin(x1: Any, x2: Any) -> Any:
    """The smaller of two; where one is NaN, the other.

    Parameters
    ----------
    x1, x2 : array-like
        The operands.
    """
    return _without_nan("fmin", ufuncs.minimum, x1, x2)


def heaviside(x1: Any, x2: Any, /) -> Any:
    """The step: 0 below zero, 1 above, the second operand at zero.

    Parameters
    ----------
    x1, x2 : array-like
        The place, and the value at zero.
    """
    x, y = promote_inexact("heaviside", x1, x2)
    _real_only("heaviside", x, y)
    step = ufuncs.where(x < 0, ufuncs.constant_like(x, 0), ufuncs.constant_like(x, 1))
    return ufuncs.where(isnan(x), x, ufuncs.where(ufuncs.equal(x, 0), y, step))


def _infinite(name: str, x: Any, negative: bool) -> Any:
    (value,) = as_arrays(name, x)
    _real_only(name, value)
    sign = value < 0 if negative else value > 0
    return ufuncs.logical_and(isinf(value), sign)


def isneginf(x: Any, /, out: None = None) -> Any:
    """Whether elements are negative infinity.

    Parameters
    ----------
    x : array-like
        The operand.
    out : None
        Arrays are immutable.
    """
    refuse_out("isneginf", out)
    return _infinite("isneginf", x, True)


def isposinf(x: Any, /, out: None = None) -> Any:
    """Whether elements are positive infinity.

    Parameters
    ----------
    x : array-like
        The operand.
    out : None
        Arrays are immutable.
    """
    refuse_out("isposinf", out)
    return _infinite("isposinf", x, False)


def iscomplex(x: Any) -> Any:
    """Whether elements have an imaginary part other than zero.

    Parameters
    ----------
    x : array-like
        The operand.
    """
    return ufuncs.not_equal(imag(x), 0)


def isreal(x: Any) -> Any:
    """Whether elements have an imaginary part of zero.

    Parameters
    ----------
    x : array-like
        The operand.
    """
    return ufuncs.equal(imag(x), 0)


def logaddexp2(x1: Any, x2: Any, /) -> Any:
    """The logarithm to base 2 of the sum of two powers of 2.

    Parameters
    ----------
    x1, x2 : array-like
        The exponents.
    """
    x, y = promote_inexact("logaddexp2", x1, x2)
    scale = ufuncs.constant_like(x, np.log(2.0))
    return ufuncs.divide(logaddexp(x * scale, y * scale), scale)


def modf(x: Any, /, out: None = None) -> tuple[Any, Any]:
    """The fractional and the whole part, both with the operand's sign.

    Parameters
    ----------
    x : array-like
        The operand.
    out : None
        Arrays are immutable.
    """
    refuse_out("modf", out)
    (value,) = promote_inexact("modf", x)
    _real_only("modf", value)
    whole = ufuncs.trunc(value)
    zero = ufuncs.constant_like(value, 0)
    rest = ufuncs.where(isinf(value), zero, value - ufuncs.where(isinf(value), zero, whole))
    return copysign(rest, value), whole


def nan_to_num(
    x: Any, copy: bool = True, nan: Any = 0.0, posinf: Any = None, neginf: Any = None
) -> Any:
    """Numbers in place of NaN and infinity.

    Parameters
    ----------
    x : array-like
        The operand.
    copy : bool
        Accepted; arrays are immutable.
    nan : number
        In place of NaN.
    posinf, neginf : number, optional
        In place of the infinities; the dtype's largest and lowest number by default.
    """
    (value,) = as_arrays("nan_to_num", x)
    if value.dtype.kind in "biu":
        return value
    if value.dtype.kind == "c":
        parts = [nan_to_num(part, copy, nan, posinf, neginf) for part in (real(value), imag(value))]
        return complex_(*parts)
    limits = dtypes.finfo(value.dtype)
    high = limits.max if posinf is None else posinf
    low = limits.min if neginf is None else neginf
    for test, number in ((isnan(value), nan), (isposinf(value), high), (isneginf(value), low)):
        value = ufuncs.where(test, cast(as_arrays("nan_to_num", number)[0], value.dtype), value)
    return value


def sinc(x: Any, /) -> Any:
    """The sine of pi x over pi x, 1 at zero.

    Parameters
    ----------
    x : array-like
        The operand.
    """
    (value,) = promote_inexact("sinc", x)
    t = value * ufuncs.constant_like(value, np.pi)
    # Near zero a series, which has the right derivatives there; the quotient has none.
    near = abs(t) < 0.01
    s = ufuncs.where(near, t, ufuncs.constant_like(t, 0))
    s = s * s
    series = 1 - s / 6 * (1 - s / 20 * (1 - s / 42))
    far = ufuncs.where(near, ufuncs.constant_like(t, 1), t)
    return ufuncs.where(near, series, ufuncs.sin(far) / far)


def i0(x: Any) -> Any:
    """The modified Bessel function of the first kind and order 0.

    Parameters
    ----------
    x : array-like
        The operand, real.
    """
    (value,) = promote_inexact("i0", x)
    _real_only("i0", value)
    return ufuncs.multiply(ufuncs.exp(abs(value)), bessel_i0e(value))
