"""Large reductions to few results: a first kernel over blocks, then one that combines them.

In comes a nest with a reduction that has more work than parallel units. Out come *stages*, each a
nest that reduces every block of the first axis into a temporary, and the nest with the reduction
replaced by one over the blocks. The number of blocks depends on the extents only, never on the
number of threads, so the results do not either. Read next: `nests`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from fnx.compiler.expressions import ElementBuilder
from fnx.compiler.loops import Reduction, Value
from fnx.compiler.nests import Nest, Root, reachable, rewritten, with_roots
from fnx.compiler.positions import Atom, Position

__all__ = ["Part", "Stage", "blocked"]

#: From this many elements on, a reduction with fewer than `FEW` parallel units is cut into blocks
MANY = 1 << 16
FEW = 16
#: of at least this many elements, and at most `BLOCKS` of them.
BLOCK = 1 << 13
BLOCKS = 64


@dataclass(frozen=True, slots=True)
class Part:
    """A temporary of a stage."""

    code: str
    size: int
    dtype: np.dtype[Any]


@dataclass(frozen=True, slots=True)
class Stage:
    """The first half of a blocked reduction.

    Attributes
    ----------
    parts : tuple of Part
        One temporary for each component of each reduction.
    loops : tuple of Atom
        The block, then the loops of the results.
    values : tuple of Value
        What to store in each part.
    """

    parts: tuple[Part, ...]
    loops: tuple[Atom, ...]
    values: tuple[Value, ...]

    def nest(self, numbers: Sequence[int], b: ElementBuilder) -> Nest:
        """The nest that fills the temporaries with these buffer numbers."""
        position = _place(b, self.loops)
        depth = len(self.loops)
        return Nest(
            self.loops,
            tuple(Root(n, position, v, depth) for n, v in zip(numbers, self.values)),
        )


def blocked(
    b: ElementBuilder, nest: Nest, first_number: int
) -> tuple[list[tuple[Stage, list[int]]], Nest]:
    """Cut the large reductions of a nest.

    Parameters
    ----------
    first_number : int
        Buffers from this number on may be taken for temporaries.

    Returns
    -------
    stages : list of (Stage, list of int)
        In order, with the buffer numbers of their parts.
    nest : Nest
        What remains.
    """
    stages: list[tuple[Stage, list[int]]] = []
    for _ in range(8):
        chosen = _choose(nest)
        if not chosen:
            break
        stage, originals = _stage(b, nest, chosen)
        numbers = list(range(first_number, first_number + len(stage.parts)))
        first_number += len(numbers)
        stages.append((stage, numbers))
        nest = _combined(b, nest, stage, originals, numbers)
    return stages, nest


def _choose(nest: Nest) -> list[Reduction]:
    """Large reductions over the same axes that wait for no other reduction."""
    values = reachable(root.value for root in nest.roots)
    found: list[Reduction] = []
    for value in values:
        if value.op != "reduced":
            continue
        reduction = value.attr[0]
        if reduction in found or reduction.limit is not None or reduction.running:
            continue
        if not reduction.free <= frozenset(nest.loops) or not _is_large(reduction):
            continue
        waits = any(
            v.op == "reduced" and not v.free & frozenset(reduction.axes) and _is_large(v.attr[0])
            for v in reachable(reduction.bodies)
        )
        same = not found or (found[0].axes == reduction.axes and found[0].free == reduction.free)
        if not waits and same:
            found.append(reduction)
    return found


def _is_large(reduction: Reduction) -> bool:
    results = math.prod(_extent(a) for a in reduction.free)
    work = results * math.prod(_extent(a) for a in reduction.axes)
    rows = _extent(reduction.axes[0])
    units = results if _along_rows(reduction) else results // 64  # columns go side by side
    return work >= MANY and units < FEW and _block_rows(rows, work) < rows


def _along_rows(reduction: Reduction) -> bool:
    """Whether memory is contiguous along the innermost axis of a reduction."""
    axis = reduction.axes[-1]
    return any(
        value.op == "load" and value.attr[1].stride(axis) == 1
        for value in reachable(reduction.bodies, into_reductions=False)
    )


def _stage(
    b: ElementBuilder, nest: Nest, reductions: list[Reduction]
) -> tuple[Stage, list[tuple[Reduction, int]]]:
    space = b.space
    axes = reductions[0].axes
    free = tuple(a for a in nest.loops if a in reductions[0].free)
    rows = _extent(axes[0])
    work = math.prod(_extent(a) for a in (*axes, *free))
    height = _block_rows(rows, work)
    count = -(-rows // height)
    block = space.loop("k", count)
    inner = space.loop(axes[0].parts[0] + "k", height)
    start = space.of(block) * height
    limit = space.number(rows) - start

    def new_axes(reduction: Reduction) -> tuple[tuple[Atom, ...], Position | None]:
        if reduction in reductions:
            return (inner, *axes[1:]), limit
        return reduction.axes, reduction.limit

    originals = [(r, k) for r in reductions for k in range(len(r.bodies))]
    values = [b.make("reduced", r.bodies[k].code, (), (r, k)) for r, k in originals]
    new = rewritten(b, values, {axes[0]: start + space.of(inner)}, new_axes)
    size = count * math.prod(_extent(a) for a in free)
    parts = tuple(Part(v.code, size, v.dtype) for v in values)
    return Stage(parts, (block, *free), tuple(new[v] for v in values)), originals


def _combined(
    b: ElementBuilder,
    nest: Nest,
    stage: Stage,
    originals: list[tuple[Reduction, int]],
    numbers: list[int],
) -> Nest:
    """The nest with reductions over blocks in place of the original ones."""
    position = _place(b, stage.loops)
    number_of = dict(zip(originals, numbers))
    replacements: dict[Value, Value] = {}
    for old in dict.fromkeys(r for r, _ in originals):
        loads = tuple(
            b.make("load", body.code, (), (number_of[old, k], position))
            for k, body in enumerate(old.bodies)
        )
        copy = Reduction((stage.loops[0],), old.inits, old.results, loads)
        for k, body in enumerate(old.bodies):
            replacements[b.make("reduced", body.code, (), (old, k))] = b.make(
                "reduced", body.code, (), (copy, k)
            )
    new = rewritten(b, [root.value for root in nest.roots], {}, replacements=replacements)
    return with_roots(nest, [Root(r.buffer, r.position, new[r.value], r.depth) for r in nest.roots])


def _place(b: ElementBuilder, loops: tuple[Atom, ...]) -> Position:
    position = b.space.number(0)
    for axis in loops:
        position = position * _extent(axis) + b.space.of(axis)
    return position


def _extent(axis: Atom) -> int:
    return (axis.high or 0) + 1


def _block_rows(rows: int, work: int) -> int:
    """How many entries of the first axis make a block."""
    count = min(max(work // BLOCK, 1), BLOCKS, rows)
    return -(-rows // count)
