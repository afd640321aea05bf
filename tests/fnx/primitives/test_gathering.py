"""gather against its definition and against JAX: modes, fill values, derivatives, errors."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from fnx.core.array import as_array
from fnx.primitives.arithmetic import mul
from fnx.primitives.gathering import (
    GatherDimensionNumbers,
    GatherScatterMode,
    ScatterDimensionNumbers,
    gather,
    scatter_add,
)
from fnx.primitives.reductions import reduce_sum
from fnx.transforms.grad import grad
from fnx.transforms.vmap import vmap
from tests.support.indexing_cases import cases

STORED = json.loads(
    (Path(__file__).parents[1] / "data" / "jax_indexing.json").read_text(encoding="utf-8")
)
ROWS = GatherDimensionNumbers((1,), (0,), (0,))
PICK = GatherDimensionNumbers((), (0,), (0,))


def total(x):
    return reduce_sum(x, tuple(range(x.ndim)))


@pytest.mark.parametrize("dtype", ["float64", "int32"])
def test_agrees_with_jax(dtype):
    for case, stored in zip(cases(dtype), STORED[dtype], strict=True):
        out = gather(
            as_array(case.operand),
            as_array(case.indices),
            GatherDimensionNumbers(*case.numbers),
            case.sizes,
            mode=case.mode,
        )
        assert out.dtype == dtype
        want = [np.nan if e is None else e for e in stored["gather"]]
        np.testing.assert_array_equal(np.asarray(out).ravel(), want)


@pytest.mark.parametrize("dtype", sorted(STORED["fill values"]))
def test_default_fill_values_are_jaxs(dtype):
    x = as_array(np.zeros(3, dtype))
    out = gather(x, as_array(np.array([[7]])), PICK, (1,), mode="fill")
    assert out.dtype == dtype
    assert str(np.asarray(out)[0]) == STORED["fill values"][dtype]


@pytest.mark.parametrize("index_dtype", [np.int8, np.uint8, np.int16, np.uint32, np.uint64])
@pytest.mark.parametrize("size", [3, 127, 128, 200, 300])
def test_every_type_of_index_at_its_limits(index_dtype, size):
    limits = np.iinfo(index_dtype)
    rows = [0, 1, size - 1, size, 127, 128, 255, limits.max, limits.min, -1, -size]
    rows = [r for r in rows if limits.min <= r <= limits.max]
    x = np.arange(1, size + 1)
    picked = np.array(rows, index_dtype)[:, None]
    for mode in ("clip", "fill"):
        out = gather(as_array(x), as_array(picked), PICK, (1,), mode=mode, fill_value=-7)
        want = x[[min(max(r, 0), size - 1) for r in rows]]
        if mode == "fill":
            want = np.where([0 <= r < size for r in rows], want, -7)
        np.testing.assert_array_equal(np.asarray(out), want)


def test_one_coordinate_out_of_bounds_fills_the_whole_window():
    x = as_array(np.arange(12.0).reshape(3, 4))
    numbers = GatherDimensionNumbers((1, 2), (), (0, 1))
    rows = as_array(np.array([[1, 2], [1, 3], [-1, 0]]))
    out = np.asarray(gather(x, rows, numbers, (2, 2), mode="fill", fill_value=0.5))
    np.testing.assert_array_equal(out[0], [[6, 7], [10, 11]])
    np.testing.assert_array_equal(out[1:], np.full((2, 2, 2), 0.5))
    out = np.asarray(gather(x, rows, numbers, (2, 2), mode="clip"))
    np.testing.assert_array_equal(out[1:], [[[6, 7], [10, 11]], [[0, 1], [4, 5]]])


def test_empty():
    x = as_array(np.zeros((4, 3)))
    assert gather(x, as_array(np.zeros((0, 1), np.int32)), ROWS, (1, 3)).shape == (0, 3)
    x = as_array(np.zeros((4, 0)))
    assert gather(x, as_array(np.array([[1]])), ROWS, (1, 0)).shape == (1, 0)


def test_strided_operand(rng):
    x = rng.standard_normal((6, 8)).T[::2]
    rows = as_array(np.array([[3], [0]]))
    out = gather(as_array(x), rows, ROWS, (1, 6))
    np.testing.assert_array_equal(np.asarray(out), x[[3, 0]])


def test_gradient_adds_what_is_read_twice_and_skips_what_is_filled(rng):
    x = as_array(rng.standard_normal((4, 3)))
    rows = as_array(np.array([[1], [7], [1], [-1], [3]]))
    weights = rng.standard_normal((5, 3))

    def function(x, mode):
        return total(mul(gather(x, rows, ROWS, (1, 3), mode=mode), as_array(weights)))

    want = np.zeros((4, 3))
    np.add.at(want, [1, 1, 3], weights[[0, 2, 4]])
    out = grad(lambda x: function(x, "fill"))(x)
    np.testing.assert_allclose(np.asarray(out), want, rtol=1e-15)
    np.add.at(want, [3, 0], weights[[1, 3]])
    out = grad(lambda x: function(x, "clip"))(x)
    np.testing.assert_allclose(np.asarray(out), want, rtol=1e-15)


def test_second_derivative(rng):
    # f(x) = sum_k x[i_k]^2, so its second derivative counts how often an element is read.
    x = as_array(rng.standard_normal(4))
    rows = as_array(np.array([[1], [1], [2], [1]]))

    def function(x):
        picked = gather(x, rows, PICK, (1,))
        return total(mul(picked, picked))

    direction = as_array(np.ones(4))
    out = grad(lambda x: total(mul(grad(function)(x), direction)))(x)
    np.testing.assert_array_equal(np.asarray(out), [0, 6, 2, 0])


def test_maps_over_both_operands_without_repeating_the_rows(rng):
    x, rows = rng.standard_normal((5, 4, 3)), rng.integers(-1, 5, (2, 5, 1))
    out = vmap(lambda x, r: gather(x, r, ROWS, (1, 3), mode="clip"), in_axes=(0, 1))(
        as_array(x), as_array(rows)
    )
    for k in range(5):
        want = x[k][np.clip(rows[:, k, 0], 0, 3)]
        np.testing.assert_array_equal(np.asarray(out)[k], want)


def test_modes_have_names():
    assert GatherScatterMode.from_any(None) is GatherScatterMode.FILL_OR_DROP
    assert GatherScatterMode.from_any("drop") is GatherScatterMode.FILL_OR_DROP
    assert GatherScatterMode.from_any("clip") is GatherScatterMode.CLIP
    assert GatherScatterMode.from_any(GatherScatterMode.CLIP) is GatherScatterMode.CLIP
    with pytest.raises(ValueError, match="'wrap' is not a way to treat indices"):
        GatherScatterMode.from_any("wrap")


@pytest.mark.parametrize(
    ("numbers", "rows", "sizes", "message"),
    [
        (ROWS, np.zeros((2, 1)), (1, 3), "indices must be integers"),
        (ROWS, np.array(0), (1, 3), r"Reshape them to \(..., 1\)"),
        (ROWS, np.zeros((2, 2), int), (1, 3), "2, but 1 axes of the operand are mapped"),
        (ROWS, np.zeros((2, 1), int), (1,), "slice_sizes has 1"),
        (ROWS, np.zeros((2, 1), int), (2, 3), r"slice_sizes\[0\] is 2, .* it must be 1"),
        (ROWS, np.zeros((2, 1), int), (1, 4), "axis 1 of .* has 3 elements. A window must fit"),
        (GatherDimensionNumbers((0, 1), (0,), (0,)), np.zeros((2, 1), int), (1, 3),
         "windows of .* have 1 axes, 2 window axes are named"),
        (GatherDimensionNumbers((2,), (0,), (0,)), np.zeros((2, 1), int), (1, 3),
         r"window axes \(2,\) must be different, from 0 to 1"),
        (GatherDimensionNumbers((1,), (0,), (2,)), np.zeros((2, 1), int), (1, 3),
         r"axes of coordinates \(2,\)"),
        (GatherDimensionNumbers((2, 1), (), (0,)), np.zeros((2, 1), int), (1, 3),
         r"window axes \(2, 1\) must be in increasing order"),
        (GatherDimensionNumbers((1,), (), (0,), (0,), (0,)), np.zeros((4, 1), int), (1, 3),
         "are batching axes and something else"),
        (GatherDimensionNumbers((1,), (), (), (0,), (0,)), np.zeros((3, 0), int), (1, 3),
         "must have the same sizes"),
    ],
)  # fmt: skip
def test_says_what_is_wrong(numbers, rows, sizes, message):
    with pytest.raises(TypeError, match=message):
        gather(as_array(np.zeros((4, 3))), as_array(rows), numbers, sizes)


@pytest.mark.parametrize(
    ("updates", "message"),
    [
        (np.zeros((2, 3), np.float32), "must have the dtype of the operand"),
        (np.zeros((2, 3, 1)), "must have 1 window axes and the 1 axes"),
        (np.zeros((3, 3)), r"have sizes \(3,\) around windows, .* windows of shape \(2,\)"),
        (np.zeros((2, 4)), "axis 1 of the updates .* is longer than axis 1 of the operand"),
    ],
)
def test_scatter_says_what_is_wrong(updates, message):
    numbers = ScatterDimensionNumbers((1,), (0,), (0,))
    rows = as_array(np.zeros((2, 1), int))
    with pytest.raises(TypeError, match=message):
        scatter_add(as_array(np.zeros((4, 3))), rows, as_array(updates), numbers)
