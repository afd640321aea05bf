"""custom_jvp and custom_vjp whose rules capture arrays, or hold loops and branches.

What a rule captures must reach it through every transform of a traced program; a loop in a rule
that carries values and tangents together must still be transposed. References are closed forms.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import fnx
import fnx.numpy as jnp
from fnx import lax
from fnx.experimental.jet import jet

MATRIX = np.array([[1.0, 2.0], [3.0, 4.0]])
POINT = np.array([1.0, 2.0])
WRAPS = pytest.mark.parametrize("wrap", [lambda f: f, fnx.jit], ids=["eager", "compiled"])


def forward_rule(matrix: Any) -> Callable[..., Any]:
    """``n * matrix @ x``, and an integer; its derivative is said to be twice as large."""

    @fnx.custom_jvp
    def scaled(x: Any, n: Any) -> Any:
        return jnp.matmul(matrix, x) * n, n + 1

    def rule(primals: Any, tangents: Any) -> Any:
        tangent = 2 * jnp.matmul(matrix, tangents[0]) * primals[1]
        return scaled(*primals), (tangent, np.zeros((), fnx.float0))

    scaled.defjvp(rule)
    return scaled


def reverse_rule(matrix: Any) -> Callable[..., Any]:
    """The same with a pullback."""

    @fnx.custom_vjp
    def scaled(x: Any, n: Any) -> Any:
        return jnp.matmul(matrix, x) * n, n + 1

    def backward(n: Any, cts: Any) -> Any:
        return 2 * jnp.matmul(jnp.transpose(matrix), cts[0]) * n, None

    scaled.defvjp(lambda x, n: (scaled(x, n), n), backward)
    return scaled


@pytest.mark.parametrize("make", [forward_rule, reverse_rule])
def test_rule_that_captures_an_array(make: Callable[..., Any]) -> None:
    function = make(jnp.asarray(MATRIX))

    def loss(x: Any, n: Any) -> Any:
        return jnp.sum(function(x, n)[0] ** 2)

    x = jnp.asarray(POINT)
    wanted = 2 * 3 * 3 * 2 * MATRIX.T @ MATRIX @ POINT
    gradient = fnx.grad(loss)
    for found in (
        gradient(x, 3),
        fnx.jit(gradient)(x, 3),
        fnx.grad(fnx.jit(loss))(x, 3),
        fnx.jit(fnx.vmap(gradient, (0, None)))(jnp.stack([x, x]), 3)[1],
        fnx.vmap(fnx.grad(fnx.jit(loss)), (0, None))(jnp.stack([x, x]), 3)[0],
        fnx.grad(lambda x: lax.cond(True, loss, loss, x, 3))(x),
        fnx.jit(lambda x: fnx.grad(lambda y: lax.cond(jnp.sum(y) > 0, loss, loss, y, 3))(x))(x),
    ):
        np.testing.assert_allclose(np.asarray(found), wanted, rtol=1e-14)
    direction = jnp.asarray([0.5, -1.0], "float64")
    pushed = fnx.jvp(lambda x: loss(x, 3), (x,), (direction,))[1]
    np.testing.assert_allclose(float(pushed), wanted @ np.asarray(direction), rtol=1e-14)


@pytest.mark.parametrize("make", [forward_rule, reverse_rule])
def test_forward_mode_of_a_rule_that_captures_an_array(make: Callable[..., Any]) -> None:
    def first(x: Any) -> Any:
        return make(jnp.asarray(MATRIX))(x, 3)[0]

    x, v = jnp.asarray(POINT), jnp.asarray([0.5, -1.0], "float64")
    wanted = 2 * 3 * MATRIX @ np.asarray(v)
    np.testing.assert_allclose(np.asarray(fnx.jvp(first, (x,), (v,))[1]), wanted)
    np.testing.assert_allclose(np.asarray(fnx.linearize(first, x)[1](v)), wanted)
    np.testing.assert_allclose(np.asarray(fnx.vmap(first)(x[None]))[0], 3 * MATRIX @ POINT)
    np.testing.assert_allclose(np.asarray(fnx.jacfwd(first)(x)), 6 * MATRIX)
    np.testing.assert_allclose(np.asarray(jet(first, (x,), ([v],))[1][0]), wanted)


@pytest.mark.parametrize("make", [forward_rule, reverse_rule])
def test_rule_that_captures_a_tracer_of_a_transform_around(make: Callable[..., Any]) -> None:
    @fnx.jit
    def gradient(matrix: Any, x: Any) -> Any:
        return fnx.grad(lambda y: jnp.sum(fnx.jit(make(matrix))(y, 3)[0]))(x)

    found = gradient(jnp.asarray(MATRIX), jnp.asarray(POINT))
    np.testing.assert_allclose(np.asarray(found), 6 * MATRIX.sum(axis=0))


def loop(x: Any) -> Any:
    """x to the fourth, by a counted loop with a branch in it."""
    return lax.fori_loop(
        0, 3, lambda i, c: lax.cond(i >= 0, lambda c: c * x, lambda c: c + x, c), x
    )


def search(x: Any) -> Any:
    """x to the fourth, by a loop whose length depends on the data."""
    return lax.while_loop(lambda s: s[0] < 3, lambda s: (s[0] + 1, s[1] * x), (0, x))[1]


@pytest.mark.parametrize("function", [loop, search])
@pytest.mark.parametrize("compiled", [False, True])
def test_rule_that_holds_a_loop(function: Callable[..., Any], compiled: bool) -> None:
    wrapped = fnx.custom_jvp(function)
    wrapped.defjvp(lambda primals, tangents: fnx.jvp(function, primals, tangents))
    x = jnp.asarray([0.5, -1.5], "float64")
    run = fnx.jit if compiled else lambda f: f
    gradient = fnx.grad(lambda x: jnp.sum(wrapped(x)))
    np.testing.assert_allclose(np.asarray(run(gradient)(x)), 4 * np.asarray(x) ** 3)
    second = fnx.grad(lambda x: jnp.sum(gradient(x)))
    np.testing.assert_allclose(np.asarray(run(second)(x)), 12 * np.asarray(x) ** 2)
    np.testing.assert_allclose(
        np.asarray(run(fnx.jacrev(wrapped))(x)), np.diag(4 * np.asarray(x) ** 3)
    )


def test_rule_is_asked_for_only_when_it_is_needed() -> None:
    @fnx.custom_jvp
    def plain(x: Any) -> Any:
        return x * 2.0

    def rule(primals: Any, tangents: Any) -> Any:
        raise ValueError("no derivative here")

    plain.defjvp(rule)
    assert float(fnx.jit(plain)(3.0)) == 6.0
    with pytest.raises(ValueError, match="no derivative here"):
        fnx.jit(fnx.grad(plain))(3.0)


def test_rule_that_calls_its_own_function_is_not_followed_without_end() -> None:
    calls = []

    @fnx.custom_jvp
    def twice(x: Any) -> Any:
        return x * 2.0

    def rule(primals: Any, tangents: Any) -> Any:
        calls.append(primals)
        return twice(*primals), 2.0 * tangents[0]

    twice.defjvp(rule)
    assert float(fnx.jit(twice)(3.0)) == 6.0
    assert len(calls) <= 1
    calls.clear()
    assert float(fnx.jit(fnx.grad(twice))(3.0)) == 2.0
    assert len(calls) <= 4


# ----------------------------------------------------------------- forward mode of custom_vjp


def tripled(forward: str) -> Any:
    """x sin(y) with a rule that says three times the derivative, to tell the two ways apart."""
    f = fnx.custom_vjp(lambda x, y: x * jnp.sin(y), forward=forward)

    def bwd(saved: Any, ct: Any) -> Any:
        x, y = saved
        return 3 * jnp.sin(y) * ct, 3 * x * jnp.cos(y) * ct

    f.defvjp(lambda x, y: (x * jnp.sin(y), (x, y)), bwd)
    return f


@WRAPS
@pytest.mark.parametrize(("forward", "factor"), [("rule", 3.0), ("function", 1.0)])
def test_forward_mode_follows_what_was_chosen(wrap: Any, forward: str, factor: float) -> None:
    f, x, y = tripled(forward), np.float64(2.0), np.float64(0.7)
    slopes = np.array([np.sin(y), x * np.cos(y)])
    for k in (0, 1):
        np.testing.assert_allclose(wrap(fnx.grad(f, k))(x, y), 3 * slopes[k], rtol=1e-12)
        np.testing.assert_allclose(wrap(fnx.jacfwd(f, k))(x, y), factor * slopes[k], rtol=1e-12)
    lanes = np.array([0.7, 1.1])
    found = wrap(fnx.vmap(fnx.jacfwd(f, 1), (None, 0)))(x, lanes)
    np.testing.assert_allclose(found, factor * x * np.cos(lanes), rtol=1e-12)
    found = wrap(lambda y: fnx.linearize(lambda y: f(x, y), y)[1](1.0))(y)
    np.testing.assert_allclose(found, 3 * slopes[1], rtol=1e-12)  # linearize is reverse mode's half
    one, zero = np.float64(1), np.float64(0)
    value, terms = wrap(lambda y: jet(lambda y: f(x, y), (y,), ([one, zero, zero],)))(y)
    np.testing.assert_allclose(value, x * np.sin(y), rtol=1e-12)
    wanted = [x * np.cos(y), -x * np.sin(y), -x * np.cos(y)]
    np.testing.assert_allclose(np.asarray(terms), factor * np.array(wanted), rtol=1e-12)


@WRAPS
@pytest.mark.parametrize("forward", ["rule", "function"])
def test_hessians_of_a_rule_that_is_right(wrap: Any, forward: str) -> None:
    f = fnx.custom_vjp(lambda x, n: jnp.exp(x * x) * n, forward=forward)
    f.defvjp(lambda x, n: (f(x, n), (x, n)), lambda r, ct: (2 * r[0] * f(*r) * ct, None))
    x = np.float64(0.7)
    second = 2 * (2 + 4 * x * x) * np.exp(x * x)
    for inner in (fnx.jacfwd, fnx.jacrev):
        for outer in (fnx.jacfwd, fnx.jacrev):
            np.testing.assert_allclose(wrap(outer(inner(f)))(x, 2), second, rtol=1e-12)
    third = 2 * (12 * x + 8 * x**3) * np.exp(x * x)
    found = wrap(fnx.jacfwd(fnx.jacfwd(fnx.grad(f))))(x, 2)
    np.testing.assert_allclose(found, third, rtol=1e-12)


@WRAPS
def test_the_function_may_capture_what_is_differentiated_in_forward_mode(wrap: Any) -> None:
    def outer(a: Any) -> Any:
        f = fnx.custom_vjp(lambda x: a * x * x, forward="function")
        f.defvjp(lambda x: (f(x), x), lambda x, ct: (2 * a * x * ct,))
        return lax.cond(a > 0, f, lambda x: x, a)

    a = np.float64(1.5)
    np.testing.assert_allclose(wrap(fnx.jacfwd(outer))(a), 3 * a * a, rtol=1e-12)


def test_forward_must_be_one_of_two() -> None:
    with pytest.raises(ValueError, match='must be "rule" or "function", got \'both\''):
        fnx.custom_vjp(jnp.sin, forward="both")
