"""Integers as bits against what JAX gives at the limits of each type; Threefry."""

from __future__ import annotations

import numpy as np
import pytest

from fnx.core.array import as_array
from fnx.primitives import bits
from tests.support.elementwise_cases import operands
from tests.support.stored_elementwise import assert_agrees, stored

KINDS = ("int8", "int32", "int64", "uint8", "uint32", "uint64")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["bitwise_not", "clz", "population_count"])
def test_functions_of_one_integer(name, kind):
    assert_agrees(getattr(bits, name), f"{name} {kind}", operands(kind)[0])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "name",
    [
        "bitwise_and",
        "bitwise_or",
        "bitwise_xor",
        "mulhi",
        "shift_left",
        "shift_right_arithmetic",
        "shift_right_logical",
    ],
)
def test_functions_of_two_integers(name, kind):
    assert_agrees(getattr(bits, name), f"{name} {kind}", *operands(kind))


def test_booleans():
    x, y = np.array([True, True, False, False]), np.array([True, False, True, False])
    for name, wanted in (("and", x & y), ("or", x | y), ("xor", x ^ y)):
        got = getattr(bits, f"bitwise_{name}")(as_array(x), as_array(y))._data
        np.testing.assert_array_equal(got, wanted)
    np.testing.assert_array_equal(bits.bitwise_not(as_array(x))._data, ~x)


def test_wide_products_against_exact_integers(rng):
    for kind in ("int64", "uint64"):
        limits = np.iinfo(kind)
        x, y = rng.integers(limits.min, limits.max, (2, 200), kind, endpoint=True)
        exact = [(int(a) * int(b)) >> 64 for a, b in zip(x, y, strict=True)]
        np.testing.assert_array_equal(
            bits.mulhi(as_array(x), as_array(y))._data, np.array(exact, kind)
        )


def test_threefry_has_the_bits_of_jax():
    counter = np.arange(10, dtype=np.uint32) * np.uint32(0x9E3779B9)
    keys = [np.full(5, k, np.uint32) for k in (0x13198A2E, 0x03707344)]
    words = bits.threefry2x32(*[as_array(a) for a in (*keys, counter[:5], counter[5:])])
    np.testing.assert_array_equal(np.concatenate([w._data for w in words]), stored("threefry2x32"))


def test_threefry_against_the_authors_vectors():
    # kat_vectors of Random123, twenty rounds
    for key, counter, wanted in (
        ((0, 0), (0, 0), (0x6B200159, 0x99BA4EFE)),
        ((0xFFFFFFFF,) * 2, (0xFFFFFFFF,) * 2, (0x1CB996FC, 0xBB002BE7)),
        ((0x13198A2E, 0x03707344), (0x243F6A88, 0x85A308D3), (0xC4923A9C, 0x483DF7A0)),
    ):
        words = bits.threefry2x32(*[as_array(np.array(w, np.uint32)) for w in (*key, *counter)])
        assert tuple(int(w._data) for w in words) == wanted


def test_errors():
    x = as_array(np.zeros(3))
    with pytest.raises(TypeError, match=r"shift_left: operand 0 is f64\[3\]"):
        bits.shift_left(x, x)
    with pytest.raises(TypeError, match="takes four uint32 arrays of one shape"):
        bits.threefry2x32(x, x, x, x)
