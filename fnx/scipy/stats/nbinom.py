"""The negative binomial distribution (`jax.scipy.stats.nbinom`)."""

from __future__ import annotations

from typing import Any

from fnx.scipy.special import gammaln, xlog1py, xlogy
from fnx.scipy.stats.laws import Law

__all__ = ["logpmf", "pmf"]


def _logpmf(k: Any, n: Any, p: Any) -> Any:
    ways = gammaln(k + n) - gammaln(n) - gammaln(k + 1)
    return ways + xlogy(n, p) + xlog1py(k, -p)


_LAW = Law(
    "nbinom",
    ("n", "p"),
    {"logpmf": _logpmf},
    low=lambda n, p: 0,
    inside=lambda n, p: 0,
    discrete=True,
)

pmf = _LAW.function("pmf")
logpmf = _LAW.function("logpmf")
