"""A guard that holds NumPy's and SciPy's BLAS at one thread while fnx computes.

Each of the two brings a BLAS library (OpenBLAS) with threads of its own, which spin for a while
after every call and would take the processors from our pool.  `single_threaded` counts: the
first that enters sets one thread, the last that leaves restores what was there.  A BLAS that is
not OpenBLAS, or that is not loaded, is left alone.
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
import glob
import importlib.util
import os
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

__all__ = ["single_threaded", "thread_counts"]


@dataclass(frozen=True, slots=True)
class _Library:
    read: Callable[[], int]
    write: Callable[[int], None]


@dataclass(slots=True)
class _Guard:
    depth: int = 0
    saved: list[tuple[_Library, int]] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)


_guard = _Guard()


@contextlib.contextmanager
def single_threaded() -> Iterator[None]:
    """Hold the BLAS libraries at one thread inside a ``with``; may be nested and concurrent.

    Examples
    --------
    >>> from fnx.kernels.blas import single_threaded, thread_counts
    >>> with single_threaded():
    ...     inside = thread_counts()
    >>> all(count == 1 for count in inside)
    True
    """
    with _guard.lock:
        _guard.depth += 1
        if _guard.depth == 1:
            _guard.saved = [(library, library.read()) for library in _libraries()]
            for library, count in _guard.saved:
                if count != 1:
                    library.write(1)
    try:
        yield
    finally:
        with _guard.lock:
            _guard.depth -= 1
            if _guard.depth == 0:
                for library, count in _guard.saved:
                    if count != 1:
                        library.write(count)
                _guard.saved = []


def thread_counts() -> tuple[int, ...]:
    """The number of threads of each OpenBLAS that is loaded."""
    return tuple(library.read() for library in _libraries())


def _libraries() -> list[_Library]:
    found = (_find(name) for name in ("numpy", "scipy") if _is_loaded(name))
    return [library for library in found if library is not None]


def _is_loaded(package: str) -> bool:
    return (package if package == "numpy" else "scipy.linalg") in sys.modules


@functools.cache
def _find(package: str) -> _Library | None:
    specification = importlib.util.find_spec(package)
    if specification is None or specification.origin is None:
        return None
    folder = os.path.dirname(specification.origin) + ".libs"
    for path in sorted(glob.glob(os.path.join(folder, "*openblas*"))):
        library = ctypes.CDLL(path)
        for prefix, suffix in (("scipy_", "64_"), ("scipy_", ""), ("", "64_"), ("", "")):
            read = getattr(library, f"{prefix}openblas_get_num_threads{suffix}", None)
            write = getattr(library, f"{prefix}openblas_set_num_threads{suffix}", None)
            if read is not None and write is not None:
                return _Library(read, write)
    return None
