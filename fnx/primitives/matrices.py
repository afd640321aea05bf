"""What rules of linear algebra are made of: products, adjoints, triangles, NaN where LAPACK fails.

Matrices lie in the last two axes, every axis before them is a batch axis.  The functions take and
give arrays or tracers, but for `each_matrix` and `or_nan`, which serve the evaluate rules.
Read next: `triangular`, `factorizations`, `spectral`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from fnx.core.lowering import Host
from fnx.core.primitive import Primitive
from fnx.core.types import ShapedArray
from fnx.errors import ArgumentTypeError, ShapeError
from fnx.primitives.arithmetic import add, mul
from fnx.primitives.cast import convert_element_type
from fnx.primitives.comparison import ge, select
from fnx.primitives.complex_numbers import complex, conj, real
from fnx.primitives.contraction import batch_matmul
from fnx.primitives.iota import broadcasted_iota
from fnx.primitives.reductions import reduce_sum
from fnx.primitives.shaping import broadcast_in_dim, full, move_axis, transpose
from fnx.primitives.sorting import take_along_axis

__all__ = [
    "LAPACK",
    "adjoint",
    "check_matrices",
    "conjugate",
    "diagonal_of",
    "each_matrix",
    "eye_like",
    "front_vmap",
    "from_triangle",
    "hermitian_sample",
    "lower_triangle",
    "matmul",
    "matrix_sample",
    "on_columns",
    "on_rows",
    "or_nan",
    "permuted",
    "real_part",
    "real_type",
    "swapped",
    "upper_triangle",
]

NDArray = np.ndarray[Any, Any]
Result = tuple[tuple[int, ...], Any]

LAPACK = Host("LAPACK does it, called from Python")

_TYPES = tuple(np.dtype(t) for t in (np.float32, np.float64, np.complex64, np.complex128))


def check_matrices(name: str, aval: ShapedArray, square: bool = False) -> None:
    """Raise unless an operand is a stack of (square) matrices of a dtype that LAPACK has."""
    if aval.dtype not in _TYPES:
        raise ArgumentTypeError(
            f"{name}: takes float32, float64, complex64 or complex128, got {aval!r}. Convert it "
            "with `astype`."
        )
    if aval.ndim < 2:
        raise ShapeError(f"{name}: takes matrices in the last two axes, got {aval!r}.")
    if square and aval.shape[-1] != aval.shape[-2]:
        raise ShapeError(
            f"{name}: takes square matrices in the last two axes, got {aval!r}. For others there "
            "are `pinv`, `lstsq`, `qr` and `svd`."
        )


def real_type(dtype: Any) -> np.dtype[Any]:
    """The dtype of absolute values."""
    return np.empty(0, dtype).real.dtype


# ------------------------------------------------------------------------------- in evaluate rules


def or_nan(
    function: Callable[[NDArray], Sequence[NDArray]], x: NDArray, results: Sequence[Result]
) -> list[NDArray]:
    """Call a function of NumPy's linalg on a stack; NaN for a matrix on which it raises.

    Parameters
    ----------
    function : callable
        Of stacked matrices.
    x : ndarray
        The stack.
    results : sequence of (shape, dtype)
        Of the results for one matrix.
    """

    def alone(matrix: NDArray) -> Sequence[NDArray]:
        try:
            return function(matrix)
        except np.linalg.LinAlgError:
            return [np.full(shape, np.nan, dtype) for shape, dtype in results]

    try:
        outs = function(x)
    except np.linalg.LinAlgError:
        outs = each_matrix(alone, [x], results)
    return [np.asarray(out, dtype) for out, (_, dtype) in zip(outs, results, strict=True)]


def each_matrix(
    function: Callable[..., Sequence[Any]],
    operands: Sequence[NDArray],
    results: Sequence[Result],
) -> list[NDArray]:
    """Call a function of single matrices on every member of the stacks.

    Parameters
    ----------
    function : callable
        Takes one member of each operand, gives one member of each result.
    operands : sequence of ndarray
        With equal batch axes; the first one's members are matrices.
    results : sequence of (shape, dtype)
        Of the results for one member.
    """
    batch = operands[0].shape[:-2]
    outs = [np.empty((*batch, *shape), dtype) for shape, dtype in results]
    for place in np.ndindex(*batch):
        for out, value in zip(outs, function(*[x[place] for x in operands]), strict=True):
            out[place] = value
    return outs


# ------------------------------------------------------------------------------ in the other rules


def front_vmap(primitive_of: Callable[[], Primitive]) -> Callable[..., Any]:
    """vmap of a factorization: one more batch axis, in front."""

    def vmap(size: int, args: Sequence[Any], dims: Sequence[Any], **params: Any) -> Any:
        outs = primitive_of()(move_axis(args[0], dims[0], 0), **params)
        return outs, [0] * len(outs) if primitive_of().multiple_results else 0

    return vmap


def matmul(x: Any, *others: Any) -> Any:
    """Products of stacks of matrices, from the left, with the most exact method there is."""
    for y in others:
        x = batch_matmul(x, y, "highest")
    return x


def swapped(x: Any) -> Any:
    """The transposes."""
    return transpose(x, (*range(x.ndim - 2), x.ndim - 1, x.ndim - 2))


def adjoint(x: Any) -> Any:
    """The conjugate transposes."""
    return conjugate(swapped(x))


def conjugate(x: Any) -> Any:
    """Conjugates; reals are their own."""
    return conj(x) if x.dtype.kind == "c" else x


def real_part(x: Any) -> Any:
    """Real parts; reals are their own."""
    return real(x) if x.dtype.kind == "c" else x


def _places(x: Any, axis: int) -> Any:
    return broadcasted_iota(np.dtype(np.int32), x.shape, x.ndim + axis)


def _where(keep: Any, x: Any) -> Any:
    return select(keep, x, full(x.shape, 0, x.dtype))


def lower_triangle(x: Any, below: int = 0) -> Any:
    """Elements at least `below` places under the diagonal, zeros elsewhere."""
    rows = _places(x, -2)
    shift = full(x.shape, below, np.int32)
    return _where(ge(rows, _places(x, -1) + shift), x)


def upper_triangle(x: Any, above: int = 0) -> Any:
    """Elements at least `above` places over the diagonal, zeros elsewhere."""
    columns = _places(x, -1)
    shift = full(x.shape, above, np.int32)
    return _where(ge(columns, _places(x, -2) + shift), x)


def eye_like(x: Any, size: int | None = None) -> Any:
    """Identity matrices, as many as there are in `x`, of its dtype."""
    n = x.shape[-1] if size is None else size
    ones = full((*x.shape[:-2], n, n), 1, x.dtype)
    return lower_triangle(upper_triangle(ones))


def from_triangle(x: Any, lower: bool) -> Any:
    """The Hermitian matrix of a triangle; imaginary parts of its diagonal are dropped."""
    strict = lower_triangle(x, 1) if lower else upper_triangle(x, 1)
    return add(add(strict, adjoint(strict)), real_diagonal(x))


def real_diagonal(x: Any) -> Any:
    """Diagonal matrices of the diagonals' real parts."""
    only = lower_triangle(upper_triangle(x))
    if x.dtype.kind != "c":
        return only
    parts = real(only)
    return complex(parts, full(parts.shape, 0, parts.dtype))


