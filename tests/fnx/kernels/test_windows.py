"""select_and_scatter_add against its definition."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from fnx.kernels.registry import run
from tests.fnx.kernels.references import scatter_to_winners, window_shape

CASES: list[tuple[tuple[int, ...], dict[str, tuple]]] = [
    ((), {}),
    ((9,), {"window_dimensions": (3,), "window_strides": (2,)}),
    ((6,), {"window_dimensions": (3,), "padding": ((2, 1),), "base_dilation": (2,)}),
    ((7,), {"window_dimensions": (2,), "window_dilation": (3,), "padding": ((-1, 2),)}),
    ((2, 8, 9, 70), {"window_dimensions": (1, 2, 2, 1), "window_strides": (1, 2, 2, 1)}),
    (
        (2, 7, 7, 5),
        {"window_dimensions": (1, 3, 3, 1), "window_strides": (1, 2, 2, 1),
         "padding": ((0, 0), (1, 1), (1, 1), (0, 0))},
    ),
    ((2, 3, 8, 8), {"window_dimensions": (1, 1, 3, 3), "window_strides": (1, 1, 2, 2)}),
    # Large enough for the channels to be moved to the end.
    ((2, 20, 11, 14), {"window_dimensions": (1, 1, 2, 3), "window_strides": (1, 1, 2, 1),
                       "padding": ((0, 0), (0, 0), (1, 0), (0, 2))}),
    ((17, 300), {"window_dimensions": (1, 4)}),
    ((4, 5, 4, 5), {"window_dimensions": (2, 2, 2, 2)}),
    ((3, 4), {"window_dimensions": (1, 5)}),
    ((3, 2), {"window_dimensions": (1, 1), "padding": ((0, 0), (0, 3))}),
]  # fmt: skip


def parameters(rank: int, changes: dict[str, tuple], select: str) -> dict[str, Any]:
    params: dict[str, Any] = {
        "window_dimensions": (1,) * rank,
        "window_strides": (1,) * rank,
        "padding": ((0, 0),) * rank,
        "base_dilation": (1,) * rank,
        "window_dilation": (1,) * rank,
        "select_prim": select,
    }
    return {**params, **changes}


@pytest.mark.parametrize("select", ["ge", "le"])
@pytest.mark.parametrize("shape, changes", CASES)
def test_every_window_s_value_goes_to_its_winner(
    rng: np.random.Generator, shape: tuple[int, ...], changes: dict[str, tuple], select: str
) -> None:
    params = parameters(len(shape), changes, select)
    for operand in (
        rng.standard_normal(shape),
        rng.integers(0, 3, shape).astype(np.float64),  # ties
        np.where(rng.random(shape) < 0.2, np.nan, rng.standard_normal(shape)),
        np.full(shape, -np.inf if select == "ge" else np.inf),
    ):
        source = rng.standard_normal(window_shape(shape, params))
        out = run("select_and_scatter_add", (source, operand), [(shape, source.dtype)], params)[0]
        expected = scatter_to_winners(source, operand, params)
        np.testing.assert_allclose(out, expected, rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize(
    "values, operand", [("float16", "float32"), ("bfloat16", "bfloat16"), ("float32", "int32")]
)
def test_other_dtypes(rng: np.random.Generator, values: str, operand: str) -> None:
    params = parameters(1, {"window_dimensions": (3,)}, "ge")
    x = (4 * rng.standard_normal(20)).astype(np.dtype(operand))
    source = rng.integers(-4, 5, 18).astype(np.dtype(values))
    out = run("select_and_scatter_add", (source, x), [((20,), source.dtype)], params)[0]
    expected = scatter_to_winners(source, x.astype(np.float64), params)
    np.testing.assert_array_equal(out.astype(np.float64), expected)


def test_five_windowed_axes_are_refused() -> None:
    params = parameters(5, {"window_dimensions": (2,) * 5}, "ge")
    with pytest.raises(NotImplementedError, match="windows along 5 axes"):
        run("select_and_scatter_add", (np.zeros((1,) * 5), np.zeros((2,) * 5)),
            [((2,) * 5, np.float64)], params)  # fmt: skip
