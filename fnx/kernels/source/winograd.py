"""3x3 convolution of stride 1 in NHWC float32 by Winograd's algorithm, and its weight gradient.

The variant is the output tile's size (4 or 2).  `transform_weights` runs first.  Then either
`fused` (a unit transforms some tiles of all channels into its scratch memory, multiplies with
the weights and transforms back), for many tiles; or `transform_tiles` and `multiply` (a unit is
some tiles and some output channels), for few tiles with many channels.  The gradient of the
weights is `accumulate` (a unit sums over its share of the tiles) or `transform_pairs` and
`multiply_pairs`; then `finish_gradient`.  The planner, conv_winograd.py, documents the words.
"""

from __future__ import annotations

from fnx.kernels.blocking import blocking
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
from fnx.kernels.source.linear_transform import make_transform
from fnx.kernels.source.vectors import make_register_kernel
from fnx.kernels.winograd_points import transforms, transposed


def entries(variant):
    """The functions for a tile size."""
    tile = int(variant)
    side = tile + 2
    points = side * side
    block = blocking("float32")
    rows, panel, lanes = block.rows, block.columns, block.lanes
    output, filters, inputs = transforms(tile)
    load, store = element("float32")
    product = make_register_kernel("float32", rows, block.vectors, lanes)
    grouped_product = make_register_kernel("float32", rows, block.vectors, lanes, grouped=True)
    to_input = make_transform(inputs, lanes)
    to_output = make_transform(output, lanes, masked=True)
    to_filter = make_transform(filters, lanes)
    from_output = make_transform(transposed(output), lanes)
    from_filter = make_transform(transposed(filters), lanes)

    @inner
    def copy_patch(image, height, width, channels, h0, w0, size, c0, count, patch):
        """A size x size patch of ``lanes`` channels, zeros outside the image."""
        for i in range(size):
            for j in range(size):
                h, w = h0 + i, w0 + j
                place = patch + (i * size + j) * lanes * 4
                if h >= 0 and h < height and w >= 0 and w < width:
                    copy_bytes(place, image + ((h * width + w) * channels + c0) * 4, count * 4)
                    if count < lanes:
                        zero_bytes(place + count * 4, (lanes - count) * 4)
                else:
                    zero_bytes(place, lanes * 4)

    @inner
    def input_tile(image, height, width, channels, h0, w0, patch, out, out_point, out_group):
        """Transform a tile: point p of channel group g goes to out + p*out_point + g*out_group."""
        inside = h0 >= 0 and w0 >= 0 and h0 + side <= height and w0 + side <= width
        for c in range(0, channels, lanes):
            to = out + c // lanes * out_group * 4
            if inside and c + lanes <= channels:
                start = image + ((h0 * width + w0) * channels + c) * 4
                to_input(start, width * channels, channels, to, out_point * side, out_point, 0, 0)
            else:
                count = min(lanes, channels - c)
                copy_patch(image, height, width, channels, h0, w0, side, c, count, patch)
                to_input(patch, side * lanes, lanes, to, out_point * side, out_point, 0, 0)

    @inner
    def output_tile(source, point, group, image, height, width, channels, c0, c1, h0, w0, patch):
        """Transform back the channels [c0, c1) of a tile, and store what lies in the image."""
        tall, wide = min(tile, height - h0), min(tile, width - w0)
        for c in range(c0, c1, lanes):
            start = source + (c - c0) // lanes * group * 4
            place = image + ((h0 * width + w0) * channels + c) * 4
            if c + lanes <= channels:
                to_output(start, point * side, point, place, width * channels, channels, tall, wide)
            else:
                count = channels - c
                to_output(start, point * side, point, patch, tile * lanes, lanes, tall, wide)
                for i in range(tall):
                    for j in range(wide):
                        to = place + (i * width + j) * channels * 4
                        copy_bytes(to, patch + (i * tile + j) * lanes * 4, count * 4)

    @inner
    def filter_panel(
        weights, row, column, c_stride, k_stride, c, k, kernels, patch, out, out_point
    ):
        """Transform the filters of one input channel for one panel of output channels."""
        for q in range(0, panel, lanes):
            start = weights + (c * c_stride + (k + q) * k_stride) * 4
            to = out + q * 4
            if k_stride == 1 and k + q + lanes <= kernels:
                to_filter(start, row, column, to, out_point * side, out_point, 0, 0)
            else:
                zero_bytes(patch, 9 * lanes * 4)
                for i in range(3):
                    for j in range(3):
                        for n in range(min(lanes, kernels - k - q)):
                            value = load(start, i * row + j * column + n * k_stride)
                            store(patch, (i * 3 + j) * lanes + n, value)
                to_filter(patch, 3 * lanes, lanes, to, out_point * side, out_point, 0, 0)

    def transform_weights(words, begin, end):
        weights, transformed = word(words, 0), word(words, 1)
        channels, kernels = word(words, 2), word(words, 3)
        row, column, c_stride = word(words, 4), word(words, 5), word(words, 6)
        k_stride, pool = word(words, 7), word(words, 8)
        panels = (kernels + panel - 1) // panel
        patch = acquire(pool, 9 * lanes * 4)
        for c in range(begin, end):
            for k in range(panels):
                filter_panel(
                    weights, row, column, c_stride, k_stride, c, k * panel, kernels, patch,
                    transformed + (k * channels + c) * panel * 4, panels * channels * panel,
                )  # fmt: skip
        release(pool, patch)

    @inner
    def multiply_tiles(
        v, v_point, v_group, count, weights, w_point, channels, k0, k1, m, m_point, m_row
    ):
        """M = V U for every point: count tiles (rounded up to whole blocks), kernels [k0, k1)."""
        for p in range(points):
            for k in range(k0, k1, panel):
                u = weights + (p * w_point + k * channels) * 4
                for t in range(0, count, rows):
                    grouped_product(
                        v + (p * v_point + t * lanes) * 4, 0, v_group, u, panel,
                        m + (p * m_point + t * m_row + k - k0) * 4, m_row, channels, 0,
                    )  # fmt: skip

    def fused(words, begin, end):
        x, weights, y = word(words, 0), word(words, 1), word(words, 2)
        height, width, channels = word(words, 3), word(words, 4), word(words, 5)
        out_height, out_width, kernels = word(words, 6), word(words, 7), word(words, 8)
        tiles, pad_h, pad_w = word(words, 9), word(words, 10), word(words, 11)
        total, kernel_block, pool = word(words, 12), word(words, 13), word(words, 14)
        across = (out_width + tile - 1) // tile
        per_image = (out_height + tile - 1) // tile * across
        wide = (channels + lanes - 1) // lanes * lanes
        padded = (kernels + panel - 1) // panel * panel
        v_size, m_size = points * tiles * wide, points * tiles * kernel_block
        v = acquire(pool, (v_size + m_size + points * lanes) * 4)
        m, patch = v + v_size * 4, v + (v_size + m_size) * 4
        for unit in range(begin, end):
            first = unit * tiles
            count = min(tiles, total - first)
            for t in range(count):
                image = (first + t) // per_image
                place = first + t - image * per_image
                h0, w0 = place // across * tile, place % across * tile
                input_tile(
                    x + image * height * width * channels * 4, height, width, channels,
                    h0 - pad_h, w0 - pad_w, patch, v + t * lanes * 4, tiles * wide, tiles * lanes,
                )  # fmt: skip
            for k in range(0, padded, kernel_block):
                stop = min(padded, k + kernel_block)
                multiply_tiles(
                    v, tiles * wide, tiles * lanes, count, weights, padded * channels, channels,
                    k, stop, m, tiles * kernel_block, kernel_block,
                )  # fmt: skip
                for t in range(count):
                    image = (first + t) // per_image
                    place = first + t - image * per_image
                    h0, w0 = place // across * tile, place % across * tile
                    output_tile(
                        m + t * kernel_block * 4, tiles * kernel_block, lanes,
                        y + image * out_height * out_width * kernels * 4, out_height, out_width,
                        kernels, k, min(stop, kernels), h0, w0, patch,
                    )  # fmt: skip
        release(pool, v)

    def transform_tiles(words, begin, end):
        x, v = word(words, 0), word(words, 1)
        height, width, channels = word(words, 2), word(words, 3), word(words, 4)
        out_height, out_width = word(words, 5), word(words, 6)
        pad_h, pad_w, padded, pool = word(words, 7), word(words, 8), word(words, 9), word(words, 10)
        across = (out_width + tile - 1) // tile
        down = (out_height + tile - 1) // tile
        wide = (channels + lanes - 1) // lanes * lanes
        patch = acquire(pool, points * lanes * 4)
        for unit in range(begin, end):
            image = unit // down
            h0 = (unit - image * down) * tile
            for w in range(across):
                input_tile(
                    x + image * height * width * channels * 4, height, width, channels,
                    h0 - pad_h, w * tile - pad_w, patch,
                    v + (unit * across + w) * lanes * 4, padded * wide, padded * lanes,
                )  # fmt: skip
        release(pool, patch)

    def multiply(words, begin, end):
        v, weights, y = word(words, 0), word(words, 1), word(words, 2)
        channels, kernels = word(words, 3), word(words, 4)
        out_height, out_width = word(words, 5), word(words, 6)
        total, padded_tiles, tiles = word(words, 7), word(words, 8), word(words, 9)
        row, column, c_stride = word(words, 10), word(words, 11), word(words, 12)
        k_stride, pool = word(words, 13), word(words, 14)
        across = (out_width + tile - 1) // tile
        per_image = (out_height + tile - 1) // tile * across
        wide = (channels + lanes - 1) // lanes * lanes
        u_size, m_size = points * channels * panel, points * tiles * panel
        u = acquire(pool, (u_size + m_size + points * lanes) * 4)
        m, patch = u + u_size * 4, u + (u_size + m_size) * 4
        for unit in range(begin, end):
            k = unit * panel
            for c in range(channels):
                filter_panel(
                    weights, row, column, c_stride, k_stride, c, k, kernels, patch,
                    u + c * panel * 4, channels * panel,
                )  # fmt: skip
            for first in range(0, total, tiles):
                count = min(tiles, total - first)
                multiply_tiles(
                    v + first * lanes * 4, padded_tiles * wide, padded_tiles * lanes, count, u,
                    channels * panel, channels, 0, panel, m, tiles * panel, panel,
                )  # fmt: skip
                for t in range(count):
                    image = (first + t) // per_image
                    place = first + t - image * per_image
                    h0, w0 = place // across * tile, place % across * tile
                    output_tile(
                        m + t * panel * 4, tiles * panel, lanes,
                        y + image * out_height * out_width * kernels * 4, out_height, out_width,
                        kernels, k, min(k + panel, kernels), h0, w0, patch,
                    )  # fmt: skip
        release(pool, u)

    @inner
    def cotangent_tile(image, height, width, channels, h0, w0, patch, out, out_point, out_panel):
        """The adjoint of the output transform; channel c goes to panel c // panel."""
        inside = h0 + tile <= height and w0 + tile <= width
        for c in range(0, channels, lanes):
            to = out + (c // panel * out_panel + c % panel) * 4
            if inside and c + lanes <= channels:
                start = image + ((h0 * width + w0) * channels + c) * 4
                from_output(
                    start, width * channels, channels, to, out_point * side, out_point, 0, 0
                )
            else:
                count = min(lanes, channels - c)
                copy_patch(image, height, width, channels, h0, w0, tile, c, count, patch)
                from_output(patch, tile * lanes, lanes, to, out_point * side, out_point, 0, 0)

    @inner
    def multiply_pair(v, tall, d, d_panel, count, k_panels, out, out_row, accumulate):
        """dU += V^t D for one point: rows are channels, the depth is tiles."""
        for k in range(k_panels):
            for c in range(0, tall, rows):
                product(
                    v + c * 4, 1, tall, d + k * d_panel * 4, panel,
                    out + (c * out_row + k * panel) * 4, out_row, count, accumulate,
                )  # fmt: skip

    def accumulate(words, begin, end):
        x, y, sums = word(words, 0), word(words, 1), word(words, 2)
        height, width, channels = word(words, 3), word(words, 4), word(words, 5)
        out_height, out_width, kernels = word(words, 6), word(words, 7), word(words, 8)
        tiles, pad_h, pad_w = word(words, 9), word(words, 10), word(words, 11)
        total, per_unit, pool = word(words, 12), word(words, 13), word(words, 14)
        across = (out_width + tile - 1) // tile
        per_image = (out_height + tile - 1) // tile * across
        groups = (channels + lanes - 1) // lanes
        tall = (groups * lanes + rows - 1) // rows * rows
        panels = (kernels + panel - 1) // panel
        v_size, d_size = points * tiles * tall, points * tiles * panels * panel
        v = acquire(pool, (v_size + d_size + points * lanes) * 4)
        d, patch = v + v_size * 4, v + (v_size + d_size) * 4
        zero_bytes(v, (v_size + d_size) * 4)
        for unit in range(begin, end):
            own = sums + unit * points * tall * panels * panel * 4
            stop = min(total, (unit + 1) * per_unit)
            for first in range(unit * per_unit, stop, tiles):
                count = min(tiles, stop - first)
                for t in range(count):
                    image = (first + t) // per_image
                    place = first + t - image * per_image
                    h0, w0 = place // across * tile, place % across * tile
                    input_tile(
                        x + image * height * width * channels * 4, height, width, channels,
                        h0 - pad_h, w0 - pad_w, patch, v + t * tall * 4, tiles * tall, lanes,
                    )  # fmt: skip
                    cotangent_tile(
                        y + image * out_height * out_width * kernels * 4, out_height, out_width,
                        kernels, h0, w0, patch, d + t * panel * 4,
                        tiles * panels * panel, tiles * panel,
                    )  # fmt: skip
                for p in range(points):
                    multiply_pair(
                        v + p * tiles * tall * 4, tall, d + p * tiles * panels * panel * 4,
                        tiles * panel, count, panels,
                        own + p * tall * panels * panel * 4, panels * panel,
                        first - unit * per_unit,
                    )  # fmt: skip
        release(pool, v)

    def transform_pairs(words, begin, end):
        x, y, v, d = word(words, 0), word(words, 1), word(words, 2), word(words, 3)
        height, width, channels = word(words, 4), word(words, 5), word(words, 6)
        out_height, out_width, kernels = word(words, 7), word(words, 8), word(words, 9)
        pad_h, pad_w, total, pool = (
            word(words, 10),
            word(words, 11),
            word(words, 12),
            word(words, 13),
        )
        across = (out_width + tile - 1) // tile
        down = (out_height + tile - 1) // tile
        groups = (channels + lanes - 1) // lanes
        tall = (groups * lanes + rows - 1) // rows * rows
        panels = (kernels + panel - 1) // panel
        patch = acquire(pool, points * lanes * 4)
        for unit in range(begin, end):
            image = unit // down
            h0 = (unit - image * down) * tile
            for w in range(across):
                t = unit * across + w
                for p in range(points):
                    for q in range(groups * lanes, tall):
                        store(v, (p * total + t) * tall + q, 0.0)
                input_tile(
                    x + image * height * width * channels * 4, height, width, channels,
                    h0 - pad_h, w * tile - pad_w, patch, v + t * tall * 4, total * tall, lanes,
                )  # fmt: skip
                cotangent_tile(
                    y + image * out_height * out_width * kernels * 4, out_height, out_width,
                    kernels, h0, w * tile, patch, d + t * panel * 4,
                    total * panels * panel, total * panel,
                )  # fmt: skip
        release(pool, patch)

    def multiply_pairs(words, begin, end):
        v, d, sums = word(words, 0), word(words, 1), word(words, 2)
        channels, kernels, total = word(words, 3), word(words, 4), word(words, 5)
        depth = word(words, 6)
        groups = (channels + lanes - 1) // lanes
        tall = (groups * lanes + rows - 1) // rows * rows
        panels = (kernels + panel - 1) // panel
        for unit in range(begin, end):
            p = unit // panels
            k = unit - p * panels
            out = sums + (p * tall * panels * panel + k * panel) * 4
            for first in range(0, total, depth):
                multiply_pair(
                    v + (p * total + first) * tall * 4, tall,
                    d + ((p * panels + k) * total + first) * panel * 4, 0,
                    min(depth, total - first), 1, out, panels * panel, first,
                )  # fmt: skip

    def finish_gradient(words, begin, end):
        sums, copies, gradient = word(words, 0), word(words, 1), word(words, 2)
        channels, kernels = word(words, 3), word(words, 4)
        row, column, c_stride = word(words, 5), word(words, 6), word(words, 7)
        k_stride, pool = word(words, 8), word(words, 9)
        groups = (channels + lanes - 1) // lanes
        tall = (groups * lanes + rows - 1) // rows * rows
        padded = (kernels + panel - 1) // panel * panel
        point = tall * padded
        patch = acquire(pool, (points * padded + 9 * lanes) * 4)
        tap = patch + points * padded * 4
        for c in range(begin, end):
            for p in range(points):
                start = sums + (p * point + c * padded) * 4
                copy_bytes(patch + p * padded * 4, start, padded * 4)
                for copy in range(1, copies):
                    other = start + copy * points * point * 4
                    for k in range(padded):
                        store(patch, p * padded + k, load(patch, p * padded + k) + load(other, k))
            for k in range(0, kernels, lanes):
                start = gradient + (c * c_stride + k * k_stride) * 4
                if k_stride == 1 and k + lanes <= kernels:
                    from_filter(patch + k * 4, padded * side, padded, start, row, column, 0, 0)
                else:
                    from_filter(patch + k * 4, padded * side, padded, tap, 3 * lanes, lanes, 0, 0)
                    for i in range(3):
                        for j in range(3):
                            for q in range(min(lanes, kernels - k)):
                                value = load(tap, (i * 3 + j) * lanes + q)
                                store(start, i * row + j * column + q * k_stride, value)
        release(pool, patch)

    functions = (
        transform_weights, fused, transform_tiles, multiply,
        accumulate, transform_pairs, multiply_pairs, finish_gradient,
    )  # fmt: skip
    return [(function, SIGNATURE, function.__name__) for function in functions]
