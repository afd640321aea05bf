"""The Cauchy distribution (`jax.scipy.stats.cauchy`)."""

from __future__ import annotations

import math

from fnx import numpy as jnp
from fnx.scipy.stats.laws import Law

__all__ = ["cdf", "isf", "logcdf", "logpdf", "logsf", "pdf", "ppf", "sf"]


_LAW = Law(
    "cauchy",
    (),
    {
        "logpdf": lambda z: -jnp.log1p(z**2) - math.log(math.pi),
        "cdf": lambda z: jnp.arctan2(jnp.ones_like(z), -z) / math.pi,
        "sf": lambda z: jnp.arctan2(jnp.ones_like(z), z) / math.pi,
        "ppf": lambda q: jnp.tan(math.pi * (q - 0.5)),
        "isf": lambda q: jnp.tan(math.pi * (0.5 - q)),
    },
)

pdf = _LAW.function("pdf")
logpdf = _LAW.function("logpdf")
cdf = _LAW.function("cdf")
logcdf = _LAW.function("logcdf")
sf = _LAW.function("sf")
logsf = _LAW.function("logsf")
ppf = _LAW.function("ppf")
isf = _LAW.function("isf")
