"""What a weight file says, as inert data: storages, tensors and names, without any behaviour.

Readers return ordinary Python containers with these records as leaves, and writers take the
same. A tensor record points into a storage record; two tensors with one storage share memory,
as they did when they were saved. `replace_records` turns the leaves into a facade's own objects.

Read next: `inert_pickle` (how a file becomes records), `write_zip` (and back).
"""

from __future__ import annotations

import pickle
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import ml_dtypes
import numpy as np
from numpy.typing import NDArray

__all__ = [
    "DTYPES",
    "STORAGE_CLASSES",
    "DeviceRecord",
    "DtypeRecord",
    "SerializationError",
    "SizeRecord",
    "StorageRecord",
    "TensorRecord",
    "UnsupportedContentError",
    "replace_records",
]

DTYPES: dict[str, np.dtype[Any]] = {
    "float32": np.dtype(np.float32),
    "float64": np.dtype(np.float64),
    "float16": np.dtype(np.float16),
    "bfloat16": np.dtype(ml_dtypes.bfloat16),
    "complex64": np.dtype(np.complex64),
    "complex128": np.dtype(np.complex128),
    "int64": np.dtype(np.int64),
    "int32": np.dtype(np.int32),
    "int16": np.dtype(np.int16),
    "int8": np.dtype(np.int8),
    "uint8": np.dtype(np.uint8),
    "bool": np.dtype(np.bool_),
    "uint16": np.dtype(np.uint16),
    "uint32": np.dtype(np.uint32),
    "uint64": np.dtype(np.uint64),
    "float8_e4m3fn": np.dtype(ml_dtypes.float8_e4m3fn),
    "float8_e5m2": np.dtype(ml_dtypes.float8_e5m2),
    "float8_e4m3fnuz": np.dtype(ml_dtypes.float8_e4m3fnuz),
    "float8_e5m2fnuz": np.dtype(ml_dtypes.float8_e5m2fnuz),
}

# The names of typed storages. Dtypes without one live in an untyped storage of bytes.
STORAGE_CLASSES: dict[str, str] = {
    "FloatStorage": "float32",
    "DoubleStorage": "float64",
    "HalfStorage": "float16",
    "BFloat16Storage": "bfloat16",
    "ComplexFloatStorage": "complex64",
    "ComplexDoubleStorage": "complex128",
    "LongStorage": "int64",
    "IntStorage": "int32",
    "ShortStorage": "int16",
    "CharStorage": "int8",
    "ByteStorage": "uint8",
    "BoolStorage": "bool",
}


class SerializationError(RuntimeError):
    """A weight file is damaged, or is not one; the message names the file and what is wrong."""


class UnsupportedContentError(SerializationError, pickle.UnpicklingError):
    """A weight file holds something other than tensors, containers, numbers and strings."""


@dataclass(eq=False, slots=True)
class StorageRecord:
    """A run of memory: `data` is a vector of bytes, which the tensors on it share.

    `dtype` is None for an untyped storage.

    Parameters
    ----------
    data : ndarray
        A vector of bytes.
    dtype : str, optional
        The name of the elements' dtype; None for untyped bytes.
    location : str
        The device that it was saved from.
    """

    data: NDArray[np.uint8]
    dtype: str | None = None
    location: str = "cpu"

    @classmethod
    def allocate(cls, dtype: str | None, count: int, location: str = "cpu") -> StorageRecord:
        """Return a storage for `count` elements, to be filled."""
        size = count * (DTYPES[dtype].itemsize if dtype else 1)
        return cls(np.empty(size, dtype=np.uint8), dtype, location)


