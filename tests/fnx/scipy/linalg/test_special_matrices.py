"""Matrices with a pattern, against SciPy's."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.linalg

import fnx
import fnx.numpy as jnp
from fnx.scipy import linalg
from fnx.test_util import check_grads

VECTORS = ["circulant", "companion", "fiedler", "fiedler_companion", "hankel", "toeplitz"]


def same(out, wanted):
    assert out.shape == wanted.shape
    np.testing.assert_allclose(np.asarray(out), wanted, rtol=1e-15)


@pytest.mark.parametrize("name", VECTORS)
def test_of_a_vector(rng, name):
    function, wanted = getattr(linalg, name), getattr(scipy.linalg, name)
    for n in range(2, 8):
        x = rng.standard_normal(n)
        same(function(x), wanted(x))
    x = rng.standard_normal((2, 3, 4))
    stacked = np.stack([[wanted(v) for v in row] for row in x])
    same(function(x), stacked)
    same(fnx.jit(function)(x), stacked)
    same(fnx.vmap(fnx.vmap(function))(x), stacked)
    check_grads(lambda v: function(v) ** 2, (x[0, 0],), order=2)


def test_of_two_vectors(rng):
    c, r = rng.standard_normal(3), rng.standard_normal(5)
    for name in ("toeplitz", "hankel"):
        function = getattr(linalg, name)
        same(function(c, r), getattr(scipy.linalg, name)(c, r))
        check_grads(lambda c, r, f=function: f(c, r) ** 2, (c, r), order=2)
        assert function(np.zeros(0), r).shape == (0, 5)
    z = c + 1j * r[:3]
    same(linalg.toeplitz(z), scipy.linalg.toeplitz(z))
    same(linalg.leslie(r[:4], c), scipy.linalg.leslie(r[:4], c))
    same(fnx.vmap(linalg.leslie)(r[None, :4], c[None])[0], scipy.linalg.leslie(r[:4], c))
    with pytest.raises(ValueError, match=r"leslie: s must have one number less than f"):
        linalg.leslie(c, c)


@pytest.mark.parametrize("mode", ["full", "same", "valid"])
def test_convolution_matrix(rng, mode):
    for m in range(1, 6):
        for n in range(1, 6):
            a, v = rng.standard_normal(m), rng.standard_normal(n)
            out = linalg.convolution_matrix(a, n, mode)
            same(out, scipy.linalg.convolution_matrix(a, n, mode))
            if mode != "same":
                np.testing.assert_allclose(out @ v, np.convolve(a, v, mode), atol=1e-14)
    with pytest.raises(ValueError, match="convolution_matrix: mode must be"):
        linalg.convolution_matrix(np.ones(1), 1, "half")
    with pytest.raises(ValueError, match="convolution_matrix: n must be at least 1"):
        linalg.convolution_matrix(np.ones(1), 0)


def test_block_diag(rng):
    blocks = [rng.standard_normal((2, 3)), 4.0, rng.standard_normal(2), np.zeros((0, 1))]
    same(linalg.block_diag(*blocks), scipy.linalg.block_diag(*blocks))
    same(fnx.jit(linalg.block_diag)(*blocks), scipy.linalg.block_diag(*blocks))
    assert linalg.block_diag().shape == (1, 0)
    check_grads(lambda *b: linalg.block_diag(*b) ** 2, (blocks[0], blocks[2]), order=2)
    with pytest.raises(ValueError, match="block_diag: takes arrays of at most two axes"):
        linalg.block_diag(np.zeros((1, 1, 1)))


def single(wanted):
    return np.asarray(wanted, np.float64).astype(np.float32)


@pytest.mark.parametrize("n", [1, 2, 4, 8])
def test_of_a_size(n):
    for name in ("hilbert", "invhilbert", "helmert"):
        same(getattr(linalg, name)(n), single(getattr(scipy.linalg, name)(n)))
    same(linalg.helmert(n, full=True), single(scipy.linalg.helmert(n, full=True)))
    for kind in ("symmetric", "lower", "upper"):
        same(linalg.pascal(n, kind), single(scipy.linalg.pascal(n, kind)))
        same(linalg.invpascal(n, kind), single(scipy.linalg.invpascal(n, kind)))
    same(linalg.hadamard(n), scipy.linalg.hadamard(n))
    assert linalg.hadamard(n, dtype=jnp.float32).dtype == np.float32
    for scale in (None, "sqrtn", "n"):
        out = linalg.dft(n, scale, dtype=np.complex128)
        np.testing.assert_allclose(out, scipy.linalg.dft(n, scale), atol=1e-14)
        assert linalg.dft(n, scale).dtype == np.complex64


def test_wrong_sizes_and_kinds():
    with pytest.raises(ValueError, match="hadamard: n must be a power of 2, got 3"):
        linalg.hadamard(3)
    with pytest.raises(TypeError, match="hilbert: n must be an integer"):
        linalg.hilbert(2.5)
    with pytest.raises(ValueError, match="pascal: kind must be"):
        linalg.pascal(2, "left")
    with pytest.raises(ValueError, match="dft: scale must be"):
        linalg.dft(2, "m")
    with pytest.raises(ValueError, match="dft: dtype must be a complex one, got float32"):
        linalg.dft(2, dtype=np.float32)
    with pytest.raises(ValueError, match="toeplitz: c must be vectors"):
        linalg.toeplitz(3.0)
