"""Exponentials, logarithms, powers, roots and hyperbolic functions, for float32 and float64.

In come an operations object ``o`` (see `vector_math_operations`) and registers; out comes a
register. All of it is branch-free and correct for infinities, NaN, zeros of either sign and
subnormals. Method: argument reduction, a polynomial of `vector_math_coefficients` (fused
multiply-add throughout), and a reconstruction that rounds once where it matters. The measured
errors are in docs/vector_math.md. Sources: W. J. Cody and W. Waite, "Software Manual for the
Elementary Functions" (1980); J.-M. Muller, "Elementary Functions" (2016). Read next:
`vector_math_trigonometric`, `vector_math_special`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from fnx.kernels.vector_math_coefficients import CONSTANTS, POLYNOMIALS

__all__ = ["exp_scaled", "log_parts", "polynomial", "power_of_two"]

INFINITY = float("inf")
NAN = float("nan")

# How wide the parts of a float are, where its exponent lies, and what makes a subnormal normal.
MANTISSA = {"f32": 23, "f64": 52}
BIAS = {"f32": 127, "f64": 1023}
_LIFT = {"f32": 2.0**24, "f64": 2.0**54}
_SMALLEST_NORMAL = {"f32": 2.0**-126, "f64": 2.0**-1022}
_INTEGER = {"f32": "i32", "f64": "i64"}
_SQRT_HALF_BITS = {"f32": 0x3F3504F3, "f64": 0x3FE6A09E667F3BCD}

# log(2) with trailing zeros, so that n * high is exact, and the rest.
_LN2 = {
    "f32": (0.693359375, -2.12194440054690583e-4),
    "f64": (float.fromhex("0x1.62e42fee00000p-1"), float.fromhex("0x1.a39ef35793c76p-33")),
}


def polynomial(o: Any, name: str, x: Any) -> Any:
    """A polynomial of the table at x, by Horner's rule."""
    coefficients = POLYNOMIALS[name, o.type_of(x)]
    total = o.constant(coefficients[-1], o.type_of(x))
    for coefficient in reversed(coefficients[:-1]):
        total = o.fma(total, x, coefficient)
    return total


def constant(o: Any, name: str, like: Any, low: bool = False) -> Any:
    """A named constant, or what its rounding to the type of ``like`` left over."""
    high, rest = (float.fromhex(part) for part in CONSTANTS[name])
    if o.type_of(like) == "f64":
        return o.constant(rest if low else high, "f64")
    single = float(np.float32(high))
    return o.constant((high - single) + rest if low else single, "f32")


def power_of_two(o: Any, k: Any, type: str) -> Any:
    """2 to an integer k within the range of normal exponents."""
    return o.from_bits(o.shl(o.add(k, BIAS[type]), MANTISSA[type]))


def clamp(o: Any, x: Any, low: float, high: float) -> Any:
    """x between bounds; NaN stays."""
    x = o.select(o.lt(x, low), low, x)
    return o.select(o.gt(x, high), high, x)


def exp_reduced(o: Any, x: Any) -> tuple[Any, Any]:
    """(n, r) with x = n log(2) + r; n is an integral float."""
    high, low = _LN2[o.type_of(x)]
    n = o.rint(o.mul(x, constant(o, "log2e", x)))
    r = o.fma(n, -high, x)
    return n, o.fma(n, -low, r)


def exp_scaled(o: Any, x: Any, shift: int = 0) -> Any:
    """exp(x) * 2**shift, for x within a little more than the range where it is finite.

    Scaling in two halves lets the result overflow to infinity or become subnormal, rounding once.
    """
    type = o.type_of(x)
    n, r = exp_reduced(o, x)
    y = o.add(o.fma(polynomial(o, "exp", r), o.mul(r, r), r), 1.0)
    return _scaled(o, y, n, shift, type)


def _scaled(o: Any, y: Any, n: Any, shift: int, type: str) -> Any:
    k = o.fptosi(n, _INTEGER[type])
    if shift:
        k = o.add(k, shift)
    half = o.ashr(k, 1)
    y = o.mul(y, power_of_two(o, half, type))
    return o.mul(y, power_of_two(o, o.sub(k, half), type))


