"""Stores what JAX answers about promotion and about trees, in tests/fnx/data.

Run where jax==0.10.2 is (the extra `peers-jax`), from the root of the repository::

    python -m tests.support.make_jax_foundations
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jax
import jax.tree_util
import numpy as np
from jax._src import dtypes

from tests.support import tree_cases

DATA = Path(__file__).parents[1] / "fnx" / "data"

STRONG = (
    "bool int2 int4 int8 int16 int32 int64 uint2 uint4 uint8 uint16 uint32 uint64 "
    "float4_e2m1fn float8_e3m4 float8_e4m3 float8_e4m3b11fnuz float8_e4m3fn float8_e4m3fnuz "
    "float8_e5m2 float8_e5m2fnuz float8_e8m0fnu bfloat16 float16 float32 float64 "
    "complex64 complex128"
).split()
WEAK = ("int8", "int32", "int64", "float16", "float32", "float64", "complex64", "complex128")


class Typed:
    """Something of a dtype, weak or not, as `dtypes.lattice_result_type` looks at it."""

    def __init__(self, name: str, weak: bool) -> None:
        self.dtype = np.dtype(name)
        self.aval = self
        self.weak_type = weak


def answer(*nodes: Typed) -> list[Any] | str:
    """The result's dtype and weakness, or the name of the error."""
    try:
        dtype, weak = dtypes.lattice_result_type(*nodes)
    except ValueError as error:
        return type(error).__name__
    return [dtype.name, bool(weak)]


def promotion() -> dict[str, Any]:
    """Every pair, in both modes, with and without 64 bits."""
    nodes = [(name, False) for name in STRONG] + [(name, True) for name in WEAK]
    tables: dict[str, Any] = {}
    for x64 in (True, False):
        for mode in ("standard", "strict"):
            with jax.enable_x64(x64), jax.numpy_dtype_promotion(mode):
                wide = {"int64", "uint64", "float64", "complex128"}
                used = [node for node in nodes if x64 or node[0] not in wide]
                tables[f"x64={x64} {mode}"] = [
                    [a, b, answer(Typed(*a), Typed(*b))]
                    for i, a in enumerate(used)
                    for b in used[i:]
                ]
    return tables


def triples() -> list[Any]:
    """Some triples, under x64: promotion of three is not always promotion of two and one."""
    names = ("bool", "uint8", "int8", "int32", "bfloat16", "float16", "complex64")
    nodes = [(name, False) for name in names] + [("int64", True), ("float64", True)]
    with jax.enable_x64(True):
        return [
            [a, b, c, answer(Typed(*a), Typed(*b), Typed(*c))]
            for i, a in enumerate(nodes)
            for j, b in enumerate(nodes[i:], i)
            for c in nodes[j:]
        ]


def kinds() -> dict[str, Any]:
    """What JAX says of each dtype by itself."""
    scalars = (np.generic, np.number, np.integer, np.signedinteger, np.unsignedinteger)
    classes = (*scalars, np.inexact, np.floating, np.complexfloating, np.bool_, np.float32)
    words = ("bool", "signed integer", "unsigned integer", "integral", "real floating")
    words = (*words, "complex floating", "numeric", "float32")
    table: dict[str, Any] = {}
    with jax.enable_x64(True):
        for name in STRONG:
            table[name] = {
                "issubdtype": [bool(dtypes.issubdtype(name, kind)) for kind in classes],
                "isdtype": [dtypes.isdtype(name, word) for word in words],
                "bits": dtypes.itemsize_bits(name),
                "scalar": dtypes.scalar_type_of(np.dtype(name)).__name__,
                "inexact": dtypes.to_inexact_dtype(name).name,
                "complex": dtypes.to_complex_dtype(name).name,
                "numeric": dtypes.to_numeric_dtype(name).name,
                "short": dtypes.short_dtype_name(np.dtype(name)),
            }
    return table


def write(name: str, content: Any) -> None:
    """One JSON file, an entry per line."""
    (DATA / name).write_text(json.dumps(content, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    write("jax_promotion.json", {"pairs": promotion(), "triples": triples(), "kinds": kinds()})
    write("jax_trees.json", tree_cases.results(jax.tree_util))
