"""The regularised incomplete gamma functions, with derivatives of every order in both arguments.

``P(a, x)`` is the distribution function of the gamma density ``f(a, x) = x^(a-1) exp(-x) /
gamma(a)``. The primitive `igamma_p` has a static parameter, the order n of the derivative in a,
and with f is closed under differentiation: ``d/da P_n = P_{n+1}`` and ``d/dx P_n = (d/da)^n f = f
B_n``, B_n a polynomial in ``log(x) - digamma(a)`` and the polygammas of a. `sensitivity_p` is
``P_n / f``, which stays finite where both underflow; its first order is the derivative of gamma
samples.

P and 1 - P are SciPy's. For n > 0 the density's derivative is integrated over ``log(t)`` from x to
the nearer end (see `parameter_integrals`); for a < 1 after one step of the recurrence ``P(a, x) =
P(a + 1, x) + x^a exp(-x) / gamma(a + 1)``. Read next: `incomplete_beta`.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from fnx.core.primitive import Primitive
from fnx.primitives.arithmetic import div, mul, neg, sub
from fnx.primitives.constants import like, minus, times
from fnx.primitives.exponential import log
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

__all__ = ["gamma_density_p", "igamma", "igamma_grad_a", "igammac", "random_gamma_grad"]

# ---------------------------------------------------------------------- evaluation


def _log_ratio(x: Any, a: Any) -> Any:
    """``log(x / a)``, to full relative precision also where it is small."""
    offset = (x - a) / a
    near = np.abs(offset) < 0.5
    return np.where(near, np.log1p(np.where(near, offset, 0)), np.log(x) - np.log(a))


def _weight(a: Any, x: Any) -> Any:
    """``x^a exp(-x) / gamma(a)``, without the cancellation of large logarithms."""
    factor = 0.5 * np.log(a / (2 * math.pi)) - stirling_remainder(a)
    return np.exp(a * _log_ratio(x, a) - (x - a) + factor)


def _derivative_of_weight(a: Any, logarithm: Any, order: int) -> Any:
    """The polynomial B_n."""
    import scipy.special  # loads on first use

    def higher(orders: tuple[int, ...]) -> Any:
        return -scipy.special.polygamma(orders[0] - 1, a)

    slope = logarithm - scipy.special.digamma(a)
    return relative_derivative(NUMPY, [order], [slope], higher)


def _integral_over_weight(a: Any, x: Any, order: int) -> Any:
    """``P_n`` divided by the weight, of a >= 1: the integral over ``log(t / x)``."""
    lower = x <= a
    width = np.where(lower, np.minimum(np.sqrt(a), a), np.sqrt(x))
    step = np.where(lower, -1, 1) / (np.abs(a - x) + width)
    logarithm = np.log(x)

    def integrand(u: Any) -> Any:
        d = np.multiply.outer(u, step)  # log(t / x)
        factor = _derivative_of_weight(a, logarithm + d, order)
        return np.exp(a * d - x * np.expm1(d)) * factor

    # below: the integral from 0 to x; above: minus that from x to infinity
    return -step * half_line(integrand, x.size)


def _derivative_and_density(a: Any, x: Any, order: int) -> tuple[Any, Any, Any]:
    """``P_n / scale``, ``f / scale`` and scale, which may underflow when the others don't."""
    small = a < 1
    above = np.where(small, a + 1, a)
    ratio = _integral_over_weight(above, x, order)
    # P_n(a, x) = (d/da)^n (x^a exp(-x) / gamma(a + 1)) + P_n(a + 1, x)
    step = _derivative_of_weight(above, np.log(x), order)
    usual = _weight(above, x)
    scale = np.where(small, _power(a, x, above), usual)
    return np.where(small, step + x * ratio, ratio), np.where(small, a, 1) / x, scale


def _power(a: Any, x: Any, shape: Any) -> Any:
    """``x^a exp(-x) / gamma(shape)``, of small arguments."""
    import scipy.special  # loads on first use

    return np.exp(a * np.log(x) - x) * scipy.special.rgamma(np.minimum(shape, 2.0))


def _on_domain(a: Any, x: Any, compute: Any) -> Any:
    """0 at the ends of the half line, NaN outside."""
    inside = (a >= 0) & (x > 0) & np.isfinite(a) & np.isfinite(x)
    result = compute(np.where(inside, a, 1.0), np.where(inside, x, 1.0))
    at_end = ((a > 0) & (x == 0)) | ((a >= 0) & np.isfinite(a) & (x == np.inf))
    return np.where(inside, result, np.where(at_end, 0.0, np.nan))


def _igamma(a: Any, x: Any, derivative: int) -> Any:
    import scipy.special  # loads on first use

    if derivative == 0:
        return scipy.special.gammainc(a, x)

    def compute(a: Any, x: Any) -> Any:
        ratio, _, scale = _derivative_and_density(a, x, derivative)
        # the ratio may be infinite where the scale has underflown
        return np.where(scale == 0, 0.0, ratio * scale)

    return _on_domain(a, x, compute)


