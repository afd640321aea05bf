"""Element rules of window reductions: which element lies under which window, and where.

What comes in: the builder, the index of a window (or of an operand's element), the parameters.
What goes out: scalar expressions for the compiler to fuse.  Read next: `windows`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from fnx.core.lowering import Element
from fnx.primitives.reductions import before, extreme, wide
from fnx.primitives.window_shapes import dilated

__all__ = ["gather_element", "scatter_element", "window_reduction_element"]

LAST = np.iinfo(np.int64).max


def window_reduction_element(operation: str) -> Element:
    """The element rule of a reduction over windows by one of the builder's operations.

    Parameters
    ----------
    operation : str
        "add", "max" or "min".
    """

    def element(b: Any, i: Any, x: Any, **params: Any) -> Any:
        dtype, windows = x.aval.dtype, b.out_aval.shape
        working = wide(dtype) if operation == "add" else dtype
        identity = 0 if operation == "add" else extreme(dtype, operation == "max")
        if 0 in x.aval.shape:
            return b.constant(identity, dtype)

        def body(*j: Any) -> Any:
            condition, index = _under(b, i, j, x.aval.shape, windows, **params)
            value = _read(b, condition, x, index, b.constant(identity, dtype))
            return value if working == dtype else b.convert(value, working)

        total = b.reduce(operation, working, _inner(params["window_dimensions"]), body)
        return total if working == dtype else b.convert(total, dtype)

    return Element(element, "reduce")


def gather_element(
    b: Any, i: Any, tangents: Any, operand: Any, *, select_prim: str, **params: Any
) -> Any:
    """The element rule of `select_and_gather_add`."""
    if 0 in operand.aval.shape:
        return b.constant(0, tangents.aval.dtype)
    windows = b.out_aval.shape
    return _winner(b, i, operand, tangents, windows, select_prim == "ge", params)[2]


def scatter_element(
    b: Any,
    i: Any,
    source: Any,
    operand: Any,
    *,
    select_prim: str,
    window_dimensions: tuple[int, ...],
    window_strides: tuple[int, ...],
    padding: tuple[tuple[int, int], ...],
    base_dilation: tuple[int, ...],
    window_dilation: tuple[int, ...],
) -> Any:
    """The element rule of `select_and_scatter_add`: each element asks whose winner it is."""
    # Element q of the operand is under element j of window o where o * stride = q * base + low - j
    # * spacing.
    shape, windows, dtype = operand.aval.shape, source.aval.shape, source.aval.dtype
    params: dict[str, Any] = {
        "window_dimensions": window_dimensions,
        "window_strides": window_strides,
        "padding": padding,
        "base_dilation": base_dilation,
        "window_dilation": window_dilation,
    }
    if 0 in windows:
        return b.constant(0, dtype)
    if not shape:
        return source()
    working = wide(dtype)

    def body(*j: Any) -> Any:
        conditions: list[Any] = []
        window: list[Any] = []
        flat = b.constant(0, np.int64)
        inner = iter(j)
        for axis, n in enumerate(shape):
            k, stride, (low, _) = window_dimensions[axis], window_strides[axis], padding[axis]
            base, spacing = base_dilation[axis], window_dilation[axis]
            behind = max((k - 1) * spacing - low, 0)
            lift = -(-behind // stride)  # keeps the dividend from being negative
            start = low + lift * stride
            position: Any = start if n == 1 else i[axis] * base + start
            if k != 1:
                step = next(inner)
                position = position - step * spacing
                flat = b.add(b.mul(flat, k), step)
            if stride > 1:
                conditions.append(b.eq(b.from_index(position % stride, np.int64), 0))
                position = position // stride
            place = position - lift
            if isinstance(place, int):
                if not 0 <= place < windows[axis]:
                    conditions.append(b.constant(False, np.bool_))
            else:
                conditions.append(b.inside(place, windows[axis]))
            window.append(0 if windows[axis] == 1 else place)

        def read() -> Any:
            at = _winner(b, window, operand, None, windows, select_prim == "ge", params)[1]
            value = b.select(b.eq(at, flat), source(*window), b.constant(0, dtype))
            return value if working == dtype else b.convert(value, working)

        condition = _all(b, conditions)
        return read() if condition is None else b.guarded(condition, read, b.constant(0, working))

    total = b.reduce("add", working, _inner(window_dimensions), body)
    return total if working == dtype else b.convert(total, dtype)


# ---------------------------------------------------------------------------------------- positions


def _under(
    b: Any,
    i: Sequence[Any],
    j: Sequence[Any],
    shape: Sequence[int],
    windows: Sequence[int],
    *,
    window_dimensions: tuple[int, ...],
    window_strides: tuple[int, ...],
    padding: tuple[tuple[int, int], ...],
    base_dilation: tuple[int, ...],
    window_dilation: tuple[int, ...],
) -> tuple[Any, list[Any]]:
    """Where window element `j` of window `i` lies in the operand, and when it does.

    It doesn't in padding, nor in a hole.  The condition is None where it always holds.
    """
    conditions: list[Any] = []
    index: list[Any] = []
    inner = iter(j)
    for axis, n in enumerate(shape):
        k, stride, (low, _) = window_dimensions[axis], window_strides[axis], padding[axis]
        base, spacing = base_dilation[axis], window_dilation[axis]
        lift = -(-max(low, 0) // base)  # keeps the dividend from being negative
        shift = lift * base - low if base > 1 else -low
        position: Any = shift if windows[axis] == 1 else i[axis] * stride + shift
        if k != 1:
            position = next(inner) * spacing + position
        if base > 1:
            conditions.append(b.eq(b.from_index(position % base, np.int64), 0))
            position = position // base - lift
        last = (windows[axis] - 1) * stride + (k - 1) * spacing - low
        if isinstance(position, int):
            if not 0 <= position < n:
                conditions.append(b.constant(False, np.bool_))
        elif low > 0 or last > dilated(n, base) - 1:
            conditions.append(b.inside(position, n))
        index.append(0 if n == 1 else position)
    return _all(b, conditions), index


def _inner(window_dimensions: Sequence[int]) -> tuple[int, ...]:
    return tuple(k for k in window_dimensions if k != 1)


def _all(b: Any, conditions: Sequence[Any]) -> Any:
    if not conditions:
        return None
    result = conditions[0]
    for condition in conditions[1:]:
        result = b.and_(result, condition)
    return result


def _read(b: Any, condition: Any, x: Any, index: Sequence[Any], otherwise: Any) -> Any:
    return x(*index) if condition is None else b.guarded(condition, lambda: x(*index), otherwise)


def _winner(
    b: Any,
    i: Sequence[Any],
    x: Any,
    payload: Any,
    windows: Sequence[int],
    larger: bool,
    params: dict[str, Any],
) -> tuple[Any, Any, Any]:
    """Value and place (in the window) of the winner of window `i`, and the payload's element."""
    dtype = x.aval.dtype
    extents = _inner(params["window_dimensions"])
    lowest = b.constant(extreme(dtype, larger), dtype)
    last = b.constant(LAST, np.int64)
    zero = b.constant(0, np.int64 if payload is None else payload.aval.dtype)

    def body(*j: Any) -> Any:
        condition, index = _under(b, i, j, x.aval.shape, windows, **params)
        place = b.constant(0, np.int64)
        for position, k in zip(j, extents, strict=True):
            place = b.add(b.mul(place, k), position)
        if condition is not None:  # padding loses against equals
            place = b.select(condition, place, last)
        carried = zero if payload is None else _read(b, condition, payload, index, zero)
        return _read(b, condition, x, index, lowest), place, carried

    def combine(b: Any, left: Any, right: Any) -> Any:
        wins = before(b, larger, left[:2], right[:2])
        return tuple(b.select(wins, p, q) for p, q in zip(left, right, strict=True))

    return b.reduce_many(combine, (lowest, last, zero), extents, body)
