"""Boxes of an array at a place that is computed: `dynamic_slice` and `dynamic_update_slice`.

The starts are scalars, one for each axis; a box that would stick out is moved inside.  Read and
written back in a loop, these are a loop's memory: the compiler updates in place.  With the starts
held fixed both are linear and each other's transpose; mapped over starts they are `gather` and
`scatter`.  Read next: `gathering`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from fnx.core.array import Array, adopt
from fnx.core.jaxpr import Literal
from fnx.core.lowering import Element
from fnx.core.primitive import Linear, Sample
from fnx.core.types import ShapedArray
from fnx.dtypes import kind_of
from fnx.errors import ArgumentTypeError, ShapeError
from fnx.primitives.arithmetic import add
from fnx.primitives.cast import convert_element_type
from fnx.primitives.comparison import lt, select_n
from fnx.primitives.families import linear, to_front
from fnx.primitives.gather_numbers import (
    GatherDimensionNumbers,
    GatherScatterMode,
    ScatterDimensionNumbers,
)
from fnx.primitives.gathering import gather, integer_index
from fnx.primitives.joining import concatenate
from fnx.primitives.samplers import arrays
from fnx.primitives.scattering import scatter
from fnx.primitives.shaping import broadcast_in_dim_p, expand_dims, full, reshape, zeros
from fnx.primitives.slicing import both, normalized_axis, slice_p
from fnx.primitives.slicing import slice as static_slice

__all__ = [
    "dynamic_index_in_dim",
    "dynamic_slice",
    "dynamic_slice_in_dim",
    "dynamic_slice_p",
    "dynamic_update_index_in_dim",
    "dynamic_update_slice",
    "dynamic_update_slice_in_dim",
    "dynamic_update_slice_p",
]

Axes = tuple[int, ...]
CLIP = GatherScatterMode.CLIP


# ---------------------------------------------------------------------------- what both share


def _check_starts(
    name: str, x: ShapedArray, starts: Sequence[ShapedArray], sizes: Sequence[int]
) -> None:
    if len(starts) != x.ndim or len(sizes) != x.ndim:
        raise ArgumentTypeError(
            f"{name}: {x!r} has {x.ndim} axes, got {len(starts)} starts and {len(sizes)} sizes. "
            "Give one of each for every axis."
        )
    for axis, start in enumerate(starts):
        if start.shape != () or kind_of(start.dtype) not in "iu":
            raise ArgumentTypeError(
                f"{name}: the start along axis {axis} must be an integer scalar, got {start!r}."
            )
    for axis, (n, size) in enumerate(zip(x.shape, sizes, strict=True)):
        if not 0 <= size <= n:
            raise ShapeError(
                f"{name}: sizes {tuple(sizes)} don't fit {x!r}: size {size} along axis {axis} must "
                f"be from 0 to {n}. Give a smaller size, or pad the operand."
            )


def _clamped(starts: Sequence[Any], shape: Sequence[int], sizes: Sequence[int]) -> list[int]:
    """Known starts, moved so that the box is inside."""
    return [min(max(int(s), 0), n - m) for s, n, m in zip(starts, shape, sizes, strict=True)]


def _corner(b: Any, starts: Sequence[Any], shape: Sequence[int], sizes: Sequence[int]) -> list[Any]:
    """The same in an element rule."""
    return [
        0 if n == m else b.clamp_index(integer_index(b, start()), 0, n - m)
        for start, n, m in zip(starts, shape, sizes, strict=True)
    ]


def _stacked(starts: Sequence[Any], dims: Sequence[Any], size: int) -> Any:
    """Mapped starts as the rows of gather's indices."""
    dtypes = {s.dtype for s in starts}
    common = dtypes.pop() if len(dtypes) == 1 else np.dtype(np.int64)
    columns = []
    for start, dim in zip(starts, dims, strict=True):
        column = to_front(start, dim, size)
        if column.dtype != common:
            column = convert_element_type(column, common)
        columns.append(reshape(column, (size, 1)))
    return concatenate(columns, 1)


