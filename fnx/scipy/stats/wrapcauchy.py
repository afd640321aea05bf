"""The wrapped Cauchy distribution, of angles (`jax.scipy.stats.wrapcauchy`)."""

from __future__ import annotations

import math
from typing import Any

from fnx import numpy as jnp
from fnx.scipy.stats.laws import Law

__all__ = ["logpdf", "pdf"]


def _logpdf(z: Any, c: Any) -> Any:
    return jnp.log1p(-(c**2)) - jnp.log(2 * math.pi * (1 + c**2 - 2 * c * jnp.cos(z)))


_LAW = Law("wrapcauchy", ("c",), {"logpdf": _logpdf}, low=lambda c: 0, high=lambda c: 2 * math.pi)

pdf = _LAW.function("pdf")
logpdf = _LAW.function("logpdf")
