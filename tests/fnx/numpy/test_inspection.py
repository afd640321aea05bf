"""What an array is, and where it is not zero: against NumPy, under jit and vmap."""

from __future__ import annotations

import numpy as np
import pytest

import fnx
import fnx.numpy as jnp
from fnx.errors import ConcretizationTypeError

X = np.array([[0.0, 1.0, np.nan], [2.0, 0.0, 0.0]])
OPERANDS = [X, X > 0, np.zeros((0, 3)), np.array(2.0), np.array(0), np.array([1j, 0])]


@pytest.mark.parametrize("name", ["shape", "ndim", "size", "iscomplexobj", "isrealobj"])
@pytest.mark.parametrize("x", OPERANDS, ids=str)
def test_kinds(name, x):
    function, expected = getattr(jnp, name), getattr(np, name)(x)
    result = function(jnp.asarray(x))
    assert result == expected
    assert type(result) is type(expected)
    traced = []
    fnx.jit(lambda v: traced.append(function(v)) or v)(jnp.asarray(x))
    assert traced[0] == expected


def test_size_along_axes():
    assert jnp.size(X, 1) == 3
    assert jnp.size(X, -2) == 2
    assert jnp.size(X, (0, 1)) == 6


@pytest.mark.parametrize("name", ["argwhere", "flatnonzero"])
@pytest.mark.parametrize("x", OPERANDS, ids=str)
def test_places(name, x):
    expected = getattr(np, name)(x)
    with fnx.enable_x64(True):
        result = getattr(jnp, name)(jnp.asarray(x))
    assert result.dtype == expected.dtype
    assert result.shape == expected.shape
    np.testing.assert_array_equal(result, expected)


@pytest.mark.parametrize("name", ["argwhere", "flatnonzero"])
def test_places_need_a_size_when_compiled(name):
    function = getattr(jnp, name)
    with pytest.raises(ConcretizationTypeError, match="Pass size="):
        fnx.jit(function)(jnp.asarray(X))
    expected = getattr(np, name)(X)
    sized = fnx.jit(lambda v: function(v, size=5, fill_value=-1))
    result = np.asarray(sized(jnp.asarray(X)))
    np.testing.assert_array_equal(result[:3], expected)
    np.testing.assert_array_equal(result[3:], np.full_like(expected, -1)[:2])
    mapped = fnx.vmap(sized)(jnp.stack([jnp.asarray(X)] * 2))
    np.testing.assert_array_equal(mapped, [result, result])
