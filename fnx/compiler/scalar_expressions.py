"""`ScalarBuilder`: typed arithmetic of the loop language.

What goes in: operations on scalars, as `fnx.core.lowering.Builder` lists them. What comes out:
`Value` objects, hash-consed, so that a common subexpression is one object. Types are settled
here: a method picks the operation for signed, unsigned and floating operands, computes bfloat16 and
float16 in float32 and rounds, and takes complex numbers apart into pairs of reals (`Complex`; their
functions are in `complex_expressions`). Read next: `expressions`, which adds structure.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from fnx.compiler import complex_expressions as of_complex
from fnx.compiler.complex_expressions import Complex
from fnx.compiler.loops import CODES, DTYPES, Value
from fnx.compiler.positions import Position, Space

__all__ = ["FUNCTIONS", "LOW_PRECISION", "ScalarBuilder", "code_of"]

#: Types that are computed in float32 and rounded after every operation.
LOW_PRECISION = ("f16", "bf16")


def code_of(dtype: Any) -> str:
    """The code of a real dtype; raises TypeError for others."""
    code = CODES.get(np.dtype(dtype))
    if code is None:
        raise TypeError(
            f"compiler: no generated code for elements of dtype {np.dtype(dtype)}. "
            "Convert to a number or boolean type first."
        )
    return code


class ScalarBuilder:
    """Builds the values of one kernel: numbers, arithmetic, conversions.

    Parameters
    ----------
    space : Space
        Where positions live.
    """

    def __init__(self, space: Space) -> None:
        self.space = space
        self._values: dict[Any, Value] = {}

    def make(self, op: str, code: str, args: tuple[Value, ...] = (), attr: Any = None) -> Value:
        """The one value that is this operation on these operands."""
        key = (op, code, args, attr)
        value = self._values.get(key)
        if value is None:
            value = self._values[key] = Value(op, code, args, attr, len(self._values))
        return value

    # Values.

    def constant(self, value: Any, dtype: Any) -> Any:
        """A number that is part of the code."""
        return self._number("const", value, dtype)

    def parameter(self, value: Any, dtype: Any) -> Any:
        """A number that is an argument of the kernel."""
        return self._number("parameter", value, dtype)

    def _number(self, op: str, value: Any, dtype: Any) -> Any:
        dtype = np.dtype(dtype)
        if dtype.kind == "c":
            part = np.dtype(f"f{dtype.itemsize // 2}")
            number = complex(value)
            return Complex(self._number(op, number.real, part), self._number(op, number.imag, part))
        return self.make(op, code_of(dtype), (), _bits(value, dtype))

    # Arithmetic.

    def scalar(self, x: Any, like: Any = None) -> Any:
        """A value from a value, a position, or a Python number (of another value's type)."""
        if isinstance(x, (Value, Complex)):
            return x
        if isinstance(x, Position):
            return self.make("position", "i64", (), x)
        if like is not None:
            return self.constant(x, like.dtype)
        raise TypeError(
            f"compiler: a Python number ({x!r}) with no scalar beside it that gives it a dtype. "
            "Use `constant(value, dtype)`."
        )

    def _together(self, *xs: Any) -> tuple[Any, ...]:
        anchor = next((x for x in xs if isinstance(x, (Value, Complex))), None)
        if anchor is None and any(isinstance(x, Position) for x in xs):
            return tuple(
                self.make(
                    "position",
                    "i64",
                    (),
                    x if isinstance(x, Position) else self.space.number(int(x)),
                )
                for x in xs
            )
        found = tuple(self.scalar(x, anchor) for x in xs)
        if any(isinstance(x, Complex) for x in found):
            return tuple(
                x if isinstance(x, Complex) else of_complex.from_real(self, x) for x in found
            )
        codes = {x.code for x in found}
        if len(codes) > 1:
            raise TypeError(
                f"compiler: operands of one operation have types {', '.join(sorted(codes))}. "
                "Convert them to one dtype in the element rule."
            )
        return found

    def apply(self, op: str, *xs: Any, attr: Any = None, code: str | None = None) -> Any:
        """An operation on operands of one type; the result has that type, or a given one."""
        values = self._together(*xs)
        if isinstance(values[0], Complex):
            return of_complex.apply(self, op, *values)
        first = values[0].code
        if first in LOW_PRECISION:
            values = tuple(self.make("widen", "f32", (v,)) for v in values)
            result = self.make(op, code or "f32", values, attr)
            return self.make("narrow", first, (result,)) if code is None else result
        return self.make(op, code or first, values, attr)

    def _by_sign(self, op: str, *xs: Any, code: str | None = None) -> Any:
        """An operation that differs between floating, signed and unsigned operands."""
        values = self._together(*xs)
        return self.apply(op + _suffix(values[0]), *values, code=code)

    def add(self, x: Any, y: Any) -> Any:
        return self.apply("add", x, y)

    def sub(self, x: Any, y: Any) -> Any:
        return self.apply("sub", x, y)

    def mul(self, x: Any, y: Any) -> Any:
        x, y = self._together(x, y)
        return self.apply("and" if _code(x) == "b1" else "mul", x, y)

    def div(self, x: Any, y: Any) -> Any:
        return self._by_sign("div", x, y)

    def rem(self, x: Any, y: Any) -> Any:
        return self._by_sign("rem", x, y)

    def min(self, x: Any, y: Any) -> Any:
        return self._by_sign("min", x, y)

    def max(self, x: Any, y: Any) -> Any:
        return self._by_sign("max", x, y)

    def pow(self, x: Any, y: Any) -> Any:
        return self._by_sign("pow", x, y)

    def atan2(self, y: Any, x: Any) -> Any:
        return self.apply("atan2", y, x)

    def nextafter(self, x: Any, y: Any) -> Any:
        x, y = self._together(x, y)
        if x.code in LOW_PRECISION:  # the neighbour in the narrow format
            return self.make("nextafter", x.code, (x, y))
        return self.apply("nextafter", x, y)

    def hypot(self, x: Any, y: Any) -> Any:
        return self.apply("hypot", x, y)

    def copysign(self, x: Any, y: Any) -> Any:
        return self.apply("copysign", x, y)

    def mulhi(self, x: Any, y: Any) -> Any:
        return self._by_sign("mulhi", x, y)

    def fma(self, x: Any, y: Any, z: Any) -> Any:
        return self.apply("fma", x, y, z)

    def clamp(self, low: Any, x: Any, high: Any) -> Any:
        low, x, high = self._together(low, x, high)
        return self.min(self.max(x, low), high)

    def integer_pow(self, x: Any, exponent: int) -> Any:
        if exponent < 0:
            return self.reciprocal(self.integer_pow(x, -exponent))
        if exponent == 0:
            return self.constant(1, x.dtype)
        square, result = x, None
        while exponent:
            if exponent & 1:
                result = square if result is None else self.mul(result, square)
            exponent >>= 1
            if exponent:
                square = self.mul(square, square)
        return result

    def neg(self, x: Any) -> Any:
        return self.apply("neg", x)

    def abs(self, x: Any) -> Any:
        if isinstance(x, Complex):
            return self.hypot(x.real_part, x.imag_part)
        return x if _suffix(x) == "_unsigned" else self.apply("abs", x)

    def sign(self, x: Any) -> Any:
        return self._by_sign("sign", x)

    def square(self, x: Any) -> Any:
        return self.mul(x, x)

    def reciprocal(self, x: Any) -> Any:
        return self.div(self.constant(1, x.dtype), x)

    def reduce_precision(self, x: Any, exponent_bits: int, mantissa_bits: int) -> Any:
        if isinstance(x, Complex):
            return Complex(
                *(
                    self.reduce_precision(part, exponent_bits, mantissa_bits)
                    for part in (x.real_part, x.imag_part)
                )
            )
        return self.apply("reduce_precision", x, attr=(exponent_bits, mantissa_bits))

    # Comparisons and selection.

    def is_finite(self, x: Any) -> Any:
        return self._test("is_finite", x)

    def is_nan(self, x: Any) -> Any:
        return self._test("is_nan", x)

    def _test(self, op: str, x: Any) -> Any:
        if isinstance(x, Complex):
            join = self.and_ if op == "is_finite" else self.or_
            return join(self._test(op, x.real_part), self._test(op, x.imag_part))
        if _suffix(x):
            return self.constant(op == "is_finite", np.bool_)
        return self.apply(op, x, code="b1")

    def eq(self, x: Any, y: Any) -> Any:
        x, y = self._together(x, y)
        if isinstance(x, Complex):
            return self.and_(self.eq(x.real_part, y.real_part), self.eq(x.imag_part, y.imag_part))
        return self.apply("eq", x, y, code="b1")

    def ne(self, x: Any, y: Any) -> Any:
        x, y = self._together(x, y)
        if isinstance(x, Complex):
            return self.or_(self.ne(x.real_part, y.real_part), self.ne(x.imag_part, y.imag_part))
        return self.apply("ne", x, y, code="b1")

    def lt(self, x: Any, y: Any) -> Any:
        return self._by_sign("lt", x, y, code="b1")

    def le(self, x: Any, y: Any) -> Any:
        return self._by_sign("le", x, y, code="b1")

    def gt(self, x: Any, y: Any) -> Any:
        return self.lt(y, x)

    def ge(self, x: Any, y: Any) -> Any:
        return self.le(y, x)

    def select(self, condition: Any, then: Any, otherwise: Any) -> Any:
        if isinstance(condition, (bool, np.bool_)):
            return then if condition else otherwise
        then, otherwise = self._together(then, otherwise)
        if then is otherwise:
            return then
        if isinstance(then, Complex):
            return Complex(
                self.select(condition, then.real_part, otherwise.real_part),
                self.select(condition, then.imag_part, otherwise.imag_part),
            )
        return self.make("select", then.code, (condition, then, otherwise))

    # Bits.

    def and_(self, x: Any, y: Any) -> Any:
        return self.apply("and", x, y)

    def or_(self, x: Any, y: Any) -> Any:
        return self.apply("or", x, y)

    def xor(self, x: Any, y: Any) -> Any:
        return self.apply("xor", x, y)

    def not_(self, x: Any) -> Any:
        return self.apply("not", x)

    def shift_left(self, x: Any, y: Any) -> Any:
        return self.apply("shift_left", x, y)

    def shift_right_logical(self, x: Any, y: Any) -> Any:
        return self.apply("shift_right_logical", x, y)

    def shift_right_arithmetic(self, x: Any, y: Any) -> Any:
        return self.apply("shift_right_arithmetic", x, y)

    def rotate_left(self, x: Any, y: int) -> Any:
        width = x.dtype.itemsize * 8
        return self.apply("rotate_left", x, attr=y % width) if y % width else x

    def population_count(self, x: Any) -> Any:
        return self.apply("population_count", x)

    def clz(self, x: Any) -> Any:
        return self.apply("clz", x)

    def bitcast(self, x: Any, dtype: Any) -> Any:
        x = self.scalar(x)
        code = code_of(dtype)
        if DTYPES[code].itemsize != x.dtype.itemsize:
            raise ValueError(
                f"bitcast: {x.dtype} has {x.dtype.itemsize} bytes and {DTYPES[code]} "
                f"{DTYPES[code].itemsize}; the widths must agree"
            )
        return x if code == x.code else self.make("bitcast", code, (x,))

    # Conversion and complex numbers.

    def convert(self, x: Any, dtype: Any) -> Any:
        dtype = np.dtype(dtype)
        x = self.scalar(x)
        if dtype.kind == "c":
            part = np.dtype(f"f{dtype.itemsize // 2}")
            if isinstance(x, Complex):
                return Complex(self.convert(x.real_part, part), self.convert(x.imag_part, part))
            return Complex(self.convert(x, part), self.constant(0, part))
        if isinstance(x, Complex):
            if dtype.kind == "b":
                return self.or_(self.ne(x.real_part, 0), self.ne(x.imag_part, 0))
            x = x.real_part
        code = code_of(dtype)
        if code == x.code:
            return x
        if x.op == "position" and code[0] in "iu":
            return self.make("position", code, (), x.attr)
        if x.code in LOW_PRECISION:
            x = self.make("widen", "f32", (x,))
            if code == "f32":
                return x
        if code == "b1":
            return self.ne(x, 0)
        if code in LOW_PRECISION:
            if x.code != "f32":  # rounds once: the definition takes care of f64
                return self.make("convert", code, (x,))
            return self.make("narrow", code, (x,))
        return self.make("convert", code, (x,))

    def complex(self, real: Any, imag: Any) -> Any:
        return Complex(*self._together(real, imag))

    def real(self, x: Any) -> Any:
        return x.real_part if isinstance(x, Complex) else x

    def imag(self, x: Any) -> Any:
        return x.imag_part if isinstance(x, Complex) else self.constant(0, x.dtype)

    def conj(self, x: Any) -> Any:
        return Complex(x.real_part, self.neg(x.imag_part)) if isinstance(x, Complex) else x

    def threefry2x32(self, key0: Any, key1: Any, x0: Any, x1: Any) -> tuple[Any, Any]:
        """Twenty rounds of Threefry-2x32 (Salmon et al., "Parallel random numbers", SC 2011)."""
        keys = [key0, key1, self.xor(self.xor(key0, key1), 0x1BD11BDA)]
        x0, x1 = self.add(x0, key0), self.add(x1, key1)
        for block in range(5):
            for distance in ((13, 15, 26, 6), (17, 29, 16, 24))[block % 2]:
                x0 = self.add(x0, x1)
                x1 = self.xor(self.rotate_left(x1, distance), x0)
            x0 = self.add(x0, keys[(block + 1) % 3])
            x1 = self.add(self.add(x1, keys[(block + 2) % 3]), block + 1)
        return x0, x1


def _function(name: str) -> Callable[[ScalarBuilder, Any], Any]:
    def method(self: ScalarBuilder, x: Any) -> Any:
        return self.apply(name, x)

    method.__name__ = name
    method.__doc__ = f"{name} of a real (or, where defined, complex) number."
    return method


#: Functions of one real number that `fnx.kernels.vector_math` defines by these names.
FUNCTIONS = tuple(
    """floor ceil trunc round_half_even round_half_away sqrt rsqrt cbrt exp exp2 expm1 log log2
    log10 log1p sin cos tan asin acos atan sinh cosh tanh asinh acosh atanh logistic erf erfc
    erf_inv lgamma digamma""".split()
)
for _name in FUNCTIONS:
    setattr(ScalarBuilder, _name, _function(_name))


def _code(x: Any) -> str:
    return x.code if isinstance(x, Value) else ""


def _suffix(x: Any) -> str:
    """What distinguishes operations on signed and unsigned integers (bool is unsigned)."""
    code = _code(x)
    if code[:1] == "u" or code == "b1":
        return "_unsigned"
    return "_signed" if code[:1] == "i" else ""


def _bits(value: Any, dtype: np.dtype[Any]) -> str:
    """The bits of a number, as hexadecimal text, least significant last."""
    with np.errstate(all="ignore"):
        return np.asarray(value).astype(dtype).tobytes()[::-1].hex()
