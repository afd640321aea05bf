"""Eigenvalues and singular values: values, what is independent of the gauge, equal values."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.linalg

import fnx
import fnx.numpy as jnp
from fnx.core.array import as_array
from fnx.experimental.jet import jet
from fnx.primitives.matrices import hermitian_sample, matrix_sample
from fnx.primitives.spectral import eig, eigh, svd

DTYPES = [np.float32, np.float64, np.complex64, np.complex128]


def _random(rng, shape, dtype):
    x = rng.standard_normal(shape)
    return (x + 1j * rng.standard_normal(shape) if np.dtype(dtype).kind == "c" else x).astype(dtype)


def _difference(f, x, dx, step=1e-5):
    return (np.asarray(f(as_array(x + step * dx))) - np.asarray(f(as_array(x - step * dx)))) / (
        2 * step
    )


# --------------------------------------------------------------------------------------- values


@pytest.mark.parametrize("dtype", DTYPES)
def test_eigh_values(rng, dtype):
    a = hermitian_sample(rng, (2, 4, 4), dtype)
    v, w = eigh(as_array(a))
    tolerance = 100 * np.finfo(dtype).eps
    np.testing.assert_allclose(np.asarray(w), np.linalg.eigvalsh(a), atol=tolerance)
    assert w.dtype == np.finfo(dtype).dtype and v.dtype == dtype
    v = np.asarray(v)
    np.testing.assert_allclose(a @ v, v * np.asarray(w)[:, None], atol=tolerance)


def test_eigh_reads_one_triangle(rng):
    a = rng.standard_normal((3, 3))
    for lower in (True, False):
        _, w = eigh(as_array(a), lower=lower, symmetrize_input=False)
        np.testing.assert_allclose(np.asarray(w), scipy.linalg.eigvalsh(a, lower=lower), atol=1e-13)
    _, w = eigh(as_array(a))
    np.testing.assert_allclose(np.asarray(w), np.linalg.eigvalsh((a + a.T) / 2), atol=1e-13)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(4, 4), (5, 3), (2, 3, 5)])
@pytest.mark.parametrize("full_matrices", [False, True])
def test_svd_values(rng, dtype, shape, full_matrices):
    a = _random(rng, shape, dtype)
    u, s, vh = [np.asarray(v) for v in svd(as_array(a), full_matrices=full_matrices)]
    wanted = np.linalg.svd(a, full_matrices)
    assert (u.shape, s.shape, vh.shape) == tuple(v.shape for v in wanted)
    tolerance = 100 * np.finfo(dtype).eps
    np.testing.assert_allclose(s, wanted[1], atol=tolerance)
    k = s.shape[-1]
    np.testing.assert_allclose((u[..., :k] * s[..., None, :]) @ vh[..., :k, :], a, atol=tolerance)


@pytest.mark.parametrize("dtype", DTYPES)
def test_eig_values(rng, dtype):
    a = _random(rng, (3, 3), dtype)
    w, left, right = [np.asarray(v) for v in eig(as_array(a))]
    tolerance = 500 * np.finfo(dtype).eps
    assert w.dtype == left.dtype == right.dtype == np.result_type(dtype, np.complex64)
    np.testing.assert_allclose(a @ right, right * w, atol=tolerance)
    np.testing.assert_allclose(a.conj().T @ left, left * w.conj(), atol=tolerance)
    np.testing.assert_allclose(np.sort_complex(w), np.sort_complex(np.linalg.eigvals(a)), rtol=1e-3)


def test_subsets():
    a = as_array(np.diag([3.0, 1.0, 2.0]))
    v, w = eigh(a, subset_by_index=(1, 3))
    np.testing.assert_allclose(np.asarray(w), [2, 3])
    assert v.shape == (3, 2)
    u, s, vh = svd(a, full_matrices=False, subset_by_index=(0, 1))
    np.testing.assert_allclose(np.asarray(s), [3])
    assert (u.shape, vh.shape) == ((3, 1), (1, 3))
    with pytest.raises(ValueError, match=r"eigh: subset_by_index=\(2, 5\) must be positions"):
        eigh(a, subset_by_index=(2, 5))
    with pytest.raises(ValueError, match="can't both be set"):
        svd(a, subset_by_index=(0, 1))


def test_what_is_not_finite_gives_nan_alone():
    a = np.stack([np.eye(2), np.full((2, 2), np.nan)])
    for outs in (eigh(as_array(a)), eig(as_array(a)), svd(as_array(a))):
        for out in outs:
            assert np.all(np.isfinite(np.asarray(out)[0]))
            assert np.all(np.isnan(np.asarray(out)[1]))


# --------------------------------------------------------------------------------- derivatives


@pytest.mark.parametrize("dtype", [np.float64, np.complex128])
def test_functions_of_hermitian_matrices(rng, dtype):
    # V f(w) V^H doesn't depend on the choice of V; derivatives up to the second by differences.
    a = hermitian_sample(rng, (3, 3), dtype)
    weights = as_array(_random(rng, (3, 3), dtype))
    da = _random(rng, (3, 3), dtype)

    def loss(x):
        v, w = eigh(x)
        return jnp.sum(jnp.real(weights * ((v * jnp.sin(w)) @ jnp.conj(v.T))))

    push = lambda x: fnx.jvp(loss, (x,), (as_array(da),))[1]  # noqa: E731
    np.testing.assert_allclose(np.asarray(push(as_array(a))), _difference(loss, a, da), rtol=1e-7)
    second = fnx.jvp(push, (as_array(a),), (as_array(da),))[1]
    np.testing.assert_allclose(np.asarray(second), _difference(push, a, da), rtol=1e-6)
    gradient = np.asarray(fnx.grad(loss)(as_array(a)))
    np.testing.assert_allclose(np.sum(gradient * da).real, np.asarray(push(as_array(a))))


@pytest.mark.parametrize("shape", [(3, 3), (4, 2), (2, 4)])
@pytest.mark.parametrize("dtype", [np.float64, np.complex128])
@pytest.mark.parametrize("full_matrices", [False, True])
def test_functions_of_singular_values_and_vectors(rng, shape, dtype, full_matrices):
    a, da = matrix_sample(rng, shape, dtype), _random(rng, shape, dtype)
    k = min(shape)
    weights = as_array(_random(rng, shape, dtype))
    spaces = [as_array(_random(rng, (n, n), dtype)) for n in shape]

    def loss(x):
        u, s, vh = svd(x, full_matrices=full_matrices)
        moved = (u[:, :k] * jnp.sin(s)) @ vh[:k]
        projections = u[:, 1:] @ jnp.conj(u[:, 1:].T), jnp.conj(vh[1:].T) @ vh[1:]
        parts = [weights * moved, *[s * p for s, p in zip(spaces, projections, strict=True)]]
        return sum(jnp.sum(jnp.real(p)) for p in parts)

    push = lambda x: fnx.jvp(loss, (x,), (as_array(da),))[1]  # noqa: E731
    np.testing.assert_allclose(np.asarray(push(as_array(a))), _difference(loss, a, da), rtol=1e-7)
    second = fnx.jvp(push, (as_array(a),), (as_array(da),))[1]
    np.testing.assert_allclose(np.asarray(second), _difference(push, a, da), rtol=1e-6)


@pytest.mark.parametrize("shape", [(4, 2), (2, 4)])
def test_identities_of_the_full_svd_hold_in_derivatives(rng, shape):
    a, da = matrix_sample(rng, shape, np.complex128), _random(rng, shape, np.complex128)
    (u, s, vh), (du, ds, dvh) = fnx.jvp(svd, (as_array(a),), (as_array(da),))
    u, s, vh, du, ds, dvh = [np.asarray(v) for v in (u, s, vh, du, ds, dvh)]
    k = min(shape)
    product = (du[:, :k] * s) @ vh[:k] + (u[:, :k] * ds) @ vh[:k] + (u[:, :k] * s) @ dvh[:k]
    np.testing.assert_allclose(product, da, atol=1e-12)
    for columns, change in ((u, du), (vh.conj().T, dvh.conj().T)):
        turn = columns.conj().T @ change
        np.testing.assert_allclose(turn + turn.conj().T, 0 * turn, atol=1e-12)


def test_eigenvalues_and_vectors_of_general_matrices(rng):
    # Complex pairs of a real matrix: what doesn't depend on LAPACK's sign.
    a = np.array([[1.0, 4.0, 0.0], [-1.0, 1.0, 0.5], [0.25, 0.0, 3.0]])
    da = rng.standard_normal((3, 3))
    weights = as_array(_random(rng, (3, 3), np.complex128))

    def loss(x):
        w, left, right = eig(x)
        kept = (right * jnp.exp(w)) @ jnp.conj(right.T) + (left * w) @ jnp.conj(left.T)
        return jnp.sum(jnp.real(weights * kept))

    push = lambda x: fnx.jvp(loss, (x,), (as_array(da),))[1]  # noqa: E731
    np.testing.assert_allclose(np.asarray(push(as_array(a))), _difference(loss, a, da), rtol=1e-7)
    second = fnx.jvp(push, (as_array(a),), (as_array(da),))[1]
    np.testing.assert_allclose(np.asarray(second), _difference(push, a, da), rtol=1e-6)


def test_series_of_eigenvalues_are_those_of_the_characteristic_polynomial():
    # Of [[t, 1], [1, -t]]: w = +-sqrt(1 + t^2) = +-(1 + t^2/2 - t^4/8).
    a, da = np.array([[0.0, 1.0], [1.0, 0.0]]), np.diag([1.0, -1.0])
    zero = np.zeros((2, 2))
    _, series = jet(
        lambda x: eigh(x)[1], (as_array(a),), [[as_array(v) for v in (da, zero, zero, zero)]]
    )
    derivatives = np.stack([np.asarray(c) for c in series])
    wanted = np.array([0.0, 1.0, 0.0, -3.0])
    np.testing.assert_allclose(derivatives[:, 1], wanted, atol=1e-12)
    np.testing.assert_allclose(derivatives[:, 0], -wanted, atol=1e-12)


# --------------------------------------------------------------------------------- equal values


def _repeated(rng):
    q = np.linalg.qr(rng.standard_normal((4, 4)))[0]
    a = (q * np.array([1.0, 1.0, 1.0, 3.0])) @ q.T
    return q, (a + a.T) / 2


def test_symmetric_functions_of_equal_eigenvalues(rng):
    _, a = _repeated(rng)  # equal up to rounding
    for matrix in (np.eye(4), a, np.zeros((4, 4))):
        gradient = fnx.grad(lambda x: jnp.sum(jnp.exp(eigh(x)[1])))(as_array(matrix))
        np.testing.assert_allclose(
            np.asarray(gradient), scipy.linalg.expm(matrix), rtol=1e-12, atol=1e-12
        )


def test_projections_on_spaces_of_equal_eigenvalues(rng):
    q, a = _repeated(rng)
    weights = rng.standard_normal((4, 4))
    weights = weights + weights.T

    def loss(x):
        v = eigh(x)[0][:, :3]
        return jnp.sum(as_array(weights) * (v @ v.T))

    # d(1 - v v^T) = -(v dv^T + dv v^T), dv = (3 - A)^+ dA v for the single value 3
    v = q[:, 3:]
    pseudo = (q[:, :3] @ q[:, :3].T) / 2
    wanted = -(pseudo @ weights @ v @ v.T + v @ v.T @ weights @ pseudo)
    np.testing.assert_allclose(np.asarray(fnx.grad(loss)(as_array(a))), wanted, atol=1e-11)


@pytest.mark.parametrize("decompose", [eigh, svd, eig])
def test_derivatives_stay_finite_at_equal_values(decompose):
    for matrix in (np.eye(3), np.zeros((3, 3)), np.diag([2.0, 2.0, 0.0])):
        outs, tangents = fnx.jvp(decompose, (as_array(matrix),), (as_array(np.ones((3, 3))),))
        for tangent in tangents:
            assert np.all(np.isfinite(np.asarray(tangent)))


def test_nuclear_derivative_of_equal_singular_values():
    gradient = fnx.grad(lambda x: jnp.sum(svd(x, compute_uv=False)))(as_array(np.eye(3)))
    np.testing.assert_allclose(np.asarray(gradient), np.eye(3), atol=1e-14)
