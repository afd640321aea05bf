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
