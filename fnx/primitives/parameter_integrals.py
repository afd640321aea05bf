"""Derivatives of distribution functions in their parameters: what gamma and beta share.

A density ``f(t) = exp(g(t; a))`` has the parameter derivatives ``f(t) B(t)``, where B is a
polynomial in the derivatives of g (`relative_derivative`); those of its distribution function are
integrals of that from the point to one end. Along the logarithm of t (or of the odds) the
integrand decays smoothly on one scale, so the double exponential formula ``u = exp(v - exp(-v))``
(H. Takahasi and M. Mori, *Double exponential formulas for numerical integration*, 1974) has it to
the last digits with the same nodes for all parameters (`half_line`). Read next:
`incomplete_gamma`, `incomplete_beta`.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from fnx.primitives.arithmetic import add, mul
from fnx.primitives.constants import times

__all__ = [
    "BERNOULLI",
    "NUMPY",
    "RULES",
    "Words",
    "half_line",
    "relative_derivative",
    "stirling_remainder",
]


@dataclass(frozen=True, slots=True)
class Words:
    """Arithmetic under one name for evaluation and for rules: ``scale`` multiplies by a number."""

    add: Callable[[Any, Any], Any]
    mul: Callable[[Any, Any], Any]
    scale: Callable[[Any, float], Any]


NUMPY = Words(np.add, np.multiply, np.multiply)
RULES = Words(add, mul, times)


def relative_derivative(
    words: Words,
    orders: Sequence[int],
    slopes: Sequence[Any],
    higher: Callable[[tuple[int, ...]], Any],
) -> Any:
    """A mixed derivative of ``exp(g)``, divided by ``exp(g)``; None stands for 1 (no derivative).

    With ``D`` the derivative: ``D^(n+e) exp(g) = D^n (exp(g) D^e g)``, expanded by Leibniz.

    Parameters
    ----------
    words : Words
        The arithmetic.
    orders : sequence of int
        How often in each parameter.
    slopes : sequence of array
        The first derivatives of g.
    higher : callable
        From the orders of a derivative of g, two or more in all, to it.
    """
    known: dict[tuple[int, ...], Any] = {}
    for index in itertools.product(*[range(n + 1) for n in orders]):
        if not any(index):
            known[index] = None
            continue
        k = next(j for j, order in enumerate(index) if order)
        below = tuple(order - (j == k) for j, order in enumerate(index))
        total = _product(words, slopes[k], known[below])
        for part in itertools.product(*[range(n + 1) for n in below]):
            if any(part):
                ways = math.prod(map(math.comb, below, part))
                factor = higher(tuple(n + (j == k) for j, n in enumerate(part)))
                rest = known[tuple(n - m for n, m in zip(below, part, strict=True))]
                term = _product(words, factor if ways == 1 else words.scale(factor, ways), rest)
                total = words.add(total, term)
        known[index] = total
    return known[tuple(orders)]


def _product(words: Words, x: Any, y: Any) -> Any:
    return x if y is None else words.mul(x, y)


#: Nodes in v: the spacing at which results no longer change, and where u is 0 or the integrand is.
SPACING, FIRST, LAST = 1 / 16, -60, 68

#: Numbers in a temporary array of integrands.
LARGEST = 1 << 16


def half_line(function: Callable[[Any], Any], size: int) -> Any:
    """The integral from 0 to infinity of smooth functions that decay like ``exp(-u)``.

    Parameters
    ----------
    function : callable
        From nodes, along a new first axis, to values of the integrands there.
    size : int
        Number of integrands, for the number of nodes at a time.
    """
    v = SPACING * np.arange(FIRST, LAST + 1)
    u = np.exp(v - np.exp(-v))
    weights = SPACING * u * (1 + np.exp(-v))
    total: Any = 0.0
    count = max(1, LARGEST // max(size, 1))
    for k in range(0, len(u), count):
        values = function(u[k : k + count])
        values = values * weights[k : k + count].reshape(-1, *[1] * (values.ndim - 1))
        values[0] += total
        total = np.add.accumulate(values)[-1]  # in one order, whatever the size
    return total


#: The Bernoulli numbers B_2, B_4, ...
BERNOULLI = (1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6, -3617 / 510)

# the coefficients of Stirling's series
_STIRLING = tuple(b / (2 * k * (2 * k - 1)) for k, b in enumerate(BERNOULLI[:7], 1))


def stirling_remainder(a: Any) -> Any:
    """``log gamma(a) - (a - 1/2) log(a) + a - log(2 pi) / 2`` of positive float64 arrays."""
    import scipy.special  # loads on first use

    large = np.maximum(a, 10.0)
    inverse = 1 / large
    series = inverse * np.polynomial.polynomial.polyval(inverse * inverse, _STIRLING)
    small = np.minimum(a, 10.0)
    logarithm = scipy.special.gammaln(small) + small - 0.5 * math.log(2 * math.pi)
    return np.where(a >= 10, series, logarithm - (small - 0.5) * np.log(small))
