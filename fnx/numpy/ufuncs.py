"""Elementwise functions of `fnx.numpy`: NumPy's names, with its promotion and broadcasting.

Eager calls on arrays of one dtype go straight to NumPy; everything else is promoted, broadcast, and
applied as a primitive.  Read next: `reductions`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from fnx import dtypes
from fnx.config import evaluates
from fnx.core.array import Array, adopt
from fnx.core.primitive import quietly
from fnx.errors import ArgumentValueError
from fnx.numpy.promotion import (
    as_arrays,
    broadcast_operands,
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
from fnx.primitives.cast import convert_element_type
from fnx.primitives.reductions import reduce_and, reduce_or
from fnx.primitives.shaping import broadcast_in_dim
from fnx.transforms.structural import structural

__all__ = [
    "acos", "acosh", "add", "arccos", "arccosh", "arcsin", "arcsinh", "arctan", "arctan2",
    "arctanh", "asin", "asinh", "atan", "atan2", "atanh", "bitwise_and", "bitwise_invert",
    "bitwise_left_shift", "bitwise_not", "bitwise_or", "bitwise_right_shift", "bitwise_xor", "cbrt",
    "ceil", "constant_like", "cos", "cosh", "divide", "equal", "exp", "exp2", "expm1", "floor",
    "greater", "greater_equal", "invert", "left_shift", "less", "less_equal", "log", "log1p",
    "logical_and", "logical_not", "logical_or", "logical_xor", "maximum", "minimum", "multiply",
    "negative", "not_equal", "numeric", "right_shift", "rint", "sin", "sinh", "sqrt", "square",
    "subtract", "tan", "tanh", "true_divide", "trunc", "truth", "where",
]  # fmt: skip


def _document(function: Any, name: str, summary: str, arguments: str, note: str = "") -> Any:
    """Give a generated function its name and documentation."""
    function.__name__ = function.__qualname__ = name
    function.__module__ = "fnx.numpy"
    count = len(arguments.split(", "))
    call = f"{name}({', '.join(['np.float32(0.5)'] * count)})"
    example = f">>> import numpy as np\n    >>> {call}.shape\n    ()"
    if "bit" in name or "shift" in name or name == "invert":
        example = example.replace("np.float32(0.5)", "np.int32(1)")
    function.__doc__ = (
        f"{summary}\n\n    Parameters\n    ----------\n    {arguments} : array-like\n"
        "        Operands; broadcast against each other and promoted.\n\n"
        f"    Returns\n    -------\n    Array\n{note}\n"
        f"    Examples\n    --------\n    {example}\n    "
    )
    return function


# -------------------------------------------------------------------------------------- one operand


def _unary(
    name: str, operation: Callable[[Any], Any], numpy: Any, inexact: bool, summary: str
) -> Callable[[Any], Any]:
    def function(x: Any, /) -> Any:
        if type(x) is Array and evaluates() and x._data.dtype.kind == "f" and numpy:
            return _wrap(quietly(numpy, x._data), x._weak)
        (value,) = promote_inexact(name, x) if inexact else as_arrays(name, x)
        return operation(value)

    return _document(function, name, summary, "x")


def _wrap(data: Any, weak: bool) -> Array:
    if type(data) is not np.ndarray:
        data = np.asarray(data)
    data.setflags(False)
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
square = _unary("square", lambda x: powers.square(numeric(x)), np.square, False, "The square.")
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
    lambda x: comparison.select(
        comparison.lt(x, constant_like(x, 0)), rounding.ceil(x), rounding.floor(x)
    ),
    np.trunc,
    "The whole number next to x on the side of 0.",
)


def rint(x: Any, /) -> Any:
    """The nearest whole number, ties to even; floats from integers.

    Parameters
    ----------
    x : array-like
        The operand.

    Examples
    --------
    >>> rint(2.5)
    Array(2., dtype=float32, weak_type=True)
    """
    (value,) = as_arrays("rint", x)
    if dtypes.kind_of(value.dtype) in "biu":
        return convert_element_type(value, dtypes.default_dtype("f"))
    if value.dtype.kind == "c":
        return complex_numbers.complex(
            rint(complex_numbers.real(value)), rint(complex_numbers.imag(value))
        )
    return rounding.round(value, rounding.RoundingMethod.TO_NEAREST_EVEN)


def numeric(x: Any) -> Any:
    """The array itself; of bools, their int32 numbers."""
    wanted = dtypes.to_numeric_dtype(x.dtype)
    return x if x.dtype == wanted else convert_element_type(x, wanted)


def constant_like(x: Any, value: Any) -> Any:
    """An array of one number, in the shape and type of another array."""
    number = adopt(np.asarray(value, x.dtype), x.weak_type)
    return broadcast_in_dim(number, x.shape) if x.shape else number


def logical_not(x: Any, /) -> Any:
    """Whether a number is zero.

    Parameters
    ----------
    x : array-like
        The operand.
    """
    return bits.bitwise_not(truth(as_arrays("logical_not", x)[0]))


def truth(x: Any) -> Any:
    """Whether elements aren't zero."""
    return x if x.dtype == np.bool_ else comparison.ne(x, constant_like(x, 0))


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


