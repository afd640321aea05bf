"""Reading PyTorch's weight files, the zip format and the one before it, without unpickling.

In: a path or a binary file. Out: nested containers with records as leaves (`records`). Whatever
is wrong with the file becomes one error that names it.

The zip format: an archive with `data.pkl`, whose persistent identifiers name the storages, and
one member per storage, `data/<key>`. The older format: five pickles in a row (a magic number, the
version, the machine, the object, the storages' keys), then each storage with its length.

Read next: `inert_pickle`, `known_globals`; `write_zip` for the way back.
"""

from __future__ import annotations

import io
import os
import struct
import sys
import tarfile
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from fnx_nn.serialization.inert_pickle import read_pickle
from fnx_nn.serialization.known_globals import StorageClass, find_known_global
from fnx_nn.serialization.records import DTYPES, SerializationError, StorageRecord

__all__ = ["read_weights"]

_LEGACY_MAGIC = 0x1950A86A20F9469CFC6C
_LEGACY_VERSION = 1001
# What the zip reader raises on damaged archives, depending on the byte that is damaged.
_READ_ERRORS = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    OverflowError,
    RuntimeError,
    ValueError,
)


def read_weights(source: str | os.PathLike[str] | BinaryIO) -> Any:
    """Return what a `.pt` or `.pth` file holds, with tensors as records.

    Parameters
    ----------
    source : path or binary file
        A file that `torch.save` wrote, in the zip format or in the older one.

    Returns
    -------
    object
        Containers, numbers, strings and records.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    SerializationError
        If the file is damaged, truncated or of another format.
    UnsupportedContentError
        If it holds objects other than tensors and containers of them.
    """
    if isinstance(source, str | os.PathLike):
        path = Path(source)
        if not path.exists():
            raise FileNotFoundError(f"cannot read '{path}': there is no such file.")
        if path.is_dir():
            raise IsADirectoryError(f"cannot read '{path}': it is a folder, not a weight file.")
        with path.open("rb") as file:
            return _read_named(file, str(path))
    return _read_named(source, str(getattr(source, "name", "the given file object")))


def _read_named(file: BinaryIO, name: str) -> Any:
    try:
        return _read_any(file)
    except SerializationError as error:
        raise type(error)(f"cannot read '{name}': {error}.") from error
    except _READ_ERRORS as error:
        raise SerializationError(f"cannot read '{name}': the file is damaged ({error}).") from error


def _read_any(file: BinaryIO) -> Any:
    start = file.tell()
    head = file.read(4)
    file.seek(start)
    if not head:
        raise SerializationError("the file is empty")
    if head == b"PK\x03\x04":
        return _read_zip(file)
    # A pickle of protocol 2 that starts with a long integer: the magic number.
    if head[:3] == b"\x80\x02\x8a":
        return _read_legacy(file)
    if _is_tar(file, start):
        raise SerializationError(
            "it is a tar archive, the format of before 2017; load it with PyTorch and save it again"
        )
    raise SerializationError("it is no weight file: neither a zip archive nor a PyTorch pickle")


def _is_tar(file: BinaryIO, start: int) -> bool:
    file.seek(start + 257)
    magic = file.read(5)
    file.seek(start)
    return magic == tarfile.POSIX_MAGIC[:5]


def _read_zip(file: BinaryIO) -> Any:
    with zipfile.ZipFile(file) as archive:
        names = archive.namelist()
        roots = [name.removesuffix("data.pkl") for name in names if name.endswith("/data.pkl")]
        if not roots:
            raise SerializationError("the zip archive has no member 'data.pkl'")
        root = min(roots, key=len)
        if f"{root}constants.pkl" in names:
            raise SerializationError("it is a TorchScript archive; save a state_dict instead")
        foreign_order = False
        if f"{root}byteorder" in names:
            order = archive.read(f"{root}byteorder").decode("ascii", "replace")
            foreign_order = order != sys.byteorder
        storages: dict[str, StorageRecord] = {}

        def load_storage(identifier: Any) -> StorageRecord:
            key = _StorageKey.parse(identifier)
            if key.name not in storages:
                storages[key.name] = _read_member(archive, f"{root}data/{key.name}", key)
                if foreign_order:
                    _swap_bytes(storages[key.name])
            return storages[key.name]

        pickle_bytes = io.BytesIO(archive.read(f"{root}data.pkl"))
        return read_pickle(pickle_bytes, find_known_global, load_storage)


def _read_member(archive: zipfile.ZipFile, name: str, key: _StorageKey) -> StorageRecord:
    try:
        info = archive.getinfo(name)
    except KeyError:
        raise SerializationError(f"the zip archive has no member '{name}'") from None
    if info.file_size != key.nbytes:
        raise SerializationError(
            f"the member '{name}' has {info.file_size} bytes where {key.nbytes} are announced"
        )
    storage = StorageRecord.allocate(key.dtype, key.count, key.location)
    with archive.open(info) as member:  # checks the member's CRC at its end
        _read_exactly(member, storage.data, f"the member '{name}'")
        member.read(1)
    return storage


