"""Splitting and stacking: against NumPy, under jit and vmap, derivatives."""

from __future__ import annotations

import numpy as np
import pytest

import fnx
import fnx.numpy as jnp
from fnx.test_util import check_grads
from tests.support.numpy_tables import assert_mapped, assert_same_as_numpy

CUBE = np.arange(48.0).reshape(2, 6, 4)


@pytest.mark.parametrize("name", ["vsplit", "hsplit", "dsplit"])
@pytest.mark.parametrize("sections", [2, [1], [1, 1, 9]], ids=str)
def test_split(name, sections):
    assert_same_as_numpy(name, [CUBE, sections])


def test_split_of_one_axis():
    assert_same_as_numpy("hsplit", [np.arange(6), 3])
    for name, least in (("hsplit", 1), ("vsplit", 2), ("dsplit", 3)):
        with pytest.raises(ValueError, match=f"{name}: the operand must have {least} or more"):
            getattr(jnp, name)(jnp.ones((2,) * (least - 1)), 1)


@pytest.mark.parametrize("name", ["dstack", "column_stack"])
def test_stacking(name):
    vectors = [np.arange(3), np.array([0.5, 1.5, 2.5])]
    matrices = [np.arange(6.0).reshape(3, 2), np.ones((3, 2))]
    for parts in (vectors, matrices, [np.array(1.0), np.array(2.0)]):
        expected = getattr(np, name)(parts)
        with fnx.enable_x64(True):
            arrays = [jnp.asarray(p) for p in parts]
            for function in (getattr(jnp, name), fnx.jit(getattr(jnp, name))):
                result = function(arrays)
                assert result.dtype == expected.dtype
                np.testing.assert_array_equal(result, expected)
    assert jnp.dstack([jnp.ones(2)], dtype=jnp.int32).dtype == np.int32


@pytest.mark.parametrize("k", range(-2, 5))
@pytest.mark.parametrize("axes", [(0, 1), (2, 0), (-1, -2)], ids=str)
def test_rot90(k, axes):
    assert_same_as_numpy("rot90", [CUBE], {"k": k, "axes": axes})


def test_rot90_errors():
    with pytest.raises(ValueError, match="rot90: axes must differ"):
        jnp.rot90(jnp.ones((2, 2)), axes=(1, -1))
    with pytest.raises(ValueError, match="rot90: axes must be two"):
        jnp.rot90(jnp.ones((2, 2)), axes=(0, 1, 0))


def test_mapped_and_derivatives():
    assert_mapped("rot90", [CUBE[0]])
    with fnx.enable_x64(True):
        check_grads(jnp.rot90, (jnp.asarray(CUBE),), order=1)
        check_grads(lambda x: jnp.dsplit(x, 2), (jnp.asarray(CUBE),), order=1)
        check_grads(lambda x, y: jnp.column_stack([x, y]), (jnp.ones(3), jnp.ones((3, 2))), order=1)
