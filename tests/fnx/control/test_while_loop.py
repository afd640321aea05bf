"""while_loop: values, carries, reverse mode of unknown length, lanes of their own length."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import fnx
import fnx.numpy as jnp
from fnx import lax
from fnx.core.check import check_jaxpr

WRAPS = pytest.mark.parametrize("wrap", [lambda f: f, fnx.jit], ids=["eager", "compiled"])


def grown(x: Any, limit: Any = 10.0) -> Any:
    """x, multiplied by sin(x) + 2 until it passes the limit."""
    return lax.while_loop(lambda c: c < limit, lambda c: c * (jnp.sin(x) + 2.0), x)


def in_python(x: float, limit: float = 10.0) -> tuple[float, int]:
    c, n = x, 0
    while c < limit:
        c, n = c * (np.sin(x) + 2.0), n + 1
    return c, n


@WRAPS
@pytest.mark.parametrize("x", [0.7, 3.0, 12.0])
def test_values_and_derivatives(wrap: Any, x: float) -> None:
    value, n = in_python(x)
    a = np.sin(x) + 2.0
    slope = a**n + x * n * a ** (n - 1) * np.cos(x) if n else 1.0
    point = np.float64(x)
    np.testing.assert_allclose(wrap(grown)(point), value, rtol=1e-12)
    np.testing.assert_allclose(wrap(fnx.grad(grown))(point), slope, rtol=1e-12)
    np.testing.assert_allclose(wrap(fnx.jacfwd(grown))(point), slope, rtol=1e-12)
    second = wrap(fnx.grad(fnx.grad(grown)))(point)
    np.testing.assert_allclose(second, fnx.jacfwd(fnx.jacfwd(grown))(point), rtol=1e-11, atol=1e-12)


@WRAPS
def test_lanes_have_their_own_length(wrap: Any) -> None:
    x = np.array([0.7, 3.0, 12.0, 0.1])
    wanted = [in_python(v)[0] for v in x]
    np.testing.assert_allclose(wrap(fnx.vmap(grown))(x), wanted, rtol=1e-12)
    slopes = [float(fnx.grad(grown)(v)) for v in x]
    np.testing.assert_allclose(wrap(fnx.vmap(fnx.grad(grown)))(x), slopes, rtol=1e-12)
    limits = wrap(fnx.vmap(grown, (None, 0)))(np.float64(0.7), np.array([1.0, 50.0]))
    np.testing.assert_allclose(limits, [in_python(0.7, v)[0] for v in (1.0, 50.0)], rtol=1e-12)


@WRAPS
def test_unmapped_predicates_stay_in_step(wrap: Any) -> None:
    def counted(x: Any) -> Any:
        return lax.while_loop(lambda c: c[0] < 4, lambda c: (c[0] + 1, jnp.sin(c[1])), (0, x))

    x = np.array([0.5, 1.0])
    n, out = wrap(fnx.vmap(counted, out_axes=(None, 0)))(x)
    assert int(n) == 4
    np.testing.assert_allclose(out, np.sin(np.sin(np.sin(np.sin(x)))), rtol=1e-12)


@WRAPS
def test_carries(wrap: Any) -> None:
    body = lambda c: {"n": c["n"] + 1, "x": (c["x"][0] * 2,)}  # noqa: E731
    start = {"n": 0, "x": (1.0,)}
    out = wrap(lambda: lax.while_loop(lambda c: c["n"] < 3, body, start))()
    assert int(out["n"]) == 3 and float(out["x"][0]) == 8 and out["n"].weak_type
    assert float(wrap(lambda x: lax.while_loop(lambda c: False, lambda c: c, x))(2.0)) == 2
    widened = wrap(lambda: lax.while_loop(lambda x: x < 10, lambda x: x * 2.5, 1))()
    assert widened.dtype == np.float32 and float(widened) == 15.625
    strong = wrap(lambda: lax.while_loop(lambda x: x < 10, lambda x: x * np.float32(2), 1.0))()
    assert not strong.weak_type


@pytest.mark.parametrize(
    ("predicate", "body", "init", "words"),
    [
        (
            lambda x: x.sum() < 9,
            lambda x: jnp.concatenate([x, x]),
            np.ones(1),
            r"f64\[1\] on input and f64\[2\]",
        ),
        (lambda x: x < 9, lambda x: x.astype("int32"), np.float32(1), "astype"),
        (lambda x: x < 9, lambda x: jnp.int32(3), 1.5, r"~f32\[\] on input and i32\[\] on output"),
        (lambda x: x < 9, lambda x: x > 0, 1.5, "bool"),
        (lambda c: c[0] < 9, lambda c: [c[0] + 1], (1,), "structure"),
        (lambda c: c["w"] < 9, lambda c: {"w": c["w"] * 1j}, {"w": np.float32(1)}, r"carry\['w'\]"),
        (lambda x: x, lambda x: x - 1, 3.0, r"boolean scalar, it gave ~f32\[\]"),
        (lambda x: x < 2, lambda x: x + 1, np.zeros(2), r"boolean scalar, it gave bool\[2\]"),
        (lambda x: (x < 2,), lambda x: x + 1, 0, "boolean scalar"),
        (lambda x: x < 2, lambda x: x + 1 if x > 0 else x, 0, "lax.cond"),
        (lambda x: x < 2, lambda x: x, "text", "str"),
        (3, lambda x: x, 0, "expected a function"),
    ],
)
def test_errors(predicate: Any, body: Any, init: Any, words: str) -> None:
    with pytest.raises(TypeError, match=words):
        lax.while_loop(predicate, body, init)


def test_reverse_mode_of_a_long_loop_of_unknown_length() -> None:
    def long(x: Any) -> Any:
        state = lax.while_loop(lambda c: c[0] < 300, lambda c: (c[0] + 1, c[1] * x), (0, 1.0 * x))
        return state[1]

    x = np.float64(1.001)
    for wrap in (lambda f: f, fnx.jit):
        np.testing.assert_allclose(wrap(fnx.grad(long))(x), 301 * x**300, rtol=1e-12)


def test_programs_are_well_formed() -> None:
    for function in (fnx.grad(grown), fnx.vmap(grown), fnx.jacfwd(grown)):
        argument = np.float64(1) if function is not None else None
        try:
            jaxpr = fnx.jit(function).trace(argument).jaxpr
        except ValueError:  # vmap wants an axis
            jaxpr = fnx.jit(function).trace(np.ones(2)).jaxpr
        check_jaxpr(jaxpr)


@WRAPS
def test_newton_is_differentiated_through(wrap: Any) -> None:
    def root(a: Any) -> Any:
        return lax.while_loop(
            lambda x: jnp.abs(x * x - a) > 1e-12, lambda x: 0.5 * (x + a / x), jnp.maximum(a, 1.0)
        )

    a = np.float64(2)
    np.testing.assert_allclose(wrap(root)(a), np.sqrt(2), rtol=1e-12)
    np.testing.assert_allclose(wrap(fnx.grad(root))(a), 0.5 / np.sqrt(2), rtol=1e-6)
    np.testing.assert_allclose(
        wrap(fnx.vmap(fnx.grad(root)))(np.array([2.0, 9.0])), [0.5 / np.sqrt(2), 1 / 6], rtol=1e-6
    )
