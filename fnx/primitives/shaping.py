"""Primitives that only place elements elsewhere: broadcast, reshape, transpose, reverse.

They're linear, read every element where an index says, and cost a view when evaluated.  The
functions check and normalise their arguments; `zeros` and `full` are made here, because they are
broadcast scalars.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from fnx.core.array import adopt
from fnx.core.lowering import Element
from fnx.core.primitive import Primitive, Sample
from fnx.core.types import ShapedArray
from fnx.errors import ArgumentTypeError
from fnx.primitives.arithmetic import add
from fnx.primitives.families import Batching, linear
from fnx.primitives.samplers import arrays

__all__ = [
    "broadcast_in_dim",
    "broadcast_in_dim_p",
    "expand_dims",
    "full",
    "move_axis",
    "new_axis",
    "reshape",
    "reshape_p",
    "rev",
    "rev_p",
    "transpose",
    "transpose_p",
    "zeros",
]


# --------------------------------------------------------------------------------- broadcast_in_dim


def _broadcast_infer(
    x: ShapedArray, *, shape: tuple[int, ...], broadcast_dimensions: tuple[int, ...]
) -> ShapedArray:
    if len(broadcast_dimensions) != x.ndim:
        raise ArgumentTypeError(
            f"broadcast_in_dim: {x!r} has {x.ndim} axes, broadcast_dimensions names "
            f"{len(broadcast_dimensions)}: {broadcast_dimensions}. Name one axis of the result for "
            "each axis of the operand."
        )
    for axis, target in enumerate(broadcast_dimensions):
        increasing = axis == 0 or broadcast_dimensions[axis - 1] < target
        if not (0 <= target < len(shape) and increasing and x.shape[axis] in (1, shape[target])):
            raise ArgumentTypeError(
                f"broadcast_in_dim: axis {axis} of {x!r} can't become axis {target} of shape "
                f"{shape} (broadcast_dimensions={broadcast_dimensions}). Sizes must be equal or 1, "
                "axes strictly increasing."
            )
    return ShapedArray(shape, x.dtype, x.weak_type)


def _broadcast_evaluate(
    x: np.ndarray[Any, Any], *, shape: tuple[int, ...], broadcast_dimensions: tuple[int, ...]
) -> np.ndarray[Any, Any]:
    places = [1] * len(shape)
    for axis, target in enumerate(broadcast_dimensions):
        places[target] = x.shape[axis]
    return np.broadcast_to(x.reshape(places), shape)


def _broadcast_transpose(
    ct: Any, x: Any, *, shape: tuple[int, ...], broadcast_dimensions: tuple[int, ...]
) -> list[Any]:
    new = [k for k in range(len(shape)) if k not in broadcast_dimensions]
    stretched = [
        target
        for axis, target in enumerate(broadcast_dimensions)
        if x.shape[axis] == 1 and shape[target] != 1
    ]
    summed = Batching.sum(ct, tuple(sorted(new + stretched)))
    return [reshape(summed, x.shape)]


def _broadcast_vmap(
    size: int,
    args: Sequence[Any],
    dims: Sequence[Any],
    *,
    shape: tuple[int, ...],
    broadcast_dimensions: tuple[int, ...],
) -> tuple[Any, int]:
    x = move_axis(args[0], dims[0], 0)
    shifted = (0, *[k + 1 for k in broadcast_dimensions])
    return broadcast_in_dim_p(x, shape=(size, *shape), broadcast_dimensions=shifted), 0


def _broadcast_element(
    b: Any, i: Any, x: Any, *, shape: tuple[int, ...], broadcast_dimensions: tuple[int, ...]
) -> Any:
    return x(
        *[0 if n == 1 else i[t] for n, t in zip(x.aval.shape, broadcast_dimensions, strict=True)]
    )


def _broadcast_fold(staging: Any, atoms: Any, params: Any) -> Any:
    return atoms[0] if atoms[0].aval.shape == params["shape"] else None


def _broadcast_samples(rng: np.random.Generator) -> Any:
    for source, target, axes in (
        ((), (3,), ()),
        ((), (), ()),
        ((3,), (2, 3), (1,)),
        ((3,), (3, 2), (0,)),
        ((1, 3), (4, 3), (0, 1)),
        ((2, 1), (2, 3, 5), (0, 2)),
        ((0,), (2, 0), (1,)),
    ):
        for dtype in (np.float64, np.float32, np.int32, np.bool_, np.complex128):
            params = {"shape": target, "broadcast_dimensions": axes}
            yield Sample((arrays(rng, source, dtype),), params, (0,))


broadcast_in_dim_p = linear(
    "broadcast_in_dim",
    infer=_broadcast_infer,
    evaluate=_broadcast_evaluate,
    transpose=_broadcast_transpose,
    vmap=_broadcast_vmap,
    lower=Element(_broadcast_element, "index"),
    fold=_broadcast_fold,
    sample=_broadcast_samples,
)


def broadcast_in_dim(
    operand: Any, shape: Sequence[int], broadcast_dimensions: Sequence[int] = ()
) -> Any:
    """Place the axes of an array among those of a larger shape and repeat it along the others.

    Parameters
    ----------
    operand : Array
        Any dtype.
    shape : sequence of int
        The shape of the result.
    broadcast_dimensions : sequence of int
        For each axis of the operand, the axis of the result that it becomes; sizes are equal or 1.

    Returns
    -------
    Array
        Of shape `shape`.
    """
    return broadcast_in_dim_p(
        operand, shape=tuple(shape), broadcast_dimensions=tuple(broadcast_dimensions)
    )


# ------------------------------------------------------------------------------------------ reshape


def _reshape_infer(x: ShapedArray, *, new_sizes: tuple[int, ...]) -> ShapedArray:
    if math.prod(new_sizes) != x.size:
        raise ArgumentTypeError(
            f"reshape: {x!r} has {x.size} elements, shape {new_sizes} has {math.prod(new_sizes)}."
        )
    return ShapedArray(new_sizes, x.dtype, x.weak_type)


def _reshape_vmap(
    size: int, args: Sequence[Any], dims: Sequence[Any], *, new_sizes: tuple[int, ...]
) -> tuple[Any, int]:
    x = move_axis(args[0], dims[0], 0)
    return reshape_p(x, new_sizes=(size, *new_sizes)), 0


def _reshape_element(b: Any, i: Any, x: Any, *, new_sizes: tuple[int, ...]) -> Any:
    return x(*reshaped_index(i, new_sizes, x.aval.shape))


def reshaped_index(i: Sequence[Any], shape: Sequence[int], source: Sequence[int]) -> list[Any]:
    """The index in `source` of the element at index `i` of `shape`, both in row-major order.

    Groups of axes whose sizes multiply to the same number are split and joined among themselves
    only, so that a reshape that merely adds or drops axes of size 1 costs no division.
    """
    result: list[Any] = []
    a = b = 0
    while a < len(shape) or b < len(source):
        a0, b0, left, right = a, b, 1, 1
        if a < len(shape):
            left, a = shape[a], a + 1
        if b < len(source):
            right, b = source[b], b + 1
        while left != right:
            if left < right and a < len(shape):
                left, a = left * shape[a], a + 1
            else:
                right, b = right * source[b], b + 1
        flat: Any = 0
        for axis in range(a0, a):
            if shape[axis] != 1:
                flat = i[axis] if _is_zero(flat) else flat * shape[axis] + i[axis]
        sizes = [n for n in source[b0:b] if n != 1]
        inner = math.prod(sizes)
        parts: list[Any] = []
        for k, n in enumerate(sizes):
            outer, inner = inner, inner // n
            part = flat if inner == 1 else flat // inner
            parts.append(part if k == 0 or outer == 0 else part % n)
        it = iter(parts)
        result.extend(0 if n == 1 else next(it) for n in source[b0:b])
    return result


def _is_zero(value: Any) -> bool:
    return isinstance(value, int) and value == 0


def _reshape_samples(rng: np.random.Generator) -> Any:
    for source, target in (
        ((), (1, 1)),
        ((6,), (2, 3)),
        ((2, 3), (3, 2)),
        ((2, 3, 4), (6, 4)),
        ((2, 1, 3), (2, 3)),
        ((0, 3), (3, 0, 2)),
        ((1,), ()),
        ((4, 6), (2, 2, 3, 2)),
    ):
        for dtype in (np.float64, np.float32, np.int8, np.complex64):
            yield Sample((arrays(rng, source, dtype),), {"new_sizes": target}, (0,))
    yield Sample((arrays(rng, (3, 4), np.float64, strided=True),), {"new_sizes": (2, 6)}, (0,))


def _reshape_fold(staging: Any, atoms: Any, params: Any) -> Any:
    (x,) = atoms
    if x.aval.shape == params["new_sizes"]:
        return x
    before = staging.definition(x)
    if before is not None and before.primitive is reshape_p:
        return staging.process(reshape_p, [staging.wrap(before.inputs[0])], params).atom
    return None


reshape_p = linear(
    "reshape",
    infer=_reshape_infer,
    evaluate=lambda x, new_sizes: x.reshape(new_sizes),
    transpose=lambda ct, x, new_sizes: [reshape(ct, x.shape)],
    vmap=_reshape_vmap,
    lower=Element(_reshape_element, "index"),
    fold=_reshape_fold,
    sample=_reshape_samples,
)


def reshape(operand: Any, new_sizes: Sequence[int], dimensions: Sequence[int] | None = None) -> Any:
    """The same elements, in row-major order, in another shape.

    Parameters
    ----------
    operand : Array
        Any dtype.
    new_sizes : sequence of int
        The extents; their product is the operand's size.
    dimensions : sequence of int, optional
        Read the operand's axes in this order.

    Returns
    -------
    Array
    """
    if dimensions is not None:
        operand = transpose(operand, dimensions)
    new_sizes = tuple(new_sizes)
    return operand if operand.shape == new_sizes else reshape_p(operand, new_sizes=new_sizes)


def expand_dims(operand: Any, dimensions: Sequence[int]) -> Any:
    """New axes of size 1 at the given places of the result.

    Parameters
    ----------
    operand : Array
        Any dtype.
    dimensions : sequence of int
        Axes of the result.
    """
    rank = operand.ndim + len(dimensions)
    places = {d % rank for d in dimensions}
    kept = [k for k in range(rank) if k not in places]
    shape = [1] * rank
    for size, k in zip(operand.shape, kept, strict=True):
        shape[k] = size
    return broadcast_in_dim(operand, shape, kept)


# ---------------------------------------------------------------------------------------- transpose


def _transpose_infer(x: ShapedArray, *, permutation: tuple[int, ...]) -> ShapedArray:
    if sorted(permutation) != list(range(x.ndim)):
        raise ArgumentTypeError(
            f"transpose: {permutation} is not a permutation of the {x.ndim} axes of {x!r}."
        )
    return ShapedArray(tuple(x.shape[k] for k in permutation), x.dtype, x.weak_type)


def _transpose_vmap(
    size: int, args: Sequence[Any], dims: Sequence[Any], *, permutation: tuple[int, ...]
) -> tuple[Any, int]:
    (dim,) = dims
    shifted = (dim, *[k + (k >= dim) for k in permutation])
    return transpose_p(args[0], permutation=shifted), 0


def inverse(permutation: Sequence[int]) -> tuple[int, ...]:
    """The permutation that undoes one."""
    result = [0] * len(permutation)
    for place, axis in enumerate(permutation):
        result[axis] = place
    return tuple(result)


def _transpose_fold(staging: Any, atoms: Any, params: Any) -> Any:
    (x,) = atoms
    permutation = params["permutation"]
    if permutation == tuple(range(len(permutation))):
        return x
    before = staging.definition(x)
    if before is not None and before.primitive is transpose_p:
        first = before.params["permutation"]
        both = tuple(first[k] for k in permutation)
        return staging.process(
            transpose_p, [staging.wrap(before.inputs[0])], {"permutation": both}
        ).atom
    return None


def _transpose_samples(rng: np.random.Generator) -> Any:
    for shape, permutation in (
        ((), ()),
        ((3,), (0,)),
        ((2, 3), (1, 0)),
        ((2, 3, 4), (2, 0, 1)),
        ((2, 0, 4), (1, 2, 0)),
        ((2, 3, 1, 2), (3, 1, 0, 2)),
    ):
        for dtype in (np.float64, np.float32, np.int16, np.complex128):
            yield Sample((arrays(rng, shape, dtype),), {"permutation": permutation}, (0,))


transpose_p = linear(
    "transpose",
    infer=_transpose_infer,
    evaluate=lambda x, permutation: x.transpose(permutation),
    transpose=lambda ct, x, permutation: [transpose(ct, inverse(permutation))],
    vmap=_transpose_vmap,
    lower=Element(lambda b, i, x, permutation: x(*[i[k] for k in inverse(permutation)]), "index"),
    fold=_transpose_fold,
    sample=_transpose_samples,
)


def transpose(operand: Any, permutation: Sequence[int]) -> Any:
    """The axes in another order.

    Parameters
    ----------
    operand : Array
        Any dtype.
    permutation : sequence of int
        For each axis of the result, the operand's axis.
    """
    permutation = tuple(permutation)
    if permutation == tuple(range(operand.ndim)):
        return operand
    return transpose_p(operand, permutation=permutation)


# ---------------------------------------------------------------------------------------------- rev


def _rev_infer(x: ShapedArray, *, dimensions: tuple[int, ...]) -> ShapedArray:
    if len(set(dimensions)) != len(dimensions) or any(not 0 <= d < x.ndim for d in dimensions):
        raise ArgumentTypeError(f"rev: dimensions {dimensions} must be different axes of {x!r}.")
    return x


def _rev_element(b: Any, i: Any, x: Any, *, dimensions: tuple[int, ...]) -> Any:
    shape = x.aval.shape
    return x(
        *[
            (shape[k] - 1) - p if k in dimensions and shape[k] != 1 else (0 if shape[k] == 1 else p)
            for k, p in enumerate(i)
        ]
    )


def _rev_samples(rng: np.random.Generator) -> Any:
    for shape, dimensions in (
        ((3,), (0,)),
        ((2, 3), (1,)),
        ((2, 3, 4), (0, 2)),
        ((0, 2), (0,)),
        ((), ()),
    ):
        for dtype in (np.float64, np.float32, np.int32):
            yield Sample((arrays(rng, shape, dtype),), {"dimensions": dimensions}, (0,))


rev_p: Primitive = linear(
    "rev",
    infer=_rev_infer,
    evaluate=lambda x, dimensions: np.flip(x, dimensions),
    transpose=lambda ct, x, dimensions: [rev(ct, dimensions)],
    vmap=lambda size, args, dims, dimensions: (
        rev_p(args[0], dimensions=tuple(d + (d >= dims[0]) for d in dimensions)),
        dims[0],
    ),
    lower=Element(_rev_element, "index"),
    sample=_rev_samples,
)


def rev(operand: Any, dimensions: Sequence[int]) -> Any:
    """The elements in opposite order along some axes.

    Parameters
    ----------
    operand : Array
        Any dtype.
    dimensions : sequence of int
        The axes.
    """
    return rev_p(operand, dimensions=tuple(dimensions))


# --------------------------------------------------------------------------------- what others need


def move_axis(x: Any, source: int, destination: int) -> Any:
    """One axis moved to another place."""
    if source == destination:
        return x
    order = [k for k in range(x.ndim) if k != source]
    order.insert(destination, source)
    return transpose(x, order)


def new_axis(x: Any, axis: int, size: int) -> Any:
    """A new axis along which the array is repeated."""
    shape = (*x.shape[:axis], size, *x.shape[axis:])
    return broadcast_in_dim(x, shape, [k for k in range(len(shape)) if k != axis])


def full(shape: Sequence[int], value: Any, dtype: Any) -> Any:
    """An array of one number, from a scalar constant.

    Parameters
    ----------
    shape : sequence of int
        The extents.
    value : number
        A Python or NumPy scalar.
    dtype : dtype
        Of the result.
    """
    scalar = adopt(np.asarray(value, dtype))
    return broadcast_in_dim(scalar, shape) if len(shape) else scalar


def zeros(aval: ShapedArray) -> Any:
    """Zeros of a type."""
    return full(aval.shape, 0, aval.dtype)


Batching.broadcast = staticmethod(new_axis)
Batching.move = staticmethod(move_axis)
Batching.zeros = staticmethod(zeros)
Batching.add = staticmethod(add)
