"""Decompositions and triangular systems, over batch axes: `jax.lax.linalg`.

The primitives are in `fnx.primitives` (`triangular`, `factorizations`, `spectral`); here are their
names, and what is made of them: products of Householder reflections and updates.
"""

from __future__ import annotations

import enum
from typing import Any

from fnx.errors import ShapeError
from fnx.primitives.arithmetic import add, mul, sub
from fnx.primitives.constants import times
from fnx.primitives.factorizations import (
    lu,
    lu_p,
    lu_pivots_to_permutation,
    lu_pivots_to_permutation_p,
    qr,
    qr_p,
)
from fnx.primitives.matrices import (
    adjoint,
    check_matrices,
    conjugate,
    eye_like,
    lower_triangle,
    matmul,
    swapped,
)
from fnx.primitives.shaping import broadcast_in_dim, expand_dims
from fnx.primitives.slicing import slice_in_dim
from fnx.primitives.spectral import eig, eig_p, eigh, eigh_p, svd, svd_p
from fnx.primitives.triangular import (
    cholesky,
    cholesky_p,
    triangular_solve,
    triangular_solve_p,
)

__all__ = [
    "EigImplementation",
    "EighImplementation",
    "SvdAlgorithm",
    "cholesky",
    "cholesky_p",
    "cholesky_update",
    "eig",
    "eig_p",
    "eigh",
    "eigh_p",
    "householder_product",
    "lu",
    "lu_p",
    "lu_pivots_to_permutation",
    "lu_pivots_to_permutation_p",
    "ormqr",
    "qr",
    "qr_p",
    "svd",
    "svd_p",
    "symmetric_product",
    "triangular_solve",
    "triangular_solve_p",
]


class EigImplementation(enum.Enum):
    """JAX's names of algorithms for `eig`; LAPACK's is used."""

    CUSOLVER = "cusolver"
    MAGMA = "magma"
    LAPACK = "lapack"


class EighImplementation(enum.Enum):
    """JAX's names of algorithms for `eigh`; LAPACK's is used."""

    QR = "qr"
    JACOBI = "jacobi"
    QDWH = "qdwh"


class SvdAlgorithm(enum.Enum):
    """JAX's names of algorithms for `svd`; LAPACK's is used."""

    DEFAULT = "default"
    QR = "QR"
    JACOBI = "Jacobi"
    POLAR = "polar"
    DIVIDE_AND_CONQUER = "divide_and_conquer"


def cholesky_update(r_matrix: Any, w_vector: Any) -> Any:
    """The upper Cholesky factor of ``R^T R + w w^T``.

    Parameters
    ----------
    r_matrix : Array
        The upper factor R of a real matrix, over batch axes.
    w_vector : Array
        The vector w.

    Examples
    --------
    >>> import fnx.numpy as jnp
    >>> from fnx import lax
    >>> lax.linalg.cholesky_update(3 * jnp.eye(2), jnp.array([4.0, 0.0]))
    Array([[5., 0.],
           [0., 3.]], dtype=float32)
    """
    check_matrices("cholesky_update", r_matrix.aval, square=True)
    if r_matrix.dtype.kind == "c" or w_vector.shape != r_matrix.shape[:-1]:
        raise ShapeError(
            f"cholesky_update: takes real matrices, and a vector with as many elements for each, "
            f"got {r_matrix.aval!r} and {w_vector.aval!r}."
        )
    column = expand_dims(w_vector, (w_vector.ndim,))
    total = add(matmul(swapped(r_matrix), r_matrix), matmul(column, swapped(column)))
    return swapped(cholesky(total, symmetrize_input=False))


