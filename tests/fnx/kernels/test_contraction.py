"""dot_general's planner against einsum, for all orders of axes."""

from __future__ import annotations

import numpy as np
import pytest

from fnx.kernels.calls import Operand
from fnx.kernels.contraction import collapsed, plan
from fnx.kernels.registry import run

Axes = tuple[int, ...]


def contract(x: np.ndarray, y: np.ndarray, numbers: tuple, dtype: object) -> np.ndarray:
    (xc, yc), (xb, yb) = numbers
    free_x = [n for k, n in enumerate(x.shape) if k not in (*xc, *xb)]
    free_y = [n for k, n in enumerate(y.shape) if k not in (*yc, *yb)]
    shape = (*(x.shape[k] for k in xb), *free_x, *free_y)
    return run("dot_general", (x, y), [(shape, dtype)], {"dimension_numbers": numbers})[0]


def expected(x: np.ndarray, y: np.ndarray, numbers: tuple) -> np.ndarray:
    (xc, yc), (xb, yb) = numbers
    names_x, names_y = [""] * x.ndim, [""] * y.ndim
    letters = iter("abcdefghijklmnop")
    for p, q in zip((*xb, *xc), (*yb, *yc), strict=True):
        names_x[p] = names_y[q] = next(letters)
    names_x = [name or next(letters) for name in names_x]
    names_y = [name or next(letters) for name in names_y]
    out = [names_x[k] for k in xb]
    out += [name for k, name in enumerate(names_x) if k not in (*xc, *xb)]
    out += [name for k, name in enumerate(names_y) if k not in (*yc, *yb)]
    return np.einsum(f"{''.join(names_x)},{''.join(names_y)}->{''.join(out)}", x, y)


CASES = [
    ((), (), (((), ()), ((), ()))),
    ((3,), (2,), (((), ()), ((), ()))),
    ((4, 3), (3, 5), (((1,), (0,)), ((), ()))),
    ((3, 4), (5, 3), (((0,), (1,)), ((), ()))),
    ((5, 2, 3), (5, 3, 4), (((2,), (1,)), ((0,), (0,)))),
    ((2, 3, 5), (4, 5, 3), (((1,), (2,)), ((2,), (1,)))),
    ((2, 3, 4, 5), (5, 2, 6, 4), (((3, 2), (0, 3)), ((0,), (1,)))),
    ((2, 3, 4, 5), (4, 2, 6, 5), (((0, 2), (1, 0)), ((3,), (3,)))),
    ((6, 2, 7), (7, 6, 3), (((0, 2), (1, 0)), ((), ()))),
    ((2, 3, 2, 3), (2, 3, 2, 3), (((1,), (3,)), ((0, 2), (2, 0)))),
    ((2, 0), (0, 4), (((1,), (0,)), ((), ()))),
    ((0, 3), (3, 4), (((1,), (0,)), ((), ()))),
]


@pytest.mark.parametrize("left, right, numbers", CASES)
def test_any_order_of_axes(
    rng: np.random.Generator, left: Axes, right: Axes, numbers: tuple
) -> None:
    x, y = rng.standard_normal(left), rng.standard_normal(right)
    np.testing.assert_allclose(
        contract(x, y, numbers, np.float64), expected(x, y, numbers), rtol=1e-13, atol=1e-13
    )


@pytest.mark.parametrize(
    "first, second, result",
    [
        ("int8", "int8", "int32"),
        ("float16", "float16", "float32"),
        ("float32", "float32", "float64"),
    ],
)
def test_a_wider_result_is_computed_wide(
    rng: np.random.Generator, first: str, second: str, result: str
) -> None:
    x = rng.integers(-100, 100, (20, 30)).astype(first)
    y = rng.integers(-100, 100, (30, 10)).astype(second)
    exact = np.matmul(x.astype(np.int64), y.astype(np.int64))
    out = contract(x, y, (((1,), (0,)), ((), ())), result)
    np.testing.assert_array_equal(out, exact)


def test_transposes_are_not_copied() -> None:
    params = {"dimension_numbers": (((0,), (1,)), ((), ()))}
    x, y = (Operand.contiguous(shape, np.float32) for shape in ((50, 40), (30, 50)))
    made = plan((x, y), (Operand.contiguous((40, 30), np.float32),), params)
    assert not any(name.startswith("copying") for name in made.functions)


def test_collapsed_strides() -> None:
    x = Operand.contiguous((2, 3, 1, 4), np.float32)
    assert collapsed(x, (0, 1)) == 4
    assert collapsed(x, (0, 1, 2, 3)) == 1
    assert collapsed(x, (1, 0)) is None
    assert collapsed(x, (2,)) == 1
    assert collapsed(x, ()) == 1
