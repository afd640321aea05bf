"""Bessel functions of whole orders: each family is closed under differentiation.

``2 I_n' = I_(n-1) + I_(n+1)``, ``2 J_n' = J_(n-1) - J_(n+1)``, and for the spherical ones ``(2n +
1) j_n' = n j_(n-1) - (n + 1) j_(n+1)``: the order is a static parameter, and no rule divides by x,
so derivatives at 0 are right. Of ``exp(-abs(x)) I_n`` the derivatives are a family of their own,
which far out comes from the asymptotic series; at its kink they are the mean of both sides.
Evaluation is SciPy's. Read next: `definite_integrals`.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from fnx.core.primitive import Primitive
from fnx.primitives.arithmetic import add, mul, neg, sub
from fnx.primitives.constants import times
from fnx.primitives.scipy_functions import scipy_function

__all__ = ["bessel_i", "bessel_i0e", "bessel_i1e", "bessel_j", "spherical_bessel"]


def _modified(x: Any, order: int) -> Any:
    import scipy.special as functions  # loads on first use

    if order < 2:
        return (functions.i0, functions.i1)[order](x)
    value = functions.iv(order, np.abs(x))
    value = np.where(np.abs(x) > 1e6, np.inf, value)  # SciPy has NaN
    return np.where((x < 0) & (order % 2 == 1), -value, value)


def _modified_slope(t: Any, out: Any, x: Any, order: int) -> Any:
    above = bessel_i_p(x, order=order + 1)
    if order == 0:
        return mul(t, above)
    return mul(t, times(add(bessel_i_p(x, order=order - 1), above), 0.5))


#: From where on Hankel's expansion has every digit of the scaled function, and its terms.
FAR, TERMS = 20.0, 36


def _scaled(x: Any, order: int, derivative: int) -> Any:
    import scipy.special as functions  # loads on first use

    if derivative == 0:
        return (functions.i0e, functions.i1e)[order](x)
    size = np.abs(x)
    # the derivatives of exp(-x) and of I, by Leibniz; for large x they cancel
    near = np.zeros_like(size)
    for j in range(derivative + 1):
        ways = math.comb(derivative, j) * (-1) ** (derivative - j) / 2**j
        for i in range(j + 1):
            near = near + ways * math.comb(j, i) * functions.ive(abs(order - j + 2 * i), size)
    far = size > FAR
    value = np.where(far, _hankel(np.where(far, size, FAR), order, derivative), near)
    odd = (order + derivative) % 2 == 1
    return np.where((x < 0) & odd, -value, np.where((x == 0) & odd, 0.0, value))


def _hankel(x: Any, order: int, derivative: int) -> Any:
    """The derivative of ``sum_k (-1)^k a_k x^(-k - 1/2) / sqrt(2 pi)``, term by term."""
    factor, coefficients = 1.0, []
    for k in range(TERMS):
        rising = math.prod(k + 0.5 + i for i in range(derivative))
        coefficients.append(factor * rising)
        factor *= -(4 * order * order - (2 * k + 1) ** 2) / (8 * (k + 1))
    total = np.polynomial.polynomial.polyval(1 / x, coefficients)
    return (-1) ** derivative * total * x ** (-0.5 - derivative) / math.sqrt(2 * math.pi)


def _scaled_slope(t: Any, out: Any, x: Any, order: int, derivative: int) -> Any:
    return mul(t, bessel_ie_p(x, order=order, derivative=derivative + 1))


def _first_kind(x: Any, order: int) -> Any:
    import scipy.special as functions  # loads on first use

    if order < 2:
        return (functions.j0, functions.j1)[order](x)
    return functions.jv(order, x)


def _first_kind_slope(t: Any, out: Any, x: Any, order: int) -> Any:
    above = bessel_j_p(x, order=order + 1)
    if order == 0:
        return neg(mul(t, above))
    return mul(t, times(sub(bessel_j_p(x, order=order - 1), above), 0.5))


def _spherical(x: Any, order: int) -> Any:
    import scipy.special as functions  # loads on first use

    value = functions.spherical_jn(order, np.abs(x))
    return np.where((x < 0) & (order % 2 == 1), -value, value)


def _spherical_slope(t: Any, out: Any, x: Any, order: int) -> Any:
    above = times(spherical_bessel_p(x, order=order + 1), (order + 1) / (2 * order + 1))
    if order == 0:
        return neg(mul(t, above))
    below = times(spherical_bessel_p(x, order=order - 1), order / (2 * order + 1))
    return mul(t, sub(below, above))


bessel_i_p: Primitive = scipy_function(
    "bessel_i", _modified, (_modified_slope,), (-3.0, 3.0), params=({"order": 0}, {"order": 3})
)
bessel_ie_p: Primitive = scipy_function(
    "bessel_ie",
    _scaled,
    (_scaled_slope,),
    (0.2, 3.0),
    params=({"order": 0, "derivative": 0}, {"order": 1, "derivative": 1}),
)
bessel_j_p: Primitive = scipy_function(
    "bessel_j", _first_kind, (_first_kind_slope,), (-3.0, 3.0), params=({"order": 0}, {"order": 2})
)
spherical_bessel_p: Primitive = scipy_function(
    "spherical_bessel",
    _spherical,
    (_spherical_slope,),
    (-3.0, 3.0),
    params=({"order": 0}, {"order": 1}),
)


def bessel_i(x: Any, order: int) -> Any:
    """The modified Bessel function of the first kind.

    Parameters
    ----------
    x : Array
        Floating.
    order : int
        Not negative.
    """
    return bessel_i_p(x, order=order)


def bessel_i0e(x: Any) -> Any:
    """The modified Bessel function of order 0, times ``exp(-abs(x))``.

    Parameters
    ----------
    x : Array
        Floating.
    """
    return bessel_ie_p(x, order=0, derivative=0)


def bessel_i1e(x: Any) -> Any:
    """The modified Bessel function of order 1, times ``exp(-abs(x))``.

    Parameters
    ----------
    x : Array
        Floating.
    """
    return bessel_ie_p(x, order=1, derivative=0)


def bessel_j(x: Any, order: int) -> Any:
    """The Bessel function of the first kind.

    Parameters
    ----------
    x : Array
        Floating.
    order : int
        Not negative.
    """
    return bessel_j_p(x, order=order)


def spherical_bessel(x: Any, order: int) -> Any:
    """The spherical Bessel function of the first kind; of order 0, ``sin(x) / x``.

    Parameters
    ----------
    x : Array
        Floating.
    order : int
        Not negative.
    """
    return spherical_bessel_p(x, order=order)
