"""The Laplace distribution, of two exponential sides (`jax.scipy.stats.laplace`)."""

from __future__ import annotations

import math
from typing import Any

from fnx import numpy as jnp
from fnx.scipy.stats.laws import Law

__all__ = ["cdf", "logpdf", "pdf"]


def _cdf(z: Any) -> Any:
    tail = jnp.exp(-jnp.abs(z)) / 2
    return jnp.where(z < 0, tail, 1 - tail)


_LAW = Law("laplace", (), {"logpdf": lambda z: -jnp.abs(z) - math.log(2), "cdf": _cdf})

pdf = _LAW.function("pdf")
logpdf = _LAW.function("logpdf")
cdf = _LAW.function("cdf")
