"""Norms, cond, matrix_rank: NumPy's values over all orders, and derivatives at kinks."""

from __future__ import annotations

import numpy as np
import pytest

import fnx
import fnx.numpy as jnp
from fnx.test_util import check_grads

VECTOR_ORDERS = [None, 0, 1, 2, 3, 2.5, 0.5, -1, -2, np.inf, -np.inf]
MATRIX_ORDERS = [None, "fro", "nuc", 1, -1, 2, -2, np.inf, -np.inf]


def _random(rng, shape, dtype):
    x = rng.standard_normal(shape)
    return (x + 1j * rng.standard_normal(shape) if np.dtype(dtype).kind == "c" else x).astype(dtype)


@pytest.mark.parametrize("dtype", [np.float32, np.complex64, np.float64, np.complex128, np.int32])
@pytest.mark.parametrize("ord", VECTOR_ORDERS)
def test_vectors(rng, dtype, ord):
    x = _random(rng, (3, 4, 2), np.float64 if dtype == np.int32 else dtype)
    x = (4 * x + np.sign(x)).astype(dtype) if dtype == np.int32 else x
    for axis in (0, 1, -1):
        for keepdims in (False, True):
            out = jnp.linalg.norm(x, ord, axis, keepdims)
            reference = x.astype(np.float64) if dtype == np.int32 else x
            with np.errstate(divide="ignore"):
                wanted = np.linalg.norm(reference, ord, axis, keepdims)
            assert out.shape == wanted.shape
            assert out.dtype == (np.float32 if dtype == np.int32 else wanted.dtype)
            np.testing.assert_allclose(
                np.asarray(out), wanted, rtol=1e-4 if out.dtype == "f4" else 1e-13
            )


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.complex128])
@pytest.mark.parametrize("ord", MATRIX_ORDERS)
def test_matrices(rng, dtype, ord):
    x = _random(rng, (3, 4, 2), dtype)
    for axis in ((0, 1), (1, 0), (-1, 0), (2, 1)):
        for keepdims in (False, True):
            out = jnp.linalg.norm(x, ord, axis, keepdims)
            wanted = np.linalg.norm(x, ord, axis, keepdims)
            assert (out.shape, out.dtype) == (wanted.shape, wanted.dtype)
            np.testing.assert_allclose(np.asarray(out), wanted, rtol=100 * np.finfo(dtype).eps)
    if ord is not None:
        out = jnp.linalg.matrix_norm(x, ord=ord)
        np.testing.assert_allclose(np.asarray(out), np.linalg.matrix_norm(x, ord=ord), rtol=1e-5)


def test_all_axes(rng):
    x = rng.standard_normal((2, 3, 4))
    np.testing.assert_allclose(np.asarray(jnp.linalg.norm(x)), np.linalg.norm(x))
    np.testing.assert_allclose(np.asarray(jnp.linalg.norm(x[0], 1)), np.linalg.norm(x[0], 1))
    assert jnp.linalg.norm(x, keepdims=True).shape == (1, 1, 1)
    for ord in (2, 1, 3, np.inf):
        for axis in (None, 1, (0, 2)):
            out = jnp.linalg.vector_norm(x, axis=axis, ord=ord)
            wanted = np.linalg.vector_norm(x, axis=axis, ord=ord)
            np.testing.assert_allclose(np.asarray(out), wanted)
    assert float(jnp.linalg.norm(np.zeros((0, 2)))) == 0
    assert float(jnp.linalg.norm(np.zeros((0, 2)), 2)) == 0


