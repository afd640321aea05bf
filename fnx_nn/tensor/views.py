"""Views as data: the steps that lead from a tensor to one that shares its memory.

Each step says three things about itself. `view(data)`: the ndarray that aliases another one.
`read(array)`: the same as a function of immutable arrays, from which its pullback is derived.
`write(array, value)`: the array with the viewed part replaced, which is what a write through a view
means to the gradients of the base. Steps are hashable: they are parameters of operations.
Read next: `dispatch` (which records them).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

import fnx.numpy as jnp
from fnx import lax

__all__ = ["Diagonal", "Expand", "Index", "Parts", "Permute", "Reshape", "Strided", "Window"]

NDArray = np.ndarray[Any, Any]


@dataclass(frozen=True, slots=True)
class Index:
    """Basic indexing.

    Parameters
    ----------
    key : tuple
        One entry for each axis: an int, or a slice as a tuple ``(start, stop, step)``, normalised;
        None for a new axis.
    """

    key: tuple[Any, ...]

    def view(self, data: NDArray) -> NDArray:
        """The aliasing ndarray."""
        return data[(*self.slices(), ...)]  # the ellipsis: a 0-d view instead of a scalar

    def read(self, array: Any) -> Any:
        """The part of an immutable array."""
        return array[self.slices()]

    def write(self, array: Any, value: Any) -> Any:
        """The array with the part replaced."""
        if any(type(k) is tuple and k[2] != 1 for k in self.key):
            return write_places(self, array, value)
        # Without steps it is a block.
        key = [k for k in self.key if k is not None]
        key += [(0, n, 1) for n in array.shape[len(key) :]]
        starts = [k[0] if type(k) is tuple else k for k in key]
        sizes = [k[1] - k[0] if type(k) is tuple else 1 for k in key]
        return lax.dynamic_update_slice(array, jnp.reshape(value, sizes), starts)

    def slices(self) -> tuple[Any, ...]:
        """The key as NumPy takes it."""
        return tuple([slice(*k) if type(k) is tuple else k for k in self.key])


@dataclass(frozen=True, slots=True)
class Reshape:
    """The same elements in another shape, where no copy is needed."""

    shape: tuple[int, ...]

    def view(self, data: NDArray) -> NDArray:
        """The aliasing ndarray."""
        return data.reshape(self.shape)

    def read(self, array: Any) -> Any:
        """The array in the other shape."""
        return jnp.reshape(array, self.shape)

    def write(self, array: Any, value: Any) -> Any:
        """The value in the array's shape."""
        return jnp.reshape(value, array.shape)


@dataclass(frozen=True, slots=True)
class Permute:
    """The axes in another order."""

    order: tuple[int, ...]

    def view(self, data: NDArray) -> NDArray:
        """The aliasing ndarray."""
        return data.transpose(self.order)

    def read(self, array: Any) -> Any:
        """The array with its axes in the other order."""
        return jnp.transpose(array, self.order)

    def write(self, array: Any, value: Any) -> Any:
        """The value with its axes in the array's order."""
        return jnp.transpose(value, tuple(np.argsort(self.order).tolist()))


@dataclass(frozen=True, slots=True)
class Expand:
    """Repeated along axes without a copy; several elements are one, so it is never written to."""

    shape: tuple[int, ...]

    def view(self, data: NDArray) -> NDArray:
        """The aliasing ndarray."""
        lead = len(self.shape) - data.ndim
        padded = (1,) * lead + data.shape
        strides = (0,) * lead + data.strides
        stretched = [
            0 if n == 1 and m != 1 else s
            for n, m, s in zip(padded, self.shape, strides, strict=True)
        ]
        return np.lib.stride_tricks.as_strided(data, self.shape, stretched)

    def read(self, array: Any) -> Any:
        """The repeated array."""
        return jnp.broadcast_to(array, self.shape)

    def write(self, array: Any, value: Any) -> Any:
        """Refused: an element would get several values."""
        raise RuntimeError(OVERLAP)


@dataclass(frozen=True, slots=True)
class Diagonal:
    """A diagonal of two axes, as the last axis."""

    offset: int
    dim1: int
    dim2: int

    def view(self, data: NDArray) -> NDArray:
        """The aliasing ndarray."""
        # Not np.diagonal, whose result is read-only.
        found = np.diagonal(data, self.offset, self.dim1, self.dim2)
        start = [slice(None)] * data.ndim
        below, beside = max(-self.offset, 0), max(self.offset, 0)
        start[self.dim1] = slice(min(below, data.shape[self.dim1]), None)
        start[self.dim2] = slice(min(beside, data.shape[self.dim2]), None)
        corner = data[tuple(start)]
        return np.lib.stride_tricks.as_strided(corner, found.shape, found.strides)

    def read(self, array: Any) -> Any:
        """The diagonal of an immutable array."""
        return jnp.diagonal(array, self.offset, self.dim1, self.dim2)

    def write(self, array: Any, value: Any) -> Any:
        """The array with the diagonal replaced."""
        return write_places(self, array, value)


