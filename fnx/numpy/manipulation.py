"""Arrays in other shapes: reshape, move axes, join, split, repeat.  Read next: `indexing`."""

from __future__ import annotations

import math
import operator
from typing import Any

import numpy as np

from fnx.config import CONTEXT
from fnx.core.array import Array, adopt
from fnx.core.device import checked_device
from fnx.core.tracing import Tracer
from fnx.errors import (
    ArgumentValueError,
    AxisError,
    ConcretizationTypeError,
    ShapeError,
    UnsupportedError,
)
from fnx.numpy.promotion import as_arrays
from fnx.primitives import shaping
from fnx.transforms.structural import structural

__all__ = [
    "expand_dims", "flip", "fliplr", "flipud", "matrix_transpose", "moveaxis", "normal_axes",
    "normal_axis", "permute_dims", "ravel", "reshape", "rollaxis", "squeeze", "swapaxes",
    "transpose",
]  # fmt: skip


def normal_axis(operation: str, axis: Any, ndim: int) -> int:
    """An axis counted from the front.

    Raises
    ------
    ValueError
        There's no such axis (NumPy's AxisError).
    """
    n = operator.index(axis)
    if not -ndim <= n < ndim:
        known = f"Axes are from {-ndim} to {ndim - 1}." if ndim else "It takes none."
        raise AxisError(
            f"{operation}: axis {n} is out of bounds for an array of {ndim} axes. {known}"
        )
    return n % ndim


def normal_axes(operation: str, axis: Any, ndim: int) -> tuple[int, ...]:
    """Axes counted from the front; None is all of them."""
    if axis is None:
        return tuple(range(ndim))
    axes = (axis,) if not isinstance(axis, (tuple, list)) else axis
    found = tuple([normal_axis(operation, a, ndim) for a in axes])
    if len(set(found)) != len(found):
        raise ArgumentValueError(f"{operation}: axis {axis} names an axis twice. Name it once.")
    return found


@structural("a")
def reshape(
    a: Any,
    shape: Any = None,
    order: str = "C",
    *,
    copy: bool | None = None,
    out_sharding: Any = None,
) -> Any:
    """The same elements in another shape.

    Parameters
    ----------
    a : array-like
        The operand.
    shape : int or sequence of int
        The extents; one of them may be -1 and is then computed.
    order : {"C", "F"}
        The order in which elements are read and placed.
    copy : bool, optional
        Nothing can tell a view of an immutable array from a copy, but that it can't be donated
        while the other one is there; True makes a copy, False and None a view where that can be.
    out_sharding : Device, optional
        The CPU.

    Examples
    --------
    >>> import fnx.numpy as jnp
    >>> reshape(jnp.arange(4), (2, -1))
    Array([[0, 1],
           [2, 3]], dtype=int32)
    """
    checked_device("reshape", out_sharding)
    (x,) = as_arrays("reshape", a)
    if copy and type(x) is Array and CONTEXT.get().trace is None:
        x = adopt(x._data.copy(), x._weak)
    one = isinstance(shape, (int, np.integer)) or getattr(shape, "ndim", 1) == 0
    given = [shape] if one else list(shape)
    for n in given:
        if isinstance(n, Tracer) and n.concrete() is None:
            raise ConcretizationTypeError(
                f"reshape: sizes must be known, but one of them is a traced {n.aval!r}. Take sizes "
                "from x.shape, or mark the argument with static_argnums."
            )
    sizes: list[int] = [operator.index(n) for n in given]
    if sizes.count(-1) > 1:
        raise ArgumentValueError(f"reshape: at most one size may be -1, got {tuple(sizes)}.")
    if -1 in sizes:
        known = -math.prod(sizes)
        sizes[sizes.index(-1)] = x.size // known if known else 0
    if math.prod(sizes) != x.size or any(n < 0 for n in sizes):
        raise ShapeError(
            f"reshape: {x.aval!r} has {x.size} elements, which don't fit shape {shape}. Give sizes "
            "of that product; one of them may be -1."
        )
    if order == "F":
        reversed_axes = tuple(reversed(range(x.ndim)))
        y = shaping.reshape(shaping.transpose(x, reversed_axes), tuple(reversed(sizes)))
        return shaping.transpose(y, tuple(reversed(range(y.ndim))))
    if order not in ("C", "A"):
        raise UnsupportedError(f"reshape: order={order!r} is not supported; use 'C' or 'F'.")
    return shaping.reshape(x, tuple(sizes))


def ravel(a: Any, order: str = "C", *, out_sharding: Any = None) -> Any:
    """All elements along one axis.

    Parameters
    ----------
    a : array-like
        The operand.
    order : {"C", "F"}
        The order in which elements are read.
    out_sharding : Device, optional
        The CPU.
    """
    return reshape(a, -1, order, out_sharding=out_sharding)


