"""`DataLoader` in one process: options that exclude each other, lengths, iterable data sets."""

from __future__ import annotations

import pytest

import fnx_nn as torch
from fnx_nn.utils.data import DataLoader, IterableDataset, TensorDataset


class Count(IterableDataset):
    """Numbers below a bound, which may be misreported."""

    def __init__(self, bound, reported=None):
        self.bound = bound
        self.reported = bound if reported is None else reported

    def __iter__(self):
        return iter(range(self.bound))

    def __len__(self):
        return self.reported


DATA = range(7)


def test_lengths():
    assert len(DataLoader(DATA, 3)) == 3
    assert len(DataLoader(DATA, 3, drop_last=True)) == 2
    assert len(DataLoader(DATA, batch_size=None)) == 7
    assert len(DataLoader(DATA, batch_sampler=[[0], [1]])) == 2
    assert len(DataLoader(Count(7), 3)) == 3
    assert len(DataLoader(Count(7), 3, drop_last=True)) == 2
    assert len(DataLoader(Count(7), batch_size=None)) == 7


def test_two_iterations_at_once():
    loader = DataLoader(DATA, 2)
    first, second = iter(loader), iter(loader)
    assert next(first).tolist() == next(second).tolist() == [0, 1]
    assert next(first).tolist() == [2, 3]


def test_an_iterable_that_gives_more_than_it_said():
    loader = DataLoader(Count(3, reported=2), batch_size=None)
    assert len(loader) == 2
    with pytest.warns(UserWarning, match="was reported to be 2.*but 3 samples"):
        assert list(loader) == [0, 1, 2]


def test_what_makes_it_is_fixed():
    loader = DataLoader(DATA)
    with pytest.raises(ValueError, match="batch_size attribute should not be set after DataLoader"):
        loader.batch_size = 3
    loader.collate_fn = sum
    assert list(loader) == list(DATA)


def test_errors_of_the_dataset_come_through():
    with pytest.raises(IndexError):
        list(DataLoader(DATA, sampler=[3, 9]))


def test_pinned_memory_is_accepted():
    with pytest.warns(UserWarning, match="no accelerator is found"):
        assert len(list(DataLoader(DATA, pin_memory=True))) == 7


def test_samples_keep_their_history():
    x = torch.ones(4, requires_grad=True)
    for (batch,) in DataLoader(TensorDataset(x), 2):
        batch.sum().backward()
    assert x.grad.tolist() == [1.0] * 4


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"num_workers": -1}, "num_workers option should be non-negative"),
        ({"timeout": -1}, "timeout option should be non-negative"),
        ({"prefetch_factor": 2}, "prefetch_factor option could only be specified"),
        ({"num_workers": 1, "prefetch_factor": 0}, "prefetch_factor option should be positive"),
        ({"persistent_workers": True}, "persistent_workers option needs num_workers > 0"),
        ({"sampler": [1], "shuffle": True}, "mutually exclusive with shuffle"),
        ({"batch_sampler": [[1]], "batch_size": 2}, "batch_sampler option is mutually exclusive"),
        ({"batch_sampler": [[1]], "drop_last": True}, "batch_sampler option is mutually"),
        ({"batch_size": None, "drop_last": True}, "disables auto-batching"),
        ({"batch_size": 0}, "batch_size=0"),
        ({"multiprocessing_context": "fork"}, "can only be used with multi-process loading"),
        ({"num_workers": 1, "multiprocessing_context": "x"}, "valid start method"),
    ],
)
def test_refusals(options, words):
    with pytest.raises(ValueError, match=words):
        DataLoader(DATA, **options)


@pytest.mark.parametrize("options", [{"shuffle": True}, {"sampler": [1]}, {"batch_sampler": [[1]]}])
def test_iterables_have_their_own_order(options):
    (name,) = options
    with pytest.raises(ValueError, match=f"expected unspecified {name} option"):
        DataLoader(Count(3), **options)


def test_timeouts_are_for_workers():
    with pytest.raises(AssertionError, match="num_workers > 0 only"):
        iter(DataLoader(DATA, timeout=1))


def test_a_context_must_be_one():
    with pytest.raises(TypeError, match="valid context object"):
        DataLoader(DATA, num_workers=1, multiprocessing_context=3)
