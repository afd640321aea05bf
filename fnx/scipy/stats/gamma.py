"""The gamma distribution (`jax.scipy.stats.gamma`)."""

from __future__ import annotations

from fnx.scipy.special import gammainc, gammaincc, gammaln, xlogy
from fnx.scipy.stats.laws import Law

__all__ = ["cdf", "logcdf", "logpdf", "logsf", "pdf", "sf"]


_LAW = Law(
    "gamma",
    ("a",),
    {
        "logpdf": lambda z, a: xlogy(a - 1, z) - z - gammaln(a),
        "cdf": lambda z, a: gammainc(a, z),
        "sf": lambda z, a: gammaincc(a, z),
    },
    low=lambda a: 0,
)

pdf = _LAW.function("pdf")
logpdf = _LAW.function("logpdf")
cdf = _LAW.function("cdf")
logcdf = _LAW.function("logcdf")
sf = _LAW.function("sf")
logsf = _LAW.function("logsf")
