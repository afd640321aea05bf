"""Linear algebra and Fourier transforms of the array API standard, beside the strict namespace."""

from __future__ import annotations

import math

import numpy as np
import pytest

import fnx
import fnx.numpy as jnp
from tests.support.array_api_trials import (
    COMPLEX,
    FLOAT,
    INTEGER,
    NUMERIC,
    assert_same,
    data,
    pairs,
)

INEXACT = FLOAT + COMPLEX
STACKS = ((), (2,), (2, 0), (3, 1))


def _square(dtype, stack=(), n=3, seed="square"):
    return (data(dtype, (*stack, n, n), seed) + 3 * np.eye(n)).astype(dtype)


def _hermitian(dtype, stack=(), n=3):
    x = _square(dtype, stack, n)
    return (x @ np.swapaxes(x, -1, -2).conj() + np.eye(n)).astype(dtype)


def _tolerance(dtype):
    return 2e-4 if dtype in ("float32", "complex64") else 1e-9


def _arrays(result):
    return [np.asarray(x) for x in (result if isinstance(result, tuple) else (result,))]


@pytest.mark.parametrize("name", ["det", "inv", "slogdet"])
@pytest.mark.parametrize("dtype", INEXACT)
def test_functions_of_square_matrices(name, dtype):
    for stack in STACKS:
        assert_same(
            lambda xp, x: getattr(xp.linalg, name)(x), _square(dtype, stack),
            tolerance=_tolerance(dtype), jit=stack == (2,),
        )  # fmt: skip


@pytest.mark.parametrize("dtype", INEXACT)
def test_cholesky(dtype):
    for stack in STACKS:
        for upper in (False, True):
            assert_same(
                lambda xp, x, u=upper: xp.linalg.cholesky(x, upper=u), _hermitian(dtype, stack),
                tolerance=_tolerance(dtype), jit=stack == (2,),
            )  # fmt: skip


@pytest.mark.parametrize("dtype", INEXACT)
def test_eigenvalues_of_symmetric_matrices(dtype):
    for stack in STACKS:
        x = _hermitian(dtype, stack)
        assert_same(lambda xp, x: xp.linalg.eigvalsh(x), x, tolerance=_tolerance(dtype), jit=False)
        found = jnp.linalg.eigh(jnp.asarray(x))
        assert found._fields == ("eigenvalues", "eigenvectors")
        assert found.eigenvalues.dtype == np.empty(0, dtype).real.dtype
        assert found.eigenvectors.dtype == dtype
        w, v = _arrays(found)
        np.testing.assert_allclose(x @ v, v * w[..., None, :], atol=100 * _tolerance(dtype))


@pytest.mark.parametrize("dtype", INEXACT)
@pytest.mark.parametrize("mode", ["reduced", "complete"])
def test_qr(dtype, mode):
    for shape in ((3, 3), (4, 2), (2, 4), (2, 3, 2)):
        x = data(dtype, shape)
        found = jnp.linalg.qr(jnp.asarray(x), mode=mode)
        assert found._fields == ("Q", "R")
        q, r = _arrays(found)
        expected = np.linalg.qr(x, mode=mode)
        assert (q.shape, r.shape, q.dtype) == (expected[0].shape, expected[1].shape, dtype)
        np.testing.assert_allclose(q @ r, x, atol=_tolerance(dtype))
        np.testing.assert_array_equal(np.triu(r), r)


@pytest.mark.parametrize("dtype", INEXACT)
def test_svd(dtype):
    for shape in ((3, 3), (4, 2), (2, 4), (2, 3, 2)):
        x = data(dtype, shape)
        assert_same(lambda xp, x: xp.linalg.svdvals(x), x, tolerance=_tolerance(dtype), jit=False)
        for full in (True, False):
            found = jnp.linalg.svd(jnp.asarray(x), full_matrices=full)
            assert found._fields == ("U", "S", "Vh")
            u, s, v = _arrays(found)
            expected = np.linalg.svd(x, full_matrices=full)
            assert [a.shape for a in (u, s, v)] == [a.shape for a in expected]
            assert (u.dtype, s.dtype, v.dtype) == (dtype, np.empty(0, dtype).real.dtype, dtype)
            k = s.shape[-1]
            again = u[..., :k] * s[..., None, :] @ v[..., :k, :]
            np.testing.assert_allclose(again, x, atol=_tolerance(dtype))


