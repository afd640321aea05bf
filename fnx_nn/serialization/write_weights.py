"""Writing weight files that PyTorch's `torch.load(weights_only=True)` reads.

In: nested containers with records as leaves, and a path or a binary file. Out: an archive in
PyTorch's zip format: `data.pkl`, one stored member per storage, aligned to 64 bytes so that they
can be mapped into memory. A path is replaced in one step, when everything was written.

Read next: `emit_pickle`; `read_weights` for the way back.
"""

from __future__ import annotations

import os
import sys
import zipfile
from pathlib import Path
from typing import Any, BinaryIO

from fnx_nn.atomic_files import open_atomically
from fnx_nn.serialization.emit_pickle import emit_pickle
from fnx_nn.serialization.records import StorageRecord

__all__ = ["write_weights"]

_ALIGNMENT = 64
_LOCAL_HEADER = 30  # bytes of a zip member's header before its name
_PADDING_TAG = b"FB"  # the extra field that holds the padding, as PyTorch names it


def write_weights(tree: Any, destination: str | os.PathLike[str] | BinaryIO) -> None:
    """Write containers of records as a `.pt` or `.pth` file.

    Parameters
    ----------
    tree : object
        Containers, numbers, strings and records.
    destination : path or binary file
        Where to write; a path is replaced in one step.

    Raises
    ------
    TypeError
        If there is an object in `tree` that a safe loader would refuse; nothing is written.
    """
    pickle_bytes, storages = emit_pickle(tree)
    if isinstance(destination, str | os.PathLike):
        root = Path(destination).stem or "archive"
        with open_atomically(destination) as file:
            _write_archive(file, root, pickle_bytes, storages)
    else:
        _write_archive(destination, "archive", pickle_bytes, storages)


def _write_archive(
    file: BinaryIO, root: str, pickle_bytes: bytes, storages: list[StorageRecord]
) -> None:
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        _write_member(archive, f"{root}/data.pkl", pickle_bytes)
        _write_member(archive, f"{root}/.format_version", b"1")
        _write_member(archive, f"{root}/.storage_alignment", str(_ALIGNMENT).encode())
        _write_member(archive, f"{root}/byteorder", sys.byteorder.encode())
        for key, storage in enumerate(storages):
            _write_member(archive, f"{root}/data/{key}", storage.data.data)
        _write_member(archive, f"{root}/version", b"3\n")


def _write_member(archive: zipfile.ZipFile, name: str, data: bytes | memoryview) -> None:
    # A fixed date: the same weights give the same file.
    info = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
    info.external_attr = 0o644 << 16
    start = archive.fp.tell() if archive.fp is not None else 0
    # Sizes beyond 2 GiB go to an extra field of 20 bytes, which comes before ours.
    large = len(data) > (1 << 31) - 1
    used = start + _LOCAL_HEADER + len(name.encode()) + (20 if large else 0) + 4
    padding = -used % _ALIGNMENT
    info.extra = _PADDING_TAG + padding.to_bytes(2, "little") + b"Z" * padding
    info.file_size = len(data)
    with archive.open(info, "w", force_zip64=large) as member:
        member.write(data)
