"""Roots found by loops: derivatives against those of the root's closed form."""

from __future__ import annotations

import numpy as np
import pytest

import fnx
import fnx.numpy as jnp
from fnx import lax
from fnx.experimental.jet import jet

both = pytest.mark.parametrize("wrap", [lambda f: f, fnx.jit], ids=["eager", "jit"])
A = jnp.float64(2.0)


def newton(f, x):
    """A loop of unknown length."""
    return lax.while_loop(lambda x: jnp.abs(f(x)) > 1e-14, lambda x: x - f(x) / fnx.grad(f)(x), x)


def cube_root(a):
    return lax.custom_root(
        lambda x: x**3 - a, jnp.ones_like(a), newton, lambda g, y: y / g(jnp.ones_like(y))
    )


@both
@pytest.mark.parametrize(
    ("transform", "expected"),
    [
        (lambda f: f, 2 ** (1 / 3)),
        (fnx.grad, 1 / 3 * 2 ** (-2 / 3)),
        (fnx.jacfwd, 1 / 3 * 2 ** (-2 / 3)),
        (lambda f: fnx.grad(fnx.grad(f)), -2 / 9 * 2 ** (-5 / 3)),
        (lambda f: fnx.jacfwd(fnx.grad(f)), -2 / 9 * 2 ** (-5 / 3)),
        (lambda f: fnx.grad(fnx.jacfwd(fnx.grad(f))), 10 / 27 * 2 ** (-8 / 3)),
    ],
)
def test_derivatives_of_a_cube_root(wrap, transform, expected):
    assert float(wrap(transform(cube_root))(A)) == pytest.approx(expected, rel=1e-12)


@both
def test_lanes_and_series(wrap):
    points = jnp.asarray([1.0, 8.0], "float64")
    np.testing.assert_allclose(wrap(fnx.vmap(cube_root))(points), [1, 2], rtol=1e-13)
    np.testing.assert_allclose(wrap(fnx.vmap(fnx.grad(cube_root)))(points), [1 / 3, 1 / 12])
    one, zero = jnp.float64(1), jnp.float64(0)
    _, terms = wrap(lambda a: jet(cube_root, (a,), ([one, zero],)))(A)
    np.testing.assert_allclose(terms, [2 ** (-2 / 3) / 3, -2 / 9 * 2 ** (-5 / 3)], rtol=1e-12)


@both
def test_a_system_with_further_results(wrap):
    def intersection(radius):
        """Where a circle meets the line x = 2y."""

        def equations(p):
            return {"x": p["x"] ** 2 + p["y"] ** 2 - radius**2, "y": p["x"] - 2 * p["y"]}

        def method(f, p):
            def step(k, p):
                x, y = p["x"], p["y"]
                r = f(p)
                det = -4 * x - 2 * y
                return {
                    "x": x - (-2 * r["x"] - 2 * y * r["y"]) / det,
                    "y": y - (-r["x"] + 2 * x * r["y"]) / det,
                }

            return lax.fori_loop(0, 30, step, p), jnp.int32(30)

        def tangent_solve(g, b):
            one, zero = jnp.ones_like(b["x"]), jnp.zeros_like(b["x"])
            first, second = g({"x": one, "y": zero}), g({"x": zero, "y": one})
            det = first["x"] * second["y"] - second["x"] * first["y"]
            return {
                "x": (second["y"] * b["x"] - second["x"] * b["y"]) / det,
                "y": (first["x"] * b["y"] - first["y"] * b["x"]) / det,
            }

        guess = {"x": jnp.float64(1.0), "y": jnp.float64(1.0)}
        return lax.custom_root(equations, guess, method, tangent_solve, has_aux=True)

    (point, steps), slope = (
        wrap(intersection)(3.0),
        wrap(fnx.grad(lambda r: intersection(r)[0]["x"]))(3.0),
    )
    assert int(steps) == 30
    assert float(point["x"]) == pytest.approx(6 / np.sqrt(5), rel=1e-12)
    assert float(point["y"]) == pytest.approx(3 / np.sqrt(5), rel=1e-12)
    assert float(slope) == pytest.approx(2 / np.sqrt(5), rel=1e-6)


def test_the_guess_has_no_influence():
    def f(guess):
        return lax.custom_root(lambda x: x - 2, guess, lambda f, x: x - f(x), lambda g, y: y)

    assert float(f(7.0)) == 2.0
    assert float(fnx.grad(f)(7.0)) == 0.0


@pytest.mark.parametrize(
    ("position", "function", "message"),
    [
        (0, lambda x: (x, x), r"custom_root: f must give the structure of its argument"),
        (0, lambda x: jnp.ones(2), r"custom_root: f must give.*f32\[2\], wanted"),
        (2, lambda f, x: (x, x), r"custom_root: solve must give the structure"),
        (3, lambda g, y: {"y": y}, r"custom_root: tangent_solve must give the structure"),
        (3, 3.0, r"custom_root, tangent_solve: expected a function, got float"),
    ],
)
def test_what_does_not_fit(position, function, message):
    arguments = [lambda x: x, 1.0, lambda f, x: x, lambda g, y: y]
    arguments[position] = function
    with pytest.raises(TypeError, match=message):
        lax.custom_root(*arguments)
