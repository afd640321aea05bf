"""Other shapes of the same elements: views where memory allows, copies where PyTorch makes them.

A view shares memory and the version counter with what it shows (see `views`). `reshape`, `flatten`
and `contiguous` copy only when they must.
Read next: `parts`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

import fnx.numpy as jnp
from fnx_nn.dtypes import dtype as Dtype
from fnx_nn.tensor.dispatch import TensorOperation, apply, view
from fnx_nn.tensor.elementary import require_tensor
from fnx_nn.tensor.table import METHODS, method
from fnx_nn.tensor.tensor import Tensor, check_dim, wrap
from fnx_nn.tensor.views import Permute, Reshape

__all__ = ["shape_arguments"]


def shape_arguments(args: Sequence[Any]) -> tuple[int, ...]:
    """A shape given as several integers or as one sequence.

    Parameters
    ----------
    args : sequence
        What stands in the place of ``*shape``.
    """
    if len(args) == 1 and isinstance(args[0], (tuple, list)):
        args = args[0]
    return tuple([int(n) for n in args])


def _filled_in(shape: tuple[int, ...], count: int) -> tuple[int, ...]:
    """The shape with -1 replaced."""
    if -1 in shape:
        if shape.count(-1) > 1:
            raise RuntimeError("only one dimension can be inferred")
        known = -math.prod(shape)
        if known == 0:
            raise RuntimeError(
                f"cannot reshape tensor of {count} elements into shape {list(shape)} because the "
                "unspecified dimension size -1 can be any value and is ambiguous"
            )
        if count % known == 0:
            return tuple([count // known if n == -1 else n for n in shape])
    elif math.prod(shape) == count and min(shape, default=0) >= 0:
        return shape
    if any(n < -1 for n in shape):
        raise RuntimeError(f"invalid shape dimension {min(shape)}")
    raise RuntimeError(f"shape '{list(shape)}' is invalid for input of size {count}")


def _is_viewable(data: Any, shape: tuple[int, ...]) -> bool:
    if type(data) is not np.ndarray or data.flags.c_contiguous or not data.size:
        return True
    return bool(np.may_share_memory(data.reshape(shape), data))


def _viewed(self: Tensor, *shape: Any, dtype: Dtype | None = None) -> Tensor:
    """The same memory in another shape; raises where that needs a copy.

    Parameters
    ----------
    *shape : int, or sequence of int, or dtype
        The shape, with at most one -1; or a dtype to read the bytes as.
    dtype : dtype, optional
        Read the bytes as another dtype.
    """
    if dtype is None and len(shape) == 1 and isinstance(shape[0], Dtype):
        dtype = shape[0]
    if dtype is not None:
        return _bytes_as(self, dtype)
    wanted = _filled_in(shape_arguments(shape), self._data.size)
    if not _is_viewable(self._data, wanted):
        raise RuntimeError(
            "view size is not compatible with input tensor's size and stride (at least one "
            "dimension spans across two contiguous subspaces). Use .reshape(...) instead."
        )
    return view(self, Reshape(wanted), "ViewBackward0")


METHODS["view"] = _viewed


def _bytes_as(self: Tensor, dtype: Dtype) -> Tensor:
    """The same bytes as elements of another type."""
    out = wrap(self._data.view(dtype.numpy))
    out._cell = self.cell()
    return out


@method()
def reshape(input: Tensor, *shape: Any) -> Tensor:
    """The same elements, row by row, in another shape; a view where possible.

    Parameters
    ----------
    input : Tensor
        The operand.
    *shape : int or sequence of int
        The shape, with at most one -1.
    """
    data = require_tensor(input, "reshape")._data
    wanted = _filled_in(shape_arguments(shape), data.size)
    if _is_viewable(data, wanted):
        return view(input, Reshape(wanted), "ViewBackward0")
    return _copied_into(input, wanted)


_COPY_RESHAPED = TensorOperation(lambda x, shape: jnp.reshape(x, shape), "UnsafeViewBackward0")


def _copied_into(input: Tensor, shape: tuple[int, ...]) -> Tensor:
    return apply(_COPY_RESHAPED, (input,), {"shape": shape})


@method(function=False)
def view_as(self: Tensor, other: Tensor) -> Tensor:
    """The same memory in the shape of another tensor."""
    return _viewed(self, other._data.shape)


@method(function=False)
def reshape_as(self: Tensor, other: Tensor) -> Tensor:
    """The same elements in the shape of another tensor."""
    return reshape(self, other._data.shape)


@method()
def flatten(input: Tensor, start_dim: int = 0, end_dim: int = -1) -> Tensor:
    """Some neighbouring dimensions as one.

    Parameters
    ----------
    input : Tensor
        The operand.
    start_dim, end_dim : int
        The first and the last of them.
    """
    shape = input._data.shape
    start, end = check_dim(start_dim, len(shape)), check_dim(end_dim, len(shape))
    if start > end:
        raise RuntimeError("flatten() has invalid args: start_dim cannot come after end_dim")
    if not shape:
        return reshape(input, (1,))
    if start == end:
        return input
    joined = math.prod(shape[start : end + 1])
    return reshape(input, (*shape[:start], joined, *shape[end + 1 :]))


@method()
def unflatten(input: Tensor, dim: int, sizes: Any) -> Tensor:
    """One dimension as several.

    Parameters
    ----------
    input : Tensor
        The operand.
    dim : int
        The dimension.
    sizes : sequence of int
        Its extents, with at most one -1.
    """
    shape = input._data.shape
    axis = check_dim(dim, len(shape))
    sizes = tuple(sizes)
    known = math.prod([n for n in sizes if n != -1])
    if shape[axis] % known if -1 in sizes and known else shape[axis] != known:
        raise RuntimeError(
            f"unflatten: Provided sizes {list(sizes)} don't multiply up to the size of dim {axis} "
            f"({shape[axis]}) in the input tensor"
        )
    parts = _filled_in(sizes, shape[axis])
    return _viewed(input, (*shape[:axis], *parts, *shape[axis + 1 :]))


@method()
def ravel(input: Tensor) -> Tensor:
    """All dimensions as one.

    Parameters
    ----------
    input : Tensor
        The operand.
    """
    return reshape(input, (-1,))


# ----------------------------------------------------------------------------------- axes of size 1


@method()
def squeeze(input: Tensor, dim: Any = None) -> Tensor:
    """Without dimensions of extent 1.

    Parameters
    ----------
    input : Tensor
        The operand.
    dim : int or tuple of int, optional
        Only these.
    """
    shape = input._data.shape
    if dim is None:
        gone = set(range(len(shape)))
    else:
        gone = {check_dim(int(d), len(shape)) for d in (dim if isinstance(dim, tuple) else (dim,))}
    kept = tuple([n for k, n in enumerate(shape) if n != 1 or k not in gone])
    number = 0 if dim is None else 2 if isinstance(dim, tuple) else 1
    return view(input, Reshape(kept), f"SqueezeBackward{number}")


@method()
def unsqueeze(input: Tensor, dim: int) -> Tensor:
    """With a new dimension of extent 1.

    Parameters
    ----------
    input : Tensor
        The operand.
    dim : int
        Where it stands in the result.
    """
    shape = input._data.shape
    axis = check_dim(dim, len(shape) + 1)
    return view(input, Reshape((*shape[:axis], 1, *shape[axis:])), "UnsqueezeBackward0")


# ------------------------------------------------------------------------------------ order of axes


@method()
def permute(input: Tensor, *dims: Any) -> Tensor:
    """The dimensions in another order.

    Parameters
    ----------
    input : Tensor
        The operand.
    *dims : int or sequence of int
        For each dimension of the result, one of the operand.
    """
    given = shape_arguments(dims)
    rank = input._data.ndim
    if len(given) != rank:
        raise RuntimeError(
            "permute(sparse_coo): number of dimensions in the tensor input does not match the "
            f"length of the desired ordering of dimensions i.e. input.dim() = {rank} is not equal "
            f"to len(dims) = {len(given)}"
        )
    order = tuple([check_dim(d, rank) for d in given])
    if len(set(order)) != rank:
        raise RuntimeError("permute(): duplicate dims are not allowed.")
    return view(input, Permute(order), "PermuteBackward0")


@method("swapaxes", "swapdims")
def transpose(input: Tensor, dim0: int, dim1: int) -> Tensor:
    """Two dimensions exchanged.

    Parameters
    ----------
    input : Tensor
        The operand.
    dim0, dim1 : int
        The dimensions.
    """
    return view(input, _exchange(input, dim0, dim1), "TransposeBackward0")


def _exchange(input: Tensor, dim0: int, dim1: int) -> Permute:
    rank = input._data.ndim
    a, b = check_dim(dim0, rank), check_dim(dim1, rank)
    order = list(range(rank))
    if rank:
        order[a], order[b] = b, a
    return Permute(tuple(order))


@method()
def t(input: Tensor) -> Tensor:
    """A matrix transposed; vectors and numbers as they are.

    Parameters
    ----------
    input : Tensor
        Of at most two dimensions.
    """
    rank = input._data.ndim
    if rank > 2:
        raise RuntimeError(f"t() expects a tensor with <= 2 dimensions, but self is {rank}D")
    return view(input, Permute(tuple(reversed(range(rank)))), "TBackward0")


@method("moveaxis")
def movedim(input: Tensor, source: Any, destination: Any) -> Tensor:
    """Some dimensions moved to other places.

    Parameters
    ----------
    input : Tensor
        The operand.
    source, destination : int or tuple of int
        From where, and to where.
    """
    rank = input._data.ndim
    sources = [check_dim(d, rank) for d in (source if isinstance(source, tuple) else (source,))]
    places = destination if isinstance(destination, tuple) else (destination,)
    order = [k for k in range(rank) if k not in sources]
    for place, axis in sorted(
        (check_dim(d, rank), s) for d, s in zip(places, sources, strict=True)
    ):
        order.insert(place, axis)
    return view(input, Permute(tuple(order)), "PermuteBackward0")


def _all_reversed(self: Tensor) -> Tensor:
    """The dimensions in opposite order."""
    return view(self, Permute(tuple(reversed(range(self._data.ndim)))), "PermuteBackward0")


def _last_exchanged(self: Tensor) -> Tensor:
    """The last two dimensions exchanged."""
    if self._data.ndim < 2:
        raise RuntimeError(
            "tensor.mT is only supported on matrices or batches of matrices. Got "
            f"{self._data.ndim}-D tensor."
        )
    return view(self, _exchange(self, -2, -1), "TransposeBackward0")


@method()
def adjoint(input: Tensor) -> Tensor:
    """The last two dimensions exchanged, and the complex conjugate.

    Parameters
    ----------
    input : Tensor
        Matrices.
    """
    return _last_exchanged(input).conj()


METHODS["T"] = property(_all_reversed)
METHODS["mT"] = property(_last_exchanged)
METHODS["H"] = METHODS["mH"] = property(adjoint)
