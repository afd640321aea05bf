"""Matrices with a pattern, over batch axes where they're made of arrays (`jax.scipy.linalg`).

Most of them place the numbers of a vector: they are one `take` with an index that is known when
the function is traced.  Those that take a size alone are constants.  Read next: `systems`.
"""

from __future__ import annotations

import math
import operator
from typing import Any

import numpy as np

from fnx import dtypes
from fnx.errors import ArgumentTypeError, ArgumentValueError, ShapeError
from fnx.numpy import elementwise
from fnx.numpy.creation import asarray, zeros
from fnx.numpy.indexing import take
from fnx.numpy.joining import concatenate
from fnx.numpy.manipulation import flip
from fnx.numpy.padding import pad
from fnx.numpy.promotion import (
    as_arrays,
    broadcast_shapes,
    broadcast_to,
    promote_dtypes,
    promote_inexact,
)

__all__ = [
    "block_diag",
    "circulant",
    "companion",
    "convolution_matrix",
    "dft",
    "fiedler",
    "fiedler_companion",
    "hadamard",
    "hankel",
    "helmert",
    "hilbert",
    "invhilbert",
    "invpascal",
    "leslie",
    "pascal",
    "toeplitz",
]


def _vectors(name: str, argument: str, x: Any, least: int = 0) -> Any:
    if x.ndim < 1 or x.shape[-1] < least:
        raise ShapeError(
            f"{name}: {argument} must be vectors in the last axis, of at least {least} numbers, "
            f"got {x.aval!r}."
        )
    return x


def _pair(name: str, first: Any, second: Any, names: str) -> tuple[Any, Any]:
    """Two stacks of vectors, of one dtype, with their batch axes broadcast."""
    x, y = promote_dtypes(name, first, second)
    batch = broadcast_shapes(_vectors(name, names[0], x).shape[:-1], y.shape[:-1])
    _vectors(name, names[1], y)
    return broadcast_to(x, (*batch, x.shape[-1])), broadcast_to(y, (*batch, y.shape[-1]))


def _size(name: str, n: Any, least: int = 0) -> int:
    try:
        size = operator.index(n)
    except TypeError:
        raise ArgumentTypeError(f"{name}: n must be an integer, got {n!r}.") from None
    if size < least:
        raise ArgumentValueError(f"{name}: n must be at least {least}, got {size}.")
    return size


def _constant(values: Any) -> Any:
    return asarray(np.asarray(values, dtypes.default_dtype("f")))


# --------------------------------------------------------------------------- numbers of vectors


def block_diag(*arrs: Any) -> Any:
    """Matrices along the diagonal, zeros elsewhere.

    Parameters
    ----------
    *arrs : array-like
        Numbers, vectors (as rows) or matrices. Without any, the result has the shape (1, 0).

    Examples
    --------
    >>> import fnx.numpy as jnp
    >>> from fnx.scipy import linalg
    >>> linalg.block_diag(jnp.ones((1, 2)), 3.0)
    Array([[1., 1., 0.],
           [0., 0., 3.]], dtype=float32)
    """
    if not arrs:
        return zeros((1, 0))
    blocks = promote_dtypes("block_diag", *arrs)
    for k, block in enumerate(blocks):
        if block.ndim > 2:
            raise ShapeError(
                f"block_diag: takes arrays of at most two axes, argument {k} is {block.aval!r}."
            )
    blocks = [b.reshape((1,) * (2 - b.ndim) + b.shape) for b in blocks]
    width = sum(b.shape[1] for b in blocks)
    rows, start = [], 0
    for block in blocks:
        rows.append(pad(block, ((0, 0), (start, width - start - block.shape[1]))))
        start += block.shape[1]
    return concatenate(rows, axis=0)


def toeplitz(c: Any, r: Any = None) -> Any:
    """Matrices with constant diagonals.

    Parameters
    ----------
    c : array-like
        The first column, in the last axis.
    r : array-like, optional
        The first row; its first number isn't read. By default the conjugate of `c`.

    Examples
    --------
    >>> import fnx.numpy as jnp
    >>> from fnx.scipy import linalg
    >>> linalg.toeplitz(jnp.array([1, 2, 3]), jnp.array([0, 8, 9]))
    Array([[1, 8, 9],
           [2, 1, 8],
           [3, 2, 1]], dtype=int32)
    """
    (c,) = as_arrays("toeplitz", c)
    column, row = _pair("toeplitz", c, elementwise.conj(c) if r is None else r, "cr")
    m, n = column.shape[-1], row.shape[-1]
    if not m or not n:
        return zeros((*column.shape[:-1], m, n), column.dtype)
    values = concatenate([flip(column, -1), row[..., 1:]], axis=-1)
    return take(values, m - 1 - np.arange(m)[:, None] + np.arange(n), axis=-1)


