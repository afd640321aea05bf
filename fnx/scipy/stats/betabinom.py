"""The beta-binomial distribution (`jax.scipy.stats.betabinom`)."""

from __future__ import annotations

from typing import Any

from fnx import numpy as jnp
from fnx.scipy.special import betaln
from fnx.scipy.stats.laws import Law

__all__ = ["logpmf", "pmf"]


def _logpmf(k: Any, n: Any, a: Any, b: Any) -> Any:
    ways = -jnp.log1p(n) - betaln(n - k + 1, k + 1)
    return ways + betaln(k + a, n - k + b) - betaln(a, b)


_LAW = Law(
    "betabinom",
    ("n", "a", "b"),
    {"logpmf": _logpmf},
    low=lambda n, a, b: 0,
    high=lambda n, a, b: n,
    inside=lambda n, a, b: 0,
    discrete=True,
)

pmf = _LAW.function("pmf")
logpmf = _LAW.function("logpmf")
