"""A writer of pickles (protocol 2) for containers of records, in the opcodes PyTorch's safe
loader reads.

In: nested containers with records as leaves. Out: the bytes of a pickle, and the storages that
it refers to, in the order of their keys. Python's own pickler cannot write names of classes that
are not installed, such as PyTorch's; this one writes the names themselves.

Read next: `write_weights`, which puts both into an archive.
"""

from __future__ import annotations

import struct
from collections import Counter, OrderedDict
from typing import Any

from fnx_nn.serialization.records import (
    DTYPES,
    STORAGE_CLASSES,
    DeviceRecord,
    DtypeRecord,
    SizeRecord,
    StorageRecord,
    TensorRecord,
)

__all__ = ["emit_pickle"]

_CLASS_OF_DTYPE = {dtype: name for name, dtype in STORAGE_CLASSES.items()}


def emit_pickle(tree: Any) -> tuple[bytes, list[StorageRecord]]:
    """Return the pickle of `tree`, and its storages; storage number k has the key ``str(k)``.

    Raises
    ------
    TypeError
        If `tree` contains an object of another kind; the message says where.
    """
    emitter = _Emitter()
    emitter.out += b"\x80\x02"
    emitter.emit(tree, "the object")
    emitter.out += b"."
    return bytes(emitter.out), emitter.storages


