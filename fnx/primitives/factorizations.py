"""LU with partial pivoting, what it solves, and QR.

`lu_solve` is made of two triangular solves; a differentiable `solve`, which keeps the factors, is
in `fnx.numpy.linalg`.  Read next: `spectral`.

References
----------
S. Walter, L. Lehmann, L. Lamour, "On evaluating higher-order derivatives of the QR decomposition
of tall matrices with full column rank in forward and reverse mode AD", 2012.
F. de Hoog, R. Anderssen, M. Lukas, "Differentiation of matrix functionals using triangular
factorization", 2011 (LU).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from fnx.core.lowering import Host
from fnx.core.primitive import Primitive, Sample, Zero
from fnx.core.types import ShapedArray, float0
from fnx.errors import ArgumentTypeError, ArgumentValueError
from fnx.primitives.arithmetic import add, sub
from fnx.primitives.complex_numbers import complex, imag
from fnx.primitives.families import nondifferentiable
from fnx.primitives.joining import concatenate
from fnx.primitives.matrices import (
    LAPACK,
    adjoint,
    check_matrices,
    each_matrix,
    eye_like,
    front_vmap,
    lower_triangle,
    matmul,
    matrix_sample,
    or_nan,
    permuted,
    upper_triangle,
)
from fnx.primitives.samplers import arrays
from fnx.primitives.shaping import full, move_axis
from fnx.primitives.slicing import pad, slice_in_dim
from fnx.primitives.sorting import argsort
from fnx.primitives.triangular import triangular_solve

__all__ = [
    "lu",
    "lu_p",
    "lu_pivots_to_permutation",
    "lu_pivots_to_permutation_p",
    "lu_solve",
    "qr",
    "qr_p",
]

NDArray = np.ndarray[Any, Any]

_INT = np.dtype(np.int32)


def _no_tangent(x: Any) -> Zero:
    return Zero(ShapedArray(x.shape, float0))


# ----------------------------------------------------------------------------------------------- lu


def _lu_infer(a: ShapedArray) -> list[ShapedArray]:
    check_matrices("lu", a)
    *batch, m, n = a.shape
    return [
        ShapedArray(a.shape, a.dtype, a.weak_type),
        ShapedArray((*batch, min(m, n)), _INT),
        ShapedArray((*batch, m), _INT),
    ]


def _lu_evaluate(a: NDArray) -> list[NDArray]:
    import scipy.linalg  # loads on first use

    *batch, m, n = a.shape
    if a.size == 0:
        order = np.broadcast_to(np.arange(m, dtype=_INT), (*batch, m)).copy()
        return [np.empty(a.shape, a.dtype), np.zeros((*batch, min(m, n)), _INT), order]
    (getrf,) = scipy.linalg.get_lapack_funcs(("getrf",), dtype=a.dtype)

    def factor(matrix: NDArray) -> tuple[NDArray, NDArray, NDArray]:
        packed, pivots, _ = getrf(matrix)
        return packed, pivots, _order(pivots, m)

    return each_matrix(factor, [a], [((m, n), a.dtype), ((min(m, n),), _INT), ((m,), _INT)])


def _order(pivots: NDArray, size: int) -> NDArray:
    order = np.arange(size, dtype=_INT)
    for k, pivot in enumerate(pivots):
        order[[k, pivot]] = order[[pivot, k]]
    return order


def _lu_jvp(primals: Sequence[Any], tangents: Sequence[Any]) -> Any:
    # P A = L U, F = L^-1 P dA U^-1: dL = L tril(F, -1), dU = triu(F) U, with L and U made square
    # by the columns and rows of the identity.
    (a,), (da,) = primals, tangents
    packed, pivots, permutation = lu_p(a)
    if type(da) is Zero:
        tangent = da
    else:
        *_, m, n = a.shape
        k = min(m, n)
        lower = _squared(lower_triangle(packed, 1), m, k, axis=-1)
        upper = _squared(upper_triangle(packed), n, k, axis=-2, diagonal=True)
        inner = triangular_solve(
            lower, permuted(da, permutation, -2), left_side=True, lower=True, unit_diagonal=True
        )
        inner = triangular_solve(upper, inner)
        left = matmul(add(lower, eye_like(lower)), lower_triangle(inner, 1))
        tangent = add(left, matmul(upper_triangle(inner), upper))
    return [packed, pivots, permutation], [tangent, _no_tangent(pivots), _no_tangent(permutation)]


def _squared(x: Any, size: int, k: int, axis: int, diagonal: bool = False) -> Any:
    """The first k columns (rows) of a factor, and zeros (the identity's) up to a square."""
    place = x.ndim + axis
    if x.shape[place] > k:
        x = slice_in_dim(x, 0, k, axis=place)
    if size == k:
        return x
    config = [(0, 0, 0)] * x.ndim
    config[place] = (0, size - k, 0)
    x = pad(x, full((), 0, x.dtype), config)
    if not diagonal:
        return x
    ones = eye_like(x, size - k)
    config = [(0, 0, 0)] * (x.ndim - 2) + [(k, 0, 0)] * 2
    return add(x, pad(ones, full((), 0, x.dtype), config))


def _lu_samples(rng: np.random.Generator) -> Iterator[Sample]:
    # Rows of very different size: the choice of pivots is far from a tie.
    for shape in ((3, 3), (4, 2), (2, 4), (2, 3, 3), (1, 1), (0, 2, 2), (0, 3), (3, 0)):
        yield Sample((_uneven(rng, shape, np.float64),), {})
    for dtype in (np.complex128, np.float32, np.complex64):
        yield Sample((_uneven(rng, (2, 3, 3), dtype),), {})
    yield Sample((np.array([[1.0, 2.0], [2.0, 4.0]]),), {}, smooth=False)


def _uneven(rng: np.random.Generator, shape: Sequence[int], dtype: Any) -> NDArray:
    *_, m, n = shape
    order = rng.permutation(m)[:, None]
    dominant = np.where(order == np.arange(n), 4.0, 0.0)
    return np.asarray(arrays(rng, shape, dtype, -1, 1) + dominant, dtype)


lu_p: Primitive = Primitive(
    "lu",
    infer=_lu_infer,
    evaluate=_lu_evaluate,
    jvp=_lu_jvp,
    vmap=front_vmap(lambda: lu_p),
    lower=LAPACK,
    multiple_results=True,
    sample=_lu_samples,
)


def lu(x: Any) -> tuple[Any, Any, Any]:
    """The LU decomposition with partial pivoting: ``x[permutation] = L U``.

    Parameters
    ----------
    x : Array
        Matrices in the last two axes.

    Returns
    -------
    packed : Array
        U in the upper triangle, L without its diagonal of ones below.
    pivots : Array
        Row k was exchanged with row ``pivots[k]``; int32.
    permutation : Array
        The order of rows that the exchanges make; int32.

    Examples
    --------
    >>> import fnx.numpy as jnp
    >>> from fnx import lax
    >>> packed, pivots, permutation = lax.linalg.lu(jnp.array([[1.0, 2.0], [4.0, 4.0]]))
    >>> packed
    Array([[4.  , 4.  ],
           [0.25, 1.  ]], dtype=float32)
    >>> permutation
    Array([1, 0], dtype=int32)
    """
    packed, pivots, permutation = lu_p(x)
    return packed, pivots, permutation


def lu_solve(packed: Any, permutation: Any, b: Any, trans: int = 0) -> Any:
    """Solve ``A x = b``, given what `lu` gives for a square A.

    Parameters
    ----------
    packed, permutation : Array
        The decomposition.
    b : Array
        Matrices in the last two axes, with the batch axes of the decomposition.
    trans : {0, 1, 2}
        Solve with A, its transpose, or its conjugate transpose.
    """
    if trans == 0:
        b = permuted(b, permutation, -2)
        b = triangular_solve(packed, b, left_side=True, lower=True, unit_diagonal=True)
        return triangular_solve(packed, b, left_side=True)
    flags = {"left_side": True, "transpose_a": True, "conjugate_a": trans == 2}
    b = triangular_solve(packed, b, **flags)
    b = triangular_solve(packed, b, lower=True, unit_diagonal=True, **flags)
    return permuted(b, argsort(permutation), -2)


# ------------------------------------------------------------------------- lu_pivots_to_permutation


def _permutation_infer(pivots: ShapedArray, *, permutation_size: int) -> ShapedArray:
    if pivots.dtype.kind not in "iu" or pivots.ndim < 1:
        raise ArgumentTypeError(
            f"lu_pivots_to_permutation: takes vectors of integers, got {pivots!r}."
        )
    if permutation_size < pivots.shape[-1]:
        raise ArgumentValueError(
            f"lu_pivots_to_permutation: permutation_size={permutation_size} must not be less than "
            f"the number of pivots, got {pivots!r}."
        )
    return ShapedArray((*pivots.shape[:-1], permutation_size), pivots.dtype)


def _permutation_evaluate(pivots: NDArray, *, permutation_size: int) -> NDArray:
    out = np.empty((*pivots.shape[:-1], permutation_size), pivots.dtype)
    for place in np.ndindex(*pivots.shape[:-1]):
        out[place] = _order(pivots[place], permutation_size)
    return out


def _permutation_vmap(size: int, args: Sequence[Any], dims: Sequence[Any], **params: Any) -> Any:
    return lu_pivots_to_permutation_p(move_axis(args[0], dims[0], 0), **params), 0


def _permutation_samples(rng: np.random.Generator) -> Iterator[Sample]:
    for batch, count, size in (((), 3, 3), ((2,), 2, 4), ((), 0, 2), ((0,), 2, 2)):
        steps = rng.integers(0, 10**6, (*batch, count))
        pivots = np.arange(count) + steps % (size - np.arange(count))
        yield Sample((pivots.astype(_INT),), {"permutation_size": size})


lu_pivots_to_permutation_p: Primitive = nondifferentiable(
    "lu_pivots_to_permutation",
    why="integers have no tangents",
    infer=_permutation_infer,
    evaluate=_permutation_evaluate,
    vmap=_permutation_vmap,
    lower=Host("exchanges of rows, one after the other"),
    sample=_permutation_samples,
)


def lu_pivots_to_permutation(pivots: Any, permutation_size: int) -> Any:
    """The order of rows that a series of exchanges makes.

    Parameters
    ----------
    pivots : Array
        Integers: row k was exchanged with row ``pivots[..., k]``.
    permutation_size : int
        How many rows there are.

    Examples
    --------
    >>> import fnx.numpy as jnp
    >>> from fnx import lax
    >>> lax.linalg.lu_pivots_to_permutation(jnp.array([2, 2, 2]), 3)
    Array([2, 0, 1], dtype=int32)
    """
    return lu_pivots_to_permutation_p(pivots, permutation_size=int(permutation_size))


# ----------------------------------------------------------------------------------------------- qr


def _qr_types(shape: Sequence[int], pivoting: bool, full_matrices: bool, dtype: Any) -> list[Any]:
    m, n = shape[-2:]
    k = m if full_matrices else min(m, n)
    return [((m, k), dtype), ((k, n), dtype), *([((n,), _INT)] if pivoting else [])]


def _qr_infer(a: ShapedArray, *, pivoting: bool, full_matrices: bool) -> list[ShapedArray]:
    check_matrices("qr", a)
    types = _qr_types(a.shape, pivoting, full_matrices, a.dtype)
    return [
        ShapedArray((*a.shape[:-2], *shape), dtype, a.weak_type and dtype != _INT)
        for shape, dtype in types
    ]


def _qr_evaluate(a: NDArray, *, pivoting: bool, full_matrices: bool) -> list[NDArray]:
    types = _qr_types(a.shape, pivoting, full_matrices, a.dtype)
    if not pivoting:
        if full_matrices:
            return or_nan(lambda m: np.linalg.qr(m, "complete"), a, types)
        return or_nan(np.linalg.qr, a, types)
    import scipy.linalg  # loads on first use

    mode = "full" if full_matrices else "economic"

    def factor(matrix: NDArray) -> Any:
        return scipy.linalg.qr(matrix, mode=mode, pivoting=True, check_finite=False)

    return each_matrix(factor, [a], types)


def _qr_jvp(
    primals: Sequence[Any], tangents: Sequence[Any], *, pivoting: bool, full_matrices: bool
) -> Any:
    (a,), (da,) = primals, tangents
    q, r, *order = outs = qr_p(a, pivoting=pivoting, full_matrices=full_matrices)
    rest = [_no_tangent(p) for p in order]
    if type(da) is Zero or a.size == 0:
        return outs, [Zero(q.aval.strengthen()), Zero(r.aval.strengthen()), *rest]
    if pivoting:
        da = permuted(da, order[0], -1)
    *_, m, n = a.shape
    columns, rows = a.ndim - 1, a.ndim - 2
    wide, tall = m < n, m > n and full_matrices
    thin = slice_in_dim(q, 0, n, axis=columns) if tall else q
    square = slice_in_dim(r, 0, m, axis=columns) if wide else r
    square = slice_in_dim(r, 0, n, axis=rows) if tall else square
    first = slice_in_dim(da, 0, m, axis=columns) if wide else da
    # Walter and Lehmann: with C = Q^H dA R^-1, dQ = Q (O - C) + dA R^-1 and dR = (C - O) R, where
    # O is skew-Hermitian: below the diagonal it is C, on it Im C (the diagonal of R stays real).
    scaled = triangular_solve(square, first)
    c = matmul(adjoint(thin), scaled)
    below = lower_triangle(c, 1)
    skew = sub(below, adjoint(below))
    if c.dtype.kind == "c":
        turns = imag(lower_triangle(upper_triangle(c)))
        skew = add(skew, complex(full(turns.shape, 0, turns.dtype), turns))
    rest_of_c = sub(c, skew)
    dq = sub(scaled, matmul(thin, rest_of_c))
    dr = matmul(rest_of_c, square)
    if wide:  # R2 = Q^H A2
        others = slice_in_dim(a if not pivoting else permuted(a, order[0], -1), m, n, axis=columns)
        change = slice_in_dim(da, m, n, axis=columns)
        dr2 = add(matmul(adjoint(dq), others), matmul(adjoint(q), change))
        dr = concatenate([dr, dr2], columns)
    if tall:  # the columns that complete Q turn as little as they can: Q2^H dQ2 = 0
        completing = slice_in_dim(q, n, m, axis=columns)
        turned = matmul(thin, adjoint(matmul(adjoint(completing), dq)))
        dq = concatenate([dq, sub(full(turned.shape, 0, turned.dtype), turned)], columns)
        config = [(0, 0, 0)] * (a.ndim - 2) + [(0, m - n, 0), (0, 0, 0)]
        dr = pad(dr, full((), 0, dr.dtype), config)
    return outs, [dq, dr, *rest]


def _qr_samples(rng: np.random.Generator) -> Iterator[Sample]:
    plain = {"pivoting": False, "full_matrices": False}
    for shape in ((3, 3), (4, 2), (2, 4), (2, 3, 2), (1, 1), (0, 2, 2)):
        yield Sample((matrix_sample(rng, shape, np.float64),), plain)
    yield Sample((np.zeros((2, 0)),), plain)
    yield Sample((np.zeros((0, 2)),), plain)
    for dtype in (np.complex128, np.float32, np.complex64):
        yield Sample((matrix_sample(rng, (3, 3), dtype),), plain)
        yield Sample((matrix_sample(rng, (2, 3, 2), dtype),), plain)
    for shape in ((3, 3), (2, 4)):
        yield Sample((matrix_sample(rng, shape, np.float64),), {**plain, "full_matrices": True})
        graded = matrix_sample(rng, shape, np.float64) * 3.0 ** np.arange(shape[-1])
        yield Sample((graded,), {**plain, "pivoting": True})
    # How the completing columns turn is a choice (LAPACK's is another than the derivative's).
    yield Sample(
        (matrix_sample(rng, (4, 2), np.float64),), {**plain, "full_matrices": True}, (), False
    )


qr_p: Primitive = Primitive(
    "qr",
    infer=_qr_infer,
    evaluate=_qr_evaluate,
    jvp=_qr_jvp,
    vmap=front_vmap(lambda: qr_p),
    lower=LAPACK,
    multiple_results=True,
    sample=_qr_samples,
)


def qr(
    x: Any, *, pivoting: bool = False, full_matrices: bool = True, use_magma: bool | None = None
) -> tuple[Any, ...]:
    """The QR decomposition: orthonormal columns times an upper triangle.

    Parameters
    ----------
    x : Array
        Matrices in the last two axes.
    pivoting : bool
        Order the columns so that the diagonal of R decreases.
    full_matrices : bool
        Complete the columns of Q to a basis. The derivative of the completing columns is right for
        what depends on the space that they span, not on their choice.
    use_magma : None or bool
        For JAX's graphics processors; ignored.

    Returns
    -------
    q, r : Array
        The factors.
    permutation : Array
        With `pivoting`: ``x[:, permutation] = q r``; int32.

    Examples
    --------
    >>> import fnx.numpy as jnp
    >>> from fnx import lax
    >>> q, r = lax.linalg.qr(jnp.array([[3.0, 1.0], [4.0, 2.0]]))
    >>> abs(r)
    Array([[5. , 2.2],
           [0. , 0.4]], dtype=float32)
    """
    del use_magma
    return tuple(qr_p(x, pivoting=bool(pivoting), full_matrices=bool(full_matrices)))
