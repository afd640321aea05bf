"""Order: sort, argsort, topk, kthvalue, median, mode, unique, searching in sorted tensors.

Values come with the int64 indices that they were at; gradients go there.
Read next: `conversion`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import fnx.numpy as jnp
from fnx import lax
from fnx_nn.tensor.dispatch import TensorOperation, apply
from fnx_nn.tensor.reductions import named_pair
from fnx_nn.tensor.table import METHODS, method, write_out
from fnx_nn.tensor.tensor import Tensor, check_dim, wrap

_INT64 = np.dtype(np.int64)
_PAIRS = {
    name: named_pair(name) for name in ("sort", "topk", "kthvalue", "median", "nanmedian", "mode")
}


def _order(x: Any, dim: int, descending: bool) -> Any:
    fixed = lax.stop_gradient(x)
    return jnp.argsort(fixed, dim, stable=True, descending=descending).astype(_INT64)


def _sorted(x: Any, dim: int, descending: bool) -> Any:
    if not x.ndim:
        return x, jnp.zeros((), _INT64)
    order = _order(x, dim, descending)
    return jnp.take_along_axis(x, order, dim), order


_SORT = TensorOperation(_sorted, "SortBackward0", reuse_results=True)


def _pair(name: str, result: Any, out: Any) -> Any:
    pair = _PAIRS[name](*result)
    return pair if out is None else _PAIRS[name](*write_out(out, pair, name))


@method()
def sort(
    input: Tensor, dim: int = -1, descending: bool = False, stable: bool = False, *, out: Any = None
) -> Any:
    """The elements in order along a dimension, and where they were.

    Parameters
    ----------
    input : Tensor
        The operand.
    dim : int
        The dimension.
    descending : bool
        Whether the largest comes first.
    stable : bool
        Equal elements keep their order in any case.
    out : tuple of Tensor, optional
        Where to write values and indices.

    Examples
    --------
    >>> import fnx_nn as torch
    >>> torch.sort(torch.tensor([3, 1, 2])).indices
    tensor([1, 2, 0])
    """
    axis = check_dim(dim, input._data.ndim)
    params = {"dim": axis, "descending": bool(descending)}
    return _pair("sort", apply(_SORT, (input,), params), out)


@method()
def argsort(input: Tensor, dim: int = -1, descending: bool = False, stable: bool = False) -> Tensor:
    """The indices that sort along a dimension.

    Parameters
    ----------
    input : Tensor
        The operand.
    dim : int
        The dimension.
    descending : bool
        Whether the largest comes first.
    stable : bool
        Equal elements keep their order in any case.
    """
    return sort(input.detach(), dim, descending).indices


def _top(x: Any, k: int, dim: int, largest: bool) -> Any:
    if not x.ndim:
        return x, jnp.zeros((), _INT64)
    order = lax.slice_in_dim(_order(x, dim, largest), 0, k, axis=dim)
    return jnp.take_along_axis(x, order, dim), order


_TOPK = TensorOperation(_top, "TopkBackward0", reuse_results=True)


@method()
def topk(
    input: Tensor,
    k: int,
    dim: int = -1,
    largest: bool = True,
    sorted: bool = True,
    *,
    out: Any = None,
) -> Any:
    """The k largest elements along a dimension, and where they were.

    Parameters
    ----------
    input : Tensor
        The operand.
    k : int
        How many.
    dim : int
        The dimension.
    largest : bool
        The smallest ones if False.
    sorted : bool
        They are in order in any case.
    out : tuple of Tensor, optional
        Where to write values and indices.
    """
    axis = check_dim(dim, input._data.ndim)
    if not 0 <= k <= (input._data.shape[axis] if input._data.ndim else 1):
        raise RuntimeError("selected index k out of range")
    params = {"k": int(k), "dim": axis, "largest": bool(largest)}
    return _pair("topk", apply(_TOPK, (input,), params), out)


def _at_rank(x: Any, rank: int, dim: int, keepdim: bool) -> Any:
    if not x.ndim:
        return x, jnp.zeros((), _INT64)
    index = lax.slice_in_dim(_order(x, dim, False), rank, rank + 1, axis=dim)
    values = jnp.take_along_axis(x, index, dim)
    return (values, index) if keepdim else (jnp.squeeze(values, dim), jnp.squeeze(index, dim))


_KTHVALUE = TensorOperation(_at_rank, "KthvalueBackward0", reuse_results=True)


@method()
def kthvalue(
    input: Tensor, k: int, dim: int = -1, keepdim: bool = False, *, out: Any = None
) -> Any:
    """The k-th smallest element along a dimension, and where it was.

    Parameters
    ----------
    input : Tensor
        The operand.
    k : int
        Which, from 1.
    dim : int
        The dimension.
    keepdim : bool
        Whether it stays, with extent 1.
    out : tuple of Tensor, optional
        Where to write values and indices.
    """
    axis = check_dim(dim, input._data.ndim)
    if not 1 <= k <= (input._data.shape[axis] if input._data.ndim else 1):
        raise RuntimeError(f"kthvalue(): selected number k out of range for dimension {axis}")
    params = {"rank": int(k) - 1, "dim": axis, "keepdim": bool(keepdim)}
    return _pair("kthvalue", apply(_KTHVALUE, (input,), params), out)


def _middle(x: Any, dim: int, keepdim: bool, ignore_nan: bool) -> Any:
    """The lower median; NaN if there is one, or as if NaN were not there."""
    if not x.ndim:
        return x, jnp.zeros((), _INT64)
    order = _order(x, dim, False)  # NaN last
    n = x.shape[dim]
    missing = jnp.sum((x != x).astype(_INT64), dim, keepdims=True)
    if ignore_nan:
        place = jnp.maximum(n - missing - 1, 0) // 2
    else:
        place = jnp.where(missing > 0, n - missing, (n - 1) // 2)
    index = jnp.take_along_axis(order, place, dim)
    values = jnp.take_along_axis(x, index, dim)
    return (values, index) if keepdim else (jnp.squeeze(values, dim), jnp.squeeze(index, dim))


_MEDIAN = TensorOperation(_middle, "MedianBackward1", reuse_results=True)
_MEDIAN_ALL = TensorOperation(
    lambda x, ignore_nan: _middle(jnp.ravel(x), 0, False, ignore_nan)[0], "MedianBackward0"
)


def _median(input: Tensor, dim: Any, keepdim: bool, ignore_nan: bool, name: str, out: Any) -> Any:
    if dim is None:
        return apply(_MEDIAN_ALL, (input,), {"ignore_nan": ignore_nan})
    axis = check_dim(dim, input._data.ndim)
    params = {"dim": axis, "keepdim": bool(keepdim), "ignore_nan": ignore_nan}
    return _pair(name, apply(_MEDIAN, (input,), params), out)


@method()
def median(input: Tensor, dim: int | None = None, keepdim: bool = False, *, out: Any = None) -> Any:
    """The lower median; along a dimension with its index.

    Parameters
    ----------
    input : Tensor
        The operand.
    dim : int, optional
        The dimension.
    keepdim : bool
        Whether it stays, with extent 1.
    out : tuple of Tensor, optional
        Where to write values and indices.
    """
    return _median(input, dim, keepdim, False, "median", out)


@method()
def nanmedian(
    input: Tensor, dim: int | None = None, keepdim: bool = False, *, out: Any = None
) -> Any:
    """The lower median of what is not NaN; along a dimension with its index.

    Parameters
    ----------
    input : Tensor
        The operand.
    dim : int, optional
        The dimension.
    keepdim : bool
        Whether it stays, with extent 1.
    out : tuple of Tensor, optional
        Where to write values and indices.
    """
    return _median(input, dim, keepdim, True, "nanmedian", out)


@method()
def msort(input: Tensor) -> Tensor:
    """The elements in order along the first dimension.

    Parameters
    ----------
    input : Tensor
        The operand.
    """
    return sort(input, 0)[0]


# -------------------------------------------------------------------------------- without gradients


@method()
def unique(
    input: Tensor,
    sorted: bool = True,
    return_inverse: bool = False,
    return_counts: bool = False,
    dim: int | None = None,
) -> Any:
    """The different elements, in order.

    Parameters
    ----------
    input : Tensor
        The operand.
    sorted : bool
        They are in any case.
    return_inverse : bool
        Also where each element is in the result.
    return_counts : bool
        Also how often each occurs.
    dim : int, optional
        Slices along this dimension instead of elements.
    """
    found = np.unique(
        input._data, return_inverse=True, return_counts=True, axis=dim, equal_nan=False
    )
    values, inverse, counts = found
    results = [wrap(np.ascontiguousarray(values))]
    if return_inverse:
        shape = input._data.shape if dim is None else (-1,)
        results.append(wrap(inverse.reshape(shape).astype(_INT64)))
    if return_counts:
        results.append(wrap(counts.astype(_INT64)))
    return results[0] if len(results) == 1 else tuple(results)


@method()
def bincount(input: Tensor, weights: Tensor | None = None, minlength: int = 0) -> Tensor:
    """How often each number from 0 occurs.

    Parameters
    ----------
    input : Tensor
        A vector of integers, not negative.
    weights : Tensor, optional
        What each counts.
    minlength : int
        The least extent of the result.
    """
    if input._data.ndim != 1 or input._data.dtype.kind not in "iu" or (input._data < 0).any():
        raise RuntimeError("bincount only supports 1-d non-negative integral inputs.")
    given = None if weights is None else weights._data
    counts = np.bincount(input._data.astype(_INT64), given, minlength)
    if given is not None and given.dtype == np.float32:
        counts = counts.astype(np.float32)
    return wrap(counts)


@method(as_method=False)
def searchsorted(
    sorted_sequence: Tensor, values: Any, *, out_int32: bool = False, right: bool = False
) -> Tensor:
    """Where values would be put into a sorted vector.

    Parameters
    ----------
    sorted_sequence : Tensor
        In order along the last dimension.
    values : Tensor or number
        What to place.
    out_int32 : bool
        Whether the result is int32.
    right : bool
        Behind equal elements instead of before them.
    """
    sought = values._data if isinstance(values, Tensor) else np.asarray(values)
    side: Any = "right" if right else "left"
    kind = np.int32 if out_int32 else _INT64
    data = sorted_sequence._data
    if data.ndim == 1:
        return wrap(np.asarray(np.searchsorted(data, sought, side), kind))
    rows = [
        np.searchsorted(row, v, side)
        for row, v in zip(
            data.reshape(-1, data.shape[-1]), sought.reshape(-1, sought.shape[-1]), strict=True
        )
    ]
    return wrap(np.asarray(rows, kind).reshape(sought.shape))


@method(as_method=False)
def bucketize(
    input: Any, boundaries: Tensor, *, out_int32: bool = False, right: bool = False
) -> Tensor:
    """Between which boundaries each element lies.

    Parameters
    ----------
    input : Tensor or number
        The elements.
    boundaries : Tensor
        A sorted vector.
    out_int32 : bool
        Whether the result is int32.
    right : bool
        Whether a boundary belongs to what is above it.
    """
    return searchsorted(boundaries, input, out_int32=out_int32, right=right)


@method()
def histc(input: Tensor, bins: int = 100, min: float = 0, max: float = 0) -> Tensor:
    """How many elements lie in each of some equal intervals.

    Parameters
    ----------
    input : Tensor
        Floating.
    bins : int
        How many intervals.
    min, max : float
        From where to where; those of the elements if equal.
    """
    low, high = (min, max) if min != max else (input._data.min(), input._data.max())
    counts, _ = np.histogram(input._data, bins, (float(low), float(high)))
    return wrap(counts.astype(input._data.dtype))


@method()
def mode(input: Tensor, dim: int = -1, keepdim: bool = False) -> Any:
    """The most frequent element along a dimension (the smallest of several), and its last index.

    Parameters
    ----------
    input : Tensor
        The operand.
    dim : int
        The dimension.
    keepdim : bool
        Whether it stays, with extent 1.
    """
    axis = check_dim(dim, input._data.ndim)
    lanes = np.moveaxis(input._data, axis, -1)
    index = np.zeros(lanes.shape[:-1], _INT64)
    for place in np.ndindex(*index.shape):
        values, counts = np.unique(lanes[place], return_counts=True)
        index[place] = np.flatnonzero(lanes[place] == values[counts.argmax()])[-1]
    where = wrap(np.expand_dims(index, axis))
    values = METHODS["gather"](input, axis, where)
    if keepdim:
        return _PAIRS["mode"](values, where)
    return _PAIRS["mode"](values.squeeze(axis), where.squeeze(axis))
