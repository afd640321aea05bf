"""Matrix products of any dtype by plain loops: integers wrap, bool is or of ands.

Words: A, its batch, row and column stride, the same for B, C, its batch and row stride, height,
width, depth.  A unit is a row of C; products are added in ascending order.
"""

from __future__ import annotations

from fnx.kernels.source.intrinsics import NUMBA_TYPES, SIGNATURE, element, word


def entries(variant):
    """The function for a dtype."""
    if variant in ("complex64", "complex128"):
        return [(_complex_multiply("float32" if variant == "complex64" else "float64"),
                 SIGNATURE, "multiply")]  # fmt: skip
    load, store = element(variant)
    zero = NUMBA_TYPES[variant](0)
    is_bool = variant == "bool"

    def multiply(words, begin, end):
        a, a_batch, a_row, a_column = word(words, 0), word(words, 1), word(words, 2), word(words, 3)
        b, b_batch, b_row, b_column = word(words, 4), word(words, 5), word(words, 6), word(words, 7)
        c, c_batch, c_row = word(words, 8), word(words, 9), word(words, 10)
        height, width, depth = word(words, 11), word(words, 12), word(words, 13)
        for unit in range(begin, end):
            batch = unit // height
            row = unit - batch * height
            a_at, b_at = batch * a_batch + row * a_row, batch * b_batch
            c_at = batch * c_batch + row * c_row
            for j in range(width):
                store(c, c_at + j, zero)
            for k in range(depth):
                x = load(a, a_at + k * a_column)
                b_here = b_at + k * b_row
                for j in range(width):
                    y = load(b, b_here + j * b_column)
                    if is_bool:
                        store(c, c_at + j, load(c, c_at + j) | (x & y))
                    else:
                        store(c, c_at + j, load(c, c_at + j) + x * y)

    return [(multiply, SIGNATURE, "multiply")]


def _complex_multiply(part):
    load, store = element(part)
    zero = NUMBA_TYPES[part](0)

    def multiply(words, begin, end):
        a, a_batch, a_row, a_column = word(words, 0), word(words, 1), word(words, 2), word(words, 3)
        b, b_batch, b_row, b_column = word(words, 4), word(words, 5), word(words, 6), word(words, 7)
        c, c_batch, c_row = word(words, 8), word(words, 9), word(words, 10)
        height, width, depth = word(words, 11), word(words, 12), word(words, 13)
        for unit in range(begin, end):
            batch = unit // height
            row = unit - batch * height
            a_at, b_at = batch * a_batch + row * a_row, batch * b_batch
            c_at = 2 * (batch * c_batch + row * c_row)
            for j in range(2 * width):
                store(c, c_at + j, zero)
            for k in range(depth):
                x = load(a, 2 * (a_at + k * a_column))
                y = load(a, 2 * (a_at + k * a_column) + 1)
                b_here = b_at + k * b_row
                for j in range(width):
                    u = load(b, 2 * (b_here + j * b_column))
                    v = load(b, 2 * (b_here + j * b_column) + 1)
                    place = c_at + 2 * j
                    store(c, place, load(c, place) + (x * u - y * v))
                    store(c, place + 1, load(c, place + 1) + (x * v + y * u))

    return multiply
