"""Arrays in other shapes: reshape, move axes, join, split, repeat.  Read next: `indexing`."""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from fnx.core.tracing import Tracer
from fnx.errors import ShapeError, user_frame
from fnx.numpy.promotion import as_arrays, broadcast_to, promote_dtypes
from fnx.primitives import shaping
from fnx.primitives.joining import concatenate as concatenate_
from fnx.primitives.slicing import slice as slice_

__all__ = [
    "append", "array_split", "atleast_1d", "atleast_2d", "atleast_3d", "concat", "concatenate", "expand_dims", "flip",
    "fliplr", "flipud", "hstack", "matrix_transpose", "moveaxis", "permute_dims", "ravel", "repeat", "reshape", "roll",
    "rollaxis", "split", "squeeze", "stack", "swapaxes", "tile", "transpose", "unstack", "vstack",
]  # fmt: skip


def normal_axis(operation: str, axis: Any, ndim: int) -> int:
    """An axis counted from the front.

    Raises
    ------
    ValueError
        There's no such axis (NumPy's AxisError).
    """
    n = operator.index(axis)
    if not -ndim <= n < ndim:
        raise np.exceptions.AxisError(
            f"{operation}: axis {n} is out of bounds for an array of {ndim} axes (at {user_frame()})."
        )
    return n % ndim


def normal_axes(operation: str, axis: Any, ndim: int) -> tuple[int, ...]:
    """Axes counted from the front; None is all of them."""
    if axis is None:
        return tuple(range(ndim))
    axes = (axis,) if not isinstance(axis, (tuple, list)) else axis
    found = tuple([normal_axis(operation, a, ndim) for a in axes])
    if len(set(found)) != len(found):
        raise ValueError(f"{operation}: axis {axis} names an axis twice.")
    return found


def reshape(a: Any, shape: Any = None, order: str = "C", **options: Any) -> Any:
    """The same elements in another shape.

    Parameters
    ----------
    a : array-like
        The operand.
    shape : int or sequence of int
        The extents; one of them may be -1 and is then computed.
    order : {"C", "F"}
        The order in which elements are read and placed.
    **options
        ``copy``: accepted.

    Examples
    --------
    >>> import fnx.numpy as jnp
    >>> reshape(jnp.arange(4), (2, -1))
    Array([[0, 1],
           [2, 3]], dtype=int32)
    """
    (x,) = as_arrays("reshape", a)
    sizes = [shape] if isinstance(shape, (int, np.integer)) else list(shape)
    for n in sizes:
        if isinstance(n, Tracer) and n.concrete() is None:
            raise TypeError(
                f"reshape: shapes must be known, but {shape} holds a traced {n.aval!r}. "
                "Take sizes from x.shape, or mark the argument with static_argnums."
            )
    sizes = [operator.index(n) for n in sizes]
    if sizes.count(-1) > 1:
        raise ValueError(f"reshape: at most one size may be -1, got {tuple(sizes)}.")
    if -1 in sizes:
        known = -math.prod(sizes)
        sizes[sizes.index(-1)] = x.size // known if known else 0
    if math.prod(sizes) != x.size or any(n < 0 for n in sizes):
        raise ShapeError(
            f"reshape: {x.aval!r} has {x.size} elements, which don't fit shape {shape} (at {user_frame()})."
        )
    if order == "F":
        reversed_axes = tuple(reversed(range(x.ndim)))
        y = shaping.reshape(shaping.transpose(x, reversed_axes), tuple(reversed(sizes)))
        return shaping.transpose(y, tuple(reversed(range(y.ndim))))
    if order not in ("C", "A"):
        raise NotImplementedError(f"reshape: order={order!r} is not supported; use 'C' or 'F'.")
    return shaping.reshape(x, tuple(sizes))


def ravel(a: Any, order: str = "C", **options: Any) -> Any:
    """All elements along one axis.

    Parameters
    ----------
    a : array-like
        The operand.
    order : {"C", "F"}
        The order in which elements are read.
    **options
        ``out_sharding``: accepted.
    """
    return reshape(a, -1, order)


def transpose(a: Any, axes: Any = None) -> Any:
    """The axes in another order, reversed by default.

    Parameters
    ----------
    a : array-like
        The operand.
    axes : sequence of int, optional
        For each axis of the result, the operand's.
    """
    (x,) = as_arrays("transpose", a)
    if axes is None:
        return shaping.transpose(x, tuple(reversed(range(x.ndim))))
    order = tuple([normal_axis("transpose", k, x.ndim) for k in axes])
    if sorted(order) != list(range(x.ndim)):
        raise ValueError(
            f"transpose: axes {tuple(axes)} aren't a permutation of the axes of {x.aval!r}."
        )
    return shaping.transpose(x, order)


permute_dims = transpose


