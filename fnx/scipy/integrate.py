"""Integrals of sampled functions (`jax.scipy.integrate`)."""

from __future__ import annotations

from typing import Any

from fnx.numpy import calculus

__all__ = ["trapezoid"]


def trapezoid(y: Any, x: Any = None, dx: Any = 1.0, axis: int = -1) -> Any:
    """The integral by the trapezoidal rule: `fnx.numpy.trapezoid`.

    Parameters
    ----------
    y : array-like
        Values.
    x : array-like, optional
        Where they were taken.
    dx : array-like
        Otherwise the distance between them.
    axis : int
        Along which to integrate.

    Examples
    --------
    >>> import fnx.numpy as jnp
    >>> from fnx.scipy.integrate import trapezoid
    >>> trapezoid(jnp.array([1.0, 2.0, 4.0]), dx=2.0)
    Array(9., dtype=float32)
    """
    return calculus.trapezoid(y, x, dx, axis)
