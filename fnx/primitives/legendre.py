"""Normalised associated Legendre functions of an angle: the part of spherical harmonics in it.

``P_nm(theta) = Y_nm(theta, 0)``, orthonormal on the sphere. With ``r_nm = sqrt((n - m) (n + m +
1))`` the family is closed under differentiation without a division by ``sin(theta)``: ``2 P_nm' =
r_nm P_n(m+1) - r_n(m-1) P_n(m-1)``, and ``P_nm`` is 0 for ``|m| > n``. Degree and order are
operands, integers. Evaluation is SciPy's. Read next: `scipy_functions`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from fnx.core.primitive import Primitive, Sample
from fnx.primitives.arithmetic import add, mul, sub
from fnx.primitives.cast import convert_element_type
from fnx.primitives.comparison import max as maximum
from fnx.primitives.constants import like, minus, plus, times
from fnx.primitives.powers import sqrt
from fnx.primitives.samplers import DTYPES, arrays
from fnx.primitives.scipy_functions import scipy_function

__all__ = ["legendre"]


def _legendre(n: Any, m: Any, theta: Any) -> Any:
    import scipy.special  # loads on first use

    degree, order = n.astype(np.int64), m.astype(np.int64)
    inside = np.abs(order) <= degree
    value = scipy.special.sph_harm_y(
        np.where(inside, degree, 0), np.where(inside, order, 0), theta, 0
    )
    return np.where(inside, value.real, 0.0)


def _ladder(n: Any, m: Any, theta: Any) -> Any:
    """``r_nm``; 0 outside, where the function is 0, too."""
    n, m = convert_element_type(n, theta.dtype), convert_element_type(m, theta.dtype)
    square = mul(sub(n, m), plus(add(n, m), 1))
    return sqrt(maximum(square, like(square, 0)))


def _slope(t: Any, out: Any, n: Any, m: Any, theta: Any) -> Any:
    below = minus(m, 1)
    up = mul(_ladder(n, m, theta), legendre_p(n, plus(m, 1), theta))
    down = mul(_ladder(n, below, theta), legendre_p(n, below, theta))
    return mul(t, times(sub(up, down), 0.5))


def _samples(rng: np.random.Generator) -> Iterator[Sample]:
    for dtype in DTYPES["f"]:
        for shape in ((), (3,), (0, 2), (2, 1, 2)):
            degree = arrays(rng, shape, np.int32, 1, 4)
            order = (arrays(rng, shape, np.int32, -4, 4) % (degree + 1)).astype(np.int32)
            yield Sample((degree, order, arrays(rng, shape, dtype, 0.2, 2.9)), {})


legendre_p: Primitive = scipy_function(
    "legendre",
    _legendre,
    (None, None, _slope),
    (1, 4),
    (0, 4),
    (0.2, 2.9),
    accepts=("i", "i", "f"),
    sample=_samples,
)


def legendre(n: Any, m: Any, theta: Any) -> Any:
    """The spherical harmonic of an angle from the pole, at longitude 0.

    Parameters
    ----------
    n, m : Array
        Signed integers: degree and order.
    theta : Array
        Floating, of the shape of `n`.
    """
    return legendre_p(n, m, theta)
