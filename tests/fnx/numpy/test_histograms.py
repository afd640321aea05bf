"""Counts and bins.

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

EXPRESSIONS = expressions("histograms")
# Where `v` makes the edges and is counted, its ends lie on the edges, whatever they are.
DIFFERENTIABLE = [e for e in EXPRESSIONS if differentiable(e) and "(v" not in e]


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_dtypes(expression):
    assert_dtypes("histograms", expression)


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_values(expression):
    assert_values(expression)


@pytest.mark.parametrize("expression", DIFFERENTIABLE)
def test_derivatives(expression):
    assert_derivatives(expression)


@pytest.mark.parametrize("expression", DIFFERENTIABLE)
def test_compiled_and_mapped(expression):
    assert_compiled_and_mapped(expression)


X = np.array([0.5, 1.5, 1.75, 3.0, 9.0])


def test_compiled():
    counts, edges = fnx.jit(lambda x: jnp.histogram(x, 4))(X)
    wanted = np.histogram(X, 4)
    np.testing.assert_array_equal(counts, wanted[0])
    np.testing.assert_allclose(edges, wanted[1])
    found = fnx.jit(lambda x: jnp.bincount(x, length=3))(np.array([1, 5, 1, 0]))
    np.testing.assert_array_equal(found, [1, 2, 0])
    np.testing.assert_array_equal(jnp.bincount(np.array([-1, 0, 3])), [2, 0, 0, 1])


@pytest.mark.parametrize("rule", ["auto", "fd", "sturges", "sqrt", "scott", "rice", "doane"])
def test_rules(rule):
    x = np.random.default_rng(1).normal(size=200)
    np.testing.assert_allclose(
        jnp.histogram_bin_edges(x, rule), np.histogram_bin_edges(x, rule), rtol=1e-12
    )


def test_unequal_bins_and_many_axes():
    points = np.random.default_rng(2).normal(size=(50, 3))
    for density in (False, True):
        ours = jnp.histogramdd(points, [2, 3, [-3.0, 0.0, 1.0, 3.0]], density=density)
        theirs = np.histogramdd(points, [2, 3, [-3.0, 0.0, 1.0, 3.0]], density=density)
        np.testing.assert_allclose(ours[0], theirs[0], rtol=1e-12)
        for a, b in zip(ours[1], theirs[1], strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-12)
    weights = np.arange(50.0)
    np.testing.assert_allclose(
        jnp.histogram(points[:, 0], [-1.0, 0.0, 1.0], weights=weights)[0],
        np.histogram(points[:, 0], [-1.0, 0.0, 1.0], weights=weights)[0],
    )


def test_derivatives_reach_weights():
    grad = fnx.grad(lambda w: jnp.histogram(X, [0.0, 1.0, 2.0], weights=w)[0] @ jnp.array([1.0, 3]))
    np.testing.assert_array_equal(grad(jnp.ones(5)), [1.0, 3.0, 3.0, 0.0, 0.0])


def test_errors():
    with pytest.raises(fnx.errors.ConcretizationTypeError, match="Pass length="):
        fnx.jit(jnp.bincount)(np.array([1]))
    with pytest.raises(fnx.errors.ConcretizationTypeError, match="Pass their number"):
        fnx.jit(lambda x: jnp.histogram(x, "auto"))(X)
    with pytest.raises(TypeError, match="bincount: x must hold integers"):
        jnp.bincount(X)
    with pytest.raises(ValueError, match="bincount: weights .* don't fit"):
        jnp.bincount(np.array([1]), np.ones(2))
    with pytest.raises(ValueError, match="bins must be positive"):
        jnp.histogram(X, 0)
    with pytest.raises(ValueError, match="histogram: weights .* don't fit"):
        jnp.histogram(X, weights=np.ones(2))
    with pytest.raises(ValueError, match="histogramdd: sample must have shape"):
        jnp.histogramdd(X)
    with pytest.raises(TypeError, match="bins must be a number"):
        jnp.histogram(X, 2.5)
