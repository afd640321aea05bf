"""Student's distribution (`jax.scipy.stats.t`)."""

from __future__ import annotations

from typing import Any

from fnx import numpy as jnp
from fnx.scipy.special import betaln
from fnx.scipy.stats.laws import Law

__all__ = ["logpdf", "pdf"]


def _logpdf(z: Any, df: Any) -> Any:
    return -(df + 1) / 2 * jnp.log1p(z**2 / df) - jnp.log(df) / 2 - betaln(df / 2, 0.5)


_LAW = Law("t", ("df",), {"logpdf": _logpdf})

pdf = _LAW.function("pdf")
logpdf = _LAW.function("logpdf")
