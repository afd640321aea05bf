"""Arrays joined, split, rolled and repeated.  Read next: `products`."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np

from fnx.core.tracing import Tracer
from fnx.errors import ArgumentValueError, ConcretizationTypeError, ShapeError, UnsupportedError
from fnx.numpy.creation import asarray
from fnx.numpy.indexing import take
from fnx.numpy.manipulation import normal_axis, ravel, reshape, squeeze
from fnx.numpy.promotion import as_arrays, broadcast_to, promote_dtypes
from fnx.primitives import shaping
from fnx.primitives.joining import concatenate as concatenate_
from fnx.primitives.slicing import slice as slice_
from fnx.transforms.structural import structural

__all__ = [
    "append", "array_split", "atleast_1d", "atleast_2d", "atleast_3d", "concat", "concatenate",
    "hstack", "repeat", "roll", "split", "stack", "tile", "unstack", "vstack",
]  # fmt: skip


@structural("arrays")
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
        raise ArgumentValueError(
            "concatenate: arrays without axes can't be concatenated. Use stack."
        )
    place = normal_axis("concatenate", axis, xs[0].ndim)
    first = xs[0]
    for k, x in enumerate(xs):
        if x.ndim != first.ndim or any(
            a != b for j, (a, b) in enumerate(zip(x.shape, first.shape, strict=True)) if j != place
        ):
            raise ShapeError(
                f"concatenate: shapes must agree but for axis {place}; argument 0 is "
                f"{first.aval!r}, argument {k} is {x.aval!r}. Slice, pad or reshape one of them."
            )
    return concatenate_(xs, place) if len(xs) > 1 else first


concat = concatenate


def _sequence(operation: str, arrays: Any) -> list[Any]:
    if hasattr(arrays, "shape"):
        (x,) = as_arrays(operation, arrays)
        return list(unstack(x))
    found = [a if type(a) in (bool, int, float, complex) else asarray(a) for a in arrays]
    if not found:
        raise ArgumentValueError(f"{operation}: needs at least one array.")
    return found


@structural("arrays")
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
    Array([1., 2.], dtype=float32, weak_type=True)
    """
    if out is not None:
        raise UnsupportedError("stack: arrays are immutable, so out= must be None.")
    xs = promote_dtypes("stack", *_sequence("stack", arrays))
    for k, x in enumerate(xs):
        if x.shape != xs[0].shape:
            raise ShapeError(
                f"stack: shapes must be equal; argument 0 is {xs[0].aval!r}, argument {k} is "
                f"{x.aval!r}. Give arrays of one shape, or use concatenate."
            )
    place = normal_axis("stack", axis, xs[0].ndim + 1)
    return concatenate([shaping.expand_dims(x, (place,)) for x in xs], place, dtype)


@structural("tup")
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


@structural("tup")
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


@structural("arr", "values")
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


@structural("x")
def unstack(x: Any, /, *, axis: int = 0) -> tuple[Any, ...]:
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
    count = value.shape[place]
    return tuple([squeeze(part, place) for part in split(value, count, place)]) if count else ()


@structural("ary")
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


@structural("ary")
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
            raise ArgumentValueError(
                f"{name}: axis {place} of {x.aval!r} can't be cut into {sections} equal parts. "
                "array_split gives parts of unequal size."
            )
        each, more = divmod(size, sections)
        ends = np.cumsum([0] + [each + 1] * more + [each] * (sections - more))
    else:
        ends = np.array([0, *[min(max(k + size if k < 0 else k, 0), size) for k in sections], size])
    parts = []
    for start, stop in itertools.pairwise(ends):
        low, high = [0] * x.ndim, list(x.shape)
        low[place], high[place] = int(start), max(int(start), int(stop))
        parts.append(slice_(x, low, high))
    return parts


@structural("a")
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
    for s, k in np.broadcast(shift, axis):  # an axis may come several times
        place = normal_axis("roll", k, x.ndim)
        n = x.shape[place]
        cut = (n - int(s)) % n if n else 0
        if cut:
            first, second = split(x, [cut], place)
            x = concatenate([second, first], place)
    return x


@structural("A")
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


@structural("a")
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
    if isinstance(repeats, Tracer) and repeats.concrete() is None:
        raise ConcretizationTypeError(
            f"repeat: repeats is a traced {repeats.aval!r}, and its sum decides the shape. Mark "
            "the argument with static_argnums, or take elements by computed indices, x[i]."
        )
    widths = np.asarray(repeats)
    widths = widths.astype(np.int64) if widths.dtype.kind == "u" else widths
    counts = np.broadcast_to(widths, (x.shape[place],))
    index = np.repeat(np.arange(x.shape[place]), counts)
    if total_repeat_length is not None:
        index = np.pad(index, (0, max(total_repeat_length - index.size, 0)), mode="edge")[
            :total_repeat_length
        ]
    return take(x, index.astype(np.int32), place)


@structural("arys")
def atleast_1d(*arys: Any) -> Any:
    """Arrays with at least one axis.

    Parameters
    ----------
    *arys : array-like
        The operands.
    """
    return _at_least("atleast_1d", arys, lambda x: x if x.ndim >= 1 else shaping.reshape(x, (1,)))


@structural("arys")
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


@structural("arys")
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
