"""Samplers: the order in which the samples of a data set are taken.

With the same seed the orders are PyTorch's.
Read next: `collating`.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence, Sized
from typing import Any, Generic, TypeVar

import numpy as np

from fnx_nn import random_choice, random_fill
from fnx_nn.generator import Generator
from fnx_nn.tensor.random import default_generator
from fnx_nn.tensor.tensor import Tensor, wrap

__all__ = [
    "BatchSampler",
    "DistributedSampler",
    "RandomSampler",
    "Sampler",
    "SequentialSampler",
    "SubsetRandomSampler",
    "WeightedRandomSampler",
]

Index = TypeVar("Index", covariant=True)

_AT_ONCE = 32  # numbers that a draw with replacement takes from the generator in one go


class Sampler(Generic[Index]):
    """The order of samples; subclasses write ``__iter__``, and ``__len__`` if they can."""

    def __iter__(self) -> Iterator[Index]:
        raise NotImplementedError("Subclasses of Sampler should implement __iter__.")


class SequentialSampler(Sampler[int]):
    """All samples in their order.

    Parameters
    ----------
    data_source : Dataset
        With a length.

    Examples
    --------
    >>> list(SequentialSampler("abc"))
    [0, 1, 2]
    """

    def __init__(self, data_source: Sized) -> None:
        self.data_source = data_source

    def __iter__(self) -> Iterator[int]:
        return iter(range(len(self.data_source)))

    def __len__(self) -> int:
        return len(self.data_source)


class RandomSampler(Sampler[int]):
    """Samples in random order.

    Parameters
    ----------
    data_source : Dataset
        With a length.
    replacement : bool
        Whether a sample may come more than once.
    num_samples : int, optional
        How many are drawn; by default as many as there are.
    generator : Generator, optional
        Where the randomness comes from; by default from one that the default generator seeds.

    Examples
    --------
    >>> import fnx_nn as torch
    >>> list(RandomSampler(range(5), generator=torch.Generator().manual_seed(2)))
    [3, 4, 1, 0, 2]
    """

    def __init__(
        self,
        data_source: Sized,
        replacement: bool = False,
        num_samples: int | None = None,
        generator: Generator | None = None,
    ) -> None:
        self.data_source = data_source
        self.replacement = replacement
        self._num_samples = num_samples
        self.generator = generator
        if not isinstance(replacement, bool):
            raise TypeError(
                f"replacement should be a boolean value, but got replacement={replacement}"
            )
        if not isinstance(self.num_samples, int) or self.num_samples <= 0:
            raise ValueError(
                "num_samples should be a positive integer value, but got "
                f"num_samples={self.num_samples}"
            )

    @property
    def num_samples(self) -> int:
        """How many are drawn."""
        return len(self.data_source) if self._num_samples is None else self._num_samples

    def __iter__(self) -> Iterator[int]:
        n = len(self.data_source)
        generator = self.generator
        if generator is None:
            generator = Generator().manual_seed(random_seed(None))
        whole, rest = divmod(self.num_samples, _AT_ONCE if self.replacement else n)
        for _ in range(whole):
            yield from self._drawn(generator, n, _AT_ONCE)
        # Without replacement a whole permutation is drawn even if none of it is left to give.
        yield from self._drawn(generator, n, rest)[:rest]

    def _drawn(self, generator: Generator, n: int, count: int) -> list[int]:
        if not self.replacement:
            return random_choice.permutation(generator, n).tolist()
        drawn = np.empty(count, np.int64)
        random_fill.random_(drawn, generator, 0, n)
        return drawn.tolist()

    def __len__(self) -> int:
        return self.num_samples


class SubsetRandomSampler(Sampler[int]):
    """Given samples in random order.

    Parameters
    ----------
    indices : sequence of int
        Which samples.
    generator : Generator, optional
        Where the randomness comes from.
    """

    def __init__(self, indices: Sequence[int], generator: Generator | None = None) -> None:
        self.indices = indices
        self.generator = generator

    def __iter__(self) -> Iterator[int]:
        source = default_generator if self.generator is None else self.generator
        for k in random_choice.permutation(source, len(self.indices)).tolist():
            yield self.indices[k]

    def __len__(self) -> int:
        return len(self.indices)


class WeightedRandomSampler(Sampler[int]):
    """Samples drawn with given weights.

    Parameters
    ----------
    weights : sequence of float
        One for each sample; they need not add up to 1.
    num_samples : int
        How many are drawn.
    replacement : bool
        Whether a sample may come more than once.
    generator : Generator, optional
        Where the randomness comes from.

    Examples
    --------
    >>> list(WeightedRandomSampler([0.0, 1.0], 3))
    [1, 1, 1]
    """

    def __init__(
        self,
        weights: Sequence[float] | Tensor,
        num_samples: int,
        replacement: bool = True,
        generator: Generator | None = None,
    ) -> None:
        if not _is_positive_int(num_samples):
            raise ValueError(
                f"num_samples should be a positive integer value, but got num_samples={num_samples}"
            )
        if not isinstance(replacement, bool):
            raise ValueError(
                f"replacement should be a boolean value, but got replacement={replacement}"
            )
        given = weights._data if isinstance(weights, Tensor) else weights
        data = np.array(given, np.float64)
        if data.ndim != 1:
            raise ValueError(
                f"weights should be a 1d sequence but given weights have shape {tuple(data.shape)}"
            )
        self.weights = wrap(data)
        self.num_samples = num_samples
        self.replacement = replacement
        self.generator = generator

    def __iter__(self) -> Iterator[int]:
        source = default_generator if self.generator is None else self.generator
        drawn = random_choice.multinomial(
            source, self.weights._data, self.num_samples, self.replacement
        )
        yield from drawn.tolist()

    def __len__(self) -> int:
        return self.num_samples


class BatchSampler(Sampler[list[int]]):
    """The numbers of another sampler, in lists.

    Parameters
    ----------
    sampler : Sampler or iterable
        Gives the numbers.
    batch_size : int
        Numbers in a list.
    drop_last : bool
        Whether a last list that is not full is left out.

    Examples
    --------
    >>> list(BatchSampler(range(5), batch_size=2, drop_last=False))
    [[0, 1], [2, 3], [4]]
    """

    def __init__(self, sampler: Any, batch_size: int, drop_last: bool) -> None:
        if not _is_positive_int(batch_size):
            raise ValueError(
                f"batch_size should be a positive integer value, but got batch_size={batch_size}"
            )
        if not isinstance(drop_last, bool):
            raise ValueError(f"drop_last should be a boolean value, but got drop_last={drop_last}")
        self.sampler = sampler
        self.batch_size = batch_size
        self.drop_last = drop_last

    def __iter__(self) -> Iterator[list[int]]:
        numbers = iter(self.sampler)
        while batch := list(itertools.islice(numbers, self.batch_size)):
            if self.drop_last and len(batch) < self.batch_size:
                return
            yield batch

    def __len__(self) -> int:
        whole, rest = divmod(len(self.sampler), self.batch_size)
        return whole if self.drop_last or not rest else whole + 1


class DistributedSampler(Sampler[int]):
    """Every so-manieth sample, for one of several processes that share the work.

    Parameters
    ----------
    dataset : Dataset
        With a length.
    num_replicas : int, optional
        How many processes there are.
    rank : int, optional
        Which of them this is.
    shuffle : bool
        Whether the order is random: by `seed` plus the epoch.
    seed : int
        The same in all processes.
    drop_last : bool
        Whether samples that cannot be shared evenly are left out, rather than repeated.

    Examples
    --------
    >>> list(DistributedSampler(range(5), num_replicas=2, rank=1, shuffle=False))
    [1, 3, 0]
    """

    def __init__(
        self,
        dataset: Any,
        num_replicas: int | None = None,
        rank: int | None = None,
        shuffle: bool = True,
        seed: int = 0,
        drop_last: bool = False,
    ) -> None:
        if num_replicas is None or rank is None:
            raise RuntimeError(
                "Requires distributed package to be available. Without a process group, say "
                "num_replicas=... and rank=... yourself."
            )
        if rank >= num_replicas or rank < 0:
            raise ValueError(
                f"Invalid rank {rank}, rank should be in the interval [0, {num_replicas - 1}]"
            )
        self.dataset = dataset
        self.num_replicas = num_replicas
        self.rank = rank
        self.epoch = 0
        self.drop_last = drop_last
        count = len(dataset)
        if drop_last and count % num_replicas != 0:
            self.num_samples = math.ceil((count - num_replicas) / num_replicas)
        else:
            self.num_samples = math.ceil(count / num_replicas)
        self.total_size = self.num_samples * num_replicas
        self.shuffle = shuffle
        self.seed = seed

    def __iter__(self) -> Iterator[int]:
        count = len(self.dataset)
        if self.shuffle:
            source = Generator().manual_seed(self.seed + self.epoch)
            order = random_choice.permutation(source, count).tolist()
        else:
            order = list(range(count))
        if not self.drop_last and order:
            order = list(itertools.islice(itertools.cycle(order), self.total_size))
        return iter(order[self.rank : self.total_size : self.num_replicas])

    def __len__(self) -> int:
        return self.num_samples

    def set_epoch(self, epoch: int) -> None:
        """Choose another random order.

        Parameters
        ----------
        epoch : int
            The same in all processes.
        """
        self.epoch = epoch


def random_seed(generator: Generator | None) -> int:
    """A random number of 63 bits, as PyTorch draws its seeds.

    Parameters
    ----------
    generator : Generator, optional
        Where it comes from; the default generator if left out.
    """
    return int(wrap(np.empty((), np.int64)).random_(generator=generator).item())


def _is_positive_int(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0
