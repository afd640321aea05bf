"""The pure optimizers: PyTorch's numbers, under jit, grad and vmap, on trees of any dtype.

The references are those of tests/fnx_nn/optim, stored by make_torch_optim_references.
"""

from __future__ import annotations

import json

import numpy as np
import pytest

import fnx
import fnx.numpy as jnp
from fnx import optim
from fnx.config import enable_x64
from tests.support.optim_trials import COMPLEX, OPTIMIZERS, SHOWN, STEPS, STORED

REFERENCES = json.loads(STORED.read_text())
NAMES = [name for name in OPTIMIZERS if not name.startswith("lbfgs")]

#: PyTorch's options under the names of optax.
RENAMED = {"lr": "learning_rate", "alpha": "decay"}
#: Options without meaning for pure functions.
WITHOUT = ("foreach",)


def pure(name):
    """The pure optimizer of a trial of PyTorch's."""
    kind, options = OPTIMIZERS[name]
    options = {k: v for k, v in options.items() if k not in WITHOUT}
    if "betas" in options:
        options["b1"], options["b2"] = options.pop("betas")
    if kind != "ASGD":
        options = {RENAMED.get(k, k): v for k, v in options.items()}
    elif "lr" in options:
        options["learning_rate"] = options.pop("lr")
    if kind == "AdamW":
        options.setdefault("weight_decay", 1e-2)
    optimizer = getattr(optim, kind.lower())(**options)
    return on_the_weight(optimizer) if kind == "Muon" else optimizer


def on_the_weight(optimizer):
    """An optimizer of the matrix alone; the bias stays."""

    def update(grads, state, params):
        moved, state = optimizer.update(grads["weight"], state, params["weight"])
        return {"weight": moved, "bias": jnp.zeros_like(params["bias"])}, state

    return optim.Optimizer(lambda params: optimizer.init(params["weight"]), update)


def start(is_complex=False):
    weight = np.array([[0.5, -1.25], [2.0, 0.75]])
    if is_complex:
        weight = weight + 1j * np.array([[0.1, 0.9], [-0.4, 0.3]])
    return {"weight": jnp.asarray(weight), "bias": jnp.asarray(np.array([-0.3, 1.7]))}


def loss(params):
    """The problem of the trials."""
    weight, bias = params["weight"], params["bias"]
    is_complex = jnp.issubdtype(weight.dtype, jnp.complexfloating)
    size = jnp.real(weight * jnp.conj(weight)) if is_complex else weight * weight
    wave = jnp.real(weight) if is_complex else weight
    curved = jnp.sum(size * size) * 0.1 + jnp.sum(jnp.sin(wave * 3.0)) * 0.2 + jnp.sum(size) * 0.05
    return curved + jnp.sum((bias - 1.0) ** 4) + (bias[0] - jnp.sum(wave)) ** 2 * 0.1


def gradient(params):
    """PyTorch's: the conjugate of JAX's for complex parameters."""
    value, back = fnx.vjp(loss, params)
    (found,) = back(jnp.ones_like(value))
    return fnx.tree_util.tree_map(jnp.conj, found)


def run(optimizer, params, steps, gradient=gradient):
    state = optimizer.init(params)
    for _ in range(steps):
        updates, state = optimizer.update(gradient(params), state, params)
        params = optim.apply_updates(params, updates)
        yield params


def numbers_of(shown):
    data = shown["data"]
    if "complex" in shown["dtype"]:
        data = np.array(data[0]) + 1j * np.array(data[1])
    return np.reshape(data, shown["shape"])


def assert_follows(optimizer, theirs, is_complex=False, tolerance=1e-10):
    passed = list(run(optimizer, start(is_complex), STEPS))
    for step, (weight, bias) in zip(SHOWN, theirs["shown"], strict=True):
        mine = passed[step - 1]
        np.testing.assert_allclose(mine["weight"], numbers_of(weight), rtol=tolerance, atol=1e-14)
        np.testing.assert_allclose(mine["bias"], numbers_of(bias), rtol=tolerance, atol=1e-14)


@pytest.mark.parametrize("name", NAMES)
def test_same_as_torch(name):
    # PyTorch keeps these running products in float32; here they are float64.
    loose = name.startswith(("nadam", "asgd"))
    assert_follows(pure(name), REFERENCES["optimizers"][name], tolerance=1e-6 if loose else 1e-10)


@pytest.mark.parametrize("name", [name for name in COMPLEX if name in NAMES])
def test_complex_parameters(name):
    tolerance = 1e-6 if name == "asgd" else 1e-10
    assert_follows(pure(name), REFERENCES["complex"][name], True, tolerance)


@pytest.mark.parametrize("name", NAMES)
def test_jit_of_a_step(name):
    optimizer, params = pure(name), start()

    def step(params, state):
        updates, state = optimizer.update(gradient(params), state, params)
        return optim.apply_updates(params, updates), state

    compiled, state = fnx.jit(step), optimizer.init(params)
    expected = list(run(optimizer, params, 3))[-1]
    for _ in range(3):
        params, state = compiled(params, state)
    for key in params:
        np.testing.assert_allclose(params[key], expected[key], rtol=1e-12)
    assert int(state.count) == 3


