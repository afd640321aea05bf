"""Convolutions of one, two and three spatial dimensions, and their transposes.

Each is one operation on the tape, a `fnx.lax.conv_general_dilated` with the bias added; so its
pullbacks of any order are convolutions again, and large ones run as the named kernels of `fnx`.
Shapes are checked here, with PyTorch's words.
Read next: `pooling`; the layers are in `fnx_nn.nn.convolution`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import fnx
import fnx.numpy as jnp
from fnx import lax
from fnx_nn.dtypes import name_in_messages
from fnx_nn.nn.functional.window_sizes import listed
from fnx_nn.tensor.dispatch import TensorOperation, apply
from fnx_nn.tensor.elementary import require_tensor
from fnx_nn.tensor.tensor import Tensor

__all__ = [
    "conv1d",
    "conv2d",
    "conv3d",
    "conv_transpose1d",
    "conv_transpose2d",
    "conv_transpose3d",
]

Sizes = tuple[int, ...]
_AXES = ("depth", "height", "width")


def _convolved(
    x: Any,
    w: Any,
    *bias: Any,
    stride: Sizes,
    padding: tuple[Sizes, ...],
    dilation: Sizes,
    groups: int,
    precision: str | None = None,
) -> Any:
    alone = x.ndim < w.ndim
    out = lax.conv_general_dilated(
        x[None] if alone else x,
        w,
        stride,
        padding,
        rhs_dilation=dilation,
        feature_group_count=groups,
        precision=precision,
    )
    return _finished(out, bias, alone)


def _transposed(
    x: Any,
    w: Any,
    *bias: Any,
    stride: Sizes,
    padding: tuple[Sizes, ...],
    dilation: Sizes,
    groups: int,
    precision: str | None = None,
) -> Any:
    # The adjoint of a convolution: neighbours of the image lie `stride` apart, windows are
    # reversed, and channels in and out change places within each group.
    spatial = tuple(range(2, w.ndim))
    w = jnp.flip(w, spatial)
    inside, outside, *window = w.shape
    w = jnp.reshape(w, (groups, inside // groups, outside, *window))
    w = jnp.reshape(jnp.swapaxes(w, 1, 2), (groups * outside, inside // groups, *window))
    alone = x.ndim < w.ndim
    out = lax.conv_general_dilated(
        x[None] if alone else x,
        w,
        (1,) * len(spatial),
        padding,
        lhs_dilation=stride,
        rhs_dilation=dilation,
        feature_group_count=groups,
        precision=precision,
    )
    return _finished(out, bias, alone)


def _finished(out: Any, bias: tuple[Any, ...], alone: bool) -> Any:
    if bias:
        out = out + jnp.reshape(bias[0], (-1, *(1,) * (out.ndim - 2)))
    return out[0] if alone else out


def _params(
    stride: Sizes, padding: tuple[Sizes, ...], dilation: Sizes, groups: int
) -> dict[str, Any]:
    """The parameters of either operation; how accurate it must be is a setting of `fnx`."""
    params: dict[str, Any] = {"stride": stride, "padding": padding, "dilation": dilation}
    params["groups"] = int(groups)
    precision = fnx.config.jax_default_matmul_precision
    if precision is not None:
        params["precision"] = precision
    return params


_CONVOLVED = TensorOperation(_convolved, "ConvolutionBackward0")
_TRANSPOSED = TensorOperation(_transposed, "ConvolutionBackward0")


# ------------------------------------------------------------------------------------------- checks


def _sizes(value: Any, count: int, name: str) -> Sizes:
    given = tuple(value) if isinstance(value, Sequence) else (value,)
    sizes = tuple([int(n) for n in given])
    if len(sizes) == 1:
        return sizes * count
    if len(sizes) != count:
        raise RuntimeError(
            f"expected {name} to be a single integer value or a list of {count} values to match "
            f"the convolution dimensions, but got {name}={listed(sizes)}"
        )
    return sizes


def _check_ranks(input: Tensor, weight: Tensor, stride: Any, count: int, name: str) -> None:
    x = require_tensor(input, name)._data
    w = require_tensor(weight, name, "weight")._data
    if x.ndim not in (count + 1, count + 2):
        raise RuntimeError(
            f"Expected {count + 1}D (unbatched) or {count + 2}D (batched) input to {name}, but got "
            f"input of size: {listed(x.shape)}"
        )
    if w.ndim != count + 2:
        shown = listed(_sizes(stride, count, "stride"))
        raise RuntimeError(
            f"expected stride to be a single integer value or a list of {w.ndim - 2} values to "
            f"match the convolution dimensions, but got stride={shown}"
        )


_C_NAMES = {"Float": "float", "Double": "double", "Int": "int", "Long": "long int"}


def _check_dtypes(input: Tensor, weight: Tensor, bias: Tensor | None) -> None:
    x, w = input._data.dtype, weight._data.dtype
    if bias is not None and bias._data.dtype != x:
        shown = [name_in_messages(d) for d in (x, bias._data.dtype)]
        first, second = [_C_NAMES.get(name, name) for name in shown]
        raise RuntimeError(f"Input type ({first}) and bias type ({second}) should be the same")
    if x != w:
        raise RuntimeError(
            f"expected scalar type {name_in_messages(x)} but found {name_in_messages(w)}"
        )


def _check_numbers(stride: Sizes, padding: Sizes, dilation: Sizes, groups: int) -> None:
    if groups <= 0:
        raise RuntimeError("non-positive groups is not supported")
    if any(n < 0 for n in padding):
        raise RuntimeError("negative padding is not supported")
    if any(n <= 0 for n in stride):
        raise RuntimeError("non-positive stride is not supported")
    if any(n <= 0 for n in dilation):
        raise RuntimeError(f"dilation should be greater than zero, but got {listed(dilation)}")


def _check_channels(
    input: Tensor, weight: Tensor, bias: Tensor | None, groups: int, transposed: bool
) -> None:
    x, w = input._data.shape, weight._data.shape
    channels = x[1] if len(x) == len(w) else x[0]
    shown_input = listed(x if len(x) == len(w) else (1, *x))
    how = f"transposed={int(transposed)}" if transposed else f"groups={groups}"
    if w[0] % groups:
        raise RuntimeError(
            f"Given groups={groups}, expected weight to be divisible by {groups} at dimension 0, "
            f"but got weight of size [{listed(w)}] instead"
        )
    wanted = w[0] if transposed else w[1] * groups
    if channels != wanted:
        raise RuntimeError(
            f"Given {how}, weight of size {listed(w)}, expected input{shown_input} to have "
            f"{wanted} channels, but got {channels} channels instead"
        )
    outside = w[1] * groups if transposed else w[0]
    if bias is not None and bias._data.shape != (outside,):
        given = "weight" if not transposed else f"{how}, weight"
        raise RuntimeError(
            f"Given {given} of size {listed(w)}, expected bias to be 1-dimensional with {outside} "
            f"elements, but got bias of size {listed(bias._data.shape)} instead"
        )


def _times(sizes: Sequence[int]) -> str:
    return f"({' x '.join(map(str, sizes))})"


# -------------------------------------------------------------------------------------- convolution


def _convolution(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    stride: Any,
    padding: Any,
    dilation: Any,
    groups: int,
    count: int,
) -> Tensor:
    name = f"conv{count}d"
    _check_ranks(input, weight, stride, count, name)
    _check_dtypes(input, weight, bias)
    stride, dilation = _sizes(stride, count, "stride"), _sizes(dilation, count, "dilation")
    window = weight._data.shape[2:]
    if isinstance(padding, str):
        pads = _named_padding(padding, window, stride, dilation)
        _check_numbers(stride, (), dilation, groups)
    else:
        sizes = _sizes(padding, count, "padding")
        _check_numbers(stride, sizes, dilation, groups)
        pads = tuple([(n, n) for n in sizes])
    _check_channels(input, weight, bias, groups, False)
    image = input._data.shape[-count:]
    padded = [n + low + high for n, (low, high) in zip(image, pads)]
    reach = [d * (k - 1) + 1 for d, k in zip(dilation, window)]
    if any(n < k for n, k in zip(padded, reach)):
        raise RuntimeError(
            f"Calculated padded input size per channel: {_times(padded)}. Kernel size: "
            f"{_times(reach)}. Kernel size can't be greater than actual input size"
        )
    operands = (input, weight) if bias is None else (input, weight, bias)
    params = _params(stride, pads, dilation, groups)
    out: Tensor = apply(_CONVOLVED, operands, params)
    return out


def _named_padding(
    padding: str, window: Sequence[int], stride: Sizes, dilation: Sizes
) -> tuple[Sizes, ...]:
    if padding == "valid":
        return ((0, 0),) * len(window)
    if padding != "same":
        raise RuntimeError(f"Invalid padding string: '{padding}'")
    if any(n != 1 for n in stride):
        raise RuntimeError("padding='same' is not supported for strided convolutions")
    totals = [d * (k - 1) for d, k in zip(dilation, window)]
    return tuple([(n // 2, n - n // 2) for n in totals])


def conv1d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: int | Sequence[int] = 1,
    padding: str | int | Sequence[int] = 0,
    dilation: int | Sequence[int] = 1,
    groups: int = 1,
) -> Tensor:
    """Convolve sequences with windows (which are not reversed).

    Parameters
    ----------
    input : Tensor
        (batch, channels, length), or without the batch.
    weight : Tensor
        (channels out, channels in of one group, window).
    bias : Tensor, optional
        A number for each channel that comes out.
    stride : int or tuple of int
        Steps between windows.
    padding : int, tuple of int, or str
        Zeros on both sides; ``"valid"``: none; ``"same"``: as many as keep the length.
    dilation : int or tuple of int
        Distances between neighbours of the window.
    groups : int
        Groups of channels that have windows of their own.

    Examples
    --------
    >>> import fnx_nn as torch
    >>> torch.nn.functional.conv1d(torch.arange(4.0).view(1, 1, 4), torch.ones(1, 1, 2))
    tensor([[[1., 3., 5.]]])
    """
    return _convolution(input, weight, bias, stride, padding, dilation, groups, 1)


def conv2d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: int | Sequence[int] = 1,
    padding: str | int | Sequence[int] = 0,
    dilation: int | Sequence[int] = 1,
    groups: int = 1,
) -> Tensor:
    """Convolve images with windows (which are not reversed).

    Parameters
    ----------
    input : Tensor
        (batch, channels, height, width), or without the batch.
    weight : Tensor
        (channels out, channels in of one group, height, width).
    bias, stride, padding, dilation, groups
        As for `conv1d`.

    Examples
    --------
    >>> import fnx_nn as torch
    >>> x = torch.ones(1, 2, 4, 4)
    >>> torch.nn.functional.conv2d(x, torch.ones(3, 2, 3, 3), padding=1).shape
    torch.Size([1, 3, 4, 4])
    """
    return _convolution(input, weight, bias, stride, padding, dilation, groups, 2)


def conv3d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: int | Sequence[int] = 1,
    padding: str | int | Sequence[int] = 0,
    dilation: int | Sequence[int] = 1,
    groups: int = 1,
) -> Tensor:
    """Convolve volumes with windows (which are not reversed).

    Parameters
    ----------
    input : Tensor
        (batch, channels, depth, height, width), or without the batch.
    weight : Tensor
        (channels out, channels in of one group, depth, height, width).
    bias, stride, padding, dilation, groups
        As for `conv1d`.
    """
    return _convolution(input, weight, bias, stride, padding, dilation, groups, 3)


# --------------------------------------------------------------------------------------- transposes


def _transpose(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    stride: Any,
    padding: Any,
    output_padding: Any,
    groups: int,
    dilation: Any,
    count: int,
) -> Tensor:
    _check_ranks(input, weight, stride, count, f"conv_transpose{count}d")
    _check_dtypes(input, weight, bias)
    stride, dilation = _sizes(stride, count, "stride"), _sizes(dilation, count, "dilation")
    padding = _sizes(padding, count, "padding")
    extra = _sizes(output_padding, count, "output_padding")
    if any(n < 0 for n in extra):
        raise RuntimeError("negative output_padding is not supported")
    _check_numbers(stride, padding, dilation, groups)
    _check_channels(input, weight, bias, groups, True)
    if any(n >= s and n >= d for n, s, d in zip(extra, stride, dilation)):
        raise RuntimeError(
            "output padding must be smaller than either stride or dilation, but got "
            + " ".join(
                f"{what}_{axis}: {n}"
                for what, numbers in (
                    ("output_padding", extra),
                    ("stride", stride),
                    ("dilation", dilation),
                )
                for axis, n in zip(_AXES[3 - max(count, 2) :], ((1,) * (2 - count)) + numbers)
            )
        )
    image, window = input._data.shape[-count:], weight._data.shape[2:]
    reach = [d * (k - 1) for d, k in zip(dilation, window)]
    out = [
        (n - 1) * s - 2 * p + r + e + 1
        for n, s, p, r, e in zip(image, stride, padding, reach, extra)
    ]
    if any(n < 1 for n in out):
        before, after = ((1,) if count == 1 else ()), ((1,) if count == 1 else ())
        raise RuntimeError(
            f"Given input size per channel: {_times((*before, *image))}. Calculated output size "
            f"per channel: {_times((*after, *out))}. Output size is too small"
        )
    pads = tuple([(r - p, r - p + e) for r, p, e in zip(reach, padding, extra)])
    operands = (input, weight) if bias is None else (input, weight, bias)
    params = _params(stride, pads, dilation, groups)
    result: Tensor = apply(_TRANSPOSED, operands, params)
    return result


def conv_transpose1d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: int | Sequence[int] = 1,
    padding: int | Sequence[int] = 0,
    output_padding: int | Sequence[int] = 0,
    groups: int = 1,
    dilation: int | Sequence[int] = 1,
) -> Tensor:
    """The adjoint of `conv1d` with respect to its input, with a bias.

    Parameters
    ----------
    input : Tensor
        (batch, channels, length), or without the batch.
    weight : Tensor
        (channels in, channels out of one group, window).
    bias : Tensor, optional
        A number for each channel that comes out.
    stride : int or tuple of int
        Steps between windows in the result.
    padding : int or tuple of int
        How much is cut from both ends of the result.
    output_padding : int or tuple of int
        How much is added to its far end.
    groups : int
        Groups of channels that have windows of their own.
    dilation : int or tuple of int
        Distances between neighbours of the window.
    """
    return _transpose(
        input, weight, bias, stride, padding, output_padding, groups, dilation, 1
    )  # fmt: skip


def conv_transpose2d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: int | Sequence[int] = 1,
    padding: int | Sequence[int] = 0,
    output_padding: int | Sequence[int] = 0,
    groups: int = 1,
    dilation: int | Sequence[int] = 1,
) -> Tensor:
    """The adjoint of `conv2d` with respect to its input, with a bias.

    Parameters
    ----------
    input : Tensor
        (batch, channels, height, width), or without the batch.
    weight : Tensor
        (channels in, channels out of one group, height, width).
    bias, stride, padding, output_padding, groups, dilation
        As for `conv_transpose1d`.
    """
    return _transpose(
        input, weight, bias, stride, padding, output_padding, groups, dilation, 2
    )  # fmt: skip


def conv_transpose3d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: int | Sequence[int] = 1,
    padding: int | Sequence[int] = 0,
    output_padding: int | Sequence[int] = 0,
    groups: int = 1,
    dilation: int | Sequence[int] = 1,
) -> Tensor:
    """The adjoint of `conv3d` with respect to its input, with a bias.

    Parameters
    ----------
    input : Tensor
        (batch, channels, depth, height, width), or without the batch.
    weight : Tensor
        (channels in, channels out of one group, depth, height, width).
    bias, stride, padding, output_padding, groups, dilation
        As for `conv_transpose1d`.
    """
    return _transpose(
        input, weight, bias, stride, padding, output_padding, groups, dilation, 3
    )  # fmt: skip
