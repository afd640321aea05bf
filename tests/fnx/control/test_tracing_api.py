"""Evaluate now, hoist what a closure holds, name parts of a program."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import fnx
import fnx.numpy as jnp


def test_values_are_computed_while_tracing() -> None:
    @fnx.jit
    def function(x: Any) -> Any:
        with fnx.ensure_compile_time_eval():
            table = jnp.cumsum(jnp.ones(3))
            n = int(table[-1])
            assert bool(table[0] == 1)
        return jnp.zeros(n) + x * table

    np.testing.assert_array_equal(function(2.0), [2, 4, 6])
    slope = fnx.jit(fnx.grad(lambda x: jnp.sum(function(x))))
    assert float(slope(1.0)) == 6


def test_tracers_are_refused_in_it() -> None:
    @fnx.jit
    def function(x: Any) -> Any:
        with fnx.ensure_compile_time_eval():
            return x + 1

    with pytest.raises(fnx.errors.UnexpectedTracerError):
        function(1.0)
    assert float(fnx.jit(lambda x: x + 1)(1.0)) == 2


def test_closures_are_converted() -> None:
    @fnx.custom_vjp
    def apply(f: Any, x: Any, *captured: Any) -> Any:
        return f(x, *captured)

    table = jnp.arange(3.0)

    def outer(z: Any) -> Any:
        converted, captured = fnx.closure_convert(lambda d: {"r": d["x"] * z * table}, {"x": 1.0})
        assert len(captured) == 1
        return jnp.sum(converted({"x": 2.0}, *captured)["r"])

    for wrap in (lambda f: f, fnx.jit):
        assert float(wrap(fnx.grad(outer))(3.0)) == 6
    converted, captured = fnx.closure_convert(lambda x: x * table, 1.0)
    assert captured == []
    np.testing.assert_array_equal(converted(2.0), [0, 2, 4])
    with pytest.raises(TypeError, match=r"called with f32\[2\], converted for ~f32\[\]"):
        converted(jnp.ones(2))
    with pytest.raises(TypeError, match="structure"):
        converted([2.0])


def test_named_calls() -> None:
    f = fnx.named_call(lambda x, y=2.0: jnp.sin(x) * y, name="wave")
    assert "name=wave" in str(fnx.make_jaxpr(f)(1.0)) or "name='wave'" in str(
        fnx.make_jaxpr(f)(1.0)
    )
    np.testing.assert_allclose(f(0.5, y=3.0), np.sin(0.5) * 3, rtol=1e-6)
    np.testing.assert_allclose(fnx.jit(fnx.grad(f))(0.5), 2 * np.cos(0.5), rtol=1e-6)
    with pytest.raises(TypeError, match="expected a function"):
        fnx.named_call(3)  # type: ignore[arg-type]


def test_named_scopes_and_barriers() -> None:
    with fnx.named_scope("layer"):
        out = jnp.ones(2)

    @fnx.named_scope("decorated")
    def function(x: Any) -> Any:
        return x * 2

    assert float(fnx.jit(function)(2.0)) == 4 and out.shape == (2,)
    with pytest.raises(TypeError, match="must be a string"), fnx.named_scope(3):  # type: ignore[arg-type]
        pass
    fnx.effects_barrier()
