"""The cut: from a program to steps, most of them groups of equations that become one loop nest.

In comes a Jaxpr whose calls are inlined; out comes a `Block`. Equations are visited from the last
to the first. One whose results are read by a single group joins it, if computing it where it is
read costs less than keeping it in memory. One that only says where to read, or that is light and
needs nothing from memory that its readers do not read anyway, is computed by every reader.
Another one that several steps read is computed once, in a group of its own loops if that makes no
cycle, else in a new group. Then groups of one shape that read the same arrays are merged. Groups
are of medium size: small enough that the time to compile stays proportional to the program, large
enough that a chain of operations, or a reduction with what surrounds it along the same rows, is
one pass over memory, and scalars are one kernel.
Read next: `costs` (the figures), `schedule` (the order).
"""

from __future__ import annotations

from collections.abc import Sequence

from fnx.compiler.passes import costs
from fnx.compiler.passes.schedule import schedule
from fnx.compiler.passes.steps import Block, Step, variables
from fnx.core.jaxpr import Atom, Eqn, Jaxpr, Var, subjaxprs
from fnx.core.lowering import Element, Host, Kernel
from fnx.errors import CompilationError

__all__ = ["cut"]

#: Equations of one group, counted once for each place that they are read at.
LARGEST_GROUP = 200
LARGEST_SCALAR_GROUP = 1000
#: Groups do not reach across windows of so many equations: reachability is kept as bit sets.
WINDOW = 2000
#: An array that is read at more different places than this is kept in memory.
MOST_PLACES = 4
#: Elements up to which a result counts as small: it is computed by one thread anyway.
SMALL = 4096
#: Terms of a reduction from which on it is worth all threads, hence a kernel of its own.
LONG_REDUCTION = 16384


def cut(jaxpr: Jaxpr) -> Block:
    """Cut a program, and the programs in its control flow, into steps.

    Parameters
    ----------
    jaxpr : Jaxpr
        Without calls; bodies of loops and branches likewise.

    Raises
    ------
    CompilationError
        A primitive has nothing that the compiler can use in its ``lower`` slot.
    """
    last = {atom: len(jaxpr.eqns) for atom in variables(jaxpr.outs)}
    for k, eqn in enumerate(jaxpr.eqns):
        for var in variables(eqn.inputs):
            last[var] = max(last.get(var, 0), k)
    steps: list[Step] = []
    for start in range(0, len(jaxpr.eqns), WINDOW):
        window = jaxpr.eqns[start : start + WINDOW]
        stop = start + len(window)
        wanted = {v for e in window for v in e.outputs if last.get(v, -1) >= stop}
        steps += _Cutter(window, wanted).steps()
    return Block(jaxpr.in_vars, tuple(steps), jaxpr.outs)


class _Group:
    """A step under construction.

    Attributes
    ----------
    number : int
        Its bit in sets of groups.
    reach : int
        The groups that depend on it.
    members : dict of Eqn to (float, int)
        How often each element is computed, and at how many different places.
    reads : set of Var
        The operands of its members.
    """

    __slots__ = (
        "domain",
        "is_open",
        "members",
        "number",
        "outputs",
        "reach",
        "reads",
        "reduces",
        "size",
    )

    def __init__(self, number: int, eqn: Eqn, is_open: bool) -> None:
        self.number = number
        self.reach = 0
        self.members: dict[Eqn, tuple[float, int]] = {eqn: (1.0, 1)}
        self.outputs: dict[Var, None] = {}
        self.reads = set(variables(eqn.inputs))
        self.domain = _long_axes(eqn)
        self.is_open = is_open
        self.reduces = _reduces(eqn)
        self.size = 1

    @property
    def limit(self) -> int:
        return LARGEST_SCALAR_GROUP if not self.domain else LARGEST_GROUP

    def add(self, eqn: Eqn, times: float, places: int) -> None:
        self.members[eqn] = (times, places)
        self.reads.update(variables(eqn.inputs))
        self.size += places
        self.reduces = self.reduces or _reduces(eqn)


