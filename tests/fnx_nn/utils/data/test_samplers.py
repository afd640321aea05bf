"""Samplers: lengths, fresh orders, and what they refuse. Their orders: test_against_torch."""

from __future__ import annotations

import pytest

import fnx_nn as torch
from fnx_nn.utils.data import (
    BatchSampler,
    DistributedSampler,
    RandomSampler,
    Sampler,
    SequentialSampler,
    SubsetRandomSampler,
    WeightedRandomSampler,
)


def test_lengths():
    assert len(SequentialSampler(range(5))) == 5
    assert len(RandomSampler(range(5), num_samples=3)) == 3
    assert len(SubsetRandomSampler([1, 2])) == 2
    assert len(WeightedRandomSampler([1.0, 2.0], 7)) == 7
    for drop, count in ((True, 2), (False, 3)):
        batches = BatchSampler(range(8), 3, drop)
        assert len(batches) == len(list(batches)) == count


def test_orders_are_permutations_and_new():
    sampler = RandomSampler(range(50), generator=torch.Generator().manual_seed(0))
    first, second = list(sampler), list(sampler)
    assert sorted(first) == sorted(second) == list(range(50)) and first != second


def test_weights_may_be_a_tensor():
    sampler = WeightedRandomSampler(torch.tensor([0.0, 3.0, 0.0]), 4)
    assert list(sampler) == [1, 1, 1, 1]
    assert sampler.weights.dtype == torch.float64


def test_shares_cover_everything():
    shares = [list(DistributedSampler(range(10), 3, rank)) for rank in range(3)]
    assert {k for share in shares for k in share} == set(range(10))
    assert [len(share) for share in shares] == [4, 4, 4]


@pytest.mark.parametrize(
    ("make", "kind", "words"),
    [
        (lambda: RandomSampler(range(3), replacement=1), TypeError, "replacement should be a bool"),
        (lambda: RandomSampler([]), ValueError, "num_samples should be a positive"),
        (lambda: RandomSampler(range(3), num_samples=0), ValueError, "num_samples=0"),
        (lambda: WeightedRandomSampler([1.0], True), ValueError, "num_samples=True"),
        (lambda: WeightedRandomSampler([1.0], 1, "no"), ValueError, "replacement=no"),
        (lambda: WeightedRandomSampler([[1.0]], 1), ValueError, r"shape \(1, 1\)"),
        (lambda: BatchSampler([], 0, False), ValueError, "batch_size=0"),
        (lambda: BatchSampler([], 1, None), ValueError, "drop_last=None"),
        (lambda: DistributedSampler([1]), RuntimeError, "num_replicas=.* and rank="),
        (lambda: DistributedSampler([1], 2, 2), ValueError, r"Invalid rank 2, .*\[0, 1\]"),
        (lambda: iter(Sampler()), NotImplementedError, "implement __iter__"),
    ],
)
def test_refusals(make, kind, words):
    with pytest.raises(kind, match=words):
        make()
