"""Splitting derivatives: the value once, the linear part as often as one likes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import fnx
import fnx.numpy as jnp
from fnx import lax
from fnx.core.check import check_jaxpr
from fnx.core.jaxpr import eval_jaxpr
from fnx.core.types import ShapedArray
from fnx.transforms.jvp import stage_closed
from fnx.transforms.linearize import linearize_flat, linearize_jaxpr, replay

X, T = np.array([0.3, -1.2, 2.0]), np.array([1.0, 0.5, -2.0])
F64 = ShapedArray((3,), np.dtype(np.float64))


def function(x: Any, y: Any) -> Any:
    return {"p": jnp.sin(x) * y, "q": jnp.sum(x * x)}


@pytest.mark.parametrize("wrap", [lambda f: f, fnx.jit], ids=["eager", "compiled"])
def test_equals_jvp(wrap: Any) -> None:
    f = wrap(function)
    out, along = fnx.linearize(f, X, T)
    for direction in ((T, X), (X, 0 * X)):
        wanted_out, wanted = fnx.jvp(f, (X, T), direction)
        for a, b in zip(fnx.tree.leaves((out, along(*direction))),
                        fnx.tree.leaves((wanted_out, wanted)), strict=True):  # fmt: skip
            np.testing.assert_allclose(a, b, rtol=1e-13)


def test_the_function_runs_once() -> None:
    calls = []
    _, along = fnx.linearize(lambda x: calls.append(1) or jnp.exp(x), X)
    along(T), along(X)
    assert len(calls) == 1


def test_the_linear_part_can_be_transformed() -> None:
    _, along = fnx.linearize(jnp.sin, X)
    matrix = fnx.vmap(along)(jnp.eye(3, dtype="float64"))
    np.testing.assert_allclose(matrix, np.diag(np.cos(X)))
    np.testing.assert_allclose(fnx.jit(along)(T), np.cos(X) * T)
    np.testing.assert_allclose(
        fnx.grad(lambda t: jnp.sum(along(t) ** 2))(T), 2 * np.cos(X) ** 2 * T
    )
    np.testing.assert_allclose(fnx.linear_transpose(along, T)(X)[0], np.cos(X) * X)


def test_the_point_can_be_differentiated_through() -> None:
    slope = fnx.grad(lambda x: jnp.sum(fnx.linearize(jnp.sin, x)[1](T)))(X)
    np.testing.assert_allclose(slope, -np.sin(X) * T)


def test_constants_and_auxiliary_results() -> None:
    out, along, aux = fnx.linearize(lambda x: ((x, 3.0), "text"), 2.0, has_aux=True)
    assert aux == "text" and float(out[1]) == 3
    tangent = along(5.0)
    assert (float(tangent[0]), float(tangent[1])) == (5, 0) and tangent[1].weak_type


def test_errors() -> None:
    _, along = fnx.linearize(function, X, T)
    with pytest.raises(TypeError, match="one structure"):
        along(X)
    with pytest.raises(ValueError, match=r"tangents\[1\] must be f64\[3\]"):
        along(X, 1.0)


def test_what_does_not_depend_is_not_on_the_tape() -> None:
    outs, linearized = linearize_flat(
        lambda x, y: [jnp.exp(y), x * jnp.exp(y)], [jnp.asarray(X), jnp.asarray(T)]
    )
    assert all(o is not None for o in linearized.outputs)
    np.testing.assert_allclose(
        replay(linearized, [jnp.asarray(T), jnp.asarray(0 * T)])[1], T * np.exp(T)
    )
    _, constant = linearize_flat(lambda x: [jnp.ones(3)], [jnp.asarray(X)])
    assert constant.outputs == [None] and not constant.tape.eqns


def test_program_to_program() -> None:
    jaxpr = stage_closed(lambda x, y: [jnp.sin(x) * y, jnp.exp(y)], [F64, F64], "f")
    split = linearize_jaxpr(jaxpr, (True, False))
    check_jaxpr(split.primal), check_jaxpr(split.tangent)
    assert split.nonzero_out == (True, False)
    results = eval_jaxpr(split.primal, jnp.asarray(X), jnp.asarray(T))
    residuals = results[2:]
    assert len(residuals) == split.residuals
    (tangent,) = eval_jaxpr(split.tangent, *residuals, jnp.asarray(T))
    np.testing.assert_allclose(tangent, np.cos(X) * T * T)
    # A residual that is an input isn't computed again: it is known as one.
    assert [f for f in split.forwarded if f is not None] == [1] or split.residuals == 1


def test_residuals_of_a_loop_are_stacked_or_shared() -> None:
    def loop(w: Any, xs: Any) -> Any:
        return lax.scan(lambda c, x: (jnp.tanh(c * w + x), c), 0.5, xs)

    w, xs = np.float64(0.7), X
    (last, _), along = fnx.linearize(lambda w: loop(w, xs), w)
    h = 1e-6
    wanted = (np.asarray(loop(w + h, xs)[0]) - np.asarray(loop(w - h, xs)[0])) / (2 * h)
    np.testing.assert_allclose(along(np.float64(1))[0], wanted, rtol=1e-7)
