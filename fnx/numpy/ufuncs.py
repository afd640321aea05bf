"""Elementwise functions of `fnx.numpy`: NumPy's names, with promotion and broadcasting over `fnx.primitives`.

Eager calls on arrays of one dtype go straight to NumPy; everything else is promoted, broadcast, and applied as a
primitive.  Read next: `reductions`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from fnx import dtypes
from fnx.config import CONTEXT
from fnx.core.array import Array
from fnx.core.primitive import quietly
from fnx.numpy.promotion import (
    as_arrays,
    broadcast_operands,
    cast,
    promote,
    promote_dtypes,
    promote_inexact,
)
from fnx.primitives import (
    arithmetic,
    bits,
    comparison,
    complex_numbers,
    exponential,
    powers,
    rounding,
    trigonometric,
)
from fnx.primitives import cast as cast_
from fnx.primitives.shaping import full

__all__ = [
    "abs", "absolute", "acos", "acosh", "add", "angle", "arccos", "arccosh", "arcsin", "arcsinh", "arctan",
    "arctan2", "arctanh", "asin", "asinh", "atan", "atan2", "atanh", "bitwise_and", "bitwise_invert",
    "bitwise_left_shift", "bitwise_not", "bitwise_or", "bitwise_right_shift", "bitwise_xor", "cbrt", "ceil",
    "clip", "conj", "conjugate", "cos", "cosh", "deg2rad", "degrees", "divide", "divmod", "equal", "exp", "exp2",
    "expm1", "float_power", "floor", "floor_divide", "fmod", "greater", "greater_equal", "hypot", "imag", "invert",
    "isclose", "isfinite", "isinf", "isnan", "left_shift", "less", "less_equal", "log", "log10", "log1p", "log2",
    "logaddexp", "logical_and", "logical_not", "logical_or", "logical_xor", "maximum", "minimum", "mod", "multiply",
    "negative", "not_equal", "positive", "pow", "power", "rad2deg", "radians", "real", "reciprocal", "remainder",
    "right_shift", "rint", "round", "sign", "signbit", "sin", "sinh", "sqrt", "square", "subtract", "tan", "tanh",
    "true_divide", "trunc", "where",
]  # fmt: skip


def _document(function: Any, name: str, summary: str, arguments: str, note: str = "") -> Any:
    """Give a generated function its name and documentation."""
    function.__name__ = function.__qualname__ = name
    function.__module__ = "fnx.numpy"
    count = len(arguments.split(", "))
    example = f">>> import numpy as np\n    >>> {name}({', '.join(['np.float32(0.5)'] * count)}).shape\n    ()"
    if "bit" in name or "shift" in name or name == "invert":
        example = example.replace("np.float32(0.5)", "np.int32(1)")
    function.__doc__ = (
        f"{summary}\n\n    Parameters\n    ----------\n    {arguments} : array-like\n        Operands; broadcast"
        f" against each other and promoted.\n\n    Returns\n    -------\n    Array\n{note}\n"
        f"    Examples\n    --------\n    {example}\n    "
    )
    return function


# ---------------------------------------------------------------------------------------------- one operand


def _unary(
    name: str, operation: Callable[[Any], Any], numpy: Any, inexact: bool, summary: str
) -> Callable[[Any], Any]:
    def function(x: Any, /) -> Any:
        if type(x) is Array and CONTEXT.get().trace is None and x._data.dtype.kind == "f" and numpy:
            return _wrap(quietly(numpy, x._data), x._weak)
        (value,) = promote_inexact(name, x) if inexact else as_arrays(name, x)
        return operation(value)

    return _document(function, name, summary, "x")


def _wrap(data: Any, weak: bool) -> Array:
    if type(data) is not np.ndarray:
        data = np.asarray(data)
    data.flags.writeable = False
    return Array(data, weak)


exp = _unary("exp", exponential.exp, np.exp, True, "The exponential, element by element.")
exp2 = _unary("exp2", exponential.exp2, np.exp2, True, "2 to the power of x.")
expm1 = _unary("expm1", exponential.expm1, np.expm1, True, "``exp(x) - 1``, accurate near 0.")
log = _unary("log", exponential.log, np.log, True, "The natural logarithm.")
log1p = _unary("log1p", exponential.log1p, np.log1p, True, "``log(1 + x)``, accurate near 0.")
sin = _unary("sin", trigonometric.sin, np.sin, True, "Sine of an angle in radians.")
cos = _unary("cos", trigonometric.cos, np.cos, True, "Cosine of an angle in radians.")
tan = _unary("tan", trigonometric.tan, np.tan, True, "Tangent of an angle in radians.")
asin = _unary("asin", trigonometric.asin, np.arcsin, True, "The angle in radians whose sine is x.")
acos = _unary(
    "acos", trigonometric.acos, np.arccos, True, "The angle in radians whose cosine is x."
)
atan = _unary(
    "atan", trigonometric.atan, np.arctan, True, "The angle in radians whose tangent is x."
)
sinh = _unary("sinh", trigonometric.sinh, np.sinh, True, "The hyperbolic sine.")
cosh = _unary("cosh", trigonometric.cosh, np.cosh, True, "The hyperbolic cosine.")
tanh = _unary("tanh", trigonometric.tanh, np.tanh, True, "The hyperbolic tangent.")
asinh = _unary("asinh", trigonometric.asinh, np.arcsinh, True, "The inverse hyperbolic sine.")
acosh = _unary("acosh", trigonometric.acosh, np.arccosh, True, "The inverse hyperbolic cosine.")
atanh = _unary("atanh", trigonometric.atanh, np.arctanh, True, "The inverse hyperbolic tangent.")
sqrt = _unary("sqrt", powers.sqrt, np.sqrt, True, "The square root that isn't negative.")
cbrt = _unary("cbrt", powers.cbrt, np.cbrt, True, "The real cube root.")
square = _unary("square", powers.square, np.square, False, "The square.")
negative = _unary("negative", arithmetic.neg, np.negative, False, "The number of opposite sign.")
arccos, arccosh, arcsin, arcsinh, arctan, arctanh = acos, acosh, asin, asinh, atan, atanh


def _rounding(name: str, operation: Callable[[Any], Any], numpy: Any, summary: str) -> Any:
    def function(x: Any, /) -> Any:
        (value,) = as_arrays(name, x)
        return value if dtypes.kind_of(value.dtype) in "biu" else operation(value)

    return _document(function, name, summary, "x")


floor = _rounding("floor", rounding.floor, np.floor, "The largest whole number not above x.")
ceil = _rounding("ceil", rounding.ceil, np.ceil, "The smallest whole number not below x.")
trunc = _rounding(
    "trunc",
    lambda x: where(comparison.lt(x, _like(x, 0)), rounding.ceil(x), rounding.floor(x)),
    np.trunc,
    "The whole number next to x on the side of 0.",
)
rint = _rounding(
    "rint",
    lambda x: rounding.round(x, rounding.RoundingMethod.TO_NEAREST_EVEN),
    np.rint,
    "The nearest whole number, ties to even.",
)


def _like(x: Any, value: Any) -> Any:
    """An array of one number, in the shape and dtype of another array."""
    return full(x.shape, value, x.dtype)


def log2(x: Any, /) -> Any:
    """The logarithm to base 2.

    Parameters
    ----------
    x : array-like
        The operand.
    """
    (value,) = promote_inexact("log2", x)
    return arithmetic.div(exponential.log(value), _like(value, np.log(2.0)))


def log10(x: Any, /) -> Any:
    """The logarithm to base 10.

    Parameters
    ----------
    x : array-like
        The operand.
    """
    (value,) = promote_inexact("log10", x)
    return arithmetic.div(exponential.log(value), _like(value, np.log(10.0)))


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
    return arithmetic.div(_like(value, 1), value)


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
    return comparison.eq(comparison.abs(value), _like(value, np.inf))


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
            comparison.lt(value, _like(value, 0))
            if value.dtype.kind == "i"
            else full(value.shape, False, np.bool_)
        )
    signed = np.dtype(f"i{value.dtype.itemsize}")
    word = cast_.bitcast_convert_type(value, signed)
    return comparison.lt(word, _like(word, 0))


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
    return complex_numbers.imag(value) if value.dtype.kind == "c" else _like(value, 0)


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
    result = arctan2(imag(promote_inexact("angle", z)[0]), real(z))
    return degrees(result) if deg else result


def degrees(x: Any, /) -> Any:
    """Radians to degrees.

    Parameters
    ----------
    x : array-like
        Angles in radians.
    """
    (value,) = promote_inexact("degrees", x)
    return arithmetic.mul(value, _like(value, 180 / np.pi))


def radians(x: Any, /) -> Any:
    """Degrees to radians.

    Parameters
    ----------
    x : array-like
        Angles in degrees.
    """
    (value,) = promote_inexact("radians", x)
    return arithmetic.mul(value, _like(value, np.pi / 180))


rad2deg, deg2rad = degrees, radians


def round(a: Any, decimals: int = 0) -> Any:
    """The nearest number with so many decimals, ties to even.

    Parameters
    ----------
    a : array-like
        The operand.
    decimals : int
        How many; negative ones round to tens, hundreds, ...
    """
    (value,) = as_arrays("round", a)
    if decimals == 0:
        return rint(value)
    if dtypes.kind_of(value.dtype) in "biu":
        if decimals > 0:
            return value
        factor = 10**-decimals
        return cast(rint(divide(value, factor)) * factor, value.dtype)
    factor = _like(value, 10.0**decimals)
    return arithmetic.div(rint(arithmetic.mul(value, factor)), factor)


def logical_not(x: Any, /) -> Any:
    """Whether a number is zero.

    Parameters
    ----------
    x : array-like
        The operand.
    """
    return bits.bitwise_not(_truth(as_arrays("logical_not", x)[0]))


def _truth(x: Any) -> Any:
    return x if x.dtype == np.bool_ else comparison.ne(x, _like(x, 0))


def bitwise_invert(x: Any, /) -> Any:
    """All bits flipped; of bools, not.

    Parameters
    ----------
    x : array-like
        Integers or bools.

    Examples
    --------
    >>> bitwise_invert(0)
    Array(-1, dtype=int32, weak_type=True)
    """
    return bits.bitwise_not(as_arrays("bitwise_invert", x)[0])


bitwise_not = invert = bitwise_invert


# ---------------------------------------------------------------------------------------------- two operands


def _binary(
    name: str,
    operation: Callable[[Any, Any], Any],
    numpy: Any,
    summary: str,
    inexact: bool = False,
    fast: str = "fc",
) -> Callable[[Any, Any], Any]:
    """`fast`: kinds of dtypes of which NumPy's ufunc does exactly this."""

    def function(x: Any, y: Any, /) -> Any:
        if CONTEXT.get().trace is None and type(x) is Array:
            a = x._data
            if type(y) is Array:
                b = y._data
                if a.dtype == b.dtype and a.dtype.kind in fast:
                    try:
                        return _wrap(quietly(numpy, a, b), x._weak and y._weak)
                    except ValueError:
                        broadcast_operands(name, [x, y])
                        raise
            elif type(y) is float and a.dtype.kind == "f" and "f" in fast:
                return _wrap(quietly(numpy, a, y), x._weak)
        xs = promote_inexact(name, x, y) if inexact else promote_dtypes(name, x, y)
        return operation(*broadcast_operands(name, xs))

    return _document(function, name, summary, "x, y")


