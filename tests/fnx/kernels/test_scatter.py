"""Scatters against a loop in order: coinciding windows, windows out of bounds, batching."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from fnx.kernels import scatter, threads
from fnx.kernels.registry import KERNELS, run

COMBINE = {
    "scatter": lambda held, new: new,
    "scatter_add": lambda held, new: held + new,
    "scatter_mul": lambda held, new: held * new,
    "scatter_min": np.minimum,
    "scatter_max": np.maximum,
}


class Numbers(SimpleNamespace):
    """Dimension numbers, hashable by identity as the planner's cache asks."""

    __hash__ = object.__hash__


def numbers(**changes: tuple[int, ...]) -> Numbers:
    fields = {
        "update_window_dims": (),
        "inserted_window_dims": (),
        "scatter_dims_to_operand_dims": (),
        "operand_batching_dims": (),
        "scatter_indices_batching_dims": (),
    }
    return Numbers(**{**fields, **changes})


def expected(
    name: str, x: np.ndarray, indices: np.ndarray, updates: np.ndarray, d: Any, mode: str
) -> np.ndarray:
    out = x.copy()
    missing = {*d.inserted_window_dims, *d.operand_batching_dims}
    axes = [axis for axis in range(x.ndim) if axis not in missing]
    extents = [1] * x.ndim
    for axis, dim in zip(axes, d.update_window_dims, strict=True):
        extents[axis] = updates.shape[dim]
    around = [dim for dim in range(updates.ndim) if dim not in d.update_window_dims]
    for row in np.ndindex(*indices.shape[:-1]):
        start = [0] * x.ndim
        for axis, value in zip(d.scatter_dims_to_operand_dims, indices[row], strict=True):
            start[axis] = int(value)
        clipped = [min(max(s, 0), n - e) for s, n, e in zip(start, x.shape, extents, strict=True)]
        if mode == "fill" and clipped != start:
            continue
        for axis, own in zip(d.operand_batching_dims, d.scatter_indices_batching_dims, strict=True):
            clipped[axis] = row[own]
        for place in np.ndindex(*extents):
            at: list[int] = [0] * updates.ndim
            for dim, k in zip(around, row, strict=True):
                at[dim] = k
            for axis, dim in zip(axes, d.update_window_dims, strict=True):
                at[dim] = place[axis]
            target = tuple(c + p for c, p in zip(clipped, place, strict=True))
            out[target] = COMBINE[name](out[target], updates[tuple(at)])
    return out


CASES = [
    # elements of a vector; rows of a matrix (an embedding's gradient); windows inside
    ((10,), (6, 1), (6,), numbers(inserted_window_dims=(0,), scatter_dims_to_operand_dims=(0,))),
    (
        (5, 300), (7, 1), (7, 300),
        numbers(update_window_dims=(1,), inserted_window_dims=(0,),
                scatter_dims_to_operand_dims=(0,)),
    ),
    (
        (6, 7), (3, 2, 2), (3, 2, 2, 3),
        numbers(update_window_dims=(2, 3), scatter_dims_to_operand_dims=(1, 0)),
    ),
    (
        (3, 8, 4), (3, 5, 1), (3, 5, 4),
        numbers(update_window_dims=(2,), inserted_window_dims=(1,),
                scatter_dims_to_operand_dims=(1,), operand_batching_dims=(0,),
                scatter_indices_batching_dims=(0,)),
    ),
]  # fmt: skip


@pytest.mark.parametrize("name", COMBINE)
@pytest.mark.parametrize("mode", ["fill", "clip"])
def test_in_the_order_of_the_indices(rng: np.random.Generator, name: str, mode: str) -> None:
    for shape, index_shape, update_shape, d in CASES:
        x = rng.standard_normal(shape)
        indices = rng.integers(-2, 8, index_shape).astype(np.int32)
        updates = rng.standard_normal(update_shape)
        params = {"dimension_numbers": d, "mode": mode}
        (out,) = run(name, (x, indices, updates), [(shape, x.dtype)], params)
        np.testing.assert_array_equal(out, expected(name, x, indices, updates, d, mode))
        before = threads.threads()
        threads.set_threads(3)
        (again,) = run(name, (x, indices, updates), [(shape, x.dtype)], params)
        threads.set_threads(before)
        np.testing.assert_array_equal(again, out)


@pytest.mark.parametrize("dtype", ["int8", "complex64", "float16"])
def test_other_dtypes(rng: np.random.Generator, dtype: str) -> None:
    shape, index_shape, update_shape, d = CASES[0]
    x = rng.integers(-4, 5, shape).astype(dtype)
    indices = rng.integers(0, 10, index_shape).astype(np.uint8)
    updates = rng.integers(-4, 5, update_shape).astype(dtype)
    params = {"dimension_numbers": d, "mode": "clip"}
    (out,) = run("scatter_add", (x, indices, updates), [(shape, x.dtype)], params)
    np.testing.assert_array_equal(out, expected("scatter_add", x, indices, updates, d, "clip"))


def test_nan_wins_in_min_and_max() -> None:
    d, params = CASES[0][3], {"dimension_numbers": CASES[0][3], "mode": "clip"}
    assert d is params["dimension_numbers"]
    x, indices = np.array([np.nan, 1.0, 2.0]), np.array([[0], [1], [2]])
    updates = np.array([5.0, np.nan, 1.0])
    for name, last in (("scatter_min", 1.0), ("scatter_max", 2.0)):
        (out,) = run(name, (x, indices, updates), [((3,), x.dtype)], params)
        np.testing.assert_array_equal(out, [np.nan, np.nan, last])


def test_nothing_to_scatter() -> None:
    params = {"dimension_numbers": CASES[0][3], "mode": "clip"}
    x = np.arange(3.0)
    args = (x, np.zeros((0, 1), np.int32), np.zeros(0))
    np.testing.assert_array_equal(run("scatter", args, [((3,), x.dtype)], params)[0], x)


def test_an_unknown_combination_and_an_unknown_kernel() -> None:
    with pytest.raises(ValueError, match="'xor' is none of"):
        scatter.planner("xor")
    with pytest.raises(KeyError, match="no kernel 'scatter_xor'"):
        run("scatter_xor", (), [], {})
    assert "scatter" in KERNELS
