"""The Pareto distribution (`jax.scipy.stats.pareto`)."""

from __future__ import annotations

from fnx import numpy as jnp
from fnx.scipy.stats.laws import Law, log1mexp

__all__ = ["cdf", "logcdf", "logpdf", "logsf", "pdf", "ppf", "sf"]


_LAW = Law(
    "pareto",
    ("b",),
    {
        "logpdf": lambda z, b: jnp.log(b) - (b + 1) * jnp.log(z),
        "logsf": lambda z, b: -b * jnp.log(z),
        "cdf": lambda z, b: -jnp.expm1(-b * jnp.log(z)),
        "logcdf": lambda z, b: log1mexp(b * jnp.log(z)),
        "ppf": lambda q, b: jnp.exp(-jnp.log1p(-q) / b),
    },
    low=lambda b: 1,
    inside=lambda b: 2,
)

pdf = _LAW.function("pdf")
logpdf = _LAW.function("logpdf")
cdf = _LAW.function("cdf")
logcdf = _LAW.function("logcdf")
sf = _LAW.function("sf")
logsf = _LAW.function("logsf")
ppf = _LAW.function("ppf")
