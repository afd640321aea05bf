"""Convolutions by plain loops: depthwise ones over contiguous channels, and any dtype.

The words of the shape are those of conv_gemm.py; here x and y have channel strides too.
`depthwise` has one input channel per group and works on all channels of a pixel at once.
"""

from __future__ import annotations

from fnx.kernels.source.conv_gemm import (
    BASE,
    BATCH,
    CHANNELS,
    DILATION,
    GROUPS,
    IN,
    KERNELS,
    OUT,
    REST,
    STEP,
    TAPS,
    X_BATCH,
    X_GROUP,
    X_STRIDE,
    Y_BATCH,
    Y_GROUP,
    Y_STRIDE,
    X,
    Y,
)
from fnx.kernels.source.intrinsics import (
    NUMBA_TYPES,
    SIGNATURE,
    acquire,
    element,
    fma,
    release,
    word,
    zero_bytes,
)


def entries(variant):
    """The functions for a dtype."""
    functions = [_generic(variant)]
    if variant in ("float32", "float64"):
        functions += [_depthwise(variant), _depthwise_gradient(variant)]
    return [(function, SIGNATURE, function.__name__) for function in functions]


def _generic(variant):
    is_complex = variant.startswith("complex")
    part = {"complex64": "float32", "complex128": "float64"}.get(variant, variant)
    load, store = element(part)
    zero = NUMBA_TYPES[part](0)
    is_bool = variant == "bool"

    def generic(words, begin, end):
        # A unit is an output pixel of a group.  W: place, strides of taps, input, output, group.
        weights, w_stride = word(words, REST), REST + 1
        w_input, w_output = word(words, REST + 4), word(words, REST + 5)
        w_group, x_channel, y_channel = (
            word(words, REST + 6),
            word(words, REST + 7),
            word(words, REST + 8),
        )
        x, y = word(words, X), word(words, Y)
        for unit in range(begin, end):
            rest, w = divmod(unit, word(words, OUT + 2))
            rest, h = divmod(rest, word(words, OUT + 1))
            rest, d = divmod(rest, word(words, OUT))
            group, batch = divmod(rest, word(words, BATCH))
            y_at = group * word(words, Y_GROUP) + batch * word(words, Y_BATCH)
            y_at += (
                d * word(words, Y_STRIDE)
                + h * word(words, Y_STRIDE + 1)
                + w * word(words, Y_STRIDE + 2)
            )
            for k in range(word(words, KERNELS)):
                total, imaginary = zero, zero
                for i in range(word(words, TAPS)):
                    in_d = d * word(words, STEP) + i * word(words, DILATION) + word(words, BASE)
                    if in_d < 0 or in_d >= word(words, IN):
                        continue
                    for j in range(word(words, TAPS + 1)):
                        in_h = h * word(words, STEP + 1) + j * word(words, DILATION + 1)
                        in_h += word(words, BASE + 1)
                        if in_h < 0 or in_h >= word(words, IN + 1):
                            continue
                        for n in range(word(words, TAPS + 2)):
                            in_w = w * word(words, STEP + 2) + n * word(words, DILATION + 2)
                            in_w += word(words, BASE + 2)
                            if in_w < 0 or in_w >= word(words, IN + 2):
                                continue
                            x_at = group * word(words, X_GROUP) + batch * word(words, X_BATCH)
                            x_at += in_d * word(words, X_STRIDE) + in_h * word(words, X_STRIDE + 1)
                            x_at += in_w * word(words, X_STRIDE + 2)
                            w_at = i * word(words, w_stride) + j * word(words, w_stride + 1)
                            w_at += n * word(words, w_stride + 2) + k * w_output + group * w_group
                            for _c in range(word(words, CHANNELS)):
                                if is_complex:
                                    a = load(x, 2 * x_at)
                                    b = load(x, 2 * x_at + 1)
                                    p = load(weights, 2 * w_at)
                                    q = load(weights, 2 * w_at + 1)
                                    total += a * p - b * q
                                    imaginary += a * q + b * p
                                elif is_bool:
                                    total |= load(x, x_at) & load(weights, w_at)
                                else:
                                    total += load(x, x_at) * load(weights, w_at)
                                x_at += x_channel
                                w_at += w_input
                if is_complex:
                    store(y, 2 * (y_at + k * y_channel), total)
                    store(y, 2 * (y_at + k * y_channel) + 1, imaginary)
                else:
                    store(y, y_at + k * y_channel, total)

    return generic


