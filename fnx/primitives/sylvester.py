"""The Sylvester equation ``A X + X B = C``, and square roots, whose derivative it gives.

Read next: `fnx.scipy.linalg`.

References
----------
R. Bartels, G. Stewart, "Solution of the matrix equation AX + XB = C", 1972.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from fnx.core.primitive import Linear, Primitive, Sample, Zero
from fnx.core.types import ShapedArray, tangent_type
from fnx.errors import ArgumentTypeError, ShapeError
from fnx.primitives.arithmetic import neg, sub
from fnx.primitives.cast import convert_element_type
from fnx.primitives.families import to_front
from fnx.primitives.matrices import (
    LAPACK,
    check_matrices,
    each_matrix,
    front_vmap,
    matmul,
    matrix_sample,
    swapped,
)
from fnx.primitives.samplers import arrays

__all__ = ["solve_sylvester", "solve_sylvester_p", "sqrtm", "sqrtm_p"]

NDArray = np.ndarray[Any, Any]


# ---------------------------------------------------------------------------------- solve_sylvester


def _sylvester_infer(a: ShapedArray, b: ShapedArray, c: ShapedArray) -> ShapedArray:
    name = "solve_sylvester"
    check_matrices(name, a, square=True)
    check_matrices(name, b, square=True)
    check_matrices(name, c)
    if not a.dtype == b.dtype == c.dtype:
        raise ArgumentTypeError(f"{name}: dtypes must be equal, got {a!r}, {b!r} and {c!r}.")
    batch = c.shape[:-2]
    if a.shape[:-2] != batch or b.shape[:-2] != batch or c.shape[-2:] != (a.shape[-1], b.shape[-1]):
        raise ShapeError(f"{name}: shapes don't fit A X + X B = C, got {a!r}, {b!r} and {c!r}.")
    return ShapedArray(c.shape, c.dtype, a.weak_type and b.weak_type and c.weak_type)


def _sylvester_evaluate(a: NDArray, b: NDArray, c: NDArray) -> NDArray:
    import scipy.linalg  # loads on first use

    if c.size == 0:
        return np.empty(c.shape, c.dtype)

    def solve(a: NDArray, b: NDArray, c: NDArray) -> list[Any]:
        if not (np.isfinite(a).all() and np.isfinite(b).all()):
            return [np.full(c.shape, np.nan, c.dtype)]
        kind = "real" if c.dtype.kind == "f" else "complex"
        r, u = scipy.linalg.schur(a, output=kind, check_finite=False)
        s, v = scipy.linalg.schur(b, output=kind, check_finite=False)
        (trsyl,) = scipy.linalg.get_lapack_funcs(("trsyl",), (r, s))
        y, scale, _ = trsyl(r, s, u.conj().T @ c @ v)
        return [u @ (y / scale) @ v.conj().T]

    return each_matrix(solve, [a, b, c], [(c.shape[-2:], c.dtype)])[0]


def _sylvester_jet(primals: Sequence[Any], series: Sequence[Sequence[Any]]) -> Any:
    # A0 X_k + X_k B0 = C_k - sum_{j=1..k} (A_j X_{k-j} + X_{k-j} B_j)
    (a, b, c), (a_terms, b_terms, c_terms) = primals, series
    xs = [solve_sylvester_p(a, b, c)]
    zero = Zero(tangent_type(xs[0].aval))
    for k, right in enumerate(c_terms, 1):
        for j in range(1, k + 1):
            x = xs[k - j]
            if type(x) is Zero:
                continue
            for term, left in ((a_terms[j - 1], True), (b_terms[j - 1], False)):
                if type(term) is not Zero:
                    product = matmul(term, x) if left else matmul(x, term)
                    right = neg(product) if type(right) is Zero else sub(right, product)
        xs.append(zero if type(right) is Zero else solve_sylvester_p(a, b, right))
    return xs[0], xs[1:]


def _sylvester_jvp(primals: Sequence[Any], tangents: Sequence[Any]) -> Any:
    out, (tangent,) = _sylvester_jet(primals, [[t] for t in tangents])
    return out, tangent


def _sylvester_transpose(ct: Any, a: Any, b: Any, c: Linear) -> list[Any]:
    # <ct, X>, X linear in C: A^T Y + Y B^T = ct gives <Y, C>.
    return [None, None, solve_sylvester_p(swapped(a), swapped(b), ct)]


def _sylvester_vmap(size: int, args: Sequence[Any], dims: Sequence[Any]) -> Any:
    return solve_sylvester_p(*[to_front(x, d, size) for x, d in zip(args, dims, strict=True)]), 0


def _sylvester_samples(rng: np.random.Generator) -> Iterator[Sample]:
    def sample(batch: tuple[int, ...], m: int, n: int, dtype: Any) -> Sample:
        a, b = [matrix_sample(rng, (*batch, k, k), dtype, 0.1) for k in (m, n)]
        a, b = [(x + 2 * np.eye(x.shape[-1])).astype(dtype) for x in (a, b)]
        return Sample((a, b, arrays(rng, (*batch, m, n), dtype)), {}, (2,))

    for batch, m, n in (((), 2, 3), ((), 1, 1), ((2,), 2, 2), ((0,), 2, 2), ((), 0, 2)):
        yield sample(batch, m, n, np.float64)
    for dtype in (np.complex128, np.float32, np.complex64):
        yield sample((2,), 3, 2, dtype)


solve_sylvester_p: Primitive = Primitive(
    "solve_sylvester",
    infer=_sylvester_infer,
    evaluate=_sylvester_evaluate,
    jvp=_sylvester_jvp,
    transpose=_sylvester_transpose,
    vmap=_sylvester_vmap,
    jet=_sylvester_jet,
    lower=LAPACK,
    sample=_sylvester_samples,
)


def solve_sylvester(a: Any, b: Any, c: Any) -> Any:
    """Solve ``a x + x b = c``.

    Parameters
    ----------
    a, b, c : Array
        Matrices in the last two axes, of one dtype and with equal batch axes.
    """
    return solve_sylvester_p(a, b, c)


# -------------------------------------------------------------------------------------------- sqrtm


def _sqrtm_infer(a: ShapedArray) -> ShapedArray:
    check_matrices("sqrtm", a, square=True)
    return ShapedArray(a.shape, np.result_type(a.dtype, np.complex64), a.weak_type)


def _sqrtm_evaluate(a: NDArray) -> NDArray:
    import scipy.linalg  # loads on first use

    dtype = np.result_type(a.dtype, np.complex64)

    def root(matrix: NDArray) -> list[NDArray]:
        if matrix.size == 0 or not np.isfinite(matrix).all():
            return [np.full(matrix.shape, np.nan, dtype)]
        t, z = scipy.linalg.schur(matrix.astype(dtype), output="complex", check_finite=False)
        return [z @ _triangular_root(t) @ z.conj().T]

    return each_matrix(root, [a], [(a.shape[-2:], dtype)])[0]


def _triangular_root(t: NDArray) -> NDArray:
    # R R = T, column by column, each from the diagonal up.
    n = t.shape[0]
    root = np.diag(np.sqrt(np.diagonal(t)))
    for j in range(n):
        for i in range(j - 1, -1, -1):
            rest = t[i, j] - root[i, i + 1 : j] @ root[i + 1 : j, j]
            below = root[i, i] + root[j, j]
            root[i, j] = rest / below if below != 0 or rest != 0 else 0
    return root


def _sqrtm_jvp(primals: Sequence[Any], tangents: Sequence[Any]) -> Any:
    # X X = A: X dX + dX X = dA
    (a,), (da,) = primals, tangents
    x = sqrtm_p(a)
    if type(da) is Zero:
        return x, Zero(tangent_type(x.aval))
    change = da if da.dtype == x.dtype else convert_element_type(da, x.dtype)
    return x, solve_sylvester_p(x, x, change)


def _sqrtm_samples(rng: np.random.Generator) -> Iterator[Sample]:
    for shape, dtype in (
        ((3, 3), np.float64),
        ((2, 2, 2), np.complex128),
        ((1, 1), np.float64),
        ((0, 2, 2), np.float64),
        ((0, 0), np.float64),
        ((3, 3), np.float32),
        ((2, 2), np.complex64),
    ):
        x = matrix_sample(rng, shape, dtype, 0.1) + 2 * np.eye(shape[-1])
        yield Sample((x.astype(dtype),), {})


sqrtm_p: Primitive = Primitive(
    "sqrtm",
    infer=_sqrtm_infer,
    evaluate=_sqrtm_evaluate,
    jvp=_sqrtm_jvp,
    vmap=front_vmap(lambda: sqrtm_p),
    lower=LAPACK,
    sample=_sqrtm_samples,
)


def sqrtm(a: Any) -> Any:
    """The square root of matrices, complex.

    Parameters
    ----------
    a : Array
        Square matrices in the last two axes.
    """
    return sqrtm_p(a)
