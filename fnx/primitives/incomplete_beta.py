"""The regularised incomplete beta function, with derivatives of every order in all arguments.

``I_x(a, b)`` is the distribution function of the beta density ``f = x^(a-1) (1-x)^(b-1) / B(a,
b)``. The primitive `betainc_p` has as static parameter the orders (n, m) of the derivatives in a
and b, and with f is closed under differentiation: ``d/da I_nm = I_(n+1)m``, ``d/db I_nm =
I_n(m+1)``, ``d/dx I_nm = f B_nm``, B a polynomial in the derivatives of ``log f``.

The function itself is SciPy's. For its derivatives the density's is integrated over the log-odds
from x to the nearer end (see `parameter_integrals`). Read next: `bessel`.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from fnx.core.primitive import Primitive
from fnx.primitives.arithmetic import add, div, mul, neg, sub
from fnx.primitives.constants import like, minus, subtracted_from, times
from fnx.primitives.exponential import log, log1p
from fnx.primitives.hurwitz import zeta
from fnx.primitives.parameter_integrals import (
    NUMPY,
    RULES,
    half_line,
    relative_derivative,
    stirling_remainder,
)
from fnx.primitives.scipy_functions import scipy_function
from fnx.primitives.special import digamma

__all__ = ["beta_density_p", "betainc", "betaln", "betaln_p"]

# ---------------------------------------------------------------------- evaluation


class _LowerTail:
    """The integrand below x in the log-odds s of t, counted from those of the mean ``p = a / c``.

    ``t^a (1-t)^b = const exp(a s - c log(q + p exp(s)))`` with ``q = b / c`` and ``c = a + b``.
    """

    def __init__(self, a: Any, b: Any, x: Any, y: Any) -> None:
        """Of ``x <= p`` and ``y = 1 - x``."""
        self.a, self.c = a, a + b
        self.p, self.q = a / self.c, b / self.c
        offset = (x * b - y * a) / (a * y)
        near = np.abs(offset) < 0.5
        odds = np.log(x) - np.log(y) - np.log(a) + np.log(b)
        self.start = np.where(near, np.log1p(np.where(near, offset, 0)), odds)
        width = np.minimum(np.sqrt(self.c * x * y), a)
        self.step = -1 / (np.maximum(y * a - x * b, 0) + width)

    def logarithm(self, s: Any) -> Any:
        """``log(q + p exp(s))``."""
        small = self.p * np.expm1(s)
        return np.where(small > -0.5, np.log1p(small), np.log(self.q + self.p * np.exp(s)))

    def exponent(self, s: Any) -> Any:
        """The logarithm of the integrand, 0 at the mean."""
        return self.a * s - self.c * self.logarithm(s)


def _derivative(a: Any, b: Any, x: Any, orders: tuple[int, int]) -> Any:
    """The derivatives of the function, for x inside (0, 1) and positive a and b."""
    import scipy.special  # loads on first use

    below = x * b <= (1 - x) * a
    first, second = np.where(below, a, b), np.where(below, b, a)
    tail = _LowerTail(first, second, np.where(below, x, 1 - x), np.where(below, 1 - x, x))
    c = a + b
    known: dict[tuple[int, int], Any] = {}

    def higher(index: tuple[int, ...]) -> Any:  # of -log B(a, b)
        n, m = index
        if (n, m) not in known:
            total = scipy.special.polygamma(n + m - 1, c)
            for order, shape in ((n, a), (m, b)):
                if order == n + m:
                    total = total - scipy.special.polygamma(order - 1, shape)
            known[n, m] = total
        return known[n, m]

    shifts = [scipy.special.digamma(c) - scipy.special.digamma(z) for z in (a, b)]
    level = tail.exponent(tail.start)

    def integrand(u: Any) -> Any:
        s = tail.start + np.multiply.outer(u, tail.step)
        logarithm = tail.logarithm(s)
        # log t and log(1 - t), of the tail that is below
        nearer, farther = s - logarithm + np.log(tail.p), np.log(tail.q) - logarithm
        slopes = [np.where(below, nearer, farther), np.where(below, farther, nearer)]
        slopes = [slope + shift for slope, shift in zip(slopes, shifts, strict=True)]
        weight = np.exp(first * s - c * logarithm - level)
        return weight * relative_derivative(NUMPY, orders, slopes, higher)

    integral = np.where(below, -1, 1) * tail.step * half_line(integrand, x.size)
    return integral * np.exp(level + _log_of_peak(a, b))


def _log_of_peak(a: Any, b: Any) -> Any:
    """``log(p^a q^b / B(a, b))``."""
    remainder = stirling_remainder(a + b) - stirling_remainder(a) - stirling_remainder(b)
    return 0.5 * (np.log(a) + np.log(b) - np.log(a + b) - math.log(2 * math.pi)) + remainder


def _betainc(a: Any, b: Any, x: Any, derivatives: tuple[int, int]) -> Any:
    import scipy.special  # loads on first use

    if not any(derivatives):
        return scipy.special.betainc(a, b, x)
    shapes = (a > 0) & (b > 0) & np.isfinite(a) & np.isfinite(b)
    inside = shapes & (x > 0) & (x < 1)
    arguments = (np.where(inside, a, 1.0), np.where(inside, b, 1.0), np.where(inside, x, 0.5))
    at_end = shapes & ((x == 0) | (x == 1))
    result = _derivative(*arguments, derivatives)
    return np.where(inside, result, np.where(at_end, 0.0, np.nan))


def _density(a: Any, b: Any, x: Any) -> Any:
    y = 1 - x
    inside = (a > 0) & (b > 0) & np.isfinite(a) & np.isfinite(b) & (x > 0) & (x < 1)
    a_, b_, x_, y_ = [np.where(inside, z, w) for z, w in ((a, 1.0), (b, 1.0), (x, 0.5), (y, 0.5))]
    below = x_ * b_ <= y_ * a_
    first, second = np.where(below, a_, b_), np.where(below, b_, a_)
    tail = _LowerTail(first, second, np.where(below, x_, y_), np.where(below, y_, x_))
    usual = np.exp(tail.exponent(tail.start) + _log_of_peak(a_, b_)) / (x_ * y_)
    # at 0 the density is 0, b or infinite, as a is more than 1, 1, or less
    low = np.where(a > 1, 0.0, np.where(a == 1, b, np.inf))
    high = np.where(b > 1, 0.0, np.where(b == 1, a, np.inf))
    at_end = np.where(x == 0, low, np.where(x == 1, high, np.nan))
    return np.where(inside, usual, np.where((a > 0) & (b > 0), at_end, np.nan))


# ---------------------------------------------------------------------- derivatives


def _relative(a: Any, b: Any, x: Any, orders: tuple[int, int]) -> Any:
    """B_nm in operations: ``(d/da)^n (d/db)^m f / f``."""

    def polygamma(order: int, z: Any) -> Any:
        sign = (-1) ** (order + 1)
        return times(zeta(like(z, order + 1), z), sign * math.factorial(order))

    def higher(index: tuple[int, ...]) -> Any:
        n, m = index
        total = polygamma(n + m - 1, add(a, b))
        for order, shape in ((n, a), (m, b)):
            if order == n + m:
                total = sub(total, polygamma(order - 1, shape))
        return total

    slopes = [_slope_in_a(a, b, x), _slope_in_b(a, b, x)]
    return relative_derivative(RULES, orders, slopes, higher)


def _slope_in_a(a: Any, b: Any, x: Any) -> Any:
    return sub(log(x), sub(digamma(a), digamma(add(a, b))))


def _slope_in_b(a: Any, b: Any, x: Any) -> Any:
    return sub(log1p(neg(x)), sub(digamma(b), digamma(add(a, b))))


def _slope_in_x(a: Any, b: Any, x: Any) -> Any:
    return sub(div(minus(a, 1), x), div(minus(b, 1), subtracted_from(1, x)))


def _point_slope(a: Any, b: Any, x: Any, orders: tuple[int, int]) -> Any:
    density = beta_density_p(a, b, x)
    return mul(density, _relative(a, b, x, orders)) if any(orders) else density


def _more(orders: tuple[int, int], position: int) -> tuple[int, int]:
    n, m = orders
    return (n, m + 1) if position else (n + 1, m)


SHAPE, POINT = (0.6, 3.0), (0.1, 0.9)

beta_density_p = scipy_function(
    "beta_density",
    _density,
    (
        lambda t, out, a, b, x: mul(t, mul(out, _slope_in_a(a, b, x))),
        lambda t, out, a, b, x: mul(t, mul(out, _slope_in_b(a, b, x))),
        lambda t, out, a, b, x: mul(t, mul(out, _slope_in_x(a, b, x))),
    ),
    SHAPE,
    SHAPE,
    POINT,
)
betainc_p: Primitive = scipy_function(
    "betainc",
    _betainc,
    (
        lambda t, out, a, b, x, derivatives: mul(
            t, betainc_p(a, b, x, derivatives=_more(derivatives, 0))
        ),
        lambda t, out, a, b, x, derivatives: mul(
            t, betainc_p(a, b, x, derivatives=_more(derivatives, 1))
        ),
        lambda t, out, a, b, x, derivatives: mul(t, _point_slope(a, b, x, derivatives)),
    ),
    SHAPE,
    SHAPE,
    POINT,
    params=({"derivatives": (0, 0)}, {"derivatives": (1, 0)}),
)
betaln_p = scipy_function(
    "betaln",
    "betaln",
    (
        lambda t, out, a, b: mul(t, sub(digamma(a), digamma(add(a, b)))),
        lambda t, out, a, b: mul(t, sub(digamma(b), digamma(add(a, b)))),
    ),
    SHAPE,
    SHAPE,
)


def betainc(a: Any, b: Any, x: Any) -> Any:
    """The regularised incomplete beta function, ``I_x(a, b)``.

    Parameters
    ----------
    a, b : Array
        Floating, positive.
    x : Array
        Of the shape and dtype of `a`; from 0 to 1.
    """
    return betainc_p(a, b, x, derivatives=(0, 0))


def betaln(a: Any, b: Any) -> Any:
    """The logarithm of the beta function's modulus.

    Parameters
    ----------
    a : Array
        Floating.
    b : Array
        Of the shape and dtype of `a`.
    """
    return betaln_p(a, b)
