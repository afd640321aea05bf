"""How window reductions are evaluated with NumPy.

Sum, max and min are done axis by axis (a window is a product of intervals), one vectorised
operation for each element of the interval.  The winners of windows are found by passing over the
elements of the window in order. Read next: `windows`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided

from fnx.dtypes import kind_of
from fnx.primitives.convolution_evaluate import dilate_and_pad
from fnx.primitives.reductions import extreme, wide
from fnx.primitives.window_shapes import window_extents

__all__ = ["evaluate_gather", "evaluate_scatter", "evaluate_window_reduction"]

NDArray = np.ndarray[Any, Any]
Pads = tuple[tuple[int, int], ...]
#: Above this extent, and when windows are fewer than that, an interval is reduced by one call.
LONG_INTERVAL = 32


def evaluate_window_reduction(
    ufunc: np.ufunc,
    x: NDArray,
    identity: Any,
    *,
    window_dimensions: tuple[int, ...],
    window_strides: tuple[int, ...],
    padding: Pads,
    base_dilation: tuple[int, ...],
    window_dilation: tuple[int, ...],
) -> NDArray:
    """Reduce every window by a ufunc whose identity fills padding and holes."""
    dtype = x.dtype
    extents = window_extents(
        x.shape, window_dimensions, window_strides, padding, base_dilation, window_dilation
    )
    if ufunc is np.add:
        x = x.astype(wide(dtype), copy=False)
    if 0 in extents:
        return np.empty(extents, dtype)
    x = dilate_and_pad(x, base_dilation, padding, identity)
    out = _reduce_axes(ufunc, x, extents, window_dimensions, window_strides, window_dilation)
    return np.asarray(out).astype(dtype, copy=False)


def _reduce_axes(
    ufunc: np.ufunc,
    x: NDArray,
    extents: Sequence[int],
    window: Sequence[int],
    strides: Sequence[int],
    spacing: Sequence[int],
) -> NDArray:
    for axis, count in enumerate(extents):
        x = _reduce_axis(ufunc, x, axis, count, window[axis], strides[axis], spacing[axis])
    return x


def _reduce_axis(
    ufunc: np.ufunc, x: NDArray, axis: int, count: int, size: int, stride: int, spacing: int
) -> NDArray:
    if size > LONG_INTERVAL > count:
        step = x.strides[axis]
        shape = (*x.shape[:axis], count, *x.shape[axis + 1 :], size)
        strides = (*x.strides[:axis], step * stride, *x.strides[axis + 1 :], step * spacing)
        windows = as_strided(x, shape, strides, writeable=False)
        return np.asarray(ufunc.reduce(windows, axis=-1, dtype=x.dtype))
    total: Any = None
    before = (slice(None),) * axis
    for k in range(size):
        start = k * spacing
        piece = x[(*before, slice(start, start + (count - 1) * stride + 1, stride))]
        if total is None:
            total = piece
        elif k == 1:
            total = ufunc(total, piece)
        else:
            ufunc(total, piece, out=total)
    return total


def _pieces(
    x: NDArray,
    extents: Sequence[int],
    window: Sequence[int],
    strides: Sequence[int],
    spacing: Sequence[int],
) -> Iterator[tuple[Any, NDArray]]:
    """For each element of the window: where it lies in the padded array, and what's there."""
    for position in np.ndindex(*window):
        at: Any = (
            ...,  # a view, also of an array without axes
            *(
                slice(k * d, k * d + (n - 1) * s + 1, s)
                for k, n, s, d in zip(position, extents, strides, spacing, strict=True)
            ),
        )
        yield at, x[at]


def _winners(
    x: NDArray,
    larger: bool,
    extents: Sequence[int],
    window: Sequence[int],
    strides: Sequence[int],
    padding: Pads,
    base: Sequence[int],
    spacing: Sequence[int],
) -> Iterator[NDArray]:
    """For each element of the window, in order, the windows that it wins.

    The winner is the first that equals the extreme, or the first NaN."""
    filled = dilate_and_pad(x, base, padding, extreme(x.dtype, larger))
    real = None
    if filled is not x:
        real = dilate_and_pad(np.ones(x.shape, np.bool_), base, padding, False)
    best = _reduce_axes(
        np.maximum if larger else np.minimum, filled, extents, window, strides, spacing
    )
    undefined = kind_of(x.dtype) == "f" and bool(np.isnan(best).any())
    decided: Any = None
    for at, piece in _pieces(filled, extents, window, strides, spacing):
        wins = np.equal(piece, best)
        if undefined:
            wins = wins | np.isnan(piece)
        if real is not None:
            wins &= real[at]
        if decided is None:
            decided = wins.copy()
        else:
            np.greater(wins, decided, out=wins)  # and not decided before
            decided |= wins
        yield wins


def evaluate_gather(
    tangents: NDArray,
    operand: NDArray,
    *,
    select_prim: str,
    window_dimensions: tuple[int, ...],
    window_strides: tuple[int, ...],
    padding: Pads,
    base_dilation: tuple[int, ...],
    window_dilation: tuple[int, ...],
) -> NDArray:
    """The evaluate rule of `select_and_gather_add`."""
    extents = window_extents(
        operand.shape, window_dimensions, window_strides, padding, base_dilation, window_dilation
    )
    out = np.zeros(extents, tangents.dtype)
    if 0 in extents:
        return out
    shape = (extents, window_dimensions, window_strides)
    winners = _winners(
        operand, select_prim == "ge", *shape, padding, base_dilation, window_dilation
    )
    padded = dilate_and_pad(tangents, base_dilation, padding, tangents.dtype.type(0))
    for wins, (_, piece) in zip(winners, _pieces(padded, *shape, window_dilation), strict=True):
        np.copyto(out, piece, where=wins)
    return out


def evaluate_scatter(
    source: NDArray,
    operand: NDArray,
    *,
    select_prim: str,
    window_dimensions: tuple[int, ...],
    window_strides: tuple[int, ...],
    padding: Pads,
    base_dilation: tuple[int, ...],
    window_dilation: tuple[int, ...],
) -> NDArray:
    """The evaluate rule of `select_and_scatter_add`."""
    dtype, working = source.dtype, wide(source.dtype)
    if 0 in source.shape or 0 in operand.shape:
        return np.zeros(operand.shape, source.dtype)
    source = source.astype(working, copy=False)
    shape = (source.shape, window_dimensions, window_strides)
    winners = _winners(
        operand, select_prim == "ge", *shape, padding, base_dilation, window_dilation
    )
    if not any(low or high for low, high in padding) and set(base_dilation) <= {1}:
        out = np.zeros(operand.shape, working)
        for wins, (_, piece) in zip(winners, _pieces(out, *shape, window_dilation), strict=True):
            np.add(piece, source, out=piece, where=wins)
        return out.astype(dtype, copy=False)
    # One padded array whose inner part, without holes, is the result.
    index = dilate_and_pad(
        np.arange(operand.size).reshape(operand.shape), base_dilation, padding, -1
    )
    padded = np.zeros(index.shape, working)
    for wins, (_, piece) in zip(winners, _pieces(padded, *shape, window_dilation), strict=True):
        np.add(piece, source, out=piece, where=wins)
    out = np.zeros(operand.size, working)
    inside = index >= 0
    out[index[inside]] = padded[inside]
    return out.reshape(operand.shape).astype(dtype, copy=False)
