"""lamb and lion against their papers' formulas, written in NumPy."""

from __future__ import annotations

import numpy as np
import pytest

import fnx.numpy as jnp
from fnx import optim


@pytest.mark.parametrize("weight_decay", [0.0, 0.1])
def test_lamb(weight_decay, rng):
    p, steps = rng.standard_normal(4), rng.standard_normal((5, 4))
    optimizer = optim.lamb(0.1, 0.8, 0.9, 1e-6, weight_decay)
    params = jnp.asarray(p.copy())
    state = optimizer.init(params)
    m = v = np.zeros(4)
    for t, g in enumerate(steps, 1):
        updates, state = optimizer.update(jnp.asarray(g), state, params)
        params = optim.apply_updates(params, updates)
        m, v = 0.8 * m + 0.2 * g, 0.9 * v + 0.1 * g * g
        r = m / (1 - 0.8**t) / (np.sqrt(v / (1 - 0.9**t)) + 1e-6) + weight_decay * p
        p = p - 0.1 * np.linalg.norm(p) / np.linalg.norm(r) * r
    np.testing.assert_allclose(params, p, rtol=1e-12)


def test_lamb_of_a_parameter_or_a_step_that_is_zero():
    optimizer = optim.lamb(0.1)
    for p, g, expected in ((0.0, 1.0, -0.1), (1.0, 0.0, 0.0)):
        params = jnp.full(3, p)
        updates, _ = optimizer.update(jnp.full(3, g), optimizer.init(params), params)
        np.testing.assert_allclose(updates, np.full(3, expected), rtol=1e-5)


def test_lion(rng):
    p, steps = rng.standard_normal(4), rng.standard_normal((5, 4))
    optimizer = optim.lion(0.1, 0.7, 0.95, 0.2)
    params = jnp.asarray(p.copy())
    state = optimizer.init(params)
    m = np.zeros(4)
    for g in steps:
        updates, state = optimizer.update(jnp.asarray(g), state, params)
        params = optim.apply_updates(params, updates)
        p = p - 0.1 * (np.sign(0.7 * m + 0.3 * g) + 0.2 * p)
        m = 0.95 * m + 0.05 * g
    np.testing.assert_allclose(params, p, rtol=1e-12)
