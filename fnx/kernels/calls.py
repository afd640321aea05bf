"""What a named kernel is to its callers: a planner from shapes to a list of native calls.

A planner takes the operands' and results' shapes, strides and dtypes and the operation's
parameters, and gives a `KernelPlan`: which functions to call on which words, over how many
parallel units, and how many bytes of workspace the calls share.  The words are those of
plan_runner.py: ``buffer(k)`` is the k-th operand, counting on into the results;
``memory("workspace", offset)`` is the workspace.  A plan holds no addresses, so the compiler
puts it into its own and keeps it in the store; `evaluate` runs one at once on ndarrays.
Read next: registry.py for the names, gemm.py for a planner.
"""

from __future__ import annotations

import functools
import math
import threading
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from fnx.kernels import libraries
from fnx.kernels.plan_runner import Plan, PlanBuilder, Reference, Word, buffer, code

__all__ = [
    "KernelCall",
    "KernelPlan",
    "Operand",
    "Planner",
    "Workspace",
    "evaluate",
    "float_bits",
    "grain",
]


@dataclass(frozen=True, slots=True)
class Operand:
    """An array as a planner sees it; strides count elements."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    strides: tuple[int, ...]

    @classmethod
    def contiguous(cls, shape: Sequence[int], dtype: Any) -> Operand:
        """An array in C order."""
        return cls(tuple(shape), np.dtype(dtype), _contiguous_strides(tuple(shape)))

    @classmethod
    def of(cls, array: np.ndarray) -> Operand:
        """How an ndarray lies in memory."""
        size = array.dtype.itemsize
        if any(stride % size for stride in array.strides):
            raise ValueError(
                f"kernel: an array with strides {array.strides} of {size}-byte elements; "
                "copy it to a contiguous array first."
            )
        return cls(array.shape, array.dtype, tuple(stride // size for stride in array.strides))

    @property
    def is_contiguous(self) -> bool:
        """Whether it is in C order without gaps."""
        expected = _contiguous_strides(self.shape)
        return all(
            n == 1 or a == b for n, a, b in zip(self.shape, self.strides, expected, strict=True)
        )

    @property
    def size(self) -> int:
        """The number of elements."""
        return math.prod(self.shape)


@dataclass(frozen=True, slots=True)
class KernelCall:
    """One call of a native function over ``count`` parallel units, ``chunk`` at a time."""

    function: str
    words: tuple[Word, ...]
    count: int
    chunk: int


@dataclass(frozen=True, slots=True)
class KernelPlan:
    """The calls that do a kernel's work, in order, and the bytes of workspace they share."""

    calls: tuple[KernelCall, ...]
    workspace: int = 0

    @property
    def functions(self) -> frozenset[str]:
        """The names of the native functions that it calls."""
        return frozenset(call.function for call in self.calls)


Planner = Callable[[Sequence[Operand], Sequence[Operand], Mapping[str, Any]], KernelPlan]


class Workspace:
    """Lays out blocks of workspace, each aligned to a cache line."""

    def __init__(self) -> None:
        self.size = 0

    def take(self, count: int, itemsize: int) -> Reference:
        """Room for a number of elements."""
        place = Reference("memory", "workspace", self.size)
        self.size += -(-count * itemsize // 64) * 64
        return place


def grain(count: int, work_per_unit: float, target: float = 40_000.0) -> int:
    """A chunk with about ``target`` elementary operations (some 10 microseconds).

    It depends on the problem only, so that results do not depend on the number of threads.
    """
    return max(1, min(count, round(target / max(work_per_unit, 1.0))))


def float_bits(number: float) -> int:
    """The bits of a float64, as a kernel's word."""
    return int(np.float64(number).view(np.int64))


def evaluate(
    planner: Planner,
    operands: Sequence[np.ndarray],
    results: Sequence[np.ndarray],
    params: Mapping[str, Any],
) -> None:
    """Plan a kernel (once for each combination of shapes and parameters) and run it.

    Parameters
    ----------
    planner : callable
        The kernel's planner.
    operands, results : sequence of ndarray
        Any strides that the planner accepts; results are written.
    params : mapping
        Hashable parameters of the operation.
    """
    shapes = tuple(Operand.of(array) for array in operands)
    made = tuple(Operand.of(array) for array in results)
    plan, workspace = _bound(planner, shapes, made, tuple(sorted(params.items())))
    plan.run(*operands, *results, _workspace(workspace))


@functools.lru_cache(maxsize=4096)
def _bound(
    planner: Planner,
    operands: tuple[Operand, ...],
    results: tuple[Operand, ...],
    params: tuple[tuple[str, Hashable], ...],
) -> tuple[Plan, int]:
    kernel_plan = planner(operands, results, dict(params))
    position = len(operands) + len(results)
    builder = PlanBuilder(position + 1)
    for call in kernel_plan.calls:
        words = [_with_workspace(word, position) for word in call.words]
        builder.main.call(code(call.function), builder.vector(words), call.count, call.chunk)
    addresses = libraries.code_addresses(kernel_plan.functions)
    plan = builder.finish().bind(code=addresses, memory={})
    return plan, kernel_plan.workspace


def _with_workspace(word: Word, position: int) -> Word:
    if isinstance(word, Reference) and word.kind == "memory":
        return buffer(position, word.offset)
    return word


class _Kept(threading.local):
    """The workspace of each Python thread, kept between calls: fresh pages cost more than work."""

    def __init__(self) -> None:
        self.block = np.empty(0, np.uint8)


_kept = _Kept()


def _workspace(size: int) -> np.ndarray:
    if _kept.block.size < size + 64:
        raw = np.empty(size + 64, np.uint8)
        _kept.block = raw
    block = _kept.block
    skip = -block.ctypes.data % 64 if size else 0
    return block[skip:]


def _contiguous_strides(shape: tuple[int, ...]) -> tuple[int, ...]:
    strides = [1] * len(shape)
    for axis in range(len(shape) - 2, -1, -1):
        strides[axis] = strides[axis + 1] * shape[axis + 1]
    return tuple(strides)
