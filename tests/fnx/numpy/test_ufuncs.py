"""Ufuncs.

Dtypes against JAX, values against NumPy, derivatives against differences.
"""

from __future__ import annotations

import numpy as np
import pytest

import fnx
import fnx.numpy as jnp
from fnx.numpy import ufuncs
from tests.support.numpy_cases import expressions
from tests.support.numpy_trials import (
    assert_compiled_and_mapped,
    assert_derivatives,
    assert_dtypes,
    assert_values,
    differentiable,
)

EXPRESSIONS = expressions("ufuncs")
DIFFERENTIABLE = [e for e in EXPRESSIONS if differentiable(e)]


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_dtypes(expression):
    assert_dtypes("ufuncs", expression)


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_values(expression):
    assert_values(expression)


@pytest.mark.parametrize("expression", DIFFERENTIABLE)
def test_derivatives(expression):
    assert_derivatives(expression)


@pytest.mark.parametrize("expression", DIFFERENTIABLE)
def test_compiled_and_mapped(expression):
    assert_compiled_and_mapped(expression)


SPECIAL = np.array([0.0, -0.0, 1.0, -1.0, np.inf, -np.inf, np.nan, 0.5, -2.5, 1e-300, 1e300])
ONE = [n for n in ufuncs.__all__ if getattr(getattr(np, n, None), "nin", 0) == 1]
TWO = [n for n in ufuncs.__all__ if getattr(getattr(np, n, None), "nin", 0) == 2]


@pytest.mark.parametrize("name", [n for n in ONE if "bit" not in n and n != "invert"])
def test_special_numbers(name):
    found = getattr(jnp, name)(SPECIAL)
    with np.errstate(all="ignore"):
        expected = getattr(np, name)(SPECIAL)
    np.testing.assert_allclose(found, expected, rtol=1e-15)
    np.testing.assert_array_equal(np.signbit(found._data), np.signbit(expected))


@pytest.mark.parametrize("name", [n for n in TWO if "bit" not in n and "shift" not in n])
def test_pairs_of_special_numbers(name):
    x, y = SPECIAL[:, None], SPECIAL
    found = getattr(jnp, name)(x, y)
    with np.errstate(all="ignore"):
        expected = getattr(np, name)(x, y)
    np.testing.assert_allclose(found, expected, rtol=1e-15)


@pytest.mark.parametrize("name", ["less", "less_equal", "greater", "greater_equal"])
def test_complex_numbers_are_ordered_as_in_numpy(name):
    z = np.array([1 + 2j, 1 - 2j, 0, 2j, 1 + 2j])
    expected = getattr(np, name)(z[:, None], z)
    np.testing.assert_array_equal(getattr(jnp, name)(z[:, None], z), expected)
    np.testing.assert_array_equal(fnx.jit(getattr(jnp, name))(z[:, None], z), expected)


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: jnp.add(np.ones(2), np.ones(3)), ValueError, r"add: .*f64\[2\], f64\[3\]"),
        (lambda: jnp.add(jnp.ones(2), jnp.ones(3)), ValueError, r"add: .*f32\[2\], f32\[3\]"),
        (lambda: jnp.sin("a"), TypeError, "sin: argument 0 is str"),
        (lambda: jnp.add([1], 2), TypeError, "add: argument 0 is list"),
        (lambda: jnp.add(np.ones(2, np.int8), 300), OverflowError, "add: .* 300 .*int8"),
        (lambda: jnp.invert(1.5), TypeError, "f32"),
        (lambda: jnp.bitwise_and(jnp.ones(2), 1), TypeError, "f32"),
        (lambda: jnp.floor(1j), TypeError, "c64"),
        (lambda: jnp.subtract(True, True), TypeError, "bool"),
        (lambda: jnp.where(True), ValueError, "nonzero"),
        (lambda: jnp.where(np.ones(2), np.ones(3), 1), ValueError, "where: .*shapes"),
    ],
)
def test_errors(call, error, words):
    with pytest.raises(error, match=words):
        call()
