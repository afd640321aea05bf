"""Indexing.

Dtypes against JAX, values against NumPy, derivatives against differences.
"""

from __future__ import annotations

import numpy as np
import pytest

import fnx
import fnx.numpy as jnp
from fnx.errors import ConcretizationTypeError
from tests.support.numpy_cases import expressions
from tests.support.numpy_trials import (
    assert_compiled_and_mapped,
    assert_derivatives,
    assert_dtypes,
    assert_values,
    differentiable,
)

EXPRESSIONS = expressions("indexing")
DIFFERENTIABLE = [e for e in EXPRESSIONS if differentiable(e)]


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_dtypes(expression):
    assert_dtypes("indexing", expression)


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_values(expression):
    assert_values(expression)


@pytest.mark.parametrize("expression", DIFFERENTIABLE)
def test_derivatives(expression):
    assert_derivatives(expression)


@pytest.mark.parametrize("expression", DIFFERENTIABLE)
def test_compiled_and_mapped(expression):
    assert_compiled_and_mapped(expression)


X = np.arange(24.0).reshape(2, 3, 4)
MASK = X[0] % 3 == 0
PLACES = np.array([[2, 0], [1, -1]])
INDICES = [
    0, -1, (1, 2), (1, 2, 3), slice(None), slice(1, None), slice(None, None, -1), slice(5, 9),
    (slice(None), slice(None, None, -2)), (slice(None), slice(2, 0, -1), slice(-3, None, 2)),
    None, Ellipsis, (Ellipsis, 0), (0, Ellipsis, None), (None, 1, None, slice(2), None),
    (Ellipsis, slice(1, 3)), (slice(1, 1),), (), (slice(None), PLACES), (0, PLACES),
    (PLACES % 2, PLACES), (slice(None), PLACES, PLACES), (PLACES % 2, slice(None), PLACES),
    (Ellipsis, PLACES), (None, PLACES % 2, Ellipsis), (0, slice(None), PLACES),
    (PLACES % 2, None, PLACES), (slice(None, None, -1), PLACES, slice(1, 3)), X > 5,
    (slice(None), MASK), (1, MASK), (Ellipsis, MASK[0]), (MASK[:2, 0],), True, False,
    (True, slice(1)), np.array(True), [0, 1], ([0, 1], [2, 0]), ((0, 1),), [], np.int8(1),
    (np.uint8(1), np.int64(-1)), np.zeros((0,), int), (slice(None), [True, False, True]),
    (slice(0, 2), [0, 2], slice(None, None, 2)), (np.array(1), slice(None), np.array([0, 3])),
]  # fmt: skip


def _as_numpy_reads(index):
    return np.array(index) if isinstance(index, list) and index else index


@pytest.mark.parametrize("index", INDICES, ids=repr)
def test_getting(index):
    expected = X[[]] if isinstance(index, list) and not index else X[_as_numpy_reads(index)]
    found = jnp.asarray(X)[index]
    assert found.shape == expected.shape
    np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(fnx.jit(lambda x: x[index])(X), expected)


@pytest.mark.parametrize("index", INDICES, ids=repr)
def test_derivative_of_getting(index):
    weights = np.sin(np.arange(X[_empty(index)].size) + 1.0).reshape(X[_empty(index)].shape)
    expected = np.zeros_like(X)
    np.add.at(expected, _empty(index), weights)
    found = fnx.grad(lambda x: (x[index] * weights).sum())(X)
    np.testing.assert_allclose(found, expected, rtol=1e-14)


def _empty(index):
    return np.zeros(0, int) if isinstance(index, list) and not index else _as_numpy_reads(index)


def test_traced_indices():
    for index in (np.array(1), np.array([-1, 0]), PLACES % 2):
        found = fnx.jit(lambda x, i: x[i])(X, index)
        np.testing.assert_array_equal(found, X[index])
        found = fnx.jit(lambda x, i: x[:, None, i, ::-1])(X, index)
        np.testing.assert_array_equal(found, X[:, None, index, ::-1])


