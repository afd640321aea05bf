"""Data sets: what they hold, and how they say what is wrong."""

from __future__ import annotations

import pytest

import fnx_nn as torch
from fnx_nn.utils.data import (
    ChainDataset,
    ConcatDataset,
    Dataset,
    IterableDataset,
    StackDataset,
    Subset,
    TensorDataset,
    random_split,
)


class Letters(Dataset):
    """Letters by number; counts how often several are fetched at once."""

    def __init__(self, letters):
        self.letters = letters
        self.fetched = 0

    def __getitem__(self, index):
        return self.letters[index]

    def __getitems__(self, indices):
        self.fetched += 1
        return [self.letters[k] for k in indices]

    def __len__(self):
        return len(self.letters)


class Count(IterableDataset):
    """Numbers below three."""

    def __iter__(self):
        return iter(range(3))

    def __len__(self):
        return 3


def test_a_dataset_must_give_samples():
    with pytest.raises(NotImplementedError, match="should implement __getitem__"):
        Dataset()[0]


def test_tensors_of_different_lengths():
    with pytest.raises(AssertionError, match=r"Size mismatch between tensors: .*\[3, 2\]"):
        TensorDataset(torch.zeros(3), torch.zeros(2))


def test_tensor_samples_are_views():
    x = torch.zeros(3)
    TensorDataset(x)[1][0].fill_(5.0)
    assert x.tolist() == [0.0, 5.0, 0.0]


def test_concatenation():
    both = Letters("ab") + Letters("cde")
    assert isinstance(both, ConcatDataset)
    assert [both[k] for k in range(5)] == list("abcde")
    assert both[-5] == "a" and both.cumulative_sizes == [2, 5]
    with pytest.raises(ValueError, match="absolute value of index"):
        both[-6]
    with pytest.raises(AssertionError, match="should not be an empty iterable"):
        ConcatDataset([])
    with pytest.raises(AssertionError, match="does not support IterableDataset"):
        ConcatDataset([Count()])


def test_chains():
    chain = Count() + Count()
    assert isinstance(chain, ChainDataset)
    assert list(chain) == [0, 1, 2, 0, 1, 2] and len(chain) == 6
    with pytest.raises(AssertionError, match="only supports IterableDataset"):
        list(ChainDataset([Letters("a")]))


def test_stacks():
    left, right = Letters("abc"), Letters("xyz")
    assert StackDataset(left, right)[1] == ("b", "y")
    named = StackDataset(left=left, right=list("xyz"))
    samples = named.__getitems__([2, 0])
    assert samples == [{"left": "c", "right": "z"}, {"left": "a", "right": "x"}]
    assert left.fetched == 1 and len(named) == 3
    with pytest.raises(ValueError, match="Size mismatch"):
        StackDataset(left, Letters("a"))
    with pytest.raises(ValueError, match="both types are given"):
        StackDataset(left, right=right)
    with pytest.raises(ValueError, match="At least one"):
        StackDataset()


def test_subsets_fetch_at_once():
    letters = Letters("abcd")
    part = Subset(Subset(letters, [3, 2, 1]), [0, 2])
    assert part.__getitems__([0, 1]) == ["d", "b"] and letters.fetched == 1
    assert part[1] == "b" and len(part) == 2


def test_a_subset_that_overrides_one_method_only():
    class Upper(Subset):
        def __getitem__(self, idx):
            return super().__getitem__(idx).upper()

    with pytest.raises(NotImplementedError, match="Upper overrides __getitem__ but not"):
        Upper(Letters("ab"), [0])


def test_splits_share_nothing():
    parts = random_split(range(100), [0.5, 0.25, 0.25])
    together = sorted(k for part in parts for k in part.indices)
    assert together == list(range(100)) and [len(part) for part in parts] == [50, 25, 25]
    with pytest.raises(ValueError, match="Sum of input lengths"):
        random_split(range(10), [3, 3])
    with pytest.raises(ValueError, match="Fraction at index 0"):
        random_split(range(10), [-0.5, 1.5])
    with pytest.warns(UserWarning, match="Length of split at index 1 is 0"):
        random_split(range(1), [0.5, 0.5])
