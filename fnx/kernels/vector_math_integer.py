"""Integer and bit operations, comparisons, rounding and conversion: what is not one instruction.

In come an operations object ``o`` (see `vector_math_operations`) and registers; out comes a
register. The meaning is XLA's (operation semantics: https://openxla.org/xla/operation_semantics):
integers wrap, division by zero gives all ones, a shift by the width or more gives zero (or the
sign), a conversion of a float to an integer truncates and saturates and takes NaN to 0, min and
max give NaN if either operand is. bfloat16 and float16 live in float32 registers and are rounded
to nearest even after each operation. Read next: `vector_math`.
"""

from __future__ import annotations

from typing import Any

__all__ = ["convert", "narrow", "reduce_precision"]

NAN = float("nan")


# Division.


def div_signed(o: Any, x: Any, y: Any) -> Any:
    zero, minus = o.eq(y, 0), o.eq(y, -1)
    quotient = o.sdiv(x, o.select(o.or_(zero, minus), 1, y))
    quotient = o.select(minus, o.neg(x), quotient)  # the least number stays, as it wraps
    return o.select(zero, -1, quotient)


def rem_signed(o: Any, x: Any, y: Any) -> Any:
    zero, minus = o.eq(y, 0), o.eq(y, -1)
    return o.select(zero, x, o.srem(x, o.select(o.or_(zero, minus), 1, y)))


def div_unsigned(o: Any, x: Any, y: Any) -> Any:
    zero = o.eq(y, 0)
    return o.select(zero, -1, o.udiv(x, o.select(zero, 1, y)))


def rem_unsigned(o: Any, x: Any, y: Any) -> Any:
    zero = o.eq(y, 0)
    return o.select(zero, x, o.urem(x, o.select(zero, 1, y)))


def rem(o: Any, x: Any, y: Any) -> Any:
    # the remainder of two singles is a single, so fmod of doubles gives it exactly
    if o.type_of(x) == "f32":
        return o.fptrunc(o.frem(o.fpext(x, "f64"), o.fpext(y, "f64")), "f32")
    return o.frem(x, y)


def mulhi_signed(o: Any, x: Any, y: Any) -> Any:
    width = o.width_of(x)
    wide = f"i{2 * width}"
    product = o.mul(o.sext(x, wide), o.sext(y, wide))
    return o.itrunc(o.lshr(product, width), f"i{width}")


def mulhi_unsigned(o: Any, x: Any, y: Any) -> Any:
    width = o.width_of(x)
    wide = f"i{2 * width}"
    product = o.mul(o.zext(x, wide), o.zext(y, wide))
    return o.itrunc(o.lshr(product, width), f"i{width}")


def integer_power(o: Any, x: Any, y: Any) -> Any:
    """x**y for y >= 0, by squaring, one step for each bit of y."""
    result = o.constant(1, o.type_of(x))
    for bit in range(o.width_of(x)):
        odd = o.ne(o.and_(y, 1 << bit if bit < o.width_of(x) - 1 else -(1 << bit)), 0)
        result = o.select(odd, o.mul(result, x), result)
        x = o.mul(x, x)
    return result


# Signs, comparisons, the larger and the smaller.


def sign(o: Any, x: Any) -> Any:
    one = o.constant(1.0, o.type_of(x))
    return o.select(o.gt(x, 0.0), one, o.select(o.lt(x, 0.0), -1.0, x))


def sign_signed(o: Any, x: Any) -> Any:
    return o.select(o.gt(x, 0), 1, o.ashr(x, o.width_of(x) - 1))


def sign_unsigned(o: Any, x: Any) -> Any:
    return o.select(o.eq(x, 0), x, 1)


def min_signed(o: Any, x: Any, y: Any) -> Any:
    return o.select(o.lt(x, y), x, y)


def max_signed(o: Any, x: Any, y: Any) -> Any:
    return o.select(o.gt(x, y), x, y)


def min_unsigned(o: Any, x: Any, y: Any) -> Any:
    return o.select(o.ult(x, y), x, y)


def max_unsigned(o: Any, x: Any, y: Any) -> Any:
    return o.select(o.ult(x, y), y, x)


def le_unsigned(o: Any, x: Any, y: Any) -> Any:
    return o.not_(o.ult(y, x))


def is_finite(o: Any, x: Any) -> Any:
    return o.lt(o.abs(x), float("inf"))


def is_nan(o: Any, x: Any) -> Any:
    return o.ne(x, x)


# Rounding.


def round_half_away(o: Any, x: Any) -> Any:
    size = o.abs(x)
    whole = o.trunc(size)
    up = o.ge(o.sub(size, whole), 0.5)
    rounded = o.copysign(o.select(up, o.add(whole, 1.0), whole), x)
    return o.select(o.lt(size, {"f32": 2.0**23, "f64": 2.0**52}[o.type_of(x)]), rounded, x)


