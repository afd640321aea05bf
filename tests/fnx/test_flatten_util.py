"""`ravel_pytree` there and back."""

from __future__ import annotations

import numpy as np
import pytest

import fnx
import fnx.numpy as jnp
from fnx.flatten_util import ravel_pytree


def test_there_and_back(rng):
    tree = {
        "w": jnp.asarray(rng.uniform(size=(2, 3))),
        "n": [jnp.int32(7), None],
        "b": jnp.ones((0,)),
    }
    vector, unravel = ravel_pytree(tree)
    assert vector.dtype == np.float64 and vector.shape == (7,)
    again = unravel(vector)
    assert fnx.tree_util.tree_structure(again) == fnx.tree_util.tree_structure(tree)
    for x, y in zip(fnx.tree_util.tree_leaves(again), fnx.tree_util.tree_leaves(tree)):
        assert x.dtype == y.dtype
        np.testing.assert_array_equal(x, y)


def test_of_nothing():
    vector, unravel = ravel_pytree({"a": ()})
    assert vector.shape == (0,)
    assert unravel(vector) == {"a": ()}


def test_a_hessian_of_a_tree():
    tree = {"a": jnp.array([1.0, 2.0]), "b": jnp.array(3.0)}
    vector, unravel = ravel_pytree(tree)

    def f(vector):
        t = unravel(vector)
        return t["a"][0] * t["a"][1] * t["b"]

    np.testing.assert_array_equal(fnx.hessian(f)(vector), [[0, 3, 2], [3, 0, 1], [2, 1, 0]])


def test_errors():
    _, unravel = ravel_pytree(jnp.ones(3))
    with pytest.raises(ValueError, match=r"f32\[3\]"):
        unravel(jnp.ones(4))
    with pytest.raises(TypeError, match="float32"):
        unravel(np.ones(3))
