"""Stores what `jax.random` draws, in tests/fnx/data/jax_random.json.

Run where jax==0.10.2 is (the extra `peers-jax`), from the root of the repository::

    python -m tests.support.make_jax_random
"""

from __future__ import annotations

import json
import warnings
from pathlib import Path

import jax
from jax import lax, random

from tests.support.random_cases import (
    DRAWS,
    GENERATED,
    KEYS,
    SHAPED,
    drawn,
    expressions,
    plain,
    states,
    wide,
)

PATH = Path(__file__).parents[1] / "fnx" / "data" / "jax_random.json"


def main() -> None:
    """Compute and store, a line for each expression; with 64 bits only where it asks for them."""
    warnings.simplefilter("ignore")
    stored = {}
    for expression in expressions(KEYS + DRAWS + SHAPED):
        with jax.enable_x64(wide(expression)):
            stored[expression] = plain(drawn(random, expression))
    for expression in GENERATED:
        with jax.enable_x64(True):
            results = eval(expression, {"lax": lax} | states())
            stored[expression] = [plain(r) for r in results]
    lines = [f"{json.dumps(k)}:{json.dumps(v, separators=(',', ':'))}" for k, v in stored.items()]
    PATH.write_text("{" + ",\n".join(lines) + "}\n")


if __name__ == "__main__":
    main()
