"""The beta distribution (`jax.scipy.stats.beta`)."""

from __future__ import annotations

from fnx.scipy.special import betainc, betaln, xlog1py, xlogy
from fnx.scipy.stats.laws import Law

__all__ = ["cdf", "logcdf", "logpdf", "logsf", "pdf", "sf"]


_LAW = Law(
    "beta",
    ("a", "b"),
    {
        "logpdf": lambda z, a, b: xlogy(a - 1, z) + xlog1py(b - 1, -z) - betaln(a, b),
        "cdf": lambda z, a, b: betainc(a, b, z),
        "sf": lambda z, a, b: betainc(b, a, 1 - z),
    },
    low=lambda a, b: 0,
    high=lambda a, b: 1,
)

pdf = _LAW.function("pdf")
logpdf = _LAW.function("logpdf")
cdf = _LAW.function("cdf")
logcdf = _LAW.function("logcdf")
sf = _LAW.function("sf")
logsf = _LAW.function("logsf")
