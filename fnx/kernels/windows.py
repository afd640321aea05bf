"""The planner of select_and_scatter_add, the adjoint of max and min over windows.

Axes without a window are independent of each other; the others, four at most, are walked window
by window.  A unit of work owns some of the independent positions, so units never add to the same
element.  Half types are added in float32 and rounded once.  Read next: source/windows.py.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from fnx.kernels.calls import KernelCall, KernelPlan, Operand, Workspace, grain
from fnx.kernels.copying import copy_call
from fnx.kernels.plan_runner import Reference, Word, buffer, pool_block

__all__ = ["MOST_WINDOWED", "plan_scatter"]

MOST_WINDOWED = 4
MOST_INDEPENDENT = 6
_LANES = 64  # independent elements side by side that a unit works on at once
_HALVES = ("float16", "bfloat16")
_FEWEST_LANES = 16  # for which an axis is moved to the end
_WORTH_MOVING = 4096  # elements from which the copies cost less than they save


def plan_scatter(
    operands: Sequence[Operand], results: Sequence[Operand], params: Mapping[str, Any]
) -> KernelPlan:
    """Plan a select_and_scatter_add of contiguous (source, operand)."""
    source, operand = operands
    result = results[0]
    if result.size == 0:
        return KernelPlan(())
    space = Workspace()
    dtype = source.dtype.name
    if dtype not in _HALVES:
        axis = _lane_axis(operand, params)
        if axis is not None and source.size:
            return _side_by_side(source, operand, params, axis)
        calls = _scatter_calls(buffer(0), buffer(1), buffer(2), dtype, source, operand, params)
        return KernelPlan(tuple(calls), 0)
    wide_source, wide_result = space.take(source.size, 4), space.take(result.size, 4)
    calls = []
    if source.size:
        calls.append(
            copy_call(buffer(0), dtype, source.strides, wide_source, "float32", source.strides,
                      source.shape)
        )  # fmt: skip
    calls += _scatter_calls(wide_source, buffer(1), wide_result, "float32", source, operand, params)
    calls.append(
        copy_call(wide_result, "float32", result.strides, buffer(2), dtype, result.strides,
                  result.shape)
    )  # fmt: skip
    return KernelPlan(tuple(calls), space.size)


def _lane_axis(operand: Operand, params: Mapping[str, Any]) -> int | None:
    """The independent axis that is worth being moved to the end, to be walked side by side."""
    rank = len(operand.shape)
    independent = [axis for axis in range(rank) if _is_independent(params, axis)]
    if not independent or independent[-1] == rank - 1 or operand.size < _WORTH_MOVING:
        return None
    axis = max(independent, key=lambda axis: operand.shape[axis])
    return axis if operand.shape[axis] >= _FEWEST_LANES else None


def _side_by_side(
    source: Operand, operand: Operand, params: Mapping[str, Any], axis: int
) -> KernelPlan:
    """The same on copies with an axis moved to the end, and the result moved back."""
    order = [k for k in range(len(operand.shape)) if k != axis] + [axis]
    space = Workspace()
    calls: list[KernelCall] = []
    places: list[Reference] = []
    moved: list[Operand] = []
    for position, given in enumerate((source, operand)):
        laid = Operand.contiguous([given.shape[k] for k in order], given.dtype)
        place = space.take(given.size, given.dtype.itemsize)
        strides, name = [given.strides[k] for k in order], given.dtype.name
        calls.append(
            copy_call(buffer(position), name, strides, place, name, laid.strides, laid.shape)
        )
        places.append(place)
        moved.append(laid)
    changed = {
        name: tuple([value[k] for k in order]) if isinstance(value, tuple) else value
        for name, value in params.items()
    }
    dtype = source.dtype.name
    result = space.take(operand.size, source.dtype.itemsize)
    calls += _scatter_calls(places[0], places[1], result, dtype, moved[0], moved[1], changed)
    back = Operand.contiguous(operand.shape, source.dtype)
    calls.append(
        copy_call(
            result,
            dtype,
            moved[1].strides,
            buffer(2),
            dtype,
            [back.strides[k] for k in order],
            moved[1].shape,
        )  # fmt: skip
    )
    return KernelPlan(tuple(calls), space.size)


def _scatter_calls(
    source_place: Reference,
    operand_place: Reference,
    result_place: Reference,
    dtype: str,
    source: Operand,
    operand: Operand,
    params: Mapping[str, Any],
) -> list[KernelCall]:
    rank = len(operand.shape)
    windowed = [axis for axis in range(rank) if not _is_independent(params, axis)]
    if len(windowed) > MOST_WINDOWED:
        raise NotImplementedError(
            f"select_and_scatter_add: windows along {len(windowed)} axes, the kernel takes "
            f"{MOST_WINDOWED}; fold axes, or compute it with jit disabled."
        )
    independent = [axis for axis in range(rank) if axis not in windowed]
    # The last axis, if independent, is walked side by side.
    lane_axis = independent.pop() if independent and independent[-1] == rank - 1 else None
    lanes = 1 if lane_axis is None else operand.shape[lane_axis]
    outer = _merged(operand, source, independent)
    if len(outer) > MOST_INDEPENDENT:
        raise NotImplementedError(
            f"select_and_scatter_add: {len(outer)} independent axes that cannot be merged, the "
            f"kernel takes {MOST_INDEPENDENT}; fold axes."
        )
    outer = [(1, 0, 0)] * (MOST_INDEPENDENT - len(outer)) + outer
    blocks = -(-lanes // _LANES)
    words: list[Word] = [
        source_place, operand_place, result_place, pool_block(), int(params["select_prim"] == "ge"),
        lanes, min(lanes, _LANES), blocks,
    ]  # fmt: skip
    for triple in outer:
        words += triple
    for axis in [None] * (MOST_WINDOWED - len(windowed)) + windowed:
        words += _axis_words(operand, source, params, axis)
    units = math.prod(n for n, _, _ in outer) * blocks
    work = operand.size / max(1, units)
    work += source.size / max(1, units) * math.prod(params["window_dimensions"])
    variant = f"{dtype}-{operand.dtype.name}"
    return [KernelCall(f"windows:{variant}/scatter", tuple(words), units, grain(units, work))]


def _axis_words(
    operand: Operand, source: Operand, params: Mapping[str, Any], axis: int | None
) -> list[Word]:
    """Extents of operand and source, their strides, window, step, spacing, base, low padding."""
    if axis is None:
        return [1, 1, 0, 0, 1, 1, 1, 1, 0]
    return [
        operand.shape[axis], source.shape[axis], operand.strides[axis], source.strides[axis],
        params["window_dimensions"][axis], params["window_strides"][axis],
        params["window_dilation"][axis], params["base_dilation"][axis],
        params["padding"][axis][0],
    ]  # fmt: skip


def _is_independent(params: Mapping[str, Any], axis: int) -> bool:
    return (
        params["window_dimensions"][axis] == 1
        and params["window_strides"][axis] == 1
        and params["base_dilation"][axis] == 1
        and tuple(params["padding"][axis]) == (0, 0)
    )


def _merged(operand: Operand, source: Operand, axes: Sequence[int]) -> list[tuple[int, int, int]]:
    """Independent axes as (extent, operand stride, source stride), neighbours merged."""
    merged: list[tuple[int, int, int]] = []
    for axis in axes:
        n, a, b = operand.shape[axis], operand.strides[axis], source.strides[axis]
        if merged and merged[-1][1] == n * a and merged[-1][2] == n * b:
            merged[-1] = (merged[-1][0] * n, a, b)
        elif n != 1:
            merged.append((n, a, b))
    return merged
