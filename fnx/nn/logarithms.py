"""Logarithms of differences and of means of exponentials: `log1mexp`, `logmeanexp`."""

from __future__ import annotations

import math
from typing import Any

from fnx import numpy as jnp
from fnx.control.custom_api import custom_jvp
from fnx.nn.functions import logsumexp
from fnx.numpy.promotion import promote_inexact

__all__ = ["log1mexp", "logmeanexp"]


@custom_jvp
def log1mexp(x: Any) -> Any:
    """``log(1 - exp(-x))``, accurate for small and for large x; NaN for negative x.

    Parameters
    ----------
    x : array-like
        Not negative.

    References
    ----------
    Mächler, *Accurately computing log(1 - exp(-|a|))* (2012).

    Examples
    --------
    >>> round(float(log1mexp(1e-9)), 4)
    -20.7233
    """
    (x,) = promote_inexact("log1mexp", x)
    near = jnp.log(-jnp.expm1(-x))
    return jnp.where(x < math.log(2), near, jnp.log1p(-jnp.exp(-x)))


@log1mexp.defjvp
def _log1mexp_jvp(primals: Any, tangents: Any) -> Any:
    (x,), (t,) = primals, tangents
    # 1 / expm1(x), written such that nothing overflows in derivatives of higher orders.
    return log1mexp(x), t * (jnp.exp(-x) / -jnp.expm1(-x))


def logmeanexp(x: Any, axis: Any = None, where: Any = None, keepdims: bool = False) -> Any:
    """``log(mean(exp(x)))`` without overflow.

    Parameters
    ----------
    x : array-like
        Logarithms.
    axis : int, sequence of int or None
        Along which axes; all by default.
    where : array-like, optional
        Which elements count.
    keepdims : bool
        Keep the reduced axes, with size 1.

    Examples
    --------
    >>> import fnx.numpy as jnp
    >>> logmeanexp(jnp.array([1000., 1000.]))
    Array(1000., dtype=float32)
    """
    (x,) = promote_inexact("logmeanexp", x)
    total = logsumexp(x, axis, keepdims=keepdims, where=where)
    counted = jnp.broadcast_to(True if where is None else where, x.shape)
    count = jnp.sum(counted, axis, dtype=total.dtype, keepdims=keepdims)
    return total - jnp.log(count)
