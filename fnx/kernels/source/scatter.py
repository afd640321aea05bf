"""Scatters: windows combined with an array, in row-major order of the indices.

The variant is the combination, the dtype and the dtype of the indices, joined by ``-``.  Words:
result, indices, updates, whether windows out of bounds are dropped (else they are moved inside);
extent, result stride and update stride of the parallel axis, its block; stride of the indices'
last axis; numbers of row axes, coordinates and window axes; for each row axis extent, update
stride, result stride, index stride; for each coordinate result stride and greatest start; for
each window axis extent, result stride, update stride.
"""

from __future__ import annotations

from fnx.kernels.source.intrinsics import SIGNATURE, element, inner, word

HEAD = 12
_PARTS = {"complex64": "float32", "complex128": "float64"}


def entries(variant):
    """The function for a combination and dtypes."""
    combination, dtype, index_dtype = variant.split("-")
    combine = (
        _complex_combine(combination, dtype) if dtype in _PARTS else _combine(combination, dtype)
    )
    load_index, _ = element(index_dtype)
    far = 1 << 62
    is_huge = index_dtype == "uint64"

    def scatter(words, begin, end):
        result, indices, updates = word(words, 0), word(words, 1), word(words, 2)
        drops, lanes, lane_to, lane_from = (
            word(words, 3),
            word(words, 4),
            word(words, 5),
            word(words, 6),
        )
        block, index_stride = word(words, 7), word(words, 8)
        row_axes, coordinates, window_axes = word(words, 9), word(words, 10), word(words, 11)
        at_rows = HEAD
        at_coordinates = at_rows + 4 * row_axes
        at_windows = at_coordinates + 2 * coordinates
        first, last = begin * block, min(lanes, end * block)
        rows = 1
        for k in range(row_axes):
            rows *= word(words, at_rows + 4 * k)
        size = 1
        for k in range(window_axes):
            size *= word(words, at_windows + 3 * k)
        for row in range(rows):
            rest, source, target, index = row, 0, 0, 0
            for k in range(row_axes - 1, -1, -1):
                extent = word(words, at_rows + 4 * k)
                place = rest % extent
                rest //= extent
                source += place * word(words, at_rows + 4 * k + 1)
                target += place * word(words, at_rows + 4 * k + 2)
                index += place * word(words, at_rows + 4 * k + 3)
            inside = True
            for k in range(coordinates):
                raw = load_index(indices, index + k * index_stride)
                start = int(min(raw, far)) if is_huge else int(raw)
                greatest = word(words, at_coordinates + 2 * k + 1)
                if start < 0 or start > greatest:
                    inside = False
                target += min(max(start, 0), greatest) * word(words, at_coordinates + 2 * k)
            if drops and not inside:
                continue
            for step in range(size):
                rest, to, at = step, target, source
                for k in range(window_axes - 1, -1, -1):
                    extent = word(words, at_windows + 3 * k)
                    place = rest % extent
                    rest //= extent
                    to += place * word(words, at_windows + 3 * k + 1)
                    at += place * word(words, at_windows + 3 * k + 2)
                for lane in range(first, last):
                    combine(result, to + lane * lane_to, updates, at + lane * lane_from)

    return [(scatter, SIGNATURE, "scatter")]


def _combine(combination, dtype):
    load, store = element(dtype)
    if combination == "set":

        @inner
        def combine(result, to, updates, at):
            store(result, to, load(updates, at))

    elif combination == "add":
        if dtype == "bool":

            @inner
            def combine(result, to, updates, at):
                store(result, to, load(result, to) | load(updates, at))

        else:

            @inner
            def combine(result, to, updates, at):
                store(result, to, load(result, to) + load(updates, at))

    elif combination == "mul":

        @inner
        def combine(result, to, updates, at):
            store(result, to, load(result, to) * load(updates, at))

    elif combination == "min":

        @inner
        def combine(result, to, updates, at):
            held, value = load(result, to), load(updates, at)
            if value < held or value != value:
                store(result, to, value)

    else:

        @inner
        def combine(result, to, updates, at):
            held, value = load(result, to), load(updates, at)
            if value > held or value != value:
                store(result, to, value)

    return combine


def _complex_combine(combination, dtype):
    load, store = element(_PARTS[dtype])
    if combination == "set":

        @inner
        def combine(result, to, updates, at):
            store(result, 2 * to, load(updates, 2 * at))
            store(result, 2 * to + 1, load(updates, 2 * at + 1))

    elif combination == "add":

        @inner
        def combine(result, to, updates, at):
            store(result, 2 * to, load(result, 2 * to) + load(updates, 2 * at))
            store(result, 2 * to + 1, load(result, 2 * to + 1) + load(updates, 2 * at + 1))

    elif combination == "mul":

        @inner
        def combine(result, to, updates, at):
            a, b = load(result, 2 * to), load(result, 2 * to + 1)
            c, d = load(updates, 2 * at), load(updates, 2 * at + 1)
            store(result, 2 * to, a * c - b * d)
            store(result, 2 * to + 1, a * d + b * c)

    else:
        raise ValueError(f"scatter: {combination} has no meaning for {dtype}.")
    return combine
