"""How convolutions are evaluated with NumPy: gather windows, multiply by BLAS.

What comes in: ndarrays and the parameters of `conv_general_dilated`.  What goes out: its result.
Windows are gathered a few rows at a time, so that memory stays bounded and the copy is read from
the cache; narrow groups (depthwise convolution) are multiplied by broadcasting.  Read next:
`convolution`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided

from fnx.primitives.contraction import working_dtype
from fnx.primitives.window_shapes import ConvDimensionNumbers, dilated, window_extents

__all__ = ["dilate_and_pad", "evaluate_convolution"]

NDArray = np.ndarray[Any, Any]
#: Elements of gathered windows held at a time; a few megabytes stay in the cache next to the
#: weights.
GATHERED = 1 << 20


def dilate_and_pad(
    x: NDArray, dilation: Sequence[int], padding: Sequence[tuple[int, int]], fill: Any
) -> NDArray:
    """A copy with holes between neighbours and a border, both filled.

    A negative border cuts.  If nothing changes it's `x` itself.

    Parameters
    ----------
    x : ndarray
        Any dtype.
    dilation : sequence of int
        For each axis, 1 for no holes.
    padding : sequence of pairs of int
        For each axis.
    fill : scalar
        What goes into the new places.
    """
    if all(d == 1 for d in dilation) and not any(low or high for low, high in padding):
        return x
    sizes = [dilated(n, d) + lo + hi for n, d, (lo, hi) in zip(x.shape, dilation, padding)]
    out = np.full([max(n, 0) for n in sizes], fill, x.dtype)
    into, source = [], []
    for n, d, (low, _), size in zip(x.shape, dilation, padding, sizes):
        first = max(0, -(low // d))  # the first element with low + first * d >= 0
        last = min(n, -((low - size) // d))  # one beyond the last with low + k * d < size
        last = max(last, first)
        start = low + first * d
        into.append(slice(start, start + (last - first) * d if last > first else start, d))
        source.append(slice(first, last))
    out[tuple(into)] = x[tuple(source)]
    return out


def evaluate_convolution(
    x: NDArray,
    w: NDArray,
    *,
    window_strides: tuple[int, ...],
    padding: tuple[tuple[int, int], ...],
    lhs_dilation: tuple[int, ...],
    rhs_dilation: tuple[int, ...],
    dimension_numbers: ConvDimensionNumbers,
    feature_group_count: int,
    batch_group_count: int,
    precision: Any,
    preferred_element_type: Any,
) -> NDArray:
    """The evaluate rule of `conv_general_dilated`."""
    lhs_spec, rhs_spec, out_spec = dimension_numbers
    dtype = x.dtype if preferred_element_type is None else preferred_element_type
    working = working_dtype(x.dtype, w.dtype, dtype)
    # Features last on the left, and (window, input feature, output feature) on the right.
    x = x.transpose((lhs_spec[0], *lhs_spec[2:], lhs_spec[1])).astype(working, copy=False)
    w = w.transpose((*rhs_spec[2:], rhs_spec[1], rhs_spec[0])).astype(working, copy=False)
    groups = feature_group_count
    if batch_group_count > 1:  # groups of the batch are groups of features of a smaller batch
        groups = batch_group_count
        x = np.moveaxis(x.reshape((groups, x.shape[0] // groups, *x.shape[1:])), 0, -2)
        x = x.reshape((*x.shape[:-2], groups * x.shape[-1]))
    edge = (0, 0)
    x = dilate_and_pad(x, (1, *lhs_dilation, 1), (edge, *padding, edge), working.type(0))
    window, strides = w.shape[:-2], x.strides
    ones = (1,) * len(window)
    extents = window_extents(
        x.shape[1:-1], window, window_strides, [edge] * len(window), ones, rhs_dilation
    )
    if 0 in x.shape:
        windows = np.zeros((x.shape[0], *extents, *window, x.shape[-1]), working)
    else:
        windows = as_strided(
            x,
            (x.shape[0], *extents, *window, x.shape[-1]),
            (
                strides[0],
                *[s * n for s, n in zip(strides[1:-1], window_strides)],
                *[s * n for s, n in zip(strides[1:-1], rhs_dilation)],
                strides[-1],
            ),
            writeable=False,
        )
    out = np.empty((x.shape[0], *extents, w.shape[-1]), working)
    if groups == 1:
        _multiply_rows(windows, w.reshape((math.prod(w.shape[:-1]), w.shape[-1])), out, len(window))
    else:
        _multiply_groups(windows, w, out, len(window), groups)
    order = [0] * out.ndim
    for place, axis in enumerate((out_spec[0], *out_spec[2:], out_spec[1])):
        order[axis] = place
    return out.transpose(order).astype(dtype, copy=False)


def _multiply_rows(windows: NDArray, w: NDArray, out: NDArray, spatial: int) -> None:
    """Multiply gathered windows of some images, or some rows of one, by the weights."""
    if out.size == 0 or len(w) == 0:
        out[...] = 0
        return
    row = w.shape[0] * math.prod(out.shape[2:-1])
    image = row * (out.shape[1] if spatial else 1)
    step = max(1, GATHERED // max(image, 1))
    for n in range(0, len(out), step):
        source, target = windows[n : n + step], out[n : n + step]
        if step > 1 or image <= GATHERED or not spatial:
            np.matmul(source.reshape((-1, w.shape[0])), w, out=target.reshape((-1, w.shape[1])))
            continue
        rows = max(1, GATHERED // max(row, 1))
        for r in range(0, out.shape[1], rows):
            part = target[0, r : r + rows]
            np.matmul(
                source[0, r : r + rows].reshape((-1, w.shape[0])),
                w,
                out=part.reshape((-1, w.shape[1])),
            )


def _multiply_groups(windows: NDArray, w: NDArray, out: NDArray, spatial: int, groups: int) -> None:
    """The same for each group of features: narrow ones by broadcasting, else by products."""
    inner, outer = w.shape[-2], w.shape[-1] // groups
    window = w.shape[:spatial]
    grouped = windows.reshape((*windows.shape[:-1], groups, inner)) if inner > 1 else None
    into = out.reshape((*out.shape[:-1], groups, outer))
    weights = w.reshape((*window, inner, groups, outer))
    if inner * outer <= 4:
        into[...] = 0
        for position in np.ndindex(*window):
            at = (Ellipsis, *position, slice(None))
            for k in range(inner):
                values = windows[at] if grouped is None else grouped[(*at, slice(None))][..., k]
                into += values[..., None] * weights[position][k]
        return
    for g in range(groups):
        features = windows[..., g * inner : (g + 1) * inner]
        part = np.empty((*out.shape[:-1], outer), out.dtype)
        _multiply_rows(
            features,
            np.ascontiguousarray(weights[..., g, :]).reshape((math.prod(window) * inner, outer)),
            part,
            spatial,
        )
        into[..., g, :] = part
