"""The discrete cosine transform of type 2 and its inverse, as in `jax.scipy.fft`.

A cosine transform of n numbers is a Fourier transform of the same n numbers, the even places
first and the odd ones after them in reverse, turned by ``exp(-pi i k / 2n)``: only the first half
is needed, because of real numbers the other half are conjugates.  Read next: `fnx.numpy.fft`.

References
----------
J. Makhoul, "A fast cosine transform in one and two dimensions", 1980.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from fnx.errors import ArgumentValueError, UnsupportedError
from fnx.numpy import elementwise
from fnx.numpy.creation import asarray
from fnx.numpy.fft import irfft, rfft
from fnx.numpy.joining import concatenate, stack
from fnx.numpy.manipulation import flip, moveaxis, normal_axes, normal_axis
from fnx.numpy.promotion import as_arrays, promote_inexact
from fnx.primitives.complex_numbers import complex as complex_
from fnx.primitives.linear_recurrence import edged

__all__ = ["dct", "dctn", "idct", "idctn"]


# ------------------------------------------------------------------------ along the last axis


def _turns(n: int, dtype: Any) -> Any:
    """``2 exp(-pi i k / 2n)`` for the first half of k."""
    return asarray((2 * np.exp(-0.5j * np.pi * np.arange(n // 2 + 1) / n)).astype(dtype))


def _factors(n: int, norm: str, dtype: Any) -> Any:
    """What the sums are multiplied by."""
    if norm == "forward":
        return asarray(np.full(n, 0.5 / n, dtype))
    factors = np.full(n, math.sqrt(0.5 / n), dtype)
    factors[0] = math.sqrt(0.25 / n)
    return asarray(factors)


def _cosines(x: Any, norm: str) -> Any:
    # With z[k] = 2 exp(-pi i k / 2n) V[k], the result is y[k] = Re z[k], y[n - k] = -Im z[k].
    n = x.shape[-1]
    half = rfft(concatenate([x[..., ::2], flip(x[..., 1::2], -1)], axis=-1))
    z = half * _turns(n, half.dtype)
    upper = flip(elementwise.imag(z)[..., 1 : (n + 1) // 2], -1)
    y = concatenate([elementwise.real(z), -upper], axis=-1)
    return y if norm == "backward" else y * _factors(n, norm, y.dtype)


def _signal(y: Any, norm: str) -> Any:
    n = y.shape[-1]
    y = y if norm == "backward" else y / _factors(n, norm, y.dtype)
    m = n // 2 + 1
    mirrored = flip(edged(y, y.ndim - 1, 0, 1, 0), -1)[..., :m]  # y[n - k], and y[n] is 0
    z = complex_(y[..., :m], -mirrored)
    v = irfft(z / _turns(n, z.dtype), n)
    even, odd = v[..., : (n + 1) // 2], flip(v[..., (n + 1) // 2 :], -1)
    if n % 2:
        odd = edged(odd, odd.ndim - 1, 0, 1, 0)
    return stack([even, odd], axis=-1).reshape((*y.shape[:-1], n + n % 2))[..., :n]


# ------------------------------------------------------------------------------------ over axes


def _over(
    name: str,
    function: Callable[[Any, str], Any],
    x: Any,
    type: int,
    s: Any,
    axes: Any,
    norm: str | None,
) -> Any:
    if type != 2:
        raise UnsupportedError(
            f"{name}: type={type} is not implemented, only type 2 (and its inverse, which is of "
            "type 3 but for a factor). Write others with `fnx.numpy.fft.rfft`."
        )
    factor = "backward" if norm is None else norm
    if factor not in ("backward", "ortho", "forward"):
        raise ArgumentValueError(
            f'{name}: invalid norm value {norm!r}; it should be "backward", "ortho" or "forward".'
        )
    (value,) = promote_inexact(name, *as_arrays(name, x))
    lengths = None if s is None else list(map(operator.index, np.atleast_1d(s).tolist()))
    if axes is None:
        count = value.ndim if lengths is None else len(lengths)
        if count > value.ndim:
            raise ArgumentValueError(
                f"{name}: s={s} has more lengths than the operand {value.aval!r} has axes."
            )
        places = tuple(range(value.ndim - count, value.ndim))
    else:
        places = normal_axes(name, axes, value.ndim)
    if lengths is None:
        lengths = [value.shape[k] for k in places]
    if len(lengths) != len(places):
        raise ArgumentValueError(f"{name}: s={s} and axes={axes} have different lengths.")
    for place, n in zip(places, lengths):
        if n < 1:
            raise ArgumentValueError(
                f"{name}: invalid number of data points ({n}) along axis {place} of "
                f"{value.aval!r}. Every length must be at least 1."
            )
    parts = [value]
    if value.dtype.kind == "c":
        parts = [elementwise.real(value), elementwise.imag(value)]
    for place, n in zip(places, lengths):
        grown = [edged(p, place, 0, n - p.shape[place], 0) for p in parts]
        parts = [moveaxis(function(moveaxis(p, place, -1), factor), -1, place) for p in grown]
    return parts[0] if len(parts) == 1 else complex_(*parts)


def dct(
    x: Any, type: int = 2, n: int | None = None, axis: int = -1, norm: str | None = None
) -> Any:
    """The cosine transform ``y[k] = 2 sum_j x[j] cos(pi k (2 j + 1) / 2 n)`` along an axis.

    Parameters
    ----------
    x : array-like
        The operand; of complex numbers both parts are transformed.
    type : int
        2.
    n : int, optional
        The length; the operand is cut or padded with zeros to it.
    axis : int
        Along which axis.
    norm : {"backward", "ortho", "forward"}, optional
        As it is (by default), orthonormal, or divided by ``2 n``.

    Raises
    ------
    NotImplementedError
        Of another type.

    Examples
    --------
    >>> import fnx.numpy as jnp
    >>> from fnx.scipy.fft import dct
    >>> dct(jnp.array([1., 1., 1.]), norm="forward").round(6)
    Array([1., 0., 0.], dtype=float32)
    """
    return _along("dct", _cosines, x, type, n, axis, norm)


def idct(
    x: Any, type: int = 2, n: int | None = None, axis: int = -1, norm: str | None = None
) -> Any:
    """The inverse of `dct`.

    Parameters
    ----------
    x : array-like
        What `dct` gives.
    type : int
        2.
    n : int, optional
        The length; the operand is cut or padded with zeros to it.
    axis : int
        Along which axis.
    norm : {"backward", "ortho", "forward"}, optional
        That of the `dct`.

    Examples
    --------
    >>> import fnx.numpy as jnp
    >>> from fnx.scipy.fft import dct, idct
    >>> idct(dct(jnp.array([1., 2., 4.]))).round(6)
    Array([1., 2., 4.], dtype=float32)
    """
    return _along("idct", _signal, x, type, n, axis, norm)


def _along(name: str, function: Any, x: Any, type: int, n: Any, axis: int, norm: Any) -> Any:
    lengths = None if n is None else (operator.index(n),)
    (value,) = as_arrays(name, x)
    place = normal_axis(name, axis, value.ndim)
    return _over(name, function, value, type, lengths, (place,), norm)


def dctn(
    x: Any,
    type: int = 2,
    s: int | Sequence[int] | None = None,
    axes: int | Sequence[int] | None = None,
    norm: str | None = None,
) -> Any:
    """`dct` along several axes.

    Parameters
    ----------
    x : array-like
        The operand.
    type : int
        2.
    s : int or sequence of int, optional
        The lengths, one for each axis.
    axes : int or sequence of int, optional
        Which axes; all by default, or as many of the last ones as there are lengths.
    norm : {"backward", "ortho", "forward"}, optional
        As for `dct`.
    """
    return _over("dctn", _cosines, x, type, s, axes, norm)


def idctn(
    x: Any,
    type: int = 2,
    s: int | Sequence[int] | None = None,
    axes: int | Sequence[int] | None = None,
    norm: str | None = None,
) -> Any:
    """The inverse of `dctn`.

    Parameters
    ----------
    x : array-like
        What `dctn` gives.
    type : int
        2.
    s : int or sequence of int, optional
        The lengths, one for each axis.
    axes : int or sequence of int, optional
        Which axes; all by default, or as many of the last ones as there are lengths.
    norm : {"backward", "ortho", "forward"}, optional
        That of the `dctn`.
    """
    return _over("idctn", _signal, x, type, s, axes, norm)