@pytest.mark.parametrize("dtype", INEXACT)
def test_solve(dtype):
    for left, right in (((3, 3), (3,)), ((3, 3), (3, 2)), ((2, 3, 3), (3,)), ((2, 3, 3), (2, 3, 1)),
                        ((2, 3, 3), (3, 4)), ((0, 3, 3), (3, 1))):  # fmt: skip
        assert_same(
            lambda xp, a, b: xp.linalg.solve(a, b), _square(dtype, left[:-2]), data(dtype, right),
            tolerance=_tolerance(dtype), jit=False,
        )  # fmt: skip


@pytest.mark.parametrize("dtype", INEXACT)
def test_pinv_and_rank(dtype):
    for shape in ((3, 3), (4, 2), (2, 3, 4)):
        x = data(dtype, shape)
        low = (x[..., :1] * x[..., :1, :]).astype(dtype)
        for rtol in (None, 1e-3):
            assert_same(
                lambda xp, x, r=rtol: xp.linalg.pinv(x, rtol=r), x,
                tolerance=_tolerance(dtype), jit=False,
            )  # fmt: skip
            for y in (x, low):
                assert_same(lambda xp, x, r=rtol: xp.linalg.matrix_rank(x, rtol=r), y, jit=False)


@pytest.mark.parametrize("dtype", INEXACT)
def test_matrix_power(dtype):
    for n in (-2, -1, 0, 1, 3):
        for stack in ((), (2,)):
            assert_same(
                lambda xp, x, n=n: xp.linalg.matrix_power(x, n), _square(dtype, stack),
                tolerance=50 * _tolerance(dtype), jit=False,
            )  # fmt: skip


@pytest.mark.parametrize("dtype", INEXACT)
@pytest.mark.parametrize("keepdims", [False, True])
def test_matrix_norm(dtype, keepdims):
    for order in ("fro", "nuc", 1, -1, 2, -2, math.inf, -math.inf):
        assert_same(
            lambda xp, x, o=order: xp.linalg.matrix_norm(x, keepdims=keepdims, ord=o),
            data(dtype, (2, 3, 4)), tolerance=_tolerance(dtype), jit=False,
        )  # fmt: skip
    assert_same(lambda xp, x: xp.linalg.matrix_norm(x), data(dtype, (3, 2)))


@pytest.mark.parametrize("dtype", INEXACT)
@pytest.mark.parametrize("keepdims", [False, True])
def test_vector_norm(dtype, keepdims):
    for order in (0, 1, 2, 3, -1, -2, 0.5, math.inf, -math.inf):
        for axis in (None, 0, -1, (0, 2), (-1, 0)):
            assert_same(
                lambda xp, x, o=order, a=axis: xp.linalg.vector_norm(
                    x, axis=a, keepdims=keepdims, ord=o
                ),
                data(dtype, (2, 3, 4)), tolerance=_tolerance(dtype), jit=False,
            )  # fmt: skip


@pytest.mark.parametrize("where", ["", "linalg"])
def test_products(where):
    def space(xp):
        return getattr(xp, where) if where else xp

    shapes = (
        ((3,), (3,)), ((2, 3), (3,)), ((3,), (3, 2)), ((2, 3), (3, 4)), ((5, 2, 3), (3, 4)),
        ((2, 1, 2, 3), (4, 3, 1)), ((0, 3), (3, 2)), ((2, 0), (0, 2)),
    )  # fmt: skip
    for left, right in shapes:
        assert_same(
            lambda xp, x, y: space(xp).matmul(x, y), data("float64", left), data("float64", right)
        )
    for a, b in pairs(INTEGER, FLOAT + COMPLEX):
        x, y = data(a, (2, 3)), data(b, (3, 2))
        assert_same(lambda xp, x, y: space(xp).matmul(x, y), x, y, jit=False)
        assert_same(lambda xp, x, y: space(xp).tensordot(x, y, axes=1), x, y, jit=False)
        assert_same(
            lambda xp, x, y: space(xp).vecdot(x, y), data(a, (2, 3)), data(b, (3,)), jit=False
        )
    x, y = data("complex128", (2, 3, 4)), data("complex128", (3, 2, 4))
    for axes in (((0, 1), (1, 0)), ((2,), (2,)), ((0, 2), (1, 2)), ((-1,), (-1,))):
        assert_same(lambda xp, x, y, a=axes: space(xp).tensordot(x, y, axes=a), x, y)
    assert_same(lambda xp, x, y: space(xp).tensordot(x, y, axes=0), x, y, jit=False)
    for axis in (-1, -2, -3):
        assert_same(lambda xp, x, y, a=axis: space(xp).vecdot(x, y, axis=a), x, x * 1j)
    assert_same(lambda xp, x: space(xp).matrix_transpose(x), x)
    assert_same(lambda xp, x: x.mT, x)
    assert_same(lambda xp, x: x.T, x[0])


