"""Eager addition of two arrays of three float32: the cost of one call, with nothing to compute."""

from __future__ import annotations

import numpy as np

TITLE = "eager add, 3 elements"
A = np.array([1.0, 2.0, 3.0], np.float32)
B = np.array([4.0, 5.0, 6.0], np.float32)


def setup_fnx():
    import fnx.numpy as jnp

    a, b = jnp.asarray(A), jnp.asarray(B)
    return lambda: a + b


def setup_fnx_nn():
    import fnx_nn as torch

    a, b = torch.tensor(A), torch.tensor(B)
    return lambda: a + b


def setup_numpy():
    return lambda: A + B


def setup_torch():
    import torch

    torch.set_num_threads(2)
    a, b = torch.tensor(A), torch.tensor(B)
    return lambda: a + b


def setup_jax():
    import jax.numpy as jnp

    a, b = jnp.asarray(A), jnp.asarray(B)
    return lambda: (a + b).block_until_ready()
