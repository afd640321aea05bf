"""Tracing, compiling and first running of a function in a process that has the library loaded.

Every call forgets what was compiled before: in memory by `clear_caches`, and for us on disk too, by
deleting the entries of the worker's own cache directory. JAX keeps none on disk unless asked.
"""

from __future__ import annotations

import os
from itertools import pairwise
from pathlib import Path

import numpy as np

TITLE = "cold compile"
CASES = ("10 operations", "MLP Adam step")
COLD = True
ROUND_SECONDS = 0.0  # one call is a round
SIZES = (32, 64, 64, 8)


def _ten_operations(jax, jnp):
    x = jnp.asarray(np.linspace(-1.0, 1.0, 1000, dtype=np.float32))

    def function(x):
        y = jnp.sin(x) * x + jnp.exp(-x)
        return jnp.tanh(y / (1.0 + x * x)) - jnp.sqrt(y * y + 2.0)

    return function, (x,)


def _adam_step(jax, jnp):
    rng = np.random.default_rng(0)
    weights = [
        {
            "w": jnp.asarray(rng.standard_normal((m, n)).astype(np.float32) / np.float32(m**0.5)),
            "b": jnp.zeros(n, jnp.float32),
        }
        for m, n in pairwise(SIZES)
    ]
    zeros = jax.tree_util.tree_map(jnp.zeros_like, weights)
    x = jnp.asarray(rng.standard_normal((16, SIZES[0])).astype(np.float32))
    y = jnp.asarray(rng.standard_normal((16, SIZES[-1])).astype(np.float32))

    def loss(weights, x, y):
        for layer in weights[:-1]:
            x = jnp.tanh(x @ layer["w"] + layer["b"])
        return jnp.mean((x @ weights[-1]["w"] + weights[-1]["b"] - y) ** 2)

    def step(weights, first, second, count, x, y):
        value, gradient = jax.value_and_grad(loss)(weights, x, y)
        tree_map = jax.tree_util.tree_map
        count = count + 1
        first = tree_map(lambda m, g: 0.9 * m + 0.1 * g, first, gradient)
        second = tree_map(lambda v, g: 0.999 * v + 0.001 * g * g, second, gradient)
        size, scale = 1e-3 / (1 - 0.9**count), 1 - 0.999**count
        weights = tree_map(
            lambda w, m, v: w - size * m / (jnp.sqrt(v / scale) + 1e-8), weights, first, second
        )
        return value, weights, first, second, count

    return step, (weights, zeros, zeros, jnp.float32(0.0), x, y)


def _program(jax, jnp, case, forget):
    make = _ten_operations if case == "10 operations" else _adam_step
    function, arguments = make(jax, jnp)

    def run():
        forget()
        # A function of its own each time: no cache that hangs on the object can help.
        return jax.block_until_ready(jax.jit(lambda *args: function(*args))(*arguments))

    return run


def setup_fnx(case):
    import fnx
    import fnx.numpy as jnp

    folder = Path(os.environ["FNX_CACHE_DIR"])

    def forget():
        fnx.clear_caches()
        for path in folder.rglob("*"):
            if path.is_file():
                path.unlink()

    return _program(fnx, jnp, case, forget)


def setup_jax(case):
    import jax
    import jax.numpy as jnp

    return _program(jax, jnp, case, jax.clear_caches)
