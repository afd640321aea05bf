"""Coordinates and index arrays: against NumPy, under jit and vmap, derivatives."""

from __future__ import annotations

import numpy as np
import pytest

import fnx
import fnx.numpy as jnp
from fnx.test_util import check_grads
from tests.support.numpy_cases import expressions
from tests.support.numpy_tables import assert_mapped, assert_same_as_numpy
from tests.support.numpy_trials import (
    assert_compiled_and_mapped,
    assert_derivatives,
    assert_dtypes,
    assert_values,
    differentiable,
)

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


EXPRESSIONS = expressions("grids")
DIFFERENTIABLE = [e for e in EXPRESSIONS if differentiable(e)]


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_dtypes(expression):
    assert_dtypes("grids", expression)


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_expressions(expression):
    assert_values(expression)


@pytest.mark.parametrize("expression", DIFFERENTIABLE)
def test_derivatives(expression):
    assert_derivatives(expression)


@pytest.mark.parametrize("expression", DIFFERENTIABLE)
def test_compiled_and_mapped(expression):
    assert_compiled_and_mapped(expression)


def test_grids_by_slices():
    for key in (np.s_[0:3, 0:1:5j], np.s_[2:8:2], np.s_[:3, 1:2.5:0.5], np.s_[0:1:3j]):
        np.testing.assert_allclose(jnp.mgrid[key], np.mgrid[key])
        ours, theirs = jnp.ogrid[key], np.ogrid[key]
        for a, b in zip(*[[x] if hasattr(x, "shape") else x for x in (ours, theirs)], strict=True):
            np.testing.assert_allclose(a, b)
    with pytest.raises(ValueError, match="mgrid: a slice needs an end"):
        jnp.mgrid[1:]


@pytest.mark.parametrize(
    "key",
    [
        np.s_[1:4, 0, [1.0, 2]], np.s_[np.ones(2), 3, np.zeros(1)], np.s_[0:1:3j, 5],
        np.s_["0,2", [1, 2], [3, 4]], np.s_["-1,2,0", [1, 2], [3, 4]], np.s_["1,3,1", [1], [2]],
        np.s_["1", np.ones((2, 2)), np.zeros((2, 1))], np.s_[np.ones((2, 2)), np.zeros((1, 2))],
    ],
)  # fmt: skip
def test_joining_by_brackets(key):
    np.testing.assert_array_equal(jnp.r_[key], np.r_[key])
    if not isinstance(key[0], str) and np.ndim(key[0]) < 2:
        np.testing.assert_array_equal(jnp.c_[key[-1], key[-1]], np.c_[key[-1], key[-1]])


def test_joining_by_brackets_traces_and_refuses():
    found = fnx.jit(lambda x: jnp.r_[x, 1.0, 0:2])(X)
    np.testing.assert_array_equal(found, np.r_[X, 1.0, 0:2])
    with pytest.raises(ValueError, match="r_: 'x' is no directive"):
        jnp.r_["x", X]
    with pytest.raises(ValueError, match="c_: there is nothing to join"):
        jnp.c_[()]


def test_mask_indices():
    for k in (0, 1):
        for ours, theirs in zip(
            jnp.mask_indices(3, jnp.triu, k), np.mask_indices(3, np.triu, k), strict=True
        ):
            np.testing.assert_array_equal(ours, theirs)
    assert jnp.mask_indices(3, jnp.tril, size=7)[0].shape == (7,)


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: jnp.ravel_multi_index((5,), (3,)), ValueError, "out of bounds for an axis"),
        (lambda: jnp.ravel_multi_index((5, 1), (3,)), ValueError, "2 indices and 1 modes"),
        (lambda: jnp.ravel_multi_index((1,), (3,), "x"), ValueError, "mode is 'x'"),
        (lambda: jnp.ravel_multi_index((1.0,), (3,)), TypeError, "indices must hold integers"),
        (lambda: jnp.ravel_multi_index((1,), (3,), order="K"), ValueError, "order is 'K'"),
        (
            lambda: fnx.jit(lambda i: jnp.ravel_multi_index((i,), (3,)))(1),
            TypeError,
            "mode='clip' or 'wrap'",
        ),
        (lambda: jnp.unravel_index(1.0, (3,)), TypeError, "indices must hold integers"),
    ],
)
def test_index_errors(call, error, words):
    with pytest.raises(error, match=words):
        call()
