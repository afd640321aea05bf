"""Factors and spectra of matrices, as SciPy gives them (`jax.scipy.linalg`), over batch axes.

``overwrite_*`` and ``check_finite`` mean here what `systems` says.  Read next: `functions`.
"""

from __future__ import annotations

import operator
from typing import Any

from fnx.control.custom_api import custom_jvp
from fnx.errors import ArgumentValueError, ShapeError, UnsupportedError
from fnx.numpy.creation import eye
from fnx.numpy.joining import concatenate
from fnx.numpy.linalg import systems
from fnx.numpy.promotion import promote_inexact
from fnx.primitives import factorizations, matrices, spectral, sylvester, triangular
from fnx.scipy.linalg.systems import cholesky

__all__ = ["eigh", "eigh_tridiagonal", "polar", "qr", "qr_multiply", "svd"]


def eigh(
    a: Any,
    b: Any = None,
    lower: bool = True,
    eigvals_only: bool = False,
    overwrite_a: bool = False,
    overwrite_b: bool = False,
    turbo: bool = True,
    eigvals: None = None,
    type: int = 1,
    check_finite: bool = True,
) -> Any:
    """Eigenvalues and eigenvectors of Hermitian matrices, from the smallest value up.

    Parameters
    ----------
    a : array-like
        Hermitian matrices in the last two axes. As in JAX the Hermitian part is taken, so that
        derivatives are symmetric.
    b : array-like, optional
        Hermitian positive definite matrices of a generalized problem.
    lower : bool
        Which triangle of `b` is read.
    eigvals_only : bool
        Give the values alone.
    overwrite_a, overwrite_b, turbo, check_finite : bool
        See the module; `turbo` is what SciPy had once.
    eigvals : None
        There is no choice of values.
    type : {1, 2, 3}
        The generalized problem: ``a v = w b v``, ``a b v = w v`` or ``b a v = w v``.

    Returns
    -------
    w, v : Array
        The values, and the vectors as columns, with ``v^H b v = 1`` (``v^H b^-1 v = 1`` for type
        3).

    Examples
    --------
    >>> import fnx.numpy as jnp
    >>> from fnx.scipy import linalg
    >>> linalg.eigh(jnp.array([[2.0, 1.0], [1.0, 2.0]]), eigvals_only=True)
    Array([1., 3.], dtype=float32)
    """
    del overwrite_a, overwrite_b, turbo, check_finite
    if eigvals is not None:
        raise UnsupportedError("eigh: eigvals must be None. Take a slice of the results instead.")
    if type not in (1, 2, 3):
        raise ArgumentValueError(f"eigh: type must be 1, 2 or 3, got {type!r}.")
    if b is None:
        (x,) = promote_inexact("eigh", a)
        v, w = spectral.eigh(x)
        return w if eigvals_only else (w, v)
    x, y = promote_inexact("eigh", a, b)
    if x.shape != y.shape:
        raise ShapeError(f"eigh: a and b must have one shape, got a {x.aval!r} and b {y.aval!r}.")
    factor = cholesky(y, lower=True) if lower else matrices.adjoint(cholesky(y))
    if type == 1:  # a v = w L L^H v: the matrix is L^-1 a L^-H, and v = L^-H u
        x = triangular.triangular_solve(factor, x, left_side=True, lower=True)
        x = triangular.triangular_solve(factor, x, lower=True, transpose_a=True, conjugate_a=True)
    else:  # the matrix is L^H a L, and v = L^-H u or L u
        x = matrices.matmul(matrices.adjoint(factor), x, factor)
    v, w = spectral.eigh(x)
    if eigvals_only:
        return w
    if type == 3:
        return w, matrices.matmul(factor, v)
    return w, triangular.triangular_solve(
        factor, v, left_side=True, lower=True, transpose_a=True, conjugate_a=True
    )