def matrix_transpose(x: Any, /) -> Any:
    """The last two axes exchanged.

    Parameters
    ----------
    x : array-like
        With at least two axes.
    """
    (value,) = as_arrays("matrix_transpose", x)
    if value.ndim < 2:
        raise ValueError(f"matrix_transpose: {value.aval!r} has fewer than two axes.")
    return swapaxes(value, -1, -2)


def moveaxis(a: Any, source: Any, destination: Any) -> Any:
    """Axes moved to other places; the others keep their order.

    Parameters
    ----------
    a : array-like
        The operand.
    source, destination : int or sequence of int
        From where to where.
    """
    (x,) = as_arrays("moveaxis", a)
    from_ = normal_axes("moveaxis", source, x.ndim)
    to = normal_axes("moveaxis", destination, x.ndim)
    if len(from_) != len(to):
        raise ValueError(
            f"moveaxis: source {source} and destination {destination} must be of one length."
        )
    order = [k for k in range(x.ndim) if k not in from_]
    for place, axis in sorted(zip(to, from_, strict=True)):
        order.insert(place, axis)
    return shaping.transpose(x, tuple(order))


def rollaxis(a: Any, axis: int, start: int = 0) -> Any:
    """An axis moved before another one.

    Parameters
    ----------
    a : array-like
        The operand.
    axis, start : int
        The axis, and the one before which it goes.
    """
    (x,) = as_arrays("rollaxis", a)
    axis = normal_axis("rollaxis", axis, x.ndim)
    start = start + x.ndim if start < 0 else start
    return moveaxis(x, axis, start - 1 if axis < start else start)


def swapaxes(a: Any, axis1: int, axis2: int) -> Any:
    """Two axes exchanged.

    Parameters
    ----------
    a : array-like
        The operand.
    axis1, axis2 : int
        The axes.
    """
    (x,) = as_arrays("swapaxes", a)
    order = list(range(x.ndim))
    i, j = normal_axis("swapaxes", axis1, x.ndim), normal_axis("swapaxes", axis2, x.ndim)
    order[i], order[j] = order[j], order[i]
    return shaping.transpose(x, tuple(order))


def expand_dims(a: Any, axis: Any) -> Any:
    """New axes of size 1.

    Parameters
    ----------
    a : array-like
        The operand.
    axis : int or sequence of int
        Their places in the result.
    """
    (x,) = as_arrays("expand_dims", a)
    count = len(axis) if isinstance(axis, (tuple, list)) else 1
    places = normal_axes("expand_dims", axis, x.ndim + count)
    return shaping.expand_dims(x, places)


def squeeze(a: Any, axis: Any = None) -> Any:
    """Axes of size 1 removed.

    Parameters
    ----------
    a : array-like
        The operand.
    axis : int or sequence of int, optional
        Which; all of them by default.
    """
    (x,) = as_arrays("squeeze", a)
    if axis is None:
        axes = tuple([k for k, n in enumerate(x.shape) if n == 1])
    else:
        axes = normal_axes("squeeze", axis, x.ndim)
    for k in axes:
        if x.shape[k] != 1:
            raise ValueError(f"squeeze: axis {k} of {x.aval!r} has size {x.shape[k]}, not 1.")
    return shaping.reshape(x, tuple([n for k, n in enumerate(x.shape) if k not in axes]))


def concatenate(arrays: Any, axis: int | None = 0, dtype: Any = None) -> Any:
    """Arrays one after the other along an axis.

    Parameters
    ----------
    arrays : sequence of array-like
        Of equal shapes but for that axis; promoted.
    axis : int or None
        The axis; None joins all elements.
    dtype : dtype, optional
        Of the result.

    Examples
    --------
    >>> import fnx.numpy as jnp
    >>> concatenate([jnp.arange(2), jnp.zeros(1)])
    Array([0., 1., 0.], dtype=float32)
    """
    xs = promote_dtypes("concatenate", *_sequence("concatenate", arrays))
    if dtype is not None:
        xs = [x.astype(dtype) for x in xs]
    if axis is None:
        xs, axis = [ravel(x) for x in xs], 0
    if xs[0].ndim == 0:
        raise ValueError("concatenate: arrays without axes can't be concatenated. Use stack.")
    place = normal_axis("concatenate", axis, xs[0].ndim)
    first = xs[0]
    for k, x in enumerate(xs):
        if x.ndim != first.ndim or any(
            a != b for j, (a, b) in enumerate(zip(x.shape, first.shape, strict=True)) if j != place
        ):
            raise ShapeError(
                f"concatenate: shapes must agree but for axis {place}; argument 0 is {first.aval!r}, "
                f"argument {k} is {x.aval!r} (at {user_frame()})."
            )
    return concatenate_(xs, place) if len(xs) > 1 else first


concat = concatenate


