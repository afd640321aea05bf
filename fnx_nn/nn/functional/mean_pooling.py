"""Pooling by the mean of each window, or by its p-norm.

Sums over windows are `fnx.lax.reduce_window`; what they are divided by depends on shapes alone.
Read next: `adaptive_pooling`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

import fnx.numpy as jnp
from fnx import lax
from fnx_nn.dtypes import name_in_messages
from fnx_nn.nn.functional.pooling import check_image, window_arguments, window_counts
from fnx_nn.tensor.dispatch import TensorOperation, apply
from fnx_nn.tensor.tensor import Tensor

__all__ = ["avg_pool1d", "avg_pool2d", "avg_pool3d", "lp_pool1d", "lp_pool2d", "lp_pool3d"]

Sizes = tuple[int, ...]


def _window_sums(x: Any, window: Sizes, stride: Sizes, padding: tuple[Sizes, ...]) -> Any:
    front = x.ndim - len(window)
    ones = (1,) * front
    around = ((0, 0),) * front + padding
    return lax.reduce_window(x, 0, lax.add, (*ones, *window), (*ones, *stride), around)


def _mean_of_windows(
    x: Any,
    window: Sizes,
    stride: Sizes,
    padding: tuple[Sizes, ...],
    divisors: tuple[Sizes, ...],
) -> Any:
    sums = _window_sums(x, window, stride, padding)
    if all(len(set(row)) <= 1 for row in divisors):
        return sums / math.prod([row[0] for row in divisors])
    counts: Any = np.ones((), np.int64)
    for row in divisors:
        counts = counts[..., None] * np.asarray(row)
    return sums / jnp.asarray(counts.astype(x.dtype))


_AVG_POOL = {n: TensorOperation(_mean_of_windows, f"AvgPool{n}DBackward0") for n in (1, 2, 3)}


def _avg_pool(
    input: Tensor,
    kernel_size: Any,
    stride: Any,
    padding: Any,
    ceil_mode: bool,
    count_include_pad: bool,
    divisor_override: int | None,
    count: int,
) -> Tensor:
    name = f"avg_pool{count}d"
    window, step, pads = window_arguments(kernel_size, stride, padding, count, name)
    check_image(input, count, name, window, step, pads)
    data = input._data
    if data.dtype.kind != "f" and data.dtype.name != "bfloat16":
        raise NotImplementedError(
            f"\"{name}\" not implemented for '{name_in_messages(data.dtype)}'"
        )
    if any(pad > k // 2 for pad, k in zip(pads, window)):
        raise RuntimeError(
            f"pad should be at most half of effective kernel size, but got pad={max(pads)}, "
            f"kernel_size={min(window)} and dilation=1"
        )
    if divisor_override == 0:
        raise RuntimeError("divisor must be not zero")
    image = data.shape[-count:]
    ones = (1,) * count
    counts = window_counts(image, window, step, pads, ones, ceil_mode, data.shape)
    around, divisors = [], []
    for n, k, s, p, c in zip(image, window, step, pads, counts, strict=True):
        starts = [w * s - p for w in range(c)]
        ends = [min(start + k, n + p) for start in starts]
        around.append((p, max(starts[-1] + k - n, 0)))
        if not count_include_pad:
            starts, ends = [max(a, 0) for a in starts], [min(b, n) for b in ends]
        divisors.append(tuple([b - a for a, b in zip(starts, ends)]))
    if divisor_override is not None:
        divisors = [(int(divisor_override),), *[(1,)] * (count - 1)]
    params = {
        "window": window,
        "stride": step,
        "padding": tuple(around),
        "divisors": tuple(divisors),
    }
    out: Tensor = apply(_AVG_POOL[count], (input,), params)
    return out


def avg_pool1d(
    input: Tensor,
    kernel_size: int | Sequence[int],
    stride: int | Sequence[int] | None = None,
    padding: int | Sequence[int] = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Tensor:
    """The mean of each window of sequences.

    Parameters
    ----------
    input : Tensor
        (batch, channels, length), or without the batch.
    kernel_size : int or tuple of int
        The window.
    stride : int or tuple of int, optional
        Steps between windows; the window's size if left out.
    padding : int or tuple of int
        Zeros on both sides.
    ceil_mode : bool
        Whether a last window that reaches over the end counts.
    count_include_pad : bool
        Whether the mean is that of the zeros, too.

    Examples
    --------
    >>> import fnx_nn as torch
    >>> torch.nn.functional.avg_pool1d(torch.tensor([[1.0, 3.0, 2.0, 6.0]]), 2)
    tensor([[2., 4.]])
    """
    return _avg_pool(input, kernel_size, stride, padding, ceil_mode, count_include_pad, None, 1)


def avg_pool2d(
    input: Tensor,
    kernel_size: int | Sequence[int],
    stride: int | Sequence[int] | None = None,
    padding: int | Sequence[int] = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Tensor:
    """The mean of each window of images.

    Parameters
    ----------
    input : Tensor
        (batch, channels, height, width), or without the batch.
    kernel_size, stride, padding, ceil_mode, count_include_pad
        As for `avg_pool1d`.
    divisor_override : int, optional
        Divide the sums by this in place of the number of elements.
    """
    return _avg_pool(
        input, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override, 2
    )


def avg_pool3d(
    input: Tensor,
    kernel_size: int | Sequence[int],
    stride: int | Sequence[int] | None = None,
    padding: int | Sequence[int] = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Tensor:
    """The mean of each window of volumes.

    Parameters
    ----------
    input : Tensor
        (batch, channels, depth, height, width), or without the batch.
    kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override
        As for `avg_pool2d`.
    """
    return _avg_pool(
        input, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override, 3
    )


def _norm_pooling(count: int) -> Any:
    def function(
        input: Tensor,
        norm_type: float,
        kernel_size: int | Sequence[int],
        stride: int | Sequence[int] | None = None,
        ceil_mode: bool = False,
    ) -> Tensor:
        window, _, _ = window_arguments(kernel_size, stride, 0, count, f"lp_pool{count}d")
        powers = input**norm_type
        means = _avg_pool(powers, kernel_size, stride, 0, ceil_mode, True, None, count)
        return (means * math.prod(window)) ** (1.0 / norm_type)

    function.__name__ = function.__qualname__ = f"lp_pool{count}d"
    function.__doc__ = (
        "The p-norm of the elements of each window.\n\nParameters\n----------\ninput : Tensor\n"
        "    The images, with or without the batch.\nnorm_type : float\n    The p.\nkernel_size, "
        f"stride, ceil_mode\n    As for `avg_pool{count}d`."
    )
    return function


lp_pool1d, lp_pool2d, lp_pool3d = _norm_pooling(1), _norm_pooling(2), _norm_pooling(3)
