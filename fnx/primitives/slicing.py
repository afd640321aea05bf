"""Static parts of arrays and their adjoint: slice, pad, and along one axis.

`slice` takes every `stride`-th element of a box; `pad` puts an array into a larger one (or, with
negative amounts, a smaller one), with gaps between its elements if asked.  Each is the other's
transpose.  Both are linear, read one element for each of the result, and fuse.
Read next: `joining`, `dynamic_slicing`.
"""

from __future__ import annotations

import builtins
from collections.abc import Sequence
from typing import Any

import numpy as np

from fnx.core.lowering import Element
from fnx.core.primitive import Linear, Sample
from fnx.core.types import ShapedArray
from fnx.errors import ArgumentTypeError, ArgumentValueError, JAXIndexError
from fnx.primitives.comparison import select_n
from fnx.primitives.families import linear, to_front
from fnx.primitives.reductions import reduce_sum
from fnx.primitives.samplers import arrays
from fnx.primitives.shaping import broadcast_in_dim, broadcast_in_dim_p, full, reshape

__all__ = [
    "index_in_dim",
    "pad",
    "pad_p",
    "slice",
    "slice_in_dim",
    "slice_p",
]

Axes = tuple[int, ...]
PaddingConfig = tuple[tuple[int, int, int], ...]


# ------------------------------------------------------------------------------------ slice