@pytest.mark.parametrize(
    "make",
    [
        lambda x: optim.sgd(x, 0.9),
        lambda x: optim.sgd(0.1, x, True),
        lambda x: optim.sgd(0.1, 0.9, weight_decay=x, dampening=x),
        lambda x: optim.adam(x),
        lambda x: optim.adam(0.1, x, x, weight_decay=x),
        lambda x: optim.adamw(0.1, weight_decay=x, amsgrad=True),
        lambda x: optim.adamax(x, x),
        lambda x: optim.nadam(x, x, momentum_decay=x),
        lambda x: optim.radam(x, 0.8, 0.9, weight_decay=x),
        lambda x: optim.adagrad(x, x, lr_decay=x),
        lambda x: optim.adadelta(x, x, x),
        lambda x: optim.rmsprop(x, x, centered=True, momentum=x),
        lambda x: optim.rprop(x),
        lambda x: optim.adafactor(x, weight_decay=x),
        lambda x: optim.asgd(x, x, t0=2.0),
    ],
)
def test_derivatives_and_maps_over_hyperparameters(make):
    start_at = jnp.asarray(np.array([0.5, -1.5, 2.0]))

    def trained(x):
        last = list(run(make(x), start_at, 4, gradient=lambda p: p**3 + 1.0))[-1]
        return jnp.sum(last * last)

    at = np.float64(0.3)
    slope = fnx.grad(trained)(jnp.asarray(at))
    numeric = (trained(jnp.asarray(at + 1e-6)) - trained(jnp.asarray(at - 1e-6))) / 2e-6
    np.testing.assert_allclose(slope, numeric, rtol=1e-5, atol=1e-7)
    several = jnp.asarray(np.array([0.1, 0.3]))
    mapped = fnx.vmap(trained)(several)
    np.testing.assert_allclose(mapped, [trained(x) for x in several], rtol=1e-11)


@pytest.mark.parametrize("name", ["sgd momentum", "adam", "nadam", "asgd", "radam", "rprop"])
@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
def test_dtypes_stay(name, dtype):
    params = [jnp.ones(3, dtype), (jnp.ones((), dtype),)]
    optimizer = pure(name)
    state = optimizer.init(params)
    updates, state = optimizer.update(params, state, params)
    leaves = fnx.tree_util.tree_leaves((updates, state.slots))
    assert {str(leaf.dtype) for leaf in leaves} == {dtype}


def test_where_64_bits_are_switched_off():
    with enable_x64(False):
        params = jnp.ones(2)
        for name in ("sgd momentum", "adam", "nadam", "asgd", "radam"):
            optimizer = pure(name)
            state = optimizer.init(params)
            _, state = fnx.jit(optimizer.update)(params, state, params)
            assert {str(x.dtype) for x in fnx.tree_util.tree_leaves(state)} == {"int32", "float32"}


def test_states_are_trees():
    optimizer = optim.adam(0.1)
    params = start()
    state = optimizer.init(params)
    assert set(state.slots) == {"exp_avg", "exp_avg_sq"}
    assert fnx.tree_util.tree_structure(state.slots["exp_avg"]) == fnx.tree_util.tree_structure(
        params
    )


@pytest.mark.parametrize("make", [lambda: optim.adamw(0.1), lambda: optim.asgd(0.1)])
def test_parameters_are_asked_for(make):
    optimizer, params = make(), jnp.ones(2)
    with pytest.raises(ValueError, match=r"reads the parameters.*update\(grads, state, params\)"):
        optimizer.update(params, optimizer.init(params))


def test_trees_that_do_not_fit():
    optimizer = optim.sgd(0.1, 0.9)
    state = optimizer.init([jnp.ones(2), jnp.ones(2)])
    with pytest.raises(ValueError, match=r"sgd: grads is a list of length 1.*list of length 2"):
        optimizer.update([jnp.ones(2)], state)


def test_muon_takes_matrices_in_few_steps():
    optimizer = optim.muon()
    with pytest.raises(ValueError, match=r"parameters must be matrices, got one of shape \(2,\)"):
        optimizer.update(jnp.ones(2), optimizer.init(jnp.ones(2)), jnp.ones(2))
    with pytest.raises(ValueError, match="must be less than 100.*got 100"):
        optim.muon(ns_steps=100)


@pytest.mark.parametrize("make", [optim.muon, optim.adafactor])
def test_matrix_rules_take_real_parameters(make):
    p = jnp.ones((2, 2), "complex64")
    optimizer = make()
    with pytest.raises(TypeError, match="parameters must be real, got complex64"):
        optimizer.update(p, optimizer.init(p), p)


def test_muons_steps_are_about_orthogonal(rng):
    gradient = jnp.asarray(rng.standard_normal((5, 3)))
    optimizer = optim.muon(1.0, 0.0, adjust_lr_fn="match_rms_adamw")
    step, _ = optimizer.update(gradient, optimizer.init(gradient), gradient)
    singular = np.linalg.svd(np.asarray(step) / (0.2 * 5**0.5), compute_uv=False)
    assert (singular > 0.6).all() and (singular < 1.3).all()


def test_every_rule_is_listed():
    names = "adadelta adafactor adagrad adam adamax asgd lamb lion muon nadam radam rmsprop rprop"
    assert sorted(optim.RULES) == [*names.split(), "sgd"]
    assert all(rule.name == name for name, rule in optim.RULES.items())
