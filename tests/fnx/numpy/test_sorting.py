"""Sorting.

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


def test_lexsort():
    rng = np.random.default_rng(0)
    keys = rng.integers(0, 3, (3, 4, 5))
    for axis in (-1, 0):
        np.testing.assert_array_equal(jnp.lexsort(keys, axis), np.lexsort(keys, axis))
    np.testing.assert_array_equal(jnp.lexsort((keys[0, 0],)), np.lexsort((keys[0, 0],)))
    np.testing.assert_array_equal(fnx.jit(jnp.lexsort)(keys), np.lexsort(keys))
    assert jnp.lexsort((1.0, 2.0)) == 0


@pytest.mark.parametrize("kth", [0, 2, -1])
@pytest.mark.parametrize("axis", [0, 1, -1])
def test_partitions(kth, axis):
    x = np.random.default_rng(1).normal(size=(4, 3))
    found = np.asarray(jnp.partition(x, kth, axis))
    np.testing.assert_array_equal(np.sort(found, axis), np.sort(x, axis))
    np.testing.assert_array_equal(
        np.take(found, kth, axis), np.take(np.partition(x, kth, axis), kth, axis)
    )
    places = np.asarray(jnp.argpartition(x, kth, axis))
    np.testing.assert_array_equal(np.take_along_axis(x, places, axis), found)


def test_sort_complex():
    z = np.array([2 + 1j, 1 - 1j, 2 - 3j])
    np.testing.assert_array_equal(jnp.sort_complex(z), np.sort_complex(z))
    assert jnp.sort_complex(np.array([3, 1])).dtype == "complex128"


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: jnp.lexsort([]), TypeError, "lexsort: needs at least one key"),
        (lambda: jnp.lexsort((jnp.ones(2), jnp.ones(3))), ValueError, "keys must have one shape"),
        (lambda: jnp.partition(jnp.ones(2), 2), ValueError, "kth=2 is out of bounds"),
        (lambda: jnp.argpartition(jnp.ones(2, complex), 0), TypeError, "have no order"),
    ],
)
def test_order_errors(call, error, words):
    with pytest.raises(error, match=words):
        call()
