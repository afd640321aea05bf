"""The Bernoulli distribution, of a coin (`jax.scipy.stats.bernoulli`)."""

from __future__ import annotations

from fnx import numpy as jnp
from fnx.scipy.special import xlog1py, xlogy
from fnx.scipy.stats.laws import Law

__all__ = ["cdf", "logpmf", "pmf", "ppf"]


_LAW = Law(
    "bernoulli",
    ("p",),
    {
        "logpmf": lambda k, p: xlogy(k, p) + xlog1py(1 - k, -p),
        "cdf": lambda k, p: jnp.where(k < 1, 1 - p, 1),
        "ppf": lambda q, p: jnp.where(q == 0, -1, jnp.where(q <= 1 - p, 0, 1)),
    },
    low=lambda p: 0,
    high=lambda p: 1,
    inside=lambda p: 0,
    discrete=True,
)

pmf = _LAW.function("pmf")
logpmf = _LAW.function("logpmf")
cdf = _LAW.function("cdf")
ppf = _LAW.function("ppf")
