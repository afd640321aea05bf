"""Data sets: samples by number (`Dataset`), or one after another (`IterableDataset`).

Some are made of tensors, others of data sets: side by side, one after another, or parts of them.
Read next: `samplers`.
"""

from __future__ import annotations

import bisect
import itertools
import math
import warnings
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Generic, TypeVar

from fnx_nn import random_choice
from fnx_nn.generator import Generator
from fnx_nn.tensor.random import default_generator
from fnx_nn.tensor.tensor import Tensor

__all__ = [
    "ChainDataset",
    "ConcatDataset",
    "Dataset",
    "IterableDataset",
    "StackDataset",
    "Subset",
    "TensorDataset",
    "random_split",
]

Sample = TypeVar("Sample", covariant=True)


class Dataset(Generic[Sample]):
    """Samples by number; subclasses write ``__getitem__``, and usually ``__len__``.

    One that can fetch several samples at once writes ``__getitems__``, which takes a list of
    numbers and gives a list of samples.

    Examples
    --------
    >>> class Squares(Dataset):
    ...     def __getitem__(self, index):
    ...         return index * index
    ...     def __len__(self):
    ...         return 4
    >>> Squares()[3], len(Squares() + Squares())
    (9, 8)
    """

    def __getitem__(self, index: Any) -> Any:
        raise NotImplementedError("Subclasses of Dataset should implement __getitem__.")

    def __add__(self, other: Any) -> Any:
        return ConcatDataset([self, other])


class IterableDataset(Dataset[Sample], Iterable[Sample]):
    """Samples one after another; subclasses write ``__iter__``.

    Examples
    --------
    >>> class Count(IterableDataset):
    ...     def __iter__(self):
    ...         return iter(range(3))
    >>> list(Count())
    [0, 1, 2]
    """

    def __add__(self, other: Any) -> Any:
        return ChainDataset([self, other])


class TensorDataset(Dataset[tuple[Tensor, ...]]):
    """Samples along the first axis of tensors.

    Parameters
    ----------
    *tensors : Tensor
        With one first extent.

    Examples
    --------
    >>> import fnx_nn as torch
    >>> TensorDataset(torch.arange(3), torch.arange(3) * 2)[1]
    (tensor(1), tensor(2))
    """

    def __init__(self, *tensors: Tensor) -> None:
        sizes = [t.size(0) for t in tensors]
        if any(n != sizes[0] for n in sizes):
            raise AssertionError(f"Size mismatch between tensors: first extents {sizes}")
        self.tensors = tensors

    def __getitem__(self, index: Any) -> tuple[Tensor, ...]:
        return tuple([t[index] for t in self.tensors])

    def __len__(self) -> int:
        return int(self.tensors[0].size(0))


