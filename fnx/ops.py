"""Reductions of segments that index arrays name (as `jax.ops`)."""

from __future__ import annotations

from typing import Any

import numpy as np

from fnx import numpy as jnp
from fnx.core.array import Array
from fnx.core.conversion import as_value
from fnx.dtypes import finfo, iinfo
from fnx.errors import ArgumentTypeError, ArgumentValueError

__all__ = ["segment_max", "segment_min", "segment_prod", "segment_sum"]


def segment_sum(
    data: Any,
    segment_ids: Any,
    num_segments: int | None = None,
    indices_are_sorted: bool = False,
    unique_indices: bool = False,
    bucket_size: int | None = None,
    mode: Any = None,
) -> Any:
    """The sum of the slices of each segment.

    Parameters
    ----------
    data : Array
        Its slices along the leading axis are summed.
    segment_ids : Array of integers
        Which segment each slice belongs to; those outside of ``[0, num_segments)`` are dropped.
    num_segments : int, optional
        How many segments there are; under `jit` it must be given. By default the largest id + 1.
    indices_are_sorted, unique_indices, bucket_size
        Accepted: they change nothing.
    mode : str or GatherScatterMode, optional
        What happens to ids out of bounds.

    Returns
    -------
    Array
        Of the shape ``(num_segments, *data.shape[1:])``.

    Examples
    --------
    >>> import fnx.numpy as jnp
    >>> segment_sum(jnp.arange(5), jnp.array([0, 0, 1, 1, 2]))
    Array([1, 5, 4], dtype=int32)
    """
    return _segments("segment_sum", "add", data, segment_ids, num_segments, mode)


def segment_prod(
    data: Any,
    segment_ids: Any,
    num_segments: int | None = None,
    indices_are_sorted: bool = False,
    unique_indices: bool = False,
    bucket_size: int | None = None,
    mode: Any = None,
) -> Any:
    """The product of the slices of each segment; 1 for an empty one.

    Parameters
    ----------
    data, segment_ids, num_segments, indices_are_sorted, unique_indices, bucket_size, mode
        As for `segment_sum`.

    Examples
    --------
    >>> import fnx.numpy as jnp
    >>> segment_prod(jnp.arange(5), jnp.array([0, 0, 1, 1, 2]))
    Array([0, 6, 4], dtype=int32)
    """
    return _segments("segment_prod", "multiply", data, segment_ids, num_segments, mode)


def segment_max(
    data: Any,
    segment_ids: Any,
    num_segments: int | None = None,
    indices_are_sorted: bool = False,
    unique_indices: bool = False,
    bucket_size: int | None = None,
    mode: Any = None,
) -> Any:
    """The largest element of each segment; the least value of the dtype for an empty one.

    Parameters
    ----------
    data, segment_ids, num_segments, indices_are_sorted, unique_indices, bucket_size, mode
        As for `segment_sum`.

    Examples
    --------
    >>> import fnx.numpy as jnp
    >>> segment_max(jnp.arange(5), jnp.array([0, 0, 1, 1, 2]))
    Array([1, 3, 4], dtype=int32)
    """
    return _segments("segment_max", "max", data, segment_ids, num_segments, mode)


def segment_min(
    data: Any,
    segment_ids: Any,
    num_segments: int | None = None,
    indices_are_sorted: bool = False,
    unique_indices: bool = False,
    bucket_size: int | None = None,
    mode: Any = None,
) -> Any:
    """The smallest element of each segment; the greatest value of the dtype for an empty one.

    Parameters
    ----------
    data, segment_ids, num_segments, indices_are_sorted, unique_indices, bucket_size, mode
        As for `segment_sum`.

    Examples
    --------
    >>> import fnx.numpy as jnp
    >>> segment_min(jnp.arange(5), jnp.array([0, 0, 1, 1, 2]))
    Array([0, 2, 4], dtype=int32)
    """
    return _segments("segment_min", "min", data, segment_ids, num_segments, mode)


def _segments(
    name: str, update: str, data: Any, segment_ids: Any, num_segments: int | None, mode: Any
) -> Any:
    x = as_value(data, name, "data")
    ids = as_value(segment_ids, name, "segment_ids")
    if ids.dtype.kind not in "iu":
        raise ArgumentTypeError(f"{name}: segment_ids is {ids.aval!r}; ids are integers.")
    if x.ndim < ids.ndim or x.shape[: ids.ndim] != ids.shape:
        raise ArgumentValueError(
            f"{name}: data is {x.aval!r}, segment_ids {ids.aval!r}. There must be one id for each "
            "leading slice."
        )
    if num_segments is None:
        if type(ids) is not Array:
            raise ArgumentValueError(
                f"{name}: the number of segments must be known while tracing. Pass "
                "num_segments, a Python integer."
            )
        num_segments = int(ids._data.max()) + 1 if ids.size else 0
    count = int(num_segments)
    if count < 0:
        raise ArgumentValueError(f"{name}: num_segments={count} must not be negative.")
    start = jnp.full((count, *x.shape[ids.ndim :]), _neutral(update, x.dtype), x.dtype)
    if ids.dtype.kind == "i":  # a negative id is out of bounds here, not counted from the end
        ids = jnp.where(ids < 0, count, ids)
    return getattr(start.at[ids], update)(x, mode="drop" if mode is None else mode)


def _neutral(update: str, dtype: Any) -> Any:
    if update in ("add", "multiply"):
        return int(update == "multiply")
    if dtype == np.bool_:
        return update == "min"
    if dtype.kind in "iu":
        return iinfo(dtype).min if update == "max" else iinfo(dtype).max
    finfo(dtype)  # raises for what has no order
    return -np.inf if update == "max" else np.inf
