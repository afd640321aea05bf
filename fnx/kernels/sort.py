"""The planner of sort: several operands along one axis, ordered by the first ones.

The order is stable, with NaN after all numbers, -0 equal to 0, false before true, and complex
numbers by real, then imaginary part.  Read next: source/sort.py.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from fnx.kernels.calls import KernelCall, KernelPlan, Operand, grain
from fnx.kernels.plan_runner import Reference, Word, buffer, pool_block

__all__ = ["KEY_KINDS", "plan"]

KEY_KINDS = (
    "uint8", "uint16", "uint32", "uint64", "int8", "int16", "int32", "int64",
    "float16", "bfloat16", "float32", "float64",
)  # fmt: skip
"""What keys can be; a kernel's words name a kind by its position here."""

_PARTS = {"complex64": "float32", "complex128": "float64"}


def plan(
    operands: Sequence[Operand], results: Sequence[Operand], params: Mapping[str, Any]
) -> KernelPlan:
    """Plan a sort along ``dimension`` by the first ``num_keys`` of contiguous operands."""
    shape = operands[0].shape
    axis, count = params["dimension"], len(operands)
    lanes = math.prod(shape[:axis]) * math.prod(shape[axis + 1 :])
    if lanes * shape[axis] == 0:
        return KernelPlan(())
    keys: list[Word] = []
    for position in range(params["num_keys"]):
        keys += _keys(position, operands[position])
    words: list[Word] = [
        pool_block(), shape[axis], math.prod(shape[axis + 1 :]), len(keys) // 4, count, *keys
    ]  # fmt: skip
    for position, operand in enumerate(operands):
        words += [buffer(position), buffer(count + position), operand.dtype.itemsize]
    work = shape[axis] * 10.0 * len(keys)
    return KernelPlan((KernelCall("sort/sort", tuple(words), lanes, grain(lanes, work)),))


def _keys(position: int, operand: Operand) -> list[Word]:
    """Place, kind, and two numbers a, b: the key of element i is element a * i + b there."""
    name = operand.dtype.name
    part = _PARTS.get(name)
    if part is not None:
        kind = KEY_KINDS.index(part)
        place: Reference = buffer(position)
        return [place, kind, 2, 0, place, kind, 2, 1]
    kind = KEY_KINDS.index("uint8" if name == "bool" else name)
    return [buffer(position), kind, 1, 0]