class StackDataset(Dataset[Any]):
    """Data sets side by side: a sample is a tuple, or a dict, of theirs.

    Parameters
    ----------
    *args : Dataset
        For tuples.
    **kwargs : Dataset
        For dicts.

    Examples
    --------
    >>> StackDataset(x=[1, 2], y=["a", "b"])[1]
    {'x': 2, 'y': 'b'}
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if args and kwargs:
            raise ValueError(
                "Supported either ``tuple``- (via ``args``) or``dict``- (via ``kwargs``) like "
                "input/output, but both types are given."
            )
        if not (args or kwargs):
            raise ValueError("At least one dataset should be passed")
        self.datasets: Any = args or kwargs
        lengths = [len(d) for d in self._parts()]
        if any(n != lengths[0] for n in lengths):
            raise ValueError(f"Size mismatch between datasets: {lengths}")
        self._length = lengths[0]

    def _parts(self) -> list[Any]:
        datasets = self.datasets
        return list(datasets.values() if isinstance(datasets, dict) else datasets)

    def _joined(self, samples: Iterable[Any]) -> Any:
        if isinstance(self.datasets, dict):
            return dict(zip(self.datasets, samples))
        return tuple(samples)

    def __getitem__(self, index: Any) -> Any:
        return self._joined([d[index] for d in self._parts()])

    def __getitems__(self, indices: list[Any]) -> list[Any]:
        columns = []
        for dataset in self._parts():
            column = fetch_all(dataset, indices)
            if len(column) != len(indices):
                raise ValueError(
                    "Nested dataset's output size mismatch. Expected "
                    f"{len(indices)}, got {len(column)}"
                )
            columns.append(column)
        return [self._joined(samples) for samples in zip(*columns)]

    def __len__(self) -> int:
        return int(self._length)


class ConcatDataset(Dataset[Sample]):
    """Data sets one after another, by number.

    Parameters
    ----------
    datasets : iterable of Dataset
        With lengths.

    Examples
    --------
    >>> joined = ConcatDataset([[1, 2], [3]])
    >>> joined[-1], len(joined)
    (3, 3)
    """

    def __init__(self, datasets: Iterable[Any]) -> None:
        self.datasets = list(datasets)
        if not self.datasets:
            raise AssertionError("datasets should not be an empty iterable")
        if any(isinstance(d, IterableDataset) for d in self.datasets):
            raise AssertionError("ConcatDataset does not support IterableDataset")
        self.cumulative_sizes = self.cumsum(self.datasets)

    @staticmethod
    def cumsum(sequence: Iterable[Any]) -> list[int]:
        """Where each data set ends.

        Parameters
        ----------
        sequence : iterable of Dataset
            With lengths.
        """
        return list(itertools.accumulate(len(d) for d in sequence))

    def __len__(self) -> int:
        return self.cumulative_sizes[-1]

    def __getitem__(self, idx: int) -> Any:
        if idx < 0:
            if -idx > len(self):
                raise ValueError("absolute value of index should not exceed dataset length")
            idx += len(self)
        k = bisect.bisect_right(self.cumulative_sizes, idx)
        return self.datasets[k][idx - self.cumulative_sizes[k - 1] if k else idx]


class ChainDataset(IterableDataset[Any]):
    """Iterable data sets one after another.

    Parameters
    ----------
    datasets : iterable of IterableDataset
        In order.
    """

    def __init__(self, datasets: Iterable[Any]) -> None:
        self.datasets = datasets

    def _parts(self) -> Iterator[Any]:
        for dataset in self.datasets:
            if not isinstance(dataset, IterableDataset):
                raise AssertionError("ChainDataset only supports IterableDataset")
            yield dataset

    def __iter__(self) -> Iterator[Any]:
        for dataset in self._parts():
            yield from dataset

    def __len__(self) -> int:
        return sum(len(d) for d in self._parts())


class Subset(Dataset[Sample]):
    """Some samples of a data set.

    Parameters
    ----------
    dataset : Dataset
        The whole.
    indices : sequence of int
        Which samples, in order.

    Examples
    --------
    >>> Subset("abcd", [3, 1])[0]
    'd'
    """

    def __init__(self, dataset: Any, indices: Sequence[int]) -> None:
        self.dataset = dataset
        self.indices = indices
        kind = type(self)
        own, several = kind.__getitem__, kind.__getitems__
        if own is not Subset.__getitem__ and several is Subset.__getitems__:
            raise NotImplementedError(
                f"{kind.__name__} overrides __getitem__ but not __getitems__. When subclassing "
                "Subset and overriding __getitem__, you must also override __getitems__ to ensure "
                "DataLoader works correctly with your custom logic. A simple implementation:\n\n"
                "def __getitems__(self, indices):\n"
                "    return [self.__getitem__(idx) for idx in indices]"
            )

    def __getitem__(self, idx: Any) -> Any:
        if isinstance(idx, list):
            return self.dataset[[self.indices[k] for k in idx]]
        return self.dataset[self.indices[idx]]

    def __getitems__(self, indices: list[int]) -> list[Any]:
        return fetch_all(self.dataset, [self.indices[k] for k in indices])

    def __len__(self) -> int:
        return len(self.indices)


def fetch_all(dataset: Any, indices: list[Any]) -> list[Any]:
    """Several samples of a data set, at once if it can.

    Parameters
    ----------
    dataset : Dataset
        From where.
    indices : list
        Which samples.
    """
    several = getattr(dataset, "__getitems__", None)
    return several(indices) if callable(several) else [dataset[k] for k in indices]


def random_split(
    dataset: Any, lengths: Sequence[float], generator: Generator | None = default_generator
) -> list[Subset[Any]]:
    """Parts of a data set that share no sample, chosen at random.

    Parameters
    ----------
    dataset : Dataset
        The whole.
    lengths : sequence of int or float
        Sizes that add up to the whole, or shares that add up to 1.
    generator : Generator, optional
        Where the randomness comes from.

    Examples
    --------
    >>> import fnx_nn as torch
    >>> parts = random_split(range(10), [0.7, 0.3], torch.Generator().manual_seed(0))
    >>> [list(part.indices) for part in parts]
    [[4, 1, 7, 5, 3, 9, 0], [8, 6, 2]]
    """
    count = len(dataset)
    if math.isclose(sum(lengths), 1) and sum(lengths) <= 1:
        sizes = _sizes_of_shares(count, lengths)
    else:
        sizes = list(lengths)  # type: ignore[arg-type]
    if sum(sizes) != count:
        raise ValueError(
            "Sum of input lengths does not equal the length of the input dataset! "
            f"({sum(sizes)} against {count})"
        )
    source = default_generator if generator is None else generator
    order = random_choice.permutation(source, count).tolist()
    ends = itertools.accumulate(sizes)
    return [Subset(dataset, order[end - size : end]) for end, size in zip(ends, sizes)]


def _sizes_of_shares(count: int, shares: Sequence[float]) -> list[int]:
    """Sizes by rounding down; what is left over goes to the first ones, one each."""
    for k, share in enumerate(shares):
        if share < 0 or share > 1:
            raise ValueError(f"Fraction at index {k} is not between 0 and 1")
    sizes = [math.floor(count * share) for share in shares]
    for k in range(count - sum(sizes)):
        sizes[k % len(sizes)] += 1
    for k, size in enumerate(sizes):
        if size == 0:
            warnings.warn(
                f"Length of split at index {k} is 0. This might result in an empty dataset.",
                stacklevel=3,
            )
    return sizes
