"""The von Mises distribution, of angles (`jax.scipy.stats.vonmises`)."""

from __future__ import annotations

import math

from fnx import numpy as jnp
from fnx.scipy.special import i0e
from fnx.scipy.stats.laws import Law

__all__ = ["logpdf", "pdf"]


_LAW = Law(
    "vonmises",
    ("kappa",),
    {"logpdf": lambda z, kappa: kappa * (jnp.cos(z) - 1) - jnp.log(2 * math.pi * i0e(kappa))},
)

pdf = _LAW.function("pdf")
logpdf = _LAW.function("logpdf")
