"""Normalisation over the batch, over layers, over groups of channels, over each example.

All are one operation on the tape: statistics along some axes, then scale and shift. Statistics of
the batch come out of it as further results, for the running ones.
Read next: `embedding`; the layers are in `fnx_nn.nn.normalization`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

import fnx.numpy as jnp
from fnx import lax
from fnx_nn.autograd.modes import no_grad
from fnx_nn.dtypes import name_in_messages
from fnx_nn.nn.functional.window_sizes import listed
from fnx_nn.tensor.dispatch import TensorOperation, apply
from fnx_nn.tensor.elementary import require_tensor
from fnx_nn.tensor.tensor import Tensor

__all__ = [
    "batch_norm",
    "group_norm",
    "instance_norm",
    "layer_norm",
    "local_response_norm",
    "rms_norm",
]


def _standardized(x: Any, axes: tuple[int, ...], eps: float) -> tuple[Any, Any, Any]:
    mean = jnp.mean(x, axes, keepdims=True)
    centred = x - mean
    variance = jnp.mean(jnp.square(centred), axes, keepdims=True)
    return centred * lax.rsqrt(variance + eps), mean, variance


def _affine(
    x: Any, rest: tuple[Any, ...], scaled: bool, shifted: bool, shape: Any, dtype: Any
) -> Any:
    position = 0
    if scaled:
        x = x * jnp.reshape(rest[0], shape)
        position = 1
    if shifted:
        x = x + jnp.reshape(rest[position], shape)
    return x.astype(dtype)  # halves may have parameters in float32


def _by_channel(x: Any) -> tuple[int, ...]:
    return (-1, *(1,) * (x.ndim - 2))


def _batch(
    x: Any, *rest: Any, axes: tuple[int, ...], eps: float, scaled: bool, shifted: bool
) -> Any:
    out, mean, variance = _standardized(x, axes, eps)
    out = _affine(out, rest, scaled, shifted, _by_channel(x), x.dtype)
    kept = [n for k, n in enumerate(x.shape) if k not in axes]
    statistics = [jnp.reshape(lax.stop_gradient(s), kept) for s in (mean, variance)]
    return out, *statistics


def _with_running(x: Any, mean: Any, variance: Any, *rest: Any, **params: Any) -> Any:
    eps = params.pop("eps")
    shape = _by_channel(x)
    scale = lax.rsqrt(variance + eps)
    out = (x - jnp.reshape(mean, shape)) * jnp.reshape(scale, shape)
    return _affine(out, rest, params["scaled"], params["shifted"], shape, x.dtype)


def _layer(x: Any, *rest: Any, count: int, eps: float, scaled: bool, shifted: bool) -> Any:
    axes = tuple(range(x.ndim - count, x.ndim))
    shape = x.shape[x.ndim - count :]
    return _affine(_standardized(x, axes, eps)[0], rest, scaled, shifted, shape, x.dtype)


def _group(x: Any, *rest: Any, groups: int, eps: float, scaled: bool, shifted: bool) -> Any:
    split = jnp.reshape(x, (x.shape[0], groups, -1))
    out = jnp.reshape(_standardized(split, (2,), eps)[0], x.shape)
    return _affine(out, rest, scaled, shifted, _by_channel(x), x.dtype)


def _root_mean_square(x: Any, *weight: Any, count: int, eps: float) -> Any:
    axes = tuple(range(x.ndim - count, x.ndim))
    out = x * lax.rsqrt(jnp.mean(jnp.square(x), axes, keepdims=True) + eps)
    return (out * weight[0]).astype(x.dtype) if weight else out


def _local(x: Any, size: int, alpha: float, beta: float, k: float) -> Any:
    ones = (1,) * (x.ndim - 2)
    around = ((0, 0), (size // 2, (size - 1) // 2), *((0, 0),) * (x.ndim - 2))
    squares = lax.reduce_window(
        x * x, 0, lax.add, (1, size, *ones), (1,) * x.ndim, around
    )  # fmt: skip
    return x / (squares * (alpha / size) + k) ** beta


_BATCH = TensorOperation(_batch, "NativeBatchNormBackward0")
_RUNNING = TensorOperation(_with_running, "NativeBatchNormBackward0")
_LAYER = TensorOperation(_layer, "NativeLayerNormBackward0")
_GROUP = TensorOperation(_group, "NativeGroupNormBackward0")
_RMS = TensorOperation(_root_mean_square, "RmsNormBackward0")
_LOCAL = TensorOperation(_local, "DivBackward0")


def _present(*tensors: Tensor | None) -> tuple[Tensor, ...]:
    return tuple([t for t in tensors if t is not None])


def _update(
    running_mean: Tensor | None,
    running_var: Tensor | None,
    mean: Tensor,
    variance: Tensor,
    count: int,
    momentum: float,
) -> None:
    """Move running statistics towards those of the batch; the variance without its bias."""
    with no_grad():
        if running_mean is not None:
            running_mean.mul_(1 - momentum).add_(mean.to(running_mean.dtype), alpha=momentum)
        if running_var is not None:
            unbiased = variance.to(running_var.dtype) * (count / max(count - 1, 1))
            running_var.mul_(1 - momentum).add_(unbiased, alpha=momentum)


def _check_dtypes(x: Any, kernel: str, *parameters: Tensor | None) -> None:
    """Parameters have the dtype of the operand; those of halves may be float32."""
    if x.dtype.kind in "biu":
        raise NotImplementedError(f"\"{kernel}\" not implemented for '{name_in_messages(x.dtype)}'")
    half = x.dtype.itemsize == 2
    for t in parameters:
        if t is None or t._data.dtype == x.dtype or (half and t._data.dtype == np.float32):
            continue
        if x.dtype == np.float64:
            raise RuntimeError("mixed dtype (CPU): all inputs must share same datatype.")
        raise RuntimeError("mixed dtype (CPU): expect parameter to have scalar type of Float")


def _check_channels(x: Any, named: dict[str, Tensor | None]) -> None:
    for name, t in named.items():
        if t is not None and t._data.size != x.shape[1]:
            raise RuntimeError(f"{name} should contain {x.shape[1]} elements not {t._data.size}")


def batch_norm(
    input: Tensor,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """Channels brought to mean 0 and variance 1 over the batch, then scaled and shifted.

    Parameters
    ----------
    input : Tensor
        (batch, channels, ...).
    running_mean, running_var : Tensor or None
        Used in place of the batch's where not `training`; else moved towards these.
    weight, bias : Tensor, optional
        Scale and shift of each channel.
    training : bool
        Whether the statistics are those of the batch.
    momentum : float
        How far running statistics move.
    eps : float
        Added to variances.
    """
    x = require_tensor(input, "batch_norm")._data
    if x.ndim < 2:
        raise RuntimeError(
            f"batch_norm: expected input with at least 2 dimensions, got {listed(x.shape)}"
        )
    count = x.shape[0] * math.prod(x.shape[2:])
    if training and count == 1:
        raise ValueError(
            f"Expected more than 1 value per channel when training, got input size {input.size()}"
        )
    named = {
        "running_mean": running_mean,
        "running_var": running_var,
        "weight": weight,
        "bias": bias,
    }
    _check_channels(x, named)
    _check_dtypes(x, "batch_norm", *named.values())
    params = {"eps": float(eps), "scaled": weight is not None, "shifted": bias is not None}
    if not training:
        if running_mean is None or running_var is None:
            raise RuntimeError(
                "Expected running_mean and running_var to be defined when training=False"
            )
        operands = (input, running_mean, running_var, *_present(weight, bias))
        out: Tensor = apply(_RUNNING, operands, params)
        return out
    axes = (0, *range(2, x.ndim))
    out, mean, variance = apply(
        _BATCH, (input, *_present(weight, bias)), {"axes": axes, **params}
    )  # fmt: skip
    _update(running_mean, running_var, mean, variance, count, momentum)
    return out


def instance_norm(
    input: Tensor,
    running_mean: Tensor | None = None,
    running_var: Tensor | None = None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    use_input_stats: bool = True,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """Channels of each example brought to mean 0 and variance 1, then scaled and shifted.

    Parameters
    ----------
    input : Tensor
        (batch, channels, ...).
    running_mean, running_var : Tensor, optional
        Used in place of the example's where not `use_input_stats`; else moved towards these.
    weight, bias : Tensor, optional
        Scale and shift of each channel.
    use_input_stats : bool
        Whether the statistics are those of the examples.
    momentum : float
        How far running statistics move.
    eps : float
        Added to variances.
    """
    x = require_tensor(input, "instance_norm")._data
    count = math.prod(x.shape[2:])
    if not use_input_stats:
        return batch_norm(input, running_mean, running_var, weight, bias, False, momentum, eps)
    if count == 1:
        raise ValueError(
            f"Expected more than 1 spatial element when training, got input size {input.size()}"
        )
    _check_channels(x, {"weight": weight, "bias": bias})
    _check_dtypes(x, "batch_norm", running_mean, running_var, weight, bias)
    params = {"eps": float(eps), "scaled": weight is not None, "shifted": bias is not None}
    axes = tuple(range(2, x.ndim))
    out, mean, variance = apply(
        _BATCH, (input, *_present(weight, bias)), {"axes": axes, **params}
    )  # fmt: skip
    if running_mean is not None or running_var is not None:
        with no_grad():
            mean, variance = mean.mean(0), variance.mean(0)
        _update(running_mean, running_var, mean, variance, count, momentum)
    result: Tensor = out
    return result


def _check_trailing(
    input: Tensor, normalized_shape: Any, weight: Tensor | None, bias: Tensor | None, name: str
) -> tuple[int, ...]:
    x = require_tensor(input, name)._data
    shape = (
        tuple([int(n) for n in normalized_shape])
        if isinstance(normalized_shape, Sequence)
        else (int(normalized_shape),)
    )
    if not shape:
        raise RuntimeError(
            "Expected normalized_shape to be at least 1-dimensional, i.e., containing at least one "
            "element, but got normalized_shape = []"
        )
    for what, t in (("weight", weight), ("bias", bias)):
        if t is not None and t._data.shape != shape:
            raise RuntimeError(
                f"Expected {what} to be of same shape as normalized_shape, but got {what} of shape "
                f"{listed(t._data.shape)} and normalized_shape = {listed(shape)}"
            )
    if x.ndim < len(shape) or x.shape[x.ndim - len(shape) :] != shape:
        wanted = ", ".join(["*", *map(str, shape)])
        raise RuntimeError(
            f"Given normalized_shape={listed(shape)}, expected input with shape [{wanted}], but "
            f"got input of size{listed(x.shape)}"
        )
    return shape


def layer_norm(
    input: Tensor,
    normalized_shape: Sequence[int],
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
) -> Tensor:
    """The last dimensions brought to mean 0 and variance 1, then scaled and shifted.

    Parameters
    ----------
    input : Tensor
        The operand.
    normalized_shape : sequence of int
        The last dimensions.
    weight, bias : Tensor, optional
        Scale and shift of each element, of that shape.
    eps : float
        Added to variances.
    """
    shape = _check_trailing(input, normalized_shape, weight, bias, "layer_norm")
    _check_dtypes(input._data, "LayerNormKernelImpl", weight, bias)
    params = {
        "count": len(shape),
        "eps": float(eps),
        "scaled": weight is not None,
        "shifted": bias is not None,
    }
    out: Tensor = apply(_LAYER, (input, *_present(weight, bias)), params)
    return out


def rms_norm(
    input: Tensor,
    normalized_shape: Sequence[int],
    weight: Tensor | None = None,
    eps: float | None = None,
) -> Tensor:
    """The last dimensions divided by the root of their mean square, then scaled.

    Parameters
    ----------
    input : Tensor
        The operand.
    normalized_shape : sequence of int
        The last dimensions.
    weight : Tensor, optional
        Scale of each element, of that shape.
    eps : float, optional
        Added to mean squares; the dtype's machine epsilon if left out.
    """
    shape = _check_trailing(input, normalized_shape, weight, None, "rms_norm")
    least = float(jnp.finfo(input._data.dtype).eps) if eps is None else float(eps)
    out: Tensor = apply(_RMS, (input, *_present(weight)), {"count": len(shape), "eps": least})
    return out


def group_norm(
    input: Tensor,
    num_groups: int,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
) -> Tensor:
    """Groups of channels of each example brought to mean 0 and variance 1.

    Parameters
    ----------
    input : Tensor
        (batch, channels, ...).
    num_groups : int
        How many groups.
    weight, bias : Tensor, optional
        Scale and shift of each channel.
    eps : float
        Added to variances.
    """
    x = require_tensor(input, "group_norm")._data
    if x.ndim < 2:
        raise RuntimeError(f"Expected at least 2 dimensions for input tensor but received {x.ndim}")
    if num_groups < 1:
        raise RuntimeError(f"Expected num groups to be greater than 0, got {num_groups}")
    if x.shape[1] % num_groups:
        raise RuntimeError(
            "Expected number of channels in input to be divisible by num_groups, but got input of "
            f"shape {listed(x.shape)} and num_groups={num_groups}"
        )
    if x.shape[0] * math.prod(x.shape[1:]) // max(x.shape[0] * num_groups, 1) == 1:
        raise ValueError(
            "Expected more than 1 value per channel when training, got input size "
            f"{[x.shape[0] * x.shape[1] // num_groups, num_groups, *x.shape[2:]]}"
        )
    for what, t in (("weight", weight), ("bias", bias)):
        if t is not None and t._data.shape != (x.shape[1],):
            raise RuntimeError(
                f"Expected {what} to be a vector of size equal to the number of channels in input, "
                f"but got {what} of shape {listed(t._data.shape)} and input of shape "
                f"{listed(x.shape)}"
            )
    _check_dtypes(x, "GroupNormKernelImpl", weight, bias)
    params = {
        "groups": int(num_groups),
        "eps": float(eps),
        "scaled": weight is not None,
        "shifted": bias is not None,
    }
    out: Tensor = apply(_GROUP, (input, *_present(weight, bias)), params)
    return out


def local_response_norm(
    input: Tensor, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0
) -> Tensor:
    """Elements divided by a power of the mean square over neighbouring channels.

    Parameters
    ----------
    input : Tensor
        (batch, channels, ...), of at least three dimensions.
    size : int
        How many channels.
    alpha : float
        Multiplies the mean square.
    beta : float
        The power.
    k : float
        Added before it is taken.
    """
    x = require_tensor(input, "local_response_norm")._data
    if x.ndim < 3:
        raise ValueError(
            f"Expected 3D or higher dimensionality                          input (got {x.ndim} "
            "dimensions)"
        )
    if not x.size:
        return input
    params = {"size": int(size), "alpha": float(alpha), "beta": float(beta), "k": float(k)}
    out: Tensor = apply(_LOCAL, (input,), params)
    return out