def _slice_infer(
    x: ShapedArray, *, start_indices: Axes, limit_indices: Axes, strides: Axes | None
) -> ShapedArray:
    steps = (1,) * x.ndim if strides is None else strides
    if not len(start_indices) == len(limit_indices) == len(steps) == x.ndim:
        raise ArgumentTypeError(
            f"slice: {x!r} has {x.ndim} axes, but start_indices={start_indices}, "
            f"limit_indices={limit_indices}, strides={strides}. Give one number for each axis."
        )
    shape = []
    for axis, (start, limit, step) in enumerate(
        zip(start_indices, limit_indices, steps, strict=True)
    ):
        if not 0 <= start <= limit <= x.shape[axis]:
            raise ArgumentTypeError(
                f"slice: axis {axis} of {x!r} has no elements {start} to {limit}. Wanted is "
                f"0 <= start <= limit <= {x.shape[axis]}; `fnx.numpy` indexing clips and counts "
                "from the end."
            )
        if step < 1:
            raise ArgumentTypeError(
                f"slice: stride {step} of axis {axis} of {x!r} is not positive. Reverse the axis "
                "with `rev` for a negative one."
            )
        shape.append(-(-(limit - start) // step))
    return ShapedArray(tuple(shape), x.dtype, x.weak_type)


def _slice_evaluate(
    x: np.ndarray[Any, Any],
    *,
    start_indices: Axes,
    limit_indices: Axes,
    strides: Axes | None,
) -> np.ndarray[Any, Any]:
    steps = (1,) * x.ndim if strides is None else strides
    index: tuple[Any, ...] = tuple(map(builtins.slice, start_indices, limit_indices, steps))
    return x[(*index, ...)]  # the dots make a view of a 0-d array, too


def _slice_transpose(
    ct: Any, x: Linear, *, start_indices: Axes, limit_indices: Axes, strides: Axes | None
) -> list[Any]:
    steps = (1,) * x.ndim if strides is None else strides
    config = []
    for start, step, n, m in zip(start_indices, steps, x.shape, ct.shape, strict=True):
        if m == 0:
            config.append((0, n, 0))
        else:
            config.append((start, n - (start + (m - 1) * step + 1), step - 1))
    return [pad(ct, full((), 0, ct.dtype), config)]


def _slice_vmap(
    size: int,
    args: Sequence[Any],
    dims: Sequence[Any],
    *,
    start_indices: Axes,
    limit_indices: Axes,
    strides: Axes | None,
) -> tuple[Any, int]:
    (dim,) = dims
    out = slice_p(
        args[0],
        start_indices=_inserted(start_indices, dim, 0),
        limit_indices=_inserted(limit_indices, dim, size),
        strides=None if strides is None else _inserted(strides, dim, 1),
    )
    return out, dim


def _inserted(values: tuple[Any, ...], place: int, value: Any) -> tuple[Any, ...]:
    return (*values[:place], value, *values[place:])


def _slice_element(
    b: Any, i: Any, x: Any, *, start_indices: Axes, limit_indices: Axes, strides: Axes | None
) -> Any:
    steps = (1,) * x.aval.ndim if strides is None else strides
    shape = x.aval.shape
    return x(
        *[
            0 if n == 1 else p * step + start
            for p, start, step, n in zip(i, start_indices, steps, shape, strict=True)
        ]
    )


def _slice_fold(staging: Any, atoms: Any, params: Any) -> Any:
    (x,) = atoms
    shape = x.aval.shape
    out = slice_p.infer(x.aval, **params)
    if out.shape == shape:  # all of it
        return x
    before = staging.definition(x)
    if before is None or 0 in out.shape:
        return None
    inner = before.params
    if before.primitive is broadcast_in_dim_p and not inner["broadcast_dimensions"]:
        return _again(staging, before, {**inner, "shape": out.shape})
    starts = params["start_indices"]
    steps = params["strides"] or (1,) * len(shape)
    if before.primitive is slice_p:  # x[a::s][b::t] = x[a + b s::s t]
        first = inner["strides"] or (1,) * len(shape)
        start = tuple(
            a + b * s for a, b, s in zip(inner["start_indices"], starts, first, strict=True)
        )
        stride = tuple(s * t for s, t in zip(first, steps, strict=True))
        limit = tuple(a + (m - 1) * s + 1 for a, m, s in zip(start, out.shape, stride, strict=True))
        both = {"start_indices": start, "limit_indices": limit, "strides": stride}
        return _again(staging, before, both)
    if before.primitive.name == "concatenate":  # all from one of the parts
        return _slice_of_part(staging, before, params)
    return None


def _slice_of_part(staging: Any, before: Any, params: Any) -> Any:
    axis, stop = before.params["dimension"], 0
    low, high = params["start_indices"][axis], params["limit_indices"][axis]
    for part in before.inputs:
        first, stop = stop, stop + part.aval.shape[axis]
        if first <= low and high <= stop:
            moved = dict(params)
            for name, value in (("start_indices", low), ("limit_indices", high)):
                places = list(params[name])
                places[axis] = value - first
                moved[name] = tuple(places)
            return staging.process(slice_p, [staging.wrap(part)], moved).atom
    return None


def _again(staging: Any, before: Any, params: Any) -> Any:
    return staging.process(before.primitive, [staging.wrap(before.inputs[0])], params).atom


def _slice_samples(rng: np.random.Generator) -> Any:
    cases: tuple[tuple[Axes, Axes, Axes, Axes | None], ...] = (
        ((), (), (), None),
        ((5,), (1,), (4,), None),
        ((5,), (0,), (5,), (2,)),
        ((5,), (2,), (2,), (3,)),
        ((1,), (0,), (1,), (4,)),
        ((0, 3), (0, 1), (0, 3), None),
        ((3, 4), (1, 0), (3, 4), (1, 3)),
        ((2, 3, 37), (0, 1, 3), (2, 2, 36), (1, 1, 5)),
    )
    for shape, start, limit, strides in cases:
        params = {"start_indices": start, "limit_indices": limit, "strides": strides}
        for dtype in (np.float64, np.float32, np.int16, np.bool_, np.complex64):
            yield Sample((arrays(rng, shape, dtype),), params, (0,))
    params = {"start_indices": (0, 1), "limit_indices": (3, 4), "strides": (2, 1)}
    yield Sample((arrays(rng, (3, 4), np.float64, strided=True),), params, (0,))


slice_p = linear(
    "slice",
    infer=_slice_infer,
    evaluate=_slice_evaluate,
    transpose=_slice_transpose,
    vmap=_slice_vmap,
    lower=Element(_slice_element, "index"),
    fold=_slice_fold,
    sample=_slice_samples,
)


def slice(
    operand: Any,
    start_indices: Sequence[int],
    limit_indices: Sequence[int],
    strides: Sequence[int] | None = None,
) -> Any:
    """Every `strides`-th element of a box of an array.

    Parameters
    ----------
    operand : Array
        Any dtype.
    start_indices, limit_indices : sequence of int
        For each axis the first index and the one behind the last; within the array.
    strides : sequence of int, optional
        Positive steps, one for each axis; 1 by default.

    Returns
    -------
    Array
        With ``ceil((limit - start) / stride)`` elements along each axis.
    """
    return slice_p(
        operand,
        start_indices=tuple(start_indices),
        limit_indices=tuple(limit_indices),
        strides=None if strides is None else tuple(strides),
    )


def slice_in_dim(
    operand: Any,
    start_index: int | None,
    limit_index: int | None,
    stride: int = 1,
    axis: int = 0,
) -> Any:
    """Part of one axis; negative indices count from its end.

    Parameters
    ----------
    operand : Array
        Any dtype.
    start_index, limit_index : int or None
        First index and the one behind the last; None is the beginning or the end.
    stride : int
        A positive step.
    axis : int
        Which axis; negative ones count from the last.
    """
    axis = normalized_axis("slice_in_dim", axis, operand.ndim)
    n = operand.shape[axis]
    start = 0 if start_index is None else int(start_index)
    limit = n if limit_index is None else int(limit_index)
    starts, limits, strides = [0] * operand.ndim, list(operand.shape), [1] * operand.ndim
    starts[axis] = start + n if start < 0 else start
    limits[axis] = limit + n if limit < 0 else limit
    strides[axis] = stride
    return slice(operand, starts, limits, strides)


def index_in_dim(operand: Any, index: int, axis: int = 0, keepdims: bool = True) -> Any:
    """One place along an axis.

    Parameters
    ----------
    operand : Array
        Any dtype.
    index : int
        The place; negative ones count from the end.
    axis : int
        Which axis; negative ones count from the last.
    keepdims : bool
        Whether the axis stays, with size 1.
    """
    axis = normalized_axis("index_in_dim", axis, operand.ndim)
    n = operand.shape[axis]
    if not -n <= index < n:
        raise JAXIndexError(
            f"index_in_dim: index {index} is out of bounds for axis {axis} of {operand.aval!r}, "
            f"which has {n} elements."
        )
    index = index + n if index < 0 else index
    result = slice_in_dim(operand, index, index + 1, 1, axis)
    if keepdims:
        return result
    return reshape(result, (*operand.shape[:axis], *operand.shape[axis + 1 :]))


def normalized_axis(name: str, axis: int, ndim: int) -> int:
    """An axis counted from the first; raises ValueError if there is no such axis."""
    if not -ndim <= axis < ndim:
        raise ArgumentValueError(
            f"{name}: axis {axis} is out of bounds for an array of {ndim} axes."
        )
    return axis + ndim if axis < 0 else axis


# ------------------------------------------------------------------------------------ pad


def dilated_size(size: int, interior: int) -> int:
    """The extent of an axis with `interior` gaps between neighbours."""
    return size + max(size - 1, 0) * interior


def _pad_infer(x: ShapedArray, value: ShapedArray, *, padding_config: PaddingConfig) -> ShapedArray:
    if value.shape != () or value.dtype != x.dtype:
        raise ArgumentTypeError(
            f"pad: the padding value must be a scalar of the operand's dtype, got {value!r} for "
            f"{x!r}."
        )
    if len(padding_config) != x.ndim:
        raise ArgumentTypeError(
            f"pad: {x!r} has {x.ndim} axes, padding_config has {len(padding_config)} entries: "
            f"{padding_config}. Give one (low, high, interior) for each axis."
        )
    shape = []
    for axis, (n, (low, high, interior)) in enumerate(zip(x.shape, padding_config, strict=True)):
        size = low + high + dilated_size(n, interior)
        if interior < 0 or size < 0:
            raise ArgumentTypeError(
                f"pad: (low, high, interior) = {(low, high, interior)} on axis {axis} of {x!r} "
                f"gives {size} elements. Interior padding must not be negative, and low and high "
                "must not remove more than there is."
            )
        shape.append(size)
    return ShapedArray(tuple(shape), x.dtype, x.weak_type and value.weak_type)


def _pad_evaluate(
    x: np.ndarray[Any, Any], value: np.ndarray[Any, Any], *, padding_config: PaddingConfig
) -> np.ndarray[Any, Any]:
    shape, source, target = [], [], []
    for n, (low, high, interior) in zip(x.shape, padding_config, strict=True):
        size, step = low + high + dilated_size(n, interior), interior + 1
        # Element k goes to low + k step; those with 0 <= low + k step < size stay.
        first = -(min(low, 0) // step)
        last = max(min(n, (size - 1 - low) // step + 1), first)
        shape.append(size)
        source.append(builtins.slice(first, last))
        place = low + first * step
        stop = place + (last - first - 1) * step + 1
        target.append(builtins.slice(place, max(stop, place), step))
    result = np.empty(shape, x.dtype)
    result[...] = value
    if all(s.start < s.stop for s in source):
        result[tuple(target)] = x[tuple(source)]
    return result


def _pad_transpose(ct: Any, x: Any, value: Any, *, padding_config: PaddingConfig) -> list[Any]:
    result = [None, None]
    if type(x) is Linear:
        zero = full((), 0, ct.dtype)
        back = pad(ct, zero, [(-low, -high, 0) for low, high, _ in padding_config])
        steps = [interior + 1 for _, _, interior in padding_config]
        result[0] = slice(back, (0,) * back.ndim, back.shape, steps)
    if type(value) is Linear:
        outside = _outside(x.shape, padding_config)
        alone = select_n(outside, full(ct.shape, 0, ct.dtype), ct)
        result[1] = reduce_sum(alone, tuple(range(ct.ndim)))
    return result


def _outside(shape: Sequence[int], padding_config: PaddingConfig) -> Any:
    """Where a padded array holds the padding value."""
    return pad(full(shape, False, np.bool_), full((), True, np.bool_), padding_config)


def _pad_vmap(
    size: int, args: Sequence[Any], dims: Sequence[Any], *, padding_config: PaddingConfig
) -> tuple[Any, int]:
    (x, value), (dim, value_dim) = args, dims
    if value_dim is None:
        config = _inserted(padding_config, dim, (0, 0, 0))
        return pad_p(x, value, padding_config=config), dim
    x = to_front(x, dim, size)
    config = ((0, 0, 0), *padding_config)
    inner = pad(x, full((), 0, x.dtype), config)
    spread = broadcast_in_dim(value, inner.shape, (0,))
    return select_n(_outside(x.shape, config), inner, spread), 0


def _pad_element(b: Any, i: Any, x: Any, value: Any, *, padding_config: PaddingConfig) -> Any:
    shape = x.aval.shape
    if 0 in shape:
        return value()
    condition: Any = True
    place: list[Any] = []
    for p, n, (low, _, interior) in zip(i, shape, padding_config, strict=True):
        step = interior + 1
        if n == 1:
            condition = both(b, condition, b.inside(p - low, 1))
            place.append(0)
        elif interior == 0:
            condition = both(b, condition, b.inside(p - low, n))
            place.append(p - low)
        else:
            # Counted from a multiple of step below zero, so that nothing negative is divided.
            ahead = -(-max(low, 0) // step)
            counted = p - low + ahead * step
            condition = both(b, condition, b.inside(p - low, dilated_size(n, interior)))
            condition = both(b, condition, b.eq(b.from_index(counted % step, np.int64), 0))
            place.append(counted // step - ahead)
    return b.guarded(condition, lambda: x(*place), value())


def both(b: Any, first: Any, second: Any) -> Any:
    """The conjunction of two conditions of a builder, each of which may be known."""
    if first is False or second is False:
        return False
    if first is True:
        return second
    return first if second is True else b.and_(first, second)


def _pad_fold(staging: Any, atoms: Any, params: Any) -> Any:
    return atoms[0] if all(c == (0, 0, 0) for c in params["padding_config"]) else None


def _pad_samples(rng: np.random.Generator) -> Any:
    cases: tuple[tuple[Axes, PaddingConfig], ...] = (
        ((), ()),
        ((3,), ((0, 0, 0),)),
        ((3,), ((1, 2, 0),)),
        ((5,), ((-1, -2, 0),)),
        ((5,), ((-3, 4, 1),)),
        ((4,), ((2, -3, 2),)),
        ((5,), ((3, 1, 2),)),
        ((3,), ((-9, 9, 3),)),
        ((1,), ((-1, 0, 0),)),
        ((1,), ((2, 0, 3),)),
        ((0, 2), ((1, 2, 0), (0, 1, 1))),
        ((2, 3), ((0, 1, 0), (2, 0, 1))),
        ((2, 1, 4), ((1, 1, 1), (0, 0, 0), (-1, 2, 0))),
    )
    for shape, config in cases:
        for dtype in (np.float64, np.float32, np.int32, np.bool_, np.complex128):
            args = (arrays(rng, shape, dtype), arrays(rng, (), dtype))
            yield Sample(args, {"padding_config": config}, (0, 1))
    args = (arrays(rng, (3, 4), np.float64, strided=True), arrays(rng, (), np.float64))
    yield Sample(args, {"padding_config": ((1, 0, 1), (0, 2, 0))}, (0, 1))


pad_p = linear(
    "pad",
    infer=_pad_infer,
    evaluate=_pad_evaluate,
    transpose=_pad_transpose,
    vmap=_pad_vmap,
    lower=Element(_pad_element, "index"),
    fold=_pad_fold,
    sample=_pad_samples,
)


def pad(operand: Any, padding_value: Any, padding_config: Sequence[tuple[int, int, int]]) -> Any:
    """An array with elements of one value around and between its own.

    Parameters
    ----------
    operand : Array
        Any dtype.
    padding_value : Array
        A scalar of the same dtype.
    padding_config : sequence of (low, high, interior)
        For each axis how many elements come before the first, after the last (negative: how
        many of the padded array are removed there), and between neighbours.

    Returns
    -------
    Array
        With ``low + high + n + max(n - 1, 0) * interior`` elements along each axis.
    """
    config = tuple([(int(low), int(high), int(gap)) for low, high, gap in padding_config])
    return pad_p(operand, padding_value, padding_config=config)
