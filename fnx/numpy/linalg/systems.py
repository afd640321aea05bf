"""Solutions and determinants: `solve`, `inv`, `det`, `slogdet`, `pinv`, `lstsq`, `tensorsolve`.

Derivatives are written with the factors that the value needed, by `custom_jvp`; what the rules are
made of is differentiable again.  `det` is a polynomial, and its derivatives of every order are
right at singular matrices too.  Read next: `norms`.

References
----------
M. Giles, "Collected matrix derivative results for forward and reverse mode AD", 2008.
G. Golub, V. Pereyra, "The differentiation of pseudo-inverses and nonlinear least squares problems
whose variables separate", 1973.
"""

from __future__ import annotations

import math
import operator
from typing import Any, NamedTuple

import numpy as np

from fnx import dtypes
from fnx.control.custom_api import custom_jvp
from fnx.control.loops import cond
from fnx.errors import ArgumentValueError, ShapeError
from fnx.numpy.creation import asarray, empty, zeros
from fnx.numpy.elementwise import abs as abs_
from fnx.numpy.elementwise import imag, real, sign
from fnx.numpy.linalg.decompositions import svd
from fnx.numpy.linalg.norms import vector_norm
from fnx.numpy.manipulation import normal_axes, reshape, transpose
from fnx.numpy.products import diagonal, matmul
from fnx.numpy.promotion import (
    broadcast_shapes,
    broadcast_to,
    cast,
    promote_inexact,
)
from fnx.numpy.reductions import any as any_
from fnx.numpy.reductions import max as max_
from fnx.numpy.reductions import mean, prod
from fnx.numpy.reductions import sum as sum_
from fnx.numpy.ufuncs import log, where
from fnx.primitives.cast import stop_gradient
from fnx.primitives.factorizations import lu, lu_solve
from fnx.primitives.matrices import adjoint, check_matrices, eye_like, real_type
from fnx.primitives.spectral import svd as svd_of

__all__ = ["det", "inv", "lstsq", "pinv", "slogdet", "solve", "tensorinv", "tensorsolve"]


# --------------------------------------------------------------------------------------- solve, inv


@custom_jvp
def _solve(a: Any, b: Any) -> Any:
    packed, _, permutation = lu(a)
    return lu_solve(packed, permutation, b)


@_solve.defjvp
def _solve_jvp(primals: Any, tangents: Any) -> Any:
    # A x = b: A dx = db - dA x
    (a, b), (da, db) = primals, tangents
    packed, _, permutation = lu(a)
    x = lu_solve(packed, permutation, b)
    return x, lu_solve(packed, permutation, db - da @ x)


def solve(a: Any, b: Any) -> Any:
    """The solution x of ``a x = b``.

    Parameters
    ----------
    a : array-like
        Square matrices in the last two axes.
    b : array-like
        A vector, or matrices in the last two axes; batch axes are broadcast.

    Examples
    --------
    >>> import fnx.numpy as jnp
    >>> jnp.linalg.solve(jnp.array([[2.0, 0.0], [1.0, 4.0]]), jnp.array([2.0, 9.0]))
    Array([1., 2.], dtype=float32)
    """
    x, y = promote_inexact("solve", a, b)
    check_matrices("solve", x.aval, square=True)
    vector = y.ndim == 1
    y = y[:, None] if vector else y
    if y.ndim < 1 or y.shape[-2] != x.shape[-1]:
        raise ShapeError(
            f"solve: b must be a vector, or matrices with as many rows as a has columns, got a "
            f"{x.aval!r} and b {y.aval!r}."
        )
    batch = broadcast_shapes(x.shape[:-2], y.shape[:-2])
    out = _solve(broadcast_to(x, (*batch, *x.shape[-2:])), broadcast_to(y, (*batch, *y.shape[-2:])))
    return out[..., 0] if vector else out


def inv(a: Any) -> Any:
    """The inverse.

    Parameters
    ----------
    a : array-like
        Square matrices in the last two axes. A singular one gives infinities or NaN.

    Examples
    --------
    >>> import fnx.numpy as jnp
    >>> jnp.linalg.inv(jnp.array([[2.0, 0.0], [0.0, 4.0]]))
    Array([[0.5 , 0.  ],
           [0.  , 0.25]], dtype=float32)
    """
    (x,) = promote_inexact("inv", a)
    check_matrices("inv", x.aval, square=True)
    return _solve(x, eye_like(x))


