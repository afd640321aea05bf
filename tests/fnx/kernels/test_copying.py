"""Strided copies and conversions against NumPy's."""

from __future__ import annotations

import ml_dtypes
import numpy as np
import pytest

from fnx.kernels.calls import evaluate
from fnx.kernels.registry import KERNELS


def copied(source: np.ndarray, destination: np.ndarray) -> np.ndarray:
    evaluate(KERNELS["copy"], (source,), (destination,), {})
    return destination


@pytest.mark.parametrize("order", [(0, 1, 2, 3), (3, 1, 0, 2), (0, 2, 3, 1), (0, 3, 1, 2)])
@pytest.mark.parametrize("shape", [(2, 3, 4, 5), (1, 37, 1, 70), (2, 33, 20, 35)])
def test_any_order_of_axes(
    rng: np.random.Generator, shape: tuple[int, ...], order: tuple[int, ...]
) -> None:
    x = rng.standard_normal(shape).astype(np.float32).transpose(order)
    np.testing.assert_array_equal(copied(x, np.empty(x.shape, x.dtype)), x)
    out = np.zeros(x.shape[::-1], x.dtype).transpose()
    np.testing.assert_array_equal(copied(x, out), x)


def test_negative_and_skipping_strides(rng: np.random.Generator) -> None:
    x = rng.standard_normal((40, 50))[::-3, 1::2]
    out = np.zeros((30, 60))
    copied(x, out[2:28:2, ::-2][:14, :25])
    expected = np.zeros((30, 60))
    expected[2:28:2, ::-2][:14, :25] = x[:13]
    np.testing.assert_array_equal(out[2:28:2], expected[2:28:2])


@pytest.mark.parametrize("dtype", ["bool", "int8", "uint16", "complex64", "complex128", "bfloat16"])
def test_elements_of_every_size(rng: np.random.Generator, dtype: str) -> None:
    x = (5 * rng.standard_normal((6, 7))).astype(np.dtype(dtype)).T
    np.testing.assert_array_equal(copied(x, np.empty(x.shape, x.dtype)), x)


def test_nan_payloads_survive() -> None:
    bits = np.array([0x7F800001, 0xFFC12345, 0x80000000], np.uint32)
    out = copied(bits.view(np.float32), np.empty(3, np.float32))
    np.testing.assert_array_equal(out.view(np.uint32), bits)


@pytest.mark.parametrize("dtype", [np.float16, ml_dtypes.bfloat16])
def test_rounding_to_half_is_numpy_s(rng: np.random.Generator, dtype: type) -> None:
    special = [0.0, -0.0, np.inf, -np.inf, np.nan, 1e-8, 6e-8, 65504, 65520, 3.4e38, 1 + 2**-8]
    x = np.concatenate([special, rng.standard_normal(500), 1e-5 * rng.standard_normal(500)])
    x = x.astype(np.float32)
    with np.errstate(over="ignore"):
        expected = x.astype(dtype)
    half = copied(x, np.empty(x.shape, dtype))
    np.testing.assert_array_equal(half.view(np.uint16), expected.view(np.uint16))
    back = copied(half, np.empty(x.shape, np.float32))
    np.testing.assert_array_equal(back, expected.astype(np.float32))


def test_conversions_between_numbers() -> None:
    x = np.array([-3, 0, 7], np.int8)
    assert copied(x, np.empty(3, np.int64)).tolist() == [-3, 0, 7]
    assert copied(x, np.empty(3, np.bool_)).tolist() == [True, False, True]
    assert copied(x, np.empty(3, np.complex64)).tolist() == [-3, 0, 7]


def test_too_many_axes_are_refused() -> None:
    x = np.zeros((3,) * 9, np.int8)[(slice(None, None, 2),) * 9]
    with pytest.raises(ValueError, match="9 axes that cannot be merged"):
        copied(x, np.empty(x.shape, np.int8))
