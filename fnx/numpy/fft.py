"""Discrete Fourier transforms, as in `numpy.fft` (`jax.numpy.fft`).

Whatever the operand's axes, lengths and factor are, one transform of `fnx.primitives.fft` does it,
after the operand was cut, or padded with zeros, to the lengths asked for.  Single precision stays
single.  Read next: `fnx.scipy.fft`.
"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from fnx import dtypes
from fnx.core.device import checked_device
from fnx.errors import ArgumentValueError
from fnx.numpy import elementwise
from fnx.numpy.creation import asarray
from fnx.numpy.joining import roll
from fnx.numpy.manipulation import normal_axis
from fnx.numpy.promotion import as_arrays
from fnx.primitives.fft import SWAPPED, FftType, Norm, transformed
from fnx.primitives.linear_recurrence import edged

__all__ = [
    "fft", "fft2", "fftfreq", "fftn", "fftshift", "hfft", "ifft", "ifft2", "ifftn", "ifftshift",
    "ihfft", "irfft", "irfft2", "irfftn", "rfft", "rfft2", "rfftfreq", "rfftn",
]  # fmt: skip


# --------------------------------------------------------------------------------- what they share


def _normal_norm(name: str, norm: str | None) -> Norm:
    if norm is None:
        return "backward"
    for known in SWAPPED:
        if norm == known:
            return known
    raise ArgumentValueError(
        f'{name}: invalid norm value {norm!r}; it should be "backward", "ortho" or "forward".'
    )


def _normal_lengths(
    name: str, x: Any, kind: FftType, s: Sequence[int] | None, axes: Sequence[int] | None
) -> tuple[list[int], list[int]]:
    """The axes, counted from the front, and the lengths of the transform along them."""
    if axes is None:
        count = x.ndim if s is None else len(s)
        axes = range(x.ndim - count, x.ndim)
    places = [normal_axis(name, axis, x.ndim) for axis in axes]
    if s is None:
        lengths = [x.shape[k] for k in places]
        if kind is FftType.IRFFT and places:
            lengths[-1] = 2 * (lengths[-1] - 1)
    else:
        if len(s) != len(places):
            raise ArgumentValueError(
                f"{name}: s={tuple(s)} and axes={tuple(axes)} have different lengths. Give one "
                "length for each axis."
            )
        lengths = [x.shape[k] if n == -1 else n for n, k in zip(map(operator.index, s), places)]
    for n in lengths:
        if n < 1:
            raise ArgumentValueError(
                f"{name}: invalid number of FFT data points ({n}), of an operand of shape "
                f"{x.shape}. Every length must be at least 1."
            )
    return places, lengths


def _over(
    name: str,
    kind: FftType,
    a: Any,
    s: Sequence[int] | None,
    axes: Sequence[int] | None,
    norm: str | None,
) -> Any:
    factor = _normal_norm(name, norm)
    (x,) = as_arrays(name, a)
    places, lengths = _normal_lengths(name, x, kind, s, axes)
    if not places:
        if kind in (FftType.RFFT, FftType.IRFFT):
            raise ArgumentValueError(
                f"{name}: at least one axis must be transformed. Name one in axes."
            )
        return transformed(kind, x, ())
    if len(set(places)) != len(places):  # one after the other, from the last
        if kind in (FftType.FFT, FftType.IFFT):
            for place, n in zip(reversed(places), reversed(lengths)):
                x = transformed(kind, _resized(x, place, n), (place,), n, factor)
            return x
        raise ArgumentValueError(f"{name}: axes={axes} names an axis twice.")
    for place, n in zip(places[:-1], lengths[:-1]):
        x = _resized(x, place, n)
    kept = lengths[-1] // 2 + 1 if kind is FftType.IRFFT else lengths[-1]
    return transformed(kind, _resized(x, places[-1], kept), places, lengths[-1], factor)


def _resized(x: Any, axis: int, length: int) -> Any:
    """Cut, or padded with zeros, at the end of an axis."""
    return x if x.shape[axis] == length else edged(x, axis, 0, length - x.shape[axis], 0)


def _along(name: str, kind: FftType, a: Any, n: int | None, axis: int, norm: str | None) -> Any:
    return _over(name, kind, a, None if n is None else (n,), (operator.index(axis),), norm)


def _in_plane(name: str, axes: Sequence[int]) -> Sequence[int]:
    if len(axes) != 2:
        raise ArgumentValueError(
            f"{name}: axes={tuple(axes)} must be two. Use {name[:-1]}n for others."
        )
    return axes


# ------------------------------------------------------------------------------------ complex


def fft(a: Any, n: int | None = None, axis: int = -1, norm: str | None = None) -> Any:
    """The discrete Fourier transform along an axis.

    Parameters
    ----------
    a : array-like
        The operand.
    n : int, optional
        The length; the operand is cut or padded with zeros to it.
    axis : int
        Along which axis.
    norm : {"backward", "ortho", "forward"}, optional
        The factor: 1 (by default), ``1 / sqrt(n)``, or ``1 / n``.

    Returns
    -------
    Array
        Complex.

    Examples
    --------
    >>> import fnx.numpy as jnp
    >>> jnp.fft.fft(jnp.array([1., 2., 3., 2.])).real
    Array([ 8., -2.,  0., -2.], dtype=float32)
    """
    return _along("fft", FftType.FFT, a, n, axis, norm)


def ifft(a: Any, n: int | None = None, axis: int = -1, norm: str | None = None) -> Any:
    """The inverse of `fft`.

    Parameters
    ----------
    a : array-like
        The operand.
    n : int, optional
        The length; the operand is cut or padded with zeros to it.
    axis : int
        Along which axis.
    norm : {"backward", "ortho", "forward"}, optional
        The factor: ``1 / n`` (by default), ``1 / sqrt(n)``, or 1.
    """
    return _along("ifft", FftType.IFFT, a, n, axis, norm)


def fftn(
    a: Any,
    s: Sequence[int] | None = None,
    axes: Sequence[int] | None = None,
    norm: str | None = None,
) -> Any:
    """The discrete Fourier transform over several axes.

    Parameters
    ----------
    a : array-like
        The operand.
    s : sequence of int, optional
        The lengths, one for each axis; -1 leaves an axis as it is.
    axes : sequence of int, optional
        Which axes; all by default, or as many of the last ones as there are lengths.  An axis that
        is named twice is transformed twice.
    norm : {"backward", "ortho", "forward"}, optional
        The factor, of n elements: 1 (by default), ``1 / sqrt(n)``, or ``1 / n``.
    """
    return _over("fftn", FftType.FFT, a, s, axes, norm)


def ifftn(
    a: Any,
    s: Sequence[int] | None = None,
    axes: Sequence[int] | None = None,
    norm: str | None = None,
) -> Any:
    """The inverse of `fftn`.

    Parameters
    ----------
    a : array-like
        The operand.
    s : sequence of int, optional
        The lengths, one for each axis; -1 leaves an axis as it is.
    axes : sequence of int, optional
        Which axes; all by default, or as many of the last ones as there are lengths.
    norm : {"backward", "ortho", "forward"}, optional
        The factor, of n elements: ``1 / n`` (by default), ``1 / sqrt(n)``, or 1.
    """
    return _over("ifftn", FftType.IFFT, a, s, axes, norm)


def fft2(
    a: Any, s: Sequence[int] | None = None, axes: Sequence[int] = (-2, -1), norm: str | None = None
) -> Any:
    """The discrete Fourier transform over two axes: `fftn` of the last two.

    Parameters
    ----------
    a : array-like
        The operand.
    s : pair of int, optional
        The lengths.
    axes : pair of int
        Which axes.
    norm : {"backward", "ortho", "forward"}, optional
        The factor, as for `fftn`.
    """
    return _over("fft2", FftType.FFT, a, s, _in_plane("fft2", axes), norm)


def ifft2(
    a: Any, s: Sequence[int] | None = None, axes: Sequence[int] = (-2, -1), norm: str | None = None
) -> Any:
    """The inverse of `fft2`.

    Parameters
    ----------
    a : array-like
        The operand.
    s : pair of int, optional
        The lengths.
    axes : pair of int
        Which axes.
    norm : {"backward", "ortho", "forward"}, optional
        The factor, as for `ifftn`.
    """
    return _over("ifft2", FftType.IFFT, a, s, _in_plane("ifft2", axes), norm)


# ------------------------------------------------------------------------------------ real


def rfft(a: Any, n: int | None = None, axis: int = -1, norm: str | None = None) -> Any:
    """The first half of `fft` of real numbers; the other half are their conjugates.

    Parameters
    ----------
    a : array-like
        Real.
    n : int, optional
        The length; the operand is cut or padded with zeros to it.
    axis : int
        Along which axis.
    norm : {"backward", "ortho", "forward"}, optional
        The factor: 1 (by default), ``1 / sqrt(n)``, or ``1 / n``.

    Returns
    -------
    Array
        Complex, with ``n // 2 + 1`` elements along the axis.

    Examples
    --------
    >>> import fnx.numpy as jnp
    >>> jnp.fft.rfft(jnp.array([1., 2., 3., 2.])).real
    Array([ 8., -2.,  0.], dtype=float32)
    """
    return _along("rfft", FftType.RFFT, a, n, axis, norm)


def irfft(a: Any, n: int | None = None, axis: int = -1, norm: str | None = None) -> Any:
    """The inverse of `rfft`.

    Parameters
    ----------
    a : array-like
        The first half of a transform of real numbers; imaginary parts at its first place, and of an
        even length at its last one, are left out.
    n : int, optional
        The length of the result; even by default, ``2 * (m - 1)``.
    axis : int
        Along which axis.
    norm : {"backward", "ortho", "forward"}, optional
        The factor: ``1 / n`` (by default), ``1 / sqrt(n)``, or 1.

    Returns
    -------
    Array
        Real.
    """
    return _along("irfft", FftType.IRFFT, a, n, axis, norm)


def rfftn(
    a: Any,
    s: Sequence[int] | None = None,
    axes: Sequence[int] | None = None,
    norm: str | None = None,
) -> Any:
    """`rfft` along the last of several axes, then `fft` along the others.

    Parameters
    ----------
    a : array-like
        Real.
    s : sequence of int, optional
        The lengths, one for each axis; -1 leaves an axis as it is.
    axes : sequence of int, optional
        Which axes, none twice; all by default, or as many of the last ones as there are lengths.
    norm : {"backward", "ortho", "forward"}, optional
        The factor, of n elements: 1 (by default), ``1 / sqrt(n)``, or ``1 / n``.
    """
    return _over("rfftn", FftType.RFFT, a, s, axes, norm)


def irfftn(
    a: Any,
    s: Sequence[int] | None = None,
    axes: Sequence[int] | None = None,
    norm: str | None = None,
) -> Any:
    """The inverse of `rfftn`.

    Parameters
    ----------
    a : array-like
        What `rfftn` gives.
    s : sequence of int, optional
        The lengths of the result, one for each axis.
    axes : sequence of int, optional
        Which axes, none twice; all by default, or as many of the last ones as there are lengths.
    norm : {"backward", "ortho", "forward"}, optional
        The factor, of n elements: ``1 / n`` (by default), ``1 / sqrt(n)``, or 1.
    """
    return _over("irfftn", FftType.IRFFT, a, s, axes, norm)


def rfft2(
    a: Any, s: Sequence[int] | None = None, axes: Sequence[int] = (-2, -1), norm: str | None = None
) -> Any:
    """`rfftn` of the last two axes.

    Parameters
    ----------
    a : array-like
        Real.
    s : pair of int, optional
        The lengths.
    axes : pair of int
        Which axes.
    norm : {"backward", "ortho", "forward"}, optional
        The factor, as for `rfftn`.
    """
    return _over("rfft2", FftType.RFFT, a, s, _in_plane("rfft2", axes), norm)


def irfft2(
    a: Any, s: Sequence[int] | None = None, axes: Sequence[int] = (-2, -1), norm: str | None = None
) -> Any:
    """The inverse of `rfft2`.

    Parameters
    ----------
    a : array-like
        What `rfft2` gives.
    s : pair of int, optional
        The lengths of the result.
    axes : pair of int
        Which axes.
    norm : {"backward", "ortho", "forward"}, optional
        The factor, as for `irfftn`.
    """
    return _over("irfft2", FftType.IRFFT, a, s, _in_plane("irfft2", axes), norm)


def hfft(a: Any, n: int | None = None, axis: int = -1, norm: str | None = None) -> Any:
    """`fft` of a signal of which negative times are the conjugates, so that it is real.

    Parameters
    ----------
    a : array-like
        The signal at times from 0 on.
    n : int, optional
        The length of the result; even by default, ``2 * (m - 1)``.
    axis : int
        Along which axis.
    norm : {"backward", "ortho", "forward"}, optional
        The factor: 1 (by default), ``1 / sqrt(n)``, or ``1 / n``.
    """
    inverse = SWAPPED[_normal_norm("hfft", norm)]
    return _along("hfft", FftType.IRFFT, elementwise.conj(a), n, axis, inverse)


def ihfft(a: Any, n: int | None = None, axis: int = -1, norm: str | None = None) -> Any:
    """The inverse of `hfft`.

    Parameters
    ----------
    a : array-like
        Real.
    n : int, optional
        The length; the operand is cut or padded with zeros to it.
    axis : int
        Along which axis.
    norm : {"backward", "ortho", "forward"}, optional
        The factor: ``1 / n`` (by default), ``1 / sqrt(n)``, or 1.
    """
    inverse = SWAPPED[_normal_norm("ihfft", norm)]
    return elementwise.conj(_along("ihfft", FftType.RFFT, a, n, axis, inverse))


# ------------------------------------------------------------------------------------ frequencies


def _count(name: str, n: Any) -> int:
    try:
        return operator.index(n)
    except TypeError:
        raise ArgumentValueError(
            f"{name}: n must be an integer that is known when the function is traced, got {n!r}."
        ) from None


def _spaced(name: str, numbers: Any, n: int, d: Any, dtype: Any, device: Any) -> Any:
    checked_device(name, device)
    if np.ndim(d) > 0:
        raise ArgumentValueError(
            f"{name}: d must be a number, got an array of shape {np.shape(d)}."
        )
    if n < 1:
        raise ArgumentValueError(f"{name}: n must be at least 1, got {n}.")
    dtype = dtypes.default_dtype("f") if dtype is None else dtypes.check_user_dtype(dtype, name)
    return asarray(numbers, dtype=dtype) / asarray(d * n, dtype=dtype)


def fftfreq(n: int, d: Any = 1.0, *, dtype: Any = None, device: Any = None) -> Any:
    """The frequencies of the places that `fft` gives, in cycles for each unit of the spacing.

    Parameters
    ----------
    n : int
        The length.
    d : number
        The spacing of the samples.
    dtype : dtype, optional
        Of the result; the default float by default.
    device : Device, optional
        The CPU.

    Examples
    --------
    >>> import fnx.numpy as jnp
    >>> jnp.fft.fftfreq(4)
    Array([ 0.  ,  0.25, -0.5 , -0.25], dtype=float32)
    """
    n = _count("fftfreq", n)
    half = (n - 1) // 2 + 1
    return _spaced("fftfreq", np.r_[0:half, -(n // 2) : 0], n, d, dtype, device)


def rfftfreq(n: int, d: Any = 1.0, *, dtype: Any = None, device: Any = None) -> Any:
    """The frequencies of the places that `rfft` gives, in cycles for each unit of the spacing.

    Parameters
    ----------
    n : int
        The length.
    d : number
        The spacing of the samples.
    dtype : dtype, optional
        Of the result; the default float by default.
    device : Device, optional
        The CPU.

    Examples
    --------
    >>> import fnx.numpy as jnp
    >>> jnp.fft.rfftfreq(4)
    Array([0.  , 0.25, 0.5 ], dtype=float32)
    """
    n = _count("rfftfreq", n)
    return _spaced("rfftfreq", np.arange(n // 2 + 1), n, d, dtype, device)


def _shifted(name: str, x: Any, axes: Any, backwards: bool) -> Any:
    (value,) = as_arrays(name, x)
    if axes is None:
        axes = range(value.ndim)
    elif np.ndim(axes) == 0:
        axes = (axes,)
    places = [normal_axis(name, axis, value.ndim) for axis in axes]
    steps = [-(value.shape[k] // 2) if backwards else value.shape[k] // 2 for k in places]
    return roll(value, steps, places) if places else value


def fftshift(x: Any, axes: Any = None) -> Any:
    """Places in the order of their frequencies, zero in the middle.

    Parameters
    ----------
    x : array-like
        The operand.
    axes : int or sequence of int, optional
        Which axes; all by default.

    Examples
    --------
    >>> import fnx.numpy as jnp
    >>> jnp.fft.fftshift(jnp.fft.fftfreq(4))
    Array([-0.5 , -0.25,  0.  ,  0.25], dtype=float32)
    """
    return _shifted("fftshift", x, axes, False)


def ifftshift(x: Any, axes: Any = None) -> Any:
    """The inverse of `fftshift`; it differs for odd lengths.

    Parameters
    ----------
    x : array-like
        The operand.
    axes : int or sequence of int, optional
        Which axes; all by default.
    """
    return _shifted("ifftshift", x, axes, True)