_EXP_RANGE = {"f32": (-104.5, 89.5), "f64": (-746.0, 710.5)}
_EXP2_RANGE = {"f32": (-151.0, 129.0), "f64": (-1076.0, 1025.0)}
_EXPM1_RANGE = {"f32": (-20.0, 89.5), "f64": (-40.0, 710.5)}


def exp(o: Any, x: Any) -> Any:
    return _kept_nan(o, x, exp_scaled(o, _bounded(o, x, *_EXP_RANGE[o.type_of(x)])))


def exp2(o: Any, x: Any) -> Any:
    type = o.type_of(x)
    c = _bounded(o, x, *_EXP2_RANGE[type])
    n = o.rint(c)
    r = o.sub(c, n)
    y = o.fma(polynomial(o, "exp2", r), r, 1.0)
    return _kept_nan(o, x, _scaled(o, y, n, 0, type))


def expm1(o: Any, x: Any) -> Any:
    return _kept_nan(o, x, _expm1(o, _bounded(o, x, *_EXPM1_RANGE[o.type_of(x)])))


def _expm1(o: Any, x: Any) -> Any:
    """expm1 within its range: 2 (p 2^(n-1) + (2^(n-1) - 1/2)), where p = expm1(r)."""
    type = o.type_of(x)
    n, r = exp_reduced(o, x)
    p = o.fma(polynomial(o, "exp", r), o.mul(r, r), r)
    half = power_of_two(o, o.sub(o.fptosi(n, _INTEGER[type]), 1), type)
    y = o.mul(o.fma(p, half, o.sub(half, 0.5)), 2.0)
    # n = 0 gives p itself; and the sign of zero
    return o.select(o.eq(n, 0.0), o.select(o.eq(x, 0.0), x, p), y)


def _bounded(o: Any, x: Any, low: float, high: float) -> Any:
    # a NaN fails both comparisons of `ge`, becomes `low`, and is put back at the end
    x = o.select(o.ge(x, low), x, low)
    return o.select(o.le(x, high), x, high)


def _kept_nan(o: Any, x: Any, y: Any) -> Any:
    return o.select(o.eq(x, x), y, x)


def log_parts(o: Any, x: Any) -> tuple[Any, Any]:
    """(e, f) with x = 2**e (1 + f), sqrt(1/2) <= 1 + f < sqrt(2); e is a float. For x > 0."""
    type = o.type_of(x)
    mantissa, offset = MANTISSA[type], _SQRT_HALF_BITS[type]
    small = o.lt(x, _SMALLEST_NORMAL[type])
    x = o.select(small, o.mul(x, _LIFT[type]), x)
    bits = o.sub(o.bits(x), offset)
    e = o.ashr(bits, mantissa)
    lift = {"f32": 24, "f64": 54}[type]
    e = o.sitofp(o.select(small, o.sub(e, lift), e), type)
    one = o.add(o.and_(bits, (1 << mantissa) - 1), offset)
    return e, o.sub(o.from_bits(one), 1.0)


def _log_of(o: Any, f: Any) -> tuple[Any, Any]:
    """(h, y): log(1 + f) is f - (h - y), h = f*f/2 and y small."""
    half = o.mul(o.mul(f, f), 0.5)
    if o.type_of(f) == "f32":
        return half, o.mul(o.mul(f, o.mul(f, f)), polynomial(o, "log", f))
    s = o.div(f, o.add(f, 2.0))
    z = o.mul(s, s)
    return half, o.mul(s, o.fma(z, polynomial(o, "log_ratio", z), half))


def _log_limits(o: Any, x: Any, y: Any) -> Any:
    y = o.select(o.eq(x, 0.0), -INFINITY, y)
    y = o.select(o.lt(x, INFINITY), y, x)
    return o.select(o.ge(x, 0.0), y, NAN)


