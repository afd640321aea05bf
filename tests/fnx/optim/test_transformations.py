"""Chains, clipping by the global norm, and the application of updates."""

from __future__ import annotations

import numpy as np
import pytest

import fnx.numpy as jnp
from fnx import optim


def test_clipping_scales_all_leaves_together():
    clip = optim.clip_by_global_norm(1.0)
    grads = {"a": jnp.array([3.0]), "b": jnp.array([[0.0, 4.0]])}
    clipped, _ = clip.update(grads, clip.init(grads))
    assert float(optim.global_norm(grads)) == 5.0
    np.testing.assert_allclose(clipped["b"], [[0.0, 0.8]], rtol=1e-6)
    small = {"a": jnp.array([0.3])}
    assert clip.update(small, ())[0]["a"].tolist() == small["a"].tolist()


def test_chains_apply_in_order_and_keep_all_states():
    both = optim.chain(optim.clip_by_global_norm(1.0), optim.sgd(0.5, 0.9))
    params = jnp.zeros(2)
    state = both.init(params)
    first, state = both.update(jnp.array([3.0, 4.0]), state, params)
    second, state = both.update(jnp.array([3.0, 4.0]), state, params)
    np.testing.assert_allclose(first, [-0.3, -0.4], rtol=1e-6)
    np.testing.assert_allclose(second, [-0.57, -0.76], rtol=1e-6)
    with pytest.raises(ValueError):
        both.update(params, state[:1], params)


def test_updates_take_the_dtype_of_the_parameters():
    params = jnp.ones(2, "float16")
    assert optim.apply_updates(params, jnp.ones(2)).dtype == "float16"
