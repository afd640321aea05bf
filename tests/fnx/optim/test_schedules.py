"""Schedules against their formulas, and as learning rates of optimizers."""

from __future__ import annotations

import math

import numpy as np
import pytest

import fnx
import fnx.numpy as jnp
from fnx import optim

CASES = {
    "linear": (optim.linear_schedule(0.1, 0.5, 4), lambda k: 0.1 + 0.4 * min(k / 4, 1)),
    "exponential": (optim.exponential_decay(2.0, 3, 0.5), lambda k: 2.0 * 0.5 ** (k / 3)),
    "staircase": (
        optim.exponential_decay(2.0, 3, 0.5, staircase=True, end_value=0.4),
        lambda k: max(2.0 * 0.5 ** (k // 3), 0.4),
    ),
    "growing": (optim.exponential_decay(1.0, 1, 2.0, end_value=9.0), lambda k: min(2.0**k, 9.0)),
    "steps": (
        optim.piecewise_constant_schedule(1.0, {2: 0.1, 5: 0.5}),
        lambda k: 1.0 * (0.1 if k >= 2 else 1) * (0.5 if k >= 5 else 1),
    ),
    "cosine": (
        optim.cosine_decay_schedule(3.0, 6, alpha=0.1),
        lambda k: 3.0 * (0.9 * (1 + math.cos(math.pi * min(k / 6, 1))) / 2 + 0.1),
    ),
    "warm-up": (
        optim.warmup_cosine_decay_schedule(0.0, 1.0, 2, 6, end_value=0.2),
        lambda k: k / 2 if k < 2 else 0.8 * (1 + math.cos(math.pi * min((k - 2) / 4, 1))) / 2 + 0.2,
    ),
    "constant": (optim.constant_schedule(0.3), lambda k: 0.3),
}


@pytest.mark.parametrize("name", CASES)
def test_formulas(name):
    schedule, formula = CASES[name]
    expected = [formula(k) for k in range(9)]
    np.testing.assert_allclose([schedule(k) for k in range(9)], expected, rtol=1e-12, atol=1e-15)
    traced = fnx.jit(lambda k: jnp.asarray(schedule(k), "float64"))
    found = [traced(jnp.asarray(k, "int32")) for k in range(9)]
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-15)


def test_one_cycle():
    schedule = optim.cosine_onecycle_schedule(10, 2.0, 0.4, 20.0, 100.0)
    rates = [float(schedule(k)) for k in range(12)]
    assert rates[0] == pytest.approx(0.1) and rates[4] == pytest.approx(2.0)
    assert rates[10] == rates[11] == pytest.approx(0.001, rel=1e-4)
    assert rates[2] == pytest.approx((0.1 + 2.0) / 2) and rates[7] == pytest.approx(1.0005)


def test_joining():
    joined = optim.join_schedules([lambda k: k, lambda k: 10 * k, lambda k: 7], [3, 5])
    assert [int(joined(k)) for k in range(7)] == [0, 1, 2, 0, 10, 7, 7]
    with pytest.raises(ValueError, match="2 schedules need 1 boundaries, got 0"):
        optim.join_schedules([abs, abs], [])
    with pytest.raises(ValueError, match="positive number of steps, got 0"):
        optim.linear_schedule(0.0, 1.0, 0)(1)


@pytest.mark.parametrize("make", [optim.sgd, optim.adam, optim.asgd, optim.lamb, optim.rprop])
def test_optimizers_take_schedules(make):
    rates = [0.1, 0.05, 0.025]
    scheduled = make(optim.exponential_decay(0.1, 1, 0.5))
    params = jnp.asarray(np.array([1.0, -2.0]))
    state = scheduled.init(params)
    step = fnx.jit(scheduled.update)
    mine = theirs = params
    other = make(rates[0]).init(params)
    for rate in rates:
        updates, state = step(mine, state, mine)
        mine = optim.apply_updates(mine, updates)
        updates, other = make(rate).update(theirs, other, theirs)
        theirs = optim.apply_updates(theirs, updates)
    np.testing.assert_allclose(mine, theirs, rtol=1e-12)