def _depthwise(variant):
    load, store = element(variant)
    zero = NUMBA_TYPES[variant](0)

    def depthwise(words, begin, end):
        # A unit is a row of output pixels; channels are the groups, contiguous in x and y, and
        # the weights are (taps, channels), contiguous.
        weights = word(words, REST)
        x, y, channels = word(words, X), word(words, Y), word(words, GROUPS)
        size = 4 if variant == "float32" else 8
        for unit in range(begin, end):
            rest, h = divmod(unit, word(words, OUT + 1))
            batch, d = divmod(rest, word(words, OUT))
            for w in range(word(words, OUT + 2)):
                y_at = batch * word(words, Y_BATCH) + d * word(words, Y_STRIDE)
                y_at += h * word(words, Y_STRIDE + 1) + w * word(words, Y_STRIDE + 2)
                place = y + y_at * size
                for c in range(channels):
                    store(place, c, zero)
                for i in range(word(words, TAPS)):
                    in_d = d * word(words, STEP) + i * word(words, DILATION) + word(words, BASE)
                    if in_d < 0 or in_d >= word(words, IN):
                        continue
                    for j in range(word(words, TAPS + 1)):
                        in_h = h * word(words, STEP + 1) + j * word(words, DILATION + 1)
                        in_h += word(words, BASE + 1)
                        if in_h < 0 or in_h >= word(words, IN + 1):
                            continue
                        for n in range(word(words, TAPS + 2)):
                            in_w = w * word(words, STEP + 2) + n * word(words, DILATION + 2)
                            in_w += word(words, BASE + 2)
                            if in_w < 0 or in_w >= word(words, IN + 2):
                                continue
                            x_at = batch * word(words, X_BATCH) + in_d * word(words, X_STRIDE)
                            x_at += in_h * word(words, X_STRIDE + 1) + in_w * word(
                                words, X_STRIDE + 2
                            )
                            tap = (i * word(words, TAPS + 1) + j) * word(words, TAPS + 2) + n
                            source = x + x_at * size
                            factor = weights + tap * channels * size
                            for c in range(channels):
                                value = fma(load(source, c), load(factor, c), load(place, c))
                                store(place, c, value)

    return depthwise


def _depthwise_gradient(variant):
    load, store = element(variant)
    size = 4 if variant == "float32" else 8

    def depthwise_gradient(words, begin, end):
        # A unit sums over some rows of output pixels, for all taps and channels.
        sums, rows, per_unit = word(words, REST), word(words, REST + 1), word(words, REST + 2)
        pool, channels = word(words, REST + 3), word(words, GROUPS)
        x, y = word(words, X), word(words, Y)
        taps_d, taps_h, taps_w = word(words, TAPS), word(words, TAPS + 1), word(words, TAPS + 2)
        taps = taps_d * taps_h * taps_w
        total = acquire(pool, taps * channels * size)
        for unit in range(begin, end):
            zero_bytes(total, taps * channels * size)
            for row in range(unit * per_unit, min(rows, (unit + 1) * per_unit)):
                rest, h = divmod(row, word(words, OUT + 1))
                batch, d = divmod(rest, word(words, OUT))
                for tap in range(taps):
                    rest, n = divmod(tap, taps_w)
                    i, j = divmod(rest, taps_h)
                    in_d = d * word(words, STEP) + i * word(words, DILATION) + word(words, BASE)
                    in_h = h * word(words, STEP + 1) + j * word(words, DILATION + 1)
                    in_h += word(words, BASE + 1)
                    if in_d < 0 or in_d >= word(words, IN):
                        continue
                    if in_h < 0 or in_h >= word(words, IN + 1):
                        continue
                    x_row = batch * word(words, X_BATCH) + in_d * word(words, X_STRIDE)
                    x_row += in_h * word(words, X_STRIDE + 1)
                    y_row = batch * word(words, Y_BATCH) + d * word(words, Y_STRIDE)
                    y_row += h * word(words, Y_STRIDE + 1)
                    place = total + tap * channels * size
                    for w in range(word(words, OUT + 2)):
                        in_w = w * word(words, STEP + 2) + n * word(words, DILATION + 2)
                        in_w += word(words, BASE + 2)
                        if in_w < 0 or in_w >= word(words, IN + 2):
                            continue
                        source = x + (x_row + in_w * word(words, X_STRIDE + 2)) * size
                        factor = y + (y_row + w * word(words, Y_STRIDE + 2)) * size
                        for c in range(channels):
                            value = fma(load(source, c), load(factor, c), load(place, c))
                            store(place, c, value)
            for c in range(channels):
                for tap in range(taps):
                    value = load(total, tap * channels + c)
                    store(sums, (unit * channels + c) * taps + tap, value)
        release(pool, total)

    return depthwise_gradient
