"""Trials of data sets, samplers and loaders that run on fnx_nn as on PyTorch.

Each function of `TRIALS` takes the library and gives plain JSON; `make_torch_data_references.py`
stores what it gives with PyTorch.
"""

from __future__ import annotations

from collections import namedtuple
from pathlib import Path
from typing import Any

import numpy as np

STORED = Path(__file__).resolve().parents[1] / "fnx_nn" / "data" / "torch_data.json"

Pair = namedtuple("Pair", "x y")


def seeded(lib: Any, seed: int) -> Any:
    """A generator."""
    return lib.Generator().manual_seed(seed)


def shown(value: Any) -> Any:
    """A batch as JSON: tensors with dtype and contents, containers with their type."""
    if hasattr(value, "detach"):
        return [str(value.dtype), list(value.shape), value.reshape(-1).tolist()]
    if isinstance(value, dict):
        return {k: shown(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [type(value).__name__, *[shown(v) for v in value]]
    return f"bytes {value.decode()}" if isinstance(value, bytes) else value


def samplers(lib: Any) -> Any:
    data = lib.utils.data
    lib.manual_seed(11)
    unseeded = data.RandomSampler(range(9))
    weights = [0.1, 0.4, 0.0, 2.0, 1.0]
    return {
        "random": [list(unseeded), list(unseeded)],
        "seeded": list(data.RandomSampler(range(40), generator=seeded(lib, 3))),
        "more": list(data.RandomSampler(range(4), num_samples=10, generator=seeded(lib, 4))),
        "replacement": list(
            data.RandomSampler(range(9), True, num_samples=70, generator=seeded(lib, 5))
        ),
        "after": lib.randint(1000, (3,)).tolist(),
        "subset": list(data.SubsetRandomSampler([5, 3, 8, 1], generator=seeded(lib, 6))),
        "weighted": list(data.WeightedRandomSampler(weights, 12, generator=seeded(lib, 7))),
        "weighted once": list(
            data.WeightedRandomSampler(weights, 3, False, generator=seeded(lib, 8))
        ),
        "batches": list(data.BatchSampler(data.SequentialSampler(range(7)), 3, False)),
        "whole batches": list(data.BatchSampler(data.SequentialSampler(range(7)), 3, True)),
    }


def distributed(lib: Any) -> Any:
    found = {}
    for drop in (False, True):
        for shuffle in (False, True):
            for count in (3, 11):
                for rank in range(4):
                    sampler = lib.utils.data.DistributedSampler(
                        range(count), 4, rank, shuffle=shuffle, seed=2, drop_last=drop
                    )
                    sampler.set_epoch(1)
                    found[f"{drop} {shuffle} {count} {rank}"] = [len(sampler), *sampler]
    return found


def splits(lib: Any) -> Any:
    split = lib.utils.data.random_split
    lib.manual_seed(12)
    parts = [
        *split(range(10), [3, 7]),
        *split(range(11), [0.3, 0.3, 0.4], seeded(lib, 1)),
    ]
    return [list(part.indices) for part in parts]


def collated(lib: Any) -> Any:
    collate, convert = lib.utils.data.default_collate, lib.utils.data.default_convert
    samples = [
        {
            "tensor": lib.tensor([1.0, k]),
            "array": np.array([k, 2], np.int16),
            "scalar": np.float32(k),
            "float": 0.5 * k,
            "int": k,
            "bool": k > 1,
            "text": f"t{k}",
            "tuple": (k, [k, 1.5]),
            "pair": Pair(k, {"deep": k}),
        }
        for k in range(3)
    ]
    sample = [np.ones(2, np.float32), (1, np.int64(3)), Pair("a", np.array(2.0)), {"k": b"x"}]
    return {"batch": shown(collate(samples)), "sample": shown(convert(sample))}


def loaders(lib: Any) -> Any:
    data = lib.utils.data
    tensors = data.TensorDataset(lib.arange(10.0), lib.arange(10) * 3)

    class Count(data.IterableDataset):
        def __iter__(self) -> Any:
            return iter(range(7))

    def epochs(count: int = 1, **options: Any) -> Any:
        loader = data.DataLoader(tensors, **options)
        return [[shown(batch) for batch in loader] for _ in range(count)]

    lib.manual_seed(13)
    found = {
        "shuffled": epochs(2, batch_size=4, shuffle=True),
        "after": lib.randint(1000, (3,)).tolist(),
        "seeded": epochs(2, batch_size=3, shuffle=True, drop_last=True, generator=seeded(lib, 2)),
        "sampler": epochs(sampler=data.SubsetRandomSampler([1, 5, 7], seeded(lib, 3))),
        "batch sampler": epochs(batch_sampler=[[1, 2], [9], [0, 3, 4]]),
        "single": epochs(batch_size=None),
        "own collate": epochs(batch_size=6, collate_fn=lambda batch: len(batch)),
        "iterable": [shown(b) for b in data.DataLoader(Count(), batch_size=3)],
        "iterable whole": [shown(b) for b in data.DataLoader(Count(), 3, drop_last=True)],
        "iterable single": [shown(b) for b in data.DataLoader(Count(), batch_size=None)],
        "chain": list(Count() + Count()),
    }
    parts = data.ConcatDataset([tensors, data.Subset(tensors, [4, 2])])
    found["concatenated"] = [len(parts), shown(parts[11]), shown(parts[-12])]
    stacked = data.StackDataset(tensors, data.Subset(tensors, list(range(9, -1, -1))))
    found["stacked"] = shown(next(iter(data.DataLoader(stacked, 2))))
    return found


def worker_orders(lib: Any) -> Any:
    """What two workers give; in their random numbers the seeds of the workers show."""
    data = lib.utils.data

    class Drawn(data.Dataset):
        def __getitem__(self, index: int) -> Any:
            info = data.get_worker_info()
            return index, info.id, lib.rand(1), float(np.random.rand())

        def __len__(self) -> int:
            return 7

    class Shared(data.IterableDataset):
        def __iter__(self) -> Any:
            info = data.get_worker_info()
            return iter(range(info.id, 11, info.num_workers))

    workers = {"num_workers": 2, "multiprocessing_context": "fork"}
    lib.manual_seed(14)
    loader = data.DataLoader(Drawn(), 2, shuffle=True, **workers)
    shared = data.DataLoader(Shared(), 2, **workers)
    return [shown(batch) for batch in loader], [shown(batch) for batch in shared]


TRIALS = {f.__name__: f for f in (samplers, distributed, splits, collated, loaders, worker_orders)}
