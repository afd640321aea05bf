"""Elementwise functions that are made of several operations.  Read next: `reductions`."""

from __future__ import annotations

from typing import Any

import numpy as np

from fnx import dtypes
from fnx.control.custom_api import custom_jvp
from fnx.errors import ArgumentValueError
from fnx.numpy.promotion import (
    as_arrays,
    broadcast_operands,
    cast,
    promote,
    promote_inexact,
    refuse_out,
)
from fnx.numpy.ufuncs import (
    add,
    arctan2,
    constant_like,
    equal,
    less_equal,
    logical_and,
    logical_or,
    maximum,
    minimum,
    multiply,
    numeric,
    rint,
    subtract,
    where,
)
from fnx.primitives import (
    arithmetic,
    bits,
    comparison,
    complex_numbers,
    exponential,
    powers,
    rounding,
)
from fnx.primitives import cast as cast_
from fnx.primitives.shaping import full

__all__ = [
    "abs", "absolute", "angle", "around", "clip", "conj", "conjugate", "deg2rad", "degrees",
    "divmod", "float_power", "floor_divide", "fmod", "hypot", "imag", "isclose", "isfinite",
    "isinf", "isnan", "log10", "log2", "logaddexp", "mod", "positive", "pow", "power", "rad2deg",
    "radians", "real", "reciprocal", "remainder", "round", "sign", "signbit",
]  # fmt: skip


def log2(x: Any, /) -> Any:
    """The logarithm to base 2.

    Parameters
    ----------
    x : array-like
        The operand.
    """
    (value,) = promote_inexact("log2", x)
    quotient = _quotient_of_parts(exponential.log(value), np.log(2.0))
    return cast(quotient, quotient.dtype)


def log10(x: Any, /) -> Any:
    """The logarithm to base 10.

    Parameters
    ----------
    x : array-like
        The operand.
    """
    (value,) = promote_inexact("log10", x)
    quotient = _quotient_of_parts(exponential.log(value), np.log(10.0))
    return cast(quotient, quotient.dtype)


def _quotient_of_parts(x: Any, number: float) -> Any:
    """A real number below each part: below a complex one, infinite parts would make NaNs."""
    if x.dtype.kind == "c":
        return complex_numbers.complex(
            *[_quotient_of_parts(part(x), number) for part in (real, imag)]
        )
    return arithmetic.div(x, constant_like(x, number))


def abs(x: Any, /) -> Any:
    """The absolute value; of complex numbers, the modulus.

    Parameters
    ----------
    x : array-like
        The operand.

    Examples
    --------
    >>> abs(-2)
    Array(2, dtype=int32, weak_type=True)
    """
    (value,) = as_arrays("abs", x)
    return value if dtypes.kind_of(value.dtype) in "bu" else comparison.abs(value)


absolute = abs


def sign(x: Any, /) -> Any:
    """-1, 0 or 1 by the sign.

    Parameters
    ----------
    x : array-like
        The operand.
    """
    return comparison.sign(as_arrays("sign", x)[0])


def positive(x: Any, /) -> Any:
    """The number itself.

    Parameters
    ----------
    x : array-like
        The operand.
    """
    return as_arrays("positive", x)[0]


def reciprocal(x: Any, /) -> Any:
    """``1 / x``.

    Parameters
    ----------
    x : array-like
        The operand.
    """
    (value,) = promote_inexact("reciprocal", x)
    return arithmetic.div(constant_like(value, 1), value)


def isnan(x: Any, /) -> Any:
    """Whether a number is NaN.

    Parameters
    ----------
    x : array-like
        The operand.
    """
    (value,) = promote_inexact("isnan", x)
    return comparison.ne(value, value)


def isfinite(x: Any, /) -> Any:
    """Whether a number is neither infinite nor NaN.

    Parameters
    ----------
    x : array-like
        The operand.
    """
    (value,) = as_arrays("isfinite", x)
    if dtypes.kind_of(value.dtype) in "biu":
        return full(value.shape, True, np.bool_)
    if value.dtype.kind == "c":
        return logical_and(isfinite(real(value)), isfinite(imag(value)))
    return comparison.is_finite(value)


def isinf(x: Any, /) -> Any:
    """Whether a number is infinite.

    Parameters
    ----------
    x : array-like
        The operand.
    """
    (value,) = as_arrays("isinf", x)
    if dtypes.kind_of(value.dtype) in "biu":
        return full(value.shape, False, np.bool_)
    if value.dtype.kind == "c":
        return logical_or(isinf(real(value)), isinf(imag(value)))
    return comparison.eq(comparison.abs(value), constant_like(value, np.inf))


