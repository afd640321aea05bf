"""Arrays from nothing and from data.

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

EXPRESSIONS = expressions("creation")
DIFFERENTIABLE = [e for e in EXPRESSIONS if differentiable(e)]


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_dtypes(expression):
    assert_dtypes("creation", expression)


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_values(expression):
    assert_values(expression)


@pytest.mark.parametrize("expression", DIFFERENTIABLE)
def test_derivatives(expression):
    assert_derivatives(expression)


@pytest.mark.parametrize("expression", DIFFERENTIABLE)
def test_compiled_and_mapped(expression):
    assert_compiled_and_mapped(expression)


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: jnp.array([2**40]), OverflowError, "don't fit into int32.*wider dtype"),
        (lambda: jnp.array(2**40), OverflowError, "int32"),
        (lambda: jnp.array([[1], [2, 3]]), ValueError, "must be rectangular"),
        (lambda: jnp.array("abc"), TypeError, "str"),
        (lambda: jnp.array([1, None]), TypeError, "NoneType"),
        (lambda: jnp.array(["a"]), TypeError, "str"),
        (lambda: jnp.array(np.array(["a"])), TypeError, "not a numeric dtype"),
        (lambda: jnp.asarray(-1, "uint8"), OverflowError, "-1 .*uint8.*wraps around"),
        (lambda: jnp.zeros(-1), ValueError, r"must not be negative, got \(-1,\)"),
        (lambda: jnp.ones((2, 1.5)), TypeError, r"must be integers, got \(2, 1.5\)"),
        (lambda: jnp.full((2,), np.ones(3)), ValueError, "can't become shape"),
        (lambda: jnp.linspace(0, 1, -1), ValueError, "num must not be negative"),
        (lambda: fnx.jit(jnp.arange)(3), TypeError, "arange: .*traced ~i32.*static_argnums"),
        (lambda: fnx.jit(jnp.zeros)(3), TypeError, "static_argnums"),
        (lambda: jnp.zeros(2, "float99"), TypeError, "float99"),
    ],
)
def test_errors(call, error, words):
    with pytest.raises(error, match=words):
        call()


def test_numpy_numbers_keep_their_dtype():
    assert jnp.array([np.float64(2), 1]).dtype == np.float64
    assert jnp.array([np.int8(2), 1]).dtype == np.int8
    assert jnp.array([jnp.ones((), jnp.bfloat16), 1]).dtype == jnp.bfloat16


def test_defaults_without_64_bits_asked():
    assert jnp.zeros(1).dtype == jnp.ones(1).dtype == jnp.linspace(0, 1).dtype == np.float32
    assert jnp.eye(1).dtype == jnp.tri(1).dtype == jnp.array([1.5]).dtype == np.float32
    assert jnp.arange(3).dtype == jnp.array([1]).dtype == jnp.full(1, 2).dtype == np.int32
    assert jnp.array([1j]).dtype == np.complex64
    assert jnp.array(np.ones(1)).dtype == jnp.zeros_like(np.ones(1)).dtype == np.float64


def test_data_are_copied_in():
    data = np.ones(3)
    kept = jnp.asarray(data)
    data[0] = 7
    assert kept[0] == 1 and not kept.__array__().flags.writeable
