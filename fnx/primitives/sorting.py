"""Sorting along an axis: `sort` of several operands, and `argsort` and `top_k`, made of it.

The order is that of numbers, with NaN after all others, false before true, complex numbers by real,
then imaginary part; -0 and 0 are equal.  Sorting is always stable.  The derivative moves tangents
the way the elements moved. The compiler calls the kernel "sort".  Read next: `contraction`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from fnx.core.conversion import as_value
from fnx.core.lowering import Kernel
from fnx.core.primitive import Primitive, Sample, Zero
from fnx.core.types import ShapedArray, tangent_type
from fnx.errors import ArgumentTypeError, ArgumentValueError
from fnx.kernels.registry import run as run_kernel
from fnx.primitives.families import ALL, check_kinds, size_of_work
from fnx.primitives.gathering import GatherDimensionNumbers, gather
from fnx.primitives.iota import broadcasted_iota
from fnx.primitives.reductions import wide
from fnx.primitives.samplers import DTYPES, arrays
from fnx.primitives.shaping import expand_dims, move_axis, new_axis, rev, zeros
from fnx.primitives.slicing import slice_in_dim

__all__ = ["argsort", "sort", "sort_p", "take_along_axis", "top_k"]

NDArray = np.ndarray[Any, Any]


# -------------------------------------------------------------------------------------------- rules


def _infer(
    *avals: ShapedArray, dimension: int, is_stable: bool, num_keys: int
) -> list[ShapedArray]:
    if not avals:
        raise ArgumentTypeError("sort: takes at least one operand.")
    check_kinds("sort", ALL, avals)
    first = avals[0]
    if any(a.shape != first.shape for a in avals):
        raise ArgumentTypeError(
            f"sort: operands must have equal shapes, got {', '.join(map(repr, avals))}. "
            "Broadcast them first (`lax.broadcast_in_dim`)."
        )
    if not 0 <= dimension < first.ndim:
        raise ArgumentValueError(f"sort: dimension {dimension} must be an axis of {first!r}.")
    if not 1 <= num_keys <= len(avals):
        raise ArgumentValueError(
            f"sort: num_keys={num_keys} must be from 1 to the number of operands, {len(avals)}."
        )
    return list(avals)


def _evaluate(*operands: NDArray, dimension: int, is_stable: bool, num_keys: int) -> list[NDArray]:
    keys = [
        part
        for x in operands[:num_keys]
        for part in (
            (x.real, x.imag) if x.dtype.kind == "c" else (x.astype(wide(x.dtype), copy=False),)
        )
    ]
    if len(operands) == len(keys) == 1:
        ordered = np.sort(keys[0], axis=dimension, kind="stable")
        return [ordered.astype(operands[0].dtype, copy=False)]
    if len(keys) == 1:
        order = np.argsort(keys[0], axis=dimension, kind="stable")
    else:
        order = np.lexsort(keys[::-1], axis=dimension)
    return [np.take_along_axis(x, order, dimension) for x in operands]


def _jet(
    primals: Sequence[Any],
    series: Sequence[Sequence[Any]],
    *,
    dimension: int,
    is_stable: bool,
    num_keys: int,
) -> Any:
    # Near x the order doesn't change, and the function is the permutation that sorts x.
    zeros = [Zero(tangent_type(p.aval)) for p in primals]
    if all(type(c) is Zero for terms in series for c in terms):
        outs = sort_p(*primals, dimension=dimension, is_stable=is_stable, num_keys=num_keys)
        return outs, [[z] * len(s) for z, s in zip(zeros, series, strict=True)]
    places = broadcasted_iota(np.dtype(np.int32), primals[0].shape, dimension)
    *outs, order = sort_p(
        *primals, places, dimension=dimension, is_stable=is_stable, num_keys=num_keys
    )
    moved = [
        [z if type(c) is Zero else take_along_axis(c, order, dimension) for c in terms]
        for z, terms in zip(zeros, series, strict=True)
    ]
    return outs, moved


def _jvp(primals: Sequence[Any], tangents: Sequence[Any], **params: Any) -> Any:
    outs, series = _jet(primals, [[t] for t in tangents], **params)
    return outs, [terms[0] for terms in series]


def _vmap(
    size: int,
    args: Sequence[Any],
    dims: Sequence[Any],
    *,
    dimension: int,
    is_stable: bool,
    num_keys: int,
) -> tuple[list[Any], list[int]]:
    moved = [
        new_axis(a, 0, size) if d is None else move_axis(a, d, 0)
        for a, d in zip(args, dims, strict=True)
    ]
    outs = sort_p(*moved, dimension=dimension + 1, is_stable=is_stable, num_keys=num_keys)
    return outs, [0] * len(outs)


def _samples(rng: np.random.Generator) -> Iterator[Sample]:
    def params(dimension: int, num_keys: int = 1) -> dict[str, Any]:
        return {"dimension": dimension, "is_stable": True, "num_keys": num_keys}

    for shape, dimension in (
        ((5,), 0),
        ((1,), 0),
        ((0,), 0),
        ((3, 4), 0),
        ((3, 4), 1),
        ((2, 3, 4), 1),
    ):
        x = arrays(rng, shape, np.float64)
        yield Sample((x,), params(dimension))
        ties = arrays(rng, shape, np.int32)
        yield Sample((ties, x), params(dimension))
        yield Sample((ties, arrays(rng, shape, np.float64), x), params(dimension, 2))
    for dtype in [d for kind in ALL for d in DTYPES[kind] if d is not np.float64]:
        yield Sample((arrays(rng, (3, 7), dtype),), params(1))
        yield Sample((arrays(rng, (3, 7), dtype), arrays(rng, (3, 7), np.float32)), params(0))
    special = np.array([1.0, np.nan, -0.0, 0.0, -np.inf, np.inf, np.nan, -1.0])
    yield Sample((special, np.arange(8)), params(0), smooth=False)
    yield Sample((arrays(rng, (3, 4), np.float64, strided=True),), params(1))


#: Elements from which the native kernel is quicker by more than a first build's share: it's four
#: times as quick as NumPy's stable sort.
NATIVE_FROM = 100_000


def _native(*operands: NDArray, **params: Any) -> list[NDArray]:
    contiguous = [np.ascontiguousarray(x) for x in operands]
    return run_kernel("sort", contiguous, [(x.shape, x.dtype) for x in operands], params)


sort_p: Primitive = Primitive(
    "sort",
    infer=_infer,
    evaluate=_evaluate,
    jvp=_jvp,
    vmap=_vmap,
    jet=_jet,
    lower=Kernel("sort"),
    multiple_results=True,
    work=size_of_work,
    native=_native,
    native_from=NATIVE_FROM,
    sample=_samples,
)


# ---------------------------------------------------------------------------------------- functions


def take_along_axis(x: Any, order: Any, axis: int) -> Any:
    """The elements of `x` at valid positions along an axis, all other axes in step.

    Parameters
    ----------
    x : Array
        Any dtype.
    order : Array
        Integers, of the shape of `x` but along `axis`.
    axis : int
        The axis, not negative.
    """
    if order.size == 0:
        return zeros(x.aval.update(shape=order.shape))
    others = tuple(k for k in range(x.ndim) if k != axis)
    numbers = GatherDimensionNumbers(
        offset_dims=(),
        collapsed_slice_dims=(axis,),
        start_index_map=(axis,),
        operand_batching_dims=others,
        start_indices_batching_dims=others,
    )
    return gather(
        x,
        expand_dims(order, (order.ndim,)),
        numbers,
        (1,) * x.ndim,
        mode="promise_in_bounds",
    )


def sort(operand: Any, dimension: int = -1, is_stable: bool = True, num_keys: int = 1) -> Any:
    """Sort along an axis; of several operands, by the first ones, the others moving along.

    Parameters
    ----------
    operand : Array or sequence of Array
        Of one shape; dtypes may differ.
    dimension : int
        The axis; negative ones count from the last.
    is_stable : bool
        Whether equal elements must keep their order; they always do.
    num_keys : int
        How many of the operands decide, the first one first.

    Returns
    -------
    Array, or tuple of Array
        As many as there are operands.
    """
    several = isinstance(operand, (tuple, list))
    operands = list(operand) if several else [operand]
    axis = _axis("sort", operands[0], dimension)
    outs = sort_p(*operands, dimension=axis, is_stable=is_stable, num_keys=num_keys)
    return tuple(outs) if several else outs[0]


def argsort(operand: Any, dimension: int = -1, index_dtype: Any = np.int32) -> Any:
    """The positions of the elements in sorted order.

    Parameters
    ----------
    operand : Array
        Any dtype.
    dimension : int
        The axis; negative ones count from the last.
    index_dtype : dtype
        Of the result.
    """
    axis = _axis("argsort", operand, dimension)
    places = broadcasted_iota(np.dtype(index_dtype), operand.shape, axis)
    return sort_p(operand, places, dimension=axis, is_stable=True, num_keys=1)[1]


def top_k(operand: Any, k: int, axis: int = -1) -> tuple[Any, Any]:
    """The `k` greatest elements along an axis, from the greatest down, and their positions.

    Parameters
    ----------
    operand : Array
        Of booleans or real numbers; NaN is greater than all.
    k : int
        How many.
    axis : int
        The axis; negative ones count from the last.

    Returns
    -------
    values, positions : Array
        Of equal elements, that at the lower position comes first; positions are int32.
    """
    operand = as_value(operand, "top_k", "operand")
    axis = _axis("top_k", operand, axis)
    check_kinds("top_k", "biuf", [operand.aval])
    size = operand.shape[axis]
    if not 0 <= k <= size:
        raise ArgumentValueError(
            f"top_k: k={k} must be from 0 to {size}, the size of axis {axis} of {operand.aval!r}."
        )
    # Sorted upward from the reversed axis and read from the end: equal elements come in their own
    # order.
    places = broadcasted_iota(np.dtype(np.int32), operand.shape, axis)
    ordered = sort_p(
        rev(operand, (axis,)), rev(places, (axis,)), dimension=axis, is_stable=True, num_keys=1
    )
    values, positions = [rev(slice_in_dim(v, size - k, size, axis=axis), (axis,)) for v in ordered]
    return values, positions


def _axis(name: str, x: Any, axis: int) -> int:
    if not -x.ndim <= axis < x.ndim:
        raise ArgumentValueError(f"{name}: axis {axis} is not an axis of {x.aval!r}.")
    return axis % x.ndim