def diagonal_of(x: Any) -> Any:
    """The diagonals of square matrices, as vectors."""
    return reduce_sum(lower_triangle(upper_triangle(x)), (x.ndim - 1,))


def on_columns(x: Any, factors: Any) -> Any:
    """Matrices with column j multiplied by factor j; reals may multiply complex numbers."""
    return _scaled(x, factors, x.ndim - 1)


def on_rows(x: Any, factors: Any) -> Any:
    """Matrices with row i multiplied by factor i; reals may multiply complex numbers."""
    return _scaled(x, factors, x.ndim - 2)


def _scaled(x: Any, factors: Any, axis: int) -> Any:
    if factors.dtype != x.dtype:
        factors = convert_element_type(factors, x.dtype)
    return mul(x, broadcast_in_dim(factors, x.shape, (*range(x.ndim - 2), axis)))


def permuted(x: Any, permutation: Any, axis: int) -> Any:
    """Matrices with rows (axis -2) or columns (axis -1) in the order of a permutation."""
    place = x.ndim + axis
    shape = list(x.shape)
    shape[place] = permutation.shape[-1]
    order = broadcast_in_dim(permutation, tuple(shape), (*range(x.ndim - 2), place))
    return take_along_axis(x, order, place)


# ------------------------------------------------------------------------------------ for samplers


def matrix_sample(
    rng: np.random.Generator, shape: Sequence[int], dtype: Any, spread: float = 1.0
) -> NDArray:
    """Well conditioned matrices with well separated singular values."""
    *batch, m, n = shape
    k = min(m, n)
    u = np.linalg.qr(_normal(rng, (*batch, m, k), dtype))[0] if k else np.zeros((*batch, m, k))
    v = np.linalg.qr(_normal(rng, (*batch, n, k), dtype))[0] if k else np.zeros((*batch, n, k))
    values = spread * (1 + np.arange(k) + 0.3 * rng.random((*batch, k)))
    result = (u * values[..., None, :]) @ np.swapaxes(v, -1, -2)
    return np.ascontiguousarray(result.astype(dtype))


def hermitian_sample(
    rng: np.random.Generator, shape: Sequence[int], dtype: Any, positive: bool = False
) -> NDArray:
    """Hermitian matrices with well separated (positive) eigenvalues."""
    *batch, n, _ = shape
    q = np.linalg.qr(_normal(rng, (*batch, n, n), dtype))[0] if n else np.zeros((*batch, n, n))
    values = 1 + np.arange(n) + 0.3 * rng.random((*batch, n))
    if not positive:
        values = values - (n + 1) / 2
    result = (q * values[..., None, :]) @ np.swapaxes(q.conj(), -1, -2)
    return np.ascontiguousarray(result.astype(dtype))


def _normal(rng: np.random.Generator, shape: Sequence[int], dtype: Any) -> NDArray:
    x = rng.standard_normal(shape)
    return x + 1j * rng.standard_normal(shape) if np.dtype(dtype).kind == "c" else x
