"""`dot_general`: contract axes of two arrays, along batch axes; every matrix product is one.

Its result has the batch axes, then the free axes of the left operand, then those of the right.
Evaluated, it's one `numpy.matmul` (BLAS for floats), or from `NATIVE_FROM` on the named kernel;
float16 and bfloat16 are accumulated in float32 and rounded once; integers wrap. The compiler calls
the kernel "dot_general", or fuses `dot_general_element` where the contraction is small. Read next:
`convolution`.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator, Sequence
from enum import StrEnum
from typing import Any, NamedTuple

import numpy as np

from fnx.config import settings
from fnx.core.lowering import Element, Kernel
from fnx.core.primitive import Linear, Primitive, Sample, quietly
from fnx.core.types import ShapedArray
from fnx.dtypes import kind_of, promote_types
from fnx.errors import ArgumentTypeError, ArgumentValueError, ShapeError
from fnx.kernels.registry import run as run_kernel
from fnx.primitives.families import ALL, bilinear, check_kinds
from fnx.primitives.reductions import wide
from fnx.primitives.samplers import DTYPES, arrays
from fnx.primitives.shaping import transpose

__all__ = [
    "Precision",
    "PrecisionLike",
    "batch_matmul",
    "canonical_precision",
    "dot",
    "dot_general",
    "dot_general_element",
    "dot_general_p",
]

Axes = tuple[int, ...]
Dimensions = tuple[tuple[Axes, Axes], tuple[Axes, Axes]]


class Precision(StrEnum):
    """How accurate contractions and convolutions must be.

    float32 is never computed in fewer bits; ``HIGHEST`` also rules out fast convolution algorithms
    whose rounding errors are larger than those of the defining sum.
    """

    DEFAULT = "default"
    HIGH = "high"
    HIGHEST = "highest"


#: What users may give as a precision; a pair has one for each operand.
PrecisionLike = Precision | str | tuple[Precision | str | None, Precision | str | None] | None

_PRECISION_NAMES = {
    "default": Precision.DEFAULT,
    "fastest": Precision.DEFAULT,
    "bfloat16": Precision.DEFAULT,
    "high": Precision.HIGH,
    "bfloat16_3x": Precision.HIGH,
    "tensorfloat32": Precision.HIGH,
    "highest": Precision.HIGHEST,
    "float32": Precision.HIGHEST,
    "float64": Precision.HIGHEST,
}


def canonical_precision(precision: Any) -> tuple[Precision, Precision] | None:
    """A precision as primitives hold it: None, or one `Precision` for each operand.

    Parameters
    ----------
    precision : None, str, Precision, or a pair of them
        As users give it; None is the setting ``default_matmul_precision``.
    """
    if precision is None:
        precision = settings().default_matmul_precision
    if precision is None:
        return None
    pair = precision if isinstance(precision, (tuple, list)) else (precision, precision)
    if len(pair) == 2 and all(p is None for p in pair):
        return None
    names = [Precision.DEFAULT if p is None else _PRECISION_NAMES.get(str(p)) for p in pair]
    if len(names) != 2 or names[0] is None or names[1] is None:
        raise ArgumentValueError(
            f"precision must be None, one of {', '.join(sorted(_PRECISION_NAMES))}, a "
            f"`lax.Precision`, or a pair of these; got {precision!r}."
        )
    return names[0], names[1]


def result_dtype(
    name: str, x: np.dtype[Any], y: np.dtype[Any], preferred: np.dtype[Any] | None
) -> np.dtype[Any]:
    """The dtype of a contraction or convolution: the preferred one, else by promotion."""
    if preferred is None:
        return x if x == y else promote_types(x, y)
    if preferred.kind != "c" and "c" in (x.kind, y.kind):
        raise ArgumentTypeError(
            f"{name}: preferred_element_type={preferred.name} would drop the imaginary parts of "
            f"{x.name} and {y.name} operands. Contract in a complex dtype, then take `lax.real`."
        )
    return preferred


def working_dtype(*dtypes: np.dtype[Any]) -> np.dtype[Any]:
    """The dtype in which products are formed and added, from the operands' and the result's."""
    result = np.dtype(np.bool_)
    for dtype in dtypes:
        result = np.promote_types(result, wide(dtype))
    return result


# ---------------------------------------------------------------------------------- infer, evaluate


def _free(ndim: int, contract: Axes, batch: Axes) -> Axes:
    return tuple(k for k in range(ndim) if k not in contract and k not in batch)


@functools.lru_cache(maxsize=4096)  # every eager call asks
def _infer(
    x: ShapedArray,
    y: ShapedArray,
    *,
    dimension_numbers: Dimensions,
    precision: Any,
    preferred_element_type: Any,
) -> ShapedArray:
    check_kinds("dot_general", ALL, (x, y))
    (xc, yc), (xb, yb) = dimension_numbers
    for what, left, right in (("contracting", xc, yc), ("batch", xb, yb)):
        if len(left) != len(right):
            raise ArgumentTypeError(
                f"dot_general: {len(left)} {what} axes of {x!r} against {len(right)} of {y!r}: "
                f"dimension_numbers={dimension_numbers}. Axes come in pairs."
            )
        for a, b in zip(left, right, strict=True):
            if not (0 <= a < x.ndim and 0 <= b < y.ndim):
                raise ArgumentTypeError(
                    f"dot_general: {what} axes {a} and {b} must be axes of {x!r} and {y!r}, not "
                    "negative."
                )
            if x.shape[a] != y.shape[b]:
                raise ShapeError(
                    f"dot_general: {what} sizes differ, axis {a} of {x!r} has {x.shape[a]}, axis "
                    f"{b} of {y!r} has {y.shape[b]}. Transpose one operand, or name other axes."
                )
    for operand, used in ((x, (*xc, *xb)), (y, (*yc, *yb))):
        if len(set(used)) != len(used):
            raise ArgumentTypeError(
                f"dot_general: an axis of {operand!r} is named twice in "
                f"dimension_numbers={dimension_numbers}."
            )
    shape = (
        *[x.shape[k] for k in xb],
        *[x.shape[k] for k in _free(x.ndim, xc, xb)],
        *[y.shape[k] for k in _free(y.ndim, yc, yb)],
    )
    dtype = result_dtype("dot_general", x.dtype, y.dtype, preferred_element_type)
    return ShapedArray(shape, dtype, x.weak_type and y.weak_type)


class _Arrangement(NamedTuple):
    """How a contraction becomes one matrix product: the same for all operands of some types."""

    dtype: np.dtype[Any]
    working: np.dtype[Any]
    left_order: Axes
    left_shape: Axes
    right_order: Axes
    right_shape: Axes
    shape: Axes


@functools.lru_cache(maxsize=4096)
def _arrangement(
    x_shape: Axes,
    x_dtype: np.dtype[Any],
    y_shape: Axes,
    y_dtype: np.dtype[Any],
    dimension_numbers: Dimensions,
    preferred: np.dtype[Any] | None,
) -> _Arrangement:
    (xc, yc), (xb, yb) = dimension_numbers
    dtype = result_dtype("dot_general", x_dtype, y_dtype, preferred)
    x_free, y_free = _free(len(x_shape), xc, xb), _free(len(y_shape), yc, yb)
    batch = tuple(x_shape[k] for k in xb)
    rows, columns = tuple(x_shape[k] for k in x_free), tuple(y_shape[k] for k in y_free)
    inner = math.prod(x_shape[k] for k in xc)
    return _Arrangement(
        dtype,
        working_dtype(x_dtype, y_dtype, dtype),
        (*xb, *x_free, *xc),
        (*batch, math.prod(rows), inner),
        (*yb, *yc, *y_free),
        (*batch, inner, math.prod(columns)),
        (*batch, *rows, *columns),
    )


def _evaluate(
    x: np.ndarray[Any, Any],
    y: np.ndarray[Any, Any],
    *,
    dimension_numbers: Dimensions,
    precision: Any,
    preferred_element_type: Any,
) -> np.ndarray[Any, Any]:
    how = _arrangement(
        x.shape, x.dtype, y.shape, y.dtype, dimension_numbers, preferred_element_type
    )
    if x.dtype != how.working:
        x = x.astype(how.working)
    if y.dtype != how.working:
        y = y.astype(how.working)
    left = x.transpose(how.left_order).reshape(how.left_shape)
    right = y.transpose(how.right_order).reshape(how.right_shape)
    out = np.matmul(left, right).reshape(how.shape)
    return out if out.dtype == how.dtype else out.astype(how.dtype)


# ---------------------------------------------------------------------------------- transpose, vmap


def _transpose(
    ct: Any,
    x: Any,
    y: Any,
    *,
    dimension_numbers: Dimensions,
    precision: Any,
    preferred_element_type: Any,
) -> list[Any]:
    (xc, yc), (xb, yb) = dimension_numbers
    if type(x) is Linear:
        return [_pull(ct, x, y, xc, yc, xb, yb, precision, ct_leads=True), None]
    return [None, _pull(ct, y, x, yc, xc, yb, xb, precision, ct_leads=False)]


def _pull(
    ct: Any,
    target: Any,
    other: Any,
    target_contract: Axes,
    other_contract: Axes,
    target_batch: Axes,
    other_batch: Axes,
    precision: Any,
    ct_leads: bool,
) -> Any:
    # x_bik . y_bkj = z_bij, so the cotangent of x is ct_bij . y_bkj summed over j: the other's free
    # axes contract with those of ct, and the other's contracted axes become the target's.
    count = len(target_batch)
    target_free = _free(target.ndim, target_contract, target_batch)
    other_free = _free(other.ndim, other_contract, other_batch)
    start = count + len(target_free) if ct_leads else count
    ct_contract = tuple(range(start, start + len(other_free)))
    ct_batch = tuple(range(count))
    if ct_leads:
        dimensions = ((ct_contract, other_free), (ct_batch, other_batch))
    else:
        dimensions = ((other_free, ct_contract), (other_batch, ct_batch))
    precision = precision if precision is None or ct_leads else precision[::-1]
    operands = (ct, other) if ct_leads else (other, ct)
    out = dot_general_p(
        *operands,
        dimension_numbers=dimensions,
        precision=precision,
        preferred_element_type=None if ct.dtype == other.dtype == target.dtype else target.dtype,
    )
    # The other's contracted axes come in ascending order, not in that of the dimension numbers.
    ascending = sorted(range(len(other_contract)), key=lambda k: other_contract[k])
    contracted = [target_contract[k] for k in ascending]
    free = [*target_free, *contracted] if ct_leads else [*contracted, *target_free]
    placed = [*target_batch, *free]
    order = [placed.index(k) for k in range(target.ndim)]
    return transpose(out, order)


def _vmap(
    size: int,
    args: Sequence[Any],
    dims: Sequence[Any],
    *,
    dimension_numbers: Dimensions,
    precision: Any,
    preferred_element_type: Any,
) -> tuple[Any, int]:
    (xc, yc), (xb, yb) = dimension_numbers
    x, y = args
    dx, dy = dims

    def shifted(axes: Axes, dim: int | None) -> Axes:
        return axes if dim is None else tuple(a + (a >= dim) for a in axes)

    xc, xb, yc, yb = shifted(xc, dx), shifted(xb, dx), shifted(yc, dy), shifted(yb, dy)
    if dx is not None and dy is not None:
        xb, yb = (dx, *xb), (dy, *yb)
        place = 0
    elif dx is not None:
        place = len(xb) + _free(x.ndim, xc, xb).index(dx)
    else:
        lhs_free = len(_free(x.ndim, xc, xb))
        place = len(xb) + lhs_free + _free(y.ndim, yc, yb).index(dy)
    out = dot_general_p(
        x,
        y,
        dimension_numbers=((xc, yc), (xb, yb)),
        precision=precision,
        preferred_element_type=preferred_element_type,
    )
    return out, place


# -------------------------------------------------------------------------------- lowering, samples


def _element(
    b: Any,
    i: Any,
    x: Any,
    y: Any,
    *,
    dimension_numbers: Dimensions,
    precision: Any,
    preferred_element_type: Any,
) -> Any:
    (xc, yc), (xb, yb) = dimension_numbers
    x_shape, y_shape = x.aval.shape, y.aval.shape
    working = working_dtype(x.aval.dtype, y.aval.dtype, b.out_aval.dtype)
    x_free, y_free = _free(len(x_shape), xc, xb), _free(len(y_shape), yc, yb)
    long = [k for k, axis in enumerate(xc) if x_shape[axis] != 1]

    def body(*j: Any) -> Any:
        inner = dict(zip(long, j, strict=True))
        left: list[Any] = [0] * len(x_shape)
        right: list[Any] = [0] * len(y_shape)
        for place, (p, q) in enumerate(zip(xb, yb, strict=True)):
            left[p] = right[q] = i[place]
        for place, p in enumerate(x_free, len(xb)):
            left[p] = i[place]
        for place, q in enumerate(y_free, len(xb) + len(x_free)):
            right[q] = i[place]
        for k, (p, q) in enumerate(zip(xc, yc, strict=True)):
            left[p] = right[q] = inner.get(k, 0)
        left = [0 if n == 1 else p for n, p in zip(x_shape, left, strict=True)]
        right = [0 if n == 1 else p for n, p in zip(y_shape, right, strict=True)]
        a, c = x(*left), y(*right)
        a = a if x.aval.dtype == working else b.convert(a, working)
        c = c if y.aval.dtype == working else b.convert(c, working)
        return b.and_(a, c) if working.kind == "b" else b.mul(a, c)

    operation = "or" if working.kind == "b" else "add"
    extents = tuple(x_shape[xc[k]] for k in long)
    total = b.reduce(operation, working, extents, body)
    return total if working == b.out_aval.dtype else b.convert(total, b.out_aval.dtype)


#: One element of a contraction, for the compiler to fuse where it's small; else it calls the
#: kernel.
dot_general_element = Element(_element, "reduce")


def _samples(rng: np.random.Generator) -> Iterator[Sample]:
    cases: list[tuple[tuple[int, ...], tuple[int, ...], Dimensions]] = [
        ((), (), (((), ()), ((), ()))),
        ((3,), (3,), (((0,), (0,)), ((), ()))),
        ((3,), (2,), (((), ()), ((), ()))),
        ((2, 3), (3,), (((1,), (0,)), ((), ()))),
        ((2, 3), (3, 4), (((1,), (0,)), ((), ()))),
        ((3, 2), (4, 3), (((0,), (1,)), ((), ()))),
        ((2, 0), (0, 4), (((1,), (0,)), ((), ()))),
        ((0, 3), (3, 4), (((1,), (0,)), ((), ()))),
        ((1, 3), (3, 1), (((1,), (0,)), ((), ()))),
        ((5, 2, 3), (5, 3, 4), (((2,), (1,)), ((0,), (0,)))),
        ((2, 3, 5), (4, 5, 3), (((1,), (2,)), ((2,), (1,)))),
        ((2, 3, 4), (4, 3, 5), (((1, 2), (1, 0)), ((), ()))),
        ((2, 3, 4, 5), (5, 2, 6, 4), (((3, 2), (0, 3)), ((0,), (1,)))),
        ((3, 2), (2, 3), (((), ()), ((0, 1), (1, 0)))),
        ((17, 9), (9, 21), (((1,), (0,)), ((), ()))),
    ]
    common: dict[str, Any] = {"precision": None, "preferred_element_type": None}
    for left, right, dimensions in cases:
        args = (arrays(rng, left, np.float64), arrays(rng, right, np.float64))
        for linear_in in ((0,), (1,)):
            yield Sample(args, {"dimension_numbers": dimensions, **common}, linear_in)
    matrix, batched = cases[4], cases[10]
    for dtype in [d for kind in ALL for d in DTYPES[kind] if d is not np.float64]:
        for left, right, dimensions in (matrix, batched):
            args = (arrays(rng, left, dtype), arrays(rng, right, dtype))
            inexact = kind_of(np.dtype(dtype)) in "fc"
            yield Sample(args, {"dimension_numbers": dimensions, **common}, (0,) if inexact else ())
    for dtype, other, preferred in (
        (np.int8, np.int8, np.int32),
        (DTYPES["f"][3], DTYPES["f"][3], np.float32),
        (np.float32, np.float32, np.float64),
        (np.float32, np.int32, np.float32),
    ):
        args = (arrays(rng, (2, 3), dtype), arrays(rng, (3, 4), other))
        params = {"dimension_numbers": matrix[2], **common}
        yield Sample(args, {**params, "preferred_element_type": np.dtype(preferred)}, smooth=False)
    strided = (arrays(rng, (4, 3), np.float64, strided=True), arrays(rng, (3, 2), np.float64))
    yield Sample(strided, {"dimension_numbers": matrix[2], **common}, (0,))


@functools.lru_cache(maxsize=4096)
def _work(x: ShapedArray, y: ShapedArray, *, dimension_numbers: Dimensions, **params: Any) -> int:
    (_, yc), (_, yb) = dimension_numbers
    return x.size * math.prod(y.shape[k] for k in _free(y.ndim, yc, yb))


#: Multiply-adds from which the native kernel is worth its call: 0.1 ms of work, where it's as
#: quick as BLAS alone on the machine, and quicker beside other processes.
NATIVE_FROM = 10_000_000


def _native(
    x: np.ndarray[Any, Any],
    y: np.ndarray[Any, Any],
    *,
    dimension_numbers: Dimensions,
    precision: Any,
    preferred_element_type: Any,
) -> np.ndarray[Any, Any]:
    params = {
        "dimension_numbers": dimension_numbers,
        "precision": precision,
        "preferred_element_type": preferred_element_type,
    }
    out = _infer(ShapedArray(x.shape, x.dtype), ShapedArray(y.shape, y.dtype), **params)
    if out.dtype.kind in "bc":  # BLAS is quicker for complex numbers, NumPy for booleans
        return quietly(_evaluate, x, y, **params)
    return run_kernel("dot_general", (x, y), [(out.shape, out.dtype)], params)[0]


dot_general_p: Primitive = bilinear(
    "dot_general",
    infer=_infer,
    evaluate=_evaluate,
    transpose=_transpose,
    vmap=_vmap,
    lower=Kernel("dot_general"),
    work=_work,
    native=_native,
    native_from=NATIVE_FROM,
    sample=_samples,
)


# ---------------------------------------------------------------------------------------- functions


def dot_general(
    lhs: Any,
    rhs: Any,
    dimension_numbers: Any,
    precision: Any = None,
    preferred_element_type: Any = None,
) -> Any:
    """Contract pairs of axes, along with pairs of batch axes.

    Parameters
    ----------
    lhs, rhs : Array
        Any dtypes; different ones are promoted.
    dimension_numbers : ((sequence, sequence), (sequence, sequence))
        ``((lhs_contracting, rhs_contracting), (lhs_batch, rhs_batch))``, not negative.
    precision : None, str, Precision, or a pair of them
        See `Precision`.
    preferred_element_type : dtype, optional
        Of the result, and of the sums.

    Returns
    -------
    Array
        With the batch axes, then the free axes of `lhs`, then those of `rhs`.
    """
    try:
        dimensions = _known_dimensions(dimension_numbers)
    except TypeError:  # lists can't be looked up
        dimensions = _dimensions(dimension_numbers)
    preferred = None if preferred_element_type is None else np.dtype(preferred_element_type)
    return dot_general_p(
        lhs,
        rhs,
        dimension_numbers=dimensions,
        precision=canonical_precision(precision),
        preferred_element_type=preferred,
    )


def dot(
    lhs: Any,
    rhs: Any,
    *,
    dimension_numbers: Any = None,
    precision: Any = None,
    preferred_element_type: Any = None,
) -> Any:
    """The product of vectors or matrices: the last axis of `lhs` with the first of `rhs`.

    Parameters
    ----------
    lhs, rhs : Array
        With one or two axes, unless there are dimension numbers.
    dimension_numbers, precision, preferred_element_type
        As for `dot_general`.
    """
    if dimension_numbers is not None:
        return dot_general(lhs, rhs, dimension_numbers, precision, preferred_element_type)
    if not (1 <= lhs.ndim <= 2 and 1 <= rhs.ndim <= 2 and lhs.shape[-1] == rhs.shape[0]):
        raise ArgumentTypeError(
            f"dot: takes vectors and matrices whose inner sizes agree, got {lhs.aval!r} and "
            f"{rhs.aval!r}. Use `dot_general` for other axes."
        )
    dimensions = (((lhs.ndim - 1,), (0,)), ((), ()))
    return dot_general(lhs, rhs, dimensions, precision, preferred_element_type)


def batch_matmul(lhs: Any, rhs: Any, precision: Any = None) -> Any:
    """Products of stacks of matrices: the last two axes are the matrices', the others batch axes.

    Parameters
    ----------
    lhs, rhs : Array
        Of equal rank, at least 2, with equal batch sizes.
    precision : None, str, Precision, or a pair of them
        See `Precision`.
    """
    if lhs.ndim != rhs.ndim or lhs.ndim < 2:
        raise ArgumentValueError(
            f"batch_matmul: takes arrays of equal rank, at least 2, got {lhs.aval!r} and "
            f"{rhs.aval!r}."
        )
    batch = tuple(range(lhs.ndim - 2))
    dimensions = (((lhs.ndim - 1,), (lhs.ndim - 2,)), (batch, batch))
    return dot_general(lhs, rhs, dimensions, precision)


def _dimensions(dimension_numbers: Any) -> Dimensions:
    (xc, yc), (xb, yb) = dimension_numbers
    return (_axes(xc), _axes(yc)), (_axes(xb), _axes(yb))


def _axes(axes: Sequence[int]) -> Axes:
    return tuple(int(a) for a in axes)


_known_dimensions = functools.lru_cache(maxsize=1024)(_dimensions)
