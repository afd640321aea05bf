"""The pure line search on functions with many valleys, all lines at once, against PyTorch's."""

from __future__ import annotations

import json

import numpy as np

import fnx
import fnx.numpy as jnp
from fnx.optim.wolfe_search import Trial, strong_wolfe
from tests.support.line_search_trials import line_cases, value_and_gradient
from tests.support.optim_trials import STORED

ENDS = json.loads(STORED.read_text())["line searches"]


def search(case):
    start, direction = case["start"], case["direction"]

    def evaluate(t):
        return value_and_gradient(case, start + t * direction, jnp)

    zero = jnp.zeros_like(case["first_step"])
    value, gradient = evaluate(zero)
    here = Trial(zero, value, gradient, jnp.dot(gradient, direction))
    best, count = strong_wolfe(
        evaluate, case["first_step"], direction, here, 1e-9, case["most_trials"]
    )
    return best.t, best.value, count


def stacked(cases):
    return {key: jnp.asarray(np.stack([case[key] for case in cases])) for key in cases[0]}


def test_same_ends_as_torch():
    t, value, count = fnx.jit(fnx.vmap(search))(stacked(line_cases()))
    expected = np.array(ENDS)
    assert count.tolist() == expected[:, 2].astype(int).tolist()
    np.testing.assert_allclose(t, expected[:, 0], rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(value, expected[:, 1], rtol=1e-9, atol=1e-12)


def test_one_line_eagerly():
    for case, end in list(zip(line_cases(), ENDS, strict=True))[:5]:
        case = {key: jnp.asarray(np.asarray(value)) for key, value in case.items()}
        t, value, count = search(case)
        np.testing.assert_allclose([t, value, count], end, rtol=1e-9, atol=1e-12)
