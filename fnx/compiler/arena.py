"""Memory of compiled programs: which bytes each value lives in, and the blocks behind them.

`Allocator` decides while a program is planned: values that are not alive at the same time share
bytes of one block, the arena; in come sizes and the order of births and deaths, out come offsets.
`take` and `give` hand out the large blocks while programs run: they are shared by all programs
and kept, because fresh pages cost more than the work that is done in them. A program that is
called from two threads at once takes a block for each. Read next: `planning`, `executable`.
"""

from __future__ import annotations

import bisect
import threading
from dataclasses import dataclass, field
from typing import Any

import numpy as np

__all__ = ["ALIGNMENT", "Allocator", "Storage", "aligned_block", "clear", "give", "take"]

ALIGNMENT = 64

#: Blocks that are kept when no program runs.
MOST_BLOCKS = 4


@dataclass(slots=True, eq=False)
class Storage:
    """Bytes of the arena, and how many values live in them."""

    offset: int
    size: int
    users: int = 1


class Allocator:
    """Places values in one block: the smallest gap that fits, else at the end.

    Attributes
    ----------
    size : int
        How many bytes the block needs.
    """

    def __init__(self) -> None:
        self.size = 0
        self._gaps: list[tuple[int, int]] = []  # (offset, size), by offset, never adjacent

    def take(self, size: int) -> Storage:
        """Room for a value of some bytes."""
        size = max(-(-size // ALIGNMENT) * ALIGNMENT, ALIGNMENT)
        fits = [(gap, k) for k, (_, gap) in enumerate(self._gaps) if gap >= size]
        if fits:
            gap, k = min(fits)
            offset = self._gaps[k][0]
            self._gaps[k : k + 1] = [(offset + size, gap - size)] if gap > size else []
            return Storage(offset, size)
        offset = self.size
        if self._gaps and sum(self._gaps[-1]) == self.size:  # a gap at the end grows
            offset = self._gaps.pop()[0]
        self.size = offset + size
        return Storage(offset, size)

    def share(self, storage: Storage) -> Storage:
        """Note that one more value lives in the same bytes."""
        storage.users += 1
        return storage

    def release(self, storage: Storage) -> None:
        """Note that a value has died; the last one gives the bytes back."""
        storage.users -= 1
        if storage.users:
            return
        k = bisect.bisect(self._gaps, (storage.offset, 0))
        start, stop = storage.offset, storage.offset + storage.size
        if k < len(self._gaps) and self._gaps[k][0] == stop:
            stop += self._gaps.pop(k)[1]
        if k and sum(self._gaps[k - 1]) == start:
            k -= 1
            start = self._gaps.pop(k)[0]
        self._gaps.insert(k, (start, stop - start))


def aligned_block(size: int) -> np.ndarray[Any, Any]:
    """Uninitialised bytes that begin at a multiple of `ALIGNMENT`."""
    raw = np.empty(size + ALIGNMENT, np.uint8)
    skip = -raw.ctypes.data % ALIGNMENT
    return raw[skip : skip + size]


@dataclass(slots=True)
class _Blocks:
    free: list[np.ndarray[Any, Any]] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)


_blocks = _Blocks()


def take(size: int) -> np.ndarray[Any, Any]:
    """A block of at least so many bytes, for the time of one call; `give` it back."""
    with _blocks.lock:
        fits = [k for k, block in enumerate(_blocks.free) if block.size >= size]
        if fits:
            return _blocks.free.pop(min(fits, key=lambda k: _blocks.free[k].size))
        if _blocks.free:  # grow one rather than keep both
            _blocks.free.pop()
    return aligned_block(size)


def give(block: np.ndarray[Any, Any]) -> None:
    """Give a block back that `take` handed out."""
    with _blocks.lock:
        _blocks.free.append(block)
        if len(_blocks.free) > MOST_BLOCKS:
            _blocks.free.remove(min(_blocks.free, key=lambda b: b.size))


def clear() -> None:
    """Give the memory of all blocks that are not in use back to the system."""
    with _blocks.lock:
        _blocks.free.clear()
