"""Functions of scalars and vectors, applied to whole arrays: against NumPy."""

from __future__ import annotations

import numpy as np
import pytest

import fnx
import fnx.numpy as jnp

X = np.arange(24.0).reshape(2, 3, 4)


@pytest.mark.parametrize("axis", [0, 1, -1])
def test_apply_along_axis(axis):
    for ours, theirs in (
        (lambda v: v.sum(), lambda v: v.sum()),
        (lambda v: v[::-1] * 2, lambda v: v[::-1] * 2),
        (lambda v: jnp.outer(v, v), lambda v: np.outer(v, v)),
    ):
        found = jnp.apply_along_axis(ours, axis, X)
        np.testing.assert_array_equal(found, np.apply_along_axis(theirs, axis, X))
    found = jnp.apply_along_axis(lambda v, a, b: v * a + b, axis, X, 2, b=1)
    np.testing.assert_array_equal(found, X * 2 + 1)


def test_apply_over_axes():
    np.testing.assert_array_equal(
        jnp.apply_over_axes(jnp.sum, X, [0, -1]), np.apply_over_axes(np.sum, X, [0, -1])
    )
    with pytest.raises(ValueError, match="apply_over_axes: the function made"):
        jnp.apply_over_axes(lambda x, axis: x.sum(), X, [0, 1])


def test_vectorize_scalars():
    f = jnp.vectorize(lambda a, b: jnp.where(a > b, a - b, a + b))
    a, b = X[:, :1], X[0]
    np.testing.assert_array_equal(f(a, b), np.where(a > b, a - b, a + b))
    np.testing.assert_array_equal(f(a, b=2.0), np.where(a > 2, a - 2, a + 2))
    np.testing.assert_array_equal(fnx.jit(f)(a, b), f(a, b))


def test_vectorize_with_a_signature():
    f = jnp.vectorize(lambda m, v: (m @ v, v.sum()), signature="(m,n),(n)->(m),()")
    v = np.ones((5, 1, 4))
    product, total = f(X, v)
    np.testing.assert_allclose(product, np.einsum("bij,abj->abi", X, v))
    np.testing.assert_allclose(total, np.full((5, 2), 4.0))
    grad = fnx.grad(lambda v: f(X, v)[0].sum())(jnp.ones(4))
    np.testing.assert_allclose(grad, X.sum((0, 1)))


def test_vectorize_leaves_arguments_out():
    f = jnp.vectorize(lambda x, p, name: p(x) if name else x, excluded={1, "name"})
    np.testing.assert_array_equal(f(X, lambda x: x + 1, name="yes"), X + 1)


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: jnp.vectorize(len, signature="(n->"), ValueError, "not of the form"),
        (lambda: jnp.vectorize(len, excluded={1.5}), TypeError, "excluded holds 1.5"),
        (lambda: jnp.vectorize(len, signature="(n)->()")(1.0), ValueError, "at least 1 axes"),
        (lambda: jnp.vectorize(len, signature="(n)->()")(X, X), TypeError, "wants 1 arguments"),
        (
            lambda: jnp.vectorize(jnp.dot, signature="(n),(n)->()")(X[0, 0], X[0, :, 0]),
            ValueError,
            "axis 'n' .* has size 4, but size 3 in argument 1",
        ),
        (
            lambda: jnp.vectorize(lambda v: v, signature="(n)->()")(X),
            ValueError,
            "promises axes",
        ),
        (
            lambda: jnp.vectorize(lambda v: (v, v), signature="(n)->(n)")(X),
            TypeError,
            "promises 1 results",
        ),
    ],
)
def test_vectorize_errors(call, error, words):
    with pytest.raises(error, match=words):
        call()


ADD = jnp.frompyfunc(lambda a, b: a + b, 2, 1, identity=0)
MORE = jnp.frompyfunc(lambda a, b: a * 2 + b, 2, 1)


def folded(x):
    """`MORE` of rows, by NumPy."""
    out = [x[0]]
    for row in x[1:]:
        out.append(out[-1] * 2 + row)
    return np.stack(out)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_ufunc_reductions(axis):
    rows = folded(np.moveaxis(X, axis, 0))
    np.testing.assert_array_equal(MORE.reduce(X, axis), rows[-1])
    np.testing.assert_array_equal(MORE.accumulate(X, axis), np.moveaxis(rows, 0, axis))
    np.testing.assert_array_equal(ADD.reduce(X, axis, keepdims=True), X.sum(axis, keepdims=True))
    np.testing.assert_array_equal(
        ADD.reduce(X, axis, where=X > 5, initial=1.0), X.sum(axis, where=X > 5) + 1
    )
    np.testing.assert_array_equal(
        ADD.reduceat(X, [0, 1, 0], axis), np.add.reduceat(X, [0, 1, 0], axis)
    )


def test_ufunc_ways():
    assert (ADD.nin, ADD.nout, ADD.nargs, ADD.identity) == (2, 1, 3, 0)
    assert "ufunc" in repr(ADD)
    np.testing.assert_array_equal(ADD.reduce(X, None), X.sum())
    np.testing.assert_array_equal(ADD.reduce(X, None, keepdims=True), X.sum(keepdims=True))
    np.testing.assert_array_equal(ADD.reduce(np.zeros((0, 2))), [0.0, 0.0])
    np.testing.assert_array_equal(ADD.outer(X[0, 0], X[0]), np.add.outer(X[0, 0], X[0]))
    found = ADD.at(np.zeros(3), np.array([0, 2, 0]), np.array([1.0, 2.0, 3.0]), inplace=False)
    np.testing.assert_array_equal(found, [4.0, 0.0, 2.0])
    negate = jnp.frompyfunc(lambda a: -a, 1, 1)
    np.testing.assert_array_equal(
        negate.at(np.ones(3), np.array([0, 0, 1]), inplace=False), [1.0, -1.0, 1.0]
    )
    grad = fnx.grad(lambda x: MORE.reduce(x))(jnp.ones(3))
    np.testing.assert_array_equal(grad, [4.0, 2.0, 1.0])


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: ADD(1.0), TypeError, "takes 2 arguments"),
        (lambda: ADD(1.0, 2.0, out=X), NotImplementedError, "immutable"),
        (lambda: MORE.reduce(np.zeros((0, 2))), ValueError, "Pass initial="),
        (lambda: MORE.reduce(X, where=X > 1), ValueError, "Pass initial="),
        (lambda: ADD.at(X, 0, 1.0), NotImplementedError, "inplace=False"),
        (lambda: ADD.at(X, 0, inplace=False), TypeError, "takes 1 second arguments"),
        (lambda: ADD.reduceat(X, [5]), ValueError, "out of bounds"),
        (lambda: jnp.frompyfunc(abs, 1, 1).reduce(X), ValueError, "a function of two arguments"),
    ],
)
def test_ufunc_errors(call, error, words):
    with pytest.raises(error, match=words):
        call()
