"""`ds`: a slice whose start is computed, as a part of an index.

An array is first cut by `lax.dynamic_slice` along the axes of such parts, then indexed by the rest;
an update goes into the piece, and the piece back.  Read next: `indexing`, `index_updates`.
"""

from __future__ import annotations

import builtins
from dataclasses import dataclass
from typing import Any

from fnx.core.conversion import as_value
from fnx.errors import ArgumentTypeError, UnsupportedError
from fnx.numpy.index_plans import axes_of
from fnx.primitives.dynamic_slicing import dynamic_slice, dynamic_update_slice
from fnx.primitives.slicing import slice as slice_

__all__ = ["Slice", "cut", "ds", "put_back"]


@dataclass(frozen=True, slots=True, eq=False)
class Slice:
    """A part of an index: `size` elements from `start`, each `stride` after the one before.

    Attributes
    ----------
    start : int, Array or tracer
        Where it begins; moved so that all elements are inside.
    size, stride : int
        How many, and how far apart.
    """

    start: Any
    size: int
    stride: int = 1


def ds(start: Any, size: Any = None, stride: int | None = None) -> slice | Slice:
    """A part of an index, as the builtin slice, whose start may be computed.

    ``ds(None)`` is ``:``, ``ds(n)`` is ``:n``, ``ds(i, n)`` has n elements from i on.

    Parameters
    ----------
    start : int, Array, tracer or None
        Where it begins. It is moved so that all elements are inside.
    size : int, optional
        How many elements.
    stride : int, optional
        How far apart they are.

    Returns
    -------
    slice or Slice
        For ``x[...]`` and ``x.at[...]``.

    Raises
    ------
    TypeError
        The size or the stride is not an integer.

    Examples
    --------
    >>> import fnx, fnx.numpy as jnp
    >>> fnx.jit(lambda x, i: x[fnx.ds(i, 2)])(jnp.arange(10), 4)
    Array([4, 5], dtype=int32)
    """
    if start is None:
        return builtins.slice(None)
    if size is None:
        start, size = 0, start
    for name, value in (("size", size), ("stride", stride)):
        if not (isinstance(value, int) or (value is None and name == "stride")):
            raise ArgumentTypeError(
                f"ds: {name} must be an int, it decides the shape of the result; got "
                f"{type(value).__name__}."
            )
    return Slice(start, size, 1 if stride is None else stride)


def _has(index: Any) -> bool:
    return type(index) is Slice or (
        type(index) is tuple and any([type(part) is Slice for part in index])
    )


def cut(x: Any, index: Any) -> tuple[Any, Any, list[Any] | None]:
    """The piece of an array that dynamic parts of an index choose, and the rest of the index.

    Parameters
    ----------
    x : Array or tracer
        The array.
    index : object
        What was written between brackets.

    Returns
    -------
    piece : Array or tracer
        Or the array itself, where there is no dynamic part.
    rest : object
        The index into the piece.
    starts : list or None
        Where the piece begins.
    """
    if not _has(index):
        return x, index, None
    parts = list(index) if isinstance(index, tuple) else [index]
    taken = sum([axes_of(p) if type(p) is not Slice else 1 for p in parts if p is not Ellipsis])
    axis, found = 0, {}
    for k, part in enumerate(parts):
        if part is Ellipsis:
            axis += max(x.ndim - taken, 0)
        elif type(part) is Slice:
            found[axis] = part
            parts[k] = slice(None)
            axis += 1
        else:
            axis += axes_of(part)
    starts: list[Any] = [0] * x.ndim
    sizes, strides = list(x.shape), [1] * x.ndim
    for axis, part in found.items():
        if axis >= x.ndim:
            raise ArgumentTypeError(f"index: {len(parts)} parts for an array {x.aval!r}.")
        starts[axis] = as_value(part.start, "ds", "start")
        sizes[axis] = (part.size - 1) * part.stride + 1 if part.size else 0
        strides[axis] = part.stride
    piece = dynamic_slice(x, starts, sizes)
    if any(s != 1 for s in strides):
        piece = slice_(piece, [0] * x.ndim, sizes, strides)
    return piece, tuple(parts), starts


def put_back(x: Any, index: Any, piece: Any, starts: list[Any]) -> Any:
    """An array with a piece that `cut` gave replaced.

    Parameters
    ----------
    x, piece : Array or tracer
        The array, and the new piece.
    index : object
        From which the piece was cut.
    starts : list
        Where the piece begins.
    """
    parts = index if isinstance(index, tuple) else (index,)
    if any(type(p) is Slice and p.stride != 1 for p in parts):
        raise UnsupportedError(
            "x.at[ds(start, size, stride)]: an update needs stride 1. Give the indices as an "
            "array, start + stride * jnp.arange(size)."
        )
    return dynamic_update_slice(x, piece, starts)
