"""`Embedding`: its table, what is written to it, and what is not there."""

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
