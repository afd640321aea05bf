"""The persistent store: object code and plans on disk, shared by processes, never trusted.

In comes a text key (which must name everything that the payload depends on: content, LLVM
version, CPU) and bytes; out come the same bytes in a later process, or None.  An entry carries
a magic number, its key and a SHA-256 checksum; one that fails any check is deleted, and the
caller builds it anew.  Entries are written to a temporary file and renamed, so that readers in
other processes see a whole entry or none.  The store is bounded: the least recently used
entries go first.  Read next: native.py, which puts object code here.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
import stat
import struct
import tempfile
import threading
import time
import warnings
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Statistics", "Store", "clear", "default_directory", "get", "put", "stats"]

DEFAULT_LIMIT = 512 * 1024 * 1024

_MAGIC = b"FNXSTOR1"
_HEADER = struct.Struct("<8s32sII")  # magic, checksum, length of the key, length of the payload
_SUFFIX = ".entry"
_STALE_SECONDS = 3600.0  # a temporary file of this age belongs to a process that died


@dataclass(frozen=True, slots=True)
class Statistics:
    """What is in a store, and what this process asked of it."""

    directory: str
    entries: int
    size: int
    limit: int
    hits: int
    misses: int
    rejected: int
    written: int
    evicted: int


class Store:
    """A bounded map from text keys to bytes in a directory of the user's.

    Parameters
    ----------
    directory : Path or str
        Where the entries are; made with mode 0700 if it does not exist.
    limit : int
        The size in bytes above which the least recently used entries are deleted.

    Raises
    ------
    PermissionError
        If the directory belongs to somebody else or others may write to it: object code from
        there would run with the rights of this user.
    """

    def __init__(self, directory: Path | str, limit: int = DEFAULT_LIMIT) -> None:
        self.directory = Path(directory)
        self.limit = limit
        self._lock = threading.Lock()
        self._size: int | None = None  # an estimate, measured at the first write
        self._hits = self._misses = self._rejected = self._written = self._evicted = 0
        self._usable = _prepare(self.directory)

    def get(self, key: str) -> bytes | None:
        """The payload stored under a key, or None if there is none that passes every check."""
        if not self._usable:
            return None
        path = self._path(key)
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            self._count("_misses")
            return None
        payload = _unframe(key, content)
        if payload is None:
            path.unlink(missing_ok=True)
            self._count("_rejected")
            return None
        with contextlib.suppress(FileNotFoundError):  # evicted by another process just now
            os.utime(path)  # the order of use, for eviction
        self._count("_hits")
        return payload

    def put(self, key: str, payload: bytes) -> None:
        """Store a payload; a reader in any process sees the old entry or the new one, whole."""
        if not self._usable:
            return
        path = self._path(key)
        content = _frame(key, payload)
        path.parent.mkdir(mode=0o700, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, suffix=".tmp")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
            os.replace(temporary, path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
        self._count("_written")
        self._account(len(content))

    def clear(self) -> None:
        """Delete every entry."""
        for path, _ in self._scan():
            path.unlink(missing_ok=True)
        with self._lock:
            self._size = 0

    def stats(self) -> Statistics:
        """Count the entries and their bytes, and what this process did."""
        found = self._scan()
        return Statistics(
            directory=str(self.directory),
            entries=len(found),
            size=sum(status.st_size for _, status in found),
            limit=self.limit,
            hits=self._hits,
            misses=self._misses,
            rejected=self._rejected,
            written=self._written,
            evicted=self._evicted,
        )

    def _path(self, key: str) -> Path:
        name = hashlib.sha256(key.encode()).hexdigest()
        return self.directory / name[:2] / (name + _SUFFIX)

    def _count(self, field: str) -> None:
        with self._lock:
            setattr(self, field, getattr(self, field) + 1)

    def _account(self, added: int) -> None:
        with self._lock:
            if self._size is None:
                self._size = sum(status.st_size for _, status in self._scan())
            else:
                self._size += added
            if self._size > self.limit:
                self._size = self._evict()

    def _evict(self) -> int:
        """Delete the least recently used entries until a tenth of the limit is free."""
        found = sorted(self._scan(), key=lambda item: item[1].st_mtime)
        size = sum(status.st_size for _, status in found)
        for path, status in found:
            if size <= self.limit * 9 // 10:
                break
            path.unlink(missing_ok=True)
            size -= status.st_size
            self._evicted += 1
        return size

    def _scan(self) -> list[tuple[Path, os.stat_result]]:
        found: list[tuple[Path, os.stat_result]] = []
        if not self.directory.is_dir():
            return found
        for path in self.directory.glob("*/*"):
            try:
                status = path.stat()
            except FileNotFoundError:
                continue  # deleted by another process while we look
            if path.suffix == _SUFFIX:
                found.append((path, status))
            elif path.suffix == ".tmp" and time.time() - status.st_mtime > _STALE_SECONDS:
                path.unlink(missing_ok=True)
        return found


def default_directory() -> Path:
    """The directory named by ``FNX_CACHE_DIR``, or ``fnx`` in the user's cache directory."""
    named = os.environ.get("FNX_CACHE_DIR")
    if named:
        return Path(named)
    base = os.environ.get("XDG_CACHE_HOME") or os.environ.get("LOCALAPPDATA")
    return (Path(base) if base else Path.home() / ".cache") / "fnx"


def get(key: str) -> bytes | None:
    """`Store.get` on the default store."""
    return _default().get(key)


def put(key: str, payload: bytes) -> None:
    """`Store.put` on the default store."""
    _default().put(key, payload)


def clear() -> None:
    """`Store.clear` on the default store."""
    _default().clear()


def stats() -> Statistics:
    """`Store.stats` on the default store."""
    return _default().stats()


def _default() -> Store:
    return _store_at(str(default_directory()))


@functools.lru_cache(maxsize=8)
def _store_at(directory: str) -> Store:
    limit = os.environ.get("FNX_CACHE_LIMIT")
    return Store(directory, int(limit) if limit else DEFAULT_LIMIT)


def _prepare(directory: Path) -> bool:
    """Make the directory or check the one that is there; False if there can be none."""
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        status = directory.stat()
    except OSError as error:
        warnings.warn(
            f"store: cannot make the directory {directory} ({error}); compiled code is not kept "
            "between processes. Set FNX_CACHE_DIR to a directory that can be written.",
            RuntimeWarning,
            stacklevel=4,
        )
        return False
    if hasattr(os, "getuid"):
        others = status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
        if status.st_uid != os.getuid() or others:
            raise PermissionError(
                f"store: {directory} is owned by user {status.st_uid} with mode "
                f"{stat.filemode(status.st_mode)}; code loaded from there would run with your "
                "rights. Give it to yourself with mode 0700, or set FNX_CACHE_DIR to another "
                "directory."
            )
    return True


def _frame(key: str, payload: bytes) -> bytes:
    name = key.encode()
    checksum = hashlib.sha256(name + payload).digest()
    return _HEADER.pack(_MAGIC, checksum, len(name), len(payload)) + name + payload


def _unframe(key: str, content: bytes) -> bytes | None:
    if len(content) < _HEADER.size:
        return None
    magic, checksum, name_length, payload_length = _HEADER.unpack_from(content)
    name = content[_HEADER.size : _HEADER.size + name_length]
    payload = content[_HEADER.size + name_length :]
    if magic != _MAGIC or name != key.encode() or len(payload) != payload_length:
        return None
    if hashlib.sha256(name + payload).digest() != checksum:
        return None
    return payload
