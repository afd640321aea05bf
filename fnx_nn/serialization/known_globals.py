"""The global names that a weight file may use, and the inert data that each stands for.

In: a dotted name out of a pickle. Out: a function that builds a record or a plain container from
the arguments in the file, or a value. A name that is not in the table is an error which names it:
nothing is imported, and no code that a file names is run.

Read next: `inert_pickle`.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from fnx_nn.serialization.records import (
    DTYPES,
    STORAGE_CLASSES,
    DeviceRecord,
    DtypeRecord,
    SerializationError,
    SizeRecord,
    StorageRecord,
    TensorRecord,
    UnsupportedContentError,
)

__all__ = ["StorageClass", "find_known_global"]


@dataclass(frozen=True, slots=True)
class StorageClass:
    """The class in a storage's identifier: its dtype, or None for a storage of bytes."""

    dtype: str | None


def find_known_global(name: str) -> Any:
    """Return what stands for a dotted global name.

    Raises
    ------
    UnsupportedContentError
        If the name is not known.
    """
    if name in _FUNCTIONS:
        return _FUNCTIONS[name]
    package, _, last = name.rpartition(".")
    if package in ("torch", "torch.storage") and last in STORAGE_CLASSES:
        return StorageClass(STORAGE_CLASSES[last])
    if name == "torch.storage.UntypedStorage":
        return StorageClass(None)
    if package == "torch" and last in DTYPES:
        return DtypeRecord(last)
    raise UnsupportedContentError(
        f"it asks for the global '{name}', which is not read here: only tensors, numbers, "
        "strings and containers of them are. Save a state_dict instead of whole objects"
    )


def _tensor(
    storage: Any,
    offset: int,
    shape: tuple[int, ...],
    stride: tuple[int, ...],
    requires_grad: bool = False,
    hooks: Any = None,
    flags: dict[str, bool] | None = None,
) -> TensorRecord:
    if not isinstance(storage, StorageRecord) or storage.dtype is None:
        raise SerializationError("a tensor refers to something that is no typed storage")
    return _view(storage, storage.dtype, offset, shape, stride, requires_grad, flags)


def _tensor_on_bytes(
    storage: Any,
    offset: int,
    shape: tuple[int, ...],
    stride: tuple[int, ...],
    requires_grad: bool,
    hooks: Any,
    dtype: Any,
    flags: dict[str, bool] | None = None,
) -> TensorRecord:
    if not isinstance(storage, StorageRecord) or not isinstance(dtype, DtypeRecord):
        raise SerializationError("a tensor refers to something that is no storage or no dtype")
    return _view(storage, dtype.name, offset, shape, stride, requires_grad, flags)


def _view(
    storage: StorageRecord,
    dtype: str,
    offset: int,
    shape: tuple[int, ...],
    stride: tuple[int, ...],
    requires_grad: bool,
    flags: dict[str, bool] | None,
) -> TensorRecord:
    numbers = (offset, *_sequence(shape), *_sequence(stride))
    if not all(isinstance(number, int) for number in numbers):
        raise SerializationError("a tensor's shape, stride or offset is not made of integers")
    record = TensorRecord(
        storage,
        dtype,
        _sequence(shape),
        _sequence(stride),
        offset,
        bool(requires_grad),
        flags=dict(flags or {}),
    )
    record.check_bounds()
    return record


def _sequence(value: Any) -> tuple[Any, ...]:
    return value.dimensions if isinstance(value, SizeRecord) else tuple(value)


def _parameter(data: Any, requires_grad: bool = True, hooks: Any = None) -> TensorRecord:
    if not isinstance(data, TensorRecord):
        raise SerializationError("a parameter is built from something that is no tensor")
    return TensorRecord(
        data.storage,
        data.dtype,
        data.shape,
        data.stride,
        data.offset,
        bool(requires_grad),
        True,
        data.flags,
    )


def _new_object(kind: Callable[..., Any], *arguments: Any) -> Any:
    """`copyreg.__newobj__`, as Python 2 wrote it."""
    if kind is not _parameter:
        raise UnsupportedContentError("it makes objects of a class that is not read here")
    return kind(*arguments)


def _encode(text: str, encoding: str) -> bytes:
    """How protocol 2 spells bytes: a string of their code points."""
    if encoding not in ("latin1", "latin-1"):
        raise UnsupportedContentError(f"it encodes a string as {encoding!r}")
    return text.encode("latin-1")


def _bytearray(contents: bytes = b"") -> bytearray:
    if not isinstance(contents, bytes):  # a number would ask for that much memory
        raise SerializationError("a bytearray is made of something that is no bytes")
    return bytearray(contents)


def _size(dimensions: Any) -> SizeRecord:
    return SizeRecord(tuple(int(n) for n in dimensions))


def _device(kind: str, index: int | None = None) -> DeviceRecord:
    return DeviceRecord(kind if index is None else f"{kind}:{index}")


_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "collections.OrderedDict": OrderedDict,
    "collections.Counter": Counter,
    "torch._utils._rebuild_tensor": _tensor,
    "torch._utils._rebuild_tensor_v2": _tensor,
    "torch._utils._rebuild_tensor_v3": _tensor_on_bytes,
    "torch._utils._rebuild_parameter": _parameter,
    "torch.nn.parameter.Parameter": _parameter,
    "torch.Size": _size,
    "torch.device": _device,
    "_codecs.encode": _encode,
    "builtins.set": set,
    "builtins.frozenset": frozenset,
    "builtins.complex": complex,
    "builtins.bytearray": _bytearray,
    # what Python 2, and protocol 2, call the same module
    "__builtin__.set": set,
    "__builtin__.frozenset": frozenset,
    "__builtin__.complex": complex,
    "__builtin__.bytearray": _bytearray,
    "copyreg.__newobj__": _new_object,
    "copy_reg.__newobj__": _new_object,
}
