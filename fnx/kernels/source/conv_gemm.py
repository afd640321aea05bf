"""Convolutions of any window as matrix products on gathered patches, float32 and float64.

Rows of the product are output pixels, its depth is the taps of the window times the channels, its
columns are the output channels.  Channels must be contiguous in memory; everything else about
the layout is strides.  `forward` gathers the patches of some pixels into its scratch memory and
multiplies them with weights packed as gemm.py packs them, `forward_few` with weights whose depth
is contiguous, by dot products; `gradient` multiplies the transposed
patches with the cotangent and sums over the pixels.  Sums are in the order of gemm.py.

The words of the shape are named below; the planner, fnx/kernels/conv_gemm.py, lists them in the
same order, and after them the words of each function.
"""

from __future__ import annotations

from fnx.kernels.blocking import DEPTH, blocking
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
from fnx.kernels.source.vectors import make_dot_kernel, make_register_kernel, make_run_copy

# Words of the shape: strides, extents and steps of depth, height and width.
X, X_GROUP, X_BATCH, X_STRIDE = 0, 1, 2, 3  # 3 to 5
Y, Y_GROUP, Y_BATCH, Y_STRIDE = 6, 7, 8, 9  # 9 to 11
IN, OUT, TAPS, STEP, DILATION, BASE = 12, 15, 18, 21, 24, 27  # three words each
CHANNELS, KERNELS, GROUPS, BATCH, MERGED, UNIFORM = 30, 31, 32, 33, 34, 35
REST = 36


