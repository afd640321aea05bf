"""Loops and branches as instructions of the native plan, and as Python where a body needs Python.

In comes a ``control`` step; its bodies are planned into sub-plans of the same plan. A carry lives
in the memory of the loop's result; a body writes it in place where it has read it before, else
beside it, to be copied after the iteration. Slices of the arrays that a scan goes over, and of
those it stacks, are addresses that move by a stride after each iteration. `run` is for a body
that holds a step in Python: the same loop, driven by Python, around compiled bodies. Read next:
`planning`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from fnx.compiler.arena import Storage
from fnx.compiler.draft import Place, Stream
from fnx.compiler.passes.steps import Block, Step, variables
from fnx.compiler.planning import BlockPlanner, ControlWriter
from fnx.core.jaxpr import Atom, Eqn, Jaxpr, Var
from fnx.errors import CompilationError
from fnx.kernels.plan_runner import SubPlan, memory

__all__ = ["CONTROL", "run"]

Arrays = list[np.ndarray[Any, Any]]


def write_scan(outer: BlockPlanner, step: Step, plan: SubPlan) -> None:
    """scan: consts, carry, xs -> carry, ys."""
    params, (body,) = step.eqn.params, step.bodies
    fixed, carried, length = params["num_consts"], params["num_carry"], params["length"]
    stop = fixed + carried
    slots = _carry_slots(outer, step, plan, step.inputs[fixed:stop])
    stacked = [outer.destination(v) for v in step.outputs[carried:]]
    if length == 0:
        return
    stream = Stream()

    def sliced(place: Place, var: Var) -> Place:
        stride = var.aval.size * var.aval.dtype.itemsize
        if params["reverse"]:
            return place.at((length - 1) * stride).moving(stream, -stride)
        return place.moving(stream, stride)

    inputs = [outer.place(a) for a in step.inputs[:fixed]] + slots
    inputs += [sliced(outer.place(a), v) for a, v in zip(step.inputs[stop:], body.in_vars[stop:])]
    ys = [
        _slice_of(place, atom, length, params["reverse"], stream)
        for place, atom in zip(stacked, body.outs[carried:])
    ]
    inner = plan.loop(length)
    _write_iteration(outer, body, inner, inputs, slots, ys, fixed)
    for word, stride in stream.moves:
        inner.add(word, stride)
    for word, stride in stream.moves:
        plan.add(word, -stride * length)


def write_while(outer: BlockPlanner, step: Step, plan: SubPlan) -> None:
    """while: cond_consts, body_consts, carry -> carry."""
    params, (predicate, body) = step.eqn.params, step.bodies
    tested, fixed = params["cond_nconsts"], params["body_nconsts"]
    start = tested + fixed
    slots = _carry_slots(outer, step, plan, step.inputs[start:])
    flag, storage = outer.scratch(1)
    test_plan, body_plan = plan.while_(flag.word)
    consts = [outer.place(a) for a in step.inputs[:start]]
    _plan_block(outer, predicate, test_plan, [*consts[:tested], *slots], [flag])
    _write_iteration(outer, body, body_plan, [*consts[tested:], *slots], slots, [], fixed)
    outer.release(storage)


def write_cond(outer: BlockPlanner, step: Step, plan: SubPlan) -> None:
    """cond: index, operands -> results of the branch with this number."""
    branches = _branches(outer, step, plan, len(step.bodies))
    inputs = [outer.place(a) for a in step.inputs[1:]]
    outputs = [outer.destination(v) for v in step.outputs]
    for block, branch in zip(step.bodies, branches, strict=True):
        _plan_block(outer, block, branch, inputs, outputs)


def write_guard(outer: BlockPlanner, step: Step, plan: SubPlan) -> None:
    """guard: failed, values -> values."""
    _, failing = _branches(outer, step, plan, 2)
    failing.set(memory("status"), outer.planner.status(step.eqn.params["message"]))
    for var, atom in zip(step.outputs, step.inputs[1:], strict=True):
        source = outer.place(atom)
        once = sum(a is atom for a in step.inputs) == 1
        target = outer.destination(var, outer.dying(atom) if once else None)
        outer.planner.copy(plan, target, source, _size(var))


#: Who writes which control flow, by the name in the primitive's ``lower`` slot.
CONTROL: dict[str, ControlWriter] = {
    "scan": write_scan,
    "while": write_while,
    "cond": write_cond,
    "guard": write_guard,
}


def run(
    eqn: Eqn, compiled: Callable[[Jaxpr], Callable[[Arrays], Arrays]]
) -> Callable[[Arrays], Arrays]:
    """Control flow driven by Python, because a body holds a step in Python.

    Parameters
    ----------
    eqn : Eqn
        The loop or branch.
    compiled : callable
        From a body to a function of its arrays.

    Returns
    -------
    callable
        From the operands to the results, fresh arrays.
    """
    return _RUNNERS[eqn.primitive.lower](eqn, compiled)


# --- native ---------------------------------------------------------------------------------------


def _branches(outer: BlockPlanner, step: Step, plan: SubPlan, count: int) -> list[SubPlan]:
    """Sub-plans of which the first operand, an index, chooses one."""
    index = step.inputs[0]
    if index.aval.dtype != np.int32:
        raise CompilationError(
            f"compile: the index of a `{step.eqn.primitive.name}` (at {step.eqn.source}) is "
            f"{index.aval!r}, it must be i32[]. Convert it where the branch is chosen."
        )
    place = outer.place(index)
    if not place.streams:
        return plan.cond(place.word, count)
    fixed, storage = outer.scratch(4)  # the runner reads the index at an address that stays
    outer.planner.copy(plan, fixed, place, 4)
    branches = plan.cond(fixed.word, count)
    outer.release(storage)
    return branches


def _carry_slots(
    outer: BlockPlanner, step: Step, plan: SubPlan, starts: Sequence[Atom]
) -> list[Place]:
    """The memory of the results, filled with the initial carry."""
    slots = []
    sources = [outer.place(a) for a in starts]
    for var, atom in zip(step.outputs, starts):
        once = sum(a is atom for a in step.inputs) == 1
        slots.append(outer.destination(var, outer.dying(atom) if once else None))
    for slot, source, var in zip(slots, sources, step.outputs):
        outer.planner.copy(plan, slot, source, _size(var))
    return slots


def _write_iteration(
    outer: BlockPlanner,
    body: Block,
    plan: SubPlan,
    inputs: Sequence[Place],
    slots: Sequence[Place],
    results: Sequence[Place],
    first: int,
) -> None:
    """One run of a loop's body; the carries are its inputs from `first` on, its first results."""
    targets: list[Place] = []
    beside: list[tuple[Place, Place, int]] = []
    storages: list[Storage] = []
    for k, slot in enumerate(slots):
        if _is_written_in_place(outer, body, first + k, k):
            targets.append(slot)
            continue
        size = _size(body.outs[k])
        place, storage = outer.scratch(size)
        targets.append(place)
        beside.append((slot, place, size))
        storages.append(storage)
    _plan_block(outer, body, plan, inputs, [*targets, *results])
    for slot, place, size in beside:
        outer.planner.copy(plan, slot, place, size)
    for storage in storages:
        outer.release(storage)


