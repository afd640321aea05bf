"""Special functions that are integrals of elementary ones: their derivatives are elementary.

Exponential, sine, cosine and Fresnel integrals, Spence's dilogarithm, Owen's T. Where the
integrand has a removable singularity its derivatives are taken from a family that has none:
``sin(x) / x`` is a spherical Bessel function, ``log(z) / (z - 1)`` a hypergeometric one.
Evaluation is SciPy's. Read next: `entropy`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from fnx.core.primitive import Primitive, Sample
from fnx.primitives.arithmetic import div, mul, neg, square
from fnx.primitives.bessel import spherical_bessel
from fnx.primitives.constants import like, minus, plus, subtracted_from, times
from fnx.primitives.exponential import exp
from fnx.primitives.hypergeometric import hyp2f1
from fnx.primitives.samplers import DTYPES, arrays
from fnx.primitives.scipy_functions import scipy_function
from fnx.primitives.special import erf
from fnx.primitives.trigonometric import cos, sin

__all__ = ["exp1", "expi", "expn", "fresnel", "owens_t", "sici", "spence"]

# ---------------------------------------------------------------------- exponential integrals


def _expn(n: Any, x: Any) -> Any:
    import scipy.special  # loads on first use

    order = n.astype(np.int64)
    if not x.size:
        return x
    value = scipy.special.expn(np.maximum(order, 0), x)
    # downwards: E_n = (exp(-x) - n E_(n+1)) / x
    for k in range(0, -int(np.min(order)), 1):
        value = np.where(order < -k, (np.exp(-x) + (k + 1) * value) / x, value)
    return np.where(x < 0, np.nan, value)


def _expn_samples(rng: np.random.Generator) -> Iterator[Sample]:
    for dtype in DTYPES["f"]:
        for shape in ((), (3,), (0, 2), (2, 1, 2)):
            order = arrays(rng, shape, np.int32, 0, 3)
            yield Sample((order, arrays(rng, shape, dtype, 0.4, 3.0)), {})


expn_p: Primitive = scipy_function(
    "expn",
    _expn,
    (None, lambda t, out, n, x: neg(mul(t, expn_p(minus(n, 1), x)))),
    (0, 3),
    (0.4, 3.0),
    accepts=("i", "f"),
    sample=_expn_samples,
)
exp1_p = scipy_function(
    "exp1", "exp1", (lambda t, out, x: neg(mul(t, div(exp(neg(x)), x))),), (0.4, 3.0)
)
expi_p = scipy_function("expi", "expi", (lambda t, out, x: mul(t, div(exp(x), x)),), (0.4, 3.0))


def exp1(x: Any) -> Any:
    """The exponential integral E_1: the integral of ``exp(-t) / t`` from x to infinity.

    Parameters
    ----------
    x : Array
        Floating, positive.
    """
    return exp1_p(x)


def expi(x: Any) -> Any:
    """The exponential integral Ei: the principal value of that of ``exp(t) / t`` up to x.

    Parameters
    ----------
    x : Array
        Floating.
    """
    return expi_p(x)


def expn(n: Any, x: Any) -> Any:
    """The exponential integral E_n: that of ``exp(-x t) / t^n`` from 1 to infinity.

    Parameters
    ----------
    n : Array
        Signed integers: the order.
    x : Array
        Floating, not negative, of the shape of `n`.
    """
    return expn_p(n, x)


# ---------------------------------------------------------------------- trigonometric integrals


def _part(name: str, position: int) -> Any:
    """One of the two results of a function of SciPy."""

    def evaluate(x: Any) -> Any:
        import scipy.special  # loads on first use

        return getattr(scipy.special, name)(x)[position]

    return evaluate


def _quarter_turns(x: Any) -> Any:
    """``pi x^2 / 2``."""
    return times(square(x), math.pi / 2)


sine_integral_p = scipy_function(
    "sine_integral",
    _part("sici", 0),
    (lambda t, out, x: mul(t, spherical_bessel(x, 0)),),
    (-3.0, 3.0),
)
cosine_integral_p = scipy_function(
    "cosine_integral", _part("sici", 1), (lambda t, out, x: mul(t, div(cos(x), x)),), (0.4, 3.0)
)
fresnel_sine_p = scipy_function(
    "fresnel_sine",
    _part("fresnel", 0),
    (lambda t, out, x: mul(t, sin(_quarter_turns(x))),),
    (-2.0, 2.0),
)
fresnel_cosine_p = scipy_function(
    "fresnel_cosine",
    _part("fresnel", 1),
    (lambda t, out, x: mul(t, cos(_quarter_turns(x))),),
    (-2.0, 2.0),
)


def sici(x: Any) -> tuple[Any, Any]:
    """The sine and cosine integrals, of ``sin(t) / t`` from 0 and of ``cos(t) / t`` from infinity.

    Parameters
    ----------
    x : Array
        Floating.
    """
    return sine_integral_p(x), cosine_integral_p(x)


def fresnel(x: Any) -> tuple[Any, Any]:
    """The integrals of ``sin(pi t^2 / 2)`` and ``cos(pi t^2 / 2)`` from 0 to x.

    Parameters
    ----------
    x : Array
        Floating.
    """
    return fresnel_sine_p(x), fresnel_cosine_p(x)


# ---------------------------------------------------------------------- Spence, Owen


def _spence_slope(t: Any, out: Any, z: Any) -> Any:
    # log(z) / (1 - z) = -2F1(1, 1; 2; 1 - z), also at 1
    one = like(z, 1)
    return neg(mul(t, hyp2f1(one, one, like(z, 2), subtracted_from(1, z))))


def _in_h(t: Any, out: Any, h: Any, a: Any) -> Any:
    # -exp(-h^2 / 2) erf(a h / sqrt(2)) / sqrt(8 pi)
    gauss = times(exp(times(square(h), -0.5)), -1 / math.sqrt(8 * math.pi))
    return mul(t, mul(gauss, erf(times(mul(a, h), math.sqrt(0.5)))))


def _in_a(t: Any, out: Any, h: Any, a: Any) -> Any:
    # exp(-h^2 (1 + a^2) / 2) / (2 pi (1 + a^2))
    factor = plus(square(a), 1)
    gauss = exp(times(mul(square(h), factor), -0.5))
    return mul(t, div(gauss, times(factor, 2 * math.pi)))


spence_p = scipy_function("spence", "spence", (_spence_slope,), (0.3, 3.0))
owens_t_p = scipy_function("owens_t", "owens_t", (_in_h, _in_a), (-2.0, 2.0), (-2.0, 2.0))


def spence(z: Any) -> Any:
    """Spence's function: the integral of ``log(t) / (1 - t)`` from 1 to z.

    Parameters
    ----------
    z : Array
        Floating, not negative.
    """
    return spence_p(z)


def owens_t(h: Any, a: Any) -> Any:
    """Owen's T: the probability that a normal pair has ``X > h`` and ``0 < Y < a X``.

    Parameters
    ----------
    h : Array
        Floating.
    a : Array
        Of the shape and dtype of `h`.
    """
    return owens_t_p(h, a)
