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
    def position(window, step, tap, spacing, low, base, extent):
        """Where a tap of a window lies along an axis, or -1 in padding and holes."""
        place = window * step + tap * spacing - low
        if base != 1:
            index = place // base
            if index * base != place:
                return -1
            place = index
        if place >= extent:
            return -1
        return max(place, -1)

    @inner
    def outer_position(words, k, window, tap):
        """The same for one of the axes whose words are not at hand."""
        at = AXES + 9 * k
        return position(
            window,
            word(words, at + STEP),
            tap,
            word(words, at + SPACING),
            word(words, at + LOW),
            word(words, at + BASE),
            word(words, at + EXTENT),
        )

    @inner
    def beats(value, held, greatest):
        """Whether an element wins over an earlier one: greater, or the first NaN."""
        better = value > held if greatest else value < held
        return better or (value != value and held == held)

    @inner
    def consider(operand, place, count, first, greatest, best, winner):
        """Let the elements from a place on compete with those that are best so far."""
        if first:
            for c in range(count):
                store_best(best, c, load_operand(operand, place + c))
                store_index(winner, c, place + c)
            return
        for c in range(count):
            value = load_operand(operand, place + c)
            if beats(value, load_best(best, c), greatest):
                store_best(best, c, value)
                store_index(winner, c, place + c)

    @inner
    def clear(words, result, at, count):
        """Zero the elements of the operand's extent that a unit owns."""
        last = AXES + 9 * (MOST_WINDOWED - 1)
        extent, stride = word(words, last + EXTENT), word(words, last + STRIDE)
        total = 1
        for k in range(MOST_WINDOWED - 1):
            total *= word(words, AXES + 9 * k + EXTENT)
        for step in range(total):
            rest, place = step, at
            for k in range(MOST_WINDOWED - 2, -1, -1):
                size = word(words, AXES + 9 * k + EXTENT)
                place += rest % size * word(words, AXES + 9 * k + STRIDE)
                rest //= size
            if count == 1:
                for i in range(extent):
                    store_result(result, place + i * stride, 0)
            else:
                for i in range(extent):
                    for c in range(count):
                        store_result(result, place + i * stride + c, 0)

    @inner
    def scatter_unit(words, at, source_at, count, best, winner):
        """All windows of a unit.  The last two axes are where windows usually are."""
        operand, result, greatest = word(words, OPERAND), word(words, RESULT), word(words, GREATEST)
        a, b = AXES + 18, AXES + 27
        extent_a, windows_a, stride_a = word(words, a), word(words, a + 1), word(words, a + 2)
        source_a, size_a, step_a = word(words, a + 3), word(words, a + 4), word(words, a + 5)
        spacing_a, base_a, low_a = word(words, a + 6), word(words, a + 7), word(words, a + 8)
        extent_b, windows_b, stride_b = word(words, b), word(words, b + 1), word(words, b + 2)
        source_b, size_b, step_b = word(words, b + 3), word(words, b + 4), word(words, b + 5)
        spacing_b, base_b, low_b = word(words, b + 6), word(words, b + 7), word(words, b + 8)
        inner_windows, inner_taps = word(words, AXES + 9 + WINDOWS), word(words, AXES + 9 + SIZE)
        outer_windows = word(words, AXES + WINDOWS) * inner_windows
        outer_taps = word(words, AXES + SIZE) * inner_taps
        for outer in range(outer_windows):
            w0 = outer // inner_windows
            w1 = outer - w0 * inner_windows
            source_outer = source_at + w0 * word(words, AXES + SOURCE_STRIDE)
            source_outer += w1 * word(words, AXES + 9 + SOURCE_STRIDE)
            for window in range(windows_a * windows_b):
                wa = window // windows_b
                wb = window - wa * windows_b
                won = source_outer + wa * source_a + wb * source_b
                # What one element needs is in registers; side by side, in scratch memory.
                first, held, kept = True, load_operand(operand, at), at
                for outer_tap in range(outer_taps):
                    t0 = outer_tap // inner_taps
                    i0 = outer_position(words, 0, w0, t0)
                    i1 = outer_position(words, 1, w1, outer_tap - t0 * inner_taps)
                    if i0 < 0 or i1 < 0:
                        continue
                    start = at + i0 * word(words, AXES + STRIDE)
                    start += i1 * word(words, AXES + 9 + STRIDE)
                    for ta in range(size_a):
                        ia = position(wa, step_a, ta, spacing_a, low_a, base_a, extent_a)
                        if ia < 0:
                            continue
                        for tb in range(size_b):
                            ib = position(wb, step_b, tb, spacing_b, low_b, base_b, extent_b)
                            if ib < 0:
                                continue
                            place = start + ia * stride_a + ib * stride_b
                            if count == 1:
                                value = load_operand(operand, place)
                                if first or beats(value, held, greatest):
                                    held, kept = value, place
                            else:
                                consider(operand, place, count, first, greatest, best, winner)
                            first = False
                if first:
                    continue
                if count == 1:
                    value = load_source(word(words, SOURCE), won)
                    store_result(result, kept, load_result(result, kept) + value)
                else:
                    for c in range(count):
                        place = load_index(winner, c)
                        value = load_source(word(words, SOURCE), won + c)
                        store_result(result, place, load_result(result, place) + value)

    def scatter(words, begin, end):
        block, blocks = word(words, BLOCK), word(words, BLOCKS)
        best = acquire(word(words, POOL), block * 16)
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
            clear(words, word(words, RESULT), at, count)
            scatter_unit(words, at, source_at, count, best, best + 8 * block)
        release(word(words, POOL), best)

    return [(scatter, SIGNATURE, "scatter")]
