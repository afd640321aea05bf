"""`save` and `load`: tensors in containers, as PyTorch's files.

Tensors become records of `fnx_nn.serialization` and back; tensors that share memory go on sharing
it. Files of PyTorch are read without unpickling, and what is written here it reads with
``weights_only=True``.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

import numpy as np

from fnx_nn import dtypes
from fnx_nn.devices import device
from fnx_nn.dtypes import dtype
from fnx_nn.serialization import (
    DeviceRecord,
    DtypeRecord,
    SizeRecord,
    StorageRecord,
    TensorRecord,
    UnsupportedContentError,
    read_weights,
    replace_records,
    write_weights,
)
from fnx_nn.tensor.tensor import Size, Tensor, memory_owner, wrap

__all__ = ["load", "make_parameters_with", "save"]

#: Makes a parameter of a tensor and whether it wants a gradient; see `make_parameters_with`.
_parameter_makers: list[Any] = []


def save(obj: Any, f: Any) -> None:
    """Write tensors, in dictionaries, lists and tuples, to a file.

    Parameters
    ----------
    obj : object
        A tensor, a state dict, or a checkpoint of them with numbers and strings.
    f : path or binary file
        Where to write; a path is replaced in one step.

    Examples
    --------
    >>> import fnx_nn as torch
    >>> torch.save({"w": torch.ones(2)}, "weights.pt")
    >>> torch.load("weights.pt")
    {'w': tensor([1., 1.])}
    """
    write_weights(_Recorder().visit(obj), f)


def load(f: Any, map_location: Any = None, *, weights_only: bool = True, mmap: bool = False) -> Any:
    """Read what `save`, or PyTorch, has written.

    Parameters
    ----------
    f : path or binary file
        What to read.
    map_location : optional
        Accepted; everything comes to the CPU.
    weights_only : bool
        Must be True: nothing but tensors, containers, numbers and strings is read.
    mmap : bool
        Accepted.
    """
    if not weights_only:
        raise UnsupportedContentError(
            "load: weights_only=False would run code from the file, which is never done here. "
            "Save a state_dict, and load it with weights_only=True."
        )
    return replace_records(read_weights(f), _Reader().convert)


def make_parameters_with(make: Any) -> None:
    """Say how `load` makes parameters; `fnx_nn.nn` does on import.

    Parameters
    ----------
    make : callable
        ``make(tensor, requires_grad)``.
    """
    _parameter_makers[:] = [make]


class _Recorder:
    """Tensors to records; one storage for each piece of memory."""

    def __init__(self) -> None:
        self.storages: dict[int, tuple[StorageRecord, Any]] = {}
        self.seen: dict[int, Any] = {}

    def visit(self, value: Any) -> Any:
        if isinstance(value, Tensor):
            return self.tensor(value)
        if isinstance(value, Size):
            return SizeRecord(tuple(value))
        if isinstance(value, dtype):
            return DtypeRecord(value.name)
        if isinstance(value, device):
            return DeviceRecord(str(value))
        if type(value) in (dict, OrderedDict):
            return type(value)((self.visit(k), self.visit(v)) for k, v in value.items())
        if type(value) in (list, tuple, set):
            return type(value)(self.visit(v) for v in value)
        return value

    def tensor(self, x: Tensor) -> TensorRecord:
        data = x._data
        owner = memory_owner(data)
        kind = x.dtype.name
        parameter = x._is_parameter
        if not owner.flags.c_contiguous or owner.dtype != data.dtype:
            data = owner = np.ascontiguousarray(data)
        found = self.storages.get(id(owner))
        if found is None:
            flat = owner.reshape(-1).view(np.uint8).copy()
            found = self.storages[id(owner)] = (StorageRecord(flat, kind), owner)
        size = data.itemsize
        first = data.__array_interface__["data"][0] - owner.__array_interface__["data"][0]
        strides = tuple([s // size for s in data.strides])
        return TensorRecord(
            found[0], kind, data.shape, strides, first // size, x._requires, parameter
        )


class _Reader:
    """Records to tensors."""

    def convert(self, record: Any) -> Any:
        if isinstance(record, TensorRecord):
            data = record.array()
            if record.flags.get("conj"):
                data = np.conj(data)
            if record.flags.get("neg"):
                data = np.negative(data)
            made = wrap(data)
            if record.is_parameter and _parameter_makers:
                return _parameter_makers[0](made, record.requires_grad)
            return made.requires_grad_() if record.requires_grad else made
        if isinstance(record, SizeRecord):
            return Size(record.dimensions)
        if isinstance(record, DtypeRecord):
            return _dtype_named(record.name)
        if isinstance(record, DeviceRecord):
            return device(record.name)
        if isinstance(record, StorageRecord):
            return wrap(record.data)
        return record


def _dtype_named(name: str) -> dtype:
    return getattr(dtypes, "bool_" if name == "bool" else name)
