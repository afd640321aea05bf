"""Error functions and the gamma family, for float32 and float64.

In come an operations object ``o`` (see `vector_math_operations`) and registers; out comes a
register. `erf` and `erfc` rest on a polynomial for ``(1 + 2x) exp(x^2) erfc(x)`` in ``(x - 4)/(x
+ 4)`` (after M. Shepherd and J. Laframboise, Math. Comp. 36, 1981), `erf_inv` on polynomials in
``-log(1 - x^2)`` (after M. Giles, "Approximating the erfinv function", 2012), `lgamma` and
`digamma` on polynomials around their zeros, recurrence, reflection and Stirling's series. Read
next: `vector_math`.
"""

from __future__ import annotations

from typing import Any

from fnx.kernels import vector_math_trigonometric as trigonometric
from fnx.kernels.vector_math_elementary import (
    INFINITY,
    NAN,
    constant,
    exp_scaled,
    log,
    polynomial,
)

__all__ = ["digamma", "erf", "erf_inv", "erfc", "lgamma"]

_ERFC_LIMIT = {"f32": 10.5, "f64": 27.5}


def _erfc_positive(o: Any, x: Any) -> Any:
    """erfc of x >= 0."""
    limit = _ERFC_LIMIT[o.type_of(x)]
    x = o.select(o.lt(x, limit), x, limit)
    t = o.div(o.sub(x, 4.0), o.add(x, 4.0))
    scaled = o.div(polynomial(o, "erfc", t), o.fma(x, 2.0, 1.0))
    square = o.mul(x, x)
    rest = o.fma(x, x, o.neg(square))
    # exp(-x^2) = exp(-square) (1 - rest)
    scaled = o.fma(o.neg(rest), scaled, scaled)
    # so far down that the result is subnormal, scale the exponential only at the end
    return o.mul(exp_scaled(o, o.neg(square), shift=32), o.mul(scaled, 2.0**-32))


def erf(o: Any, x: Any) -> Any:
    size = o.abs(x)
    near = o.mul(x, polynomial(o, "erf", o.mul(x, x)))
    far = o.copysign(o.sub(1.0, _erfc_positive(o, size)), x)
    y = o.select(o.lt(size, 1.0), near, far)
    return o.select(o.eq(x, x), y, x)


def erfc(o: Any, x: Any) -> Any:
    y = _erfc_positive(o, o.abs(x))
    y = o.select(o.lt(x, 0.0), o.sub(2.0, y), y)
    small = o.lt(o.abs(x), 0.25)
    y = o.select(small, o.sub(1.0, o.mul(x, polynomial(o, "erf", o.mul(x, x)))), y)
    return o.select(o.eq(x, x), y, x)


def erf_inv(o: Any, x: Any) -> Any:
    size = o.abs(x)
    w = o.neg(log(o, o.mul(o.sub(1.0, size), o.add(1.0, size))))
    # for small x the product rounds to 1: w = x^2 there
    w = o.select(o.lt(size, 2.0**-6), _small_log(o, x), w)
    root = o.sqrt(o.select(o.lt(w, INFINITY), w, 36.0))
    y = polynomial(o, "erf_inv_low", o.sub(o.select(o.lt(w, 6.0), w, 6.0), 3.0))
    middle = polynomial(o, "erf_inv_middle", o.sub(root, 3.25))
    y = o.select(o.lt(w, 6.0), y, middle)
    if o.type_of(x) == "f64":
        high = polynomial(o, "erf_inv_high", o.sub(root, 5.0))
        y = o.select(o.lt(root, 4.0), y, high)
    y = o.mul(x, y)
    y = o.select(o.eq(size, 1.0), o.copysign(o.constant(INFINITY, o.type_of(x)), x), y)
    return o.select(o.le(size, 1.0), y, NAN)


def _small_log(o: Any, x: Any) -> Any:
    """-log(1 - x^2) = x^2 + x^4/2 + ... for |x| < 2^-6."""
    z = o.mul(x, x)
    series = o.fma(z, 1.0 / 5.0, 1.0 / 4.0)
    series = o.fma(series, z, 1.0 / 3.0)
    series = o.fma(series, z, 1.0 / 2.0)
    return o.fma(o.mul(z, z), series, z)


def _sin_pi(o: Any, x: Any) -> Any:
    """|sin(pi x)| for x >= 0, exact at integers."""
    r = o.sub(x, o.floor(x))
    r = o.select(o.gt(r, 0.5), o.sub(1.0, r), r)  # in [0, 1/2]
    high = o.gt(r, 0.25)
    r = o.select(high, o.sub(0.5, r), r)
    angle, lost = _times_pi(o, r)
    sine = trigonometric._sine(o, angle, lost)
    return o.select(high, trigonometric._cosine(o, angle, lost), sine)


def _times_pi(o: Any, r: Any) -> tuple[Any, Any]:
    """pi r as a sum of two numbers."""
    angle = o.mul(r, constant(o, "pi", r))
    lost = o.fma(r, constant(o, "pi", r), o.neg(angle))
    return angle, o.fma(r, constant(o, "pi", r, low=True), lost)