def hankel(c: Any, r: Any = None) -> Any:
    """Matrices with constant diagonals that rise to the right.

    Parameters
    ----------
    c : array-like
        The first column, in the last axis.
    r : array-like, optional
        The last row; its first number isn't read. By default zeros.

    Examples
    --------
    >>> import fnx.numpy as jnp
    >>> from fnx.scipy import linalg
    >>> linalg.hankel(jnp.array([1, 2, 3]))
    Array([[1, 2, 3],
           [2, 3, 0],
           [3, 0, 0]], dtype=int32)
    """
    (c,) = as_arrays("hankel", c)
    column, row = _pair("hankel", c, zeros(c.shape, c.dtype) if r is None else r, "cr")
    m, n = column.shape[-1], row.shape[-1]
    if not m or not n:
        return zeros((*column.shape[:-1], m, n), column.dtype)
    values = concatenate([column, row[..., 1:]], axis=-1)
    return take(values, np.arange(m)[:, None] + np.arange(n), axis=-1)


def circulant(c: Any) -> Any:
    """Square matrices whose columns are the first one, turned.

    Parameters
    ----------
    c : array-like
        The first column, in the last axis.

    Examples
    --------
    >>> import fnx.numpy as jnp
    >>> from fnx.scipy import linalg
    >>> linalg.circulant(jnp.array([1, 2, 3]))
    Array([[1, 3, 2],
           [2, 1, 3],
           [3, 2, 1]], dtype=int32)
    """
    (c,) = as_arrays("circulant", c)
    n = _vectors("circulant", "c", c).shape[-1]
    places = (np.arange(n)[:, None] - np.arange(n)) % max(n, 1)
    return take(c, places, axis=-1)


def convolution_matrix(a: Any, n: int, mode: str = "full") -> Any:
    """The matrices of the convolution with a vector.

    Parameters
    ----------
    a : array-like
        The vectors, in the last axis.
    n : int
        The number of columns: the size of what is convolved.
    mode : {"full", "same", "valid"}
        Which part of the convolution, as for `numpy.convolve`.

    Examples
    --------
    >>> import fnx.numpy as jnp
    >>> from fnx.scipy import linalg
    >>> linalg.convolution_matrix(jnp.array([1, 2]), 2)
    Array([[1, 0],
           [2, 1],
           [0, 2]], dtype=int32)
    """
    (a,) = as_arrays("convolution_matrix", a)
    n = _size("convolution_matrix", n, 1)
    m = _vectors("convolution_matrix", "a", a, 1).shape[-1]
    if mode not in ("full", "same", "valid"):
        raise ArgumentValueError(
            f"convolution_matrix: mode must be 'full', 'same' or 'valid', got {mode!r}."
        )
    trimmed = 0 if mode == "full" else min(m, n) - 1
    first = trimmed // 2 if mode == "same" else trimmed
    last = trimmed - trimmed // 2 if mode == "same" else trimmed
    sides = [(0, 0)] * (a.ndim - 1) + [(n - 1, n - 1)]
    rows = np.arange(first, m + n - 1 - last)
    return take(pad(a, sides), n - 1 + rows[:, None] - np.arange(n), axis=-1)


def leslie(f: Any, s: Any) -> Any:
    """Leslie matrices: how a population moves through its ages.

    Parameters
    ----------
    f : array-like
        Births for each age, n of them in the last axis.
    s : array-like
        The parts that survive to the next age, n - 1 of them.

    Examples
    --------
    >>> import fnx.numpy as jnp
    >>> from fnx.scipy import linalg
    >>> linalg.leslie(jnp.array([1, 2]), jnp.array([3]))
    Array([[1, 2],
           [3, 0]], dtype=int32)
    """
    births, kept = _pair("leslie", f, s, "fs")
    n = births.shape[-1]
    if n < 2 or kept.shape[-1] != n - 1:
        raise ShapeError(
            f"leslie: s must have one number less than f, and at least one, got f {births.aval!r} "
            f"and s {kept.aval!r}."
        )
    return concatenate([births[..., None, :], _below(kept)], axis=-2)


def _below(values: Any) -> Any:
    """Diagonal matrices of n - 1 values, with one more column of zeros: rows 1 to n."""
    m = values.shape[-1]
    return values[..., None] * np.eye(m, m + 1, dtype=values.dtype)


