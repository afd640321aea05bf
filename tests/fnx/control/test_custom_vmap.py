"""Functions with their own rule for a mapped axis; rules are wrong on purpose, to be seen."""

from __future__ import annotations

import numpy as np
import pytest

import fnx
import fnx.numpy as jnp
from fnx.custom_batching import custom_vmap, sequential_vmap
from fnx.experimental.jet import jet

both = pytest.mark.parametrize("wrap", [lambda f: f, fnx.jit], ids=["eager", "jit"])
POINTS = jnp.asarray([0.1, 0.2, 0.3], "float64")


@pytest.fixture
def marked():
    """sin(x) y, whose rule gives cos(x) y, and what the rule was called with."""
    calls = []

    @custom_vmap
    def f(x, y=2.0):
        return {"out": jnp.sin(x) * y}

    @f.def_vmap
    def rule(axis_size, in_batched, x, y):
        calls.append((axis_size, tuple(in_batched), jnp.shape(x), jnp.shape(y)))
        return {"out": jnp.cos(x) * y}, {"out": any(in_batched)}

    return f, calls


@both
def test_the_function_without_an_axis(wrap, marked):
    f, calls = marked
    assert float(wrap(f)(0.5)["out"]) == pytest.approx(2 * np.sin(0.5), rel=1e-6)
    assert float(wrap(fnx.grad(lambda x: f(x, 3.0)["out"]))(0.5)) == pytest.approx(
        3 * np.cos(0.5), rel=1e-6
    )
    assert not calls


@both
def test_the_rule_with_an_axis(wrap, marked):
    f, calls = marked
    out = wrap(fnx.vmap(lambda x: f(x, y=3.0)))(POINTS)["out"]
    np.testing.assert_allclose(out, 3 * np.cos(POINTS), rtol=1e-12)
    assert calls == [(3, (True, False), (3,), ())]


@both
def test_an_axis_that_is_not_in_front(wrap, marked):
    f, calls = marked
    x = jnp.asarray(np.arange(6.0).reshape(2, 3))
    out = wrap(fnx.vmap(f, in_axes=(1, None), out_axes=1))(x, 2.0)["out"]
    np.testing.assert_allclose(out, np.cos(x) * 2, rtol=1e-12)
    assert calls == [(3, (True, False), (3, 2), ())]


@both
def test_nested_axes_apply_the_rule_at_the_inner_one(wrap, marked):
    f, _ = marked
    grid = jnp.stack([POINTS, 2 * POINTS])
    out = wrap(fnx.vmap(fnx.vmap(f)))(grid, grid)["out"]
    np.testing.assert_allclose(out, np.cos(grid) * grid, rtol=1e-12)


@both
def test_forward_mode_keeps_the_rule(wrap, marked):
    f, _ = marked

    def push(x, t):
        return fnx.jvp(lambda x: f(x)["out"], (x,), (t,))

    out, tangent = wrap(fnx.vmap(push, (0, None)))(POINTS, jnp.float64(1))
    np.testing.assert_allclose(out, 2 * np.cos(POINTS), rtol=1e-12)
    np.testing.assert_allclose(tangent, -2 * np.sin(POINTS), rtol=1e-12)
    _, tangent = wrap(fnx.vmap(push, (None, 0)))(jnp.float64(0.5), POINTS)
    np.testing.assert_allclose(tangent, -2 * np.sin(0.5) * POINTS, rtol=1e-12)


@both
def test_derivatives_of_the_mapped_function_are_those_of_the_rule(wrap, marked):
    f, _ = marked
    total = fnx.grad(lambda x: jnp.sum(fnx.vmap(f)(x, x)["out"]))
    expected = np.cos(POINTS) - POINTS * np.sin(POINTS)
    np.testing.assert_allclose(wrap(total)(POINTS), expected, rtol=1e-12)


