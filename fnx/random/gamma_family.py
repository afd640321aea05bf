"""The gamma distribution, and what is made of gamma numbers: beta, Dirichlet, t, F...

All are differentiable in their parameters through `random_gamma`.  Where a number may be too small
for its dtype its logarithm is drawn.  Read next: `counts`.
"""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from fnx import numpy as jnp
from fnx.errors import ArgumentValueError, ShapeError
from fnx.numpy.creation import shape_of
from fnx.random.arguments import check_shape, float_dtype, one_device, parameters, values
from fnx.random.keys import used
from fnx.random.random_gamma import random_gamma_p
from fnx.random.words import Pair, child, exponentials, normals, signs

__all__ = [
    "ball",
    "beta",
    "chisquare",
    "dirichlet",
    "f",
    "gamma",
    "generalized_normal",
    "loggamma",
    "t",
]


def _gammas(pair: Pair, a: Any, size: tuple[int, ...], log_space: bool = False) -> Any:
    return random_gamma_p(jnp.stack(pair), jnp.broadcast_to(a, size), log_space=log_space)


def gamma(
    key: Any, a: Any, shape: Any = None, dtype: Any = None, *, out_sharding: Any = None
) -> Any:
    """Positive numbers of density proportional to ``x**(a - 1) * exp(-x)``.

    The derivative in `a` is implicit: that of the number at which the distribution function keeps
    its value, see `random_gamma_p`.

    Parameters
    ----------
    key : key
        Not to be used again.
    a : array-like
        The shape parameter; positive.
    shape : sequence of int, optional
        The extents; that of `a` by default.
    dtype : dtype, optional
        A float; float32 by default (float64 under ``enable_x64``).
    out_sharding : None
        For programs written for JAX; there is one device.

    See Also
    --------
    loggamma : precise for small `a`, where numbers underflow.

    Examples
    --------
    >>> from fnx import random
    >>> bool((random.gamma(random.key(0), 2., (9,)) > 0).all())
    True
    """
    one_device("gamma", out_sharding)
    _, size, (alpha,) = parameters("gamma", shape, dtype, a=a)
    return _gammas(used("gamma", key), alpha, size)


def loggamma(
    key: Any, a: Any, shape: Any = None, dtype: Any = None, *, out_sharding: Any = None
) -> Any:
    """Logarithms of the numbers that `gamma` draws with the same key.

    Parameters
    ----------
    key : key
        Not to be used again.
    a : array-like
        The shape parameter; positive.
    shape : sequence of int, optional
        The extents; that of `a` by default.
    dtype : dtype, optional
        A float; float32 by default (float64 under ``enable_x64``).
    out_sharding : None
        For programs written for JAX; there is one device.

    Examples
    --------
    >>> from fnx import numpy as jnp, random
    >>> bool(jnp.isfinite(random.loggamma(random.key(0), 1e-4, (9,))).all())
    True
    """
    one_device("loggamma", out_sharding)
    _, size, (alpha,) = parameters("loggamma", shape, dtype, a=a)
    return _gammas(used("loggamma", key), alpha, size, log_space=True)


def beta(
    key: Any, a: Any, b: Any, shape: Any = None, dtype: Any = None, *, out_sharding: Any = None
) -> Any:
    """Numbers in [0, 1] of density proportional to ``x**(a - 1) * (1 - x)**(b - 1)``.

    Parameters
    ----------
    key : key
        Not to be used again.
    a, b : array-like
        Positive.
    shape : sequence of int, optional
        The extents; the joint shape of the parameters by default.
    dtype : dtype, optional
        A float; float32 by default (float64 under ``enable_x64``).
    out_sharding : None
        For programs written for JAX; there is one device.

    Examples
    --------
    >>> from fnx import random
    >>> bool((random.beta(random.key(0), 2., 3., (9,)) < 1).all())
    True
    """
    one_device("beta", out_sharding)
    _, size, (alpha, gamma_b) = parameters("beta", shape, dtype, a=a, b=b)
    pair = used("beta", key)
    log_a = _gammas(child(pair, 0), alpha, size, log_space=True)
    log_b = _gammas(child(pair, 1), gamma_b, size, log_space=True)
    top = jnp.maximum(log_a, log_b)
    first, second = jnp.exp(log_a - top), jnp.exp(log_b - top)
    return first / (first + second)


