"""Choosing elements by index tensors and masks, and writing to chosen places.

gather and scatter, index_select and its relatives, masked operations, take and put. Indices are
checked against the extents before anything is computed.
Read next: `indexing`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import fnx.numpy as jnp
from fnx_nn.tensor.dispatch import TensorOperation, apply
from fnx_nn.tensor.elementary import require_tensor
from fnx_nn.tensor.promotion import number
from fnx_nn.tensor.table import METHODS, method, operator
from fnx_nn.tensor.tensor import Tensor, check_dim, wrap

__all__ = ["MASKED_FILL", "check_indices"]

_INT64 = np.dtype(np.int64)


def check_indices(
    index: Tensor, extent: int, name: str, error: type[Exception], words: str
) -> None:
    """Raise unless all indices are inside of an extent.

    Parameters
    ----------
    index : Tensor
        Integers.
    extent : int
        How many places there are.
    name : str
        The operation.
    error : type
        What to raise.
    words : str
        The message, with ``{bad}`` for the offending index.
    """
    data = index._data
    if data.dtype.kind not in "iu":
        raise RuntimeError(f"{name}(): Expected dtype int64 for index")
    if data.size and (int(data.max()) >= extent or int(data.min()) < 0):
        bad = int(data.max()) if int(data.max()) >= extent else int(data.min())
        raise error(words.format(bad=bad))


def _out_of_bounds(index: Tensor, dim: int, extent: int, name: str) -> None:
    words = f"index {{bad}} is out of bounds for dimension {dim} with size {extent}"
    check_indices(index, extent, name, RuntimeError, words)


# ---------------------------------------------------------------------------------- gather, scatter


def _grid(index: Any, dim: int) -> tuple[Any, ...]:
    """The index of every element of `index`: its own place, but along one axis what it says."""
    places = []
    for axis, n in enumerate(index.shape):
        if axis == dim:
            places.append(index)
        else:
            shape = [n if a == axis else 1 for a in range(index.ndim)]
            places.append(jnp.broadcast_to(jnp.reshape(jnp.arange(n), shape), index.shape))
    return tuple(places)


def _gather(x: Any, index: Any, dim: int) -> Any:
    if not x.ndim:
        return jnp.broadcast_to(x, index.shape)
    return x[_grid(index, dim)]


_GATHER = TensorOperation(_gather, "GatherBackward0")


@operator()
def gather(input: Tensor, dim: int, index: Tensor, *, sparse_grad: bool = False) -> Any:
    """The elements that indices along a dimension name.

    Parameters
    ----------
    input : Tensor
        The operand.
    dim : int
        The dimension.
    index : Tensor
        int64; not larger than `input` in the other dimensions.
    sparse_grad : bool
        Accepted; gradients are dense.
    """
    axis = check_dim(dim, require_tensor(input, "gather")._data.ndim)
    _check_index_shape(input, index, axis, "gather")
    extent = input._data.shape[axis] if input._data.ndim else 1
    _out_of_bounds(index, axis, extent, "gather")
    return _GATHER, (input, index), {"dim": axis}


def _check_index_shape(x: Tensor, index: Tensor, axis: int, name: str) -> None:
    shape, given = x._data.shape, index._data.shape
    if max(len(shape), 1) != max(len(given), 1):
        raise RuntimeError("Index tensor must have the same number of dimensions as input tensor")
    for a, (n, m) in enumerate(zip(given, shape)):
        if a != axis and n > m:
            raise RuntimeError(
                f"Size does not match at dimension {a} expected index {list(given)} to be no "
                f"larger than self {list(shape)} apart from dimension {axis}"
            )


@method()
def take_along_dim(input: Tensor, indices: Tensor, dim: int | None = None) -> Tensor:
    """The elements that indices along a dimension name, with broadcasting.

    Parameters
    ----------
    input : Tensor
        The operand.
    indices : Tensor
        int64.
    dim : int, optional
        The dimension; of the flattened tensor without one.
    """
    if dim is None:
        return gather(input.reshape(-1), 0, indices.reshape(-1))
    axis = check_dim(dim, input._data.ndim)
    shape = list(np.broadcast_shapes(
        [1 if a == axis else n for a, n in enumerate(input._data.shape)],
        [1 if a == axis else n for a, n in enumerate(indices._data.shape)],
    ))  # fmt: skip
    wide = [input._data.shape[axis] if a == axis else n for a, n in enumerate(shape)]
    tall = [indices._data.shape[axis] if a == axis else n for a, n in enumerate(shape)]
    return gather(input.expand(wide), axis, indices.expand(tall))


def _scattered(x: Any, index: Any, source: Any, dim: int, how: str, dtype: Any = None) -> Any:
    source = source.astype(x.dtype)
    if not x.ndim:
        x, index, source = (jnp.reshape(v, (1,)) for v in (x, index, source))
        return jnp.reshape(_scattered(x, index, source, 0, how), ())
    if source.ndim:
        source = source[tuple([slice(0, n) for n in index.shape])]
    return getattr(x.at[_grid(index, dim)], how)(source)


_SCATTER = TensorOperation(_scattered, "ScatterBackward0")
_SCATTER_NUMBER = TensorOperation(_scattered, "ScatterBackward1")
_SCATTER_REDUCE = TensorOperation(_scattered, "ScatterReduceBackward0")
_SCATTER_ADD = TensorOperation(_scattered, "ScatterAddBackward0")
_HOW = {"add": "add", "multiply": "multiply"}


def _check_scatter(input: Tensor, dim: int, index: Tensor, src: Any, name: str) -> int:
    axis = check_dim(dim, require_tensor(input, name)._data.ndim)
    if index._data.size:
        _check_index_shape(input, index, axis, name)
        extent = input._data.shape[axis] if input._data.ndim else 1
        _out_of_bounds(index, axis, extent, name)
    if isinstance(src, Tensor) and src._data.dtype != input._data.dtype:
        raise RuntimeError(f"{name}(): Expected self.dtype to be equal to src.dtype")
    return axis


@operator(inplace=True)
def scatter(
    input: Tensor,
    dim: int,
    index: Tensor,
    src: Any = None,
    *,
    value: Any = None,
    reduce: str | None = None,
) -> Any:
    """The tensor with elements written to the places that indices along a dimension name.

    Parameters
    ----------
    input : Tensor
        The operand.
    dim : int
        The dimension.
    index : Tensor
        int64.
    src : Tensor or number
        What to write.
    value : number, optional
        In place of `src`.
    reduce : {None, "add", "multiply"}
        Combine with what is there.
    """
    source = value if src is None else src
    axis = _check_scatter(input, dim, index, source, "scatter")
    if reduce is not None and reduce not in _HOW:
        raise RuntimeError("reduce argument must be either add or multiply.")
    params = {"dim": axis, "how": "set" if reduce is None else _HOW[reduce]}
    if isinstance(source, Tensor):
        return _SCATTER, (input, index, source), params
    return _SCATTER_NUMBER, (input, index, number(source, input._data.dtype)), params


@operator(inplace=True)
def scatter_add(input: Tensor, dim: int, index: Tensor, src: Tensor) -> Any:
    """The tensor with elements added at the places that indices along a dimension name.

    Parameters
    ----------
    input : Tensor
        The operand.
    dim : int
        The dimension.
    index : Tensor
        int64.
    src : Tensor
        What to add.
    """
    axis = _check_scatter(input, dim, index, src, "scatter")
    return _SCATTER_ADD, (input, index, src), {"dim": axis, "how": "add"}


@operator(inplace=True)
def scatter_reduce(
    input: Tensor, dim: int, index: Tensor, src: Tensor, reduce: str, *, include_self: bool = True
) -> Any:
    """The tensor with elements combined at the places that indices along a dimension name.

    Parameters
    ----------
    input : Tensor
        The operand.
    dim : int
        The dimension.
    index : Tensor
        int64.
    src : Tensor
        What to combine.
    reduce : {"sum", "prod", "amax", "amin"}
        How.
    include_self : bool
        Whether what is there takes part; only True.
    """
    how = {"sum": "add", "prod": "multiply", "amax": "max", "amin": "min"}.get(reduce)
    if how is None or not include_self:
        raise RuntimeError(
            f"scatter_reduce: reduce={reduce!r} with include_self={include_self} is not "
            "supported; use one of sum, prod, amax, amin with include_self=True."
        )
    axis = _check_scatter(input, dim, index, src, "scatter")
    return _SCATTER_REDUCE, (input, index, src), {"dim": axis, "how": how}


# ----------------------------------------------------------------------------------- along one axis


_INDEX_SELECT = TensorOperation(
    lambda x, index, dim: x[(*[slice(None)] * dim, index)], "IndexSelectBackward0"
)


@operator()
def index_select(input: Tensor, dim: int, index: Tensor) -> Any:
    """The slices along a dimension that indices name.

    Parameters
    ----------
    input : Tensor
        The operand.
    dim : int
        The dimension.
    index : Tensor
        int32 or int64, a vector.
    """
    axis = check_dim(dim, require_tensor(input, "index_select")._data.ndim)
    if index._data.ndim > 1:
        raise IndexError("index_select(): Index is supposed to be a vector")
    if not input._data.ndim:
        check_indices(index, 1, "index_select", IndexError, "index out of range in self")
        return _INDEX_SELECT, (input.reshape(1), index.reshape(1)), {"dim": 0}
    extent = input._data.shape[axis]
    check_indices(index, extent, "index_select", IndexError, "index out of range in self")
    return _INDEX_SELECT, (input, index.reshape(-1)), {"dim": axis}


def _index_changed(x: Any, index: Any, source: Any, dim: int, how: str) -> Any:
    key = (*[slice(None)] * dim, index)
    return getattr(x.at[key], how)(source.astype(x.dtype))


_INDEX_ADD = TensorOperation(_index_changed, "IndexAddBackward0")
_INDEX_COPY = TensorOperation(_index_changed, "IndexCopyBackward0")
_INDEX_FILL = TensorOperation(_index_changed, "IndexFillBackward0")


def _check_along(input: Tensor, dim: int, index: Tensor, name: str) -> int:
    axis = check_dim(dim, require_tensor(input, name)._data.ndim)
    extent = input._data.shape[axis] if input._data.ndim else 1
    check_indices(index, extent, name, IndexError, "index out of range in self")
    return axis


@operator(inplace=True)
def index_add(input: Tensor, dim: int, index: Tensor, source: Tensor, *, alpha: Any = 1) -> Any:
    """The tensor with slices added where indices along a dimension say.

    Parameters
    ----------
    input : Tensor
        The operand.
    dim : int
        The dimension.
    index : Tensor
        A vector.
    source : Tensor
        The slices.
    alpha : number
        Multiplies them.
    """
    axis = _check_along(input, dim, index, "index_add")
    scaled = source if alpha == 1 else source * alpha
    return _INDEX_ADD, (input, index, scaled), {"dim": axis, "how": "add"}


@operator(inplace=True)
def index_copy(input: Tensor, dim: int, index: Tensor, source: Tensor) -> Any:
    """The tensor with slices written where indices along a dimension say.

    Parameters
    ----------
    input : Tensor
        The operand.
    dim : int
        The dimension.
    index : Tensor
        A vector.
    source : Tensor
        The slices.
    """
    axis = _check_along(input, dim, index, "index_copy")
    return _INDEX_COPY, (input, index, source), {"dim": axis, "how": "set"}


@operator(inplace=True)
def index_fill(input: Tensor, dim: int, index: Tensor, value: Any) -> Any:
    """The tensor with a number in the slices that indices along a dimension name.

    Parameters
    ----------
    input : Tensor
        The operand.
    dim : int
        The dimension.
    index : Tensor
        A vector.
    value : number or Tensor
        What to write.
    """
    axis = _check_along(input, dim, index, "index_fill")
    filler = value if isinstance(value, Tensor) else number(value, input._data.dtype)
    return _INDEX_FILL, (input, index, filler), {"dim": axis, "how": "set"}


# -------------------------------------------------------------------------------------------- masks

MASKED_FILL = TensorOperation(
    lambda x, mask, value: jnp.where(mask, value.astype(x.dtype), x),
    "MaskedFillBackward0",
    elementwise=True,
)


def _check_mask(mask: Tensor, name: str) -> Tensor:
    if require_tensor(mask, name, "mask")._data.dtype != np.bool_:
        raise RuntimeError(
            f"{name} only supports boolean masks, but got mask with dtype {mask.dtype.name}"
        )
    return mask


@operator(inplace=True)
def masked_fill(input: Tensor, mask: Tensor, value: Any) -> Any:
    """The tensor with a number where a mask is true.

    Parameters
    ----------
    input : Tensor
        The operand.
    mask : Tensor
        Bools, broadcast to `input`.
    value : number or 0-d Tensor
        What to write.
    """
    _check_mask(mask, "masked_fill_")
    filler = value if isinstance(value, Tensor) else number(value, input._data.dtype)
    if filler._data.ndim:
        raise RuntimeError(
            "masked_fill only supports a 0-dimensional value tensor, but got tensor with "
            f"{filler._data.ndim} dimension(s)."
        )
    return MASKED_FILL, (input, mask, filler), {}


_PICK = TensorOperation(lambda x, index: jnp.ravel(x)[index], "MaskedSelectBackward0")


@method()
def masked_select(input: Tensor, mask: Tensor) -> Tensor:
    """The elements where a mask is true, as a vector.

    Parameters
    ----------
    input : Tensor
        The operand.
    mask : Tensor
        Bools, broadcast against `input`.
    """
    _check_mask(mask, "masked_select")
    shape = np.broadcast_shapes(input._data.shape, mask._data.shape)
    places = np.flatnonzero(np.broadcast_to(mask._data, shape))
    return apply(_PICK, (input.expand(shape), wrap(places)))


_MASKED_SCATTER = TensorOperation(
    lambda x, index, source: jnp.reshape(
        jnp.ravel(x).at[index].set(jnp.ravel(source)[: index.shape[0]]), x.shape
    ),
    "MaskedScatterBackward0",
)


@operator(inplace=True)
def masked_scatter(input: Tensor, mask: Tensor, source: Tensor) -> Any:
    """The tensor with elements of another one written, in order, where a mask is true.

    Parameters
    ----------
    input : Tensor
        The operand.
    mask : Tensor
        Bools, broadcast to `input`.
    source : Tensor
        What to write.
    """
    places = np.flatnonzero(np.broadcast_to(mask._data, input._data.shape))
    if source._data.size < places.size:
        raise RuntimeError(
            "masked_scatter: expected self and source to have enough elements, the mask has "
            f"{places.size} true ones, source {source._data.size}."
        )
    return _MASKED_SCATTER, (input, wrap(places), source), {}


# ----------------------------------------------------------------------------------- flat positions

_TAKE = TensorOperation(lambda x, index: jnp.ravel(x)[index], "TakeBackward0")


@operator()
def take(input: Tensor, index: Tensor) -> Any:
    """The elements of the flattened tensor that indices name.

    Parameters
    ----------
    input : Tensor
        The operand.
    index : Tensor
        int64, of any shape.
    """
    size = input._data.size
    data = index._data
    if data.size and (int(data.max()) >= size or int(data.min()) < -size):
        raise IndexError("take(): tried to take from an index out of range")
    return _TAKE, (input, wrap(np.where(data < 0, data + size, data))), {}


_PUT = TensorOperation(
    lambda x, index, source, how: jnp.reshape(
        getattr(jnp.ravel(x).at[jnp.ravel(index)], how)(jnp.ravel(source)), x.shape
    ),
    "PutBackward0",
)


@operator(inplace=True, out=False)
def put(input: Tensor, index: Tensor, source: Tensor, accumulate: bool = False) -> Any:
    """The tensor with elements written to places of the flattened tensor.

    Parameters
    ----------
    input : Tensor
        The operand.
    index : Tensor
        int64.
    source : Tensor
        What to write.
    accumulate : bool
        Whether to add instead.
    """
    check_indices(index, input._data.size, "put_", IndexError, "put_(): index {bad} out of range")
    return _PUT, (input, index, source), {"how": "add" if accumulate else "set"}


@method()
def nonzero(input: Tensor, *, as_tuple: bool = False) -> Any:
    """The indices of elements that are not zero.

    Parameters
    ----------
    input : Tensor
        The operand.
    as_tuple : bool
        One vector for each dimension in place of one row for each element.
    """
    found = np.nonzero(np.atleast_1d(input._data))
    if as_tuple:
        return tuple([wrap(places.astype(_INT64)) for places in found])
    if not input._data.ndim:
        return wrap(np.zeros((len(found[0]), 0), _INT64))
    return wrap(np.stack(found, 1).astype(_INT64))


@method()
def argwhere(input: Tensor) -> Tensor:
    """The indices of elements that are not zero, one row for each.

    Parameters
    ----------
    input : Tensor
        The operand.
    """
    return nonzero(input)


_REPEAT = TensorOperation(
    lambda x, repeats, dim: jnp.repeat(x, repeats, dim), "RepeatInterleaveBackward0"
)


@method()
def repeat_interleave(input: Tensor, repeats: Any, dim: int | None = None) -> Tensor:
    """Every element, or slice, repeated.

    Parameters
    ----------
    input : Tensor
        The operand.
    repeats : int or Tensor
        How often, each or all.
    dim : int, optional
        Slices along this dimension; elements of the flattened tensor without one.
    """
    if dim is None:
        input, dim = input.reshape(-1), 0
    axis = check_dim(dim, input._data.ndim)
    if isinstance(repeats, Tensor) and repeats._data.size > 1:
        counts = repeats._data
        index = np.repeat(np.arange(input._data.shape[axis]), counts)
        return METHODS["index_select"](input, axis, wrap(index))
    return apply(_REPEAT, (input,), {"repeats": int(repeats), "dim": axis})
