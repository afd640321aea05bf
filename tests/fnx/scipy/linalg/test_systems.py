"""Factors and the systems they solve, against SciPy's."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.linalg

import fnx
from fnx.scipy import linalg
from fnx.test_util import check_grads


@pytest.fixture(params=[np.float64, np.complex128, np.float32])
def dtype(request):
    return request.param


def numbers(rng, shape, dtype):
    x = rng.standard_normal(shape)
    return (x + 1j * rng.standard_normal(shape) if dtype == np.complex128 else x).astype(dtype)


def matrix(rng, dtype, n=4):
    return numbers(rng, (n, n), dtype) + 3 * np.eye(n, dtype=dtype)


def positive(rng, dtype, n=4):
    x = matrix(rng, dtype, n)
    return x @ x.conj().T


def close(out, wanted):
    assert out.shape == wanted.shape
    kind = np.asarray(wanted).dtype
    tolerance = 200 * np.finfo(kind).eps if kind.kind in "fc" else 0
    np.testing.assert_allclose(
        np.asarray(out), wanted, rtol=0, atol=tolerance * max(1, np.abs(wanted).max())
    )


def test_cholesky(rng, dtype):
    a, b = positive(rng, dtype), numbers(rng, (4, 2), dtype)
    for lower in (True, False):
        close(linalg.cholesky(a, lower), scipy.linalg.cholesky(a, lower))
        close(
            fnx.jit(lambda a, low=lower: linalg.cho_factor(a, low)[0])(a), linalg.cholesky(a, lower)
        )
        # Of the matrix only the triangle is read.
        half = np.tril(a) if lower else np.triu(a)
        close(linalg.cholesky(half, lower), scipy.linalg.cholesky(a, lower))
        for right in (b, b[:, 0]):
            close(linalg.cho_solve(linalg.cho_factor(a, lower), right), np.linalg.solve(a, right))
    stack = np.stack([a, 2 * a])
    close(fnx.vmap(linalg.cholesky)(stack), np.stack([scipy.linalg.cholesky(m) for m in stack]))
    close(linalg.cho_solve(linalg.cho_factor(stack), b), np.linalg.solve(stack, np.stack([b, b])))


def test_lu(rng, dtype):
    for shape in ((4, 4), (3, 5), (5, 3)):
        a = numbers(rng, shape, dtype)
        for out, wanted in zip(linalg.lu(a), scipy.linalg.lu(a), strict=True):
            close(out, wanted)
        for out, wanted in zip(linalg.lu(a, permute_l=True), scipy.linalg.lu(a, True), strict=True):
            close(out, wanted)
    a, b = matrix(rng, dtype)[::-1].copy(), numbers(rng, (4, 2), dtype)
    factor = fnx.jit(linalg.lu_factor)(a)
    for out, wanted in zip(factor, scipy.linalg.lu_factor(a), strict=True):
        close(out, wanted)
    for trans, matrix_of in ((0, a), (1, a.T), (2, a.conj().T), ("T", a.T)):
        for right in (b, b[:, 0]):
            close(linalg.lu_solve(factor, right, trans), np.linalg.solve(matrix_of, right))
    p, low, up = fnx.vmap(linalg.lu)(np.stack([a, a.T]))
    close(p @ low @ up, np.stack([a, a.T]))
    with pytest.raises(ValueError, match="lu_solve: trans must be"):
        linalg.lu_solve(factor, b, 3)
    with pytest.raises(TypeError, match="lu_solve: piv must be 4 integers"):
        linalg.lu_solve((a, b), b)


def test_solve(rng, dtype):
    a, b = matrix(rng, dtype), numbers(rng, (4, 2), dtype)
    spd = positive(rng, dtype)
    symmetric, hermitian = a + a.T, a + a.conj().T
    cases = {"gen": (a, a), "sym": (symmetric, symmetric), "her": (hermitian, hermitian)}
    for assumption, (whole, given) in {**cases, "pos": (spd, spd)}.items():
        for lower in (True, False):
            half = given if assumption == "gen" else (np.tril if lower else np.triu)(given)
            for right in (b, b[:, 0]):
                out = linalg.solve(half, right, lower=lower, assume_a=assumption)
                close(out, np.linalg.solve(whole, right))
    close(linalg.det(a), np.linalg.det(a))
    close(linalg.inv(a), np.linalg.inv(a))
    stack = np.stack([a, spd])
    close(linalg.solve(stack, b), np.linalg.solve(stack, np.stack([b, b])))
    close(
        fnx.vmap(linalg.solve, (0, None))(stack, b[:, 0]), np.linalg.solve(stack, b[:, :1])[..., 0]
    )
    with pytest.raises(ValueError, match="solve: assume_a must be"):
        linalg.solve(a, b, assume_a="banded")
    with pytest.raises(ValueError, match="solve: b must be a vector"):
        linalg.solve(a, b[:3])


def test_solve_triangular(rng, dtype):
    a, b = matrix(rng, dtype), numbers(rng, (4, 2), dtype)
    for lower in (True, False):
        for trans in (0, 1, 2, "N", "T", "C"):
            for unit in (True, False):
                for right in (b, b[:, 0]):
                    out = linalg.solve_triangular(a, right, trans, lower, unit)
                    wanted = scipy.linalg.solve_triangular(a, right, trans, lower, unit)
                    close(out, wanted)
    close(
        fnx.vmap(linalg.solve_triangular, (None, 1))(a, b),
        np.stack([scipy.linalg.solve_triangular(a, v) for v in b.T]),
    )
    with pytest.raises(ValueError, match="solve_triangular: trans must be"):
        linalg.solve_triangular(a, b, "H")


def test_derivatives(rng):
    a, b = 0.3 * rng.standard_normal((3, 3)) + 2 * np.eye(3), rng.standard_normal((3, 2))

    def spd(x):
        return x @ x.T + fnx.numpy.eye(3)

    check_grads(lambda a: linalg.cholesky(spd(a)), (a,), order=2)
    check_grads(lambda a, b: linalg.cho_solve(linalg.cho_factor(spd(a)), b), (a, b), order=2)
    check_grads(lambda a: linalg.lu(a)[1:], (a,), order=2)
    check_grads(lambda a, b: linalg.lu_solve(linalg.lu_factor(a), b, 1), (a, b), order=2)
    for assumption in ("gen", "sym", "pos"):
        check_grads(lambda a, b, k=assumption: linalg.solve(spd(a), b, assume_a=k), (a, b), order=2)
    check_grads(lambda a, b: linalg.solve_triangular(a, b), (a, b), order=2)
    check_grads(lambda a: (linalg.det(a), linalg.inv(a)), (a,), order=2)
