"""Borders.

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

EXPRESSIONS = expressions("padding")
DIFFERENTIABLE = [e for e in EXPRESSIONS if differentiable(e)]


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_dtypes(expression):
    assert_dtypes("padding", expression)


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_values(expression):
    assert_values(expression)


@pytest.mark.parametrize("expression", DIFFERENTIABLE)
def test_derivatives(expression):
    assert_derivatives(expression)


@pytest.mark.parametrize("expression", DIFFERENTIABLE)
def test_compiled_and_mapped(expression):
    assert_compiled_and_mapped(expression)


@pytest.mark.parametrize("mode", ["reflect", "symmetric", "wrap", "edge"])
@pytest.mark.parametrize("width", [(0, 3), (2, 2), (9, 1), (4, 13)])
@pytest.mark.parametrize("size", [1, 2, 3, 5])
def test_wide_borders(mode, width, size):
    x = np.arange(1.0, size + 1)
    np.testing.assert_array_equal(jnp.pad(x, width, mode), np.pad(x, width, mode))


def test_functions():
    def fill(vector, width, axis, options):
        value = options["value"] + axis
        vector = vector.at[: width[0]].set(value)
        return vector.at[vector.shape[0] - width[1] :].set(value)

    found = jnp.pad(jnp.ones((2, 3)), 1, fill, value=5)

    def fill_numpy(vector, width, axis, options):
        vector[: width[0]] = options["value"] + axis
        vector[-width[1] :] = options["value"] + axis

    np.testing.assert_array_equal(found, np.pad(np.ones((2, 3)), 1, fill_numpy, value=5))


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: jnp.pad(np.ones(2), -1), ValueError, "pad_width must not be negative"),
        (lambda: jnp.pad(np.ones(2), 1.5), TypeError, "pad_width must hold integers"),
        (lambda: jnp.pad(np.ones(2), ((1, 1), (1, 1))), ValueError, "doesn't fit 1 axes"),
        (lambda: jnp.pad(np.ones(2), 1, "foo"), NotImplementedError, "mode is 'foo'"),
        (lambda: jnp.pad(np.ones(2), 1, "edge", end_values=1), ValueError, "takes no 'end_values'"),
        (lambda: jnp.pad(np.ones((0, 2)), 1, "edge"), ValueError, "is empty"),
        (lambda: jnp.pad(np.ones(2), 1, lambda *a: None), TypeError, "gave None"),
        (lambda: jnp.pad(np.ones(2), 1, "mean", stat_length=0), ValueError, "must be positive"),
        (lambda: jnp.pad(np.ones(2), 1, "reflect", reflect_type="x"), ValueError, "reflect_type"),
    ],
)
def test_errors(call, error, words):
    with pytest.raises(error, match=words):
        call()