def _sequence(operation: str, arrays: Any) -> list[Any]:
    if hasattr(arrays, "shape"):
        (x,) = as_arrays(operation, arrays)
        return unstack(x)
    from fnx.numpy.creation import asarray

    found = [a if type(a) in (bool, int, float, complex) else asarray(a) for a in arrays]
    if not found:
        raise ValueError(f"{operation}: needs at least one array.")
    return found


def stack(arrays: Any, axis: int = 0, out: None = None, dtype: Any = None) -> Any:
    """Arrays of one shape along a new axis.

    Parameters
    ----------
    arrays : sequence of array-like
        Of one shape; promoted.
    axis : int
        The new axis in the result.
    out : None
        Arrays are immutable.
    dtype : dtype, optional
        Of the result.

    Examples
    --------
    >>> stack([1., 2.])
    Array([1., 2.], dtype=float32)
    """
    if out is not None:
        raise NotImplementedError("stack: arrays are immutable, so out= must be None.")
    xs = promote_dtypes("stack", *_sequence("stack", arrays))
    for k, x in enumerate(xs):
        if x.shape != xs[0].shape:
            raise ShapeError(
                f"stack: shapes must be equal; argument 0 is {xs[0].aval!r}, argument {k} is {x.aval!r}."
            )
    place = normal_axis("stack", axis, xs[0].ndim + 1)
    joined = concatenate([shaping.expand_dims(x, (place,)) for x in xs], place, dtype)
    return joined.astype(joined.dtype)


def vstack(tup: Any, dtype: Any = None) -> Any:
    """Arrays one below the other.

    Parameters
    ----------
    tup : sequence of array-like
        The arrays.
    dtype : dtype, optional
        Of the result.
    """
    return concatenate([atleast_2d(x) for x in tup], 0, dtype)


def hstack(tup: Any, dtype: Any = None) -> Any:
    """Arrays side by side.

    Parameters
    ----------
    tup : sequence of array-like
        The arrays.
    dtype : dtype, optional
        Of the result.
    """
    xs = [atleast_1d(x) for x in tup]
    return concatenate(xs, 0 if xs[0].ndim == 1 else 1, dtype)


def append(arr: Any, values: Any, axis: int | None = None) -> Any:
    """An array with values behind it.

    Parameters
    ----------
    arr, values : array-like
        The parts.
    axis : int, optional
        Along which axis; None joins all elements.
    """
    return concatenate([arr, values], axis)


def unstack(x: Any, /, *, axis: int = 0) -> list[Any]:
    """The parts along an axis, without it.

    Parameters
    ----------
    x : array-like
        The operand.
    axis : int
        The axis.
    """
    (value,) = as_arrays("unstack", x)
    place = normal_axis("unstack", axis, value.ndim)
    return (
        [squeeze(part, place) for part in split(value, max(value.shape[place], 1), place)]
        if value.shape[place]
        else []
    )


def split(ary: Any, indices_or_sections: Any, axis: int = 0) -> list[Any]:
    """An array cut into parts along an axis.

    Parameters
    ----------
    ary : array-like
        The operand.
    indices_or_sections : int or sequence of int
        A number of equal parts, or the places of the cuts.
    axis : int
        The axis.
    """
    return _split("split", ary, indices_or_sections, axis, exact=True)


def array_split(ary: Any, indices_or_sections: Any, axis: int = 0) -> list[Any]:
    """An array cut into nearly equal parts along an axis.

    Parameters
    ----------
    ary : array-like
        The operand.
    indices_or_sections : int or sequence of int
        A number of parts, or the places of the cuts.
    axis : int
        The axis.
    """
    return _split("array_split", ary, indices_or_sections, axis, exact=False)


def _split(name: str, ary: Any, sections: Any, axis: int, exact: bool) -> list[Any]:
    (x,) = as_arrays(name, ary)
    place = normal_axis(name, axis, x.ndim)
    size = x.shape[place]
    if isinstance(sections, (int, np.integer)):
        if exact and size % sections:
            raise ValueError(
                f"{name}: axis {place} of {x.aval!r} can't be cut into {sections} equal parts."
            )
        each, more = divmod(size, sections)
        ends = np.cumsum([0] + [each + 1] * more + [each] * (sections - more))
    else:
        ends = np.array([0, *[min(max(k + size if k < 0 else k, 0), size) for k in sections], size])
    parts = []
    for start, stop in zip(ends[:-1], ends[1:], strict=True):
        low, high = [0] * x.ndim, list(x.shape)
        low[place], high[place] = int(start), max(int(start), int(stop))
        parts.append(slice_(x, low, high))
    return parts


def flip(m: Any, axis: Any = None) -> Any:
    """The elements in opposite order along axes.

    Parameters
    ----------
    m : array-like
        The operand.
    axis : int or sequence of int, optional
        Which; all by default.
    """
    (x,) = as_arrays("flip", m)
    return shaping.rev(x, normal_axes("flip", axis, x.ndim))


