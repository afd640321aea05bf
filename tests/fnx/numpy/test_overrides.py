"""NumPy's functions on arrays and tracers, and tracers through them."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.special

import fnx
import fnx.numpy as jnp

X = np.array([[0.5, 1.5, 2.5], [3.5, 0.25, 1.0]])


@pytest.mark.parametrize(
    "function",
    [
        np.sin, np.exp, np.absolute, np.conjugate, np.negative, np.isfinite, np.sum, np.mean,
        np.transpose, np.ravel, np.sort, np.cumsum, np.atleast_3d, np.std, np.median,
        np.add.reduce, np.maximum.reduce, np.add.accumulate, np.multiply.reduce, np.ones_like,
        lambda x: np.add.reduce(x, axis=1, keepdims=True), lambda x: np.add(x, 1, dtype=np.float64),
        lambda x: np.concatenate([x, x], axis=1), lambda x: np.stack([x, x]),
        lambda x: np.dot(x, x.T),
        lambda x: np.where(x > 1, x, 0), lambda x: np.einsum("ij,kj->ik", x, x), lambda x: x @ X.T,
        lambda x: X + x, lambda x: X * x, lambda x: x > X, lambda x: np.float64(2) * x,
        lambda x: X.T @ x, lambda x: np.power(x, 2), lambda x: np.clip(x, 1, 2),
        lambda x: np.reshape(x, (3, 2)), lambda x: np.sum(x, axis=0, keepdims=True),
    ],
)  # fmt: skip
def test_functions_that_we_have(function):
    expected = function(X)
    for found in (function(jnp.asarray(X)), fnx.jit(function)(X)):
        assert isinstance(found, fnx.Array) and found.dtype == expected.dtype
        np.testing.assert_allclose(found, expected, rtol=1e-14)


def test_derivatives_go_through_them():
    found = fnx.grad(lambda x: np.sum(np.sin(x) * X))(X)
    np.testing.assert_allclose(found, np.cos(X) * X, rtol=1e-14)
    np.testing.assert_allclose(fnx.vmap(np.sum)(X), X.sum(1), rtol=1e-15)


def test_functions_that_we_have_not():
    x = jnp.asarray(X)
    assert isinstance(np.spacing(x), fnx.Array)
    np.testing.assert_array_equal(np.spacing(x), np.spacing(X))
    np.testing.assert_array_equal(scipy.special.gammaln(x), scipy.special.gammaln(X))
    mantissa, exponent = np.frexp(x)
    np.testing.assert_array_equal(mantissa * 2.0**exponent, X)
    np.testing.assert_array_equal(np.subtract.outer(x, x), np.subtract.outer(X, X))
    np.testing.assert_array_equal(np.busday_count("2026-01-01", "2026-01-08"), 5)
    assert np.shape(x) == (2, 3) and np.ndim(x) == 2 and np.size(x) == 6
    with pytest.raises(TypeError, match=r"traced array f64\[2,3\].*`fnx.numpy`"):
        fnx.jit(scipy.special.gammaln)(X)


def test_in_place_operations_of_ndarrays_take_arrays():
    total = np.zeros(3)
    total += jnp.ones(3)
    np.add(total, jnp.ones(3), out=total)
    assert type(total) is np.ndarray and total.tolist() == [2, 2, 2]
    whole = np.zeros(3, int)
    with pytest.raises(TypeError, match="Cannot cast"):
        whole += jnp.ones(3)
    with pytest.raises(TypeError, match="arrays are immutable"):
        np.add(1, 2, out=jnp.ones(()))
