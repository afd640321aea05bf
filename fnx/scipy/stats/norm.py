"""The normal distribution (`jax.scipy.stats.norm`)."""

from __future__ import annotations

import math

from fnx.scipy.special import log_ndtr, ndtr, ndtri
from fnx.scipy.stats.laws import Law

__all__ = ["cdf", "isf", "logcdf", "logpdf", "logsf", "pdf", "ppf", "sf"]


_LAW = Law(
    "norm",
    (),
    {
        "logpdf": lambda z: -(z**2 + math.log(2 * math.pi)) / 2,
        "cdf": ndtr,
        "logcdf": log_ndtr,
        "sf": lambda z: ndtr(-z),
        "logsf": lambda z: log_ndtr(-z),
        "ppf": ndtri,
        "isf": lambda q: -ndtri(q),
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
