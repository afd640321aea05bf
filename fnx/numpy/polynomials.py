"""Polynomials as coefficients, the highest power first.  Read next: `calculus`."""

from __future__ import annotations

from typing import Any

import numpy as np

from fnx.numpy import ufuncs
from fnx.numpy.creation import zeros
from fnx.numpy.joining import atleast_1d, concatenate
from fnx.numpy.promotion import as_arrays, promote_dtypes, promote_inexact

__all__ = ["polyadd", "polyder", "polyint", "polysub", "polyval"]


def _coefficients(name: str, p: Any) -> Any:
    x = atleast_1d(as_arrays(name, p)[0])
    if x.ndim != 1:
        raise ValueError(f"{name}: coefficients must have one axis, got shape {x.shape}.")
    return x


def _combine(name: str, operation: Any, a: Any, b: Any) -> Any:
    x, y = promote_dtypes(name, _coefficients(name, a), _coefficients(name, b))
    longest = max(x.size, y.size)
    padded = [concatenate([zeros(longest - v.size, dtype=v.dtype), v]) for v in (x, y)]
    return operation(*padded)


def polyadd(a1: Any, a2: Any) -> Any:
    """The sum of two polynomials.

    Parameters
    ----------
    a1, a2 : array-like
        Coefficients, the highest power first.
    """
    return _combine("polyadd", ufuncs.add, a1, a2)


def polysub(a1: Any, a2: Any) -> Any:
    """The difference of two polynomials.

    Parameters
    ----------
    a1, a2 : array-like
        Coefficients, the highest power first.
    """
    return _combine("polysub", ufuncs.subtract, a1, a2)


def polyval(p: Any, x: Any) -> Any:
    """A polynomial's values, by Horner's rule.

    Parameters
    ----------
    p : array-like
        Coefficients along the first axis, the highest power first.
    x : array-like
        Where.
    """
    coefficients, place = promote_dtypes("polyval", p, x)
    if coefficients.ndim == 0:
        raise ValueError("polyval: coefficients must have an axis, got shape (). Pass a sequence.")
    result = ufuncs.multiply(place, ufuncs.constant_like(place, 0))
    for k in range(coefficients.shape[0]):
        result = ufuncs.add(ufuncs.multiply(result, place), coefficients[k])
    return result


def polyder(p: Any, m: int = 1) -> Any:
    """The derivative of a polynomial.

    Parameters
    ----------
    p : array-like
        Coefficients, the highest power first.
    m : int
        How often.
    """
    if m < 0:
        raise ValueError(f"polyder: m must not be negative, got {m}. Use polyint to integrate.")
    (x,) = promote_inexact("polyder", _coefficients("polyder", p))
    for _ in range(m):
        powers = np.arange(max(x.size - 1, 0), 0, -1)
        x = ufuncs.multiply(x[:-1], powers.astype(x.dtype))
    return x


def polyint(p: Any, m: int = 1, k: Any = None) -> Any:
    """The integral of a polynomial.

    Parameters
    ----------
    p : array-like
        Coefficients, the highest power first.
    m : int
        How often.
    k : array-like, optional
        Constants of integration, one for each time or one for all; zero by default.
    """
    if m < 0:
        raise ValueError(f"polyint: m must not be negative, got {m}. Use polyder to differentiate.")
    x, constants = promote_inexact("polyint", _coefficients("polyint", p), 0 if k is None else k)
    constants = atleast_1d(constants)
    if constants.shape not in ((1,), (m,)):
        raise ValueError(f"polyint: k must be one constant or {m}, got shape {constants.shape}.")
    for time in range(m):
        powers = np.arange(x.size, 0, -1)
        x = ufuncs.divide(x, powers.astype(x.dtype))
        constant = constants[min(time, constants.size - 1)]
        x = concatenate([x, atleast_1d(constant)])
    return x
