"""Triangular systems and Cholesky factors: which triangle is read, singular cases, errors."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import scipy.linalg

import fnx
import fnx.numpy as jnp
from fnx.core.array import as_array
from fnx.primitives.matrices import hermitian_sample
from fnx.primitives.triangular import cholesky, triangular_solve

FLAGS = list(itertools.product((False, True), repeat=5))


def _operator(a, lower, transpose_a, conjugate_a, unit_diagonal):
    part = np.tril(a) if lower else np.triu(a)
    if unit_diagonal:
        part = part - np.diag(np.diag(part)) + np.eye(len(a))
    part = part.T if transpose_a else part
    return part.conj() if conjugate_a else part


@pytest.mark.parametrize("dtype", [np.float64, np.complex128])
def test_solutions_with_every_flag(rng, dtype):
    a = rng.standard_normal((4, 4)) + 3 * np.eye(4)
    b = rng.standard_normal((4, 4))
    if dtype == np.complex128:
        a, b = a + 1j * rng.standard_normal((4, 4)), b - 1j * rng.standard_normal((4, 4))
    for left_side, lower, transpose_a, conjugate_a, unit_diagonal in FLAGS:
        x = triangular_solve(
            as_array(a),
            as_array(b),
            left_side=left_side,
            lower=lower,
            transpose_a=transpose_a,
            conjugate_a=conjugate_a,
            unit_diagonal=unit_diagonal,
        )
        operator = _operator(a, lower, transpose_a, conjugate_a, unit_diagonal)
        wanted = np.linalg.solve(operator, b) if left_side else b @ np.linalg.inv(operator)
        np.testing.assert_allclose(np.asarray(x), wanted, rtol=1e-10, atol=1e-12)


def test_the_other_triangle_is_not_read(rng):
    a = np.tril(rng.standard_normal((3, 3))) + 3 * np.eye(3)
    spoilt = a + np.triu(np.full((3, 3), np.nan), 1)
    b = rng.standard_normal((3, 2))
    solve = lambda m: triangular_solve(m, as_array(b), left_side=True, lower=True)  # noqa: E731
    np.testing.assert_array_equal(
        np.asarray(solve(as_array(spoilt))), np.asarray(solve(as_array(a)))
    )
    gradient = fnx.grad(lambda m: solve(m).sum())(as_array(spoilt))
    assert np.all(np.triu(np.asarray(gradient), 1) == 0)
    assert np.all(np.isfinite(np.asarray(gradient)))


def test_vectors_and_a_zero_on_the_diagonal():
    a = as_array(np.array([[2.0, 0.0], [1.0, 0.0]]))
    b = as_array(np.array([4.0, 1.0]))
    out = np.asarray(triangular_solve(a, b, left_side=True, lower=True))
    assert out.shape == (2,) and out[0] == 2 and not np.isfinite(out[1])
    right = triangular_solve(as_array(np.array([[2.0, 1.0], [0.0, 4.0]])), b)
    np.testing.assert_allclose(np.asarray(right), [2.0, -0.25])


def test_jacobian_with_respect_to_many_right_hand_sides_is_the_inverse(rng):
    a = np.tril(rng.standard_normal((4, 4))) + 3 * np.eye(4)
    solve = lambda b: triangular_solve(as_array(a), b, left_side=True, lower=True)  # noqa: E731
    b = as_array(rng.standard_normal(4))
    for jacobian in (fnx.jacfwd(solve)(b), fnx.jacrev(solve)(b)):
        np.testing.assert_allclose(np.asarray(jacobian), np.linalg.inv(a), rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.complex64, np.complex128])
def test_cholesky_values(rng, dtype):
    a = hermitian_sample(rng, (2, 5, 5), dtype, positive=True)
    factor = cholesky(as_array(a))
    assert factor.dtype == dtype
    for one, matrix in zip(np.asarray(factor), a, strict=True):
        wanted = scipy.linalg.cholesky(matrix.astype(np.complex128), lower=True)
        np.testing.assert_allclose(one, wanted, rtol=1e-5, atol=1e-5)
    tight = 100 * np.finfo(dtype).eps
    product = np.asarray(factor) @ np.swapaxes(np.asarray(factor).conj(), -1, -2)
    np.testing.assert_allclose(product, a, atol=5 * tight)


def test_cholesky_of_one_indefinite_matrix_is_nan_alone():
    a = np.array([[[1.0, 2.0], [2.0, 1.0]], [[4.0, 0.0], [0.0, 9.0]]])
    out = np.asarray(cholesky(as_array(a)))
    assert np.all(np.isnan(out[0]))
    np.testing.assert_array_equal(out[1], [[2, 0], [0, 3]])


def test_cholesky_derivative_follows_the_input_that_is_read(rng):
    a = hermitian_sample(rng, (3, 3), np.float64, positive=True)
    loss = lambda m, s: jnp.sum(jnp.sin(cholesky(m, symmetrize_input=s)))  # noqa: E731
    symmetric = np.asarray(fnx.grad(lambda m: loss(m, True))(as_array(a)))
    np.testing.assert_allclose(symmetric, symmetric.T, rtol=1e-13)
    lower = np.asarray(fnx.grad(lambda m: loss(m, False))(as_array(a)))
    assert np.all(np.triu(lower, 1) == 0)
    np.testing.assert_allclose(np.tril(symmetric + symmetric.T, -1), np.tril(lower, -1), rtol=1e-12)


def test_errors_name_shapes_and_dtypes():
    square, tall = as_array(np.eye(3)), as_array(np.ones((3, 2)))
    with pytest.raises(ValueError, match=r"cholesky: takes square matrices.*got f64\[3,2\]"):
        cholesky(tall)
    with pytest.raises(TypeError, match=r"cholesky: takes float32.*got i32\[2,2\]"):
        cholesky(as_array(np.eye(2, dtype=np.int32)), symmetrize_input=False)
    with pytest.raises(ValueError, match=r"triangular_solve: shapes don't fit x op\(a\) = b"):
        triangular_solve(square, tall)
    with pytest.raises(TypeError, match="triangular_solve: dtypes must be equal"):
        triangular_solve(square, as_array(np.ones((3, 2), np.float32)), left_side=True)
