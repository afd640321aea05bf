"""Packed sequences and rectangles: between rows without gaps and (steps, sequences).

Read next: `fnx_nn.nn.utils.rnn`, which says what packed sequences are.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import fnx.numpy as jnp
from fnx_nn.tensor.dispatch import TensorOperation, apply
from fnx_nn.tensor.tensor import Tensor, wrap

__all__ = ["pack", "packed_places", "unpack"]

NDArray = np.ndarray[Any, Any]


def packed_places(batch_sizes: NDArray) -> tuple[NDArray, NDArray]:
    """Where the rows of packed sequences are in a rectangle (steps, sequences), and the reverse.

    Parameters
    ----------
    batch_sizes : ndarray of int64
        How many sequences have a first row, a second one, ...: (steps,).

    Returns
    -------
    row : ndarray of int64
        (steps, sequences): the row in the packed matrix; -1 where a sequence is over.
    place : ndarray of int64
        (rows,): the place in the rectangle, counted along sequences first.

    Examples
    --------
    >>> import numpy as np
    >>> row, place = packed_places(np.array([2, 1]))
    >>> row.tolist(), place.tolist()
    ([[0, 1], [2, -1]], [0, 1, 2])
    """
    lanes = np.arange(batch_sizes[0])
    starts = np.cumsum(batch_sizes) - batch_sizes
    present = lanes < batch_sizes[:, None]
    return np.where(present, starts[:, None] + lanes, -1), np.flatnonzero(present)


def _packed(rectangle: Any, place: Any, batch_first: bool) -> Any:
    rectangle = jnp.swapaxes(rectangle, 0, 1) if batch_first else rectangle
    flat = jnp.reshape(rectangle, (-1, *rectangle.shape[2:]))
    return jnp.take(flat, place, axis=0)


def _unpacked(data: Any, row: Any, batch_first: bool, value: float) -> Any:
    rectangle = jnp.take(data, jnp.maximum(row, 0), axis=0)
    present = jnp.reshape(row >= 0, (*row.shape, *(1,) * (data.ndim - 1)))
    padded = jnp.where(present, rectangle, jnp.asarray(value, data.dtype))
    return jnp.swapaxes(padded, 0, 1) if batch_first else padded


_PACKED = TensorOperation(_packed, "PackPaddedSequenceBackward0")
_UNPACKED = TensorOperation(_unpacked, "PadPackedSequenceBackward0")


def pack(rectangle: Tensor, place: NDArray, batch_first: bool = False) -> Tensor:
    """The rows of a rectangle that are at given places.

    Parameters
    ----------
    rectangle : Tensor
        (steps, sequences, ...).
    place : ndarray of int64
        See `packed_places`.
    batch_first : bool
        Whether the rectangle is (sequences, steps, ...).
    """
    out: Tensor = apply(_PACKED, (rectangle, wrap(place)), {"batch_first": bool(batch_first)})
    return out


def unpack(data: Tensor, row: NDArray, batch_first: bool = False, value: float = 0.0) -> Tensor:
    """Packed rows as a rectangle.

    Parameters
    ----------
    data : Tensor
        (rows, ...).
    row : ndarray of int64
        See `packed_places`.
    batch_first : bool
        Whether the rectangle is to be (sequences, steps, ...), not (steps, sequences, ...).
    value : float
        What stands where there is no row.
    """
    params = {"batch_first": bool(batch_first), "value": float(value)}
    out: Tensor = apply(_UNPACKED, (data, wrap(row)), params)
    return out
