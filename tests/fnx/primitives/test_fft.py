"""`fft` against sums of exponentials, its transposes as matrices, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

import fnx
from fnx.core.array import as_array
from fnx.errors import ShapeError
from fnx.primitives.fft import FftType, fft, fft_p


def exponentials(n):
    return np.exp(-2j * np.pi * np.outer(np.arange(n), np.arange(n)) / n)


@pytest.mark.parametrize("n", [1, 2, 5, 6, 13])
@pytest.mark.parametrize("dtype", [np.complex64, np.complex128])
def test_against_the_definition(rng, n, dtype):
    x = (rng.standard_normal((3, n)) + 1j * rng.standard_normal((3, n))).astype(dtype)
    tolerance = 20 * n * np.finfo(dtype).eps
    for kind, matrix in (("FFT", exponentials(n)), ("ifft", exponentials(n).conj() / n)):
        out = fft(x, kind, (n,))
        assert out.dtype == dtype
        np.testing.assert_allclose(out, x @ matrix, rtol=0, atol=tolerance)
    real = x.real
    half = fft(real, "rfft", (n,))
    assert half.dtype == dtype and half.shape == (3, n // 2 + 1)
    np.testing.assert_allclose(half, (real @ exponentials(n))[:, : n // 2 + 1], atol=tolerance)
    back = fft(half, FftType.IRFFT, (n,))
    assert back.dtype == real.dtype
    np.testing.assert_allclose(back, real, rtol=0, atol=tolerance)


def parts(z):
    """Real and imaginary parts, one after the other."""
    return np.concatenate([z.real, z.imag]) if np.iscomplexobj(z) else z


@pytest.mark.parametrize("norm", ["backward", "ortho", "forward"])
@pytest.mark.parametrize("length", [1, 2, 5, 6])
@pytest.mark.parametrize("kind", [FftType.RFFT, FftType.IRFFT])
def test_transposes_of_the_real_kinds_are_transposed_matrices(rng, kind, length, norm):
    kept = length // 2 + 1

    def transform(x):
        return fft_p(x, kind=kind, axes=(0,), length=length, norm=norm)

    basis = np.eye(length) if kind is FftType.RFFT else np.vstack([np.eye(kept), 1j * np.eye(kept)])
    matrix = np.stack([parts(np.asarray(transform(as_array(e)))) for e in basis], 1)
    _, pull = fnx.vjp(transform, as_array(basis[0]))
    ct = rng.standard_normal(matrix.shape[0])
    given = ct[:kept] - 1j * ct[kept:] if kind is FftType.RFFT else ct
    pulled = parts(np.conj(np.asarray(pull(as_array(given))[0])))
    np.testing.assert_allclose(pulled, matrix.T @ ct, atol=1e-13)


def test_no_axes():
    assert fft(np.float32(2), "FFT", ()).dtype == np.complex64


@pytest.mark.parametrize(
    ("args", "error", "words"),
    [
        ((np.ones(4), "FFT", (3,)), ShapeError, r"FFT with fft_lengths=\(3,\)"),
        ((np.ones(4), "FFT", (4, 4)), ShapeError, "takes an array whose last axes"),
        ((np.ones(4, complex), "IRFFT", (4,)), ShapeError, r"last axes are \(3,\)"),
        ((np.ones((2, 0)), "FFT", (0,)), ShapeError, "at least one along"),
        ((np.ones(4, complex), "RFFT", (4,)), ValueError, "RFFT takes real numbers"),
        ((np.ones(4), "DFT", (4,)), ValueError, "there is no kind 'DFT'"),
        ((np.ones(4), 0, (4,)), TypeError, "fft_type must be an FftType"),
    ],
)
def test_errors(args, error, words):
    with pytest.raises(error, match=words):
        fft(*args)


def test_the_primitive_wants_its_own_dtypes():
    params = {"axes": (0,), "length": 4, "norm": "backward"}
    with pytest.raises(TypeError, match="FFT takes complex64 or complex128"):
        fft_p(as_array(np.ones(4)), kind=FftType.FFT, **params)
    with pytest.raises(ShapeError, match="different axes"):
        fft_p(as_array(np.ones(4)), kind=FftType.RFFT, **{**params, "axes": (0, 0)})
