"""From a list of samples to a batch: tensors are stacked, within any nest of containers.

Read next: `loader`.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Mapping, MutableMapping, MutableSequence, Sequence
from typing import Any

import numpy as np

from fnx_nn.tensor.table import FUNCTIONS
from fnx_nn.tensor.tensor import Tensor, wrap

__all__ = ["default_collate", "default_convert"]

#: Kinds of NumPy arrays that have no tensor: bytes, objects, strings.
_NO_TENSOR = re.compile("[SaUO]")


def default_collate(batch: Sequence[Any]) -> Any:
    """A batch of samples that have one structure.

    Tensors, arrays and numbers are stacked along a new first axis (Python's floats in float64);
    strings and bytes stay in a list; dicts, lists, tuples and named tuples are gone into.

    Parameters
    ----------
    batch : sequence
        The samples.

    Examples
    --------
    >>> default_collate([{"x": 1, "name": "a"}, {"x": 2, "name": "b"}])
    {'x': tensor([1, 2]), 'name': ['a', 'b']}
    """
    first = batch[0]
    if isinstance(first, Tensor):
        return FUNCTIONS["stack"](list(batch), 0)
    if isinstance(first, np.ndarray):
        if _NO_TENSOR.search(first.dtype.str):
            raise TypeError(_nothing_for(first.dtype))
        return FUNCTIONS["stack"]([FUNCTIONS["as_tensor"](x) for x in batch], 0)
    if isinstance(first, (np.bool_, np.number)):
        return FUNCTIONS["as_tensor"](np.array(batch))
    if isinstance(first, float):
        return wrap(np.array(batch, np.float64))
    if isinstance(first, int):
        return FUNCTIONS["tensor"](list(batch))
    if isinstance(first, (str, bytes)):
        return batch
    if isinstance(first, Mapping):
        columns = {key: default_collate([x[key] for x in batch]) for key in first}
        return _as_mapping(first, columns)
    if isinstance(first, tuple) and hasattr(first, "_fields"):
        return type(first)(*[default_collate(column) for column in zip(*batch)])
    if isinstance(first, Sequence):
        if any(len(x) != len(first) for x in batch):
            raise RuntimeError("each element in list of batch should be of equal size")
        return _as_sequence(first, [default_collate(column) for column in zip(*batch)])
    raise TypeError(_nothing_for(type(first)))


def default_convert(data: Any) -> Any:
    """A sample with tensors in place of its NumPy arrays and numbers.

    Parameters
    ----------
    data : object
        A sample; dicts, lists, tuples and named tuples are gone into.

    Examples
    --------
    >>> import numpy as np
    >>> default_convert([1, np.ones(2)])
    [1, tensor([1., 1.], dtype=torch.float64)]
    """
    if isinstance(data, Tensor):
        return data
    if isinstance(data, (np.ndarray, np.generic)) and not isinstance(data, (np.str_, np.bytes_)):
        if _NO_TENSOR.search(data.dtype.str):
            return data
        return FUNCTIONS["as_tensor"](data)
    if isinstance(data, Mapping):
        return _as_mapping(data, {key: default_convert(x) for key, x in data.items()})
    if isinstance(data, tuple) and hasattr(data, "_fields"):
        return type(data)(*[default_convert(x) for x in data])
    if isinstance(data, Sequence) and not isinstance(data, (str, bytes)):
        return _as_sequence(data, [default_convert(x) for x in data])
    return data


def _nothing_for(kind: Any) -> str:
    return (
        "default_collate: batch must contain tensors, numpy arrays, numbers, dicts or lists; "
        f"found {kind}"
    )


def _as_mapping(like: Any, columns: dict[Any, Any]) -> Any:
    """Columns in the type of a sample, if it can be made, with its other attributes."""

    def make() -> Any:
        if not isinstance(like, MutableMapping):
            return type(like)(columns)
        made = copy.copy(like)
        made.update(columns)
        return made

    return _made(make, columns)


def _as_sequence(like: Any, columns: list[Any]) -> Any:
    """Columns in the type of a sample, if it can be made; in a list for a tuple."""

    def make() -> Any:
        if not isinstance(like, MutableSequence):
            return type(like)(columns)
        made = copy.copy(like)
        for k, column in enumerate(columns):
            made[k] = column
        return made

    return columns if isinstance(like, tuple) else _made(make, columns)


def _made(make: Callable[[], Any], columns: Any) -> Any:
    # Types of users may take other arguments, or forbid the change of items.
    try:
        return make()
    except TypeError:
        return columns
