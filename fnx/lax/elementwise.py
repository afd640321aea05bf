"""Functions of several operands, element by element, that take Python numbers and scalars, too.

``lax.add(x, 1.0)``: a number becomes an array of the other operands' dtype if that is of its kind
(a float doesn't become an integer, nor the reverse), and a scalar is repeated to their shape.
Nothing else is promoted or broadcast. What computes is in `fnx.primitives`, under the same names.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from fnx.core.array import Array
from fnx.core.conversion import as_value
from fnx.dtypes import kind_of
from fnx.lax.operands import matched, of_one_dtype
from fnx.primitives import (
    arithmetic,
    bits,
    cast,
    comparison,
    complex_numbers,
    exponential,
    rounding,
    shaping,
    trigonometric,
)
from fnx.primitives.powers import integer_pow
from fnx.primitives.reductions import reduce_and, reduce_or
from fnx.transforms.structural import structural

__all__ = [
    "add", "atan2", "bitwise_and", "bitwise_or", "bitwise_xor", "clamp", "complex",
    "convert_element_type", "div", "eq", "expand_dims", "ge", "gt", "le", "lt", "max", "min", "mul",
    "mulhi", "ne", "nextafter", "pow", "rem", "reshape", "select", "select_n", "shift_left",
    "shift_right_arithmetic", "shift_right_logical", "sub",
]  # fmt: skip


def _of_numbers(function: Callable[..., Any]) -> Any:
    """The function of two operands, of which one may be a number or a scalar."""
    name = function.__name__

    @functools.wraps(function)
    def call(x: Any, y: Any) -> Any:
        if type(x) is Array and type(y) is Array and x.shape == y.shape:
            return function(x, y)
        return function(*matched(name, x, y))

    return call


add = _of_numbers(arithmetic.add)
sub = _of_numbers(arithmetic.sub)
_mul = _of_numbers(arithmetic.mul)
div = _of_numbers(arithmetic.div)
rem = _of_numbers(rounding.rem)
max = _of_numbers(comparison.max)
min = _of_numbers(comparison.min)
eq = structural("x", "y", verdict=reduce_and)(_of_numbers(comparison.eq))
ne = structural("x", "y", verdict=reduce_or)(_of_numbers(comparison.ne))
lt = _of_numbers(comparison.lt)
le = _of_numbers(comparison.le)
gt = _of_numbers(comparison.gt)
ge = _of_numbers(comparison.ge)
nextafter = _of_numbers(comparison.nextafter)
atan2 = _of_numbers(trigonometric.atan2)
complex = _of_numbers(complex_numbers.complex)
bitwise_and = _of_numbers(bits.bitwise_and)
bitwise_or = _of_numbers(bits.bitwise_or)
bitwise_xor = _of_numbers(bits.bitwise_xor)
mulhi = _of_numbers(bits.mulhi)
shift_left = _of_numbers(bits.shift_left)
shift_right_arithmetic = _of_numbers(bits.shift_right_arithmetic)
shift_right_logical = _of_numbers(bits.shift_right_logical)


def mul(x: Any, y: Any, *, out_dtype: Any = None) -> Any:
    """``x * y``; integers wrap.

    Parameters
    ----------
    x, y : Array or number
        Of numbers.
    out_dtype : dtype, optional
        In which the operands are multiplied; their own by default.
    """
    if out_dtype is None:
        return _mul(x, y)
    return _mul(*[convert_element_type(v, out_dtype) for v in matched("mul", x, y)])


@functools.wraps(exponential.pow)
def pow(x: Any, y: Any) -> Any:
    if type(y) is int:
        return integer_pow(as_value(x, "pow", "argument 0"), y)
    base, exponent = matched("pow", x, y)
    if kind_of(base.dtype) in "fc" and kind_of(exponent.dtype) in "iu":
        exponent = cast.convert_element_type(exponent, base.dtype)
    return exponential.pow(base, exponent)


@functools.wraps(comparison.clamp)
def clamp(min: Any, x: Any, max: Any) -> Any:
    return comparison.clamp(*of_one_dtype("clamp", min, x, max))


@structural("cases")
@functools.wraps(comparison.select_n)
def select_n(which: Any, *cases: Any) -> Any:
    return comparison.select_n(
        as_value(which, "select_n", "which"), *of_one_dtype("select_n", *cases)
    )


@structural("on_true", "on_false")
@functools.wraps(comparison.select)
def select(pred: Any, on_true: Any, on_false: Any) -> Any:
    return comparison.select(
        as_value(pred, "select", "pred"), *of_one_dtype("select", on_true, on_false)
    )


@functools.wraps(cast.convert_element_type)
def convert_element_type(operand: Any, new_dtype: Any, weak_type: bool = False) -> Any:
    return cast.convert_element_type(
        as_value(operand, "convert_element_type", "operand"), new_dtype, weak_type
    )


@structural("operand")
@functools.wraps(shaping.reshape)
def reshape(operand: Any, *args: Any, **options: Any) -> Any:
    return shaping.reshape(as_value(operand, "reshape", "operand"), *args, **options)


@structural("operand")
@functools.wraps(shaping.expand_dims)
def expand_dims(array: Any, dimensions: Any) -> Any:
    return shaping.expand_dims(as_value(array, "expand_dims", "array"), dimensions)
