"""The logistic distribution (`jax.scipy.stats.logistic`)."""

from __future__ import annotations

from fnx import numpy as jnp
from fnx.scipy.special import expit, logit
from fnx.scipy.stats.laws import Law

__all__ = ["cdf", "isf", "logpdf", "pdf", "ppf", "sf"]


_LAW = Law(
    "logistic",
    (),
    {
        "logpdf": lambda z: -jnp.abs(z) - 2 * jnp.log1p(jnp.exp(-jnp.abs(z))),
        "cdf": expit,
        "sf": lambda z: expit(-z),
        "ppf": logit,
        "isf": lambda q: -logit(q),
    },
)

pdf = _LAW.function("pdf")
logpdf = _LAW.function("logpdf")
cdf = _LAW.function("cdf")
sf = _LAW.function("sf")
ppf = _LAW.function("ppf")
isf = _LAW.function("isf")
