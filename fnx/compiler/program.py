"""A compiled program as data: what is kept in the store, and bound to addresses to be run.

A `Program` holds plans without addresses, the bytes of constants, the size of the arena, and
names of kernels. It goes to JSON and back. `finished` makes one from a `Draft`; a program with a
large arena takes it as one more array at each call, from blocks that all programs share. Read
next: `executable`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from fnx.compiler.draft import Draft, HostStep, StepReport
from fnx.compiler.launches import Launch
from fnx.core.jaxpr import Jaxpr
from fnx.core.types import ShapedArray
from fnx.kernels.plan_runner import PlanTemplate, Reference

__all__ = ["LARGE_ARENA", "Program", "finished"]

#: Changes when the meaning of the data changes.
VERSION = 2

#: Bytes from which on an arena is not the program's own.
LARGE_ARENA = 1 << 22

Segment = PlanTemplate | HostStep


@dataclass(frozen=True, slots=True)
class Program:
    """A compiled program; see the module's docstring.

    Attributes
    ----------
    segments : tuple of PlanTemplate or HostStep
        Native plans, with the steps in Python between them.
    inputs, outputs : tuple of ShapedArray
        Types of the arrays that it takes and gives.
    arena : int
        Bytes of memory for values in between.
    constants : bytes
        The literals that kernels read from memory.
    launches : tuple of Launch
        The generated kernels.
    functions : tuple of str
        The named ones.
    donations : mapping of int to int
        Which result takes the memory of which input.
    reports : tuple of StepReport
        What `explain` shows.
    messages : tuple of str
        Of the errors that a run may end with, see `fnx.control.guard`.
    """

    segments: tuple[Segment, ...]
    inputs: tuple[ShapedArray, ...]
    outputs: tuple[ShapedArray, ...]
    arena: int
    constants: bytes
    launches: tuple[Launch, ...]
    functions: tuple[str, ...]
    donations: Mapping[int, int]
    reports: tuple[StepReport, ...]
    messages: tuple[str, ...]

    @property
    def shares_arena(self) -> bool:
        """Whether the arena is an array that each call brings along."""
        return self.arena >= LARGE_ARENA

    @property
    def nanoseconds(self) -> float:
        """The estimate for all steps that have one."""
        return sum(report.nanoseconds for report in self.reports)

    def without_sources(self) -> Program:
        """The program without what its kernels were generated from, once they are."""
        launches = tuple(replace(k, kernel=None, form=None) for k in self.launches)
        return replace(self, launches=launches)

    def to_json(self) -> dict[str, Any]:
        """Plain data, from which `from_json` makes the program again."""
        return {
            "version": VERSION,
            "segments": [_segment_to_json(segment) for segment in self.segments],
            "inputs": [_type_to_json(a) for a in self.inputs],
            "outputs": [_type_to_json(a) for a in self.outputs],
            "arena": self.arena,
            "constants": self.constants.hex(),
            "launches": [launch.to_json() for launch in self.launches],
            "functions": list(self.functions),
            "donations": [list(pair) for pair in self.donations.items()],
            "reports": [
                [r.kind, r.name, list(r.eqns), r.bytes, r.flops, r.nanoseconds, r.units, r.depth]
                for r in self.reports
            ],
            "messages": list(self.messages),
        }

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> Program:
        """The program that `to_json` described.

        Raises
        ------
        ValueError
            The data are of another version.
        """
        if data.get("version") != VERSION:
            raise ValueError(f"Program: data of version {data.get('version')}, this is {VERSION}")
        return Program(
            tuple(_segment_from_json(segment) for segment in data["segments"]),
            tuple(_type_from_json(a) for a in data["inputs"]),
            tuple(_type_from_json(a) for a in data["outputs"]),
            data["arena"],
            bytes.fromhex(data["constants"]),
            tuple(Launch.from_json(launch) for launch in data["launches"]),
            tuple(data["functions"]),
            dict(data["donations"]),
            tuple(StepReport(r[0], r[1], tuple(r[2]), *r[3:]) for r in data["reports"]),
            tuple(data["messages"]),
        )


def finished(jaxpr: Jaxpr, draft: Draft) -> Program:
    """The program that a draft describes.

    Parameters
    ----------
    jaxpr : Jaxpr
        What it computes.
    draft : Draft
        How.
    """
    segments: list[Segment] = [
        part if isinstance(part, HostStep) else part.finish() for part in draft.segments
    ]
    program = Program(
        tuple(segments),
        tuple(a.strengthen() for a in jaxpr.in_avals),
        tuple(a.strengthen() for a in jaxpr.out_avals),
        draft.arena,
        draft.constants,
        tuple(draft.launches.values()),
        tuple(sorted(draft.functions)),
        draft.donations,
        tuple(draft.reports),
        tuple(draft.messages),
    )
    if not program.shares_arena:
        return program
    position = len(program.inputs) + len(program.outputs)
    return replace(program, segments=tuple(_with_arena_at(position, s) for s in program.segments))


def _with_arena_at(position: int, segment: Segment) -> Segment:
    """The same plan, with the arena as an array of the call."""
    if isinstance(segment, HostStep):
        return segment
    words = tuple(
        Reference("buffer", str(position), w.offset)
        if isinstance(w, Reference) and w.kind == "memory" and w.name == "arena"
        else w
        for w in segment.words
    )
    return PlanTemplate(words, position + 1)


def _segment_to_json(segment: Segment) -> Any:
    if isinstance(segment, PlanTemplate):
        return segment.to_json()
    return {
        "number": segment.number,
        "inputs": _places_to_json(segment.inputs),
        "outputs": _places_to_json(segment.outputs),
    }


def _segment_from_json(data: Mapping[str, Any]) -> Segment:
    if "words" in data:
        return PlanTemplate.from_json(data)
    inputs, outputs = (_places_from_json(data[name]) for name in ("inputs", "outputs"))
    return HostStep(data["number"], inputs, outputs)


def _places_to_json(places: Sequence[tuple[Reference, ShapedArray]]) -> list[Any]:
    return [[[r.kind, r.name, r.offset], _type_to_json(aval)] for r, aval in places]


def _places_from_json(data: Sequence[Any]) -> tuple[tuple[Reference, ShapedArray], ...]:
    return tuple((Reference(*reference), _type_from_json(aval)) for reference, aval in data)


def _type_to_json(aval: ShapedArray) -> list[Any]:
    return [list(aval.shape), aval.dtype.name]


def _type_from_json(data: Sequence[Any]) -> ShapedArray:
    shape, name = data
    return ShapedArray(tuple(shape), np.dtype(name))