def _zero_start(starts: Sequence[Any]) -> Any:
    return full((), 0, starts[0].dtype if starts else np.int32)


# ------------------------------------------------------------------------------------ dynamic_slice


def _slice_infer(x: ShapedArray, *starts: ShapedArray, slice_sizes: Axes) -> ShapedArray:
    _check_starts("dynamic_slice", x, starts, slice_sizes)
    return ShapedArray(slice_sizes, x.dtype, x.weak_type)


def _slice_evaluate(x: Any, *starts: Any, slice_sizes: Axes) -> Any:
    corner = _clamped(starts, x.shape, slice_sizes)
    return x[(*[slice(s, s + m) for s, m in zip(corner, slice_sizes, strict=True)], ...)]


def _slice_transpose(ct: Any, x: Any, *starts: Any, slice_sizes: Axes) -> list[Any]:
    nothing = [None] * len(starts)
    if type(x) is not Linear:
        return [None, *nothing]
    return [dynamic_update_slice_p(zeros(x.aval), ct, *starts), *nothing]


def _slice_vmap(
    size: int, args: Sequence[Any], dims: Sequence[Any], *, slice_sizes: Axes
) -> tuple[Any, int]:
    (x, *starts), (dim, *start_dims) = args, dims
    if all(d is None for d in start_dims):
        starts.insert(dim, _zero_start(starts))
        sizes = (*slice_sizes[:dim], size, *slice_sizes[dim:])
        return dynamic_slice_p(x, *starts, slice_sizes=sizes), dim
    inner = tuple(range(1, len(slice_sizes) + 1))
    rows = _stacked(starts, start_dims, size)
    if dim is None:
        numbers = GatherDimensionNumbers(inner, (), tuple(range(len(slice_sizes))))
        return gather(x, rows, numbers, slice_sizes, mode=CLIP), 0
    numbers = GatherDimensionNumbers(inner, (), inner, (0,), (0,))
    return gather(to_front(x, dim, size), rows, numbers, (1, *slice_sizes), mode=CLIP), 0


def _slice_element(b: Any, i: Any, x: Any, *starts: Any, slice_sizes: Axes) -> Any:
    shape = x.aval.shape
    corner = _corner(b, starts, shape, slice_sizes)
    return x(
        *[
            0 if n == 1 else c if m == 1 else p + c
            for p, c, n, m in zip(i, corner, shape, slice_sizes, strict=True)
        ]
    )


def _slice_fold(staging: Any, atoms: Any, params: Any) -> Any:
    x, *starts = atoms
    sizes = params["slice_sizes"]
    if sizes == x.aval.shape:  # all of it
        return x
    before = staging.definition(x)
    if (
        before is not None
        and before.primitive is broadcast_in_dim_p
        and not before.params["broadcast_dimensions"]
    ):
        number = staging.wrap(before.inputs[0])
        return staging.process(broadcast_in_dim_p, [number], {**before.params, "shape": sizes}).atom
    if all(type(s) is Literal for s in starts):  # the place is known
        corner = _clamped([s.val for s in starts], x.aval.shape, sizes)
        static = {
            "start_indices": tuple(corner),
            "limit_indices": tuple(s + m for s, m in zip(corner, sizes, strict=True)),
            "strides": None,
        }
        return staging.process(slice_p, [staging.wrap(x)], static).atom
    return None


_CASES: tuple[tuple[Axes, Axes, tuple[int, ...]], ...] = (
    ((), (), ()),
    ((5,), (3,), (1,)),
    ((5,), (3,), (4,)),
    ((5,), (2,), (-3,)),
    ((5,), (5,), (2,)),
    ((1,), (1,), (7,)),
    ((5,), (0,), (2,)),
    ((0, 3), (0, 2), (0, 1)),
    ((3, 4), (2, 1), (1, 3)),
    ((2, 1, 37), (1, 1, 5), (1, 0, 30)),
)


