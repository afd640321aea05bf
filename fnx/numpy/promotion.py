"""From what users pass to operands of one dtype and one shape: promotion and broadcasting.

Python scalars take the dtype that the lattice gives them (weak types); shapes follow NumPy's rules.
Read next: `ufuncs`.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from fnx import dtypes
from fnx.config import settings
from fnx.core.array import Array, adopt
from fnx.core.conversion import as_value
from fnx.core.tracing import Tracer
from fnx.errors import (
    ArgumentValueError,
    NumberOverflowError,
    ShapeError,
    TypePromotionError,
    UnsupportedError,
)
from fnx.primitives.cast import convert_element_type
from fnx.primitives.shaping import broadcast_in_dim
from fnx.transforms.structural import structural

__all__ = [
    "as_arrays",
    "broadcast_arrays",
    "broadcast_shapes",
    "broadcast_to",
    "cast",
    "known",
    "promote",
    "promote_dtypes",
    "promote_inexact",
    "refuse_out",
]

_SCALARS = (bool, int, float, complex)


def refuse_out(operation: str, out: Any) -> None:
    """Raise if there is an ``out=`` to be written to."""
    if out is not None:
        raise UnsupportedError(f"{operation}: arrays are immutable, so out= must be None.")


def as_arrays(operation: str, *args: Any) -> list[Any]:
    """Arrays and tracers; errors name the operation and the position."""
    return [
        a if type(a) is Array or isinstance(a, Tracer) else as_value(a, operation, f"argument {k}")
        for k, a in enumerate(args)
    ]


def known(x: Any) -> np.ndarray[Any, Any] | None:
    """The elements of an array or tracer as far as they are known before a program runs."""
    value = x.concrete() if isinstance(x, Tracer) else x
    return None if value is None else value._data


def cast(x: Any, dtype: Any, weak: bool = False) -> Any:
    """The array in a dtype; itself if it has it."""
    if x.dtype == dtype and x.weak_type == weak:
        return x
    return convert_element_type(x, dtype, weak)


def promote_dtypes(operation: str, *args: Any) -> list[Any]:
    """Operands in the dtype that the lattice gives them together.

    Parameters
    ----------
    operation : str
        For errors.
    *args : array-like
        Python scalars are converted at the joint dtype, so that large integers fit.
    """
    types = []
    for k, a in enumerate(args):
        if type(a) in _SCALARS:
            types.append((dtypes.default_dtype(_LETTER[type(a)]), type(a) is not bool))
        elif type(a) is Array or isinstance(a, Tracer):
            types.append((a.dtype, a.weak_type))
        else:
            value = as_value(a, operation, f"argument {k}")
            args = (*args[:k], value, *args[k + 1 :])
            types.append((value.dtype, value.weak_type))
    try:
        dtype, weak = dtypes.join(*types)
    except TypePromotionError as error:
        raise TypePromotionError(f"{operation}: {error.message}") from None
    return [
        adopt(_scalar(operation, a, dtype), weak) if type(a) in _SCALARS else cast(a, dtype, weak)
        for a in args
    ]


_LETTER = {bool: "b", int: "i", float: "f", complex: "c"}


def _scalar(operation: str, value: Any, dtype: np.dtype[Any]) -> np.ndarray[Any, Any]:
    try:
        return np.asarray(value, dtype)
    except OverflowError:
        raise NumberOverflowError(
            f"{operation}: the Python integer {value} doesn't fit into {dtype.name}. "
            "Convert the array to a wider dtype first."
        ) from None


def promote_inexact(operation: str, *args: Any) -> list[Any]:
    """Operands in one inexact dtype: integers and bools become floats."""
    args_ = promote_dtypes(operation, *args)
    dtype = args_[0].dtype
    wanted = dtypes.to_inexact_dtype(dtype)
    if wanted == dtype:
        return args_
    # int32 and narrower become float32, as under JAX.
    return [cast(a, wanted, a.weak_type) for a in args_]


def broadcast_shapes(*shapes: Sequence[int]) -> tuple[int, ...]:
    """The shape that results from broadcasting shapes together.

    Parameters
    ----------
    *shapes : sequence of int
        The shapes.

    Examples
    --------
    >>> broadcast_shapes((3, 1), (4,))
    (3, 4)
    """
    try:
        return np.broadcast_shapes(*[tuple(s) for s in shapes])
    except ValueError:
        raise ShapeError(
            f"broadcast: shapes {', '.join(str(tuple(s)) for s in shapes)} don't fit together. "
            "Sizes of one axis must be equal or 1, counted from the last axis."
        ) from None


@structural("array")
def broadcast_to(array: Any, shape: Any) -> Any:
    """The array repeated along axes to a larger shape.

    Parameters
    ----------
    array : array-like
        The array.
    shape : int or sequence of int
        The shape of the result.

    Examples
    --------
    >>> broadcast_to(1, (2,))
    Array([1, 1], dtype=int32, weak_type=True)
    """
    (x,) = as_arrays("broadcast_to", array)
    shape = (shape,) if isinstance(shape, (int, np.integer)) else tuple(shape)
    if x.shape == shape:
        return x
    lead = len(shape) - x.ndim
    if lead < 0 or any(n not in (1, m) for n, m in zip(x.shape, shape[lead:], strict=True)):
        raise ShapeError(
            f"broadcast_to: {x.aval!r} can't become shape {shape}. "
            "Sizes of one axis must be equal or 1, counted from the last axis."
        )
    return broadcast_in_dim(x, shape, tuple(range(lead, len(shape))))


@structural("args")
def broadcast_arrays(*args: Any) -> list[Any]:
    """The arrays in their joint shape.

    Parameters
    ----------
    *args : array-like
        The arrays.

    Examples
    --------
    >>> import numpy as np
    >>> [a.shape for a in broadcast_arrays(1, np.ones(2))]
    [(2,), (2,)]
    """
    xs = as_arrays("broadcast_arrays", *args)
    shape = broadcast_shapes(*[x.shape for x in xs])
    return [broadcast_to(x, shape) for x in xs]


def promote(operation: str, *args: Any) -> list[Any]:
    """Operands of one dtype and one shape."""
    return broadcast_operands(operation, promote_dtypes(operation, *args))


def broadcast_operands(operation: str, xs: list[Any]) -> list[Any]:
    """Operands of one shape; errors name the operation."""
    first = xs[0].shape
    if all([x.shape == first for x in xs]):
        return xs
    try:
        shape = np.broadcast_shapes(*[x.shape for x in xs])
    except ValueError:
        raise ShapeError(
            f"{operation}: incompatible shapes for broadcasting, got "
            f"{', '.join(repr(x.aval) for x in xs)}. Sizes of one axis must be "
            "equal or 1, counted from the last axis."
        ) from None
    if settings().numpy_rank_promotion != "allow":
        _check_ranks(operation, xs)
    return [broadcast_to(x, shape) for x in xs]


def _check_ranks(operation: str, xs: list[Any]) -> None:
    """Speak up where operands that aren't scalars differ in rank, as the setting says."""
    if len({x.ndim for x in xs if x.ndim}) < 2:
        return
    rule = settings().numpy_rank_promotion
    message = (
        f"{operation}: operands differ in their number of axes, got "
        f"{', '.join(repr(x.aval) for x in xs)}, with numpy_rank_promotion={rule!r}. Give them "
        "axes with x[None], or set it to 'allow'."
    )
    if rule == "raise":
        raise ArgumentValueError(message)
    warnings.warn(message, UserWarning, stacklevel=2)
