"""fori_loop and map; loops in Python under disable_jit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import fnx
import fnx.numpy as jnp
from fnx import lax

WRAPS = pytest.mark.parametrize("wrap", [lambda f: f, fnx.jit], ids=["eager", "compiled"])


@WRAPS
@pytest.mark.parametrize(("lower", "upper"), [(0, 4), (2, 5), (3, 3), (5, 0), (-2, 1)])
def test_fori_loop_is_the_python_loop(wrap: Any, lower: int, upper: int) -> None:
    body = lambda i, c: c * 2 + i  # noqa: E731
    wanted = 1
    for i in range(lower, upper):
        wanted = body(i, wanted)
    assert int(wrap(lambda: lax.fori_loop(lower, upper, body, 1))()) == wanted
    assert int(wrap(lambda a, b: lax.fori_loop(a, b, body, 1))(lower, upper)) == wanted


@WRAPS
def test_derivatives_with_known_and_unknown_bounds(wrap: Any) -> None:
    def power(x: Any, n: Any) -> Any:
        return lax.fori_loop(0, n, lambda i, c: c * x + i, 1.0 * x)

    x = np.float64(1.5)
    known = wrap(fnx.grad(lambda x: power(x, 3)))(x)
    np.testing.assert_allclose(known, 4 * x**3 + 1)
    np.testing.assert_allclose(wrap(fnx.grad(power))(x, 3), known)
    np.testing.assert_allclose(wrap(fnx.jacfwd(power))(x, 3), known)
    lanes = wrap(fnx.vmap(power, (None, 0)))(x, np.arange(4))
    np.testing.assert_allclose(lanes, [power(x, n) for n in range(4)])


def test_types_of_the_index() -> None:
    seen = []

    def body(i: Any, c: Any) -> Any:
        seen.append((i.dtype.name, i.weak_type, i.shape))
        return c

    lax.fori_loop(0, 2, body, 0.0)
    lax.fori_loop(np.int8(0), np.int8(2), body, 0.0)
    assert set(seen) == {("int32", True, ()), ("int8", False, ())}


@WRAPS
def test_arrays_are_written_place_by_place(wrap: Any) -> None:
    out = wrap(lambda: lax.fori_loop(0, 4, lambda i, a: a.at[i].set(i * i), jnp.zeros(4)))()
    np.testing.assert_array_equal(out, [0, 1, 4, 9])


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: lax.fori_loop(0.0, 2, lambda i, c: c, 0), "lower must be an integer scalar"),
        (lambda: lax.fori_loop(0, np.ones(2, int), lambda i, c: c, 0), r"upper.*i64\[2\]"),
        (
            lambda: lax.fori_loop(np.int32(0), np.int8(2), lambda i, c: c, 0),
            r"one dtype, got i32\[\] and i8\[\]",
        ),
        (lambda: lax.fori_loop(0, 2, lambda i, c: (c, c), 0), "structure"),
        (lambda: lax.fori_loop(0, 2, lambda i, c: jnp.ones(2), 0.0), r"f32\[2\] on output"),
        (lambda: lax.fori_loop(0, 2, lambda i, c: [1, 2][i], 0), "jnp.take"),
        (lambda: lax.fori_loop(0, 2, 3, 0), "expected a function"),
    ],
)
def test_errors(call: Any, words: str) -> None:
    with pytest.raises(TypeError, match=words):
        call()


@WRAPS
def test_map(wrap: Any) -> None:
    xs = np.arange(6.0).reshape(3, 2)
    np.testing.assert_array_equal(wrap(lambda x: lax.map(jnp.sum, x))(xs), xs.sum(1))
    out = wrap(lambda x: lax.map(lambda t: {"s": t[0] + t[1]}, (x, x)))(xs)
    np.testing.assert_array_equal(out["s"], 2 * xs)
    slope = wrap(fnx.grad(lambda x: jnp.sum(lax.map(jnp.sin, x))))(xs)
    np.testing.assert_allclose(slope, np.cos(xs))
    np.testing.assert_array_equal(lax.map(jnp.sum, xs, batch_size=2), xs.sum(1))


def body(c: Any, x: Any) -> Any:
    """A body that looks at values."""
    return (c + x if x > 1 else c), {"c": c}


def test_disable_jit_runs_bodies_in_python() -> None:
    xs = np.array([1.0, 2.0, 3.0])
    with fnx.disable_jit():
        carry, ys = lax.scan(body, 0.0, xs)
        back = lax.scan(body, 0.0, xs, reverse=True)[1]["c"]
        looped = lax.while_loop(lambda c: c < 10, lambda c: c * 2 if c > 0 else c, 1.0)
        counted = lax.fori_loop(0, 3, lambda i, c: c + [1.0, 2.0, 3.0][i], 0.0)
        chosen = lax.cond(True, lambda x: 1.0 if x > 0 else 2.0, lambda x: 3.0, 1.0)
        switched = lax.switch(1, [lambda x: x, lambda x: float(x) * 2], 4.0)
        empty = lax.scan(lambda c, x: (c, x), 0.0, np.zeros(0))[1]
        slope = fnx.grad(lambda x: lax.scan(lambda c, y: (c * x if y > 1 else c, None), x, xs)[0])(
            2.0
        )
        pushed = fnx.jvp(
            lambda x: lax.while_loop(lambda c: c < 9.0, lambda c: c * x, x), (2.0,), (1.0,)
        )
    assert float(carry) == 5 and float(looped) == 16 and float(counted) == 6
    np.testing.assert_array_equal(ys["c"], [0, 0, 2])
    np.testing.assert_array_equal(back, [5, 3, 0])
    assert float(chosen) == 1 and type(chosen) is fnx.Array and float(switched) == 8
    assert empty.shape == (0,) and float(slope) == 12
    assert (float(pushed[0]), float(pushed[1])) == (16, 32)


def test_disable_jit_with_mapped_values_and_under_a_trace() -> None:
    f = lambda x: lax.while_loop(lambda c: c < 9.0, lambda c: c * 2.0, x)  # noqa: E731
    with fnx.disable_jit():
        np.testing.assert_array_equal(fnx.vmap(f)(np.array([1.0, 3.0])), [16.0, 12.0])
        ys = fnx.vmap(lambda x: lax.scan(lambda c, _: (c * x, c), x, None, 3)[1])(
            np.arange(1.0, 3.0)
        )
        np.testing.assert_array_equal(ys, [[1, 1, 1], [2, 4, 8]])
        assert len(fnx.make_jaxpr(f)(1.0).eqns) == 1  # a program is still a program
