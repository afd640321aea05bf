"""Collation of containers, of types of users, and of what cannot be a batch."""

from __future__ import annotations

from collections import OrderedDict, defaultdict

import numpy as np
import pytest

import fnx_nn as torch
from fnx_nn.utils.data import default_collate, default_convert


def test_types_of_containers_stay():
    batch = default_collate([OrderedDict(a=1, b=[2.0]), OrderedDict(a=3, b=[4.0])])
    assert type(batch) is OrderedDict and type(batch["b"]) is list
    assert batch["a"].tolist() == [1, 3] and batch["b"][0].dtype == torch.float64
    counts = defaultdict(int, x=1)
    made = default_convert(counts)
    assert type(made) is defaultdict and made.default_factory is int and made is not counts


def test_a_type_that_cannot_be_made_anew():
    class Odd(dict):
        def __init__(self, size):
            super().__init__(size=size)

        def __copy__(self):
            raise TypeError("no copies")

    assert default_collate([Odd(1), Odd(2)])["size"].tolist() == [1, 2]


def test_gradients_pass():
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    batch = default_collate([x, x * 2])
    batch.sum().backward()
    assert x.grad.tolist() == [3.0, 3.0]


def test_converted_arrays_share_memory():
    array = np.zeros(2)
    default_convert([array])[0].fill_(3.0)
    assert array.tolist() == [3.0, 3.0]


@pytest.mark.parametrize(
    ("batch", "kind", "words"),
    [
        ([object()], TypeError, "must contain tensors, numpy arrays.*found <class 'object'>"),
        ([np.array(["a"])], TypeError, "found <U1"),
        ([[1], [1, 2]], RuntimeError, "should be of equal size"),
    ],
)
def test_refusals(batch, kind, words):
    with pytest.raises(kind, match=words):
        default_collate(batch)


def test_text_arrays_stay():
    text = np.array(["a"])
    assert default_convert(text) is text
