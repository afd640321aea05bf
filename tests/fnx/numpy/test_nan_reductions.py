"""Reductions that pass over NaN: against NumPy, under jit and vmap, derivatives at NaN."""

from __future__ import annotations

import numpy as np
import pytest

import fnx
import fnx.numpy as jnp
from fnx.test_util import check_grads
from tests.support.numpy_tables import assert_mapped, assert_same_as_numpy

NAN = np.nan
MATRIX = np.array([[1.0, NAN, 3.0, -2.0], [4.0, 0.5, NAN, 2.5], [NAN, NAN, NAN, NAN]])
FULL = np.array([[1.0, NAN, 3.0, -np.inf], [4.0, 0.5, NAN, np.inf]])
COMPLEX = np.array([1 + 2j, complex(NAN, 1), 3 - 1j])
OVER_AXES = ["nansum", "nanprod", "nanmean", "nanvar", "nanstd", "nanmax", "nanmin"]


@pytest.mark.parametrize("name", OVER_AXES)
@pytest.mark.parametrize(
    "options",
    [{}, {"axis": 0}, {"axis": -1}, {"axis": (0, 1), "keepdims": True}, {"axis": ()}],
    ids=str,
)
def test_over_axes(name, options):
    assert_same_as_numpy(name, [MATRIX], options)


@pytest.mark.parametrize("name", OVER_AXES)
def test_integers_and_scalars(name):
    assert_same_as_numpy(name, [np.arange(6).reshape(2, 3)], {"axis": 1})
    assert_same_as_numpy(name, [np.array(2.5)])
    assert_same_as_numpy(name, [np.array([1.5, NAN, 2.0], np.float32)])


@pytest.mark.parametrize("name", ["nansum", "nanprod", "nanmean", "nanvar", "nanstd"])
def test_complex_and_empty(name):
    assert_same_as_numpy(name, [COMPLEX])
    assert_same_as_numpy(name, [np.zeros((0, 2))], {"axis": 0})


@pytest.mark.parametrize("name", ["nansum", "nanmean", "nanmax", "nanmin", "nanvar"])
def test_infinities(name):
    assert_same_as_numpy(name, [FULL], {"axis": 1})


@pytest.mark.parametrize("name", ["nanvar", "nanstd"])
def test_degrees_of_freedom(name):
    assert_same_as_numpy(name, [MATRIX], {"axis": 0, "ddof": 1})


@pytest.mark.parametrize("name", ["nanargmax", "nanargmin"])
def test_places(name):
    assert_same_as_numpy(name, [MATRIX[:2]], {"axis": 1, "keepdims": True})
    assert_same_as_numpy(name, [MATRIX])
    assert_same_as_numpy(name, [np.array([3, 1, 2])])
    assert getattr(jnp, name)(jnp.asarray(MATRIX[2])) == -1


@pytest.mark.parametrize("name", ["nancumsum", "nancumprod"])
def test_cumulative(name):
    for axis in (None, 0, -1):
        assert_same_as_numpy(name, [MATRIX], {"axis": axis})


@pytest.mark.parametrize("name", [*OVER_AXES, "nancumsum", "nanargmax"])
def test_mapped(name):
    assert_mapped(name, [MATRIX], {"axis": 1})


@pytest.mark.parametrize("name", [*OVER_AXES, "nancumsum", "nancumprod"])
def test_derivatives_pass_over_nan(name):
    with fnx.enable_x64(True):
        row = jnp.asarray(MATRIX[0])
        mask = np.isnan(MATRIX[0])

        def function(x):
            return getattr(jnp, name)(jnp.where(mask, row, x))

        check_grads(function, (jnp.asarray(np.where(mask, 0.0, MATRIX[0])),), order=2)
        gradient = fnx.grad(lambda x: getattr(jnp, name)(x).sum())(row)
        np.testing.assert_array_equal(np.asarray(gradient)[mask], 0)