def eigh_tridiagonal(
    d: Any,
    e: Any,
    *,
    eigvals_only: bool = False,
    select: str = "a",
    select_range: tuple[int, int] | None = None,
    tol: float | None = None,
    key: Any = None,
) -> Any:
    """Eigenvalues and eigenvectors of real symmetric tridiagonal matrices.

    Parameters
    ----------
    d : array-like
        The diagonals, n numbers in the last axis.
    e : array-like
        What is beside them, n - 1 numbers.
    eigvals_only : bool
        Give the values alone.
    select : {"a", "i"}
        Give all, or those with the positions `select_range`, the last one included.
    select_range : (int, int), optional
        The positions.
    tol, key : optional
        For an iteration that stops early and begins at random; this one (`eigh`, of the matrix in
        full) goes to the end and needs neither.

    Returns
    -------
    w, v : Array
        The values from the smallest up, and the vectors as columns.

    Examples
    --------
    >>> import fnx.numpy as jnp
    >>> from fnx.scipy import linalg
    >>> linalg.eigh_tridiagonal(jnp.array([2.0, 2.0]), jnp.array([1.0]), eigvals_only=True)
    Array([1., 3.], dtype=float32)
    """
    del tol, key
    diagonal, beside = promote_inexact("eigh_tridiagonal", d, e)
    n = diagonal.shape[-1] if diagonal.ndim else 0
    if n < 1 or beside.shape != (*diagonal.shape[:-1], n - 1) or diagonal.dtype.kind == "c":
        raise ShapeError(
            f"eigh_tridiagonal: takes n real numbers d and n - 1 real numbers e, got d "
            f"{diagonal.aval!r} and e {beside.aval!r}."
        )
    if select not in ("a", "i") or (select == "i") != (select_range is not None):
        raise ArgumentValueError(
            "eigh_tridiagonal: select must be 'a' (all) without, or 'i' (positions) with a "
            f"select_range, got {select!r} and {select_range!r}. (How many values an interval "
            "holds depends on the data, and shapes can't.)"
        )
    matrix = diagonal[..., None] * eye(n, dtype=diagonal.dtype)
    if n > 1:
        beside = concatenate([beside, diagonal[..., :1] * 0], axis=-1)
        matrix = matrix + beside[..., None, :] * eye(n, k=-1, dtype=diagonal.dtype)
    subset = None
    if select_range is not None:
        first, last = map(operator.index, select_range)
        subset = (first, last + 1)
    # The lower triangle alone is read, and has its tangents twice.
    v, w = spectral.eigh(matrix, symmetrize_input=False, subset_by_index=subset)
    return w if eigvals_only else (w, v)


def svd(
    a: Any,
    full_matrices: bool = True,
    compute_uv: bool = True,
    overwrite_a: bool = False,
    check_finite: bool = True,
    lapack_driver: str = "gesdd",
) -> Any:
    """The singular value decomposition ``a = U diag(s) Vh``, from the largest value down.

    Parameters
    ----------
    a : array-like
        Matrices in the last two axes.
    full_matrices : bool
        Complete U and Vh to square matrices.
    compute_uv : bool
        Whether to give U and Vh as well.
    overwrite_a, check_finite : bool
        See the module.
    lapack_driver : {"gesdd"}
        NumPy's.

    Returns
    -------
    u, s, vh : Array
        Or s alone.

    Examples
    --------
    >>> import fnx.numpy as jnp
    >>> from fnx.scipy import linalg
    >>> linalg.svd(jnp.array([[3.0, 0.0], [0.0, -4.0]]), compute_uv=False)
    Array([4., 3.], dtype=float32)
    """
    del overwrite_a, check_finite
    if lapack_driver != "gesdd":
        raise UnsupportedError(f"svd: lapack_driver must be 'gesdd', got {lapack_driver!r}.")
    (x,) = promote_inexact("svd", a)
    return spectral.svd(x, full_matrices=full_matrices, compute_uv=compute_uv)


def qr(
    a: Any,
    overwrite_a: bool = False,
    lwork: Any = None,
    mode: str = "full",
    pivoting: bool = False,
    check_finite: bool = True,
) -> tuple[Any, ...]:
    """Orthonormal columns times an upper triangle.

    Parameters
    ----------
    a : array-like
        Matrices in the last two axes.
    overwrite_a, check_finite : bool
        See the module.
    lwork : optional
        LAPACK's working space is chosen for it; ignored.
    mode : {"full", "economic", "r"}
        Whether Q is completed to a square matrix, or left out (R is that of ``"full"``).
    pivoting : bool
        Order the columns so that the diagonal of R decreases.

    Returns
    -------
    tuple of Array
        Q (unless left out), R, and with `pivoting` the order of the columns.

    Examples
    --------
    >>> import fnx.numpy as jnp
    >>> from fnx.scipy import linalg
    >>> q, r = linalg.qr(jnp.array([[3.0, 1.0], [4.0, 2.0]]))
    >>> abs(r)
    Array([[5. , 2.2],
           [0. , 0.4]], dtype=float32)
    """
    del overwrite_a, lwork, check_finite
    if mode not in ("full", "economic", "r"):
        raise ArgumentValueError(f"qr: mode must be 'full', 'economic' or 'r', got {mode!r}.")
    (x,) = promote_inexact("qr", a)
    outs = factorizations.qr(x, pivoting=pivoting, full_matrices=mode != "economic")
    return outs[1:] if mode == "r" else outs


