"""`DataLoader`: batches of a data set, in the order of a sampler, in this process or by workers.

With the same seeds the batches are PyTorch's: an iteration draws one seed for the workers when it
begins, and the sampler draws when the first batch is asked for.
Read next: `fetching`, `workers`.
"""

from __future__ import annotations

import itertools
import math
import multiprocessing
import multiprocessing.context
import os
import warnings
from collections.abc import Callable, Iterator
from typing import Any, Generic, TypeVar

from fnx_nn.utils.data.collating import default_collate, default_convert
from fnx_nn.utils.data.datasets import IterableDataset
from fnx_nn.utils.data.fetching import fetcher_of
from fnx_nn.utils.data.samplers import (
    BatchSampler,
    RandomSampler,
    Sampler,
    SequentialSampler,
    random_seed,
)
from fnx_nn.utils.data.workers import WorkerPool

__all__ = ["DataLoader"]

Sample = TypeVar("Sample", covariant=True)

#: Attributes that decide what a loader is.
_FIXED = (
    "batch_size",
    "batch_sampler",
    "sampler",
    "drop_last",
    "dataset",
    "persistent_workers",
)


class _Endless(Sampler[None]):
    """Gives None for ever: iterable data sets have their own order."""

    def __iter__(self) -> Iterator[None]:
        return itertools.repeat(None)


class DataLoader(Generic[Sample]):
    """Batches of a data set.

    Parameters
    ----------
    dataset : Dataset
        Samples by number, or one after another.
    batch_size : int, optional
        Samples in a batch; None gives single samples.
    shuffle : bool, optional
        Whether the order is random, and new each time.
    sampler : Sampler or iterable, optional
        Gives the order in place of `shuffle`.
    batch_sampler : Sampler or iterable, optional
        Gives lists of numbers, in place of the four.
    num_workers : int
        Processes that fetch; 0 fetches in this one.
    collate_fn : callable, optional
        From a list of samples to a batch; `default_collate` if left out.
    pin_memory : bool
        For accelerators; there is none, so it does nothing but warn.
    drop_last : bool
        Whether a last batch that is not full is left out.
    timeout : float
        Seconds to wait for a batch of a worker; 0 waits for ever.
    worker_init_fn : callable, optional
        Called in each worker with its number.
    multiprocessing_context : str or context, optional
        How workers are started.
    generator : Generator, optional
        Where random orders and the workers' seeds come from.
    prefetch_factor : int, optional
        Batches that each worker fetches ahead; 2 if left out.
    persistent_workers : bool
        Whether workers go on for the next iteration.
    pin_memory_device : str
        Accepted, without effect.
    in_order : bool
        Whether batches come in the order of the sampler, rather than as they are ready.

    Examples
    --------
    >>> import fnx_nn as torch
    >>> for batch in DataLoader(torch.arange(5), batch_size=2):
    ...     print(batch)
    tensor([0, 1])
    tensor([2, 3])
    tensor([4])
    """

    _initialized = False

    def __init__(
        self,
        dataset: Any,
        batch_size: int | None = 1,
        shuffle: bool | None = None,
        sampler: Any = None,
        batch_sampler: Any = None,
        num_workers: int = 0,
        collate_fn: Callable[[Any], Any] | None = None,
        pin_memory: bool = False,
        drop_last: bool = False,
        timeout: float = 0,
        worker_init_fn: Callable[[int], Any] | None = None,
        multiprocessing_context: Any = None,
        generator: Any = None,
        *,
        prefetch_factor: int | None = None,
        persistent_workers: bool = False,
        pin_memory_device: str = "",
        in_order: bool = True,
    ) -> None:
        _check_workers(num_workers, timeout, prefetch_factor, persistent_workers)
        is_iterable = isinstance(dataset, IterableDataset)
        if is_iterable:
            _check_iterable(shuffle, sampler, batch_sampler)
        if sampler is not None and shuffle:
            raise ValueError("sampler option is mutually exclusive with shuffle")
        if batch_sampler is not None:
            if batch_size != 1 or shuffle or sampler is not None or drop_last:
                raise ValueError(
                    "batch_sampler option is mutually exclusive with batch_size, shuffle, sampler, "
                    "and drop_last"
                )
            batch_size = None
        elif batch_size is None and drop_last:
            raise ValueError(
                "batch_size=None option disables auto-batching and is mutually exclusive with "
                "drop_last"
            )
        if sampler is None:
            if is_iterable:
                sampler = _Endless()
            elif shuffle:
                sampler = RandomSampler(dataset, generator=generator)
            else:
                sampler = SequentialSampler(dataset)
        if batch_size is not None:
            batch_sampler = BatchSampler(sampler, batch_size, drop_last)
        self.dataset = dataset
        self.num_workers = num_workers
        self.prefetch_factor = 2 if num_workers > 0 and prefetch_factor is None else prefetch_factor
        self.pin_memory = pin_memory
        self.pin_memory_device = pin_memory_device
        self.timeout = timeout
        self.worker_init_fn = worker_init_fn
        self.multiprocessing_context = _context(multiprocessing_context, num_workers)
        self.in_order = in_order
        self.batch_size = batch_size
        self.drop_last = drop_last
        self.sampler = sampler
        self.batch_sampler = batch_sampler
        self.generator = generator
        if collate_fn is None:
            collate_fn = default_collate if self._auto_collation else default_convert
        self.collate_fn = collate_fn
        self.persistent_workers = persistent_workers
        self._promised: int | None = None
        self._pool: WorkerPool | None = None
        self._initialized = True
        _warn_of_many_workers(num_workers)

    def __setattr__(self, name: str, value: Any) -> None:
        if self._initialized and name in _FIXED:
            raise ValueError(
                f"{name} attribute should not be set after {type(self).__name__} is initialized"
            )
        super().__setattr__(name, value)

    @property
    def _auto_collation(self) -> bool:
        return self.batch_sampler is not None

    @property
    def _index_sampler(self) -> Any:
        return self.batch_sampler if self._auto_collation else self.sampler

    def __iter__(self) -> Iterator[Any]:
        if self.pin_memory:
            warnings.warn(
                "'pin_memory' argument is set as true but no accelerator is found, then device "
                "pinned memory won't be used.",
                stacklevel=2,
            )
        numbers = iter(self._index_sampler)
        if self.num_workers:
            batches = self._by_workers(numbers)
        else:
            random_seed(self.generator)  # what workers would start from
            if self.timeout:
                raise AssertionError(
                    "DataLoader: timeout counts with num_workers > 0 only; got "
                    f"timeout={self.timeout} and num_workers=0"
                )
            batches = self._in_this_process(numbers)
        if isinstance(self.dataset, IterableDataset):
            return self._watched(batches)
        return batches

    def _in_this_process(self, numbers: Iterator[Any]) -> Iterator[Any]:
        fetcher = fetcher_of(self.dataset, self._auto_collation, self.collate_fn, self.drop_last)
        return _fetched(fetcher, numbers)

    def _by_workers(self, numbers: Iterator[Any]) -> Iterator[Any]:
        pool = self._pool
        again = pool is not None
        if pool is None:
            pool = WorkerPool(self, random_seed(self.generator))
            if self.persistent_workers:
                self._pool = pool
        return _from_pool(pool, numbers, again, self.persistent_workers)

    def _watched(self, batches: Iterator[Any]) -> Iterator[Any]:
        """The batches; with a warning if they are more than ``len(loader)`` said."""
        for count, batch in enumerate(batches, 1):
            if self._promised is not None and count > self._promised:
                warnings.warn(
                    f"Length of IterableDataset {self.dataset} was reported to be "
                    f"{self._promised}(when accessing len(dataloader)), but {count} samples have "
                    "been fetched. ",
                    stacklevel=2,
                )
            yield batch

    def __len__(self) -> int:
        if not isinstance(self.dataset, IterableDataset):
            return len(self._index_sampler)
        length = self._promised = len(self.dataset)  # type: ignore[arg-type]
        if self.batch_size is None:
            return length
        return length // self.batch_size if self.drop_last else math.ceil(length / self.batch_size)


