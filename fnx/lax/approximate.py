"""The greatest and the least elements, where JAX may approximate: `approx_max_k`, `approx_min_k`.

The exact answer meets every recall that may be asked for, and on a processor with caches nothing
quicker is known than to sort; so the answer is exact.
"""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from fnx.core.conversion import as_value
from fnx.dtypes import kind_of
from fnx.errors import ArgumentTypeError, ArgumentValueError
from fnx.primitives.iota import broadcasted_iota
from fnx.primitives.slicing import normalized_axis, slice_in_dim
from fnx.primitives.sorting import sort, top_k

__all__ = ["approx_max_k", "approx_min_k"]


def approx_max_k(
    operand: Any,
    k: int,
    reduction_dimension: int = -1,
    recall_target: float = 0.95,
    reduction_input_size_override: int = -1,
    aggregate_to_topk: bool = True,
) -> tuple[Any, Any]:
    """The `k` greatest elements along an axis, from the greatest down, and their positions.

    Parameters
    ----------
    operand : array-like
        Floating.
    k : int
        How many.
    reduction_dimension : int
        The axis; negative ones count from the last.
    recall_target : float
        Which share of the greatest must be found, between 0 and 1; all of them are.
    reduction_input_size_override : int
        The size to which the recall refers; negative: that of the axis.
    aggregate_to_topk : bool
        Whether exactly `k` are wanted; where it is false, more would do, and `k` are given.

    Returns
    -------
    values, positions : Array
        As from `top_k`.

    Raises
    ------
    TypeError
        The operand is no array of floats, or has no axis.
    ValueError
        `k`, the axis or the recall is out of its range.

    Examples
    --------
    >>> import fnx.numpy as jnp
    >>> from fnx import lax
    >>> lax.approx_max_k(jnp.array([1., 3., 2.]), 2)
    (Array([3., 2.], dtype=float32), Array([1, 2], dtype=int32))
    """
    name = "approx_max_k"
    x, axis = _checked(name, operand, k, reduction_dimension, recall_target,
                       reduction_input_size_override, aggregate_to_topk)  # fmt: skip
    return top_k(x, k, axis)


def approx_min_k(
    operand: Any,
    k: int,
    reduction_dimension: int = -1,
    recall_target: float = 0.95,
    reduction_input_size_override: int = -1,
    aggregate_to_topk: bool = True,
) -> tuple[Any, Any]:
    """The `k` least elements along an axis, from the least up, and their positions.

    Parameters
    ----------
    operand, k, reduction_dimension, recall_target, reduction_input_size_override, aggregate_to_topk
        As for `approx_max_k`.

    Returns
    -------
    values, positions : Array
        Of equal elements, that at the lower position comes first; NaN is greater than all.

    Examples
    --------
    >>> import fnx.numpy as jnp
    >>> from fnx import lax
    >>> lax.approx_min_k(jnp.array([1., 3., 2.]), 2)
    (Array([1., 2.], dtype=float32), Array([0, 2], dtype=int32))
    """
    name = "approx_min_k"
    x, axis = _checked(name, operand, k, reduction_dimension, recall_target,
                       reduction_input_size_override, aggregate_to_topk)  # fmt: skip
    places = broadcasted_iota(np.dtype(np.int32), x.shape, axis)
    ordered = sort((x, places), axis)
    return slice_in_dim(ordered[0], 0, k, axis=axis), slice_in_dim(ordered[1], 0, k, axis=axis)


def _checked(
    name: str,
    operand: Any,
    k: int,
    axis: int,
    recall_target: float,
    size_override: int,
    aggregate: bool,
) -> tuple[Any, int]:
    x = as_value(operand, name, "operand")
    if kind_of(x.dtype) != "f" or x.ndim == 0:
        raise ArgumentTypeError(
            f"{name}: operand must be floating and have an axis, got {x.aval!r}. Convert it with "
            "`astype`; `top_k` takes integers."
        )
    axis = normalized_axis(name, axis, x.ndim)
    if not 1 <= operator.index(k) <= x.shape[axis]:
        raise ArgumentValueError(
            f"{name}: k={k} must be from 1 to {x.shape[axis]}, the size of axis {axis} of "
            f"{x.aval!r}."
        )
    if not 0 < recall_target <= 1:
        raise ArgumentValueError(
            f"{name}: recall_target={recall_target} must be above 0 and at most 1."
        )
    size = operator.index(size_override)
    if 0 <= size < x.shape[axis]:
        raise ArgumentValueError(
            f"{name}: reduction_input_size_override={size} must be negative, or at least "
            f"{x.shape[axis]}, the size of axis {axis} of {x.aval!r}."
        )
    if not isinstance(aggregate, bool):
        raise ArgumentTypeError(f"{name}: aggregate_to_topk must be a bool, got {aggregate!r}.")
    return x, axis
