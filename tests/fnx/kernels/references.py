"""Independent references for the kernels, in NumPy and plain Python: slow and obvious."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

Array = np.ndarray


def wide(array: Array) -> Array:
    """An array in a dtype that loses nothing when its products are added."""
    if array.dtype.kind == "c":
        return array.astype(np.complex128)
    if array.dtype.kind in "biu":
        return array.astype(np.int64)
    return array.astype(np.float64)


def convolution(x: Array, w: Array, params: dict[str, Any]) -> Array:
    """conv_general_dilated by its definition, in `wide` arithmetic."""
    lhs_spec, rhs_spec, out_spec = params["dimension_numbers"]
    x, w = wide(x.transpose(lhs_spec)), wide(w.transpose(rhs_spec))
    x = _dilated(x, params["lhs_dilation"])
    x = _padded(x, params["padding"])
    spans = [(n - 1) * d + 1 for n, d in zip(w.shape[2:], params["rhs_dilation"], strict=True)]
    extents = [
        (n - k) // s + 1 if n >= k else 0
        for n, k, s in zip(x.shape[2:], spans, params["window_strides"], strict=True)
    ]
    features, batches = params["feature_group_count"], params["batch_group_count"]
    groups = max(features, batches)
    y = np.zeros((x.shape[0] // batches, w.shape[0], *extents), x.dtype)
    for group in range(groups):
        own = np.split(x, groups, axis=1 if features > 1 else 0)[group]
        filters = np.split(w, groups)[group]
        kernels = slice(group * len(filters), (group + 1) * len(filters))
        for tap in itertools.product(*(range(n) for n in w.shape[2:])):
            at = tuple(
                slice(k * d, k * d + (n - 1) * s + 1 if n else 0, s)
                for k, d, n, s in zip(
                    tap, params["rhs_dilation"], extents, params["window_strides"], strict=True
                )
            )
            y[:, kernels] += np.einsum("nc...,oc->no...", own[(..., *at)], filters[(..., *tap)])
    return y.transpose(np.argsort(out_spec))


def winners(operand: Array, params: dict[str, Any]) -> list[tuple[tuple[int, ...], Any]]:
    """For every window its position and that of its winner in the operand, or None."""
    found = []
    for window in np.ndindex(*_window_extents(operand.shape, params)):
        best: tuple[int, ...] | None = None
        for tap in np.ndindex(*params["window_dimensions"]):
            place = _element(operand.shape, params, window, tap)
            if place is None:
                continue
            value = operand[place]
            if best is None or _beats(value, operand[best], params["select_prim"]):
                best = place
        found.append((window, best))
    return found


def scatter_to_winners(source: Array, operand: Array, params: dict[str, Any]) -> Array:
    """select_and_scatter_add by its definition."""
    out = np.zeros(operand.shape, wide(source).dtype)
    for window, winner in winners(operand, params):
        if winner is not None:
            out[winner] += source[window]
    return out


def window_shape(shape: tuple[int, ...], params: dict[str, Any]) -> tuple[int, ...]:
    """How many windows there are along each axis."""
    return tuple(_window_extents(shape, params))


def _beats(value: Any, best: Any, select: str) -> bool:
    if np.isnan(best):
        return False
    return bool(np.isnan(value) or (value > best if select == "ge" else value < best))


def _element(
    shape: tuple[int, ...], params: dict[str, Any], window: tuple[int, ...], tap: tuple[int, ...]
) -> tuple[int, ...] | None:
    place = []
    for axis, n in enumerate(shape):
        at = window[axis] * params["window_strides"][axis]
        at += tap[axis] * params["window_dilation"][axis] - params["padding"][axis][0]
        index, hole = divmod(at, params["base_dilation"][axis])
        if hole or not 0 <= index < n:
            return None
        place.append(index)
    return tuple(place)


def _window_extents(shape: tuple[int, ...], params: dict[str, Any]) -> list[int]:
    extents = []
    for axis, n in enumerate(shape):
        room = (n - 1) * params["base_dilation"][axis] + 1 + sum(params["padding"][axis])
        size = params["window_dimensions"][axis]
        room -= (size - 1) * params["window_dilation"][axis] + 1
        extents.append(room // params["window_strides"][axis] + 1 if room >= 0 else 0)
    return extents


def _dilated(x: Array, dilation: tuple[int, ...]) -> Array:
    shape = [max(0, (n - 1) * d + 1) for n, d in zip(x.shape[2:], dilation, strict=True)]
    out = np.zeros((*x.shape[:2], *shape), x.dtype)
    out[(..., *(slice(None, None, d) for d in dilation))] = x
    return out


def _padded(x: Array, padding: tuple[tuple[int, int], ...]) -> Array:
    widths = [(0, 0), (0, 0), *((max(low, 0), max(high, 0)) for low, high in padding)]
    out = np.pad(x, widths)
    cuts = tuple(
        slice(max(-low, 0), n - max(-high, 0))
        for n, (low, high) in zip(out.shape[2:], padding, strict=True)
    )
    return out[(..., *cuts)]
