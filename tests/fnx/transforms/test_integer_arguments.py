"""Integers have no tangents: for every transform they are constants, also as floats."""

from __future__ import annotations

import numpy as np
import pytest

import fnx

X, N = np.array([1.0, 2.0, 3.0]), np.arange(3)


def scaled(x, n):
    return x * n, n * 2


def test_vjp_with_respect_to_an_integer():
    (product, doubled), pull = fnx.vjp(scaled, X, N)
    np.testing.assert_array_equal(product, X * N)
    np.testing.assert_array_equal(doubled, 2 * N)
    slope, nothing = pull((np.ones(3), np.zeros(3, fnx.float0)))
    np.testing.assert_array_equal(slope, N)
    assert nothing.dtype == fnx.float0


@pytest.mark.parametrize("jitted", [False, True])
def test_vjp_of_jvp(jitted):
    direction = (np.ones(3), np.zeros(3, fnx.float0))

    def derivative(x, n):
        return fnx.jvp(lambda x, n: x**2 * n, (x, n), direction)[1]

    pulled = fnx.vjp(fnx.jit(derivative) if jitted else derivative, X, N)[1](np.ones(3))
    np.testing.assert_array_equal(pulled[0], 2 * N)
    assert pulled[1].dtype == fnx.float0


def test_linearize():
    out, along = fnx.linearize(scaled, X, N)
    np.testing.assert_array_equal(out[0], X * N)
    np.testing.assert_array_equal(along(X, np.zeros(3, fnx.float0))[0], X * N)
