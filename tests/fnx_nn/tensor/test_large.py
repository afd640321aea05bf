"""Large tensors: compiled programs give what small ones give, forward, backward and in place."""

from __future__ import annotations

import numpy as np
import pytest

import fnx_nn as torch
from fnx.extend.programs import HEAVY

ROWS = HEAVY // 128

FUNCTIONS = {
    "sigmoid": lambda x, b: (x + b).sigmoid(),
    "chain": lambda x, b: torch.tanh(x * b) ** 2 - x.exp(),
    "where": lambda x, b: torch.where(x > b, x, b * 2),
    "mean": lambda x, b: (x * b).mean(0),
    "norm": lambda x, b: (x - b).norm(dim=1),
    "clamp": lambda x, b: (x * b).clamp(-0.5, 0.5),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_large_agrees_with_small(name, rng):
    function = FUNCTIONS[name]
    data, bias = rng.standard_normal((ROWS, 128)), rng.standard_normal(128)

    def run(rows):
        x = torch.from_numpy(rows.copy()).requires_grad_()
        b = torch.from_numpy(bias.copy()).requires_grad_()
        out = function(x, b)
        scaled = out if name != "mean" else out * len(rows)
        scaled.sum().backward()
        return out.detach().numpy(), x.grad.numpy(), b.grad.numpy()

    large = run(data)
    parts = [run(data[k : k + 64]) for k in range(0, ROWS, 64)]
    if name == "mean":
        np.testing.assert_allclose(
            large[0], np.mean([p[0] for p in parts], 0), rtol=1e-10, atol=1e-13
        )
    else:
        np.testing.assert_allclose(
            large[0], np.concatenate([p[0] for p in parts]), rtol=1e-12, atol=1e-14
        )
    np.testing.assert_allclose(
        large[1], np.concatenate([p[1] for p in parts]), rtol=1e-11, atol=1e-13
    )
    np.testing.assert_allclose(large[2], np.sum([p[2] for p in parts], 0), rtol=1e-9, atol=1e-9)


def test_large_in_place(rng):
    data = rng.standard_normal(HEAVY).astype(np.float32)
    x = torch.from_numpy(data.copy())
    y = x.numpy()
    x.mul_(2).add_(torch.ones(HEAVY), alpha=3).clamp_(-1, 4)
    want = np.clip(data * np.float32(2) + np.float32(3), -1, 4)
    np.testing.assert_allclose(y, want, rtol=1e-6)
    assert x._version == 3


def test_strided_operands(rng):
    data = rng.standard_normal((256, HEAVY // 128))
    x = torch.from_numpy(data)
    np.testing.assert_allclose(
        (x.t()[:, ::2] * 2).exp().numpy(), np.exp(data.T[:, ::2] * 2), rtol=1e-14
    )
