"""Cosine transforms against SciPy's."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import scipy.fft

import fnx
from fnx.scipy import fft
from fnx.test_util import check_grads

NORMS = [None, "backward", "ortho", "forward"]


def agree(name, x, *args, **kwargs):
    out = getattr(fft, name)(x, *args, **kwargs)
    wanted = getattr(scipy.fft, name)(x, *args, **kwargs)
    assert (out.shape, out.dtype) == (wanted.shape, wanted.dtype)
    atol = 20 * np.finfo(wanted.dtype).eps * max(np.abs(wanted).max(initial=0), 1e-30)
    np.testing.assert_allclose(np.asarray(out), wanted, rtol=0, atol=atol)


@pytest.mark.parametrize("name", ["dct", "idct"])
def test_along_an_axis(rng, name):
    for n, norm in itertools.product((None, 1, 2, 3, 4, 7, 9), NORMS):
        agree(name, rng.standard_normal((2, 5, 3)), 2, n, 1, norm)
    for length in (1, 2, 3, 16, 31):
        agree(name, rng.standard_normal(length))
    agree(name, rng.standard_normal((3, 4)).astype(np.float32), axis=0)
    agree(name, rng.standard_normal((3, 4)) + 1j * rng.standard_normal((3, 4)))
    agree(name, np.arange(5))


@pytest.mark.parametrize("name", ["dctn", "idctn"])
def test_over_axes(rng, name):
    x = rng.standard_normal((3, 4, 5))
    for norm in NORMS:
        agree(name, x, norm=norm)
        agree(name, x, 2, (2, 6), (0, 2), norm)
    agree(name, x, s=(4, 2))
    agree(name, x, axes=1)
    agree(name, x, s=4, axes=(0,))


def test_the_inverse_of_the_orthonormal_one_is_its_transpose(rng):
    x, y = rng.standard_normal((2, 9))
    _, pull = fnx.vjp(lambda x: fft.dct(x, norm="ortho"), x)
    np.testing.assert_allclose(
        np.asarray(pull(fnx.numpy.asarray(y))[0]), scipy.fft.idct(y, norm="ortho"), atol=1e-14
    )


@pytest.mark.parametrize("name", ["dct", "idct"])
def test_derivatives(rng, name):
    for n in (4, 5):
        function = getattr(fft, name)
        check_grads(lambda x, f=function, n=n: f(x, n=n) ** 2, (rng.standard_normal(5),), order=2)


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda x: fft.dct(x, type=1), NotImplementedError, "dct: type=1 is not implemented"),
        (lambda x: fft.idctn(x, norm="other"), ValueError, "idctn: invalid norm value 'other'"),
        (lambda x: fft.dct(x, n=0), ValueError, r"dct: invalid number of data points \(0\)"),
        (lambda x: fft.dctn(x, s=(1, 2, 3)), ValueError, "dctn: .* more lengths than"),
        (lambda x: fft.dctn(x, s=(1,), axes=(0, 1)), ValueError, "dctn: .* different lengths"),
        (lambda x: fft.dctn(x, axes=(0, 0)), ValueError, "dctn: .* names an axis twice"),
        (lambda x: fft.dct(x, axis=2), ValueError, "dct: axis 2 is out of bounds"),
    ],
)
def test_errors(call, error, words):
    with pytest.raises(error, match=words):
        call(np.ones((2, 3)))
