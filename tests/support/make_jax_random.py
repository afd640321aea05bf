"""Stores what `jax.random` draws, in tests/fnx/data/jax_random.json.

Run where jax==0.10.2 is (the extra `peers-jax`), from the root of the repository::

    python -m tests.support.make_jax_random
"""

from __future__ import annotations

import json
import warnings
from pathlib import Path

import jax
from jax import random

from tests.support.random_cases import DRAWS, KEYS, drawn, plain

PATH = Path(__file__).parents[1] / "fnx" / "data" / "jax_random.json"


def main() -> None:
    """Compute and store, a line for each expression; with 64 bits only where it asks for them."""
    warnings.simplefilter("ignore")
    stored = {}
    for expression in [e.strip() for e in (KEYS + ";" + DRAWS).replace("\n", ";").split(";")]:
        if expression:
            wide = any(word in expression for word in ("64", "2**3", "2**4"))
            with jax.enable_x64(wide):
                stored[expression] = plain(drawn(random, expression))
    lines = [f"{json.dumps(k)}:{json.dumps(v, separators=(',', ':'))}" for k, v in stored.items()]
    PATH.write_text("{" + ",\n".join(lines) + "}\n")


if __name__ == "__main__":
    main()
