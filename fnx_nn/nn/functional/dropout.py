"""Dropout: elements, or whole channels, set to zero at random.

Masks come from the default generator, by PyTorch's algorithm: the same seed drops the same.
Read next: `padding`; the layers are in `fnx_nn.nn.dropout`.
"""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np

from fnx_nn import random_fill
from fnx_nn.dtypes import name_in_messages
from fnx_nn.tensor.elementary import require_tensor
from fnx_nn.tensor.random import default_generator
from fnx_nn.tensor.tensor import Tensor, wrap

__all__ = [
    "alpha_dropout",
    "dropout",
    "dropout1d",
    "dropout2d",
    "dropout3d",
    "feature_alpha_dropout",
]

#: Of `selu`: minus scale times alpha, which it approaches on the left.
_ALPHA = 1.7580993408473766


def _check(input: Tensor, p: float, name: str) -> None:
    require_tensor(input, name)
    if not 0.0 <= p <= 1.0:
        raise ValueError(f"dropout probability has to be between 0 and 1, but got {p}")


def _floating(input: Tensor) -> Any:
    dtype = input._data.dtype
    if dtype.kind in "biu":
        raise RuntimeError(
            f"result type Float can't be cast to the desired output type {name_in_messages(dtype)}"
        )
    return dtype


def _mask(shape: tuple[int, ...], dtype: Any, keep: float) -> Any:
    noise = np.empty(shape, dtype)
    random_fill.bernoulli_(noise, default_generator, keep)
    return noise


def _channel_shape(input: Tensor, name: str) -> tuple[int, ...]:
    shape = input._data.shape
    if len(shape) < 2:
        raise RuntimeError("Feature dropout requires at least 2 dimensions in the input")
    return (*shape[:2], *(1,) * (len(shape) - 2))


def _dropped(input: Tensor, shape: tuple[int, ...], p: float, inplace: bool) -> Tensor:
    if p == 0 or not input._data.size:
        return input
    dtype = _floating(input)
    noise = np.zeros((), dtype) if p == 1 else _mask(shape, dtype, 1 - p) / dtype.type(1 - p)
    factor = wrap(np.asarray(noise, dtype))
    return input.mul_(factor) if inplace else input * factor


