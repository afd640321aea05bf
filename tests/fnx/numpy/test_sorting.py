"""Sorting.

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

EXPRESSIONS = expressions("sorting")
DIFFERENTIABLE = [e for e in EXPRESSIONS if differentiable(e)]


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_dtypes(expression):
    assert_dtypes("sorting", expression)


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_values(expression):
    assert_values(expression)


@pytest.mark.parametrize("expression", DIFFERENTIABLE)
def test_derivatives(expression):
    assert_derivatives(expression)


@pytest.mark.parametrize("expression", DIFFERENTIABLE)
def test_compiled_and_mapped(expression):
    assert_compiled_and_mapped(expression)


def test_nan_comes_last():
    x = np.array([3.0, np.nan, -np.inf, 1.0, np.inf, np.nan])
    np.testing.assert_array_equal(jnp.sort(x), np.sort(x))
    np.testing.assert_array_equal(jnp.argsort(x), [2, 3, 0, 4, 1, 5])
    assert np.isnan(jnp.median(x))


def test_decreasing_order_keeps_equal_elements_in_order():
    x = np.array([[2, 1, 2, 3, 1], [0, 0, 5, 5, 0]])
    np.testing.assert_array_equal(jnp.sort(x, descending=True), -np.sort(-x))
    np.testing.assert_array_equal(
        jnp.argsort(x, descending=True), np.argsort(-x, axis=-1, stable=True)
    )


def test_median_of_nothing_is_nan():
    assert np.isnan(jnp.median(jnp.zeros(0)))
    assert np.isnan(jnp.median(jnp.zeros((2, 0)), axis=1)).all()


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: jnp.sort(np.ones(3), axis=1), "sort: axis 1 is out of bounds"),
        (lambda: jnp.argsort(np.float64(1)), "argsort: axis -1 is out of bounds"),
        (lambda: jnp.median(np.ones(2, complex)), "median: complex"),
        (lambda: jnp.median(np.ones((2, 2)), axis=(0, 0)), "median: .*twice"),
    ],
)
def test_errors(call, words):
    with pytest.raises(ValueError, match=words):
        call()
