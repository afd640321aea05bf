"""Arrays as sets.

Dtypes against JAX, values against NumPy, derivatives against differences.
"""

from __future__ import annotations

import numpy as np
import pytest

import fnx
import fnx.numpy as jnp
from tests.support.numpy_cases import expressions
from tests.support.numpy_trials import (
    assert_derivatives,
    assert_dtypes,
    assert_values,
    differentiable,
)

EXPRESSIONS = expressions("sets")
DIFFERENTIABLE = [e for e in EXPRESSIONS if differentiable(e)]


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_dtypes(expression):
    assert_dtypes("sets", expression)


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_values(expression):
    assert_values(expression)


@pytest.mark.parametrize("expression", DIFFERENTIABLE)
def test_derivatives(expression):
    assert_derivatives(expression)


A, B = np.array([5, 1, 1, 3, 7]), np.array([3, 3, 1, 9])


@pytest.mark.parametrize("compiled", [False, True])
def test_sizes(compiled):
    """As in JAX 0.10.2, under `jit` too."""
    wrap = fnx.jit if compiled else lambda f: f
    values, index, inverse, counts = wrap(lambda x: jnp.unique(x, True, True, True, size=6))(
        np.array([[3, 1, 3], [2, 1, 9]])
    )
    np.testing.assert_array_equal(values, [1, 2, 3, 9, 1, 1])
    np.testing.assert_array_equal(index, [1, 3, 0, 5, 1, 1])
    np.testing.assert_array_equal(inverse, [[2, 0, 2], [1, 0, 3]])
    np.testing.assert_array_equal(counts, [2, 1, 2, 1, 0, 0])
    unique = wrap(lambda x: jnp.unique(x, size=2, return_counts=True))(A)
    np.testing.assert_array_equal(unique, [[1, 3], [2, 1]])
    filled = wrap(lambda x: jnp.unique(x, size=6, fill_value=-1))(A)
    np.testing.assert_array_equal(filled, [1, 3, 5, 7, -1, -1])
    both = wrap(lambda a, b: jnp.intersect1d(a, b, return_indices=True, size=4))(A, B)
    np.testing.assert_array_equal(both, [[1, 3, 1, 1], [1, 3, 5, 5], [2, 0, 4, 4]])
    one = wrap(lambda a, b: jnp.intersect1d(a, b, size=4, fill_value=-2))(A, B)
    np.testing.assert_array_equal(one, [1, 3, -2, -2])
    np.testing.assert_array_equal(
        wrap(lambda a, b: jnp.setdiff1d(a, b, size=5))(A, B), [5, 7, 0, 0, 0]
    )
    np.testing.assert_array_equal(
        wrap(lambda a, b: jnp.setdiff1d(a, b, size=5, fill_value=-1))(A, B), [5, 7, -1, -1, -1]
    )
    np.testing.assert_array_equal(
        wrap(lambda a, b: jnp.setxor1d(a, b, size=6))(A, B), [5, 7, 9, 5, 5, 5]
    )
    np.testing.assert_array_equal(
        wrap(lambda a, b: jnp.union1d(a, b, size=9))(A, B), [1, 3, 5, 7, 9, 1, 1, 1, 1]
    )
    assert wrap(lambda a, b: jnp.isin(a, b))(A, B).tolist() == [False, True, True, True, False]


def test_nan():
    x = np.array([np.nan, 1.0, np.nan])
    np.testing.assert_array_equal(jnp.unique(x), [1.0, np.nan])
    np.testing.assert_array_equal(jnp.unique(x, equal_nan=False), [1.0, np.nan, np.nan])
    np.testing.assert_array_equal(jnp.unique_values(x), [1.0, np.nan, np.nan])
    assert not jnp.isin(x, x)[0]


@pytest.mark.parametrize("axis", [0, 1, -1])
def test_slices(axis):
    x = np.random.default_rng(0).integers(0, 2, (6, 5, 2))
    found = jnp.unique(x, True, True, True, axis=axis)
    for ours, theirs in zip(found, np.unique(x, True, True, True, axis=axis), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_the_derivative_goes_to_the_first_of_equal_elements():
    x = jnp.array([2.0, 1.0, 2.0])
    grad = fnx.grad(lambda x: (jnp.unique(x, size=2) * jnp.array([10.0, 1.0])).sum())(x)
    np.testing.assert_array_equal(grad, [1.0, 10.0, 0.0])


def test_unknown_sizes():
    for function in (jnp.unique, lambda x: jnp.setdiff1d(x, x), lambda x: jnp.intersect1d(x, x)):
        with pytest.raises(fnx.errors.ConcretizationTypeError, match="Pass size="):
            fnx.jit(function)(A)


def test_errors():
    with pytest.raises(ValueError, match="isin: method is 'guess'"):
        jnp.isin(A, B, method="guess")
