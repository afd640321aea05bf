"""Programs: variables and literals, evaluation under any trace, what is derived from them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import fnx
import fnx.numpy as jnp
from fnx import lax
from fnx.core.array import adopt
from fnx.core.jaxpr import ClosedJaxpr, Eqn, Jaxpr, Literal, Var, eval_jaxpr, subjaxprs
from fnx.core.types import ShapedArray

F32 = np.dtype(np.float32)


def polynomial(x: Any, y: Any) -> Any:
    return {"a": jnp.sin(x) * y, "b": y}


def test_make_jaxpr_gives_a_closed_program() -> None:
    table = jnp.arange(3.0)
    closed = fnx.make_jaxpr(lambda x: x * table + 2.0)(jnp.ones(3))
    assert isinstance(closed, ClosedJaxpr)
    assert [e.primitive.name for e in closed.eqns] == ["mul", "broadcast_in_dim", "add"]
    assert closed.in_avals == closed.out_avals == (ShapedArray((3,), F32),)
    (captured,) = closed.consts
    assert captured is table and closed.jaxpr.in_avals[0] == table.aval
    np.testing.assert_array_equal(closed(jnp.ones(3))[0], np.arange(3) + 2.0)
    assert closed.effects == frozenset()


def test_a_value_captured_twice_is_one_input() -> None:
    table = jnp.arange(3.0)
    closed = fnx.make_jaxpr(lambda x: x * table + jnp.sin(table))(jnp.ones(3))
    assert len(closed.consts) == 1


def test_scalars_are_literals() -> None:
    closed = fnx.make_jaxpr(lambda x: x * 2.0 * jnp.asarray(3.0))(1.0)
    assert closed.consts == ()
    literals = [a for e in closed.eqns for a in e.inputs if isinstance(a, Literal)]
    assert [float(literal.val) for literal in literals] == [2.0, 3.0]


def test_literals_are_told_apart_by_bits_and_type() -> None:
    def key(value: Any, weak: bool = False) -> Any:
        return Literal(adopt(np.asarray(value), weak)).key

    assert key(0.0) != key(-0.0) and key(1.0) != key(np.float32(1)) != key(1)
    assert key(1.0) != key(1.0, weak=True) and key(np.nan) == key(np.nan)


def test_evaluation_under_any_trace() -> None:
    closed = fnx.make_jaxpr(polynomial)(1.0, 2.0)
    run = lambda x: eval_jaxpr(closed.jaxpr, x, jnp.asarray(2.0))[0]  # noqa: E731
    assert float(run(jnp.asarray(0.0))) == 0.0
    assert float(fnx.grad(run)(0.0)) == 2.0
    assert float(fnx.jit(run)(0.0)) == 0.0
    np.testing.assert_allclose(fnx.vmap(run)(jnp.arange(2.0)), 2 * np.sin([0.0, 1.0]), rtol=1e-6)


def test_evaluation_wants_all_inputs() -> None:
    closed = fnx.make_jaxpr(polynomial)(1.0, 2.0)
    with pytest.raises(TypeError, match="polynomial takes 2 inputs, got 1"):
        eval_jaxpr(closed.jaxpr, jnp.ones(()))


def test_what_is_derived_is_made_once() -> None:
    jaxpr = Jaxpr([], [], [])
    made: list[int] = []
    assert jaxpr.derived("key", lambda: made.append(1) or "made") == "made"
    assert jaxpr.derived("key", lambda: made.append(2) or "again") == "made"
    assert made == [1]


def test_inner_programs_are_found() -> None:
    def function(x: Any) -> Any:
        return lax.cond(
            x > 0, jnp.sin, lambda x: lax.scan(lambda c, _: (c * x, None), x, length=2)[0], x
        )

    (eqn,) = [e for e in fnx.make_jaxpr(function)(1.0).eqns if e.primitive.name == "cond"]
    inner = dict(subjaxprs(eqn.params))
    assert sorted(inner) == ["branches[0]", "branches[1]"]
    (loop,) = [e for e in inner["branches[0]"].eqns if e.primitive.name == "scan"]
    assert [name for name, _ in subjaxprs(loop.params)] == ["jaxpr"]


def test_equations_know_the_line_of_the_user() -> None:
    closed = fnx.make_jaxpr(lambda x: jnp.sin(x))(1.0)
    assert closed.eqns[0].source.startswith("test_jaxpr.py:")
    simplified = fnx.jit(lambda x: jnp.sin(x)).trace(1.0).jaxpr
    assert simplified.eqns[0].source.startswith("test_jaxpr.py:")


def test_repr_of_parts() -> None:
    var = Var(ShapedArray((2,), F32))
    assert repr(var) == "Var(f32[2])"
    eqn = Eqn(fnx.make_jaxpr(jnp.sin)(1.0).eqns[0].primitive, (var,), (var,), {})
    assert repr(eqn) == "Eqn(sin)" and eqn.effects == frozenset()