def entries(variant):
    """The functions for a dtype."""
    block = blocking(variant)
    rows, columns, lanes = block.rows, block.columns, block.lanes
    size = 4 if variant == "float32" else 8
    load, store = element(variant)
    # An odd number of vectors: rows of a register block fall into different sets of the cache.
    patch_stride = DEPTH + lanes
    product = make_register_kernel(variant, rows, block.vectors, lanes)
    dots = make_dot_kernel(variant, 4, 4, lanes)
    copy_run = make_run_copy(variant, lanes)

    @inner
    def gather_run(row, column, width, stride, channels, start, length, out):
        """Elements [start, start + length) of a window row: columns of all channels, side by side.

        Columns outside [0, width) are zero; inside, they are contiguous in memory if stride is
        the number of channels, and are copied one by one if not.
        """
        if stride == channels and column >= 0:
            inside = (width - column) * channels
            if start + length <= inside:
                copy_run(row + (column * stride + start) * size, out, length)
                return
        done = 0
        while done < length:
            at = start + done
            skipped = at // channels
            channel = at - skipped * channels
            place = column + skipped
            count = min(channels - channel, length - done)
            if place < 0 or place >= width:
                zero_bytes(out + done * size, count * size)
            else:
                if stride == channels:
                    count = min((width - place) * channels - channel, length - done)
                copy_run(row + (place * stride + channel) * size, out + done * size, count)
            done += count

    @inner
    def gather(words, image, d, h, w, start, stop, out):
        """Elements [start, stop) of a patch, in the order of the weights.

        ``image`` is where the image begins; d, h, w are where the window begins in it.
        """
        channels, merged = word(words, CHANNELS), word(words, MERGED)
        taps_h, taps_w = word(words, TAPS + 1), word(words, TAPS + 2)
        height, width = word(words, IN + 1), word(words, IN + 2)
        run = channels * taps_w if merged else channels
        steps_w = 1 if merged else taps_w
        offset, tap_d, tap_h, tap_w = 0, 0, 0, 0
        if start:
            index = start // run
            offset = start - index * run
            rest = index // steps_w
            tap_w = index - rest * steps_w
            tap_d = rest // taps_h
            tap_h = rest - tap_d * taps_h
        at = start
        while at < stop:
            count = min(run - offset, stop - at)
            in_d = d + tap_d * word(words, DILATION)
            in_h = h + tap_h * word(words, DILATION + 1)
            in_w = w + tap_w * word(words, DILATION + 2)
            to = out + (at - start) * size
            if in_d < 0 or in_d >= word(words, IN) or in_h < 0 or in_h >= height:
                zero_bytes(to, count * size)
            else:
                row = image
                row += (in_d * word(words, X_STRIDE) + in_h * word(words, X_STRIDE + 1)) * size
                stride = word(words, X_STRIDE + 2)
                gather_run(row, in_w, width, stride, channels, offset, count, to)
            at += count
            offset = 0
            tap_w += 1
            if tap_w == steps_w:
                tap_w = 0
                tap_h += 1
                if tap_h == taps_h:
                    tap_h = 0
                    tap_d += 1

    @inner
    def gather_pixels(words, group, first, count, start, stop, out, row):
        """The patches of some output pixels, ``row`` elements apart; rows may run over a vector."""
        across, high = word(words, OUT + 2), word(words, OUT + 1)
        rest = first // across
        w = first - rest * across
        place = rest // high
        h = rest - place * high
        batch = place // word(words, OUT)
        d = place - batch * word(words, OUT)
        image = word(words, X)
        image += (group * word(words, X_GROUP) + batch * word(words, X_BATCH)) * size
        for p in range(count):
            gather(
                words,
                image,
                d * word(words, STEP) + word(words, BASE),
                h * word(words, STEP + 1) + word(words, BASE + 1),
                w * word(words, STEP + 2) + word(words, BASE + 2),
                start,
                stop,
                out + p * row * size,
            )
            w += 1
            if w == across:
                w = 0
                h += 1
                if h == high:
                    h = 0
                    d += 1
                    if d == word(words, OUT):
                        d = 0
                        image += word(words, X_BATCH) * size

    @inner
    def pixel_offset(words, group, pixel):
        """Where an output pixel's channels begin."""
        rest, w = divmod(pixel, word(words, OUT + 2))
        rest, h = divmod(rest, word(words, OUT + 1))
        batch, d = divmod(rest, word(words, OUT))
        place = group * word(words, Y_GROUP) + batch * word(words, Y_BATCH)
        place += d * word(words, Y_STRIDE) + h * word(words, Y_STRIDE + 1)
        return place + w * word(words, Y_STRIDE + 2)

    def forward(words, begin, end):
        packed, packed_group = word(words, REST), word(words, REST + 1)
        tile_pixels, tile_kernels = word(words, REST + 2), word(words, REST + 3)
        pool = word(words, REST + 4)
        kernels = word(words, KERNELS)
        depth = word(words, TAPS) * word(words, TAPS + 1) * word(words, TAPS + 2)
        depth *= word(words, CHANNELS)
        pixels = word(words, OUT) * word(words, OUT + 1) * word(words, OUT + 2)
        pixels *= word(words, BATCH)
        tiles_down = (pixels + tile_pixels - 1) // tile_pixels
        tiles_across = (kernels + tile_kernels - 1) // tile_kernels
        patches = acquire(pool, tile_pixels * (patch_stride + tile_kernels) * size)
        result = patches + tile_pixels * patch_stride * size
        # Where pixels lie one stride apart, whole blocks go straight to y.
        uniform = word(words, UNIFORM)
        for unit in range(begin, end):
            group = unit // (tiles_down * tiles_across)
            tile = unit - group * tiles_down * tiles_across
            first = tile // tiles_across * tile_pixels
            k0 = (tile - tile // tiles_across * tiles_across) * tile_kernels
            k1 = min(kernels, k0 + tile_kernels)
            count = min(tile_pixels, pixels - first)
            direct = count // rows * rows if uniform and depth else 0
            whole = k0 + (k1 - k0) // columns * columns if direct else k0
            if depth == 0:
                zero_bytes(result, tile_pixels * tile_kernels * size)
            place = word(words, Y) + (group * word(words, Y_GROUP) + first * uniform) * size
            for q in range(0, depth, DEPTH):
                deep = min(DEPTH, depth - q)
                gather_pixels(words, group, first, count, q, q + deep, patches, patch_stride)
                for k in range(k0, k1, columns):
                    weights = packed + (group * packed_group + k * depth + q * columns) * size
                    for p in range(0, count, rows):
                        to, to_row = result + (p * tile_kernels + k - k0) * size, tile_kernels
                        if p < direct and k < whole:
                            to, to_row = place + (p * uniform + k) * size, uniform
                        product(
                            patches + p * patch_stride * size, patch_stride, 1, weights, columns,
                            to, to_row, deep, q,
                        )  # fmt: skip
            for p in range(count):
                start = whole if p < direct else k0
                if start < k1:
                    to = word(words, Y) + (pixel_offset(words, group, first + p) + start) * size
                    at = result + (p * tile_kernels + start - k0) * size
                    copy_bytes(to, at, (k1 - start) * size)
        release(pool, patches)

    def forward_few(words, begin, end):
        # Few output channels do not fill a vector: a product is a dot over the depth instead.
        weights, padded = word(words, REST), word(words, REST + 1)
        tile_pixels, pool = word(words, REST + 2), word(words, REST + 3)
        kernels = word(words, KERNELS)
        depth = word(words, TAPS) * word(words, TAPS + 1) * word(words, TAPS + 2)
        depth *= word(words, CHANNELS)
        pixels = word(words, OUT) * word(words, OUT + 1) * word(words, OUT + 2)
        pixels *= word(words, BATCH)
        tiles = (pixels + tile_pixels - 1) // tile_pixels
        row = ((depth + lanes - 1) // lanes | 1) * lanes + lanes
        patches = acquire(pool, tile_pixels * (row + padded) * size)
        result = patches + tile_pixels * row * size
        for unit in range(begin, end):
            group = unit // tiles
            first = (unit - group * tiles) * tile_pixels
            count = min(tile_pixels, pixels - first)
            gather_pixels(words, group, first, count, 0, depth, patches, row)
            for p in range(0, count, 4):
                for k in range(0, padded, 4):
                    dots(
                        patches + p * row * size, row,
                        weights + (group * padded + k) * depth * size, depth,
                        result + (p * padded + k) * size, padded, 1, depth,
                    )  # fmt: skip
            for p in range(count):
                to = word(words, Y) + pixel_offset(words, group, first + p) * size
                copy_bytes(to, result + p * padded * size, kernels * size)
        release(pool, patches)

    def gradient(words, begin, end):
        sums, tile_depth, tile_kernels = (
            word(words, REST),
            word(words, REST + 1),
            word(words, REST + 2),
        )
        splits, per_split, block_pixels = (
            word(words, REST + 3),
            word(words, REST + 4),
            word(words, REST + 5),
        )
        pool = word(words, REST + 6)
        kernels = word(words, KERNELS)
        depth = word(words, TAPS) * word(words, TAPS + 1) * word(words, TAPS + 2)
        depth *= word(words, CHANNELS)
        pixels = word(words, OUT) * word(words, OUT + 1) * word(words, OUT + 2)
        pixels *= word(words, BATCH)
        tiles_down = (depth + tile_depth - 1) // tile_depth
        tiles_across = (kernels + tile_kernels - 1) // tile_kernels
        # The last patch may run over by a vector.
        a_size = block_pixels * tile_depth + lanes
        b_size = block_pixels * tile_kernels
        patches = acquire(pool, (a_size + b_size + tile_depth * tile_kernels) * size)
        panels, result = patches + a_size * size, patches + (a_size + b_size) * size
        zero_bytes(patches, (a_size + b_size) * size)
        for unit in range(begin, end):
            rest, across = divmod(unit, tiles_across)
            rest, down = divmod(rest, tiles_down)
            group, split = divmod(rest, splits)
            q0, k0 = down * tile_depth, across * tile_kernels
            q1, k1 = min(depth, q0 + tile_depth), min(kernels, k0 + tile_kernels)
            stop = min(pixels, (split + 1) * per_split)
            if stop <= split * per_split:
                zero_bytes(result, tile_depth * tile_kernels * size)
            for first in range(split * per_split, stop, block_pixels):
                count = min(block_pixels, stop - first)
                gather_pixels(words, group, first, count, q0, q1, patches, tile_depth)
                for p in range(count):
                    source = word(words, Y) + (pixel_offset(words, group, first + p) + k0) * size
                    for k in range(0, k1 - k0, columns):
                        copy_bytes(
                            panels + (k * block_pixels + p * columns) * size, source + k * size,
                            min(columns, k1 - k0 - k) * size,
                        )  # fmt: skip
                for k in range(0, k1 - k0, columns):
                    for q in range(0, q1 - q0, rows):
                        product(
                            patches + q * size, 1, tile_depth, panels + k * block_pixels * size,
                            columns, result + (q * tile_kernels + k) * size, tile_kernels, count,
                            first - split * per_split,
                        )  # fmt: skip
            for q in range(q1 - q0):
                place = (((split * word(words, GROUPS) + group) * depth + q0 + q) * kernels) + k0
                copy_bytes(sums + place * size, result + q * tile_kernels * size, (k1 - k0) * size)
        release(pool, patches)

    def finish_gradient(words, begin, end):
        # The sums of all splits go to gradients of strides (tap depth, height, width, input,
        # output, group); a unit is one element of the depth.
        sums, out, splits, groups = word(words, 0), word(words, 1), word(words, 2), word(words, 3)
        taps_d, taps_h, taps_w = word(words, 4), word(words, 5), word(words, 6)
        channels, kernels = word(words, 7), word(words, 8)
        depth = taps_d * taps_h * taps_w * channels
        for unit in range(begin, end):
            group, q = divmod(unit, depth)
            rest, c = divmod(q, channels)
            rest, w = divmod(rest, taps_w)
            d, h = divmod(rest, taps_h)
            place = d * word(words, 9) + h * word(words, 10) + w * word(words, 11)
            place += c * word(words, 12) + group * word(words, 14)
            for k in range(kernels):
                total = load(sums, (group * depth + q) * kernels + k)
                for split in range(1, splits):
                    total += load(sums, ((split * groups + group) * depth + q) * kernels + k)
                store(out, place + k * word(words, 13), total)

    functions = (forward, forward_few, gradient, finish_gradient)
    return [(function, SIGNATURE, function.__name__) for function in functions]
