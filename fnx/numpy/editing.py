"""Elements taken out, put in, or chosen by conditions: delete, insert, select, block.

Read next: `writing`.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from fnx import dtypes
from fnx.errors import (
    ArgumentTypeError,
    ArgumentValueError,
    ConcretizationTypeError,
    JAXIndexError,
    UnsupportedError,
)
from fnx.numpy import reductions, ufuncs
from fnx.numpy.creation import zeros
from fnx.numpy.elementwise import clip, mod
from fnx.numpy.indexing import nonzero, take
from fnx.numpy.joining import concatenate
from fnx.numpy.manipulation import moveaxis, normal_axis, ravel, reshape
from fnx.numpy.promotion import (
    as_arrays,
    broadcast_arrays,
    broadcast_shapes,
    broadcast_to,
    cast,
    known,
    promote_dtypes,
)
from fnx.numpy.searching import searchsorted
from fnx.numpy.sorting import argsort, sort
from fnx.primitives import shaping
from fnx.transforms.structural import structural

__all__ = [
    "block", "choose", "compress", "delete", "extract", "insert", "piecewise", "resize", "select",
    "trim_zeros",
]  # fmt: skip


def _along(x: Any, axis: int, index: Any) -> Any:
    return x[(slice(None),) * axis + (index,)]


# -------------------------------------------------------------------------------------- in and out


def _flat_or_axis(name: str, arr: Any, axis: int | None) -> tuple[Any, int]:
    (x,) = as_arrays(name, arr)
    if axis is None:
        return ravel(x), 0
    return x, normal_axis(name, axis, x.ndim)


def _indices(obj: Any) -> Any:
    """Lists may stand where indices do."""
    if not isinstance(obj, (list, tuple)):
        return obj
    found = np.asarray(obj)
    return found if found.size else found.astype(np.int32)


@structural("arr")
def delete(
    arr: Any, obj: Any, axis: int | None = None, *, assume_unique_indices: bool = False
) -> Any:
    """The array without some elements along an axis.

    Parameters
    ----------
    arr : array-like
        The operand.
    obj : int, slice, array-like of int or of bool
        Which; a traced index must be a scalar, or unique as `assume_unique_indices` says.
    axis : int, optional
        Along which axis; by default over all elements.
    assume_unique_indices : bool
        That no index occurs twice, so that the result's shape is known while tracing.

    Examples
    --------
    >>> import fnx.numpy as jnp
    >>> delete(jnp.arange(4), 1)
    Array([0, 2, 3], dtype=int32)
    """
    x, place = _flat_or_axis("delete", arr, axis)
    size = x.shape[place]
    if isinstance(obj, slice):
        obj = np.arange(size)[obj]
    (index,) = as_arrays("delete", _indices(obj))
    elements = known(index)
    if elements is not None:
        if elements.dtype.kind == "b":
            if elements.shape != (size,):
                raise ArgumentValueError(
                    f"delete: the mask has shape {elements.shape}, axis {place} of {x.aval!r} has "
                    f"{size} elements."
                )
            kept = ~elements
        else:
            outside = (elements < -size) | (elements >= size)
            if outside.any():
                raise JAXIndexError(
                    f"delete: index {elements[outside].ravel()[0]} is out of bounds for axis "
                    f"{place} of {x.aval!r}."
                )
            kept = np.ones(size, bool)
            kept[elements.astype(np.int64)] = False
        return take(x, np.flatnonzero(kept).astype(np.int32), axis=place)
    if index.dtype.kind == "b":
        raise ConcretizationTypeError(
            "delete of a traced mask: how many elements are left depends on values. "
            "Use where=, or indices with assume_unique_indices=True."
        )
    if index.ndim and not assume_unique_indices:
        raise ConcretizationTypeError(
            f"delete: of the traced {index.aval!r} some could be equal, so the result's shape is "
            "not known. Pass assume_unique_indices=True if none are."
        )
    gone = sort(mod(ravel(index), size))
    # The j-th element that stays has as many removed ones before it as are at most j + their rank.
    ranks = gone - np.arange(gone.shape[0], dtype=np.int32)
    stay = np.arange(size - gone.shape[0], dtype=np.int32)
    return take(x, stay + searchsorted(ranks, stay, "right"), axis=place)


@structural("arr", "values")
def insert(arr: Any, obj: Any, values: Any, axis: int | None = None) -> Any:
    """The array with values put in before given places along an axis.

    Parameters
    ----------
    arr : array-like
        The operand.
    obj : int, slice, array-like of int or of bool
        Before which elements, as they are counted in `arr`.
    values : array-like
        What is put in; broadcast.
    axis : int, optional
        Along which axis; by default over all elements.

    Examples
    --------
    >>> import fnx.numpy as jnp
    >>> insert(jnp.arange(3), 1, 9)
    Array([0, 9, 1, 2], dtype=int32)
    """
    x, place = _flat_or_axis("insert", arr, axis)
    (new,) = as_arrays("insert", values)
    size = x.shape[place]
    if isinstance(obj, slice):
        obj = np.arange(size)[obj]
    (index,) = as_arrays("insert", _indices(obj))
    if index.dtype.kind == "b":
        index = nonzero(index)[0]
    elements = known(index)
    if elements is not None and ((elements < -size) | (elements > size)).any():
        raise JAXIndexError(
            f"insert: an index in {elements.tolist()} is out of bounds for axis {place} of "
            f"{x.aval!r}."
        )
    scalar = index.ndim == 0
    index = ravel(index)
    index = clip(ufuncs.where(index < 0, index + size, index), 0, size)
    new = new.reshape((1,) * max(x.ndim - new.ndim, 0) + new.shape)
    if scalar:  # values[k] lies along the axis, as in x[k] = values
        new = moveaxis(new, 0, place)
        count = new.shape[place]
        index = broadcast_to(index, (count,)) if index.shape[0] != count else index
    count = index.shape[0]
    if scalar is False and new.shape[place] != 1 and count == 1:
        count = new.shape[place]
        index = broadcast_to(index, (count,))
    new = broadcast_to(new.astype(x.dtype), (*x.shape[:place], count, *x.shape[place + 1 :]))
    order = argsort(index)
    where = take(index, order) + np.arange(count, dtype=np.int32) if count else index
    total = size + count
    isnew = zeros(total, bool).at[where].set(True)
    rank = reductions.cumsum(isnew.astype(dtypes.default_dtype("i")))
    old = (
        take(x, clip(np.arange(total, dtype=np.int32) - rank, 0, max(size - 1, 0)), axis=place)
        if size
        else zeros((*x.shape[:place], total, *x.shape[place + 1 :]), x.dtype)
    )
    if not count:
        return old
    put_in = take(take(new, order, axis=place), clip(rank - 1, 0, count - 1), axis=place)
    mask = shaping.broadcast_in_dim(isnew, old.shape, (place,))
    return ufuncs.where(mask, put_in, old)


@structural("a")
def resize(a: Any, new_shape: Any) -> Any:
    """The elements, repeated as often as needed, in a new shape.

    Parameters
    ----------
    a : array-like
        The operand.
    new_shape : int or sequence of int
        The shape.
    """
    (x,) = as_arrays("resize", a)
    shape = (new_shape,) if np.ndim(new_shape) == 0 else tuple(new_shape)
    shape = tuple([operator.index(n) for n in shape])
    if any(n < 0 for n in shape):
        raise ArgumentValueError(f"resize: sizes must not be negative, got {shape}.")
    total, flat = math.prod(shape), ravel(x)
    if not total or not flat.shape[0]:
        return zeros(shape, x.dtype)
    return reshape(take(flat, np.arange(total) % flat.shape[0]), shape)


def trim_zeros(filt: Any, trim: str = "fb", axis: Any = None) -> Any:
    """The array without the zeros at its ends.

    Parameters
    ----------
    filt : array-like
        The operand; its values must be known.
    trim : {"fb", "f", "b"}
        At the front, at the back, or both.
    axis : int, sequence of int, optional
        Along which axes; all by default.
    """
    (x,) = as_arrays("trim_zeros", filt)
    if trim.lower() not in ("fb", "bf", "f", "b"):
        raise ArgumentValueError(f"trim_zeros: trim is {trim!r}. Pass 'f', 'b' or 'fb'.")
    elements = known(x)
    if elements is None:
        raise ConcretizationTypeError(
            f"trim_zeros of a traced {x.aval!r}: the result's shape depends on values."
        )
    axes = (
        range(x.ndim)
        if axis is None
        else [normal_axis("trim_zeros", k, x.ndim) for k in np.atleast_1d(axis).tolist()]
    )
    places = np.nonzero(elements)
    for k in axes:
        if not places[k].size:
            x = _along(x, k, slice(0, 0))
            continue
        start = int(places[k].min()) if "f" in trim.lower() else 0
        stop = int(places[k].max()) + 1 if "b" in trim.lower() else x.shape[k]
        x = _along(x, k, slice(start, stop))
    return x


# -------------------------------------------------------------------------------------- conditions


@structural("arr")
def extract(condition: Any, arr: Any, *, size: int | None = None, fill_value: Any = 0) -> Any:
    """The elements where a condition holds, over all axes.

    Parameters
    ----------
    condition : array-like
        One truth for each element.
    arr : array-like
        The operand.
    size : int, optional
        How many are given; needed where values aren't known, as under `jit`.
    fill_value : number
        In what is left over.
    """
    return compress(
        ravel(as_arrays("extract", condition)[0]), arr, size=size, fill_value=fill_value
    )


@structural("a")
def compress(
    condition: Any,
    a: Any,
    axis: int | None = None,
    *,
    size: int | None = None,
    fill_value: Any = 0,
    out: None = None,
) -> Any:
    """The slices along an axis where a condition holds.

    Parameters
    ----------
    condition : array-like
        Of one axis; slices beyond its length are left out.
    a : array-like
        The operand.
    axis : int, optional
        Along which axis; by default over all elements.
    size, fill_value
        As for `extract`.
    out : None
        Arrays are immutable.
    """
    if out is not None:
        raise UnsupportedError("compress: arrays are immutable, so out= must be None.")
    x, place = _flat_or_axis("compress", a, axis)
    (truth,) = as_arrays("compress", _indices(condition))
    if truth.ndim != 1:
        raise ArgumentValueError(f"compress: condition must have one axis, got {truth.aval!r}.")
    count = x.shape[place]
    if truth.shape[0] > count:
        extra = known(truth)
        if extra is not None and extra[count:].any():
            raise JAXIndexError(
                f"compress: condition {truth.aval!r} is longer than axis {place} of {x.aval!r}."
            )
        truth = truth[:count]
    places = nonzero(truth, size=size, fill_value=count)[0]
    if not count:
        return x
    found = take(x, clip(places, 0, count - 1), axis=place)
    if size is None:
        return found
    missing = shaping.broadcast_in_dim(places >= count, found.shape, (place,))
    return ufuncs.where(missing, as_arrays("compress", fill_value)[0].astype(x.dtype), found)


@structural("choicelist", "default")
def select(condlist: Sequence[Any], choicelist: Sequence[Any], default: Any = 0) -> Any:
    """Elements of the first choice whose condition holds.

    Parameters
    ----------
    condlist : sequence of array-like of bool
        The conditions.
    choicelist : sequence of array-like
        As many choices.
    default : array-like
        Where no condition holds.

    Examples
    --------
    >>> import fnx.numpy as jnp
    >>> x = jnp.arange(4)
    >>> select([x < 1, x > 2], [x - 10, x * 10])
    Array([-10,   0,   0,  30], dtype=int32)
    """
    if len(condlist) != len(choicelist):
        raise ArgumentValueError(
            f"select: {len(condlist)} conditions for {len(choicelist)} choices. Pass as many."
        )
    if not condlist:
        raise ArgumentValueError("select: needs at least one condition.")
    conditions = as_arrays("select", *condlist)
    for k, c in enumerate(conditions):
        if c.dtype.kind != "b":
            raise ArgumentTypeError(f"select: condlist[{k}] must hold bools, got {c.aval!r}.")
    *choices, result = promote_dtypes("select", *choicelist, default)
    shape = broadcast_shapes(*[v.shape for v in (*conditions, *choices, result)])
    result = broadcast_to(result, shape)
    for condition, choice in zip(conditions[::-1], choices[::-1], strict=True):
        result = ufuncs.where(condition, choice, result)
    return result


@structural("choices")
def choose(a: Any, choices: Any, out: None = None, mode: str = "raise") -> Any:
    """Elements of the choice that each number names.

    Parameters
    ----------
    a : array-like of int
        Which choice.
    choices : sequence of array-like
        Broadcast together, and with `a`.
    out : None
        Arrays are immutable.
    mode : {"raise", "wrap", "clip"}
        What numbers out of bounds mean; "raise" needs known values.
    """
    if out is not None:
        raise UnsupportedError("choose: arrays are immutable, so out= must be None.")
    (index,) = as_arrays("choose", a)
    if index.dtype.kind not in "iub":
        raise ArgumentTypeError(f"choose: a must hold integers, got {index.aval!r}.")
    values = promote_dtypes("choose", *choices)
    count = len(values)
    if mode == "raise":
        elements = known(index)
        if elements is None:
            raise ConcretizationTypeError(
                "choose with mode='raise' can't look at traced numbers. Pass mode='clip' or 'wrap'."
            )
        if ((elements < 0) | (elements >= count)).any():
            raise ArgumentValueError(
                f"choose: a number is out of bounds for {count} choices. Pass mode='clip' or "
                "'wrap' if that is meant."
            )
    elif mode == "wrap":
        index = mod(index, count)
    elif mode == "clip":
        index = clip(index, 0, count - 1)
    else:
        raise ArgumentValueError(f"choose: mode is {mode!r}. Pass 'raise', 'wrap' or 'clip'.")
    index, *values = broadcast_arrays(index, *values)
    result = values[-1]
    for k in range(count - 2, -1, -1):
        result = ufuncs.where(ufuncs.equal(index, k), values[k], result)
    return cast(result, result.dtype)


def _conditions(rank: int, condlist: Any) -> list[Any]:
    """The conditions of `piecewise`: a single one may stand without a list around it."""
    if isinstance(condlist, (list, tuple)):
        if rank and all(
            [getattr(c, "ndim", np.ndim(c) if isinstance(c, list) else 0) == 0 for c in condlist]
        ):
            return as_arrays("piecewise", np.asarray(condlist))
        return [
            as_arrays("piecewise", np.asarray(c) if isinstance(c, list) else c)[0] for c in condlist
        ]
    (c,) = as_arrays("piecewise", condlist)
    return [c] if c.ndim == 0 or (c.ndim == 1 and rank) else [c[k] for k in range(c.shape[0])]


def piecewise(x: Any, condlist: Any, funclist: Sequence[Any], *args: Any, **kw: Any) -> Any:
    """A function that is given by another one where each condition holds.

    Parameters
    ----------
    x : array-like
        The operand.
    condlist : sequence of array-like of bool, or one
        The conditions; where several hold, the last counts.
    funclist : sequence of callable or number
        What holds under each, and after these what holds elsewhere (0 by default).
    *args, **kw
        Passed on to the functions.

    Notes
    -----
    Each function gets all of `x`. Where its condition doesn't hold its derivative counts as zero,
    but zero times NaN is NaN: keep functions finite.
    """
    (values,) = as_arrays("piecewise", x)
    conditions = [c.astype(bool) for c in _conditions(values.ndim, condlist)]
    functions = list(funclist)
    if len(functions) == len(conditions):
        functions.append(0)
    if len(functions) != len(conditions) + 1:
        raise ArgumentValueError(
            f"piecewise: {len(conditions)} conditions need {len(conditions)} or "
            f"{len(conditions) + 1} functions, got {len(funclist)}."
        )
    results = [
        as_arrays("piecewise", f(values, *args, **kw) if callable(f) else f)[0].astype(values.dtype)
        for f in functions
    ]
    result = broadcast_to(results[-1], values.shape)
    for condition, found in zip(conditions, results, strict=False):
        result = ufuncs.where(condition, found, result)
    return result


@structural("arrays")
def block(arrays: Any) -> Any:
    """An array from nested lists of blocks.

    Parameters
    ----------
    arrays : array-like or nested list of array-like
        The innermost lists lie along the last axis.

    Examples
    --------
    >>> import fnx.numpy as jnp
    >>> block([[jnp.ones((1, 1)), jnp.zeros((1, 2))]])
    Array([[1., 0., 0.]], dtype=float32)
    """
    depth = _depth(arrays, "arrays")
    rank = max(depth, _largest_rank(arrays))
    return _joined(arrays, depth, rank)


def _depth(arrays: Any, path: str) -> int:
    if isinstance(arrays, tuple):
        raise ArgumentTypeError(f"block: {path} is a tuple. Pass nested lists.")
    if not isinstance(arrays, list):
        return 0
    if not arrays:
        raise ArgumentValueError(f"block: {path} is an empty list. Pass at least one block.")
    depths = [_depth(a, f"{path}[{k}]") for k, a in enumerate(arrays)]
    if len(set(depths)) > 1:
        raise ArgumentValueError(f"block: lists in {path} are nested to depths {depths}.")
    return depths[0] + 1


def _largest_rank(arrays: Any) -> int:
    if isinstance(arrays, list):
        return max([_largest_rank(a) for a in arrays])
    return int(as_arrays("block", arrays)[0].ndim)


def _joined(arrays: Any, depth: int, rank: int) -> Any:
    if depth:
        return concatenate([_joined(a, depth - 1, rank) for a in arrays], axis=-depth)
    (x,) = as_arrays("block", arrays)
    return reshape(x, (1,) * (rank - x.ndim) + x.shape)