def _fetched(fetcher: Any, numbers: Iterator[Any]) -> Iterator[Any]:
    for index in numbers:
        try:
            batch = fetcher.fetch(index)
        except StopIteration:
            return
        yield batch


def _from_pool(
    pool: WorkerPool, numbers: Iterator[Any], again: bool, persistent: bool
) -> Iterator[Any]:
    try:
        yield from pool.batches(numbers, again)
    finally:
        if not persistent:
            pool.close()


def _check_workers(
    num_workers: int, timeout: float, prefetch_factor: int | None, persistent_workers: bool
) -> None:
    if num_workers < 0:
        raise ValueError(
            "num_workers option should be non-negative; use num_workers=0 to disable "
            "multiprocessing."
        )
    if timeout < 0:
        raise ValueError("timeout option should be non-negative")
    if num_workers == 0 and prefetch_factor is not None:
        raise ValueError(
            "prefetch_factor option could only be specified in multiprocessing.let num_workers > 0 "
            "to enable multiprocessing, otherwise set prefetch_factor to None."
        )
    if prefetch_factor is not None and prefetch_factor < 1:
        raise ValueError(f"prefetch_factor option should be positive, got {prefetch_factor}")
    if persistent_workers and num_workers == 0:
        raise ValueError("persistent_workers option needs num_workers > 0")


def _check_iterable(shuffle: Any, sampler: Any, batch_sampler: Any) -> None:
    given = {"shuffle": shuffle or None, "sampler": sampler, "batch_sampler": batch_sampler}
    for name, value in given.items():
        if value is not None:
            raise ValueError(
                f"DataLoader with IterableDataset: expected unspecified {name} option, but got "
                f"{name}={value}"
            )


def _context(context: Any, num_workers: int) -> Any:
    if context is None:
        return None
    if num_workers == 0:
        raise ValueError(
            "multiprocessing_context can only be used with multi-process loading (num_workers > 0),"
            f" but got num_workers={num_workers}"
        )
    if isinstance(context, str):
        known = multiprocessing.get_all_start_methods()
        if context not in known:
            raise ValueError(
                "multiprocessing_context option should specify a valid start method in "
                f"{known!r}, but got multiprocessing_context={context!r}"
            )
        return multiprocessing.get_context(context)
    if not isinstance(context, multiprocessing.context.BaseContext):
        raise TypeError(
            "multiprocessing_context option should be a valid context object or a string "
            f"specifying the start method, but got multiprocessing_context={context}"
        )
    return context


def _warn_of_many_workers(num_workers: int) -> None:
    has_affinity = hasattr(os, "sched_getaffinity")
    processors = len(os.sched_getaffinity(0)) if has_affinity else os.cpu_count() or 1
    if num_workers > processors:
        warnings.warn(
            f"This DataLoader will create {num_workers} worker processes in total. Our suggested "
            f"max number of worker in current system is {processors}, which is smaller than what "
            "this DataLoader is going to create. Please be aware that excessive worker creation "
            "might get DataLoader running slow or even freeze, lower the worker number to avoid "
            "potential slowness/freeze if necessary.",
            stacklevel=3,
        )
