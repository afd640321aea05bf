"""vmap of functions of tensors: randomness, chunks, and what it refuses."""

from __future__ import annotations

import pytest

import fnx_nn as torch
from fnx_nn import func, nn


@pytest.mark.parametrize("chunk_size", [1, 2, 3, 7])
def test_chunks_make_no_difference(chunk_size):
    x = torch.arange(12.0).reshape(3, 4)
    whole = func.vmap(lambda c: (c.cumsum(0), c.sum()), in_dims=1, out_dims=(1, 0))
    cut = func.vmap(
        lambda c: (c.cumsum(0), c.sum()), in_dims=1, out_dims=(1, 0), chunk_size=chunk_size
    )
    for a, b in zip(whole(x), cut(x), strict=True):
        assert torch.equal(a, b)


def test_randomness_is_refused_shared_or_drawn_for_each():
    def noisy(x):
        return x + torch.rand(2)

    x = torch.zeros(4, 2)
    torch.manual_seed(0)
    before = torch.get_rng_state()
    with pytest.raises(RuntimeError, match="randomness error mode"):
        func.vmap(noisy)(x)
    assert torch.equal(torch.get_rng_state(), before)
    same = func.vmap(noisy, randomness="same")(x)
    assert all(torch.equal(row, same[0]) for row in same)
    torch.manual_seed(0)
    different = func.vmap(noisy, randomness="different")(x)
    torch.manual_seed(0)
    assert torch.equal(different, torch.stack([torch.rand(2) for _ in range(4)]))


def test_wrong_dimensions_are_refused():
    x = torch.ones(3)
    cases = [
        (lambda: func.vmap(torch.exp, in_dims=None)(x), ValueError, "expected `in_dims` to be int"),
        (lambda: func.vmap(torch.exp)(), ValueError, "got no inputs"),
        (lambda: func.vmap(torch.exp, in_dims=(None,))(x), ValueError, "at least one dimension"),
        (lambda: func.vmap(torch.exp, in_dims=(0, 0))(x), ValueError, "not compatible"),
        (lambda: func.vmap(torch.exp, in_dims=("a",))(x), ValueError, "not compatible"),
        (lambda: func.vmap(torch.exp, out_dims=3)(x), IndexError, "out_dims=3 is out of range"),
    ]
    for call, error, words in cases:
        with pytest.raises(error, match=words):
            call()


def test_batch_normalization_without_statistics_takes_part():
    net = nn.Sequential(nn.Conv2d(1, 2, 1), nn.BatchNorm2d(2), nn.Sequential(nn.BatchNorm1d(3)))
    assert func.replace_all_batch_norm_modules_(net) is net
    assert list(net.state_dict()) == [
        "0.weight", "0.bias", "1.weight", "1.bias", "2.0.weight", "2.0.bias",
    ]  # fmt: skip
    assert not net[1].track_running_stats and net[2][0].running_var is None
    x = torch.randn(5, 3, 1, 2, 2)
    found = func.vmap(net[:2])(x)
    for part, out in zip(x, found, strict=True):
        assert (net[:2](part) - out).abs().max().item() < 1e-5
