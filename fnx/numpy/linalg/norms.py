"""Norms of vectors and matrices, the condition number, the rank.

Where a norm has a kink (at zero, at a rank deficient matrix for the nuclear norm) its derivative
is the subgradient of least norm: zero for zero.  Read next: `products`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from fnx.errors import ArgumentValueError, ShapeError
from fnx.numpy.elementwise import abs as abs_
from fnx.numpy.elementwise import conj, isnan, real
from fnx.numpy.linalg.decompositions import svd, svdvals
from fnx.numpy.manipulation import expand_dims, moveaxis, normal_axis
from fnx.numpy.promotion import as_arrays, cast, promote_inexact
from fnx.numpy.reductions import any as any_
from fnx.numpy.reductions import max as max_
from fnx.numpy.reductions import min as min_
from fnx.numpy.reductions import sum as sum_
from fnx.numpy.ufuncs import multiply, sqrt, where
from fnx.primitives.cast import stop_gradient
from fnx.primitives.factorizations import lu, lu_solve
from fnx.primitives.matrices import eye_like, real_type

__all__ = ["cond", "matrix_norm", "matrix_rank", "norm", "vector_norm"]


def _root_of_squares(x: Any, axis: Any, keepdims: bool) -> Any:
    """The Euclidean norm; d|x| = Re(x conj dx) / |x|, and 0 at 0."""
    total = sum_(real(multiply(x, conj(x))), axis=axis, keepdims=keepdims)
    zero = total == 0
    return where(zero, 0, sqrt(where(zero, 1, total)))


def _sizes(x: Any) -> Any:
    """|x|, whose derivative at 0 is 0."""
    zero = x == 0
    return where(zero, 0, abs_(where(zero, 1, x)))


def vector_norm(
    x: Any, /, *, axis: Any = None, keepdims: bool = False, ord: float | str = 2
) -> Any:
    """A norm of vectors.

    Parameters
    ----------
    x : array-like
        The array.
    axis : int or sequence of int, optional
        Of the vectors; by default all axes are one.
    keepdims : bool
        Leave reduced axes with extent 1.
    ord : number
        2, 1, inf, -inf, 0 (how many are not zero), or another power.

    Examples
    --------
    >>> import fnx, fnx.numpy as jnp
    >>> jnp.linalg.vector_norm(jnp.array([3.0, 4.0]))
    Array(5., dtype=float32)
    >>> fnx.grad(jnp.linalg.vector_norm)(jnp.zeros(2))
    Array([0., 0.], dtype=float32)
    """
    (v,) = promote_inexact("vector_norm", x)
    how = {"axis": axis, "keepdims": keepdims}
    if ord is None or ord == 2:
        return _root_of_squares(v, axis, keepdims)
    if isinstance(ord, str):
        hint = f" Use {ord.replace('inf', 'jax.numpy.inf')} instead." if "inf" in ord else ""
        raise ArgumentValueError(f"vector_norm: invalid order {ord!r} for a vector norm.{hint}")
    if ord == 0:
        return sum_(v != 0, dtype=real_type(v.dtype) if v.dtype.kind == "c" else v.dtype, **how)
    sizes = _sizes(v)
    if ord == np.inf:
        return max_(sizes, initial=0, **how)
    if ord == -np.inf:
        return min_(sizes, **how)
    if ord == 1:
        return sum_(sizes, **how)
    if ord < 0:
        return sum_(sizes**ord, **how) ** (1.0 / ord)
    zero = sizes == 0
    total = sum_(where(zero, 0, where(zero, 1, sizes) ** ord), **how)
    nothing = total == 0
    return where(nothing, 0, where(nothing, 1, total) ** (1.0 / ord))


def _values_with_least_subgradient(x: Any) -> Any:
    """Singular values; those that are zero to rounding are constants."""
    s = svdvals(x)
    if s.shape[-1] == 0:
        return s
    eps = float(np.finfo(s.dtype).eps) * max(x.shape[-2:])
    return where(s <= eps * stop_gradient(s[..., :1]), stop_gradient(s), s)


def norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    """A norm of vectors or matrices.

    Parameters
    ----------
    x : array-like
        The array.
    ord : number or {"fro", "nuc"}, optional
        Of vectors as in `vector_norm`. Of matrices: ``"fro"``, ``"nuc"`` (the sum of singular
        values), 2 and -2 (the largest, the smallest), inf and -inf (of sums of rows), 1 and -1 (of
        sums of columns).
    axis : int or pair of int, optional
        One for vectors, two for matrices; by default all axes (flattened, if `ord` is None).
    keepdims : bool
        Leave reduced axes with extent 1.

    Examples
    --------
    >>> import fnx.numpy as jnp
    >>> jnp.linalg.norm(jnp.array([[3.0, 0.0], [0.0, 4.0]]), "nuc")
    Array(7., dtype=float32)
    """
    (v,) = promote_inexact("norm", x)
    if axis is None:
        if ord is None:
            return _root_of_squares(v, None, keepdims)
        axes = tuple(range(v.ndim))
    else:
        given = axis if isinstance(axis, (tuple, list)) else (axis,)
        axes = tuple([normal_axis("norm", k, v.ndim) for k in given])
    if len(axes) == 1:
        return vector_norm(v, ord=2 if ord is None else ord, axis=axes, keepdims=keepdims)
    if len(axes) != 2 or axes[0] == axes[1]:
        raise ArgumentValueError(
            f"norm: improper number of axes, {axes} of {v.aval!r}. Pass one "
            "axis to compute a vector norm, or two axes to compute a matrix norm."
        )
    row, column = axes
    if ord is None or ord in ("f", "fro"):
        return _root_of_squares(v, axes, keepdims)
    if ord in (1, -1, np.inf, -np.inf):
        summed, rest = (row, column) if abs(ord) == 1 else (column, row)
        sums = sum_(_sizes(v), axis=summed, keepdims=True)
        out = max_(sums, axis=rest, keepdims=True, initial=0) if ord > 0 else None
        out = min_(sums, axis=rest, keepdims=True) if out is None else out
    elif ord in ("nuc", 2, -2):
        s = _values_with_least_subgradient(moveaxis(v, axes, (-2, -1)))
        if ord == "nuc":
            out = sum_(s, axis=-1)
        else:
            out = max_(s, axis=-1, initial=0) if ord == 2 else min_(s, axis=-1)
        out = expand_dims(out, axes)
    else:
        raise ArgumentValueError(f"norm: invalid order {ord!r} for a matrix norm.")
    return out if keepdims else out.squeeze(axes)


def matrix_norm(x: Any, /, *, keepdims: bool = False, ord: Any = "fro") -> Any:
    """A norm of the matrices in the last two axes.

    Parameters
    ----------
    x : array-like
        The array.
    keepdims : bool
        Leave reduced axes with extent 1.
    ord : number or {"fro", "nuc"}
        As for matrices in `norm`.
    """
    return norm(x, ord=ord, keepdims=keepdims, axis=(-2, -1))


def cond(x: Any, p: Any = None) -> Any:
    """The condition number.

    Parameters
    ----------
    x : array-like
        Matrices in the last two axes.
    p : number or {"fro", "nuc"}, optional
        In which norm; by default 2, the quotient of the largest and the smallest singular value.

    Examples
    --------
    >>> import fnx.numpy as jnp
    >>> jnp.linalg.cond(jnp.array([[2.0, 0.0], [0.0, 4.0]]))
    Array(2., dtype=float32)
    """
    (v,) = promote_inexact("cond", x)
    if v.ndim < 2 or 0 in v.shape[-2:]:
        raise ShapeError(
            f"cond: takes matrices that aren't empty, in the last two axes, got {v.aval!r}."
        )
    if p is None or p in (2, -2):
        s = svdvals(v)
        largest, smallest = s[..., 0], s[..., -1]
        if p != -2:
            return largest / smallest
        out = smallest / largest
    else:
        if v.shape[-1] != v.shape[-2]:
            raise ShapeError(f"cond: takes square matrices for p={p!r}, got {v.aval!r}.")
        packed, _, permutation = lu(v)
        inverse = lu_solve(packed, permutation, eye_like(v))
        out = matrix_norm(v, ord=p) * matrix_norm(inverse, ord=p)
    return where(isnan(out) & ~any_(isnan(v), axis=(-2, -1)), np.inf, out)


def matrix_rank(M: Any, rtol: Any = None, *, hermitian: bool = False, tol: Any = None) -> Any:
    """The number of singular values that aren't zero to rounding.

    Parameters
    ----------
    M : array-like
        Matrices in the last two axes; the rank of a vector is whether it has a nonzero element.
    rtol : array-like, optional
        Singular values up to this (absolutely, as in JAX) count as zero; by default the larger
        extent times the largest value, in units of rounding.
    hermitian : bool
        Make it of `eigh`.
    tol : array-like, optional
        Another name of `rtol`.

    Examples
    --------
    >>> import fnx.numpy as jnp
    >>> jnp.linalg.matrix_rank(jnp.ones((3, 3)))
    Array(1, dtype=int32)
    """
    if tol is not None:
        if rtol is not None:
            raise ArgumentValueError("matrix_rank: only one of tol or rtol may be specified.")
        rtol = tol
    (x,) = promote_inexact("matrix_rank", M)
    if x.ndim < 2:
        return cast(any_(x != 0), np.dtype(np.int32))
    s = svd(x, full_matrices=False, compute_uv=False, hermitian=hermitian)
    if rtol is None:
        eps = float(np.finfo(s.dtype).eps) * max(x.shape[-2:])
        (limit,) = as_arrays("matrix_rank", max_(s, -1, initial=0) * eps)
    else:
        (limit,) = as_arrays("matrix_rank", rtol)
    return sum_(s > limit[..., None], -1)
