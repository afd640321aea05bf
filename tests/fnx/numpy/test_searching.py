"""Places among ordered numbers.

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

EXPRESSIONS = expressions("searching")
DIFFERENTIABLE = [e for e in EXPRESSIONS if differentiable(e)]


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_dtypes(expression):
    assert_dtypes("searching", expression)


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_values(expression):
    assert_values(expression)


@pytest.mark.parametrize("expression", DIFFERENTIABLE)
def test_derivatives(expression):
    assert_derivatives(expression)


@pytest.mark.parametrize("expression", DIFFERENTIABLE)
def test_compiled_and_mapped(expression):
    assert_compiled_and_mapped(expression)


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("size", [0, 1, 2, 7, 8, 100])
def test_searchsorted_while_tracing(side, size):
    rng = np.random.default_rng(size)
    table = np.sort(rng.integers(0, 20, size).astype(np.float64))
    values = np.concatenate([rng.integers(-2, 23, 40), [np.inf, -np.inf, np.nan]])
    found = fnx.jit(lambda a, v: jnp.searchsorted(a, v, side))(table, values)
    np.testing.assert_array_equal(found, np.searchsorted(table, values, side))
    rows = np.stack([table, table + 1])
    mapped = fnx.vmap(lambda a: jnp.searchsorted(a, values, side))(rows)
    np.testing.assert_array_equal(mapped[1], np.searchsorted(rows[1], values, side))


def test_searchsorted_puts_nan_last():
    table = np.array([1.0, np.inf, np.nan, np.nan])
    for side in ("left", "right"):
        wanted = np.searchsorted(table, [np.nan, 2.0], side)
        values = np.array([np.nan, 2.0])
        np.testing.assert_array_equal(jnp.searchsorted(table, values, side), wanted)
        traced = fnx.jit(lambda a, v, side=side: jnp.searchsorted(a, v, side))(table, values)
        np.testing.assert_array_equal(traced, wanted)


def test_digitize_and_interp_while_tracing():
    x, bins = np.array([0.2, 6.4, 3.0, 1.6]), np.array([0.0, 1.0, 2.5, 4.0, 10.0])
    for edges in (bins, bins[::-1]):
        for right in (False, True):
            found = fnx.jit(lambda x, b, right=right: jnp.digitize(x, b, right))(x, edges)
            np.testing.assert_array_equal(found, np.digitize(x, edges, right))
    fp = np.array([3.0, 1.0, 4.0, 1.0, 5.0])
    np.testing.assert_allclose(fnx.jit(jnp.interp)(x, bins, fp), np.interp(x, bins, fp), rtol=1e-14)


def test_interp_extrapolates_and_interpolates_complex_values():
    xp, fp = np.array([1.0, 2.0]), np.array([1.0, 5.0])
    found = jnp.interp(np.array([0.0, 3.0]), xp, fp, left="extrapolate", right="extrapolate")
    np.testing.assert_allclose(found, [-3.0, 9.0])
    z = np.array([1 + 2j, 3 - 1j])
    np.testing.assert_allclose(jnp.interp(1.25, xp, z), np.interp(1.25, xp, z))


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: jnp.searchsorted(np.ones((2, 2)), 1.0), "searchsorted: a must have one axis"),
        (lambda: jnp.searchsorted(np.ones(2), 1.0, "middle"), "searchsorted: side is 'middle'"),
        (lambda: jnp.searchsorted(np.ones(2), 1.0, method="guess"), "method is 'guess'"),
        (lambda: jnp.digitize(1.0, np.ones((1, 1))), "digitize: bins must have one axis"),
        (lambda: jnp.interp(1.0, np.ones(2), np.ones(3)), r"interp: xp is f64\[2\]"),
        (lambda: jnp.interp(1.0, np.ones(2), np.ones(2), left="far"), "left is 'far'"),
    ],
)
def test_errors(call, words):
    with pytest.raises(ValueError, match=words):
        call()


def test_a_sorter_stands_for_the_order():
    table, sorter = np.array([3.0, 1.0, 2.0]), np.array([1, 2, 0])
    for side in ("left", "right"):
        found = jnp.searchsorted(table, np.array([2.0, 9.0]), side, sorter)
        np.testing.assert_array_equal(found, np.searchsorted(table, [2.0, 9.0], side, sorter))
