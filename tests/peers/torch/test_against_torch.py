"""The same lines run by fnx_nn and by PyTorch: tensors, the tape, layers, optimizers, generators.

`make test-peers` runs this in the environment that has torch.
"""

from __future__ import annotations

import numpy as np
import pytest
import torch

import fnx_nn

pytestmark = pytest.mark.peers


def both(program, *arguments, tolerance=1e-12):
    """Run program(library, *arguments) on both sides and compare the listed results."""
    ours, theirs = program(fnx_nn, *arguments), program(torch, *arguments)
    assert len(ours) == len(theirs)
    for mine, other in zip(ours, theirs, strict=True):
        mine, other = mine.detach().numpy(), other.detach().numpy()
        assert (mine.dtype, mine.shape) == (other.dtype, other.shape)
        np.testing.assert_allclose(mine, other, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("name", "exp tanh sin relu sigmoid abs sqrt log".split())
def test_values_and_gradients(name, rng):
    x = rng.uniform(0.1, 2.0, (3, 4))

    def program(lib):
        leaf = lib.tensor(x, requires_grad=True)
        y = getattr(lib, name)(leaf)
        y.sum().backward()
        return y, leaf.grad

    both(program)


def test_second_derivatives(rng):
    x = rng.standard_normal(5)

    def program(lib):
        leaf = lib.tensor(x, requires_grad=True)
        y = (lib.tanh(leaf) * lib.exp(-leaf * leaf)).sum()
        (first,) = lib.autograd.grad(y, leaf, create_graph=True)
        (second,) = lib.autograd.grad((first * first).sum(), leaf)
        return first, second

    both(program)


def test_views_share_what_is_written(rng):
    x = rng.standard_normal((3, 4))

    def program(lib):
        base = lib.tensor(x)
        view = base[1].reshape(2, 2)
        view.mul_(2.0)
        base.t()[0].zero_()
        return base, view

    both(program)


@pytest.mark.parametrize("seed", [0, 42])
@pytest.mark.parametrize("size", [3, 15, 16, 37])
def test_generators(seed, size):
    def program(lib):
        lib.manual_seed(seed)
        return lib.rand(size), lib.randn(size), lib.randint(0, 10, (size,)), lib.randperm(size)

    both(program, tolerance=1e-6)


OPTIMIZERS = {
    "SGD": {"lr": 0.1, "momentum": 0.9, "nesterov": True},
    "Adam": {"lr": 0.05},
    "LBFGS": {"lr": 0.5},
}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_training(name, rng):
    x, y = rng.standard_normal((8, 4)), rng.standard_normal((8, 2))

    def program(lib):
        nn = lib.nn
        lib.manual_seed(0)
        model = nn.Sequential(nn.Linear(4, 5), nn.Tanh(), nn.Linear(5, 2)).to(lib.float64)
        inputs, targets = lib.tensor(x), lib.tensor(y)
        optimizer = getattr(lib.optim, name)(model.parameters(), **OPTIMIZERS[name])

        def closure():
            optimizer.zero_grad()
            loss = nn.functional.mse_loss(model(inputs), targets)
            loss.backward()
            return loss

        for _ in range(3):
            optimizer.step(closure)
        return [*model.state_dict().values()]

    both(program, tolerance=1e-6)
