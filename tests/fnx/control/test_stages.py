"""Ahead of time: trace, lower, compile; what each stage knows; what a compiled program refuses."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import fnx
import fnx.numpy as jnp

X = jnp.arange(6.0).reshape(2, 3)
Y = jnp.ones((3, 4))


def model(params: Any, x: Any, *, scale: float = 1.0) -> Any:
    return {"out": jnp.tanh(x @ params["w"]) * scale, "w": params["w"] * 2.0}


def stages() -> list[Any]:
    traced = fnx.jit(model, donate_argnames="params").trace({"w": Y}, X, scale=2.0)
    lowered = traced.lower()
    return [traced, lowered, lowered.compile()]


@pytest.mark.parametrize("stage", [0, 1, 2])
def test_every_stage_knows_arguments_and_results(stage: int) -> None:
    it = stages()[stage]
    (params, x), keywords = it.args_info
    assert params["w"].donated and params["w"].shape == (3, 4) and x.dtype == np.float32
    assert not x.donated and keywords["scale"].aval.weak_type and it.donate_argnums == (0,)
    assert repr(it.in_avals) == "(({'w': f32[3,4]}, f32[2,3]), {'scale': ~f32[]})"
    assert it.in_tree == fnx.tree.structure((({"w": 0}, 0), {"scale": 0}))
    assert it.out_info["out"] == fnx.ShapeDtypeStruct((2, 4), "float32")
    assert repr(it.out_avals) == "{'out': f32[2,4], 'w': f32[3,4]}"
    assert it.out_tree == fnx.tree.structure({"out": 0, "w": 0}) and it.fun_name == "model"
    found = it.cost_analysis()
    # 2 * 2 * 3 * 4 for the product, 8 for tanh, 8 for the scale, 1 for making it strong, 12 for w
    assert found["flops"] == 77 and found["bytes accessed"] > 0
    assert repr(it).endswith("model(f32[3,4], f32[2,3], ~f32[])>")


def test_traced() -> None:
    table = jnp.arange(3.0)
    traced = fnx.jit(lambda x: x + table).trace(fnx.ShapeDtypeStruct((3,), "float32"))
    closed = traced.jaxpr
    assert isinstance(closed, fnx.core.ClosedJaxpr) and len(closed.consts) == 1
    assert [e.primitive.name for e in closed.eqns] == ["add"]
    np.testing.assert_array_equal(closed(jnp.ones(3))[0], np.arange(3) + 1)
    assert traced.lower(lowering_platforms=("cpu",)).as_text() == str(closed)
    with pytest.raises(ValueError, match="only"):
        traced.lower(lowering_platforms=("tpu",))


def test_lowered() -> None:
    lowered = fnx.jit(model).lower({"w": Y}, X)
    assert "dot_general" in lowered.as_text() and "test_stages.py" not in lowered.as_text()
    assert "test_stages.py" in lowered.as_text(debug_info=True)
    assert str(lowered.compiler_ir()) == lowered.as_text("jaxpr")
    with pytest.raises(NotImplementedError, match="no dialect 'stablehlo'.*Jaxpr"):
        lowered.as_text("stablehlo")
    with pytest.raises(NotImplementedError, match="compiler_options.*fnx.config"):
        lowered.compile({"fast": True})
    assert lowered.compile({}).fun_name == "model"


def test_compiled() -> None:
    compiled = fnx.jit(model).lower({"w": Y}, X).compile()
    expected = np.tanh(np.asarray(X) @ np.asarray(Y))
    np.testing.assert_allclose(compiled({"w": Y}, X)["out"], expected, rtol=1e-6)
    np.testing.assert_allclose(compiled.call({"w": np.asarray(Y)}, X)["out"], expected, rtol=1e-6)
    assert "dot_general" in compiled.as_text() and compiled.explain()["steps"]
    assert "def " in compiled.source()
    memory = compiled.memory_analysis()
    assert (memory.argument_size_in_bytes, memory.output_size_in_bytes) == (72, 32 + 48)
    assert memory.alias_size_in_bytes == 0 and memory.temp_size_in_bytes >= 0
    (_, placed), _ = compiled.input_shardings
    assert placed == compiled.output_shardings["out"] == X.sharding
    executable = compiled.runtime_executable()
    out, _ = executable([np.asarray(Y), np.asarray(X)])
    np.testing.assert_allclose(out, expected, rtol=1e-6)


def test_donated_memory_is_counted() -> None:
    compiled = fnx.jit(lambda x, y: x + y, donate_argnums=0).lower(X, X).compile()
    assert compiled.memory_analysis().alias_size_in_bytes == 24
    x = X + 0
    compiled(x, X)
    assert x.is_deleted()


def test_nan_is_found_in_compiled_programs() -> None:
    compiled = fnx.jit(lambda x: jnp.log(x) + x, donate_argnums=0).lower(jnp.ones(2)).compile()
    assert np.isnan(compiled(jnp.array([1.0, -1.0]))[1])
    with fnx.debug_nans(True), pytest.raises(FloatingPointError, match="log: NaN.*from -1 to 1"):
        compiled(jnp.array([1.0, -1.0]))


def test_static_arguments_are_left_out_of_the_compiled_call() -> None:
    compiled = fnx.jit(lambda n, x: x * n, static_argnums=0).lower(3, 2.0).compile()
    assert float(compiled(5.0)) == 15
    with pytest.raises(TypeError, match="compiled with"):
        compiled(3, 5.0)


def test_compiled_programs_can_be_transformed() -> None:
    compiled = fnx.jit(lambda x: jnp.sin(x)).lower(1.0).compile()
    assert float(fnx.grad(compiled)(0.0)) == 1
    np.testing.assert_allclose(fnx.vmap(compiled)(jnp.ones(2)), np.sin(np.ones(2)), rtol=1e-6)
    assert float(fnx.jit(lambda x: compiled(x) + 1)(0.0)) == 1


def test_programs_in_a_trace() -> None:
    @fnx.jit
    def outer(x: Any) -> Any:
        compiled = fnx.jit(lambda y: x * y).lower(2.0).compile()
        with pytest.raises(NotImplementedError, match="captured traced values"):
            compiled.source()
        return compiled(3.0)

    assert float(outer(5.0)) == 15


@pytest.mark.parametrize(
    ("args", "kwargs", "words"),
    [
        (({"w": Y}, X[:1]), {}, r"x: called with f32\[1,3\], compiled for f32\[2,3\]"),
        (({"w": Y.astype("int32")}, X), {}, r"params\['w'\]: called with i32\[3,4\], compiled for"),
        (
            ({"w": Y},),
            {},
            "args: compiled with a tuple of length 2, called with a tuple of length 1",
        ),
        (({"v": Y}, X), {}, r"args\[0\]: compiled with .*'w'.*'v'"),
        (({"w": Y}, X), {"scale": 1.0}, "kwargs: compiled with.*scale"),
        (({"w": Y}, "text"), {}, "x is str"),
    ],
)
def test_other_arguments_are_refused(args: Any, kwargs: Any, words: str) -> None:
    compiled = fnx.jit(model).lower({"w": Y}, X).compile()
    with pytest.raises(TypeError, match=rf"(?s)compiled model.*{words}"):
        compiled(*args, **kwargs)
