"""The exponential distribution (`jax.scipy.stats.expon`)."""

from __future__ import annotations

from fnx import numpy as jnp
from fnx.scipy.stats.laws import Law, log1mexp

__all__ = ["cdf", "logcdf", "logpdf", "logsf", "pdf", "ppf", "sf"]


_LAW = Law(
    "expon",
    (),
    {
        "logpdf": lambda z: -z,
        "cdf": lambda z: -jnp.expm1(-z),
        "logcdf": log1mexp,
        "logsf": lambda z: -z,
        "ppf": lambda q: -jnp.log1p(-q),
    },
    low=lambda: 0,
)

pdf = _LAW.function("pdf")
logpdf = _LAW.function("logpdf")
cdf = _LAW.function("cdf")
logcdf = _LAW.function("logcdf")
sf = _LAW.function("sf")
logsf = _LAW.function("logsf")
ppf = _LAW.function("ppf")
