"""Layers of normalisation: running statistics, old state dicts, evaluation."""

from __future__ import annotations

import numpy as np
import pytest

import fnx_nn as torch
from fnx_nn import nn


def test_running_statistics_follow_the_batches(rng):
    batches = rng.standard_normal((3, 5, 2, 4)) * 2 + 1
    layer = nn.BatchNorm1d(2, dtype=torch.float64)
    mean, variance = np.zeros(2), np.ones(2)
    for batch in batches:
        layer(torch.tensor(batch))
        mean = 0.9 * mean + 0.1 * batch.mean((0, 2))
        flat = batch.transpose(1, 0, 2).reshape(2, -1)
        variance = 0.9 * variance + 0.1 * flat.var(1, ddof=1)
    np.testing.assert_allclose(layer.running_mean.numpy(), mean, rtol=1e-12)
    np.testing.assert_allclose(layer.running_var.numpy(), variance, rtol=1e-12)
    assert layer.num_batches_tracked.item() == 3

    out = layer.eval()(torch.tensor(batches[0]))
    shape = (1, 2, 1)
    want = (batches[0] - mean.reshape(shape)) / np.sqrt(variance.reshape(shape) + 1e-5)
    np.testing.assert_allclose(out.detach().numpy(), want, rtol=1e-11)
    assert layer.num_batches_tracked.item() == 3


def test_without_momentum_they_are_means(rng):
    batches = rng.standard_normal((4, 6, 3))
    layer = nn.BatchNorm1d(3, momentum=None, dtype=torch.float64)
    for batch in batches:
        layer(torch.tensor(batch))
    np.testing.assert_allclose(
        layer.running_mean.numpy(), batches.mean((0, 1)), rtol=1e-12, atol=1e-15
    )
    layer.reset_running_stats()
    assert layer.num_batches_tracked.item() == 0
    assert layer.running_var.tolist() == [1, 1, 1]


def test_statistics_are_no_part_of_the_graph(rng):
    layer = nn.BatchNorm2d(2)
    x = torch.tensor(rng.standard_normal((3, 2, 4, 4)), dtype=torch.float32, requires_grad=True)
    for _ in range(2):
        (layer(x) ** 3).sum().backward()
    assert not layer.running_mean.requires_grad
    assert layer.running_mean.grad_fn is None


def test_state_of_a_version_without_a_count():
    layer = nn.BatchNorm1d(2)
    state = layer.state_dict()
    del state["num_batches_tracked"]
    state._metadata[""].pop("version", None)
    layer.load_state_dict(state)
    state = nn.BatchNorm1d(2).state_dict()
    del state["num_batches_tracked"]
    with pytest.raises(RuntimeError, match="num_batches_tracked"):
        layer.load_state_dict(state)


def test_instance_norm_warns_of_another_number_of_channels():
    layer = nn.InstanceNorm1d(3)
    with pytest.warns(UserWarning, match="does not match num_features"):
        layer(torch.randn(2, 4, 5))
    with pytest.raises(ValueError, match=r"expected input's size at dim=1 to match num_features"):
        nn.InstanceNorm1d(3, affine=True)(torch.randn(2, 4, 5))


def test_a_new_batch_size_needs_no_new_options(rng):
    layer = nn.BatchNorm1d(3).eval()
    whole = torch.tensor(rng.standard_normal((8, 3)), dtype=torch.float32)
    parts = torch.cat([layer(whole[:3]), layer(whole[3:])])
    np.testing.assert_allclose(layer(whole).detach().numpy(), parts.detach().numpy(), rtol=1e-6)
