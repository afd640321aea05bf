"""The cases that gather and the scatters are tested on: every kind of dimension numbers.

Windows with and without missing axes, several coordinates in any order, batching axes, empty
arrays and no coordinates at all; indices in and out of bounds, of several types.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from fnx.core.primitive import Sample
from fnx.primitives.gather_numbers import (
    GatherDimensionNumbers,
    GatherScatterMode,
    Layout,
    ScatterDimensionNumbers,
)
from fnx.primitives.samplers import arrays

__all__ = ["gather_samples", "scatter_samples"]

Axes = tuple[int, ...]
FILL = GatherScatterMode.FILL_OR_DROP
_MODES = (FILL, GatherScatterMode.CLIP, GatherScatterMode.PROMISE_IN_BOUNDS)

#: operand's shape, shape of indices, (window axes, missing, coordinates, batching, of the indices),
#: window sizes.
CASES: tuple[tuple[Axes, Axes, tuple[Axes, ...], Axes], ...] = (
    ((5,), (3, 1), ((), (0,), (0,)), (1,)),
    ((5,), (1,), ((0,), (), (0,)), (3,)),
    ((5,), (0, 1), ((), (0,), (0,)), (1,)),
    ((4, 3), (2, 1), ((1,), (0,), (0,)), (1, 3)),
    ((4, 3), (2, 1), ((0,), (1,), (1,)), (4, 1)),
    ((4, 3), (5, 2), ((), (0, 1), (1, 0)), (1, 1)),
    ((4, 3, 2), (2, 3, 2), ((0, 2), (1,), (1, 2)), (4, 1, 1)),
    ((4, 5), (2, 2), ((1, 2), (), (0, 1)), (3, 2)),
    ((3, 4), (3, 1), ((), (1,), (1,), (0,), (0,)), (1, 1)),
    ((2, 3, 4), (3, 2, 1), ((1,), (), (2,), (0, 1), (1, 0)), (1, 1, 2)),
    ((1, 3), (2, 2), ((1,), (0,), (0, 1)), (1, 2)),
    ((4, 0), (2, 1), ((1,), (0,), (0,)), (1, 0)),
    ((3,), (2, 0), ((1,), (), ()), (2,)),
    ((2, 3), (2, 2), ((0, 2), (), (0, 1)), (2, 3)),
)


def _indices(
    rng: np.random.Generator, case: Any, dtype: Any, mode: GatherScatterMode
) -> np.ndarray[Any, Any]:
    """Random rows for a case; some windows are out of bounds, unless the mode promises."""
    shape, indices_shape, numbers, sizes = case
    limits = np.array([shape[axis] - sizes[axis] for axis in numbers[2]], np.int64)
    low, high = np.zeros_like(limits), limits + 1
    if mode is not GatherScatterMode.PROMISE_IN_BOUNDS:
        high = high + 2
        low = low if np.dtype(dtype).kind == "u" else low - 2
    return rng.integers(low, high, indices_shape).astype(dtype)


def gather_samples(rng: np.random.Generator) -> Any:
    def sample(case: Any, dtype: Any, index_dtype: Any, mode: Any, fill: Any) -> Sample:
        shape, _, numbers, sizes = case
        indices = _indices(rng, case, index_dtype, mode)
        params = {
            "dimension_numbers": GatherDimensionNumbers(*numbers),
            "slice_sizes": sizes,
            "indices_are_sorted": False,
            "unique_indices": False,
            "mode": mode,
            "fill_value": fill,
        }
        linear_in = (0,) if fill == 0 else ()
        args = (arrays(rng, shape, dtype), indices)
        return Sample(args, params, linear_in, smooth=fill == fill)  # NaN - NaN is no difference

    for case in CASES:
        for mode in _MODES:
            yield sample(case, np.float64, np.int32, mode, 0)
    for dtype, fill in (
        (np.float64, float("nan")), (np.float64, 7.5), (np.float32, float("nan")),
        (np.int32, -(2**31)), (np.uint8, 255), (np.bool_, True), (np.complex128, 0),
    ):  # fmt: skip
        for case in (CASES[3], CASES[7]):
            yield sample(case, dtype, np.int32, FILL, fill)
    for index_dtype in (np.int8, np.uint8, np.uint32, np.int64, np.uint64):
        for mode in _MODES:
            yield sample(CASES[6], np.float64, index_dtype, mode, 0)


def scatter_samples(accepts: Sequence[Any], linear_in: Axes, unique: bool = False) -> Any:
    """A sampler of a scatter.

    Parameters
    ----------
    accepts : sequence of dtype
        The first one gets all the cases.
    linear_in : tuple of int
        Operands that it is linear in, together.
    unique : bool
        Whether windows must not overlap.
    """

    def make(rng: np.random.Generator, case: Any, dtype: Any, index: Any, mode: Any) -> Sample:
        shape, indices_shape, numbers, sizes = case
        params = {
            "dimension_numbers": ScatterDimensionNumbers(*numbers),
            "indices_are_sorted": False,
            "unique_indices": unique,
            "mode": mode,
        }
        indices = _indices(rng, case, index, mode)
        layout = Layout.of("scatter", params["dimension_numbers"])
        window = iter([sizes[k] for k in layout.window_axes(len(shape))])
        batch = iter(indices_shape[:-1])
        rank = len(layout.window_dims) + len(indices_shape) - 1
        updates = [next(window) if k in layout.window_dims else next(batch) for k in range(rank)]
        if unique:
            indices = _separate(layout, indices, shape, sizes)
        args = (arrays(rng, shape, dtype), indices, arrays(rng, updates, dtype))
        return Sample(args, params, linear_in)

    def sample(rng: np.random.Generator) -> Any:
        for case in CASES:
            for mode in (FILL,) if unique else _MODES:
                yield make(rng, case, accepts[0], np.int32, mode)
        for dtype in accepts[1:]:
            for case in (CASES[3], CASES[7]):
                yield make(rng, case, dtype, np.int32, FILL)
        for index in (np.int8, np.uint8, np.uint32, np.uint64):
            yield make(rng, CASES[6], accepts[0], index, FILL)

    return sample


def _separate(layout: Layout, indices: Any, shape: Axes, sizes: Axes) -> np.ndarray[Any, Any]:
    """Indices of windows that don't overlap: those that would are moved out of bounds."""
    positions, _ = layout.flat_positions(indices, shape, sizes, GatherScatterMode.CLIP)
    rows = positions.reshape(math.prod(indices.shape[:-1]), -1)
    flat = indices.reshape(len(rows), -1).copy()
    seen: set[int] = set()
    for k, row in enumerate(rows):
        if seen.intersection(row.tolist()):
            flat[k] = np.iinfo(flat.dtype).max
        else:
            seen.update(row.tolist())
    return flat.reshape(indices.shape)