@both
def test_mapped_reverse_mode_has_the_values_of_the_rule(wrap, marked):
    f, _ = marked
    values, slopes = wrap(fnx.vmap(fnx.value_and_grad(lambda x: f(x)["out"])))(POINTS)
    np.testing.assert_allclose(values, 2 * np.cos(POINTS), rtol=1e-12)
    np.testing.assert_allclose(slopes, 2 * np.cos(POINTS), rtol=1e-12)  # of the function


@both
def test_series(wrap, marked):
    f, _ = marked
    one = jnp.float64(1)
    _, terms = wrap(lambda x: jet(lambda x: f(x)["out"], (x,), ([one, 0 * one],)))(one)
    np.testing.assert_allclose(terms, [2 * np.cos(1), -2 * np.sin(1)], rtol=1e-12)


def test_a_result_that_is_not_mapped():
    @custom_vmap
    def f(x):
        return x

    f.def_vmap(lambda axis_size, in_batched, x: (jnp.sum(x), False))
    assert float(fnx.vmap(f, out_axes=None)(POINTS)) == pytest.approx(0.6)


@both
@pytest.mark.parametrize("in_axes", [(0, 0), (0, None), (None, 0)])
def test_sequential_vmap_is_a_loop(wrap, in_axes):
    @sequential_vmap
    def f(x, y):
        return {"product": x @ y, "first": x}

    x = jnp.asarray(np.arange(6.0).reshape(2, 3)) if in_axes[0] == 0 else POINTS
    y = jnp.asarray(np.arange(6.0, 12.0).reshape(2, 3)) if in_axes[1] == 0 else POINTS
    out = wrap(fnx.vmap(f, in_axes))(x, y)
    xs, ys = np.broadcast_to(x, (2, 3)), np.broadcast_to(y, (2, 3))
    np.testing.assert_allclose(out["product"], np.einsum("ij,ij->i", xs, ys), rtol=1e-12)
    np.testing.assert_array_equal(out["first"], xs)


@both
def test_sequential_vmap_calls_a_callback_for_each_lane(wrap):
    seen = []

    @sequential_vmap
    def f(x):
        number = fnx.ShapeDtypeStruct((), x.dtype)
        return fnx.pure_callback(lambda x: seen.append(np.shape(x)) or x, number, x)

    np.testing.assert_array_equal(wrap(fnx.vmap(f))(POINTS), POINTS)
    assert seen == [()] * 3


def test_a_missing_rule():
    with pytest.raises(AttributeError, match=r"custom_vmap of .*: no rule was set.*def_vmap"):
        custom_vmap(lambda x: x)(1.0)


@pytest.mark.parametrize(
    ("error", "message", "result"),
    [
        (TypeError, r"must give a pair \(out, out_batched\), it gave Array", lambda x: x),
        (ValueError, r"out_batched must have the structure.*\[\*\]", lambda x: (x, [True])),
        (TypeError, r"out_batched must hold bools, entry 0 is int", lambda x: (x, 1)),
        (
            ValueError,
            r"result 0 is mapped, but it is f64\[\], without a leading axis of size 3",
            lambda x: (jnp.sum(x), True),
        ),
    ],
)
def test_rules_that_are_wrong(error, message, result):
    f = custom_vmap(lambda x: x)
    f.def_vmap(lambda axis_size, in_batched, x: result(x))
    with pytest.raises(error, match=message):
        fnx.vmap(f)(POINTS)


def test_a_captured_value_that_is_mapped_is_refused():
    @custom_vmap
    def add(x, y):
        return x + y

    add.def_vmap(lambda axis_size, in_batched, x, y: (x + y, any(in_batched)))

    def outer(y):
        @custom_vmap
        def f(x):
            return x + y

        f.def_vmap(lambda axis_size, in_batched, x: (x, in_batched[0]))
        return fnx.jit(f)(1.0)

    with pytest.raises(TypeError, match=r"captures a mapped value.*Pass it as an argument"):
        fnx.vmap(outer)(POINTS)
    np.testing.assert_allclose(fnx.vmap(lambda y: fnx.jit(add)(1.0, y))(POINTS), 1 + POINTS)