@pytest.mark.parametrize("ord", [None, 1, 2, 3, 1.5, 0.5, -1, np.inf, -np.inf])
@pytest.mark.parametrize("dtype", [np.float64, np.complex128])
def test_derivatives_of_vector_norms(rng, ord, dtype):
    x = jnp.asarray(_random(rng, (4,), dtype))
    check_grads(lambda v: jnp.linalg.norm(v, ord), (x,), order=2, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("ord", MATRIX_ORDERS)
@pytest.mark.parametrize("dtype", [np.float64, np.complex128])
def test_derivatives_of_matrix_norms(rng, ord, dtype):
    x = jnp.asarray(_random(rng, (4, 3), dtype))
    check_grads(lambda v: jnp.linalg.norm(v, ord, (0, 1)), (x,), order=2, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("ord", [None, 1, 2, 3, 1.5, 0.5, np.inf])
@pytest.mark.parametrize("dtype", [np.float64, np.complex128])
def test_the_derivative_at_zero_is_zero(ord, dtype):
    zero = jnp.zeros(3, dtype)
    norm = lambda v: jnp.linalg.norm(v, ord)  # noqa: E731
    np.testing.assert_array_equal(np.asarray(fnx.grad(norm)(zero)), np.zeros(3))
    np.testing.assert_array_equal(np.asarray(fnx.jit(fnx.grad(norm))(zero)), np.zeros(3))
    if dtype == np.float64:
        assert np.all(np.isfinite(np.asarray(fnx.hessian(norm)(zero))))


@pytest.mark.parametrize("ord", MATRIX_ORDERS)
def test_the_derivative_at_a_zero_matrix_is_zero(ord):
    gradient = fnx.grad(lambda v: jnp.linalg.norm(v, ord, (0, 1)))(jnp.zeros((3, 2), "float64"))
    np.testing.assert_array_equal(np.asarray(gradient), np.zeros((3, 2)))


def test_a_zero_among_the_elements_is_no_kink_of_the_norm():
    x = jnp.asarray([3.0, 0.0, 4.0], "float64")
    for ord in (2, 3, 1.5):
        gradient = np.asarray(fnx.grad(lambda v, p=ord: jnp.linalg.norm(v, p))(x))
        size = np.linalg.norm([3, 4], ord)
        np.testing.assert_allclose(gradient, (np.array([3, 0, 4]) / size) ** (ord - 1), atol=1e-15)


def test_the_nuclear_norm_has_the_subgradient_of_least_norm(rng):
    u, v = np.array([0.6, 0.8, 0.0]), np.array([0.8, -0.6])
    gradient = fnx.grad(lambda x: jnp.linalg.norm(x, "nuc"))(jnp.asarray(2 * np.outer(u, v)))
    np.testing.assert_allclose(np.asarray(gradient), np.outer(u, v), atol=1e-13)


@pytest.mark.parametrize("p", [None, 2, -2, "fro", "nuc", 1, -1, np.inf, -np.inf])
def test_condition_numbers(rng, p):
    x = _random(rng, (2, 3, 3), np.float64)
    np.testing.assert_allclose(np.asarray(jnp.linalg.cond(x, p)), np.linalg.cond(x, p), rtol=1e-10)
    check_grads(
        lambda v: jnp.linalg.cond(v, p), (jnp.asarray(x[0]),), order=1, rtol=1e-4, atol=1e-4
    )


def test_condition_of_singular_and_rectangular_matrices():
    assert float(jnp.linalg.cond(np.diag([1.0, 0.0]))) == np.inf
    assert float(jnp.linalg.cond(np.diag([1.0, 0.0]), 1)) == np.inf
    np.testing.assert_allclose(np.asarray(jnp.linalg.cond(np.array([[3.0, 0, 0], [0, 1, 0]]))), 3)


def test_ranks(rng):
    low = rng.standard_normal((2, 5, 2)) @ rng.standard_normal((2, 2, 4))
    ranks = jnp.linalg.matrix_rank(low)
    np.testing.assert_array_equal(np.asarray(ranks), np.linalg.matrix_rank(low))
    assert ranks.dtype == np.int32
    assert int(jnp.linalg.matrix_rank(np.zeros((3, 3)))) == 0
    assert int(jnp.linalg.matrix_rank(np.array([0.0, 1.0]))) == 1
    diagonal = np.diag([1.0, -0.1])
    assert int(jnp.linalg.matrix_rank(diagonal, hermitian=True)) == 2
    assert int(jnp.linalg.matrix_rank(diagonal, 0.5)) == 1
    assert int(jnp.linalg.matrix_rank(diagonal, tol=0.5)) == 1


def test_errors():
    x = jnp.ones((2, 3, 4))
    with pytest.raises(ValueError, match=r"norm: improper number of axes, \(0, 1, 2\)"):
        jnp.linalg.norm(x, 2)
    with pytest.raises(ValueError, match="norm: invalid order 3 for a matrix norm"):
        jnp.linalg.norm(x, 3, (0, 1))
    with pytest.raises(ValueError, match="vector_norm: invalid order 'inf'.*Use jax.numpy.inf"):
        jnp.linalg.norm(x, "inf", 0)
    with pytest.raises(ValueError, match="cond: takes matrices that aren't empty"):
        jnp.linalg.cond(jnp.ones((0, 2)))
    with pytest.raises(ValueError, match="cond: takes square matrices for p=1"):
        jnp.linalg.cond(x, 1)
    with pytest.raises(ValueError, match="matrix_rank: only one of tol or rtol"):
        jnp.linalg.matrix_rank(x, 0.1, tol=0.1)