def tensorinv(a: Any, ind: int = 2) -> Any:
    """The inverse for `tensordot` over the first `ind` axes.

    Parameters
    ----------
    a : array-like
        The product of the first `ind` extents is that of the others.
    ind : int
        How many axes are the first ones.
    """
    (x,) = promote_inexact("tensorinv", a)
    ind = operator.index(ind)
    if ind <= 0:
        raise ArgumentValueError(f"tensorinv: ind must be a positive integer, got {ind}.")
    first, last = x.shape[:ind], x.shape[ind:]
    if math.prod(first) != math.prod(last):
        raise ShapeError(
            f"tensorinv: the product of the first ind={ind} extents must be that of the others, "
            f"got {x.aval!r}."
        )
    flat = reshape(x, (math.prod(first), math.prod(last)))
    return reshape(inv(flat), (*last, *first))


def tensorsolve(a: Any, b: Any, axes: Any = None) -> Any:
    """The solution x of ``tensordot(a, x, x.ndim) = b``.

    Parameters
    ----------
    a : array-like
        Its first extents are those of `b`; the product of the others is the size of `b`.
    b : array-like
        The right hand side.
    axes : sequence of int, optional
        Axes of `a` to move to the end first.
    """
    x, y = promote_inexact("tensorsolve", a, b)
    if axes is not None:
        last = normal_axes("tensorsolve", tuple(axes), x.ndim)
        x = transpose(x, (*[k for k in range(x.ndim) if k not in last], *last))
    shape = x.shape[y.ndim :]
    if x.shape[: y.ndim] != y.shape or y.size != math.prod(shape):
        raise ShapeError(
            f"tensorsolve: the first extents of a must be those of b, and the product of the "
            f"others its size, got a {x.aval!r} and b {y.aval!r}."
        )
    flat = reshape(x, (y.size, math.prod(shape)))
    return reshape(solve(flat, reshape(y, (-1,))), shape)


# ------------------------------------------------------------------------------------- determinants


class SlogdetResult(NamedTuple):
    """The sign (or phase) of a determinant and the logarithm of its magnitude."""

    sign: Any
    logabsdet: Any


def _parity(pivots: Any) -> Any:
    """Whether the exchanges are an odd number, as 0 or 1."""
    return sum_(pivots != np.arange(pivots.shape[-1], dtype=np.int32), -1) % 2


def _signed(pivots: Any, value: Any) -> Any:
    return where(_parity(pivots) == 1, -value, value)


@custom_jvp
def _slogdet(a: Any) -> tuple[Any, Any]:
    packed, pivots, _ = lu(a)
    return _slogdet_of(packed, pivots)


def _slogdet_of(packed: Any, pivots: Any) -> tuple[Any, Any]:
    values = diagonal(packed, 0, -2, -1)
    return _signed(pivots, prod(sign(values), -1)), sum_(log(abs_(values)), -1)


@_slogdet.defjvp
def _slogdet_jvp(primals: Any, tangents: Any) -> Any:
    # d log det A = tr(A^-1 dA); the imaginary part turns the phase.
    (a,), (da,) = primals, tangents
    packed, pivots, permutation = lu(a)
    phase, size = _slogdet_of(packed, pivots)
    change = sum_(diagonal(lu_solve(packed, permutation, da), 0, -2, -1), -1)
    if phase.dtype.kind == "c":
        turn = phase * (1j * cast(imag(change), phase.dtype))
        return (phase, size), (turn, real(change))
    return (phase, size), (phase * 0, change)


def slogdet(a: Any, *, method: str | None = None) -> Any:
    """The sign of the determinant and the logarithm of its magnitude.

    Parameters
    ----------
    a : array-like
        Square matrices in the last two axes.
    method : {"lu"}, optional
        How: LU decomposition.

    Returns
    -------
    SlogdetResult
        Named ``sign`` (a phase for complex matrices) and ``logabsdet``; 0 and -inf at singular
        matrices.

    Examples
    --------
    >>> import fnx.numpy as jnp
    >>> jnp.linalg.slogdet(jnp.array([[0.0, 1.0], [1.0, 0.0]])).sign
    Array(-1., dtype=float32)
    """
    if method not in (None, "lu"):
        raise ArgumentValueError(f"slogdet: unknown method {method!r}. Supported is 'lu'.")
    (x,) = promote_inexact("slogdet", a)
    check_matrices("slogdet", x.aval, square=True)
    return SlogdetResult(*_slogdet(x))


