"""Functions of matrices, against SciPy's."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.linalg

import fnx
from fnx.scipy import linalg
from fnx.test_util import check_grads


def close(out, wanted, rtol=1e-13):
    wanted = np.asarray(wanted)
    assert out.shape == wanted.shape
    np.testing.assert_allclose(np.asarray(out), wanted, rtol=0, atol=rtol * np.abs(wanted).max())


@pytest.mark.parametrize("size", [1e-6, 0.1, 1.0, 10.0])
def test_expm(rng, size):
    a = size * rng.standard_normal((4, 4))
    close(linalg.expm(a), scipy.linalg.expm(a), 1e-12)
    close(linalg.expm(a + 1j * a.T), scipy.linalg.expm(a + 1j * a.T), 1e-12)
    close(linalg.expm(np.triu(a), upper_triangular=True), scipy.linalg.expm(np.triu(a)), 1e-12)
    single = a.astype(np.float32)
    close(
        linalg.expm(single),
        scipy.linalg.expm(single.astype(np.float64)),
        1e-4 if size > 1 else 1e-5,
    )
    stack = np.stack([a, a / 100])
    wanted = scipy.linalg.expm(stack)
    for f in (linalg.expm, fnx.jit(linalg.expm), fnx.vmap(linalg.expm)):
        close(f(stack), wanted, 1e-12)


def test_expm_derivatives_and_limits(rng):
    a, e = rng.standard_normal((2, 3, 3))
    check_grads(linalg.expm, (a,), order=2)
    check_grads(linalg.expm, (4 * a,), order=1)
    check_grads(linalg.expm, (np.zeros((3, 3)),), order=2)
    for method in (None, "SPS", "blockEnlarge"):
        value, derivative = linalg.expm_frechet(a, e, method=method)
        for out, wanted in zip((value, derivative), scipy.linalg.expm_frechet(a, e), strict=True):
            close(out, wanted, 1e-12)
    close(linalg.expm_frechet(a, e, compute_expm=False), derivative, 1e-12)
    assert np.isnan(linalg.expm(1e3 * np.eye(2), max_squarings=2)).all()
    assert np.isnan(linalg.expm(np.full((2, 2), np.nan))).all()
    with pytest.raises(ValueError, match="expm: takes square matrices"):
        linalg.expm(a[:2])
    with pytest.raises(ValueError, match="expm_frechet: method must be"):
        linalg.expm_frechet(a, e, method="other")


def test_sqrtm(rng):
    for complex_too in (False, True):
        a = rng.standard_normal((4, 4)) + 1j * complex_too * rng.standard_normal((4, 4))
        close(linalg.sqrtm(a), scipy.linalg.sqrtm(a), 1e-11)
        root = linalg.sqrtm(np.stack([a, a @ a]))
        close(root @ root, np.stack([a, a @ a]), 1e-11)
    x = rng.standard_normal((3, 3)) / 4 + np.eye(3)
    check_grads(lambda x: linalg.sqrtm(x).real, (x,), order=2)
    close(fnx.jit(fnx.vmap(linalg.sqrtm))(x[None])[0], scipy.linalg.sqrtm(x), 1e-12)
    assert not linalg.sqrtm(np.zeros((2, 2))).any()
    with pytest.raises(ValueError, match="sqrtm: blocksize"):
        linalg.sqrtm(x, blocksize=64)


def test_solve_sylvester(rng):
    for complex_too in (False, True):
        a, b, c = [
            rng.standard_normal(s) + 1j * complex_too * rng.standard_normal(s)
            for s in ((3, 3), (2, 2), (3, 2))
        ]
        close(linalg.solve_sylvester(a, b, c), scipy.linalg.solve_sylvester(a, b, c), 1e-12)
        out = linalg.solve_sylvester(a, b, np.stack([c, 2 * c]))
        close(a @ out + out @ b, np.stack([c, 2 * c]), 1e-12)
    a, b, c = a.real + 3 * np.eye(3), b.real + 3 * np.eye(2), c.real
    check_grads(linalg.solve_sylvester, (a, b, c), order=2)
    with pytest.raises(ValueError, match="solve_sylvester: method must be"):
        linalg.solve_sylvester(a, b, c, method="lyapunov")