def log(o: Any, x: Any) -> Any:
    high, low = _LN2[o.type_of(x)]
    e, f = log_parts(o, x)
    half, y = _log_of(o, f)
    y = o.fma(e, low, y)
    return _log_limits(o, x, o.fma(e, high, o.sub(f, o.sub(half, y))))


def log1p(o: Any, x: Any) -> Any:
    high, low = _LN2[o.type_of(x)]
    u = o.add(x, 1.0)
    # what the rounding of 1 + x lost, relative to u
    lost = o.select(o.lt(o.abs(x), 1.0), o.sub(x, o.sub(u, 1.0)), o.sub(1.0, o.sub(u, x)))
    lost = o.div(lost, u)
    e, f = log_parts(o, u)
    half, y = _log_of(o, f)
    y = o.fma(e, low, o.add(y, lost))
    y = o.fma(e, high, o.sub(f, o.sub(half, y)))
    tiny = o.lt(o.abs(x), {"f32": 2.0**-25, "f64": 2.0**-54}[o.type_of(x)])
    return o.select(tiny, x, _log_limits(o, u, y))


def _log_split(o: Any, x: Any) -> tuple[Any, Any, Any]:
    """(e, a, b): log(x) is e log(2) + a + b, a rounded to the type and b what is left over."""
    e, f = log_parts(o, x)
    half, y = _log_of(o, f)
    a = o.sub(f, half)
    return e, a, o.add(o.sub(o.sub(f, a), half), y)


def log2(o: Any, x: Any) -> Any:
    e, a, b = _log_split(o, x)
    scale, rest = constant(o, "log2e", x), constant(o, "log2e", x, low=True)
    product = o.mul(a, scale)
    lost = o.fma(a, scale, o.neg(product))
    tail = o.add(lost, o.fma(b, scale, o.mul(a, rest)))
    total = o.add(e, product)
    tail = o.add(o.add(o.sub(e, total), product), tail)
    return _log_limits(o, x, o.add(total, tail))


def log10(o: Any, x: Any) -> Any:
    e, a, b = _log_split(o, x)
    scale, rest = constant(o, "log10e", x), constant(o, "log10e", x, low=True)
    base, base_rest = constant(o, "log10_2", x), constant(o, "log10_2", x, low=True)
    first = o.mul(e, base)
    second = o.mul(a, scale)
    lost = o.add(o.fma(e, base, o.neg(first)), o.fma(a, scale, o.neg(second)))
    tail = o.add(lost, o.fma(b, scale, o.fma(a, rest, o.mul(e, base_rest))))
    total = o.add(first, second)
    tail = o.add(o.add(o.sub(first, total), second), tail)
    return _log_limits(o, x, o.add(total, tail))


def logistic(o: Any, x: Any) -> Any:
    # e = exp(-|x|) cannot overflow: 1/(1+e) on the right, e/(1+e) on the left
    low = {"f32": -104.5, "f64": -746.0}[o.type_of(x)]
    size = o.neg(o.abs(x))
    e = exp_scaled(o, o.select(o.ge(size, low), size, low))
    above = o.select(o.ge(x, 0.0), 1.0, e)
    return _kept_nan(o, x, o.div(above, o.add(e, 1.0)))


def tanh(o: Any, x: Any) -> Any:
    size = o.abs(x)
    z = o.mul(x, x)
    near = o.fma(o.mul(x, z), polynomial(o, "tanh", z), x)
    limit = {"f32": 10.0, "f64": 20.0}[o.type_of(x)]
    c = o.select(o.lt(size, limit), size, limit)
    e = exp_scaled(o, o.add(c, c))
    far = o.sub(1.0, o.div(2.0, o.add(e, 1.0)))
    far = o.select(o.lt(x, 0.0), o.neg(far), far)
    y = o.select(o.lt(size, 0.625), near, far)
    return o.select(o.and_(o.eq(x, x), o.ne(x, 0.0)), y, x)


