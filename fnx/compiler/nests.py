"""The loop nest of an output: its values at one symbolic index, and the shape of its loops.

In comes a `Nest`: the loop variables of an output and the values to store. Shaping rewrites it:
loops over adjacent axes that every access uses as one are collapsed (so kernels do not depend on
the rank), axes that a reshape takes apart are split, a transposition is cut into blocks, short
outer loops are merged into one parallel loop. Out comes a `Nest` with the same meaning.
Read next: `scheduling`, which makes statements of it; `lower` makes the nests.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from fnx.compiler.expressions import ElementBuilder
from fnx.compiler.loops import Reduction, Value
from fnx.compiler.positions import Atom, Position

__all__ = ["HEAVY", "Nest", "Root", "RowStore", "reachable", "rewritten", "shaped", "with_roots"]

#: A parallel loop shorter than this is merged with the next one.
SHORT = 64

#: The length of a block of the last loop in a transposition.
TILE = 32

#: Fewer rows than this are cut into pieces of `ROW_PIECE` elements, to share them among threads.
FEW_ROWS = 16
ROW_PIECE = 4096

#: Operations that cost tens of nanoseconds on a scalar.
HEAVY = frozenset(
    """exp exp2 expm1 log log2 log10 log1p sin cos tan asin acos atan atan2 sinh cosh tanh asinh
    acosh atanh logistic erf erfc erf_inv lgamma digamma pow cbrt hypot""".split()
)


@dataclass(frozen=True, slots=True)
class Root:
    """A value to store: where, and inside of how many of the nest's loops."""

    buffer: int
    position: Position
    value: Value
    depth: int


@dataclass(frozen=True, slots=True)
class RowStore:
    """A value of a reduction's body that is stored while the reduction runs."""

    reduction: Reduction
    buffer: int
    position: Position
    value: Value


@dataclass(frozen=True, slots=True)
class Nest:
    """Loop variables, outermost first, and what to store at each index.

    ``running``: the axis that must be walked in order, if the values are a running reduction.
    ``limit``: a bound of the last loop besides its extent. ``stores``: what reductions store.
    """

    loops: tuple[Atom, ...]
    roots: tuple[Root, ...]
    running: Atom | None = None
    limit: Position | None = None
    stores: tuple[RowStore, ...] = ()


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
        nest = _cut_rows(b, _tile(b, nest))
    return _merge_outer(b, nest)


def rewritten(
    b: ElementBuilder,
    values: Sequence[Value],
    substitution: dict[Atom, Position],
    axes: Callable[[Reduction], tuple[tuple[Atom, ...], Position | None]] | None = None,
    replacements: dict[Value, Value] | None = None,
) -> dict[Value, Value]:
    """Copies of values in which free loop variables are replaced by positions.

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
                limit = None if limit is None else position(limit)
                inits = tuple(new[v] for v in old.inits)
                inside = new
                bound = touched.intersection(old.axes, new_axes)
                if bound:  # a variable that this reduction binds is another one
                    rest = {a: p for a, p in substitution.items() if a not in bound}
                    inside = rewritten(b, old.bodies, rest, axes, replacements)
                bodies = tuple(inside[v] for v in old.bodies)
                parts = (new_axes, inits, old.results, bodies, old.running, old.reverse, limit)
                same = (old.axes, old.inits, old.bodies, old.limit)
                copy = old if same == (new_axes, inits, bodies, limit) else Reduction(*parts)
                reductions[old] = copy
            attr = (copy, component)
        new[value] = b.make(op, value.code, tuple(new[a] for a in value.args), attr)
    return new


def with_roots(nest: Nest, roots: Sequence[Root]) -> Nest:
    """The same loops around other values."""
    return replace(nest, roots=tuple(roots))


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
            divides = size > 1 and extent % size == 0 and extent > size
            if divides and axis in nest.loops and all(s % size == 0 for s in sizes):
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

    ``for i: for j: out[i, j] = x[j, i]`` becomes ``for k: for i: for j in block k``, which uses
    all of a cache line before it is evicted.
    """
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
    return _cut_last(b, nest, TILE, place)


def _cut_rows(b: ElementBuilder, nest: Nest) -> Nest:
    """Cut a long last loop inside of few outer ones, so that there is work for all threads."""
    loops = nest.loops
    if len(loops) < 2 or nest.limit is not None:
        return nest
    outer = math.prod((axis.high or 0) + 1 for axis in loops[:-1])
    extent = (loops[-1].high or 0) + 1
    if outer >= FEW_ROWS or extent < 4 * ROW_PIECE:
        return nest
    if any(root.depth != len(loops) for root in nest.roots):
        return nest
    if any(value.op == "reduced" for value in reachable(root.value for root in nest.roots)):
        return nest
    return _cut_last(b, nest, ROW_PIECE, len(loops) - 1)


def _cut_last(b: ElementBuilder, nest: Nest, size: int, place: int) -> Nest:
    """Make two loops of the last one: over blocks, put at ``place``, and within a block."""
    space, loops = b.space, nest.loops
    last = loops[-1]
    extent = (last.high or 0) + 1
    block = space.loop(last.parts[0] + "b", -(-extent // size))
    inner = space.loop(last.parts[0] + "t", size)
    start = space.of(block) * size
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


def _number(value: Value) -> int:
    return value.number
