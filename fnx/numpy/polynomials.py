"""Polynomials as coefficients, the highest power first.  Read next: `calculus`."""

from __future__ import annotations

from typing import Any

import numpy as np

from fnx import dtypes
from fnx.errors import ArgumentTypeError, ArgumentValueError, ConcretizationTypeError
from fnx.numpy import linalg, reductions, ufuncs
from fnx.numpy.correlations import convolve
from fnx.numpy.creation import eye, ones, zeros
from fnx.numpy.editing import trim_zeros
from fnx.numpy.elementwise import power
from fnx.numpy.joining import atleast_1d, concatenate
from fnx.numpy.products import matmul, outer
from fnx.numpy.promotion import as_arrays, known, promote_dtypes, promote_inexact

__all__ = [
    "poly", "polyadd", "polyder", "polydiv", "polyfit", "polyint", "polymul", "polysub", "polyval",
    "roots", "vander",
]  # fmt: skip


def _coefficients(name: str, p: Any) -> Any:
    x = atleast_1d(as_arrays(name, p)[0])
    if x.ndim != 1:
        raise ArgumentValueError(f"{name}: coefficients must have one axis, got shape {x.shape}.")
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
        raise ArgumentValueError(
            "polyval: coefficients must have an axis, got shape (). Pass a sequence."
        )
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
        raise ArgumentValueError(
            f"polyder: m must not be negative, got {m}. Use polyint to integrate."
        )
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
        raise ArgumentValueError(
            f"polyint: m must not be negative, got {m}. Use polyder to differentiate."
        )
    x, constants = promote_inexact("polyint", _coefficients("polyint", p), 0 if k is None else k)
    constants = atleast_1d(constants)
    if constants.shape not in ((1,), (m,)):
        raise ArgumentValueError(
            f"polyint: k must be one constant or {m}, got shape {constants.shape}."
        )
    for time in range(m):
        powers = np.arange(x.size, 0, -1)
        x = ufuncs.divide(x, powers.astype(x.dtype))
        constant = constants[min(time, constants.size - 1)]
        x = concatenate([x, atleast_1d(constant)])
    return x


def _at_least_single(x: Any) -> Any:
    """LAPACK has no half precision."""
    return x.astype(np.float32) if x.dtype.itemsize < 4 else x


def poly(seq_of_zeros: Any) -> Any:
    """The polynomial with given roots, or the characteristic one of a matrix.

    Parameters
    ----------
    seq_of_zeros : array-like
        The roots, of one axis; or a square matrix.

    Returns
    -------
    array
        Coefficients, the highest power first.
    """
    (x,) = promote_inexact("poly", seq_of_zeros)
    x = atleast_1d(x)
    if x.ndim == 2 and x.shape[0] == x.shape[1]:
        x = linalg.eigvals(_at_least_single(x))
    if x.ndim != 1:
        raise ArgumentValueError(
            f"poly: seq_of_zeros must have one axis or be a square matrix, got {x.aval!r}."
        )
    if not x.shape[0]:
        return ones((), x.dtype)
    result = ones(1, x.dtype)
    for k in range(x.shape[0]):
        result = convolve(result, concatenate([ones(1, x.dtype), -x[k : k + 1]]))
    return result


def vander(x: Any, N: int | None = None, increasing: bool = False) -> Any:
    """The powers of elements, each in its own row.

    Parameters
    ----------
    x : array-like
        Of one axis.
    N : int, optional
        How many powers; as many as elements by default.
    increasing : bool
        Begin with the power 0.
    """
    (values,) = as_arrays("vander", x)
    if values.ndim != 1:
        raise ArgumentValueError(f"vander: x must have one axis, got {values.aval!r}.")
    count = values.shape[0] if N is None else N
    if count < 0:
        raise ArgumentValueError(f"vander: N must not be negative, got {count}.")
    powers = np.arange(count)[:: 1 if increasing else -1]
    columns = [power(values, int(p))[:, None] for p in powers.tolist()]
    if not columns:
        return zeros((values.shape[0], 0), values.dtype)
    return concatenate([c.astype(columns[0].dtype) for c in columns], axis=1)


def _trimmed(p: Any, trim: bool) -> Any:
    return trim_zeros(p, "f") if trim else p


def polymul(a1: Any, a2: Any, *, trim_leading_zeros: bool = False) -> Any:
    """The product of two polynomials.

    Parameters
    ----------
    a1, a2 : array-like
        Coefficients, the highest power first.
    trim_leading_zeros : bool
        Leave out zeros at the front, which NumPy always does; values must be known.
    """
    x, y = promote_inexact("polymul", _coefficients("polymul", a1), _coefficients("polymul", a2))
    return convolve(
        *[
            v if v.size else zeros(1, v.dtype)
            for v in (_trimmed(x, trim_leading_zeros), _trimmed(y, trim_leading_zeros))
        ]
    )


