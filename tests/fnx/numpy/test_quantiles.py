"""Quantiles: against NumPy, under jit and vmap, derivatives."""

from __future__ import annotations

import numpy as np
import pytest

import fnx
import fnx.numpy as jnp
from fnx.test_util import check_grads
from tests.support.numpy_tables import assert_mapped, assert_same_as_numpy

NAN = np.nan
CUBE = np.random.default_rng(7).normal(size=(3, 4, 5))
HOLES = np.array([[1.0, NAN, 3.0, -2.0], [4.0, 0.5, 9.0, 2.5], [NAN, NAN, NAN, NAN]])
INFINITE = np.array([-np.inf, 1.0, 2.0, np.inf, np.inf])
METHODS = ["linear", "lower", "higher", "midpoint", "nearest"]
FRACTIONS = np.array([[0.0, 0.3], [0.7, 1.0]])


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("axis", [None, 1, (0, -1)], ids=str)
def test_quantile(method, axis):
    for keepdims in (False, True):
        options = {"axis": axis, "method": method, "keepdims": keepdims}
        assert_same_as_numpy("quantile", [CUBE, FRACTIONS], options)
    assert_same_as_numpy("percentile", [CUBE, np.array(35.0)], {"axis": axis, "method": method})


@pytest.mark.parametrize("method", METHODS)
def test_passing_over_nan(method):
    for axis in (None, 0, 1):
        options = {"axis": axis, "method": method}
        assert_same_as_numpy("nanquantile", [HOLES, FRACTIONS], options)
        assert_same_as_numpy("nanpercentile", [HOLES, 100 * FRACTIONS[0]], options)
        assert_same_as_numpy("quantile", [HOLES, FRACTIONS], options)


@pytest.mark.parametrize("axis", [None, 0, -1, (0, 1)], ids=str)
def test_nanmedian(axis):
    assert_same_as_numpy("nanmedian", [HOLES], {"axis": axis, "keepdims": True})


def test_other_operands():
    assert_same_as_numpy("quantile", [np.arange(6), np.array(0.4)])
    assert_same_as_numpy("quantile", [np.array(2.5), np.array([0.1, 0.9])])
    assert_same_as_numpy("nanmedian", [np.arange(4)])
    with fnx.enable_x64(True):
        assert jnp.quantile(jnp.ones(3, jnp.float32), 0.5).dtype == np.float32


def test_infinities_stay_infinite():
    # NumPy gives NaN here, the difference of two infinities.
    places = jnp.asarray([0.0, 0.5, 0.75, 0.9, 1.0])
    result = jnp.quantile(jnp.asarray(INFINITE), places)
    np.testing.assert_array_equal(result, [-np.inf, 2.0, np.inf, np.inf, np.inf])


def test_errors_name_the_argument():
    with pytest.raises(ValueError, match="quantile: method must be one of"):
        jnp.quantile(jnp.ones(3), 0.5, method="weibull")
    with pytest.raises(ValueError, match="percentile: complex numbers have no order"):
        jnp.percentile(jnp.ones(3) * 1j, 50)
    with pytest.raises(ValueError, match=r"nanmedian: shape \(0,\) has no element"):
        jnp.nanmedian(jnp.zeros(0))


def test_mapped():
    assert_mapped("nanmedian", [HOLES], {"axis": 1})
    assert_mapped("quantile", [CUBE, FRACTIONS], {"axis": 1})


def test_derivatives():
    with fnx.enable_x64(True):
        x = jnp.asarray(CUBE[0])
        for method in METHODS:
            check_grads(lambda v, m=method: jnp.quantile(v, 0.37, axis=1, method=m), (x,), order=2)
        check_grads(lambda q: jnp.quantile(x, q, axis=1), (jnp.asarray([0.2, 0.63]),), order=1)
        gradient = fnx.grad(lambda v: jnp.nanmedian(v))(jnp.asarray(HOLES[0]))
        np.testing.assert_array_equal(gradient, [1.0, 0.0, 0.0, 0.0])


def test_what_cannot_be_is_refused():
    with pytest.raises(ValueError, match="between 0 and 1"):
        jnp.quantile(jnp.arange(3.0), 1.5)
    with pytest.raises(ValueError, match="between 0 and 100"):
        jnp.percentile(jnp.arange(3.0), np.array([50, -1]))
    for function in (jnp.nanmax, jnp.nanargmin, jnp.isposinf, jnp.modf, jnp.nanmedian):
        with pytest.raises(NotImplementedError, match="immutable"):
            function(jnp.arange(3.0), out=np.zeros(()))