@custom_jvp
def _det(a: Any) -> Any:
    packed, pivots, _ = lu(a)
    return _signed(pivots, prod(diagonal(packed, 0, -2, -1), -1))


@_det.defjvp
def _det_jvp(primals: Any, tangents: Any) -> Any:
    # d det A = det A tr(A^-1 dA)
    (a,), (da,) = primals, tangents
    packed, pivots, permutation = lu(a)
    value = _signed(pivots, prod(diagonal(packed, 0, -2, -1), -1))
    change = sum_(diagonal(lu_solve(packed, permutation, da), 0, -2, -1), -1)
    return value, value * change


def det(a: Any) -> Any:
    """The determinant.

    Parameters
    ----------
    a : array-like
        Square matrices in the last two axes.

    Notes
    -----
    The determinant is a polynomial, and all its derivatives exist. Where the matrix is singular
    they're taken of the mean of determinants on a circle around it, which is the same polynomial.

    Examples
    --------
    >>> import fnx.numpy as jnp
    >>> jnp.linalg.det(jnp.array([[1.0, 2.0], [3.0, 4.0]]))
    Array(-2., dtype=float32)
    """
    (x,) = promote_inexact("det", a)
    check_matrices("det", x.aval, square=True)
    n = x.shape[-1]
    if n <= 3:
        return _small_det(x, n)
    values = abs_(diagonal(lu(stop_gradient(x))[0], 0, -2, -1))
    eps = float(np.finfo(real_type(x.dtype)).eps)
    singular = any_(values <= n * eps * max_(values, -1, keepdims=True, initial=0))
    return cond(singular, _det_around, _det, x)


def _small_det(x: Any, n: int) -> Any:
    if n == 0:
        return prod(diagonal(x, 0, -2, -1), -1)
    e = [[x[..., i, j] for j in range(n)] for i in range(n)]
    if n == 1:
        return e[0][0]
    if n == 2:
        return e[0][0] * e[1][1] - e[0][1] * e[1][0]
    return (
        e[0][0] * (e[1][1] * e[2][2] - e[1][2] * e[2][1])
        - e[0][1] * (e[1][0] * e[2][2] - e[1][2] * e[2][0])
        + e[0][2] * (e[1][0] * e[2][1] - e[1][1] * e[2][0])
    )


def _det_around(x: Any) -> Any:
    """The determinant, with derivatives that are right at singular matrices.

    A polynomial of degree n in z is at z = 0 the mean of its values at more than n equally spaced
    points of a circle. With x = U S V^H, det(x + z U V^H) has its zeros at -s: at an even number
    of points that avoid the negative axis, all matrices are well conditioned.
    """
    n = x.shape[-1]
    u, s, vh = svd_of(stop_gradient(x), full_matrices=False)
    radius = where(s[..., :1] > 0, s[..., :1], 1)[..., None]
    count = n + 2 - n % 2
    whole = np.dtype(np.result_type(x.dtype, np.complex64))
    turns = np.exp(2j * np.pi * (np.arange(count) + 0.5) / count).astype(whole)
    steps = asarray(turns).reshape((count,) + (1,) * x.ndim)
    around = cast(x, whole) + steps * cast(radius * (u @ vh), whole)
    smooth = mean(_det(around), 0)
    smooth = smooth if x.dtype.kind == "c" else real(smooth)
    return stop_gradient(_det(x) - smooth) + smooth


# -------------------------------------------------------------------------------------- pinv, lstsq


def _pinv_with(a: Any, rtol: Any, hermitian: bool) -> Any:
    @custom_jvp
    def pseudo_inverse(a: Any, rtol: Any) -> Any:
        u, s, vh = svd(a, full_matrices=False, hermitian=hermitian)
        cutoff = rtol[..., None] * s[..., :1]
        kept = (s > cutoff) & (s > 0)
        inverse = where(kept, 1 / where(kept, s, 1), 0)
        return matmul(adjoint(vh) * inverse[..., None, :], adjoint(u))

    @pseudo_inverse.defjvp
    def pseudo_inverse_jvp(primals: Any, tangents: Any) -> Any:
        # Golub and Pereyra: dP = -P dA P + P P^H dA^H (1 - A P) + (1 - P A) dA^H P^H P
        (a, rtol), (da, _) = primals, tangents
        p = pseudo_inverse(a, rtol)
        ph, dah = adjoint(p), adjoint(da)
        left = p @ ph @ dah
        right = dah @ ph @ p
        tangent = left - left @ a @ p + right - p @ a @ right - p @ da @ p
        return p, tangent

    return pseudo_inverse(a, rtol)


