"""The binomial distribution (`jax.scipy.stats.binom`)."""

from __future__ import annotations

from typing import Any

from fnx import numpy as jnp
from fnx.scipy.special import betaln, xlog1py, xlogy
from fnx.scipy.stats.laws import Law

__all__ = ["logpmf", "pmf"]


def _logpmf(k: Any, n: Any, p: Any) -> Any:
    ways = -jnp.log1p(n) - betaln(n - k + 1, k + 1)
    return ways + xlogy(k, p) + xlog1py(n - k, -p)


_LAW = Law(
    "binom",
    ("n", "p"),
    {"logpmf": _logpmf},
    low=lambda n, p: 0,
    high=lambda n, p: n,
    inside=lambda n, p: 0,
    discrete=True,
)

pmf = _LAW.function("pmf")
logpmf = _LAW.function("logpmf")
