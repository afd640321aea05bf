"""The planner of scatters: windows combined with an array at places that indices name.

Updates are taken in row-major order of the indices, so results do not depend on threads: the
parallel axis is one along which every window has the operand's full extent, cut into blocks, and
each unit of work walks all windows in order.  ``plan`` is made for each way to combine.
Read next: source/scatter.py.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import Any

from fnx.kernels.calls import KernelCall, KernelPlan, Operand, Planner, grain
from fnx.kernels.copying import copy_call
from fnx.kernels.plan_runner import Word, buffer

__all__ = ["COMBINATIONS", "planner"]

COMBINATIONS = ("set", "add", "mul", "min", "max")
_BLOCK = 256  # elements of the parallel axis that a unit of work does


def planner(combination: str) -> Planner:
    """The planner of a scatter that combines by ``"set"``, ``"add"``, ``"mul"``, ..."""
    if combination not in COMBINATIONS:
        raise ValueError(f"scatter: {combination!r} is none of {', '.join(COMBINATIONS)}.")
    return functools.partial(_plan, combination)


def _plan(
    combination: str,
    operands: Sequence[Operand],
    results: Sequence[Operand],
    params: Mapping[str, Any],
) -> KernelPlan:
    x, indices, updates = operands
    result = results[0]
    if x.size == 0:
        return KernelPlan(())
    calls = [
        copy_call(buffer(0), x.dtype.name, x.strides, buffer(3), x.dtype.name, result.strides,
                  x.shape)
    ]  # fmt: skip
    if updates.size:
        calls.append(_combine_call(combination, x, indices, updates, result, params))
    return KernelPlan(tuple(calls))


def _combine_call(
    combination: str,
    x: Operand,
    indices: Operand,
    updates: Operand,
    result: Operand,
    params: Mapping[str, Any],
) -> KernelCall:
    numbers = params["dimension_numbers"]
    batching, indices_batching = (
        numbers.operand_batching_dims, numbers.scatter_indices_batching_dims
    )  # fmt: skip
    rank, window_dims = len(x.shape), numbers.update_window_dims
    missing = {*numbers.inserted_window_dims, *batching}
    window_axes = [axis for axis in range(rank) if axis not in missing]
    extents = [1] * rank
    for axis, dim in zip(window_axes, window_dims, strict=True):
        extents[axis] = updates.shape[dim]
    windows = [
        (updates.shape[dim], result.strides[axis], updates.strides[dim])
        for axis, dim in zip(window_axes, window_dims, strict=True)
    ]
    mapped = set(numbers.scatter_dims_to_operand_dims)
    lane = _lane(x, window_axes, extents, mapped)
    lanes = (1, 0, 0) if lane is None else windows.pop(window_axes.index(lane))
    around = [dim for dim in range(len(updates.shape)) if dim not in window_dims]
    rows: list[Word] = []
    for position, dim in enumerate(around):
        own = 0
        if position in indices_batching:
            own = result.strides[batching[indices_batching.index(position)]]
        rows += [updates.shape[dim], updates.strides[dim], own, indices.strides[position]]
    coordinates: list[Word] = []
    for axis in numbers.scatter_dims_to_operand_dims:
        coordinates += [result.strides[axis], x.shape[axis] - extents[axis]]
    drops = getattr(params["mode"], "value", params["mode"]) == "fill"
    block = min(_BLOCK, lanes[0])
    words: list[Word] = [
        buffer(3), buffer(1), buffer(2), int(drops), *lanes, block, indices.strides[-1],
        len(around), len(coordinates) // 2, len(windows), *rows, *coordinates,
    ]  # fmt: skip
    for window in windows:
        words += window
    units = -(-lanes[0] // block)
    variant = f"{combination}-{x.dtype.name}-{indices.dtype.name}"
    chunk = grain(units, updates.size / units)
    return KernelCall(f"scatter:{variant}/scatter", tuple(words), units, chunk)


def _lane(
    x: Operand, window_axes: Sequence[int], extents: Sequence[int], mapped: set[int]
) -> int | None:
    """The longest axis along which every window has the operand's whole extent."""
    whole = [
        axis
        for axis in window_axes
        if extents[axis] == x.shape[axis] and axis not in mapped and x.shape[axis] > 1
    ]
    # One that is contiguous is best, then the longest.
    return max(whole, key=lambda axis: (x.strides[axis] == 1, x.shape[axis]), default=None)
