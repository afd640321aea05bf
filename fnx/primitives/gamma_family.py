"""Functions made of gammas: gamma, its complex logarithm, beta, binomials, Pochhammer's symbol.

Each is a product or quotient of gamma functions, so its derivatives are itself times digammas.
Evaluation is SciPy's. Read next: `special` for the logarithm of real arguments, digamma and zeta.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from fnx.core.primitive import Primitive
from fnx.dtypes import kind_of
from fnx.primitives.arithmetic import add, mul, sub
from fnx.primitives.constants import plus
from fnx.primitives.families import COMPLEX, INEXACT
from fnx.primitives.parameter_integrals import BERNOULLI
from fnx.primitives.scipy_functions import scipy_function
from fnx.primitives.special import digamma

__all__ = ["beta", "binom", "gamma", "log_gamma", "poch"]

#: Where Stirling's series has every digit.
STIRLING_FROM = 15


def _log_gamma(z: Any, derivative: int) -> Any:
    """``log gamma``, digamma and polygammas of complex arguments."""
    import scipy.special  # loads on first use

    if derivative < 2:
        return (scipy.special.loggamma, scipy.special.psi)[derivative](z)
    order = derivative - 1
    # psi_m(z) = (-1)^m psi_m(1 - z) - pi (d/dz)^m cot(pi z)
    reflected = z.real < 0
    start = np.where(reflected, 1 - z, z)
    point, total = start, np.zeros_like(z)
    for _ in range(STIRLING_FROM + 1):
        small = point.real < STIRLING_FROM
        total = total + np.where(small, math.factorial(order) / point ** (order + 1), 0)
        point = np.where(small, point + 1, point)
    # (m-1)!/z^m + m!/(2 z^(m+1)) + sum_k B_2k (2k+m-1)!/(2k)! z^(-2k-m)
    total = total + math.factorial(order - 1) / point**order
    total = total + math.factorial(order) / (2 * point ** (order + 1))
    for k, number in enumerate(BERNOULLI, 1):
        factor = number * math.prod(range(2 * k + 1, 2 * k + order))
        total = total + factor / point ** (2 * k + order)
    total = (-1) ** (order + 1) * total
    turned = (-1) ** order * total - _cotangent_derivative(np.where(reflected, z, 0.5), order)
    return np.where(reflected, turned, total)


def _cotangent_derivative(z: Any, order: int) -> Any:
    """The m-th derivative of ``pi cot(pi z)``: a polynomial in c, for ``c' = -pi (1 + c^2)``."""
    polynomial = np.polynomial.Polynomial([0.0, 1.0])
    for _ in range(order):
        polynomial = -math.pi * polynomial.deriv() * np.polynomial.Polynomial([1.0, 0.0, 1.0])
    # far from the real axis the tangent overflows, and the cotangent is -i or i
    high = np.abs(z.imag) > 20
    cotangent = 1 / np.tan(math.pi * np.where(high, 0.5, z))
    return math.pi * polynomial(np.where(high, -1j * np.sign(z.imag), cotangent))


def _poch(z: Any, m: Any) -> Any:
    import scipy.special  # loads on first use

    # SciPy multiplies one factor at a time
    many = np.abs(m) > 1000
    few = scipy.special.poch(z, np.where(many, 0, m))
    sign = scipy.special.gammasgn(z + m) * scipy.special.gammasgn(z)
    size = np.exp(scipy.special.gammaln(z + m) - scipy.special.gammaln(z))
    return np.where(np.isnan(m), m, np.where(many, sign * size, few))


def _digamma(x: Any) -> Any:
    return log_gamma_p(x, derivative=1) if kind_of(x.dtype) == "c" else digamma(x)


def _between(x: Any, y: Any) -> Any:
    """``digamma(x) - digamma(y)``."""
    return sub(digamma(x), digamma(y))


POSITIVE = (0.6, 3.0)

log_gamma_p: Primitive = scipy_function(
    "log_gamma",
    _log_gamma,
    (lambda t, out, z, derivative: mul(t, log_gamma_p(z, derivative=derivative + 1)),),
    POSITIVE,
    params=({"derivative": 0}, {"derivative": 2}),
    accepts=COMPLEX,
)
gamma_p = scipy_function(
    "gamma", "gamma", (lambda t, out, x: mul(t, mul(out, _digamma(x))),), POSITIVE, accepts=INEXACT
)
beta_p = scipy_function(
    "beta",
    "beta",
    (
        lambda t, out, a, b: mul(t, mul(out, _between(a, add(a, b)))),
        lambda t, out, a, b: mul(t, mul(out, _between(b, add(a, b)))),
    ),
    POSITIVE,
    POSITIVE,
)
poch_p = scipy_function(
    "poch",
    _poch,
    (
        lambda t, out, z, m: mul(t, mul(out, _between(add(z, m), z))),
        lambda t, out, z, m: mul(t, mul(out, digamma(add(z, m)))),
    ),
    POSITIVE,
    POSITIVE,
)
binom_p = scipy_function(
    "binom",
    "binom",
    (
        lambda t, out, n, k: mul(t, mul(out, _between(plus(n, 1), plus(sub(n, k), 1)))),
        lambda t, out, n, k: mul(t, mul(out, _between(plus(sub(n, k), 1), plus(k, 1)))),
    ),
    (3.0, 6.0),
    (0.5, 2.0),
)


def gamma(x: Any) -> Any:
    """The gamma function.

    Parameters
    ----------
    x : Array
        Floating or complex.
    """
    return gamma_p(x)


def log_gamma(z: Any) -> Any:
    """The logarithm of the gamma function, cut along the negative axis.

    Parameters
    ----------
    z : Array
        Complex.
    """
    return log_gamma_p(z, derivative=0)


def beta(a: Any, b: Any) -> Any:
    """The beta function, ``gamma(a) gamma(b) / gamma(a + b)``.

    Parameters
    ----------
    a : Array
        Floating.
    b : Array
        Of the shape and dtype of `a`.
    """
    return beta_p(a, b)


def poch(z: Any, m: Any) -> Any:
    """Pochhammer's symbol, ``gamma(z + m) / gamma(z)``.

    Parameters
    ----------
    z : Array
        Floating.
    m : Array
        Of the shape and dtype of `z`.
    """
    return poch_p(z, m)


def binom(n: Any, k: Any) -> Any:
    """The binomial coefficient, ``gamma(n + 1) / (gamma(k + 1) gamma(n - k + 1))``.

    Parameters
    ----------
    n : Array
        Floating.
    k : Array
        Of the shape and dtype of `n`.
    """
    return binom_p(n, k)
