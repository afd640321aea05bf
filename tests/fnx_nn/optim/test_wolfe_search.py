"""The line search of `LBFGS` on functions with many valleys, against where PyTorch's ends."""

from __future__ import annotations

import json

import numpy as np
import pytest

from fnx_nn.optim.wolfe_search import Trial, strong_wolfe
from tests.support.line_search_trials import line_cases, value_and_gradient
from tests.support.optim_trials import STORED

ENDS = json.loads(STORED.read_text())["line searches"]


def search(case):
    start, direction = case["start"], case["direction"]

    def evaluate(t):
        value, gradient = value_and_gradient(case, start + t * direction, np)
        return float(value), gradient

    value, gradient = evaluate(0.0)
    here = Trial(0, value, gradient, gradient.dot(direction))
    return strong_wolfe(evaluate, case["first_step"], direction, here, 1e-9, case["most_trials"])


def test_same_ends_as_torch():
    ends = [search(case) for case in line_cases()]
    found = [[float(best.t), best.value, count] for best, count in ends]
    np.testing.assert_allclose(found, ENDS, rtol=1e-9, atol=1e-12)


def test_the_conditions_hold_where_there_were_trials_enough():
    held = 0
    for case in line_cases():
        best, count = search(case)
        gradient = value_and_gradient(case, case["start"], np)[1]
        slope = gradient.dot(case["direction"])
        value = value_and_gradient(case, case["start"], np)[0]
        if count <= case["most_trials"] and best.t > 0:
            held += abs(best.slope) <= -0.9 * slope and best.value <= value + 1e-4 * best.t * slope
    assert held >= 60


def test_a_flat_line_stays_where_it_is():
    here = Trial(0, 1.0, np.zeros(2), np.float64(-1e-12))
    best, count = strong_wolfe(lambda t: (1.0, np.zeros(2)), 1.0, np.ones(2), here, 1e-9, 5)
    assert best.value == 1.0 and count >= 1


@pytest.mark.parametrize("most", [0, 1, 4])
def test_trials_are_bounded(most):
    counts = []

    def evaluate(t):
        counts.append(t)
        return -float(t), np.array([-1.0])  # falls for ever

    here = Trial(0, 0.0, np.array([-1.0]), np.float64(-1.0))
    best, count = strong_wolfe(evaluate, 1.0, np.ones(1), here, 1e-9, most)
    assert count == len(counts) == most + 1 and best.t == counts[-1]
