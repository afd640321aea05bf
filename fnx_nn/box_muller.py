"""Box-Muller: uniform numbers to normal ones, bit for bit as PyTorch's CPU kernels do it.

In: uniform numbers in [0, 1), in blocks of 16: eight radii, then eight angles. Out: eight
cosines and eight sines in the same places. The float32 form needs its logarithm, sine and cosine
to the last bit, so the single-precision polynomials of Cephes are written out here with the
roundings of the reference (a product that feeds a sum is fused with it). The float64 form uses
the C library's functions, as the reference does.

Sources: G. E. P. Box and M. E. Muller, "A note on the generation of random normal deviates",
Annals of Mathematical Statistics 29 (1958); S. L. Moshier, Cephes library (`logf`, `sinf`).

Read next: `random_fill`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fnx_nn.fused_multiply_add import fused_multiply_add_32, fused_multiply_add_64

__all__ = ["map_with_libm", "normal_blocks_32", "normal_blocks_64", "normal_pair"]

_single = np.float32

# log(1 + x) = x - x²/2 + x³ P(x) on [sqrt(1/2) - 1, sqrt(2) - 1].
_LOG_POLYNOMIAL = (
    7.0376836292e-2,
    -1.1514610310e-1,
    1.1676998740e-1,
    -1.2420140846e-1,
    1.4249322787e-1,
    -1.6668057665e-1,
    2.0000714765e-1,
    -2.4999993993e-1,
    3.3333331174e-1,
)
_LN2_HIGH, _LN2_LOW = _single(0.693359375), _single(-2.12194440e-4)
_SQRT_HALF = _single(0.707106781186547524)
# cos x = 1 - x²/2 + x⁴ C(x²) and sin x = x + x³ S(x²) on [-pi/4, pi/4].
_COS_POLYNOMIAL = (2.443315711809948e-5, -1.388731625493765e-3, 4.166664568298827e-2)
_SIN_POLYNOMIAL = (-1.9515295891e-4, 8.3321608736e-3, -1.6666654611e-1)
_QUARTER_PI_PARTS = (0.78515625, 2.4187564849853515625e-4, 3.77489497744594108e-8)
_FOUR_OVER_PI = _single(1.27323954473516)


def normal_blocks_32(uniform: NDArray[np.float32], mean: float, std: float) -> NDArray[np.float32]:
    """Turn float32 uniforms of shape (n, 16) into normals of the same shape."""
    radius = np.sqrt(_single(-2.0) * _log_32(_single(1.0) - uniform[:, :8]))
    sine, cosine = _sine_and_cosine_32(_single(2.0 * math.pi) * uniform[:, 8:])
    unit = np.empty_like(uniform)
    np.multiply(radius, cosine, out=unit[:, :8])
    np.multiply(radius, sine, out=unit[:, 8:])
    scale, shift = _single(std), _single(mean)
    if shift == 0:  # the product is rounded once either way
        unit *= scale
        unit += shift  # -0 becomes 0, as it does in the fused form
        return unit
    return fused_multiply_add_32(unit, scale, shift)


def normal_blocks_64(uniform: NDArray[np.float64], mean: float, std: float) -> NDArray[np.float64]:
    """Turn float64 uniforms of shape (n, 16) into normals of the same shape."""
    radius = np.sqrt(-2.0 * map_with_libm(math.log, 1.0 - uniform[:, :8]))
    theta = 2.0 * math.pi * uniform[:, 8:]
    unit = np.empty_like(uniform)
    unit[:, :8] = radius * map_with_libm(math.cos, theta)
    unit[:, 8:] = radius * map_with_libm(math.sin, theta)
    return fused_multiply_add_64(unit, std, mean)


def normal_pair(first: float, second: float) -> tuple[float, float]:
    """Turn two uniform numbers into two normal ones: the one to use now, the one to keep."""
    radius = math.sqrt(-2.0 * math.log1p(-second))
    theta = 2.0 * math.pi * first
    return radius * math.cos(theta), radius * math.sin(theta)


def map_with_libm(function: Callable[[float], float], x: NDArray[Any]) -> NDArray[np.float64]:
    """Apply a function of the C library to each element.

    NumPy's own vector versions differ from the C library by an ULP here and there, depending on
    the processor.
    """
    values = map(function, x.ravel().tolist())
    return np.fromiter(values, dtype=np.float64, count=x.size).reshape(x.shape)


def _log_32(x: NDArray[np.float32]) -> NDArray[np.float32]:
    """Natural logarithm of normal positive float32 numbers."""
    bits = np.ascontiguousarray(x).view(np.int32)
    exponent = ((bits >> 23) - 126).astype(np.float32)
    mantissa = ((bits & 0x007FFFFF) | 0x3F000000).view(np.float32)  # in [1/2, 1)
    low = mantissa < _SQRT_HALF
    exponent -= low
    reduced = mantissa - _single(1.0)
    reduced += np.where(low, mantissa, _single(0.0))

    square = reduced * reduced
    y = _horner(_LOG_POLYNOMIAL, reduced)
    y *= reduced
    y = _fused(y, square, exponent * _LN2_LOW)
    y = _fused(square, _single(-0.5), y)
    reduced += y
    return _fused(exponent, _LN2_HIGH, reduced)


def _sine_and_cosine_32(
    x: NDArray[np.float32],
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Sine and cosine of float32 angles in [0, 2 pi]."""
    octant = (((x * _FOUR_OVER_PI).astype(np.int32)) + 1) & ~1
    multiple = octant.astype(np.float32)
    for part in _QUARTER_PI_PARTS:
        x = _fused(multiple, _single(-part), x)

    square = x * x
    cosine = _horner(_COS_POLYNOMIAL, square)
    cosine *= square
    cosine = _fused(cosine, square, square * _single(-0.5))
    cosine += _single(1.0)
    sine = _horner(_SIN_POLYNOMIAL, square)
    sine *= square
    sine = _fused(sine, x, x)

    swapped = (octant & 2) != 0
    result_sine = np.where(swapped, cosine, sine)
    result_cosine = np.where(swapped, sine, cosine)
    _flip_signs(result_sine, octant & 4)
    _flip_signs(result_cosine, ~(octant - 2) & 4)
    return result_sine, result_cosine


def _horner(coefficients: tuple[float, ...], x: NDArray[np.float32]) -> NDArray[np.float32]:
    y = np.full_like(x, _single(coefficients[0]))
    for coefficient in coefficients[1:]:
        y = _fused(y, x, _single(coefficient))
    return y


def _flip_signs(x: NDArray[np.float32], where_bit_two: NDArray[np.int32]) -> None:
    """Negate, in place, the elements whose flag (0 or 4) is set."""
    x.view(np.int32)[...] ^= where_bit_two << 29


def _fused(a: NDArray[np.float32], b: Any, c: Any) -> NDArray[np.float32]:
    """`a * b + c` by way of float64, without the correction for halfway cases.

    The arguments come from 24-bit uniforms, and over all 2**24 of them no step of the logarithm,
    sine or cosine meets a case where the correction would matter.
    """
    wide = np.multiply(a, b, dtype=np.float64)
    wide += c
    return wide.astype(np.float32)