@dataclass(frozen=True, slots=True)
class Window:
    """Overlapping windows along an axis, their elements as the last axis."""

    dim: int
    size: int
    step: int

    def view(self, data: NDArray) -> NDArray:
        """The aliasing ndarray."""
        stride = data.strides[self.dim]
        shape, strides = list(data.shape), list(data.strides)
        shape[self.dim] = (shape[self.dim] - self.size) // self.step + 1
        strides[self.dim] = stride * self.step
        return np.lib.stride_tricks.as_strided(data, (*shape, self.size), (*strides, stride))

    def read(self, array: Any) -> Any:
        """The windows of an immutable array."""
        return read_places(self, array)

    def write(self, array: Any, value: Any) -> Any:
        """The array with the windows replaced; refused before, where they overlap."""
        return write_places(self, array, value)


@dataclass(frozen=True, slots=True)
class Strided:
    """Any view of the memory of a contiguous tensor.

    Parameters
    ----------
    shape, strides : tuple of int
        In elements.
    offset : int
        Of the first element from that of the tensor.
    """

    shape: tuple[int, ...]
    strides: tuple[int, ...]
    offset: int

    def view(self, data: NDArray) -> NDArray:
        """The aliasing ndarray."""
        size = data.itemsize
        flat = data.reshape(-1)[self.offset :]
        return np.lib.stride_tricks.as_strided(flat, self.shape, [s * size for s in self.strides])

    def read(self, array: Any) -> Any:
        """The elements of an immutable array."""
        return read_places(self, array)

    def write(self, array: Any, value: Any) -> Any:
        """The array with the elements replaced; refused before, where they overlap."""
        return write_places(self, array, value)


@dataclass(frozen=True, slots=True)
class Parts:
    """A complex tensor's real or imaginary part, or both as a last axis of 2.

    Parameters
    ----------
    which : {"real", "imag", "both", "complex"}
        ``complex`` is the opposite of ``both``.
    """

    which: str

    def view(self, data: NDArray) -> NDArray:
        """The aliasing ndarray."""
        if self.which == "real":
            return data.real
        if self.which == "imag":
            return data.imag
        if self.which == "complex":
            return data.view(np.dtype(f"c{2 * data.itemsize}"))[..., 0]
        part = np.dtype(f"f{data.itemsize // 2}")
        return np.lib.stride_tricks.as_strided(
            data.real, (*data.shape, 2), (*data.strides, part.itemsize)
        )

    def read(self, array: Any) -> Any:
        """The part of an immutable array."""
        if self.which == "real":
            return jnp.real(array)
        if self.which == "imag":
            return jnp.imag(array)
        if self.which == "complex":
            return join_parts(array[..., 0], array[..., 1])
        return jnp.stack([jnp.real(array), jnp.imag(array)], -1)

    def write(self, array: Any, value: Any) -> Any:
        """The array with the part replaced."""
        if self.which == "real":
            return join_parts(value, jnp.imag(array))
        if self.which == "imag":
            return join_parts(jnp.real(array), value)
        if self.which == "complex":
            return jnp.stack([jnp.real(value), jnp.imag(value)], -1)
        return join_parts(value[..., 0], value[..., 1])


#: The error of a write to a tensor that repeats itself in memory.
OVERLAP = (
    "unsupported operation: more than one element of the written-to tensor refers to a single "
    "memory location. Please clone() the tensor before performing the operation."
)


def join_parts(real: Any, imag: Any) -> Any:
    """The complex numbers with these parts."""
    return jnp.astype(real, jnp.result_type(real.dtype, np.complex64)) + imag * 1j


def places(step: Any, shape: tuple[int, ...]) -> Any:
    """For each element of a view, its position among the elements of the viewed, row by row.

    All views are affine: a position is the first one plus steps along the axes. They are read off
    a view of some memory, so that no table of positions has to be kept.
    """
    memory = np.empty(shape, np.int8)
    seen = step.view(memory)
    first = seen.__array_interface__["data"][0] - memory.__array_interface__["data"][0]
    result = jnp.full(seen.shape, first, np.int64)
    for axis, stride in enumerate(seen.strides):
        result = result + lax.broadcasted_iota(np.dtype(np.int64), seen.shape, axis) * stride
    return result


def read_places(step: Any, array: Any) -> Any:
    """The elements of a view, picked one by one."""
    return jnp.ravel(array)[places(step, array.shape)]


def write_places(step: Any, array: Any, value: Any) -> Any:
    """The array with the elements of a view replaced one by one."""
    where = jnp.ravel(places(step, array.shape))
    flat = jnp.ravel(array).at[where].set(jnp.ravel(value), unique_indices=True)
    return jnp.reshape(flat, array.shape)
