"""Dropout: what is dropped comes from the default generator, and the mean stays."""

from __future__ import annotations

import numpy as np
import pytest

import fnx_nn as torch
import fnx_nn.nn.functional as F
from fnx_nn.random_fill import bernoulli_


def _drawn(shape, keep, dtype=np.float32):
    """The mask that the default generator gives after the seed 7."""
    mask = np.empty(shape, dtype)
    bernoulli_(mask, torch.Generator().manual_seed(7), keep)
    return mask


@pytest.mark.parametrize("p", [0.1, 0.5, 0.9])
def test_elements(p):
    x = torch.arange(1.0, 121.0).reshape(2, 3, 20)
    torch.manual_seed(7)
    got = F.dropout(x, p).numpy()
    np.testing.assert_array_equal(got, x.numpy() * (_drawn((2, 3, 20), 1 - p) / np.float32(1 - p)))


@pytest.mark.parametrize(
    ("function", "shape", "mask"),
    [
        (F.dropout1d, (4, 5, 3), (4, 5, 1)),
        (F.dropout1d, (5, 3), (5, 1)),
        (F.dropout2d, (4, 5, 3, 2), (4, 5, 1, 1)),
        (F.dropout3d, (4, 5, 3, 2, 2), (4, 5, 1, 1, 1)),
        (F.dropout3d, (5, 3, 2, 2), (5, 1, 1, 1)),
    ],
)
def test_channels(function, shape, mask):
    torch.manual_seed(7)
    got = function(torch.ones(shape), 0.4).numpy()
    np.testing.assert_array_equal(
        got, np.ones(shape, np.float32) * (_drawn(mask, 0.6) / np.float32(0.6))
    )


def test_alpha_dropout_keeps_mean_and_variance():
    torch.manual_seed(0)
    x = torch.randn(50_000, dtype=torch.float64)
    out = F.alpha_dropout(x, 0.3, training=True)
    assert abs(out.mean().item()) < 0.02
    assert abs(out.var().item() - 1) < 0.03
    dropped = out.numpy()[_alpha_mask(x) == 0]
    np.testing.assert_allclose(dropped, dropped[0], rtol=1e-14)


def _alpha_mask(x):
    torch.manual_seed(0)
    torch.randn(x.shape, dtype=torch.float64)
    mask = np.empty(x.shape)
    bernoulli_(mask, torch.default_generator, 0.7)
    return mask


def test_feature_alpha_dropout_takes_whole_channels():
    torch.manual_seed(7)
    out = F.feature_alpha_dropout(torch.zeros(3, 4, 5), 0.5, training=True).numpy()
    assert (out == out[:, :, :1]).all()
    assert len(np.unique(out)) == 2


def test_in_place_and_gradient():
    torch.manual_seed(7)
    x = torch.ones(50)
    out = F.dropout(x, 0.5, inplace=True)
    assert out is x
    torch.manual_seed(7)
    y = torch.ones(50, requires_grad=True)
    F.dropout(y, 0.5).sum().backward()
    np.testing.assert_array_equal(y.grad.numpy(), x.numpy())
    x.zero_()
    assert F.alpha_dropout(x, 0.5, training=True, inplace=True) is x


def test_nothing_in_evaluation():
    layer = torch.nn.Sequential(torch.nn.Dropout(0.9), torch.nn.Dropout2d(0.9)).eval()
    x = torch.ones(2, 3, 2, 2)
    state = torch.get_rng_state()
    assert layer(x) is x
    assert (torch.get_rng_state() == state).all()
