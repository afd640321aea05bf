"""Arrays with a border: `pad`.  Read next: `editing`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from fnx.errors import ArgumentTypeError, ArgumentValueError, UnsupportedError
from fnx.numpy import reductions
from fnx.numpy.creation import linspace
from fnx.numpy.elementwise import round
from fnx.numpy.indexing import take
from fnx.numpy.joining import concatenate
from fnx.numpy.manipulation import flip, moveaxis
from fnx.numpy.promotion import as_arrays, broadcast_to
from fnx.numpy.sorting import median
from fnx.numpy.ufuncs import floor, where
from fnx.primitives.slicing import pad as pad_
from fnx.transforms.vmap import vmap

__all__ = ["pad"]

Widths = list[tuple[int, int]]
#: The keywords of each mode, with what they are if they are left out.
_KEYWORDS: dict[str, dict[str, Any]] = {
    "constant": {"constant_values": 0},
    "edge": {},
    "empty": {},
    "linear_ramp": {"end_values": 0},
    "maximum": {"stat_length": None},
    "mean": {"stat_length": None},
    "median": {"stat_length": None},
    "minimum": {"stat_length": None},
    "reflect": {"reflect_type": "even"},
    "symmetric": {"reflect_type": "even"},
    "wrap": {},
}


def _pairs(name: str, value: Any, rank: int) -> list[tuple[Any, Any]]:
    """A pair for each axis, from a number, a pair, or a pair for each axis (or a dict of axes)."""
    if isinstance(value, dict):
        pairs: list[tuple[Any, Any]] = [(0, 0)] * rank
        for axis, given in value.items():
            if not -rank <= axis < rank:
                raise ArgumentValueError(f"pad: {name} names axis {axis} of {rank} axes.")
            pairs[axis] = (given, given) if np.ndim(given) == 0 else tuple(given)
        return pairs
    if hasattr(value, "shape") and not isinstance(value, (np.ndarray, np.generic)):
        table = broadcast_to(value, (rank, 2))
        return [(table[k, 0], table[k, 1]) for k in range(rank)]
    if isinstance(value, (list, tuple)) and any(hasattr(v, "aval") for v in value):
        before, after = value if len(value) == 2 else value * 2
        return [(before, after)] * rank
    try:
        table = np.broadcast_to(np.asarray(value, dtype=object), (rank, 2))
    except ValueError:
        raise ArgumentValueError(
            f"pad: {name}={value!r} doesn't fit {rank} axes. Pass a number, a pair, or a pair for "
            "each axis."
        ) from None
    return [(before, after) for before, after in table.tolist()]


def _widths(value: Any, rank: int) -> Widths:
    pairs = _pairs("pad_width", value, rank)
    widths: Widths = []
    for pair in pairs:
        for n in pair:
            if not isinstance(n, (int, np.integer)) or isinstance(n, bool):
                raise ArgumentTypeError(f"pad: pad_width must hold integers, got {n!r}.")
            if n < 0:
                raise ArgumentValueError(f"pad: pad_width must not be negative, got {n}.")
        widths.append((int(pair[0]), int(pair[1])))
    return widths


def pad(array: Any, pad_width: Any, mode: Any = "constant", **kwargs: Any) -> Any:
    """The array with a border around it.

    Parameters
    ----------
    array : array-like
        The operand.
    pad_width : int, pair of int, pair for each axis, or dict from axes to these
        How many elements before and after.
    mode : str or callable
        What stands in the border: "constant", "edge", "empty" (zeros), "linear_ramp", "maximum",
        "mean", "median", "minimum", "reflect", "symmetric" or "wrap", as in NumPy; or a function
        of (vector, pad_width, axis, kwargs) that gives each padded vector.
    **kwargs
        ``constant_values``, ``end_values``, ``stat_length``, ``reflect_type``, by mode.

    Examples
    --------
    >>> import fnx.numpy as jnp
    >>> pad(jnp.array([1, 2, 3]), (1, 2), mode="reflect")
    Array([2, 1, 2, 3, 2, 1], dtype=int32)
    """
    (x,) = as_arrays("pad", array)
    widths = _widths(pad_width, x.ndim)
    if callable(mode):
        return _by_function(x, widths, mode, kwargs)
    if mode not in _KEYWORDS:
        raise UnsupportedError(
            f"pad: mode is {mode!r}. Pass one of {', '.join(map(repr, _KEYWORDS))}."
        )
    unknown = [name for name in kwargs if name not in _KEYWORDS[mode]]
    if unknown:
        raise ArgumentValueError(
            f"pad: mode {mode!r} takes no {', '.join(map(repr, unknown))}. "
            f"It takes {', '.join(map(repr, _KEYWORDS[mode])) or 'no keyword'}."
        )
    options = _KEYWORDS[mode] | kwargs
    if mode in ("constant", "empty"):
        return _constant(x, widths, options.get("constant_values", 0))
    for axis, width in enumerate(widths):
        if width == (0, 0):
            continue
        if not x.shape[axis]:
            raise ArgumentValueError(
                f"pad: axis {axis} of {x.aval!r} is empty, so mode {mode!r} has nothing to repeat."
            )
        x = _BORDERS[mode](x, axis, width, options)
    return x


def _constant(x: Any, widths: Widths, value: Any) -> Any:
    pairs = _pairs("constant_values", value, x.ndim)
    first = pairs[0][0] if pairs else 0
    if all(a is first and b is first for a, b in pairs):
        (fill,) = as_arrays("pad", first)
        return pad_(x, fill.astype(x.dtype), [(a, b, 0) for a, b in widths])
    for axis, (width, values) in enumerate(zip(widths, pairs, strict=True)):
        for side in (0, 1):
            ends = [(0, 0, 0)] * x.ndim
            ends[axis] = (width[0], 0, 0) if side == 0 else (0, width[1], 0)
            (fill,) = as_arrays("pad", values[side])
            x = pad_(x, fill.astype(x.dtype), ends)
    return x


def _taken(x: Any, axis: int, places: np.ndarray[Any, Any]) -> Any:
    return take(x, places.astype(np.int32), axis=axis, mode="clip")


def _edge(x: Any, axis: int, width: tuple[int, int], options: dict[str, Any]) -> Any:
    n = x.shape[axis]
    return _taken(x, axis, np.clip(np.arange(-width[0], n + width[1]), 0, n - 1))


def _wrap(x: Any, axis: int, width: tuple[int, int], options: dict[str, Any]) -> Any:
    n = x.shape[axis]
    return _taken(x, axis, np.arange(-width[0], n + width[1]) % n)


def _mirrored(repeat: bool) -> Callable[..., Any]:
    """Reflection at the edges; `repeat` says whether the edge itself occurs twice."""

    def border(x: Any, axis: int, width: tuple[int, int], options: dict[str, Any]) -> Any:
        kind = options["reflect_type"]
        if kind not in ("even", "odd"):
            raise ArgumentValueError(f"pad: reflect_type is {kind!r}. Pass 'even' or 'odd'.")
        n = x.shape[axis]
        places = np.arange(-width[0], n + width[1])
        if n == 1 and not repeat:
            return _edge(x, axis, width, options)
        period = 2 * n if repeat else 2 * (n - 1)
        turned = places % period
        turned = np.minimum(turned, period - turned - (1 if repeat else 0))
        found = _taken(x, axis, turned)
        if kind == "even":
            return found
        # The reflected values are on the other side of the edge's value, so that each period adds
        # twice the distance of the edges.
        first, last = _taken(x, axis, np.array([0])), _taken(x, axis, np.array([n - 1]))
        beyond = (places % period >= n).reshape([-1 if k == axis else 1 for k in range(x.ndim)])
        found = where(beyond, 2 * last - found, found)
        rounds = np.floor_divide(places, period).reshape(beyond.shape)
        if not rounds.any():
            return found
        return found + (rounds * 2).astype(x.dtype) * (last - first)

    return border


def _linear_ramp(x: Any, axis: int, width: tuple[int, int], options: dict[str, Any]) -> Any:
    ends = _pairs("end_values", options["end_values"], x.ndim)[axis]
    edges = [_taken(x, axis, np.array([0])), _taken(x, axis, np.array([x.shape[axis] - 1]))]
    parts = []
    for end, edge, count in zip(ends, edges, width, strict=True):
        edge = moveaxis(edge, axis, 0)[0]
        wanted = as_arrays("pad", end)[0].astype(x.dtype)
        ramp = linspace(wanted, edge, count, endpoint=False, axis=axis)
        # As in NumPy, a ramp of integers is rounded down.
        parts.append((floor(ramp) if x.dtype.kind in "iu" else ramp).astype(x.dtype))
    return concatenate([parts[0], x, flip(parts[1], axis)], axis=axis)


def _statistic(reduce: Callable[..., Any]) -> Callable[..., Any]:
    def border(x: Any, axis: int, width: tuple[int, int], options: dict[str, Any]) -> Any:
        n = x.shape[axis]
        lengths: Any = (None, None)
        if options["stat_length"] is not None:
            lengths = _pairs("stat_length", options["stat_length"], x.ndim)[axis]
        parts = []
        for side, (count, length) in enumerate(zip(width, lengths, strict=True)):
            length = n if length is None else min(int(length), n)
            if length < 1:
                raise ArgumentValueError(f"pad: stat_length must be positive, got {length}.")
            places = np.arange(length) if side == 0 else np.arange(n - length, n)
            value = reduce(_taken(x, axis, places), axis=axis, keepdims=True)
            if x.dtype.kind in "iu" and value.dtype.kind == "f":
                value = round(value)
            shape = (*x.shape[:axis], count, *x.shape[axis + 1 :])
            parts.append(broadcast_to(value.astype(x.dtype), shape))
        return concatenate([parts[0], x, parts[1]], axis=axis)

    return border


def _by_function(x: Any, widths: Widths, function: Any, options: dict[str, Any]) -> Any:
    """Each padded vector, axis by axis, by a function of the user's."""
    x = _constant(x, widths, 0)
    for axis, width in enumerate(widths):
        moved = moveaxis(x, axis, -1)
        rows = moved.reshape(-1, moved.shape[-1])
        changed = vmap(lambda row, w=width, k=axis: _own(function, row, w, k, options))(rows)
        x = moveaxis(changed.reshape(moved.shape), -1, axis)
    return x


def _own(function: Any, row: Any, width: tuple[int, int], axis: int, options: Any) -> Any:
    result = function(row, width, axis, options)
    if result is None:
        raise ArgumentTypeError(
            "pad: the function gave None. Arrays are immutable: return the padded vector."
        )
    return result


_BORDERS: dict[str, Callable[..., Any]] = {
    "edge": _edge,
    "linear_ramp": _linear_ramp,
    "maximum": _statistic(reductions.max),
    "mean": _statistic(reductions.mean),
    "median": _statistic(median),
    "minimum": _statistic(reductions.min),
    "reflect": _mirrored(False),
    "symmetric": _mirrored(True),
    "wrap": _wrap,
}
