"""From a key to numbers: the plain functions that every distribution is made of.

Here a key is a pair of uint32 scalars, its two words (`keys` checks what users pass and takes it
apart).  Bits are hashes of counters under the key, as in JAX with ``jax_threefry_partitionable``;
``child(pair, k)`` is the k-th key that `split` gives.  Nothing is checked: public functions do
that.  Read next: `continuous`.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from fnx import dtypes
from fnx import numpy as jnp
from fnx.primitives.bits import (
    bitwise_or,
    bitwise_xor,
    shift_left,
    shift_right_logical,
    threefry2x32,
)
from fnx.primitives.cast import bitcast_convert_type, convert_element_type
from fnx.primitives.iota import iota
from fnx.primitives.shaping import broadcast_in_dim, full, reshape
from fnx.primitives.special import erf_inv

__all__ = [
    "Pair",
    "child",
    "exponentials",
    "gumbels",
    "hashed_counters",
    "normals",
    "random_bits",
    "signs",
    "uniforms",
    "unit_floats",
]

#: A key: its two words.
Pair = tuple[Any, Any]


def hashed_counters(pair: Pair, shape: tuple[int, ...]) -> Pair:
    """Two words of hash for each place of a shape: of its row-major number under a key."""
    if shape == ():
        return threefry2x32(*pair, full((), 0, np.uint32), full((), 0, np.uint32))
    size = math.prod(shape)
    first, second = (broadcast_in_dim(w, (size,)) for w in pair)
    low = iota(np.uint32, size)
    if size <= 2**32:
        high = full((size,), 0, np.uint32)
    else:
        count = iota(np.uint64, size)
        high = shift_right_logical(count, full((size,), 32, np.uint64)).astype("uint32")
        low = count.astype("uint32")
    a, b = threefry2x32(first, second, high, low)
    return reshape(a, shape), reshape(b, shape)


def child(pair: Pair, number: int) -> Pair:
    """The key of that number among those that a key splits into."""
    return threefry2x32(*pair, full((), 0, np.uint32), full((), number, np.uint32))


def random_bits(pair: Pair, width: int, shape: tuple[int, ...]) -> Any:
    """Unsigned integers of 8, 16, 32 or 64 random bits."""
    high, low = hashed_counters(pair, shape)
    if width == 64:
        wide = shift_left(high.astype("uint64"), full(shape, 32, np.uint64))
        return bitwise_or(wide, low.astype("uint64"))
    word = bitwise_xor(high, low)
    return word if width == 32 else convert_element_type(word, np.dtype(f"u{width // 8}"))


def unit_floats(pair: Pair, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Any:
    """Evenly spread over [0, 1): random mantissas of numbers in [1, 2), less one."""
    info = dtypes.finfo(dtype)
    width = dtype.itemsize * 8
    drawn = 8 if info.nmant < 8 else width
    word = np.dtype(f"u{width // 8}")
    bits = random_bits(pair, drawn, shape)
    mantissa = shift_right_logical(bits, full(shape, drawn - info.nmant, bits.dtype)).astype(word)
    one = int(np.ones((), dtype).view(word))
    floats = bitcast_convert_type(bitwise_or(mantissa, full(shape, one, word)), dtype)
    return floats - jnp.ones((), dtype)


def uniforms(pair: Pair, shape: tuple[int, ...], dtype: np.dtype[Any], low: Any, high: Any) -> Any:
    """Evenly spread over [low, high)."""
    low, high = jnp.asarray(low, dtype), jnp.asarray(high, dtype)
    return jnp.maximum(low, unit_floats(pair, shape, dtype) * (high - low) + low)


def normals(pair: Pair, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Any:
    """Standard normal; of a complex dtype, both parts of variance 1/2."""
    if dtypes.kind_of(dtype) == "c":
        half = np.dtype(f"f{dtype.itemsize // 2}")
        real, imag = (normals(child(pair, k), shape, half) for k in range(2))
        return ((real + 1j * imag) / np.sqrt(2).item()).astype(dtype)
    low = np.nextafter(np.array(-1, dtype), np.array(0, dtype), dtype=dtype)
    return jnp.asarray(np.sqrt(2), dtype) * erf_inv(uniforms(pair, shape, dtype, low, 1.0))


def exponentials(pair: Pair, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Any:
    """Waiting times of rate 1."""
    return -jnp.log1p(-unit_floats(pair, shape, dtype))


def gumbels(pair: Pair, shape: tuple[int, ...], dtype: np.dtype[Any], mode: str) -> Any:
    """Standard Gumbel; ``mode="high"`` has a longer tail, from twice as many bits."""
    info = dtypes.finfo(dtype)
    tiny = float(info.tiny)
    if mode == "high":
        coarse, fine = unit_floats(pair, (2, *shape), dtype)
        u = jnp.where(coarse >= 0.5, coarse, coarse + 2.0**-info.nmant * fine + tiny)
        return -jnp.log(-jnp.log1p(-u))
    return -jnp.log(-jnp.log(uniforms(pair, shape, dtype, tiny, 1.0)))


def signs(pair: Pair, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Any:
    """-1 or 1."""
    coins = jnp.less(unit_floats(pair, shape, dtypes.default_dtype("f")), 0.5).astype(dtype)
    return (2 * coins - jnp.ones((), dtype)).astype(dtype)
