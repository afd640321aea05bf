"""What planning a program gives: places, steps in Python, reports, and the draft that holds them.

These are plain data between `planning`, which makes them, and `program`, which keeps them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from fnx.compiler.launches import Launch
from fnx.core.jaxpr import Eqn, Jaxpr, subjaxprs
from fnx.core.types import ShapedArray
from fnx.kernels.plan_runner import PlanBuilder, Reference

__all__ = ["Draft", "HostStep", "Place", "StepReport", "Stream", "numbered_eqns"]


@dataclass(slots=True, eq=False)
class Stream:
    """A loop that moves addresses: the words to advance after each iteration, and by how much."""

    moves: list[tuple[Any, int]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a value is.

    Attributes
    ----------
    word : Reference
        The address, in the first iteration of the loops around it.
    streams : tuple of (Stream, int)
        The loops that move it, and by how many bytes.
    """

    word: Reference
    streams: tuple[tuple[Stream, int], ...] = ()

    def at(self, offset: int) -> Place:
        """A place some bytes further on."""
        if offset == 0:
            return self
        word = self.word
        return Place(Reference(word.kind, word.name, word.offset + offset), self.streams)

    def moving(self, stream: Stream, stride: int) -> Place:
        """The place that a loop moves."""
        return Place(self.word, (*self.streams, (stream, stride)))


@dataclass(frozen=True, slots=True)
class HostStep:
    """A step in Python between native segments.

    Attributes
    ----------
    number : int
        The number of its equation, see `numbered_eqns`.
    inputs, outputs : tuple of (Reference, ShapedArray)
        Where its operands are and where its results go.
    """

    number: int
    inputs: tuple[tuple[Reference, ShapedArray], ...]
    outputs: tuple[tuple[Reference, ShapedArray], ...]


@dataclass(frozen=True, slots=True)
class StepReport:
    """What `explain` says about one step.

    Attributes
    ----------
    kind : str
        As of `Step`.
    name : str
        The kernels that it calls.
    eqns : tuple of int
        The numbers of its equations, see `numbered_eqns`.
    bytes : int
        Size of the operands and results: the least traffic with memory.
    flops : int
        Operations on elements, of one run; those of control flow are with its bodies.
    nanoseconds : float
        The estimate that decides about threads; 0 where there is none.
    units : int
        Parallel units of the longest call.
    depth : int
        How many loops and branches it is inside of.
    """

    kind: str
    name: str
    eqns: tuple[int, ...]
    bytes: int
    flops: int
    nanoseconds: float
    units: int
    depth: int


@dataclass(slots=True)
class Draft:
    """A planned program, see the module's docstring."""

    segments: list[PlanBuilder | HostStep]
    arena: int
    constants: bytes
    launches: dict[str, Launch]
    functions: set[str]
    donations: dict[int, int]
    reports: list[StepReport]
    messages: list[str]


def numbered_eqns(jaxpr: Jaxpr) -> list[Eqn]:
    """The equations of a program and of the programs in its control flow, in a fixed order.

    A plan that was read from the store names equations of the program by their place in this list.
    """
    found: list[Eqn] = []
    for eqn in jaxpr.eqns:
        found.append(eqn)
        for _, body in subjaxprs(eqn.params):
            found += numbered_eqns(body)
    return found