class _Cutter:
    def __init__(self, eqns: Sequence[Eqn], wanted: set[Var]) -> None:
        self.eqns = eqns
        self.wanted = wanted
        self.groups: list[_Group] = []
        self.effect: list[_Group] = []  # that of the next equation with an effect, if any
        self.homes: dict[Eqn, list[_Group]] = {}
        self.makers: dict[Var, Eqn] = {v: eqn for eqn in eqns for v in eqn.outputs}
        self.readers: dict[Var, list[tuple[Eqn, int]]] = {}
        self.order = {eqn: k for k, eqn in enumerate(eqns)}
        for eqn in eqns:
            for position, atom in enumerate(eqn.inputs):
                if type(atom) is Var:
                    self.readers.setdefault(atom, []).append((eqn, position))

    def steps(self) -> list[Step]:
        for eqn in reversed(self.eqns):
            self.visit(eqn)
        groups = self.merge_siblings()
        inputs = [self.inputs(group) for group in groups]
        needed = self.wanted.union(*inputs)
        steps = [self.step(g, read, needed) for g, read in zip(groups, inputs)]
        return schedule(steps, self.order)

    # --- joining ------------------------------------------------------------------------------

    def visit(self, eqn: Eqn) -> None:
        """Give an equation its group, or its groups."""
        users = self.users(eqn)
        outside = any(v in self.wanted for v in eqn.outputs)
        if costs.element_of(eqn) is None:
            followers = [*users, *self.effect] if eqn.effects else users
            group = self.open_group(eqn, followers, is_open=False)
            self.effect = [group] if eqn.effects else self.effect
        elif costs.is_free(eqn) or self.is_view(eqn) or self.is_cheap_to_copy(eqn, users, outside):
            self.copy_into_users(eqn, users, outside)
        elif len(users) == 1 and not outside and self.worth_inlining(eqn, users[0]):
            users[0].add(eqn, *self.demand(eqn, users[0]))
            self.homes[eqn] = [users[0]]
        else:
            self.place(eqn, users)

    def users(self, eqn: Eqn) -> list[_Group]:
        """The groups that read an equation's results."""
        found: dict[int, _Group] = {}
        for var in eqn.outputs:
            for reader, _ in self.readers.get(var, ()):
                for group in self.homes[reader]:
                    found[group.number] = group
        return list(found.values())

    def is_cheap_to_copy(self, eqn: Eqn, users: list[_Group], outside: bool) -> bool:
        """Whether every reader may compute a light equation from memory that it reads anyway.

        It reads one operand at most in place of the result; that one is in memory whatever is cut.
        """
        if outside or len(users) < 2 or not all(group.is_open for group in users):
            return False
        if not costs.is_light(eqn):
            return False
        size = eqn.outputs[0].aval.size
        large = [v for v in variables(eqn.inputs) if self.memory_of(v) * 8 > size]
        for group in users:
            if group.size >= group.limit or self.demand(eqn, group)[1] > MOST_PLACES:
                return False
            others = [v for v in large if v not in group.reads]
            if len(others) > 1 or not all(self.is_kept(v) for v in others):
                return False
        return True

    def memory_of(self, var: Var) -> int:
        """How many elements must be in memory for a variable to be read."""
        maker = self.makers.get(var)
        if maker is not None and maker.primitive.name == "broadcast_in_dim":
            return maker.inputs[0].aval.size
        return var.aval.size

    def is_view(self, eqn: Eqn) -> bool:
        """Whether an equation only says where to read, so that it is best done by each reader."""
        if eqn.primitive.name in ("broadcast_in_dim", "iota"):
            return True
        first = eqn.inputs[0] if eqn.inputs else None
        return eqn.primitive.name in ("slice", "rev") and type(first) is Var and self.is_kept(first)

    def is_kept(self, var: Var) -> bool:
        """Whether a variable is in memory in any case: no element rule makes it."""
        maker = self.makers.get(var)
        return maker is None or costs.element_of(maker) is None

    def copy_into_users(self, eqn: Eqn, users: list[_Group], outside: bool) -> None:
        """Compute what costs nothing in every group that reads it."""
        joined = [group for group in users if group.is_open]
        for group in joined:
            group.add(eqn, *self.demand(eqn, group))
        self.homes[eqn] = joined
        closed = [group for group in users if not group.is_open]
        if closed or outside or not users:
            group = self.open_group(eqn, closed, is_open=not costs.is_free(eqn))
            self.homes[eqn] = [*joined, group]

    def place(self, eqn: Eqn, users: list[_Group]) -> None:
        """Keep an equation's results in memory: computed beside a reader of its loops, or alone."""
        for group in users:
            others = [other for other in users if other is not group]
            if self.can_store_in(eqn, group) and not any(
                other.reach >> group.number & 1 for other in others
            ):
                group.add(eqn, 1.0, self.demand(eqn, group)[1])
                group.outputs.update(dict.fromkeys(eqn.outputs))
                self.homes[eqn] = [group]
                self.connect(group, others)
                return
        self.open_group(eqn, users, is_open=True)

    def can_store_in(self, eqn: Eqn, group: _Group) -> bool:
        """Whether the loops of a group come by every element of an equation's results once."""
        if not group.is_open or group.size >= group.limit:
            return False
        if _is_running(eqn) or any(_is_running(e) for e in group.members):
            return False
        times, places = self.demand(eqn, group)
        if places > MOST_PLACES:
            return False
        domain = _long_axes(eqn)
        if _reduces(eqn) and domain and group.domain[: len(domain)] == domain:
            return times <= 1  # the statistic of a row, that the row's elements need
        return group.domain == domain and not _reduces(eqn) and self.reads_alike(eqn, group)

    def open_group(self, eqn: Eqn, users: list[_Group], is_open: bool) -> _Group:
        group = _Group(len(self.groups), eqn, is_open)
        group.outputs.update(dict.fromkeys(eqn.outputs))
        self.groups.append(group)
        self.homes[eqn] = [group]
        self.connect(group, users)
        return group

    def connect(self, group: _Group, users: list[_Group]) -> None:
        """Note that the users depend on a group."""
        reach = group.reach
        for user in users:
            reach |= user.reach | 1 << user.number
        if reach == group.reach:
            return
        group.reach = reach
        for other in self.groups:
            if other.reach >> group.number & 1:
                other.reach |= reach

    def reads_alike(self, eqn: Eqn, group: _Group) -> bool:
        """Whether a group reads results of its own loops at the index that it computes them at.

        It may also reduce them along its inner loops.
        """
        for var in eqn.outputs:
            for reader, _ in self.readers.get(var, ()):
                if reader not in group.members:
                    continue
                element = costs.element_of(reader)
                axes = _long_axes(reader)
                along = element is not None and element.kind == "reduce"
                if along and group.domain[: len(axes)] == axes and len(axes) < len(group.domain):
                    continue
                if element is None or element.kind != "scalar":
                    return False
        return True

    def worth_inlining(self, eqn: Eqn, group: _Group) -> bool:
        """Whether a group should compute an equation where it reads it."""
        if not group.is_open or _is_running(eqn):
            return False
        times, places = self.demand(eqn, group)
        if group.size + places > group.limit or places > MOST_PLACES:
            return False
        result = eqn.outputs[0].aval
        if _reduces(eqn):
            extent = costs.reduced_extent(eqn)
            if extent * result.size >= LONG_REDUCTION and (
                times > 1 or result.size < 16 or len(_long_axes(eqn)) > len(group.domain)
            ):
                return False
        again = (times - 1) * result.size * costs.work(eqn)
        return again <= costs.kept(result) + costs.CALL

    def demand(self, eqn: Eqn, group: _Group) -> tuple[float, int]:
        """How often a group reads each element of an equation's results, and at how many places.

        Readers that compute their element from the one at the same index share a read.
        """
        shared_times, shared_places, times, places = 0.0, 0, 0.0, 0
        for var in eqn.outputs:
            for reader, operand in self.readers.get(var, ()):
                if reader not in group.members:
                    continue
                reader_times, reader_places = group.members[reader]
                element = costs.element_of(reader)
                if element is not None and element.kind == "scalar":
                    shared_times = max(shared_times, reader_times)
                    shared_places = max(shared_places, reader_places)
                else:
                    times += reader_times * costs.reads(reader, operand)
                    places += reader_places
        return max(shared_times + times, 1.0), max(shared_places + places, 1)

    # --- merging ------------------------------------------------------------------------------

    def merge_siblings(self) -> list[_Group]:
        """Merge groups of one shape that read a common array, or that are small."""
        alive: list[_Group] = []
        recent: dict[tuple[tuple[int, ...], bool], list[_Group]] = {}
        for group in self.groups:
            bucket = recent.setdefault((group.domain, group.reduces), [])
            partner = next((g for g in reversed(bucket[-8:]) if self.mergeable(g, group)), None)
            if partner is None:
                alive.append(group)
                bucket.append(group)
            else:
                self.merge(partner, group)
        return alive

    def mergeable(self, first: _Group, second: _Group) -> bool:
        if not (first.is_open and second.is_open) or first.size + second.size > first.limit:
            return False
        if first.reach >> second.number & 1 or second.reach >> first.number & 1:
            return False
        if any(_is_running(e) for g in (first, second) for e in g.members):
            return False
        size = max(next(iter(first.outputs)).aval.size, 1)
        if size <= SMALL and not first.reduces:
            return True
        mine = {v for v in self.inputs(first) if v.aval.size >= size}
        return any(v in mine for v in self.inputs(second))

    def merge(self, first: _Group, second: _Group) -> None:
        for eqn, (times, places) in second.members.items():
            if eqn not in first.members:
                first.add(eqn, times, places)
        first.outputs.update(second.outputs)
        bit = 1 << second.number
        second.is_open = False
        first.reach |= second.reach
        for other in self.groups:
            if other.reach & bit or other.reach >> first.number & 1:
                other.reach |= first.reach | bit | 1 << first.number

    # --- results ------------------------------------------------------------------------------

    def inputs(self, group: _Group) -> list[Var]:
        inside = {v for eqn in group.members for v in eqn.outputs}
        read: dict[Var, None] = {}
        for eqn in group.members:
            read.update(dict.fromkeys(v for v in variables(eqn.inputs) if v not in inside))
        return list(read)

    def step(self, group: _Group, inputs: list[Var], needed: set[Var]) -> Step:
        members = sorted(group.members, key=self.order.__getitem__)
        eqn = members[0]
        if group.is_open:
            outputs = [v for e in members for v in e.outputs if v in group.outputs and v in needed]
            atoms: tuple[Atom, ...] = tuple(inputs)
            return Step("loops", tuple(members), atoms, tuple(outputs))
        if costs.is_free(eqn):
            return Step("alias", (eqn,), eqn.inputs, eqn.outputs)
        return _single(eqn)


