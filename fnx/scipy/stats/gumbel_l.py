"""The Gumbel distribution of the smallest of many (`jax.scipy.stats.gumbel_l`)."""

from __future__ import annotations

from fnx import numpy as jnp
from fnx.scipy.stats.laws import Law, log1mexp

__all__ = ["cdf", "logcdf", "logpdf", "logsf", "pdf", "ppf", "sf"]


_LAW = Law(
    "gumbel_l",
    (),
    {
        "logpdf": lambda z: z - jnp.exp(z),
        "logsf": lambda z: -jnp.exp(z),
        "cdf": lambda z: -jnp.expm1(-jnp.exp(z)),
        "logcdf": lambda z: log1mexp(jnp.exp(z)),
        "ppf": lambda q: jnp.log(-jnp.log1p(-q)),
    },
)

pdf = _LAW.function("pdf")
logpdf = _LAW.function("logpdf")
cdf = _LAW.function("cdf")
logcdf = _LAW.function("logcdf")
sf = _LAW.function("sf")
logsf = _LAW.function("logsf")
ppf = _LAW.function("ppf")
