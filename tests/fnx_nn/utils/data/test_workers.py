"""`DataLoader` with worker processes: order, errors, ends. Worker seeds: test_against_torch."""

from __future__ import annotations

import os
import time

import pytest

import fnx_nn as torch
from fnx_nn.utils.data import DataLoader, Dataset, IterableDataset, get_worker_info

# From Python 3.12 on a fork beside other threads warns; the pool's threads end before it.
pytestmark = pytest.mark.filterwarnings("ignore:This process.*fork:DeprecationWarning")

FORK = {"multiprocessing_context": "fork"}


class Slow(Dataset):
    """The first samples take longest."""

    def __getitem__(self, index):
        time.sleep(0.05 if index == 0 else 0.0)
        return index, os.getpid()

    def __len__(self):
        return 8


class Failing(Dataset):
    """Fails, or ends its process, at one sample."""

    def __init__(self, error):
        self.error = error

    def __getitem__(self, index):
        if index == 2:
            if self.error is None:
                os._exit(1)
            raise self.error
        return index

    def __len__(self):
        return 4


class TwoArguments(Exception):
    """Cannot be made from a message alone."""

    def __init__(self, first, second):
        super().__init__(first, second)


def test_batches_keep_their_order_and_come_from_workers():
    batches = list(DataLoader(Slow(), 2, num_workers=2, **FORK))
    assert [b[0].tolist() for b in batches] == [[0, 1], [2, 3], [4, 5], [6, 7]]
    processes = {pid for b in batches for pid in b[1].tolist()}
    assert len(processes) == 2 and os.getpid() not in processes


def test_out_of_order_nothing_is_lost():
    loader = DataLoader(Slow(), 2, num_workers=2, in_order=False, **FORK)
    assert sorted(k for b in loader for k in b[0].tolist()) == list(range(8))


def test_workers_that_stay():
    loader = DataLoader(Slow(), 4, num_workers=1, persistent_workers=True, **FORK)
    first = list(loader)
    for batch in loader:  # leave it before its end
        assert batch[0].tolist() == [0, 1, 2, 3]
        break
    last = list(loader)
    assert first[0][1].tolist() == last[0][1].tolist()
    assert [b[0].tolist() for b in last] == [[0, 1, 2, 3], [4, 5, 6, 7]]


def test_a_loop_that_is_left_ends_its_workers():
    loader = DataLoader(Slow(), 1, num_workers=1, **FORK)
    batches = iter(loader)
    pid = next(batches)[1].item()
    batches.close()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


@pytest.mark.parametrize(
    ("error", "kind"),
    [(KeyError("gone"), KeyError), (TwoArguments(1, 2), RuntimeError)],
)
def test_errors_come_with_the_workers_traceback(error, kind):
    loader = DataLoader(Failing(error), num_workers=1, **FORK)
    words = f"Caught {type(error).__name__} in DataLoader worker process 0"
    with pytest.raises(kind, match=words) as caught:
        list(loader)
    assert "raise self.error" in str(caught.value)


def test_a_worker_that_dies(monkeypatch):
    monkeypatch.setattr("fnx_nn.utils.data.workers._CHECK_SECONDS", 0.1)
    with pytest.raises(RuntimeError, match=r"DataLoader worker \(pid\(s\) \d+\) exited"):
        list(DataLoader(Failing(None), num_workers=1, **FORK))


def test_timeouts():
    loader = DataLoader(Slow(), num_workers=1, timeout=0.001, **FORK)
    with pytest.raises(RuntimeError, match=r"timed out after 0\.001 seconds"):
        list(loader)


def test_the_function_that_prepares_a_worker():
    class Prepared(IterableDataset):
        offset = 0

        def __iter__(self):
            return iter([self.offset + get_worker_info().id])

    def prepare(worker):
        get_worker_info().dataset.offset = 10

    loader = DataLoader(Prepared(), num_workers=2, worker_init_fn=prepare, **FORK)
    assert sorted(b.item() for b in loader) == [10, 11]
    assert get_worker_info() is None

    def fail(worker):
        raise ValueError("not ready")

    with pytest.raises(ValueError, match="not ready"):
        list(DataLoader(Prepared(), num_workers=1, worker_init_fn=fail, **FORK))


def test_large_batches_pass():
    x = torch.arange(200_000.0).reshape(2, -1)
    batches = list(DataLoader(x, num_workers=1, **FORK))
    assert all((b[0] == row).all() for b, row in zip(batches, x, strict=True))


def test_many_workers_are_noticed():
    count = 10_000
    with pytest.warns(UserWarning, match=f"will create {count} worker processes"):
        DataLoader(range(3), num_workers=count)
