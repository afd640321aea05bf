"""The Faddeeva function ``w(z) = exp(-z^2) erfc(-iz)`` and its kin, with all of their derivatives.

``w' = 2i/sqrt(pi) - 2 z w``, and from the second on ``w^(n+1) = -2 z w^(n) - 2 n w^(n-1)``. The
recurrence cancels for large z, so the order of the derivative is a static parameter, and far out
the asymptotic series is differentiated term by term. Dawson's integral is ``sqrt(pi)/2 Im w(x)``
and ``erfcx(x) = w(ix)``; ``erfcx`` is what the logarithm of the normal distribution function
needs. Values are SciPy's. Read next: `hypergeometric`.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from fnx.core.primitive import Primitive
from fnx.primitives.arithmetic import mul, square
from fnx.primitives.constants import over, times
from fnx.primitives.exponential import exp
from fnx.primitives.families import COMPLEX
from fnx.primitives.scipy_functions import scipy_function

__all__ = ["dawsn", "erfcx", "log_ndtr", "ndtri", "wofz"]

#: From which modulus on the asymptotic series has every digit, and its terms.
FAR, TERMS = 6.5, 36


def _nearby(value: Any, z: Any, first: complex, order: int) -> Any:
    """The recurrence from the value and ``first - 2 z value``."""
    before, now = value, first - 2 * z * value
    for n in range(1, order):
        before, now = now, -2 * z * now - 2 * n * before
    return now


def _far_away(z: Any, order: int) -> Any:
    """The n-th derivative of ``sum_k (2k-1)!! / 2^k z^(-2k-1)``, times ``i / sqrt(pi)``."""
    coefficients = []
    ratio = float(math.factorial(order))
    for k in range(TERMS):
        coefficients.append(ratio)
        # (2k+1)!!/2 more, and (2k+1)...(2k+n) becomes (2k+3)...(2k+2+n)
        ratio *= (2 * k + 1) / 2 * math.prod(range(2 * k + 3, 2 * k + 3 + order))
        ratio /= math.prod(range(2 * k + 1, 2 * k + 1 + order))
    inverse = 1 / z
    total = np.polynomial.polynomial.polyval(inverse * inverse, coefficients)
    return (-1) ** order * total * inverse ** (order + 1) * (1j / math.sqrt(math.pi))


def _gaussian_derivative(z: Any, order: int) -> Any:
    """The n-th derivative of ``exp(-z^2)``."""
    before, now = np.zeros_like(z), np.exp(-z * z)
    for n in range(order):
        before, now = now, -2 * z * now - 2 * n * before
    return now


def _wofz(z: Any, derivative: int) -> Any:
    import scipy.special  # loads on first use

    if derivative == 0:
        return scipy.special.wofz(z)
    # w(z) = 2 exp(-z^2) - w(-z) leads from the lower half plane to the upper one
    below = z.imag < 0
    upper = np.where(below, -z, z)
    near = _nearby(scipy.special.wofz(upper), upper, 2j / math.sqrt(math.pi), derivative)
    far = np.abs(upper) > FAR
    value = np.where(far, _far_away(np.where(far, upper, FAR), derivative), near)
    turned = 2 * _gaussian_derivative(z, derivative) - (-1) ** derivative * value
    return np.where(below, turned, value)


def _dawsn(x: Any, derivative: int) -> Any:
    import scipy.special  # loads on first use

    if derivative == 0:
        return scipy.special.dawsn(x)
    far = np.abs(x) > FAR
    series = _far_away(np.where(far, x, FAR).astype(np.complex128), derivative)
    near = _nearby(scipy.special.dawsn(x), x, 1.0, derivative)
    return np.where(far, series.imag * (math.sqrt(math.pi) / 2), near)


def _erfcx(x: Any, derivative: int) -> Any:
    import scipy.special  # loads on first use

    if derivative == 0:
        return scipy.special.erfcx(x)
    return (1j**derivative * _wofz(1j * x, derivative)).real


def _next(primitive: Any, t: Any, x: Any, derivative: int) -> Any:
    return mul(t, primitive(x, derivative=derivative + 1))


ORDERS = ({"derivative": 0}, {"derivative": 1})

wofz_p: Primitive = scipy_function(
    "wofz",
    _wofz,
    (lambda t, out, z, derivative: _next(wofz_p, t, z, derivative),),
    (-2.0, 2.0),
    params=ORDERS,
    accepts=COMPLEX,
)
dawsn_p: Primitive = scipy_function(
    "dawsn",
    _dawsn,
    (lambda t, out, x, derivative: _next(dawsn_p, t, x, derivative),),
    (-3.0, 3.0),
    params=ORDERS,
)
erfcx_p: Primitive = scipy_function(
    "erfcx",
    _erfcx,
    (lambda t, out, x, derivative: _next(erfcx_p, t, x, derivative),),
    (-1.0, 3.0),
    params=ORDERS,
)


def wofz(z: Any) -> Any:
    """The Faddeeva function ``exp(-z^2) erfc(-iz)``.

    Parameters
    ----------
    z : Array
        Complex.
    """
    return wofz_p(z, derivative=0)


def dawsn(x: Any) -> Any:
    """Dawson's integral, ``exp(-x^2)`` times the integral of ``exp(t^2)`` from 0 to x.

    Parameters
    ----------
    x : Array
        Floating.
    """
    return dawsn_p(x, derivative=0)


def erfcx(x: Any) -> Any:
    """The scaled complementary error function, ``exp(x^2) erfc(x)``.

    Parameters
    ----------
    x : Array
        Floating.
    """
    return erfcx_p(x, derivative=0)


# ---------------------------------------------------------------------- the normal distribution

log_ndtr_p = scipy_function(
    "log_ndtr",
    "log_ndtr",
    # phi(x) / Phi(x) = sqrt(2 / pi) / erfcx(-x / sqrt(2)), at any distance
    (lambda t, out, x: mul(t, over(math.sqrt(2 / math.pi), erfcx(times(x, -1 / math.sqrt(2))))),),
    (-3.0, 3.0),
)
ndtri_p = scipy_function(
    "ndtri",
    "ndtri",
    (lambda t, out, p: mul(t, times(exp(times(square(out), 0.5)), math.sqrt(2 * math.pi))),),
    (0.1, 0.9),
)


def log_ndtr(x: Any) -> Any:
    """The logarithm of the standard normal distribution function.

    Parameters
    ----------
    x : Array
        Floating.
    """
    return log_ndtr_p(x)


def ndtri(p: Any) -> Any:
    """The quantiles of the standard normal distribution.

    Parameters
    ----------
    p : Array
        Floating, from 0 to 1.
    """
    return ndtri_p(p)
