"""Strided copies with conversion.

Words: source, destination, number of axes (2 to 8), then extent, source stride and destination
stride of each; the parallel axis is the first.  The variant is a dtype, or two joined by ``-``.
"""

from __future__ import annotations

from fnx.kernels.source.intrinsics import SIGNATURE, element, inner, word


def entries(variant):
    """The functions for a dtype or a pair of dtypes."""
    source_dtype, _, destination_dtype = variant.partition("-")
    load, _ = element(source_dtype)
    _, store = element(destination_dtype or source_dtype)

    @inner
    def copy_axes(words, axis, axes, source, destination, begin, end):
        """Copy the part of an axis; the innermost two are loops, the others are counted through."""
        n = word(words, 3 * axes), word(words, 3 * axes + 1), word(words, 3 * axes + 2)
        last_extent, last_from, last_to = n
        total = end - begin
        for k in range(axis + 1, axes - 1):
            total *= word(words, 3 + 3 * k)
        for step in range(total):
            rest, from_at, to_at = step, 0, 0
            for k in range(axes - 2, axis, -1):
                extent = word(words, 3 + 3 * k)
                index = rest % extent
                rest //= extent
                from_at += index * word(words, 4 + 3 * k)
                to_at += index * word(words, 5 + 3 * k)
            from_at += (begin + rest) * word(words, 4 + 3 * axis)
            to_at += (begin + rest) * word(words, 5 + 3 * axis)
            if last_from == 1 and last_to == 1:
                for j in range(last_extent):
                    store(destination, to_at + j, load(source, from_at + j))
            else:
                for j in range(last_extent):
                    store(destination, to_at + j * last_to, load(source, from_at + j * last_from))

    def copy(words, begin, end):
        copy_axes(words, 0, word(words, 2), word(words, 0), word(words, 1), begin, end)

    return [(copy, SIGNATURE, "copy")]
