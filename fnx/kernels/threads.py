"""The one thread pool of fnx: its life, its size, and `parallel_for`.

In comes the address of a kernel, the address of its words, a count of parallel units and a
chunk; the pool calls ``kernel(words, begin, end)`` for every chunk of [0, count), with the GIL
released.  Where the chunks begin depends on count and chunk only, never on the number of
threads, so results do not depend on it either.  Workers start at the first parallel call, are
joined before a fork (and made again when they are next needed), and joined at exit, before the
code that they run is unloaded.  Read next: pool_code.py for the native half, blas.py.
"""

from __future__ import annotations

import atexit
import ctypes
import functools
import os
import signal
import sys
import threading
from typing import Any

from fnx.kernels import pool_code
from fnx.kernels.runtime import Runtime, runtime

__all__ = ["Pool", "block", "parallel_for", "pool", "set_threads", "threads"]

MOST_THREADS = 64


class Pool:
    """Worker threads around a runtime's shared block.

    Parameters
    ----------
    loaded : Runtime
        The native code and the block.
    threads : int
        How many threads work on a job, the caller counted.
    """

    def __init__(self, loaded: Runtime, threads: int) -> None:
        self._runtime = loaded
        self._words = ctypes.cast(loaded.block, ctypes.POINTER(ctypes.c_int64))
        # Without POSIX threads every job runs on its caller alone.
        self._process: Any = ctypes.CDLL(None) if os.name == "posix" else None
        word = ctypes.c_int64
        self._run = ctypes.CFUNCTYPE(word, word, word, word, word, word)(loaded.address("pool_run"))
        self._stop = ctypes.CFUNCTYPE(word, word)(loaded.address("pool_stop"))
        self._workers: list[ctypes.c_ulong] = []
        self._lock = threading.RLock()
        self._threads = threads
        self._closed = False
        self._words[pool_code.WANTED] = 0 if self._process is None else threads - 1

    @property
    def block(self) -> int:
        """The address of the shared block, which kernels and plans take as a word."""
        return self._runtime.block

    @property
    def threads(self) -> int:
        """How many threads work on a job, the caller counted."""
        return self._threads

    def resize(self, threads: int) -> None:
        """Change the number of threads; takes effect with the next job."""
        if not 1 <= threads <= MOST_THREADS:
            raise ValueError(
                f"set_threads: {threads} threads asked for, it takes 1 to {MOST_THREADS}."
            )
        with self._lock:
            self.stop()
            self._threads = threads
            self._words[pool_code.WANTED] = 0 if self._process is None else threads - 1

    def parallel_for(self, kernel: int, words: int, count: int, chunk: int) -> None:
        """Run a kernel over [0, count) in chunks."""
        if chunk < 1:
            raise ValueError(f"parallel_for: chunk is {chunk}, it must be at least 1.")
        if chunk < count:
            self.start()
        self._run(self.block, kernel, words, count, chunk)

    def start(self) -> None:
        """Make the workers if they are not there; cheap when they are."""
        if self._threads - 1 == len(self._workers) or self._closed or self._process is None:
            return
        with self._lock:
            blocked = signal.valid_signals()
            # Workers inherit the mask: signals stay with the threads of Python.
            before = signal.pthread_sigmask(signal.SIG_BLOCK, blocked)
            try:
                while len(self._workers) < self._threads - 1:
                    self._workers.append(self._make_worker())
                    self._words[pool_code.WORKERS] = len(self._workers)
            finally:
                signal.pthread_sigmask(signal.SIG_SETMASK, before)

    def stop(self) -> None:
        """Join the workers; a job that is being run is finished by its caller."""
        with self._lock:
            if not self._workers:
                return
            self._stop(self.block)
            for worker in self._workers:
                self._process.pthread_join(worker, None)
            self._workers.clear()
            self._words[pool_code.STOP] = 0

    def close(self) -> None:
        """Join the workers for good: later jobs run on their caller alone."""
        with self._lock:
            self._closed = True
            self._words[pool_code.WANTED] = 0
            self.stop()

    def _make_worker(self) -> ctypes.c_ulong:
        handle = ctypes.c_ulong()
        function = ctypes.c_void_p(self._runtime.address("pool_worker"))
        error = self._process.pthread_create(
            ctypes.byref(handle), None, function, ctypes.c_void_p(self.block)
        )
        if error:
            raise RuntimeError(
                f"threads: cannot make worker {len(self._workers) + 1} of {self._threads - 1}: "
                f"{os.strerror(error)}. Ask for fewer with set_threads or FNX_NUM_THREADS."
            )
        return handle

    def _before_fork(self) -> None:
        self._lock.acquire()
        self.stop()

    def _after_fork_in_parent(self) -> None:
        self._lock.release()

    def _after_fork_in_child(self) -> None:
        # Another thread of the parent may have been inside a job: it does not exist here.
        for place in (pool_code.OPEN, pool_code.ACTIVE, pool_code.SLEEPING, pool_code.BUSY):
            self._words[place] = 0
        for slot in range(pool_code.SCRATCH_SLOTS):
            place = pool_code.SCRATCH + slot * pool_code.SLOT_WORDS
            self._words[place + pool_code.SLOT_USED] = 0
        self._lock = threading.RLock()


@functools.cache
def pool() -> Pool:
    """The pool of this process."""
    made = Pool(runtime(), _default_threads())
    atexit.register(made.close)
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(
            before=made._before_fork,
            after_in_parent=made._after_fork_in_parent,
            after_in_child=made._after_fork_in_child,
        )
    return made


def block() -> int:
    """The address of the pool's shared block, with its workers running."""
    made = pool()
    made.start()
    return made.block


def parallel_for(kernel: int, words: int, count: int, chunk: int) -> None:
    """Run a native kernel over [0, count) in chunks on the pool, with the GIL released.

    Parameters
    ----------
    kernel : int
        Address of ``void kernel(int64_t *words, int64_t begin, int64_t end)``.
    words : int
        Address of the kernel's words.
    count, chunk : int
        How many parallel units there are, and how many one call of the kernel does.
    """
    pool().parallel_for(kernel, words, count, chunk)


def set_threads(count: int) -> None:
    """Set how many threads fnx computes with, the calling one counted.

    Parameters
    ----------
    count : int
        From 1 to 64.  The default is ``FNX_NUM_THREADS`` or the number of usable CPUs.

    Examples
    --------
    >>> from fnx.kernels.threads import set_threads, threads
    >>> before = threads()
    >>> set_threads(1)
    >>> threads()
    1
    >>> set_threads(before)
    """
    pool().resize(count)


def threads() -> int:
    """How many threads fnx computes with, the calling one counted."""
    return pool().threads


def _default_threads() -> int:
    named = os.environ.get("FNX_NUM_THREADS")
    if named:
        if not named.isdigit() or not 1 <= int(named) <= MOST_THREADS:
            raise ValueError(
                f"FNX_NUM_THREADS is {named!r}, it must be a number from 1 to {MOST_THREADS}."
            )
        return int(named)
    if sys.platform == "linux":
        return min(MOST_THREADS, len(os.sched_getaffinity(0)))
    return min(MOST_THREADS, os.cpu_count() or 1)
