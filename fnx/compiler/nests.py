"""From the values at one symbolic index to a loop nest: shaping, then scheduling.

In comes a `Nest`: the loop variables of an output and the values to store. *Shaping* rewrites it: loops
over adjacent axes that every access uses as one are collapsed (so kernels do not depend on the
rank), axes that a reshape takes apart are split, short outer loops are merged into one
parallel loop. *Scheduling* places each value in the outermost loop where it can be computed (so
the row statistics of a softmax stay in the row loop), runs reductions over the same axes in one
loop, and decides which loop runs side by side in lanes. Out comes a `LoopKernel`.
Read next: `emit_ir`; `lower` makes the nests.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

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
from fnx.compiler.positions import Atom, Position

__all__ = ["Nest", "Root", "reachable", "rewritten", "schedule", "shaped"]

#: A parallel loop shorter than this is merged with the next one.
SHORT = 64

#: The length of a block of the last loop in a transposition.
TILE = 32

#: Operations that cost tens of nanoseconds on a scalar.
HEAVY = frozenset(
    """exp exp2 expm1 log log2 log10 log1p sin cos tan asin acos atan atan2 sinh cosh tanh asinh
    acosh atanh logistic erf erfc erf_inv lgamma digamma pow cbrt hypot""".split()
)

_INLINE = frozenset(("const", "parameter", "left", "right"))


@dataclass(frozen=True, slots=True)
class Root:
    """A value to store: where, and inside of how many of the nest's loops."""

    buffer: int
    position: Position
    value: Value
    depth: int


@dataclass(frozen=True, slots=True)
class Nest:
    """Loop variables, outermost first, and what to store at each index.

    ``running``: the axis that must be walked in order, if the values are a running reduction.
    ``limit``: a bound of the last loop besides its extent.
    """

    loops: tuple[Atom, ...]
    roots: tuple[Root, ...]
    running: Atom | None = None
    limit: Position | None = None


def reachable(roots: Iterable[Value], into_reductions: bool = True) -> list[Value]:
    """The values that roots are computed from, operands first."""
    seen: set[Value] = set()
    stack = list(roots)
    while stack:
        value = stack.pop()
        if value in seen:
            continue
        seen.add(value)
        stack.extend(value.operands())
        if into_reductions and value.op == "reduced":
            stack.extend(value.attr[0].bodies)
            if value.attr[0].limit is not None:
                stack.extend(value.attr[0].limit.data())
    return sorted(seen, key=_number)


def shaped(b: ElementBuilder, nest: Nest) -> Nest:
    """The nest with its loops split, collapsed and merged."""
    if nest.running is None:
        nest = _split(b, nest)
        nest = _collapse(b, nest)
        nest = _tile(b, nest)
    return _merge_outer(b, nest)


def rewritten(
    b: ElementBuilder,
    values: Sequence[Value],
    substitution: dict[Atom, Position],
    axes: Callable[[Reduction], tuple[tuple[Atom, ...], Position | None]] | None = None,
    replacements: dict[Value, Value] | None = None,
) -> dict[Value, Value]:
    """Copies of values in which loop variables are replaced by positions.

    Parameters
    ----------
    axes : callable, optional
        Gives the axes and the limit of each reduction's copy.
    replacements : dict, optional
        Values to be replaced by others.
    """
    new: dict[Value, Value] = {}
    reductions: dict[Reduction, Reduction] = {}
    touched = frozenset(substitution)

    def position(old: Position) -> Position:
        if not (old.free & touched) and all(new.get(v, v) is v for v in old.data()):
            return old
        return old.rebuilt(substitution.get, new.__getitem__)

    for value in reachable(values):
        op, attr = value.op, value.attr
        if replacements and value in replacements:
            new[value] = replacements[value]
            continue
        if op == "load":
            attr = (attr[0], position(attr[1]))
        elif op == "position":
            attr = position(attr)
        elif op == "reduced":
            old, component = attr
            copy = reductions.get(old)
            if copy is None:
                new_axes, limit = axes(old) if axes is not None else (old.axes, old.limit)
                copy = reductions[old] = Reduction(
                    new_axes,
                    tuple(new[v] for v in old.inits),
                    old.results,
                    tuple(new[v] for v in old.bodies),
                    old.running,
                    old.reverse,
                    limit,
                )
            attr = (copy, component)
        new[value] = b.make(op, value.code, tuple(new[a] for a in value.args), attr)
    return new


def schedule(b: ElementBuilder, nest: Nest, buffers: tuple[Buffer, ...]) -> LoopKernel:
    """The statements of a nest."""
    return _Scheduler(b, nest).kernel(buffers)


# --- shaping ----------------------------------------------------------------------------------


def _positions(values: Iterable[Value], roots: Iterable[Root]) -> list[Position]:
    """Every position that is used, those inside quotients and remainders included."""
    found: list[Position] = []
    stack = [root.position for root in roots]
    for value in values:
        if value.op == "load":
            stack.append(value.attr[1])
        elif value.op == "position":
            stack.append(value.attr)
        elif value.op == "reduced" and value.attr[0].limit is not None:
            stack.append(value.attr[0].limit)
    while stack:
        position = stack.pop()
        found.append(position)
        stack.extend(a.parts[0] for a, _ in position.terms if a.kind in ("quotient", "remainder"))
    return found


