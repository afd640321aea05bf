"""First values of parameters, drawn as PyTorch draws them: the same seed gives the same numbers.

All functions write to a tensor, outside of the tape, and give it. The numbers come from
`fnx_nn.random_fill` and `fnx_nn.truncated_normal`.
Read next: `linear`.
"""

from __future__ import annotations

import functools
import math
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from fnx_nn.ambient import ambient, changed
from fnx_nn.generator import Generator
from fnx_nn.random_choice import permutation
from fnx_nn.random_fill import normal_ as fill_normal
from fnx_nn.tensor.dispatch import write_raw
from fnx_nn.tensor.random import default_generator
from fnx_nn.tensor.tensor import Tensor
from fnx_nn.truncated_normal import truncated_normal_

__all__ = [
    "calculate_gain",
    "constant",
    "constant_",
    "dirac",
    "dirac_",
    "eye",
    "eye_",
    "kaiming_normal",
    "kaiming_normal_",
    "kaiming_uniform",
    "kaiming_uniform_",
    "normal",
    "normal_",
    "ones_",
    "orthogonal",
    "orthogonal_",
    "sparse",
    "sparse_",
    "trunc_normal_",
    "uniform",
    "uniform_",
    "xavier_normal",
    "xavier_normal_",
    "xavier_uniform",
    "xavier_uniform_",
    "zeros_",
]

_GAINS = {
    "linear": 1,
    "conv1d": 1,
    "conv2d": 1,
    "conv3d": 1,
    "conv_transpose1d": 1,
    "conv_transpose2d": 1,
    "conv_transpose3d": 1,
    "sigmoid": 1,
    "tanh": 5.0 / 3,
    "relu": math.sqrt(2.0),
    "selu": 3.0 / 4,
}


