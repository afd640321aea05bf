"""The fused multiply-add against exact rationals, and the float32 Box-Muller against float64."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest

from fnx_nn import box_muller
from fnx_nn.box_muller import normal_blocks_32, normal_blocks_64
from fnx_nn.fused_multiply_add import fused_multiply_add_32, fused_multiply_add_64


def exact(a, b, c) -> Fraction:
    return Fraction(float(a)) * Fraction(float(b)) + Fraction(float(c))


@pytest.mark.parametrize(
    ("function", "dtype"),
    [(fused_multiply_add_32, np.float32), (fused_multiply_add_64, np.float64)],
)
def test_fused_multiply_add_rounds_once(function, dtype, rng):
    a, b, c = rng.standard_normal((3, 2000)).astype(dtype)
    c[::3] = -(a * b)[::3]  # the sum cancels: only the product's low half is left
    c[1::3] *= dtype(2.0**-20)
    result = function(a, b, c)
    assert result.dtype == dtype
    for got, x, y, z in zip(result, a, b, c):
        wanted = exact(x, y, z)
        error = abs(Fraction(float(got)) - wanted)
        below, above = np.nextafter(got, dtype(-np.inf)), np.nextafter(got, dtype(np.inf))
        assert all(error <= abs(Fraction(float(n)) - wanted) for n in (below, above))


def test_fused_multiply_add_just_below_a_halfway_case():
    # a * b = 2**-24 - 2**-60: with c the exact sum is just below the middle of two float32, but
    # its float64 rounding is the middle itself, which a second rounding would take upwards.
    a = np.float32(2.0**-24 * (1.0 + 2.0**-18))
    b = np.float32(1.0 - 2.0**-18)
    c = np.float32(1.0 + 2.0**-23)
    assert np.float32(np.float64(a) * np.float64(b) + np.float64(c)) == np.float32(1 + 2.0**-22)
    assert fused_multiply_add_32(a, b, c) == c


def test_the_shortcut_without_the_halfway_correction_is_exact(monkeypatch):
    """`box_muller` skips the correction; over a spread of its 2**24 inputs it never matters."""
    uniform = np.arange(0, 1 << 24, 37, dtype=np.int64).astype(np.float32) * np.float32(2.0**-24)
    blocks = np.concatenate([uniform[: uniform.size // 16 * 16].reshape(-1, 16)] * 2, axis=1)
    blocks = blocks.reshape(-1, 16)
    quick = normal_blocks_32(blocks, 0.0, 1.0)
    monkeypatch.setattr(box_muller, "_fused", fused_multiply_add_32)
    np.testing.assert_array_equal(normal_blocks_32(blocks, 0.0, 1.0), quick)


def test_blocks_are_normal_numbers_of_the_same_uniforms(rng):
    uniform = rng.integers(0, 1 << 24, size=(500, 16)) * 2.0**-24
    wide = normal_blocks_64(uniform, 0.5, 2.0)
    single = normal_blocks_32(uniform.astype(np.float32), 0.5, 2.0)
    np.testing.assert_allclose(single, wide, rtol=1e-5, atol=2e-6)
    radius = math.sqrt(-2.0 * math.log(1.0 - uniform[0, 0]))
    assert math.isclose(wide[0, 0], 0.5 + 2.0 * radius * math.cos(2 * math.pi * uniform[0, 8]))
