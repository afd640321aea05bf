"""The geometric distribution (`jax.scipy.stats.geom`)."""

from __future__ import annotations

from fnx import numpy as jnp
from fnx.scipy.special import xlog1py
from fnx.scipy.stats.laws import Law

__all__ = ["logpmf", "pmf"]


_LAW = Law(
    "geom",
    ("p",),
    {"logpmf": lambda k, p: xlog1py(k - 1, -p) + jnp.log(p)},
    low=lambda p: 1,
    inside=lambda p: 1,
    discrete=True,
)

pmf = _LAW.function("pmf")
logpmf = _LAW.function("logpmf")
