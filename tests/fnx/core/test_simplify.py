"""Simplification: fewer equations, the same bits; special values decide what may be folded."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import fnx
import fnx.numpy as jnp
from fnx import lax
from fnx.core.check import check_jaxpr
from fnx.core.jaxpr import eval_jaxpr
from fnx.core.simplify import drop_dead, simplify
from fnx.core.staging import stage
from fnx.core.types import ShapedArray

SPECIAL = np.array([0.0, -0.0, 1.0, -2.5, np.inf, -np.inf, np.nan, 5e-324, 1.7e308])


def simplified(function: Any, *args: Any) -> Any:
    """The simplified program, what is printed by `lower`."""
    return fnx.jit(function).trace(*args).jaxpr.jaxpr


def names(function: Any, *args: Any) -> list[str]:
    return [e.primitive.name for e in simplified(function, *args).eqns]


IDENTITIES = {
    "x - 0": lambda x: x - 0.0,
    "x + -0": lambda x: x + -0.0,
    "-0 + x": lambda x: -0.0 + x,
    "x * 1": lambda x: x * 1.0,
    "x / 1": lambda x: x / 1.0,
    "-(-x)": lambda x: jnp.negative(jnp.negative(x)),
}
KEPT = {
    "x + 0": lambda x: x + 0.0,
    "0 - x": lambda x: 0.0 - x,
    "x * 0": lambda x: x * 0.0,
    "x - x": lambda x: x - x,
    "x / x": lambda x: x / x,
    "0 / x": lambda x: 0.0 / x,
    "(-x) + (-1)": lambda x: -x + -1.0,
    "x * -1": lambda x: x * -1.0,
    "2 * (x / 2)": lambda x: 2.0 * (x / 2.0),
    "x + 1 - 1": lambda x: (x + 1.0) - 1.0,
    "sqrt(x * x)": lambda x: jnp.sqrt(x * x),
    "max(x, x)": lambda x: jnp.maximum(x, x),
    "x ** 2": lambda x: x**2,
    "x - (-x)": lambda x: x - (-x),
    "(-x) * x": lambda x: (-x) * x,
    "4 * (2 * x)": lambda x: 4.0 * (2.0 * x),
    "where(x == x, x, 0)": lambda x: jnp.where(x == x, x, 0.0),
}


@pytest.mark.parametrize("name", IDENTITIES)
def test_identities_that_hold_for_every_value_are_folded(name: str) -> None:
    assert names(IDENTITIES[name], SPECIAL) == []


@pytest.mark.parametrize("name", [*IDENTITIES, *KEPT])
def test_special_values_come_out_the_same_bits(name: str) -> None:
    function = {**IDENTITIES, **KEPT}[name]
    wanted = np.asarray(function(jnp.asarray(SPECIAL)))
    jaxpr = simplified(function, SPECIAL)
    check_jaxpr(jaxpr)
    for found in (eval_jaxpr(jaxpr, jnp.asarray(SPECIAL))[0], fnx.jit(function)(SPECIAL)):
        found = np.asarray(found)
        np.testing.assert_array_equal(found, wanted)
        known = ~np.isnan(wanted)
        np.testing.assert_array_equal(np.signbit(found)[known], np.signbit(wanted)[known])


@pytest.mark.parametrize("name", ["x + 0", "0 - x", "x * 0", "x - x", "x / x", "0 / x"])
def test_what_would_be_wrong_for_some_value_is_kept(name: str) -> None:
    assert names(KEPT[name], SPECIAL)


def test_folding_keeps_types() -> None:
    for function in (lambda x: x - np.float64(0), lambda x: x * np.float64(1)):
        for x in (jnp.ones(2), jnp.ones(2, jnp.int32), jnp.asarray(1.0)):
            assert fnx.jit(function)(x).aval == function(x).aval


def test_dead_code_goes_and_what_is_read_stays() -> None:
    def function(x: Any) -> Any:
        jnp.exp(jnp.sin(x))
        return jnp.cos(x)

    assert names(function, 1.0) == ["cos"]


def test_dropping_results_drops_what_only_they_needed() -> None:
    f64 = ShapedArray((), np.dtype(np.float64))
    jaxpr, _ = stage(lambda x: [jnp.sin(x), jnp.cos(x)], [f64])
    kept = drop_dead(jaxpr, [False, True])
    assert [e.primitive.name for e in kept.eqns] == ["cos"] and len(kept.outs) == 1
    assert drop_dead(kept) is kept  # nothing to do: the same object, with all that it remembers


def test_loops_and_branches_lose_what_nobody_reads() -> None:
    def function(x: Any) -> Any:
        def step(carry: Any, _: Any) -> Any:
            used, unused = carry
            return (jnp.sin(used), jnp.exp(unused)), jnp.cos(unused)

        (used, _), _ = lax.scan(step, (x, x), None, length=3)
        return lax.cond(x > 0, lambda: (used, jnp.tan(x)), lambda: (x, jnp.tan(x)))[0]

    jaxpr = simplified(function, 1.0)
    (loop,) = [e for e in jaxpr.eqns if e.primitive.name == "scan"]
    assert [e.primitive.name for e in loop.params["jaxpr"].eqns] == ["sin"]
    (branch,) = [e for e in jaxpr.eqns if e.primitive.name == "cond"]
    assert all(not b.eqns and len(b.outs) == 1 for b in branch.params["branches"])


def test_calls_of_jitted_functions_are_inlined_and_merged() -> None:
    inner = fnx.jit(lambda x: jnp.sin(x) * 2)
    assert names(lambda x: inner(x) + jnp.sin(x) * inner(x), 1.0) == ["sin", "mul", "mul", "add"]


def test_simplifying_again_changes_nothing() -> None:
    jaxpr = simplified(fnx.grad(lambda x: jnp.tanh(jnp.sin(x) * jnp.exp(-x * x))), 1.0)
    assert simplify(jaxpr) is simplify(jaxpr)
    assert len(simplify(jaxpr).eqns) == len(jaxpr.eqns)
