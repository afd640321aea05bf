"""Elements replaced: put, place, fill_diagonal.

NumPy's functions write to their argument. Here they want ``inplace=False``, as in JAX, and return
the result.  Read next: `index_updates`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from fnx import dtypes
from fnx.errors import ArgumentValueError, UnsupportedError
from fnx.numpy import reductions, ufuncs
from fnx.numpy.editing import resize
from fnx.numpy.elementwise import clip, mod
from fnx.numpy.indexing import take
from fnx.numpy.manipulation import normal_axis, ravel, reshape
from fnx.numpy.promotion import as_arrays, broadcast_to
from fnx.transforms.structural import structural

__all__ = ["fill_diagonal", "place", "put", "put_along_axis"]


def _refuse_inplace(name: str, inplace: bool) -> None:
    if inplace:
        raise UnsupportedError(
            f"{name}: arrays are immutable. Pass inplace=False and use the result."
        )


def put(a: Any, ind: Any, v: Any, mode: str | None = None, *, inplace: bool = True) -> Any:
    """The array with values at places counted over all axes.

    Parameters
    ----------
    a : array-like
        The operand.
    ind : array-like of int
        The places.
    v : array-like
        The values, repeated as often as needed.
    mode : {None, "clip", "wrap"}
        What places out of bounds mean; by default nothing is written there.
    inplace : bool
        Must be false: arrays are immutable.
    """
    _refuse_inplace("put", inplace)
    x, index, values = as_arrays("put", a, ind, v)
    index = ravel(index)
    if not index.shape[0]:
        return x
    values = ravel(values)
    if not values.shape[0]:
        return x
    values = resize(values, index.shape)
    if mode == "wrap":
        index = mod(index, x.size)
    elif mode == "clip":
        index = clip(index, 0, x.size - 1)
    elif mode is not None:
        raise ArgumentValueError(f"put: mode is {mode!r}. Pass None, 'clip' or 'wrap'.")
    return reshape(ravel(x).at[index].set(values.astype(x.dtype), mode="drop"), x.shape)


def place(arr: Any, mask: Any, vals: Any, *, inplace: bool = True) -> Any:
    """The array with values, one after the other, where a mask is true.

    Parameters
    ----------
    arr : array-like
        The operand.
    mask : array-like of bool
        Of the same size.
    vals : array-like
        The values, repeated as often as needed.
    inplace : bool
        Must be false: arrays are immutable.
    """
    _refuse_inplace("place", inplace)
    x, truth, values = as_arrays("place", arr, mask, vals)
    if truth.size != x.size:
        raise ArgumentValueError(f"place: mask {truth.aval!r} and {x.aval!r} differ in size.")
    values, flags = ravel(values), ravel(truth).astype(bool)
    if not values.shape[0]:
        raise ArgumentValueError("place: there is no value. Pass at least one.")
    if not x.size:
        return x
    ranks = reductions.cumsum(flags.astype(dtypes.default_dtype("i"))) - 1
    chosen = take(values, mod(ranks, values.shape[0])).astype(x.dtype)
    return reshape(ufuncs.where(flags, chosen, ravel(x)), x.shape)


@structural("arr", "values")
def put_along_axis(
    arr: Any,
    indices: Any,
    values: Any,
    axis: int | None,
    inplace: bool = True,
    *,
    mode: str | None = None,
) -> Any:
    """The array with values at indices along an axis, the other axes side by side.

    Parameters
    ----------
    arr : array-like
        The operand.
    indices : array-like of int
        Of the same number of axes.
    values : array-like
        Broadcast to the indices.
    axis : int or None
        The axis; None counts over all elements.
    inplace : bool
        Must be false: arrays are immutable.
    mode : str, optional
        What indices out of bounds mean, as for ``x.at[...].set``.
    """
    _refuse_inplace("put_along_axis", inplace)
    x, index, new = as_arrays("put_along_axis", arr, indices, values)
    if axis is None:
        flat = put_along_axis(ravel(x), ravel(index), ravel(new), 0, False, mode=mode)
        return reshape(flat, x.shape)
    along = normal_axis("put_along_axis", axis, x.ndim)
    if index.ndim != x.ndim:
        raise ArgumentValueError(
            f"put_along_axis: {x.aval!r} and indices {index.aval!r} must have as many axes."
        )
    shape = tuple([index.shape[k] if k == along else n for k, n in enumerate(x.shape)])
    index, new = broadcast_to(index, shape), broadcast_to(new.astype(x.dtype), shape)
    grid: list[Any] = [
        np.arange(n, dtype=np.int32).reshape([-1 if j == k else 1 for j in range(x.ndim)])
        for k, n in enumerate(shape)
    ]
    grid[along] = index
    return x.at[tuple(grid)].set(new, mode=mode)


@structural("a", "val")
def fill_diagonal(a: Any, val: Any, wrap: bool = False, *, inplace: bool = True) -> Any:
    """The array with values on its diagonal.

    Parameters
    ----------
    a : array-like
        Of two axes, or of more axes of one size.
    val : array-like
        The values, repeated as often as needed.
    wrap : bool
        In a tall matrix, begin again below the diagonal's end.
    inplace : bool
        Must be false: arrays are immutable.
    """
    _refuse_inplace("fill_diagonal", inplace)
    x, values = as_arrays("fill_diagonal", a, val)
    if x.ndim < 2:
        raise ArgumentValueError(f"fill_diagonal: needs at least two axes, got {x.aval!r}.")
    if x.ndim > 2 and len(set(x.shape)) > 1:
        raise ArgumentValueError(
            f"fill_diagonal: with more than two axes all sizes must be equal, got {x.aval!r}."
        )
    columns = x.shape[1]
    step = columns + 1 if x.ndim == 2 else sum(columns**k for k in range(x.ndim))
    end = x.size if x.ndim > 2 or wrap else min(x.shape[0], columns) * columns
    places = np.arange(0, end, step)
    if not places.size:
        return x
    values = resize(ravel(values), places.shape)
    return reshape(ravel(x).at[places].set(values.astype(x.dtype)), x.shape)
