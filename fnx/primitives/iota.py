"""Counting: `iota`, an array of the positions along one of its axes.

It has no operands, so it has no derivative and nothing to map; compiled, it is no array but the
index of the loop that reads it.  Read next: `shaping` (`full`, the other constant).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import ml_dtypes
import numpy as np

from fnx.core.lowering import Element
from fnx.core.primitive import Primitive, Sample
from fnx.core.types import ShapedArray
from fnx.dtypes import kind_of
from fnx.errors import ArgumentTypeError, ArgumentValueError
from fnx.primitives.families import nondifferentiable

__all__ = ["broadcasted_iota", "iota", "iota_p"]


def _iota_infer(*, dtype: np.dtype[Any], shape: tuple[int, ...], dimension: int) -> ShapedArray:
    if not 0 <= dimension < len(shape):
        raise ArgumentValueError(f"iota: shape {shape} has no axis {dimension} to count along.")
    if any(n < 0 for n in shape):
        raise ArgumentValueError(f"iota: shape {shape} has a negative size.")
    if kind_of(dtype) not in "iufc":
        raise ArgumentTypeError(f"iota: positions have a number type, not {dtype}.")
    return ShapedArray(shape, dtype)


def _iota_evaluate(
    *, dtype: np.dtype[Any], shape: tuple[int, ...], dimension: int
) -> np.ndarray[Any, Any]:
    counted = np.arange(shape[dimension]).astype(dtype)  # small integers wrap
    places = [1] * len(shape)
    places[dimension] = shape[dimension]
    return np.broadcast_to(counted.reshape(places), shape)


def _iota_element(
    b: Any, i: Any, *, dtype: np.dtype[Any], shape: tuple[int, ...], dimension: int
) -> Any:
    return b.from_index(i[dimension], dtype)


def _iota_samples(rng: np.random.Generator) -> Any:
    number_types = (np.int32, np.int64, np.uint8, np.float64, np.float32, np.float16)
    for shape, dimension in (
        ((5,), 0), ((1,), 0), ((0,), 0), ((2, 3), 0), ((2, 3), 1), ((3, 1, 2), 1), ((300,), 0),
    ):  # fmt: skip
        for dtype in (*number_types, ml_dtypes.bfloat16, np.complex64):
            yield Sample((), {"dtype": np.dtype(dtype), "shape": shape, "dimension": dimension})


iota_p: Primitive = nondifferentiable(
    "iota",
    why="it has no operands",
    infer=_iota_infer,
    evaluate=_iota_evaluate,
    vmap=lambda size, args, dims, **params: (iota_p(**params), None),
    lower=Element(_iota_element, "index"),
    sample=_iota_samples,
)


def iota(dtype: Any, size: int) -> Any:
    """The numbers 0, 1, ..., size - 1.

    Parameters
    ----------
    dtype : dtype
        A number type; small integers wrap.
    size : int
        How many.
    """
    return broadcasted_iota(dtype, (size,), 0)


def broadcasted_iota(dtype: Any, shape: Sequence[int], dimension: int) -> Any:
    """An array whose elements are their own positions along an axis.

    Parameters
    ----------
    dtype : dtype
        A number type; small integers wrap.
    shape : sequence of int
        The extents.
    dimension : int
        The axis to count along.

    Returns
    -------
    Array
        Of the given dtype and shape.
    """
    return iota_p(dtype=np.dtype(dtype), shape=tuple(shape), dimension=int(dimension))
