"""Worker processes of a `DataLoader`: each fetches batches, the loader puts them in order.

A worker gets indices by a queue of its own, and answers through one queue for all. A few batches
are asked for ahead; the next one is asked for when one is taken. An exception in a worker is raised
in the process of the loader, with the worker's traceback in its message.
Read next: `fnx_nn.optim`.
"""

from __future__ import annotations

import itertools
import multiprocessing
import queue
import random
import traceback
import weakref
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from fnx_nn.tensor.random import default_generator
from fnx_nn.utils.data.datasets import IterableDataset
from fnx_nn.utils.data.fetching import fetcher_of

__all__ = ["WorkerInfo", "WorkerPool", "get_worker_info"]

_CHECK_SECONDS = 5.0  # how often somebody who waits looks whether the other side is alive


@dataclass(frozen=True, slots=True)
class WorkerInfo:
    """What code in a worker process can ask about it.

    Parameters
    ----------
    id : int
        The worker's number.
    num_workers : int
        How many there are.
    seed : int
        What its generators started from.
    dataset : Dataset
        Its copy of the data set.
    """

    id: int
    num_workers: int
    seed: int
    dataset: Any


#: Set once in a worker process, before it runs anything of the user's.
_worker_info: list[WorkerInfo | None] = [None]


def get_worker_info() -> WorkerInfo | None:
    """About the worker process that this code runs in; None in any other process.

    Examples
    --------
    >>> get_worker_info() is None
    True
    """
    return _worker_info[0]


@dataclass(frozen=True, slots=True)
class _Failure:
    """An exception on its way between processes: its type, and its text there."""

    kind: type[BaseException]
    text: str
    worker: int

    @classmethod
    def of(cls, error: BaseException, worker: int) -> _Failure:
        return cls(type(error), "".join(traceback.format_exception(error)), worker)

    def reraise(self) -> None:
        message = (
            f"Caught {self.kind.__name__} in DataLoader worker process {self.worker}.\n"
            f"Original {self.text}"
        )
        try:
            error = self.kind(message)
        except Exception:  # the type wants other arguments
            error = RuntimeError(message)
        raise error


class _End:
    """Says that an iterable data set has no more samples in this worker."""


class _Again:
    """Asks a worker to begin the data set anew."""


@dataclass(frozen=True, slots=True)
class _Job:
    """What a worker has to do.

    Parameters
    ----------
    fetcher : tuple
        Arguments of `fetcher_of`.
    base_seed : int
        From the loader's generator.
    init : callable, optional
        The user's, called with the worker's number.
    worker, workers : int
        Which of how many.
    """

    fetcher: tuple[Any, ...]
    base_seed: int
    init: Callable[[int], Any] | None
    worker: int
    workers: int


def _seed_generators(job: _Job) -> int:
    seed = job.base_seed + job.worker
    random.seed(seed)
    default_generator.manual_seed(seed)
    np.random.seed(_numpy_state(job.base_seed, job.worker))
    return seed


def _numpy_state(base_seed: int, worker: int) -> np.ndarray[Any, Any]:
    """Four words for NumPy's generator, as different for neighbouring workers as any."""
    mask = (1 << 32) - 1
    entropy = [worker, base_seed & mask, base_seed >> 32, 0]
    return np.random.SeedSequence(entropy).generate_state(4)


def _work(job: _Job, indices: Any, answers: Any) -> None:
    """What runs in a worker process, until it is sent None or the loader's process is gone."""
    parent = multiprocessing.parent_process()
    dataset = job.fetcher[0]
    _worker_info[0] = WorkerInfo(job.worker, job.workers, _seed_generators(job), dataset)
    fetcher: Any = None
    failed: _Failure | None = None
    try:
        if job.init is not None:
            job.init(job.worker)
        fetcher = fetcher_of(*job.fetcher)
    except Exception as error:
        failed = _Failure.of(error, job.worker)
    while True:
        try:
            order = indices.get(timeout=_CHECK_SECONDS)
        except queue.Empty:
            if parent is not None and not parent.is_alive():
                return
            continue
        except (EOFError, OSError, KeyboardInterrupt):
            return
        if order is None:
            answers.cancel_join_thread()  # nobody reads what may still be in the pipe
            return
        place, index = order
        if isinstance(index, _Again):
            fetcher = fetcher_of(*job.fetcher)
            continue
        answers.put((place, job.worker, failed or _fetched(fetcher, index, job)))
        failed = None


