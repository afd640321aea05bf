"""Soft versions of `max(x, 0)` and of its step: `squareplus`, `sparse_plus`, `sparse_sigmoid`."""

from __future__ import annotations

from typing import Any

from fnx import numpy as jnp
from fnx.numpy.promotion import promote_inexact
from fnx.primitives.cast import stop_gradient

__all__ = ["sparse_plus", "sparse_sigmoid", "squareplus"]


def squareplus(x: Any, b: Any = 4) -> Any:
    """``(x + sqrt(x**2 + b)) / 2``, without cancellation far to the left, nor overflow.

    Parameters
    ----------
    x : array-like
        The operand.
    b : array-like
        How smooth the bend is; positive.

    References
    ----------
    Barron, *Squareplus: a softplus-like algebraic rectifier* (2021).

    Examples
    --------
    >>> squareplus(0.)
    Array(1., dtype=float32, weak_type=True)
    """
    x, b = promote_inexact("squareplus", x, b)
    # Whatever c is, this is the root; a constant near x keeps the square from overflowing.
    c = stop_gradient(jnp.where(jnp.isfinite(x), jnp.maximum(jnp.abs(x), 1), 1))
    root = c * jnp.sqrt(jnp.square(x / c) + b / c / c)
    left = jnp.where(x < 0, x, jnp.zeros_like(x))
    # The same by (x + root) (root - x) = b, which does not cancel there.
    return jnp.where(x < 0, b / 2 / (root - left), x / 2 + root / 2)


def sparse_plus(x: Any) -> Any:
    """0 up to -1, x from 1 on, the parabola ``(x + 1)**2 / 4`` between.

    Parameters
    ----------
    x : array-like
        The operand.

    Examples
    --------
    >>> import fnx.numpy as jnp
    >>> sparse_plus(jnp.array([-2., 0., 2.]))
    Array([0.  , 0.25, 2.  ], dtype=float32)
    """
    (x,) = promote_inexact("sparse_plus", x)
    # Far away the parabola, which is not chosen there, would overflow and give NaN slopes.
    parabola = jnp.square(jnp.clip(x, -1.0, 1.0) + 1.0) / 4.0
    return jnp.where(x <= -1, jnp.zeros_like(x), jnp.where(x >= 1, x, parabola))


def sparse_sigmoid(x: Any) -> Any:
    """0 up to -1, 1 from 1 on, the line ``(x + 1) / 2`` between: the slope of `sparse_plus`.

    Parameters
    ----------
    x : array-like
        The operand.

    References
    ----------
    Blondel, Martins and Niculae, *Learning with Fenchel-Young losses* (2020), section 6.2.

    Examples
    --------
    >>> import fnx.numpy as jnp
    >>> sparse_sigmoid(jnp.array([-2., 0., 2.]))
    Array([0. , 0.5, 1. ], dtype=float32)
    """
    (x,) = promote_inexact("sparse_sigmoid", x)
    return 0.5 * jnp.clip(x + 1.0, 0.0, 2.0)
