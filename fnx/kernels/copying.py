"""Strided copies and conversions between dtypes, as calls that other planners use.

`copy_call` moves an array of any strides to another of any strides, converting on the way: the
bridge to kernels that want a layout or a dtype of their own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fnx.kernels.calls import KernelCall, KernelPlan, Operand, grain
from fnx.kernels.plan_runner import Word, buffer

__all__ = ["MOST_AXES", "copy_call", "plan"]

MOST_AXES = 8
_TRANSPOSED = {
    "float32": "float32", "int32": "float32", "uint32": "float32",
    "float64": "float64", "int64": "float64", "uint64": "float64", "complex64": "float64",
}  # fmt: skip
"""Dtypes whose elements move through vector registers, as floats of the same size."""
_STRIP, _REACH = 64, 1024  # columns and rows of a transposition that a unit of work does

Axis = tuple[int, int, int]


def plan(
    operands: Sequence[Operand], results: Sequence[Operand], params: Mapping[str, Any]
) -> KernelPlan:
    """Plan a copy of an array of any strides to another of the same shape."""
    source, destination = operands[0], results[0]
    call = copy_call(
        buffer(0), source.dtype.name, source.strides,
        buffer(1), destination.dtype.name, destination.strides, source.shape,
    )  # fmt: skip
    return KernelPlan((call,))


def copy_call(
    source: Word,
    source_dtype: str,
    source_strides: Sequence[int],
    destination: Word,
    destination_dtype: str,
    destination_strides: Sequence[int],
    shape: Sequence[int],
) -> KernelCall:
    """A call that copies, element by element, with conversion if the dtypes differ."""
    axes = _merged(shape, source_strides, destination_strides)
    if len(axes) > MOST_AXES:
        raise ValueError(f"copy: {len(axes)} axes that cannot be merged, {MOST_AXES} at most.")
    if source_dtype == destination_dtype and source_dtype in _TRANSPOSED:
        turned = _transposition(axes)
        if turned is not None:
            return _transpose_call(source, destination, _TRANSPOSED[source_dtype], turned)
    if source_dtype == destination_dtype:
        variant = source_dtype
    else:
        variant = f"{source_dtype}-{destination_dtype}"
    # The parallel axis is the outermost one, the contiguous one of the destination innermost.
    words: list[Word] = [source, destination, len(axes)]
    for n, from_stride, to_stride in axes:
        words += [n, from_stride, to_stride]
    count = axes[0][0]
    inside = 1
    for n, _, _ in axes[1:]:
        inside *= n
    return KernelCall(f"copying:{variant}/copy", tuple(words), count, grain(count, inside))


def _transposition(axes: list[Axis]) -> tuple[list[Axis], Axis, Axis] | None:
    """(other axes, the source's contiguous axis, the destination's), if worth the trouble."""
    across = [axis for axis in axes if axis[1] == 1 and axis[2] != 1 and axis[0] >= 8]
    along = axes[-1]
    if len(across) != 1 or along[2] != 1 or along[1] in (0, 1) or along[0] < 8:
        return None
    others = [axis for axis in axes if axis not in (across[0], along)]
    return others, across[0], along


def _transpose_call(
    source: Word, destination: Word, variant: str, turned: tuple[list[Axis], Axis, Axis]
) -> KernelCall:
    others, across, along = turned
    words: list[Word] = [
        source, destination, across[0], across[2], along[0], along[1], _STRIP, _REACH, len(others)
    ]  # fmt: skip
    units = -(-across[0] // _STRIP) * -(-along[0] // _REACH)
    for axis in others:
        words += axis
        units *= axis[0]
    chunk = grain(units, _STRIP * min(along[0], _REACH) / 4)
    return KernelCall(f"copying:{variant}/transpose", tuple(words), units, chunk)


def _merged(shape: Sequence[int], first: Sequence[int], second: Sequence[int]) -> list[Axis]:
    """Axes (extent, stride, stride) in the order of the destination, merged, two at least.

    The one whose elements lie closest together there comes last, whatever the order of the shape:
    writes are consecutive then, and a transposition is seen to be one.
    """
    axes: list[Axis] = []
    given = [axis for axis in zip(shape, first, second, strict=True) if axis[0] != 1]
    for n, a, b in sorted(given, key=lambda axis: -abs(axis[2])):
        if axes and axes[-1][1] == n * a and axes[-1][2] == n * b:
            axes[-1] = (axes[-1][0] * n, a, b)
        else:
            axes.append((n, a, b))
    while len(axes) < 2:
        axes.insert(0, (1, 0, 0))
    if axes[0][0] == 1 and axes[1][0] >= 4096:
        axes[:2] = _split(axes[1])
    return axes


def _split(axis: Axis) -> list[Axis]:
    """A long axis as two if it divides, so that a flat copy is parallel too."""
    n, a, b = axis
    for inner in (4096, 2048, 1024, 512, 256, 128, 64):
        if n % inner == 0:
            return [(n // inner, inner * a, inner * b), (inner, a, b)]
    return [(1, 0, 0), axis]
