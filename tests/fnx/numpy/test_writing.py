"""Elements replaced: against NumPy, whose functions write in place."""

from __future__ import annotations

import numpy as np
import pytest

import fnx
import fnx.numpy as jnp

X = np.arange(12.0).reshape(3, 4)


def written(name, x, *args, **options):
    """What NumPy's function makes of a copy."""
    x = x.copy()
    getattr(np, name)(x, *args, **options)
    return x


@pytest.mark.parametrize("compiled", [False, True])
def test_put_and_place(compiled):
    wrap = fnx.jit if compiled else lambda f: f
    places, values = np.array([3, 0, 11]), np.array([7.0, 8.0])
    found = wrap(lambda x: jnp.put(x, places, values, inplace=False))(X)
    np.testing.assert_array_equal(found, written("put", X, places, values))
    far = np.array([-20, 15, 3])
    for mode in ("clip", "wrap"):
        found = wrap(lambda x, m=mode: jnp.put(x, far, values, m, inplace=False))(X)
        np.testing.assert_array_equal(found, written("put", X, far, values, mode))
    np.testing.assert_array_equal(jnp.put(X, np.array([99]), 1.0, inplace=False), X)
    found = wrap(lambda x: jnp.place(x, x > 4, values, inplace=False))(X)
    np.testing.assert_array_equal(found, written("place", X, X > 4, values))


@pytest.mark.parametrize("axis", [0, 1, -1, None])
def test_put_along_axis(axis):
    index = np.array([[2, 0, 1, 2]]) if axis == 0 else np.array([[3], [0], [1]])
    index = np.array([5, 1]) if axis is None else index
    found = jnp.put_along_axis(X, index, -1.0, axis, inplace=False)
    np.testing.assert_array_equal(found, written("put_along_axis", X, index, -1.0, axis))


@pytest.mark.parametrize("shape", [(3, 3), (3, 5), (7, 3), (2, 2, 2), (0, 3)])
@pytest.mark.parametrize("wrap", [False, True])
def test_fill_diagonal(shape, wrap):
    x = np.zeros(shape)
    for value in (5.0, np.array([1.0, 2.0])):
        found = jnp.fill_diagonal(x, value, wrap, inplace=False)
        np.testing.assert_array_equal(found, written("fill_diagonal", x, value, wrap))


def test_derivatives():
    grad = fnx.grad(lambda x: jnp.fill_diagonal(x, 2.0, inplace=False).sum())(jnp.ones((2, 2)))
    np.testing.assert_array_equal(grad, [[0, 1], [1, 0]])
    grad = fnx.grad(lambda v: jnp.place(X, X > 9, v, inplace=False).sum())(jnp.ones(2))
    np.testing.assert_array_equal(grad, [1.0, 1.0])


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: jnp.put(X, np.array([0]), 1.0), NotImplementedError, "put: arrays are immutable"),
        (lambda: jnp.place(X, X > 1, 1.0), NotImplementedError, "inplace=False"),
        (lambda: jnp.put(X, np.array([0]), 1, "x", inplace=False), ValueError, "mode is 'x'"),
        (lambda: jnp.place(X, X[0] > 1, 1, inplace=False), ValueError, "differ in size"),
        (lambda: jnp.place(X, X > 1, np.ones(0), inplace=False), ValueError, "no value"),
        (lambda: jnp.put_along_axis(X, np.array([0]), 1, 0, False), ValueError, "as many axes"),
        (lambda: jnp.fill_diagonal(X[0], 1, inplace=False), ValueError, "at least two axes"),
        (
            lambda: jnp.fill_diagonal(np.ones((2, 2, 3)), 1, inplace=False),
            ValueError,
            "all sizes must be equal",
        ),
    ],
)
def test_errors(call, error, words):
    with pytest.raises(error, match=words):
        call()
