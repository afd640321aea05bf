"""Coordinates and index arrays: against NumPy, under jit and vmap, derivatives."""

from __future__ import annotations

import numpy as np
import pytest

import fnx
import fnx.numpy as jnp
from fnx.test_util import check_grads
from tests.support.numpy_tables import assert_mapped, assert_same_as_numpy

X, Y, Z = np.array([0.5, 1.5, 2.5]), np.array([1, 2]), np.array([True, False])


@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize("indexing", ["xy", "ij"])
def test_meshgrid(sparse, indexing):
    options = {"sparse": sparse, "indexing": indexing}
    for args in ([], [X], [X, Y], [X, Y, Z], [X, np.array(3.0)], [np.zeros(0), Y]):
        assert_same_as_numpy("meshgrid", args, options)


def test_meshgrid_errors():
    with pytest.raises(ValueError, match="indexing must be"):
        jnp.meshgrid(jnp.ones(2), indexing="yx")
    with pytest.raises(ValueError, match=r"one axis, got shape \(2, 2\)"):
        jnp.meshgrid(jnp.ones((2, 2)))


def test_open_mesh():
    assert_same_as_numpy("ix_", [np.array([0, 2]), np.array([1, 0, 1])])
    places = jnp.ix_(jnp.array([True, False, True]), jnp.array([1, 0]))
    np.testing.assert_array_equal(places[0], [[0], [2]])
    matrix = np.arange(6.0).reshape(3, 2)
    np.testing.assert_array_equal(
        jnp.asarray(matrix)[places], matrix[np.ix_([True, False, True], [1, 0])]
    )
    with pytest.raises(ValueError, match="ix_: argument 1 must have one axis"):
        jnp.ix_(jnp.arange(2), jnp.ones((2, 2)))


@pytest.mark.parametrize("shape", [(), (3,), (2, 3), (2, 0, 4)], ids=str)
def test_indices(shape):
    assert_same_as_numpy("indices", [shape], dtypes_too=bool(shape))
    assert_same_as_numpy("indices", [shape], {"dtype": np.int32, "sparse": True})


@pytest.mark.parametrize("name", ["tril_indices", "triu_indices"])
@pytest.mark.parametrize("args", [(4,), (3, 1), (3, -1, 5), (0,)], ids=str)
def test_triangles(name, args):
    assert_same_as_numpy(name, list(args))


@pytest.mark.parametrize("name", ["tril_indices_from", "triu_indices_from"])
def test_triangles_of_a_matrix(name):
    assert_same_as_numpy(name, [np.ones((3, 4))], {"k": 1})
    with pytest.raises(ValueError, match=f"{name}: the operand must have two axes"):
        getattr(jnp, name)(jnp.ones(3))


def test_diagonals():
    assert_same_as_numpy("diag_indices", [3, 3])
    assert_same_as_numpy("diag_indices_from", [np.ones((2, 2, 2))])
    with pytest.raises(ValueError, match="diag_indices_from: the operand must have two or more"):
        jnp.diag_indices_from(jnp.ones((2, 3)))
    with pytest.raises(ValueError, match="must not be negative"):
        jnp.diag_indices(-1)


def test_slices_are_written_as_indices():
    x = jnp.arange(12).reshape(3, 4)
    np.testing.assert_array_equal(x[jnp.s_[1:, ::2]], np.arange(12).reshape(3, 4)[1:, ::2])
    assert jnp.index_exp[1:] == (slice(1, None),)


def test_mapped_and_derivatives():
    assert_mapped("meshgrid", [X, X * 2])
    with fnx.enable_x64(True):
        check_grads(jnp.meshgrid, (jnp.asarray(X), jnp.asarray(X)), order=1)
