"""Trigonometric functions and their inverses, for float32 and float64.

In come an operations object ``o`` (see `vector_math_operations`) and registers; out comes a
register. The argument is reduced by a multiple of pi/2 in four parts, exact up to `LARGE`; lanes
beyond it (which practically never occur) take the C library's function behind a branch. Inverse
functions reduce to a small argument by identities. Sources: W. J. Cody and W. Waite, "Software
Manual for the Elementary Functions" (1980); J.-M. Muller, "Elementary Functions" (2016), chapters
11 and 12. Read next: `vector_math_special`.
"""

from __future__ import annotations

import math
from typing import Any

from fnx.kernels.vector_math_elementary import INFINITY, NAN, constant, polynomial

__all__ = ["acos", "asin", "atan", "atan2", "cos", "sin", "tan"]

#: Up to here n = x * 2/pi has at most 20 bits, and n times a part of pi/2 is exact.
LARGE = 1.0e6

# pi/2 = the sum of these; the first three have 33 bits each.
_HALF_PI = (
    float.fromhex("0x1.921fb54400000p+0"),
    float.fromhex("0x1.0b4611a600000p-34"),
    float.fromhex("0x1.3198a2e000000p-69"),
    float.fromhex("0x1.b839a252049c1p-104"),
)
_TWO_OVER_PI = 2.0 / math.pi


def _reduced(o: Any, x: Any) -> tuple[Any, Any, Any]:
    """(q, r, s): x = q pi/2 + r + s, |r| < pi/4 and s below the rounding of r. x is a double."""
    n = o.rint(o.mul(x, _TWO_OVER_PI))
    first = o.fma(n, -_HALF_PI[0], x)  # exact
    second = o.mul(n, _HALF_PI[1])  # exact
    r = o.sub(first, second)
    lost = o.sub(o.sub(first, r), second)
    # if the first two parts cancelled x, the next ones carry the result
    third = o.mul(n, _HALF_PI[2])  # exact
    t = o.sub(r, third)
    lost = o.add(lost, o.sub(o.sub(r, t), third))
    lost = o.fma(n, -_HALF_PI[3], lost)
    result = o.add(t, lost)
    rest = o.add(o.sub(t, result), lost)
    return o.fptosi(n, "i64"), result, rest


def _sine(o: Any, r: Any, s: Any = None) -> Any:
    """sin(r + s) for |r| < pi/4."""
    z = o.mul(r, r)
    cube = o.mul(o.mul(z, r), polynomial(o, "sin", z))
    if s is not None:  # sin(r + s) = sin(r) + s cos(r)
        cube = o.add(cube, o.fma(o.mul(z, -0.5), s, s))
    return o.add(r, cube)


def _cosine(o: Any, r: Any, s: Any = None) -> Any:
    """cos(r + s) for |r| < pi/4."""
    z = o.mul(r, r)
    half = o.mul(z, 0.5)
    w = o.sub(1.0, half)
    rest = o.sub(o.sub(1.0, w), half)  # what the rounding of 1 - z/2 lost
    tail = o.fma(o.mul(z, z), polynomial(o, "cos", z), rest)
    if s is not None:  # cos(r + s) = cos(r) - s sin(r)
        tail = o.fma(o.neg(r), s, tail)
    return o.add(w, tail)


def _parts(o: Any, x: Any) -> tuple[Any, Any, Any]:
    """(q, sine, cosine) of the reduced argument, in the type of x."""
    if o.type_of(x) == "f64":
        q, r, s = _reduced(o, x)
        return q, _sine(o, r, s), _cosine(o, r, s)
    wide = o.fpext(x, "f64")
    n = o.rint(o.mul(wide, _TWO_OVER_PI))
    reduced = o.fma(n, -_HALF_PI[1], o.fma(n, -_HALF_PI[0], wide))
    r = o.fptrunc(reduced, "f32")
    s = o.fptrunc(o.sub(reduced, o.fpext(r, "f64")), "f32")
    return o.fptosi(n, "i32"), _sine(o, r, s), _cosine(o, r, s)


def _wave(o: Any, x: Any, turn: int) -> Any:
    """sin(x + turn pi/2) for |x| <= LARGE."""
    q, sine, cosine = _parts(o, x)
    if turn:
        q = o.add(q, turn)
    y = o.select(o.ne(o.and_(q, 1), 0), cosine, sine)
    return o.select(o.ne(o.and_(q, 2), 0), o.neg(y), y)


def _or_library(o: Any, x: Any, name: str, y: Any) -> Any:
    """The C library's value where the argument is large; NaN of an infinity and of NaN."""
    size = o.abs(x)
    large = o.and_(o.gt(size, LARGE), o.lt(size, INFINITY))
    y = o.rarely(large, y, name, x)
    return o.select(o.lt(size, INFINITY), y, NAN)


def sin(o: Any, x: Any) -> Any:
    y = _or_library(o, x, "sin", _wave(o, x, 0))
    return o.select(o.eq(x, 0.0), x, y)


def cos(o: Any, x: Any) -> Any:
    return _or_library(o, x, "cos", _wave(o, x, 1))