def signbit(x: Any, /) -> Any:
    """Whether the sign is set, of -0 too.

    Parameters
    ----------
    x : array-like
        The operand.
    """
    (value,) = as_arrays("signbit", x)
    if dtypes.kind_of(value.dtype) in "biu":
        return (
            comparison.lt(value, constant_like(value, 0))
            if value.dtype.kind == "i"
            else full(value.shape, False, np.bool_)
        )
    _refuse_complex("signbit", value)
    signed = np.dtype(f"i{value.dtype.itemsize}")
    word = cast_.bitcast_convert_type(value, signed)
    return comparison.lt(word, constant_like(word, 0))


def real(x: Any, /) -> Any:
    """The real part.

    Parameters
    ----------
    x : array-like
        The operand.
    """
    (value,) = as_arrays("real", x)
    return complex_numbers.real(value) if value.dtype.kind == "c" else value


def imag(x: Any, /) -> Any:
    """The imaginary part.

    Parameters
    ----------
    x : array-like
        The operand.
    """
    (value,) = as_arrays("imag", x)
    return complex_numbers.imag(value) if value.dtype.kind == "c" else constant_like(value, 0)


def conj(x: Any, /) -> Any:
    """The complex conjugate.

    Parameters
    ----------
    x : array-like
        The operand.
    """
    (value,) = as_arrays("conj", x)
    return complex_numbers.conj(value) if value.dtype.kind == "c" else value


conjugate = conj


def angle(z: Any, deg: bool = False) -> Any:
    """The angle of a complex number.

    Parameters
    ----------
    z : array-like
        The operand.
    deg : bool
        In degrees instead of radians.
    """
    (value,) = as_arrays("angle", z)
    if dtypes.kind_of(value.dtype) in "biu":
        value = cast(value, dtypes.default_dtype("f"))
    result = arctan2(imag(value), cast(real(value), dtypes.to_floating_dtype(value.dtype)))
    return degrees(result) if deg else result


def degrees(x: Any, /) -> Any:
    """Radians to degrees.

    Parameters
    ----------
    x : array-like
        Angles in radians.
    """
    (value,) = promote_inexact("degrees", x)
    return arithmetic.mul(value, constant_like(value, 180 / np.pi))


def radians(x: Any, /) -> Any:
    """Degrees to radians.

    Parameters
    ----------
    x : array-like
        Angles in degrees.
    """
    (value,) = promote_inexact("radians", x)
    return arithmetic.mul(value, constant_like(value, np.pi / 180))


rad2deg, deg2rad = degrees, radians


def round(a: Any, decimals: int = 0, out: None = None) -> Any:
    """The nearest number with so many decimals, ties to even.

    Parameters
    ----------
    a : array-like
        The operand.
    decimals : int
        How many; negative ones round to tens, hundreds, ...
    out : None
        Arrays are immutable.
    """
    refuse_out("round", out)
    (value,) = as_arrays("round", a)
    if dtypes.kind_of(value.dtype) in "biu":
        if decimals >= 0 or value.dtype == np.bool_:
            return value
        return _round_integers(value, 10**-decimals)
    if decimals == 0:
        return rint(value)
    if value.dtype.kind == "c":
        return complex_numbers.complex(round(real(value), decimals), round(imag(value), decimals))
    if decimals > np.log10(float(dtypes.finfo(value.dtype).max)):
        return value  # there's nothing that far behind the point
    # In float16 the scaled number would overflow or lose its last digit.
    wide = cast(value, np.dtype(np.float32)) if value.dtype == np.float16 else value
    factor = constant_like(wide, 10.0**decimals)
    result = arithmetic.div(rint(arithmetic.mul(wide, factor)), factor)
    return cast(result, value.dtype, value.weak_type)


around = round


def _round_integers(x: Any, step: int) -> Any:
    """Integers to the nearest multiple of a step, ties to even, without floating point."""
    if step > np.iinfo(x.dtype).max:
        return constant_like(x, 0)
    size = constant_like(x, step)
    rest = mod(x, size)
    low = arithmetic.sub(x, rest)
    odd = comparison.ne(mod(floor_divide(x, size), constant_like(x, 2)), constant_like(x, 0))
    half = comparison.eq(rest, arithmetic.sub(size, rest))
    above = comparison.gt(rest, arithmetic.sub(size, rest))
    return where(logical_or(above, logical_and(half, odd)), arithmetic.add(low, size), low)