def dirichlet(
    key: Any, alpha: Any, shape: Any = None, dtype: Any = None, *, out_sharding: Any = None
) -> Any:
    """Probabilities that add up to 1, of density proportional to the product of ``x**(alpha - 1)``.

    Parameters
    ----------
    key : key
        Not to be used again.
    alpha : array-like
        Positive; of shape (..., n).
    shape : sequence of int, optional
        Extents before the last; those of `alpha` by default.
    dtype : dtype, optional
        A float; float32 by default (float64 under ``enable_x64``).
    out_sharding : None
        For programs written for JAX; there is one device.

    Examples
    --------
    >>> from fnx import numpy as jnp, random
    >>> p = random.dirichlet(random.key(0), jnp.ones(3), (5,))
    >>> bool(jnp.allclose(p.sum(-1), 1.))
    True
    """
    one_device("dirichlet", out_sharding)
    wanted = float_dtype("dirichlet", dtype)
    (weights,) = values("dirichlet", None, wanted, alpha=alpha)
    if weights.ndim < 1:
        raise ShapeError(f"dirichlet: alpha must be a vector, or several, got {weights.aval!r}.")
    lead = weights.shape[:-1] if shape is None else shape_of(shape)
    size = (*lead, weights.shape[-1])
    check_shape("dirichlet", size, alpha=weights)
    logs = _gammas(used("dirichlet", key), weights, size, log_space=True)
    parts = jnp.exp(logs - jnp.max(logs, axis=-1, keepdims=True))
    return parts / jnp.sum(parts, axis=-1, keepdims=True)


def t(key: Any, df: Any, shape: Any = None, dtype: Any = None, *, out_sharding: Any = None) -> Any:
    """Numbers of Student's t distribution.

    Parameters
    ----------
    key : key
        Not to be used again.
    df : array-like
        Degrees of freedom; positive.
    shape : sequence of int, optional
        The extents; that of `df` by default.
    dtype : dtype, optional
        A float; float32 by default (float64 under ``enable_x64``).
    out_sharding : None
        For programs written for JAX; there is one device.

    Examples
    --------
    >>> from fnx import random
    >>> random.t(random.key(0), 4., (2,)).shape
    (2,)
    """
    one_device("t", out_sharding)
    wanted, size, (freedom,) = parameters("t", shape, dtype, df=df)
    pair = used("t", key)
    n = normals(child(pair, 0), size, wanted)
    half = freedom / 2
    return n * jnp.sqrt(half / _gammas(child(pair, 1), half, size))


def chisquare(
    key: Any, df: Any, shape: Any = None, dtype: Any = None, *, out_sharding: Any = None
) -> Any:
    """Sums of `df` squares of standard normal numbers.

    Parameters
    ----------
    key : key
        Not to be used again.
    df : array-like
        Degrees of freedom; positive, not only whole.
    shape : sequence of int, optional
        The extents; that of `df` by default.
    dtype : dtype, optional
        A float; float32 by default (float64 under ``enable_x64``).
    out_sharding : None
        For programs written for JAX; there is one device.

    Examples
    --------
    >>> from fnx import random
    >>> bool((random.chisquare(random.key(0), 3., (9,)) > 0).all())
    True
    """
    one_device("chisquare", out_sharding)
    _, size, (freedom,) = parameters("chisquare", shape, dtype, df=df)
    return _chisquares(used("chisquare", key), freedom, size)


def _chisquares(pair: Pair, freedom: Any, size: tuple[int, ...]) -> Any:
    return jnp.exp(_gammas(pair, freedom / 2, size, log_space=True)) * 2