def _read_legacy(file: BinaryIO) -> Any:
    if read_pickle(file, find_known_global) != _LEGACY_MAGIC:
        raise SerializationError("it is a pickle, but none that torch.save wrote")
    version = read_pickle(file, find_known_global)
    if version != _LEGACY_VERSION:
        raise SerializationError(f"its protocol version is {version}, not {_LEGACY_VERSION}")
    machine = read_pickle(file, find_known_global)
    little = machine.get("little_endian", True) if isinstance(machine, dict) else True
    end = _size_of(file)
    storages: dict[str, StorageRecord] = {}
    keys: dict[str, _StorageKey] = {}

    def make_storage(identifier: Any) -> StorageRecord:
        key = _StorageKey.parse(identifier)
        if key.name not in storages:
            if key.nbytes > end:
                raise SerializationError(
                    f"a storage of {key.nbytes} bytes is announced, more than the file has"
                )
            # The contents follow the pickles; until they are read the memory is only reserved.
            storages[key.name] = StorageRecord.allocate(key.dtype, key.count, key.location)
            keys[key.name] = key
        root = storages[key.name]
        return root if key.view is None else _view_of(root, key)

    result = read_pickle(file, find_known_global, make_storage)
    order = read_pickle(file, find_known_global)
    if not isinstance(order, list) or set(map(str, order)) != set(storages):
        raise SerializationError("the list of storages does not match the tensors")
    for name in map(str, order):
        _fill_legacy_storage(file, storages[name], keys[name])
        if little != (sys.byteorder == "little"):
            _swap_bytes(storages[name])
    return result


def _fill_legacy_storage(file: BinaryIO, storage: StorageRecord, key: _StorageKey) -> None:
    length = file.read(8)
    if len(length) != 8:
        raise SerializationError(f"the file ends before the storage '{key.name}'")
    count = int.from_bytes(length, sys.byteorder)
    if count != key.count:
        raise SerializationError(
            f"the storage '{key.name}' has {count} elements where {key.count} are announced"
        )
    _read_exactly(file, storage.data, f"the storage '{key.name}'")


def _view_of(root: StorageRecord, key: _StorageKey) -> StorageRecord:
    """Return a part of a storage, as a storage (files of before 2018 have them)."""
    _, offset, count = key.view or ("", 0, key.count)
    size = DTYPES[key.dtype].itemsize if key.dtype else 1
    if offset < 0 or (offset + count) * size > root.data.nbytes:
        raise SerializationError(f"a view reaches outside of the storage '{key.name}'")
    return StorageRecord(root.data[offset * size : (offset + count) * size], key.dtype)


@dataclass(frozen=True, slots=True)
class _StorageKey:
    """The persistent identifier of a storage, checked."""

    name: str
    dtype: str | None
    location: str
    count: int
    view: tuple[str, int, int] | None

    @property
    def nbytes(self) -> int:
        return self.count * (DTYPES[self.dtype].itemsize if self.dtype else 1)

    @classmethod
    def parse(cls, identifier: Any) -> _StorageKey:
        parts = identifier if isinstance(identifier, tuple) else (identifier,)
        kind = parts[0].decode() if isinstance(parts[0], bytes) else parts[0]
        if kind == "module":
            raise SerializationError("it holds a whole module with its code; save a state_dict")
        if kind != "storage" or len(parts) < 5 or not isinstance(parts[1], StorageClass):
            raise SerializationError("a persistent identifier names no storage")
        _, storage_class, name, location, count, *rest = parts
        if not isinstance(count, int) or count < 0:
            raise SerializationError(f"the storage '{name}' announces {count!r} elements")
        view = rest[0] if rest and rest[0] is not None else None
        return cls(str(name), storage_class.dtype, str(location), count, view)


def _read_exactly(file: Any, target: Any, what: str) -> None:
    view = memoryview(target)
    done = 0
    while done < len(view):
        got = file.readinto(view[done : done + (1 << 24)])
        if not got:
            raise SerializationError(f"{what} is truncated: {done} of {len(view)} bytes")
        done += got


def _swap_bytes(storage: StorageRecord) -> None:
    if storage.dtype is None:
        raise SerializationError("an untyped storage of the other byte order cannot be read")
    dtype = DTYPES[storage.dtype]
    # The parts of a complex number are swapped one by one.
    width = dtype.itemsize // (2 if dtype.kind == "c" else 1)
    storage.data.reshape(-1, width)[...] = np.flip(storage.data.reshape(-1, width), axis=1).copy()


def _size_of(file: BinaryIO) -> int:
    here = file.tell()
    size = file.seek(0, os.SEEK_END)
    file.seek(here)
    return size
