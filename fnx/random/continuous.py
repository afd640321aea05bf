"""Bits, and the continuous distributions without parameters, or with limits.

Bits are JAX's; what is computed from them follows `jax.random`, so floats agree to rounding.
Derivatives in limits follow the path of the number that was drawn.  Read next: `transformed`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from fnx import dtypes
from fnx import numpy as jnp
from fnx.errors import ArgumentValueError
from fnx.numpy.creation import shape_of
from fnx.primitives.cast import stop_gradient
from fnx.primitives.comparison import nextafter
from fnx.primitives.shaping import full
from fnx.primitives.special import erf, erf_inv
from fnx.random.arguments import (
    check_shape,
    chosen_mode,
    float_dtype,
    one_device,
    parameters,
)
from fnx.random.keys import used
from fnx.random.words import (
    exponentials,
    gumbels,
    normals,
    random_bits,
    uniforms,
)

__all__ = [
    "bits",
    "cauchy",
    "exponential",
    "gumbel",
    "laplace",
    "logistic",
    "normal",
    "truncated_normal",
    "uniform",
]


def bits(key: Any, shape: Any = (), dtype: Any = None, *, out_sharding: Any = None) -> Any:
    """Random bits as unsigned integers.

    Parameters
    ----------
    key : key
        Not to be used again.
    shape : sequence of int
        The extents.
    dtype : dtype, optional
        An unsigned integer; uint32 by default (uint64 under ``enable_x64``).
    out_sharding : None
        For programs written for JAX; there is one device.

    Examples
    --------
    >>> from fnx import random
    >>> random.bits(random.key(0), (2,)).dtype
    dtype('uint32')
    """
    one_device("bits", out_sharding)
    wanted = dtypes.default_dtype("u") if dtype is None else dtypes.check_user_dtype(dtype, "bits")
    if wanted.kind != "u":
        raise ArgumentValueError(f"bits: dtype must be an unsigned integer, got {wanted.name}.")
    return random_bits(used("bits", key), 8 * wanted.itemsize, shape_of(shape))


def uniform(
    key: Any,
    shape: Any = (),
    dtype: Any = None,
    minval: Any = 0.0,
    maxval: Any = 1.0,
    *,
    out_sharding: Any = None,
) -> Any:
    """Numbers spread evenly over ``[minval, maxval)``.

    Parameters
    ----------
    key : key
        Not to be used again.
    shape : sequence of int
        The extents.
    dtype : dtype, optional
        A float; float32 by default (float64 under ``enable_x64``).
    minval, maxval : array-like
        The range; broadcast to the shape.
    out_sharding : None
        For programs written for JAX; there is one device.

    Examples
    --------
    >>> from fnx import random
    >>> random.uniform(random.key(0), (2,)).shape
    (2,)
    """
    one_device("uniform", out_sharding)
    wanted, size = float_dtype("uniform", dtype), shape_of(shape)
    low, high = jnp.asarray(minval, wanted), jnp.asarray(maxval, wanted)
    check_shape("uniform", size, minval=low, maxval=high)
    return uniforms(used("uniform", key), size, wanted, low, high)


def normal(key: Any, shape: Any = (), dtype: Any = None, *, out_sharding: Any = None) -> Any:
    """Numbers of the standard normal distribution.

    Parameters
    ----------
    key : key
        Not to be used again.
    shape : sequence of int
        The extents.
    dtype : dtype, optional
        A float or complex dtype; float32 by default (float64 under ``enable_x64``).
    out_sharding : None
        For programs written for JAX; there is one device.

    Examples
    --------
    >>> from fnx import random
    >>> random.normal(random.key(0), (2,)).shape
    (2,)
    """
    one_device("normal", out_sharding)
    wanted, size = float_dtype("normal", dtype, complex_too=True), shape_of(shape)
    return normals(used("normal", key), size, wanted)


def truncated_normal(
    key: Any,
    lower: Any,
    upper: Any,
    shape: Any = None,
    dtype: Any = None,
    *,
    out_sharding: Any = None,
) -> Any:
    """Standard normal numbers between two limits.

    Parameters
    ----------
    key : key
        Not to be used again.
    lower, upper : array-like
        The limits.
    shape : sequence of int, optional
        The extents; the joint shape of the limits by default.
    dtype : dtype, optional
        A float; float32 by default (float64 under ``enable_x64``).
    out_sharding : None
        For programs written for JAX; there is one device.

    Examples
    --------
    >>> from fnx import random
    >>> bool((random.truncated_normal(random.key(0), 0., 1., (9,)) > 0).all())
    True
    """
    one_device("truncated_normal", out_sharding)
    wanted, size, (low, high) = parameters(
        "truncated_normal", shape, dtype, lower=lower, upper=upper
    )
    pair = used("truncated_normal", key)
    root = jnp.asarray(np.sqrt(2), wanted)
    out = root * erf_inv(uniforms(pair, size, wanted, erf(low / root), erf(high / root)))
    infinity = full(size, np.inf, wanted)
    # Rounding must not reach the limits; their derivatives are those of `out`.
    inner_low = nextafter(stop_gradient(jnp.broadcast_to(low, size)), infinity)
    inner_high = nextafter(stop_gradient(jnp.broadcast_to(high, size)), -infinity)
    return jnp.clip(out, inner_low, inner_high)


def exponential(key: Any, shape: Any = (), dtype: Any = None, *, out_sharding: Any = None) -> Any:
    """Waiting times of rate 1.

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
    >>> bool((random.exponential(random.key(0), (9,)) >= 0).all())
    True
    """
    one_device("exponential", out_sharding)
    wanted, size = float_dtype("exponential", dtype), shape_of(shape)
    return exponentials(used("exponential", key), size, wanted)


def gumbel(
    key: Any, shape: Any = (), dtype: Any = None, mode: Any = None, *, out_sharding: Any = None
) -> Any:
    """Numbers of the standard Gumbel distribution.

    Parameters
    ----------
    key : key
        Not to be used again.
    shape : sequence of int
        The extents.
    dtype : dtype, optional
        A float; float32 by default (float64 under ``enable_x64``).
    mode : {"low", "high"}, optional
        "high" for a longer tail.
    out_sharding : None
        For programs written for JAX; there is one device.

    Examples
    --------
    >>> from fnx import random
    >>> random.gumbel(random.key(0), (2,), mode="high").shape
    (2,)
    """
    one_device("gumbel", out_sharding)
    mode = chosen_mode("gumbel", mode)
    wanted, size = float_dtype("gumbel", dtype), shape_of(shape)
    return gumbels(used("gumbel", key), size, wanted, mode)


def laplace(key: Any, shape: Any = (), dtype: Any = None, *, out_sharding: Any = None) -> Any:
    """Numbers of the standard Laplace distribution.

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
    >>> random.laplace(random.key(0), (2,)).shape
    (2,)
    """
    one_device("laplace", out_sharding)
    wanted, size = float_dtype("laplace", dtype), shape_of(shape)
    low = -1.0 + float(dtypes.finfo(wanted).epsneg)
    u = uniforms(used("laplace", key), size, wanted, low, 1.0)
    return jnp.sign(u) * jnp.log1p(-jnp.abs(u))


def logistic(key: Any, shape: Any = (), dtype: Any = None, *, out_sharding: Any = None) -> Any:
    """Numbers of the standard logistic distribution.

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
    >>> random.logistic(random.key(0), (2,)).shape
    (2,)
    """
    one_device("logistic", out_sharding)
    wanted, size = float_dtype("logistic", dtype), shape_of(shape)
    tiny = float(dtypes.finfo(wanted).tiny)
    u = uniforms(used("logistic", key), size, wanted, tiny, 1.0)
    return jnp.log(u) - jnp.log1p(-u)


def cauchy(key: Any, shape: Any = (), dtype: Any = None, *, out_sharding: Any = None) -> Any:
    """Numbers of the standard Cauchy distribution, of density ``1 / (pi * (1 + x**2))``.

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
    >>> random.cauchy(random.key(0), (2,)).shape
    (2,)
    """
    one_device("cauchy", out_sharding)
    wanted, size = float_dtype("cauchy", dtype), shape_of(shape)
    eps = float(dtypes.finfo(wanted).eps)
    u = uniforms(used("cauchy", key), size, wanted, eps, 1.0)
    return jnp.tan(np.pi * (u - 0.5))
