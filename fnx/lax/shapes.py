"""Functions of `lax` that only place elements: broadcast, collapse, stack, tile, sort by a key.

Compositions of the primitives in `fnx.primitives.shaping`, `joining` and `sorting`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from fnx.core.conversion import as_value
from fnx.core.device import checked_device
from fnx.errors import ArgumentValueError, ShapeError
from fnx.primitives.arithmetic import add
from fnx.primitives.cast import convert_element_type
from fnx.primitives.comparison import lt, select
from fnx.primitives.gathering import GatherDimensionNumbers, gather
from fnx.primitives.joining import concatenate
from fnx.primitives.rounding import rem
from fnx.primitives.shaping import broadcast_in_dim, reshape
from fnx.primitives.slicing import index_in_dim, normalized_axis
from fnx.primitives.sorting import sort
from fnx.primitives.window_shapes import padtype_to_pads, window_extents
from fnx.transforms.structural import structural

__all__ = [
    "broadcast",
    "broadcast_like",
    "broadcast_shapes",
    "broadcast_to_rank",
    "collapse",
    "empty",
    "full",
    "full_like",
    "index_take",
    "reduce_window_shape_tuple",
    "sort_key_val",
    "stack",
    "tile",
    "unstack",
]


@structural("operand")
def broadcast(operand: Any, sizes: Sequence[int]) -> Any:
    """The same array along new leading axes.

    Parameters
    ----------
    operand : Array
        Any.
    sizes : sequence of int
        The extents of the new axes.

    Examples
    --------
    >>> import fnx.numpy as jnp
    >>> from fnx import lax
    >>> lax.broadcast(jnp.arange(2), (3,)).shape
    (3, 2)
    """
    x = as_value(operand, "broadcast", "operand")
    count = len(sizes)
    return broadcast_in_dim(x, (*sizes, *x.shape), tuple(range(count, count + x.ndim)))


def broadcast_like(arr: Any, like_arr: Any) -> Any:
    """An array in the shape of another one, by NumPy's rules.

    Parameters
    ----------
    arr, like_arr : Array
        The first one's extents are those of the second one or 1, counted from the last axis.
    """
    x = as_value(arr, "broadcast_like", "arr")
    shape = as_value(like_arr, "broadcast_like", "like_arr").shape
    if broadcast_shapes(x.shape, shape) != shape:
        raise ShapeError(f"broadcast_like: {x.aval!r} can't be broadcast to the shape {shape}.")
    start = len(shape) - x.ndim
    return broadcast_in_dim(x, shape, tuple(range(start, len(shape))))


def broadcast_shapes(*shapes: Sequence[int]) -> tuple[int, ...]:
    """The shape that several shapes give together, by NumPy's rules.

    Parameters
    ----------
    *shapes : sequence of int
        Extents of one axis are equal or 1, counted from the last axis.

    Raises
    ------
    ShapeError
        Two extents differ.

    Examples
    --------
    >>> from fnx import lax
    >>> lax.broadcast_shapes((3, 1), (4,))
    (3, 4)
    """
    try:
        return tuple(np.broadcast_shapes(*[tuple(s) for s in shapes]))
    except ValueError:
        raise ShapeError(
            f"broadcast_shapes: the shapes {', '.join(str(tuple(s)) for s in shapes)} don't fit. "
            "Extents of one axis must be equal or 1, counted from the last axis."
        ) from None


@structural("x")
def broadcast_to_rank(x: Any, rank: int) -> Any:
    """The same array with as many leading axes of extent 1 as a rank wants.

    Parameters
    ----------
    x : Array
        Any.
    rank : int
        At least ``x.ndim``.
    """
    value = as_value(x, "broadcast_to_rank", "x")
    if rank < value.ndim:
        raise ArgumentValueError(
            f"broadcast_to_rank: {value.aval!r} has more axes than rank={rank}."
        )
    return reshape(value, (1,) * (rank - value.ndim) + value.shape)


@structural("operand")
def collapse(operand: Any, start_dimension: int, stop_dimension: int | None = None) -> Any:
    """Several neighbouring axes as one.

    Parameters
    ----------
    operand : Array
        Any.
    start_dimension, stop_dimension : int
        The first axis, and the one after the last (by default the end).

    Examples
    --------
    >>> import fnx.numpy as jnp
    >>> from fnx import lax
    >>> lax.collapse(jnp.zeros((2, 3, 4)), 1).shape
    (2, 12)
    """
    x = as_value(operand, "collapse", "operand")
    start, stop, _ = slice(start_dimension, stop_dimension).indices(x.ndim)
    if stop < start:
        raise ArgumentValueError(
            f"collapse: axes {start_dimension} to {stop_dimension} of {x.aval!r} are not a range."
        )
    joined = math.prod(x.shape[start:stop])
    return reshape(x, (*x.shape[:start], joined, *x.shape[stop:]))


def empty(shape: Sequence[int], dtype: Any) -> Any:
    """An array whose contents don't matter: zeros.

    Parameters
    ----------
    shape : sequence of int
        The extents.
    dtype : dtype
        The element type.
    """
    return full(shape, 0, dtype)


@structural("fill_value")
def full(shape: Sequence[int], fill_value: Any, dtype: Any = None, *, sharding: Any = None) -> Any:
    """An array of one value.

    Parameters
    ----------
    shape : sequence of int
        The extents.
    fill_value : scalar
        The value.
    dtype : dtype, optional
        Of the result; that of the value by default, weak if that's a Python number.
    sharding : Device, optional
        The CPU.

    Examples
    --------
    >>> from fnx import lax
    >>> lax.full((2,), 7.)
    Array([7., 7.], dtype=float32, weak_type=True)
    """
    checked_device("full", sharding)
    value = as_value(fill_value, "full", "fill_value")
    if value.ndim:
        raise ShapeError(f"full: fill_value must be a scalar, got {value.aval!r}.")
    if dtype is not None:
        value = convert_element_type(value, dtype)
    return broadcast_in_dim(value, tuple(shape), ()) if len(shape) else value


@structural("x", "fill_value")
def full_like(
    x: Any,
    fill_value: Any,
    dtype: Any = None,
    shape: Sequence[int] | None = None,
    sharding: Any = None,
) -> Any:
    """An array of one value, with the shape and dtype of another one.

    Parameters
    ----------
    x : Array, or what has shape and dtype
        The other one.
    fill_value : scalar
        The value.
    dtype, shape : optional
        In place of those of `x`.
    sharding : Device, optional
        The CPU.
    """
    checked_device("full_like", sharding)
    if dtype is None or shape is None:
        x = x if hasattr(x, "shape") and hasattr(x, "dtype") else as_value(x, "full_like", "x")
    chosen = x.dtype if dtype is None else dtype
    extents = x.shape if shape is None else shape
    value = as_value(fill_value, "full_like", "fill_value")
    return broadcast_in_dim(convert_element_type(value, chosen), tuple(extents), ())


@structural("src")
def index_take(src: Any, idxs: Sequence[Any], axes: Sequence[int]) -> Any:
    """Slices of an array at positions along some of its axes.

    Parameters
    ----------
    src : Array
        Any dtype.
    idxs : sequence of Array
        For each of the axes the positions, of one axis and one length; modulo the size of the axis.
    axes : sequence of int
        Which axes, none twice, not negative.

    Returns
    -------
    Array
        The slices along a new first axis.

    Examples
    --------
    >>> import fnx.numpy as jnp
    >>> from fnx import lax
    >>> lax.index_take(jnp.array([[1, 2], [3, 4]]), (jnp.array([0, -1]), jnp.array([1, 0])), (0, 1))
    Array([2, 3], dtype=int32)
    """
    x = as_value(src, "index_take", "src")
    columns = []
    for k, (given, axis) in enumerate(zip(idxs, axes, strict=True)):
        places = as_value(given, "index_take", f"idxs[{k}]")
        size = full(places.shape, x.shape[axis], places.dtype)
        rest = rem(places, size)
        inside = select(lt(rest, full_like(rest, 0)), add(rest, size), rest)
        columns.append(reshape(inside, (*places.shape, 1)))
    sizes = [1 if k in axes else n for k, n in enumerate(x.shape)]
    numbers = GatherDimensionNumbers(
        offset_dims=tuple(range(1, x.ndim - len(axes) + 1)),
        collapsed_slice_dims=tuple(axes),
        start_index_map=tuple(axes),
    )
    return gather(x, concatenate(columns, 1), numbers, sizes, mode="promise_in_bounds")


def reduce_window_shape_tuple(
    operand_shape: Sequence[int],
    window_dimensions: Sequence[int],
    window_strides: Sequence[int],
    padding: Any,
    base_dilation: Sequence[int] | None = None,
    window_dilation: Sequence[int] | None = None,
) -> tuple[int, ...]:
    """The shape that `reduce_window` gives.

    Parameters
    ----------
    operand_shape, window_dimensions, window_strides : sequence of int
        As for `reduce_window`.
    padding : str or sequence of pairs of int
        As for `reduce_window`.
    base_dilation, window_dilation : sequence of int, optional
        As for `reduce_window`.
    """
    ones = (1,) * len(operand_shape)
    base, spacing = tuple(base_dilation or ones), tuple(window_dilation or ones)
    window = tuple(window_dimensions)
    if isinstance(padding, str):
        extents = [(n - 1) * d + 1 if n else 0 for n, d in zip(operand_shape, base)]
        spans = [(k - 1) * d + 1 for k, d in zip(window, spacing)]
        padding = padtype_to_pads(extents, spans, window_strides, padding)
    pads = tuple([(int(low), int(high)) for low, high in padding])
    return window_extents(tuple(operand_shape), window, tuple(window_strides), pads, base, spacing)


def sort_key_val(
    keys: Any, values: Any, dimension: int = -1, is_stable: bool = True
) -> tuple[Any, Any]:
    """Sort keys, and values along with them.

    Parameters
    ----------
    keys, values : Array
        Of one shape.
    dimension : int
        The axis.
    is_stable : bool
        Whether equal keys keep their order.

    Examples
    --------
    >>> import fnx.numpy as jnp
    >>> from fnx import lax
    >>> lax.sort_key_val(jnp.array([2, 1]), jnp.array([5., 6.]))[1]
    Array([6., 5.], dtype=float32)
    """
    first, second = sort((keys, values), dimension, is_stable, num_keys=1)
    return first, second


@structural("operands")
def stack(operands: Sequence[Any], axis: int = 0) -> Any:
    """Arrays of one shape along a new axis.

    Parameters
    ----------
    operands : sequence of Array
        At least one.
    axis : int
        Where the new axis is in the result.
    """
    values = [as_value(x, "stack", f"operand {k}") for k, x in enumerate(operands)]
    if not values:
        raise ArgumentValueError("stack: there are no operands. Give at least one array.")
    for k, value in enumerate(values):
        if value.shape != values[0].shape:
            raise ShapeError(
                f"stack: operand 0 is {values[0].aval!r}, operand {k} is {value.aval!r}; they must "
                "have one shape."
            )
    place = normalized_axis("stack", axis, values[0].ndim + 1)
    shape = values[0].shape
    parts = [reshape(x, (*shape[:place], 1, *shape[place:])) for x in values]
    return concatenate(parts, place)


@structural("operand")
def tile(operand: Any, reps: Sequence[int]) -> Any:
    """The array several times one after the other, along each axis.

    Parameters
    ----------
    operand : Array
        Any.
    reps : sequence of int
        How often, for each axis.

    Examples
    --------
    >>> import fnx.numpy as jnp
    >>> from fnx import lax
    >>> lax.tile(jnp.arange(2), (2,))
    Array([0, 1, 0, 1], dtype=int32)
    """
    x = as_value(operand, "tile", "operand")
    if len(reps) != x.ndim:
        raise ArgumentValueError(
            f"tile: reps={tuple(reps)} must have one entry per axis of {x.aval!r}."
        )
    spread: list[int] = []
    for count, extent in zip(reps, x.shape):
        spread += (int(count), extent)
    wide = broadcast_in_dim(x, tuple(spread), tuple(range(1, 2 * x.ndim, 2)))
    return reshape(wide, tuple(int(count) * n for count, n in zip(reps, x.shape)))


@structural("x")
def unstack(x: Any, axis: int = 0) -> tuple[Any, ...]:
    """The arrays along an axis, without it.

    Parameters
    ----------
    x : Array
        Of at least one axis.
    axis : int
        Which one.
    """
    value = as_value(x, "unstack", "x")
    place = normalized_axis("unstack", axis, value.ndim)
    return tuple(index_in_dim(value, k, place, keepdims=False) for k in range(value.shape[place]))