def _bool_add(x: Any, y: Any) -> Any:
    return bits.bitwise_or(x, y) if x.dtype == np.bool_ else arithmetic.add(x, y)


def _bool_mul(x: Any, y: Any) -> Any:
    return bits.bitwise_and(x, y) if x.dtype == np.bool_ else arithmetic.mul(x, y)


add = _binary("add", _bool_add, np.add, "The sum.", fast="iufc")
subtract = _binary("subtract", arithmetic.sub, np.subtract, "The difference.", fast="iufc")
multiply = _binary("multiply", _bool_mul, np.multiply, "The product.", fast="iufc")
true_divide = _binary("true_divide", arithmetic.div, np.true_divide, "The quotient.", inexact=True)
divide = _binary("divide", arithmetic.div, np.true_divide, "The quotient.", inexact=True)
maximum = _binary(
    "maximum", comparison.max, np.maximum, "The larger number; NaN if either is.", fast="iu"
)
minimum = _binary(
    "minimum", comparison.min, np.minimum, "The smaller number; NaN if either is.", fast="iu"
)
arctan2 = _binary(
    "arctan2", trigonometric.atan2, np.arctan2, "The angle of the point (y, x).", True, "f"
)
atan2 = arctan2
less = _binary("less", comparison.lt, np.less, "Whether x < y.", fast="")
less_equal = _binary("less_equal", comparison.le, np.less_equal, "Whether x <= y.", fast="")
greater = _binary("greater", comparison.gt, np.greater, "Whether x > y.", fast="")
greater_equal = _binary(
    "greater_equal", comparison.ge, np.greater_equal, "Whether x >= y.", fast=""
)
equal = _binary("equal", comparison.eq, np.equal, "Whether x equals y.", fast="")
not_equal = _binary("not_equal", comparison.ne, np.not_equal, "Whether x differs from y.", fast="")
bitwise_and = _binary(
    "bitwise_and", bits.bitwise_and, np.bitwise_and, "The bits set in both.", fast=""
)
bitwise_or = _binary(
    "bitwise_or", bits.bitwise_or, np.bitwise_or, "The bits set in one or both.", fast=""
)
bitwise_xor = _binary(
    "bitwise_xor", bits.bitwise_xor, np.bitwise_xor, "The bits set in exactly one.", fast=""
)
left_shift = _binary(
    "left_shift", bits.shift_left, np.left_shift, "Bits moved to the left.", fast=""
)
bitwise_left_shift = left_shift


