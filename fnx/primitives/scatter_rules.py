"""What all scatters have in common: types, evaluation in order, vmap, parameters.

A scatter combines windows (the updates) with an array (the operand) at places that rows of the
indices name.  Updates are taken in row-major order of the indices, whole window by whole window:
where several meet in one element, the result is as if they came one after the other, and
that order is part of the meaning.  Read next: `gathering` (scatter_add), `scattering`.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from fnx.core.types import ShapedArray
from fnx.primitives.families import check_kinds, to_front
from fnx.primitives.gather_numbers import (
    GatherScatterMode,
    Layout,
    ScatterDimensionNumbers,
    shifted,
)

__all__ = ["evaluate_scatter", "infer_scatter", "scatter_params", "scatter_vmap", "window_of"]

Axes = tuple[int, ...]


def infer_scatter(name: str, accepts: str) -> Any:
    """The infer rule of a scatter."""

    def infer(
        x: ShapedArray,
        indices: ShapedArray,
        updates: ShapedArray,
        *,
        dimension_numbers: ScatterDimensionNumbers,
        **params: Any,
    ) -> ShapedArray:
        return _scatter_type(name, accepts, x, indices, updates, dimension_numbers)

    return infer


@lru_cache(maxsize=1024)
def _scatter_type(
    name: str,
    accepts: str,
    x: ShapedArray,
    indices: ShapedArray,
    updates: ShapedArray,
    numbers: ScatterDimensionNumbers,
) -> ShapedArray:
    layout = Layout.of(name, numbers)
    check_kinds(name, accepts, [x])
    if updates.dtype != x.dtype:
        layout.fail(
            f"updates {updates!r} must have the dtype of the operand {x!r}. Convert them "
            "with `astype`."
        )
    layout.check(x, indices, updates.ndim)
    if updates.ndim != len(layout.window_dims) + indices.ndim - 1:
        layout.fail(
            f"updates {updates!r} must have {len(layout.window_dims)} window axes and the "
            f"{indices.ndim - 1} axes of {indices!r} before its last."
        )
    around = tuple([updates.shape[k] for k in layout.batch_axes(updates.ndim)])
    if around != indices.shape[:-1]:
        layout.fail(
            f"updates {updates!r} have sizes {around} around windows, but the indices "
            f"{indices!r} name windows of shape {indices.shape[:-1]}."
        )
    for axis, k in zip(layout.window_axes(x.ndim), layout.window_dims, strict=True):
        if updates.shape[k] > x.shape[axis]:
            layout.fail(
                f"axis {k} of the updates {updates!r} is longer than axis {axis} of the "
                f"operand {x!r}. A window must fit."
            )
    return ShapedArray(x.shape, x.dtype, x.weak_type and updates.weak_type)


def window_of(layout: Layout, rank: int, updates: Axes) -> Axes:
    """The windows' size along each of the operand's `rank` axes, from the shape of the updates."""
    window = [1] * rank
    for axis, k in zip(layout.window_axes(rank), layout.window_dims, strict=True):
        window[axis] = updates[k]
    return tuple(window)


def evaluate_scatter(combine: Any) -> Any:
    """The evaluate rule of a scatter.

    Parameters
    ----------
    combine : callable
        ``combine(array, positions, updates)`` changes an array of one axis in place, in order.
    """

    def evaluate(
        x: np.ndarray[Any, Any],
        indices: np.ndarray[Any, Any],
        updates: np.ndarray[Any, Any],
        *,
        dimension_numbers: ScatterDimensionNumbers,
        mode: GatherScatterMode,
        **params: Any,
    ) -> np.ndarray[Any, Any]:
        layout = Layout.of("scatter", dimension_numbers)
        window = window_of(layout, x.ndim, updates.shape)
        positions, valid = layout.flat_positions(indices, x.shape, window, mode)
        ordered = updates.transpose([*layout.batch_axes(updates.ndim), *layout.window_dims])
        if valid is not None:
            positions, ordered = positions[valid], ordered[valid]
        result = np.array(x, order="C")
        combine(result.reshape(-1), positions.reshape(-1), ordered.reshape(-1))
        return result

    return evaluate


def scatter_vmap(primitive_of: Any) -> Any:
    """The vmap rule of a scatter."""

    def vmap(
        size: int,
        args: Sequence[Any],
        dims: Sequence[Any],
        *,
        dimension_numbers: ScatterDimensionNumbers,
        **params: Any,
    ) -> tuple[Any, int]:
        (x, indices, updates), (dim, indices_dim, updates_dim) = args, dims
        d = dimension_numbers
        window_dims = shifted(d.update_window_dims)
        indices_batching = d.scatter_indices_batching_dims
        batching = shifted(d.operand_batching_dims)
        x, updates = to_front(x, dim, size), to_front(updates, updates_dim, size)
        if indices_dim is None:  # all lanes are in each window
            window_dims = (0, *window_dims)
        else:
            indices = to_front(indices, indices_dim, size)
            batching, indices_batching = (0, *batching), (0, *shifted(indices_batching))
        numbers = ScatterDimensionNumbers(
            window_dims,
            shifted(d.inserted_window_dims),
            shifted(d.scatter_dims_to_operand_dims),
            batching,
            indices_batching,
        )
        return primitive_of()(x, indices, updates, dimension_numbers=numbers, **params), 0

    return vmap


def scatter_params(
    dimension_numbers: ScatterDimensionNumbers,
    indices_are_sorted: bool,
    unique_indices: bool,
    mode: str | GatherScatterMode | None,
) -> dict[str, Any]:
    """The parameters of a scatter, normalised."""
    return {
        "dimension_numbers": dimension_numbers,
        "indices_are_sorted": bool(indices_are_sorted),
        "unique_indices": bool(unique_indices),
        "mode": GatherScatterMode.from_any(mode),
    }
