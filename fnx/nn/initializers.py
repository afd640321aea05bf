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
    "Initializer", "constant", "delta_orthogonal", "glorot_normal", "glorot_uniform", "he_normal",
    "he_uniform", "kaiming_normal", "kaiming_uniform", "lecun_normal", "lecun_uniform", "normal",
    "ones", "orthogonal", "truncated_normal", "uniform", "variance_scaling", "xavier_normal",
    "xavier_uniform", "zeros",
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
        placed("uniform", **options)
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
        placed("normal", **options)
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
        placed("truncated_normal", **options)
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
        placed("variance_scaling", **options)
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


def orthogonal(scale: Any = 1.0, column_axis: int = -1, dtype: Any = None) -> Initializer:
    """An initializer whose columns are orthogonal and of length `scale`; or its rows, if fewer.

    Parameters
    ----------
    scale : float
        The length.
    column_axis : int
        The axis along which columns are counted; all others together count the rows.
    dtype : dtype, optional
        By default.

    References
    ----------
    Saxe, McClelland and Ganguli, *Exact solutions to the nonlinear dynamics of learning in deep
    linear neural networks* (2014).

    Examples
    --------
    >>> from fnx import numpy as jnp, random
    >>> w = orthogonal(2.0)(random.key(0), (5, 3))
    >>> bool(jnp.allclose(w.T @ w, 4 * jnp.eye(3), atol=1e-5))
    True
    """

    def draw(key: Any, shape: Any, dtype: Any = dtype, **options: Any) -> Any:
        placed("orthogonal", **options)
        if len(shape) < 2:
            raise ArgumentValueError(
                f"orthogonal: needs at least two axes, got shape {tuple(shape)}."
            )
        if 0 in shape:
            return jnp.zeros(shape, dtype)
        (axis,) = normal_axes("orthogonal", column_axis, len(shape))
        others = [n for k, n in enumerate(shape) if k != axis]
        matrix = random.orthogonal(key, math.prod(others), (), dtype, shape[axis])
        weights = jnp.moveaxis(jnp.reshape(matrix, (*others, shape[axis])), -1, axis)
        return jnp.asarray(scale, weights.dtype) * weights

    return draw


def delta_orthogonal(scale: Any = 1.0, column_axis: int = -1, dtype: Any = None) -> Initializer:
    """An initializer for filters of convolutions: orthogonal in the middle, 0 elsewhere.

    Parameters
    ----------
    scale, column_axis, dtype
        As for `orthogonal`, of the last two axes: inputs, and outputs, of which there are as many
        or more. One to three axes of space come before.

    References
    ----------
    Xiao et al., *Dynamical isometry and a mean field theory of CNNs* (2018).

    Examples
    --------
    >>> from fnx import random
    >>> delta_orthogonal()(random.key(0), (3, 1, 1))[:, 0, 0] ** 2
    Array([0., 1., 0.], dtype=float32)
    """

    def draw(key: Any, shape: Any, dtype: Any = dtype, **options: Any) -> Any:
        placed("delta_orthogonal", **options)
        if len(shape) not in (3, 4, 5):
            raise ArgumentValueError(
                f"delta_orthogonal: needs three to five axes, got shape {tuple(shape)}."
            )
        if shape[-1] < shape[-2]:
            raise ArgumentValueError(
                "delta_orthogonal: the last axis must be at least as long as the one before, got "
                f"shape {tuple(shape)}."
            )
        matrix = orthogonal(scale, column_axis)(key, shape[-2:], dtype)
        middle = tuple((n - 1) // 2 for n in shape[:-2])
        return jnp.zeros(shape, matrix.dtype).at[middle].set(matrix)

    return draw


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
