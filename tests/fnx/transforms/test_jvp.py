"""Forward mode: values, structural zeros, integers, auxiliary results, errors."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import fnx
import fnx.numpy as jnp
from fnx.core.jaxpr import eval_jaxpr
from fnx.core.primitive import Zero
from fnx.core.types import ShapedArray
from fnx.transforms.jvp import instantiate, is_zero, jvp_flat, jvp_jaxpr, stage_closed

X, T = np.array([0.3, -1.2, 2.0]), np.array([1.0, 0.5, -2.0])
F64 = ShapedArray((3,), np.dtype(np.float64))


def differences(function: Any, x: np.ndarray, t: np.ndarray, h: float = 1e-6) -> np.ndarray:
    return (np.asarray(function(x + h * t)) - np.asarray(function(x - h * t))) / (2 * h)


@pytest.mark.parametrize("wrap", [lambda f: f, fnx.jit], ids=["eager", "compiled"])
def test_against_differences(wrap: Any) -> None:
    function = wrap(lambda x: jnp.tanh(x) * jnp.sum(x**2) + jnp.flip(x))
    out, tangent = fnx.jvp(function, (X,), (T,))
    np.testing.assert_allclose(out, function(X), rtol=1e-12)
    np.testing.assert_allclose(tangent, differences(function, X, T), rtol=1e-7)


def test_trees_and_several_arguments() -> None:
    def function(p: Any, y: Any) -> Any:
        return {"a": p["w"] * y, "n": (p["b"],)}

    p, t = {"w": X, "b": np.ones(())}, {"w": T, "b": np.full((), 3.0)}
    out, tangent = fnx.jvp(function, (p, 2.0), (t, 1.0))
    np.testing.assert_allclose(tangent["a"], T * 2 + X)
    assert float(tangent["n"][0]) == 3 and fnx.tree.structure(out) == fnx.tree.structure(tangent)


def test_results_that_do_not_depend_have_zero_tangents() -> None:
    out, tangent = fnx.jvp(lambda x: (x, jnp.ones(2), 3), (1.0,), (1.0,))
    np.testing.assert_array_equal(tangent[1], np.zeros(2))
    assert tangent[2].dtype == fnx.float0 and int(out[2]) == 3


def test_structural_zeros_are_not_computed() -> None:
    outs, tangents = jvp_flat(
        lambda x, y: [x * y, jnp.sin(y)],
        [jnp.ones(3), jnp.ones(3)],
        [jnp.ones(3), Zero(ShapedArray((3,), np.dtype(np.float32)))],
    )
    assert not is_zero(tangents[0]) and is_zero(tangents[1])
    np.testing.assert_array_equal(instantiate(tangents[1]), np.zeros(3))


def test_tangents_are_as_weak_as_their_primals() -> None:
    assert fnx.jvp(lambda x: x * 2, (1.0,), (np.float32(1),))[1].weak_type
    assert not fnx.jvp(lambda x: x * 2, (np.float32(1),), (1.0,))[1].weak_type
    assert fnx.jvp(lambda x: x, (np.float64(1),), (1.0,))[1].dtype == np.float64


def test_auxiliary_results_may_be_anything() -> None:
    out, tangent, aux = fnx.jvp(
        lambda x: (x * 2, {"name": "loss", "value": x, "n": 3}), (3.0,), (1.0,), has_aux=True
    )
    assert (float(out), float(tangent)) == (6, 2)
    assert aux["name"] == "loss" and aux["n"] == 3 and float(aux["value"] + 1) == 4


@pytest.mark.parametrize(
    ("primals", "tangents", "error", "words"),
    [
        ((X,), (1.0,), ValueError, r"tangents\[0\] must be f64\[3\].*~f32\[\](.|\n)*test_jvp.py"),
        ((X,), (1.0,), TypeError, "must be"),
        (({"w": 1.0},), ({"w": 1},), TypeError, r"tangents\[0\]\['w'\].*f32\[\].*i32\[\]"),
        ((1.0,), (1.0, 2.0), TypeError, "one structure"),
        ((1.0,), (None,), TypeError, "one structure"),
        (1.0, 1.0, TypeError, "tuples or lists"),
        ((1,), (1,), TypeError, "float0"),
        ((1.0,), (1j,), TypeError, "must be f32"),
    ],
)
def test_errors(primals: Any, tangents: Any, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        fnx.jvp(lambda x: x, primals, tangents)


def test_what_is_no_function() -> None:
    with pytest.raises(TypeError, match=r"Write jvp\(f\)\(x\)"):
        fnx.jvp(jnp.ones(2), (1.0,), (1.0,))  # type: ignore[arg-type]


def test_program_to_program() -> None:
    jaxpr = stage_closed(lambda x, y: [x * y, jnp.cos(y)], [F64, F64], "f")
    program, nonzero = jvp_jaxpr(jaxpr, (True, False))
    assert nonzero == (True, False) and len(program.in_vars) == 3 and len(program.outs) == 3
    x, y, t = jnp.asarray(X), jnp.asarray(T), jnp.asarray(X * 2)
    np.testing.assert_allclose(eval_jaxpr(program, x, y, t)[2], X * 2 * T)
    kept, nonzero = jvp_jaxpr(jaxpr, (True, False), (True, True))
    assert nonzero == (True, True)
    np.testing.assert_array_equal(eval_jaxpr(kept, x, y, t)[3], np.zeros(3))
    assert jvp_jaxpr(jaxpr, (True, False))[0] is program  # made once


def test_rules_must_not_capture_arrays() -> None:
    table = jnp.arange(3.0)
    with pytest.raises(TypeError, match=r"a rule captured f32\[3\]"):
        stage_closed(lambda x: [x * table], [table.aval], "f")
