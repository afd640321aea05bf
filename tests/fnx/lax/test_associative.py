"""`associative_scan` against a loop, its derivative, and its depth."""

from __future__ import annotations

import numpy as np
import pytest

import fnx
import fnx.numpy as jnp
from fnx import lax


@pytest.mark.parametrize("count", [0, 1, 2, 3, 4, 7, 8, 13])
@pytest.mark.parametrize("reverse", [False, True])
def test_sums(count, reverse, rng):
    x = rng.uniform(-1, 1, (2, count, 3))
    found = lax.associative_scan(jnp.add, x, reverse=reverse, axis=1)
    expected = np.cumsum(x[:, ::-1], 1)[:, ::-1] if reverse else np.cumsum(x, 1)
    np.testing.assert_allclose(found, expected, rtol=1e-13, atol=1e-14)


def compose(first, second):
    """x -> a x + b, then x -> c x + d: associative, not commutative."""
    (a, b), (c, d) = first, second
    return a * c, b * c + d


def test_a_linear_recurrence(rng):
    a, b = rng.uniform(0.5, 1, 9), rng.uniform(-1, 1, 9)
    state, expected = 0.0, []
    for factor, term in zip(a, b):
        state = state * factor + term
        expected.append(state)
    np.testing.assert_allclose(lax.associative_scan(compose, (a, b))[1], expected, rtol=1e-13)


def test_derivative_and_jit(rng):
    a, b = jnp.asarray(rng.uniform(0.5, 1, 9)), jnp.asarray(rng.uniform(-1, 1, 9))

    def last(a):
        return lax.associative_scan(compose, (a, b))[1][-1]

    def by_scan(a):
        return lax.scan(lambda h, p: (h * p[0] + p[1], None), 0.0 * b[0], (a, b))[0]

    np.testing.assert_allclose(fnx.grad(last)(a), fnx.grad(by_scan)(a), rtol=1e-12)
    np.testing.assert_allclose(fnx.jit(last)(a), last(a), rtol=1e-13)


def test_the_depth_is_logarithmic():
    steps = []
    lax.associative_scan(lambda x, y: steps.append(x.shape) or x + y, jnp.ones(1024))
    assert len(steps) <= 2 * 10


def test_errors():
    with pytest.raises(ValueError, match="equally long"):
        lax.associative_scan(lambda x, y: x, (jnp.ones(2), jnp.ones(3)))
    with pytest.raises(TypeError, match="structure"):
        lax.associative_scan(lambda x, y: (x,), jnp.ones(3))
    with pytest.raises(TypeError, match="function"):
        lax.associative_scan(3, jnp.ones(3))