def _slice_samples(rng: np.random.Generator) -> Any:
    for shape, sizes, corner in _CASES:
        for dtype in (np.float64, np.float32, np.int32, np.bool_, np.complex64):
            starts = tuple(np.array(s, np.int32) for s in corner)
            yield Sample((arrays(rng, shape, dtype), *starts), {"slice_sizes": sizes}, (0,))
    for index in (np.int8, np.uint8, np.int64, np.uint64):
        starts = (np.array(1, index), np.array(100, np.int32))
        yield Sample((arrays(rng, (3, 4), np.float64), *starts), {"slice_sizes": (2, 2)}, (0,))
    x = arrays(rng, (3, 4), np.float64, strided=True)
    yield Sample((x, np.array(1), np.array(0)), {"slice_sizes": (2, 2)}, (0,))


dynamic_slice_p = linear(
    "dynamic_slice",
    linear_in=(0,),
    infer=_slice_infer,
    evaluate=_slice_evaluate,
    transpose=_slice_transpose,
    vmap=_slice_vmap,
    lower=Element(_slice_element, "index"),
    fold=_slice_fold,
    sample=_slice_samples,
)


def dynamic_slice(
    operand: Any,
    start_indices: Any,
    slice_sizes: Sequence[int],
    allow_negative_indices: bool = True,
) -> Any:
    """A box of known size at a place that is computed.

    Parameters
    ----------
    operand : Array
        Any dtype.
    start_indices : sequence of int or Array, or Array
        An integer for each axis; a box that would stick out is moved inside.
    slice_sizes : sequence of int
        The size of the box.
    allow_negative_indices : bool
        Whether negative starts count from the end; else they are moved inside, too.

    Returns
    -------
    Array
        Of shape `slice_sizes`.
    """
    starts = _starts(operand.shape, start_indices, allow_negative_indices)
    return dynamic_slice_p(operand, *starts, slice_sizes=tuple(map(int, slice_sizes)))


def _starts(shape: Sequence[int], given: Any, negative: bool) -> list[Any]:
    """Starts as integer scalars; with `negative`, those below zero count from the end."""
    if not isinstance(given, (list, tuple)):
        if given.ndim != 1:
            raise ArgumentTypeError(
                f"start indices: one axis is wanted, or a sequence of scalars, got {given.aval!r}."
            )
        given = [reshape(static_slice(given, (k,), (k + 1,)), ()) for k in range(given.shape[0])]
    if len(given) != len(shape):
        return [_start(s, 0, False) for s in given]  # the primitive says what is wrong
    return [_start(s, n, negative) for s, n in zip(given, shape, strict=True)]


def _start(start: Any, size: int, negative: bool) -> Any:
    if isinstance(start, (int, np.integer)):
        value = int(start)
        value = value + size if value < 0 and negative else value
        fits = -(2**31) <= value < 2**31
        return adopt(np.asarray(value, np.int32 if fits else np.int64))
    if kind_of(start.dtype) != "i" or start.shape != () or not negative:
        return start
    if size >> (8 * start.dtype.itemsize - 1):  # more than its type can hold
        start = convert_element_type(start, np.dtype(np.int64))
    if type(start) is Array:
        value = int(start._data)
        return adopt(np.asarray(value + size, start.dtype)) if value < 0 else start
    from_end = add(start, full((), size, start.dtype))
    return select_n(lt(start, full((), 0, start.dtype)), start, from_end)