def _plan_block(
    outer: BlockPlanner,
    block: Block,
    plan: SubPlan,
    inputs: Sequence[Place],
    outputs: Sequence[Place],
) -> None:
    places = dict(zip(block.in_vars, inputs, strict=True))
    BlockPlanner(outer.planner, block, places, outputs).plan(plan)


def _is_written_in_place(outer: BlockPlanner, body: Block, position: int, k: int) -> bool:
    """Whether a body may write its k-th result over its input, having read that for good."""
    before, after = body.in_vars[position], body.outs[k]
    if after is before:
        return True
    names = {before}
    for step in body.steps:
        if step.kind == "alias" and step.inputs[0] in names:
            names.update(step.outputs)
    if type(after) is not Var or after in body.in_vars or any(o in names for o in body.outs):
        return False
    if body.outs.index(after) != k:  # it is written to the place of an earlier result
        return False
    made = next(j for j, step in enumerate(body.steps) if after in step.outputs)
    reads = [j for j, step in enumerate(body.steps) if names & set(variables(step.inputs))]
    if all(j < made for j in reads):
        return True
    step = body.steps[made]
    if max(reads) > made or len(names) > 1:
        return False
    if step.kind == "loops":
        pair = (list(variables(step.inputs)).index(before), step.outputs.index(after))
        return pair in outer.planner.group(step).in_place()
    if step.changes_operand:
        return step.inputs[0] is before and step.inputs.count(before) == 1
    return _hands_carry_on(step, before, after)