def sinh(o: Any, x: Any) -> Any:
    type = o.type_of(x)
    size = o.abs(x)
    z = o.mul(x, x)
    near = o.fma(o.mul(x, z), polynomial(o, "sinh", z), x)
    high = _EXP_RANGE[type][1] + 1.0
    e = exp_scaled(o, o.select(o.lt(size, high), size, high), shift=-1)  # exp(|x|)/2
    far = o.sub(e, o.div(0.25, e))
    far = o.select(o.lt(x, 0.0), o.neg(far), far)
    return _kept_nan(o, x, o.select(o.lt(size, 1.0), near, far))


def cosh(o: Any, x: Any) -> Any:
    size = o.abs(x)
    high = _EXP_RANGE[o.type_of(x)][1] + 1.0
    e = exp_scaled(o, o.select(o.lt(size, high), size, high), shift=-1)
    return _kept_nan(o, x, o.add(e, o.div(0.25, e)))


def asinh(o: Any, x: Any) -> Any:
    # log1p(t + t^2 / (1 + sqrt(1 + t^2))), and log(t) + log(2) where t^2 might overflow
    type = o.type_of(x)
    size = o.abs(x)
    large = o.gt(size, {"f32": 2.0**30, "f64": 2.0**500}[type])
    t = o.select(large, 1.0, size)
    z = o.mul(t, t)
    near = log1p(o, o.add(t, o.div(z, o.add(o.sqrt(o.add(z, 1.0)), 1.0))))
    far = o.add(log(o, size), constant(o, "ln2", x))
    y = o.select(large, far, near)
    y = o.select(o.lt(x, 0.0), o.neg(y), y)
    tiny = o.lt(size, {"f32": 2.0**-13, "f64": 2.0**-27}[type])
    return o.select(tiny, x, _kept_nan(o, x, y))


def acosh(o: Any, x: Any) -> Any:
    # log1p(t + sqrt(2t + t^2)) with t = x - 1
    large = o.gt(x, {"f32": 2.0**30, "f64": 2.0**500}[o.type_of(x)])
    t = o.sub(o.select(large, 2.0, x), 1.0)
    near = log1p(o, o.add(t, o.sqrt(o.fma(t, t, o.add(t, t)))))
    far = o.add(log(o, x), constant(o, "ln2", x))
    return o.select(o.lt(x, 1.0), NAN, o.select(large, far, near))


def atanh(o: Any, x: Any) -> Any:
    size = o.abs(x)
    y = o.mul(log1p(o, o.div(o.add(size, size), o.sub(1.0, size))), 0.5)
    y = o.select(o.lt(x, 0.0), o.neg(y), y)
    y = o.select(o.gt(size, 1.0), NAN, y)
    tiny = o.lt(size, {"f32": 2.0**-13, "f64": 2.0**-27}[o.type_of(x)])
    return o.select(tiny, x, _kept_nan(o, x, y))


def rsqrt(o: Any, x: Any) -> Any:
    return o.div(1.0, o.sqrt(x))


def cbrt(o: Any, x: Any) -> Any:
    if o.type_of(x) == "f32":  # in double precision, rounded once
        return o.fptrunc(_cbrt(o, o.fpext(x, "f64")), "f32")
    return _cbrt(o, x)


def _cbrt(o: Any, x: Any) -> Any:
    """Halley's iteration from a guess that divides the exponent by three."""
    size = o.abs(x)
    small = o.lt(size, 2.0**-1022)
    large = o.gt(size, 2.0**900)  # the cube of the guess must not overflow
    lifted = o.select(small, o.mul(size, 2.0**54), size)
    lifted = o.select(large, o.mul(size, 2.0**-54), lifted)
    # the bits, divided by 3 through a float product (the high word is below 2**31)
    top = o.itrunc(o.lshr(o.bits(lifted), 32), "i32")
    third = o.fptosi(o.mul(o.sitofp(top, "f64"), 1.0 / 3.0), "i32")
    y = o.from_bits(o.shl(o.zext(o.add(third, 715094163), "i64"), 32))
    for _ in range(3):
        cube = o.mul(o.mul(y, y), y)
        error = o.sub(lifted, cube)
        y = o.fma(y, o.div(error, o.add(o.add(cube, cube), lifted)), y)
    # one last Newton step with the residue of the cube computed by fused operations
    square = o.mul(y, y)
    square_rest = o.fma(y, y, o.neg(square))
    residue = o.fma(o.neg(square), y, lifted)
    residue = o.fma(o.neg(square_rest), y, residue)
    y = o.fma(residue, o.div(1.0 / 3.0, square), y)
    y = o.select(small, o.mul(y, 2.0**-18), o.select(large, o.mul(y, 2.0**18), y))
    y = o.select(o.lt(x, 0.0), o.neg(y), y)
    return o.select(o.and_(o.gt(size, 0.0), o.lt(size, INFINITY)), y, o.add(x, x))


