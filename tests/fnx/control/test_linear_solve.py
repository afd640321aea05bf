"""Linear equations solved by loops: derivatives against NumPy's inverse, which has closed forms."""

from __future__ import annotations

import numpy as np
import pytest

import fnx
import fnx.numpy as jnp
from fnx import lax
from fnx.experimental.jet import jet

RNG = np.random.default_rng(7)
MATRIX = jnp.asarray(RNG.normal(size=(3, 3)) + 5 * np.eye(3))
VECTOR = jnp.asarray(RNG.normal(size=3))
MOVE = jnp.asarray(RNG.normal(size=(3, 3)))
INVERSE = np.linalg.inv(np.asarray(MATRIX))
both = pytest.mark.parametrize("wrap", [lambda f: f, fnx.jit], ids=["eager", "jit"])


def iterate(matvec, b):
    """Richardson's iteration: a loop of unknown length."""

    def residual(x):
        return b - matvec(x)

    def unfinished(state):
        return jnp.sum(residual(state[0]) ** 2) > 1e-28

    return lax.while_loop(unfinished, lambda s: (s[0] + residual(s[0]) / 5, s[1] + 1), (b, 0))


def solve(matrix, b):
    def method(matvec, b):
        return iterate(matvec, b)[0]

    return lax.custom_linear_solve(lambda x: matrix @ x, b, method, method)


@both
def test_the_solution(wrap):
    np.testing.assert_allclose(wrap(solve)(MATRIX, VECTOR), INVERSE @ VECTOR, rtol=1e-12)


@both
@pytest.mark.parametrize("jacobian", [fnx.jacfwd, fnx.jacrev])
def test_first_derivatives(wrap, jacobian):
    of_matrix, of_vector = wrap(jacobian(solve, argnums=(0, 1)))(MATRIX, VECTOR)
    np.testing.assert_allclose(of_vector, INVERSE, rtol=1e-11)
    x = INVERSE @ np.asarray(VECTOR)  # d(A^-1 b) = -A^-1 dA A^-1 b
    np.testing.assert_allclose(of_matrix, -np.einsum("ij,k->ijk", INVERSE, x), rtol=1e-11)


def moved(t):
    """The solution along a line of matrices, as a number."""
    return jnp.sum(solve(MATRIX + t * MOVE, VECTOR))


def moved_derivatives(order):
    """Those of ``moved`` at 0: (A + t M)^-1 b is a geometric series."""
    term, found, factorial = INVERSE @ np.asarray(VECTOR), [], 1.0
    for k in range(1, order + 1):
        term = -INVERSE @ np.asarray(MOVE) @ term
        factorial *= k
        found.append(factorial * term.sum())
    return found


@both
@pytest.mark.parametrize(
    ("transform", "order"),
    [
        (fnx.grad, 1),
        (lambda f: fnx.grad(fnx.grad(f)), 2),
        (lambda f: fnx.jacfwd(fnx.grad(f)), 2),
        (lambda f: fnx.grad(fnx.jacfwd(f)), 2),
        (lambda f: fnx.jacfwd(fnx.jacfwd(fnx.grad(f))), 3),
    ],
    ids=["reverse", "reverse-reverse", "forward-reverse", "reverse-forward", "third"],
)
def test_higher_derivatives(wrap, transform, order):
    found = wrap(transform(moved))(jnp.float64(0))
    np.testing.assert_allclose(found, moved_derivatives(order)[-1], rtol=1e-10)


@both
def test_series(wrap):
    one, zero = jnp.float64(1), jnp.float64(0)
    _, terms = wrap(lambda t: jet(moved, (t,), ([one, zero, zero, zero],)))(zero)
    np.testing.assert_allclose(terms, moved_derivatives(4), rtol=1e-10)