def reduce_precision(o: Any, x: Any, exponent_bits: int, mantissa_bits: int) -> Any:
    """x rounded to nearest even in a narrower format, subnormals of which become zero."""
    type = o.type_of(x)
    width = o.width_of(x)
    mantissa = {"f32": 23, "f64": 52}[type]
    exponent = width - 1 - mantissa
    bits = o.bits(x)
    if mantissa_bits < mantissa:
        drop = mantissa - mantissa_bits
        odd = o.and_(o.lshr(bits, drop), 1)
        rounded = o.add(bits, o.add(odd, (1 << (drop - 1)) - 1))
        bits = o.and_(rounded, -(1 << drop))
    y = o.from_bits(bits)
    if exponent_bits < exponent:
        bias = (1 << (exponent_bits - 1)) - 1
        largest = (2.0 - 2.0**-mantissa_bits) * 2.0**bias
        y = o.select(o.gt(o.abs(y), largest), o.copysign(o.constant(float("inf"), type), x), y)
        tiny = o.lt(o.abs(y), 2.0 ** (1 - bias))
        y = o.select(tiny, o.copysign(o.constant(0.0, type), x), y)
    return o.select(o.eq(x, x), y, x)


def nextafter(o: Any, x: Any, y: Any, code: str) -> Any:
    """The neighbour of x towards y, in the format of ``code``."""
    step = 1 << 16 if code == "bf16" else 1  # bfloat16 is the upper half of a single
    if code == "f16":
        x, y = o.fptrunc(x, "f16"), o.fptrunc(y, "f16")
    bits = o.bits(x)
    away = o.eq(o.lt(x, y), o.gt(x, 0.0))
    moved = o.from_bits(o.select(away, o.add(bits, step), o.sub(bits, step)))
    smallest = o.copysign(o.from_bits(o.constant(step, o.type_of(bits))), y)
    moved = o.select(o.eq(x, 0.0), smallest, moved)
    moved = o.select(o.eq(x, y), y, moved)
    moved = o.select(o.and_(o.eq(x, x), o.eq(y, y)), moved, NAN)
    return o.fpext(moved, "f32") if code == "f16" else moved


# Bits.


def not_(o: Any, x: Any) -> Any:
    return o.not_(x)


def shift_left(o: Any, x: Any, y: Any) -> Any:
    width = o.width_of(x)
    return o.select(o.ult(y, width), o.shl(x, o.and_(y, width - 1)), 0)


def shift_right_logical(o: Any, x: Any, y: Any) -> Any:
    width = o.width_of(x)
    return o.select(o.ult(y, width), o.lshr(x, o.and_(y, width - 1)), 0)


def shift_right_arithmetic(o: Any, x: Any, y: Any) -> Any:
    width = o.width_of(x)
    return o.ashr(x, o.select(o.ult(y, width), y, width - 1))


def rotate_left(o: Any, x: Any, distance: int) -> Any:
    return o.or_(o.shl(x, distance), o.lshr(x, o.width_of(x) - distance))


# Conversion.


def narrow(o: Any, x: Any, code: str) -> Any:
    """A float32 rounded to bfloat16 or float16, still in a float32 register."""
    if code == "f16":
        return o.fpext(o.fptrunc(x, "f16"), "f32")
    bits = o.bits(x)
    odd = o.and_(o.lshr(bits, 16), 1)
    rounded = o.and_(o.add(bits, o.add(odd, 0x7FFF)), -0x10000)
    quiet = o.and_(o.or_(bits, 0x400000), -0x10000)
    return o.from_bits(o.select(o.eq(x, x), rounded, quiet))


def convert(o: Any, x: Any, source: str, target: str) -> Any:
    """Between the types that have registers of their own, and from float64 to the narrow ones."""
    if target in ("f16", "bf16"):
        wide = x if source == "f64" else convert(o, x, source, "f64")
        return narrow(o, _rounded_to_odd(o, wide), target)
    if target in ("f32", "f64"):
        if source in ("f32", "f64"):
            return o.fpext(x, "f64") if target == "f64" else o.fptrunc(x, "f32")
        return o.sitofp(x, target) if source[0] == "i" else o.uitofp(x, target)
    kind = f"i{target[1:]}"
    if source[0] == "f":
        return o.fptosi_saturating(x, kind) if target[0] == "i" else o.fptoui_saturating(x, kind)
    before, after = o.width_of(x), int(target[1:])
    if before > after:
        return o.itrunc(x, kind)
    if before == after:
        return x
    return o.sext(x, kind) if source[0] == "i" else o.zext(x, kind)


def _rounded_to_odd(o: Any, x: Any) -> Any:
    """A double as a single such that a further rounding gives what rounding once would."""
    y = o.fptrunc(x, "f32")
    back = o.fpext(y, "f64")
    bits = o.bits(y)
    even = o.eq(o.and_(bits, 1), 0)
    inexact = o.and_(o.lt(o.abs(x), float("inf")), o.ne(back, x))
    outward = o.lt(o.abs(back), o.abs(x))
    odd = o.from_bits(o.select(outward, o.add(bits, 1), o.sub(bits, 1)))
    return o.select(o.and_(inexact, even), odd, y)


def bitcast(o: Any, x: Any, source: str, target: str) -> Any:
    """The same bits as another type of the same width; narrow floats are held in singles."""
    if source == "bf16":
        x = o.itrunc(o.lshr(o.bits(x), 16), "i16")
    elif source == "f16":
        x = o.bits(o.fptrunc(x, "f16"))
    elif source in ("f32", "f64"):
        x = o.bits(x)
    elif source == "b1":
        x = o.zext(x, "i8")
    if target == "bf16":
        return o.from_bits(o.shl(o.zext(x, "i32"), 16))
    if target == "f16":
        return o.fpext(o.from_bits(x), "f32")
    if target in ("f32", "f64"):
        return o.from_bits(x)
    return o.ne(x, 0) if target == "b1" else x