def dynamic_slice_in_dim(
    operand: Any,
    start_index: Any,
    slice_size: int,
    axis: int = 0,
    allow_negative_indices: bool = True,
) -> Any:
    """A part of known size of one axis, at a place that is computed.

    Parameters
    ----------
    operand : Array
        Any dtype.
    start_index : int or Array
        An integer scalar; negative ones count from the end.
    slice_size : int
        The size of the part.
    axis : int
        Which axis; negative ones count from the last.
    allow_negative_indices : bool
        As for `dynamic_slice`.
    """
    axis = normalized_axis("dynamic_slice_in_dim", axis, operand.ndim)
    starts: list[Any] = [0] * operand.ndim
    starts[axis] = start_index
    sizes = (*operand.shape[:axis], slice_size, *operand.shape[axis + 1 :])
    return dynamic_slice(operand, starts, sizes, allow_negative_indices=allow_negative_indices)


def dynamic_index_in_dim(
    operand: Any,
    index: Any,
    axis: int = 0,
    keepdims: bool = True,
    allow_negative_indices: bool = True,
) -> Any:
    """One place along an axis that is computed.

    Parameters
    ----------
    operand : Array
        Any dtype.
    index : int or Array
        An integer scalar; negative ones count from the end.
    axis : int
        Which axis; negative ones count from the last.
    keepdims : bool
        Whether the axis stays, with size 1.
    allow_negative_indices : bool
        As for `dynamic_slice`.
    """
    axis = normalized_axis("dynamic_index_in_dim", axis, operand.ndim)
    result = dynamic_slice_in_dim(operand, index, 1, axis, allow_negative_indices)
    if keepdims:
        return result
    return reshape(result, (*operand.shape[:axis], *operand.shape[axis + 1 :]))


# ---------------------------------------------------------------------------- dynamic_update_slice


def _update_infer(x: ShapedArray, update: ShapedArray, *starts: ShapedArray) -> ShapedArray:
    if update.ndim != x.ndim or update.dtype != x.dtype:
        raise ArgumentTypeError(
            f"dynamic_update_slice: the update {update!r} must have the dtype and the number of "
            f"axes of the operand {x!r}."
        )
    _check_starts("dynamic_update_slice", x, starts, update.shape)
    return ShapedArray(x.shape, x.dtype, x.weak_type and update.weak_type)


def _update_evaluate(x: Any, update: Any, *starts: Any) -> Any:
    corner = _clamped(starts, x.shape, update.shape)
    result = np.array(x, order="C")
    result[tuple([slice(s, s + m) for s, m in zip(corner, update.shape, strict=True)])] = update
    return result


def _update_transpose(ct: Any, x: Any, update: Any, *starts: Any) -> list[Any]:
    result: list[Any] = [None] * (2 + len(starts))
    if type(x) is Linear:  # nothing comes from what is overwritten
        nothing = full(update.shape, 0, ct.dtype)
        result[0] = dynamic_update_slice_p(ct, nothing, *starts)
    if type(update) is Linear:
        result[1] = dynamic_slice_p(ct, *starts, slice_sizes=update.shape)
    return result


def _update_vmap(size: int, args: Sequence[Any], dims: Sequence[Any]) -> tuple[Any, int]:
    (x, update, *starts), (dim, update_dim, *start_dims) = args, dims
    x, update = to_front(x, dim, size), to_front(update, update_dim, size)
    if all(d is None for d in start_dims):
        return dynamic_update_slice_p(x, update, _zero_start(starts), *starts), 0
    inner = tuple(range(1, x.ndim))
    numbers = ScatterDimensionNumbers(inner, (), inner, (0,), (0,))
    rows = _stacked(starts, start_dims, size)
    return scatter(x, rows, update, numbers, unique_indices=True, mode=CLIP), 0


def _update_element(b: Any, i: Any, x: Any, update: Any, *starts: Any) -> Any:
    shape, sizes = x.aval.shape, update.aval.shape
    place = [0 if n == 1 else p for p, n in zip(i, shape, strict=True)]
    if 0 in sizes:
        return x(*place)
    condition: Any = True
    inside: list[Any] = []
    for p, c, n, m in zip(place, _corner(b, starts, shape, sizes), shape, sizes, strict=True):
        if n != m:
            condition = both(b, condition, b.inside(p - c, m))
        inside.append(0 if m == 1 else p - c)
    return b.guarded(condition, lambda: update(*inside), x(*place))


