"""Joining tensors and taking them apart: cat, stack, split, chunk, unbind, and their relatives.

The parts are views; where a function gives several, writing through one of them is refused while
gradients are recorded, as in PyTorch.
Read next: `selection`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

import fnx.numpy as jnp
from fnx_nn.dtypes import promoted
from fnx_nn.tensor.dispatch import TensorOperation, apply, view
from fnx_nn.tensor.table import METHODS, method, write_out
from fnx_nn.tensor.tensor import Tensor, check_dim
from fnx_nn.tensor.views import Index

_CAT = TensorOperation(
    lambda *xs, dim, dtype=None: jnp.concatenate(
        xs if dtype is None else [x.astype(dtype) for x in xs], dim
    ),
    "CatBackward0",
)
_STACK = TensorOperation(
    lambda *xs, dim, dtype=None: jnp.stack(
        xs if dtype is None else [x.astype(dtype) for x in xs], dim
    ),
    "StackBackward0",
)


def _joint_dtype(tensors: Sequence[Tensor]) -> dict[str, Any]:
    target = tensors[0]._data.dtype
    same = True
    for x in tensors[1:]:
        if x._data.dtype != target:
            same, target = False, promoted(target, x._data.dtype)
    return {} if same else {"dtype": target}


def _several(tensors: Any, name: str) -> tuple[Tensor, ...]:
    if isinstance(tensors, Tensor):
        raise TypeError(
            f"{name}(): argument 'tensors' (position 1) must be tuple of Tensors, not Tensor"
        )
    given = tuple(tensors)
    for k, x in enumerate(given):
        if not isinstance(x, Tensor):
            raise TypeError(
                f"expected Tensor as element {k} in argument 0, but got {type(x).__name__}"
            )
    if not given and name == "stack":
        raise RuntimeError("stack expects a non-empty TensorList")
    if not given:
        raise ValueError(f"{name}: expected a non-empty list of Tensors")
    return given


@method("concat", "concatenate", as_method=False)
def cat(tensors: Any, dim: int = 0, *, out: Tensor | None = None) -> Tensor:
    """Tensors one after the other along a dimension.

    Parameters
    ----------
    tensors : sequence of Tensor
        Of equal extents in the other dimensions.
    dim : int
        The dimension.
    out : Tensor, optional
        Where to write the result.

    Examples
    --------
    >>> import fnx_nn as torch
    >>> torch.cat([torch.zeros(2), torch.ones(1)])
    tensor([0., 0., 1.])
    """
    given = _several(tensors, "torch.cat()")
    # A 1-d tensor without elements fits everything, as it always has in PyTorch.
    parts = [x for x in given if x._data.shape != (0,)] or list(given[:1])
    shape = parts[0]._data.shape
    if not shape:
        raise RuntimeError("zero-dimensional tensor (at position 0) cannot be concatenated")
    axis = check_dim(dim, len(shape))
    for k, x in enumerate(parts):
        other = x._data.shape
        if len(other) != len(shape):
            raise RuntimeError(
                f"Tensors must have same number of dimensions: got {len(shape)} and {len(other)}"
            )
        for a, (n, m) in enumerate(zip(shape, other, strict=True)):
            if a != axis and n != m:
                raise RuntimeError(
                    f"Sizes of tensors must match except in dimension {axis}. Expected size {n} "
                    f"but got size {m} for tensor number {k} in the list."
                )
    result = apply(_CAT, parts, {"dim": axis, **_joint_dtype(given)})
    return result if out is None else write_out(out, result, "cat")


@method(as_method=False)
def stack(tensors: Any, dim: int = 0, *, out: Tensor | None = None) -> Tensor:
    """Tensors side by side along a new dimension.

    Parameters
    ----------
    tensors : sequence of Tensor
        Of one shape.
    dim : int
        Where the new dimension stands.
    out : Tensor, optional
        Where to write the result.
    """
    given = _several(tensors, "stack")
    shape = given[0]._data.shape
    for k, x in enumerate(given):
        if x._data.shape != shape:
            raise RuntimeError(
                f"stack expects each tensor to be equal size, but got {list(shape)} at entry 0 and "
                f"{list(x._data.shape)} at entry {k}"
            )
    result = apply(_STACK, given, {"dim": check_dim(dim, len(shape) + 1), **_joint_dtype(given)})
    return result if out is None else write_out(out, result, "stack")


def _at_least(rank: int, x: Tensor) -> Tensor:
    shape = x._data.shape
    if len(shape) >= rank:
        return x
    shapes = {1: (-1,), 2: (1, *shape) if shape else (1, 1)}
    if rank == 3:
        return (
            x.reshape(1, 1, 1)
            if not shape
            else (x.reshape(1, -1, 1) if len(shape) == 1 else x.reshape(*shape, 1))
        )
    return x.reshape(shapes[rank])


def _row_of_at_least(rank: int) -> None:
    def function(*tensors: Any) -> Any:
        given = (
            tensors[0] if len(tensors) == 1 and isinstance(tensors[0], (list, tuple)) else tensors
        )
        made = tuple([_at_least(rank, x) for x in given])
        return made[0] if len(tensors) == 1 and isinstance(tensors[0], Tensor) else made

    function.__name__ = f"atleast_{rank}d"
    function.__doc__ = (
        f"Tensors with at least {rank} dimensions.\n\nParameters\n----------\n*tensors : Tensor\n"
        "    The operands."
    )
    method(as_method=False)(function)


for _rank in (1, 2, 3):
    _row_of_at_least(_rank)


@method(as_method=False)
def hstack(tensors: Any, *, out: Tensor | None = None) -> Tensor:
    """Tensors one after the other along the second dimension (the only one of vectors).

    Parameters
    ----------
    tensors : sequence of Tensor
        The parts.
    out : Tensor, optional
        Where to write the result.
    """
    parts = [_at_least(1, x) for x in tensors]
    return cat(parts, 0 if parts[0]._data.ndim == 1 else 1, out=out)


@method("row_stack", as_method=False)
def vstack(tensors: Any, *, out: Tensor | None = None) -> Tensor:
    """Tensors one below the other, vectors as rows.

    Parameters
    ----------
    tensors : sequence of Tensor
        The parts.
    out : Tensor, optional
        Where to write the result.
    """
    return cat([_at_least(2, x) for x in tensors], 0, out=out)


@method(as_method=False)
def dstack(tensors: Any, *, out: Tensor | None = None) -> Tensor:
    """Tensors one behind the other, along the third dimension.

    Parameters
    ----------
    tensors : sequence of Tensor
        The parts.
    out : Tensor, optional
        Where to write the result.
    """
    return cat([_at_least(3, x) for x in tensors], 2, out=out)


@method(as_method=False)
def column_stack(tensors: Any, *, out: Tensor | None = None) -> Tensor:
    """Tensors beside each other, vectors as columns.

    Parameters
    ----------
    tensors : sequence of Tensor
        The parts.
    out : Tensor, optional
        Where to write the result.
    """
    columns = [x.reshape(-1, 1) if x._data.ndim < 2 else x for x in tensors]
    return cat(columns, 1, out=out)


# ------------------------------------------------------------------------------------- taking apart


def _stretches(x: Tensor, axis: int, sizes: Sequence[int], node: str) -> tuple[Tensor, ...]:
    lead = [(0, n, 1) for n in x._data.shape[:axis]]
    parts, start = [], 0
    for k, size in enumerate(sizes):
        step = Index((*lead, (start, start + size, 1)))
        part = view(x, step, node, node.removesuffix("Backward0"))
        part._output_shown = k
        parts.append(part)
        start += size
    return tuple(parts)


@method()
def split(tensor: Tensor, split_size_or_sections: Any, dim: int = 0) -> tuple[Tensor, ...]:
    """Stretches of a dimension.

    Parameters
    ----------
    tensor : Tensor
        The operand.
    split_size_or_sections : int or sequence of int
        The extent of all but the last, or all extents.
    dim : int
        The dimension.
    """
    shape = tensor._data.shape
    if not shape:
        raise RuntimeError("split expects at least a 1-dimensional tensor")
    axis = check_dim(dim, len(shape))
    extent = shape[axis]
    if isinstance(split_size_or_sections, (tuple, list)):
        sizes = [int(n) for n in split_size_or_sections]
        if sum(sizes) != extent:
            raise RuntimeError(
                f"split_with_sizes expects split_sizes to sum exactly to {extent} (input tensor's "
                f"size at dimension {axis}), but got split_sizes={sizes}"
            )
        return _stretches(tensor, axis, sizes, "SplitWithSizesBackward0")
    size = int(split_size_or_sections)
    if size <= 0 and extent:
        raise RuntimeError(
            f"split_size can only be 0 if dimension size is 0, but got dimension size of {extent}"
        )
    count = max(math.ceil(extent / size), 1) if size else 1
    sizes = [min(size, extent - k * size) for k in range(count)] if size else [0]
    return _stretches(tensor, axis, sizes, "SplitBackward0")


@method()
def split_with_sizes(input: Tensor, split_sizes: Sequence[int], dim: int = 0) -> tuple[Tensor, ...]:
    """Stretches of a dimension, of given extents.

    Parameters
    ----------
    input : Tensor
        The operand.
    split_sizes : sequence of int
        The extents.
    dim : int
        The dimension.
    """
    return split(input, list(split_sizes), dim)


@method()
def chunk(input: Tensor, chunks: int, dim: int = 0) -> tuple[Tensor, ...]:
    """At most so many stretches of a dimension, all but the last of one extent.

    Parameters
    ----------
    input : Tensor
        The operand.
    chunks : int
        How many.
    dim : int
        The dimension.
    """
    if chunks <= 0:
        raise RuntimeError(f"chunk expects `chunks` to be greater than 0, got: {chunks}")
    extent = input._data.shape[check_dim(dim, input._data.ndim)]
    return split(input, max(math.ceil(extent / chunks), 1), dim)


@method()
def tensor_split(input: Tensor, indices_or_sections: Any, dim: int = 0) -> tuple[Tensor, ...]:
    """Stretches of a dimension, as even as possible or cut at given places.

    Parameters
    ----------
    input : Tensor
        The operand.
    indices_or_sections : int or sequence of int
        How many, or where to cut.
    dim : int
        The dimension.
    """
    axis = check_dim(dim, input._data.ndim)
    extent = input._data.shape[axis]
    if isinstance(indices_or_sections, int):
        least, more = divmod(extent, indices_or_sections)
        sizes = [least + (k < more) for k in range(indices_or_sections)]
    else:
        cuts = [min(max(c + extent if c < 0 else c, 0), extent) for c in indices_or_sections]
        sizes = [max(b - a, 0) for a, b in zip([0, *cuts], [*cuts, extent], strict=True)]
    return _stretches(input, axis, sizes, "SliceBackward0")


def _split_along(name: str, axis_of: Any) -> None:
    def function(input: Tensor, indices_or_sections: Any) -> Any:
        return tensor_split(input, indices_or_sections, axis_of(input._data.ndim))

    function.__name__ = name
    function.__doc__ = (
        "Stretches of one of the first dimensions, see `tensor_split`.\n\nParameters\n----------\n"
        "input : Tensor\n    The operand.\nindices_or_sections : int or sequence of int\n"
        "    How many, or where to cut."
    )
    method()(function)


_split_along("hsplit", lambda rank: 0 if rank == 1 else 1)
_split_along("vsplit", lambda rank: 0)
_split_along("dsplit", lambda rank: 2)


@method()
def unbind(input: Tensor, dim: int = 0) -> tuple[Tensor, ...]:
    """All slices along a dimension.

    Parameters
    ----------
    input : Tensor
        The operand.
    dim : int
        The dimension.
    """
    shape = input._data.shape
    axis = check_dim(dim, len(shape))
    lead = [(0, n, 1) for n in shape[:axis]]
    parts = []
    for k in range(shape[axis]):
        part = view(input, Index((*lead, k)), "UnbindBackward0", "Unbind")
        part._output_shown = k
        parts.append(part)
    return tuple(parts)


def _iterate(self: Tensor) -> Any:
    if not self._data.ndim:
        raise TypeError("iteration over a 0-d tensor")
    return iter(unbind(self))


METHODS["__iter__"] = _iterate


@method(as_method=False)
def meshgrid(*tensors: Any, indexing: str = "ij") -> tuple[Tensor, ...]:
    """Grids of coordinates from vectors.

    Parameters
    ----------
    *tensors : Tensor
        Vectors.
    indexing : {"ij", "xy"}
        Whether the first varies along the first or along the second dimension.
    """
    given = tensors[0] if len(tensors) == 1 and isinstance(tensors[0], (list, tuple)) else tensors
    if indexing not in ("ij", "xy"):
        raise RuntimeError(
            f'torch.meshgrid: indexing must be one of "xy" or "ij", but received: {indexing}'
        )
    vectors = list(given)
    swap = indexing == "xy" and len(vectors) > 1
    if swap:
        vectors[:2] = vectors[1], vectors[0]
    shape = tuple([x.numel() for x in vectors])
    grids = []
    for k, x in enumerate(vectors):
        flat = x.reshape([-1 if a == k else 1 for a in range(len(vectors))])
        grids.append(flat.expand(shape))
    if swap:
        grids = [g.transpose(0, 1) for g in grids]
        grids[:2] = grids[1], grids[0]
    return tuple(grids)


_FLIP = TensorOperation(lambda x, dims: jnp.flip(x, dims), "FlipBackward0")


@method()
def flip(input: Tensor, *dims: Any) -> Tensor:
    """The elements in opposite order along dimensions.

    Parameters
    ----------
    input : Tensor
        The operand.
    *dims : int or sequence of int
        The dimensions.
    """
    given = dims[0] if len(dims) == 1 and isinstance(dims[0], (list, tuple)) else dims
    axes = tuple([check_dim(d, input._data.ndim) for d in given])
    return apply(_FLIP, (input,), {"dims": axes})


@method()
def fliplr(input: Tensor) -> Tensor:
    """The elements in opposite order along the second dimension.

    Parameters
    ----------
    input : Tensor
        The operand.
    """
    return flip(input, 1)


@method()
def flipud(input: Tensor) -> Tensor:
    """The elements in opposite order along the first dimension.

    Parameters
    ----------
    input : Tensor
        The operand.
    """
    return flip(input, 0)


_ROLL = TensorOperation(lambda x, shifts, dims: jnp.roll(x, shifts, dims), "RollBackward0")


@method()
def roll(input: Tensor, shifts: Any, dims: Any = None) -> Tensor:
    """The elements moved along dimensions; what leaves at the end comes in at the beginning.

    Parameters
    ----------
    input : Tensor
        The operand.
    shifts : int or sequence of int
        How far.
    dims : int or sequence of int, optional
        Along which; of the flattened tensor without any.
    """
    far = tuple(shifts) if isinstance(shifts, (list, tuple)) else (int(shifts),)
    if dims is None:
        params: dict[str, Any] = {"shifts": far[0], "dims": None}
        return apply(_ROLL, (input,), params)
    axes = tuple(dims) if isinstance(dims, (list, tuple)) else (int(dims),)
    if len(axes) != len(far):
        raise RuntimeError(
            f"shifts and dimensions must align. shifts: {len(far)}, dims:{len(axes)}"
        )
    axes = tuple([check_dim(d, input._data.ndim) for d in axes])
    return apply(_ROLL, (input,), {"shifts": far, "dims": axes})


@method()
def rot90(input: Tensor, k: int = 1, dims: Any = (0, 1)) -> Tensor:
    """A plane turned by quarter turns.

    Parameters
    ----------
    input : Tensor
        The operand.
    k : int
        How many quarter turns.
    dims : sequence of 2 int
        From which dimension to which.
    """
    a, b = (check_dim(d, input._data.ndim) for d in dims)
    turns = k % 4
    if turns == 0:
        return input.clone()
    if turns == 2:
        return flip(input, a, b)
    turned = input.transpose(a, b)
    return flip(turned, a if turns == 1 else b)


_TRIL = TensorOperation(lambda x, diagonal: jnp.tril(x, diagonal), "TrilBackward0")
_TRIU = TensorOperation(lambda x, diagonal: jnp.triu(x, diagonal), "TriuBackward0")


def _triangle(operation: TensorOperation, name: str, which: str) -> None:
    def function(input: Tensor, diagonal: int = 0) -> Tensor:
        return apply(operation, (input,), {"diagonal": int(diagonal)})

    function.__name__ = name
    function.__doc__ = (
        f"The {which} triangle of matrices, zeros elsewhere.\n\nParameters\n----------\n"
        "input : Tensor\n    Matrices.\ndiagonal : int\n    The last diagonal that stays."
    )
    method()(function)
    METHODS[f"{name}_"] = lambda self, diagonal=0: self.copy_(function(self, diagonal))


_triangle(_TRIL, "tril", "lower")
_triangle(_TRIU, "triu", "upper")


@method()
def diag(input: Tensor, diagonal: int = 0) -> Tensor:
    """The diagonal of a matrix as a copy, or the matrix with a vector as its diagonal.

    Parameters
    ----------
    input : Tensor
        A vector or a matrix.
    diagonal : int
        How far above the main diagonal.
    """
    if input._data.ndim == 1:
        return diag_embed(input, diagonal)
    if input._data.ndim != 2:
        raise RuntimeError(f"diag(): Supports 1D or 2D tensors. Got {input._data.ndim}D")
    return input.diagonal(diagonal).clone()


_DIAG_EMBED = TensorOperation(lambda x, offset: _on_diagonal(x, offset), "DiagEmbedBackward0")


def _on_diagonal(x: Any, offset: int) -> Any:
    n = x.shape[-1] + abs(offset)
    rows = jnp.arange(n)[:, None]
    columns = jnp.arange(n)[None, :]
    # Each row, or each column, holds one element: broadcast it and blank the others.
    place = (rows if offset >= 0 else columns) * jnp.ones((n, n), np.int32)
    safe = jnp.where(place < x.shape[-1], place, 0)
    return jnp.where(columns - rows == offset, x[..., safe], jnp.zeros((), x.dtype))


@method()
def diag_embed(input: Tensor, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Tensor:
    """Matrices with the last dimension as their diagonals.

    Parameters
    ----------
    input : Tensor
        The diagonals.
    offset : int
        How far above the main diagonal.
    dim1, dim2 : int
        Where the two dimensions of the matrices stand.
    """
    made = apply(_DIAG_EMBED, (input,), {"offset": int(offset)})
    return made if (dim1, dim2) == (-2, -1) else made.movedim((-2, -1), (dim1, dim2))


@method()
def trace(input: Tensor) -> Tensor:
    """The sum of the main diagonal of a matrix.

    Parameters
    ----------
    input : Tensor
        A matrix.
    """
    if input._data.ndim != 2:
        raise RuntimeError("trace: expected a matrix")
    return input.diagonal().sum()
