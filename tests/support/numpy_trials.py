"""The calls of numpy_cases.py, tried on `fnx.numpy`: dtypes against JAX's, values against NumPy's."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

import fnx
import fnx.numpy as jnp
from tests.support.numpy_cases import KINDS, described, evaluated, operands

__all__ = ["assert_dtypes", "outcome"]

STORED = json.loads(
    (Path(__file__).parents[1] / "fnx" / "data" / "jax_numpy_dtypes.json").read_text()
)
_NARROW = [kind for kind in KINDS if kind not in ("int64", "uint64", "float64", "complex128")]
#: What the operands are made of, and as arrays of fnx.
VALUES = {kind: operands(kind) for kind in KINDS}
ARRAYS = {kind: {n: jnp.asarray(a) for n, a in VALUES[kind].items()} for kind in KINDS}


def outcome(expression: str, values: dict[str, Any]) -> str:
    """The dtypes of an expression's result, or the class of its error."""
    try:
        return described(evaluated(jnp, expression, values))
    except (TypeError, ValueError, IndexError, OverflowError, NotImplementedError) as error:
        builtin = next(c for c in type(error).__mro__ if c.__module__ == "builtins")
        return f"!{builtin.__name__}"


def assert_dtypes(section: str, expression: str) -> None:
    """Dtypes and weakness are those of JAX, with 64 bits and without, for operands of each dtype."""
    both = STORED[section][expression].split(" | ")
    for x64, row in zip((True, False), both, strict=True):
        kinds = KINDS if x64 else _NARROW
        wanted = row.split()
        wanted = wanted * len(kinds) if len(wanted) == 1 else wanted
        with fnx.enable_x64(x64):
            found = [outcome(expression, _inputs(kind, x64)) for kind in kinds]
        assert dict(zip(kinds, found, strict=True)) == dict(zip(kinds, wanted, strict=True)), (
            f"{expression}, enable_x64={x64}"
        )


def _inputs(kind: str, x64: bool) -> dict[str, Any]:
    arrays = ARRAYS[kind]
    return arrays if x64 else arrays | {"p": arrays["p"].astype(np.float32)}
