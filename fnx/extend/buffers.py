"""From ndarrays that somebody may write to, to arrays that nobody does, and back.

A facade with mutable tensors owns its buffers. It lends one to `fnx` for the length of a call
(`borrow`), gives one away (`adopt`), or looks at a result (`buffer_of`); `own` makes results of a
program safe to be written to.
Read next: `programs`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from fnx.core.array import Array
from fnx.core.array import adopt as _adopt

__all__ = ["adopt", "borrow", "buffer_of", "own"]


def borrow(data: np.ndarray[Any, Any]) -> Array:
    """An array that looks at a buffer without owning it.

    Whoever borrows ends the use of the array, and of all that was made from it as a view, before
    the owner writes to the buffer again. Keep results by `own`.

    Parameters
    ----------
    data : ndarray
        The owner keeps it, and keeps writing to it.

    Returns
    -------
    Array

    Examples
    --------
    >>> import numpy as np
    >>> buffer = np.zeros(2, np.float32)
    >>> borrow(buffer).shape, buffer.flags.writeable
    ((2,), True)
    """
    return Array(data)


def adopt(data: np.ndarray[Any, Any]) -> Array:
    """An array that owns a buffer from now on; no copy.

    Parameters
    ----------
    data : ndarray
        The caller gives it away and never writes to it again: it becomes read-only.

    Returns
    -------
    Array

    Examples
    --------
    >>> import numpy as np
    >>> adopt(np.ones(2, np.float32))
    Array([1., 1.], dtype=float32)
    """
    return _adopt(data)


def buffer_of(array: Array) -> np.ndarray[Any, Any]:
    """The read-only memory of an array; no copy.

    Parameters
    ----------
    array : Array
        Any array.

    Returns
    -------
    ndarray
        Not writeable.

    Examples
    --------
    >>> import numpy as np
    >>> buffer_of(adopt(np.ones(2))).flags.writeable
    False
    """
    data = array._data
    if data.flags.writeable:  # a borrowed one
        data = data.view()
        data.setflags(write=False)
    return data


def own(data: Any, others: Sequence[np.ndarray[Any, Any]]) -> np.ndarray[Any, Any]:
    """The result of a computation as an ndarray of one's own, copied only where it must be.

    Parameters
    ----------
    data : ndarray or numpy scalar
        What a computation on ndarrays gave.
    others : sequence of ndarray
        What it was given.

    Returns
    -------
    ndarray
        Writeable; shares no memory with the others; in row-major order if it was a view.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.arange(6.0).reshape(2, 3)
    >>> y = own(x.T, [x])
    >>> np.shares_memory(x, y), y.flags.c_contiguous
    (False, True)
    """
    if type(data) is not np.ndarray:
        return np.array(data)
    if data.base is None:
        # A fresh result, one of the operands, or a constant of the program (which is read-only).
        if data.flags.writeable and not any([data is other for other in others]):
            return data
        return data.copy()
    flags = data.flags
    if not (flags.writeable and flags.c_contiguous):
        return data.copy("C")
    if any([np.may_share_memory(data, other) for other in others]):
        return data.copy()
    return data
