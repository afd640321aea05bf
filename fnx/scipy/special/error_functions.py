"""Error functions and the normal distribution.  Read next: `integrals`."""

from __future__ import annotations

import math
from typing import Any

from fnx.errors import ArgumentTypeError, ArgumentValueError
from fnx.numpy.promotion import promote_inexact
from fnx.primitives import definite_integrals, faddeeva
from fnx.primitives import special as real
from fnx.primitives.cast import convert_element_type
from fnx.scipy.special.arguments import real_elementwise

__all__ = [
    "dawsn", "erf", "erfc", "erfcx", "erfinv", "fresnel", "log_ndtr", "ndtr", "ndtri", "owens_t",
    "wofz",
]  # fmt: skip


@real_elementwise
def erf(x: Any) -> Any:
    """The error function.

    Parameters
    ----------
    x : array-like
        Real.
    """
    return real.erf(x)


@real_elementwise
def erfc(x: Any) -> Any:
    """``1 - erf(x)``, accurate where it is small.

    Parameters
    ----------
    x : array-like
        Real.
    """
    return real.erfc(x)


@real_elementwise
def erfcx(x: Any) -> Any:
    """``exp(x**2) * erfc(x)``, without overflow.

    Parameters
    ----------
    x : array-like
        Real.
    """
    return faddeeva.erfcx(x)


@real_elementwise
def erfinv(x: Any) -> Any:
    """The inverse of the error function.

    Parameters
    ----------
    x : array-like
        From -1 to 1.
    """
    return real.erf_inv(x)


@real_elementwise
def dawsn(x: Any) -> Any:
    """Dawson's integral, ``exp(-x**2)`` times the integral of ``exp(t**2)`` from 0 to x.

    Parameters
    ----------
    x : array-like
        Real.
    """
    return faddeeva.dawsn(x)


def wofz(z: Any) -> Any:
    """The Faddeeva function, ``exp(-z**2) * erfc(-1j * z)``.

    Parameters
    ----------
    z : array-like
        Real or complex.

    Returns
    -------
    Array
        Complex.
    """
    (value,) = promote_inexact("wofz", z)
    if value.dtype.kind != "c":
        width = "complex128" if value.dtype.itemsize == 8 else "complex64"
        value = convert_element_type(value, width, value.weak_type)
    return faddeeva.wofz(value)


@real_elementwise
def fresnel(x: Any) -> tuple[Any, Any]:
    """The Fresnel integrals S and C, of ``sin(pi t**2 / 2)`` and ``cos(pi t**2 / 2)`` from 0 to x.

    Parameters
    ----------
    x : array-like
        Real.
    """
    return definite_integrals.fresnel(x)


@real_elementwise
def ndtr(x: Any) -> Any:
    """The standard normal distribution function.

    Parameters
    ----------
    x : array-like
        Real.

    Examples
    --------
    >>> ndtr(0.0)
    Array(0.5, dtype=float32, weak_type=True)
    """
    return real.erfc(x * -math.sqrt(0.5)) * 0.5


@real_elementwise
def ndtri(p: Any) -> Any:
    """The quantiles of the standard normal distribution.

    Parameters
    ----------
    p : array-like
        From 0 to 1.
    """
    return faddeeva.ndtri(p)


def log_ndtr(x: Any, series_order: int = 3) -> Any:
    """The logarithm of the standard normal distribution function, accurate in both tails.

    Parameters
    ----------
    x : array-like
        Real.
    series_order : int
        From 0 to 30. A series of so many terms may stand for the far tail; the value here is right
        to the dtype's precision for each of them.

    Raises
    ------
    TypeError, ValueError
        `series_order` isn't an integer, or out of range.
    """
    if not isinstance(series_order, int):
        raise ArgumentTypeError("log_ndtr: series_order must be a Python integer.")
    if not 0 <= series_order <= 30:
        raise ArgumentValueError(
            f"log_ndtr: series_order must be non-negative and at most 30, got {series_order}."
        )
    return _log_ndtr(x)


@real_elementwise
def _log_ndtr(x: Any) -> Any:
    return faddeeva.log_ndtr(x)


@real_elementwise
def owens_t(h: Any, a: Any) -> Any:
    """Owen's T function.

    Parameters
    ----------
    h, a : array-like
        Real.

    References
    ----------
    D. Owen, *Tables for computing bivariate normal probabilities*, 1956.
    """
    return definite_integrals.owens_t(h, a)
