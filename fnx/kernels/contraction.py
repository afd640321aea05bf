"""The planner of dot_general: any contraction as one batched matrix product.

Batch, free and contracted axes are each collapsed to one axis where the strides allow it, which
is so for most layouts without a copy; otherwise the operand is copied to the order that fits.
Operands whose dtype is not the one to compute in are converted by that copy.  Read next: gemm.py.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import ml_dtypes
import numpy as np

from fnx.kernels import gemm
from fnx.kernels.calls import KernelCall, KernelPlan, Operand, Workspace
from fnx.kernels.copying import copy_call
from fnx.kernels.plan_runner import buffer

__all__ = ["collapsed", "plan", "working_dtype"]

_HALVES = (np.dtype(np.float16), np.dtype(ml_dtypes.bfloat16))

Axes = tuple[int, ...]


def plan(
    operands: Sequence[Operand], results: Sequence[Operand], params: Mapping[str, Any]
) -> KernelPlan:
    """Plan a dot_general with ``dimension_numbers`` ((contract, contract), (batch, batch))."""
    (x, y), result = operands, results[0]
    if result.size == 0:
        return KernelPlan(())
    (x_contract, y_contract), (x_batch, y_batch) = params["dimension_numbers"]
    x_contract, y_contract = _in_memory_order(x, x_contract, y_contract)
    x_free, y_free = _free(x, x_contract, x_batch), _free(y, y_contract, y_batch)
    working = working_dtype(x.dtype, y.dtype, result.dtype)
    space = Workspace()
    extents = (
        _extent(x, x_batch), _extent(x, x_free), _extent(y, y_free), _extent(x, x_contract)
    )  # fmt: skip
    calls: list[KernelCall] = []
    a = _matrix(0, x, (x_batch, x_free, x_contract), working, space, calls)
    b = _matrix(1, y, (y_batch, y_contract, y_free), working, space, calls)
    batch, height, width, _ = extents
    c_place = buffer(2)
    if working != result.dtype or not result.is_contiguous:
        c_place = space.take(result.size, working.itemsize)
    c = gemm.Matrix(c_place, height * width, width, 1)
    calls += gemm.multiply_calls(working.name, a, b, c, extents, space)
    if c_place.kind == "memory":
        laid = Operand.contiguous(result.shape, working).strides
        calls.append(
            copy_call(
                c_place, working.name, laid, buffer(2), result.dtype.name, result.strides,
                result.shape,
            )
        )  # fmt: skip
    return KernelPlan(tuple(calls), space.size)


def working_dtype(x: np.dtype[Any], y: np.dtype[Any], result: np.dtype[Any]) -> np.dtype[Any]:
    """The dtype in which products are formed and added.

    Half types are added in float32; the matrix product does that itself if all three agree.
    """
    if x == y == result:
        return result
    wide = [np.dtype(np.float32) if dtype in _HALVES else dtype for dtype in (x, y, result)]
    return np.result_type(*wide)


def collapsed(operand: Operand, axes: Axes) -> int | None:
    """The stride of several axes as one, or None if they cannot be walked with one stride."""
    stride: int | None = None
    expected = 0
    for axis in reversed(axes):
        extent = operand.shape[axis]
        if extent == 1:
            continue
        if stride is None:
            stride = operand.strides[axis]
        elif operand.strides[axis] != expected:
            return None
        expected = operand.strides[axis] * extent
    return 1 if stride is None else stride


def _matrix(
    position: int,
    operand: Operand,
    groups: tuple[Axes, Axes, Axes],
    working: np.dtype[Any],
    space: Workspace,
    calls: list[KernelCall],
) -> gemm.Matrix:
    """An operand as a batch of matrices, copied first if strides or dtype ask for it."""
    strides = [collapsed(operand, axes) for axes in groups]
    batch = _extent(operand, groups[0])
    if operand.dtype == working and None not in strides:
        place = buffer(position)
    else:
        order = (*groups[0], *groups[1], *groups[2])
        shape = tuple(operand.shape[axis] for axis in order)
        place = space.take(operand.size, working.itemsize)
        if operand.size:
            calls.append(
                copy_call(
                    buffer(position), operand.dtype.name,
                    tuple(operand.strides[axis] for axis in order), place, working.name,
                    Operand.contiguous(shape, working).strides, shape,
                )
            )  # fmt: skip
        height, width = _extent(operand, groups[1]), _extent(operand, groups[2])
        strides = [height * width, width, 1]
    batch_stride, row, column = (stride or 0 for stride in strides)
    return gemm.Matrix(place, batch_stride if batch > 1 else 0, row, column)


def _in_memory_order(operand: Operand, axes: Axes, others: Axes) -> tuple[Axes, Axes]:
    """Contracted axes, in the order in which they lie in the first operand."""
    order = sorted(range(len(axes)), key=lambda k: -abs(operand.strides[axes[k]]))
    return tuple(axes[k] for k in order), tuple(others[k] for k in order)


def _free(operand: Operand, contract: Axes, batch: Axes) -> Axes:
    used = {*contract, *batch}
    return tuple(axis for axis in range(len(operand.shape)) if axis not in used)


def _extent(operand: Operand, axes: Axes) -> int:
    return math.prod(operand.shape[axis] for axis in axes)
