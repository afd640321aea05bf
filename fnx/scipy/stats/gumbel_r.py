"""The Gumbel distribution of the largest of many (`jax.scipy.stats.gumbel_r`)."""

from __future__ import annotations

from fnx import numpy as jnp
from fnx.scipy.stats.laws import Law, log1mexp

__all__ = ["cdf", "logcdf", "logpdf", "logsf", "pdf", "ppf", "sf"]


_LAW = Law(
    "gumbel_r",
    (),
    {
        "logpdf": lambda z: -z - jnp.exp(-z),
        "logcdf": lambda z: -jnp.exp(-z),
        "sf": lambda z: -jnp.expm1(-jnp.exp(-z)),
        "logsf": lambda z: log1mexp(jnp.exp(-z)),
        "ppf": lambda q: -jnp.log(-jnp.log(q)),
    },
)

pdf = _LAW.function("pdf")
logpdf = _LAW.function("logpdf")
cdf = _LAW.function("cdf")
logcdf = _LAW.function("logcdf")
sf = _LAW.function("sf")
logsf = _LAW.function("logsf")
ppf = _LAW.function("ppf")