def _rewrite_nest(
    b: ElementBuilder,
    nest: Nest,
    loops: tuple[Atom, ...],
    substitution: dict[Atom, Position],
    depths: dict[int, int] | None = None,
    axes: dict[Atom, tuple[Atom, ...]] | None = None,
) -> Nest:
    def new_axes(reduction: Reduction) -> tuple[tuple[Atom, ...], Position | None]:
        found: list[Atom] = []
        for axis in reduction.axes:
            found += (axes or {}).get(axis, (axis,))
        limit = reduction.limit
        return tuple(found), limit

    new = rewritten(b, [root.value for root in nest.roots], substitution, new_axes)
    roots = []
    for root in nest.roots:
        position = root.position.rebuilt(substitution.get, new.__getitem__)
        depth = root.depth if depths is None else depths[root.depth]
        roots.append(Root(root.buffer, position, new[root.value], depth))
    limit = None if nest.limit is None else nest.limit.rebuilt(substitution.get, new.get)
    return Nest(loops, tuple(roots), nest.running, limit)


def _split(b: ElementBuilder, nest: Nest) -> Nest:
    """Take a loop apart where all divisions of its variable are by one divisor of its extent."""
    space = b.space
    for _ in range(4):
        values = reachable(root.value for root in nest.roots)
        divisors: dict[Atom, set[int]] = {}
        for position in _positions(values, nest.roots):
            for atom, _ in position.terms:
                if atom.kind in ("quotient", "remainder"):
                    inner, number = atom.parts
                    for axis in inner.free:
                        simple = len(inner.terms) == 1 and inner.stride(axis) == 1
                        size = space.values[number] if simple and not inner.constant else 0
                        divisors.setdefault(axis, set()).add(size)
        chosen = None
        for axis, sizes in divisors.items():
            extent = (axis.high or 0) + 1
            # the smallest divisor first: the next round takes the quotient apart
            size = min(sizes)
            if size > 1 and extent % size == 0 and extent > size and axis in nest.loops:
                if all(s % size == 0 for s in sizes):
                    chosen = axis, size
                    break
        if chosen is None:
            return nest
        axis, size = chosen
        outer = space.loop(axis.parts[0] + "o", (axis.high or 0) // size + 1)
        inner_axis = space.loop(axis.parts[0] + "i", size)
        whole = space.of(outer) * size + space.of(inner_axis)
        place = nest.loops.index(axis)
        loops = (*nest.loops[:place], outer, inner_axis, *nest.loops[place + 1 :])
        depths = {d: d if d <= place else d + 1 for d in range(len(nest.loops) + 1)}
        nest = _rewrite_nest(b, nest, loops, {axis: whole}, depths)
    return nest


def _collapse(b: ElementBuilder, nest: Nest) -> Nest:
    """Make one loop of adjacent ones whose variables only occur as ``outer * extent + inner``."""
    space = b.space
    values = reachable(root.value for root in nest.roots)
    positions = _positions(values, nest.roots)
    depths = {root.depth for root in nest.roots}
    runs: list[list[Atom]] = []
    for k, axis in enumerate(nest.loops):
        if k and k not in depths and _travel_together(positions, nest.loops[k - 1], axis):
            runs[-1].append(axis)
        else:
            runs.append([axis])
    reductions = {v.attr[0] for v in values if v.op == "reduced"}
    followers: dict[Atom, set[Atom | None]] = {}
    for reduction in reductions:
        for first, second in zip(reduction.axes, (*reduction.axes[1:], None)):
            followers.setdefault(first, set()).add(second)
            if second is not None:
                followers.setdefault(second, set())
    reduce_runs: dict[Atom, list[Atom]] = {}
    limited = {r.axes[0] for r in reductions if r.limit is not None}
    for reduction in sorted(reductions, key=lambda r: r.bodies[0].number):
        run: list[Atom] = []
        for axis in reduction.axes:
            joins = (
                run
                and followers[run[-1]] == {axis}
                and run[0] not in limited
                and _leads(reductions, run[-1], axis)
                and _travel_together(positions, run[-1], axis)
            )
            run = [*run, axis] if joins else [axis]
            for member in run:
                reduce_runs[member] = run
    joined = [run for run in runs if len(run) > 1]
    joined += [run for first, run in reduce_runs.items() if len(run) > 1 and run[0] is first]
    if not joined:
        return nest
    substitution: dict[Atom, Position] = {}
    renamed: dict[Atom, tuple[Atom, ...]] = {}
    for run in joined:
        extent = 1
        for axis in run:
            extent *= (axis.high or 0) + 1
        whole = space.loop(run[0].parts[0], extent)
        for axis in run:
            substitution[axis] = space.number(0)
            renamed[axis] = ()
        substitution[run[-1]] = space.of(whole)
        renamed[run[-1]] = (whole,)
    loops: list[Atom] = []
    new_depths = {0: 0}
    for k, axis in enumerate(nest.loops):
        loops += renamed.get(axis, (axis,))
        new_depths[k + 1] = len(loops)
    return _rewrite_nest(b, nest, tuple(loops), substitution, new_depths, renamed)


def _travel_together(positions: list[Position], outer: Atom, inner: Atom) -> bool:
    extent = inner.parts[1]
    for position in positions:
        if outer not in position.free and inner not in position.free:
            continue
        first, second = position.coefficient(outer), position.coefficient(inner)
        if first is None or second is None:
            # the dependence is inside a quotient or a datum, whose parts are looked at themselves
            plain = {a for a, _ in position.terms if a.kind == "loop"}
            if outer in plain or inner in plain:
                return False
            continue
        space = position.space
        if space.position((), second).times(extent) is not space.position((), first):
            return False
    return True


def _leads(reductions: Iterable[Reduction], first: Atom, second: Atom) -> bool:
    """Whether every reduction over ``second`` has ``first`` right before it."""
    for reduction in reductions:
        if second in reduction.axes:
            place = reduction.axes.index(second)
            if place == 0 or reduction.axes[place - 1] is not first:
                return False
    return True


def _tile(b: ElementBuilder, nest: Nest) -> Nest:
    """Cut the last loop where memory is read across it, along another loop: a transposition.

    ``for i: for j: out[i, j] = x[j, i]`` becomes ``for k: for i: for j in block k``, which uses all of
    a cache line before it is evicted.
    """
    space = b.space
    loops = nest.loops
    if len(loops) < 2 or any(root.depth != len(loops) for root in nest.roots):
        return nest
    last = loops[-1]
    extent = (last.high or 0) + 1
    if extent < 2 * TILE:
        return nest
    values = reachable(root.value for root in nest.roots)
    if any(value.op == "reduced" for value in values):
        return nest
    place = len(loops) - 1
    for value in values:
        if value.op == "load" and (value.attr[1].stride(last) or 0) >= 16:
            along = [k for k, a in enumerate(loops[:-1]) if value.attr[1].stride(a) == 1]
            place = min(place, *along) if along else place
    if place == len(loops) - 1:
        return nest
    block = space.loop(last.parts[0] + "b", -(-extent // TILE))
    inner = space.loop(last.parts[0] + "t", TILE)
    start = space.of(block) * TILE
    new_loops = (*loops[:place], block, *loops[place:-1], inner)
    depths = {len(loops): len(new_loops)}
    substitution = {last: start + space.of(inner)}
    new = _rewrite_nest(b, nest, new_loops, substitution, depths)
    return replace(new, limit=space.number(extent) - start)


def _merge_outer(b: ElementBuilder, nest: Nest) -> Nest:
    """Give the threads enough units: one parallel loop in place of two short ones."""
    space = b.space
    loops = nest.loops
    for _ in range(2):
        if len(loops) < 3 or (loops[0].high or 0) + 1 >= SHORT or nest.running in loops[:2]:
            return nest
        if any(root.depth < 2 for root in nest.roots):
            return nest
        outer, inner = loops[0], loops[1]
        size = (inner.high or 0) + 1
        merged = space.loop(outer.parts[0] + "p", ((outer.high or 0) + 1) * size)
        substitution = {outer: space.of(merged) // size, inner: space.of(merged) % size}
        depths = {d: max(d - 1, 0) for d in range(len(loops) + 1)}
        nest = _rewrite_nest(b, nest, (merged, *loops[2:]), substitution, depths)
        loops = nest.loops
    return nest


# --- scheduling -------------------------------------------------------------------------------


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
            limits = (self.extent(block.axis),)
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
        """The loop to run in lanes: the last one, unless reductions inside of it read along rows."""
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
                    elif position.stride(inner) == 1 and (inner.high or 0) >= 7:
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
            if value.op == "reduced" and not any(value.attr[0] in block.done for block in outer):
                if not (value.free & frozenset(reduction.axes)):
                    return False
        return True

    def walk(self, axis: Atom, stack: list[_Block]) -> None:
        """The nest of a running reduction: all other loops outside, then the axis in order."""
        reductions: list[Reduction] = []
        for value in self.values:
            if value.op == "reduced" and value.attr[0].running:
                if value.attr[0] not in reductions:
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


def _number(value: Value) -> int:
    return value.number


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
            total += 8.0 if statement.value.op in HEAVY else 0.6
        elif type(statement) is Loop:
            count = (statement.axis.high or 0) + 1
            inner = _cost(statement.body) * count
            total += inner / statement.lanes if statement.lanes else inner
        elif type(statement) is Accumulate:
            total += 4.0 + _cost(statement.body)
        else:
            total += 0.6
    return total


def with_roots(nest: Nest, roots: Sequence[Root]) -> Nest:
    """The same loops around other values."""
    return replace(nest, roots=tuple(roots))
