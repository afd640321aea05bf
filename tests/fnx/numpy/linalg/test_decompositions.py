"""NumPy's forms of the decompositions: named results, modes, dtypes, Hermitian singular values."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

import fnx
import fnx.numpy as jnp
from fnx.primitives.matrices import hermitian_sample


def test_results_have_numpys_names(rng):
    a = jnp.asarray(hermitian_sample(rng, (3, 3), np.float64, positive=True))
    q, r = jnp.linalg.qr(a)
    assert jnp.linalg.qr(a).Q.shape == q.shape and jnp.linalg.qr(a).R.shape == r.shape
    w, v = jnp.linalg.eigh(a)
    np.testing.assert_allclose(np.asarray(a @ v), np.asarray(v * w), atol=1e-13)
    assert jnp.linalg.eigh(a).eigenvalues.shape == (3,)
    w, v = jnp.linalg.eig(a)
    assert jnp.linalg.eig(a).eigenvectors.dtype == v.dtype == w.dtype == np.complex128
    assert jnp.linalg.svd(a).Vh.shape == (3, 3)
    leaves = fnx.tree_util.tree_leaves(jnp.linalg.svd(a))
    assert [x.shape for x in leaves] == [(3, 3), (3,), (3, 3)]


def test_cholesky_upper(rng):
    a = hermitian_sample(rng, (2, 3, 3), np.complex128, positive=True)
    lower, upper = jnp.linalg.cholesky(a), jnp.linalg.cholesky(a, upper=True)
    np.testing.assert_allclose(np.asarray(lower), np.linalg.cholesky(a), atol=1e-13)
    np.testing.assert_allclose(np.asarray(upper), np.linalg.cholesky(a, upper=True), atol=1e-13)


def test_modes_of_qr(rng):
    a = rng.standard_normal((4, 2))
    for mode in ("reduced", "complete"):
        for one, other in zip(jnp.linalg.qr(a, mode), np.linalg.qr(a, mode), strict=True):
            np.testing.assert_allclose(np.asarray(one), other, atol=1e-13)
    np.testing.assert_allclose(np.asarray(jnp.linalg.qr(a, "r")), np.linalg.qr(a, "r"), atol=1e-13)
    with pytest.raises(ValueError, match="qr: unsupported mode 'economic'"):
        jnp.linalg.qr(a, "economic")


def test_eigenvalues_alone(rng):
    a = rng.standard_normal((2, 3, 3))
    for uplo in ("L", "U"):
        out = jnp.linalg.eigvalsh(a, uplo, symmetrize_input=False)
        np.testing.assert_allclose(np.asarray(out), np.linalg.eigvalsh(a, uplo), atol=1e-13)
        out = jnp.linalg.eigh(a, uplo, symmetrize_input=False).eigenvalues
        np.testing.assert_allclose(np.asarray(out), np.linalg.eigvalsh(a, uplo), atol=1e-13)
    ordered = np.sort_complex(np.linalg.eigvals(a))
    np.testing.assert_allclose(np.sort_complex(np.asarray(jnp.linalg.eigvals(a))), ordered)
    with pytest.raises(ValueError, match="eigh: UPLO must be one of None, 'L', or 'U', got 'x'"):
        jnp.linalg.eigh(a, "x")


@pytest.mark.parametrize("dtype", [np.float64, np.complex128])
def test_singular_values_of_hermitian_matrices(rng, dtype):
    a = hermitian_sample(rng, (2, 4, 4), dtype)
    u, s, vh = [np.asarray(v) for v in jnp.linalg.svd(a, hermitian=True)]
    np.testing.assert_allclose((u * s[:, None, :]) @ vh, a, atol=1e-13)
    np.testing.assert_allclose(s, np.linalg.svd(a, compute_uv=False), atol=1e-13)
    alone = jnp.linalg.svd(a, compute_uv=False, hermitian=True)
    np.testing.assert_allclose(np.asarray(alone), s, atol=1e-13)
    np.testing.assert_allclose(np.asarray(jnp.linalg.svdvals(a)), s, atol=1e-13)


def test_integers_become_floats():
    a = jnp.array([[2, 1], [1, 2]])
    assert jnp.linalg.cholesky(a).dtype == np.float32
    assert jnp.linalg.eigh(a).eigenvalues.dtype == np.float32
    assert jnp.linalg.eigvals(a).dtype == np.complex64
    assert jnp.linalg.svdvals(a.astype("int64")).dtype == np.float64


def test_scipy_loads_with_the_first_decomposition():
    program = (
        "import sys, fnx.numpy as jnp; x = jnp.linalg.norm(jnp.ones(3)); "
        "before = 'scipy' in sys.modules; jnp.linalg.inv(jnp.eye(2)); "
        "print(before, 'scipy' in sys.modules)"
    )
    result = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert result.stdout.split() == ["False", "True"]
