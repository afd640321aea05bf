"""Sorting: NumPy's stable order, NaN last, zeros equal, several keys, any dtype."""

from __future__ import annotations

import ml_dtypes
import numpy as np
import pytest

from fnx.kernels.registry import run


def sorted_(operands: tuple[np.ndarray, ...], axis: int, keys: int = 1) -> list[np.ndarray]:
    params = {"dimension": axis, "is_stable": True, "num_keys": keys}
    return run("sort", operands, [(x.shape, x.dtype) for x in operands], params)


@pytest.mark.parametrize("size", [1, 2, 17, 49, 300, 5000])
@pytest.mark.parametrize("dtype", ["float32", "float64", "int64", "uint8"])
def test_values_and_order(rng: np.random.Generator, size: int, dtype: str) -> None:
    x = (100 * rng.standard_normal((2, size))).astype(np.dtype(dtype))
    places = np.broadcast_to(np.arange(size, dtype=np.int32), x.shape).copy()
    values, order = sorted_((x, places), 1)
    np.testing.assert_array_equal(values, np.sort(x, axis=1))
    np.testing.assert_array_equal(order, np.argsort(x, axis=1, kind="stable"))


@pytest.mark.parametrize(
    "dtype", ["bool", "int8", "uint16", "int16", "int32", "uint32", "uint64", "float16"]
)
def test_other_dtypes_at_their_limits(rng: np.random.Generator, dtype: str) -> None:
    if dtype == "bool":
        x = rng.random(60) < 0.5
    elif dtype == "float16":
        x = np.concatenate([[np.inf, -np.inf, 65504, 6e-8, -6e-8], rng.standard_normal(55)])
    else:
        limits = np.iinfo(dtype)
        x = rng.integers(limits.min, limits.max, 60, dtype, endpoint=True)
        x[:4] = limits.min, limits.max, limits.max, limits.min
    x = x.astype(dtype)
    np.testing.assert_array_equal(sorted_((x,), 0)[0], np.sort(x))


def test_bfloat16_sorts_as_its_numbers(rng: np.random.Generator) -> None:
    x = rng.standard_normal(100).astype(ml_dtypes.bfloat16)
    expected = np.sort(x.astype(np.float32))
    np.testing.assert_array_equal(sorted_((x,), 0)[0].astype(np.float32), expected)


@pytest.mark.parametrize("size", [12, 240])
def test_nan_last_and_zeros_equal(size: int) -> None:
    special = [1.0, np.nan, -0.0, 0.0, -np.inf, np.inf, -np.nan, -1.0, 0.0, -0.0, 5e-324, -5e-324]
    x = np.array(special * (size // 12))
    values, order = sorted_((x, np.arange(size)), 0)
    np.testing.assert_array_equal(order, np.argsort(x, kind="stable"))
    np.testing.assert_array_equal(np.signbit(values), np.signbit(x[order]))


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_every_axis(rng: np.random.Generator, axis: int) -> None:
    x = rng.integers(0, 5, (3, 60, 4)).astype(np.int32)
    rider = rng.standard_normal((3, 60, 4)).astype(np.complex128)
    values, moved = sorted_((x, rider), axis)
    order = np.argsort(x, axis=axis, kind="stable")
    np.testing.assert_array_equal(values, np.take_along_axis(x, order, axis))
    np.testing.assert_array_equal(moved, np.take_along_axis(rider, order, axis))


@pytest.mark.parametrize("size", [20, 200])
def test_several_keys_and_complex_ones(rng: np.random.Generator, size: int) -> None:
    first, second = rng.integers(0, 4, size), rng.integers(0, 4, size).astype(np.float32)
    _, _, order = sorted_((first, second, np.arange(size)), 0, keys=2)
    np.testing.assert_array_equal(order, np.lexsort((second, first)))
    z = (first + 1j * second).astype(np.complex64)
    np.testing.assert_array_equal(sorted_((z,), 0)[0], np.sort(z))


@pytest.mark.parametrize("shape", [(0,), (3, 0), (0, 3)])
def test_nothing_to_sort(shape: tuple[int, ...]) -> None:
    assert sorted_((np.zeros(shape),), len(shape) - 1)[0].shape == shape
