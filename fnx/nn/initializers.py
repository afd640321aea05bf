"""Initial values of parameters, as `jax.nn.initializers`: functions of key, shape and dtype."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from fnx import numpy as jnp
from fnx import random
from fnx.core.device import placed
from fnx.errors import ArgumentValueError
from fnx.numpy.manipulation import normal_axes

__all__ = [
    "Initializer", "constant", "glorot_normal", "glorot_uniform", "he_normal", "he_uniform",
    "kaiming_normal", "kaiming_uniform", "lecun_normal", "lecun_uniform", "normal", "ones",
    "truncated_normal", "uniform", "variance_scaling", "xavier_normal", "xavier_uniform", "zeros",
]  # fmt: skip

Initializer = Callable[..., Any]


def zeros(key: Any, shape: Any, dtype: Any = None, **options: Any) -> Any:
    """Zeros.

    Parameters
    ----------
    key : key
        Not used.
    shape, dtype
        Of the result.
    **options
        ``out_sharding``: the CPU.
    """
    return jnp.zeros(shape, dtype, **options)


def ones(key: Any, shape: Any, dtype: Any = None, **options: Any) -> Any:
    """Ones.

    Parameters
    ----------
    key : key
        Not used.
    shape, dtype
        Of the result.
    **options
        ``out_sharding``: the CPU.
    """
    return jnp.ones(shape, dtype, **options)


def constant(value: Any, dtype: Any = None) -> Initializer:
    """An initializer that gives one value.

    Parameters
    ----------
    value : array-like
        Broadcast to the shape.
    dtype : dtype, optional
        By default.
    """
    return lambda key, shape, dtype=dtype, **options: jnp.full(shape, value, dtype, **options)


def uniform(scale: Any = 1e-2, dtype: Any = None) -> Initializer:
    """An initializer that draws evenly from ``[0, scale)``.

    Parameters
    ----------
    scale : float
        The upper limit.
    dtype : dtype, optional
        By default.
    """

    def draw(key: Any, shape: Any, dtype: Any = dtype, **options: Any) -> Any:
        placed("uniform", options)
        return random.uniform(key, shape, dtype) * scale

    return draw


def normal(stddev: Any = 1e-2, dtype: Any = None) -> Initializer:
    """An initializer that draws normal numbers.

    Parameters
    ----------
    stddev : float
        Their standard deviation.
    dtype : dtype, optional
        By default.
    """

    def draw(key: Any, shape: Any, dtype: Any = dtype, **options: Any) -> Any:
        placed("normal", options)
        return random.normal(key, shape, dtype) * stddev

    return draw


def truncated_normal(
    stddev: Any = 1e-2, dtype: Any = None, lower: float = -2.0, upper: float = 2.0
) -> Initializer:
    """An initializer that draws normal numbers between two limits.

    Parameters
    ----------
    stddev : float
        The standard deviation before limiting.
    dtype : dtype, optional
        By default.
    lower, upper : float
        The limits, in standard deviations.
    """

    def draw(key: Any, shape: Any, dtype: Any = dtype, **options: Any) -> Any:
        placed("truncated_normal", options)
        return random.truncated_normal(key, lower, upper, shape, dtype) * stddev

    return draw


def variance_scaling(
    scale: Any,
    mode: str,
    distribution: str,
    in_axis: Any = -2,
    out_axis: Any = -1,
    batch_axis: Any = (),
    dtype: Any = None,
) -> Initializer:
    """An initializer whose variance is ``scale / fan``.

    Parameters
    ----------
    scale : float
        The numerator.
    mode : {"fan_in", "fan_out", "fan_avg"}
        Which fan.
    distribution : {"normal", "truncated_normal", "uniform"}
        What is drawn.
    in_axis, out_axis : int or sequence of int
        Axes of inputs and outputs; others are the receptive field.
    batch_axis : int or sequence of int
        Axes that don't count.
    dtype : dtype, optional
        By default.
    """

    def init(key: Any, shape: Any, dtype: Any = dtype, **options: Any) -> Any:
        placed("variance_scaling", options)
        rank = len(shape)
        if rank < 2:
            raise ArgumentValueError(
                f"variance_scaling: needs at least two axes, got shape {tuple(shape)}."
            )
        inputs, outputs, batch = (
            normal_axes("variance_scaling", axis, rank) for axis in (in_axis, out_axis, batch_axis)
        )
        field = math.prod([n for k, n in enumerate(shape) if k not in (*inputs, *outputs, *batch)])
        fan_in = math.prod([shape[k] for k in inputs]) * field
        fan_out = math.prod([shape[k] for k in outputs]) * field
        fans = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}
        if mode not in fans:
            raise ArgumentValueError(
                f"variance_scaling: mode must be one of {sorted(fans)}, got {mode!r}."
            )
        variance = scale / max(fans[mode], 1)
        if distribution == "normal":
            return random.normal(key, shape, dtype) * math.sqrt(variance)
        if distribution == "uniform":
            return random.uniform(key, shape, dtype, -1) * math.sqrt(3 * variance)
        if distribution == "truncated_normal":
            # 0.8796...: the standard deviation of a normal number limited to [-2, 2]
            stddev = math.sqrt(variance) / 0.87962566103423978
            return random.truncated_normal(key, -2, 2, shape, dtype) * stddev
        raise ArgumentValueError(f"variance_scaling: unknown distribution {distribution!r}.")

    return init


def _scaled(name: str, scale: float, mode: str, distribution: str, source: str) -> Any:
    def make(
        in_axis: Any = -2, out_axis: Any = -1, batch_axis: Any = (), dtype: Any = None
    ) -> Initializer:
        return variance_scaling(scale, mode, distribution, in_axis, out_axis, batch_axis, dtype)

    make.__name__ = make.__qualname__ = name
    make.__doc__ = (
        f"{source}: variance ``{scale} / {mode}``, {distribution.replace('_', ' ')}.\n\n"
        "    Parameters\n    ----------\n"
        "    in_axis, out_axis, batch_axis, dtype\n        As for `variance_scaling`.\n    "
    )
    return make


glorot_uniform = _scaled("glorot_uniform", 1.0, "fan_avg", "uniform", "Glorot and Bengio (2010)")
glorot_normal = _scaled(
    "glorot_normal", 1.0, "fan_avg", "truncated_normal", "Glorot and Bengio (2010)"
)
lecun_uniform = _scaled("lecun_uniform", 1.0, "fan_in", "uniform", "LeCun et al. (1998)")
lecun_normal = _scaled("lecun_normal", 1.0, "fan_in", "truncated_normal", "LeCun et al. (1998)")
he_uniform = _scaled("he_uniform", 2.0, "fan_in", "uniform", "He et al. (2015)")
he_normal = _scaled("he_normal", 2.0, "fan_in", "truncated_normal", "He et al. (2015)")
xavier_uniform, xavier_normal = glorot_uniform, glorot_normal
kaiming_uniform, kaiming_normal = he_uniform, he_normal