def _update_fold(staging: Any, atoms: Any, params: Any) -> Any:
    x, update = atoms[:2]
    if update.aval.shape == x.aval.shape:  # all of it
        return update
    return x if 0 in update.aval.shape else None


def _update_samples(rng: np.random.Generator) -> Any:
    for shape, sizes, corner in _CASES:
        for dtype in (np.float64, np.float32, np.int32, np.bool_, np.complex64):
            starts = tuple(np.array(s, np.int32) for s in corner)
            args = (arrays(rng, shape, dtype), arrays(rng, sizes, dtype), *starts)
            yield Sample(args, {}, (0, 1))
    for index in (np.int8, np.uint8, np.int64, np.uint64):
        starts = (np.array(1, index), np.array(100, np.int32))
        args = (arrays(rng, (3, 4), np.float64), arrays(rng, (2, 2), np.float64), *starts)
        yield Sample(args, {}, (0, 1))
    strided = [arrays(rng, shape, np.float64, strided=True) for shape in ((3, 4), (2, 2))]
    yield Sample((*strided, np.array(1), np.array(0)), {}, (0, 1))


dynamic_update_slice_p = linear(
    "dynamic_update_slice",
    linear_in=(0, 1),
    infer=_update_infer,
    evaluate=_update_evaluate,
    transpose=_update_transpose,
    vmap=_update_vmap,
    lower=Element(_update_element, "index"),
    fold=_update_fold,
    sample=_update_samples,
)


def dynamic_update_slice(
    operand: Any, update: Any, start_indices: Any, allow_negative_indices: bool = True
) -> Any:
    """An array with a box replaced, at a place that is computed.

    Parameters
    ----------
    operand : Array
        Any dtype.
    update : Array
        The box, of the same dtype and number of axes.
    start_indices : sequence of int or Array, or Array
        An integer for each axis; a box that would stick out is moved inside.
    allow_negative_indices : bool
        Whether negative starts count from the end; else they are moved inside, too.

    Returns
    -------
    Array
        Of the operand's shape.
    """
    starts = _starts(operand.shape, start_indices, allow_negative_indices)
    return dynamic_update_slice_p(operand, update, *starts)


def dynamic_update_slice_in_dim(
    operand: Any,
    update: Any,
    start_index: Any,
    axis: int,
    allow_negative_indices: bool = True,
) -> Any:
    """An array with a part of one axis replaced, at a place that is computed.

    Parameters
    ----------
    operand : Array
        Any dtype.
    update : Array
        The part, of the same dtype and number of axes.
    start_index : int or Array
        An integer scalar; negative ones count from the end.
    axis : int
        Which axis; negative ones count from the last.
    allow_negative_indices : bool
        As for `dynamic_update_slice`.
    """
    axis = normalized_axis("dynamic_update_slice_in_dim", axis, operand.ndim)
    starts: list[Any] = [0] * operand.ndim
    starts[axis] = start_index
    return dynamic_update_slice(operand, update, starts, allow_negative_indices)


def dynamic_update_index_in_dim(
    operand: Any, update: Any, index: Any, axis: int, allow_negative_indices: bool = True
) -> Any:
    """An array with one place along an axis replaced.

    Parameters
    ----------
    operand : Array
        Any dtype.
    update : Array
        With size 1 along the axis, or without it.
    index : int or Array
        An integer scalar; negative ones count from the end.
    axis : int
        Which axis; negative ones count from the last.
    allow_negative_indices : bool
        As for `dynamic_update_slice`.
    """
    axis = normalized_axis("dynamic_update_index_in_dim", axis, operand.ndim)
    if update.ndim == operand.ndim - 1:
        update = expand_dims(update, (axis,))
    return dynamic_update_slice_in_dim(operand, update, index, axis, allow_negative_indices)
