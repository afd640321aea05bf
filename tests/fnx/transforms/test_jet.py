"""Taylor mode: against mpmath's coefficients and nested forward mode; conventions; errors."""

from __future__ import annotations

import math
from typing import Any

import mpmath
import numpy as np
import pytest

import fnx
import fnx.numpy as jnp
from fnx import lax
from fnx.core.jaxpr import eval_jaxpr
from fnx.core.types import ShapedArray
from fnx.experimental.jet import jet
from fnx.transforms.jet import jet_jaxpr
from fnx.transforms.jvp import stage_closed

POINT = np.float64(0.4)


def along(function: Any, x: Any, order: int) -> list[Any]:
    """Derivatives of order 1, 2, ... along x + t, by jet."""
    line = [np.ones_like(x)] + [np.zeros_like(x)] * (order - 1)
    return list(jet(function, (x,), (line,))[1])


def nested(function: Any, x: Any, order: int) -> list[Any]:
    """The same by nested forward mode."""
    found = []
    for _ in range(order):
        function = (lambda f: lambda y: fnx.jvp(f, (y,), (jnp.ones_like(y),))[1])(function)
        found.append(function(x))
    return found


@pytest.mark.parametrize("wrap", [lambda f: f, fnx.jit], ids=["eager", "compiled"])
def test_derivatives_to_order_eight(wrap: Any) -> None:
    function = lambda x: jnp.tanh(jnp.sin(x) * jnp.exp(-x * x))  # noqa: E731
    found = wrap(lambda x: along(function, x, 8))(POINT)
    with mpmath.workdps(50):
        exact = mpmath.taylor(
            lambda t: mpmath.tanh(mpmath.sin(t) * mpmath.exp(-t * t)), mpmath.mpf(float(POINT)), 8
        )
        wanted = [float(c * mpmath.factorial(k)) for k, c in enumerate(exact)][1:]
    np.testing.assert_allclose([float(c) for c in found], wanted, rtol=1e-11)


def branch(x: Any) -> Any:
    return lax.cond(x > 0, lambda x: jnp.sin(x) * x, lambda x: x, x)


def loop(x: Any) -> Any:
    return lax.fori_loop(0, 3, lambda i, c: c * jnp.cos(x) + i, x)


def search(x: Any) -> Any:
    return lax.while_loop(lambda c: c < 5.0, lambda c: c * (1.5 + x), x)


def mapped(x: Any) -> Any:
    return jnp.sum(fnx.vmap(lambda k: jnp.exp(x * k))(jnp.arange(3.0)))


@fnx.custom_jvp
def own_rule(x: Any) -> Any:
    return jnp.exp(x)


own_rule.defjvp(lambda p, t: (own_rule(*p), own_rule(*p) * t[0]))


@pytest.mark.parametrize(
    "function",
    [
        branch,
        loop,
        search,
        mapped,
        own_rule,
        fnx.checkpoint(jnp.sin),
        fnx.jit(jnp.cos),
        fnx.grad(loop),
    ],
    ids=["cond", "fori_loop", "while_loop", "vmap", "custom_jvp", "checkpoint", "jit", "grad"],
)
def test_through_control_flow(function: Any) -> None:
    wanted = [float(c) for c in nested(function, POINT, 4)]
    np.testing.assert_allclose([float(c) for c in along(function, POINT, 4)], wanted, rtol=1e-6)
    compiled = fnx.jit(lambda x: along(function, x, 4))(POINT)
    np.testing.assert_allclose([float(c) for c in compiled], wanted, rtol=1e-6)


def test_derivatives_and_coefficients() -> None:
    # exp along 0 + t + t**2 / 2 ...: in derivatives, and in coefficients with factorial_scaled.
    x, series = np.float64(0), [np.float64(1), np.float64(1)]
    assert [float(c) for c in jet(jnp.exp, (x,), (series,))[1]] == [1.0, 2.0]
    scaled = jet(jnp.exp, (x,), ([np.float64(1), np.float64(0.5)],), factorial_scaled=False)[1]
    assert [float(c) for c in scaled] == [1.0, 1.0]


def test_several_arguments_and_trees() -> None:
    def function(p: Any, y: Any) -> Any:
        return {"product": p["w"] * y, "y": (y,)}

    ones = [{"w": np.float64(1)}, {"w": np.float64(0)}], [np.float64(1), np.float64(0)]
    out, series = jet(function, ({"w": np.float64(2)}, np.float64(3)), ones)
    assert float(out["product"]) == 6
    assert [float(c) for c in series["product"]] == [5.0, 2.0]
    assert [float(c) for c in series["y"][0]] == [1.0, 0.0]


def test_results_that_do_not_depend() -> None:
    out, series = jet(lambda x: (jnp.ones(2), 3), (POINT,), ([POINT, POINT],))
    np.testing.assert_array_equal(series[0], np.zeros((2, 2)))
    assert int(out[1]) == 3


def test_the_derivative_of_a_jet() -> None:
    third = fnx.grad(lambda x: along(jnp.sin, x, 2)[1])(POINT)
    np.testing.assert_allclose(third, -math.cos(POINT), rtol=1e-13)
    points = np.linspace(0, 1, 3)
    lanes = fnx.vmap(lambda x: jnp.stack(along(jnp.sin, x, 3)))(points)
    np.testing.assert_allclose(
        lanes, np.stack([np.cos(points), -np.sin(points), -np.cos(points)], 1)
    )


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: jet(jnp.sin, (1.0,), ([1.0], [1.0])), ValueError, "1 primals and 2 series"),
        (lambda: jet(jnp.multiply, (1.0, 2.0), ([1.0], [1.0, 0.0])), ValueError, "one length"),
        (lambda: jet(jnp.sin, (np.ones(3),), ([np.ones(2)],)), ValueError, r"f64\[3\].*f64\[2\]"),
        (lambda: jet(lambda p: p["w"], ({"w": 1.0},), ([1.0],)), ValueError, "structure"),
        (lambda: jet(3, (1.0,), ([1.0],)), TypeError, "expected a function"),
        (lambda: jet(jnp.sin, (1.0,), ([1.0],), order=3), TypeError, "unexpected"),
    ],
)
def test_errors(call: Any, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        call()


def test_program_to_program() -> None:
    f64 = ShapedArray((), np.dtype(np.float64))
    jaxpr = stage_closed(lambda x, y: [x * x * y, jnp.cos(y)], [f64, f64], "f")
    program, nonzero = jet_jaxpr(jaxpr, 2, (True, False))
    assert nonzero == (True, False) and len(program.in_vars) == 4 and len(program.outs) == 4
    values = [jnp.asarray(np.float64(v)) for v in (3.0, 2.0, 1.0, 0.0)]
    assert [float(o) for o in eval_jaxpr(program, *values)[2:]] == [12.0, 2.0]
