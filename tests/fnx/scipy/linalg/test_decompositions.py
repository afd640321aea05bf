"""Spectra and orthonormal factors, against SciPy's or by what defines them."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.linalg

import fnx
from fnx.scipy import linalg
from fnx.test_util import check_grads


def numbers(rng, shape, complex_too=False):
    x = rng.standard_normal(shape)
    return x + 1j * rng.standard_normal(shape) if complex_too else x


def close(out, wanted, atol=1e-12):
    np.testing.assert_allclose(np.asarray(out), np.asarray(wanted), rtol=0, atol=atol)


@pytest.mark.parametrize("complex_too", [False, True])
def test_eigh(rng, complex_too):
    a, b = numbers(rng, (2, 4, 4), complex_too)
    a, b = a + a.conj().T, b @ b.conj().T + np.eye(4)
    w, v = linalg.eigh(a)
    close(w, scipy.linalg.eigvalsh(a))
    close(a @ v, v * w)
    for kind in (1, 2, 3):
        for lower in (True, False):
            half = np.tril(b) if lower else np.triu(b)
            w, v = fnx.jit(lambda a, b, k=kind, low=lower: linalg.eigh(a, b, low, type=k))(a, half)
            close(w, scipy.linalg.eigh(a, b, eigvals_only=True, type=kind), 1e-11)
            left, right = {1: (a @ v, b @ v), 2: (a @ b @ v, v), 3: (b @ a @ v, v)}[kind]
            close(left, right * w, 1e-10)
            metric = np.linalg.inv(b) if kind == 3 else b
            close(v.conj().T @ metric @ v, np.eye(4), 1e-11)
        close(linalg.eigh(a, b, eigvals_only=True, type=kind), w)
    close(fnx.vmap(lambda a: linalg.eigh(a)[0])(np.stack([a, b])), linalg.eigh(np.stack([a, b]))[0])


def test_eigh_derivatives_and_errors(rng):
    a, b = rng.standard_normal((2, 3, 3))

    def values(a, b):
        return linalg.eigh(a + a.T, b @ b.T + fnx.numpy.eye(3), eigvals_only=True)

    check_grads(values, (a, b), order=2)
    with pytest.raises(ValueError, match="eigh: type must be 1, 2 or 3"):
        linalg.eigh(a, b, type=4)
    with pytest.raises(NotImplementedError, match="eigh: eigvals must be None"):
        linalg.eigh(a, eigvals=(0, 1))
    with pytest.raises(ValueError, match="eigh: a and b must have one shape"):
        linalg.eigh(a, np.eye(2))


def test_eigh_tridiagonal(rng):
    for n in (1, 2, 5):
        d, e = rng.standard_normal(n), rng.standard_normal(n - 1)
        w, v = linalg.eigh_tridiagonal(d, e)
        full = np.diag(d) + np.diag(e, 1) + np.diag(e, -1)
        close(w, np.linalg.eigvalsh(full))
        close(full @ v, v * w)
    chosen = linalg.eigh_tridiagonal(d, e, eigvals_only=True, select="i", select_range=(1, 3))
    close(chosen, scipy.linalg.eigvalsh_tridiagonal(d, e, "i", (1, 3)))
    one = fnx.vmap(lambda d, e: linalg.eigh_tridiagonal(d, e, eigvals_only=True))(d[None], e[None])
    close(one[0], w)
    check_grads(lambda d, e: linalg.eigh_tridiagonal(d, e, eigvals_only=True), (d, e), order=2)
    with pytest.raises(ValueError, match="eigh_tridiagonal: select must be"):
        linalg.eigh_tridiagonal(d, e, select="v", select_range=(0, 1))
    with pytest.raises(ValueError, match="eigh_tridiagonal: takes n real numbers d"):
        linalg.eigh_tridiagonal(d, d)


@pytest.mark.parametrize("complex_too", [False, True])
def test_svd_and_qr(rng, complex_too):
    for shape in ((4, 4), (5, 3), (3, 5)):
        a = numbers(rng, shape, complex_too)
        close(linalg.svd(a, compute_uv=False), scipy.linalg.svdvals(a))
        u, s, vh = linalg.svd(a, full_matrices=False)
        close((u * s) @ vh, a)
        for mode in ("full", "economic", "r"):
            outs = linalg.qr(a, mode=mode)
            for out, wanted in zip(outs, scipy.linalg.qr(a, mode=mode), strict=True):
                close(out, wanted)
            close(
                linalg.qr(a, mode=mode, pivoting=True)[-2],
                scipy.linalg.qr(a, mode=mode, pivoting=True)[-2],
            )
        m, k = a.shape[0], min(a.shape)
        for mode, c in (("left", numbers(rng, (k, 2))), ("right", numbers(rng, (2, m)))):
            for conjugate in (False, True):
                for pivoting in (False, True):
                    for part in (c, c[:, 0] if mode == "left" else c[0]):
                        outs = linalg.qr_multiply(a, part, mode, pivoting, conjugate)
                        wanted = scipy.linalg.qr_multiply(a, part, mode, pivoting, conjugate)
                        for out, value in zip(outs, wanted, strict=True):
                            close(out, value)
    with pytest.raises(ValueError, match="qr: mode must be"):
        linalg.qr(a, mode="raw")
    with pytest.raises(ValueError, match="qr_multiply: Q of shape .* don't fit for mode 'left'"):
        linalg.qr_multiply(a, np.ones(7), "left")
    with pytest.raises(NotImplementedError, match="svd: lapack_driver"):
        linalg.svd(a, lapack_driver="gesvd")


@pytest.mark.parametrize("side", ["right", "left"])
def test_polar(rng, side):
    for shape in ((4, 4), (5, 3), (3, 5)):
        for complex_too in (False, True):
            a = numbers(rng, shape, complex_too)
            for out, wanted in zip(linalg.polar(a, side), scipy.linalg.polar(a, side), strict=True):
                close(out, wanted)
        check_grads(lambda a: linalg.polar(a, side), (a.real,), order=2)
    # Equal singular values do no harm.
    check_grads(lambda a: linalg.polar(a, side), (np.eye(3),), order=2)
    stack = np.stack([a, 2 * a])
    for out, first in zip(fnx.vmap(lambda a: linalg.polar(a, side))(stack), linalg.polar(a, side)):
        close(out[0], first)
    with pytest.raises(ValueError, match="polar: side must be"):
        linalg.polar(a, "up")