def tan(o: Any, x: Any) -> Any:
    q, sine, cosine = _parts(o, x)
    odd = o.ne(o.and_(q, 1), 0)
    above = o.select(odd, o.neg(cosine), sine)
    y = o.div(above, o.select(odd, sine, cosine))
    y = _or_library(o, x, "tan", y)
    return o.select(o.eq(x, 0.0), x, y)


def _atan_parts(o: Any, above: Any, below: Any) -> Any:
    """atan(above / below) for positive operands, not both 0 and not both infinite."""
    type = o.type_of(above)
    # three ranges of the quotient: below tan(pi/8), up to its inverse, and beyond
    upper = o.gt(above, o.mul(below, 2.414213562373095))
    middle = o.gt(above, o.mul(below, 0.41421356237309503))
    numerator = o.select(upper, o.neg(below), o.select(middle, o.sub(above, below), above))
    denominator = o.select(upper, above, o.select(middle, o.add(above, below), below))
    t = o.div(numerator, denominator)
    z = o.mul(t, t)
    zero = o.constant(0.0, type)
    base = o.select(
        upper,
        constant(o, "half_pi", above),
        o.select(middle, constant(o, "quarter_pi", above), zero),
    )
    rest = o.select(
        upper,
        constant(o, "half_pi", above, low=True),
        o.select(middle, constant(o, "quarter_pi", above, low=True), zero),
    )
    tail = o.fma(o.mul(t, z), polynomial(o, "atan", z), rest)
    return o.add(base, o.add(t, tail))


def atan(o: Any, x: Any) -> Any:
    size = o.abs(x)
    infinite = o.eq(size, INFINITY)
    y = _atan_parts(o, o.select(infinite, 1.0, size), o.constant(1.0, o.type_of(x)))
    y = o.select(infinite, constant(o, "half_pi", x), y)
    y = o.copysign(y, x)
    return o.select(o.eq(x, x), y, x)


def atan2(o: Any, y: Any, x: Any) -> Any:
    a, b = o.abs(y), o.abs(x)
    both = o.and_(o.eq(a, INFINITY), o.eq(b, INFINITY))
    nothing = o.and_(o.eq(a, 0.0), o.eq(b, 0.0))
    above = o.select(both, 1.0, a)
    below = o.select(both, 1.0, o.select(nothing, 1.0, b))
    # keep sums and multiples of the operands within range
    huge = o.or_(o.gt(above, _huge(o, x)), o.gt(below, _huge(o, x)))
    above = o.select(huge, o.mul(above, 0.0625), above)
    below = o.select(huge, o.mul(below, 0.0625), below)
    angle = _atan_parts(o, above, below)
    left = o.lt(o.copysign(o.constant(1.0, o.type_of(x)), x), 0.0)
    supplement = o.sub(constant(o, "pi", x), o.sub(angle, constant(o, "pi", x, low=True)))
    angle = o.copysign(o.select(left, supplement, angle), y)
    return o.select(o.or_(o.ne(x, x), o.ne(y, y)), NAN, angle)


def _huge(o: Any, x: Any) -> float:
    return {"f32": 2.0**120, "f64": 2.0**1010}[o.type_of(x)]


def asin(o: Any, x: Any) -> Any:
    size = o.abs(x)
    near = o.lt(size, 0.5)
    z = o.select(near, o.mul(size, size), o.mul(o.sub(1.0, size), 0.5))
    root = o.sqrt(z)
    s = o.select(near, size, root)
    tail = o.mul(o.mul(s, z), polynomial(o, "asin", z))
    # pi/2 - 2 asin(sqrt(z)), with the rounding of the root taken back
    residue = _root_residue(o, z, root)
    twice = o.fma(o.add(tail, residue), 2.0, o.neg(constant(o, "half_pi", x, low=True)))
    far = o.sub(constant(o, "half_pi", x), o.add(o.add(root, root), twice))
    y = o.copysign(o.select(near, o.add(s, tail), far), x)
    return o.select(o.le(size, 1.0), y, NAN)


def _root_residue(o: Any, z: Any, root: Any) -> Any:
    """What sqrt(z) lost to rounding: (z - root^2) / (2 root)."""
    below = o.add(root, root)
    return o.div(o.fma(o.neg(root), root, z), o.select(o.gt(root, 0.0), below, 1.0))


def acos(o: Any, x: Any) -> Any:
    size = o.abs(x)
    near = o.lt(size, 0.5)
    z = o.select(near, o.mul(size, size), o.mul(o.sub(1.0, size), 0.5))
    root = o.sqrt(z)
    s = o.select(near, x, root)
    tail = o.mul(o.mul(s, z), polynomial(o, "asin", z))
    # near: pi/2 - asin(x)
    middle = o.sub(
        constant(o, "half_pi", x),
        o.add(x, o.sub(tail, constant(o, "half_pi", x, low=True))),
    )
    residue = _root_residue(o, z, root)
    right = o.fma(o.add(tail, residue), 2.0, o.add(root, root))
    left = o.sub(constant(o, "pi", x), o.sub(right, constant(o, "pi", x, low=True)))
    far = o.select(o.lt(x, 0.0), left, right)
    return o.select(o.le(size, 1.0), o.select(near, middle, far), NAN)
