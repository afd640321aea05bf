"""Boxes at computed places: clamping, negative starts, mapped starts, gradients, folds, errors."""

from __future__ import annotations

import numpy as np
import pytest

from fnx.core.array import as_array
from fnx.core.simplify import simplify
from fnx.core.staging import stage
from fnx.core.types import ShapedArray
from fnx.primitives.arithmetic import mul
from fnx.primitives.dynamic_slicing import (
    dynamic_index_in_dim,
    dynamic_slice,
    dynamic_slice_in_dim,
    dynamic_update_index_in_dim,
    dynamic_update_slice,
    dynamic_update_slice_in_dim,
)
from fnx.primitives.reductions import reduce_sum
from fnx.transforms.grad import grad
from fnx.transforms.vmap import vmap


def scalar(value, dtype=np.int32):
    return as_array(np.array(value, dtype))


def boxed(x, start, sizes):
    """The definition: the box is moved inside."""
    corner = [min(max(s, 0), n - m) for s, n, m in zip(start, x.shape, sizes)]
    return tuple(slice(c, c + m) for c, m in zip(corner, sizes))


def total(x):
    return reduce_sum(x, tuple(range(x.ndim)))


def test_boxes_are_moved_inside(rng):
    x = rng.standard_normal((4, 5))
    update = rng.standard_normal((2, 3))
    for start in np.ndindex(8, 8):
        start = (start[0] - 2, start[1] - 2)
        starts = [scalar(s) for s in start]
        box = boxed(x, start, (2, 3))
        out = dynamic_slice(as_array(x), starts, (2, 3), allow_negative_indices=False)
        np.testing.assert_array_equal(np.asarray(out), x[box])
        out = dynamic_update_slice(as_array(x), as_array(update), starts, False)
        want = x.copy()
        want[box] = update
        np.testing.assert_array_equal(np.asarray(out), want)


@pytest.mark.parametrize("dtype", [np.int8, np.int16, np.int32, np.int64])
def test_negative_starts_count_from_the_end(dtype):
    x = as_array(np.arange(200))
    for start in (-1, -3, -128):
        want = 200 + start if start > -3 else min(200 + start, 197)
        for given in ([start], [scalar(start, dtype)], as_array(np.array([start], dtype))):
            assert np.asarray(dynamic_slice(x, given, (3,)))[0] == min(want, 197)
        mapped = vmap(lambda s: dynamic_slice(x, [s], (3,)))(as_array(np.array([start], dtype)))
        assert np.asarray(mapped)[0, 0] == min(want, 197)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint64])
def test_unsigned_starts_may_be_huge(dtype):
    x = as_array(np.arange(5))
    huge = np.iinfo(dtype).max
    np.testing.assert_array_equal(np.asarray(dynamic_slice(x, [scalar(huge, dtype)], (2,))), [3, 4])
    starts = as_array(np.array([huge, 1], dtype))
    out = vmap(lambda s: dynamic_slice(x, [s], (2,)))(starts)
    np.testing.assert_array_equal(np.asarray(out), [[3, 4], [1, 2]])


def test_one_axis(rng):
    x = rng.standard_normal((4, 5))
    out = dynamic_slice_in_dim(as_array(x), scalar(-2), 2, -1)
    np.testing.assert_array_equal(np.asarray(out), x[:, 3:])
    out = dynamic_index_in_dim(as_array(x), scalar(2), 1, keepdims=False)
    np.testing.assert_array_equal(np.asarray(out), x[:, 2])
    row = rng.standard_normal(5)
    for update in (row, row[None]):
        out = dynamic_update_index_in_dim(as_array(x), as_array(update), -1, 0)
        np.testing.assert_array_equal(np.asarray(out), np.vstack([x[:3], row]))
    out = dynamic_update_slice_in_dim(as_array(x), as_array(x[:, :2]), 2, 1)
    np.testing.assert_array_equal(np.asarray(out), np.hstack([x[:, :2], x[:, :2], x[:, 4:]]))


def test_the_operand_is_not_changed():
    data = np.zeros(3)
    x = as_array(data)
    dynamic_update_slice(x, as_array(np.ones(1)), [1])
    np.testing.assert_array_equal(np.asarray(x), [0, 0, 0])


