"""Stable sorting of lanes by integer images of their keys.

A key becomes an int64 of the same order: floats by the usual reflection of negative ones, with -0
as 0 and every NaN as the greatest.  Short lanes are sorted by insertion, long ones by radix,
one byte after the other from the least significant; bytes that are the same everywhere are
skipped.  Several keys are sorted one after the other, the last one first.

Words: pool, extent, stride of a lane, number of keys, number of operands; for each key place,
kind, factor, offset; for each operand source, destination, bytes of an element.
"""

from __future__ import annotations

from fnx.kernels.sort import KEY_KINDS
from fnx.kernels.source.intrinsics import (
    SIGNATURE,
    acquire,
    copy_bytes,
    element,
    inner,
    release,
    word,
    zero_bytes,
)

_BITS = {"float16": 16, "bfloat16": 16, "float32": 32, "float64": 64}
_INFINITY = {"float16": 0x7C00, "bfloat16": 0x7F80, "float32": 0x7F800000, "float64": 0x7FF << 52}
_SHORT = 48


def _reader(kind):
    """A function that gives the int64 image of a key of a kind."""
    if kind in _BITS:
        return _float_reader(kind)
    if kind == "uint64":
        return _unsigned_reader()
    load, _ = element(kind)

    @inner
    def read(place, index):
        return int(load(place, index))

    return read


def _unsigned_reader():
    load, _ = element("int64")
    lowest = -(1 << 63)

    @inner
    def read(place, index):
        return load(place, index) ^ lowest

    return read


def _float_reader(kind):
    bits = _BITS[kind]
    load, _ = element(f"int{bits}")
    greatest, infinity = (1 << (bits - 1)) - 1, _INFINITY[kind]

    @inner
    def read(place, index):
        image = int(load(place, index))
        magnitude = image & greatest
        if magnitude > infinity:
            return greatest
        # Negative numbers are reflected: -0 becomes 0, the next smaller one -1, and so on.
        return -magnitude if image < 0 else image

    return read


def entries(variant):
    """The one function."""
    readers = tuple(_reader(kind) for kind in KEY_KINDS)
    (u8, u16, u32, u64, i8, i16, i32, i64, f16, bf16, f32, f64) = readers
    load, store = element("int64")

    @inner
    def read_key(kind, place, index):
        if kind == 0:
            return u8(place, index)
        if kind == 1:
            return u16(place, index)
        if kind == 2:
            return u32(place, index)
        if kind == 3:
            return u64(place, index)
        if kind == 4:
            return i8(place, index)
        if kind == 5:
            return i16(place, index)
        if kind == 6:
            return i32(place, index)
        if kind == 7:
            return i64(place, index)
        if kind == 8:
            return f16(place, index)
        if kind == 9:
            return bf16(place, index)
        if kind == 10:
            return f32(place, index)
        return f64(place, index)

    @inner
    def insertion(keys, order, n):
        for i in range(1, n):
            key, place = load(keys, i), load(order, i)
            j = i
            while j > 0 and load(keys, j - 1) > key:
                store(keys, j, load(keys, j - 1))
                store(order, j, load(order, j - 1))
                j -= 1
            store(keys, j, key)
            store(order, j, place)

    @inner
    def radix(keys, order, spare_keys, spare_order, counts, n):
        """Sorts keys and order together; results are copied back to where they came from."""
        zero_bytes(counts, 8 * 256 * 8)
        for i in range(n):
            key = load(keys, i)
            for digit in range(8):
                flip = 128 if digit == 7 else 0
                place = digit * 256 + (((key >> (8 * digit)) & 255) ^ flip)
                store(counts, place, load(counts, place) + 1)
        source, source_order = keys, order
        target, target_order = spare_keys, spare_order
        for digit in range(8):
            flip = 128 if digit == 7 else 0
            first = digit * 256 + (((load(source, 0) >> (8 * digit)) & 255) ^ flip)
            if load(counts, first) == n:
                continue  # the same byte everywhere
            total = 0
            for value in range(256):
                size = load(counts, digit * 256 + value)
                store(counts, digit * 256 + value, total)
                total += size
            for i in range(n):
                key = load(source, i)
                place = digit * 256 + (((key >> (8 * digit)) & 255) ^ flip)
                to = load(counts, place)
                store(counts, place, to + 1)
                store(target, to, key)
                store(target_order, to, load(source_order, i))
            source, target = target, source
            source_order, target_order = target_order, source_order
        if source != keys:
            copy_bytes(keys, source, n * 8)
            copy_bytes(order, source_order, n * 8)

    def sort(words, begin, end):
        pool, n, stride = word(words, 0), word(words, 1), word(words, 2)
        key_count, operand_count = word(words, 3), word(words, 4)
        scratch = acquire(pool, (4 * n + 8 * 256) * 8)
        keys, order = scratch, scratch + 8 * n
        spare_keys, spare_order, counts = scratch + 16 * n, scratch + 24 * n, scratch + 32 * n
        for lane in range(begin, end):
            outer = lane // stride
            base = outer * n * stride + lane - outer * stride
            for i in range(n):
                store(order, i, i)
            for k in range(key_count - 1, -1, -1):
                place, kind = word(words, 5 + 4 * k), word(words, 6 + 4 * k)
                factor, offset = word(words, 7 + 4 * k), word(words, 8 + 4 * k)
                for i in range(n):
                    index = base + load(order, i) * stride
                    store(keys, i, read_key(kind, place, factor * index + offset))
                if n <= _SHORT:
                    insertion(keys, order, n)
                else:
                    radix(keys, order, spare_keys, spare_order, counts, n)
            for k in range(operand_count):
                source = word(words, 5 + 4 * key_count + 3 * k)
                target = word(words, 6 + 4 * key_count + 3 * k)
                size = word(words, 7 + 4 * key_count + 3 * k)
                for i in range(n):
                    copy_element(
                        target, base + i * stride, source, base + load(order, i) * stride, size
                    )
        release(pool, scratch)

    load8, store8 = element("int8")
    load16, store16 = element("int16")
    load32, store32 = element("int32")

    @inner
    def copy_element(target, to, source, at, size):
        if size == 4:
            store32(target, to, load32(source, at))
        elif size == 8:
            store(target, to, load(source, at))
        elif size == 1:
            store8(target, to, load8(source, at))
        elif size == 2:
            store16(target, to, load16(source, at))
        else:
            store(target, 2 * to, load(source, 2 * at))
            store(target, 2 * to + 1, load(source, 2 * at + 1))

    return [(sort, SIGNATURE, "sort")]
