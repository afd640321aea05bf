"""The chi-square distribution (`jax.scipy.stats.chi2`)."""

from __future__ import annotations

import math

from fnx.scipy.special import gammainc, gammaincc, gammaln, xlogy
from fnx.scipy.stats.laws import Law

__all__ = ["cdf", "logcdf", "logpdf", "logsf", "pdf", "sf"]


_LAW = Law(
    "chi2",
    ("df",),
    {
        "logpdf": lambda z, df: xlogy(df / 2 - 1, z / 2) - z / 2 - gammaln(df / 2) - math.log(2),
        "cdf": lambda z, df: gammainc(df / 2, z / 2),
        "sf": lambda z, df: gammaincc(df / 2, z / 2),
    },
    low=lambda df: 0,
)

pdf = _LAW.function("pdf")
logpdf = _LAW.function("logpdf")
cdf = _LAW.function("cdf")
logcdf = _LAW.function("logcdf")
sf = _LAW.function("sf")
logsf = _LAW.function("logsf")
