"""Arrays joined, split, rolled and repeated.

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

EXPRESSIONS = expressions("joining")
DIFFERENTIABLE = [e for e in EXPRESSIONS if differentiable(e)]


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_dtypes(expression):
    assert_dtypes("joining", expression)


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_values(expression):
    assert_values(expression)


@pytest.mark.parametrize("expression", DIFFERENTIABLE)
def test_derivatives(expression):
    assert_derivatives(expression)


@pytest.mark.parametrize("expression", DIFFERENTIABLE)
def test_compiled_and_mapped(expression):
    assert_compiled_and_mapped(expression)


X = np.arange(6.0).reshape(2, 3)


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: jnp.concatenate([]), ValueError, "needs at least one array"),
        (lambda: jnp.concatenate([X, X.T]), ValueError, r"argument 0 is f64\[2,3\], argument 1 is"),
        (lambda: jnp.concatenate([1.0, 2.0]), ValueError, "Use stack"),
        (lambda: jnp.concatenate([X], axis=2), ValueError, "concatenate: axis 2"),
        (lambda: jnp.stack([X, X.T]), ValueError, "stack: shapes must be equal"),
        (lambda: jnp.stack([X], out=X), NotImplementedError, "immutable"),
        (lambda: jnp.split(X, 2, axis=1), ValueError, "into 2 equal parts"),
        (lambda: jnp.roll(X, 1, axis=2), ValueError, "roll: axis 2"),
        (lambda: jnp.repeat(X, [1, 2], axis=1), ValueError, "broadcast"),
        (lambda: jnp.unstack(np.float64(1)), ValueError, "unstack: axis 0"),
    ],
)
def test_errors(call, error, words):
    with pytest.raises(error, match=words):
        call()


@pytest.mark.parametrize("length", [2, 6, 9])
def test_repetitions_of_a_given_length(length):
    full = np.repeat(X, [1, 0, 5], axis=1)[:, :length]
    expected = np.pad(full, ((0, 0), (0, length - full.shape[1])), mode="edge")
    found = jnp.repeat(X, np.array([1, 0, 5]), axis=1, total_repeat_length=length)
    np.testing.assert_array_equal(found, expected)
