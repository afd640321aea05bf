"""`Embedding`, `EmbeddingBag`: the table, what is written to it, and what is not there."""

from __future__ import annotations

import numpy as np
import pytest

import fnx_nn as torch
from fnx_nn import nn


def test_padding_begins_with_zeros_and_stays():
    layer = nn.Embedding(4, 3, padding_idx=-2)
    assert layer.padding_idx == 2
    assert layer.weight[2].tolist() == [0, 0, 0]
    layer(torch.tensor([2, 2, 1])).sum().backward()
    assert layer.weight.grad.tolist() == [[0] * 3, [1] * 3, [0] * 3, [0] * 3]


def test_long_vectors_are_shortened_in_place():
    table = torch.tensor([[3.0, 4.0], [0.3, 0.4], [6.0, 8.0]])
    layer = nn.Embedding.from_pretrained(table, max_norm=1.0)
    before = layer.weight._version
    out = layer(torch.tensor([0, 1, 0]))
    np.testing.assert_allclose(out.numpy(), [[0.6, 0.8], [0.3, 0.4], [0.6, 0.8]], rtol=1e-6)
    np.testing.assert_allclose(table[0].numpy(), [0.6, 0.8], rtol=1e-6)
    assert table[2].tolist() == [6, 8]  # it was not looked up
    assert layer.weight._version > before
    assert not layer.weight.requires_grad


def test_a_table_of_a_wrong_shape():
    with pytest.raises(AssertionError, match="does not match num_embeddings"):
        nn.Embedding(3, 2, _weight=torch.zeros(2, 3))
    with pytest.raises(AssertionError, match="2-dimensional"):
        nn.Embedding.from_pretrained(torch.zeros(3))


def test_sparse_gradients_are_refused():
    with pytest.raises(NotImplementedError, match="sparse=False"):
        nn.Embedding(3, 2, sparse=True)
    with pytest.raises(NotImplementedError, match="sparse=False"):
        nn.functional.embedding(torch.tensor([0]), torch.zeros(3, 2), sparse=True)


def test_bags_are_made_of_rows():
    torch.manual_seed(0)
    table, numbers = torch.randn(6, 3, dtype=torch.float64), torch.tensor([1, 5, 0, 1, 3])
    begins = torch.tensor([0, 2, 2])
    rows = table[numbers]
    for mode, reduce in (
        ("sum", lambda part: part.sum(0)),
        ("mean", lambda part: part.mean(0)),
        ("max", lambda part: part.max(0).values),
    ):
        found = nn.functional.embedding_bag(numbers, table, begins, mode=mode)
        want = torch.stack([reduce(rows[:2]), torch.zeros_like(rows[0]), reduce(rows[2:])])
        np.testing.assert_allclose(found.numpy(), want.numpy(), rtol=1e-14)


def test_the_first_of_equal_maxima_gets_the_gradient_and_nan_is_seen():
    table = torch.tensor([[1.0, 2.0], [3.0, 2.0], [3.0, torch.nan]], requires_grad=True)
    out = nn.functional.embedding_bag(torch.tensor([[0, 1, 2]]), table, mode="max")
    assert out[0, 0] == 3 and out[0, 1].isnan()
    out[0, 0].backward()
    assert table.grad.tolist() == [[0, 0], [1, 0], [0, 0]]


def test_wrong_bags_are_refused():
    table, numbers = torch.zeros(3, 2), torch.tensor([0, 1])
    with pytest.raises(RuntimeError, match="must not decrease"):
        nn.functional.embedding_bag(numbers, table, torch.tensor([0, 2, 1]))
    with pytest.raises(RuntimeError, match="offsets.0. has to be 0"):
        nn.functional.embedding_bag(numbers, table, torch.tensor([1]))
    with pytest.raises(ValueError, match="one element more than there are bags"):
        nn.functional.embedding_bag(numbers, table, torch.tensor([0]), include_last_offset=True)
    with pytest.raises(NotImplementedError, match="sparse=False"):
        nn.functional.embedding_bag(numbers[None], table, sparse=True)
    with pytest.raises(NotImplementedError, match="sparse=False"):
        nn.EmbeddingBag(3, 2, sparse=True)
    with pytest.raises(AssertionError, match="does not match num_embeddings"):
        nn.EmbeddingBag(3, 2, _weight=torch.zeros(2, 3))
    with pytest.raises(AssertionError, match="2-dimensional"):
        nn.EmbeddingBag.from_pretrained(torch.zeros(3))
    assert nn.functional.embedding_bag(numbers, table, numbers[:0]).shape == (0, 2)


def test_the_padding_of_bags_begins_with_zeros():
    layer = nn.EmbeddingBag(4, 3, padding_idx=-2, mode="sum")
    assert layer.weight[2].tolist() == [0, 0, 0]
    layer(torch.tensor([[2, 2, 1]])).sum().backward()
    assert layer.weight.grad.tolist() == [[0] * 3, [1] * 3, [0] * 3, [0] * 3]
