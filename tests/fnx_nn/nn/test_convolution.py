"""Layers of convolution: their default weights, their options, and the kernels that they run."""

from __future__ import annotations

import copy
import re

import numpy as np
import pytest

import fnx_nn as torch
from fnx.kernels import conv
from fnx_nn import nn


def test_default_weights_are_drawn_as_uniform_numbers():
    torch.manual_seed(5)
    layer = nn.Conv2d(4, 6, 3, groups=2)
    torch.manual_seed(5)
    bound = float(np.sqrt(np.float64(3)) * (np.sqrt(2 / (1 + 5)) / np.sqrt(2 * 9)))
    want = torch.empty(6, 2, 3, 3).uniform_(-bound, bound)
    np.testing.assert_array_equal(layer.weight.detach().numpy(), want.numpy())
    want = torch.empty(6).uniform_(-1 / 18**0.5, 1 / 18**0.5)
    np.testing.assert_array_equal(layer.bias.detach().numpy(), want.numpy())


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"padding": "some"}, "Invalid padding string 'some', should be one of {'same', 'valid'}"),
        ({"padding_mode": "some"}, "but got padding_mode='some'"),
        ({"stride": (1, 2, 3)}, "stride must either be a single int, or a tuple of two ints"),
    ],
)
def test_wrong_options(options, words):
    with pytest.raises((ValueError, RuntimeError), match=re.escape(words)):
        nn.Conv2d(4, 4, 3, **options)


def test_state_and_copies():
    layer = nn.Conv2d(2, 3, 3)
    other = nn.Conv2d(2, 3, 3)
    other.load_state_dict(layer.state_dict())
    x = torch.randn(1, 2, 5, 5)
    assert torch.equal(layer(x), other(x))
    assert torch.equal(copy.deepcopy(layer)(x), layer(x))
    assert layer.double()(x.double()).dtype == torch.float64


def test_large_convolutions_run_as_kernels(monkeypatch, rng):
    chosen = []
    choose = conv.choose

    def noted(*args, **options):
        found = choose(*args, **options)
        chosen.append(found)
        return found

    monkeypatch.setattr(conv, "choose", noted)
    # A shape that nothing else has, so that its plan is not made yet.
    x = torch.tensor(rng.standard_normal((1, 33, 37, 41)), dtype=torch.float32)
    layer = nn.Conv2d(33, 35, 3, padding=1)
    x.requires_grad_()
    out = layer(x)
    (out * out).sum().backward()
    assert sorted(chosen) == ["winograd", "winograd", "winograd_gradient"]

    exact = nn.Conv2d(33, 35, 3, padding=1).double()
    exact.load_state_dict(layer.state_dict())
    y = x.detach().double().requires_grad_()
    want = exact(y)
    (want * want).sum().backward()
    for got, reference in (
        (out, want),
        (x.grad, y.grad),
        (layer.weight.grad, exact.weight.grad),
    ):
        scale = float(reference.abs().max())
        difference = (got.double() - reference).abs().max()
        assert float(difference) < 2e-5 * scale
