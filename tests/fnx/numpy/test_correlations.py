"""Convolutions and covariances.

Dtypes against JAX, values against NumPy, derivatives against differences.
"""

from __future__ import annotations

import numpy as np
import pytest

import fnx.numpy as jnp
from tests.support.numpy_cases import expressions
from tests.support.numpy_trials import (
    assert_compiled_and_mapped,
    assert_derivatives,
    assert_dtypes,
    assert_values,
    differentiable,
)

EXPRESSIONS = expressions("correlations")
DIFFERENTIABLE = [e for e in EXPRESSIONS if differentiable(e)]


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_dtypes(expression):
    assert_dtypes("correlations", expression)


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_values(expression):
    assert_values(expression)


@pytest.mark.parametrize("expression", DIFFERENTIABLE)
def test_derivatives(expression):
    assert_derivatives(expression)


@pytest.mark.parametrize("expression", DIFFERENTIABLE)
def test_compiled_and_mapped(expression):
    assert_compiled_and_mapped(expression)


@pytest.mark.parametrize("mode", ["full", "same", "valid"])
@pytest.mark.parametrize("sizes", [(1, 1), (5, 2), (2, 5), (6, 6), (7, 3), (3, 8)])
@pytest.mark.parametrize("dtype", [float, complex])
def test_lengths(mode, sizes, dtype):
    rng = np.random.default_rng(3)
    a, v = [
        rng.normal(size=n) + (1j * rng.normal(size=n) if dtype is complex else 0) for n in sizes
    ]
    np.testing.assert_allclose(jnp.convolve(a, v, mode), np.convolve(a, v, mode), rtol=1e-12)
    np.testing.assert_allclose(jnp.correlate(a, v, mode), np.correlate(a, v, mode), rtol=1e-12)


def test_complex_covariances():
    rng = np.random.default_rng(4)
    x = rng.normal(size=(3, 9)) + 1j * rng.normal(size=(3, 9))
    np.testing.assert_allclose(jnp.cov(x), np.cov(x), rtol=1e-12)
    np.testing.assert_allclose(jnp.corrcoef(x), np.corrcoef(x), rtol=1e-12)


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: jnp.convolve(np.ones((2, 2)), np.ones(2)), ValueError, "must have one axis"),
        (lambda: jnp.convolve(np.ones(0), np.ones(2)), ValueError, "isn't empty"),
        (lambda: jnp.correlate(np.ones(2), np.ones(2), "x"), ValueError, "mode is 'x'"),
        (lambda: jnp.cov(np.ones((2, 2, 2))), ValueError, "at most two axes"),
        (lambda: jnp.cov(np.ones((2, 3)), ddof=0.5), ValueError, "ddof must be an integer"),
        (lambda: jnp.cov(np.ones((2, 3)), fweights=np.ones(3)), TypeError, "must hold integers"),
        (lambda: jnp.cov(np.ones((2, 3)), fweights=np.ones(2, int)), ValueError, "don't fit 3"),
        (lambda: jnp.cov(np.ones((2, 3)), aweights=np.ones(2)), ValueError, "don't fit 3"),
    ],
)
def test_errors(call, error, words):
    with pytest.raises(error, match=words):
        call()