def lgamma(o: Any, x: Any) -> Any:
    """log|gamma(x)|: the reflection formula below 1/2."""
    if o.type_of(x) == "f32":  # in double precision: no cancellation to think of
        return o.fptrunc(_lgamma(o, o.fpext(x, "f64")), "f32")
    return _lgamma(o, x)


def _lgamma(o: Any, x: Any) -> Any:
    reflect = o.lt(x, 0.5)
    y = o.select(reflect, o.sub(1.0, x), x)
    # log gamma(y), y >= 1/2: around 1, around 2, shifted down into [2, 3), or Stirling
    product = o.constant(1.0, "f64")
    low = o.select(o.lt(y, 8.0), y, 2.0)
    for _ in range(5):
        above = o.ge(low, 3.0)
        low = o.select(above, o.sub(low, 1.0), low)
        product = o.select(above, o.mul(product, low), product)
    one = o.sub(low, 1.0)
    two = o.sub(low, 2.0)
    around_one = o.mul(one, polynomial(o, "lgamma_one", o.select(o.lt(one, 0.5), one, 0.5)))
    around_two = o.mul(two, polynomial(o, "lgamma_two", o.select(o.lt(two, -0.5), -0.5, two)))
    small = o.select(o.lt(low, 1.5), around_one, around_two)
    small = o.add(small, log(o, product))
    inverse = o.div(1.0, y)
    z = o.mul(inverse, inverse)
    series = o.mul(inverse, polynomial(o, "stirling", o.select(o.lt(y, 8.0), 0.0, z)))
    logarithm = log(o, y)
    large = o.fma(
        o.sub(y, 0.5),
        o.sub(logarithm, 1.0),
        o.add(series, o.sub(constant(o, "half_log_2pi", x), 0.5)),
    )
    large = o.select(o.lt(y, INFINITY), large, INFINITY)
    value = o.select(o.lt(y, 8.0), small, large)
    # log|gamma(x)| = log(pi / |sin(pi x)|) - log gamma(1 - x)
    sine = _sin_pi(o, o.abs(x))
    reflected = o.sub(o.sub(constant(o, "log_pi", x), log(o, sine)), value)
    reflected = o.select(o.lt(x, -(2.0**52)), INFINITY, reflected)
    # the sine of a subnormal would lose bits; -log|x| is all there is
    tiny = o.lt(o.abs(x), 2.0**-60)
    reflected = o.select(tiny, o.neg(log(o, o.abs(x))), reflected)
    result = o.select(reflect, reflected, value)
    result = o.select(o.eq(o.abs(x), INFINITY), INFINITY, result)
    return o.select(o.eq(x, x), result, x)


def digamma(o: Any, x: Any) -> Any:
    """The derivative of log gamma; NaN at 0, -1, -2, ..."""
    if o.type_of(x) == "f32":
        return o.fptrunc(_digamma(o, o.fpext(x, "f64")), "f32")
    return _digamma(o, x)


def _digamma(o: Any, x: Any) -> Any:
    reflect = o.lt(x, 0.0)
    y = o.select(reflect, o.sub(1.0, x), x)
    # y in (0, 1): digamma(y + 1) - 1/y; y in [2, 8): shifted down into [1, 2)
    below = o.lt(y, 1.0)
    low = o.select(below, o.add(y, 1.0), o.select(o.lt(y, 8.0), y, 1.0))
    shift = o.select(below, o.neg(o.div(1.0, y)), 0.0)
    for _ in range(7):
        above = o.ge(low, 2.0)
        low = o.select(above, o.sub(low, 1.0), low)
        shift = o.select(above, o.add(shift, o.div(1.0, low)), shift)
    from_root = o.sub(
        o.sub(low, constant(o, "digamma_root", x)), constant(o, "digamma_root", x, low=True)
    )
    small = o.fma(from_root, polynomial(o, "digamma_root", o.sub(low, 1.5)), shift)
    inverse = o.div(1.0, y)
    z = o.mul(inverse, inverse)
    tail = o.mul(z, polynomial(o, "digamma_tail", o.select(o.lt(y, 8.0), 0.0, z)))
    large = o.sub(o.sub(log(o, y), o.mul(inverse, 0.5)), tail)
    value = o.select(o.lt(y, 8.0), small, large)
    # digamma(x) = digamma(1 - x) - pi / tan(pi x)
    r = o.sub(x, o.rint(x))
    size = o.abs(r)
    high = o.gt(size, 0.25)
    angle, lost = _times_pi(o, o.select(high, o.sub(0.5, size), size))
    sine = trigonometric._sine(o, angle, lost)
    cosine = trigonometric._cosine(o, angle, lost)
    cotangent = o.div(o.select(high, sine, cosine), o.select(high, cosine, sine))
    cotangent = o.copysign(cotangent, r)
    reflected = o.sub(value, o.mul(constant(o, "pi", x), cotangent))
    result = o.select(reflect, reflected, value)
    pole = o.and_(o.le(x, 0.0), o.eq(o.floor(x), x))
    result = o.select(pole, NAN, result)
    return o.select(o.eq(x, x), result, x)