@structural("a")
def transpose(a: Any, axes: Any = None) -> Any:
    """The axes in another order, reversed by default.

    Parameters
    ----------
    a : array-like
        The operand.
    axes : sequence of int, optional
        For each axis of the result, the operand's.
    """
    (x,) = as_arrays("transpose", a)
    if axes is None:
        return shaping.transpose(x, tuple(reversed(range(x.ndim))))
    order = tuple([normal_axis("transpose", k, x.ndim) for k in axes])
    if sorted(order) != list(range(x.ndim)):
        raise ArgumentValueError(
            f"transpose: axes {tuple(axes)} aren't a permutation of the axes of {x.aval!r}. Name "
            "each axis once."
        )
    return shaping.transpose(x, order)


permute_dims = transpose


@structural("x")
def matrix_transpose(x: Any, /) -> Any:
    """The last two axes exchanged.

    Parameters
    ----------
    x : array-like
        With at least two axes.
    """
    (value,) = as_arrays("matrix_transpose", x)
    if value.ndim < 2:
        raise ArgumentValueError(f"matrix_transpose: {value.aval!r} has fewer than two axes.")
    return swapaxes(value, -1, -2)


@structural("a")
def moveaxis(a: Any, source: Any, destination: Any) -> Any:
    """Axes moved to other places; the others keep their order.

    Parameters
    ----------
    a : array-like
        The operand.
    source, destination : int or sequence of int
        From where to where.
    """
    (x,) = as_arrays("moveaxis", a)
    from_ = normal_axes("moveaxis", source, x.ndim)
    to = normal_axes("moveaxis", destination, x.ndim)
    if len(from_) != len(to):
        raise ArgumentValueError(
            f"moveaxis: source {source} and destination {destination} must be of one length."
        )
    order = [k for k in range(x.ndim) if k not in from_]
    for place, axis in sorted(zip(to, from_, strict=True)):
        order.insert(place, axis)
    return shaping.transpose(x, tuple(order))


@structural("a")
def rollaxis(a: Any, axis: int, start: int = 0) -> Any:
    """An axis moved before another one.

    Parameters
    ----------
    a : array-like
        The operand.
    axis, start : int
        The axis, and the one before which it goes.
    """
    (x,) = as_arrays("rollaxis", a)
    axis = normal_axis("rollaxis", axis, x.ndim)
    start = start + x.ndim if start < 0 else start
    return moveaxis(x, axis, start - 1 if axis < start else start)


@structural("a")
def swapaxes(a: Any, axis1: int, axis2: int) -> Any:
    """Two axes exchanged.

    Parameters
    ----------
    a : array-like
        The operand.
    axis1, axis2 : int
        The axes.
    """
    (x,) = as_arrays("swapaxes", a)
    order = list(range(x.ndim))
    i, j = normal_axis("swapaxes", axis1, x.ndim), normal_axis("swapaxes", axis2, x.ndim)
    order[i], order[j] = order[j], order[i]
    return shaping.transpose(x, tuple(order))


@structural("a")
def expand_dims(a: Any, axis: Any) -> Any:
    """New axes of size 1.

    Parameters
    ----------
    a : array-like
        The operand.
    axis : int or sequence of int
        Their places in the result.
    """
    (x,) = as_arrays("expand_dims", a)
    count = len(axis) if isinstance(axis, (tuple, list)) else 1
    places = normal_axes("expand_dims", axis, x.ndim + count)
    return shaping.expand_dims(x, places)


@structural("a")
def squeeze(a: Any, axis: Any = None) -> Any:
    """Axes of size 1 removed.

    Parameters
    ----------
    a : array-like
        The operand.
    axis : int or sequence of int, optional
        Which; all of them by default.
    """
    (x,) = as_arrays("squeeze", a)
    if axis is None:
        axes = tuple([k for k, n in enumerate(x.shape) if n == 1])
    else:
        axes = normal_axes("squeeze", axis, x.ndim)
    for k in axes:
        if x.shape[k] != 1:
            raise ArgumentValueError(
                f"squeeze: axis {k} of {x.aval!r} has size {x.shape[k]}, not 1. Name axes of size "
                "1, or take an element, x[0]."
            )
    return shaping.reshape(x, tuple([n for k, n in enumerate(x.shape) if k not in axes]))


@structural("m")
def flip(m: Any, axis: Any = None) -> Any:
    """The elements in opposite order along axes.

    Parameters
    ----------
    m : array-like
        The operand.
    axis : int or sequence of int, optional
        Which; all by default.
    """
    (x,) = as_arrays("flip", m)
    return shaping.rev(x, normal_axes("flip", axis, x.ndim))


def flipud(m: Any) -> Any:
    """Rows in opposite order.

    Parameters
    ----------
    m : array-like
        The operand.
    """
    return flip(m, 0)


def fliplr(m: Any) -> Any:
    """Columns in opposite order.

    Parameters
    ----------
    m : array-like
        The operand.
    """
    return flip(m, 1)
