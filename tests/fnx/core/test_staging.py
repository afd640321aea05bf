"""Recording programs: value numbering, what it must not merge, captured values, keys."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import fnx
import fnx.numpy as jnp
from fnx import lax
from fnx.core.jaxpr import eval_jaxpr
from fnx.core.staging import params_key, stage
from fnx.core.types import ShapedArray

F64 = ShapedArray((), np.dtype(np.float64))


def names(function: Any, *args: Any) -> list[str]:
    """The primitives of a program as recorded."""
    return [e.primitive.name for e in fnx.make_jaxpr(function)(*args).eqns]


def test_equal_applications_are_recorded_once() -> None:
    assert names(lambda x: jnp.sin(x) + jnp.sin(x), 1.0) == ["sin", "add"]
    assert names(lambda x, y: (x * y) + (y * x), 1.0, 2.0) == ["mul", "add"]  # commutative
    assert names(lambda x, y: (x - y) * (y - x), 1.0, 2.0) == ["sub", "sub", "mul"]
    assert names(lambda x: x[:2] + x[:2], jnp.ones(3)) == ["slice", "add"]
    assert names(lambda x: x[:2] + x[1:], jnp.ones(3)) == ["slice", "slice", "add"]


def test_zeros_of_different_sign_are_not_merged() -> None:
    def function(x: Any) -> Any:
        return 1 / (x * 0.0) + 0 * (1 / (x * -0.0)), x * 0.0, x * -0.0

    _, plus, minus = fnx.jit(function)(1.0)
    assert (np.signbit(plus), np.signbit(minus)) == (False, True)


def test_types_of_literals_are_not_merged() -> None:
    out = fnx.jit(lambda x: (x * 2, x * 2.0, x * np.float64(2)))(jnp.ones((), jnp.int32))
    assert [o.dtype.name for o in out] == ["int32", "float32", "float64"]


def test_nan_parameters_and_nans_are_numbered() -> None:
    assert params_key({"a": float("nan")}) == params_key({"a": float("nan")})
    assert params_key({"a": 0.0}) != params_key({"a": -0.0})
    assert params_key({"a": 1}) != params_key({"a": True}) != params_key({"a": 1.0})
    assert params_key({"a": np.ones(2)}) == params_key({"a": np.ones(2)})
    assert params_key({"a": np.ones(2)}) != params_key({"a": np.zeros(2)})
    with pytest.raises(TypeError):
        params_key({"a": [1]})


def test_barriers_and_effects_are_not_merged() -> None:
    def function(x: Any) -> Any:
        return jnp.sin(x) + jnp.sin(lax.optimization_barrier(x))

    assert names(function, 1.0).count("sin") == 2


def test_captured_values_are_leading_inputs() -> None:
    table, scalar = jnp.arange(3.0), jnp.asarray(2.0)
    jaxpr, consts = stage(lambda x: [x * table[0] * scalar], [F64.update(dtype=table.dtype)])
    assert consts == [table] or consts[0] is table
    assert len(jaxpr.in_vars) == 2
    assert float(eval_jaxpr(jaxpr, table, jnp.ones(()))[0]) == 0.0


def test_captured_tracers_are_inputs_of_the_transform_around() -> None:
    def function(y: Any) -> Any:
        return fnx.jit(lambda x: x * y)(3.0)

    assert float(fnx.grad(function)(2.0)) == 3.0
    np.testing.assert_array_equal(fnx.vmap(function)(jnp.arange(3.0)), [0.0, 3.0, 6.0])
    assert float(fnx.jit(fnx.grad(function))(2.0)) == 3.0


def test_numpy_values_in_a_program() -> None:
    closed = fnx.make_jaxpr(lambda x: x + np.arange(3.0) + np.float64(2))(jnp.ones(3))
    assert closed.out_avals[0].dtype == np.float64 and len(closed.consts) == 1


def test_the_order_of_results_and_repeated_results() -> None:
    jaxpr, _ = stage(lambda x, y: [y, x, y], [F64, F64])
    assert [jaxpr.in_vars.index(o) for o in jaxpr.outs] == [1, 0, 1] and not jaxpr.eqns


def test_a_function_that_is_staged_may_give_what_it_captures() -> None:
    outer = jnp.arange(3.0)
    out = fnx.jit(lambda: (outer, 2.0, np.ones(1)))()
    np.testing.assert_array_equal(out[0], outer)
    assert out[1].weak_type and out[2].dtype == np.float64