def symmetric_product(
    a_matrix: Any,
    c_matrix: Any,
    *,
    alpha: float = 1.0,
    beta: float = 0.0,
    symmetrize_output: bool = False,
) -> Any:
    """The symmetric matrix ``alpha A A^T + beta C``.

    Parameters
    ----------
    a_matrix, c_matrix : Array
        Real matrices in the last two axes, ``[..., n, k]`` and ``[..., n, n]``; C is symmetric.
    alpha, beta : float
        The factors.
    symmetrize_output : bool
        Both triangles are computed always; ignored.

    Examples
    --------
    >>> import fnx.numpy as jnp
    >>> from fnx import lax
    >>> lax.linalg.symmetric_product(jnp.ones((2, 3)), jnp.eye(2), beta=1.0)
    Array([[4., 3.],
           [3., 4.]], dtype=float32)
    """
    del symmetrize_output
    check_matrices("symmetric_product", a_matrix.aval)
    check_matrices("symmetric_product", c_matrix.aval, square=True)
    product = times(matmul(a_matrix, swapped(a_matrix)), alpha)
    return add(product, times(c_matrix, beta))


def householder_product(a: Any, taus: Any) -> Any:
    """The first columns of a product of Householder reflections.

    Parameters
    ----------
    a : Array
        Matrices in the last two axes, no wider than high: column k holds, below the diagonal, the
        vector v of reflection k, whose element on the diagonal is 1.
    taus : Array
        The factors of the reflections ``1 - tau v v^H``.

    Examples
    --------
    >>> import fnx.numpy as jnp
    >>> from fnx import lax
    >>> lax.linalg.householder_product(jnp.array([[0.0], [1.0]]), jnp.array([1.0]))
    Array([[ 0.],
           [-1.]], dtype=float32)
    """
    _check_reflections("householder_product", a, taus)
    identity = slice_in_dim(eye_like(a, a.shape[-2]), 0, a.shape[-1], axis=a.ndim - 1)
    return _reflected(a, taus, identity, transpose=False)


def ormqr(a: Any, taus: Any, c: Any, *, left: bool = True, transpose: bool = False) -> Any:
    """A matrix times the product Q of Householder reflections.

    Parameters
    ----------
    a, taus : Array
        The reflections, as for `householder_product`.
    c : Array
        Matrices in the last two axes.
    left : bool
        Whether Q stands on the left.
    transpose : bool
        Take the conjugate transpose of Q.

    Examples
    --------
    >>> import fnx.numpy as jnp
    >>> from fnx import lax
    >>> lax.linalg.ormqr(jnp.array([[0.0], [1.0]]), jnp.array([1.0]), jnp.eye(2))
    Array([[ 0., -1.],
           [-1.,  0.]], dtype=float32)
    """
    _check_reflections("ormqr", a, taus)
    check_matrices("ormqr", c.aval)
    if c.shape[:-2] != a.shape[:-2] or c.shape[-2 if left else -1] != a.shape[-2]:
        raise ShapeError(
            f"ormqr: the reflections of {a.aval!r} don't fit {c.aval!r} on the "
            f"{'left' if left else 'right'}."
        )
    if left:
        return _reflected(a, taus, c, transpose)
    return adjoint(_reflected(a, taus, adjoint(c), not transpose))  # C Q = (Q^H C^H)^H


def _check_reflections(name: str, a: Any, taus: Any) -> None:
    check_matrices(name, a.aval)
    *batch, m, n = a.shape
    fits = taus.ndim == a.ndim - 1 and list(taus.shape[:-1]) == batch
    if not fits or m < n or taus.shape[-1] > n:
        raise ShapeError(
            f"{name}: takes matrices no wider than high, and at most one factor for each column, "
            f"got {a.aval!r} and {taus.aval!r}."
        )


def _reflected(a: Any, taus: Any, c: Any, transpose: bool) -> Any:
    """Q C, or Q^H C, of Q = H_0 H_1 ...; of each H the last one is applied first."""
    count = taus.shape[-1]
    vectors = lower_triangle(a, 1)
    ones = slice_in_dim(eye_like(a, a.shape[-2]), 0, a.shape[-1], axis=a.ndim - 1)
    vectors = add(vectors, ones)
    for k in range(count) if transpose else reversed(range(count)):
        v = slice_in_dim(vectors, k, k + 1, axis=a.ndim - 1)
        tau = slice_in_dim(taus, k, k + 1, axis=taus.ndim - 1)
        factors = broadcast_in_dim(tau, v.shape, (*range(v.ndim - 2), v.ndim - 1))
        scaled = mul(v, conjugate(factors) if transpose else factors)
        c = sub(c, matmul(scaled, matmul(adjoint(v), c)))
    return c
