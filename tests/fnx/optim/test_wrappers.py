"""Clipping by value, decay, masks and accumulation, alone and in chains."""

from __future__ import annotations

import numpy as np
import pytest

import fnx
import fnx.numpy as jnp
from fnx import optim

PARAMS = {"w": jnp.array([1.0, -2.0]), "b": jnp.array([3.0])}


def test_clipping_by_value():
    clipped, _ = optim.clip(1.5).update(PARAMS, ())
    assert clipped["w"].tolist() == [1.0, -1.5] and clipped["b"].tolist() == [1.5]


def test_decay_apart_from_the_gradient_is_adamw():
    parts = optim.chain(
        optim.adam(1.0), optim.scale(-1.0), optim.add_decayed_weights(0.3), optim.scale(-0.1)
    )
    whole = optim.adamw(0.1, weight_decay=0.3)
    found, _ = parts.update(PARAMS, parts.init(PARAMS), PARAMS)
    expected, _ = whole.update(PARAMS, whole.init(PARAMS), PARAMS)
    np.testing.assert_allclose(found["w"], expected["w"], rtol=1e-6)
    with pytest.raises(ValueError, match="add_decayed_weights: it reads the parameters"):
        optim.add_decayed_weights(0.3).update(PARAMS, ())


@pytest.mark.parametrize("mask", [{"w": True, "b": False}, lambda tree: {"w": True, "b": False}])
def test_masks(mask):
    optimizer = optim.masked(optim.adamw(0.1, weight_decay=0.5), mask)
    state = optimizer.init(PARAMS)
    assert len(fnx.tree_util.tree_leaves(state.slots["exp_avg"])) == 1
    updates, state = fnx.jit(optimizer.update)(PARAMS, state, PARAMS)
    alone = optim.adamw(0.1, weight_decay=0.5)
    expected, _ = alone.update(PARAMS["w"], alone.init(PARAMS["w"]), PARAMS["w"])
    np.testing.assert_allclose(updates["w"], expected, rtol=1e-6)
    assert updates["b"].tolist() == PARAMS["b"].tolist()


def test_accumulation_is_a_step_by_the_mean():
    optimizer = optim.accumulate(optim.adam(0.1), 3)
    step = fnx.jit(optimizer.update)
    state = optimizer.init(PARAMS)
    alone = optim.adam(0.1)
    other = alone.init(PARAMS)
    scaled = [fnx.tree_util.tree_map(lambda x, k=k: x * k, PARAMS) for k in (1.0, 2.0, 6.0)]
    mean = fnx.tree_util.tree_map(lambda x: x * 3.0, PARAMS)
    for _ in range(2):
        for k, grads in enumerate(scaled):
            updates, state = step(grads, state, PARAMS)
            if k < 2:
                assert updates["w"].tolist() == [0.0, 0.0]
        expected, other = alone.update(mean, other, PARAMS)
        np.testing.assert_allclose(updates["w"], expected["w"], rtol=1e-5)
    assert int(state.count) == 0 and int(state.inner.count) == 2
    with pytest.raises(ValueError, match="every must be at least 1, got 0"):
        optim.accumulate(alone, 0)
