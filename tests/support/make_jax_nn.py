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
    ATTENTIONS,
    INITIALIZERS,
    NORMALIZATIONS,
    POINTS,
    TABLE,
    attention_operands,
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
    for text in split(ATTENTIONS):
        given = {name: jnp.asarray(x) for name, x in attention_operands("float32").items()}

        def attended(q: Any, k: Any, v: Any, text: str = text, given: Any = given) -> Any:
            scope = given | {"attend": jax.nn.dot_product_attention, "q": q, "k": k, "v": v}
            return jax.tree.leaves(eval(text, scope))

        def weighed(*operands: Any, attended: Any = attended) -> Any:
            return sum((y * jnp.cos(jnp.arange(y.size)).reshape(y.shape)).sum()
                       for y in attended(*operands))  # fmt: skip

        operands = given["q"], given["k"], given["v"]
        slopes = jax.grad(weighed, (0, 1, 2))(*operands)
        stored[text] = [*map(numbers, attended(*operands)), *map(numbers, slopes)]
    lines = [f"{json.dumps(k)}:{json.dumps(v, separators=(',', ':'))}" for k, v in stored.items()]
    PATH.write_text("{" + ",\n".join(lines) + "}\n")


if __name__ == "__main__":
    main()
