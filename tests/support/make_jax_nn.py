"""Stores what `jax.nn` gives, with derivatives, in tests/fnx/data/jax_nn.json.

Run where jax==0.10.2 is (the extra `peers-jax`), from the root of the repository::

    python -m tests.support.make_jax_nn
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import random
from jax.nn import initializers

from tests.support.nn_cases import (
    ACTIVATIONS,
    INITIALIZERS,
    NORMALIZATIONS,
    POINTS,
    TABLE,
    initial,
)

PATH = Path(__file__).parents[1] / "fnx" / "data" / "jax_nn.json"


def split(text: str) -> list[str]:
    """The expressions of a table."""
    return [e.strip() for e in text.replace("\n", ";").split(";") if e.strip()]


def numbers(x: Any) -> list[Any]:
    """As JSON: infinities and NaN as text."""
    return [v if np.isfinite(v) else str(v) for v in np.asarray(x, np.float64).ravel().tolist()]


def main() -> None:
    """Compute in float64 and store."""
    jax.config.update("jax_enable_x64", True)
    names = {name: getattr(jax.nn, name) for name in dir(jax.nn) if not name.startswith("_")}
    names["abs"] = jnp.abs
    stored: dict[str, Any] = {}
    for text in split(ACTIVATIONS):

        def function(x: Any, text: str = text) -> Any:
            return eval(text, names | {"x": x})

        slopes = jax.vmap(jax.grad(function))(jnp.asarray(POINTS))
        stored[text] = [numbers(jax.vmap(function)(jnp.asarray(POINTS))), numbers(slopes)]
    for text in split(NORMALIZATIONS):

        def weighted(t: Any, text: str = text) -> Any:
            y = eval(text, names | {"t": t})
            y = jnp.where(jnp.isfinite(y), y, 0.0)
            return (y * jnp.cos(jnp.arange(y.size)).reshape(y.shape)).sum()

        table = jnp.asarray(TABLE)
        stored[text] = [
            numbers(eval(text, names | {"t": table})),
            numbers(jax.grad(weighted)(table)),
        ]
    for text in split(INITIALIZERS):
        for dtype in ("float32", "float64"):
            stored[f"{text} {dtype}"] = numbers(initial(initializers, random, text, dtype))
    lines = [f"{json.dumps(k)}:{json.dumps(v, separators=(',', ':'))}" for k, v in stored.items()]
    PATH.write_text("{" + ",\n".join(lines) + "}\n")


if __name__ == "__main__":
    main()
