"""Continuous distributions with parameters, made by transforming uniform and normal numbers.

Each is differentiable in its parameters: the derivative follows the path of the number that was
drawn.  Read next: `gamma_family`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from fnx import numpy as jnp
from fnx.numpy.creation import shape_of
from fnx.random.arguments import check_shape, float_dtype, one_device, parameters, values
from fnx.random.keys import used
from fnx.random.words import child, exponentials, normals, signs, unit_floats

__all__ = [
    "double_sided_maxwell",
    "lognormal",
    "maxwell",
    "pareto",
    "rayleigh",
    "triangular",
    "wald",
    "weibull_min",
]


def lognormal(
    key: Any,
    sigma: Any = 1.0,
    shape: Any = None,
    dtype: Any = None,
    *,
    out_sharding: Any = None,
) -> Any:
    """``exp(sigma * z)`` of standard normal numbers z.

    Parameters
    ----------
    key : key
        Not to be used again.
    sigma : array-like
        Standard deviation of the logarithm.
    shape : sequence of int, optional
        The extents; that of `sigma` by default.
    dtype : dtype, optional
        A float or complex dtype; float32 by default (float64 under ``enable_x64``).
    out_sharding : None
        For programs written for JAX; there is one device.

    Examples
    --------
    >>> from fnx import random
    >>> bool((random.lognormal(random.key(0), 0.5, (9,)) > 0).all())
    True
    """
    one_device("lognormal", out_sharding)
    wanted = float_dtype("lognormal", dtype, complex_too=True)
    (scale,) = values("lognormal", dtype, wanted, sigma=sigma)
    size = scale.shape if shape is None else shape_of(shape)
    check_shape("lognormal", size, sigma=scale)
    return jnp.exp(normals(used("lognormal", key), size, wanted) * scale)


def pareto(
    key: Any, b: Any, shape: Any = None, dtype: Any = None, *, out_sharding: Any = None
) -> Any:
    """Numbers from 1 on of density ``b / x**(b + 1)``.

    Parameters
    ----------
    key : key
        Not to be used again.
    b : array-like
        The exponent of the tail; positive.
    shape : sequence of int, optional
        The extents; that of `b` by default.
    dtype : dtype, optional
        A float; float32 by default (float64 under ``enable_x64``).
    out_sharding : None
        For programs written for JAX; there is one device.

    Examples
    --------
    >>> from fnx import random
    >>> bool((random.pareto(random.key(0), 3., (9,)) >= 1).all())
    True
    """
    one_device("pareto", out_sharding)
    wanted, size, (exponent,) = parameters("pareto", shape, dtype, b=b)
    return jnp.exp(exponentials(used("pareto", key), size, wanted) / exponent)


def rayleigh(
    key: Any, scale: Any, shape: Any = None, dtype: Any = None, *, out_sharding: Any = None
) -> Any:
    """Lengths of plane vectors with two normal parts of standard deviation `scale`.

    Parameters
    ----------
    key : key
        Not to be used again.
    scale : array-like
        Positive.
    shape : sequence of int, optional
        The extents; that of `scale` by default.
    dtype : dtype, optional
        A float; float32 by default (float64 under ``enable_x64``).
    out_sharding : None
        For programs written for JAX; there is one device.

    Examples
    --------
    >>> from fnx import random
    >>> random.rayleigh(random.key(0), 2., (3,)).shape
    (3,)
    """
    one_device("rayleigh", out_sharding)
    wanted, size, (width,) = parameters("rayleigh", shape, dtype, scale=scale)
    u = unit_floats(used("rayleigh", key), size, wanted)
    return width * jnp.sqrt(jnp.log(u) * -2.0)


def wald(
    key: Any, mean: Any, shape: Any = None, dtype: Any = None, *, out_sharding: Any = None
) -> Any:
    """Numbers of the Wald (inverse Gaussian) distribution of scale 1.

    By the transformation with two roots of Michael, Schucany and Haas (1976).  The choice of the
    root depends on the mean, so its derivative is that of the chosen root only.

    Parameters
    ----------
    key : key
        Not to be used again.
    mean : array-like
        Positive.
    shape : sequence of int, optional
        The extents; that of `mean` by default.
    dtype : dtype, optional
        A float; float32 by default (float64 under ``enable_x64``).
    out_sharding : None
        For programs written for JAX; there is one device.

    Examples
    --------
    >>> from fnx import random
    >>> bool((random.wald(random.key(0), 1.5, (9,)) > 0).all())
    True
    """
    one_device("wald", out_sharding)
    wanted, size, (m,) = parameters("wald", shape, dtype, mean=mean)
    pair = used("wald", key)
    y = jnp.square(normals(child(pair, 0), size, wanted))
    z = unit_floats(child(pair, 1), size, wanted)
    m = jnp.broadcast_to(m, size)
    root = jnp.sqrt(4 * m * y + jnp.square(m) * jnp.square(y))
    x = m + jnp.square(m) * y / 2 - m / 2 * root
    return jnp.where(z <= m / (m + x), x, jnp.square(m) / x)


def triangular(
    key: Any,
    left: Any,
    mode: Any,
    right: Any,
    shape: Any = None,
    dtype: Any = None,
    *,
    out_sharding: Any = None,
) -> Any:
    """Numbers whose density is a triangle over ``[left, right]`` with its tip at `mode`.

    Parameters
    ----------
    key : key
        Not to be used again.
    left, mode, right : array-like
        In this order, the outer two different.
    shape : sequence of int, optional
        The extents; the joint shape of the parameters by default.
    dtype : dtype, optional
        A float; float32 by default (float64 under ``enable_x64``).
    out_sharding : None
        For programs written for JAX; there is one device.

    Examples
    --------
    >>> from fnx import random
    >>> bool((random.triangular(random.key(0), 0., 1., 3., (9,)) < 3).all())
    True
    """
    one_device("triangular", out_sharding)
    wanted, size, (a, c, b) = parameters(
        "triangular", shape, dtype, left=left, mode=mode, right=right
    )
    u = unit_floats(used("triangular", key), size, wanted)
    rising = a + jnp.sqrt(u * (b - a) * (c - a))
    falling = b - jnp.sqrt((1 - u) * (b - a) * (b - c))
    return jnp.where(u < (c - a) / (b - a), rising, falling)


def maxwell(key: Any, shape: Any = (), dtype: Any = None, *, out_sharding: Any = None) -> Any:
    """Lengths of vectors with three standard normal parts.

    Parameters
    ----------
    key : key
        Not to be used again.
    shape : sequence of int
        The extents.
    dtype : dtype, optional
        A float; float32 by default (float64 under ``enable_x64``).
    out_sharding : None
        For programs written for JAX; there is one device.

    Examples
    --------
    >>> from fnx import random
    >>> bool((random.maxwell(random.key(0), (9,)) > 0).all())
    True
    """
    one_device("maxwell", out_sharding)
    wanted, size = float_dtype("maxwell", dtype), shape_of(shape)
    return _lengths(used("maxwell", key), size, wanted)


def _lengths(pair: Any, size: tuple[int, ...], dtype: np.dtype[Any]) -> Any:
    return jnp.sqrt(jnp.sum(jnp.square(normals(pair, (*size, 3), dtype)), axis=-1))


def double_sided_maxwell(key: Any, loc: Any, scale: Any, shape: Any = (), dtype: Any = None) -> Any:
    """``loc + scale * m`` of Maxwell numbers m with random signs.

    Parameters
    ----------
    key : key
        Not to be used again.
    loc, scale : array-like
        Centre and width.
    shape : sequence of int
        What stands before the joint shape of the parameters; without it that shape itself, as in
        JAX, so parameters of shape (3,) give (3, 3).
    dtype : dtype, optional
        A float; float32 by default (float64 under ``enable_x64``).

    Examples
    --------
    >>> from fnx import random
    >>> random.double_sided_maxwell(random.key(0), 1., 2., (3,)).shape
    (3,)
    """
    wanted, joint, (centre, width) = parameters(
        "double_sided_maxwell", None, dtype, loc=loc, scale=scale
    )
    size = (shape_of(shape) or joint) + joint
    pair = used("double_sided_maxwell", key)
    lengths = _lengths(child(pair, 0), size, wanted)
    return signs(child(pair, 1), size, wanted) * lengths * width + centre


def weibull_min(
    key: Any, scale: Any, concentration: Any, shape: Any = (), dtype: Any = None
) -> Any:
    """Numbers of density proportional to ``x**(c - 1) * exp(-(x / scale)**c)``, x positive.

    Parameters
    ----------
    key : key
        Not to be used again.
    scale, concentration : array-like
        Positive; c is the concentration.
    shape : sequence of int
        Of the draws; it is broadcast with the parameters, which share draws where it is smaller.
    dtype : dtype, optional
        A float; float32 by default (float64 under ``enable_x64``).

    Examples
    --------
    >>> from fnx import random
    >>> bool((random.weibull_min(random.key(0), 1., 2., (9,)) >= 0).all())
    True
    """
    wanted = float_dtype("weibull_min", dtype)
    width, c = values("weibull_min", dtype, wanted, scale=scale, concentration=concentration)
    waits = exponentials(used("weibull_min", key), shape_of(shape), wanted)
    return jnp.power(waits, 1.0 / c) * width