def f(
    key: Any,
    dfnum: Any,
    dfden: Any,
    shape: Any = None,
    dtype: Any = None,
    *,
    out_sharding: Any = None,
) -> Any:
    """Ratios of two mean squares: numbers of the F distribution.

    Parameters
    ----------
    key : key
        Not to be used again.
    dfnum, dfden : array-like
        Degrees of freedom of numerator and denominator; positive.
    shape : sequence of int, optional
        The extents; the joint shape of the parameters by default.
    dtype : dtype, optional
        A float; float32 by default (float64 under ``enable_x64``).
    out_sharding : None
        For programs written for JAX; there is one device.

    Examples
    --------
    >>> from fnx import random
    >>> bool((random.f(random.key(0), 3., 5., (9,)) > 0).all())
    True
    """
    one_device("f", out_sharding)
    _, size, (above, below) = parameters("f", shape, dtype, dfnum=dfnum, dfden=dfden)
    pair = used("f", key)
    denominator = _chisquares(child(pair, 0), below, size) / below
    return (_chisquares(child(pair, 1), above, size) / above) / denominator


def generalized_normal(
    key: Any, p: Any, shape: Any = (), dtype: Any = None, *, out_sharding: Any = None
) -> Any:
    """Numbers of density proportional to ``exp(-abs(x)**p)``.

    Parameters
    ----------
    key : key
        Not to be used again.
    p : array-like
        The exponent; positive.
    shape : sequence of int
        The extents.
    dtype : dtype, optional
        A float; float32 by default (float64 under ``enable_x64``).
    out_sharding : None
        For programs written for JAX; there is one device.

    Examples
    --------
    >>> from fnx import random
    >>> random.generalized_normal(random.key(0), 1.5, (2,)).shape
    (2,)
    """
    one_device("generalized_normal", out_sharding)
    wanted, size, (power,) = parameters("generalized_normal", shape_of(shape), dtype, p=p)
    return _generalized_normals(used("generalized_normal", key), power, size, wanted)


def _generalized_normals(
    pair: Pair, power: Any, size: tuple[int, ...], dtype: np.dtype[Any]
) -> Any:
    root = 1 / power
    lengths = _gammas(child(pair, 0), root, size) ** root
    return signs(child(pair, 1), size, dtype) * lengths


def ball(
    key: Any,
    d: int,
    p: Any = 2,
    shape: Any = (),
    dtype: Any = None,
    *,
    out_sharding: Any = None,
) -> Any:
    """Points spread evenly over the ball of the p-norm in d dimensions.

    Source: Barthe, Guedon, Mendelson and Naor, *A probabilistic approach to the geometry of the
    l_p^n-ball* (2005).

    Parameters
    ----------
    key : key
        Not to be used again.
    d : int
        The dimension.
    p : float
        The exponent of the norm; positive.
    shape : sequence of int
        How many points.
    dtype : dtype, optional
        A float; float32 by default (float64 under ``enable_x64``).
    out_sharding : None
        For programs written for JAX; there is one device.

    Returns
    -------
    Array
        Of shape ``(*shape, d)``.

    Examples
    --------
    >>> from fnx import numpy as jnp, random
    >>> bool((jnp.linalg.norm(random.ball(random.key(0), 3, shape=(9,)), axis=-1) < 1).all())
    True
    """
    one_device("ball", out_sharding)
    wanted, size = float_dtype("ball", dtype), shape_of(shape)
    count = operator.index(d)
    if count < 0:
        raise ArgumentValueError(f"ball: d must not be negative, got {count}.")
    (power,) = values("ball", dtype, wanted, p=p)
    if power.ndim:
        raise ShapeError(f"ball: p must be a scalar, got {power.aval!r}. Map with vmap.")
    pair = used("ball", key)
    g = _generalized_normals(child(pair, 0), power, (*size, count), wanted)
    e = exponentials(child(pair, 1), size, wanted)
    return g / ((jnp.sum(jnp.abs(g) ** power, axis=-1) + e) ** (1 / power))[..., None]