def qr_multiply(
    a: Any,
    c: Any,
    mode: str = "right",
    pivoting: bool = False,
    conjugate: bool = False,
    overwrite_a: bool = False,
    overwrite_c: bool = False,
) -> tuple[Any, ...]:
    """The decomposition ``a = Q R``, and Q times a matrix instead of Q.

    Parameters
    ----------
    a : array-like
        Matrices in the last two axes, m x n; Q is m x k, where k is the smaller extent.
    c : array-like
        What Q is multiplied with: a vector, or matrices.
    mode : {"right", "left"}
        Whether to give ``c Q`` or ``Q c``.
    pivoting : bool
        Order the columns so that the diagonal of R decreases.
    conjugate : bool
        Take the conjugate of Q.
    overwrite_a, overwrite_c : bool
        See the module.

    Returns
    -------
    tuple of Array
        The product, R, and with `pivoting` the order of the columns.

    Examples
    --------
    >>> import fnx.numpy as jnp
    >>> from fnx.scipy import linalg
    >>> product, r = linalg.qr_multiply(jnp.array([[2.0], [0.0]]), jnp.array([3.0, 1.0]))
    >>> product * r[0]
    Array([6.], dtype=float32)
    """
    del overwrite_a, overwrite_c
    if mode not in ("right", "left"):
        raise ArgumentValueError(f"qr_multiply: mode must be 'right' or 'left', got {mode!r}.")
    x, y = promote_inexact("qr_multiply", a, c)
    q, *rest = factorizations.qr(x, pivoting=pivoting, full_matrices=False)
    q = matrices.conjugate(q) if conjugate else q
    left = mode == "left"
    extent = y.ndim and y.shape[0 if y.ndim == 1 else -2 if left else -1]
    if extent != q.shape[-1 if left else -2]:
        raise ShapeError(
            f"qr_multiply: Q of shape {q.shape} and c {y.aval!r} don't fit for mode {mode!r}, "
            f"which gives {'Q c' if left else 'c Q'}."
        )
    return ((q @ y) if left else (y @ q), *rest)


# -------------------------------------------------------------------------------------------- polar


@custom_jvp
def _polar(a: Any) -> tuple[Any, Any]:
    u, s, vh = spectral.svd(a, full_matrices=False)
    return u @ vh, matrices.matmul(matrices.adjoint(vh), matrices.on_rows(vh, s))


@_polar.defjvp
def _polar_jvp(primals: Any, tangents: Any) -> Any:
    # A = U P: with X = U^H dU (skew) and M = U^H dA, P X + X P = M - M^H; dP = M - X P;
    # outside of the space of U, dU P = dA. Nothing is divided by differences of singular values.
    (a,), (da,) = primals, tangents
    u, p = _polar(a)
    inner = matrices.adjoint(u) @ da
    turn = sylvester.solve_sylvester(p, p, inner - matrices.adjoint(inner))
    du = u @ turn
    if a.shape[-2] > a.shape[-1]:
        outside = da - u @ inner
        du = du + matrices.adjoint(systems.solve(p, matrices.adjoint(outside)))
    dp = inner - turn @ p
    return (u, p), (du, (dp + matrices.adjoint(dp)) * 0.5)


def polar(
    a: Any,
    side: str = "right",
    *,
    method: str = "svd",
    eps: float | None = None,
    max_iterations: int | None = None,
) -> tuple[Any, Any]:
    """The polar decomposition: a matrix with orthonormal columns (or rows) and a positive one.

    Parameters
    ----------
    a : array-like
        Matrices in the last two axes.
    side : {"right", "left"}
        The side of the positive matrix: ``a = u p`` or ``a = p u``.
    method : {"svd", "qdwh"}
        JAX's choice of an algorithm; it is made of singular values always.
    eps, max_iterations : optional
        For JAX's iteration; ignored.

    Returns
    -------
    u, p : Array
        Orthonormal columns (rows, of a wide matrix), and a Hermitian positive semidefinite matrix.

    Notes
    -----
    The derivatives exist, to any order, where the matrix has full rank; equal singular values do
    no harm.

    Examples
    --------
    >>> import fnx.numpy as jnp
    >>> from fnx.scipy import linalg
    >>> u, p = linalg.polar(jnp.array([[0.0, -2.0], [3.0, 0.0]]))
    >>> p
    Array([[3., 0.],
           [0., 2.]], dtype=float32)
    """
    del eps, max_iterations
    if side not in ("right", "left") or method not in ("svd", "qdwh"):
        raise ArgumentValueError(
            "polar: side must be 'right' or 'left' and method 'svd' or 'qdwh', got "
            f"{side!r} and {method!r}."
        )
    (x,) = promote_inexact("polar", a)
    matrices.check_matrices("polar", x.aval)
    wide = x.shape[-2] < x.shape[-1]
    u, p = _polar(matrices.adjoint(x) if wide else x)  # of a wide matrix: a = p u^H
    if wide == (side == "right"):
        p = matrices.matmul(u, p, matrices.adjoint(u))
    return (matrices.adjoint(u) if wide else u), p