def power(x: Any, y: Any, /) -> Any:
    """x to the power of y; an integer exponent stays one.

    Parameters
    ----------
    x, y : array-like
        Base and exponent.

    Examples
    --------
    >>> power(2., 3)
    Array(8., dtype=float32, weak_type=True)
    """
    if isinstance(y, (int, np.integer)) and not isinstance(y, bool):
        (base,) = as_arrays("power", x)
        if base.dtype == np.bool_:
            base = cast(base, np.dtype(np.int32))
        if dtypes.kind_of(base.dtype) in "iu" and y < 0:
            raise ArgumentValueError(
                f"power: integers to a negative power ({base.aval!r} ** {y}) aren't integers. "
                "Convert the base to a float first."
            )
        return powers.square(base) if y == 2 else powers.integer_pow(base, int(y))
    base, exponent = map(numeric, promote("power", x, y))
    if dtypes.kind_of(base.dtype) in "iu":
        return _integer_power(base, exponent)
    return exponential.pow(base, exponent)


def _integer_power(x: Any, y: Any) -> Any:
    """By squaring, modulo the width; as in JAX, negative exponents give what their bits say."""
    zero, one = constant_like(y, 0), constant_like(y, 1)
    result = where(logical_and(equal(x, zero), comparison.ne(y, zero)), zero, one)
    for _ in range(6):  # more would overflow, but for -1, 0 and 1
        odd = comparison.ne(bits.bitwise_and(y, one), zero)
        result = where(odd, arithmetic.mul(result, x), result)
        x, y = arithmetic.mul(x, x), bits.shift_right_logical(y, one)
    return result


pow = power


def float_power(x: Any, y: Any, /) -> Any:
    """x to the power of y, in floating point.

    Parameters
    ----------
    x, y : array-like
        Base and exponent.
    """
    return exponential.pow(*broadcast_operands("float_power", promote_inexact("float_power", x, y)))


def floor_divide(x: Any, y: Any, /) -> Any:
    """The largest whole number not above ``x / y``.

    Parameters
    ----------
    x, y : array-like
        Dividend and divisor.

    Examples
    --------
    >>> floor_divide(-7, 2)
    Array(-4, dtype=int32, weak_type=True)
    """
    a, b = map(numeric, promote("floor_divide", x, y))
    kind = dtypes.kind_of(a.dtype)
    if kind == "u":
        return arithmetic.div(a, b)
    if kind == "i":
        quotient, rest = arithmetic.div(a, b), rounding.rem(a, b)
        lower = logical_and(
            comparison.ne(rest, constant_like(rest, 0)),
            comparison.ne(comparison.sign(rest), comparison.sign(b)),
        )
        return where(lower, arithmetic.sub(quotient, constant_like(quotient, 1)), quotient)
    # Floating point: from the remainder, so that x == (x // y) * y + x % y as nearly as can be.
    rest = rounding.rem(a, b)
    zero = constant_like(b, 0)
    whole = where(comparison.eq(b, zero), a, arithmetic.sub(a, rest))
    quotient = rint(arithmetic.div(whole, b))
    lower = logical_and(comparison.ne(rest, zero), comparison.ne(sign(rest), sign(b)))
    quotient = where(lower, arithmetic.sub(quotient, constant_like(quotient, 1)), quotient)
    # A quotient that vanishes has the sign of x / y, which is less than one here.
    nothing = rint(arithmetic.mul(arithmetic.div(a, b), constant_like(b, 0.25)))
    return where(comparison.eq(quotient, zero), nothing, quotient)


def mod(x: Any, y: Any, /) -> Any:
    """The remainder with the sign of the divisor.

    Parameters
    ----------
    x, y : array-like
        Dividend and divisor.

    Examples
    --------
    >>> mod(-7, 2)
    Array(1, dtype=int32, weak_type=True)
    """
    a, b = map(numeric, promote("remainder", x, y))
    rest = rounding.rem(a, b)
    if dtypes.kind_of(a.dtype) == "u":
        return rest
    zero = constant_like(rest, 0)
    other_side = logical_and(
        comparison.ne(rest, zero), comparison.ne(comparison.lt(rest, zero), comparison.lt(b, zero))
    )
    rest = where(other_side, arithmetic.add(rest, b), rest)
    if dtypes.kind_of(a.dtype) == "i":
        return rest
    # The sign of a zero, too, is the divisor's: -0 + 0 is 0, and -(0 - 0) is -0.
    negated = arithmetic.neg(arithmetic.sub(zero, rest))
    return where(comparison.lt(b, zero), negated, arithmetic.add(rest, zero))


remainder = mod


def fmod(x: Any, y: Any, /) -> Any:
    """The remainder with the sign of the dividend.

    Parameters
    ----------
    x, y : array-like
        Dividend and divisor.
    """
    return rounding.rem(*map(numeric, promote("fmod", x, y)))


