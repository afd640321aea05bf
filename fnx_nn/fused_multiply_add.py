"""Exact fused multiply-add on arrays: `a * b + c` with one rounding, in float32 and float64.

NumPy has no such operation, and the random fills need it: the reference numbers come from code
that a compiler contracted to FMA instructions, so a product rounded on its own differs in the
last bit. In: float arrays or scalars that broadcast. Out: a new array of the same dtype.

Read next: `box_muller`, `random_fill`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["fused_multiply_add_32", "fused_multiply_add_64"]

_LOW_BITS = np.int64((1 << 29) - 1)  # what float64 has more than float32
_TIE = np.int64(1 << 28)  # those bits, when the value lies halfway between two float32


def fused_multiply_add_32(a: ArrayLike, b: ArrayLike, c: ArrayLike) -> NDArray[np.float32]:
    """Return `a * b + c` rounded once to float32.

    The product of two float32 is exact in float64. The float64 sum is rounded a second time by
    the cast, which matters only when it landed halfway between two float32; there the exact
    error of the sum decides.
    """
    left, right, addend = (np.asarray(v, dtype=np.float32) for v in (a, b, c))
    product = np.asarray(np.multiply(left, right, dtype=np.float64))
    total = np.asarray(product + addend)
    halfway = (total.view(np.int64) & _LOW_BITS) == _TIE
    if halfway.any():
        product, wide = np.broadcast_arrays(product, np.asarray(addend, dtype=np.float64))
        _, error = _two_sum(product[halfway], wide[halfway])
        toward = np.where(error > 0, np.inf, -np.inf)
        exact = total[halfway]
        total[halfway] = np.where(error == 0, exact, np.nextafter(exact, toward))
    return total.astype(np.float32)


def fused_multiply_add_64(a: ArrayLike, b: ArrayLike, c: ArrayLike) -> NDArray[np.float64]:
    """Return `a * b + c` rounded once to float64, for values far from overflow.

    References
    ----------
    S. Boldo and G. Melquiond, "Emulation of FMA and correctly rounded sums: proved algorithms
    using rounding to odd", IEEE Transactions on Computers 57 (2008), algorithm 5.
    """
    left, right, addend = (np.asarray(v, dtype=np.float64) for v in (a, b, c))
    high, low = _two_product(left, right)
    sum_high, sum_low = _two_sum(addend, low)
    head, tail = _two_sum(high, sum_high)
    return np.asarray(head + _sum_rounded_to_odd(sum_low, tail))


def _two_sum(a: NDArray[Any], b: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return the rounded sum and its exact error (Knuth)."""
    total = a + b
    shadow = total - a
    return total, (a - (total - shadow)) + (b - shadow)


def _two_product(a: NDArray[Any], b: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return the rounded product and its exact error (Dekker, by splitting each factor)."""
    product = a * b
    a_high, a_low = _split(a)
    b_high, b_low = _split(b)
    error = ((a_high * b_high - product) + a_high * b_low + a_low * b_high) + a_low * b_low
    return product, error


def _split(a: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Split a float64 into two halves of at most 26 significant bits (Veltkamp)."""
    scaled = a * 134217729.0  # 2**27 + 1
    high = scaled - (scaled - a)
    return high, a - high


def _sum_rounded_to_odd(a: NDArray[Any], b: NDArray[Any]) -> NDArray[Any]:
    """Return `a + b`; if it is inexact, the neighbour whose last bit is set."""
    total, error = _two_sum(a, b)
    total, error = np.atleast_1d(total), np.atleast_1d(error)
    even = (total.view(np.int64) & 1) == 0
    toward = np.where(error > 0, np.inf, -np.inf)
    odd = np.where((error != 0) & even, np.nextafter(total, toward), total)
    return odd.reshape(np.broadcast(a, b).shape)