def hypot(o: Any, x: Any, y: Any) -> Any:
    if o.type_of(x) == "f32":  # squares of singles are exact in double precision
        a, b = o.fpext(o.abs(x), "f64"), o.fpext(o.abs(y), "f64")
        total = o.fptrunc(o.sqrt(o.fma(a, a, o.mul(b, b))), "f32")
    else:
        a, b = o.abs(x), o.abs(y)
        large, small = o.select(o.gt(a, b), a, b), o.select(o.gt(a, b), b, a)
        up, down, one = (o.constant(c, "f64") for c in (2.0**600, 2.0**-600, 1.0))
        scale = o.select(o.gt(large, 2.0**500), down, one)
        scale = o.select(o.lt(large, 2.0**-400), up, scale)
        p, q = o.mul(large, scale), o.mul(small, scale)
        squares = o.fma(p, p, o.mul(q, q))
        root = o.sqrt(squares)
        # correct the root by its residue p^2 + q^2 - root^2
        safe = o.and_(o.gt(root, 0.0), o.lt(root, INFINITY))
        head = o.mul(root, root)
        rest = o.fma(root, root, o.neg(head))
        square = o.mul(p, p)
        square_rest = o.fma(p, p, o.neg(square))
        residue = o.add(o.fma(q, q, o.sub(square, head)), o.sub(square_rest, rest))
        fixed = o.add(root, o.div(residue, o.add(root, root)))
        total = o.div(o.select(safe, fixed, root), scale)
    infinite = o.or_(o.eq(o.abs(x), INFINITY), o.eq(o.abs(y), INFINITY))
    return o.select(infinite, INFINITY, total)


def pow(o: Any, x: Any, y: Any) -> Any:
    type = o.type_of(x)
    size = o.abs(x)
    if type == "f32":
        exponent = o.mul(o.fpext(y, "f64"), _log2_double(o, o.fpext(size, "f64")))
        power = o.fptrunc(exp2(o, clamp(o, exponent, -1000.0, 1000.0)), "f32")
    else:
        power = _pow_double(o, size, y)
    whole = o.eq(o.rint(y), y)
    half = o.mul(y, 0.5)
    odd = o.and_(whole, o.ne(o.rint(half), half))
    negative = o.lt(x, 0.0)
    # zeros and infinities of the base
    infinity, zero = o.constant(INFINITY, type), o.constant(0.0, type)
    falling = o.lt(y, 0.0)
    power = o.select(o.eq(size, 0.0), o.select(falling, infinity, zero), power)
    power = o.select(o.eq(size, INFINITY), o.select(falling, zero, infinity), power)
    # infinite exponents
    grows = o.eq(o.gt(size, 1.0), o.gt(y, 0.0))
    beyond = o.select(o.eq(size, 1.0), 1.0, o.select(grows, infinity, zero))
    power = o.select(o.eq(o.abs(y), INFINITY), beyond, power)
    signed = o.select(o.lt(_with_sign(o, x), 0.0), o.neg(power), power)
    power = o.select(odd, signed, power)
    wrong = o.and_(o.and_(negative, o.lt(size, INFINITY)), o.xor(whole, True))
    power = o.select(wrong, NAN, power)
    power = o.select(o.or_(o.ne(x, x), o.ne(y, y)), NAN, power)
    return o.select(o.or_(o.eq(y, 0.0), o.eq(x, 1.0)), 1.0, power)


