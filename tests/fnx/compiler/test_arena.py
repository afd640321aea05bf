"""The arena: values that live at the same time never share bytes."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from fnx.compiler import arena
from fnx.compiler.arena import ALIGNMENT, Allocator


@pytest.mark.parametrize("seed", range(20))
def test_living_values_never_overlap(seed):
    rng = np.random.default_rng(seed)
    allocator, living = Allocator(), []
    for _ in range(200):
        if living and rng.random() < 0.5:
            allocator.release(living.pop(rng.integers(len(living))))
        else:
            living.append(allocator.take(int(rng.integers(0, 1000))))
        spans = sorted((s.offset, s.offset + s.size) for s in living)
        assert all(a[1] <= b[0] for a, b in itertools.pairwise(spans))
        assert all(start % ALIGNMENT == 0 and stop <= allocator.size for start, stop in spans)


def test_dead_bytes_are_used_again():
    allocator = Allocator()
    for _ in range(10):
        first, second = allocator.take(1000), allocator.take(500)
        allocator.release(first)
        allocator.release(second)
    assert allocator.size == 1024 + 512


def test_shared_bytes_die_with_the_last_value():
    allocator = Allocator()
    storage = allocator.take(64)
    allocator.share(storage)
    allocator.release(storage)
    assert allocator.take(64).offset != storage.offset
    allocator.release(storage)
    assert allocator.take(64).offset == storage.offset


def test_blocks_are_handed_out_once_and_kept():
    arena.clear()
    first, second = arena.take(10_000), arena.take(10_000)
    assert first.ctypes.data != second.ctypes.data
    assert first.ctypes.data % ALIGNMENT == 0
    address = first.ctypes.data
    arena.give(first)
    assert arena.take(5_000).ctypes.data == address
    arena.clear()
