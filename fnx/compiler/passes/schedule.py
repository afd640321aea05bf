"""The order of steps: dependencies first, effects as in the program, else as it was written.

In comes a list of steps of one program in any order; out comes a list in which every step stands
behind what it reads. Among the steps that are ready the one whose last equation was written first
runs first, so that memory is freed about when the author of the program would have freed it.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Mapping, Sequence

from fnx.compiler.passes.steps import Step, variables
from fnx.core.jaxpr import Eqn, Var

__all__ = ["schedule"]


def schedule(steps: Sequence[Step], order: Mapping[Eqn, int]) -> list[Step]:
    """Steps in an order in which they can run.

    Parameters
    ----------
    steps : sequence of Step
        Of one program.
    order : mapping of Eqn to int
        The place of each equation in the program.
    """
    maker: dict[Var, int] = {v: k for k, step in enumerate(steps) for v in step.outputs}
    waits = [0] * len(steps)
    followers: list[list[int]] = [[] for _ in steps]

    def depend(later: int, earlier: int) -> None:
        followers[earlier].append(later)
        waits[later] += 1

    for k, step in enumerate(steps):
        for earlier in {maker[v] for v in variables(step.inputs) if v in maker}:
            depend(k, earlier)
    ranks = [max(order[eqn] for eqn in step.eqns) for step in steps]
    effectful = sorted(
        (k for k, step in enumerate(steps) if any(e.effects for e in step.eqns)),
        key=ranks.__getitem__,
    )
    for earlier, later in itertools.pairwise(effectful):
        depend(later, earlier)
    for k, step in enumerate(steps):
        if step.changes_operand:  # who else reads its operand does so before, if that is possible
            behind = _reachable(k, followers)
            for other, reader in enumerate(steps):
                if other not in behind and step.inputs[0] in reader.inputs:
                    depend(k, other)
    ready = [(ranks[k], k) for k, count in enumerate(waits) if count == 0]
    heapq.heapify(ready)
    result: list[Step] = []
    while ready:
        _, k = heapq.heappop(ready)
        result.append(steps[k])
        for later in followers[k]:
            waits[later] -= 1
            if waits[later] == 0:
                heapq.heappush(ready, (ranks[later], later))
    if len(result) != len(steps):
        raise AssertionError("schedule: the steps depend on each other in a circle")
    return result


def _reachable(start: int, followers: Sequence[Sequence[int]]) -> set[int]:
    """The steps that depend on one, with itself."""
    found: set[int] = set()
    stack = [start]
    while stack:
        k = stack.pop()
        if k not in found:
            found.add(k)
            stack += followers[k]
    return found