def _with_sign(o: Any, x: Any) -> Any:
    """1 or -1 with the sign bit of x."""
    type = o.type_of(x)
    width = o.width_of(x)
    sign = o.and_(o.bits(x), -(1 << (width - 1)))
    return o.from_bits(o.or_(sign, o.bits(o.constant(1.0, type))))


def _log2_double(o: Any, x: Any) -> Any:
    """log2 of a positive double, to about 1 ulp: enough where the result is single."""
    e, a, b = _log_split(o, x)
    scale = constant(o, "log2e", x)
    return o.fma(a, scale, o.fma(b, scale, e))


def _two_sum(o: Any, x: Any, y: Any) -> tuple[Any, Any]:
    """x + y exactly, for |x| >= |y|."""
    total = o.add(x, y)
    return total, o.add(o.sub(x, total), y)


def _pow_double(o: Any, x: Any, y: Any) -> Any:
    """x**y for x > 0 with the logarithm to about 68 bits.

    log(x) = e log(2) + 2s + 2/3 s^3 + s^5 R(s^2), s = f/(2+f): the first two terms of the series
    and the multiple of log(2) as sums of two doubles.
    """
    e, f = log_parts(o, x)
    below = o.add(f, 2.0)
    below_rest = o.add(o.sub(2.0, below), f)
    s = o.div(f, below)
    s_rest = o.div(o.sub(o.fma(o.neg(s), below, f), o.mul(s, below_rest)), below)
    z = o.mul(s, s)
    z_rest = o.fma(s, s, o.neg(z))
    z_rest = o.fma(o.add(s, s), s_rest, z_rest)
    cube = o.mul(s, z)
    cube_rest = o.fma(s, z, o.neg(cube))
    cube_rest = o.add(cube_rest, o.fma(s, z_rest, o.mul(s_rest, z)))
    two_thirds, two_thirds_rest = 2.0 / 3.0, float.fromhex("0x1.5555555555555p-55")
    term = o.mul(cube, two_thirds)
    term_rest = o.fma(cube, two_thirds, o.neg(term))
    term_rest = o.add(term_rest, o.fma(cube_rest, two_thirds, o.mul(cube, two_thirds_rest)))
    tail = o.mul(o.mul(cube, z), polynomial(o, "log_rest", z))
    high, low = _two_sum(o, o.add(s, s), term)
    low = o.add(low, o.add(o.add(s_rest, s_rest), o.add(term_rest, tail)))
    ln2, ln2_rest = constant(o, "ln2", x), constant(o, "ln2", x, low=True)
    first = o.mul(e, ln2)
    first_rest = o.fma(e, ln2, o.neg(first))
    first_rest = o.fma(e, ln2_rest, first_rest)
    big, rest = _two_sum(o, first, high)  # the first is 0 or larger
    rest = o.add(rest, o.add(low, first_rest))
    big, rest = _two_sum(o, big, rest)
    # the exponent as a sum of two doubles, then exp(p + q) = exp(p) (1 + q)
    y = clamp(o, y, -(2.0**70), 2.0**70)
    p = o.mul(big, y)
    q = o.fma(big, y, o.neg(p))
    q = o.fma(rest, y, q)
    low_end, high_end = _EXP_RANGE["f64"]
    within = o.and_(o.gt(p, low_end), o.lt(p, high_end))
    return _exp_of_sum(o, clamp(o, p, low_end, high_end), o.select(within, q, 0.0))


def _exp_of_sum(o: Any, p: Any, q: Any) -> Any:
    """exp(p + q), q tiny beside p."""
    n, r = exp_reduced(o, p)
    high, low = _LN2["f64"]
    # the reduction's own rounding, and q
    rest = o.fma(n, -low, o.sub(o.fma(n, -high, p), r))
    r2 = o.add(r, q)
    rest = o.add(rest, o.add(o.sub(r, r2), q))
    y = o.fma(polynomial(o, "exp", r2), o.mul(r2, r2), o.add(r2, rest))
    return _scaled(o, o.add(y, 1.0), n, 0, "f64")