def test_traced_indices_out_of_bounds_are_clamped():
    x = np.arange(4.0)
    assert float(fnx.jit(lambda i: jnp.asarray(x)[i])(9)) == 3
    np.testing.assert_array_equal(jnp.asarray(x)[np.array([7, -9])], [3, 0])
    np.testing.assert_array_equal(jnp.take(x, np.array([7, -5, -1])), [np.nan, np.nan, 3])
    np.testing.assert_array_equal(jnp.take(x, np.array([7, 1]), fill_value=-1), [-1, 1])


@pytest.mark.parametrize(
    ("index", "error", "words"),
    [
        (2, IndexError, r"f64\[2,3,4\]: index 2 is out of bounds for axis 0"),
        ((0, PLACES, -5), IndexError, "index -5 is out of bounds for axis 2"),
        ((0, 0, 0, 0), IndexError, "too many indices"),
        ((PLACES, 0, 0, 0), IndexError, "too many indices, 4"),
        ((Ellipsis, PLACES, Ellipsis), IndexError, "one ellipsis"),
        (1.5, TypeError, "an index is float"),
        ("a", TypeError, "an index is str"),
        (X, TypeError, r"integers or bools, got f64"),
        ((slice(None), np.array([True, False])), IndexError, r"mask of shape \(2,\).*\(3,\)"),
        ((Ellipsis, MASK[:2]), IndexError, r"mask of shape \(2, 4\).*\(3, 4\)"),
        (slice(0, 1, 0), ValueError, "step cannot be zero"),
        ((PLACES, slice(0.5, 2)), IndexError, "slice bounds must be integers, got float"),
        ((PLACES, np.arange(3)), ValueError, "broadcast"),
    ],
)
def test_errors(index, error, words):
    with pytest.raises(error, match=words):
        jnp.asarray(X)[index]


def test_traced_masks_are_refused():
    with pytest.raises(IndexError, match=r"the mask bool\[2,3,4\] is traced.*jnp.where"):
        fnx.jit(lambda x: x[x > 0])(X)
    with pytest.raises(ConcretizationTypeError, match="Pass size="):
        fnx.jit(jnp.nonzero)(X)


@pytest.mark.parametrize("size", [0, 2, 30])
def test_nonzero_of_a_given_size(size):
    found = fnx.jit(lambda x: jnp.nonzero(x > 5, size=size, fill_value=-1))(X)
    for place, known in zip(found, np.nonzero(X > 5), strict=True):
        expected = np.concatenate([known[:size], np.full(max(size - known.size, 0), -1)])
        np.testing.assert_array_equal(place, expected)
    assert [p.tolist() for p in jnp.nonzero(X > 5, size=size, fill_value=-1)] == [
        p.tolist() for p in found
    ]


def test_axes_that_are_not_there():
    with pytest.raises(ValueError, match="take: axis 3 is out of bounds"):
        jnp.take(X, 0, axis=3)
    with pytest.raises(ValueError, match="take_along_axis: axis -4"):
        jnp.take_along_axis(X, PLACES, axis=-4)
    with pytest.raises(ValueError, match="as many axes"):
        jnp.take_along_axis(X, PLACES, axis=0)


@pytest.mark.parametrize(("index", "value"), [(-5, 10), (-3, 10), (-1, 12), (0, 10), (9, 12)])
def test_array_scalars_out_of_bounds_are_clipped(index, value):
    """A negative index counts from the end once; JAX 0.10.2 gives these, too."""
    x = jnp.array([10, 11, 12])
    assert x[jnp.array(index)] == value
    assert fnx.jit(lambda x, i: x[i])(x, index) == value


def test_updates_at_an_array_scalar_have_gradients():
    grad = fnx.grad(lambda v: (jnp.zeros(5).at[jnp.array(1)].set(v) * jnp.arange(5)).sum())(1.0)
    assert grad == 1 and grad.shape == ()