def companion(a: Any) -> Any:
    """The companion matrices of polynomials, whose eigenvalues are the roots.

    Parameters
    ----------
    a : array-like
        Coefficients in the last axis, the highest one first, at least two; the first is not zero.

    Examples
    --------
    >>> import fnx.numpy as jnp
    >>> from fnx.scipy import linalg
    >>> linalg.companion(jnp.array([1.0, -3.0, 2.0]))
    Array([[ 3., -2.],
           [ 1.,  0.]], dtype=float32)
    """
    (a,) = promote_inexact("companion", a)
    n = _vectors("companion", "a", a, 2).shape[-1] - 1
    row = -a[..., 1:] / a[..., :1]
    ones = broadcast_to(asarray(np.eye(n - 1, n, dtype=a.dtype)), (*a.shape[:-1], n - 1, n))
    return concatenate([row[..., None, :], ones], axis=-2)


def fiedler(a: Any) -> Any:
    """Symmetric matrices of the distances between numbers: ``abs(a[i] - a[j])``.

    Parameters
    ----------
    a : array-like
        The numbers, in the last axis.

    Examples
    --------
    >>> import fnx.numpy as jnp
    >>> from fnx.scipy import linalg
    >>> linalg.fiedler(jnp.array([1, 4]))
    Array([[0, 3],
           [3, 0]], dtype=int32)
    """
    (a,) = as_arrays("fiedler", a)
    a = _vectors("fiedler", "a", a)
    return elementwise.abs(a[..., :, None] - a[..., None, :])


def fiedler_companion(a: Any) -> Any:
    """Companion matrices with five diagonals.

    Parameters
    ----------
    a : array-like
        Coefficients in the last axis, the highest one first; the first is not zero.

    References
    ----------
    M. Fiedler, "A note on companion matrices", 2003.

    Examples
    --------
    >>> import fnx.numpy as jnp
    >>> from fnx.scipy import linalg
    >>> linalg.fiedler_companion(jnp.array([1.0, -6.0, 11.0, -6.0]))
    Array([[  6., -11.,   1.],
           [  1.,   0.,   0.],
           [  0.,   6.,   0.]], dtype=float32)
    """
    (a,) = promote_inexact("fiedler_companion", a)
    n = _vectors("fiedler_companion", "a", a).shape[-1] - 1
    if n < 1:
        return zeros((*a.shape[:-1], 0, 0), a.dtype)
    # Every element is a coefficient, a one or a zero: which, is known.
    values = concatenate([-a[..., 1:] / a[..., :1], a[..., :1] * 0 + 1, a[..., :1] * 0], axis=-1)
    places = np.full((n, n), n + 1)
    places[0, 0] = 0
    places[1:2, 0] = n
    for k in range(n - 1):
        if k % 2 == 0:
            places[k, k + 1] = k + 1
            places[k, k + 2 : k + 3] = n
        else:
            places[k + 1, k] = k + 1
            places[k + 2 : k + 3, k] = n
    return take(values, places, axis=-1)


# ------------------------------------------------------------------------------- of a size alone


def hilbert(n: int) -> Any:
    """The Hilbert matrix: ``1 / (i + j + 1)``.

    Parameters
    ----------
    n : int
        Its size.

    Examples
    --------
    >>> from fnx.scipy import linalg
    >>> linalg.hilbert(2)
    Array([[1.        , 0.5       ],
           [0.5       , 0.33333334]], dtype=float32)
    """
    k = np.arange(_size("hilbert", n))
    return _constant(1 / (k[:, None] + k + 1))


def invhilbert(n: int) -> Any:
    """The inverse of the Hilbert matrix, from integers rounded once.

    Parameters
    ----------
    n : int
        Its size.

    Examples
    --------
    >>> from fnx.scipy import linalg
    >>> linalg.invhilbert(2)
    Array([[ 4., -6.],
           [-6., 12.]], dtype=float32)
    """
    n = _size("invhilbert", n)

    def element(i: int, j: int) -> int:
        outer = math.comb(n + i, n - j - 1) * math.comb(n + j, n - i - 1)
        return (-1) ** (i + j) * (i + j + 1) * outer * math.comb(i + j, i) ** 2

    return _of_integers(n, element)


def _of_integers(n: int, element: Any) -> Any:
    rows = [[float(element(i, j)) for j in range(n)] for i in range(n)]
    return _constant(np.reshape(np.array(rows), (n, n)))


def _kind(name: str, kind: str | None) -> str:
    if kind not in (None, "symmetric", "lower", "upper"):
        raise ArgumentValueError(
            f"{name}: kind must be 'symmetric', 'lower' or 'upper', got {kind!r}."
        )
    return "symmetric" if kind is None else kind


