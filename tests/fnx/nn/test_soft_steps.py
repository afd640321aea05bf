"""`squareplus`, `sparse_plus`: closed forms in high precision, kinks, far away.

`jax.nn.squareplus` cancels far to the left, so it is no reference there.
"""

from __future__ import annotations

import mpmath
import numpy as np
import pytest

import fnx
import fnx.numpy as jnp
from fnx import nn
from fnx.test_util import check_grads


def _exact(x, b):
    with mpmath.workdps(120):
        root = mpmath.sqrt(mpmath.mpf(x) ** 2 + b)
        return float((x + root) / 2), float((1 + x / root) / 2), float(b / root**3 / 2)


@pytest.mark.parametrize("x", [0.0, 0.3, -0.3, 2.0, -2.0, 40.0, -40.0, 1e5, -1e5, 1e30, -1e30])
@pytest.mark.parametrize("b", [4.0, 0.5])
def test_squareplus(x, b):
    value, slope, bend = _exact(x, b)
    for transform in (lambda f: f, fnx.jit):
        f = transform(lambda x: nn.squareplus(x, b))
        x64 = np.float64(x)
        np.testing.assert_allclose(f(x64), value, rtol=1e-15)
        np.testing.assert_allclose(fnx.grad(f)(x64), slope, rtol=1e-11, atol=1e-300)
        np.testing.assert_allclose(fnx.grad(fnx.grad(f))(x64), bend, rtol=1e-9, atol=1e-20)
    check_grads(nn.squareplus, (np.float64(0.7), np.float64(b)), order=2, rtol=1e-5)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_squareplus_does_not_overflow(dtype):
    largest = jnp.asarray(np.finfo(dtype).max, dtype)
    assert nn.squareplus(largest) == largest and nn.squareplus(-largest) == 0
    assert fnx.grad(nn.squareplus)(largest) == 1 and fnx.grad(nn.squareplus)(-largest) == 0
    np.testing.assert_allclose(nn.squareplus(jnp.asarray(300, dtype)), 300 + 1 / 300, rtol=1e-3)
    assert nn.squareplus(jnp.asarray(np.inf, dtype)) == np.inf
    assert np.isnan(nn.squareplus(jnp.asarray(np.nan, dtype)))


def test_sparse_plus():
    x = np.array([-np.inf, -1e30, -1.0, -0.5, 0.0, 0.3, 1.0, 1.5, 1e30, np.inf])
    value = [0, 0, 0, 0.0625, 0.25, 0.4225, 1, 1.5, 1e30, np.inf]
    slope = [0, 0, 0, 0.25, 0.5, 0.65, 1, 1, 1, 1]
    for transform in (lambda f: f, fnx.jit):
        np.testing.assert_allclose(transform(nn.sparse_plus)(x), value, rtol=1e-15)
        found = transform(fnx.vmap(fnx.grad(nn.sparse_plus)))(x)
        np.testing.assert_allclose(found, slope, rtol=1e-15)
        np.testing.assert_allclose(found, nn.sparse_sigmoid(x), rtol=1e-15)
    assert np.isnan(nn.sparse_plus(np.nan))
