"""Stores what JAX finds in the programs of `checkify_programs`, in tests/fnx/data.

Run where jax==0.10.2 is (the extra `peers-jax`), from the root of the repository::

    python -m tests.support.make_jax_checkify
"""

from __future__ import annotations

import json
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
from jax.experimental import checkify

from tests.support.checkify_programs import programs

PATH = Path(__file__).parents[1] / "fnx" / "data" / "jax_checkify.json"

if __name__ == "__main__":
    table = {}
    for name, run in programs(jax, jnp, checkify).items():
        message, out = run()
        numbers = np.asarray(out, np.float64)
        table[name] = [message, numbers.shape, [str(n) for n in numbers.ravel().tolist()]]
    lines = [f"{json.dumps(name)}: {json.dumps(row)}" for name, row in table.items()]
    PATH.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
