"""The normal distribution of vectors (`jax.scipy.stats.multivariate_normal`)."""

from __future__ import annotations

import math
from typing import Any

from fnx import numpy as jnp
from fnx.errors import ShapeError, UnsupportedError
from fnx.numpy.promotion import promote_inexact
from fnx.primitives.triangular import cholesky
from fnx.scipy.linalg import solve_triangular
from fnx.scipy.stats import norm

__all__ = ["logpdf", "pdf"]


def logpdf(x: Any, mean: Any, cov: Any, allow_singular: None = None) -> Any:
    """The logarithm of the density.

    Parameters
    ----------
    x : array-like
        Vectors in the last axis.
    mean : array-like
        The mean, a vector; batch axes are broadcast.
    cov : array-like
        The covariance, a positive definite matrix; or one number, for all directions.
    allow_singular : None
        Singular covariances have no density.

    Examples
    --------
    >>> import fnx.numpy as jnp
    >>> from fnx.scipy.stats import multivariate_normal
    >>> density = multivariate_normal.pdf(jnp.zeros(2), jnp.zeros(2), jnp.eye(2))
    >>> jnp.round(2 * jnp.pi * density, 4)
    Array(1., dtype=float32)
    """
    name = "multivariate_normal.logpdf"
    if allow_singular is not None:
        raise UnsupportedError(f"{name}: allow_singular must be None, got {allow_singular!r}.")
    x, mean, cov = promote_inexact(name, x, mean, cov)
    if not mean.ndim or not cov.ndim:
        if cov.ndim or (mean.ndim and x.shape[-1:] != mean.shape[-1:]):
            raise ShapeError(
                f"{name}: takes mean and cov as numbers, or a vector and a matrix of its size, "
                f"got x {x.aval!r}, mean {mean.aval!r} and cov {cov.aval!r}."
            )
        each = norm.logpdf(x, mean, jnp.sqrt(cov))
        return each.sum(-1) if mean.ndim else each
    n = mean.shape[-1]
    if x.shape[-1:] not in ((n,), (1,)) or cov.shape[-2:] != (n, n):
        raise ShapeError(
            f"{name}: takes vectors and a matrix of one size, got x {x.aval!r}, mean "
            f"{mean.aval!r} and cov {cov.aval!r}."
        )
    factor = cholesky(cov)
    y = solve_triangular(factor, (x - mean)[..., None], lower=True)[..., 0]
    size = jnp.log(jnp.diagonal(factor, axis1=-1, axis2=-2)).sum(-1)
    return -(y**2).sum(-1) / 2 - n / 2 * math.log(2 * math.pi) - size


def pdf(x: Any, mean: Any, cov: Any) -> Any:
    """The density.

    Parameters
    ----------
    x, mean, cov : array-like
        As for `logpdf`.
    """
    return jnp.exp(logpdf(x, mean, cov))
