"""Trials of `fnx.numpy` beside `array_api_strict`: the same call, dtypes, shapes and values.

A call is a function of a namespace and its arrays, such as ``lambda xp, x: xp.sum(x)``. 64 bits
are the default in both, as in the strict namespace.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import Any

import array_api_strict
import numpy as np

import fnx
import fnx.numpy as jnp

__all__ = [
    "BOOL", "COMPLEX", "FLOAT", "INTEGER", "NUMERIC", "REAL", "SHAPES", "SIGNED", "UNSIGNED",
    "assert_same", "data", "pairs",
]  # fmt: skip

BOOL = ("bool",)
SIGNED = ("int8", "int16", "int32", "int64")
UNSIGNED = ("uint8", "uint16", "uint32", "uint64")
INTEGER = SIGNED + UNSIGNED
FLOAT = ("float32", "float64")
COMPLEX = ("complex64", "complex128")
REAL = INTEGER + FLOAT
NUMERIC = REAL + COMPLEX
SHAPES = ((), (0,), (5,), (3, 1), (2, 0, 3), (2, 3, 4))


def data(dtype: str, shape: Any = (5,), seed: Any = "") -> np.ndarray[Any, Any]:
    """Small numbers of all signs; the same ones for the same arguments."""
    rng = np.random.default_rng(zlib.crc32(repr((dtype, shape, seed)).encode()))
    kind = np.dtype(dtype).kind
    if kind == "b":
        return np.asarray(rng.integers(0, 2, shape), dtype)
    if kind in "iu":
        return np.asarray(rng.integers(-4 if kind == "i" else 0, 9, shape), dtype)
    x = rng.normal(size=shape) * 2
    return np.asarray(x + 1j * rng.normal(size=shape) if kind == "c" else x, dtype)


def pairs(*groups: tuple[str, ...]) -> list[tuple[str, str]]:
    """Every pair of dtypes of one group; uint64 beside signed ones has no common integer."""
    return [
        (a, b)
        for group in groups
        for a in group
        for b in group
        if not ({a, b} & set(SIGNED) and "uint64" in (a, b))
    ]


def assert_same(
    call: Callable[..., Any], *arrays: Any, jit: bool = True, tolerance: float | None = None
) -> None:
    """The call gives here what it gives in the strict namespace, eager and compiled."""
    strict = [
        array_api_strict.asarray(x) if isinstance(x, np.ndarray) else x
        for x in arrays
    ]  # fmt: skip
    with np.errstate(all="ignore"):
        expected = call(array_api_strict, *strict)
    with fnx.enable_x64(True):
        ours = [jnp.asarray(x) if isinstance(x, np.ndarray) else x for x in arrays]
        _compare(call(jnp, *ours), expected, tolerance, "eager")
        if jit:
            compiled = fnx.jit(lambda *traced: call(jnp, *traced))
            _compare(compiled(*ours), expected, tolerance, "compiled")


def _compare(found: Any, expected: Any, tolerance: float | None, where: str) -> None:
    if isinstance(expected, (tuple, list)):
        assert isinstance(found, (tuple, list)) and len(found) == len(expected), where
        names = getattr(expected, "_fields", None)
        assert names is None or found._fields == names, where
        for one, other in zip(found, expected):
            _compare(one, other, tolerance, where)
        return
    x, y = np.asarray(found), np.asarray(expected)
    assert (x.dtype, x.shape) == (y.dtype, y.shape), (
        f"{where}: {x.dtype}{x.shape}, expected {y.dtype}{y.shape}"
    )
    if tolerance is None:
        tolerance = {"f4": 1e-5, "c8": 1e-5, "f8": 1e-12, "c16": 1e-12}.get(x.dtype.str[1:], 0)
    np.testing.assert_allclose(x, y, rtol=tolerance, atol=tolerance, err_msg=where)
