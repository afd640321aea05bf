"""From a loop nest to statements: where each value is computed, and which loop runs in lanes.

In comes a shaped `Nest`. Each value is placed in the outermost loop where it can be computed (so
the row statistics of a softmax stay in the row loop), reductions over the same axes run in one
loop, and the loop along which memory is contiguous runs side by side in lanes. Out comes a
`LoopKernel`. Read next: `emit_ir` and `emit_text`, which print it.
"""

from __future__ import annotations

from collections.abc import Iterable

from fnx.compiler.expressions import ElementBuilder
from fnx.compiler.loops import (
    Accumulate,
    Buffer,
    Let,
    Loop,
    LoopKernel,
    Reduction,
    Statement,
    Store,
    Update,
    Value,
)
from fnx.compiler.nests import HEAVY, Nest, reachable
from fnx.compiler.positions import Atom, Position

__all__ = ["schedule"]

_INLINE = frozenset(("const", "parameter", "left", "right"))


def schedule(b: ElementBuilder, nest: Nest, buffers: tuple[Buffer, ...]) -> LoopKernel:
    """The statements of a nest."""
    return _Scheduler(b, nest).kernel(buffers)


class _Block:
    """The statements of one open loop."""

    __slots__ = ("axis", "done", "lanes", "placed", "statements")

    def __init__(self, axis: Atom | None, lanes: int) -> None:
        self.axis = axis
        self.lanes = lanes
        self.statements: list[Statement] = []
        self.placed: set[Value] = set()
        self.done: set[Reduction] = set()


