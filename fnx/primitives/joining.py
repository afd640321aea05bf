"""Putting arrays one after the other and taking them apart: concatenate, split, squeeze.

`concatenate` and `split` are each other's transpose.  The primitive ``split`` makes equal parts,
because the results of one element rule have one shape; unequal parts are slices.
Read next: `dynamic_slicing`.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np

from fnx.core.conversion import as_value
from fnx.core.lowering import Element
from fnx.core.primitive import Linear, Primitive, Sample, Zero
from fnx.core.types import ShapedArray, tangent_type
from fnx.errors import ArgumentTypeError, ArgumentValueError
from fnx.primitives.families import instantiate, linear, to_front
from fnx.primitives.samplers import arrays
from fnx.primitives.shaping import new_axis, reshape
from fnx.primitives.slicing import normalized_axis, slice_in_dim

__all__ = ["concatenate", "concatenate_p", "split", "split_p", "squeeze"]


# ------------------------------------------------------------------------------------ concatenate


def _concatenate_infer(*parts: ShapedArray, dimension: int) -> ShapedArray:
    if not parts:
        raise ArgumentTypeError("concatenate: needs at least one array.")
    first = parts[0]
    if not 0 <= dimension < first.ndim:
        raise ArgumentTypeError(
            f"concatenate: {first!r} has no axis {dimension}. Reshape scalars to shape (1,) to "
            "join them."
        )
    total = 0
    for k, part in enumerate(parts):
        others = part.shape[:dimension] + part.shape[dimension + 1 :]
        wanted = first.shape[:dimension] + first.shape[dimension + 1 :]
        if part.ndim != first.ndim or others != wanted:
            raise ArgumentTypeError(
                f"concatenate: operand {k} is {part!r}, operand 0 is {first!r}; their shapes may "
                f"differ only along axis {dimension}."
            )
        if part.dtype != first.dtype:
            raise ArgumentTypeError(
                f"concatenate: operand {k} is {part!r}, operand 0 is {first!r}; dtypes must be "
                "equal. Convert with `convert_element_type`, or use `fnx.numpy`, which promotes."
            )
        total += part.shape[dimension]
    shape = (*first.shape[:dimension], total, *first.shape[dimension + 1 :])
    return ShapedArray(shape, first.dtype, all(p.weak_type for p in parts))


def _concatenate_transpose(ct: Any, *parts: Any, dimension: int) -> list[Any]:
    stops = list(itertools.accumulate(p.shape[dimension] for p in parts))
    return [
        slice_in_dim(ct, stop - p.shape[dimension], stop, 1, dimension)
        if type(p) is Linear
        else None
        for p, stop in zip(parts, stops, strict=True)
    ]


def _concatenate_vmap(
    size: int, args: Sequence[Any], dims: Sequence[Any], *, dimension: int
) -> tuple[Any, int]:
    mapped = {d for d in dims if d is not None}
    if len(mapped) == 1:
        (axis,) = mapped
        parts = [
            new_axis(a, axis, size) if d is None else a for a, d in zip(args, dims, strict=True)
        ]
        return concatenate_p(*parts, dimension=dimension + (dimension >= axis)), axis
    parts = [to_front(a, d, size) for a, d in zip(args, dims, strict=True)]
    return concatenate_p(*parts, dimension=dimension + 1), 0


def _concatenate_element(b: Any, i: Any, *parts: Any, dimension: int) -> Any:
    def read(part: Any, start: int) -> Any:
        shape = part.aval.shape
        place = [0 if n == 1 else p for n, p in zip(shape, i, strict=True)]
        if shape[dimension] != 1:
            place[dimension] = i[dimension] - start
        return lambda: part(*place)

    stops, reads, stop = [], [], 0
    for part in parts:
        n = part.aval.shape[dimension]
        if n:
            reads.append(read(part, stop))
            stop += n
            stops.append(stop)
    if not reads:  # an empty result, of which no element is ever computed
        return b.constant(0, b.out_aval.dtype)
    return b.piecewise(i[dimension], stops, reads)


def _concatenate_fold(staging: Any, atoms: Any, params: Any) -> Any:
    if len(atoms) == 1:
        return atoms[0]
    kept = [a for a in atoms if a.aval.shape[params["dimension"]] != 0]
    if 0 < len(kept) < len(atoms):
        return staging.process(concatenate_p, [staging.wrap(a) for a in kept], params).atom
    return None


def _concatenate_samples(rng: np.random.Generator) -> Any:
    cases: tuple[tuple[int, tuple[tuple[int, ...], ...]], ...] = (
        (0, ((3,),)),
        (0, ((1,), (1,))),
        (0, ((2,), (0,), (3,))),
        (1, ((2, 3), (2, 1), (2, 2))),
        (0, ((1, 3), (2, 3))),
        (1, ((0, 2), (0, 3))),
        (2, ((2, 3, 1), (2, 3, 4))),
        (0, ((0,), (0,))),
        (0, ((2,), (1,), (3,), (5,), (1,))),
    )
    for dimension, shapes in cases:
        for dtype in (np.float64, np.float32, np.int8, np.bool_, np.complex64):
            args = tuple(arrays(rng, shape, dtype) for shape in shapes)
            yield Sample(args, {"dimension": dimension}, tuple(range(len(args))))
    args = (arrays(rng, (3, 4), np.float64, strided=True), arrays(rng, (3, 2), np.float64))
    yield Sample(args, {"dimension": 1}, (0, 1))


concatenate_p = linear(
    "concatenate",
    infer=_concatenate_infer,
    evaluate=lambda *parts, dimension: np.concatenate(parts, dimension),
    transpose=_concatenate_transpose,
    vmap=_concatenate_vmap,
    lower=Element(_concatenate_element, "index"),
    fold=_concatenate_fold,
    sample=_concatenate_samples,
)


def concatenate(operands: Sequence[Any], dimension: int) -> Any:
    """Arrays one after the other along an axis.

    Parameters
    ----------
    operands : sequence of Array
        Of one dtype; their shapes may differ along `dimension`.
    dimension : int
        The axis.

    Returns
    -------
    Array
    """
    operands = list(operands)
    if len(operands) == 1 and 0 <= dimension < operands[0].ndim:
        return operands[0]
    return concatenate_p(*operands, dimension=dimension)


# ------------------------------------------------------------------------------------ split


def _split_infer(x: ShapedArray, *, sizes: tuple[int, ...], axis: int) -> list[ShapedArray]:
    if not 0 <= axis < x.ndim:
        raise ArgumentTypeError(f"split: {x!r} has no axis {axis}; it has {x.ndim} axes.")
    if any(n < 0 for n in sizes) or sum(sizes) != x.shape[axis]:
        raise ArgumentTypeError(
            f"split: sizes {sizes} sum to {sum(sizes)}, axis {axis} of {x!r} has "
            f"{x.shape[axis]} elements. The sizes must not be negative and must add up."
        )
    return [
        ShapedArray((*x.shape[:axis], n, *x.shape[axis + 1 :]), x.dtype, x.weak_type) for n in sizes
    ]


def _split_evaluate(
    x: np.ndarray[Any, Any], *, sizes: tuple[int, ...], axis: int
) -> list[np.ndarray[Any, Any]]:
    return np.split(x, list(itertools.accumulate(sizes))[:-1], axis)


def _split_jvp(primals: Sequence[Any], tangents: Sequence[Any], **params: Any) -> Any:
    outs = split_p(*primals, **params)
    if type(tangents[0]) is Zero:
        return outs, [Zero(tangent_type(o.aval)) for o in outs]
    return outs, split_p(tangents[0], **params)


def _split_jet(primals: Sequence[Any], series: Sequence[Any], **params: Any) -> Any:
    outs = split_p(*primals, **params)
    zeros = [Zero(tangent_type(o.aval)) for o in outs]
    terms = [zeros if type(c) is Zero else split_p(c, **params) for c in series[0]]
    return outs, [[term[k] for term in terms] for k in range(len(outs))]


def _split_transpose(cts: Any, x: Linear, *, sizes: tuple[int, ...], axis: int) -> list[Any]:
    return [concatenate([instantiate(ct) for ct in cts], axis)]


def _split_vmap(
    size: int, args: Sequence[Any], dims: Sequence[Any], *, sizes: tuple[int, ...], axis: int
) -> Any:
    (dim,) = dims
    return split_p(args[0], sizes=sizes, axis=axis + (axis >= dim)), [dim] * len(sizes)


def _split_element(b: Any, i: Any, x: Any, *, sizes: tuple[int, ...], axis: int) -> Any:
    place = [0 if n == 1 else p for n, p in zip(x.aval.shape, i, strict=True)]
    parts = []
    for k, n in enumerate(sizes):  # all equal
        at = i[axis] + k * n if x.aval.shape[axis] != 1 else 0
        parts.append(x(*place[:axis], at, *place[axis + 1 :]))
    return tuple(parts)


def _split_samples(rng: np.random.Generator) -> Any:
    for shape, sizes, axis in (
        ((5,), (5,), 0),
        ((1,), (1,), 0),
        ((3,), (1, 1, 1), 0),
        ((2, 4), (2, 2), 1),
        ((0, 2), (0, 0), 0),
        ((6, 1, 2), (3, 3), 0),
        ((2, 6, 2), (2, 2, 2), 1),
    ):
        for dtype in (np.float64, np.float32, np.int32, np.complex128):
            yield Sample((arrays(rng, shape, dtype),), {"sizes": sizes, "axis": axis}, (0,))


split_p = Primitive(
    "split",
    multiple_results=True,
    infer=_split_infer,
    evaluate=_split_evaluate,
    jvp=_split_jvp,
    transpose=_split_transpose,
    vmap=_split_vmap,
    jet=_split_jet,
    lower=Element(_split_element, "index"),
    sample=_split_samples,
)


def split(operand: Any, sizes: Sequence[int], axis: int = 0) -> list[Any]:
    """Consecutive parts of an array.

    Parameters
    ----------
    operand : Array
        Any dtype.
    sizes : sequence of int
        How many elements each part has along the axis; together all.
    axis : int
        Which axis; negative ones count from the last.

    Returns
    -------
    list of Array
        One for each size.
    """
    operand = as_value(operand, "split", "operand")
    axis = normalized_axis("split", axis, operand.ndim)
    sizes = tuple(map(int, sizes))
    _split_infer(operand.aval, sizes=sizes, axis=axis)
    if len(set(sizes)) == 1:
        return list(split_p(operand, sizes=sizes, axis=axis))
    stops = itertools.accumulate(sizes)
    return [
        slice_in_dim(operand, stop - n, stop, 1, axis) for n, stop in zip(sizes, stops, strict=True)
    ]


# ------------------------------------------------------------------------------------ squeeze


def squeeze(array: Any, dimensions: Sequence[int]) -> Any:
    """The array without some axes of size 1.

    Parameters
    ----------
    array : Array
        Any dtype.
    dimensions : sequence of int
        Axes of size 1; negative ones count from the last.
    """
    dropped = {normalized_axis("squeeze", d, array.ndim) for d in dimensions}
    if len(dropped) != len(dimensions):
        raise ArgumentValueError(f"squeeze: dimensions {tuple(dimensions)} name an axis twice.")
    for axis in dropped:
        if array.shape[axis] != 1:
            raise ArgumentValueError(
                f"squeeze: axis {axis} of {array.aval!r} has size {array.shape[axis]}, not 1."
            )
    return reshape(array, [n for k, n in enumerate(array.shape) if k not in dropped])
