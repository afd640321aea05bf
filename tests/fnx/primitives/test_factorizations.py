"""LU and QR: values of every shape and dtype, gauge-free derivatives, pivots, errors."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.linalg

import fnx
import fnx.numpy as jnp
from fnx.core.array import as_array
from fnx.primitives.factorizations import lu, lu_pivots_to_permutation, lu_solve, qr
from fnx.primitives.matrices import matrix_sample

DTYPES = [np.float32, np.float64, np.complex64, np.complex128]


def _random(rng, shape, dtype):
    x = rng.standard_normal(shape)
    return (x + 1j * rng.standard_normal(shape) if np.dtype(dtype).kind == "c" else x).astype(dtype)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(4, 4), (5, 3), (3, 5)])
def test_lu_multiplies_to_the_permuted_matrix(rng, dtype, shape):
    a = _random(rng, shape, dtype)
    packed, pivots, permutation = [np.asarray(v) for v in lu(as_array(a))]
    k = min(shape)
    lower = np.tril(packed[:, :k], -1) + np.eye(shape[0], k)
    tolerance = 50 * np.finfo(dtype).eps
    np.testing.assert_allclose(lower @ np.triu(packed[:k]), a[permutation], atol=tolerance)
    wanted, wanted_pivots = scipy.linalg.lu_factor(a)
    np.testing.assert_array_equal(pivots, wanted_pivots)
    np.testing.assert_allclose(packed, wanted, rtol=tolerance)
    assert packed.dtype == dtype and pivots.dtype == permutation.dtype == np.int32
    again = lu_pivots_to_permutation(as_array(pivots), shape[0])
    np.testing.assert_array_equal(np.asarray(again), permutation)


@pytest.mark.parametrize("trans", [0, 1, 2])
def test_lu_solve(rng, trans):
    a, b = _random(rng, (2, 4, 4), np.complex128), _random(rng, (2, 4, 3), np.complex128)
    packed, _, permutation = lu(as_array(a))
    operator = [a, np.swapaxes(a, -1, -2), np.swapaxes(a, -1, -2).conj()][trans]
    out = lu_solve(packed, permutation, as_array(b), trans)
    np.testing.assert_allclose(np.asarray(out), np.linalg.solve(operator, b), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(4, 4), (5, 3), (3, 5), (2, 4, 3)])
@pytest.mark.parametrize("full_matrices", [False, True])
def test_qr_values(rng, dtype, shape, full_matrices):
    a = _random(rng, shape, dtype)
    q, r = [np.asarray(v) for v in qr(as_array(a), full_matrices=full_matrices)]
    wanted_q, wanted_r = np.linalg.qr(a, "complete" if full_matrices else "reduced")
    tolerance = 100 * np.finfo(dtype).eps
    np.testing.assert_allclose(q, wanted_q, atol=tolerance)
    np.testing.assert_allclose(r, wanted_r, atol=tolerance)
    assert q.dtype == r.dtype == dtype


def test_qr_with_pivots(rng):
    a = _random(rng, (4, 3), np.float64)
    q, r, order = [np.asarray(v) for v in qr(as_array(a), pivoting=True, full_matrices=False)]
    np.testing.assert_allclose(q @ r, a[:, order], rtol=1e-12, atol=1e-13)
    np.testing.assert_array_equal(order, scipy.linalg.qr(a, pivoting=True)[2])
    assert np.all(np.diff(np.abs(np.diag(r))) <= 0)


@pytest.mark.parametrize("shape", [(4, 2), (3, 3), (2, 4)])
@pytest.mark.parametrize("dtype", [np.float64, np.complex128])
def test_identities_of_qr_hold_in_derivatives(rng, shape, dtype):
    a = matrix_sample(rng, shape, dtype)
    da = _random(rng, shape, dtype)
    factor = lambda x: qr(x, full_matrices=True)  # noqa: E731
    (q, r), (dq, dr) = fnx.jvp(factor, (as_array(a),), (as_array(da),))
    q, r, dq, dr = [np.asarray(v) for v in (q, r, dq, dr)]
    np.testing.assert_allclose(dq @ r + q @ dr, da, atol=1e-12)
    np.testing.assert_allclose(dq.conj().T @ q + q.conj().T @ dq, 0 * q, atol=1e-12)
    np.testing.assert_allclose(np.tril(dr, -1), 0 * dr, atol=1e-12)


def test_the_projection_on_the_complement_is_differentiated(rng):
    # It depends on the completing columns, but not on their choice: it's 1 - A (A^T A)^-1 A^T.
    a = as_array(matrix_sample(rng, (4, 2), np.float64))
    weights = as_array(rng.standard_normal((4, 4)))

    def loss(x):
        completing = qr(x)[0][:, 2:]
        return jnp.sum(weights * (completing @ completing.T))

    def direct(x):
        return -jnp.sum(weights * (x @ jnp.linalg.inv(x.T @ x) @ x.T))

    np.testing.assert_allclose(
        np.asarray(fnx.grad(loss)(a)), np.asarray(fnx.grad(direct)(a)), atol=1e-12
    )


def test_empty_matrices():
    packed, pivots, permutation = lu(as_array(np.zeros((2, 0, 3))))
    assert (packed.shape, pivots.shape, permutation.shape) == ((2, 0, 3), (2, 0), (2, 0))
    q, r = qr(as_array(np.zeros((3, 0))))
    np.testing.assert_array_equal(np.asarray(q), np.eye(3))
    assert r.shape == (3, 0)


def test_errors():
    with pytest.raises(ValueError, match=r"lu: takes matrices in the last two axes, got f64\[3\]"):
        lu(as_array(np.ones(3)))
    with pytest.raises(TypeError, match=r"qr: takes float32, .*got i64\[2,2\]"):
        qr(as_array(np.eye(2, dtype=np.int64)))
    with pytest.raises(ValueError, match="permutation_size=1 must not be less"):
        lu_pivots_to_permutation(as_array(np.array([0, 1])), 1)
    with pytest.raises(TypeError, match="lu_pivots_to_permutation: takes vectors of integers"):
        lu_pivots_to_permutation(as_array(np.ones(2)), 2)