def _hands_carry_on(step: Step, before: Var, after: Var) -> bool:
    """Whether a step is a loop inside, for which `before` is the start of the carry `after`."""
    if step.kind != "control" or step.inputs.count(before) != 1:
        return False
    if step.eqn.primitive.lower not in ("scan", "while"):
        return False
    params = step.eqn.params
    names = ("num_consts",) if "num_consts" in params else ("cond_nconsts", "body_nconsts")
    start = sum(params[name] for name in names)
    place, carried = step.outputs.index(after), params.get("num_carry", len(step.outputs))
    return place < carried and step.inputs.index(before) == start + place


def _slice_of(place: Place, atom: Atom, length: int, reverse: bool, stream: Stream) -> Place:
    """Where an iteration writes its part of a stacked result."""
    stride = _size(atom)
    if reverse:
        return place.at((length - 1) * stride).moving(stream, -stride)
    return place.moving(stream, stride)


def _size(atom: Atom) -> int:
    return atom.aval.size * atom.aval.dtype.itemsize


# --- in Python ------------------------------------------------------------------------------------


def _run_scan(eqn: Eqn, compiled: Callable[[Jaxpr], Any]) -> Callable[[Arrays], Arrays]:
    params = eqn.params
    body, length = compiled(params["jaxpr"]), params["length"]
    fixed, stop = params["num_consts"], params["num_consts"] + params["num_carry"]
    stacked = eqn.outputs[params["num_carry"] :]

    def loop(arrays: Arrays) -> Arrays:
        consts, carry, xs = arrays[:fixed], arrays[fixed:stop], arrays[stop:]
        ys = [np.empty(v.aval.shape, v.aval.dtype) for v in stacked]
        for k in range(length - 1, -1, -1) if params["reverse"] else range(length):
            results = body([*consts, *carry, *[x[k, ...] for x in xs]])
            carry = results[: len(carry)]
            for y, result in zip(ys, results[len(carry) :], strict=True):
                y[k] = result
        return [*carry, *ys]

    return loop


def _run_while(eqn: Eqn, compiled: Callable[[Jaxpr], Any]) -> Callable[[Arrays], Arrays]:
    params = eqn.params
    predicate, body = compiled(params["cond_jaxpr"]), compiled(params["body_jaxpr"])
    tested, start = params["cond_nconsts"], params["cond_nconsts"] + params["body_nconsts"]

    def loop(arrays: Arrays) -> Arrays:
        carry = arrays[start:]
        while predicate([*arrays[:tested], *carry])[0][()]:
            carry = body([*arrays[tested:start], *carry])
        return carry

    return loop


def _run_cond(eqn: Eqn, compiled: Callable[[Jaxpr], Any]) -> Callable[[Arrays], Arrays]:
    branches = [compiled(branch) for branch in eqn.params["branches"]]

    def choose(arrays: Arrays) -> Arrays:
        chosen = min(max(int(arrays[0]), 0), len(branches) - 1)
        return branches[chosen](arrays[1:])

    return choose


_RUNNERS = {"scan": _run_scan, "while": _run_while, "cond": _run_cond}
