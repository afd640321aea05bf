"""Arrays in other shapes.

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

EXPRESSIONS = expressions("manipulation")
DIFFERENTIABLE = [e for e in EXPRESSIONS if differentiable(e)]


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_dtypes(expression):
    assert_dtypes("manipulation", expression)


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


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: jnp.reshape(X, (5, 5)), ValueError, r"reshape: f64\[2,3,4\] has 24 elements"),
        (lambda: jnp.reshape(X, (-1, -1)), ValueError, "at most one size may be -1"),
        (lambda: jnp.reshape(X, (-1, 5)), ValueError, "24 elements"),
        (lambda: jnp.reshape(X, (4, 6), order="K"), NotImplementedError, "order='K'"),
        (lambda: fnx.jit(lambda n: jnp.reshape(X, n))(24), TypeError, "traced ~i32.*static_arg"),
        (lambda: jnp.transpose(X, (0, 1)), ValueError, "aren't a permutation"),
        (lambda: jnp.transpose(X, (0, 1, 1)), ValueError, "aren't a permutation"),
        (lambda: jnp.squeeze(X, 1), ValueError, "axis 1 of .* has size 3, not 1"),
        (lambda: jnp.moveaxis(X, (0, 1), 0), ValueError, "of one length"),
        (lambda: jnp.swapaxes(X, 0, 3), ValueError, "swapaxes: axis 3"),
        (lambda: jnp.expand_dims(X, (0, 0)), ValueError, "twice"),
        (lambda: jnp.flip(X, 3), ValueError, "flip: axis 3"),
        (lambda: jnp.fliplr(np.ones(2)), ValueError, "axis 1 is out of bounds"),
        (lambda: jnp.matrix_transpose(np.ones(2)), ValueError, "fewer than two axes"),
    ],
)
def test_errors(call, error, words):
    with pytest.raises(error, match=words):
        call()


def test_numpy_refuses_an_axis_with_its_own_class():
    with pytest.raises(np.exceptions.AxisError):
        jnp.swapaxes(X, 0, 3)
