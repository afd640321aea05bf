"""The numbers on which elementwise primitives are compared with what JAX computed.

Shared by make_jax_elementwise.py, which stores the results, and the tests, which read them.
"""

from __future__ import annotations

import numpy as np

__all__ = ["BINARY", "CONVERSIONS", "INTEGER_BINARY", "INTEGER_UNARY", "UNARY", "operands"]

#: Floating functions of one number, by the names of `lax`.
UNARY = (
    "abs acos acosh asin asinh atan atanh cbrt ceil cos cosh digamma erf erf_inv erfc exp exp2 "
    "expm1 floor is_finite lgamma log log1p logistic neg rsqrt sign sin sinh sqrt square tan tanh"
).split()
#: Of two.
BINARY = "add atan2 div eq ge gt le lt max min mul ne nextafter pow rem sub".split()
#: Of integers.
INTEGER_UNARY = "abs bitwise_not clz neg population_count sign square".split()
INTEGER_BINARY = (
    "add bitwise_and bitwise_or bitwise_xor div eq ge max min mul mulhi rem shift_left "
    "shift_right_arithmetic shift_right_logical sub"
).split()
CONVERSIONS = (
    "bool int8 int16 int32 int64 uint8 uint16 uint32 uint64 bfloat16 float16 float32 float64"
).split()

_EDGES = [0.0, -0.0, 1.0, -1.0, np.inf, -np.inf, np.nan, 0.5, -0.5, 2.5, -2.5, 1e-3, -7.25, 100.0]


def operands(kind: str) -> tuple[np.ndarray, ...]:
    """Two arrays of every pair of interesting numbers of a dtype."""
    dtype = np.dtype(kind)
    if dtype.kind == "f":
        numbers = np.array(_EDGES, dtype)
    else:
        limits = np.iinfo(dtype)
        chosen = [0, 1, 2, 3, 5, 7, 31, 33, 100, limits.max, limits.max - 1, limits.min]
        if dtype.kind == "i":
            chosen += [-1, -2, -7, -100, limits.min + 1]
        numbers = np.array(chosen, np.int64 if dtype.kind == "i" else np.uint64).astype(dtype)
    x, y = np.meshgrid(numbers, numbers)
    return x.ravel(), y.ravel()
