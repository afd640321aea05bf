"""Matrix products: within the error bound of their sums, equal for any number of threads."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import ml_dtypes
import numpy as np
import pytest

from fnx.kernels import gemm, threads
from fnx.kernels.calls import Operand
from fnx.kernels.registry import run

SHAPES = [
    (1, 1, 1, 1),
    (1, 5, 7, 3),
    (2, 13, 33, 17),
    (1, 130, 70, 300),  # several blocks of depth, edges on all sides
    (3, 64, 64, 64),
    (1, 4, 100, 600),  # few rows
    (1, 100, 1, 50),  # a column
    (1, 1, 2500, 70),  # a row over several tiles
    (1, 200, 257, 513),
    (1, 70, 20, 33),
    (2, 0, 3, 4),
    (2, 3, 0, 4),
    (2, 3, 4, 0),
]


@pytest.fixture(autouse=True)
def same_threads() -> Iterator[None]:
    before = threads.threads()
    yield
    threads.set_threads(before)


def product(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    shape = (a.shape[0], a.shape[1], b.shape[2])
    return run("matmul", (a, b), [(shape, a.dtype)], {})[0]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", SHAPES)
def test_within_the_bound_of_the_sum(
    rng: np.random.Generator, dtype: type, shape: tuple[int, int, int, int]
) -> None:
    batch, height, width, depth = shape
    for turn_a, turn_b in itertools.product([False, True], repeat=2):
        a = rng.standard_normal((batch, depth, height) if turn_a else (batch, height, depth))
        b = rng.standard_normal((batch, width, depth) if turn_b else (batch, depth, width))
        a, b = a.astype(dtype), b.astype(dtype)
        a = a.transpose(0, 2, 1) if turn_a else a
        b = b.transpose(0, 2, 1) if turn_b else b
        threads.set_threads(2)
        c = product(a, b)
        expected = np.matmul(a.astype(np.longdouble), b.astype(np.longdouble))
        size = np.matmul(abs(a).astype(np.float64), abs(b).astype(np.float64))
        bound = max(depth, 1) * np.finfo(dtype).eps * size
        assert (abs(c - expected) <= bound).all()
        for count in (1, 3):
            threads.set_threads(count)
            np.testing.assert_array_equal(product(a, b), c)


def test_a_shared_operand_and_strides_of_any_sign(rng: np.random.Generator) -> None:
    a = np.broadcast_to(rng.standard_normal((1, 30, 40)), (3, 30, 40))
    b = rng.standard_normal((3, 80, 50))[:, ::-2, ::-1]
    np.testing.assert_allclose(product(a, b), np.matmul(a, b), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("dtype", ["int32", "uint8", "int64", "bool", "complex64", "complex128"])
def test_other_dtypes(rng: np.random.Generator, dtype: str) -> None:
    a = (5 * rng.standard_normal((2, 5, 9))).astype(dtype)
    b = (5 * rng.standard_normal((2, 9, 6))).astype(dtype)
    if dtype.startswith("complex"):
        a, b = a + 1j * a[..., ::-1], b * (1 - 2j)
        np.testing.assert_allclose(product(a, b), np.matmul(a, b), rtol=2e-5, atol=1e-4)
    else:
        np.testing.assert_array_equal(product(a, b), np.matmul(a, b))


@pytest.mark.parametrize("dtype", [np.float16, ml_dtypes.bfloat16])
def test_half_types_are_rounded_once(rng: np.random.Generator, dtype: type) -> None:
    a = rng.integers(-3, 4, (2, 20, 30)).astype(dtype)
    b = rng.integers(-3, 4, (2, 30, 40)).astype(dtype)
    exact = np.matmul(a.astype(np.float32), b.astype(np.float32))  # small integers: no rounding
    np.testing.assert_array_equal(product(a, b), exact.astype(dtype))


def test_nan_and_inf_reach_only_their_rows_and_columns(rng: np.random.Generator) -> None:
    a, b = rng.standard_normal((1, 33, 50)), rng.standard_normal((1, 50, 35))
    a[0, 7, 3], b[0, 4, 11] = np.nan, np.inf
    c = product(a, b)[0]
    assert np.isnan(c[7]).all()
    assert not np.isfinite(c[:, 11]).any()
    assert np.isfinite(np.delete(np.delete(c, 7, 0), 11, 1)).all()


def test_the_form_follows_the_shape() -> None:
    def functions(height: int, width: int, depth: int, *, turned: bool) -> set[str]:
        a = Operand.contiguous((1, height, depth), np.float32)
        strides = (depth * width, 1, depth) if turned else (depth * width, width, 1)
        b = Operand((1, depth, width), np.dtype(np.float32), strides)
        c = Operand.contiguous((1, height, width), np.float32)
        return {name.partition("/")[2] for name in gemm.plan((a, b), (c,), {}).functions}

    assert functions(200, 200, 200, turned=False) == {"pack", "multiply"}
    assert functions(4, 200, 200, turned=False) == {"multiply_rows"}
    assert functions(32, 1000, 1000, turned=True) == {"multiply_dots"}