class _Scheduler:
    def __init__(self, b: ElementBuilder, nest: Nest) -> None:
        self.space = b.space
        self.nest = nest
        self.values = reachable(root.value for root in nest.roots)
        self.lanes = _lane_count(self.values)

    def kernel(self, buffers: tuple[Buffer, ...]) -> LoopKernel:
        nest = self.nest
        walked = nest.running
        order = [axis for axis in nest.loops if axis is not walked]
        vector = self.vector_axis(order)
        if vector is not None:
            self.lanes *= self.column_unroll(vector)
        stack = [_Block(None, 0)]
        stack += [_Block(axis, self.lanes if axis is vector else 0) for axis in order]
        if walked is None:
            for root in nest.roots:
                at = stack[: root.depth + 1]
                self.place([root.value], at)
                self.place(root.position.data(), at)
                at[-1].statements.append(Store(root.buffer, root.position, root.value))
        else:
            self.walk(walked, stack)
        while len(stack) > 1:
            block = stack.pop()
            assert block.axis is not None
            limits: tuple[Position, ...] = (self.extent(block.axis),)
            if nest.limit is not None and block.axis is nest.loops[-1]:
                limits = (*limits, nest.limit)
            stack[-1].statements.append(
                Loop(
                    block.axis,
                    limits,
                    tuple(block.statements),
                    block.lanes,
                    parallel=len(stack) == 1,
                )
            )
        body = tuple(stack[0].statements)
        first = order[0] if order else None
        units = 1 if first is None else (first.high or 0) + 1
        cost = _cost(body)
        if units > 1:
            cost /= units
        grain = max(int(20_000 / max(cost, 1e-3)), 1)
        if first is vector:
            grain = -(-grain // (4 * self.lanes)) * 4 * self.lanes
        return LoopKernel(buffers, body, self.space, units, grain, cost)

    def extent(self, axis: Atom) -> Position:
        return self.space.position((), axis.parts[1])

    def vector_axis(self, order: list[Atom]) -> Atom | None:
        """The loop to run in lanes: the last, unless reductions inside of it read along rows."""
        if not order:
            return None
        last = order[-1]
        rows = columns = 0
        for value in self.values:
            if value.op != "reduced" or last not in value.attr[0].free:
                continue
            reduction = value.attr[0]
            if reduction.running:
                columns += 1
                continue
            inner = reduction.axes[-1]
            for body in reachable(reduction.bodies, into_reductions=False):
                if body.op == "load" and inner in body.free:
                    position = body.attr[1]
                    if position.stride(last) == 1:
                        columns += 4
                    elif (inner.high or 0) < 15:
                        columns += 1  # lanes would stay empty inside
                    elif position.stride(inner) == 1:
                        rows += 4
                    elif last in position.free:
                        rows += 1
        return None if rows > columns else last

    def column_unroll(self, vector: Atom) -> int:
        """Several vectors side by side, where a reduction inside would wait for each."""
        extent = (vector.high or 0) + 1
        inside = [v.attr[0] for v in self.values if v.op == "reduced" and vector in v.attr[0].free]
        if not inside or len(self.values) > 24:
            return 1
        if any((r.axes[-1].high or 0) < 7 or r.running for r in inside):
            return 1
        return 4 if extent >= 4 * self.lanes else 2 if extent >= 2 * self.lanes else 1

    def place(self, values: Iterable[Value], stack: list[_Block]) -> None:
        """Compute values, and all that they need, each in the outermost possible block."""
        work = reachable(values, into_reductions=False)
        for k, value in enumerate(work):
            if value.op in _INLINE:
                continue
            if value.op == "reduced":
                reduction = value.attr[0]
                if not any(reduction in block.done for block in stack):
                    self.reduce(reduction, work[k + 1 :], stack)
                continue
            if any(value in block.placed for block in stack):
                continue
            block = stack[self.level(value.free, stack)]
            block.placed.add(value)
            block.statements.append(Let(value))

    def level(self, free: frozenset[Atom], stack: list[_Block]) -> int:
        for level in range(len(stack) - 1, 0, -1):
            if stack[level].axis in free:
                return level
        return 0

    def reduce(self, first: Reduction, later: list[Value], stack: list[_Block]) -> None:
        """Run a reduction, and others that go over the same axes at the same place."""
        level = self.level(first.free, stack)
        outer = stack[: level + 1]
        together = [first]
        for value in later:
            if value.op != "reduced" or value.attr[0] in together:
                continue
            other = value.attr[0]
            if (
                other.axes == first.axes
                and other.limit is first.limit
                and self.level(other.free, stack) == level
                and not any(other in block.done for block in stack)
                and self.ready(other, outer)
            ):
                together.append(other)
        if first.limit is not None:
            self.place(first.limit.data(), outer)
        inside_lanes = any(block.lanes for block in outer)
        lanes = 0 if inside_lanes else self.lanes * _unroll(first, len(together))
        blocks = [_Block(axis, 0) for axis in first.axes]
        blocks[-1].lanes = lanes
        for reduction in together:
            self.place(reduction.inits, outer)
            self.place(reduction.bodies, outer + blocks)
            blocks[-1].statements.append(Update(reduction))
            blocks[-1].statements += [
                Store(store.buffer, store.position, store.value)
                for store in self.nest.stores
                if store.reduction is reduction
            ]
        loop: Statement | None = None
        for k in range(len(blocks) - 1, -1, -1):
            block = blocks[k]
            if loop is not None:
                block.statements.append(loop)
            limits = [self.extent(first.axes[k])]
            if k == 0 and first.limit is not None:
                limits.append(first.limit)
            loop = Loop(first.axes[k], tuple(limits), tuple(block.statements), block.lanes)
        assert loop is not None
        outer[-1].statements.append(Accumulate(tuple(together), lanes, (loop,)))
        outer[-1].done.update(together)

    def ready(self, reduction: Reduction, outer: list[_Block]) -> bool:
        """Whether all that a reduction's bodies need from outside of its loops is there."""
        for value in reachable(reduction.bodies, into_reductions=False):
            if value.op != "reduced" or value.free & frozenset(reduction.axes):
                continue
            if not any(value.attr[0] in block.done for block in outer):
                return False
        return True

    def walk(self, axis: Atom, stack: list[_Block]) -> None:
        """The nest of a running reduction: all other loops outside, then the axis in order."""
        reductions: list[Reduction] = []
        for value in self.values:
            if value.op != "reduced" or value.attr[0] in reductions:
                continue
            if value.attr[0].running:
                reductions.append(value.attr[0])
        inner = _Block(axis, 0)
        inside = [*stack, inner]
        for reduction in reductions:
            self.place(reduction.inits, stack)
            self.place(reduction.bodies, inside)
            inner.statements.append(Update(reduction))
            inner.done.add(reduction)
        for root in self.nest.roots:
            self.place([root.value], inside)
            inner.statements.append(Store(root.buffer, root.position, root.value))
        loop = Loop(
            axis, (self.extent(axis),), tuple(inner.statements), reverse=reductions[0].reverse
        )
        stack[-1].statements.append(Accumulate(tuple(reductions), 0, (loop,)))


def _lane_count(values: Iterable[Value]) -> int:
    """Lanes of 64 bytes of the widest type (positions aside), whatever the CPU has.

    The number is part of the order of a reduction: equal on all machines, so are the results.
    """
    widest = 1
    for value in values:
        if value.op not in ("position", "left", "right"):
            size = 4 if value.code in ("bf16", "f16") else value.dtype.itemsize
            widest = max(widest, size)
    return 64 // max(widest, 4)


def _unroll(reduction: Reduction, together: int) -> int:
    """More lanes for light bodies, to hide the latency of the accumulation."""
    if len(reduction.bodies) > 2 or together > 2:
        return 1
    axis = reduction.axes[-1]
    values = [v for v in reachable(reduction.bodies, False) if axis in v.free]
    if len(values) > 12 or any(v.op in HEAVY for v in values):
        return 1
    return 4 if len(values) <= 4 else 2


def _cost(body: tuple[Statement, ...]) -> float:
    """A rough estimate of the work of a block, in nanoseconds."""
    total = 0.0
    for statement in body:
        if type(statement) is Let:
            op = statement.value.op
            total += 5.0 if op in HEAVY else 1.2 if op == "load" else 0.4
        elif type(statement) is Loop:
            count = (statement.axis.high or 0) + 1
            inner = _cost(statement.body) * count
            total += inner / statement.lanes if statement.lanes else inner
        elif type(statement) is Accumulate:
            total += 2.0 + _cost(statement.body)
        else:
            total += 1.2 if type(statement) is Store else 0.4
    return total
