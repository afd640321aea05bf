"""`compile_group`: from a group of fusible equations to the kernels that compute it.

In comes a Jaxpr all of whose equations have an `Element` in their ``lower`` slot. Out comes a
`GroupKernel`: launches in order, the temporaries between them, and for each launch the words that
its kernel takes. Results of one shape share a loop nest; a result that another nest needs at
other places is read from memory; what would be computed again and again (a reduction inside a
loop that it does not depend on, an expensive value that is broadcast) gets a temporary and a nest
of its own. A value is otherwise inlined where it is used, and common subexpressions are computed
once. Read next: `nests` (loops), `fnx.core.lowering` (the rules), `build` (from text to machine
code).
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from fnx.compiler.expressions import Complex, ElementBuilder, code_of
from fnx.compiler.launches import GroupKernel, Launch, TemporaryType, launch_of
from fnx.compiler.loops import Buffer, LoopKernel, Reduction, Value
from fnx.compiler.nests import HEAVY, Nest, Root, reachable, shaped
from fnx.compiler.positions import Atom, Position, Space
from fnx.compiler.reductions import blocked
from fnx.compiler.row_reuse import with_rows_reused
from fnx.compiler.scheduling import schedule
from fnx.core.jaxpr import Eqn, Jaxpr, Literal, Var
from fnx.core.lowering import Element

__all__ = ["GroupKernel", "compile_group"]

#: A chain of this many inlined equations is cut: the value in its middle gets a temporary.
DEPTH = 60

#: More values than this in one nest, and what is used at most places gets a temporary.
VALUES = 6000


def compile_group(group: Jaxpr) -> GroupKernel:
    """The kernels of a group.

    Parameters
    ----------
    group : Jaxpr
        Every equation's primitive has an `Element` in its ``lower`` slot.

    Returns
    -------
    GroupKernel
        Launches in order. Arrays are C-contiguous; outputs do not overlap inputs, except where
        `GroupKernel.in_place` allows it.

    Raises
    ------
    TypeError
        An equation's primitive has no element rule.
    """
    for eqn in group.eqns:
        if not isinstance(eqn.primitive.lower, Element):
            raise TypeError(
                f"compile_group: `{eqn.primitive.name}` has no element rule, it is "
                f"{eqn.primitive.lower!r}. Only fusible primitives may be in a group."
            )
    plan = _Plan(group)
    while True:
        try:
            return plan.kernels()
        except _Materialise as request:
            plan.materialise(request.variable)
        except _Separate as request:
            plan.separate.add((request.reader, request.read))


class _Materialise(Exception):
    """A value must get a temporary; planning starts again."""

    def __init__(self, variable: Var) -> None:
        super().__init__(variable)
        self.variable = variable


class _Separate(Exception):
    """One value must be computed in a later nest than another that it reads."""

    def __init__(self, reader: Var, read: Var) -> None:
        super().__init__(reader, read)
        self.reader = reader
        self.read = read


@dataclass(slots=True)
class _NestPlan:
    """Which variables one nest computes."""

    shape: tuple[int, ...]
    variables: list[Any] = field(default_factory=list)
    running: Eqn | None = None


class _Plan:
    """Decides which variables are stored, and in which nest."""

    def __init__(self, group: Jaxpr) -> None:
        self.group = group
        self.producer: dict[Var, Eqn] = {o: e for e in group.eqns for o in e.outputs}
        self.order = {e: k for k, e in enumerate(group.eqns)}
        self.places: dict[Any, list[Buffer]] = {}
        self.copies: list[tuple[Any, Buffer]] = []
        self.temporaries: list[TemporaryType] = []
        self.separate: set[tuple[Var, Var]] = set()
        self.inputs: dict[Var, int] = {v: k for k, v in enumerate(group.in_vars)}
        for k, atom in enumerate(group.outs):
            buffer = Buffer("out", k, _element_code(atom.aval.dtype))
            if isinstance(atom, Var) and atom in self.producer:
                self.places.setdefault(atom, []).append(buffer)
            else:
                self.copies.append((atom, buffer))
        for variable in self._needed():
            running = self._eqn(variable).primitive.lower.kind == "running"
            if running and variable not in self.places:
                self.materialise(variable)

    def _eqn(self, variable: Var) -> Eqn:
        return self.producer[variable]

    def _needed(self) -> list[Var]:
        """Variables that the outputs depend on, in order."""
        seen: set[Var] = set()
        stack = [a for a in self.group.outs if isinstance(a, Var)]
        while stack:
            variable = stack.pop()
            if variable in seen or variable not in self.producer:
                continue
            seen.add(variable)
            stack += [a for a in self._eqn(variable).inputs if isinstance(a, Var)]
        return [o for e in self.group.eqns for o in e.outputs if o in seen]

    def materialise(self, variable: Var) -> None:
        """Give a variable a temporary."""
        aval = variable.aval
        buffer = Buffer("temp", len(self.temporaries), _element_code(aval.dtype))
        self.temporaries.append((aval.shape, aval.dtype))
        self.places[variable] = [buffer]

    def kernels(self) -> GroupKernel:
        """All kernels, in order."""
        nests = self.nests()
        where = {v: k for k, nest in enumerate(nests) for v in nest.variables}
        temporaries = list(self.temporaries)
        launches: list[Launch] = []
        for number, nest in enumerate(nests):
            if math.prod(nest.shape) == 0:
                continue
            maker = _NestMaker(self, nest, number, where)
            for kernel in maker.kernels(temporaries):
                launches.append(launch_of(kernel, tuple(maker.origin)))
        return GroupKernel(
            tuple(launches),
            tuple(temporaries),
            tuple((v.aval.shape, v.aval.dtype) for v in self.group.in_vars),
            tuple((a.aval.shape, a.aval.dtype) for a in self.group.outs),
        )

    def stored_dependencies(self, variable: Var) -> set[Var]:
        """The stored variables that one is computed from."""
        found: set[Var] = set()
        seen: set[Var] = set()
        stack = [a for a in self._eqn(variable).inputs if isinstance(a, Var)]
        while stack:
            v = stack.pop()
            if v in seen or v not in self.producer:
                continue
            seen.add(v)
            if v in self.places:
                found.add(v)
            else:
                stack += [a for a in self._eqn(v).inputs if isinstance(a, Var)]
        return found

    def nests(self) -> list[_NestPlan]:
        """Assign stored variables to nests."""
        nests: list[_NestPlan] = []
        where: dict[Var, int] = {}
        stored = sorted(self.places, key=lambda v: self.order[self.producer[v]])
        dependencies = {v: self.stored_dependencies(v) for v in stored}
        for variable in stored:
            eqn = self._eqn(variable)
            running = eqn if eqn.primitive.lower.kind == "running" else None
            shape = _effective(variable.aval.shape)
            lowest = 0
            for other in dependencies[variable]:
                nest = nests[where[other]]
                joins = (
                    running is None
                    and nest.running is None
                    and nest.shape == shape
                    and (variable, other) not in self.separate
                )
                lowest = max(lowest, where[other] + (0 if joins else 1))
            for k in range(lowest, len(nests)):
                if nests[k].shape == shape and nests[k].running is running:
                    break
            else:
                k = len(nests)
                nests.append(_NestPlan(shape, running=running))
            nests[k].variables.append(variable)
            where[variable] = k
        self._absorb(nests, dependencies)
        for atom, buffer in self.copies:
            nests.append(_NestPlan(_effective(atom.aval.shape), [(atom, buffer)]))
        return [nest for nest in nests if nest.variables]

    def _absorb(self, nests: list[_NestPlan], dependencies: dict[Var, set[Var]]) -> None:
        """Compute row statistics that are stored in the nest of the rows that use them."""
        for k, nest in enumerate(nests):
            if nest.running is not None or not nest.shape:
                continue
            mine = set(nest.variables)
            for later in nests[k + 1 :]:
                readers = [v for v in later.variables if dependencies[v] & mine]
                if not readers:
                    continue
                depth = len(nest.shape)
                if (
                    later.running is None
                    and later.shape[:depth] == nest.shape
                    and len(later.shape) > depth
                    and not any((r, m) in self.separate for r in readers for m in mine)
                ):
                    later.variables[:0] = nest.variables
                    nest.variables = []
                break


class _NestMaker:
    """Runs the element rules of one nest."""

    def __init__(self, plan: _Plan, nest: _NestPlan, number: int, where: dict[Any, int]) -> None:
        self.plan = plan
        self.nest = nest
        self.number = number
        self.where = where
        self.space = Space()
        self.b = ElementBuilder(self.space)
        self.buffers: dict[Buffer, int] = {}
        self.elements: dict[Any, Any] = {}
        self.tuples: dict[Any, Any] = {}
        self.axes = tuple(self.space.loop(f"i{k}", e) for k, e in enumerate(nest.shape))
        self.current: Var | None = None
        self.depth = 0
        self.heavy: dict[Var, set[Value]] = {}
        self.owners: dict[Reduction, Var] = {}
        self.origin: dict[str, None] = {}
        self.around: dict[Atom, frozenset[Atom]] = {}  # axes of reductions outside of an axis

    def kernels(self, temporaries: list[TemporaryType]) -> list[LoopKernel]:
        """The kernel of the nest, and the ones that prepare for it."""
        roots: list[Root] = []
        running: Atom | None = None
        self.prepare()
        for entry in self.nest.variables:
            variable, places = entry if type(entry) is tuple else (entry, None)
            places = [places] if places is not None else self.plan.places[variable]
            index = self.index_of(variable)
            self.current = variable
            value = self.element(variable, index, store=True)
            position = _flat(self.space, variable.aval.shape, index)
            depth = len(_effective(variable.aval.shape))
            for place in places:
                buffer = self.buffer(place)
                if isinstance(value, Complex):
                    roots.append(Root(buffer, position * 2, value.real_part, depth))
                    roots.append(Root(buffer, position * 2 + 1, value.imag_part, depth))
                else:
                    roots.append(Root(buffer, position, value, depth))
        values = reachable(root.value for root in roots)
        for value in values:
            if value.op == "reduced" and value.attr[0].running:
                running = value.attr[0].axes[0]
        self.check(values)
        nest = shaped(self.b, Nest(self.axes, tuple(roots), running))
        stages, nest = blocked(self.b, nest, len(self.buffers))
        for stage, numbers in stages:
            for part, number in zip(stage.parts, numbers):
                temporary = Buffer("temp", len(temporaries), part.code)
                temporaries.append(((part.size,), part.dtype))
                assert self.buffer(temporary) == number
        kernels = [
            schedule(self.b, shaped(self.b, stage.nest(numbers, self.b)), tuple(self.buffers))
            for stage, numbers in stages
        ]
        codes = {number: buffer.code for buffer, number in self.buffers.items()}
        nest = with_rows_reused(self.b, nest, codes)
        return [*kernels, schedule(self.b, nest, tuple(self.buffers))]

    def prepare(self) -> None:
        """Run the rules of a long elementwise chain in order, so that recursion stays shallow."""
        plan = self.plan
        needed: set[Eqn] = set()
        stack = [v for v in self.nest.variables if type(v) is not tuple]
        while stack:
            eqn = plan.producer[stack.pop()]
            if eqn not in needed:
                needed.add(eqn)
                stack += [
                    a
                    for a in eqn.inputs
                    if isinstance(a, Var)
                    and a in plan.producer
                    and (a not in plan.places or self.where[a] == self.number)
                ]
        if len(needed) < DEPTH // 2:
            return
        for eqn in sorted(needed, key=plan.order.__getitem__):
            variable = eqn.outputs[0]
            fits = _effective(variable.aval.shape) == self.nest.shape
            if fits and eqn.primitive.lower.kind == "scalar":
                # if it cannot be computed here, whoever really needs it will say so
                with contextlib.suppress(_Materialise, _Separate):
                    self.element(variable, self.index_of(variable))

    def index_of(self, atom: Any) -> tuple[Position, ...]:
        """The index of this nest's loops, for a variable of its shape (or of a prefix)."""
        axes = iter(self.axes)
        zero = self.space.number(0)
        return tuple(zero if e == 1 else self.space.of(next(axes)) for e in atom.aval.shape)

    def element(self, atom: Any, index: tuple[Any, ...], store: bool = False) -> Any:
        """The value of a variable at an index: loaded, or computed here."""
        if isinstance(atom, Literal):
            return self.b.parameter(atom.val[()], atom.aval.dtype)
        shape = atom.aval.shape
        if len(index) != len(shape):
            if shape:
                raise TypeError(
                    f"lower: an element rule read an operand {atom.aval} with {len(index)} "
                    f"indices; it has {len(shape)} axes"
                )
            index = ()
        number = self.space.number
        index = tuple(
            number(0) if e == 1 else i if isinstance(i, Position) else number(int(i))
            for e, i in zip(shape, index)
        )
        key = (atom, index, self.b.guard)
        found = self.elements.get(key)
        if found is None:
            found = self.elements[key] = self.compute(atom, index, store)
        return found

    def compute(self, atom: Var, index: tuple[Position, ...], store: bool) -> Any:
        plan = self.plan
        eqn = plan.producer.get(atom)
        if eqn is None:
            return self.load(
                Buffer("in", plan.inputs[atom], _element_code(atom.aval.dtype)), atom, index
            )
        if atom in plan.places and not store:
            if self.where[atom] != self.number:
                return self.load(plan.places[atom][0], atom, index)
            if not self.readable(atom, index):
                raise _Separate(self.reader(atom), atom)
        if self.depth > DEPTH:
            raise _Materialise(atom)
        key = (eqn, index, self.b.guard)
        results = self.tuples.get(key)
        if results is None:
            results = self.tuples[key] = self.run(eqn, index)
        result = results[eqn.outputs.index(atom)]
        if not isinstance(result, Complex):
            self.note(atom, eqn, result)
        return result

    def reader(self, read: Var) -> Var:
        if isinstance(self.current, Var) and self.current in self.plan.places:
            return self.current
        raise _Materialise(read)

    def run(self, eqn: Eqn, index: tuple[Position, ...]) -> tuple[Any, ...]:
        """Run an element rule."""
        b = self.b
        before = b.out_avals
        b.out_avals = tuple(o.aval for o in eqn.outputs)
        self.depth += 1
        name, out = eqn.primitive.name, eqn.outputs[0].aval
        self.origin[f"{out!r} = {name}  {eqn.source}".rstrip()] = None
        try:
            operands = [_Operand(self, atom) for atom in eqn.inputs]
            results = eqn.primitive.lower.rule(b, index, *operands, **eqn.params)
        finally:
            b.out_avals = before
            self.depth -= 1
        if type(results) is not tuple:
            results = (results,)
        typed = tuple(_typed(b, r, o.aval.dtype) for r, o in zip(results, eqn.outputs, strict=True))
        for result, variable in zip(typed, eqn.outputs):
            if result.dtype != variable.aval.dtype:
                raise TypeError(
                    f"lower: the element rule of `{eqn.primitive.name}` gave {result.dtype}, "
                    f"its result is {variable.aval}. Convert in the rule."
                )
        return typed

    def readable(self, atom: Var, index: tuple[Position, ...]) -> bool:
        """Whether a value of this very nest may be computed anew at an index.

        It may at the nest's own index, and in a reduction over its last axes (a row statistic).
        """
        own = [i for i, e in zip(index, atom.aval.shape) if e != 1]
        tail = False
        for position, axis in zip(own, self.axes):
            same = position is self.space.of(axis)
            reduced = (
                len(position.terms) == 1
                and not position.constant
                and position.terms[0][0].kind == "loop"
                and position.stride(position.terms[0][0]) == 1
                and position.terms[0][0] not in self.axes
            )
            if tail and not reduced:
                return False
            if not same:
                if not reduced:
                    return False
                tail = True
        return True

    def note(self, atom: Var, eqn: Eqn, value: Value) -> None:
        """Remember what would be costly to compute more often than once for each element."""
        core = value
        while core.op in ("narrow", "convert"):
            core = core.args[0]
        if core.op == "reduced":
            self.owners.setdefault(core.attr[0], atom)
        elif core.op in HEAVY or core.op == "reduced":
            self.heavy.setdefault(atom, set()).add(core)

    def check(self, values: list[Value]) -> None:
        """Ask for temporaries where inlining repeats work."""
        plan = self.plan
        used = set(values)
        for value in values:
            if value.op == "reduced":
                axes = value.attr[0].axes
                for k, axis in enumerate(axes):
                    self.around[axis] = self.around.get(axis, frozenset()).union(axes[:k])
        for costly, instances in self.heavy.items():
            if costly in plan.places:
                continue
            total = sum(self.executions(v.free) for v in instances if v in used)
            if total > 2.5 * max(math.prod(costly.aval.shape), 1) and total > 64:
                raise _Materialise(costly)
        for value in values:
            if value.op != "reduced" or value.attr[0].running:
                continue
            reduction = value.attr[0]
            owner = self.owners.get(reduction)
            if owner is None or owner in plan.places:
                continue
            runs = self.executions(reduction.free)
            work = math.prod((a.high or 0) + 1 for a in reduction.axes)
            once = max(math.prod(owner.aval.shape), 1)
            shared = not reduction.free and self.axes and math.prod(self.nest.shape) > 1
            if work > 1 and (runs > once or (shared and work > 16)):
                raise _Materialise(owner)
        if len(values) > VALUES:
            counts: dict[Var, int] = {}
            for inlined, _, _ in self.elements:
                if inlined in plan.producer and inlined not in plan.places:
                    counts[inlined] = counts.get(inlined, 0) + 1
            if counts:
                most = max(counts.values())
                middle = [v for v, n in counts.items() if 2 * n >= most]
                raise _Materialise(middle[len(middle) // 2])

    def executions(self, free: frozenset[Atom]) -> int:
        """How often a value is computed that depends on these loop variables."""
        count = 1
        deepest = max((k for k, a in enumerate(self.axes) if a in free), default=-1)
        for axis in self.axes[: deepest + 1]:
            count *= (axis.high or 0) + 1
        inner = {axis for axis in free if axis not in self.axes}
        for axis in tuple(inner):
            inner |= self.around.get(axis, frozenset())
        for axis in inner:
            count *= (axis.high or 0) + 1
        return count

    def load(self, buffer: Buffer, atom: Var, index: tuple[Position, ...]) -> Any:
        aval = atom.aval
        number = self.buffer(buffer)
        if aval.size == 0:  # only inside a guard that never holds
            return self.b.constant(0, aval.dtype)
        return self.b.load(number, _flat(self.space, aval.shape, index), aval.dtype)

    def buffer(self, buffer: Buffer) -> int:
        return self.buffers.setdefault(buffer, len(self.buffers))


class _Operand:
    """What an element rule gets for an operand."""

    __slots__ = ("atom", "aval", "maker")

    def __init__(self, maker: _NestMaker, atom: Any) -> None:
        self.maker = maker
        self.atom = atom
        self.aval = atom.aval

    def __call__(self, *index: Any) -> Any:
        return self.maker.element(self.atom, index)


def _typed(b: ElementBuilder, result: Any, dtype: np.dtype[Any]) -> Any:
    """What a rule gave, as a scalar: it may be a position or a Python number."""
    if isinstance(result, (Value, Complex)):
        return result
    if isinstance(result, Position):
        return b.from_index(result, dtype)
    return b.constant(result, dtype)


def _effective(shape: Iterable[int]) -> tuple[int, ...]:
    return tuple(e for e in shape if e != 1)


def _flat(space: Space, shape: tuple[int, ...], index: tuple[Position, ...]) -> Position:
    """The place in a C-contiguous array."""
    flat = space.number(0)
    for extent, position in zip(shape, index):
        flat = flat * extent + position
    return flat


def _element_code(dtype: np.dtype[Any]) -> str:
    """The code of what a buffer holds: of a complex array, the parts."""
    return {8: "f32", 16: "f64"}[dtype.itemsize] if dtype.kind == "c" else code_of(dtype)
