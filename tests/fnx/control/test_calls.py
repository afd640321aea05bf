"""What call-like primitives share, by way of the simplest of them: a call of a jitted function."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import fnx
import fnx.numpy as jnp
from fnx.control.calls import select_outs, spread, with_inputs
from fnx.control.jit_call import jit_p
from fnx.core.check import check_jaxpr
from fnx.core.jaxpr import eval_jaxpr
from fnx.core.simplify import drop_dead
from fnx.core.types import ShapedArray
from fnx.experimental.jet import jet
from fnx.transforms.jvp import stage_closed

F64 = ShapedArray((), np.dtype(np.float64))


def program() -> Any:
    return stage_closed(lambda x, y: [x - y, jnp.sin(x)], [F64, F64], "f")


def called(x: Any, y: Any) -> Any:
    return jit_p(x, y, jaxpr=program(), name="f")


def numbers(*values: float) -> list[Any]:
    return [jnp.asarray(np.float64(v)) for v in values]


def test_inputs_and_results_in_another_order() -> None:
    swapped = with_inputs(program(), [1, 0], [1, 0])
    out = eval_jaxpr(swapped, *numbers(5, 3))
    np.testing.assert_allclose(out, [np.sin(3.0), -2.0])
    assert with_inputs(program(), [0, 1]).in_avals == (F64, F64)


def test_results_that_are_not_used_go() -> None:
    smaller = select_outs(program(), [True, False])
    assert [e.primitive.name for e in smaller.eqns] == ["sub"] and len(smaller.outs) == 1


def test_spread() -> None:
    assert spread([1, 2], [True, False, True], lambda k: -k) == [1, -1, 2]


def test_each_rule() -> None:
    x, y = numbers(0.7, 0.2)
    np.testing.assert_allclose(called(x, y), [0.5, np.sin(0.7)])
    _, tangents = fnx.jvp(called, (x, y), (x, 0 * y))
    np.testing.assert_allclose(tangents, [0.7, np.cos(0.7) * 0.7])
    _, pull = fnx.vjp(called, x, y)
    np.testing.assert_allclose(pull(numbers(1, 1)), [1 + np.cos(0.7), -1])
    lanes = fnx.vmap(called, (0, None))(np.array([0.7, 0.1]), y)
    np.testing.assert_allclose(lanes, [[0.5, -0.1], np.sin([0.7, 0.1])])
    series = jet(called, (x, y), (numbers(1, 0), numbers(0, 0)))[1]
    np.testing.assert_allclose(series[1], [np.cos(0.7), -np.sin(0.7)])
    linear = fnx.linear_transpose(lambda t: jit_p(t, t, jaxpr=program_of_difference(), name="d"), x)
    np.testing.assert_allclose(linear(numbers(2)), [2 * 3 - 2 * 1])


def program_of_difference() -> Any:
    return stage_closed(lambda x, y: [3 * x - y], [F64, F64], "d")


def test_operands_are_checked_by_type() -> None:
    with pytest.raises(TypeError, match=r"jit of f: input 1 must be f64\[\], got f32\[\]"):
        fnx.make_jaxpr(called)(np.float64(1), np.float32(1))


def test_pruned_calls_lose_operands() -> None:
    def first(x: Any, y: Any) -> Any:
        return jit_p(x, y, jaxpr=program(), name="f")[1]

    jaxpr = drop_dead(fnx.make_jaxpr(first)(np.float64(1), np.float64(2)).jaxpr)
    (eqn,) = jaxpr.eqns
    assert eqn.primitive is jit_p and len(eqn.inputs) == 1
    check_jaxpr(jaxpr)
