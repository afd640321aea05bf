"""Triangular matrices: `triangular_solve`, and the Cholesky factor.

Only the triangle that is meant is read, in values and in derivatives.  A singular triangle gives
infinities and NaN, a matrix that is not positive definite gives NaN, as in JAX.
Read next: `factorizations`.

References
----------
I. Murray, "Differentiation of the Cholesky decomposition", 2016 (arXiv:1602.07527).
M. Giles, "Collected matrix derivative results for forward and reverse mode AD", 2008.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from fnx.core.conversion import as_value
from fnx.core.primitive import Linear, Primitive, Sample, Zero
from fnx.core.types import ShapedArray, tangent_type
from fnx.errors import ArgumentTypeError, ShapeError
from fnx.primitives.arithmetic import add, neg, sub
from fnx.primitives.constants import times
from fnx.primitives.families import to_front
from fnx.primitives.matrices import (
    LAPACK,
    adjoint,
    check_matrices,
    conjugate,
    each_matrix,
    from_triangle,
    front_vmap,
    hermitian_sample,
    lower_triangle,
    matmul,
    or_nan,
    swapped,
    upper_triangle,
)
from fnx.primitives.samplers import arrays
from fnx.primitives.shaping import expand_dims, move_axis, reshape

__all__ = ["cholesky", "cholesky_p", "triangular_solve", "triangular_solve_p"]

NDArray = np.ndarray[Any, Any]


# --------------------------------------------------------------------------------- triangular_solve


def _solve_infer(a: ShapedArray, b: ShapedArray, *, left_side: bool, **params: Any) -> ShapedArray:
    name = "triangular_solve"
    check_matrices(name, a, square=True)
    check_matrices(name, b)
    if a.dtype != b.dtype:
        raise ArgumentTypeError(
            f"{name}: dtypes must be equal, got {a!r} and {b!r}. Convert one "
            "with `lax.convert_element_type`."
        )
    n = b.shape[-2] if left_side else b.shape[-1]
    if a.shape[:-2] != b.shape[:-2] or a.shape[-1] != n:
        side = "op(a) x = b" if left_side else "x op(a) = b"
        raise ShapeError(
            f"{name}: shapes don't fit {side}, got a {a!r} and b {b!r}. Batch "
            "axes must be equal: broadcast them first."
        )
    return ShapedArray(b.shape, b.dtype, a.weak_type and b.weak_type)


def _solve_evaluate(
    a: NDArray,
    b: NDArray,
    *,
    left_side: bool,
    lower: bool,
    transpose_a: bool,
    conjugate_a: bool,
    unit_diagonal: bool,
) -> NDArray:
    import scipy.linalg  # loads on first use

    if b.size == 0:
        return np.empty(b.shape, b.dtype)
    (trsm,) = scipy.linalg.get_blas_funcs(("trsm",), dtype=a.dtype)
    if conjugate_a and not transpose_a:
        a = a.conj()
    how = {
        "side": 0 if left_side else 1,
        "lower": int(lower),
        "trans_a": (2 if conjugate_a else 1) if transpose_a else 0,
        "diag": int(unit_diagonal),
    }
    one = a.dtype.type(1)
    return each_matrix(lambda m, v: [trsm(one, m, v, **how)], [a, b], [(b.shape[-2:], b.dtype)])[0]


def _operator(da: Any, x: Any, params: dict[str, Any]) -> Any:
    """op(da) x, or x op(da), of the triangle that is read; linear in both."""
    strict = int(params["unit_diagonal"])
    part = lower_triangle(da, strict) if params["lower"] else upper_triangle(da, strict)
    part = swapped(part) if params["transpose_a"] else part
    part = conjugate(part) if params["conjugate_a"] else part
    return matmul(part, x) if params["left_side"] else matmul(x, part)


def _solve_jet(primals: Sequence[Any], series: Sequence[Sequence[Any]], **params: Any) -> Any:
    # op(A) X = B, so op(A0) X_k = B_k - sum_{j=1..k} op(A_j) X_{k-j}
    (a, b), (a_terms, b_terms) = primals, series
    xs = [triangular_solve_p(a, b, **params)]
    zero = Zero(tangent_type(xs[0].aval))
    for k, right in enumerate(b_terms, 1):
        for j in range(1, k + 1):
            if type(a_terms[j - 1]) is Zero or type(xs[k - j]) is Zero:
                continue
            term = _operator(a_terms[j - 1], xs[k - j], params)
            right = neg(term) if type(right) is Zero else sub(right, term)
        xs.append(zero if type(right) is Zero else triangular_solve_p(a, right, **params))
    return xs[0], xs[1:]


def _solve_jvp(primals: Sequence[Any], tangents: Sequence[Any], **params: Any) -> Any:
    out, (tangent,) = _solve_jet(primals, [[t] for t in tangents], **params)
    return out, tangent


def _solve_transpose(ct: Any, a: Any, b: Linear, **params: Any) -> list[Any]:
    # X = op(A)^-1 B is linear in B; cotangents pair without conjugation: ct_B = op(A)^-T ct
    params["transpose_a"] = not params["transpose_a"]
    return [None, triangular_solve_p(a, ct, **params)]


def _solve_vmap(size: int, args: Sequence[Any], dims: Sequence[Any], **params: Any) -> Any:
    a, b = args
    if dims[0] is not None:
        b = to_front(b, dims[1], size)
        return triangular_solve_p(to_front(a, dims[0], size), b, **params), 0
    # One matrix for all: further right hand sides are further columns (or rows).
    *batch, m, n = a_like = [s for k, s in enumerate(b.shape) if k != dims[1]]
    if params["left_side"]:
        b = reshape(move_axis(b, dims[1], b.ndim - 1), (*batch, m, n * size))
        out = triangular_solve_p(a, b, **params)
        return reshape(out, (*a_like, size)), len(a_like)
    b = reshape(move_axis(b, dims[1], b.ndim - 3), (*batch, size * m, n))
    out = triangular_solve_p(a, b, **params)
    return reshape(out, (*batch, size, m, n)), len(batch)


def _solve_samples(rng: np.random.Generator) -> Iterator[Sample]:
    def sample(
        batch: tuple[int, ...],
        n: int,
        columns: int,
        dtype: Any,
        **changes: bool,
    ) -> Sample:
        params = {"left_side": True, "lower": True, "transpose_a": False, **_PLAIN, **changes}
        a = arrays(rng, (*batch, n, n), dtype)
        a = (a + 4 * np.eye(n, dtype=dtype)).astype(dtype)
        shape = (n, columns) if params["left_side"] else (columns, n)
        return Sample((a, arrays(rng, (*batch, *shape), dtype)), params, (1,))

    for left_side in (True, False):
        for lower in (True, False):
            for transpose_a in (True, False):
                where = {"left_side": left_side, "lower": lower, "transpose_a": transpose_a}
                yield sample((), 3, 2, np.float64, **where)
                yield sample((), 2, 3, np.complex128, conjugate_a=lower, **where)
    yield sample((2,), 3, 1, np.float64, unit_diagonal=True)
    yield sample((2, 1), 2, 2, np.complex128, conjugate_a=True, lower=False)
    yield sample((), 1, 1, np.float64)
    yield sample((0,), 2, 2, np.float64)
    yield sample((), 0, 2, np.float64)
    yield sample((), 3, 2, np.float32)
    yield sample((3,), 2, 2, np.complex64, transpose_a=True)


_PLAIN = {"conjugate_a": False, "unit_diagonal": False}

triangular_solve_p: Primitive = Primitive(
    "triangular_solve",
    infer=_solve_infer,
    evaluate=_solve_evaluate,
    jvp=_solve_jvp,
    transpose=_solve_transpose,
    vmap=_solve_vmap,
    jet=_solve_jet,
    lower=LAPACK,
    sample=_solve_samples,
)


def triangular_solve(
    a: Any,
    b: Any,
    *,
    left_side: bool = False,
    lower: bool = False,
    transpose_a: bool = False,
    conjugate_a: bool = False,
    unit_diagonal: bool = False,
) -> Any:
    """Solve ``x op(a) = b`` (or ``op(a) x = b``), where `a` is triangular.

    Parameters
    ----------
    a : Array
        Square matrices in the last two axes; the other triangle isn't read.
    b : Array
        Matrices in the last two axes, of the same dtype and batch axes; with one axis less, one
        vector each.
    left_side : bool
        Whether ``op(a)`` stands on the left.
    lower : bool
        Whether the lower triangle is meant.
    transpose_a, conjugate_a : bool
        What ``op`` does.
    unit_diagonal : bool
        Take the diagonal for ones.

    Examples
    --------
    >>> import fnx.numpy as jnp
    >>> from fnx import lax
    >>> a = jnp.array([[2.0, 0.0], [1.0, 4.0]])
    >>> lax.linalg.triangular_solve(a, jnp.array([2.0, 9.0]), left_side=True, lower=True)
    Array([1., 2.], dtype=float32)
    """
    vector = b.ndim == a.ndim - 1
    if vector:
        b = expand_dims(b, (b.ndim if left_side else b.ndim - 1,))
    out = triangular_solve_p(
        a,
        b,
        left_side=left_side,
        lower=lower,
        transpose_a=transpose_a,
        conjugate_a=conjugate_a and np.dtype(a.dtype).kind == "c",
        unit_diagonal=unit_diagonal,
    )
    if not vector:
        return out
    return reshape(out, (*out.shape[:-2], out.shape[-2] if left_side else out.shape[-1]))


# ----------------------------------------------------------------------------------------- cholesky


def _cholesky_infer(a: ShapedArray) -> ShapedArray:
    check_matrices("cholesky", a, square=True)
    return ShapedArray(a.shape, a.dtype, a.weak_type)


def _cholesky_evaluate(a: NDArray) -> NDArray:
    return or_nan(lambda m: [np.linalg.cholesky(m)], a, [(a.shape[-2:], a.dtype)])[0]


def _cholesky_jvp(primals: Sequence[Any], tangents: Sequence[Any]) -> Any:
    # Murray: dL = L P(L^-1 dA L^-H), P the lower triangle with half of the diagonal
    (a,), (da,) = primals, tangents
    factor = cholesky_p(a)
    if type(da) is Zero:
        return factor, da
    inner = triangular_solve(factor, from_triangle(da, True), left_side=True, lower=True)
    inner = triangular_solve(factor, inner, lower=True, transpose_a=True, conjugate_a=True)
    half = times(add(lower_triangle(inner), lower_triangle(inner, 1)), 0.5)
    return factor, matmul(factor, half)


def _cholesky_samples(rng: np.random.Generator) -> Iterator[Sample]:
    for shape in ((3, 3), (2, 2, 2), (1, 1), (0, 2, 2), (0, 0)):
        yield Sample((hermitian_sample(rng, shape, np.float64, positive=True),), {})
    for dtype in (np.complex128, np.float32, np.complex64):
        yield Sample((hermitian_sample(rng, (2, 3, 3), dtype, positive=True),), {})
    yield Sample(
        (np.array([[[1.0, 2.0], [2.0, 1.0]], [[4.0, 0.0], [0.0, 9.0]]]),), {}, smooth=False
    )


cholesky_p: Primitive = Primitive(
    "cholesky",
    infer=_cholesky_infer,
    evaluate=_cholesky_evaluate,
    jvp=_cholesky_jvp,
    vmap=front_vmap(lambda: cholesky_p),
    lower=LAPACK,
    sample=_cholesky_samples,
)


def cholesky(x: Any, *, symmetrize_input: bool = True) -> Any:
    """The lower triangular factor L of ``L L^H = x``.

    Parameters
    ----------
    x : Array
        Hermitian positive definite matrices in the last two axes; others give NaN.
    symmetrize_input : bool
        Take ``(x + x^H) / 2``. Otherwise the lower triangle alone is read, in the derivative too.

    Examples
    --------
    >>> import fnx.numpy as jnp
    >>> from fnx import lax
    >>> lax.linalg.cholesky(jnp.array([[4.0, 2.0], [2.0, 5.0]]))
    Array([[2., 0.],
           [1., 2.]], dtype=float32)
    """
    return cholesky_p(symmetrized("cholesky", x) if symmetrize_input else x)


def symmetrized(name: str, x: Any) -> Any:
    """The Hermitian parts of square matrices."""
    x = as_value(x, name, "x")
    check_matrices(name, x.aval, square=True)
    return times(add(x, adjoint(x)), 0.5)