def _fetched(fetcher: Any, index: Any, job: _Job) -> Any:
    try:
        return fetcher.fetch(index)
    except StopIteration as error:
        is_end = isinstance(job.fetcher[0], IterableDataset)
        return _End() if is_end else _Failure.of(error, job.worker)
    except Exception as error:
        return _Failure.of(error, job.worker)


class WorkerPool:
    """Worker processes, and the batches that are on their way from them.

    Parameters
    ----------
    loader : DataLoader
        Whose batches they fetch.
    base_seed : int
        From the loader's generator.
    """

    def __init__(self, loader: Any, base_seed: int) -> None:
        context = loader.multiprocessing_context or multiprocessing
        count = loader.num_workers
        self.timeout = loader.timeout
        self.in_order = loader.in_order
        self.persistent = loader.persistent_workers
        self.places = 0  # in the order of the batches, over all passes
        self.ahead = loader.prefetch_factor * count
        self.is_iterable = isinstance(loader.dataset, IterableDataset)
        self.answers = context.Queue()
        self.queues, self.processes = [], []
        fetcher = (loader.dataset, loader._auto_collation, loader.collate_fn, loader.drop_last)
        for k in range(count):
            indices = context.Queue()
            indices.cancel_join_thread()
            job = _Job(fetcher, base_seed, loader.worker_init_fn, k, count)
            process = context.Process(target=_work, args=(job, indices, self.answers), daemon=True)
            process.start()
            self.queues.append(indices)
            self.processes.append(process)
        # Ends the workers when the pool is dropped, and at exit.
        self.close = weakref.finalize(self, _end, self.queues, self.processes, self.answers)

    def batches(self, numbers: Iterator[Any], again: bool) -> Iterator[Any]:
        """The batches of one pass over the data.

        Parameters
        ----------
        numbers : iterator
            Indices, from a sampler.
        again : bool
            Whether a pass went before.
        """
        if again:
            for indices in self.queues:
                indices.put((-1, _Again()))
        open_workers = set(range(len(self.processes)))
        turns = itertools.cycle(sorted(open_workers))
        waiting: dict[int, int] = {}  # place: worker
        arrived: dict[int, Any] = {}

        def ask() -> None:
            if not open_workers:
                return
            try:
                index = next(numbers)
            except StopIteration:
                return
            worker = next(k for k in turns if k in open_workers)
            waiting[self.places] = worker
            self.queues[worker].put((self.places, index))
            self.places += 1

        following = self.places
        for _ in range(self.ahead):
            ask()
        try:
            while waiting or arrived:
                if following in arrived:
                    answer = arrived.pop(following)
                elif self.in_order and following not in waiting:
                    following += 1  # its worker had come to its end
                    continue
                else:
                    place, answer = self._next_answer(waiting)
                    if isinstance(answer, _End):
                        open_workers.discard(waiting.pop(place))
                        ask()
                        continue
                    waiting.pop(place)
                    if self.in_order and place != following:
                        arrived[place] = answer
                        continue
                following += 1
                ask()
                if isinstance(answer, _Failure):
                    answer.reraise()
                yield answer
        finally:
            if self.persistent:
                self._drop(waiting)

    def _next_answer(self, waiting: dict[int, int]) -> tuple[int, Any]:
        while True:
            try:
                place, _, answer = self.answers.get(timeout=self.timeout or _CHECK_SECONDS)
            except queue.Empty:
                if self.timeout:
                    raise RuntimeError(
                        f"DataLoader timed out after {self.timeout} seconds"
                    ) from None
                self._check_alive(waiting)
                continue
            if place in waiting:
                return place, answer

    def _check_alive(self, waiting: dict[int, int]) -> None:
        gone = {k for k in waiting.values() if not self.processes[k].is_alive()}
        if gone:
            pids = ", ".join(str(self.processes[k].pid) for k in sorted(gone))
            raise RuntimeError(f"DataLoader worker (pid(s) {pids}) exited unexpectedly")

    def _drop(self, waiting: dict[int, int]) -> None:
        """Take answers that nobody wants any more out of the queue."""
        while waiting and self.close.alive:
            try:
                place, _, _ = self.answers.get(timeout=self.timeout or _CHECK_SECONDS)
            except queue.Empty:
                return
            waiting.pop(place, None)


def _end(queues: list[Any], processes: list[Any], answers: Any) -> None:
    """Tell workers to end, and end those that do not listen."""
    for indices, process in zip(queues, processes):
        if process.is_alive():
            indices.put(None)
    for process in processes:
        process.join(_CHECK_SECONDS)
        if process.is_alive():
            process.terminate()
            process.join()
    for channel in (*queues, answers):
        channel.cancel_join_thread()
        channel.close()
