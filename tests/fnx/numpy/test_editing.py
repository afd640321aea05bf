"""Elements taken out, put in, or chosen.

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

EXPRESSIONS = expressions("editing")
DIFFERENTIABLE = [e for e in EXPRESSIONS if differentiable(e)]


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_dtypes(expression):
    assert_dtypes("editing", expression)


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_values(expression):
    assert_values(expression)


@pytest.mark.parametrize("expression", DIFFERENTIABLE)
def test_derivatives(expression):
    assert_derivatives(expression)


#: Their results' shapes depend on values.
EAGER = ("trim_zeros", "extract")


@pytest.mark.parametrize("expression", [e for e in DIFFERENTIABLE if not e.startswith(EAGER)])
def test_compiled_and_mapped(expression):
    assert_compiled_and_mapped(expression)


X = np.arange(12.0).reshape(3, 4)


def test_traced_indices():
    for i in (0, 2, -1):
        found = fnx.jit(lambda i: jnp.delete(X, i, axis=0))(i)
        np.testing.assert_array_equal(found, np.delete(X, i, axis=0))
    several = np.array([3, 0])
    found = fnx.jit(lambda i: jnp.delete(X, i, axis=1, assume_unique_indices=True))(several)
    np.testing.assert_array_equal(found, np.delete(X, several, axis=1))
    places = np.array([2, 0, 2])
    found = fnx.jit(lambda i, v: jnp.insert(X[0], i, v))(places, np.array([10.0, 20.0, 30.0]))
    np.testing.assert_array_equal(found, np.insert(X[0], places, [10.0, 20.0, 30.0]))


def test_sizes():
    mask = np.array([True, False, True])
    found = fnx.jit(lambda m: jnp.compress(m, X, axis=0, size=3, fill_value=-1))(mask)
    np.testing.assert_array_equal(found, [*X[[0, 2]], [-1] * 4])
    found = fnx.jit(lambda x: jnp.extract(x > 8, x, size=5, fill_value=-1))(X)
    np.testing.assert_array_equal(found, [9, 10, 11, -1, -1])


def test_choose_while_tracing():
    found = fnx.jit(lambda i: jnp.choose(i, [10, 20], mode="clip"))(np.array([-3, 1, 7]))
    np.testing.assert_array_equal(found, [10, 20, 20])


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: jnp.delete(X, 3, axis=0), IndexError, "delete: index 3 is out of bounds"),
        (lambda: jnp.delete(X, [True], axis=0), ValueError, "delete: the mask has shape"),
        (lambda: fnx.jit(lambda i: jnp.delete(X, i))(np.arange(2)), TypeError, "assume_unique"),
        (lambda: fnx.jit(lambda i: jnp.delete(X[0], i))(X[0] > 1), TypeError, "traced mask"),
        (lambda: jnp.insert(X, 4, 0, axis=0), IndexError, "insert: an index"),
        (lambda: jnp.resize(X, -1), ValueError, "resize: sizes must not be negative"),
        (lambda: jnp.trim_zeros(X, "x"), ValueError, "trim_zeros: trim is 'x'"),
        (lambda: fnx.jit(jnp.trim_zeros)(X), TypeError, "depends on values"),
        (lambda: jnp.compress(X > 1, X), ValueError, "compress: condition must have one axis"),
        (lambda: jnp.compress(np.ones(9), X, 0), IndexError, "longer than axis 0"),
        (lambda: jnp.select([X > 1], []), ValueError, "select: 1 conditions for 0"),
        (lambda: jnp.select([], []), ValueError, "at least one condition"),
        (lambda: jnp.select([X], [X]), TypeError, r"condlist\[0\] must hold bools"),
        (lambda: jnp.choose(np.array([2]), [1, 2]), ValueError, "out of bounds for 2 choices"),
        (lambda: jnp.choose(X, [1, 2]), TypeError, "choose: a must hold integers"),
        (lambda: jnp.choose(np.array([2]), [1, 2], mode="x"), ValueError, "mode is 'x'"),
        (lambda: fnx.jit(lambda i: jnp.choose(i, [1, 2]))(1), TypeError, "mode='clip'"),
        (lambda: jnp.piecewise(X, [X > 1], [1, 2, 3]), ValueError, "piecewise: 1 conditions"),
        (lambda: jnp.block([]), ValueError, "empty list"),
        (lambda: jnp.block([[X], X]), ValueError, "nested to depths"),
        (lambda: jnp.block((X, X)), TypeError, "is a tuple"),
    ],
)
def test_errors(call, error, words):
    with pytest.raises(error, match=words):
        call()