def _sensitivity(a: Any, x: Any, derivative: int) -> Any:
    def compute(a: Any, x: Any) -> Any:
        ratio, density, _ = _derivative_and_density(a, x, derivative)
        return ratio / density

    return _on_domain(a, x, compute)


def _density(a: Any, x: Any) -> Any:
    inside = (x > 0) & (a > -np.inf) & (a < np.inf)
    point, shape = np.where(inside, x, 1.0), np.where(inside, a, 1.0)
    large = shape >= 1
    usual = _weight(np.where(large, shape, 1.0), point) / point
    small = np.where(large, 1.0, shape)
    power = _power(small - 1, point, small)
    at_zero = np.where(a == 1, 1.0, np.where(a > 1, 0.0, np.where(a > 0, np.inf, np.nan)))
    result = np.where(inside, np.where(large, usual, power), np.where(x == 0, at_zero, np.nan))
    return np.where(point == np.inf, 0.0, result)


# ---------------------------------------------------------------------- derivatives


def _relative(a: Any, x: Any, order: int) -> Any:
    """B_n in operations: ``(d/da)^n f / f``."""

    def higher(orders: tuple[int, ...]) -> Any:  # -polygamma(m - 1, a), m the order
        order = orders[0]
        sign = (-1) ** (order - 1)
        return times(zeta(like(a, order), a), sign * math.factorial(order - 1))

    return relative_derivative(RULES, [order], [sub(log(x), digamma(a))], higher)


def _shape_slope(t: Any, out: Any, a: Any, x: Any) -> Any:
    return mul(t, mul(out, sub(log(x), digamma(a))))


def _point_slope(t: Any, out: Any, a: Any, x: Any) -> Any:
    return mul(t, mul(out, _logarithmic_slope(a, x)))


def _logarithmic_slope(a: Any, x: Any) -> Any:
    """``d/dx log f = (a - 1) / x - 1``."""
    return minus(div(minus(a, 1), x), 1)


def _slope_in_x(a: Any, x: Any, derivative: int) -> Any:
    density = gamma_density_p(a, x)
    return mul(density, _relative(a, x, derivative)) if derivative else density


def _sensitivity_in_a(t: Any, out: Any, a: Any, x: Any, derivative: int) -> Any:
    above = sensitivity_p(a, x, derivative=derivative + 1)
    return mul(t, sub(above, mul(out, sub(log(x), digamma(a)))))


def _sensitivity_in_x(t: Any, out: Any, a: Any, x: Any, derivative: int) -> Any:
    return mul(t, sub(_relative(a, x, derivative), mul(out, _logarithmic_slope(a, x))))


SHAPE, POINT = (0.6, 3.0), (0.3, 4.0)

gamma_density_p = scipy_function(
    "gamma_density", _density, (_shape_slope, _point_slope), SHAPE, POINT
)
igamma_p: Primitive = scipy_function(
    "igamma",
    _igamma,
    (
        lambda t, out, a, x, derivative: mul(t, igamma_p(a, x, derivative=derivative + 1)),
        lambda t, out, a, x, derivative: mul(t, _slope_in_x(a, x, derivative)),
    ),
    SHAPE,
    POINT,
    params=({"derivative": 0}, {"derivative": 1}),
)
igammac_p = scipy_function(
    "igammac",
    "gammaincc",
    (
        lambda t, out, a, x: neg(mul(t, igamma_p(a, x, derivative=1))),
        lambda t, out, a, x: neg(mul(t, gamma_density_p(a, x))),
    ),
    SHAPE,
    POINT,
)
sensitivity_p: Primitive = scipy_function(
    "gamma_sensitivity",
    _sensitivity,
    (_sensitivity_in_a, _sensitivity_in_x),
    SHAPE,
    POINT,
    params=({"derivative": 1},),
)


def igamma(a: Any, x: Any) -> Any:
    """The regularised lower incomplete gamma function, ``P(a, x)``.

    Parameters
    ----------
    a : Array
        Floating, not negative.
    x : Array
        Of the shape and dtype of `a`; not negative.
    """
    return igamma_p(a, x, derivative=0)


def igammac(a: Any, x: Any) -> Any:
    """The regularised upper incomplete gamma function, ``1 - P(a, x)``.

    Parameters
    ----------
    a : Array
        Floating, not negative.
    x : Array
        Of the shape and dtype of `a`; not negative.
    """
    return igammac_p(a, x)


def igamma_grad_a(a: Any, x: Any) -> Any:
    """The derivative of `igamma` in its first argument.

    Parameters
    ----------
    a : Array
        Floating, not negative.
    x : Array
        Of the shape and dtype of `a`; not negative.
    """
    return igamma_p(a, x, derivative=1)


def random_gamma_grad(a: Any, x: Any) -> Any:
    """How a sample of the gamma distribution moves with the shape parameter, at a fixed quantile.

    ``dx/da = -(dP/da) / (dP/dx)``; implicit reparameterisation (M. Figurnov, S. Mohamed and A.
    Mnih, *Implicit reparameterization gradients*, 2018).

    Parameters
    ----------
    a : Array
        Floating, positive: the shape parameter.
    x : Array
        Of the shape and dtype of `a`: the sample.
    """
    return neg(sensitivity_p(a, x, derivative=1))
