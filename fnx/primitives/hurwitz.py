"""The Hurwitz zeta function, ``sum over k >= 0 of (q + k)**-s``, and its derivatives in s.

The primitive has a static parameter, the order j of the derivative in s, and with it is closed
under differentiation: ``d/ds zeta_j(s, q) = zeta_{j+1}(s, q)`` and, since ``d/dq zeta(s, q) = -s
zeta(s + 1, q)``, ``d/dq zeta_j(s, q) = -s zeta_j(s + 1, q) - j zeta_{j-1}(s + 1, q)``.

Method: ten terms of the sum, the rest by the Euler-Maclaurin formula (F. Johansson, *Rigorous
high-precision computation of the Hurwitz zeta function and its derivatives*, 2015), carried out on
Taylor polynomials in s of degree j.  The formula is written once, in words that both NumPy and the
compiler's element rules speak.  Read next: `special`.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np

from fnx.core.lowering import Element
from fnx.core.primitive import Primitive, Zero
from fnx.core.types import tangent_type
from fnx.primitives import recurrences as series
from fnx.primitives.arithmetic import add, mul, neg, sub
from fnx.primitives.comparison import eq, ge, gt, lt, select
from fnx.primitives.constants import divided_by, like, plus, subtracted_from, times
from fnx.primitives.families import FLOAT, elementwise
from fnx.primitives.folding import fold_uniform
from fnx.primitives.recurrences import Series
from fnx.primitives.rounding import floor
from fnx.primitives.samplers import elementwise_samples

__all__ = ["zeta", "zeta_p"]

#: Terms that are summed one by one, and terms of the Euler-Maclaurin formula.
DIRECT, CORRECTIONS = 10, 10


def _bernoulli(count: int) -> list[float]:
    """``B_{2i} / (2i)!`` for i from 1 to count."""
    numbers = [Fraction(1)]
    for n in range(1, 2 * count + 1):  # sum_k binomial(n + 1, k) B_k = 0
        total = sum((math.comb(n + 1, k) * numbers[k] for k in range(n)), Fraction(0))
        numbers.append(-total / (n + 1))
    return [float(numbers[2 * i] / math.factorial(2 * i)) for i in range(1, count + 1)]


_COEFFICIENTS = _bernoulli(CORRECTIONS)


class _NumpyWords:
    """NumPy under the names that element rules use."""

    add = staticmethod(np.add)
    sub = staticmethod(np.subtract)
    mul = staticmethod(np.multiply)
    div = staticmethod(np.divide)
    neg = staticmethod(np.negative)
    pow = staticmethod(np.power)
    log = staticmethod(np.log)
    eq = staticmethod(np.equal)
    lt = staticmethod(np.less)
    gt = staticmethod(np.greater)
    or_ = staticmethod(np.logical_or)

    @staticmethod
    def select(condition: Any, then: Any, otherwise: Any) -> Any:
        return np.where(condition, then, otherwise)

    @staticmethod
    def constant(value: float, dtype: Any) -> Any:
        return np.dtype(dtype).type(value)


def _zeta_in_words(b: Any, s: Any, q: Any, order: int) -> Any:
    """The formula, on scalars or arrays of float32 or float64."""
    dtype, degrees = s.dtype, range(order + 1)

    def number(value: float) -> Any:
        return b.constant(value, dtype)

    def power(base: Any) -> list[Any]:  # base**-(s + e) as a polynomial in e
        term, slope = b.pow(base, b.neg(s)), b.neg(b.log(base))
        terms = [term]
        for i in degrees[1:]:
            term = b.div(b.mul(term, slope), number(i))
            terms.append(term)
        return terms

    def product(x: list[Any], y: list[Any]) -> list[Any]:
        result = []
        for k in degrees:
            total = b.mul(x[0], y[k])
            for j in range(1, k + 1):
                total = b.add(total, b.mul(x[j], y[k - j]))
            result.append(total)
        return result

    def plus_e(x: list[Any], shift: int) -> list[Any]:  # x * (s + shift + e)
        at = b.add(s, number(shift))
        return [b.mul(x[k], at) if k == 0 else b.add(b.mul(x[k], at), x[k - 1]) for k in degrees]

    total = power(q)
    for k in range(1, DIRECT):
        total = [b.add(x, y) for x, y in zip(total, power(b.add(q, number(k))), strict=True)]
    end = b.add(q, number(DIRECT))
    last = power(end)
    # end**(1 - s - e) / (s - 1 + e)
    inverse = [b.div(number(1), b.sub(s, number(1)))]
    for _ in degrees[1:]:
        inverse.append(b.neg(b.mul(inverse[-1], inverse[0])))
    tail = [b.mul(end, x) for x in product(last, inverse)]
    total = [
        b.add(x, b.add(y, b.mul(z, number(0.5)))) for x, y, z in zip(total, tail, last, strict=True)
    ]
    # B_2i / (2i)! (s + e)(s + e + 1)...(s + e + 2i - 2) end**(-s - e - 2i + 1)
    rising = [b.div(x, end) for x in plus_e(last, 0)]
    squared = b.mul(end, end)
    for i, coefficient in enumerate(_COEFFICIENTS, 1):
        total = [
            b.add(x, b.mul(y, number(coefficient))) for x, y in zip(total, rising, strict=True)
        ]
        if i < CORRECTIONS:
            rising = plus_e(plus_e(rising, 2 * i - 1), 2 * i)
            rising = [b.div(x, squared) for x in rising]
    result = b.mul(total[order], number(math.factorial(order)))
    result = b.select(b.eq(q, number(math.inf)), number(0), result)
    outside = b.or_(b.lt(s, number(1)), b.lt(q, number(0)))
    at_pole = b.or_(b.eq(s, number(1)), b.eq(q, number(0)))
    result = b.select(at_pole, number((-1) ** order * math.inf), result)
    return b.select(outside, number(math.nan), result)


def _zeta_evaluate(s: Any, q: Any, derivative: int) -> Any:
    if s.dtype.itemsize == 2:
        s32, q32 = s.astype(np.float32), q.astype(np.float32)
        return _zeta_in_words(_NumpyWords, s32, q32, derivative).astype(s.dtype)
    return np.asarray(_zeta_in_words(_NumpyWords, s, q, derivative), s.dtype)


def _zeta_element(b: Any, i: Any, s: Any, q: Any, derivative: int) -> Any:
    dtype = s.aval.dtype
    wide = np.dtype(np.float32) if dtype.itemsize == 2 else dtype
    value = _zeta_in_words(b, b.convert(s(*i), wide), b.convert(q(*i), wide), derivative)
    return b.convert(value, dtype)


def _order_tangent(t: Any, out: Any, s: Any, q: Any, derivative: int) -> Any:
    return mul(t, zeta_p(s, q, derivative=derivative + 1))


def _point_tangent(t: Any, out: Any, s: Any, q: Any, derivative: int) -> Any:
    above = plus(s, 1)
    slope = mul(s, zeta_p(above, q, derivative=derivative))
    if derivative:
        lower = zeta_p(above, q, derivative=derivative - 1)
        slope = add(slope, times(lower, derivative))
    return neg(mul(t, slope))


def _zeta_jet(primals: Any, coefficients: Any, *, derivative: int) -> Any:
    # zeta_j(s, q0 + d) = sum_n d^n (-1)^n / n! (d/ds)^j [s (s+1) ... (s+n-1) zeta(s + n, q0)], for
    # a series s
    (s0, q0), (ss, qs) = primals, coefficients
    order, zero = len(ss), Zero(tangent_type(s0.aval))
    s, d = [s0, *ss], [zero, *qs]
    constant = [zero] * order
    total: Series = [zero] * (order + 1)
    for n in range(order, -1, -1):
        term: Series = [zero] * (order + 1)
        # Leibniz: binomial(j, i) times the i-th derivative of the polynomial times zeta_{j-i}
        for i in range(min(derivative, n) + 1):
            polynomial = _rising_derivative(n, i)
            if not any(polynomial):
                continue
            factor = math.comb(derivative, i) * (-1) ** n / math.factorial(n)
            scaled = [c * factor for c in polynomial]
            values = _in_order(derivative - i, plus(s0, n) if n else s0, q0, ss)
            weights = _polynomial_series(scaled, s, constant)
            term = series.total(term, series.product(weights, series.composed(values, s)))
        total = series.total(term, series.product(d, total))
    return zeta_p(s0, q0, derivative=derivative), total[1:]


def _in_order(derivative: int, s0: Any, q0: Any, ss: Series) -> Series:
    """The Taylor coefficients of ``zeta_j(., q0)`` at s0, as far as the series `ss` needs them."""
    still = all(type(c) is Zero for c in ss)
    values = [zeta_p(s0, q0, derivative=derivative)]
    for n in range(1, len(ss) + 1):
        if still:
            values.append(Zero(tangent_type(s0.aval)))
        else:
            value = zeta_p(s0, q0, derivative=derivative + n)
            values.append(divided_by(value, math.factorial(n)))
    return values


def _rising_derivative(n: int, i: int) -> list[int]:
    """Coefficients, lowest first, of the i-th derivative of ``s (s+1) ... (s+n-1)``."""
    polynomial = [1]
    for m in range(n):
        shifted = [0, *polynomial]
        polynomial = [a + m * c for a, c in zip(shifted, [*polynomial, 0], strict=True)]
    for _ in range(i):
        polynomial = [k * c for k, c in enumerate(polynomial)][1:]
    return polynomial


def _polynomial_series(polynomial: list[float], s: Series, constant: Series) -> Series:
    """A polynomial of a series, by Horner's rule."""
    result: Series = [like(s[0], polynomial[-1]), *constant]
    for c in polynomial[-2::-1]:
        result = series.shifted(series.product(result, s), c)
    return result


