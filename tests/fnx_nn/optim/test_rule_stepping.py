"""How rules are applied to tensors: in place, without staging anew, recorded where asked for."""

from __future__ import annotations

import numpy as np
import pytest

import fnx
import fnx_nn as torch
from fnx_nn import optim
from fnx_nn.tensor.traced import from_array, to_array, tracing

NAMES = "SGD Adam AdamW Adagrad Adadelta Adamax NAdam RAdam RMSprop Rprop ASGD".split()


def make(name, params, **options):
    if name == "SGD":
        options.setdefault("momentum", 0.9)
    return getattr(optim, name)(params, **{"lr": 0.1, **options})


def test_aliases_see_the_step_and_versions_rise():
    array = np.ones(4, np.float32)
    p = torch.from_numpy(array).requires_grad_()
    part, old = p.detach()[1:3], p._version
    p.grad = torch.ones(4)
    optim.SGD([p], lr=0.5).step()
    assert array.tolist() == [0.5] * 4 and part.tolist() == [0.5, 0.5]
    assert p._version == old + 1


def test_a_saved_parameter_that_was_stepped_is_noticed():
    p = torch.ones(2, requires_grad=True)
    loss = (p * p).sum()
    loss.backward(retain_graph=True)
    optim.SGD([p]).step()
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        loss.backward()


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_staged_after_the_first_step(name, monkeypatch):
    params = [torch.ones(n, n, requires_grad=True) for n in (1, 2, 3)]
    optimizer = make(name, params)

    def step():
        for p in params:
            p.grad = torch.ones_like(p)
        optimizer.step()

    step()

    def refuse(*arguments, **options):
        raise AssertionError("staged anew")

    monkeypatch.setattr("fnx.extend.operations.stage", refuse)
    optimizer.param_groups[0]["lr"] = 0.05  # numbers are operands, not parts of the program
    step()


@pytest.mark.parametrize("name", NAMES)
def test_parameters_without_gradient_stay(name):
    p, q = torch.ones(2, requires_grad=True), torch.ones(2, requires_grad=True)
    optimizer = make(name, [p, q])
    q.grad = torch.ones(2)
    optimizer.step()
    assert p.tolist() == [1.0, 1.0] and q.tolist() != [1.0, 1.0]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_small_floats_step_in_single_precision(name, dtype):
    # A zero gradient and an eps that is zero in float16 give 0 / eps, not 0 / 0.
    p = torch.tensor([1.0, 2.0], dtype=dtype, requires_grad=True)
    optimizer = make(name, [p])
    for _ in range(2):
        p.grad = torch.tensor([0.0, 0.5], dtype=dtype)
        optimizer.step()
    assert p.dtype == dtype and torch.isfinite(p).all()
    assert all(v.dtype in (dtype, torch.float32) for v in optimizer.state[p].values())


@pytest.mark.parametrize("name", NAMES)
def test_large_parameters_step_as_small_ones(name, rng):
    # These have compiled programs.
    values, gradient = rng.standard_normal((2, 70_000))
    large = torch.tensor(values, requires_grad=True)
    small = torch.tensor(values[:50].copy(), requires_grad=True)
    optimizer = make(name, [large, small], weight_decay=0.1) if name != "Rprop" else make(
        name, [large, small]
    )  # fmt: skip
    for k in range(2):
        large.grad = torch.tensor(gradient * (k + 1))
        small.grad = torch.tensor(gradient[:50] * (k + 1))
        optimizer.step()
    np.testing.assert_allclose(large[:50].tolist(), small.tolist(), rtol=1e-13)


@pytest.mark.parametrize("name", NAMES)
def test_differentiable_steps(name):
    """The derivative through a step, against central differences."""

    def stepped(scale):
        leaf = torch.tensor([1.0, -2.0], dtype=torch.float64)
        p = (leaf * scale).clone()
        optimizer = make(name, [p], differentiable=True)
        for _ in range(2):
            now = p.clone()  # what is saved is not written to
            p.grad = (now * now * 0.5 + 1.0) * scale
            optimizer.step()
        return (p * torch.tensor([1.0, 3.0], dtype=torch.float64)).sum()

    scale = torch.tensor(1.5, dtype=torch.float64, requires_grad=True)
    (slope,) = torch.autograd.grad(stepped(scale), scale)
    with torch.no_grad():
        shift = torch.tensor(1e-6, dtype=torch.float64)
        numeric = (stepped(scale + shift) - stepped(scale - shift)) / 2e-6
    assert slope.item() == pytest.approx(numeric.item(), rel=1e-6)


def test_gradients_reach_a_learning_rate():
    lr = torch.tensor(0.1, requires_grad=True)
    p = torch.ones(2).clone()
    optimizer = optim.SGD([p], lr=lr, differentiable=True)
    p.grad = torch.tensor([2.0, 3.0])
    optimizer.step()
    p.sum().backward()
    assert lr.grad.item() == -5.0


@pytest.mark.parametrize("name", NAMES)
def test_steps_can_be_traced(name):
    def train(values):
        with tracing():
            p = from_array(values)
            optimizer = make(name, [p])
            for _ in range(3):
                p.grad = p * p + 1.0
                optimizer.step()
            return to_array(p)

    start = np.array([1.0, -2.0])
    p = torch.tensor(start.copy())
    optimizer = make(name, [p])
    for _ in range(3):
        p.grad = p * p + 1.0
        optimizer.step()
    found = fnx.jit(train)(fnx.numpy.asarray(start))
    np.testing.assert_allclose(np.asarray(found), p.numpy(), rtol=1e-12)


def test_a_learning_rate_as_tensor():
    p = torch.ones(1, requires_grad=True)
    optimizer = optim.Adam([p], lr=torch.tensor(0.5), betas=(torch.tensor(0.9), torch.tensor(0.99)))
    p.grad = torch.ones(1)
    optimizer.step()
    assert p.item() == pytest.approx(0.5)


def test_graph_capture_is_for_other_devices():
    p = torch.ones(1, requires_grad=True)
    optimizer = optim.Adam([p], capturable=True)
    optimizer.step()
    p.grad = torch.ones(1)
    with pytest.raises(AssertionError, match="If capturable=True, params and state_steps must be"):
        optimizer.step()


@pytest.mark.parametrize("name", NAMES)
def test_recorded_steps_of_complex_parameters(name):
    start, gradient = [1.0 + 2.0j, -0.5j], [0.5 - 1.0j, 2.0 + 1.0j]

    def stepped(**options):
        p = torch.tensor(start, dtype=torch.complex128)
        optimizer = make(name, [p], **options)
        for k in (1, 2):
            p.grad = torch.tensor(gradient, dtype=torch.complex128) * k
            optimizer.step()
        return p.tolist()

    assert stepped(differentiable=True) == pytest.approx(stepped(), rel=1e-13)


def test_momentum_that_begins_late():
    p = torch.zeros(1, requires_grad=True)
    optimizer = optim.SGD([p], lr=1.0)
    for momentum in (0.0, 0.5, 0.5):
        optimizer.param_groups[0]["momentum"] = momentum
        p.grad = torch.ones(1)
        optimizer.step()
    assert p.item() == -(1.0 + 1.0 + 1.5)
