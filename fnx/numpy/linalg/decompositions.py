"""Factors of matrices, eigenvalues and singular values, as NumPy gives them.

Integers become floats; the decompositions themselves, and what their derivatives mean where values
are equal, are in `fnx.primitives`.  Read next: `systems`.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from fnx.errors import ArgumentValueError
from fnx.numpy.elementwise import abs as abs_
from fnx.numpy.elementwise import sign
from fnx.numpy.indexing import take_along_axis
from fnx.numpy.promotion import promote_inexact
from fnx.numpy.sorting import argsort
from fnx.numpy.sorting import sort as sort_
from fnx.primitives import factorizations, matrices, spectral, triangular
from fnx.primitives.shaping import rev

__all__ = ["cholesky", "eig", "eigh", "eigvals", "eigvalsh", "qr", "svd", "svdvals"]


class EigResult(NamedTuple):
    """Eigenvalues and eigenvectors (as columns)."""

    eigenvalues: Any
    eigenvectors: Any


class EighResult(NamedTuple):
    """Eigenvalues from the smallest up, and eigenvectors (as columns)."""

    eigenvalues: Any
    eigenvectors: Any


class QRResult(NamedTuple):
    """Orthonormal columns and an upper triangle."""

    Q: Any
    R: Any


class SVDResult(NamedTuple):
    """Left singular vectors (columns), singular values, right singular vectors (rows)."""

    U: Any
    S: Any
    Vh: Any


def cholesky(a: Any, *, upper: bool = False, symmetrize_input: bool = True) -> Any:
    """The triangular factor L of ``L L^H = a``.

    Parameters
    ----------
    a : array-like
        Hermitian positive definite matrices in the last two axes; others give NaN.
    upper : bool
        Give U of ``U^H U = a`` instead.
    symmetrize_input : bool
        Take ``(a + a^H) / 2``; otherwise the lower triangle alone is read.

    Examples
    --------
    >>> import fnx.numpy as jnp
    >>> jnp.linalg.cholesky(jnp.array([[4.0, 2.0], [2.0, 5.0]]))
    Array([[2., 0.],
           [1., 2.]], dtype=float32)
    """
    (x,) = promote_inexact("cholesky", a)
    factor = triangular.cholesky(x, symmetrize_input=symmetrize_input)
    return matrices.adjoint(factor) if upper else factor


def qr(a: Any, mode: str = "reduced") -> Any:
    """Orthonormal columns times an upper triangle.

    Parameters
    ----------
    a : array-like
        Matrices in the last two axes.
    mode : {"reduced", "complete", "r"}
        Whether Q is completed to a square matrix, or left out. ``"full"`` is ``"reduced"``.

    Returns
    -------
    QRResult or Array
        Named ``Q`` and ``R``; R alone with ``"r"``.

    Examples
    --------
    >>> import fnx.numpy as jnp
    >>> q, r = jnp.linalg.qr(jnp.array([[3.0, 1.0], [4.0, 2.0]]))
    >>> q @ r
    Array([[3., 1.],
           [4., 2.]], dtype=float32)
    """
    (x,) = promote_inexact("qr", a)
    if mode not in ("reduced", "complete", "r", "full"):
        raise ArgumentValueError(
            f"qr: unsupported mode {mode!r}. Use 'reduced', 'complete' or 'r'."
        )
    q, r = factorizations.qr(x, full_matrices=mode == "complete")
    return r if mode == "r" else QRResult(q, r)


def _triangle(name: str, uplo: str | None) -> bool:
    if uplo not in (None, "L", "U"):
        raise ArgumentValueError(f"{name}: UPLO must be one of None, 'L', or 'U', got {uplo!r}.")
    return uplo != "U"


def eigh(a: Any, UPLO: str | None = None, symmetrize_input: bool = True) -> Any:
    """Eigenvalues and eigenvectors of Hermitian matrices, from the smallest value up.

    Parameters
    ----------
    a : array-like
        Matrices in the last two axes.
    UPLO : {"L", "U"}, optional
        Which triangle is read, unless the input is symmetrized.
    symmetrize_input : bool
        Take ``(a + a^H) / 2``.

    Returns
    -------
    EighResult
        Named ``eigenvalues`` and ``eigenvectors``.

    Examples
    --------
    >>> import fnx.numpy as jnp
    >>> jnp.linalg.eigh(jnp.array([[2.0, 1.0], [1.0, 2.0]])).eigenvalues
    Array([1., 3.], dtype=float32)
    """
    lower = _triangle("eigh", UPLO)
    (x,) = promote_inexact("eigh", a)
    v, w = spectral.eigh(x, lower=lower, symmetrize_input=symmetrize_input)
    return EighResult(w, v)


def eigvalsh(a: Any, UPLO: str | None = "L", *, symmetrize_input: bool = True) -> Any:
    """Eigenvalues of Hermitian matrices, from the smallest up.

    Parameters
    ----------
    a, UPLO, symmetrize_input
        As for `eigh`.
    """
    lower = _triangle("eigvalsh", UPLO)
    (x,) = promote_inexact("eigvalsh", a)
    x = triangular.symmetrized("eigvalsh", x) if symmetrize_input else x
    return spectral.eigh_p(x, lower=lower, vectors=False)[0]


def eig(a: Any) -> Any:
    """Eigenvalues and eigenvectors of square matrices, complex.

    Parameters
    ----------
    a : array-like
        Matrices in the last two axes.

    Returns
    -------
    EigResult
        Named ``eigenvalues`` and ``eigenvectors``.
    """
    (x,) = promote_inexact("eig", a)
    return EigResult(*spectral.eig(x, compute_left_eigenvectors=False))


def eigvals(a: Any) -> Any:
    """Eigenvalues of square matrices, complex.

    Parameters
    ----------
    a : array-like
        Matrices in the last two axes.
    """
    (x,) = promote_inexact("eigvals", a)
    return spectral.eig_p(x, left=False, right=False)[0]


def svd(
    a: Any,
    full_matrices: bool = True,
    compute_uv: bool = True,
    hermitian: bool = False,
    subset_by_index: tuple[int, int] | None = None,
) -> Any:
    """The singular value decomposition ``a = U diag(S) Vh``, from the largest value down.

    Parameters
    ----------
    a : array-like
        Matrices in the last two axes.
    full_matrices : bool
        Complete U and Vh to square matrices.
    compute_uv : bool
        Whether to give U and Vh as well.
    hermitian : bool
        Make it of `eigh`; the input is symmetrized.
    subset_by_index : (int, int), optional
        Give the values of these positions, the last one excluded, alone.

    Returns
    -------
    SVDResult or Array
        Named ``U``, ``S`` and ``Vh``, or S alone.

    Examples
    --------
    >>> import fnx.numpy as jnp
    >>> jnp.linalg.svd(jnp.array([[3.0, 0.0], [0.0, -4.0]]), compute_uv=False)
    Array([4., 3.], dtype=float32)
    """
    (x,) = promote_inexact("svd", a)
    if hermitian:
        return _hermitian_svd(x, compute_uv, subset_by_index)
    out = spectral.svd(
        x,
        full_matrices=full_matrices,
        compute_uv=compute_uv,
        subset_by_index=subset_by_index,
    )
    return SVDResult(*out) if compute_uv else out


def _hermitian_svd(x: Any, compute_uv: bool, subset: tuple[int, int] | None) -> Any:
    v, w = spectral.eigh(x, subset_by_index=subset)
    sizes = abs_(w)
    if not compute_uv:
        return rev(sort_(sizes), (sizes.ndim - 1,))
    order = argsort(-sizes)
    u = take_along_axis(v, order[..., None, :], axis=-1)
    signs = sign(take_along_axis(w, order, axis=-1))
    return SVDResult(
        u,
        take_along_axis(sizes, order, axis=-1),
        matrices.adjoint(matrices.on_columns(u, signs)),
    )


def svdvals(x: Any, /) -> Any:
    """Singular values, from the largest down.

    Parameters
    ----------
    x : array-like
        Matrices in the last two axes.
    """
    return svd(x, compute_uv=False)