def _single(eqn: Eqn) -> Step:
    """The step of an equation that is not an element rule."""
    lower = eqn.primitive.lower
    if isinstance(lower, Kernel):
        return Step("kernel", (eqn,), eqn.inputs, eqn.outputs)
    if isinstance(lower, Host):
        return Step("host", (eqn,), eqn.inputs, eqn.outputs)
    if isinstance(lower, str):
        bodies = tuple(cut(body) for _, body in subjaxprs(eqn.params))
        return Step("control", (eqn,), eqn.inputs, eqn.outputs, bodies)
    raise CompilationError(
        f"compile: `{eqn.primitive.name}` (at {eqn.source or 'an unknown line'}) cannot be "
        f"compiled: its lower slot is {lower!r}. Give Primitive(..., lower=) an Element, a Kernel, "
        "or Host(reason) for an explicit step in Python."
    )


def _long_axes(eqn: Eqn) -> tuple[int, ...]:
    """The extents of a result's axes that loops run over."""
    return tuple(n for n in eqn.outputs[0].aval.shape if n != 1) if eqn.outputs else ()


def _reduces(eqn: Eqn) -> bool:
    lower = eqn.primitive.lower
    return isinstance(lower, Element) and lower.kind == "reduce"


def _is_running(eqn: Eqn) -> bool:
    lower = eqn.primitive.lower
    return isinstance(lower, Element) and lower.kind == "running"
