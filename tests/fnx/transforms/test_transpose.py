"""Transposes of linear programs that hold loops, branches and calls, which count beside.

The reference is the matrix of the function, column by column.
"""

from __future__ import annotations

import numpy as np
import pytest

import fnx
import fnx.numpy as jnp
from fnx import lax

SIZE = 3


def counting(x):
    """A branch in a loop, chosen by the loop's count."""

    def body(carry, row):
        k, y = carry
        return lax.cond(
            k % 2 == 0, lambda k, y: (k + 1, 2.0 * y), lambda k, y: (k + 1, y + row), k, y
        ), k * y

    (k, y), ys = lax.scan(body, (0, x), jnp.outer(jnp.arange(1.0, 5.0), x))
    return k * y + jnp.sum(ys, axis=0)


def searching(x):
    """A loop whose length only its count decides; x enters as a constant, too."""
    return lax.while_loop(lambda c: c[0] < 5, lambda c: (c[0] + 1, 2.0 * c[1] + x), (0, x))[1]


def calling(x):
    """A checkpointed function and a jitted one, with an integer beside their linear results."""
    n, y = fnx.checkpoint(lambda n, x: (n + 1, jnp.flip(x) * 2.0))(3, x)
    m, z = fnx.jit(lambda n, y: (n * 2, y - x))(n, y)
    return z * n + y * m


@pytest.mark.parametrize("function", [counting, searching, calling])
@pytest.mark.parametrize("compiled", [False, True])
def test_transpose_of_control_flow(function, compiled):
    columns = [np.asarray(function(jnp.asarray(e, "float64"))) for e in np.eye(SIZE)]
    x, ct = jnp.zeros(SIZE, "float64"), jnp.asarray([0.3, -0.7, 1.1], "float64")

    def pull(ct):
        return fnx.linear_transpose(function, x)(ct)[0]

    got = (fnx.jit(pull) if compiled else pull)(ct)
    np.testing.assert_allclose(got, np.array(columns) @ np.asarray(ct), rtol=1e-14)


@pytest.mark.parametrize("steps", [0, 1, 3, 200])
def test_transpose_of_a_loop_of_unknown_length(steps):
    def pull(n, factor, ct):
        def function(x):
            return lax.while_loop(lambda c: c[0] < n, lambda c: (c[0] + 1, c[1] * factor), (0, x))[
                1
            ]

        return fnx.linear_transpose(function, ct)(ct)[0]

    ct, factor = jnp.asarray([1.0, 2.0], "float64"), jnp.asarray([0.99, 1.01], "float64")
    got = fnx.jit(pull)(steps, factor, ct)
    np.testing.assert_allclose(got, np.asarray(ct) * np.asarray(factor) ** steps, rtol=1e-13)


def test_a_loop_that_its_operand_stops_has_no_transpose():
    def function(x):
        return lax.while_loop(lambda y: y < 5.0, lambda y: 2.0 * y, x)

    with pytest.raises(TypeError, match=r"while of .*: the length of the loop depends"):
        fnx.linear_transpose(function, 1.0)(1.0)
