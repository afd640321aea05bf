"""Every ordered pair of transforms, on functions with control flow, against a simpler equal form.

Each transform is put in a form that takes a function of R^3 to R^3 and gives another (a Jacobian
is multiplied by a fixed vector, lanes are averaged), so that any two compose. Beside it stands its
simpler form: nothing but `jvp` along one direction at a time, and Python loops. What it is applied
to is simpler as well: the same mathematics in a straight line, without control flow. The bound is
measured by noise in every rounding (`tests.support.rounding_noise`).
Read next: `test_random_programs`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import pytest

import fnx
import fnx.numpy as jnp
from fnx import lax
from fnx.experimental.jet import jet
from tests.support.rounding_noise import Measured, disagreement, measured

Function = Callable[[Any], Any]

POINT = jnp.asarray([0.3, -0.7, 0.45], "float64")
ALONG = jnp.asarray([0.8, -0.5, 1.1], "float64")
BENT = jnp.asarray([-0.4, 0.9, 0.6], "float64")
BASIS = [jnp.asarray(row, "float64") for row in np.eye(3)]
MIXING = jnp.asarray([[0.5, -0.3, 0.2], [0.1, 0.6, -0.4], [-0.2, 0.3, 0.7]], "float64")
FACTORS = jnp.asarray([1.0, 0.5, -0.75], "float64")


# ---------------------------------------------------------------------------------------- functions


def branching(x: Any) -> Any:
    """A counted loop around a branch."""

    def body(i: Any, c: Any) -> Any:
        return lax.cond(
            i % 2 == 0, lambda c: lax.sin(c) + 0.5 * x, lambda c: c * lax.logistic(x), c
        )

    return lax.fori_loop(0, 3, body, x)


def branching_in_line(x: Any) -> Any:
    """`branching`, unrolled."""
    c = lax.sin(x) + 0.5 * x
    c = c * lax.logistic(x)
    return lax.sin(c) + 0.5 * x


def recurrent(x: Any) -> Any:
    """A scan whose carry and outputs both count."""

    def step(c: Any, inputs: Any) -> Any:
        y, factor = inputs
        c = lax.tanh(jnp.matmul(MIXING, c) + y)
        return c, jnp.sum(c * c) * factor

    c, ys = lax.scan(step, x * 0.5, (x, FACTORS))
    return c + ys


def recurrent_in_line(x: Any) -> Any:
    """`recurrent`, unrolled."""
    c, ys = x * 0.5, []
    for k in range(3):
        c = lax.tanh(jnp.matmul(MIXING, c) + x[k])
        ys.append(jnp.sum(c * c) * FACTORS[k])
    return c + jnp.stack(ys)


def searching(x: Any) -> Any:
    """A loop until a condition on the data holds (three times, near the point)."""

    def unfinished(state: Any) -> Any:
        count, c = state
        return (jnp.sum(c) < 100) & (count < 3)

    def body(state: Any) -> Any:
        count, c = state
        return count + 1, lax.exp(lax.sin(c)) * 0.5 + jnp.flip(x) * c

    return lax.while_loop(unfinished, body, (0, x))[1]


def searching_in_line(x: Any) -> Any:
    """`searching`, unrolled."""
    c = x
    for _ in range(3):
        c = lax.exp(lax.sin(c)) * 0.5 + jnp.flip(x) * c
    return c


FUNCTIONS: dict[str, tuple[Function, Function]] = {
    "branching": (branching, branching_in_line),
    "recurrent": (recurrent, recurrent_in_line),
    "searching": (searching, searching_in_line),
}


# --------------------------------------------------------------------------------------- transforms


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


@dataclass(frozen=True)
class Transform:
    """A transform in the form of this page, and the simpler form that it equals."""

    apply: Callable[[Function], Function]
    simpler: Callable[[Function], Function]


def same(f: Function) -> Function:
    """The simpler form of what only computes in another way."""
    return f


TRANSFORMS: dict[str, Transform] = {
    "jvp": Transform(lambda f: push(f, ALONG), lambda f: push(f, ALONG)),
    "grad": Transform(lambda f: fnx.grad(total(f)), lambda f: partials(total(f))),
    "vjp": Transform(pulled, lambda f: partials(lambda x: jnp.sum(f(x) * ALONG))),
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


@cache
def reference(outer: str, inner: str, function: str) -> Measured:
    """What the simpler form gives, with its bound."""
    _, line = FUNCTIONS[function]
    simple = TRANSFORMS[outer].simpler(TRANSFORMS[inner].simpler(line))
    return measured(lambda: simple(POINT))


def taking_turns(outer: str, inner: str) -> str:
    """The function that a pair is tried on in the short run."""
    names = list(TRANSFORMS)
    return list(FUNCTIONS)[(names.index(outer) + names.index(inner)) % len(FUNCTIONS)]


def composed(outer: str, inner: str, function: str) -> tuple[Function, Measured]:
    """A pair of transforms of a function, and what it must give."""
    both = TRANSFORMS[outer].apply(TRANSFORMS[inner].apply(FUNCTIONS[function][0]))
    simple, own = reference(outer, inner, function), measured(lambda: both(POINT), runs=1)
    bounds = [a + b for a, b in zip(simple.bounds, own.bounds, strict=True)]
    return both, Measured(simple.values, bounds)


@pytest.mark.parametrize("outer", TRANSFORMS)
def test_pairs(outer: str) -> None:
    for inner in TRANSFORMS:
        both, wanted = composed(outer, inner, taking_turns(outer, inner))
        message = disagreement(wanted, both(POINT))
        assert not message, f"{outer} of {inner}: {message}"


@pytest.mark.parametrize("outer", TRANSFORMS)
def test_pairs_compiled(outer: str) -> None:
    for k, inner in enumerate(TRANSFORMS):
        if (k + list(TRANSFORMS).index(outer)) % 2:
            continue  # every other one: compiling takes its time; all of them are in `make fuzz`
        both, wanted = composed(outer, inner, taking_turns(outer, inner))
        message = disagreement(wanted, fnx.jit(both)(POINT))
        assert not message, f"jit of {outer} of {inner}: {message}"


@pytest.mark.fuzz
@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("outer", TRANSFORMS)
def test_every_pair_on_every_function(outer: str, function: str) -> None:
    for inner in TRANSFORMS:
        both, wanted = composed(outer, inner, function)
        for run in (both, fnx.jit(both)):
            message = disagreement(wanted, run(POINT))
            assert not message, f"{outer} of {inner} of {function}, {run}: {message}"
