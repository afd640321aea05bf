"""Segment reductions against loops."""

from __future__ import annotations

import numpy as np
import pytest

import fnx
import fnx.numpy as jnp
from fnx import ops

CASES = {
    "segment_sum": (np.add, 0),
    "segment_prod": (np.multiply, 1),
    "segment_max": (np.maximum, None),
    "segment_min": (np.minimum, None),
}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("dtype", [np.float64, np.int32, np.uint8])
def test_segments(name, dtype, rng):
    combine, start = CASES[name]
    x = rng.integers(0, 5, (9, 2)).astype(dtype)
    ids = np.array([0, 3, 3, -1, 0, 7, 5, 3, 0])
    if start is None:
        if dtype == np.float64:
            start = np.inf if name == "segment_min" else -np.inf
        else:
            info = np.iinfo(dtype)
            start = info.max if name == "segment_min" else info.min
    expected = np.full((6, 2), start, dtype)
    for row, k in zip(x, ids):
        if 0 <= k < 6:
            expected[k] = combine(expected[k], row)
    found = getattr(ops, name)(x, ids, 6)
    assert found.dtype == dtype
    np.testing.assert_array_equal(found, expected)
    jitted = fnx.jit(lambda x, ids: getattr(ops, name)(x, ids, 6))
    np.testing.assert_array_equal(jitted(x, ids), expected)


def test_the_number_of_segments_is_found():
    assert ops.segment_sum(jnp.ones(3), np.array([0, 4, 1])).shape == (5,)
    assert ops.segment_sum(jnp.ones(0), np.zeros(0, int)).shape == (0,)


def test_extrema_of_booleans():
    x, ids = np.array([True, False, False]), np.array([0, 0, 1])
    np.testing.assert_array_equal(ops.segment_max(x, ids, 3), [True, False, False])
    np.testing.assert_array_equal(ops.segment_min(x, ids, 3), [False, False, True])


def test_derivative(rng):
    x, ids, w = rng.uniform(size=5), np.array([1, 0, 1, 2, 9]), rng.uniform(size=3)
    slope = fnx.grad(lambda x: (ops.segment_sum(x, ids, 3) * w).sum())(x)
    np.testing.assert_allclose(slope, [w[1], w[0], w[1], w[2], 0])


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: ops.segment_sum(jnp.ones(3), jnp.ones(3)), TypeError, "ids are integers"),
        (lambda: ops.segment_sum(np.ones(3, bool), np.zeros(3, int)), TypeError, "bool"),
        (lambda: ops.segment_sum(jnp.ones(3), np.zeros(2, int)), ValueError, "one id for each"),
        (
            lambda: fnx.jit(ops.segment_sum)(jnp.ones(2), np.zeros(2, int)),
            ValueError,
            "num_segments",
        ),
        (lambda: ops.segment_sum(jnp.ones(1), np.zeros(1, int), -1), ValueError, "negative"),
    ],
)
def test_errors(call, error, words):
    with pytest.raises(error, match=words):
        call()
