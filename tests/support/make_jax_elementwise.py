"""Stores what JAX gives for elementwise functions at interesting numbers, in tests/fnx/data.

Run where jax==0.10.2 is (the extra `peers-jax`), from the root of the repository::

    python -m tests.support.make_jax_elementwise
"""

from __future__ import annotations

from pathlib import Path

import jax
import jax.extend.random
import jax.numpy as jnp
import numpy as np
from jax import lax

from tests.support.elementwise_cases import (
    BINARY,
    CONVERSIONS,
    INTEGER_BINARY,
    INTEGER_UNARY,
    UNARY,
    operands,
)

PATH = Path(__file__).parents[1] / "fnx" / "data" / "jax_elementwise.npz"


def plain(result: jax.Array) -> np.ndarray:
    """As an array that can be stored without pickling: bfloat16 as its bits."""
    data = np.asarray(result)
    return data.view(np.uint16) if data.dtype == jnp.bfloat16 else data


def main() -> None:
    """Compute and store."""
    jax.config.update("jax_enable_x64", True)
    stored: dict[str, np.ndarray] = {}
    x, y = operands("float64")
    line = x[: len(np.unique(x)) + 3]
    for name in UNARY:
        stored[f"{name} float64"] = plain(getattr(lax, name)(jnp.array(line)))
    for name in BINARY:
        stored[f"{name} float64"] = plain(getattr(lax, name)(jnp.array(x), jnp.array(y)))
    for kind in ("int8", "int32", "int64", "uint8", "uint32", "uint64"):
        x, y = operands(kind)
        for name in INTEGER_UNARY:
            if kind[0] == "u" and name == "abs":
                continue
            stored[f"{name} {kind}"] = plain(getattr(lax, name)(jnp.array(x)))
        for name in INTEGER_BINARY:
            stored[f"{name} {kind}"] = plain(getattr(lax, name)(jnp.array(x), jnp.array(y)))
    extreme = [*line, 1e20, -1e20, 255.7, 300.0, 2.5e9, 127.9, 128.0, -129.0, 65520.0, 3.3]
    wide = np.array([0, 1, -1, 300, 70000, 2**40, -(2**40), 2**24 + 1])
    for name in CONVERSIONS:
        dtype = jnp.dtype(name)
        for label, values in (("float64", np.array(extreme)), ("int64", wide)):
            result = lax.convert_element_type(jnp.array(values), dtype)
            stored[f"convert {label} {name}"] = plain(result)
    for bits in ((5, 10), (8, 7), (3, 2)):
        for kind in ("float64", "float32"):
            result = lax.reduce_precision(jnp.array(extreme, kind), *bits)
            stored[f"reduce_precision {kind} {bits[0]} {bits[1]}"] = plain(result)
    for method in lax.RoundingMethod:
        half = jnp.array([0.5, 1.5, 2.5, -0.5, -2.5, np.inf, np.nan, 0.49999999999999994, -0.0])
        stored[f"round {int(method)}"] = plain(lax.round(half, method))
    which = jnp.array([-1, 0, 1, 2, 3, 9])
    cases = [jnp.full(6, float(k)) for k in range(3)]
    stored["select_n"] = plain(lax.select_n(which, *cases))
    stored["clamp"] = plain(lax.clamp(1.0, jnp.array([0.0, jnp.nan, 1.5, 3.0]), 2.0))
    stored["clamp reversed"] = plain(lax.clamp(3.0, jnp.array([0.0, 2.5, 5.0]), 2.0))
    key = jnp.array([0x13198A2E, 0x03707344], jnp.uint32)
    counter = jnp.arange(10, dtype=jnp.uint32) * jnp.uint32(0x9E3779B9)
    stored["threefry2x32"] = plain(jax.extend.random.threefry_2x32(key, counter))
    for name in ("abs", "sqrt", "cbrt", "rsqrt", "tanh", "logistic", "log", "exp"):
        points = jnp.array([0.0, -0.0, 1.0, 700.0])
        stored[f"grad {name}"] = plain(jax.vmap(jax.grad(getattr(lax, name)))(points))
    for name in ("max", "min"):
        pairs = jnp.array([[1.0, 1.0], [1.0, 2.0], [2.0, 1.0], [jnp.nan, 1.0], [0.0, -0.0]])
        slope = jax.grad(getattr(lax, name), argnums=(0, 1))
        stored[f"grad {name}"] = np.stack([np.array(slope(*pair)) for pair in pairs])
    np.savez_compressed(PATH, **stored)


if __name__ == "__main__":
    main()