def flipud(m: Any) -> Any:
    """Rows in opposite order.

    Parameters
    ----------
    m : array-like
        The operand.
    """
    return flip(m, 0)


def fliplr(m: Any) -> Any:
    """Columns in opposite order.

    Parameters
    ----------
    m : array-like
        The operand.
    """
    return flip(m, 1)


def roll(a: Any, shift: Any, axis: Any = None) -> Any:
    """Elements moved along axes; those that leave come in at the other end.

    Parameters
    ----------
    a : array-like
        The operand.
    shift : int or sequence of int
        By how many places.
    axis : int or sequence of int, optional
        Along which axes; by default over all elements.
    """
    (x,) = as_arrays("roll", a)
    if axis is None:
        return reshape(roll(ravel(x), shift, 0), x.shape)
    axes = normal_axes("roll", axis, x.ndim)
    shifts = [shift] * len(axes) if isinstance(shift, (int, np.integer)) else list(shift)
    for s, k in zip(shifts, axes, strict=True):
        n = x.shape[k]
        cut = (n - int(s)) % n if n else 0
        if cut:
            first, second = split(x, [cut], k)
            x = concatenate([second, first], k)
    return x


def tile(A: Any, reps: Any) -> Any:
    """An array repeated as a whole.

    Parameters
    ----------
    A : array-like
        The operand.
    reps : int or sequence of int
        How often along each axis.
    """
    (x,) = as_arrays("tile", A)
    counts = (reps,) if isinstance(reps, (int, np.integer)) else tuple(reps)
    rank = max(len(counts), x.ndim)
    counts = (1,) * (rank - len(counts)) + tuple(counts)
    shape = (1,) * (rank - x.ndim) + x.shape
    pairs = [n for c, s in zip(counts, shape, strict=True) for n in (c, s)]
    spread = [n for s in shape for n in (1, s)]
    x = broadcast_to(shaping.reshape(x, tuple(spread)), tuple(pairs))
    return shaping.reshape(x, tuple([c * s for c, s in zip(counts, shape, strict=True)]))


def repeat(
    a: Any, repeats: Any, axis: int | None = None, total_repeat_length: int | None = None
) -> Any:
    """Each element repeated.

    Parameters
    ----------
    a : array-like
        The operand.
    repeats : int or sequence of int
        How often, for all or one by one.
    axis : int, optional
        Along which axis; by default over all elements.
    total_repeat_length : int, optional
        The length of the result.
    """
    (x,) = as_arrays("repeat", a)
    if axis is None:
        x, axis = ravel(x), 0
    place = normal_axis("repeat", axis, x.ndim)
    if isinstance(repeats, (int, np.integer)) and total_repeat_length is None:
        y = shaping.new_axis(x, place + 1, int(repeats))
        shape = (*x.shape[:place], x.shape[place] * int(repeats), *x.shape[place + 1 :])
        return shaping.reshape(y, shape)
    counts = np.broadcast_to(np.asarray(repeats), (x.shape[place],))
    index = np.repeat(np.arange(x.shape[place]), counts)
    if total_repeat_length is not None:
        index = np.pad(index, (0, max(total_repeat_length - index.size, 0)), mode="edge")[
            :total_repeat_length
        ]
    from fnx.numpy.indexing import take

    return take(x, index.astype(np.int32), place)


def atleast_1d(*arys: Any) -> Any:
    """Arrays with at least one axis.

    Parameters
    ----------
    *arys : array-like
        The operands.
    """
    return _at_least("atleast_1d", arys, lambda x: x if x.ndim >= 1 else shaping.reshape(x, (1,)))


def atleast_2d(*arys: Any) -> Any:
    """Arrays with at least two axes, new ones in front.

    Parameters
    ----------
    *arys : array-like
        The operands.
    """
    return _at_least(
        "atleast_2d",
        arys,
        lambda x: x if x.ndim >= 2 else shaping.reshape(x, (1,) * (2 - x.ndim) + x.shape),
    )


def atleast_3d(*arys: Any) -> Any:
    """Arrays with at least three axes, as NumPy places them.

    Parameters
    ----------
    *arys : array-like
        The operands.
    """

    def widen(x: Any) -> Any:
        if x.ndim >= 3:
            return x
        shape = {0: (1, 1, 1), 1: (1, *x.shape, 1), 2: (*x.shape, 1)}[x.ndim]
        return shaping.reshape(x, shape)

    return _at_least("atleast_3d", arys, widen)


def _at_least(name: str, arys: Sequence[Any], widen: Any) -> Any:
    found = [
        widen(_sequence(name, [a])[0] if isinstance(a, (list, tuple)) else as_arrays(name, a)[0])
        for a in arys
    ]
    return found[0] if len(found) == 1 else found
