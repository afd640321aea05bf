"""Stores what JAX answers to the calls of lax_comparison.CALLS, in tests/fnx/data/jax_lax.npz.

Run where jax==0.10.2 is (the extra `peers-jax`), from the root of the repository::

    python -m tests.support.make_jax_lax

All numbers are in one array, complex ones as two; a text says for each name, call and order of
derivative which dtypes and shapes come, or why JAX gives none.
"""

from __future__ import annotations

import json
import traceback
from pathlib import Path
from typing import Any

import jax
import numpy as np

from tests.support.lax_comparison import CALLS, derivatives, values

PATH = Path(__file__).parents[1] / "fnx" / "data" / "jax_lax.npz"


def parts(leaf: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """The elements as float64."""
    if leaf.dtype.kind == "c":
        leaf = np.stack([leaf.real, leaf.imag], -1)
    return leaf.ravel().astype(np.float64)


def main() -> None:
    """Write the file."""
    jax.config.update("jax_enable_x64", True)
    numbers: list[np.ndarray[Any, Any]] = []
    layout: dict[str, Any] = {}
    for name, calls in CALLS.items():
        for k, call in enumerate(calls):
            inexact = any(np.asarray(x).dtype.kind in "fc" for x in call.operands)
            for order in range(call.order + 1 if inexact else 1):
                try:
                    leaves = derivatives(jax, call, order, jax.jit) if order else values(jax, call)
                except Exception as error:
                    if order == 0:
                        traceback.print_exc()
                        raise SystemExit(f"{name} {k} fails") from error
                    layout[f"{name}/{k}/{order}"] = type(error).__name__
                    print(name, k, order, type(error).__name__, str(error)[:100])
                    break
                layout[f"{name}/{k}/{order}"] = [[v.dtype.name, list(v.shape)] for v in leaves]
                numbers.extend(parts(v) for v in leaves)
    np.savez_compressed(PATH, numbers=np.concatenate(numbers), layout=np.array(json.dumps(layout)))


if __name__ == "__main__":
    main()
