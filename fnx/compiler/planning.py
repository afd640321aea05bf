"""From steps to a plan: where every value lives, and the native calls that compute it.

In comes a `Block`; out comes a `Draft`: segments of native instructions with the steps in Python
between them, the size of the arena, constants, and which kernels are called. A value is planned
as a `Place`: an address in an argument, in a result, in the arena or among the constants, which
may move from one iteration of a loop to the next. Results are computed where the caller will find
them; a value that dies may leave its bytes to the one computed from it. Loops and branches are
written by `control_flow` into the same plan, so that nothing returns to Python in between. Read
next: `control_flow`, `executable`, `fnx.kernels.plan_runner`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from fnx.compiler.arena import Allocator, Storage
from fnx.compiler.canonical import NotCanonical, canonical_text
from fnx.compiler.draft import Draft, HostStep, Place, StepReport
from fnx.compiler.launches import GroupKernel, Launch
from fnx.compiler.lower import compile_group
from fnx.compiler.passes import costs
from fnx.compiler.passes.steps import Block, Step, variables
from fnx.core.jaxpr import Atom, Eqn, Literal, Var
from fnx.core.types import ShapedArray
from fnx.errors import CompilationError
from fnx.kernels.calls import Operand
from fnx.kernels.plan_runner import PlanBuilder, Reference, SubPlan, buffer, code, memory
from fnx.kernels.registry import KERNELS

__all__ = ["BlockPlanner", "ControlWriter", "Planner"]

ControlWriter = Callable[["BlockPlanner", Step, SubPlan], None]


class Planner:
    """Plans one program.

    Parameters
    ----------
    block : Block
        The program.
    numbers : mapping of Eqn to int
        The equations of the program that the block was cut from; see `numbered_eqns`.
    control : mapping of str to callable
        ``write(block_planner, step, plan)`` for each kind of control flow, by the name that stands
        in the ``lower`` slot of its primitive.
    donated : sequence of int
        The inputs whose memory may become a result's.
    """

    def __init__(
        self,
        block: Block,
        numbers: Mapping[Eqn, int],
        control: Mapping[str, ControlWriter],
        donated: Sequence[int] = (),
    ) -> None:
        self.block = block
        self.numbers = numbers
        self.control = control
        self.allocator = Allocator()
        self.segments: list[PlanBuilder | HostStep] = []
        self.constants = bytearray()
        self.launches: dict[str, Launch] = {}
        self.functions: set[str] = set()
        self.reports: list[StepReport] = []
        self.groups: dict[Step, GroupKernel] = {}
        self._alike: dict[str, GroupKernel] = {}
        self.depth = 0
        self.donations: dict[int, int] = {}
        self.messages: list[str] = []
        self._constant_offsets: dict[tuple[str, bytes], int] = {}
        self._buffers = len(block.in_vars) + len(block.outs)
        self._main: SubPlan | None = None
        self._donated = set(donated)

    def draft(self) -> Draft:
        """Plan the program."""
        block, count = self.block, len(self.block.in_vars)
        inputs = {v: Place(buffer(k)) for k, v in enumerate(block.in_vars)}
        outputs = [Place(buffer(count + k)) for k in range(len(block.outs))]
        donors = {block.in_vars[k]: k for k in self._donated}
        BlockPlanner(self, block, inputs, outputs, donors).plan(None)
        return Draft(
            self.segments,
            self.allocator.size,
            bytes(self.constants),
            self.launches,
            self.functions,
            self.donations,
            self.reports,
            self.messages,
        )

    def main(self) -> SubPlan:
        """The instructions of the native segment that is being written."""
        if self._main is None:
            builder = PlanBuilder(self._buffers)
            self.segments.append(builder)
            self._main = builder.main
        return self._main

    def host(self, step: HostStep) -> None:
        """End the native segment with a step in Python."""
        self._main = None
        self.segments.append(step)

    def group(self, step: Step) -> GroupKernel:
        """The kernels of a step of kind ``loops``; generated once for all steps that are alike."""
        found = self.groups.get(step)
        if found is None:
            jaxpr = step.jaxpr()
            try:
                text = canonical_text(jaxpr)
            except NotCanonical:
                text = ""
            found = self._alike.get(text) or compile_group(jaxpr)
            self.groups[step] = found
            if text:
                self._alike[text] = found
        return found

    def constant(self, literal: Literal) -> Place:
        """The place of a literal."""
        value = literal.val
        key = (value.dtype.str + value.dtype.name, value.tobytes())
        offset = self._constant_offsets.get(key)
        if offset is None:
            self.constants.extend(bytes(-len(self.constants) % 16))
            offset = self._constant_offsets[key] = len(self.constants)
            self.constants.extend(value.tobytes())
        return Place(memory("constants", offset))

    def status(self, message: str) -> int:
        """What stands for a failure in the status word of a run; 0 is none."""
        if message not in self.messages:
            self.messages.append(message)
        return self.messages.index(message) + 1

    # --- instructions -------------------------------------------------------------------------

    def call(
        self, plan: SubPlan, function: str, words: Sequence[Any], count: int, chunk: int
    ) -> None:
        """A call of a kernel; words are Places, References and numbers."""
        vector = plan._builder.vector([w.word if type(w) is Place else w for w in words])
        for k, word in enumerate(words):
            if type(word) is Place:
                for stream, stride in word.streams:
                    stream.moves.append((vector.word(k), stride))
        plan.call(code(function), vector, count, chunk)

    def copy(self, plan: SubPlan, target: Place, source: Place, size: int) -> None:
        """A copy of some bytes."""
        if size == 0 or target == source:
            return
        position = plan.copy(target.word, source.word, size)
        for k, place in enumerate((target, source)):
            for stream, stride in place.streams:
                stream.moves.append((plan.operand(position, k), stride))


class BlockPlanner:
    """Plans one list of steps: the program's own, or the body of a loop or branch.

    Parameters
    ----------
    planner : Planner
        Of the whole program.
    block : Block
        The steps.
    inputs : mapping of Var to Place
        Where its inputs are.
    outputs : sequence of Place
        Where its results go.
    donors : mapping of Var to int
        Inputs whose memory may become a result's.
    """

    def __init__(
        self,
        planner: Planner,
        block: Block,
        inputs: Mapping[Var, Place],
        outputs: Sequence[Place],
        donors: Mapping[Var, int] | None = None,
    ) -> None:
        self.planner = planner
        self.block = block
        self.places: dict[Var, Place] = dict(inputs)
        self.outputs = outputs
        self.donors = dict(donors or {})
        self.storage: dict[Var, Storage] = {}
        self.now = 0
        self.last: dict[Var, int] = {}
        for k, step in enumerate(block.steps):
            for var in variables(step.inputs):
                self.last[var] = k
        for var in variables(block.outs):
            self.last[var] = len(block.steps)
        self.wanted: dict[Var, int] = {}
        for k, atom in enumerate(block.outs):
            if type(atom) is Var and atom not in inputs:
                self.wanted.setdefault(atom, k)

    def plan(self, plan: SubPlan | None) -> None:
        """Write the steps; `plan` is None for the program's own, which Python may interrupt."""
        for k, step in enumerate(self.block.steps):
            self.now = k
            if any(v.aval.size for v in step.outputs) or any(e.effects for e in step.eqns):
                self.step(step, plan)
            else:
                for var in step.outputs:
                    self.destination(var)
            self.bury(k, step)
        for k, atom in enumerate(self.block.outs):
            target = self.outputs[k]
            if type(atom) is Var and self.wanted.get(atom) == k:
                continue
            self.planner.copy(
                plan or self.planner.main(), target, self.place(atom), _bytes(atom.aval)
            )

    # --- memory -------------------------------------------------------------------------------

    def place(self, atom: Atom) -> Place:
        """Where a value is."""
        return self.places[atom] if type(atom) is Var else self.planner.constant(atom)  # type: ignore[arg-type]

    def destination(self, var: Var, reuse: Var | None = None) -> Place:
        """Where a value is to be computed; `reuse` is an operand whose bytes it may take."""
        k = self.wanted.get(var)
        donor = None if k is None else self.donor(var, reuse)
        if k is not None and donor is not None:
            self.planner.donations[k] = self.donors.pop(donor)
            place = self.places[donor]
        elif k is not None:
            place = self.outputs[k]
        else:
            storage = self.storage.get(reuse) if reuse is not None else None
            if storage is not None and storage.users == 1 and storage.size >= _bytes(var.aval):
                self.planner.allocator.share(storage)
            else:
                storage = self.planner.allocator.take(_bytes(var.aval))
            self.storage[var] = storage
            place = Place(memory("arena", storage.offset))
        self.places[var] = place
        return place

    def donor(self, var: Var, reuse: Var | None) -> Var | None:
        """A donated input of the same type that nobody reads any more."""
        for donor in self.donors:
            dead = donor not in self.last or self.last[donor] < 0 or donor is reuse
            if dead and donor.aval.same_type(var.aval):
                return donor
        return None

    def dying(self, atom: Atom) -> Var | None:
        """A variable that nobody reads after the step that is being planned."""
        return atom if type(atom) is Var and self.last.get(atom, -1) == self.now else None

    def scratch(self, size: int) -> tuple[Place, Storage]:
        """Bytes of the arena for the time of a step; release the storage after it."""
        storage = self.planner.allocator.take(size)
        return Place(memory("arena", storage.offset)), storage

    def release(self, storage: Storage) -> None:
        """Give scratch bytes back."""
        self.planner.allocator.release(storage)

    def bury(self, k: int, step: Step) -> None:
        """Free what nobody reads after a step."""
        for var in {*variables(step.inputs), *step.outputs}:
            if self.last.get(var, -1) <= k:
                self.last[var] = -1
                storage = self.storage.pop(var, None)
                if storage is not None:
                    self.planner.allocator.release(storage)

    # --- steps --------------------------------------------------------------------------------

    def step(self, step: Step, plan: SubPlan | None) -> None:
        """Write one step."""
        if step.kind == "host" or not all(body.is_native for body in step.bodies):
            self.host_step(step, plan)
            return
        if step.kind == "alias":
            self.alias(step, plan)
            return
        plan = plan or self.planner.main()
        if step.kind == "loops":
            self.loops(step, plan)
        elif step.kind == "kernel":
            self.kernel(step, plan)
        else:
            lower = step.eqn.primitive.lower
            write = self.planner.control.get(lower)
            if write is None:
                raise CompilationError(
                    f"compile: `{step.eqn.primitive.name}` is lowered as {lower!r}, which is no "
                    f"control flow that is known; there are {', '.join(self.planner.control)}."
                )
            self.report(step, step.eqn.primitive.name, 0.0, 1)
            self.planner.depth += 1
            write(self, step, plan)
            self.planner.depth -= 1

    def alias(self, step: Step, plan: SubPlan | None) -> None:
        """The same bytes under another type."""
        (atom,), (var,) = step.inputs, step.outputs
        source = self.place(atom)
        if var in self.wanted:
            target = self.destination(var)
            plan = plan or self.planner.main()
            self.planner.copy(plan, target, source, _bytes(var.aval))
            return
        self.places[var] = source
        if type(atom) is Var:
            storage = self.storage.get(atom)
            if storage is not None:
                self.storage[var] = self.planner.allocator.share(storage)
            if atom in self.donors:  # its memory is read under another name
                del self.donors[atom]

    def loops(self, step: Step, plan: SubPlan) -> None:
        """A group of equations: the launches of its kernels."""
        group = self.planner.group(step)
        read = tuple(variables(step.inputs))
        dying: dict[int, Var] = {}
        for source, output in group.in_place():
            operand = self.dying(read[source])
            if operand is None or operand in dying.values():
                continue
            # A donated operand is the better one: its memory saves the result's own.
            if output not in dying or (operand in self.donors and dying[output] not in self.donors):
                dying[output] = operand
        taken: set[Var] = set()
        for j, var in enumerate(step.outputs):
            reuse = dying.get(j)
            self.destination(var, None if reuse in taken else reuse)
            if reuse is not None:
                taken.add(reuse)
        scratch = [
            self.scratch(dtype.itemsize * _product(shape)) for shape, dtype in group.temporaries
        ]
        homes: dict[str, list[Place]] = {
            "in": [self.place(a) for a in read],
            "out": [self.places[v] for v in step.outputs],
            "temp": [place for place, _ in scratch],
        }
        for launch in group.launches:
            self.planner.launches[launch.key] = launch
            words = [n if kind == "word" else homes[kind][n] for kind, n in launch.words]
            chunk = launch.grain if launch.units >= 2 * launch.grain else launch.units
            self.planner.call(plan, f"loops/{launch.key}", words, launch.units, chunk)
        for _, storage in scratch:
            self.release(storage)
        names = " ".join(launch.symbol for launch in group.launches)
        units = max((launch.units for launch in group.launches), default=0)
        self.report(step, names, group.cost, units)

    def kernel(self, step: Step, plan: SubPlan) -> None:
        """A named kernel: the calls that its planner gives."""
        eqn = step.eqn
        name = eqn.primitive.lower.name
        planner = KERNELS.get(name)
        if planner is None:
            raise CompilationError(
                f"compile: `{eqn.primitive.name}` wants the kernel {name!r}, which is not in "
                f"fnx.kernels.registry; there are {', '.join(sorted(KERNELS))}."
            )
        operands = [Operand.contiguous(a.aval.shape, a.aval.dtype) for a in step.inputs]
        results = [Operand.contiguous(v.aval.shape, v.aval.dtype) for v in step.outputs]
        calls = planner(operands, results, eqn.params)
        places = [self.place(a) for a in step.inputs]
        target = self.destination(step.outputs[0], self.changed(step))
        places += [target, *[self.destination(v) for v in step.outputs[1:]]]
        workspace, storage = self.scratch(calls.workspace)
        for call in calls.calls:
            words = [_placed(word, places, workspace) for word in call.words]
            if target == places[0] and _is_copy(call.function) and words[0] == words[1]:
                continue  # the operand is there already
            self.planner.call(plan, call.function, words, call.count, call.chunk)
        self.release(storage)
        self.planner.functions |= calls.functions
        names = " ".join(dict.fromkeys(call.function for call in calls.calls))
        self.report(step, names, 0.0, max((c.count for c in calls.calls), default=0))

    def changed(self, step: Step) -> Var | None:
        """The operand that a kernel may change in place: a scatter's, if nobody reads it later."""
        first = step.inputs[0]
        if step.changes_operand and sum(a is first for a in step.inputs) == 1:
            return self.dying(first)
        return None

    def host_step(self, step: Step, plan: SubPlan | None) -> None:
        """A step in Python; only the program's own steps may be."""
        if plan is not None:
            raise AssertionError("a native loop cannot hold a step in Python")
        eqn = step.eqn
        inputs = tuple((self.place(a).word, a.aval) for a in step.inputs)
        outputs = tuple((self.destination(v).word, v.aval) for v in step.outputs)
        self.planner.host(HostStep(self.planner.numbers[eqn], inputs, outputs))
        lower = eqn.primitive.lower
        reason = getattr(lower, "reason", "its body has steps in Python")
        self.report(step, reason, 0.0, 1, kind="host")

    def report(
        self, step: Step, name: str, nanoseconds: float, units: int, kind: str | None = None
    ) -> None:
        """Note a step for `explain`."""
        atoms: dict[Any, None] = dict.fromkeys([*step.inputs, *step.outputs])
        self.planner.reports.append(
            StepReport(
                kind or step.kind,
                name,
                tuple(self.planner.numbers[eqn] for eqn in step.eqns),
                sum(_bytes(a.aval) for a in atoms),
                0 if step.bodies else sum(costs.operations(eqn) for eqn in step.eqns),
                nanoseconds,
                units,
                self.planner.depth,
            )
        )


def _is_copy(function: str) -> bool:
    return function.startswith("copying:") and function.endswith("/copy")


def _placed(word: Any, places: Sequence[Place], workspace: Place) -> Any:
    """A word of a kernel's planner among the places of this program."""
    if isinstance(word, Reference):
        if word.kind == "buffer":
            return places[int(word.name)].at(word.offset)
        if word.kind == "memory":
            return workspace.at(word.offset)
    return word


def _bytes(aval: ShapedArray) -> int:
    return aval.size * aval.dtype.itemsize


def _product(shape: Sequence[int]) -> int:
    size = 1
    for extent in shape:
        size *= extent
    return size