def pinv(a: Any, rtol: Any = None, hermitian: bool = False, *, rcond: Any = None) -> Any:
    """The Moore-Penrose pseudo-inverse.

    Parameters
    ----------
    a : array-like
        Matrices in the last two axes.
    rtol : array-like, optional
        Singular values up to this times the largest count as zero; by default ten times the larger
        extent, in units of rounding.
    hermitian : bool
        Make it of `eigh`.
    rcond : array-like, optional
        NumPy's name for `rtol`.

    Notes
    -----
    The derivative is that along matrices of the same rank.

    Examples
    --------
    >>> import fnx.numpy as jnp
    >>> jnp.linalg.pinv(jnp.array([[2.0, 0.0], [0.0, 0.0]]))
    Array([[0.5, 0. ],
           [0. , 0. ]], dtype=float32)
    """
    if rcond is not None:
        if rtol is not None:
            raise ArgumentValueError("pinv: only one of rtol and rcond may be specified.")
        rtol = rcond
    (x,) = promote_inexact("pinv", a)
    check_matrices("pinv", x.aval)
    m, n = x.shape[-2:]
    if m == 0 or n == 0:
        return empty((*x.shape[:-2], n, m), x.dtype)
    parts = real_type(x.dtype)
    if rtol is None:
        rtol = 10.0 * max(m, n) * float(np.finfo(parts).eps)
    return _pinv_with(x, cast(asarray(rtol), parts), hermitian)


def lstsq(a: Any, b: Any, rcond: Any = None, *, numpy_resid: bool = False) -> tuple[Any, ...]:
    """The solution of ``a x = b`` with the least squares, and of these the shortest.

    Parameters
    ----------
    a : array-like
        A matrix.
    b : array-like
        A vector, or a matrix of right hand sides as columns.
    rcond : float, optional
        Singular values below this times the largest count as zero; by default the larger extent,
        in units of rounding.
    numpy_resid : bool
        Give no residuals where NumPy gives none (rank deficient or not overdetermined); needs the
        values, so not under `jit`.

    Returns
    -------
    x, residuals, rank, s : Array
        The solution, the sum of squares for each right hand side, the rank, the singular values.

    Examples
    --------
    >>> import fnx.numpy as jnp
    >>> x, residuals, rank, s = jnp.linalg.lstsq(jnp.ones((4, 1)), jnp.array([1.0, 2.0, 3.0, 6.0]))
    >>> x
    Array([3.], dtype=float32)
    """
    x, y = promote_inexact("lstsq", a, b)
    if x.ndim != 2 or y.ndim not in (1, 2) or x.shape[0] != y.shape[0]:
        raise ShapeError(
            f"lstsq: takes a matrix and a vector or matrix with as many rows, got a {x.aval!r} and "
            f"b {y.aval!r}."
        )
    vector = y.ndim == 1
    y = y[:, None] if vector else y
    m, n = x.shape
    parts = real_type(x.dtype)
    if x.size == 0:
        s, rank = empty(0, parts), asarray(0, dtypes.default_dtype("i"))
        solution = zeros((n, y.shape[1]), x.dtype)
    else:
        eps = float(np.finfo(parts).eps)
        limit = eps * max(m, n) if rcond is None else rcond
        limit = cast(asarray(limit), parts)
        limit = where(limit < 0, eps, limit)
        s = svd(x, compute_uv=False)
        rank = sum_((s > 0) & (s >= limit * s[0]))
        solution = matmul(_pinv_with(x, limit, False), y)
    if numpy_resid and (int(rank) < n or m <= n):
        residuals = empty(0, parts)
    else:
        residuals = vector_norm(y - matmul(x, solution), axis=0) ** 2
    return (solution[:, 0] if vector else solution), residuals, rank, s