# ------------------------------------------------------------------------------------- two operands


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
        if type(x) is Array and evaluates():
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


def _ordered(test: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    """An order of complex numbers, too: by the real parts, then by the imaginary ones."""

    def compare(x: Any, y: Any) -> Any:
        if x.dtype.kind != "c":
            return test(x, y)
        a, b = complex_numbers.real(x), complex_numbers.real(y)
        second = test(complex_numbers.imag(x), complex_numbers.imag(y))
        return comparison.select_n(comparison.eq(a, b), test(a, b), second)

    return compare


less = _binary("less", _ordered(comparison.lt), np.less, "Whether x < y.", fast="")
less_equal = _binary(
    "less_equal", _ordered(comparison.le), np.less_equal, "Whether x <= y.", fast=""
)
greater = _binary("greater", _ordered(comparison.gt), np.greater, "Whether x > y.", fast="")
greater_equal = _binary(
    "greater_equal", _ordered(comparison.ge), np.greater_equal, "Whether x >= y.", fast=""
)
equal = structural("x", "y", verdict=reduce_and)(
    _binary("equal", comparison.eq, np.equal, "Whether x equals y.", fast="")
)
not_equal = structural("x", "y", verdict=reduce_or)(
    _binary("not_equal", comparison.ne, np.not_equal, "Whether x differs from y.", fast="")
)
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
    "left_shift",
    lambda x, y: bits.shift_left(numeric(x), numeric(y)),
    np.left_shift,
    "Bits moved to the left.",
    fast="",
)
bitwise_left_shift = left_shift


def _right(x: Any, y: Any) -> Any:
    x, y = numeric(x), numeric(y)
    arithmetic_shift = x.dtype.kind == "i"
    return (bits.shift_right_arithmetic if arithmetic_shift else bits.shift_right_logical)(x, y)


right_shift = _binary(
    "right_shift", _right, np.right_shift, "Bits moved to the right; the sign stays.", fast=""
)
bitwise_right_shift = right_shift


def _logical(name: str, operation: Any, summary: str) -> Any:
    def function(x: Any, y: Any, /) -> Any:
        xs = [truth(v) for v in as_arrays(name, x, y)]
        return operation(*broadcast_operands(name, xs))

    return _document(function, name, summary, "x, y")


logical_and = _logical("logical_and", bits.bitwise_and, "Whether both aren't zero.")
logical_or = _logical("logical_or", bits.bitwise_or, "Whether one or both aren't zero.")
logical_xor = _logical("logical_xor", bits.bitwise_xor, "Whether exactly one isn't zero.")


@structural("x", "y")
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
        raise ArgumentValueError("where: give both x and y (indices: use nonzero).")
    (test,) = as_arrays("where", condition)
    a, b = promote_dtypes("where", x, y)
    test, a, b = broadcast_operands("where", [truth(test), a, b])
    return comparison.select_n(test, b, a)
