"""The cost of calling a compiled function: arguments of 1, 10 or 50 leaves, almost no work."""

from __future__ import annotations

import numpy as np

TITLE = "jit call overhead"
CASES = ("1 leaf", "10 leaves", "50 leaves")


def _program(jax, jnp, case):
    leaves = int(case.split()[0])
    tree = {f"layer_{i}": jnp.asarray(np.arange(16, dtype=np.float32) + i) for i in range(leaves)}

    @jax.jit
    def step(tree):
        return {name: leaf + 1.0 for name, leaf in tree.items()}

    return lambda: jax.block_until_ready(step(tree))


def setup_fnx(case):
    import fnx
    import fnx.numpy as jnp

    return _program(fnx, jnp, case)


def setup_jax(case):
    import jax
    import jax.numpy as jnp

    return _program(jax, jnp, case)
