"""Bessel functions of whole orders, and spherical harmonics.  Read next: `entropies`."""

from __future__ import annotations

import operator
from typing import Any

from fnx.errors import ArgumentTypeError, ArgumentValueError, UnsupportedError
from fnx.numpy import ufuncs
from fnx.numpy.joining import stack
from fnx.numpy.promotion import as_arrays, broadcast_operands, promote_inexact
from fnx.primitives import bessel, legendre
from fnx.primitives.cast import convert_element_type
from fnx.primitives.complex_numbers import complex as complex_
from fnx.scipy.special.arguments import real_elementwise

__all__ = ["bessel_jn", "i0", "i0e", "i1", "i1e", "sph_harm_y"]


@real_elementwise
def i0(x: Any) -> Any:
    """The modified Bessel function of order 0.

    Parameters
    ----------
    x : array-like
        Real.
    """
    return bessel.bessel_i(x, 0)


@real_elementwise
def i0e(x: Any) -> Any:
    """The modified Bessel function of order 0, times ``exp(-abs(x))``.

    Parameters
    ----------
    x : array-like
        Real.
    """
    return bessel.bessel_i0e(x)


@real_elementwise
def i1(x: Any) -> Any:
    """The modified Bessel function of order 1.

    Parameters
    ----------
    x : array-like
        Real.
    """
    return bessel.bessel_i(x, 1)


@real_elementwise
def i1e(x: Any) -> Any:
    """The modified Bessel function of order 1, times ``exp(-abs(x))``.

    Parameters
    ----------
    x : array-like
        Real.
    """
    return bessel.bessel_i1e(x)


def bessel_jn(z: Any, *, v: int, n_iter: int = 50) -> Any:
    """The Bessel functions of the first kind, of the orders from 0 to v.

    Parameters
    ----------
    z : array-like
        Real.
    v : int
        The highest order.
    n_iter : int
        How far a downward recurrence may start; the values here are right to the dtype's
        precision for each of them.

    Returns
    -------
    Array
        Of the shape ``(v + 1, *z.shape)``.

    Examples
    --------
    >>> bessel_jn(0.0, v=2)
    Array([1., 0., 0.], dtype=float32, weak_type=True)
    """
    (value,) = promote_inexact("bessel_jn", z)
    if value.dtype.kind == "c":
        raise ArgumentValueError(f"bessel_jn: complex input not supported, got {value.aval!r}.")
    last = operator.index(v)
    if last < 0 or operator.index(n_iter) < 0:
        raise ArgumentValueError(f"bessel_jn: v and n_iter may not be negative: {v}, {n_iter}.")
    return stack([bessel.bessel_j(value, order) for order in range(last + 1)])


def sph_harm_y(
    n: Any, m: Any, theta: Any, phi: Any, diff_n: int | None = None, n_max: int | None = None
) -> Any:
    """The spherical harmonic of degree n and order m, with the Condon-Shortley phase.

    Parameters
    ----------
    n, m : array-like
        Integers; 0 where ``abs(m) > n``.
    theta : array-like
        The angle from the pole.
    phi : array-like
        The longitude.
    diff_n : None
        Derivatives are for the transforms.
    n_max : int, optional
        The highest degree; higher ones are clipped to it.

    Returns
    -------
    Array
        Complex.

    Raises
    ------
    NotImplementedError
        `diff_n` is given.
    TypeError
        Degree or order aren't integers.
    """
    if diff_n is not None:
        raise UnsupportedError("sph_harm_y: 'diff_n' is not supported. Use jvp or grad.")
    degree, order = as_arrays("sph_harm_y", n, m)
    for name, value in (("n", degree), ("m", order)):
        if value.dtype.kind not in "iu":
            raise ArgumentTypeError(f"sph_harm_y: {name} must be integers, got {value.aval!r}.")
    degree, order = convert_element_type(degree, "int32"), convert_element_type(order, "int32")
    if n_max is not None:
        degree = ufuncs.minimum(degree, operator.index(n_max))
    angles = promote_inexact("sph_harm_y", theta, phi)
    degree, order, theta, phi = broadcast_operands("sph_harm_y", [degree, order, *angles])
    value = legendre.legendre(degree, order, theta)
    turn = convert_element_type(order, phi.dtype) * phi
    return complex_(value * ufuncs.cos(turn), value * ufuncs.sin(turn))