def _unless_skipped(function: Callable[..., Tensor]) -> Any:
    """Do nothing where modules are made without first values."""

    @functools.wraps(function)
    def guarded(tensor: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        return function(tensor, *args, **kwargs) if ambient().initializes else tensor

    return guarded


def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    """By how much weights before a nonlinearity are to be larger, for variances to stay.

    Parameters
    ----------
    nonlinearity : str
        Name of a function in `fnx_nn.nn.functional`.
    param : float, optional
        Of leaky_relu: its negative slope, 0.01 if left out.

    Examples
    --------
    >>> calculate_gain("leaky_relu", 0.2)
    1.3867504905630728
    """
    if nonlinearity == "leaky_relu":
        slope = 0.01 if param is None else param
        if isinstance(slope, bool) or not isinstance(slope, (int, float)):
            raise ValueError(f"negative_slope {param} not a valid number")
        return math.sqrt(2.0 / (1 + slope**2))
    if nonlinearity not in _GAINS:
        raise ValueError(f"Unsupported nonlinearity {nonlinearity}")
    return _GAINS[nonlinearity]


@_unless_skipped
def uniform_(
    tensor: Tensor, a: float = 0.0, b: float = 1.0, generator: Generator | None = None
) -> Tensor:
    """Fill with uniform numbers of [a, b).

    Parameters
    ----------
    tensor : Tensor
        Written to.
    a, b : float
        The ends.
    generator : Generator, optional
        Where the numbers come from.

    Examples
    --------
    >>> import fnx_nn as torch
    >>> uniform_(torch.empty(2), generator=torch.Generator().manual_seed(0))
    tensor([0.4963, 0.7682])
    """
    with changed(grad=False):
        return tensor.uniform_(a, b, generator=generator)


@_unless_skipped
def normal_(
    tensor: Tensor, mean: float = 0.0, std: float = 1.0, generator: Generator | None = None
) -> Tensor:
    """Fill with normal numbers.

    Parameters
    ----------
    tensor : Tensor
        Written to.
    mean, std : float
        Of the distribution.
    generator : Generator, optional
        Where the numbers come from.
    """
    with changed(grad=False):
        return tensor.normal_(mean, std, generator=generator)


@_unless_skipped
def trunc_normal_(
    tensor: Tensor,
    mean: float = 0.0,
    std: float = 1.0,
    a: float = -2.0,
    b: float = 2.0,
    generator: Generator | None = None,
) -> Tensor:
    """Fill with normal numbers that lie between two ends.

    Parameters
    ----------
    tensor : Tensor
        Written to.
    mean, std : float
        Of the normal distribution.
    a, b : float
        The ends.
    generator : Generator, optional
        Where the numbers come from.
    """
    source = default_generator if generator is None else generator
    with changed(grad=False):
        return write_raw(tensor, lambda buffer: truncated_normal_(buffer, source, mean, std, a, b))


@_unless_skipped
def constant_(tensor: Tensor, val: float) -> Tensor:
    """Fill with one number.

    Parameters
    ----------
    tensor : Tensor
        Written to.
    val : float
        The number.
    """
    with changed(grad=False):
        return tensor.fill_(val)


def ones_(tensor: Tensor) -> Tensor:
    """Fill with ones.

    Parameters
    ----------
    tensor : Tensor
        Written to.
    """
    return constant_(tensor, 1.0)


@_unless_skipped
def zeros_(tensor: Tensor) -> Tensor:
    """Fill with zeros.

    Parameters
    ----------
    tensor : Tensor
        Written to.
    """
    with changed(grad=False):
        return tensor.zero_()


@_unless_skipped
def eye_(tensor: Tensor) -> Tensor:
    """Make a matrix the identity, as far as it goes.

    Parameters
    ----------
    tensor : Tensor
        A matrix; written to.

    Examples
    --------
    >>> import fnx_nn as torch
    >>> eye_(torch.empty(2, 3))
    tensor([[1., 0., 0.],
            [0., 1., 0.]])
    """
    if tensor.ndim != 2:
        raise ValueError("Only tensors with 2 dimensions are supported")

    def fill(buffer: Any) -> None:
        buffer[...] = 0
        np.fill_diagonal(buffer, 1)

    with changed(grad=False):
        return write_raw(tensor, fill)


@_unless_skipped
def dirac_(tensor: Tensor, groups: int = 1) -> Tensor:
    """Make the weight of a convolution one that keeps its channels, as many as go.

    Parameters
    ----------
    tensor : Tensor
        With 3, 4 or 5 dimensions; written to.
    groups : int
        Of the convolution.
    """
    if tensor.ndim not in (3, 4, 5):
        raise ValueError("Only tensors with 3, 4, or 5 dimensions are supported")
    outputs, inputs, *window = tensor.shape
    if outputs % groups != 0:
        raise ValueError("dim 0 must be divisible by groups")
    per_group = outputs // groups
    middle = tuple([extent // 2 for extent in window])

    def fill(buffer: Any) -> None:
        buffer[...] = 0
        for group in range(groups):
            for channel in range(min(per_group, inputs)):
                buffer[(group * per_group + channel, channel, *middle)] = 1

    with changed(grad=False):
        return write_raw(tensor, fill)


def xavier_uniform_(
    tensor: Tensor, gain: float = 1.0, generator: Generator | None = None
) -> Tensor:
    """Fill with uniform numbers of variance ``2 gain² / (fan_in + fan_out)``.

    Parameters
    ----------
    tensor : Tensor
        Written to.
    gain : float
        See `calculate_gain`.
    generator : Generator, optional
        Where the numbers come from.
    """
    bound = math.sqrt(3.0) * _xavier_deviation(tensor, gain)
    return uniform_(tensor, -bound, bound, generator)


def xavier_normal_(tensor: Tensor, gain: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Fill with normal numbers of variance ``2 gain² / (fan_in + fan_out)``.

    Parameters
    ----------
    tensor : Tensor
        Written to.
    gain : float
        See `calculate_gain`.
    generator : Generator, optional
        Where the numbers come from.
    """
    return normal_(tensor, 0.0, _xavier_deviation(tensor, gain), generator)


def _xavier_deviation(tensor: Tensor, gain: float) -> float:
    fan_in, fan_out = _calculate_fan_in_and_fan_out(tensor)
    return gain * math.sqrt(2.0 / float(fan_in + fan_out))


def kaiming_uniform_(
    tensor: Tensor,
    a: float = 0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: Generator | None = None,
) -> Tensor:
    """Fill with uniform numbers of variance ``gain² / fan``.

    Parameters
    ----------
    tensor : Tensor
        Written to.
    a : float
        The negative slope of a leaky_relu that follows.
    mode : {"fan_in", "fan_out"}
        Whether variances stay on the way forward, or backward.
    nonlinearity : str
        What follows; see `calculate_gain`.
    generator : Generator, optional
        Where the numbers come from.
    """
    if 0 in tensor.shape:
        _warn_of_nothing()
        return tensor
    bound = math.sqrt(3.0) * _kaiming_deviation(tensor, a, mode, nonlinearity)
    return uniform_(tensor, -bound, bound, generator)


def kaiming_normal_(
    tensor: Tensor,
    a: float = 0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: Generator | None = None,
) -> Tensor:
    """Fill with normal numbers of variance ``gain² / fan``.

    Parameters
    ----------
    tensor : Tensor
        Written to.
    a : float
        The negative slope of a leaky_relu that follows.
    mode : {"fan_in", "fan_out"}
        Whether variances stay on the way forward, or backward.
    nonlinearity : str
        What follows; see `calculate_gain`.
    generator : Generator, optional
        Where the numbers come from.
    """
    if 0 in tensor.shape:
        _warn_of_nothing()
        return tensor
    return normal_(tensor, 0, _kaiming_deviation(tensor, a, mode, nonlinearity), generator)


def _warn_of_nothing() -> None:
    warnings.warn("Initializing zero-element tensors is a no-op", stacklevel=3)


def _kaiming_deviation(tensor: Tensor, a: float, mode: str, nonlinearity: str) -> float:
    fan = _calculate_correct_fan(tensor, mode)
    return calculate_gain(nonlinearity, a) / math.sqrt(fan)


# Under PyTorch's names, for layers of users call these.


def _calculate_fan_in_and_fan_out(tensor: Tensor) -> tuple[int, int]:
    """How many numbers an output is made of, and how many an input goes into."""
    if tensor.ndim < 2:
        raise ValueError(
            "Fan in and fan out can not be computed for tensor with fewer than 2 dimensions"
        )
    outputs, inputs, *window = tensor.shape
    field = math.prod(window)
    return inputs * field, outputs * field


def _calculate_correct_fan(tensor: Tensor, mode: str) -> int:
    modes = ["fan_in", "fan_out"]
    if mode.lower() not in modes:
        raise ValueError(f"Mode {mode.lower()} not supported, please use one of {modes}")
    return _calculate_fan_in_and_fan_out(tensor)[modes.index(mode.lower())]


@_unless_skipped
def orthogonal_(tensor: Tensor, gain: float = 1, generator: Generator | None = None) -> Tensor:
    """Fill with a matrix whose rows, or columns, are orthonormal.

    Parameters
    ----------
    tensor : Tensor
        With two or more dimensions; all but the first make the columns. Written to.
    gain : float
        A factor.
    generator : Generator, optional
        Where the numbers come from.
    """
    if tensor.ndim < 2:
        raise ValueError("Only tensors with 2 or more dimensions are supported")
    if not tensor.numel():
        return tensor
    rows = tensor.shape[0]
    columns = tensor.numel() // rows
    drawn = np.empty((rows, columns), tensor._data.dtype)
    fill_normal(drawn, default_generator if generator is None else generator)
    q, r = np.linalg.qr(drawn.T if rows < columns else drawn)
    q = q * np.sign(np.diagonal(r))  # makes the distribution uniform over all such matrices
    found = (q.T if rows < columns else q).reshape(tensor.shape)

    def fill(buffer: Any) -> None:
        buffer[...] = found * np.asarray(gain, found.dtype)

    with changed(grad=False):
        return write_raw(tensor, fill)


@_unless_skipped
def sparse_(
    tensor: Tensor, sparsity: float, std: float = 0.01, generator: Generator | None = None
) -> Tensor:
    """Fill with normal numbers, and zeros at random places of each column.

    Parameters
    ----------
    tensor : Tensor
        A matrix; written to.
    sparsity : float
        Which part of each column is zero.
    std : float
        Of the others.
    generator : Generator, optional
        Where the numbers come from; the places come from the default generator, as in PyTorch.
    """
    if tensor.ndim != 2:
        raise ValueError("Only tensors with 2 dimensions are supported")
    rows, columns = tensor.shape
    zeros = math.ceil(sparsity * rows)
    normal_(tensor, 0, std, generator)

    def fill(buffer: Any) -> None:
        for column in range(columns):
            buffer[permutation(default_generator, rows)[:zeros], column] = 0

    with changed(grad=False):
        return write_raw(tensor, fill)


def _deprecated(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """The old name of a function, without the underscore."""
    name = function.__name__
    old = name.removesuffix("_")

    @functools.wraps(function)
    def renamed(*args: Any, **kwargs: Any) -> Tensor:
        warnings.warn(
            f"`nn.init.{old}` is now deprecated in favor of `nn.init.{name}`.",
            FutureWarning,
            stacklevel=2,
        )
        return function(*args, **kwargs)

    renamed.__name__ = renamed.__qualname__ = old
    return renamed


uniform = _deprecated(uniform_)
normal = _deprecated(normal_)
constant = _deprecated(constant_)
eye = _deprecated(eye_)
dirac = _deprecated(dirac_)
xavier_uniform = _deprecated(xavier_uniform_)
xavier_normal = _deprecated(xavier_normal_)
kaiming_uniform = _deprecated(kaiming_uniform_)
kaiming_normal = _deprecated(kaiming_normal_)
orthogonal = _deprecated(orthogonal_)
sparse = _deprecated(sparse_)
