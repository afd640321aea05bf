"""Elements in other places: windows as columns and back, channels as pixels and back.

Read next: `attention`; the layers are in `fnx_nn.nn.shaping`.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

import fnx.numpy as jnp
from fnx import lax
from fnx_nn.nn.functional.window_sizes import listed, spatial_sizes
from fnx_nn.tensor.dispatch import TensorOperation, apply
from fnx_nn.tensor.elementary import require_tensor
from fnx_nn.tensor.tensor import Tensor

__all__ = [
    "channel_shuffle",
    "fold",
    "native_channel_shuffle",
    "pixel_shuffle",
    "pixel_unshuffle",
    "unfold",
]

Sizes = tuple[int, ...]


def _table(k: int, count: int, stride: int, spacing: int) -> Any:
    """Places in the padded image, by element of the window and window."""
    return np.arange(k)[:, None] * spacing + np.arange(count)[None, :] * stride


def _unfolded(
    x: Any, window: Sizes, counts: Sizes, stride: Sizes, pads: Sizes, spacing: Sizes
) -> Any:
    alone = x.ndim == 3
    x = x[None] if alone else x
    around = ((0, 0, 0), (0, 0, 0), *[(p, p, 0) for p in pads])
    x = lax.pad(x, jnp.zeros((), x.dtype), around)
    for axis in (0, 1):
        places = _table(window[axis], counts[axis], stride[axis], spacing[axis])
        x = jnp.take(x, places.reshape(-1), axis=2 + axis)
    n, c = x.shape[:2]
    x = jnp.reshape(x, (n, c, window[0], counts[0], window[1], counts[1]))
    x = jnp.transpose(x, (0, 1, 2, 4, 3, 5))
    x = jnp.reshape(x, (n, c * math.prod(window), math.prod(counts)))
    return x[0] if alone else x


def _folded(
    x: Any, size: Sizes, window: Sizes, counts: Sizes, stride: Sizes, pads: Sizes, spacing: Sizes
) -> Any:
    alone = x.ndim == 2
    x = x[None] if alone else x
    n, c = x.shape[0], x.shape[1] // math.prod(window)
    x = jnp.transpose(jnp.reshape(x, (n, c, *window, *counts)), (0, 1, 2, 4, 3, 5))
    rows, columns = (
        _table(window[axis], counts[axis], stride[axis], spacing[axis]).reshape(-1)
        for axis in (0, 1)
    )
    x = jnp.reshape(x, (n, c, rows.size, columns.size))
    whole = [m + 2 * p for m, p in zip(size, pads)]
    out = jnp.zeros((n, c, *whole), x.dtype).at[:, :, rows[:, None], columns[None, :]].add(x)
    out = lax.slice(
        out, (0, 0, *pads), (n, c, *[m + p for m, p in zip(size, pads)])
    )  # fmt: skip
    return out[0] if alone else out


_UNFOLD = TensorOperation(_unfolded, "Im2ColBackward0")
_FOLD = TensorOperation(_folded, "Col2ImBackward0")


def _arguments(kernel_size: Any, dilation: Any, padding: Any, stride: Any, name: str) -> Any:
    window, spacing, pads, step = (
        spatial_sizes(value, 2, what, name)
        for what, value in (
            ("kernel_size", kernel_size),
            ("dilation", dilation),
            ("padding", padding),
            ("stride", stride),
        )
    )
    for what, sizes, least in (
        ("kernel size", window, 1), ("dilation", spacing, 1), ("stride", step, 1)
    ):  # fmt: skip
        if min(sizes) < least:
            raise RuntimeError(
                f"{what} should be greater than zero, but got {what.replace(' ', '_')}_height: "
                f"{sizes[0]} {what.replace(' ', '_')}_width: {sizes[1]}"
            )
    if min(pads) < 0:
        raise RuntimeError(
            f"padding should be non-negative, but got pad_height: {pads[0]} pad_width: {pads[1]}"
        )
    return window, spacing, pads, step


def _counts(size: Any, window: Sizes, spacing: Sizes, pads: Sizes, step: Sizes) -> Sizes:
    return tuple(
        [
            (n + 2 * p - d * (k - 1) - 1) // s + 1
            for n, k, d, p, s in zip(size, window, spacing, pads, step)
        ]
    )


def unfold(
    input: Tensor, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1
) -> Tensor:
    """The windows of images as columns.

    Parameters
    ----------
    input : Tensor
        (batch, channels, height, width), or without the batch.
    kernel_size : int or tuple of int
        The window.
    dilation : int or tuple of int
        Distances between neighbours of the window.
    padding : int or tuple of int
        Zeros on both sides.
    stride : int or tuple of int
        Steps between windows.
    """
    window, spacing, pads, step = _arguments(kernel_size, dilation, padding, stride, "im2col")
    x = require_tensor(input, "unfold")._data
    if x.ndim not in (3, 4) or 0 in x.shape[x.ndim - 3 :]:
        raise RuntimeError(
            "Expected 3D or 4D (batch mode) tensor with possibly 0 batch size and other non-zero "
            f"dimensions for input, but got: {listed(x.shape)}"
        )
    counts = _counts(x.shape[-2:], window, spacing, pads, step)
    if min(counts) < 1:
        raise RuntimeError(
            f"Given input with spatial size ({x.shape[-2]}, {x.shape[-1]}), kernel_size={window}, "
            f"dilation={spacing}, padding={pads}, calculated shape of the array of sliding blocks "
            f"as {counts}, but its components must be at least one."
        )
    params = {
        "window": window, "counts": counts, "stride": step, "pads": pads, "spacing": spacing
    }  # fmt: skip
    out: Tensor = apply(_UNFOLD, (input,), params)
    return out


def fold(
    input: Tensor,
    output_size: Any,
    kernel_size: Any,
    dilation: Any = 1,
    padding: Any = 0,
    stride: Any = 1,
) -> Tensor:
    """Columns put back to the windows that they come from; where these overlap, added.

    Parameters
    ----------
    input : Tensor
        (batch, channels times elements of the window, windows), or without the batch.
    output_size : int or tuple of int
        Height and width of the images.
    kernel_size, dilation, padding, stride
        As for `unfold`.
    """
    window, spacing, pads, step = _arguments(kernel_size, dilation, padding, stride, "col2im")
    size = spatial_sizes(output_size, 2, "output_size", "col2im")
    x = require_tensor(input, "fold")._data
    if x.ndim not in (2, 3) or 0 in x.shape[x.ndim - 2 :]:
        raise RuntimeError(
            "Expected 2D or 3D (batch mode) tensor for input with possibly 0 batch size and "
            f"non-zero dimensions for input, but got: {listed(x.shape)}"
        )
    if x.shape[-2] % math.prod(window):
        raise RuntimeError(
            "Expected size of input's dimension 1 to be divisible by the product of kernel_size, "
            f"but got input.size(1)={x.shape[-2]} and kernel_size={window}."
        )
    counts = _counts(size, window, spacing, pads, step)
    if math.prod(counts) != x.shape[-1] or min(counts) < 1:
        raise RuntimeError(
            f"Given output_size={size}, kernel_size={window}, dilation={spacing}, padding={pads}, "
            f"stride={step}, expected size of input's dimension 2 to match the calculated number "
            f"of sliding blocks {counts[0]} * {counts[1]} = {math.prod(counts)}, but got "
            f"input.size(2)={x.shape[-1]}."
        )
    params = {
        "size": size,
        "window": window,
        "counts": counts,
        "stride": step,
        "pads": pads,
        "spacing": spacing,
    }
    out: Tensor = apply(_FOLD, (input,), params)
    return out


# ------------------------------------------------------------------------------ channels and pixels


def _to_pixels(x: Any, r: int) -> Any:
    *front, c, h, w = x.shape
    k = len(front)
    x = jnp.reshape(x, (*front, c // (r * r), r, r, h, w))
    x = jnp.transpose(x, (*range(k), k, k + 3, k + 1, k + 4, k + 2))
    return jnp.reshape(x, (*front, c // (r * r), h * r, w * r))


def _to_channels(x: Any, r: int) -> Any:
    *front, c, h, w = x.shape
    k = len(front)
    x = jnp.reshape(x, (*front, c, h // r, r, w // r, r))
    x = jnp.transpose(x, (*range(k), k, k + 2, k + 4, k + 1, k + 3))
    return jnp.reshape(x, (*front, c * r * r, h // r, w // r))


def _shuffled(x: Any, groups: int) -> Any:
    n, c, *image = x.shape
    split = jnp.reshape(x, (n, groups, c // groups, *image))
    return jnp.reshape(jnp.swapaxes(split, 1, 2), x.shape)


_PIXELS = TensorOperation(_to_pixels, "PixelShuffleBackward0")
_CHANNELS = TensorOperation(_to_channels, "PixelUnshuffleBackward0")
_SHUFFLE = TensorOperation(_shuffled, "ChannelShuffleBackward0")


def pixel_shuffle(input: Tensor, upscale_factor: int) -> Tensor:
    """Channels as pixels: (..., c r r, h, w) to (..., c, h r, w r).

    Parameters
    ----------
    input : Tensor
        Images.
    upscale_factor : int
        The r.
    """
    shape = require_tensor(input, "pixel_shuffle")._data.shape
    if len(shape) < 3:
        raise RuntimeError(
            "pixel_shuffle expects input to have at least 3 dimensions, but got input with "
            f"{len(shape)} dimension(s)"
        )
    if upscale_factor <= 0:
        raise RuntimeError(
            f"pixel_shuffle expects a positive upscale_factor, but got {upscale_factor}"
        )
    if shape[-3] % upscale_factor**2:
        raise RuntimeError(
            "pixel_shuffle expects its input's 'channel' dimension to be divisible by the square "
            f"of upscale_factor, but input.size(-3)={shape[-3]} is not divisible by "
            f"{upscale_factor**2}"
        )
    out: Tensor = apply(_PIXELS, (input,), {"r": int(upscale_factor)})
    return out


def pixel_unshuffle(input: Tensor, downscale_factor: int) -> Tensor:
    """Pixels as channels: (..., c, h r, w r) to (..., c r r, h, w).

    Parameters
    ----------
    input : Tensor
        Images.
    downscale_factor : int
        The r.
    """
    shape = require_tensor(input, "pixel_unshuffle")._data.shape
    if len(shape) < 3:
        raise RuntimeError(
            "pixel_unshuffle expects input to have at least 3 dimensions, but got input with "
            f"{len(shape)} dimension(s)"
        )
    if downscale_factor <= 0:
        raise RuntimeError(
            f"pixel_unshuffle expects a positive downscale_factor, but got {downscale_factor}"
        )
    for axis, what in ((-2, "height"), (-1, "width")):
        if shape[axis] % downscale_factor:
            raise RuntimeError(
                f"pixel_unshuffle expects {what} to be divisible by downscale_factor, but "
                f"input.size({axis})={shape[axis]} is not divisible by {downscale_factor}"
            )
    out: Tensor = apply(_CHANNELS, (input,), {"r": int(downscale_factor)})
    return out


def channel_shuffle(input: Tensor, groups: int) -> Tensor:
    """Channels dealt out: one of each group, in turn.

    Parameters
    ----------
    input : Tensor
        (batch, channels, ...).
    groups : int
        How many groups.
    """
    shape = require_tensor(input, "channel_shuffle")._data.shape
    if len(shape) < 3:
        raise RuntimeError(
            f"channel_shuffle expects input with > 2 dims, but got input with sizes {listed(shape)}"
        )
    if groups <= 0:
        raise RuntimeError(
            f"Number of groups to divide channels in must be positive. Value of groups:{groups}"
        )
    if shape[1] % groups:
        raise RuntimeError(
            "Number of channels must be divisible by groups. Got "
            f"{shape[1]} channels and {groups} groups."
        )
    out: Tensor = apply(_SHUFFLE, (input,), {"groups": int(groups)})
    return out


def native_channel_shuffle(input: Tensor, groups: int) -> Tensor:
    """`channel_shuffle` by another name.

    Parameters
    ----------
    input : Tensor
        (batch, channels, ...).
    groups : int
        How many groups.
    """
    return channel_shuffle(input, groups)
