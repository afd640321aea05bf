"""The generalized normal distribution (`jax.scipy.stats.gennorm`)."""

from __future__ import annotations

from typing import Any

from fnx import numpy as jnp
from fnx.scipy.special import gammainc, gammaln
from fnx.scipy.stats.laws import Law

__all__ = ["cdf", "logpdf", "pdf"]


def _cdf(z: Any, beta: Any) -> Any:
    nonzero = jnp.where(z == 0, 1, jnp.abs(z))
    side = jnp.where(z == 0, 0, gammainc(1 / beta, nonzero**beta))
    return (1 + jnp.sign(z) * side) / 2


def _logpdf(z: Any, beta: Any) -> Any:
    nonzero = jnp.where(z == 0, 1, jnp.abs(z))
    return jnp.log(beta / 2) - gammaln(1 / beta) - jnp.where(z == 0, 0, nonzero**beta)


_LAW = Law("gennorm", ("beta",), {"logpdf": _logpdf, "cdf": _cdf})

pdf = _LAW.function("pdf")
logpdf = _LAW.function("logpdf")
cdf = _LAW.function("cdf")
