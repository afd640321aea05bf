"""Reductions.

Dtypes against JAX, values against NumPy, derivatives against differences.
"""

from __future__ import annotations

import numpy as np
import pytest

import fnx
import fnx.numpy as jnp
from tests.support.numpy_cases import expressions
from tests.support.numpy_trials import (
    assert_compiled_and_mapped,
    assert_derivatives,
    assert_dtypes,
    assert_values,
    differentiable,
)

EXPRESSIONS = expressions("reductions")
DIFFERENTIABLE = [e for e in EXPRESSIONS if differentiable(e)]


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_dtypes(expression):
    assert_dtypes("reductions", expression)


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_values(expression):
    assert_values(expression)


@pytest.mark.parametrize("expression", DIFFERENTIABLE)
def test_derivatives(expression):
    assert_derivatives(expression)


@pytest.mark.parametrize("expression", DIFFERENTIABLE)
def test_compiled_and_mapped(expression):
    assert_compiled_and_mapped(expression)


X = np.array([[1.0, np.nan, 3.0], [-np.inf, 5.0, np.inf]])


@pytest.mark.parametrize("name", "sum prod max min mean var std argmax argmin ptp all any".split())
@pytest.mark.parametrize("axis", [None, 0, 1])
def test_nan_and_infinity(name, axis):
    with np.errstate(all="ignore"):
        expected = getattr(np, name)(X, axis=axis)
    np.testing.assert_array_equal(getattr(jnp, name)(X, axis=axis), expected)


def test_empty_means_are_nan():
    assert np.isnan(jnp.mean(jnp.zeros(0)))
    assert np.isnan(jnp.var(jnp.zeros((2, 0)), axis=1)).all()


def test_variance_with_too_few_elements_is_nan():
    assert np.isnan(jnp.var(np.ones(1), ddof=1)) and np.isnan(jnp.std(np.ones(2), ddof=2))


def test_variances_where():
    x, chosen = np.arange(12.0).reshape(3, 4) ** 2, np.arange(12).reshape(3, 4) % 3 > 0
    for name in ("mean", "var", "std"):
        found = getattr(jnp, name)(x, axis=0, where=chosen)
        np.testing.assert_allclose(found, getattr(np, name)(x, axis=0, where=chosen), rtol=1e-14)


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: jnp.max(jnp.zeros((2, 0))), ValueError, r"max: f32\[2,0\] has no element"),
        (lambda: jnp.max(X, where=X > 0), ValueError, "max: with where=, give initial="),
        (lambda: jnp.argmax(jnp.zeros((2, 0)), axis=1), ValueError, "argmax: .* axis 1"),
        (lambda: jnp.sum(X, axis=2), ValueError, "sum: axis 2 is out of bounds.* 2 axes"),
        (lambda: jnp.sum(X, axis=(0, -2)), ValueError, "sum: axis .* twice"),
        (lambda: jnp.sum(X, axis=0.5), TypeError, "float"),
        (lambda: jnp.sum(X, out=X), NotImplementedError, "sum: arrays are immutable"),
        (lambda: jnp.cumsum(X, axis=-3), ValueError, "cumsum: axis -3"),
        (lambda: jnp.var(X + 1j, dtype=np.float64), ValueError, "var: .*imaginary"),
        (lambda: jnp.average(X, weights=np.ones(2)), TypeError, r"average: weights f64\[2\]"),
        (lambda: jnp.sum("abc"), TypeError, "sum: argument 0 is str"),
    ],
)
def test_errors(call, error, words):
    with pytest.raises(error, match=words):
        call()


def test_array_equiv():
    x = np.arange(3)
    assert jnp.array_equiv(x, np.stack([x, x])) and not jnp.array_equiv(x, x + 1)
    assert not jnp.array_equiv(x, np.ones(2))
    assert fnx.jit(jnp.array_equiv)(x, x)