def _right(x: Any, y: Any) -> Any:
    arithmetic_shift = x.dtype.kind == "i"
    return (bits.shift_right_arithmetic if arithmetic_shift else bits.shift_right_logical)(x, y)


right_shift = _binary(
    "right_shift", _right, np.right_shift, "Bits moved to the right; the sign stays.", fast=""
)
bitwise_right_shift = right_shift


def _logical(name: str, operation: Any, summary: str) -> Any:
    def function(x: Any, y: Any, /) -> Any:
        xs = [_truth(v) for v in as_arrays(name, x, y)]
        return operation(*broadcast_operands(name, xs))

    return _document(function, name, summary, "x, y")


logical_and = _logical("logical_and", bits.bitwise_and, "Whether both aren't zero.")
logical_or = _logical("logical_or", bits.bitwise_or, "Whether one or both aren't zero.")
logical_xor = _logical("logical_xor", bits.bitwise_xor, "Whether exactly one isn't zero.")


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
            raise ValueError(
                f"power: integers to a negative power ({base.aval!r} ** {y}) aren't integers. "
                "Convert the base to a float first."
            )
        return powers.square(base) if y == 2 else powers.integer_pow(base, int(y))
    base, exponent = promote_dtypes("power", x, y)
    if base.dtype == np.bool_:
        base, exponent = (cast(v, np.dtype(np.int32)) for v in (base, exponent))
    return exponential.pow(*broadcast_operands("power", [base, exponent]))


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
    a, b = promote("floor_divide", x, y)
    kind = dtypes.kind_of(a.dtype)
    if kind == "u":
        return arithmetic.div(a, b)
    if kind == "i":
        quotient, rest = arithmetic.div(a, b), rounding.rem(a, b)
        lower = logical_and(
            comparison.ne(rest, _like(rest, 0)),
            comparison.ne(comparison.sign(rest), comparison.sign(b)),
        )
        return where(lower, arithmetic.sub(quotient, _like(quotient, 1)), quotient)
    # Floating point: from the remainder, so that x == (x // y) * y + x % y as nearly as can be.
    rest = mod(a, b)
    quotient = arithmetic.div(arithmetic.sub(a, rest), b)
    infinite = isinf(a)
    return where(
        logical_or(infinite, comparison.eq(b, _like(b, 0))),
        floor(arithmetic.div(a, b)),
        rint(quotient),
    )


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
    a, b = promote("remainder", x, y)
    rest = rounding.rem(a, b)
    if dtypes.kind_of(a.dtype) == "u":
        return rest
    zero = _like(rest, 0)
    other_side = logical_and(
        comparison.ne(rest, zero), comparison.ne(comparison.lt(rest, zero), comparison.lt(b, zero))
    )
    return where(other_side, arithmetic.add(rest, b), rest)


