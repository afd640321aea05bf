"""Pooling by the largest element of each window, and what undoes it.

Without indices, max pooling is `fnx.lax.reduce_window`, whose adjoint is a kernel. With indices
the elements of each window are gathered by a table of their positions that depends on shapes
alone. Shapes are checked here, with PyTorch's words.
Read next: `mean_pooling`, `adaptive_pooling`; the layers are in `fnx_nn.nn.pooling`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

import fnx.numpy as jnp
from fnx import lax
from fnx_nn.dtypes import name_in_messages
from fnx_nn.nn.functional.window_sizes import listed, spatial_sizes
from fnx_nn.tensor.dispatch import TensorOperation, apply
from fnx_nn.tensor.elementary import require_tensor
from fnx_nn.tensor.tensor import Tensor

__all__ = [
    "check_image",
    "gathered_maximum",
    "max_pool1d",
    "max_pool1d_with_indices",
    "max_pool2d",
    "max_pool2d_with_indices",
    "max_pool3d",
    "max_pool3d_with_indices",
    "max_unpool1d",
    "max_unpool2d",
    "max_unpool3d",
    "window_arguments",
    "window_counts",
]

Sizes = tuple[int, ...]
Tables = tuple[tuple[Sizes, ...], ...]


def _count_of_windows(n: int, k: int, stride: int, pad: int, spacing: int, ceiling: bool) -> int:
    span = n + 2 * pad - spacing * (k - 1) - 1
    count = span // stride + 1
    if ceiling:
        count = -(-span // stride) + 1
        if (count - 1) * stride >= n + pad:  # the last window must begin inside
            count -= 1
    return count


def check_image(
    input: Tensor, count: int, name: str, window: Sizes, stride: Sizes, padding: Sizes
) -> None:
    x = require_tensor(input, name)._data
    ranks = f"{count + 1}D or {count + 2}D (batch mode) tensor"
    fits = x.ndim in (count + 1, count + 2)
    if count == 1 and not fits:
        raise RuntimeError(
            f"{name}: Expected {ranks} with optional 0 dim batch size for input, but got:"
            f"{listed(x.shape)}"
        )
    if not fits:
        raise RuntimeError(f"non-empty {ranks} expected for input")
    if 0 in x.shape[x.ndim - count - 1 :]:
        raise RuntimeError(
            f"Expected {ranks} with optional 0 dim batch size for input, but got: {listed(x.shape)}"
        )
    if any(n < 1 for n in window):
        raise RuntimeError(f"{name}: kernel size should be greater than zero, but got {window}")
    if any(n < 1 for n in stride):
        raise RuntimeError(
            "stride should not be zero" if 0 in stride else f"{name}: negative stride {stride}"
        )
    if any(p < 0 for p in padding):
        raise RuntimeError(f"pad must be non-negative, but got pad: {min(padding)}")


def window_arguments(
    kernel_size: Any, stride: Any, padding: Any, count: int, name: str
) -> tuple[Sizes, Sizes, Sizes]:
    window = spatial_sizes(kernel_size, count, "kernel_size", name)
    absent = stride is None or (isinstance(stride, Sequence) and not len(stride))
    step = window if absent else spatial_sizes(stride, count, "stride", name)
    return window, step, spatial_sizes(padding, count, "padding", name)


def window_counts(
    image: Sequence[int],
    window: Sizes,
    stride: Sizes,
    padding: Sizes,
    dilation: Sizes,
    ceil_mode: bool,
    shape: Sequence[int],
) -> Sizes:
    counts = tuple(
        [
            _count_of_windows(*numbers, ceil_mode)
            for numbers in zip(image, window, stride, padding, dilation, strict=True)
        ]
    )
    if any(n < 1 for n in counts):
        channels = shape[-len(image) - 1]
        shown = [(channels, *sizes) for sizes in (image, counts)]
        if len(image) == 1:
            shown = [(channels, 1, *sizes) for sizes in (image, counts)]
        before, after = ["x".join(map(str, sizes)) for sizes in shown]
        raise RuntimeError(
            f"Given input size: ({before}). Calculated output size: ({after}). Output size is too "
            "small"
        )
    return counts


# -------------------------------------------------------------------------------------- max pooling


def _largest(
    x: Any, window: Sizes, stride: Sizes, padding: tuple[Sizes, ...], dilation: Sizes
) -> Any:
    front = x.ndim - len(window)
    ones = (1,) * front
    whole = x.dtype.kind in "iu"
    lowest = int(np.iinfo(x.dtype).min) if whole else -math.inf
    return lax.reduce_window(
        x,
        lowest,
        lax.max,
        (*ones, *window),
        (*ones, *stride),
        ((0, 0),) * front + padding,
        window_dilation=(*ones, *dilation),
    )


def gathered_maximum(x: Any, tables: Tables) -> Any:
    """The largest element of each window, and its place in the flattened image.

    Parameters
    ----------
    x : Array
        Its last dimensions are those of the image.
    tables : tuple of tuple of tuple of int
        For each dimension of the image and each window, the places that the window covers; all
        windows of a dimension have as many, so some places may stand twice.
    """
    count = len(tables)
    front, image = x.shape[: x.ndim - count], x.shape[x.ndim - count :]
    places: Any = np.zeros((1, 1), np.int64)
    for n, rows in zip(image, tables, strict=True):
        table = np.asarray(rows, np.int64)
        places = places[:, None, :, None] * n + table[None, :, None, :]
        outer, windows, inner, size = places.shape
        places = places.reshape(outer * windows, inner * size)
    flat = jnp.reshape(x, (*front, math.prod(image)))
    candidates = jnp.take(lax.stop_gradient(flat), places, axis=-1)
    best = jnp.argmax(candidates, axis=-1, keepdims=True)
    spread = jnp.broadcast_to(jnp.asarray(places), candidates.shape)
    index = jnp.squeeze(jnp.take_along_axis(spread, best, -1), -1)
    values = jnp.take_along_axis(flat, index, -1)
    shape = (*front, *[len(rows) for rows in tables])
    return jnp.reshape(values, shape), jnp.reshape(index, shape)


def _table(n: int, k: int, stride: int, pad: int, spacing: int, windows: int) -> tuple[Sizes, ...]:
    """Places of each window; the ones in the padding are replaced by the first that is not."""
    rows = []
    for w in range(windows):
        reach = [w * stride - pad + j * spacing for j in range(k)]
        inside = [p for p in reach if 0 <= p < n]
        rows.append(tuple([p if 0 <= p < n else inside[0] for p in reach]))
    return tuple(rows)


_NODES = {
    1: "MaxPool1DBackward0",
    2: "MaxPool2DWithIndicesBackward0",
    3: "MaxPool3DWithIndicesBackward0",
}
_MAX_POOL = {n: TensorOperation(_largest, node) for n, node in _NODES.items()}
_MAX_POOL_INDICES = {
    n: TensorOperation(gathered_maximum, node, reuse_results=True) for n, node in _NODES.items()
}


def _max_pool(
    input: Tensor,
    kernel_size: Any,
    stride: Any,
    padding: Any,
    dilation: Any,
    ceil_mode: bool,
    return_indices: bool,
    count: int,
) -> Any:
    name = f"max_pool{count}d"
    window, step, pads = window_arguments(kernel_size, stride, padding, count, name)
    spacing = spatial_sizes(dilation, count, "dilation", name)
    check_image(input, count, name, window, step, pads)
    if any(n < 1 for n in spacing):
        raise RuntimeError(f"dilation should be greater than zero, but got {listed(spacing)}")
    for pad, k, d in zip(pads, window, spacing):
        if pad > ((k - 1) * d + 1) // 2:
            raise RuntimeError(
                "pad should be at most half of effective kernel size, but got "
                f"pad={pad}, kernel_size={k} and dilation={d}"
            )
    data = input._data
    if data.dtype.kind in "bc":
        raise NotImplementedError(
            f"\"{name}\" not implemented for '{name_in_messages(data.dtype)}'"
        )
    image = data.shape[-count:]
    counts = window_counts(image, window, step, pads, spacing, ceil_mode, data.shape)
    if return_indices:
        tables = tuple(
            [_table(*row) for row in zip(image, window, step, pads, spacing, counts, strict=True)]
        )
        return apply(_MAX_POOL_INDICES[count], (input,), {"tables": tables})
    # What the last window reaches beyond the image counts as padding, too.
    ends = [
        max((c - 1) * s + d * (k - 1) + 1 - n - p, 0)
        for c, s, d, k, n, p in zip(counts, step, spacing, window, image, pads)
    ]
    around = tuple(zip(pads, ends, strict=True))
    params = {"window": window, "stride": step, "padding": around, "dilation": spacing}
    return apply(_MAX_POOL[count], (input,), params)


def max_pool1d(
    input: Tensor,
    kernel_size: int | Sequence[int],
    stride: int | Sequence[int] | None = None,
    padding: int | Sequence[int] = 0,
    dilation: int | Sequence[int] = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """The largest element of each window of sequences.

    Parameters
    ----------
    input : Tensor
        (batch, channels, length), or without the batch.
    kernel_size : int or tuple of int
        The window.
    stride : int or tuple of int, optional
        Steps between windows; the window's size if left out.
    padding : int or tuple of int
        How far windows reach over both ends.
    dilation : int or tuple of int
        Distances between neighbours of the window.
    ceil_mode : bool
        Whether a last window that reaches over the end counts.
    return_indices : bool
        Whether to give where the largest elements are, too.

    Examples
    --------
    >>> import fnx_nn as torch
    >>> torch.nn.functional.max_pool1d(torch.tensor([[1.0, 3.0, 2.0, 5.0]]), 2)
    tensor([[3., 5.]])
    """
    return _max_pool(input, kernel_size, stride, padding, dilation, ceil_mode, return_indices, 1)


def max_pool2d(
    input: Tensor,
    kernel_size: int | Sequence[int],
    stride: int | Sequence[int] | None = None,
    padding: int | Sequence[int] = 0,
    dilation: int | Sequence[int] = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """The largest element of each window of images.

    Parameters
    ----------
    input : Tensor
        (batch, channels, height, width), or without the batch.
    kernel_size, stride, padding, dilation, ceil_mode, return_indices
        As for `max_pool1d`; indices are places in the flattened image.
    """
    return _max_pool(input, kernel_size, stride, padding, dilation, ceil_mode, return_indices, 2)


def max_pool3d(
    input: Tensor,
    kernel_size: int | Sequence[int],
    stride: int | Sequence[int] | None = None,
    padding: int | Sequence[int] = 0,
    dilation: int | Sequence[int] = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """The largest element of each window of volumes.

    Parameters
    ----------
    input : Tensor
        (batch, channels, depth, height, width), or without the batch.
    kernel_size, stride, padding, dilation, ceil_mode, return_indices
        As for `max_pool1d`; indices are places in the flattened volume.
    """
    return _max_pool(input, kernel_size, stride, padding, dilation, ceil_mode, return_indices, 3)


def _with_indices(count: int) -> Any:
    def function(
        input: Tensor,
        kernel_size: int | Sequence[int],
        stride: int | Sequence[int] | None = None,
        padding: int | Sequence[int] = 0,
        dilation: int | Sequence[int] = 1,
        ceil_mode: bool = False,
        return_indices: bool = True,
    ) -> Any:
        return _max_pool(input, kernel_size, stride, padding, dilation, ceil_mode, True, count)

    function.__name__ = function.__qualname__ = f"max_pool{count}d_with_indices"
    function.__doc__ = (
        f"What `max_pool{count}d` gives with ``return_indices=True``.\n\nParameters\n----------\n"
        "input, kernel_size, stride, padding, dilation, ceil_mode\n"
        f"    As for `max_pool{count}d`.\nreturn_indices : bool\n    Accepted."
    )
    return function


max_pool1d_with_indices = _with_indices(1)
max_pool2d_with_indices = _with_indices(2)
max_pool3d_with_indices = _with_indices(3)


# ---------------------------------------------------------------------------------------- unpooling


def _placed(x: Any, index: Any, size: Sizes) -> Any:
    front = x.shape[: x.ndim - len(size)]
    rows, wide = math.prod(front), math.prod(size)
    flat = jnp.reshape(x, (rows, -1))
    at = jnp.reshape(index, (rows, -1)) + jnp.arange(rows)[:, None] * wide
    out = jnp.zeros(rows * wide, x.dtype).at[jnp.ravel(at)].set(jnp.ravel(flat))
    return jnp.reshape(out, (*front, *size))


_UNPOOL = {n: TensorOperation(_placed, f"MaxUnpool{n}DBackward0") for n in (1, 2, 3)}


def _unpool(
    input: Tensor,
    indices: Tensor,
    kernel_size: Any,
    stride: Any,
    padding: Any,
    output_size: Any,
    count: int,
) -> Tensor:
    name = f"max_unpool{count}d"
    window, step, pads = window_arguments(kernel_size, stride, padding, count, name)
    data = require_tensor(input, name)._data
    where = require_tensor(indices, name, "indices")._data
    if where.dtype != np.int64:
        raise RuntimeError(
            f"elements in indices should be type int64 but got: {name_in_messages(where.dtype)}"
        )
    if data.shape != where.shape:
        raise RuntimeError(
            f"Expected shape of indices to be same as that of the input tensor ("
            f"{listed(data.shape)}) but got indices tensor with shape: {listed(where.shape)}"
        )
    usual = [(n - 1) * s + k - 2 * p for n, s, k, p in zip(data.shape[-count:], step, window, pads)]
    if output_size is None:
        size = tuple(usual)
    else:
        size = tuple([int(n) for n in output_size][-count:])
        if len(output_size) not in (count, count + 2):
            raise ValueError(
                f"output_size should be a sequence containing {count} or {count + 2} elements, but "
                f"it has a length of '{len(output_size)}'"
            )
        for axis, (n, got, s) in enumerate(zip(usual, size, step)):
            if not n - s < got < n + s:
                raise ValueError(
                    f'invalid output_size "{tuple(size)}" (dim {axis} must be between '
                    f"{n - s} and {n + s})"
                )
    if type(where) is np.ndarray and where.size:
        low, high = int(where.min()), int(where.max())
        if low < 0 or high >= math.prod(size):
            bad = low if low < 0 else high
            shown = "x".join(map(str, size))
            raise RuntimeError(
                f"Found an invalid max index: {bad} (output volumes are of size {shown})"
            )
    out: Tensor = apply(_UNPOOL[count], (input, indices), {"size": size})
    return out


def _unpooling(count: int) -> Any:
    def function(
        input: Tensor,
        indices: Tensor,
        kernel_size: int | Sequence[int],
        stride: int | Sequence[int] | None = None,
        padding: int | Sequence[int] = 0,
        output_size: Sequence[int] | None = None,
    ) -> Tensor:
        return _unpool(input, indices, kernel_size, stride, padding, output_size, count)

    function.__name__ = function.__qualname__ = f"max_unpool{count}d"
    function.__doc__ = (
        f"Put elements where `max_pool{count}d` found them, zeros elsewhere.\n\nParameters\n"
        "----------\ninput, indices : Tensor\n    What it gave.\nkernel_size, stride, padding\n"
        "    What it was given.\noutput_size : tuple of int, optional\n    The extents of what it "
        "was applied to, where these do not tell."
    )
    return function


max_unpool1d, max_unpool2d, max_unpool3d = _unpooling(1), _unpooling(2), _unpooling(3)