def polydiv(u: Any, v: Any, *, trim_leading_zeros: bool = False) -> tuple[Any, Any]:
    """The quotient and the rest of two polynomials.

    Parameters
    ----------
    u, v : array-like
        Coefficients, the highest power first.
    trim_leading_zeros : bool
        Leave out zeros at the front of the rest, which NumPy always does; values must be known.
    """
    x, y = promote_inexact("polydiv", _coefficients("polydiv", u), _coefficients("polydiv", v))
    steps = x.shape[0] - y.shape[0] + 1
    quotient = []
    for k in range(max(steps, 0)):
        factor = x[k] / y[0]
        quotient.append(factor)
        x = x.at[k : k + y.shape[0]].add(-factor * y)
    rest = x.at[: max(steps, 0)].set(0) if steps > 0 else x
    q = concatenate([atleast_1d(c) for c in quotient]) if quotient else zeros(1, x.dtype)
    return q, _trimmed(rest, trim_leading_zeros)


def roots(p: Any, *, strip_zeros: bool = True) -> Any:
    """The roots of a polynomial, as eigenvalues of its companion matrix.

    Parameters
    ----------
    p : array-like
        Coefficients, the highest power first.
    strip_zeros : bool
        Take zeros at both ends off, which changes the result's size: values must be known. Without
        it the first coefficient must not be zero.

    Examples
    --------
    >>> import fnx.numpy as jnp
    >>> roots(jnp.array([1., -3., 2.])).real
    Array([2., 1.], dtype=float32)
    """
    (x,) = promote_inexact("roots", p)
    x = atleast_1d(x)
    if x.ndim != 1:
        raise ArgumentValueError(f"roots: p must have one axis, got {x.aval!r}.")
    last = 0
    if strip_zeros:
        elements = known(x)
        if elements is None:
            raise ConcretizationTypeError(
                f"roots of a traced {x.aval!r}: how many there are depends on values. "
                "Pass strip_zeros=False."
            )
        places = np.flatnonzero(elements)
        if not places.size:
            return zeros(0, dtypes.to_complex_dtype(x.dtype))
        last = elements.size - 1 - int(places[-1])
        x = x[int(places[0]) : int(places[-1]) + 1]
    if x.shape[0] < 2:
        return zeros(last, dtypes.to_complex_dtype(x.dtype))
    x = _at_least_single(x)
    below = eye(x.shape[0] - 1, k=-1, dtype=x.dtype)
    found = linalg.eigvals(below.at[0, :].set(-x[1:] / x[0]))
    return concatenate([found, zeros(last, found.dtype)]) if last else found


def polyfit(
    x: Any,
    y: Any,
    deg: int,
    rcond: float | None = None,
    full: bool = False,
    w: Any = None,
    cov: bool | str = False,
) -> Any:
    """The polynomial that comes closest to points in the sense of least squares.

    Parameters
    ----------
    x : array-like
        Where, of one axis.
    y : array-like
        The values, of one axis, or of two with a polynomial for each column.
    deg : int
        The degree.
    rcond : float, optional
        Singular values below this part of the largest count as zero.
    full : bool
        Also give residuals, rank, singular values and rcond.
    w : array-like, optional
        Weights of the residuals, before they are squared.
    cov : bool or "unscaled"
        Also give the covariance of the coefficients.

    Returns
    -------
    array, or a tuple that begins with it
        Coefficients, the highest power first.
    """
    (places,), (values,) = promote_inexact("polyfit", x), promote_inexact("polyfit", y)
    if deg < 0:
        raise ArgumentValueError(f"polyfit: deg must not be negative, got {deg}.")
    if places.ndim != 1 or not places.shape[0]:
        raise ArgumentTypeError(f"polyfit: x must have one axis, not empty, got {places.aval!r}.")
    if values.ndim not in (1, 2) or values.shape[0] != places.shape[0]:
        raise ArgumentTypeError(
            f"polyfit: y {values.aval!r} doesn't fit x {places.aval!r}. Pass a value for each."
        )
    if rcond is None:
        rcond = places.shape[0] * float(np.finfo(places.dtype).eps)
    left, right = vander(places, deg + 1), values
    if w is not None:
        (weights,) = promote_inexact("polyfit", w)
        if weights.shape != places.shape:
            raise ArgumentTypeError(
                f"polyfit: w {weights.aval!r} doesn't fit x {places.aval!r}. Pass one for each."
            )
        left = left * weights[:, None]
        right = right * (weights[:, None] if right.ndim == 2 else weights)
    scale = ufuncs.sqrt(reductions.sum(left * left, axis=0))
    found, residuals, rank, singular = linalg.lstsq(left / scale, right, rcond)
    coefficients = (found.T / scale).T
    if full:
        return coefficients, residuals, rank, singular, np.asarray(rcond)
    if not cov:
        return coefficients
    base = linalg.inv(matmul((left / scale).T, left / scale)) / outer(scale, scale)
    factor: Any = 1
    if cov != "unscaled":
        if places.shape[0] <= deg + 1:
            raise ArgumentValueError(
                f"polyfit: {places.shape[0]} points are too few for the covariance of {deg + 1} "
                "coefficients. Pass cov='unscaled'."
            )
        factor = residuals / (places.shape[0] - deg - 1)
    base = base * factor if values.ndim == 1 else base[:, :, None] * factor
    return coefficients, base
