"""Linear functions with their transposes; some transposes are wrong on purpose, to be seen."""

from __future__ import annotations

import numpy as np
import pytest

import fnx
import fnx.numpy as jnp
from fnx.custom_derivatives import linear_call
from fnx.experimental.jet import jet

MATRIX = jnp.asarray([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], "float64")
X = jnp.asarray([0.5, -1.0], "float64")
both = pytest.mark.parametrize("wrap", [lambda f: f, fnx.jit], ids=["eager", "jit"])


def product(matrix, x):
    """matrix x; its transpose is ten times too large."""
    return linear_call(lambda m, x: m @ x, lambda m, ct: 10 * (ct @ m), matrix, x)


@both
def test_values_and_forward_mode_are_the_function(wrap):
    np.testing.assert_array_equal(wrap(product)(MATRIX, X), MATRIX @ X)
    np.testing.assert_array_equal(wrap(fnx.jacfwd(product, 1))(MATRIX, X), MATRIX)
    np.testing.assert_array_equal(wrap(fnx.jacfwd(product))(MATRIX, X)[0, 0], X)


@both
def test_reverse_mode_is_the_transpose_that_is_given(wrap):
    np.testing.assert_allclose(wrap(fnx.jacrev(product, 1))(MATRIX, X), 10 * MATRIX)
    transposed = fnx.linear_transpose(lambda x: product(MATRIX, x), X)
    ct = jnp.ones(3, "float64")
    np.testing.assert_allclose(wrap(transposed)(ct)[0], 10 * MATRIX.sum(0))
    again = fnx.linear_transpose(lambda ct: transposed(ct)[0], ct)
    np.testing.assert_array_equal(wrap(again)(X)[0], MATRIX @ X)


@both
def test_residuals_are_differentiated_as_usual(wrap):
    found = wrap(fnx.grad(lambda m: jnp.sum(product(m, X))))(MATRIX)
    np.testing.assert_allclose(found, np.broadcast_to(X, (3, 2)))


@both
def test_lanes(wrap):
    xs = jnp.stack([X, 2 * X])
    found = wrap(fnx.vmap(product, (None, 0)))(MATRIX, xs)
    np.testing.assert_allclose(found, xs @ MATRIX.T)
    slope = wrap(fnx.vmap(fnx.grad(lambda x, m: jnp.sum(product(m, x))), (0, None)))
    np.testing.assert_allclose(slope(xs, MATRIX), np.tile(10 * MATRIX.sum(0), (2, 1)))


@both
def test_series(wrap):
    zero = 0 * X
    _, terms = wrap(lambda x: jet(lambda x: product(MATRIX, x), (x,), ([X, zero],)))(X)
    np.testing.assert_array_equal(terms, [MATRIX @ X, 0 * (MATRIX @ X)])
    direction = jnp.ones_like(MATRIX)
    _, terms = wrap(lambda m: jet(lambda m: product(m, m[0]), (m,), ([direction, 0 * direction],)))(
        MATRIX
    )
    np.testing.assert_allclose(terms[0], MATRIX @ np.ones(2) + direction @ MATRIX[0])


def test_trees_and_captured_values():
    scale = jnp.asarray([2.0, 3.0])

    def f(x):
        return linear_call(
            lambda r, x: {"a": x["u"] * scale, "b": x["v"]},
            lambda r, ct: {"u": ct["a"] * scale * r["ten"], "v": ct["b"]},
            {"ten": 10.0},
            x,
        )

    x = {"u": jnp.ones(2), "v": 3.0}
    found = fnx.grad(lambda x: jnp.sum(f(x)["a"]) + f(x)["b"])(x)
    np.testing.assert_array_equal(found["u"], [20.0, 30.0])
    assert float(found["v"]) == 1.0


@pytest.mark.parametrize(
    ("transpose", "message"),
    [
        (lambda m, ct: (ct, ct), r"fun_transpose must give the structure of linear_args"),
        (lambda m, ct: ct, r"linear_args is f64\[2\], it gives f64\[3\]"),
        (3.0, r"linear_call: expected a function, got float"),
    ],
)
def test_transposes_that_do_not_fit(transpose, message):
    with pytest.raises(TypeError, match=message):
        linear_call(lambda m, x: m @ x, transpose, MATRIX, X)


def test_transposing_in_the_residuals_is_refused():
    with pytest.raises(TypeError, match=r"linear_call of .*transposed in its residuals"):
        fnx.linear_transpose(lambda m: product(m, X), MATRIX)(jnp.ones(3, "float64"))
