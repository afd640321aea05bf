"""Parts and repetitions of tensors: slices, diagonals, windows, expansion, copies, complex parts.

Views share memory and the version counter with what they show (see `views`).
Read next: `joining`.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

import fnx.numpy as jnp
from fnx_nn.tensor.dispatch import TensorOperation, apply, view, write_raw
from fnx_nn.tensor.shapes import shape_arguments
from fnx_nn.tensor.table import METHODS, method, operator
from fnx_nn.tensor.tensor import Size, Tensor, check_dim
from fnx_nn.tensor.views import Diagonal, Expand, Index, Parts, Strided, Window

_NONE: dict[str, Any] = {}


@method()
def select(input: Tensor, dim: int, index: int) -> Tensor:
    """One slice along a dimension.

    Parameters
    ----------
    input : Tensor
        The operand.
    dim : int
        The dimension.
    index : int
        Which slice.
    """
    shape = input._data.shape
    if not shape:
        raise IndexError("select() cannot be applied to a 0-dim tensor.")
    axis = check_dim(dim, len(shape))
    if not -shape[axis] <= index < shape[axis]:
        raise IndexError(
            f"select(): index {index} out of range for tensor of size {list(shape)} at dimension "
            f"{axis}"
        )
    key = [(0, n, 1) for n in shape[:axis]]
    return view(input, Index((*key, index % shape[axis])), "SelectBackward0")


@method()
def narrow(input: Tensor, dim: int, start: Any, length: int) -> Tensor:
    """A stretch of a dimension.

    Parameters
    ----------
    input : Tensor
        The operand.
    dim : int
        The dimension.
    start : int
        The first place.
    length : int
        How many.
    """
    shape = input._data.shape
    axis, first = check_dim(dim, len(shape)), int(start)
    first = first + shape[axis] if first < 0 else first
    if length < 0 or first + length > shape[axis]:
        raise RuntimeError(
            f"start ({first}) + length ({length}) exceeds dimension size ({shape[axis]})."
        )
    key = [(0, n, 1) for n in shape[:axis]]
    return view(input, Index((*key, (first, first + length, 1))), "SliceBackward0")


@method()
def diagonal(input: Tensor, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Tensor:
    """A diagonal of two dimensions, as the last dimension.

    Parameters
    ----------
    input : Tensor
        The operand.
    offset : int
        How far above the main diagonal.
    dim1, dim2 : int
        The dimensions.
    """
    rank = input._data.ndim
    step = Diagonal(int(offset), check_dim(dim1, rank), check_dim(dim2, rank))
    return view(input, step, "DiagonalBackward0")


@method(function=False)
def unfold(self: Tensor, dimension: int, size: int, step: int) -> Tensor:
    """Windows along a dimension, their elements as the last dimension.

    Parameters
    ----------
    self : Tensor
        The operand.
    dimension : int
        The dimension.
    size, step : int
        Extent of a window, and from one to the next.
    """
    axis = check_dim(dimension, self._data.ndim)
    extent = self._data.shape[axis] if self._data.ndim else 1
    if size > extent:
        raise RuntimeError(
            f"maximum size for tensor at dimension {axis} is {extent} but size is {size}"
        )
    return view(self, Window(axis, int(size), int(step)), "UnfoldBackward0")


@method()
def as_strided(input: Tensor, size: Any, stride: Any, storage_offset: int | None = None) -> Tensor:
    """Any view of the memory of a contiguous tensor.

    Parameters
    ----------
    input : Tensor
        Contiguous.
    size, stride : sequence of int
        Extents and steps, in elements.
    storage_offset : int, optional
        Position of the first element in the memory.
    """
    if not input.is_contiguous():
        raise RuntimeError(
            "as_strided: the tensor must be contiguous here; use as_strided on the tensor that it "
            "is a view of, or .contiguous() first."
        )
    own = input.storage_offset()
    offset = 0 if storage_offset is None else storage_offset - own
    sizes, strides = tuple(size), tuple(stride)
    last = offset + sum((n - 1) * s for n, s in zip(sizes, strides, strict=True))
    if 0 not in sizes and not (offset >= 0 and last < input._data.size):
        raise RuntimeError(
            f"setStorage: sizes {list(sizes)}, strides {list(strides)}, storage offset "
            f"{offset + own} are out of bounds for storage of size {input._data.size}"
        )
    return view(input, Strided(sizes, strides, offset), "AsStridedBackward0")


# --------------------------------------------------------------------------------------- repetition


@method(function=False)
def expand(self: Tensor, *sizes: Any) -> Tensor:
    """Repeated along dimensions of extent 1, without a copy.

    Parameters
    ----------
    *sizes : int or sequence of int
        The extents; -1 leaves one as it is.
    """
    given, shape = shape_arguments(sizes), self._data.shape
    lead = len(given) - len(shape)
    if lead < 0:
        raise RuntimeError(
            f"expand({self.dtype!r}{{{list(shape)}}}, size={list(given)}): the number of sizes "
            f"provided ({len(given)}) must be greater or equal to the number of dimensions in the "
            f"tensor ({len(shape)})"
        )
    wanted = []
    for axis, n in enumerate(given):
        own = shape[axis - lead] if axis >= lead else 1
        if n == -1 and axis < lead:
            raise RuntimeError(
                "The expanded size of the tensor (-1) isn't allowed in a leading, non-existing "
                f"dimension {axis}"
            )
        if n not in (-1, own) and own != 1:
            raise RuntimeError(
                f"The expanded size of the tensor ({n}) must match the existing size ({own}) at "
                f"non-singleton dimension {axis}.  Target sizes: {list(given)}.  Tensor sizes: "
                f"{list(shape)}"
            )
        wanted.append(own if n == -1 else n)
    return view(self, Expand(tuple(wanted)), "ExpandBackward0")


@method(function=False)
def expand_as(self: Tensor, other: Tensor) -> Tensor:
    """Repeated to the shape of another tensor."""
    return expand(self, other._data.shape)


@method()
def broadcast_to(input: Tensor, size: Any) -> Tensor:
    """Repeated to a shape, without a copy.

    Parameters
    ----------
    input : Tensor
        The operand.
    size : sequence of int
        The shape.
    """
    return expand(input, size)


@method(as_method=False)
def broadcast_tensors(*tensors: Tensor) -> tuple[Tensor, ...]:
    """Tensors repeated to their joint shape, without copies.

    Parameters
    ----------
    *tensors : Tensor
        The operands.
    """
    shape = broadcast_shapes(*[x._data.shape for x in tensors])
    return tuple([expand(x, shape) for x in tensors])


@method(as_method=False)
def broadcast_shapes(*shapes: Any) -> Size:
    """The joint shape of shapes.

    Parameters
    ----------
    *shapes : sequence of int
        The shapes.
    """
    try:
        return Size(np.broadcast_shapes(*[tuple(s) for s in shapes]))
    except ValueError:
        raise RuntimeError(
            "Shape mismatch: objects cannot be broadcast to a single shape: "
            f"{', '.join(str(list(s)) for s in shapes)}"
        ) from None


_TILE = TensorOperation(lambda x, repeats: jnp.tile(x, repeats), "RepeatBackward0")


@method(function=False)
def repeat(self: Tensor, *repeats: Any) -> Tensor:
    """The tensor repeated along its dimensions, as a copy.

    Parameters
    ----------
    *repeats : int or sequence of int
        How often, for at least every dimension.
    """
    counts = shape_arguments(repeats)
    if len(counts) < self._data.ndim:
        raise RuntimeError(
            "Number of dimensions of repeat dims can not be smaller than number of dimensions of "
            "tensor"
        )
    return apply(_TILE, (self,), {"repeats": counts})


@method()
def tile(input: Tensor, *dims: Any) -> Tensor:
    """The tensor repeated along its last dimensions, as a copy.

    Parameters
    ----------
    input : Tensor
        The operand.
    *dims : int or sequence of int
        How often.
    """
    return apply(_TILE, (input,), {"repeats": shape_arguments(dims)})


# ------------------------------------------------------------------------------------------- copies

_CLONE = TensorOperation(lambda x: x, "CloneBackward0", elementwise=True)


@operator(out=False)
def clone(input: Tensor, *, memory_format: Any = None) -> Any:
    """A copy, through which gradients flow.

    Parameters
    ----------
    input : Tensor
        The operand.
    memory_format : optional
        Only the contiguous format is there.
    """
    return _CLONE, (input,), _NONE


@method(function=False)
def contiguous(self: Tensor, memory_format: Any = None) -> Tensor:
    """The tensor itself if it lies in row-major order, else a copy that does.

    Parameters
    ----------
    memory_format : optional
        Only the contiguous format is there.
    """
    if self.is_contiguous():
        return self
    return apply(_CONTIGUOUS, (self,), {"shape": self._data.shape})


_CONTIGUOUS = TensorOperation(lambda x, shape: jnp.reshape(x, shape), "CloneBackward0")


# ---------------------------------------------------------------------------------- complex numbers


def _part(self: Tensor, which: str) -> Tensor:
    if self._data.dtype.kind != "c":
        if which == "imag":
            raise RuntimeError("imag is not implemented for tensors with non-complex dtypes.")
        return self
    return view(self, Parts(which), f"{which.title()}Backward0")


METHODS["real"] = property(lambda self: _part(self, "real"))
METHODS["imag"] = property(lambda self: _part(self, "imag"))


@method(as_method=False)
def real(input: Tensor) -> Tensor:
    """The real part, as a view.

    Parameters
    ----------
    input : Tensor
        The operand.
    """
    return _part(input, "real")


@method(as_method=False)
def imag(input: Tensor) -> Tensor:
    """The imaginary part, as a view.

    Parameters
    ----------
    input : Tensor
        Complex.
    """
    return _part(input, "imag")


@method(as_method=False)
def view_as_real(input: Tensor) -> Tensor:
    """Real and imaginary part as a last dimension, as a view.

    Parameters
    ----------
    input : Tensor
        Complex.
    """
    return view(input, Parts("both"), "ViewAsRealBackward0")


@method(as_method=False)
def view_as_complex(input: Tensor) -> Tensor:
    """A last dimension of 2 as complex numbers, as a view.

    Parameters
    ----------
    input : Tensor
        Floating, the last dimension contiguous and of extent 2.
    """
    if input._data.shape[-1:] != (2,):
        raise RuntimeError("Tensor must have a last dimension of size 2")
    return view(input, Parts("complex"), "ViewAsComplexBackward0")


# ---------------------------------------------------------------------------------- shapes in place


def _reshaped_in_place(name: str) -> Any:
    def function(self: Tensor, *args: Any) -> Tensor:
        changed = METHODS[name](self, *args)
        if self._requires:
            raise RuntimeError(
                f"{name}_: changing the shape of a tensor that requires grad in place is not "
                f"supported; use {name}() and keep its result."
            )
        self._data = changed._data
        self.cell().version += 1
        return self

    function.__name__ = f"{name}_"
    function.__doc__ = f"In-place version of `{name}`."
    return function


for _name in ("squeeze", "unsqueeze", "t", "transpose", "swapaxes", "swapdims", "as_strided"):
    METHODS[f"{_name}_"] = _reshaped_in_place(_name)


@method(function=False)
def resize_(self: Tensor, *sizes: Any) -> Tensor:
    """Another shape; memory that is added is not initialised.

    Parameters
    ----------
    *sizes : int or sequence of int
        The shape.
    """
    shape = shape_arguments(sizes)
    if self._requires:
        raise RuntimeError("cannot resize variables that require grad")
    count = math.prod(shape)
    if count <= self._data.size and self._data.flags.c_contiguous:
        self._data = self._data.reshape(-1)[:count].reshape(shape)
        return self
    grown = np.zeros(count, self._data.dtype)
    grown[: self._data.size] = self._data.reshape(-1)
    self._data = grown.reshape(shape)
    return self


@method(function=False)
def fill_diagonal_(self: Tensor, fill_value: Any, wrap: bool = False) -> Tensor:
    """Write a number to the main diagonal.

    Parameters
    ----------
    self : Tensor
        Of at least two dimensions.
    fill_value : number
        The number.
    wrap : bool
        Whether tall matrices have several diagonals.
    """
    return write_raw(self, lambda buffer: np.fill_diagonal(buffer, fill_value, wrap))
