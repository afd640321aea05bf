"""Nested lists and tuples of numbers and arrays, as arrays: what `asarray` does with them.

Numbers alone make an array of the default dtype of their kind; where arrays are among them, their
dtypes decide, and tracers are joined by operations.  Read next: `creation`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from fnx import dtypes
from fnx.core.array import Array, adopt
from fnx.core.conversion import as_value
from fnx.core.tracing import Tracer
from fnx.errors import ArgumentTypeError, NumberOverflowError, ShapeError
from fnx.numpy.promotion import cast, promote_dtypes
from fnx.primitives.joining import concatenate
from fnx.primitives.shaping import expand_dims

__all__ = ["converted", "from_sequence"]


def from_sequence(a: Any, dtype: Any) -> Any:
    """An array from nested sequences.

    Parameters
    ----------
    a : list or tuple
        Of numbers, arrays, or such sequences, all of one shape.
    dtype : dtype or None
        Convert to this one.

    Raises
    ------
    ValueError
        The sequences are not rectangular.
    OverflowError
        An integer doesn't fit into the dtype.
    """
    leaves: list[Any] = []
    _collect(a, leaves)
    if any(isinstance(x, Tracer) for x in leaves):
        return _stack_nested(a, dtype)
    arrays = [  # np.float64 is a float, too
        x for x in leaves if isinstance(x, np.generic) or not isinstance(x, (int, float, complex))
    ]
    if arrays and dtype is None:
        types = [(v.dtype, v.weak_type) for v in (as_value(x, "array") for x in leaves)]
        return adopt(_rectangular(_unwrapped(a), dtypes.join(*types)[0]))
    data = _rectangular(_unwrapped(a))
    if data.dtype.kind not in "biufcV":
        raise ArgumentTypeError(
            f"array: the data have NumPy dtype {data.dtype}, which is not numeric. "
            "Nested sequences must be rectangular and hold numbers."
        )
    if dtype is not None:
        return adopt(
            converted(_unwrapped(a), dtype) if data.dtype.kind in "iu" else data.astype(dtype)
        )
    kind = "f" if data.size == 0 else dtypes.kind_of(data.dtype)
    wanted = dtypes.default_dtype(kind)
    if kind in "iu" and data.size and not _fits(data, wanted):
        raise NumberOverflowError(
            f"array: the Python integers from {data.min()} to {data.max()} don't fit into "
            f"{wanted.name}. Give a wider dtype, as in array(..., dtype='int64')."
        )
    return adopt(data.astype(wanted))


def converted(a: Any, dtype: Any) -> np.ndarray[Any, Any]:
    """Data of NumPy in a dtype, which must hold its integers.

    Parameters
    ----------
    a : number or sequence
        The data.
    dtype : dtype
        The new one.

    Raises
    ------
    OverflowError
        An integer doesn't fit.
    """
    try:
        return np.asarray(a, dtype)
    except OverflowError as error:
        raise NumberOverflowError(
            f"array: {error}. Give a wider dtype, or convert with astype, which wraps around."
        ) from None


def _fits(data: np.ndarray[Any, Any], dtype: np.dtype[Any]) -> bool:
    limits = np.iinfo(dtype)
    return bool(limits.min <= data.min() and data.max() <= limits.max)


def _rectangular(a: Any, dtype: Any = None) -> np.ndarray[Any, Any]:
    try:
        return np.asarray(a, dtype)
    except ValueError as error:
        raise ShapeError(
            f"array: nested sequences must be rectangular ({error}). Pad them to one shape, or "
            "keep a list."
        ) from None


def _collect(a: Any, leaves: list[Any]) -> None:
    if isinstance(a, (list, tuple)):
        for x in a:
            _collect(x, leaves)
    else:
        leaves.append(a)


def _unwrapped(a: Any) -> Any:
    if isinstance(a, (list, tuple)):
        return [_unwrapped(x) for x in a]
    return a._data if type(a) is Array else a


def _stack_nested(a: Any, dtype: Any) -> Any:
    parts = promote_dtypes("array", *[_part(x, dtype) for x in a])
    for k, x in enumerate(parts):
        if x.shape != parts[0].shape:
            raise ShapeError(
                f"array: nested sequences must be rectangular; element 0 is {parts[0].aval!r}, "
                f"element {k} is {x.aval!r}. Pad them to one shape, or keep a list."
            )
    joined = concatenate([expand_dims(x, (0,)) for x in parts], 0)
    return cast(joined, joined.dtype)


def _part(x: Any, dtype: Any) -> Any:
    if isinstance(x, (list, tuple)):
        return from_sequence(x, dtype)
    value = as_value(x, "array")
    return value if dtype is None else cast(value, dtype)
