"""Eigenvalues and singular values: `eigh`, `eig` and `svd`.

Vectors are determined up to factors of modulus one, and where values are equal up to a turn of the
space that they span.  What a derivative says about them is therefore right for functions that don't
depend on the choice.  It is made of differences ``1 / (w[j] - w[i])``; where two values agree to
rounding, that difference is taken as zero, which is finite always and right for symmetric functions
of the equal values (their sum, a norm) and for what depends on the space that their vectors span,
in first derivatives.  (`V f(w) V^H` needs ``(f(w[j]) - f(w[i])) / (w[j] - w[i])``, which no rule
for w and V can restore where values are equal; a second derivative needs it too.)
Read next: `fnx.numpy.linalg`.

References
----------
M. Giles, "Collected matrix derivative results for forward and reverse mode AD", 2008.
J. Magnus, "On differentiating eigenvalues and eigenvectors", 1985.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Literal

import numpy as np

from fnx.core.primitive import Primitive, Sample, Zero
from fnx.core.types import ShapedArray, tangent_type
from fnx.errors import ArgumentValueError
from fnx.primitives.arithmetic import add, mul, neg, sub
from fnx.primitives.cast import convert_element_type, stop_gradient
from fnx.primitives.comparison import abs as absolute
from fnx.primitives.comparison import le, select
from fnx.primitives.complex_numbers import complex, imag
from fnx.primitives.constants import times
from fnx.primitives.factorizations import lu, lu_solve
from fnx.primitives.joining import concatenate
from fnx.primitives.matrices import (
    LAPACK,
    adjoint,
    check_matrices,
    conjugate,
    diagonal_of,
    each_matrix,
    from_triangle,
    front_vmap,
    hermitian_sample,
    lower_triangle,
    matmul,
    matrix_sample,
    on_columns,
    on_rows,
    or_nan,
    real_part,
    real_type,
    swapped,
    upper_triangle,
)
from fnx.primitives.nonlinear_reductions import reduce_max
from fnx.primitives.powers import reciprocal
from fnx.primitives.reductions import argmax, reduce_sum
from fnx.primitives.shaping import broadcast_in_dim, expand_dims, full
from fnx.primitives.slicing import slice_in_dim
from fnx.primitives.sorting import take_along_axis
from fnx.primitives.triangular import symmetrized

__all__ = ["eig", "eig_p", "eigh", "eigh_p", "svd", "svd_p"]

NDArray = np.ndarray[Any, Any]


# ------------------------------------------------------------------------ quotients by differences


def _size(values: Any) -> Any:
    """The largest magnitude along the last axis, repeated along it; a constant."""
    sizes = absolute(stop_gradient(values))
    return broadcast_in_dim(
        reduce_max(sizes, (sizes.ndim - 1,)), sizes.shape, range(sizes.ndim - 1)
    )


def _inverse_or_zero(x: Any, size: Any) -> Any:
    """1 / x, and 0 where x is nothing but rounding beside what it was made of."""
    eps = float(np.finfo(real_type(x.dtype)).eps)
    nothing = le(absolute(stop_gradient(x)), times(size, x.shape[-1] * eps))
    ones = full(x.shape, 1, x.dtype)
    return select(nothing, full(x.shape, 0, x.dtype), reciprocal(select(nothing, ones, x)))


def _as_rows(values: Any) -> Any:
    """The matrix whose rows are all the vector."""
    n = values.shape[-1]
    axes = (*range(values.ndim - 1), values.ndim)
    return broadcast_in_dim(values, (*values.shape[:-1], n, n), axes)


def _inverse_differences(values: Any) -> Any:
    """``1 / (w[j] - w[i])`` at (i, j), and 0 where the two agree to rounding."""
    rows = _as_rows(values)
    return _inverse_or_zero(sub(rows, swapped(rows)), _as_rows(_size(values)))


def _like(x: Any, y: Any) -> Any:
    return x if x.dtype == y.dtype else convert_element_type(x, y.dtype)


def _zeros_of(outs: Sequence[Any]) -> list[Zero]:
    return [Zero(tangent_type(o.aval)) for o in outs]


# --------------------------------------------------------------------------------------------- eigh


def _eigh_infer(a: ShapedArray, *, lower: bool, vectors: bool) -> list[ShapedArray]:
    check_matrices("eigh", a, square=True)
    values = ShapedArray(a.shape[:-1], real_type(a.dtype), a.weak_type)
    return [ShapedArray(a.shape, a.dtype, a.weak_type), values] if vectors else [values]


def _eigh_evaluate(a: NDArray, *, lower: bool, vectors: bool) -> list[NDArray]:
    n = a.shape[-1]
    triangle: Literal["L", "U"] = "L" if lower else "U"
    values = ((n,), real_type(a.dtype))
    if not vectors:
        return or_nan(lambda m: [np.linalg.eigvalsh(m, triangle)], a, [values])
    return or_nan(lambda m: np.linalg.eigh(m, triangle)[::-1], a, [((n, n), a.dtype), values])


def _eigh_jvp(
    primals: Sequence[Any], tangents: Sequence[Any], *, lower: bool, vectors: bool
) -> Any:
    # Giles: with D = V^H dA V, dw = diag(D), dV = V (D / (w[j] - w[i]))
    (a,), (da,) = primals, tangents
    if type(da) is Zero or a.size == 0:
        outs = eigh_p(a, lower=lower, vectors=vectors)
        return outs, _zeros_of(outs)
    v, w = eigh_p(a, lower=lower, vectors=True)
    inner = matmul(adjoint(v), from_triangle(da, lower), v)
    dw = real_part(diagonal_of(inner))
    if not vectors:
        return [w], [dw]
    dv = matmul(v, mul(_like(_inverse_differences(w), v), inner))
    return [v, w], [dv, dw]


def _eigh_samples(rng: np.random.Generator) -> Iterator[Sample]:
    for vectors in (True, False):
        params = {"lower": True, "vectors": vectors}
        for shape in ((3, 3), (2, 2, 2), (1, 1), (0, 2, 2), (0, 0)):
            yield Sample((hermitian_sample(rng, shape, np.float64),), params)
        # Complex vectors turn freely, so differences of LAPACK's say nothing.
        for dtype in (np.complex128, np.complex64):
            yield Sample((hermitian_sample(rng, (2, 3, 3), dtype),), params, (), not vectors)
        yield Sample((hermitian_sample(rng, (3, 3), np.float64),), {**params, "lower": False})
        yield Sample((hermitian_sample(rng, (3, 3), np.float32),), params)
        yield Sample((np.eye(3),), params, smooth=False)


eigh_p: Primitive = Primitive(
    "eigh",
    infer=_eigh_infer,
    evaluate=_eigh_evaluate,
    jvp=_eigh_jvp,
    vmap=front_vmap(lambda: eigh_p),
    lower=LAPACK,
    multiple_results=True,
    sample=_eigh_samples,
)


def eigh(
    x: Any,
    *,
    lower: bool = True,
    symmetrize_input: bool = True,
    sort_eigenvalues: bool = True,
    subset_by_index: tuple[int, int] | None = None,
    implementation: Any = None,
) -> tuple[Any, Any]:
    """Eigenvectors and eigenvalues of Hermitian matrices, from the smallest value up.

    Parameters
    ----------
    x : Array
        Matrices in the last two axes.
    lower : bool
        Which triangle is read, unless the input is symmetrized.
    symmetrize_input : bool
        Take ``(x + x^H) / 2``.
    sort_eigenvalues : bool
        They always are.
    subset_by_index : (int, int), optional
        Give the values of these positions, the last one excluded, alone.
    implementation : EighImplementation, optional
        JAX's choice of an algorithm; ignored.

    Returns
    -------
    v : Array
        The vectors, as columns.
    w : Array
        The values, real.

    Notes
    -----
    The derivative stays finite where eigenvalues are equal; the module says what it means there.

    Examples
    --------
    >>> import fnx.numpy as jnp
    >>> from fnx import lax
    >>> v, w = lax.linalg.eigh(jnp.array([[2.0, 1.0], [1.0, 2.0]]))
    >>> w
    Array([1., 3.], dtype=float32)
    """
    del sort_eigenvalues, implementation
    x = symmetrized("eigh", x) if symmetrize_input else x
    v, w = eigh_p(x, lower=bool(lower), vectors=True)
    if subset_by_index is not None:
        v, w = [_subset("eigh", o, subset_by_index) for o in (v, w)]
    return v, w


def _subset(name: str, x: Any, bounds: tuple[int, int], axis: int = -1) -> Any:
    start, stop = bounds
    axis += x.ndim
    if not 0 <= start <= stop <= x.shape[axis]:
        raise ArgumentValueError(
            f"{name}: subset_by_index={bounds} must be positions from 0 to {x.shape[axis]}."
        )
    return slice_in_dim(x, start, stop, axis=axis)


# ---------------------------------------------------------------------------------------------- eig


def _eig_infer(a: ShapedArray, *, left: bool, right: bool) -> list[ShapedArray]:
    check_matrices("eig", a, square=True)
    dtype = np.result_type(a.dtype, np.complex64)
    vectors = [ShapedArray(a.shape, dtype, a.weak_type)] * (left + right)
    return [ShapedArray(a.shape[:-1], dtype, a.weak_type), *vectors]


def _eig_evaluate(a: NDArray, *, left: bool, right: bool) -> list[NDArray]:
    n, dtype = a.shape[-1], np.result_type(a.dtype, np.complex64)
    types = [((n,), dtype), *[((n, n), dtype)] * (left + right)]
    if not left:
        if right:
            return or_nan(np.linalg.eig, a, types)
        return or_nan(lambda m: [np.linalg.eigvals(m)], a, types)
    import scipy.linalg  # loads on first use

    def one(matrix: NDArray) -> Sequence[NDArray]:
        if matrix.size == 0 or not np.isfinite(matrix).all():
            return [np.full(shape, np.nan, dtype) for shape, _ in types]
        return scipy.linalg.eig(matrix, left=True, right=right, check_finite=False)

    return each_matrix(one, [a], types)


def _eig_jvp(primals: Sequence[Any], tangents: Sequence[Any], *, left: bool, right: bool) -> Any:
    # With D = V^-1 dA V: dw = diag(D), dV = V (D / (w[j] - w[i])), then kept normal.
    (a,), (da,) = primals, tangents
    outs = eig_p(a, left=left, right=right)
    if type(da) is Zero or a.size == 0:
        return outs, _zeros_of(outs)
    w, v = (outs[0], outs[-1]) if right else eig_p(a, left=False, right=True)
    change = _like(da, v)
    dw, dv = _eig_tangents(w, v, change)
    tangents_out = [dw]
    if left:  # A^H U = U conj(w)
        tangents_out.append(_eig_tangents(conjugate(w), outs[1], adjoint(change))[1])
    if right:
        tangents_out.append(dv)
    return outs, tangents_out


def _eig_tangents(w: Any, v: Any, da: Any) -> tuple[Any, Any]:
    packed, _, permutation = lu(v)
    inner = lu_solve(packed, permutation, matmul(da, v))
    dv = matmul(v, mul(_inverse_differences(w), inner))
    # LAPACK's columns have norm 1, and their largest element is real.
    growth = reduce_sum(real_part(mul(conjugate(v), dv)), (v.ndim - 2,))
    dv = sub(dv, on_columns(v, growth))
    largest = expand_dims(argmax(absolute(stop_gradient(v)), v.ndim - 2, np.int32), (v.ndim - 2,))
    turned = imag(take_along_axis(dv, largest, v.ndim - 2))
    length = real_part(take_along_axis(v, largest, v.ndim - 2))
    turn = reduce_sum(mul(turned, reciprocal(length)), (v.ndim - 2,))
    return diagonal_of(inner), sub(
        dv, on_columns(v, complex(full(turn.shape, 0, turn.dtype), turn))
    )


def _eig_samples(rng: np.random.Generator) -> Iterator[Sample]:
    for left, right in ((False, True), (True, True), (False, False), (True, False)):
        params = {"left": left, "right": right}
        for dtype in (np.float64, np.complex128, np.float32, np.complex64):
            yield Sample((_spread(rng, (3, 3), dtype),), params)
        for shape in ((2, 2, 2), (1, 1), (0, 2, 2), (0, 0)):
            yield Sample((_spread(rng, shape, np.float64),), params)
    turning = np.array([[1.0, 4.0, 0.0], [-1.0, 1.0, 0.5], [0.25, 0.0, 3.0]])
    # Of a complex pair LAPACK's sign may jump.
    yield Sample((turning,), {"left": False, "right": True}, smooth=False)
    yield Sample((np.eye(3),), {"left": False, "right": True}, smooth=False)


def _spread(rng: np.random.Generator, shape: Sequence[int], dtype: Any) -> NDArray:
    """Matrices with separate eigenvalues, whose vectors have a clearly largest element."""
    n = shape[-1]
    x = 0.3 * rng.uniform(-1, 1, shape) + np.diag(1.0 + 2 * np.arange(n))
    if np.dtype(dtype).kind == "c":
        x = x + 0.3j * rng.uniform(-1, 1, shape)
    return x.astype(dtype)


eig_p: Primitive = Primitive(
    "eig",
    infer=_eig_infer,
    evaluate=_eig_evaluate,
    jvp=_eig_jvp,
    vmap=front_vmap(lambda: eig_p),
    lower=LAPACK,
    multiple_results=True,
    sample=_eig_samples,
)


def eig(
    x: Any,
    *,
    compute_left_eigenvectors: bool = True,
    compute_right_eigenvectors: bool = True,
    enable_eigvec_derivs: bool = False,
    implementation: Any = None,
    use_magma: bool | None = None,
) -> list[Any]:
    """Eigenvalues and eigenvectors of square matrices, complex.

    Parameters
    ----------
    x : Array
        Matrices in the last two axes.
    compute_left_eigenvectors, compute_right_eigenvectors : bool
        Which vectors to give.
    enable_eigvec_derivs : bool
        Derivatives of vectors exist always; ignored.
    implementation, use_magma
        JAX's choices of an algorithm; ignored.

    Returns
    -------
    list of Array
        The values, then the left and the right vectors as columns, as far as they are wanted. A
        vector has norm 1, and its largest element is real; so they are differentiated, too.

    Examples
    --------
    >>> import fnx.numpy as jnp
    >>> from fnx import lax
    >>> w, v = lax.linalg.eig(jnp.array([[0.0, 1.0], [-1.0, 0.0]]), compute_left_eigenvectors=False)
    >>> jnp.imag(w)
    Array([ 1., -1.], dtype=float32)
    """
    del enable_eigvec_derivs, implementation, use_magma
    left, right = bool(compute_left_eigenvectors), bool(compute_right_eigenvectors)
    return list(eig_p(x, left=left, right=right))


# ---------------------------------------------------------------------------------------------- svd


def _svd_types(shape: Sequence[int], dtype: Any, full_matrices: bool, vectors: bool) -> list[Any]:
    m, n = shape[-2:]
    k = min(m, n)
    values = ((k,), real_type(dtype))
    if not vectors:
        return [values]
    rows, columns = (m, n) if full_matrices else (k, k)
    return [values, ((m, rows), dtype), ((columns, n), dtype)]


def _svd_infer(a: ShapedArray, *, full_matrices: bool, vectors: bool) -> list[ShapedArray]:
    check_matrices("svd", a)
    types = _svd_types(a.shape, a.dtype, full_matrices, vectors)
    return [ShapedArray((*a.shape[:-2], *shape), dtype, a.weak_type) for shape, dtype in types]


def _svd_evaluate(a: NDArray, *, full_matrices: bool, vectors: bool) -> list[NDArray]:
    types = _svd_types(a.shape, a.dtype, full_matrices, vectors)
    if not vectors:
        return or_nan(lambda m: [np.linalg.svd(m, compute_uv=False)], a, types)

    def factor(m: NDArray) -> list[NDArray]:
        u, s, vh = np.linalg.svd(m, full_matrices)
        return [s, u, vh]

    return or_nan(factor, a, types)


def _svd_jvp(
    primals: Sequence[Any], tangents: Sequence[Any], *, full_matrices: bool, vectors: bool
) -> Any:
    # Giles: with D = U^H dA V, ds = Re diag(D), and U and V turn by
    # U^H dU = (D S + S D^H) / (s[j]^2 - s[i]^2), V^H dV = (S D + D^H S) / (s[j]^2 - s[i]^2);
    # the imaginary diagonal of D goes to U, what leaves their spaces is divided by s.
    (a,), (da,) = primals, tangents
    if type(da) is Zero or a.size == 0:
        outs = svd_p(a, full_matrices=full_matrices, vectors=vectors)
        return outs, _zeros_of(outs)
    *_, m, n = a.shape
    k = min(m, n)
    full_outs = svd_p(a, full_matrices=full_matrices and vectors, vectors=True)
    s, u, vh = full_outs
    columns, rows = a.ndim - 1, a.ndim - 2
    u1 = slice_in_dim(u, 0, k, axis=columns) if u.shape[-1] > k else u
    v1 = adjoint(slice_in_dim(vh, 0, k, axis=rows) if vh.shape[-2] > k else vh)
    d = matmul(adjoint(u1), da, v1)
    ds = real_part(diagonal_of(d))
    if not vectors:
        return [s], [ds]
    squares = _as_rows(mul(s, s))
    differences = sub(squares, swapped(squares))
    size = _as_rows(mul(_size(s), _size(s)))
    quotients = _like(_inverse_or_zero(differences, size), d)
    inverse = _inverse_or_zero(s, _size(s))
    on_right, on_left = on_columns(d, s), on_rows(d, s)
    turn_u = mul(quotients, add(on_right, adjoint(on_right)))
    turn_v = mul(quotients, add(on_left, adjoint(on_left)))
    if d.dtype.kind == "c":
        phases = mul(imag(lower_triangle(upper_triangle(d))), _as_rows(inverse))
        turn_u = add(turn_u, complex(full(phases.shape, 0, phases.dtype), phases))
    du = _completed(u, u1, turn_u, matmul(da, v1), inverse)
    dv = _completed(adjoint(vh), v1, turn_v, matmul(adjoint(da), u1), inverse)
    return full_outs, [ds, du, adjoint(dv)]


def _completed(whole: Any, basis: Any, turn: Any, moved: Any, inverse: Any) -> Any:
    """The tangent of orthonormal columns: their turn, and what `moved` / s has outside their space.

    Columns of `whole` beyond `basis` complete it, and turn only as much as they must.
    """
    k, n = basis.shape[-1], basis.shape[-2]
    tangent = matmul(basis, turn)
    if k == n:
        return tangent
    outside = sub(moved, matmul(basis, matmul(adjoint(basis), moved)))
    outside = on_columns(outside, inverse)
    tangent = add(tangent, outside)
    if whole.shape[-1] == k:
        return tangent
    completing = slice_in_dim(whole, k, n, axis=whole.ndim - 1)
    turned = neg(matmul(basis, adjoint(matmul(adjoint(completing), outside))))
    return concatenate([tangent, turned], whole.ndim - 1)


def _svd_samples(rng: np.random.Generator) -> Iterator[Sample]:
    for vectors in (True, False):
        params = {"full_matrices": False, "vectors": vectors}
        for shape in ((3, 3), (4, 2), (2, 4), (2, 3, 2), (1, 1), (0, 2, 2), (0, 2), (2, 0)):
            yield Sample((matrix_sample(rng, shape, np.float64),), params)
        # Complex vectors turn freely, so differences of LAPACK's say nothing; so do those that
        # complete a basis.
        for dtype in (np.complex128, np.complex64):
            yield Sample((matrix_sample(rng, (2, 3, 2), dtype),), params, (), not vectors)
        yield Sample((matrix_sample(rng, (3, 2), np.float32),), params)
    params = {"full_matrices": True, "vectors": True}
    yield Sample((matrix_sample(rng, (3, 3), np.float64),), params)
    yield Sample((matrix_sample(rng, (2, 4), np.float64),), params, (), False)
    yield Sample((np.eye(3),), params, (), False)


svd_p: Primitive = Primitive(
    "svd",
    infer=_svd_infer,
    evaluate=_svd_evaluate,
    jvp=_svd_jvp,
    vmap=front_vmap(lambda: svd_p),
    lower=LAPACK,
    multiple_results=True,
    sample=_svd_samples,
)


def svd(
    x: Any,
    *,
    full_matrices: bool = True,
    compute_uv: bool = True,
    subset_by_index: tuple[int, int] | None = None,
    algorithm: Any = None,
) -> Any:
    """The singular value decomposition ``x = U diag(s) V^H``, from the largest value down.

    Parameters
    ----------
    x : Array
        Matrices in the last two axes.
    full_matrices : bool
        Complete U and V^H to square matrices.
    compute_uv : bool
        Whether to give U and V^H as well.
    subset_by_index : (int, int), optional
        Give the values of these positions, the last one excluded, alone.
    algorithm : SvdAlgorithm, optional
        JAX's choice of an algorithm; ignored.

    Returns
    -------
    u, s, vh : Array
        Or s alone.

    Notes
    -----
    The derivative stays finite where singular values are equal or zero; the module says what it
    means there.

    Examples
    --------
    >>> import fnx.numpy as jnp
    >>> from fnx import lax
    >>> lax.linalg.svd(jnp.array([[3.0, 0.0], [0.0, -4.0]]), compute_uv=False)
    Array([4., 3.], dtype=float32)
    """
    del algorithm
    if subset_by_index is not None and full_matrices and compute_uv:
        raise ArgumentValueError("svd: subset_by_index and full_matrices can't both be set.")
    full_matrices = bool(full_matrices and compute_uv)
    outs = svd_p(x, full_matrices=full_matrices, vectors=bool(compute_uv))
    if subset_by_index is not None:
        axes = (-1, -1, -2)
        outs = [_subset("svd", o, subset_by_index, k) for o, k in zip(outs, axes, strict=False)]
    if not compute_uv:
        return outs[0]
    s, u, vh = outs
    return u, s, vh
