"""From numbers to batches: samples are fetched and collated, in this process or in a worker.

Read next: `workers`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from fnx_nn.utils.data.datasets import IterableDataset, fetch_all

__all__ = ["Fetcher", "fetcher_of"]


class Fetcher:
    """Fetches samples by number, and collates them.

    Parameters
    ----------
    dataset : Dataset
        From where.
    batched : bool
        Whether an index is a list of numbers.
    collate : callable
        From samples to a batch; from a sample to what is given where nothing is batched.
    drop_last : bool
        For iterable data sets: whether a last batch that is not full is left out.
    """

    def __init__(
        self, dataset: Any, batched: bool, collate: Callable[[Any], Any], drop_last: bool
    ) -> None:
        self.dataset = dataset
        self.batched = batched
        self.collate = collate
        self.drop_last = drop_last

    def fetch(self, index: Any) -> Any:
        """The batch, or the sample, for an index.

        Parameters
        ----------
        index : list or int
            From a sampler.
        """
        samples = fetch_all(self.dataset, index) if self.batched else self.dataset[index]
        return self.collate(samples)


class IterableFetcher(Fetcher):
    """Fetches the next samples, as many as the index has places.

    Parameters
    ----------
    dataset, batched, collate, drop_last
        See `Fetcher`.
    """

    def __init__(
        self, dataset: Any, batched: bool, collate: Callable[[Any], Any], drop_last: bool
    ) -> None:
        super().__init__(dataset, batched, collate, drop_last)
        self.samples: Iterator[Any] | None = iter(dataset)

    def fetch(self, index: Any) -> Any:
        """The next batch, or sample.

        Parameters
        ----------
        index : list or None
            Its length counts.

        Raises
        ------
        StopIteration
            There are no more.
        """
        if self.samples is None:
            raise StopIteration
        if not self.batched:
            return self.collate(next(self.samples))
        samples = []
        for _ in index:
            try:
                samples.append(next(self.samples))
            except StopIteration:
                self.samples = None
                break
        if not samples or (self.drop_last and len(samples) < len(index)):
            raise StopIteration
        return self.collate(samples)


def fetcher_of(
    dataset: Any, batched: bool, collate: Callable[[Any], Any], drop_last: bool
) -> Fetcher:
    """What fetches from a data set.

    Parameters
    ----------
    dataset, batched, collate, drop_last
        See `Fetcher`.
    """
    kind = IterableFetcher if isinstance(dataset, IterableDataset) else Fetcher
    return kind(dataset, batched, collate, drop_last)
