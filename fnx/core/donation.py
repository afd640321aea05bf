"""`take`: the memory of an array that is given away, to write a result to.

Memory that something else has, too, is not taken: a result would be written over what others read.
Who has it is known from reference counts, which are compared with those of an array that nobody
else has.  Read next: `fnx.control.entries`.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

import numpy as np

from fnx.core.array import Array
from fnx.core.deleted import Deleted

__all__ = ["take"]


def take(arrays: Sequence[Array], how: str) -> list[np.ndarray[Any, Any]] | int:
    """Take the memory of arrays away from them, to write to; the arrays are deleted.

    Parameters
    ----------
    arrays : sequence of Array
        Deleted when this returns.
    how : str
        What is done with the memory, for the errors of those who use an array after that.

    Returns
    -------
    list of ndarray, or int
        Writeable. Or the index of the first array whose memory somebody else has, too: then all
        are as before.
    """
    for k, array in enumerate(arrays):
        np.asarray(array._data)  # raises for a deleted array
        # A scalar is copied, it may be the literal of a program; so is what isn't contiguous.
        if array._data.ndim and array._data.flags.c_contiguous and _is_shared(array):
            return k
    return [_taken(array, how) for array in arrays]


def _taken(array: Array, how: str) -> np.ndarray[Any, Any]:
    data = array._data
    array._data = Deleted(data, how)  # type: ignore[assignment]
    if not (data.ndim and data.flags.c_contiguous):
        return data.copy()
    try:
        if data.base is not None:
            data.base.setflags(write=True)
        data.setflags(write=True)
    except (AttributeError, ValueError):  # the owner is no ndarray (bytes, say): nobody's to write
        return data.copy()
    return data


def _is_shared(array: Array) -> bool:
    """Whether something else than the array refers to its memory."""
    data = array._data
    return _references(data) > _ALONE or (
        data.base is not None and _references(data.base) > _ALONE - 1
    )


def _references(data: Any) -> int:
    return sys.getrefcount(data)


def _references_of_one() -> int:
    """How many references `_is_shared` counts when only the array has the memory."""
    array = Array(np.empty(0))
    data = array._data
    return _references(data)


_ALONE = _references_of_one()
