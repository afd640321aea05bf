"""lax.linalg: the names, products of reflections, updates, compiled decompositions."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.linalg

import fnx
import fnx.numpy as jnp
from fnx import lax
from fnx.core.array import as_array


def _reflections(rng, m, n, dtype):
    a = rng.standard_normal((m, n)).astype(dtype)
    if np.dtype(dtype).kind == "c":
        a = a + 1j * rng.standard_normal((m, n))
    (raw, taus), _ = scipy.linalg.qr(a, mode="raw")
    return a, np.ascontiguousarray(raw), taus


@pytest.mark.parametrize("dtype", [np.float64, np.complex128])
def test_householder_product_completes_a_raw_qr(rng, dtype):
    a, raw, taus = _reflections(rng, 5, 3, dtype)
    q = np.asarray(lax.linalg.householder_product(as_array(raw), as_array(taus)))
    np.testing.assert_allclose(q, scipy.linalg.qr(a, mode="economic")[0], atol=1e-13)


@pytest.mark.parametrize("dtype", [np.float64, np.complex128])
@pytest.mark.parametrize("left", [True, False])
@pytest.mark.parametrize("transpose", [True, False])
def test_ormqr(rng, dtype, left, transpose):
    a, raw, taus = _reflections(rng, 4, 3, dtype)
    c = rng.standard_normal((4, 2) if left else (2, 4)).astype(dtype)
    q = scipy.linalg.qr(a)[0]
    q = q.conj().T if transpose else q
    out = lax.linalg.ormqr(
        as_array(raw), as_array(taus), as_array(c), left=left, transpose=transpose
    )
    np.testing.assert_allclose(np.asarray(out), q @ c if left else c @ q, atol=1e-13)


def test_cholesky_update_and_symmetric_product(rng):
    r = np.triu(rng.standard_normal((2, 3, 3))) + 3 * np.eye(3)
    w = rng.standard_normal((2, 3))
    out = np.asarray(lax.linalg.cholesky_update(as_array(r), as_array(w)))
    total = np.swapaxes(r, 1, 2) @ r + w[:, :, None] * w[:, None, :]
    np.testing.assert_allclose(np.swapaxes(out, 1, 2) @ out, total, rtol=1e-12)
    assert np.all(np.tril(out, -1) == 0)
    a, c = rng.standard_normal((3, 2)), np.eye(3)
    out = lax.linalg.symmetric_product(as_array(a), as_array(c), alpha=2.0, beta=-1.0)
    np.testing.assert_allclose(np.asarray(out), 2 * a @ a.T - c, atol=1e-14)


PROGRAMS = {
    "cholesky": lambda x: lax.linalg.cholesky(x @ x.T + jnp.eye(3, dtype=x.dtype)),
    "lu": lambda x: lax.linalg.lu(x)[0],
    "qr": lambda x: lax.linalg.qr(x)[1],
    "eigh": lambda x: lax.linalg.eigh(x)[1],
    "svd": lambda x: lax.linalg.svd(x, compute_uv=False),
    "eig": lambda x: jnp.real(lax.linalg.eig(x)[0]),
    "triangular_solve": lambda x: lax.linalg.triangular_solve(x, jnp.cos(x), lower=True),
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_compiled_mapped_and_differentiated(rng, name):
    program = PROGRAMS[name]
    xs = as_array(rng.uniform(-0.3, 0.3, (2, 3, 3)) + np.diag([1.0, 2.5, 4.0]))
    loss = lambda x: jnp.sum(jnp.sin(program(x)))  # noqa: E731
    eager = [np.asarray(fnx.grad(loss)(x)) for x in xs]
    compiled = fnx.jit(fnx.vmap(fnx.grad(loss)))
    np.testing.assert_allclose(np.asarray(compiled(xs)), eager, rtol=1e-11, atol=1e-12)
    assert "LAPACK" in str(compiled.explain())


def test_errors():
    with pytest.raises(ValueError, match="householder_product: takes matrices no wider than high"):
        lax.linalg.householder_product(as_array(np.ones((2, 3))), as_array(np.ones(2)))
    with pytest.raises(ValueError, match="ormqr: the reflections of"):
        lax.linalg.ormqr(as_array(np.eye(3)), as_array(np.ones(2)), as_array(np.eye(2)))
    with pytest.raises(ValueError, match="cholesky_update: takes real matrices, and a vector"):
        lax.linalg.cholesky_update(as_array(np.eye(3)), as_array(np.ones(2)))