zeta_p: Primitive = elementwise(
    "zeta",
    accepts=FLOAT,
    arity=2,
    evaluate=_zeta_evaluate,
    tangents=(_order_tangent, _point_tangent),
    jet=_zeta_jet,
    lower=Element(_zeta_element),
    fold=fold_uniform(lambda: zeta_p),
    sample=elementwise_samples(
        FLOAT,
        (1.5, 4.0),
        (0.4, 4.0),
        params=({"derivative": 0}, {"derivative": 1}, {"derivative": 2}),
    ),
)


def zeta(x: Any, q: Any) -> Any:
    """The Hurwitz zeta function, ``sum over k >= 0 of (q + k)**-x``.

    For negative q it is defined where x is an integer, through the sum over all integers, which is
    periodic in q.

    Parameters
    ----------
    x : Array
        Floating, larger than 1.
    q : Array
        Of the shape and dtype of `x`.
    """
    below = lt(q, like(q, 0))
    whole = floor(q)
    fraction = sub(q, whole)
    inside = select(below, fraction, q)
    value = zeta_p(x, inside, derivative=0)
    # sum over all k of (q + k)^-x = zeta(x, f) + (-1)^x zeta(x, 1 - f), with q = f + an integer
    other = select(below, subtracted_from(1, fraction), like(q, 1))
    beyond = select(below, subtracted_from(1, q), like(q, 1))
    finite = sub(zeta_p(x, other, derivative=0), zeta_p(x, beyond, derivative=0))
    half = times(x, 0.5)
    even = eq(floor(half), half)
    reflected = add(value, select(even, finite, neg(finite)))
    integral = eq(floor(x), x)
    nothing = like(x, math.nan)
    negative = select(integral, reflected, nothing)
    pole = eq(fraction, like(q, 0))
    at_pole = select(ge(x, like(x, 1)), like(x, math.inf), nothing)
    usual = select(below, negative, value)
    return select(pole, select(gt(q, like(q, 0)), usual, at_pole), usual)