class _Emitter:
    def __init__(self) -> None:
        self.out = bytearray()
        self.storages: list[StorageRecord] = []
        self.storage_keys: dict[int, int] = {}
        self.memo: dict[int, int] = {}
        self.kept: list[Any] = []  # alive, so that the identities in the memo stay theirs
        self.names: dict[str, int] = {}
        self.count = 0

    def emit(self, value: Any, where: str) -> None:
        """Write the opcodes that push `value`."""
        if id(value) in self.memo:
            self.get(self.memo[id(value)])
            return
        if value is None or isinstance(value, bool | int | float | str | complex | bytes):
            self.emit_plain(value, where)
        elif isinstance(value, TensorRecord):
            self.emit_tensor(value)
            self.remember(value)
        elif isinstance(value, StorageRecord):
            self.emit_storage(value, value.dtype)
        elif isinstance(value, DtypeRecord):
            self.emit_global("torch", value.name)
        elif isinstance(value, SizeRecord):
            self.emit_call("torch", "Size", (tuple(value.dimensions),))
        elif isinstance(value, DeviceRecord):
            kind, _, index = value.name.partition(":")
            self.emit_call("torch", "device", (kind, int(index)) if index else (kind,))
        else:
            self.emit_container(value, where)

    def emit_plain(self, value: Any, where: str) -> None:
        if type(value) not in (type(None), bool, int, float, str, complex, bytes):
            raise TypeError(
                f"cannot save {where}: a {type(value).__name__} is no plain "
                f"{type(value).__mro__[1].__name__}; convert it first."
            )
        if value is None:
            self.out += b"N"
        elif isinstance(value, bool):
            self.out += b"\x88" if value else b"\x89"
        elif isinstance(value, int):
            self.emit_integer(value)
        elif isinstance(value, float):
            self.out += b"G" + struct.pack(">d", value)
        elif isinstance(value, str):
            self.emit_string(value)
        elif isinstance(value, complex):
            self.emit_call("__builtin__", "complex", (value.real, value.imag))
        else:
            self.emit_call("_codecs", "encode", (value.decode("latin-1"), "latin1"))

    def emit_integer(self, value: int) -> None:
        if 0 <= value < 1 << 8:
            self.out += b"K" + struct.pack("<B", value)
        elif 0 <= value < 1 << 16:
            self.out += b"M" + struct.pack("<H", value)
        elif -(1 << 31) <= value < 1 << 31:
            self.out += b"J" + struct.pack("<i", value)
        else:
            size = value.bit_length() // 8 + 1
            if size > 255:
                raise TypeError("cannot save an integer of more than 255 bytes.")
            self.out += (
                b"\x8a" + struct.pack("<B", size) + value.to_bytes(size, "little", signed=True)
            )

    def emit_string(self, text: str) -> None:
        if text in self.names:
            self.get(self.names[text])
            return
        data = text.encode("utf-8", "surrogatepass")
        self.out += b"X" + struct.pack("<I", len(data)) + data
        self.names[text] = self.put()

    def emit_container(self, value: Any, where: str) -> None:
        kind = type(value)
        if kind in (dict, OrderedDict, Counter):
            self.emit_dictionary(value, where)
        elif kind is list:
            self.out += b"]"
            self.remember(value)
            self.emit_marked(value, where, b"e")
        elif kind is tuple:
            for index, item in enumerate(self.open_tuple(value)):
                self.emit(item, f"{where}[{index}]")
            self.close_tuple(value)
            self.remember(value)
        elif kind is set:
            self.emit_call("__builtin__", "set", (list(value),))
            self.remember(value)
        elif kind is bytearray:
            self.emit_call("__builtin__", "bytearray", (bytes(value),))
            self.remember(value)
        else:
            raise TypeError(
                f"cannot save {where}: it is a {kind.__module__}.{kind.__qualname__}; only "
                "tensors, numbers, strings and dict, list, tuple, set of them can be saved so "
                "that they load safely. Save a state_dict, or convert the object first."
            )

    def emit_dictionary(self, value: dict[Any, Any], where: str) -> None:
        if type(value) is dict:
            self.out += b"}"
        else:
            self.emit_call("collections", type(value).__name__, ())
        self.remember(value)
        if value:
            self.out += b"("
            for key, item in value.items():
                self.emit(key, f"a key of {where}")
                self.emit(item, f"{where}[{key!r}]")
            self.out += b"u"
        attributes = getattr(value, "__dict__", None)
        if attributes and type(value) is OrderedDict:
            self.emit(dict(attributes), f"the attributes of {where}")
            self.out += b"b"

    def emit_marked(self, items: list[Any], where: str, close: bytes) -> None:
        if items:
            self.out += b"("
            for index, item in enumerate(items):
                self.emit(item, f"{where}[{index}]")
            self.out += close

    def open_tuple(self, items: tuple[Any, ...]) -> tuple[Any, ...]:
        if len(items) > 3:
            self.out += b"("
        return items

    def close_tuple(self, items: tuple[Any, ...]) -> None:
        self.out += {0: b")", 1: b"\x85", 2: b"\x86", 3: b"\x87"}.get(len(items), b"t")

    def emit_call(self, module: str, name: str, arguments: tuple[Any, ...]) -> None:
        self.emit_global(module, name)
        for argument in self.open_tuple(arguments):
            self.emit(argument, f"an argument of {name}")
        self.close_tuple(arguments)
        self.out += b"R"

    def emit_global(self, module: str, name: str) -> None:
        full = f"{module}\n{name}\n"
        if full in self.names:
            self.get(self.names[full])
            return
        self.out += b"c" + full.encode()
        self.names[full] = self.put()

    def emit_tensor(self, record: TensorRecord) -> None:
        if record.is_parameter:
            self.emit_global("torch._utils", "_rebuild_parameter")
            plain = TensorRecord(
                record.storage, record.dtype, record.shape, record.stride, record.offset
            )
            self.emit_tensor(plain)
            self.emit(record.requires_grad, "requires_grad")
            self.emit_call("collections", "OrderedDict", ())
            self.out += b"\x87R"
            return
        typed = record.dtype in _CLASS_OF_DTYPE
        self.emit_global("torch._utils", f"_rebuild_tensor_v{2 if typed else 3}")
        self.out += b"("
        self.emit_storage(record.storage, record.dtype if typed else None)
        for value in (record.offset, record.shape, record.stride, record.requires_grad):
            self.emit(value, "a tensor's geometry")
        self.emit_call("collections", "OrderedDict", ())  # hooks, which are not saved
        if not typed:
            self.emit_global("torch", record.dtype)
        if record.flags:
            self.emit(dict(record.flags), "a tensor's flags")
        self.out += b"tR"

    def emit_storage(self, storage: StorageRecord, dtype: str | None) -> None:
        """Write the persistent identifier of a storage, seen as elements of `dtype`."""
        key = self.storage_keys.get(id(storage))
        if key is None:
            key = len(self.storages)
            self.storage_keys[id(storage)] = key
            self.storages.append(storage)
        itemsize = DTYPES[dtype].itemsize if dtype else 1
        self.out += b"("
        self.emit("storage", "")
        if dtype is None:
            self.emit_global("torch.storage", "UntypedStorage")
        else:
            self.emit_global("torch", _CLASS_OF_DTYPE[dtype])
        for value in (str(key), storage.location, storage.data.nbytes // itemsize):
            self.emit(value, "a storage's identifier")
        self.out += b"tQ"

    def remember(self, value: Any) -> None:
        self.kept.append(value)
        self.memo[id(value)] = self.put()

    def put(self) -> int:
        """Store the top of the stack in the memo, and return its number."""
        index = self.count
        self.count += 1
        if index < 256:
            self.out += b"q" + struct.pack("<B", index)
        else:
            self.out += b"r" + struct.pack("<I", index)
        return index

    def get(self, index: int) -> None:
        if index < 256:
            self.out += b"h" + struct.pack("<B", index)
        else:
            self.out += b"j" + struct.pack("<I", index)
