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


@pytest.mark.parametrize("wrap", [fnx.jit, fnx.grad, fnx.vmap, lambda f: fnx.jit(fnx.grad(f))])
def test_traced_values_are_traced_in_it(wrap: Any) -> None:
    def function(x: Any) -> Any:
        with fnx.ensure_compile_time_eval():
            inner = fnx.jit(lambda y: fnx.nn.relu(y) + 1)(jnp.float32(2.0))
            looped = fnx.lax.fori_loop(0, 3, lambda k, c: c * 2, 1)
            assert float(inner) == 3 and int(looped) == 8  # known, though traced around
            slope = fnx.grad(lambda z: z * jnp.sin(x))(1.0)  # of what captures a tracer
            return x * inner + looped * slope

    def plain(x: Any) -> Any:
        return x * 3.0 + 8.0 * jnp.sin(x)

    given = jnp.ones(2) if wrap is fnx.vmap else 0.5
    np.testing.assert_allclose(wrap(function)(given), wrap(plain)(given), rtol=1e-6)


def test_functions_with_rules_that_capture_tracers_in_it() -> None:
    @fnx.jit
    def function(x: Any) -> Any:
        scaled = fnx.custom_jvp(lambda y: x * y)
        scaled.defjvp(lambda p, t: (scaled(*p), x * t[0]))
        with fnx.ensure_compile_time_eval():
            return scaled(jnp.float32(2.0)) + fnx.lax.cond(True, lambda: x, lambda: -x)

    assert float(function(3.0)) == 9


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


def test_named_scopes_are_beside_the_lines() -> None:
    def model(x: Any) -> Any:
        with fnx.named_scope("encoder"):
            with fnx.named_scope("attention"):
                h = jnp.log(x)
            y = h * 2
        return fnx.named_call(jnp.exp, name="head")(y) + 1

    def scopes(function: Any) -> dict[str, str]:
        eqns = fnx.jit(function).trace(2.0).jaxpr.eqns
        assert all("test_tracing_api.py:" in e.source for e in eqns)
        named = [e for e in eqns if ": " in e.source]
        return {e.primitive.name: e.source.split(": ")[0] for e in named}

    expected = {"log": "encoder/attention", "mul": "encoder", "exp": "head"}
    assert scopes(model) == expected
    slope = scopes(fnx.grad(lambda x: model(x)))
    assert slope["div"] == "encoder/attention" and slope["exp"] == "head"
    with fnx.named_scope("step"):
        assert scopes(lambda x: model(x))["log"] == "step/encoder/attention"
        assert scopes(fnx.grad(lambda x: model(x)))["div"] == "step/encoder/attention"
    assert "encoder/attention: " in str(fnx.jit(model).lower(2.0).as_text(debug_info=True))
    f = fnx.jit(model)
    f(2.0)
    assert "encoder/attention" in str(f.explain()["programs"][0]["executable"])
    with fnx.debug_nans(True), pytest.raises(FloatingPointError, match="at encoder/attention: te"):
        f(-1.0)


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