@both
def test_lanes_share_a_matrix_or_have_their_own(wrap):
    vectors = jnp.stack([VECTOR, 2 * VECTOR])
    matrices = jnp.stack([MATRIX, MATRIX.T])
    out = wrap(fnx.vmap(solve, (None, 0)))(MATRIX, vectors)
    np.testing.assert_allclose(out, np.stack([INVERSE @ v for v in vectors]), rtol=1e-11)
    out = wrap(fnx.vmap(solve, (0, None), 1))(matrices, VECTOR)
    expected = np.stack([INVERSE @ VECTOR, INVERSE.T @ VECTOR], 1)
    np.testing.assert_allclose(out, expected, rtol=1e-11)
    slope = wrap(fnx.vmap(fnx.grad(lambda a, b: jnp.sum(solve(a, b)), 1), (0, None)))
    expected = np.stack([INVERSE.sum(0), INVERSE.sum(1)])
    np.testing.assert_allclose(slope(matrices, VECTOR), expected, rtol=1e-11)


@both
def test_trees_and_further_results(wrap):
    def halves(a, b):
        def method(matvec, b):
            return {"x": b["x"] / a, "y": b["y"] / (2 * a)}, jnp.int32(3)

        def matvec(x):
            return {"x": a * x["x"], "y": 2 * a * x["y"]}

        return lax.custom_linear_solve(matvec, b, method, symmetric=True, has_aux=True)

    b = {"x": jnp.float64(4.0), "y": jnp.ones(2, "float64")}
    x, count = wrap(halves)(2.0, b)
    assert int(count) == 3
    assert float(x["x"]) == 2.0
    np.testing.assert_array_equal(x["y"], [0.25, 0.25])
    slope = wrap(fnx.grad(lambda a: halves(a, b)[0]["x"] + jnp.sum(halves(a, b)[0]["y"])))(2.0)
    assert float(slope) == pytest.approx(-4 / 4 - 2 / 8)


def test_the_transpose_of_solving_in_b():
    transposed = fnx.linear_transpose(lambda b: solve(MATRIX, b), VECTOR)
    np.testing.assert_allclose(transposed(VECTOR)[0], INVERSE.T @ VECTOR, rtol=1e-11)


def test_a_symmetric_map_needs_one_method():
    calls = []

    def method(matvec, b):
        calls.append(matvec)
        return b / 2

    def f(b):
        return lax.custom_linear_solve(lambda x: 2 * x, b, method, symmetric=True)

    assert float(fnx.grad(f)(1.0)) == 0.5
    assert len({id(c) for c in calls}) == 1


def test_reverse_mode_wants_the_transposed_method():
    def f(b):
        return lax.custom_linear_solve(lambda x: 2 * x, b, lambda matvec, b: b / 2)

    assert float(fnx.jacfwd(f)(1.0)) == 0.5
    with pytest.raises(TypeError, match=r"custom_linear_solve.*transpose_solve, or symmetric=True"):
        fnx.grad(f)(1.0)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((lambda x: (x, x), 1.0, lambda f, b: b), r"matvec must give the structure of its arg"),
        (
            (lambda x: jnp.ones(3), 1.0, lambda f, b: b),
            r"matvec.*f32\[3\], wanted f32\[\].*reshape",
        ),
        ((lambda x: x, 1.0, lambda f, b: (b, b)), r"solve must give the structure"),
        (
            (lambda x: x, 1.0, lambda f, b: jnp.float64(b)),
            r"solve.*f64\[\], wanted f32\[\].*astype",
        ),
        ((lambda x: x, 1, lambda f, b: b), r"b is ~i32\[\]; an equation is solved in float"),
        (
            (3.0, 1.0, lambda f, b: b),
            r"custom_linear_solve, matvec: expected a function, got float",
        ),
    ],
)
def test_what_does_not_fit(arguments, message):
    with pytest.raises(TypeError, match=message):
        lax.custom_linear_solve(*arguments)


def test_further_results_must_be_a_pair():
    with pytest.raises(TypeError, match=r"has_aux=True solve must give a pair"):
        lax.custom_linear_solve(lambda x: x, 1.0, lambda f, b: b, has_aux=True)
