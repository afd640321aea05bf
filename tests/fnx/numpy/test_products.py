"""Products.

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

EXPRESSIONS = expressions("products")
DIFFERENTIABLE = [e for e in EXPRESSIONS if differentiable(e)]


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_dtypes(expression):
    assert_dtypes("products", expression)


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_values(expression):
    assert_values(expression)


@pytest.mark.parametrize("expression", DIFFERENTIABLE)
def test_derivatives(expression):
    assert_derivatives(expression)


@pytest.mark.parametrize("expression", DIFFERENTIABLE)
def test_compiled_and_mapped(expression):
    assert_compiled_and_mapped(expression)


def test_einsum_of_many_operands_in_any_order(rng):
    a, b, c, d = (rng.standard_normal(s) for s in ((2, 3), (3, 4), (4, 5), (5, 2)))
    expected = np.einsum("ab,bc,cd,da->", a, b, c, d)
    for optimize in ("optimal", "greedy", True, False):
        found = jnp.einsum("ab,bc,cd,da->", a, b, c, d, optimize=optimize)
        np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_einsum_broadcasts_axes_of_one_element(rng):
    a, b = rng.standard_normal((2, 1, 3)), rng.standard_normal((1, 4, 3))
    for subscripts in ("abc,abc->ab", "abc,abc->", "...c,...c->...", "abc,abc->cb"):
        expected = np.einsum(subscripts, a, b)
        np.testing.assert_allclose(jnp.einsum(subscripts, a, b), expected, rtol=1e-12)


def test_wider_results_on_demand():
    x = np.full(300, 100, np.int8)
    assert int(jnp.dot(x, x, preferred_element_type=np.int32)) == 3_000_000
    assert jnp.vecdot(x, x, preferred_element_type=np.int64).dtype == np.int64
    half = np.ones((2, 2), np.float16)
    assert jnp.matmul(half, half, preferred_element_type=np.float32).dtype == np.float32


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: jnp.matmul(np.ones((3, 4)), np.ones((5, 6))), ValueError,
         r"inner sizes differ, f64\[3,4\] @ f64\[5,6\] \(4 against 5"),
        (lambda: jnp.matmul(2, np.ones(2)), ValueError, "Use multiply"),
        (lambda: jnp.matmul(np.ones((2, 3, 4)), np.ones((5, 4, 3))), ValueError, "broadcast"),
        (lambda: jnp.dot(np.ones(3), np.ones(4)), ValueError, r"dot: .*\(3 against 4"),
        (lambda: jnp.inner(np.ones(3), np.ones(4)), ValueError, "inner: contracted sizes differ"),
        (lambda: jnp.vecdot(np.ones(3), np.ones(4)), ValueError, "vecdot: lengths differ"),
        (lambda: jnp.vecdot(1.0, np.ones(4)), ValueError, "vecdot: operands need"),
        (lambda: jnp.tensordot(np.ones(3), np.ones(3), ((0,), ())), ValueError, "as many of a"),
        (lambda: jnp.einsum("ij,jk", np.ones((2, 2))), ValueError, "names 2 operands, got 1"),
        (lambda: jnp.einsum("ij->ik", np.ones((2, 2))), ValueError, "must name indices"),
        (lambda: jnp.einsum("ijk->i", np.ones((2, 2))), ValueError, "names 3 axes"),
        (lambda: jnp.einsum("i,i", np.ones(2), np.ones(3)), ValueError, "sizes 2 and 3"),
        (lambda: jnp.einsum(np.ones(2), 3), TypeError, "list of axis numbers"),
        (lambda: jnp.diag(np.ones((1, 1, 1))), ValueError, "a vector or a matrix"),
        (lambda: jnp.tril(np.ones(2)), ValueError, "tril: .*fewer than two axes"),
        (lambda: jnp.trace(np.ones(2)), ValueError, "axis 1 is out of bounds"),
    ],
)  # fmt: skip
def test_errors(call, error, words):
    with pytest.raises(error, match=words):
        call()