def pascal(n: int, kind: str | None = None) -> Any:
    """The Pascal matrix, of binomial coefficients.

    Parameters
    ----------
    n : int
        Its size.
    kind : {"symmetric", "lower", "upper"}, optional
        L L^T, L, or L^T, where row i of L has the coefficients of ``(1 + x)**i``.

    Examples
    --------
    >>> from fnx.scipy import linalg
    >>> linalg.pascal(3, kind="lower")
    Array([[1., 0., 0.],
           [1., 1., 0.],
           [1., 2., 1.]], dtype=float32)
    """
    kind = _kind("pascal", kind)
    return _of_integers(
        _size("pascal", n),
        {
            "symmetric": lambda i, j: math.comb(i + j, i),
            "lower": math.comb,
            "upper": lambda i, j: math.comb(j, i),
        }[kind],
    )


def invpascal(n: int, kind: str | None = None) -> Any:
    """The inverse of the Pascal matrix.

    Parameters
    ----------
    n : int
        Its size.
    kind : {"symmetric", "lower", "upper"}, optional
        As for `pascal`.

    Examples
    --------
    >>> from fnx.scipy import linalg
    >>> linalg.invpascal(3, kind="lower")
    Array([[ 1.,  0.,  0.],
           [-1.,  1.,  0.],
           [ 1., -2.,  1.]], dtype=float32)
    """
    n, kind = _size("invpascal", n), _kind("invpascal", kind)

    def both(i: int, j: int) -> int:
        # L^-1 is L with signs, so the inverse of L L^T is its transpose times itself, with signs.
        return sum(math.comb(k, i) * math.comb(k, j) for k in range(max(i, j), n))

    of_kind = {
        "symmetric": both,
        "lower": math.comb,
        "upper": lambda i, j: math.comb(j, i),
    }[kind]
    return _of_integers(n, lambda i, j: (-1) ** (i + j) * of_kind(i, j))


def helmert(n: int, full: bool = False) -> Any:
    """The Helmert matrix: orthonormal rows of contrasts.

    Parameters
    ----------
    n : int
        Its size.
    full : bool
        Keep the first row, which is constant, so that the matrix is square.

    Examples
    --------
    >>> from fnx.scipy import linalg
    >>> linalg.helmert(2)
    Array([[ 0.70710677, -0.70710677]], dtype=float32)
    """
    n = _size("helmert", n, 1)
    rows = np.tril(np.ones((n, n)), -1) - np.diag(np.arange(n))
    rows[0] = 1
    squares = np.arange(n) * (np.arange(n) + 1)
    squares[0] = n
    rows /= np.sqrt(squares)[:, None]
    return _constant(rows if full else rows[1:])


def hadamard(n: int, dtype: Any = int) -> Any:
    """The Hadamard matrix of ones and minus ones, with orthogonal rows.

    Parameters
    ----------
    n : int
        Its size, a power of two.
    dtype : dtype
        Of the elements.

    Examples
    --------
    >>> from fnx.scipy import linalg
    >>> linalg.hadamard(2)
    Array([[ 1,  1],
           [ 1, -1]], dtype=int32)
    """
    n = _size("hadamard", n, 1)
    if n & (n - 1):
        raise ArgumentValueError(f"hadamard: n must be a power of 2, got {n}.")
    signs = np.ones((1, 1), np.int8)
    while signs.shape[0] < n:
        signs = np.block([[signs, signs], [signs, -signs]])
    return asarray(signs, dtype=dtype)


def dft(n: int, scale: str | None = None, *, dtype: Any = None) -> Any:
    """The matrix of the discrete Fourier transform: ``exp(-2 pi i j k / n)``.

    Parameters
    ----------
    n : int
        Its size.
    scale : {"sqrtn", "n"}, optional
        What to divide by.
    dtype : dtype, optional
        A complex one; by default that of a complex number.

    Examples
    --------
    >>> from fnx.scipy import linalg
    >>> linalg.dft(2).real
    Array([[ 1.,  1.],
           [ 1., -1.]], dtype=float32)
    """
    n = _size("dft", n, 1)
    if scale not in (None, "sqrtn", "n"):
        raise ArgumentValueError(f"dft: scale must be None, 'sqrtn' or 'n', got {scale!r}.")
    kind = np.dtype(dtypes.default_dtype("c") if dtype is None else dtype)
    if kind.kind != "c":
        raise ArgumentValueError(f"dft: dtype must be a complex one, got {kind.name}.")
    turns = np.exp(-2j * np.pi * (np.outer(np.arange(n), np.arange(n)) % n) / n)
    turns /= {None: 1, "sqrtn": math.sqrt(n), "n": n}[scale]
    return asarray(turns.astype(kind))
