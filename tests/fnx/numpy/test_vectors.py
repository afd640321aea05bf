"""Products of vectors and matrices.

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

EXPRESSIONS = expressions("vectors")
DIFFERENTIABLE = [e for e in EXPRESSIONS if differentiable(e)]


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_dtypes(expression):
    assert_dtypes("vectors", expression)


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_values(expression):
    assert_values(expression)


@pytest.mark.parametrize("expression", DIFFERENTIABLE)
def test_derivatives(expression):
    assert_derivatives(expression)


@pytest.mark.parametrize("expression", DIFFERENTIABLE)
def test_compiled_and_mapped(expression):
    assert_compiled_and_mapped(expression)


def test_einsum_path():
    x = np.ones((2, 3))
    path, text = jnp.einsum_path("ij,jk,kl->il", x, x.T, x)
    assert path[0] != (0, 1, 2) and "Complete contraction" in str(text)
    naive, _ = jnp.einsum_path("ij,jk,kl->il", x, x.T, x, optimize=False)
    assert naive == [(0, 1, 2)]


def test_vecmat_conjugates():
    v, m = np.array([1j, 2.0]), np.array([[1.0, 2j], [3.0, 1j]])
    np.testing.assert_allclose(jnp.vecmat(v, m), v.conj() @ m)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: jnp.cross(np.ones(4), np.ones(3)), "cross: vectors must have 2 or 3"),
        (lambda: jnp.matvec(np.ones(3), np.ones(3)), r"matvec: takes \(..., m, n\)"),
        (lambda: jnp.vecmat(np.ones(3), np.ones((2, 3))), r"vecmat: takes \(..., n\)"),
    ],
)
def test_errors(call, words):
    with pytest.raises(ValueError, match=words):
        call()


def test_compiled():
    x = np.arange(6.0).reshape(2, 3)
    np.testing.assert_array_equal(fnx.jit(jnp.cross)(x, x[::-1]), np.cross(x, x[::-1]))
