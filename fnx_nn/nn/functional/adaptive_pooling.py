"""Adaptive pooling: as many windows as the user wants, that cover the image evenly.

Window i of m on n elements goes from floor(i n / m) to ceil((i + 1) n / m). Means are products with
a constant matrix along each dimension; the largest elements are gathered by a table.
Read next: `activation`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

import fnx.numpy as jnp
from fnx_nn.dtypes import name_in_messages
from fnx_nn.nn.functional.pooling import gathered_maximum
from fnx_nn.nn.functional.window_sizes import listed
from fnx_nn.tensor.dispatch import TensorOperation, apply
from fnx_nn.tensor.elementary import require_tensor
from fnx_nn.tensor.tensor import Tensor

__all__ = [
    "adaptive_avg_pool1d",
    "adaptive_avg_pool2d",
    "adaptive_avg_pool3d",
    "adaptive_max_pool1d",
    "adaptive_max_pool1d_with_indices",
    "adaptive_max_pool2d",
    "adaptive_max_pool2d_with_indices",
    "adaptive_max_pool3d",
    "adaptive_max_pool3d_with_indices",
]

Sizes = tuple[int, ...]


def _bounds(n: int, m: int) -> list[tuple[int, int]]:
    return [(i * n // m, -(-(i + 1) * n // m)) for i in range(m)]


def _means(x: Any, size: Sizes) -> Any:
    front = x.ndim - len(size)
    for k, m in enumerate(size):
        axis, n = front + k, x.shape[front + k]
        if n == m:
            continue
        if m and n % m == 0:
            x = jnp.mean(
                jnp.reshape(x, (*x.shape[:axis], m, n // m, *x.shape[axis + 1 :])), axis + 1
            )
            continue
        matrix = np.zeros((n, m), np.float64)
        for i, (first, end) in enumerate(_bounds(n, m)):
            matrix[first:end, i] = 1.0 / (end - first)
        product = jnp.tensordot(x, jnp.asarray(matrix.astype(x.dtype)), ((axis,), (0,)))
        x = jnp.moveaxis(product, -1, axis)
    return x


_AVG = {n: TensorOperation(_means, f"AdaptiveAvgPool{n}DBackward0") for n in (1, 2, 3)}
_MAX = {
    n: TensorOperation(gathered_maximum, f"AdaptiveMaxPool{n}DBackward0", reuse_results=True)
    for n in (1, 2, 3)
}


def _size(input: Tensor, output_size: Any, count: int, name: str) -> Sizes:
    x = require_tensor(input, name)._data
    given = tuple(output_size) if isinstance(output_size, Sequence) else (output_size,) * count
    if len(given) != count:
        if len(given) == 1:
            given = given * count
        else:
            raise RuntimeError(f"{name}: output_size must be {count}")
    if x.ndim not in (count + 1, count + 2):
        raise RuntimeError(
            f"{name}(): Expected {count + 1}D or {count + 2}D tensor, but got {listed(x.shape)}"
        )
    image = x.shape[-count:]
    if 0 in x.shape[x.ndim - count - 1 :]:
        axis = next(k for k in range(x.ndim - count - 1, x.ndim) if x.shape[k] == 0)
        raise RuntimeError(
            f"{name}(): Expected input to have non-zero size for non-batch dimensions, but input "
            f"has sizes {listed(x.shape)} with dimension {axis} being empty"
        )
    size = tuple([n if m is None else int(m) for n, m in zip(image, given)])
    if any(m < 0 for m in size):
        raise RuntimeError(
            f"{name}: elements of output_size must be greater than or equal to 0 but received "
            f"{{{', '.join(map(str, size))}}}"
        )
    return size


def _adaptive_avg(input: Tensor, output_size: Any, count: int) -> Tensor:
    name = f"adaptive_avg_pool{count}d"
    size = _size(input, output_size, count, name)
    if input._data.dtype.kind in "biu":
        kind = name_in_messages(input._data.dtype)
        raise NotImplementedError(f"\"{name}\" not implemented for '{kind}'")
    out: Tensor = apply(_AVG[count], (input,), {"size": size})
    return out


def adaptive_avg_pool1d(input: Tensor, output_size: int | Sequence[int]) -> Tensor:
    """Means of windows that cover sequences evenly.

    Parameters
    ----------
    input : Tensor
        (batch, channels, length), or without the batch.
    output_size : int or tuple of int
        How many windows.
    """
    return _adaptive_avg(input, output_size, 1)


def adaptive_avg_pool2d(input: Tensor, output_size: Any) -> Tensor:
    """Means of windows that cover images evenly.

    Parameters
    ----------
    input : Tensor
        (batch, channels, height, width), or without the batch.
    output_size : int or tuple of (int or None)
        How many windows; None: as many as elements.

    Examples
    --------
    >>> import fnx_nn as torch
    >>> torch.nn.functional.adaptive_avg_pool2d(torch.arange(6.0).view(1, 2, 3), 1)
    tensor([[[2.5000]]])
    """
    return _adaptive_avg(input, output_size, 2)


def adaptive_avg_pool3d(input: Tensor, output_size: Any) -> Tensor:
    """Means of windows that cover volumes evenly.

    Parameters
    ----------
    input : Tensor
        (batch, channels, depth, height, width), or without the batch.
    output_size : int or tuple of (int or None)
        How many windows; None: as many as elements.
    """
    return _adaptive_avg(input, output_size, 3)


def _table(n: int, m: int) -> tuple[Sizes, ...]:
    bounds = _bounds(n, m)
    longest = max([end - first for first, end in bounds], default=1)
    return tuple(
        [
            (*range(first, end), *[first] * (longest - (end - first)))
            for first, end in bounds
        ]
    )  # fmt: skip


def _adaptive_max(input: Tensor, output_size: Any, return_indices: bool, count: int) -> Any:
    name = f"adaptive_max_pool{count}d"
    size = _size(input, output_size, count, name)
    if math.prod(size) == 0:
        raise RuntimeError(f"{name}: output_size {list(size)} leaves no window")
    tables = tuple([_table(n, m) for n, m in zip(input._data.shape[-count:], size)])
    found = apply(_MAX[count], (input,), {"tables": tables})
    return found if return_indices else found[0]


def _maximum(count: int, both: bool) -> Any:
    def function(input: Tensor, output_size: Any, return_indices: bool = both) -> Any:
        return _adaptive_max(input, output_size, both or return_indices, count)

    name = f"adaptive_max_pool{count}d" + ("_with_indices" if both else "")
    function.__name__ = function.__qualname__ = name
    function.__doc__ = (
        "Largest elements of windows that cover the image evenly.\n\nParameters\n----------\n"
        "input : Tensor\n    With or without the batch.\noutput_size : int or tuple of (int or "
        "None)\n    How many windows; None: as many as elements.\nreturn_indices : bool\n    "
        "Whether to give their places in the flattened image, too."
    )
    return function


adaptive_max_pool1d, adaptive_max_pool1d_with_indices = _maximum(1, False), _maximum(1, True)
adaptive_max_pool2d, adaptive_max_pool2d_with_indices = _maximum(2, False), _maximum(2, True)
adaptive_max_pool3d, adaptive_max_pool3d_with_indices = _maximum(3, False), _maximum(3, True)