def divmod(x: Any, y: Any, /) -> tuple[Any, Any]:
    """Quotient and remainder.

    Parameters
    ----------
    x, y : array-like
        Dividend and divisor.
    """
    return floor_divide(x, y), mod(x, y)


def hypot(x: Any, y: Any, /) -> Any:
    """``sqrt(x**2 + y**2)`` without overflow in between.

    Parameters
    ----------
    x, y : array-like
        The legs.
    """
    operands = broadcast_operands("hypot", promote_inexact("hypot", x, y))
    _refuse_complex("hypot", *operands)
    a, b = map(comparison.abs, operands)
    large, small = comparison.max(a, b), comparison.min(a, b)
    zero = comparison.eq(large, constant_like(large, 0))
    ratio = arithmetic.div(small, where(zero, constant_like(large, 1), large))
    result = arithmetic.mul(
        large, powers.sqrt(arithmetic.add(constant_like(ratio, 1), powers.square(ratio)))
    )
    return where(logical_or(isinf(a), isinf(b)), constant_like(result, np.inf), result)


def logaddexp(x: Any, y: Any, /) -> Any:
    """``log(exp(x) + exp(y))`` without overflow.

    Parameters
    ----------
    x, y : array-like
        Logarithms.
    """
    a, b = broadcast_operands("logaddexp", promote_inexact("logaddexp", x, y))
    return _logaddexp_complex(a, b, maximum(a, b)) if a.dtype.kind == "c" else _logaddexp(a, b)


@custom_jvp
def _logaddexp(a: Any, b: Any) -> Any:
    gap = arithmetic.sub(a, b)
    result = arithmetic.add(
        comparison.max(a, b),
        exponential.log1p(exponential.exp(arithmetic.neg(comparison.abs(gap)))),
    )
    return where(isnan(gap), arithmetic.add(a, b), result)  # both infinite: their sum is the answer


@_logaddexp.defjvp
def _logaddexp_jvp(primals: Any, tangents: Any) -> tuple[Any, Any]:
    # d log(exp(a) + exp(b)) = exp(a - result) da + exp(b - result) db, smooth where a equals b
    result = _logaddexp(*primals)
    base = _without_infinity(result)
    terms = [
        arithmetic.mul(t, exponential.exp(arithmetic.sub(_without_infinity(x), base)))
        for x, t in zip(primals, tangents, strict=True)
    ]
    return result, arithmetic.add(*terms)


def _without_infinity(x: Any) -> Any:
    return where(equal(x, np.inf), constant_like(x, 0), x)


def _logaddexp_complex(a: Any, b: Any, large: Any) -> Any:
    """With the imaginary part in [-pi, pi]."""
    gap = arithmetic.sub(arithmetic.add(a, b), arithmetic.mul(large, constant_like(large, 2)))
    result = arithmetic.add(large, exponential.log1p(exponential.exp(gap)))
    angle = mod(add(imag(result), np.pi), 2 * np.pi) - np.pi
    return complex_numbers.complex(real(result), angle)


def clip(arr: Any, /, min: Any = None, max: Any = None) -> Any:
    """Numbers limited to a range.

    Parameters
    ----------
    arr : array-like
        The operand.
    min, max : array-like, optional
        Limits.

    Examples
    --------
    >>> clip(5, 0, 3)
    Array(3, dtype=int32, weak_type=True)
    """
    (value,) = as_arrays("clip", arr)
    _refuse_complex("clip", value, *as_arrays("clip", *[v for v in (min, max) if v is not None]))
    if min is not None:
        value = maximum(min, value)
    if max is not None:
        value = minimum(max, value)
    return value


def isclose(a: Any, b: Any, rtol: Any = 1e-05, atol: Any = 1e-08, equal_nan: bool = False) -> Any:
    """Whether numbers are equal within ``atol + rtol * |b|``.

    Parameters
    ----------
    a, b : array-like
        The numbers.
    rtol, atol : float
        Tolerances.
    equal_nan : bool
        Whether NaN is close to NaN.
    """
    x, y = broadcast_operands("isclose", promote_inexact("isclose", a, b))
    near = less_equal(abs(subtract(x, y)), add(atol, multiply(rtol, abs(y))))
    result = logical_or(logical_and(near, logical_and(isfinite(x), isfinite(y))), equal(x, y))
    if equal_nan:
        result = logical_or(result, logical_and(isnan(x), isnan(y)))
    return result


def _refuse_complex(operation: str, *operands: Any) -> None:
    for x in operands:
        if x.dtype.kind == "c":
            raise ArgumentValueError(
                f"{operation}: complex numbers have no order or sign, got {x.aval!r}. "
                "Take the real part or the absolute value first."
            )
