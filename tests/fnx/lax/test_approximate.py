"""approx_max_k and approx_min_k: the exact answer, its derivative, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

import fnx
from fnx import lax


def test_the_answer_is_exact_along_any_axis(rng):
    x = rng.standard_normal((3, 5, 4))
    for axis in (0, 1, -1):
        k = x.shape[axis] - 1
        ordered, places = np.sort(x, axis), np.argsort(x, axis)
        values, positions = lax.approx_min_k(x, k, axis, recall_target=0.1)
        np.testing.assert_array_equal(values, np.take(ordered, range(k), axis))
        np.testing.assert_array_equal(positions, np.take(places, range(k), axis))
        values, positions = lax.approx_max_k(x, k, axis, aggregate_to_topk=False)
        top = range(x.shape[axis] - 1, 0, -1)
        np.testing.assert_array_equal(values, np.take(ordered, top, axis))
        np.testing.assert_array_equal(positions, np.take(places, top, axis))


def test_nan_is_greater_than_all_and_equals_keep_their_order():
    x = np.array([2.0, np.nan, 1.0, 1.0])
    np.testing.assert_array_equal(lax.approx_max_k(x, 2)[1], [1, 0])
    np.testing.assert_array_equal(lax.approx_min_k(x, 4)[1], [2, 3, 0, 1])


def test_the_gradient_goes_to_the_chosen():
    x = np.array([[3.0, 1.0, 2.0], [0.0, 5.0, -1.0]])
    gradient = fnx.grad(lambda x: (lax.approx_min_k(x, 2)[0] * np.array([1.0, 10.0])).sum())(x)
    np.testing.assert_array_equal(gradient, [[0, 1, 10], [10, 0, 1]])


@pytest.mark.parametrize("function", [lax.approx_max_k, lax.approx_min_k])
@pytest.mark.parametrize(
    ("args", "options", "error", "words"),
    [
        ((np.arange(3), 1), {}, TypeError, "operand must be floating"),
        ((np.float64(1), 1), {}, TypeError, "have an axis"),
        ((np.ones(3), 0), {}, ValueError, "k=0 must be from 1 to 3"),
        ((np.ones(3), 4), {}, ValueError, "k=4 must be from 1 to 3"),
        ((np.ones(3), 1, 1), {}, ValueError, "axis 1"),
        ((np.ones(3), 1), {"recall_target": 0.0}, ValueError, "recall_target=0.0 must be above 0"),
        ((np.ones(3), 1), {"recall_target": 1.5}, ValueError, "recall_target=1.5"),
        ((np.ones(3), 1), {"reduction_input_size_override": 2}, ValueError, "at least 3"),
        ((np.ones(3), 1), {"aggregate_to_topk": 1}, TypeError, "must be a bool"),
    ],
)
def test_every_argument_is_checked(function, args, options, error, words):
    with pytest.raises(error, match=words):
        function(*args, **options)
