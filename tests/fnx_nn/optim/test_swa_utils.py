"""Averaged models, their statistics and SWALR (whose numbers are in test_against_torch)."""

from __future__ import annotations

import copy

import numpy as np
import pytest

import fnx_nn as torch
from fnx_nn.nn.module import Module
from fnx_nn.nn.normalization import BatchNorm1d
from fnx_nn.nn.parameter import Parameter
from fnx_nn.optim import SGD
from fnx_nn.optim.swa_utils import (
    SWALR,
    AveragedModel,
    get_ema_avg_fn,
    get_ema_multi_avg_fn,
    get_swa_avg_fn,
    get_swa_multi_avg_fn,
    update_bn,
)


class Scaled(Module):
    """Two parameters and a buffer."""

    def __init__(self):
        super().__init__()
        self.weight = Parameter(torch.zeros(2, dtype=torch.float64))
        self.shift = Parameter(torch.zeros(1))
        self.register_buffer("seen", torch.zeros(1))

    def forward(self, x):
        return x * self.weight


def train(averaged, model, values):
    for value in values:
        with torch.no_grad():
            model.weight.fill_(value)
            model.seen.fill_(10 * value)
        averaged.update_parameters(model)


VALUES = [1.0, 2.0, 6.0, 3.0]
MEAN = np.mean(VALUES)
MOVING = 0.75 * (0.75 * (0.75 * 1.0 + 0.25 * 2.0) + 0.25 * 6.0) + 0.25 * 3.0


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, MEAN),
        ({"avg_fn": get_swa_avg_fn()}, MEAN),
        ({"multi_avg_fn": get_swa_multi_avg_fn()}, MEAN),
        ({"avg_fn": get_ema_avg_fn(0.75)}, MOVING),
        ({"multi_avg_fn": get_ema_multi_avg_fn(0.75)}, MOVING),
        ({"avg_fn": lambda average, param, count: average * 2}, 8.0),
    ],
)
def test_averages(options, expected):
    model = Scaled()
    averaged = AveragedModel(model, **options)
    train(averaged, model, VALUES)
    assert averaged.module.weight.tolist() == pytest.approx([expected] * 2)
    assert averaged.n_averaged.item() == 4 and averaged.module.seen.item() == 30.0
    assert averaged(torch.ones(2, dtype=torch.float64)).tolist() == pytest.approx([expected] * 2)
    assert model.weight.tolist() == [3.0, 3.0]


def test_buffers_can_be_averaged():
    model = Scaled()
    averaged = AveragedModel(model, use_buffers=True)
    train(averaged, model, VALUES)
    assert averaged.module.seen.item() == pytest.approx(10 * MEAN)


def test_an_average_is_a_module_with_a_state():
    model = Scaled()
    averaged = AveragedModel(model)
    train(averaged, model, VALUES)
    other = AveragedModel(Scaled())
    other.load_state_dict(copy.deepcopy(averaged.state_dict()))
    train(other, model, [5.0])
    assert other.module.weight.tolist() == pytest.approx([np.mean([*VALUES, 5.0])] * 2)


def test_statistics_are_the_mean_over_the_batches():
    layer = BatchNorm1d(3, momentum=0.3)
    layer.eval()
    batches = [torch.randn(4, 3) * k for k in (1.0, 2.0, 5.0)]
    update_bn([[b, "label"] for b in batches], layer)
    means = np.stack([b.mean(0).numpy() for b in batches])
    np.testing.assert_allclose(layer.running_mean.numpy(), means.mean(0), rtol=1e-5)
    assert layer.momentum == 0.3 and not layer.training


def test_models_without_statistics_are_not_run():
    update_bn([None], Scaled())


def test_refusals():
    for make in (get_ema_avg_fn, get_ema_multi_avg_fn):
        with pytest.raises(ValueError, match="Invalid decay value 2"):
            make(2)
    step = get_swa_avg_fn()
    with pytest.raises(AssertionError, match="Only one of avg_fn and multi_avg_fn"):
        AveragedModel(Scaled(), avg_fn=step, multi_avg_fn=get_swa_multi_avg_fn())
    optimizer = SGD([torch.zeros(1, requires_grad=True)])
    with pytest.raises(ValueError, match="'cos' or 'linear', instead got x"):
        SWALR(optimizer, 0.1, anneal_strategy="x")
    with pytest.raises(ValueError, match="anneal_epochs must be equal or greater than 0, got -1"):
        SWALR(optimizer, 0.1, -1)
    with pytest.raises(ValueError, match="swa_lr has 2 values"):
        SWALR(optimizer, [0.1, 0.2])