@pytest.mark.parametrize("axes", [(0, None, 0), (None, 0, 0), (0, 0, 0), (1, 1, None)])
def test_updates_map_over_anything(rng, axes):
    x, update = rng.standard_normal((4, 4)), rng.standard_normal((4, 4))
    starts = np.array([-3, 0, 2, 9], np.int32) if axes[2] == 0 else np.array(2, np.int32)

    def function(x, update, start):
        part = dynamic_slice(update, [start], (2,))
        return dynamic_update_slice(x, part, [start])

    arrays = [x, update, starts]
    if axes[0] is None:
        arrays[0] = x[0]
    if axes[1] is None:
        arrays[1] = update[0]
    out = np.asarray(vmap(function, in_axes=axes)(*map(as_array, arrays)))
    for k in range(4):
        lane = [a if d is None else np.take(a, k, d) for a, d in zip(arrays, axes)]
        np.testing.assert_array_equal(out[k], np.asarray(function(*map(as_array, lane))))


def test_gradients_reach_what_is_read_and_what_stays(rng):
    weights = rng.standard_normal(6)
    start = scalar(9)  # moved to 4

    def updated(x, update):
        return total(mul(dynamic_update_slice(x, update, [start]), as_array(weights)))

    dx, du = grad(updated, (0, 1))(as_array(np.ones(6)), as_array(np.ones(2)))
    np.testing.assert_array_equal(np.asarray(dx), [*weights[:4], 0, 0])
    np.testing.assert_array_equal(np.asarray(du), weights[4:])
    dx = grad(lambda x: total(dynamic_slice(x, [start], (2,))))(as_array(np.ones(6)))
    np.testing.assert_array_equal(np.asarray(dx), [0, 0, 0, 0, 1, 1])


def test_known_starts_fold_to_a_static_slice():
    avals = [ShapedArray((5, 4), np.dtype(np.float64))]

    def function(x):
        return [dynamic_slice(x, [7, -3], (2, 2)), dynamic_slice(x, [1, 1], (5, 4))]

    jaxpr, _ = stage(function, avals)
    jaxpr = simplify(jaxpr)
    (eqn,) = jaxpr.eqns
    assert eqn.primitive.name == "slice"
    assert (eqn.params["start_indices"], eqn.params["limit_indices"]) == ((3, 1), (5, 3))
    assert jaxpr.outs[1] is jaxpr.in_vars[0]


def test_a_whole_update_folds_to_itself():
    avals = [ShapedArray((5,), np.dtype(np.float64))] * 2 + [ShapedArray((), np.dtype(np.int32))]
    jaxpr, _ = stage(lambda x, update, s: [dynamic_update_slice(x, update, [s], False)], avals)
    jaxpr = simplify(jaxpr)
    assert not jaxpr.eqns
    assert jaxpr.outs[0] is jaxpr.in_vars[1]


@pytest.mark.parametrize(
    ("starts", "sizes", "message"),
    [
        ([0], (1, 1), "got 1 starts and 2 sizes"),
        ([0, 0], (1,), "got 2 starts and 1 sizes"),
        ([0, 0], (1, 5), "size 5 along axis 1 must be from 0 to 4"),
        ([scalar(0, np.float32), 0], (1, 1), "start along axis 0 must be an integer scalar"),
        ([as_array(np.array([0])), 0], (1, 1), "start along axis 0 must be an integer scalar"),
        (as_array(np.zeros((2, 1), np.int32)), (1, 1), "one axis is wanted"),
    ],
)
def test_slice_says_what_is_wrong(starts, sizes, message):
    with pytest.raises(TypeError, match=message):
        dynamic_slice(as_array(np.zeros((3, 4))), starts, sizes)


def test_update_says_what_is_wrong():
    x = as_array(np.zeros((3, 4)))
    with pytest.raises(TypeError, match="must have the dtype and the number of axes"):
        dynamic_update_slice(x, as_array(np.zeros(3)), [0, 0])
    with pytest.raises(TypeError, match="must have the dtype and the number of axes"):
        dynamic_update_slice(x, as_array(np.zeros((1, 1), np.float32)), [0, 0])
    with pytest.raises(TypeError, match="size 4 along axis 0"):
        dynamic_update_slice(x, as_array(np.zeros((4, 1))), [0, 0])