@pytest.mark.parametrize("dtype", NUMERIC)
def test_diagonals_traces_and_outer_products(dtype):
    x = data(dtype, (2, 3, 4))
    for offset in (-4, -2, -1, 0, 1, 3, 5):
        assert_same(lambda xp, x, o=offset: xp.linalg.diagonal(x, offset=o), x, jit=False)
        assert_same(lambda xp, x, o=offset: xp.linalg.trace(x, offset=o), x, jit=False)
    assert_same(lambda xp, x: xp.linalg.trace(x, dtype=xp.complex128), x, jit=False)
    assert_same(lambda xp, x, y: xp.linalg.outer(x, y), data(dtype, (3,)), data(dtype, (4,)))


def test_cross():
    for a, b in pairs(INTEGER, FLOAT + COMPLEX):
        assert_same(
            lambda xp, x, y: xp.linalg.cross(x, y), data(a, (2, 3)), data(b, (2, 3)), jit=False
        )
    x, y = data("float64", (3, 2, 3)), data("float64", (3, 2, 3), 2)
    for axis in (-1, -3):
        assert_same(lambda xp, x, y, a=axis: xp.linalg.cross(x, y, axis=a), x, y)
    assert_same(
        lambda xp, x, y: xp.linalg.cross(x, y), data("float64", (4, 1, 3)), data("float64", (2, 3))
    )


@pytest.mark.parametrize("norm", ["backward", "ortho", "forward"])
@pytest.mark.parametrize("name", ["fft", "ifft", "rfft", "irfft", "hfft", "ihfft"])
def test_transforms_along_an_axis(name, norm):
    real = name in ("rfft", "ihfft")
    for dtype in FLOAT if real else COMPLEX:
        for n, axis in ((None, -1), (5, -1), (9, 0), (1, 1), (None, -2)):
            assert_same(
                lambda xp, x, n=n, a=axis: getattr(xp.fft, name)(x, n=n, axis=a, norm=norm),
                data(dtype, (6, 7)), tolerance=_tolerance(dtype), jit=n == 5,
            )  # fmt: skip


@pytest.mark.parametrize("norm", ["backward", "ortho", "forward"])
@pytest.mark.parametrize("name", ["fftn", "ifftn", "rfftn", "irfftn"])
def test_transforms_along_axes(name, norm):
    for dtype in FLOAT if name == "rfftn" else COMPLEX:
        for s, axes in (
            (None, None),
            ((3, 5), (0, 1)),
            (None, (1, 2)),
            ((4,), (-1,)),
            ((2, 3, 6), (0, 1, 2)),
        ):
            assert_same(
                lambda xp, x, s=s, a=axes: getattr(xp.fft, name)(x, s=s, axes=a, norm=norm),
                data(dtype, (3, 4, 5)), tolerance=_tolerance(dtype), jit=False,
            )  # fmt: skip


@pytest.mark.parametrize("name", ["fftfreq", "rfftfreq"])
def test_frequencies(name):
    for n in (1, 4, 7):
        for d in (1.0, 0.5):
            assert_same(lambda xp, n=n, d=d: getattr(xp.fft, name)(n, d=d, device=None), jit=False)
            for dtype in FLOAT:
                assert_same(
                    lambda xp, n=n, d=d, t=dtype: getattr(xp.fft, name)(
                        n, d=d, dtype=getattr(xp, t)
                    ),
                    jit=False,
                )  # fmt: skip
    with pytest.raises(ValueError, match="there is no device 'gpu'"):
        getattr(jnp.fft, name)(4, device="gpu")


@pytest.mark.parametrize("name", ["fftshift", "ifftshift"])
def test_shifts(name):
    for axes in (None, 0, -1, (0, 1)):
        for dtype in INEXACT:
            assert_same(
                lambda xp, x, a=axes: getattr(xp.fft, name)(x, axes=a), data(dtype, (3, 4)),
                jit=dtype == "float64",
            )  # fmt: skip


def test_dtypes_are_kept_without_64_bits():
    with fnx.enable_x64(False):
        for name in ("fft", "rfft", "irfft"):
            found = getattr(jnp.fft, name)(jnp.ones(4, "float32"))
            assert found.dtype == ("float32" if name == "irfft" else "complex64")
