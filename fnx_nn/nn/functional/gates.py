"""Activations that take more than one element: slopes, gates, softmax and its relatives.

Read next: `regression_losses`; the layers are in `fnx_nn.nn.activation`.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

import fnx.nn
import fnx.numpy as jnp
from fnx_nn import random_fill
from fnx_nn.dtypes import dtype as Dtype
from fnx_nn.dtypes import name_in_messages
from fnx_nn.nn.functional.activation import leaky_relu
from fnx_nn.tensor.dispatch import TensorOperation, apply, write
from fnx_nn.tensor.elementary import require_tensor
from fnx_nn.tensor.random import default_generator
from fnx_nn.tensor.table import FUNCTIONS
from fnx_nn.tensor.tensor import Tensor, check_dim, wrap

__all__ = [
    "glu",
    "gumbel_softmax",
    "log_softmax",
    "prelu",
    "rrelu",
    "rrelu_",
    "softmax",
    "softmin",
]


def _sloped(x: Any, slope: Any) -> Any:
    if slope.ndim == 1 and slope.shape[0] > 1:
        slope = jnp.reshape(slope, (-1, *(1,) * max(x.ndim - 2, 0)))
    return jnp.where(x > 0, x, x * slope)


def _gated(x: Any, axis: int) -> Any:
    a, b = jnp.split(x, 2, axis)
    return a * fnx.nn.sigmoid(b)


_PRELU = TensorOperation(_sloped, "PreluKernelBackward0")
_RRELU = TensorOperation(
    lambda x, slope: jnp.where(x > 0, x, x * slope), "RreluWithNoiseBackward0", elementwise=True
)
_GLU = TensorOperation(_gated, "GluBackward0")


def prelu(input: Tensor, weight: Tensor) -> Tensor:
    """x where positive, elsewhere x times a slope, one for all or one for each channel.

    Parameters
    ----------
    input : Tensor
        Its second dimension is that of the channels.
    weight : Tensor
        The slopes.
    """
    x, w = require_tensor(input, "prelu")._data, require_tensor(weight, "prelu", "weight")._data
    if x.dtype != w.dtype:
        raise RuntimeError(
            "prelu: Type promoting not supported. Got "
            f"{name_in_messages(x.dtype)} and {name_in_messages(w.dtype)}"
        )
    if w.ndim > 1:
        raise RuntimeError(
            f"prelu: Expected `weight` to be a scalar or 1D tensor, but got: ndim = {w.ndim}"
        )
    if w.size != 1:
        if not x.ndim:
            raise RuntimeError("Not allow zero-dim input tensor.")
        channels = x.shape[1] if x.ndim > 1 else 1
        if w.size != channels:
            raise RuntimeError(
                f"Mismatch of parameter numbers and input channel size. Found parameter numbers = "
                f"{w.size} and channel size = {channels}."
            )
    out: Tensor = apply(_PRELU, (input, weight), {})
    return out


def rrelu(
    input: Tensor,
    lower: float = 1.0 / 8,
    upper: float = 1.0 / 3,
    training: bool = False,
    inplace: bool = False,
) -> Tensor:
    """x where positive, elsewhere x times a slope that is drawn anew for each element.

    Parameters
    ----------
    input : Tensor
        The operand.
    lower, upper : float
        The range of slopes.
    training : bool
        Whether to draw; otherwise the slope is in the middle.
    inplace : bool
        Whether to write the result into it.
    """
    data = require_tensor(input, "rrelu")._data
    if not training:
        return leaky_relu(input, (lower + upper) / 2, inplace)
    if lower > upper:
        raise RuntimeError("Lower bound should be less than or equal to the upper bound")
    slopes = np.ones(data.shape, data.dtype)
    if type(data) is not np.ndarray:
        raise TypeError(
            "rrelu: which elements draw a slope depends on their values, which are not known "
            "while tracing. Use training=False."
        )
    below = data <= 0
    drawn = random_fill.unit_doubles(default_generator, int(below.sum()))
    slopes[below] = (drawn * (upper - lower) + lower).astype(data.dtype)
    if inplace:
        return write(input, _RRELU, (input, wrap(slopes)))
    out: Tensor = apply(_RRELU, (input, wrap(slopes)))
    return out


def rrelu_(
    input: Tensor, lower: float = 1.0 / 8, upper: float = 1.0 / 3, training: bool = False
) -> Tensor:
    """In-place version of `rrelu`.

    Parameters
    ----------
    input : Tensor
        The operand.
    lower, upper : float
        The range of slopes.
    training : bool
        Whether to draw; otherwise the slope is in the middle.
    """
    return rrelu(input, lower, upper, training, True)


def _refuse_whole(input: Tensor, kernel: str) -> None:
    dtype = input._data.dtype
    if dtype.kind in "biu":
        raise NotImplementedError(f"\"{kernel}\" not implemented for '{name_in_messages(dtype)}'")


def glu(input: Tensor, dim: int = -1) -> Tensor:
    """The first half times the sigmoid of the second half.

    Parameters
    ----------
    input : Tensor
        Of even size along the dimension.
    dim : int
        The dimension.
    """
    shape = require_tensor(input, "glu")._data.shape
    if not shape:
        raise RuntimeError(
            "glu does not support scalars because halving size must be even along dim"
        )
    _refuse_whole(input, "glu_cpu")
    axis = check_dim(int(dim), len(shape))
    if shape[axis] % 2:
        raise RuntimeError(
            f"Halving dimension must be even, but dimension {axis} is size {shape[axis]}"
        )
    out: Tensor = apply(_GLU, (input,), {"axis": axis})
    return out


def _dimension(name: str, dim: int | None, ndim: int, stacklevel: int) -> int:
    if dim is not None:
        return dim
    warnings.warn(
        f"Implicit dimension choice for {name} has been deprecated. Change the call to include "
        "dim=X as an argument.",
        stacklevel=stacklevel,
    )
    return 0 if ndim in (0, 1, 3) else 1


def softmax(
    input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: Dtype | None = None
) -> Tensor:
    """``exp(x)`` divided by its sum along a dimension.

    Parameters
    ----------
    input : Tensor
        Floating.
    dim : int
        The dimension.
    dtype : dtype, optional
        Convert first.

    Examples
    --------
    >>> import fnx_nn as torch
    >>> torch.nn.functional.softmax(torch.zeros(2), dim=0)
    tensor([0.5000, 0.5000])
    """
    dim = _dimension("softmax", dim, input.ndim, _stacklevel)
    result: Tensor = FUNCTIONS["softmax"](input, dim, dtype=dtype)
    return result


def softmin(
    input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: Dtype | None = None
) -> Tensor:
    """`softmax` of ``-x``.

    Parameters
    ----------
    input : Tensor
        Floating.
    dim : int
        The dimension.
    dtype : dtype, optional
        Convert first.
    """
    dim = _dimension("softmin", dim, input.ndim, _stacklevel)
    result: Tensor = FUNCTIONS["softmax"](-input, dim, dtype=dtype)
    return result


def log_softmax(
    input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: Dtype | None = None
) -> Tensor:
    """The logarithm of `softmax`, accurate for small values.

    Parameters
    ----------
    input : Tensor
        Floating.
    dim : int
        The dimension.
    dtype : dtype, optional
        Convert first.
    """
    dim = _dimension("log_softmax", dim, input.ndim, _stacklevel)
    result: Tensor = FUNCTIONS["log_softmax"](input, dim, dtype=dtype)
    return result


def gumbel_softmax(
    logits: Tensor, tau: float = 1, hard: bool = False, eps: float = 1e-10, dim: int = -1
) -> Tensor:
    """Samples of a relaxed categorical distribution.

    Parameters
    ----------
    logits : Tensor
        Logarithms of weights.
    tau : float
        The temperature.
    hard : bool
        Whether to give the one-hot vector of the largest, with the gradient of the relaxed one.
    eps : float
        Accepted, as in PyTorch.
    dim : int
        The dimension of the categories.

    References
    ----------
    Jang, Gu and Poole, *Categorical reparameterization with Gumbel-softmax* (2017).
    """
    if eps != 1e-10:
        warnings.warn("`eps` parameter is deprecated and has no effect.", stacklevel=2)
    noise = np.empty(logits._data.shape, logits._data.dtype)
    random_fill.exponential_(noise, default_generator)
    soft = softmax((logits + -wrap(noise).log()) / tau, dim)
    if not hard:
        return soft
    index = soft.max(dim, keepdim=True)[1]
    one_hot = soft.new_zeros(soft.shape).scatter_(dim, index, 1.0)
    result: Tensor = one_hot - soft.detach() + soft
    return result