remainder = mod


def fmod(x: Any, y: Any, /) -> Any:
    """The remainder with the sign of the dividend.

    Parameters
    ----------
    x, y : array-like
        Dividend and divisor.
    """
    return rounding.rem(*promote("fmod", x, y))


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
    a, b = (comparison.abs(v) for v in broadcast_operands("hypot", promote_inexact("hypot", x, y)))
    large, small = comparison.max(a, b), comparison.min(a, b)
    zero = comparison.eq(large, _like(large, 0))
    ratio = arithmetic.div(small, where(zero, _like(large, 1), large))
    result = arithmetic.mul(
        large, powers.sqrt(arithmetic.add(_like(ratio, 1), powers.square(ratio)))
    )
    return where(logical_or(isinf(a), isinf(b)), _like(result, np.inf), result)


def logaddexp(x: Any, y: Any, /) -> Any:
    """``log(exp(x) + exp(y))`` without overflow.

    Parameters
    ----------
    x, y : array-like
        Logarithms.
    """
    a, b = broadcast_operands("logaddexp", promote_inexact("logaddexp", x, y))
    large = comparison.max(a, b)
    gap = arithmetic.sub(a, b)
    result = arithmetic.add(
        large, exponential.log1p(exponential.exp(arithmetic.neg(comparison.abs(gap))))
    )
    return where(isnan(gap), arithmetic.add(a, b), result)  # both infinite: their sum is the answer


def where(condition: Any, x: Any = None, y: Any = None, /) -> Any:
    """Elements of x where a condition holds, of y elsewhere.

    Parameters
    ----------
    condition : array-like
        True if not zero.
    x, y : array-like
        What to choose from; broadcast and promoted.

    Examples
    --------
    >>> where(True, 1., 2.)
    Array(1., dtype=float32, weak_type=True)
    """
    if x is None or y is None:
        raise ValueError("where: give both x and y (indices: use nonzero).")
    (test,) = as_arrays("where", condition)
    a, b = promote_dtypes("where", x, y)
    test, a, b = broadcast_operands("where", [_truth(test), a, b])
    return comparison.select_n(test, b, a)


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
