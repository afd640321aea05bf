"""What an array is: its shape, size and kind; where it is not zero.  Read next: `indexing`."""

from __future__ import annotations

from typing import Any

import numpy as np

from fnx.core.extended import ExtendedArray
from fnx.numpy.indexing import nonzero
from fnx.numpy.joining import atleast_1d, stack
from fnx.numpy.manipulation import normal_axes, ravel
from fnx.numpy.promotion import as_arrays

__all__ = [
    "argwhere", "flatnonzero", "iscomplexobj", "isrealobj", "ndim", "shape", "size",
]  # fmt: skip


def shape(a: Any) -> tuple[int, ...]:
    """The sizes of the axes.

    Parameters
    ----------
    a : array-like
        The operand.

    Examples
    --------
    >>> import fnx.numpy as jnp
    >>> shape(jnp.ones((2, 3)))
    (2, 3)
    """
    return tuple(a.shape if isinstance(a, ExtendedArray) else as_arrays("shape", a)[0].shape)


def ndim(a: Any) -> int:
    """The number of axes.

    Parameters
    ----------
    a : array-like
        The operand.
    """
    return len(shape(a))


def size(a: Any, axis: Any = None) -> int:
    """The number of elements.

    Parameters
    ----------
    a : array-like
        The operand.
    axis : int, sequence of int or None
        Along which axes; all by default.
    """
    sizes = shape(a)
    return int(np.prod([sizes[k] for k in normal_axes("size", axis, len(sizes))], dtype=np.int64))


def iscomplexobj(x: Any) -> bool:
    """Whether the dtype is complex, whatever the elements.

    Parameters
    ----------
    x : array-like
        The operand.
    """
    return bool(as_arrays("iscomplexobj", x)[0].dtype.kind == "c")


def isrealobj(x: Any) -> bool:
    """Whether the dtype is not complex.

    Parameters
    ----------
    x : array-like
        The operand.
    """
    return not iscomplexobj(x)


def argwhere(a: Any, *, size: int | None = None, fill_value: Any = None) -> Any:
    """The indices of elements that are not zero, one row for each.

    Parameters
    ----------
    a : array-like
        The operand.
    size : int, optional
        How many rows; needed where the values aren't known, as under `jit`.
    fill_value : array-like, optional
        In the rows that are left over; zero by default.
    """
    (x,) = as_arrays("argwhere", a)
    columns = nonzero(atleast_1d(x), size=size, fill_value=fill_value)
    places = stack(columns, axis=1)
    return places if x.ndim else places[:, :0]


def flatnonzero(a: Any, *, size: int | None = None, fill_value: Any = None) -> Any:
    """The places of elements that are not zero, counted over all axes.

    Parameters
    ----------
    a : array-like
        The operand.
    size : int, optional
        How many places; needed where the values aren't known, as under `jit`.
    fill_value : array-like, optional
        In the places that are left over; zero by default.
    """
    (x,) = as_arrays("flatnonzero", a)
    return nonzero(ravel(x), size=size, fill_value=fill_value)[0]
