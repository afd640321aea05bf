"""What a compiled group is: launches of kernels, the words they take, and the temporaries.

In come `LoopKernel`s from `lower`. Out comes a `GroupKernel`, plain data that can be written as
JSON: a process that has it, and the object code in the store, generates nothing. A launch names
its kernel by the hash of the kernel's canonical text, so launches that differ only in extents and
parameters share machine code. Read next: `build`, which turns a launch into an address.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from fnx.compiler.loops import (
    Accumulate,
    Canonical,
    Let,
    Loop,
    LoopKernel,
    Statement,
    Store,
    Value,
    canonical,
)
from fnx.compiler.positions import Position
from fnx.dtypes import dtype as dtype_named

__all__ = ["GroupKernel", "Launch", "TemporaryType", "Word", "launch_of"]

#: ("in" | "out" | "temp", index) is a data address, ("word", bits) a number.
Word = tuple[str, int]
TemporaryType = tuple[tuple[int, ...], np.dtype[Any]]

#: Changes when the same canonical text would get other machine code.
VERSION = 4

#: A launch of less work than this (nanoseconds) gets code that compiles quickly, not fast code.
SMALL = 250.0


@dataclass(frozen=True, slots=True)
class Launch:
    """One call of a kernel ``void kernel(int64_t *words, int64_t begin, int64_t end)``.

    Attributes
    ----------
    key : str
        Names the kernel's code.
    words : tuple of Word
        What to pass.
    units : int
        The extent of the parallel axis: call with [0, units) in any number of pieces.
    grain : int
        The least number of units worth a thread; pieces should be multiples of it.
    cost : float
        Estimated nanoseconds for a unit.
    small : bool
        Whether there is so little to do that the code should rather compile quickly.
    written : tuple of int
        Which words are buffers that are written.
    in_place : tuple of (int, int)
        (read word, written word): the two may be the same memory.
    origin : tuple of str
        The equations that it computes, with the user's lines.
    kernel : LoopKernel or None
        What the code is generated from; None in a process that read the launch from JSON.
    """

    key: str
    words: tuple[Word, ...]
    units: int
    grain: int
    cost: float
    small: bool
    written: tuple[int, ...]
    in_place: tuple[tuple[int, int], ...]
    origin: tuple[str, ...] = ()
    kernel: LoopKernel | None = field(default=None, compare=False, repr=False)
    form: Canonical | None = field(default=None, compare=False, repr=False)

    @property
    def symbol(self) -> str:
        """The name of the kernel's function."""
        return f"fnx_{self.key[:16]}"

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "key": self.key,
            "words": [list(w) for w in self.words],
            "units": self.units,
            "grain": self.grain,
            "cost": self.cost,
            "small": self.small,
            "written": list(self.written),
            "in_place": [list(p) for p in self.in_place],
            "origin": list(self.origin),
        }

    @staticmethod
    def from_json(data: dict[str, Any]) -> Launch:
        """The inverse of `to_json`."""
        return Launch(
            data["key"],
            tuple((w[0], w[1]) for w in data["words"]),
            data["units"],
            data["grain"],
            data["cost"],
            data["small"],
            tuple(data["written"]),
            tuple((p[0], p[1]) for p in data["in_place"]),
            tuple(data["origin"]),
        )


@dataclass(frozen=True, slots=True)
class GroupKernel:
    """The kernels of one group, in order.

    Attributes
    ----------
    launches : tuple of Launch
        To be run one after the other.
    temporaries : tuple of (shape, dtype)
        Buffers that the launches need between them, by index.
    inputs, outputs : tuple of (shape, dtype)
        The types of the group's inputs and outputs.
    """

    launches: tuple[Launch, ...]
    temporaries: tuple[TemporaryType, ...]
    inputs: tuple[TemporaryType, ...]
    outputs: tuple[TemporaryType, ...]

    @property
    def cost(self) -> float:
        """Estimated nanoseconds on one thread."""
        return sum(launch.cost * launch.units for launch in self.launches)

    def in_place(self) -> tuple[tuple[int, int], ...]:
        """(input, output) pairs that may share memory, as long as one takes each at most once."""
        pairs = []
        for number, launch in enumerate(self.launches):
            others = [w for k, o in enumerate(self.launches) if k != number for w in o.words]
            for read, written in launch.in_place:
                source, target = launch.words[read], launch.words[written]
                outside = source[0] == "in" and target[0] == "out"
                if outside and source not in others and target not in others:
                    pairs.append((source[1], target[1]))
        return tuple(pairs)

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "version": VERSION,
            "launches": [launch.to_json() for launch in self.launches],
            **{
                name: [[list(shape), dtype.name] for shape, dtype in getattr(self, name)]
                for name in ("temporaries", "inputs", "outputs")
            },
        }

    @staticmethod
    def from_json(data: dict[str, Any]) -> GroupKernel:
        """The inverse of `to_json`.

        Raises
        ------
        ValueError
            The data is of another version.
        """
        if data.get("version") != VERSION:
            raise ValueError(
                f"GroupKernel: data of version {data.get('version')}, this is {VERSION}"
            )
        types = {
            name: tuple((tuple(shape), dtype_named(d)) for shape, d in data[name])
            for name in ("temporaries", "inputs", "outputs")
        }
        return GroupKernel(tuple(Launch.from_json(d) for d in data["launches"]), **types)


def launch_of(kernel: LoopKernel, origin: tuple[str, ...] = ()) -> Launch:
    """The launch of a kernel."""
    form = canonical(kernel)
    words: list[Word] = []
    for number in form.buffers:
        buffer = kernel.buffers[number]
        words.append((buffer.of, buffer.index))
    words += [("word", kernel.space.values[number]) for number in form.sizes]
    words += [("word", _bits(value)) for value in form.parameters]
    places = {number: k for k, number in enumerate(form.buffers)}
    small = kernel.units * kernel.cost < SMALL
    return Launch(
        hashlib.sha256(f"{VERSION} {small}\n{form.text}".encode()).hexdigest()[:40],
        tuple(words),
        kernel.units,
        kernel.grain,
        kernel.cost,
        small,
        tuple(sorted(places[number] for number in form.written)),
        tuple((places[r], places[w]) for r, w in _in_place(kernel)),
        origin,
        kernel,
        form,
    )


def _bits(value: Value) -> int:
    """A parameter's bits as a signed word."""
    number = int(value.attr, 16)
    return number - (1 << 64) if number >> 63 else number


def _in_place(kernel: LoopKernel) -> list[tuple[int, int]]:
    """(read, written) buffers whose every read is at the place that is written after it."""
    reads: dict[int, set[tuple[int, Position]]] = {}
    writes: dict[int, list[tuple[int, Position]]] = {}
    late: set[tuple[int, int]] = set()  # (read, written) where a read comes after the write
    blocks = 0

    def walk(statements: tuple[Statement, ...]) -> None:
        nonlocal blocks
        blocks += 1
        block = blocks
        for statement in statements:
            if type(statement) is Let and statement.value.op == "load":
                buffer, position = statement.value.attr
                reads.setdefault(buffer, set()).add((block, position))
                late.update((buffer, written) for written in writes)
            elif type(statement) is Store:
                writes.setdefault(statement.buffer, []).append((block, statement.position))
            elif type(statement) is Loop or type(statement) is Accumulate:
                walk(statement.body)

    walk(kernel.body)
    return [
        (r, w)
        for r, places in reads.items()
        for w, targets in writes.items()
        if kernel.buffers[r].code == kernel.buffers[w].code
        and len(targets) == 1
        and places == set(targets)
        and (r, w) not in late
    ]
