"""The uniform distribution (`jax.scipy.stats.uniform`)."""

from __future__ import annotations

from fnx import numpy as jnp
from fnx.scipy.stats.laws import Law

__all__ = ["cdf", "logpdf", "pdf", "ppf"]


_LAW = Law(
    "uniform",
    (),
    {"logpdf": jnp.zeros_like, "cdf": lambda z: z, "ppf": lambda q: q},
    low=lambda: 0,
    high=lambda: 1,
)

pdf = _LAW.function("pdf")
logpdf = _LAW.function("logpdf")
cdf = _LAW.function("cdf")
ppf = _LAW.function("ppf")