@dataclass(eq=False, slots=True)
class TensorRecord:
    """A strided view of a storage. Offset and strides count elements, as in PyTorch.

    Parameters
    ----------
    storage : StorageRecord
        Where the elements are.
    dtype : str
        The name of their dtype.
    shape, stride : tuple of int
        The extent and the step of each axis.
    offset : int
        Where the first element is.
    requires_grad, is_parameter : bool
        What was saved.
    flags : dict
        ``conj`` or ``neg``: the elements are to be conjugated or negated when read.
    """

    storage: StorageRecord
    dtype: str
    shape: tuple[int, ...]
    stride: tuple[int, ...]
    offset: int = 0
    requires_grad: bool = False
    is_parameter: bool = False
    flags: dict[str, bool] = field(default_factory=dict)  # {"conj": True}: read conjugated

    @classmethod
    def of(cls, array: NDArray[Any], *, is_parameter: bool = False) -> TensorRecord:
        """Return a record of a copy of `array`, on a storage of its own."""
        flat = np.array(array, order="C", copy=True)
        name = flat.dtype.name
        if name not in DTYPES:
            raise TypeError(f"a tensor record cannot hold {flat.dtype}; cast the array first.")
        storage = StorageRecord(flat.reshape(-1).view(np.uint8), name)
        itemsize = flat.dtype.itemsize
        stride = tuple(step // itemsize for step in flat.strides)
        return cls(storage, name, flat.shape, stride, 0, is_parameter, is_parameter)

    def array(self) -> NDArray[Any]:
        """Return the elements as an ndarray that shares the storage's memory.

        The flags (conjugation, negation) are left to the caller.
        """
        dtype = DTYPES[self.dtype]
        self.check_bounds()
        if 0 in self.shape:
            return np.empty(self.shape, dtype=dtype)
        steps = tuple(step * dtype.itemsize for step in self.stride)
        start = self.offset * dtype.itemsize
        return np.ndarray(self.shape, dtype, self.storage.data.data, start, steps)

    def check_bounds(self) -> None:
        """Raise SerializationError if the view reaches outside of the storage."""
        count = self.storage.data.nbytes // DTYPES[self.dtype].itemsize
        valid = len(self.shape) == len(self.stride) and self.offset >= 0
        valid = valid and min((*self.shape, *self.stride), default=0) >= 0
        if valid and 0 not in self.shape:
            last = self.offset + sum((n - 1) * s for n, s in zip(self.shape, self.stride))
            valid = last < count
        if not valid:
            raise SerializationError(
                f"a tensor of shape {list(self.shape)}, stride {list(self.stride)} and offset "
                f"{self.offset} reaches outside of its storage of {count} {self.dtype} elements"
            )


@dataclass(frozen=True, slots=True)
class DtypeRecord:
    """The name of a dtype, such as ``float32``.

    Parameters
    ----------
    name : str
        The name.
    """

    name: str


@dataclass(frozen=True, slots=True)
class DeviceRecord:
    """The name of a device, such as ``cpu`` or ``cuda:0``.

    Parameters
    ----------
    name : str
        The name.
    """

    name: str


@dataclass(frozen=True, slots=True)
class SizeRecord:
    """A shape that was saved as a value.

    Parameters
    ----------
    dimensions : tuple of int
        The shape.
    """

    dimensions: tuple[int, ...]


_RECORDS = (StorageRecord, TensorRecord, DtypeRecord, DeviceRecord, SizeRecord)


def replace_records(tree: Any, convert: Callable[[Any], Any]) -> Any:
    """Return nested containers with `convert(record)` in place of every record.

    Dictionaries and lists are changed in place and keep their attributes; a record that occurs
    several times is converted once, so that what was shared stays shared.

    Parameters
    ----------
    tree : object
        Nested containers, as `read_weights` returns them.
    convert : callable
        From a record to what takes its place.
    """
    return _Replacement(convert).visit(tree)


class _Replacement:
    def __init__(self, convert: Callable[[Any], Any]) -> None:
        self.convert = convert
        # The object is kept with its result: an id is only an identity while the object lives.
        self.done: dict[int, tuple[Any, Any]] = {}

    def visit(self, node: Any) -> Any:
        if isinstance(node, _RECORDS):
            if id(node) not in self.done:
                self.done[id(node)] = (node, self.convert(node))
            return self.done[id(node)][1]
        if isinstance(node, dict | list):
            if id(node) not in self.done:
                self.done[id(node)] = (node, node)
                self.visit_container(node)
            return node
        if isinstance(node, tuple):
            return tuple(self.visit(item) for item in node)
        if isinstance(node, set | frozenset):
            return type(node)(self.visit(item) for item in node)
        return node

    def visit_container(self, node: dict[Any, Any] | list[Any]) -> None:
        if isinstance(node, list):
            node[:] = [self.visit(item) for item in node]
            return
        items = [(self.visit(key), self.visit(value)) for key, value in node.items()]
        node.clear()
        node.update(items)
        for name, value in getattr(node, "__dict__", {}).items():
            setattr(node, name, self.visit(value))
