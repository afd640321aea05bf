"""Exponential, sine and cosine integrals, Spence's and the hypergeometric functions.

Read next: `bessel_functions`.
"""

from __future__ import annotations

from typing import Any

from fnx.errors import ArgumentValueError
from fnx.numpy.promotion import broadcast_operands, promote_inexact
from fnx.primitives import definite_integrals, hypergeometric
from fnx.primitives.cast import convert_element_type
from fnx.scipy.special.arguments import real_elementwise

__all__ = ["exp1", "expi", "expn", "hyp1f1", "hyp2f1", "sici", "spence"]


@real_elementwise
def exp1(x: Any) -> Any:
    """The exponential integral E_1.

    Parameters
    ----------
    x : array-like
        Real, not negative.
    """
    return definite_integrals.exp1(x)


@real_elementwise
def expi(x: Any) -> Any:
    """The exponential integral Ei.

    Parameters
    ----------
    x : array-like
        Real.
    """
    return definite_integrals.expi(x)


def expn(n: Any, x: Any) -> Any:
    """The exponential integral E_n: that of ``exp(-x t) / t**n`` from 1 to infinity.

    Parameters
    ----------
    n : array-like
        Whole numbers: the order.
    x : array-like
        Real, not negative.
    """
    order, point = broadcast_operands("expn", promote_inexact("expn", n, x))
    if point.dtype.kind == "c":
        raise ArgumentValueError(f"expn: does not support complex-valued inputs: {point.aval!r}.")
    return definite_integrals.expn(convert_element_type(order, "int32"), point)


@real_elementwise
def sici(x: Any) -> tuple[Any, Any]:
    """The sine and cosine integrals Si and Ci.

    Parameters
    ----------
    x : array-like
        Real; Ci of negative numbers is NaN.
    """
    return definite_integrals.sici(x)


@real_elementwise
def spence(x: Any) -> Any:
    """Spence's function, the dilogarithm of ``1 - x``.

    Parameters
    ----------
    x : array-like
        Real, not negative.
    """
    return definite_integrals.spence(x)


@real_elementwise
def hyp1f1(a: Any, b: Any, x: Any) -> Any:
    """The confluent hypergeometric function 1F1(a; b; x).

    Differentiable in all arguments, to any order.

    Parameters
    ----------
    a, b, x : array-like
        Real.

    Examples
    --------
    >>> hyp1f1(1.0, 1.0, 0.0)
    Array(1., dtype=float32, weak_type=True)
    """
    return hypergeometric.hyp1f1(a, b, x)


@real_elementwise
def hyp2f1(a: Any, b: Any, c: Any, x: Any) -> Any:
    """The Gauss hypergeometric function 2F1(a, b; c; x).

    Differentiable in all arguments, to any order, for x up to 1.

    Parameters
    ----------
    a, b, c, x : array-like
        Real.

    Examples
    --------
    >>> hyp2f1(1.0, 1.0, 1.0, 0.5)
    Array(2., dtype=float32, weak_type=True)
    """
    return hypergeometric.hyp2f1(a, b, c, x)
