"""Transforms of functions of tensors, against PyTorch's, and against the tape."""

from __future__ import annotations

import numpy as np
import pytest

import fnx_nn as torch
from fnx_nn import func
from tests.support.module_programs import check_program, programs_of


@pytest.mark.parametrize("name", programs_of("transforms"))
def test_transforms_are_those_of_pytorch(name):
    check_program(torch, name)


def f(x):
    return (x.sin() * x.exp()).sum()


def test_nested_gradients_are_derivatives_of_higher_order():
    derivative = torch.sin
    x = torch.tensor(0.3, dtype=torch.float64)
    for expected in (np.cos, lambda v: -np.sin(v), lambda v: -np.cos(v), np.sin):
        derivative = func.grad(derivative)
        np.testing.assert_allclose(derivative(x).item(), expected(0.3), rtol=1e-14)


def test_in_place_operations_inside_are_differentiated():
    def doubled(x):
        y = x.clone()
        y[0] = y[1] * 3
        y.mul_(2)
        return y.sum()

    assert func.grad(doubled)(torch.ones(3)).tolist() == [0.0, 8.0, 2.0]


def test_inner_and_outer_variables_are_kept_apart():
    # d/dx (x * d/dy (x + y)) = 1, and not 2
    x = torch.tensor(1.0)
    found = func.grad(lambda x: x * func.grad(lambda y: x + y)(torch.tensor(1.0)))(x)
    assert found.item() == 1.0


@pytest.mark.parametrize("transform", [func.jacrev, func.jacfwd])
def test_jacobians_are_those_of_the_tape(transform):
    rng = np.random.default_rng(0)
    x = torch.tensor(rng.normal(size=(2, 3)))
    w = torch.tensor(rng.normal(size=(3, 2)))
    expected = torch.autograd.functional.jacobian(lambda x: (x @ w).tanh(), x)
    found = transform(lambda x: (x @ w).tanh())(x)
    np.testing.assert_allclose(found.numpy(), expected.numpy(), rtol=1e-13)


def test_results_are_on_the_tape_to_any_order():
    x = torch.tensor([0.2, -0.4], dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(func.grad(f), [x])
    assert torch.autograd.gradgradcheck(func.grad(f), [x])
    assert torch.autograd.gradcheck(func.vmap(torch.exp), [x])
    assert not func.grad(f)(x.detach()).requires_grad
    with torch.no_grad():
        assert not func.grad(f)(x).requires_grad


def test_jvp_refuses_what_does_not_fit():
    x = torch.ones(2)
    with pytest.raises(RuntimeError, match="primals to be a non-empty tuple"):
        func.jvp(f, x, x)
    with pytest.raises(RuntimeError, match="same python structure"):
        func.jvp(f, (x,), (x, x))
    with pytest.raises(RuntimeError, match="output of function f should be a tuple"):
        func.jvp(f, (x,), (x,), has_aux=True)
    _, pull = func.vjp(lambda x: (x, x), x)
    with pytest.raises(RuntimeError, match="Expected pytree structure of cotangents"):
        pull(x)


def test_writes_to_tensors_from_outside_are_forgotten():
    total = torch.zeros(3)
    part = total[1:]

    def counting(x):
        total.add_(x)
        part.mul_(2)
        return (total * part.sum()).sum()

    x = torch.ones(3)
    found = func.grad(counting)(x)
    # total is x0, 2 x1, 2 x2
    assert found.tolist() == [4.0, 18.0, 18.0]
    assert total.tolist() == [0.0] * 3 and part.tolist() == [0.0] * 2
    assert type(total._data) is np.ndarray is type(part._data)
    part.add_(1)
    assert total.tolist() == [0.0, 1.0, 1.0] and not total.requires_grad


def test_the_tape_outside_does_not_see_writes_inside():
    w = torch.ones(2)
    x = torch.ones(2, requires_grad=True)
    loss = (x * w).sum()
    func.grad(lambda y: (w.mul_(5) * y).sum())(torch.ones(2))
    loss.backward()
    assert x.grad.tolist() == [1.0, 1.0]


def test_batch_normalization_in_training_leaves_no_tracers_behind():
    bn = torch.nn.BatchNorm1d(2)
    weights = {name: p.detach() for name, p in bn.named_parameters()}
    x = torch.randn(5, 2)
    func.grad(lambda w: func.functional_call(bn, w, x).pow(3).sum())(weights)
    assert bn.running_mean.tolist() == [0.0, 0.0] and bn.num_batches_tracked.item() == 0
    assert type(bn.running_mean._data) is np.ndarray


def test_random_fills_inside_are_those_outside():
    def noisy(x):
        return (x * torch.empty(3).normal_() + torch.empty(3).uniform_(1, 2)).sum()

    torch.manual_seed(0)
    found = func.grad(noisy)(torch.ones(3))
    torch.manual_seed(0)
    assert torch.equal(found, torch.empty(3).normal_())
