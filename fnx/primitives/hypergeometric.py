"""The hypergeometric functions 1F1 and 2F1 of real arguments, differentiable in all of them.

The static parameter of both primitives is the order of the derivative in each parameter; with it
they are closed under differentiation, for ``d/dz F(a, b; c; z) = a b / c F(a + 1, b + 1; c + 1;
z)`` and its parameter derivatives are a finite sum of such terms.

Values are SciPy's. Parameter derivatives are those of power series carried out on polynomials in
the parameters (`parameter_polynomials`). For 1F1 and negative z: Kummer's transformation. For 2F1
and negative z: Pfaff's; beyond 1/2 the solution of the hypergeometric equation is continued
towards 1, halving the distance at each step, which no combination of parameters disturbs (see J.
Pearson, S. Olver and M. Porter, *Numerical methods for the computation of the confluent and Gauss
hypergeometric functions*, 2017, sections 3 and 4). Read next: `definite_integrals`.
"""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np

from fnx.core.primitive import Primitive
from fnx.primitives.arithmetic import add, mul
from fnx.primitives.constants import over, plus
from fnx.primitives.families import FLOAT
from fnx.primitives.parameter_integrals import NUMPY, relative_derivative
from fnx.primitives.parameter_polynomials import Linear, constant, derivative
from fnx.primitives.powers import integer_pow
from fnx.primitives.samplers import elementwise_samples
from fnx.primitives.scipy_functions import scipy_function

__all__ = ["hyp1f1", "hyp2f1"]

#: The most terms of a series, after which what has not converged is NaN.
MOST_TERMS = 20_000

#: How many terms are added before it is seen whether they matter.
LOOK_EVERY = 12

#: Terms of a step of half the radius of convergence; coefficients may grow like ``k^(a+b-c)``.
STEP_TERMS = 88

EPS = float(np.finfo(np.float64).eps)


def _power_series(
    numerators: list[Linear], denominator: Linear, z: Any, orders: tuple[int, ...]
) -> tuple[Any, Any, Any]:
    """The sum of the series, of its derivative times z, and the exponent of a common scale."""
    term = constant(np.ones_like(z), orders)
    total, slope, exponent = term.copy(), np.zeros_like(term), np.zeros_like(z)
    unfinished: Any = True
    for start in range(0, MOST_TERMS, LOOK_EVERY):
        before = slope
        for k in range(start, start + LOOK_EVERY):
            for numerator in numerators:
                term = numerator.plus(k).times(term)
            term = denominator.plus(k).into(term) * (z / (k + 1))
            total = total + term
            slope = slope + (k + 1) * term
        shrink = np.where(np.max(np.abs(total), axis=_axes(orders)) > 1e150, 1e-150, 1.0)
        moved = np.abs(slope - before) > EPS * np.abs(slope)
        unfinished = np.any(moved & np.isfinite(slope), axis=_axes(orders))
        term, total, slope = term * shrink, total * shrink, slope * shrink
        exponent = exponent - np.log(shrink)
        if not np.any(unfinished):
            break
    return np.where(unfinished, np.nan, total), slope, exponent


