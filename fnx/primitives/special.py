"""Special functions: erf, erfc, erf_inv; lgamma, digamma, polygamma and the Hurwitz zeta function.

Derivatives of any order stay in this family: ``lgamma' = digamma``, ``digamma' = zeta(2, .)``, and
zeta is closed under both of its derivatives (see `zeta_p`).  Evaluation is SciPy's, which loads on
the first use; zeta is in `zeta`.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from fnx.primitives import recurrences as series
from fnx.primitives.arithmetic import add, mul, neg, square
from fnx.primitives.comparison import eq, select
from fnx.primitives.constants import like, plus, subtracted_from, times
from fnx.primitives.elementary import elementary
from fnx.primitives.exponential import exp
from fnx.primitives.families import FLOAT
from fnx.primitives.hurwitz import zeta
from fnx.primitives.recurrences import Series
from fnx.primitives.rounding import floor

__all__ = [
    "digamma",
    "digamma_p",
    "erf",
    "erf_inv",
    "erf_inv_p",
    "erf_p",
    "erfc",
    "erfc_p",
    "lgamma",
    "lgamma_p",
    "polygamma",
]


def _scipy(name: str) -> Any:
    """A function of scipy.special; half-width floats are computed in float32."""

    def evaluate(x: Any) -> Any:
        import scipy.special  # loads on first use

        function = getattr(scipy.special, name)
        if x.dtype.itemsize == 2:
            return function(x.astype(np.float32)).astype(x.dtype)
        return function(x)

    return evaluate


# ---------------------------------------------------------------------- erf

TWO_OVER_ROOT_PI = 2 / math.sqrt(math.pi)


def _gauss(x: Any) -> Any:
    """``2 / sqrt(pi) exp(-x^2)``, the derivative of erf."""
    return times(exp(neg(square(x))), TWO_OVER_ROOT_PI)


def _gauss_series(x: Series) -> Series:
    inside = series.opposite(series.product(x, x))
    return series.scaled(series.exponential(exp(inside[0]), inside), TWO_OVER_ROOT_PI)


def _erf_series(y0: Any, x: Series, sign: int) -> Series:
    slopes = series.product(_gauss_series(x)[:-1], series.derivative(x))
    return series.integral(y0, slopes if sign == 1 else series.opposite(slopes))


def _erf_inv_series(y0: Any, x: Series) -> Series:
    # y' = s x' with s = sqrt(pi)/2 exp(y^2), and s' = (y^2)' s
    def slope(y: Series, s: Series) -> Any:
        w = series.weighted(series.product(y, y))
        order = len(y) - 1
        term = series.last_of_product(w, [*s, w[0]])
        return series.scaled([term], 1 / order)[0]

    s0 = times(exp(square(y0)), 1 / TWO_OVER_ROOT_PI)
    return series.product_rule(y0, x, slope, s0)[0]


erf_p = elementary(
    "erf",
    _scipy("erf"),
    lambda t, y, x: mul(t, _gauss(x)),
    lambda x: _erf_series(erf(x[0]), x, 1),
    accepts=FLOAT,
)
erfc_p = elementary(
    "erfc",
    _scipy("erfc"),
    lambda t, y, x: neg(mul(t, _gauss(x))),
    lambda x: _erf_series(erfc(x[0]), x, -1),
    accepts=FLOAT,
)
erf_inv_p = elementary(
    "erf_inv",
    lambda x: np.copysign(_scipy("erfinv")(x), x),
    lambda t, y, x: mul(t, times(exp(square(y)), 1 / TWO_OVER_ROOT_PI)),
    lambda x: _erf_inv_series(erf_inv(x[0]), x),
    domain=(-0.8, 0.8),
    accepts=FLOAT,
)


def erf(x: Any) -> Any:
    """The error function, ``2 / sqrt(pi)`` times the integral of ``exp(-t*t)`` from 0 to x.

    Parameters
    ----------
    x : Array
        Floating.
    """
    return erf_p(x)


def erfc(x: Any) -> Any:
    """``1 - erf(x)``, accurate where erf is near 1.

    Parameters
    ----------
    x : Array
        Floating.
    """
    return erfc_p(x)


def erf_inv(x: Any) -> Any:
    """The number of which the error function has a value.

    Parameters
    ----------
    x : Array
        Floating, from -1 to 1.
    """
    return erf_inv_p(x)


# ---------------------------------------------------------------------- lgamma, digamma


def _lgamma_evaluate(x: Any) -> Any:
    infinite = np.isinf(x)
    return np.where(infinite, np.abs(x), _scipy("gammaln")(np.where(infinite, np.ones_like(x), x)))


def _digamma_evaluate(x: Any) -> Any:
    pole = (x == np.floor(x)) & (x <= 0)  # -inf among them
    return np.where(
        pole, x.dtype.type(np.nan), _scipy("digamma")(np.where(pole, 1, x).astype(x.dtype))
    )


def _lgamma_series(x: Series) -> Series:
    # the n-th coefficient of the Taylor series of lgamma at x is (-1)^n zeta(n, x) / n, from n = 2
    # on
    coefficients = [lgamma(x[0]), digamma(x[0])]
    for n in range(2, len(x)):
        coefficients.append(times(zeta(like(x[0], n), x[0]), (-1) ** n / n))
    return series.composed(coefficients[: len(x)], x)


def _digamma_series(x: Series) -> Series:
    # and that of digamma (-1)^(n+1) zeta(n + 1, x)
    coefficients = [digamma(x[0])]
    for n in range(1, len(x)):
        coefficients.append(times(zeta(like(x[0], n + 1), x[0]), (-1) ** (n + 1)))
    return series.composed(coefficients, x)


lgamma_p = elementary(
    "lgamma",
    _lgamma_evaluate,
    lambda t, y, x: mul(t, digamma(x)),
    lambda x: _lgamma_series(x),
    domain=(0.4, 4.0),
    accepts=FLOAT,
)
digamma_p = elementary(
    "digamma",
    _digamma_evaluate,
    lambda t, y, x: mul(t, zeta(like(x, 2), x)),
    lambda x: _digamma_series(x),
    domain=(0.4, 4.0),
    accepts=FLOAT,
)


def lgamma(x: Any) -> Any:
    """The logarithm of the modulus of the gamma function.

    Parameters
    ----------
    x : Array
        Floating.
    """
    return lgamma_p(x)


def digamma(x: Any) -> Any:
    """The derivative of `lgamma`; NaN at its poles 0, -1, -2, ...

    Parameters
    ----------
    x : Array
        Floating.
    """
    return digamma_p(x)


def polygamma(m: Any, x: Any) -> Any:
    """The m-th derivative of `digamma`: ``(-1)**(m+1) m! zeta(m + 1, x)``.

    Parameters
    ----------
    m : Array
        Floating, of the values 0, 1, 2, ...
    x : Array
        Of the shape and dtype of `m`.
    """
    order = plus(m, 1)
    none = eq(m, like(m, 0))
    # zeta has its pole at 1: for m = 0 another order keeps derivatives finite
    whole = zeta(select(none, like(m, 2), order), x)
    odd = subtracted_from(1, times(_parity(m), 2))
    value = neg(mul(mul(odd, exp(lgamma(order))), whole))
    return select(none, digamma(x), value)


def _parity(m: Any) -> Any:
    """0 of even numbers, 1 of odd ones."""
    half = times(m, 0.5)
    return times(add(half, neg(floor(half))), 2)
