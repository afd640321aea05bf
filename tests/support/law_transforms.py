"""Transforms in a form in which any two compose, each beside a simpler form that it equals.

The form takes a function of R^3 to R^3 and gives another: a Jacobian is multiplied by a fixed
vector, lanes are averaged.  The simpler form knows nothing but `jvp` along one direction at a time,
and Python loops.  Read next: `straight_lines`, for what it is applied to.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

import fnx
import fnx.numpy as jnp
from fnx.experimental.jet import jet

__all__ = ["RULES", "TRANSFORMS", "Function", "Transform"]

Function = Callable[[Any], Any]

ALONG = jnp.asarray([0.8, -0.5, 1.1], "float64")
BENT = jnp.asarray([-0.4, 0.9, 0.6], "float64")
BASIS = [jnp.asarray(row, "float64") for row in np.eye(3)]


def push(f: Function, direction: Any) -> Function:
    """The derivative in one direction."""
    return lambda x: fnx.jvp(f, (x,), (direction,))[1]


def partials(f: Function) -> Function:
    """The derivatives of a scalar function, one direction at a time."""
    return lambda x: jnp.stack([push(f, e)(x) for e in BASIS])


def total(f: Function) -> Function:
    """The sum of a function's results."""
    return lambda x: jnp.sum(f(x))


def pulled(f: Function) -> Function:
    """The fixed vector times the Jacobian, by `vjp`."""
    return lambda x: fnx.vjp(f, x)[1](ALONG)[0]


def lanes(x: Any) -> list[Any]:
    """Three points from one."""
    return [x, x * 0.5, x + 0.125]


def custom_forward(f: Function) -> Function:
    """A function with its own jvp as a custom rule."""
    wrapped = fnx.custom_jvp(f)
    wrapped.defjvp(lambda primals, tangents: fnx.jvp(f, primals, tangents))
    return wrapped


def custom_reverse(f: Function) -> Function:
    """A function with its own vjp as a custom rule."""
    wrapped = fnx.custom_vjp(f)
    wrapped.defvjp(lambda x: (f(x), x), lambda x, ct: fnx.vjp(f, x)[1](ct))
    return wrapped


def second_derivative(f: Function) -> Function:
    """That along a curve, by two nested jvps."""

    def second(x: Any) -> Any:
        def along(t: Any) -> Any:
            return f(x + t * (ALONG + t * (0.5 * BENT)))

        one = jnp.ones((), "float64")
        return push(push(along, one), one)(jnp.zeros((), "float64"))

    return second


def same(f: Function) -> Function:
    """The simpler form of what only computes in another way."""
    return f


@dataclass(frozen=True)
class Transform:
    """A transform in the form of this page, and the simpler form that it equals."""

    apply: Callable[[Function], Function]
    simpler: Callable[[Function], Function]


TRANSFORMS: dict[str, Transform] = {
    "jvp": Transform(lambda f: push(f, ALONG), lambda f: push(f, ALONG)),
    "vjp": Transform(pulled, lambda f: partials(lambda x: jnp.sum(f(x) * ALONG))),
    "grad": Transform(lambda f: fnx.grad(total(f)), lambda f: partials(total(f))),
    "jacfwd": Transform(
        lambda f: lambda x: jnp.matmul(fnx.jacfwd(f)(x), ALONG), lambda f: push(f, ALONG)
    ),
    "jacrev": Transform(
        lambda f: lambda x: jnp.matmul(ALONG, fnx.jacrev(f)(x)),
        lambda f: partials(lambda x: jnp.sum(f(x) * ALONG)),
    ),
    "hessian": Transform(
        lambda f: lambda x: jnp.matmul(fnx.hessian(total(f))(x), ALONG),
        lambda f: partials(push(total(f), ALONG)),
    ),
    "vmap": Transform(
        lambda f: lambda x: jnp.mean(fnx.vmap(f)(jnp.stack(lanes(x))), axis=0),
        lambda f: lambda x: sum(f(lane) for lane in lanes(x)) / 3.0,
    ),
    "jet": Transform(lambda f: lambda x: jet(f, (x,), ([ALONG, BENT],))[1][1], second_derivative),
    "jit": Transform(fnx.jit, same),
    "checkpoint": Transform(fnx.checkpoint, same),
    "linearize": Transform(
        lambda f: lambda x: fnx.linearize(f, x)[1](ALONG), lambda f: push(f, ALONG)
    ),
    "custom_jvp": Transform(custom_forward, same),
    "custom_vjp": Transform(custom_reverse, same),
}

#: Those that count as one, the custom rules, take turns.
RULES = ("custom_jvp", "custom_vjp")
