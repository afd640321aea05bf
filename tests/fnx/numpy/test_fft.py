"""Fourier transforms against NumPy's, over shapes, axes, lengths, factors and dtypes."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

import fnx
import fnx.numpy as jnp
from fnx.test_util import check_grads

NORMS = [None, "backward", "ortho", "forward"]
ALONG = ["fft", "ifft", "rfft", "irfft", "hfft", "ihfft"]
OVER = ["fftn", "ifftn", "rfftn", "irfftn"]
PLANE = ["fft2", "ifft2", "rfft2", "irfft2"]
REAL_OPERAND = ("rfft", "ihfft", "rfftn", "rfft2")
#: What complex128 and float64 become, and back.
NARROW = {"complex128": "complex64", "float64": "float32"}


def operand(rng, shape, name):
    x = rng.standard_normal(shape)
    return x if name in REAL_OPERAND else x + 1j * rng.standard_normal(shape)


def agree(name, x, *args, **kwargs):
    out = getattr(jnp.fft, name)(x, *args, **kwargs)
    wanted = getattr(np.fft, name)(x, *args, **kwargs)
    assert (out.shape, out.dtype) == (wanted.shape, wanted.dtype), (name, args, kwargs)
    scale = np.abs(wanted).max() if wanted.size else 0
    eps = np.finfo(wanted.dtype).eps
    np.testing.assert_allclose(np.asarray(out), wanted, rtol=0, atol=20 * eps * scale)


@pytest.mark.parametrize("name", ALONG)
def test_along_an_axis(rng, name):
    for n, norm in itertools.product((None, 1, 2, 4, 5, 9), NORMS):
        agree(name, operand(rng, (2, 5, 3), name), n, 1, norm)
    for length in (1, 2, 7, 16, 30, 97):
        if length > 1 or name not in ("irfft", "hfft"):
            agree(name, operand(rng, (length,), name))
    agree(name, operand(rng, (3, 4), name), axis=-2, n=3)
    agree(name, operand(rng, (0, 4), name))


@pytest.mark.parametrize("name", OVER)
def test_over_axes(rng, name):
    x = operand(rng, (3, 4, 2, 5), name)
    for norm in NORMS:
        agree(name, x, norm=norm)
        agree(name, x, None, (2, 0), norm)
        agree(name, x, (4, 3, 6), (3, -3, 0), norm)
    agree(name, x, (5, 2), (0, 1))
    agree(name, x, (-1, 7), (1, 3))
    agree(name, x, None, (1,))


@pytest.mark.parametrize("name", PLANE)
def test_over_two_axes(rng, name):
    x = operand(rng, (3, 4, 5), name)
    for norm in NORMS:
        agree(name, x, norm=norm)
        agree(name, x, (2, 7), (0, -1), norm)


@pytest.mark.parametrize("name", ["fftn", "ifftn"])
def test_an_axis_that_is_named_twice(rng, name):
    x = operand(rng, (3, 4), name)
    agree(name, x, axes=(1, 0, 1), norm="ortho")
    agree(name, x, (5, 2, 3), axes=(1, 0, 1))


@pytest.mark.parametrize("name", [*ALONG, *OVER, *PLANE])
def test_dtypes(rng, name):
    x = operand(rng, (4, 6), name)
    narrow = x.astype(NARROW[x.dtype.name])
    agree(name, narrow)
    function = getattr(jnp.fft, name)
    result = getattr(np.fft, name)(x).dtype.name
    # As JAX: what is no wide float is transformed in single precision, int64 is wide.
    others = {"float32": NARROW[result], "int32": NARROW[result], "int64": result,
              "bool": NARROW[result], "float16": NARROW[result]}  # fmt: skip
    for given, wanted in others.items():
        assert function(np.ones((4, 6), given)).dtype.name == wanted, given
    if name in REAL_OPERAND:
        with pytest.raises(ValueError, match="RFFT takes real numbers"):
            function(np.ones((4, 6), complex))


@pytest.mark.parametrize("name", ["fftn", "ifftn"])
def test_no_axis_at_all(name):
    out = getattr(jnp.fft, name)(np.float64(3))
    assert out.shape == () and out.dtype == np.complex128 and out == 3
    with pytest.raises(ValueError, match="at least one axis"):
        getattr(jnp.fft, name.replace("fft", "rfft"))(np.float64(3))


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda x: jnp.fft.fft(x, 0), r"fft: invalid number of FFT data points \(0\)"),
        (lambda x: jnp.fft.irfft(x[:, :1]), r"irfft: invalid number of FFT data points \(0\)"),
        (lambda x: jnp.fft.fft(x[:, :0]), r"fft: invalid number of FFT data points \(0\)"),
        (lambda x: jnp.fft.fftn(x, (2,), (0, 1)), "fftn: .* have different lengths"),
        (lambda x: jnp.fft.fft(x, axis=2), "fft: axis 2 is out of bounds"),
        (lambda x: jnp.fft.rfftn(x, axes=(0, 0)), "rfftn: .* names an axis twice"),
        (lambda x: jnp.fft.fft(x, norm="other"), "fft: invalid norm value 'other'"),
        (lambda x: jnp.fft.hfft(x, norm="other"), "hfft: invalid norm value 'other'"),
        (lambda x: jnp.fft.fft2(x, axes=(0,)), r"fft2: axes=\(0,\) must be two. Use fftn"),
        (lambda x: jnp.fft.fftfreq(0), "fftfreq: n must be at least 1"),
        (lambda x: jnp.fft.fftfreq([3]), "fftfreq: n must be an integer"),
        (lambda x: jnp.fft.rfftfreq(3, [1.0]), "rfftfreq: d must be a number"),
        (lambda x: jnp.fft.rfftfreq(3, device="gpu"), "rfftfreq: there is no device"),
    ],
)
def test_errors(call, words):
    with pytest.raises(ValueError, match=words):
        call(jnp.ones((2, 3)))


@pytest.mark.parametrize("name", ["fftfreq", "rfftfreq"])
def test_frequencies(name):
    for n, d in itertools.product((1, 2, 5, 8), (1.0, 0.25, 3)):
        out = getattr(jnp.fft, name)(n, d, dtype=np.float64)
        np.testing.assert_allclose(np.asarray(out), getattr(np.fft, name)(n, d), rtol=1e-15)
    assert getattr(jnp.fft, name)(4).dtype == np.float32
    spacing = fnx.grad(lambda d: getattr(jnp.fft, name)(4, d)[1])(2.0)  # of 1 / 4d
    np.testing.assert_allclose(float(spacing), -1 / 16)


@pytest.mark.parametrize("name", ["fftshift", "ifftshift"])
def test_shifts(rng, name):
    x = rng.standard_normal((3, 4, 5))
    for axes in (None, 0, -1, (0, 2), [1]):
        out = getattr(jnp.fft, name)(x, axes)
        np.testing.assert_array_equal(np.asarray(out), getattr(np.fft, name)(x, axes))


@pytest.mark.parametrize("name", ALONG)
def test_derivatives_of_transforms_that_cut_and_pad(rng, name):
    for n in (3, 4, 7):
        x = operand(rng, (2, 5), name)
        check_grads(lambda x, n=n: getattr(jnp.fft, name)(x, n, norm="ortho"), (x,), order=2)


def test_a_spectrum_of_energies_under_every_transform(rng):
    # Parseval: sum |X|^2 = n sum |x|^2, so the gradient is 2 n x and the Hessian 2 n.
    x = rng.standard_normal((3, 6))

    def energy(x):
        return jnp.sum(jnp.abs(jnp.fft.fft(x)) ** 2)

    np.testing.assert_allclose(np.asarray(fnx.grad(energy)(x)), 12 * x, rtol=1e-12)
    per_row = fnx.jit(fnx.vmap(fnx.grad(energy)))(x)
    np.testing.assert_allclose(np.asarray(per_row), 12 * x, rtol=1e-12)
    hessian = np.asarray(fnx.jit(fnx.hessian(energy))(x[0]))
    np.testing.assert_allclose(hessian, 12 * np.eye(6), atol=1e-12)


def test_vmap_leaves_the_mapped_axis_where_it_is(rng):
    x = rng.standard_normal((3, 4, 5))
    for axis in range(3):
        mapped = fnx.vmap(jnp.fft.rfft2, axis, axis)
        wanted = np.fft.rfft2(x, axes=[k for k in range(3) if k != axis])
        np.testing.assert_allclose(np.asarray(mapped(x)), wanted, atol=1e-13)
        assert "transpose" not in str(fnx.make_jaxpr(mapped)(x))


def test_jit_says_that_it_is_a_step_in_python():
    transform = fnx.jit(lambda x: jnp.fft.fft(x) * 2)
    np.testing.assert_allclose(np.asarray(transform(np.arange(4.0))), 2 * np.fft.fft(np.arange(4)))
    assert "pocketfft" in str(transform.explain())