def dropout(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """Set elements to zero at random, and scale the others so that the mean stays.

    Parameters
    ----------
    input : Tensor
        The operand.
    p : float
        With which probability.
    training : bool
        Whether to do anything.
    inplace : bool
        Whether to write the result into it.
    """
    _check(input, p, "dropout")
    return _dropped(input, input._data.shape, p, inplace) if training else input


def dropout1d(
    input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False
) -> Tensor:
    """Set whole channels of sequences to zero at random, and scale the others.

    Parameters
    ----------
    input : Tensor
        (batch, channels, length), or without the batch.
    p : float
        With which probability.
    training : bool
        Whether to do anything.
    inplace : bool
        Whether to write the result into it.
    """
    _check(input, p, "dropout1d")
    if input.ndim not in (2, 3):
        raise RuntimeError(
            f"dropout1d: Expected 2D or 3D input, but received a {input.ndim}D input. Note that "
            "dropout1d exists to provide channel-wise dropout on inputs with 1 spatial dimension, "
            "a channel dimension, and an optional batch dimension (i.e. 2D or 3D inputs)."
        )
    return _channels(input, p, training, inplace, input.ndim == 2)


def dropout2d(
    input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False
) -> Tensor:
    """Set whole channels of images to zero at random, and scale the others.

    Parameters
    ----------
    input : Tensor
        (batch, channels, height, width).
    p : float
        With which probability.
    training : bool
        Whether to do anything.
    inplace : bool
        Whether to write the result into it.
    """
    _check(input, p, "dropout2d")
    if input.ndim not in (3, 4):
        warnings.warn(
            f"dropout2d: Received a {input.ndim}-D input to dropout2d, which is deprecated and "
            "will result in an error in a future release. To retain the behavior and silence this "
            "warning, please use dropout instead. Note that dropout2d exists to provide "
            "channel-wise dropout on inputs with 2 spatial dimensions, a channel dimension, and an "
            "optional batch dimension (i.e. 3D or 4D inputs).",
            stacklevel=2,
        )
    if input.ndim == 3:
        warnings.warn(
            "dropout2d: Received a 3D input to dropout2d and assuming that channel-wise 1D dropout "
            "behavior is desired - input is interpreted as shape (N, C, L), where C is the channel "
            "dim. This behavior will change in a future release to interpret the input as one "
            "without a batch dimension, i.e. shape (C, H, W). To maintain the 1D channel-wise "
            "dropout behavior, please switch to using dropout1d instead.",
            stacklevel=2,
        )
    return _channels(input, p, training, inplace, False)


def dropout3d(
    input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False
) -> Tensor:
    """Set whole channels of volumes to zero at random, and scale the others.

    Parameters
    ----------
    input : Tensor
        (batch, channels, depth, height, width), or without the batch.
    p : float
        With which probability.
    training : bool
        Whether to do anything.
    inplace : bool
        Whether to write the result into it.
    """
    _check(input, p, "dropout3d")
    if input.ndim not in (4, 5):
        warnings.warn(
            f"dropout3d: Received a {input.ndim}-D input to dropout3d, which is deprecated and "
            "will result in an error in a future release. To retain the behavior and silence this "
            "warning, please use dropout instead. Note that dropout3d exists to provide "
            "channel-wise dropout on inputs with 3 spatial dimensions, a channel dimension, and an "
            "optional batch dimension (i.e. 4D or 5D inputs).",
            stacklevel=2,
        )
    return _channels(input, p, training, inplace, input.ndim == 4)


def _channels(input: Tensor, p: float, training: bool, inplace: bool, alone: bool) -> Tensor:
    if not training:
        return input
    shape = input._data.shape
    mask = (shape[0], *(1,) * (len(shape) - 1)) if alone else _channel_shape(input, "dropout")
    return _dropped(input, mask, p, inplace)


def _alpha_dropped(
    input: Tensor, shape: tuple[int, ...], p: float, training: bool, inplace: bool
) -> Tensor:
    if p == 0 or not training or not input._data.size:
        return input
    dtype = _floating(input)
    if p == 1:
        zero = wrap(np.zeros((), dtype))
        return input.mul_(zero) if inplace else input * zero
    noise = _mask(shape, dtype, 1 - p)
    # The affine map that brings mean and variance back to 0 and 1.
    a = 1.0 / math.sqrt((_ALPHA * _ALPHA * p + 1) * (1 - p))
    shift = (noise - dtype.type(1)) * dtype.type(_ALPHA * a) + dtype.type(_ALPHA * a * p)
    factor, offset = wrap(noise * dtype.type(a)), wrap(np.asarray(shift, dtype))
    return input.mul_(factor).add_(offset) if inplace else input * factor + offset


def alpha_dropout(
    input: Tensor, p: float = 0.5, training: bool = False, inplace: bool = False
) -> Tensor:
    """Set elements to the least value of `selu` at random; mean and variance stay.

    Parameters
    ----------
    input : Tensor
        The operand.
    p : float
        With which probability.
    training : bool
        Whether to do anything.
    inplace : bool
        Whether to write the result into it.
    """
    _check(input, p, "alpha_dropout")
    return _alpha_dropped(input, input._data.shape, p, training, inplace)


def feature_alpha_dropout(
    input: Tensor, p: float = 0.5, training: bool = False, inplace: bool = False
) -> Tensor:
    """`alpha_dropout` of whole channels.

    Parameters
    ----------
    input : Tensor
        (batch, channels, ...).
    p : float
        With which probability.
    training : bool
        Whether to do anything.
    inplace : bool
        Whether to write the result into it.
    """
    _check(input, p, "feature_alpha_dropout")
    if not training:
        return input
    return _alpha_dropped(input, _channel_shape(input, "dropout"), p, training, inplace)