def _axes(orders: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(range(len(orders)))


# ---------------------------------------------------------------------- 1F1


def _hyp1f1(a: Any, b: Any, z: Any, derivatives: tuple[int, int]) -> Any:
    import scipy.special  # loads on first use

    finite = np.isfinite(a) & np.isfinite(b) & ~np.isnan(z)
    a, b, z = [np.where(finite, x, 1.0) for x in (a, b, z)]
    if not any(derivatives):
        # SciPy takes as many steps as z is large, where the result is infinite long since
        far = np.maximum(1e6, 100 * (np.abs(a) + np.abs(b)))
        value = scipy.special.hyp1f1(a, b, np.clip(z, -1e300, far))
        return np.where(finite, np.where((z == -np.inf) & (a > 0), 0.0, value), np.nan)
    below = z < 0  # 1F1(a; b; z) = exp(z) 1F1(b - a; b; -z)
    numerator = Linear(np.where(below, b - a, a), (np.where(below, -1, 1), np.where(below, 1, 0)))
    total, _, exponent = _power_series([numerator], Linear(b, (0, 1)), np.abs(z), derivatives)
    result = derivative(total, derivatives) * np.exp(exponent + np.where(below, z, 0))
    return np.where(finite & np.isfinite(z), result, np.nan)


# ---------------------------------------------------------------------- 2F1


def _hyp2f1(a: Any, b: Any, c: Any, z: Any, derivatives: tuple[int, int, int]) -> Any:
    import scipy.special  # loads on first use

    if not any(derivatives):
        return scipy.special.hyp2f1(a, b, c, z)
    inside = np.isfinite(a) & np.isfinite(b) & np.isfinite(c) & (z < 1) & (z > -np.inf)
    point = np.where(inside, z, 0.0)
    below = point < 0  # 2F1(a, b; c; z) = (1 - z)^-a 2F1(a, c - b; c; z / (z - 1))
    first, third = Linear(a, (1, 0, 0)), Linear(c, (0, 0, 1))
    second = Linear(np.where(below, c - b, b), (0, np.where(below, -1, 1), np.where(below, 1, 0)))
    moved = np.where(below, point / (point - 1), point)
    rest = np.where(below, 1 / (1 - point), 1 - point)  # 1 - moved
    near = np.minimum(moved, 0.5)
    total, slope, exponent = _power_series([first, second], third, near, derivatives)
    scale = np.exp(exponent)
    total = total * scale
    if np.any(moved > 0.5):
        slope = slope * scale / np.where(near == 0, 1.0, near)
        total = _continued(first, second, third, rest, total, slope)
    total = _times_power(total, np.where(below, np.log1p(-np.minimum(point, 0)), 0.0), a)
    result = derivative(total, derivatives)
    at_one = (z == 1) & (c - a - b > 0)
    if np.any(at_one):
        result = np.where(at_one, _at_one(a, b, c, derivatives), result)
    return np.where(inside | at_one, result, np.nan)


def _continued(a: Linear, b: Linear, c: Linear, rest: Any, value: Any, slope: Any) -> Any:
    """The solution of the hypergeometric equation from 1/2 on to ``1 - rest``."""
    target = np.maximum(rest, 2.0**-1000)
    level = 0.5  # the distance of the centre from 1
    while np.any(target < level):
        centre = 1 - level
        step = np.clip(1 - target / level, 0, 0.5)  # in units of the radius of convergence
        # with g_k the coefficients in that unit: g_(k+2) =
        # ((k+a) (k+b) level g_k - (k+1) (k (1 - 2 centre) + q) g_(k+1)) / (centre (k+1) (k+2))
        q = Linear(
            c.value - (a.value + b.value + 1) * centre,
            tuple(z - (x + y) * centre for x, y, z in zip(a.signs, b.signs, c.signs, strict=True)),
        )
        now, following, power = value, slope * level, np.ones_like(step)
        value, rise = now + following * step, following
        for k in range(STEP_TERMS):
            last = a.plus(k).times(b.plus(k).times(now)) * level
            last = last - (k + 1) * q.plus(k * (1 - 2 * centre)).times(following)
            now, following = following, last / (centre * (k + 1) * (k + 2))
            power = power * step
            rise = rise + (k + 2) * power * following
            value = value + power * step * following
        slope = rise / level
        level /= 2
    return value


def _times_power(polynomial: Any, logarithm: Any, a: Any) -> Any:
    """The product with ``exp(-logarithm (a + e1))``."""
    factor = np.exp(-logarithm * a)
    result, term = np.zeros_like(polynomial), polynomial * factor
    for i in range(polynomial.shape[0]):
        result[i:] += term[: polynomial.shape[0] - i]
        term = term * (-logarithm / (i + 1))
    return result


def _at_one(a: Any, b: Any, c: Any, orders: tuple[int, int, int]) -> Any:
    """Derivatives of ``gamma(c) gamma(c-a-b) / (gamma(c-a) gamma(c-b))``."""
    import scipy.special  # loads on first use

    # the arguments of the gammas, their powers, and how a, b and c enter
    factors = [
        (c, 1, (0, 0, 1)),
        (c - a - b, 1, (-1, -1, 1)),
        (c - a, -1, (-1, 0, 1)),
        (c - b, -1, (0, -1, 1)),
    ]

    def of_logarithm(index: tuple[int, ...]) -> Any:
        total = 0.0
        for argument, power, signs in factors:
            weight = power * math.prod(s**n for s, n in zip(signs, index, strict=True))
            if weight:
                total = total + weight * scipy.special.polygamma(sum(index) - 1, argument)
        return total

    slopes = [of_logarithm(unit) for unit in ((1, 0, 0), (0, 1, 0), (0, 0, 1))]
    value = scipy.special.hyp2f1(a, b, c, 1.0)
    return value * relative_derivative(NUMPY, orders, slopes, of_logarithm)


# ---------------------------------------------------------------------- derivatives


def _slope_in_point(
    primitive: Any, numerators: list[Any], denominator: Any, z: Any, orders: tuple[int, ...]
) -> Any:
    """The parameter derivatives of ``a b / c F(a + 1, b + 1; c + 1; z)``, by Leibniz."""
    above = [plus(x, 1) for x in (*numerators, denominator)]
    total = None
    most = [*[min(n, 1) for n in orders[:-1]], orders[-1]]
    for part in itertools.product(*[range(n + 1) for n in most]):
        ways = math.prod(map(math.comb, orders, part))
        last = part[-1]
        sign = (-1) ** last * math.factorial(last) * ways
        factor = over(sign, integer_pow(denominator, last + 1))
        for x, n in zip(numerators, part, strict=False):
            factor = factor if n else mul(factor, x)
        rest = tuple(n - m for n, m in zip(orders, part, strict=True))
        term = mul(factor, primitive(*above, z, derivatives=rest))
        total = term if total is None else add(total, term)
    return total


def _more(orders: tuple[int, ...], position: int) -> tuple[int, ...]:
    return tuple(n + (k == position) for k, n in enumerate(orders))


def _in_parameter(position: int) -> Any:
    def tangent(t: Any, out: Any, *operands: Any, derivatives: tuple[int, ...]) -> Any:
        primitive = hyp1f1_p if len(operands) == 3 else hyp2f1_p
        return mul(t, primitive(*operands, derivatives=_more(derivatives, position)))

    return tangent


def _in_point(t: Any, out: Any, *operands: Any, derivatives: tuple[int, ...]) -> Any:
    primitive = hyp1f1_p if len(operands) == 3 else hyp2f1_p
    *numerators, denominator, z = operands
    return mul(t, _slope_in_point(primitive, numerators, denominator, z, derivatives))


GAUSS_DOMAINS = ((0.5, 2.0), (0.5, 2.0), (1.5, 3.0), (-0.8, 0.45))

hyp1f1_p: Primitive = scipy_function(
    "hyp1f1",
    _hyp1f1,
    (_in_parameter(0), _in_parameter(1), _in_point),
    (0.5, 2.0),
    (1.5, 3.0),
    (-2.0, 2.0),
    params=({"derivatives": (0, 0)},),
)
hyp2f1_p: Primitive = scipy_function(
    "hyp2f1",
    _hyp2f1,
    (_in_parameter(0), _in_parameter(1), _in_parameter(2), _in_point),
    *GAUSS_DOMAINS,
    # fewer shapes than usual: of four operands there are many derivatives
    sample=elementwise_samples(
        FLOAT, *GAUSS_DOMAINS, params=({"derivatives": (0, 0, 0)},), shapes=((), (3,))
    ),
)


def hyp1f1(a: Any, b: Any, x: Any) -> Any:
    """The confluent hypergeometric function 1F1(a; b; x).

    Parameters
    ----------
    a, b : Array
        Floating.
    x : Array
        Of the shape and dtype of `a`.
    """
    return hyp1f1_p(a, b, x, derivatives=(0, 0))


def hyp2f1(a: Any, b: Any, c: Any, x: Any) -> Any:
    """The Gauss hypergeometric function 2F1(a, b; c; x), for x up to 1.

    Parameters
    ----------
    a, b, c : Array
        Floating.
    x : Array
        Of the shape and dtype of `a`.
    """
    return hyp2f1_p(a, b, c, x, derivatives=(0, 0, 0))
