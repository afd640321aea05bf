"""How things go together: convolve, correlate, covariance.  Read next: `products`."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from fnx.errors import ArgumentTypeError, ArgumentValueError
from fnx.numpy import reductions, ufuncs
from fnx.numpy.elementwise import clip, conj, imag, real
from fnx.numpy.joining import concatenate
from fnx.numpy.manipulation import flip
from fnx.numpy.products import diagonal, matmul
from fnx.numpy.promotion import as_arrays, promote_dtypes, promote_inexact
from fnx.primitives.convolution import conv_general_dilated

__all__ = ["convolve", "corrcoef", "correlate", "cov"]


def _slide(
    name: str, x: Any, kernel: Any, mode: str, precision: Any, preferred_element_type: Any
) -> Any:
    """Sums of products of a kernel, turned, at each place of a longer operand."""
    width = kernel.shape[0]
    paddings = {
        "full": (width - 1, width - 1),
        "same": (width // 2, width - width // 2 - 1),
        "valid": (0, 0),
    }
    if mode not in paddings:
        raise ArgumentValueError(f"{name}: mode is {mode!r}. Pass 'full', 'same' or 'valid'.")
    result = conv_general_dilated(
        x[None, None, :],
        flip(kernel)[None, None, :],
        window_strides=(1,),
        padding=[paddings[mode]],
        precision=precision,
        preferred_element_type=preferred_element_type,
    )
    return result[0, 0, :]


def _vectors(name: str, a: Any, v: Any) -> tuple[Any, Any]:
    x, y = promote_inexact(name, a, v)
    for value in (x, y):
        if value.ndim != 1 or not value.shape[0]:
            raise ArgumentValueError(
                f"{name}: operands must have one axis that isn't empty, got {x.aval!r} and "
                f"{y.aval!r}."
            )
    return x, y


def convolve(
    a: Any,
    v: Any,
    mode: str = "full",
    *,
    precision: Any = None,
    preferred_element_type: Any = None,
) -> Any:
    """The convolution of two vectors: the sums of ``a[i] v[k - i]``.

    Parameters
    ----------
    a, v : array-like
        Of one axis.
    mode : {"full", "same", "valid"}
        Wherever they overlap, as long as the longer one, or where the shorter one lies inside.
    precision, preferred_element_type
        As for `lax.conv_general_dilated`.

    Examples
    --------
    >>> import fnx.numpy as jnp
    >>> convolve(jnp.array([1., 2.]), jnp.array([1., 10.]))
    Array([ 1., 12., 20.], dtype=float32)
    """
    x, y = _vectors("convolve", a, v)
    if x.shape[0] < y.shape[0]:
        x, y = y, x
    return _slide("convolve", x, y, mode, precision, preferred_element_type)


def correlate(
    a: Any,
    v: Any,
    mode: str = "valid",
    *,
    precision: Any = None,
    preferred_element_type: Any = None,
) -> Any:
    """The correlation of two vectors: the sums of ``a[i + k] conj(v[i])``.

    Parameters
    ----------
    a, v : array-like
        Of one axis.
    mode : {"full", "same", "valid"}
        As for `convolve`.
    precision, preferred_element_type
        As for `lax.conv_general_dilated`.
    """
    x, y = _vectors("correlate", a, v)
    y = flip(conj(y))
    if x.shape[0] >= y.shape[0]:
        return _slide("correlate", x, y, mode, precision, preferred_element_type)
    result = _slide("correlate", flip(y), flip(x), mode, precision, preferred_element_type)
    return flip(result)


def cov(
    m: Any,
    y: Any = None,
    rowvar: bool = True,
    bias: bool = False,
    ddof: int | None = None,
    fweights: Any = None,
    aweights: Any = None,
    dtype: Any = None,
) -> Any:
    """The covariances of variables.

    Parameters
    ----------
    m : array-like
        Of one or two axes: one variable in each row.
    y : array-like, optional
        More variables.
    rowvar : bool
        Whether variables are rows, not columns.
    bias : bool
        Divide by the number of observations, not by one less.
    ddof : int, optional
        Subtracted from that number instead.
    fweights : array-like of int, optional
        How often each observation occurs.
    aweights : array-like, optional
        How much each observation counts.
    dtype : dtype, optional
        Of the computation.
    """
    given = as_arrays("cov", m) if y is None else promote_dtypes("cov", m, y)
    xs = promote_inexact("cov", *given)
    for value in xs:
        if value.ndim > 2:
            raise ArgumentValueError(f"cov: operands have at most two axes, got {value.aval!r}.")
    if dtype is not None:
        xs = [x.astype(dtype) for x in xs]
    rows = [
        x.reshape(1, -1) if x.ndim < 2 else (x if rowvar or x.shape[0] == 1 else x.T) for x in xs
    ]
    if not rowvar and xs[0].ndim == 2:
        rows[0] = xs[0].T
    x = concatenate(rows) if len(rows) > 1 else rows[0]
    if ddof is None:
        ddof = 0 if bias else 1
    try:
        ddof = operator.index(ddof)
    except TypeError:
        raise ArgumentValueError(f"cov: ddof must be an integer, got {ddof!r}.") from None
    weights, total = None, None
    if fweights is not None:
        (f,) = as_arrays("cov", fweights)
        if f.ndim != 1 or f.shape[0] != x.shape[1]:
            raise ArgumentValueError(
                f"cov: fweights {f.aval!r} don't fit {x.shape[1]} observations."
            )
        if f.dtype.kind not in "iu":
            raise ArgumentTypeError(f"cov: fweights must hold integers, got {f.aval!r}.")
        weights = abs(f)
    if aweights is not None:
        (a,) = as_arrays("cov", aweights)
        if a.ndim != 1 or a.shape[0] != x.shape[1]:
            raise ArgumentValueError(
                f"cov: aweights {a.aval!r} don't fit {x.shape[1]} observations."
            )
        a = abs(a)
        total = a
        weights = a if weights is None else weights * a
    if weights is None:
        centred = x - reductions.mean(x, axis=1, keepdims=True)
        scale = max(x.shape[1] - ddof, 0)
        product = matmul(centred, conj(centred).T)
    else:
        x, weights = promote_inexact("cov", x, weights)
        weights = real(weights)
        whole = reductions.sum(weights)
        centred = x - (reductions.sum(x * weights, axis=1) / whole)[:, None]
        lost = ddof if total is None else ddof * reductions.sum(weights * total) / whole
        scale = clip(whole - lost, 0, None)
        product = matmul(centred * weights, conj(centred).T)
    result = product / np.array(scale, real(x).dtype) if isinstance(scale, int) else product / scale
    return result.reshape(()) if result.size == 1 else result


def corrcoef(x: Any, y: Any = None, rowvar: bool = True, dtype: Any = None) -> Any:
    """The correlation coefficients of variables.

    Parameters
    ----------
    x : array-like
        Of one or two axes: one variable in each row.
    y : array-like, optional
        More variables.
    rowvar : bool
        Whether variables are rows, not columns.
    dtype : dtype, optional
        Of the computation.
    """
    c = cov(x, y, rowvar, dtype=dtype)
    if c.ndim == 0:
        return c / c
    deviations = ufuncs.sqrt(real(diagonal(c)))
    c = c / deviations[:, None] / deviations[None, :]
    if c.dtype.kind == "c":
        return real(c).clip(-1, 1) + 1j * imag(c).clip(-1, 1)
    return clip(c, -1, 1)
