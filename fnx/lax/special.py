"""Incomplete gamma and beta functions and Bessel functions, also of numbers (see `operands`)."""

from __future__ import annotations

import functools
from typing import Any

from fnx.core.conversion import as_value
from fnx.lax.operands import matched
from fnx.primitives import bessel, incomplete_beta, incomplete_gamma

__all__ = [
    "bessel_i0e", "bessel_i1e", "betainc", "igamma", "igamma_grad_a", "igammac",
    "random_gamma_grad",
]  # fmt: skip


@functools.wraps(incomplete_gamma.igamma)
def igamma(a: Any, x: Any) -> Any:
    return incomplete_gamma.igamma(*matched("igamma", a, x))


@functools.wraps(incomplete_gamma.igammac)
def igammac(a: Any, x: Any) -> Any:
    return incomplete_gamma.igammac(*matched("igammac", a, x))


@functools.wraps(incomplete_gamma.igamma_grad_a)
def igamma_grad_a(a: Any, x: Any) -> Any:
    return incomplete_gamma.igamma_grad_a(*matched("igamma_grad_a", a, x))


@functools.wraps(incomplete_gamma.random_gamma_grad)
def random_gamma_grad(a: Any, x: Any) -> Any:
    return incomplete_gamma.random_gamma_grad(*matched("random_gamma_grad", a, x))


@functools.wraps(incomplete_beta.betainc)
def betainc(a: Any, b: Any, x: Any) -> Any:
    return incomplete_beta.betainc(*matched("betainc", a, b, x))


@functools.wraps(bessel.bessel_i0e)
def bessel_i0e(x: Any) -> Any:
    return bessel.bessel_i0e(as_value(x, "bessel_i0e", "x"))


@functools.wraps(bessel.bessel_i1e)
def bessel_i1e(x: Any) -> Any:
    return bessel.bessel_i1e(as_value(x, "bessel_i1e", "x"))
