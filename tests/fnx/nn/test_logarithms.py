"""`log1mexp` against mpmath; `logmeanexp` of many and of few (see test_functions for JAX's)."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest

import fnx
from fnx import nn


@pytest.mark.parametrize("x", [1e-300, 1e-8, 0.1, 0.69, 0.7, 1.0, 5.0, 40.0, 700.0])
def test_log1mexp(x):
    with mpmath.workdps(400):
        exact = mpmath.log(1 - mpmath.exp(-mpmath.mpf(x)))
        slope = 1 / mpmath.expm1(x)
        bend = -slope * (1 + slope)
    for transform in (lambda f: f, fnx.jit):
        f = transform(nn.log1mexp)
        np.testing.assert_allclose(f(np.float64(x)), float(exact), rtol=2e-15)
        np.testing.assert_allclose(fnx.grad(f)(np.float64(x)), float(slope), rtol=4e-15)
        if x > 1e-100:  # whose bend is a float
            second = fnx.grad(fnx.grad(f))(np.float64(x))
            np.testing.assert_allclose(second, float(bend), rtol=1e-14)


def test_limits_of_log1mexp():
    x = np.array([0.0, np.inf, -1.0, np.nan, 750.0, 1e30])
    np.testing.assert_array_equal(nn.log1mexp(x), [-np.inf, 0, np.nan, np.nan, 0, 0])
    slopes = fnx.vmap(fnx.grad(nn.log1mexp))(x[[0, 1, 4, 5]])
    np.testing.assert_allclose(slopes, [np.inf, 0, np.exp(-750.0), 0], atol=1e-320)
    bends = fnx.vmap(fnx.grad(fnx.grad(nn.log1mexp)))(x[[4, 5]])
    np.testing.assert_allclose(bends, 0, atol=1e-320)


def test_logmeanexp_neither_overflows_nor_counts_what_is_left_out():
    x = np.array([[1000.0, 1000.0, -np.inf], [3.0, 5.0, 7.0]])
    np.testing.assert_allclose(nn.logmeanexp(x, 1)[0], 1000 + np.log(2 / 3), rtol=1e-15)
    where = np.array([True, True, False])
    want = [1000, np.log(np.exp([3.0, 5.0]).mean())]
    np.testing.assert_allclose(nn.logmeanexp(x, 1, where), want, rtol=1e-15)
    np.testing.assert_allclose(fnx.grad(nn.logmeanexp)(x[1]), nn.softmax(x[1]), rtol=1e-15)
