"""Matrix products of float32 and float64: packing, the blocked product, and two thin forms.

The planner (fnx/kernels/gemm.py) documents the words.  Every element of the result is the sum,
in ascending order, of blocks of DEPTH products; inside a block the products are added in
ascending order by fused multiply-adds (`multiply`, `multiply_rows`), or as the tree that
`make_dot_kernel` describes (`multiply_dots`).  Tiles and threads do not change that order.
"""

from __future__ import annotations

from fnx.kernels.blocking import DEPTH, blocking
from fnx.kernels.source.intrinsics import (
    SIGNATURE,
    acquire,
    copy_bytes,
    element,
    fma,
    inner,
    release,
    word,
    zero_bytes,
)
from fnx.kernels.source.vectors import (
    make_dot_kernel,
    make_register_kernel,
    make_transpose,
)


def entries(variant):
    """The functions for a dtype."""
    block = blocking(variant)
    rows, columns, lanes = block.rows, block.columns, block.lanes
    size = 4 if variant == "float32" else 8
    load, store = element(variant)
    register_kernel = make_register_kernel(variant, rows, block.vectors, lanes, packed=True)
    row_kernel = make_register_kernel(variant, 1, 4, lanes)
    row_columns = 4 * lanes
    row_depth = 8
    square_dots = make_dot_kernel(variant, 4, 4, lanes)
    row_dots = make_dot_kernel(variant, 1, 4, lanes)
    single_dot = make_dot_kernel(variant, 1, 1, lanes)
    transpose = make_transpose(variant, lanes, lanes)
    transpose_rows = make_transpose(variant, rows, lanes)

    @inner
    def pack_panel(source, row, column, depth, width, panel):
        """Copy depth x width elements to depth rows of ``columns``, zeros on the right."""
        k = 0
        if column == 1 and width == columns:
            for k in range(depth):
                copy_bytes(panel + k * columns * size, source + k * row * size, columns * size)
            return
        if row == 1:
            while k + lanes <= depth:
                j = 0
                while j + lanes <= width:
                    transpose(
                        source + (k + j * column) * size,
                        column,
                        panel + (k * columns + j) * size,
                        columns,
                    )
                    j += lanes
                for q in range(k, k + lanes):
                    for p in range(j, width):
                        store(panel, q * columns + p, load(source, q + p * column))
                k += lanes
        for q in range(k, depth):
            for p in range(width):
                store(panel, q * columns + p, load(source, q * row + p * column))
        if width < columns:
            for q in range(depth):
                zero_bytes(panel + (q * columns + width) * size, (columns - width) * size)

    def pack(words, begin, end):
        source, batch_stride, row, column = (
            word(words, 0),
            word(words, 1),
            word(words, 2),
            word(words, 3),
        )
        depth, width, panels = word(words, 4), word(words, 5), word(words, 6)
        packed = word(words, 7)
        for unit in range(begin, end):
            batch = unit // panels
            j = (unit - batch * panels) * columns
            pack_panel(
                source + (batch * batch_stride + j * column) * size,
                row,
                column,
                depth,
                min(columns, width - j),
                packed + unit * depth * columns * size,
            )

    @inner
    def pack_rows(source, row, column, height, depth, packed):
        """Copy height <= ``rows`` rows to depth groups of ``rows``, zeros below."""
        k = 0
        if height == rows:
            if row == 1:
                for k in range(depth):
                    copy_bytes(packed + k * rows * size, source + k * column * size, rows * size)
                return
            if column == 1:
                while k + lanes <= depth:
                    transpose_rows(source + k * size, row, packed + k * rows * size, rows)
                    k += lanes
        for q in range(k, depth):
            for i in range(height):
                store(packed, q * rows + i, load(source, i * row + q * column))
            for i in range(height, rows):
                zero_bytes(packed + (q * rows + i) * size, size)

    @inner
    def edge_block(a, b, depth, c, c_row, height, width, accumulate, block):
        """A register block of which only height x width elements are wanted."""
        register_kernel(a, 0, 0, b, columns, block, columns, depth, 0)
        for i in range(height):
            for j in range(width):
                value = load(block, i * columns + j)
                if accumulate:
                    value += load(c, i * c_row + j)
                store(c, i * c_row + j, value)

    def multiply(words, begin, end):
        a, a_batch, a_row, a_column = word(words, 0), word(words, 1), word(words, 2), word(words, 3)
        packed, packed_batch = word(words, 4), word(words, 5)
        c, c_batch, c_row = word(words, 6), word(words, 7), word(words, 8)
        height, width, depth = word(words, 9), word(words, 10), word(words, 11)
        tile_height, tile_width, pool = word(words, 12), word(words, 13), word(words, 14)
        tiles_down = (height + tile_height - 1) // tile_height
        tiles_across = (width + tile_width - 1) // tile_width
        # Rows are packed in groups; the last store of a group may run over by a vector.
        groups = (tile_height + rows - 1) // rows
        scratch = acquire(pool, (groups * rows * DEPTH + lanes + rows * columns) * size)
        spare = scratch + (groups * rows * DEPTH + lanes) * size
        for unit in range(begin, end):
            batch = unit // (tiles_down * tiles_across)
            tile = unit - batch * tiles_down * tiles_across
            i0 = tile // tiles_across * tile_height
            j0 = (tile - tile // tiles_across * tiles_across) * tile_width
            i1, j1 = min(height, i0 + tile_height), min(width, j0 + tile_width)
            a_here = a + batch * a_batch * size
            b_here = packed + batch * packed_batch * size
            c_here = c + batch * c_batch * size
            for k in range(0, depth, DEPTH):
                deep = min(DEPTH, depth - k)
                for i in range(i0, i1, rows):
                    pack_rows(
                        a_here + (i * a_row + k * a_column) * size,
                        a_row,
                        a_column,
                        min(rows, i1 - i),
                        deep,
                        scratch + (i - i0) * deep * size,
                    )
                for j in range(j0, j1, columns):
                    b_panel = b_here + (j * depth + k * columns) * size
                    wide = min(columns, j1 - j)
                    for i in range(i0, i1, rows):
                        a_panel = scratch + (i - i0) * deep * size
                        place = c_here + (i * c_row + j) * size
                        if i + rows <= i1 and wide == columns:
                            register_kernel(a_panel, 0, 0, b_panel, columns, place, c_row, deep, k)
                        else:
                            edge_block(
                                a_panel,
                                b_panel,
                                deep,
                                place,
                                c_row,
                                min(rows, i1 - i),
                                wide,
                                k,
                                spare,
                            )
        release(pool, scratch)

    def multiply_rows(words, begin, end):
        a, a_batch, a_row, a_column = word(words, 0), word(words, 1), word(words, 2), word(words, 3)
        b, b_batch, b_row = word(words, 4), word(words, 5), word(words, 6)
        c, c_batch, c_row = word(words, 7), word(words, 8), word(words, 9)
        height, width, depth = word(words, 10), word(words, 11), word(words, 12)
        tile_width = word(words, 13)
        tiles = (width + tile_width - 1) // tile_width
        for unit in range(begin, end):
            batch = unit // tiles
            j0 = (unit - batch * tiles) * tile_width
            j1 = min(width, j0 + tile_width)
            for k in range(0, depth, row_depth):
                deep = min(row_depth, depth - k)
                for i in range(height):
                    a_here = a + (batch * a_batch + i * a_row + k * a_column) * size
                    b_here = b + (batch * b_batch + k * b_row) * size
                    c_here = c + (batch * c_batch + i * c_row) * size
                    j = j0
                    while j + row_columns <= j1:
                        row_kernel(
                            a_here,
                            0,
                            a_column,
                            b_here + j * size,
                            b_row,
                            c_here + j * size,
                            0,
                            deep,
                            k,
                        )
                        j += row_columns
                    for p in range(j, j1):
                        total = load(a_here, 0) * load(b_here, p)
                        for q in range(1, deep):
                            total = fma(
                                load(a_here, q * a_column), load(b_here, q * b_row + p), total
                            )
                        if k:
                            total += load(c_here, p)
                        store(c_here, p, total)

    def multiply_dots(words, begin, end):
        a, a_batch, a_row = word(words, 0), word(words, 1), word(words, 2)
        b, b_batch, b_column = word(words, 3), word(words, 4), word(words, 5)
        c, c_batch, c_row, c_column = word(words, 6), word(words, 7), word(words, 8), word(words, 9)
        height, width, depth = word(words, 10), word(words, 11), word(words, 12)
        tile_width = word(words, 13)
        tiles = (width + tile_width - 1) // tile_width
        for unit in range(begin, end):
            batch = unit // tiles
            j0 = (unit - batch * tiles) * tile_width
            j1 = min(width, j0 + tile_width)
            a_here, b_here = a + batch * a_batch * size, b + batch * b_batch * size
            c_here = c + batch * c_batch * size
            j = j0
            while j < j1:
                b_at = b_here + j * b_column * size
                i = 0
                if j + 4 <= j1:
                    while i + 4 <= height:
                        square_dots(
                            a_here + i * a_row * size, a_row, b_at, b_column,
                            c_here + (i * c_row + j * c_column) * size, c_row, c_column, depth,
                        )  # fmt: skip
                        i += 4
                    while i < height:
                        row_dots(
                            a_here + i * a_row * size, 0, b_at, b_column,
                            c_here + (i * c_row + j * c_column) * size, 0, c_column, depth,
                        )  # fmt: skip
                        i += 1
                    j += 4
                else:
                    while i < height:
                        single_dot(
                            a_here + i * a_row * size, 0, b_at, 0,
                            c_here + (i * c_row + j * c_column) * size, 0, 0, depth,
                        )  # fmt: skip
                        i += 1
                    j += 1

    functions = (pack, multiply, multiply_rows, multiply_dots)
    return [(function, SIGNATURE, function.__name__) for function in functions]
