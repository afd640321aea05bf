"""Branches and loops whose lanes go together, against the same steps written in NumPy."""

from __future__ import annotations

import numpy as np

import fnx
import fnx.numpy as jnp
from fnx import lax
from fnx.control.lockstep import runs_together
from fnx.core.staging import stage
from fnx.core.types import ShapedArray
from fnx.primitives.collectives import psum_p
from fnx.transforms.batching import AxisSize

NUMBER = ShapedArray((), np.dtype(np.float64))


def test_only_collectives_along_the_axis_bind_lanes():
    inside, _ = stage(lambda x: [psum_p(x, axis="i", lanes=3)], [NUMBER])
    outside, _ = stage(lambda x: [x], [NUMBER])
    assert runs_together([outside, inside], AxisSize(3, "i"))
    assert not runs_together([outside, inside], AxisSize(3, "j"))
    assert not runs_together([outside], AxisSize(3, "i"))
    assert not runs_together([inside], 3)


def test_every_branch_and_indices_beyond_the_ends():
    branches = [
        lambda x: lax.psum(x, "i"),
        lambda x: x - lax.pmean(x, "i"),
        lambda x: lax.axis_index("i") * x,
    ]

    def f(k, x):
        return lax.switch(k, branches, x)

    x = np.arange(1.0, 6.0)
    index = np.array([-1, 0, 1, 2, 7])
    found = fnx.vmap(f, axis_name="i")(jnp.asarray(index), jnp.asarray(x))
    choices = np.stack([np.full(5, x.sum()), x - x.mean(), np.arange(5) * x])
    np.testing.assert_allclose(found, choices[np.clip(index, 0, 2), np.arange(5)], rtol=1e-6)


def test_a_loop_with_constants_and_several_carries():
    def f(limit, step, x):
        def goes_on(state):
            return state[0] < limit

        def body(state):
            c, n = state
            return c + step * lax.pmax(c, "i"), n + 1

        return lax.while_loop(goes_on, body, (x, 0))

    limit, x = np.array([5.0, 50.0, 0.0]), np.array([1.0, 2.0, 3.0])
    for run in (fnx.vmap(f, (0, None, 0), axis_name="i"),):
        for call in (run, fnx.jit(run)):
            found, count = call(jnp.asarray(limit), 0.5, jnp.asarray(x))
            c, n = x, np.zeros(3, int)
            while (c < limit).any():
                going = c < limit
                c, n = np.where(going, c + 0.5 * c.max(), c), n + going
            np.testing.assert_allclose(found, c, rtol=1e-12)
            np.testing.assert_array_equal(count, n)
