"""`save` and `load`: tensors in containers, shared memory, parameters of dtypes and shapes."""

from __future__ import annotations

import io
from collections import OrderedDict

import numpy as np
import pytest

import fnx_nn as torch


def _round_trip(value):
    file = io.BytesIO()
    torch.save(value, file)
    file.seek(0)
    return torch.load(file)


@pytest.mark.parametrize(
    "dtype",
    [
        torch.float32,
        torch.float64,
        torch.float16,
        torch.bfloat16,
        torch.int64,
        torch.bool,
        torch.complex64,
    ],
)
def test_tensors(dtype):
    x = torch.tensor([[0, 1], [2, 3]]).to(dtype)
    got = _round_trip(x)
    assert got.dtype == dtype and torch.equal(got, x)


def test_checkpoints():
    saved = {
        "model": OrderedDict(weight=torch.ones(2, 3), bias=torch.zeros(3)),
        "epoch": 7,
        "lr": [0.1, 0.01],
        "shape": torch.Size([2, 3]),
        "dtype": torch.float32,
        "name": "net",
    }
    got = _round_trip(saved)
    assert list(got) == list(saved)
    assert isinstance(got["model"], OrderedDict)
    assert torch.equal(got["model"]["weight"], torch.ones(2, 3))
    assert got["epoch"] == 7 and got["lr"] == [0.1, 0.01] and got["name"] == "net"
    assert got["shape"] == torch.Size([2, 3]) and isinstance(got["shape"], torch.Size)
    assert got["dtype"] is torch.float32


def test_views_go_on_sharing_memory():
    x = torch.arange(6.0).view(2, 3)
    a, b = _round_trip([x, x.t()])
    a[0, 1] = 100
    assert b[1, 0] == 100 and b.stride() == (1, 3)


def test_requires_grad_is_kept_and_history_is_not_needed():
    x = torch.ones(2, requires_grad=True)
    got = _round_trip({"x": x, "y": x.detach()})
    assert got["x"].requires_grad and not got["y"].requires_grad


def test_nothing_runs_on_load(tmp_path):
    path = tmp_path / "x.pt"
    torch.save(torch.ones(1), path)
    with pytest.raises(RuntimeError, match="weights_only=False would run code"):
        torch.load(path, weights_only=False)
    with pytest.raises(TypeError):
        torch.save({"f": lambda: 0}, path)
    assert torch.load(path).tolist() == [1]  # the old file is still whole


def test_noncontiguous_memory():
    a = np.asfortranarray(np.arange(6.0).reshape(2, 3))
    assert torch.equal(_round_trip(torch.from_numpy(a)), torch.from_numpy(a))
