"""Scalar types: callable, equal to NumPy's, and accepted wherever a dtype is."""

from __future__ import annotations

import ml_dtypes
import numpy as np
import pytest

import fnx
import fnx.numpy as jnp
from fnx.dtypes import default_dtype
from fnx.numpy import scalar_types

DEFAULTS = {"complex_": "c", "float_": "f", "int_": "i", "uint": "u"}
NAMES = [name for name in scalar_types.__all__ if name not in DEFAULTS]


@pytest.mark.parametrize("name", DEFAULTS)
def test_defaults(name):
    assert getattr(jnp, name) == default_dtype(DEFAULTS[name])


@pytest.mark.parametrize("name", NAMES)
def test_they_stand_for_dtypes(name):
    kind = getattr(jnp, name)
    expected = np.dtype(getattr(np, name, None) or getattr(ml_dtypes, name))
    assert np.dtype(kind) == expected == kind
    assert kind == expected.type and hash(kind) == hash(expected.type)
    assert kind != (np.int8 if expected != np.int8 else np.int16)
    assert jnp.zeros(2, kind).dtype == expected
    assert jnp.ones(2).astype(kind).dtype == expected
    assert isinstance(expected.type(1), kind)
    assert {kind: 1}[kind] == 1


@pytest.mark.parametrize("name", NAMES)
def test_calling_them(name):
    kind = getattr(jnp, name)
    made = kind(1)
    assert isinstance(made, fnx.Array) and made.dtype == kind and not made.weak_type
    assert fnx.jit(lambda x: kind(x))(jnp.ones(2)).dtype == kind
    assert kind([1, 0]).shape == (2,)


def test_derivative_of_a_conversion():
    assert float(fnx.grad(lambda x: jnp.float32(x) ** 2)(np.float64(3))) == 6
    assert jnp.promote_types(jnp.float32, jnp.int8) == np.float32
    assert jnp.finfo(jnp.float32).eps == np.finfo(np.float32).eps
    assert jnp.issubdtype(jnp.float32, jnp.floating)
