"""Collectives that no vmap resolves: trivial along an axis of size 1, refused along any other."""

from __future__ import annotations

import numpy as np
import pytest

import fnx
import fnx.numpy as jnp
from fnx import lax
from fnx.core.jaxpr import eval_jaxpr
from fnx.core.staging import stage
from fnx.core.types import ShapedArray
from fnx.primitives.collectives import (
    ALONG,
    all_gather_p,
    all_to_all_p,
    axes_in,
    axis_index_p,
    ppermute_p,
    psum_p,
    psum_scatter_p,
)

X = np.arange(6.0).reshape(2, 1, 3)
VECTOR = ShapedArray((3,), np.dtype(np.float64))


def test_an_axis_of_size_1_is_trivial():
    x = jnp.asarray(X)
    one = {"axis": "i", "lanes": 1}
    np.testing.assert_array_equal(psum_p(x, **one), X)
    np.testing.assert_array_equal(all_gather_p(x, **one, place=3), X[..., None])
    np.testing.assert_array_equal(psum_scatter_p(x, **one, place=1), X[:, 0])
    np.testing.assert_array_equal(all_to_all_p(x, **one, split=1, concat=0), X[:, 0][None])
    np.testing.assert_array_equal(ppermute_p(x, **one, perm=((0, 0),)), X)
    np.testing.assert_array_equal(ppermute_p(x, **one, perm=()), 0 * X)
    assert int(axis_index_p(**one)) == 0


@pytest.mark.parametrize("run", [lambda f, x: f(x), lambda f, x: fnx.jit(f)(x)])
def test_another_axis_is_refused(run):
    with pytest.raises(NameError, match=r"the axis 'i' of size 3 is unbound.*axis_name"):
        run(lambda x: psum_p(x, axis="i", lanes=3), jnp.ones(2))


def test_axes_are_found_in_programs_within():
    def f(x):
        return [lax.scan(lambda c, y: (c, psum_p(y, axis="deep", lanes=2)), x, x)[1]]

    jaxpr, _ = stage(lambda x: [*f(x), axis_index_p(axis="shallow", lanes=2)], [VECTOR])
    assert axes_in(jaxpr) == {"deep", "shallow"}
    assert axes_in(stage(lambda x: [x], [VECTOR])[0]) == frozenset()


def test_a_permutation_of_neighbours_is_two_slices():
    jaxpr, _ = stage(
        lambda x: [ALONG[ppermute_p](8, x, 0, perm=tuple((k, (k + 1) % 8) for k in range(8)))[0]],
        [ShapedArray((8, 2), np.dtype(np.float64))],
    )
    assert [e.primitive.name for e in jaxpr.eqns] == ["slice", "slice", "concatenate"]
    x = np.arange(16.0).reshape(8, 2)
    np.testing.assert_array_equal(eval_jaxpr(jaxpr, jnp.asarray(x))[0], np.roll(x, 1, 0))
