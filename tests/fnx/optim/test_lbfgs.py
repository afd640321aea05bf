"""The pure L-BFGS: PyTorch's numbers, compiled, mapped, and at the minimum of a known function."""

from __future__ import annotations

import json

import numpy as np
import pytest

import fnx
import fnx.numpy as jnp
from fnx import optim
from tests.fnx.optim.test_rules import gradient, loss, numbers_of, start
from tests.support.optim_trials import OPTIMIZERS, SHOWN, STEPS, STORED

REFERENCES = json.loads(STORED.read_text())["optimizers"]


def value_and_grad(params):
    return loss(params), gradient(params)


def pure(name, function=value_and_grad):
    options = dict(OPTIMIZERS[name][1])
    options["line_search"] = options.pop("line_search_fn", None)
    options["learning_rate"] = options.pop("lr", 1.0)
    return optim.lbfgs(function, **{"history_size": 100, **options})


@pytest.mark.parametrize("name", [name for name in OPTIMIZERS if name.startswith("lbfgs")])
def test_same_as_torch(name):
    theirs = REFERENCES[name]
    optimizer = pure(name)
    step = fnx.jit(optimizer.update)
    params = start()
    state = optimizer.init(params)
    values, passed = [], []
    for _ in range(STEPS):
        params, state, value = step(params, state)
        values.append(float(value))
        passed.append(params)
    np.testing.assert_allclose(values, theirs["losses"], rtol=1e-10)
    for k, (weight, bias) in zip(SHOWN, theirs["shown"], strict=True):
        np.testing.assert_allclose(passed[k - 1]["weight"], numbers_of(weight), rtol=1e-7)
        np.testing.assert_allclose(passed[k - 1]["bias"], numbers_of(bias), rtol=1e-7)
    counts = theirs["state"]["state"]["0"]
    assert (int(state.iterations), int(state.evaluations)) == (
        counts["n_iter"],
        counts["func_evals"],
    )


def rosenbrock(x):
    return jnp.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


def minimum(x, line_search="strong_wolfe"):
    optimizer = optim.lbfgs(
        fnx.value_and_grad(rosenbrock), max_iter=80, history_size=5, line_search=line_search
    )
    return optimizer.update(x, optimizer.init(x))[0]


def test_a_curved_valley():
    x = jnp.asarray(np.array([-1.2, 1.0, 0.8]))
    np.testing.assert_allclose(minimum(x), np.ones(3), rtol=1e-4)


def test_each_lane_of_a_map_has_its_own_loop():
    xs = jnp.asarray(np.array([[-1.2, 1.0], [0.5, 0.5], [1.0, 1.0]]))
    mapped = fnx.vmap(minimum)(xs)
    np.testing.assert_allclose(mapped, [minimum(x) for x in xs], rtol=1e-9)


def test_an_update_at_the_minimum_does_nothing():
    optimizer = optim.lbfgs(fnx.value_and_grad(rosenbrock))
    x = jnp.ones(2)
    after, state, value = optimizer.update(x, optimizer.init(x))
    assert after.tolist() == [1.0, 1.0] and float(value) == 0.0
    assert (int(state.iterations), int(state.evaluations)) == (0, 1)


def test_refusals():
    with pytest.raises(ValueError, match="line_search is 'armijo'; only 'strong_wolfe'"):
        optim.lbfgs(value_and_grad, line_search="armijo")
    with pytest.raises(TypeError, match="real floating-point arrays, got complex64"):
        optim.lbfgs(value_and_grad).init(jnp.ones(2, "complex64"))
