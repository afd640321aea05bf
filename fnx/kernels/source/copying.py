"""Strided copies with conversion.

Words: source, destination, number of axes (2 to 8), then extent, source stride and destination
stride of each; the parallel axis is the first.  The variant is a dtype, or two joined by ``-``.
"""

from __future__ import annotations

from fnx.kernels.blocking import blocking
from fnx.kernels.source.intrinsics import NUMBA_TYPES, SIGNATURE, element, inner, word
from fnx.kernels.source.vectors import make_transpose

_PARTS = {"complex64": "float32", "complex128": "float64"}


def entries(variant):
    """The functions for a dtype or a pair of dtypes."""
    source_dtype, _, destination_dtype = variant.partition("-")
    load, store = _conversion(source_dtype, destination_dtype or source_dtype)

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

    functions = [(copy, SIGNATURE, "copy")]
    if variant in ("float32", "float64"):
        functions.append((_transpose(variant), SIGNATURE, "transpose"))
    return functions


def _transpose(variant):
    """Exchange two axes, in square blocks.

    Words: source, destination, extent and destination stride of the source's contiguous axis,
    extent and source stride of the destination's, columns and rows of a unit, number of other axes,
    then extent, source stride and destination stride of each.
    """
    lanes = blocking(variant).lanes
    size = 4 if variant == "float32" else 8
    load, store = element(variant)
    block = make_transpose(variant, lanes, lanes)

    def transpose(words, begin, end):
        columns, to_column = word(words, 2), word(words, 3)
        rows, from_row = word(words, 4), word(words, 5)
        strip, reach = word(words, 6), word(words, 7)
        strips, reaches = (columns + strip - 1) // strip, (rows + reach - 1) // reach
        for unit in range(begin, end):
            place = unit // reaches
            top = (unit - place * reaches) * reach
            bottom = min(rows, top + reach)
            rest = place // strips
            first = (place - rest * strips) * strip
            last = min(columns, first + strip)
            source, destination = word(words, 0), word(words, 1)
            for k in range(word(words, 8) - 1, -1, -1):
                extent = word(words, 9 + 3 * k)
                index = rest % extent
                rest //= extent
                source += index * word(words, 10 + 3 * k) * size
                destination += index * word(words, 11 + 3 * k) * size
            whole = last - (last - first) % lanes
            even = bottom - (bottom - top) % lanes
            # Few rows of the destination at a time: they may all lie in the same cache sets.
            for j in range(first, whole, lanes):
                for i in range(top, even, lanes):
                    block(
                        source + (i * from_row + j) * size,
                        from_row,
                        destination + (j * to_column + i) * size,
                        to_column,
                    )
            for j in range(first, last):
                for i in range(even if j < whole else top, bottom):
                    store(destination, j * to_column + i, load(source, i * from_row + j))

    return transpose


def _conversion(source, destination):
    """``load`` and ``store`` of whole elements, which convert on the way."""
    if source in _PARTS:
        if source != destination:
            raise ValueError(f"copying: no conversion from {source} to {destination}.")
        bits = {"complex64": "int64", "complex128": None}[source]
        return element(bits) if bits else _wide_element()
    load_source, _ = element(source)
    part = _PARTS.get(destination, destination)
    _, store_part = element(part)
    number = NUMBA_TYPES.get(part, NUMBA_TYPES["float32"])
    to_bool = destination == "bool"

    @inner
    def load(place, index):
        value = load_source(place, index)
        return number(value != 0) if to_bool else number(value)

    if destination not in _PARTS:
        return load, store_part

    @inner
    def store(place, index, value):
        store_part(place, 2 * index, value)
        store_part(place, 2 * index + 1, number(0))

    return load, store


def _wide_element():
    """Elements of 16 bytes, as pairs."""
    load_half, store_half = element("float64")

    @inner
    def load(place, index):
        return load_half(place, 2 * index), load_half(place, 2 * index + 1)

    @inner
    def store(place, index, value):
        store_half(place, 2 * index, value[0])
        store_half(place, 2 * index + 1, value[1])

    return load, store
