"""The adjoint of max and min over windows: every window's value goes to its winner.

The winner is the first of equals, or the first NaN; padding and the holes of a dilated operand
never win.  The variant is the dtype of the values and that of the operand, joined by ``-``; the
words are those of windows.py.
"""

from __future__ import annotations

from fnx.kernels.source.intrinsics import (
    LLVM_TYPES,
    SIGNATURE,
    acquire,
    element,
    inner,
    release,
    word,
)
from fnx.kernels.windows import MOST_INDEPENDENT, MOST_WINDOWED

SOURCE, OPERAND, RESULT, POOL, GREATEST, LANES, BLOCK, BLOCKS, OUTER = range(9)
AXES = OUTER + 3 * MOST_INDEPENDENT
EXTENT, WINDOWS, STRIDE, SOURCE_STRIDE, SIZE, STEP, SPACING, BASE, LOW = range(9)


def entries(variant):
    """The function for a pair of dtypes."""
    source_dtype, _, operand_dtype = variant.partition("-")
    load_source, _ = element(source_dtype)
    load_result, store_result = element(source_dtype)
    load_operand, _ = element(operand_dtype)
    best_dtype = "float32" if operand_dtype not in LLVM_TYPES else operand_dtype
    load_best, store_best = element(best_dtype)
    load_index, store_index = element("int64")

    @inner
    def axis(words, k, field):
        return word(words, AXES + 9 * k + field)

    @inner
    def position(words, k, window, tap):
        """Where a tap of a window lies along an axis, or -1 in padding and holes."""
        place = window * axis(words, k, STEP) + tap * axis(words, k, SPACING) - axis(words, k, LOW)
        base = axis(words, k, BASE)
        if place < 0:
            return -1
        index = place // base
        if index * base != place or index >= axis(words, k, EXTENT):
            return -1
        return index

    def scatter(words, begin, end):
        block, blocks, greatest = word(words, BLOCK), word(words, BLOCKS), word(words, GREATEST)
        scratch = acquire(word(words, POOL), block * 16)
        best, winner = scratch, scratch + 8 * block
        result = word(words, RESULT)
        for unit in range(begin, end):
            rest = unit // blocks
            lane = (unit - rest * blocks) * block
            count = min(block, word(words, LANES) - lane)
            at, source_at = lane, lane
            for k in range(MOST_INDEPENDENT - 1, -1, -1):
                extent = word(words, OUTER + 3 * k)
                index = rest % extent
                rest //= extent
                at += index * word(words, OUTER + 3 * k + 1)
                source_at += index * word(words, OUTER + 3 * k + 2)
            total, windows, taps = 1, 1, 1
            for k in range(MOST_WINDOWED):
                total *= axis(words, k, EXTENT)
                windows *= axis(words, k, WINDOWS)
                taps *= axis(words, k, SIZE)
            for step in range(total):
                rest, place = step, at
                for k in range(MOST_WINDOWED - 1, -1, -1):
                    place += rest % axis(words, k, EXTENT) * axis(words, k, STRIDE)
                    rest //= axis(words, k, EXTENT)
                for c in range(count):
                    store_result(result, place + c, 0)
            for step in range(windows):
                rest, source_place = step, source_at
                w3 = rest % axis(words, 3, WINDOWS)
                rest //= axis(words, 3, WINDOWS)
                w2 = rest % axis(words, 2, WINDOWS)
                rest //= axis(words, 2, WINDOWS)
                w1 = rest % axis(words, 1, WINDOWS)
                w0 = rest // axis(words, 1, WINDOWS)
                source_place += w0 * axis(words, 0, SOURCE_STRIDE) + w1 * axis(
                    words, 1, SOURCE_STRIDE
                )
                source_place += w2 * axis(words, 2, SOURCE_STRIDE) + w3 * axis(
                    words, 3, SOURCE_STRIDE
                )
                first = True
                for t0 in range(axis(words, 0, SIZE)):
                    i0 = position(words, 0, w0, t0)
                    if i0 < 0:
                        continue
                    for t1 in range(axis(words, 1, SIZE)):
                        i1 = position(words, 1, w1, t1)
                        if i1 < 0:
                            continue
                        for t2 in range(axis(words, 2, SIZE)):
                            i2 = position(words, 2, w2, t2)
                            if i2 < 0:
                                continue
                            for t3 in range(axis(words, 3, SIZE)):
                                i3 = position(words, 3, w3, t3)
                                if i3 < 0:
                                    continue
                                place = (
                                    at + i0 * axis(words, 0, STRIDE) + i1 * axis(words, 1, STRIDE)
                                )
                                place += i2 * axis(words, 2, STRIDE) + i3 * axis(words, 3, STRIDE)
                                for c in range(count):
                                    value = load_operand(word(words, OPERAND), place + c)
                                    held = load_best(best, c)
                                    better = value > held if greatest else value < held
                                    better = better or (value != value and held == held)
                                    if first or better:
                                        store_best(best, c, value)
                                        store_index(winner, c, place + c)
                                first = False
                if not first:
                    for c in range(count):
                        place = load_index(winner, c)
                        value = load_source(word(words, SOURCE), source_place + c)
                        store_result(result, place, load_result(result, place) + value)
        release(word(words, POOL), scratch)

    return [(scatter, SIGNATURE, "scatter")]
