"""Polynomials: against NumPy, under jit and vmap, derivatives."""

from __future__ import annotations

import numpy as np
import pytest

import fnx
import fnx.numpy as jnp
from fnx.test_util import check_grads
from tests.support.numpy_tables import assert_mapped, assert_same_as_numpy

P = np.array([2.0, -1.0, 0.5, 3.0])
Q = np.array([1.0, 4.0])


@pytest.mark.parametrize("name", ["polyadd", "polysub"])
def test_sums(name):
    assert_same_as_numpy(name, [P, Q])
    assert_same_as_numpy(name, [Q, P])
    assert_same_as_numpy(name, [np.array([1, 2]), np.array([3])])
    assert_same_as_numpy(name, [np.array(2.0), P])


def test_values():
    assert_same_as_numpy("polyval", [P, np.array([[0.5, -1.0], [2.0, 0.0]])])
    assert_same_as_numpy("polyval", [P, np.array(1.5)])
    assert_same_as_numpy("polyval", [np.array([1, 2, 3]), np.array([2, 5])])
    assert_same_as_numpy("polyval", [P, np.array([1j, 2 - 1j])])
    with pytest.raises(ValueError, match="polyval: coefficients must have an axis"):
        jnp.polyval(1.0, 2.0)


@pytest.mark.parametrize("m", [0, 1, 2, 4, 6])
def test_derivative(m):
    assert_same_as_numpy("polyder", [P], {"m": m})


@pytest.mark.parametrize("m", [0, 1, 2])
def test_integral(m):
    assert_same_as_numpy("polyint", [P], {"m": m})
    if m:
        assert_same_as_numpy("polyint", [P], {"m": m, "k": np.arange(1.0, m + 1)})
        assert_same_as_numpy("polyint", [P], {"m": m, "k": 2.5})


def test_errors_name_the_argument():
    with pytest.raises(ValueError, match="polyder: m must not be negative"):
        jnp.polyder(jnp.asarray(P), -1)
    with pytest.raises(ValueError, match="polyint: m must not be negative"):
        jnp.polyint(jnp.asarray(P), -1)
    with pytest.raises(ValueError, match="polyint: k must be one constant or 3"):
        jnp.polyint(jnp.asarray(P), 3, jnp.ones(2))
    with pytest.raises(ValueError, match="polyadd: coefficients must have one axis"):
        jnp.polyadd(jnp.ones((2, 2)), jnp.ones(2))


def test_mapped_and_derivatives():
    for name in ("polyadd", "polysub", "polyval"):
        assert_mapped(name, [P, Q])
        with fnx.enable_x64(True):
            check_grads(getattr(jnp, name), (jnp.asarray(P), jnp.asarray(Q)), order=2)
    for name in ("polyder", "polyint"):
        assert_mapped(name, [P])
        with fnx.enable_x64(True):
            check_grads(getattr(jnp, name), (jnp.asarray(P),), order=2)
