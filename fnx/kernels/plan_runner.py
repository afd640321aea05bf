"""Plans: a whole compiled program as one native call, with the GIL released.

A `PlanBuilder` collects sequences of instructions (their meaning is in plan_code.py) and vectors
of kernel words into one table.  A word is a number or a `Reference`: to code, to memory, to a
buffer that is named at each call, or to a word of the table itself.  `finish` gives a
`PlanTemplate`, which goes to JSON and back, since it holds no addresses; `bind` puts addresses
in and gives a `Plan`, which runs: ``plan.run(*arrays)``.  Read next: plan_code.py, threads.py.

    builder = PlanBuilder(buffers=2)
    words = builder.vector([buffer(0), buffer(1), 1000])
    builder.main.call(code("double"), words, count=1000, chunk=100)
    plan = builder.finish().bind(code={"double": address}, memory={})
    plan.run(x, y)
"""

from __future__ import annotations

import ctypes
import functools
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from fnx.kernels import native, plan_code, threads
from fnx.kernels.runtime import runtime

__all__ = [
    "Plan",
    "PlanBuilder",
    "PlanTemplate",
    "Reference",
    "SubPlan",
    "buffer",
    "code",
    "memory",
    "pool_block",
]


@dataclass(frozen=True, slots=True)
class Reference:
    """A word whose value is known only when a plan is bound, or at each call.

    Attributes
    ----------
    kind : str
        ``"code"`` (name: a function), ``"memory"`` (name: a block), ``"buffer"`` (name: the
        position of an array among those of the call), ``"table"`` (the plan's own table,
        offset in words) or ``"pool"``.
    name : str
        Which one of its kind.
    offset : int
        Added to the address; in bytes, but in words for the table.
    """

    kind: str
    name: str = ""
    offset: int = 0


Word = int | Reference


def code(name: str) -> Reference:
    """The address of a function, by a name that `PlanTemplate.bind` resolves."""
    return Reference("code", name)


def memory(name: str, offset: int = 0) -> Reference:
    """An address in a block (an arena, a table of constants) that `bind` is given."""
    return Reference("memory", name, offset)


def buffer(position: int, offset: int = 0) -> Reference:
    """An address in the data of an array that each call is given."""
    return Reference("buffer", str(position), offset)


def pool_block() -> Reference:
    """The pool's shared block, which kernels that use scratch memory take."""
    return Reference("pool")


class SubPlan:
    """A sequence of instructions under construction.

    The methods that add an instruction give its position; ``operand(position, k)`` refers to
    its k-th operand, so that an `add` may move it from one iteration to the next.
    """

    def __init__(self, builder: PlanBuilder) -> None:
        self._builder = builder
        self._words: list[Word | _Pending] = []

    def call(self, kernel: Word, words: Word | _Pending, count: int, chunk: int) -> int:
        """Run a kernel over [0, count) in chunks; chunk >= count is one call on this thread."""
        return self._append(plan_code.CALL, kernel, words, count, max(1, chunk))

    def copy(self, destination: Word, source: Word, size: int) -> int:
        """Move bytes."""
        return self._append(plan_code.COPY, destination, source, size)

    def add(self, place: Word | _Pending, amount: int) -> int:
        """Add to the word at an address."""
        return self._append(plan_code.ADD, place, amount)

    def set(self, place: Word | _Pending, value: Word) -> int:
        """Store a word at an address."""
        return self._append(plan_code.SET, place, value)

    def loop(self, count: int) -> SubPlan:
        """Run a new sub-plan a number of times; returns the sub-plan to fill."""
        body = SubPlan(self._builder)
        self._append(plan_code.LOOP, count, _Pending(body, 0))
        return body

    def while_(self, flag: Word) -> tuple[SubPlan, SubPlan]:
        """Run a predicate, then a body while the byte at ``flag`` is set: (predicate, body)."""
        predicate, body = SubPlan(self._builder), SubPlan(self._builder)
        self._append(plan_code.WHILE, _Pending(predicate, 0), flag, _Pending(body, 0))
        return predicate, body

    def cond(self, index: Word, branches: int) -> list[SubPlan]:
        """Run the sub-plan that the int32 at an address chooses; returns all of them."""
        made = [SubPlan(self._builder) for _ in range(branches)]
        self._append(plan_code.COND, index, branches, *(_Pending(b, 0) for b in made))
        return made

    def operand(self, position: int, number: int) -> _Pending:
        """The place of an operand of the instruction at a position."""
        return _Pending(self, position + 1 + number)

    def _append(self, *words: Word | _Pending) -> int:
        position = len(self._words)
        self._words.extend(words)
        return position


class PlanBuilder:
    """Collects the instructions and kernel words of one plan.

    Parameters
    ----------
    buffers : int
        How many arrays each call will be given.
    """

    def __init__(self, buffers: int = 0) -> None:
        self.buffers = buffers
        self.main = SubPlan(self)
        self._vectors: list[SubPlan] = []

    def vector(self, words: Sequence[Word]) -> _Pending:
        """Put a vector of words, such as a kernel takes, into the table; returns its place.

        ``place.word(k)`` is the place of its k-th word, for `SubPlan.add` and `SubPlan.set`.
        """
        made = SubPlan(self)
        made._words.extend(words)
        self._vectors.append(made)
        return _Pending(made, 0)

    def finish(self) -> PlanTemplate:
        """Lay everything out in one table."""
        starts: dict[int, int] = {}
        order: list[SubPlan] = []
        waiting = [self.main, *self._vectors]
        vectors = {id(vector) for vector in self._vectors}
        position = 0
        while waiting:
            part = waiting.pop(0)
            if id(part) in starts:
                continue
            starts[id(part)] = position
            order.append(part)
            position += len(part._words) + (id(part) not in vectors)
            waiting += [w.part for w in part._words if isinstance(w, _Pending)]
        table: list[Word] = []
        for part in order:
            table += [w.settled(starts) if isinstance(w, _Pending) else w for w in part._words]
            if id(part) not in vectors:
                table.append(plan_code.END)
        return PlanTemplate(tuple(table), self.buffers)


@dataclass(frozen=True, slots=True)
class PlanTemplate:
    """A plan without addresses: what the store keeps."""

    words: tuple[Word, ...]
    buffers: int

    def to_json(self) -> dict[str, Any]:
        """Plain lists and numbers, from which `from_json` makes the template again."""
        plain = [w if isinstance(w, int) else [w.kind, w.name, w.offset] for w in self.words]
        return {"buffers": self.buffers, "words": plain}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> PlanTemplate:
        """The template that `to_json` described."""
        words = tuple(w if isinstance(w, int) else Reference(*w) for w in data["words"])
        return cls(words, data["buffers"])

    def bind(
        self, *, code: Mapping[str, int], memory: Mapping[str, int], keep: Sequence[Any] = ()
    ) -> Plan:
        """Put addresses in.

        Parameters
        ----------
        code, memory : mapping of str to int
            The addresses of the functions and blocks that the references name.
        keep : sequence
            Objects that must live as long as the plan: modules, arrays.
        """
        table = (ctypes.c_int64 * max(1, len(self.words)))()
        start = ctypes.addressof(table)
        block = threads.block()
        patches: list[list[tuple[int, int]]] = [[] for _ in range(self.buffers)]
        for position, word in enumerate(self.words):
            match word:
                case int():
                    table[position] = word
                case Reference("code", name, offset):
                    table[position] = code[name] + offset
                case Reference("memory", name, offset):
                    table[position] = memory[name] + offset
                case Reference("table", _, offset):
                    table[position] = start + 8 * offset
                case Reference("pool", _, _):
                    table[position] = block
                case Reference("buffer", name, offset):
                    patches[int(name)].append((start + 8 * position, offset))
                case _:
                    raise ValueError(f"plan_runner: unknown reference {word}")
        return Plan(table, patches, tuple(keep))


@dataclass(slots=True)
class Plan:
    """A plan with addresses; `run` executes it."""

    _table: ctypes.Array[ctypes.c_int64]
    _patches: list[list[tuple[int, int]]]
    _keep: tuple[Any, ...]
    _entry: ctypes.Array[ctypes.c_int64] = field(init=False)
    _entry_address: int = field(init=False)

    def __post_init__(self) -> None:
        words = [0, threads.block(), ctypes.addressof(self._table), id(np.ndarray), 1]
        words.append(len(self._patches))
        for patches in self._patches:
            words.append(len(patches))
            for place, offset in patches:
                words += [place, offset]
        self._entry = (ctypes.c_int64 * len(words))(*words)
        self._entry_address = ctypes.addressof(self._entry)

    def run(self, *arrays: np.ndarray) -> None:
        """Run the plan on the data of C-contiguous arrays, in the order of the buffers."""
        enter = _enter()
        answer = enter(self._entry_address, *arrays)
        while answer != plan_code.RAN:
            if answer == plan_code.REFUSED:
                kinds = ", ".join(type(array).__name__ for array in arrays)
                raise TypeError(f"plan: takes {len(self._patches)} ndarrays, got ({kinds}).")
            if answer == plan_code.IDLE:
                threads.block()  # makes the workers
            else:
                time.sleep(0)  # another thread runs this plan: let it
            answer = enter(self._entry_address, *arrays)

    def release_gil(self, releases: bool) -> None:
        """Whether calls release the GIL; not worth it for plans of a few microseconds."""
        self._entry[plan_code.ENTRY_RELEASES] = int(releases)


@dataclass(frozen=True, slots=True)
class _Pending:
    """The place of a word in a part whose position is not settled yet."""

    part: SubPlan
    index: int

    def word(self, number: int) -> _Pending:
        """The place of a later word of the same part."""
        return _Pending(self.part, self.index + number)

    def settled(self, starts: Mapping[int, int]) -> Reference:
        return Reference("table", "", starts[id(self.part)] + self.index)


@functools.cache
def _enter() -> Any:
    """The built-in function that runs an entry on arrays."""
    probe = np.arange(3.0)
    words = ctypes.cast(id(probe), ctypes.POINTER(ctypes.c_int64))
    if (
        words[plan_code.TYPE_WORD] != id(np.ndarray)
        or words[plan_code.DATA_WORD] != probe.ctypes.data
    ):
        return _enter_by_addresses
    return native.builtin(runtime().address("plan_entry"), "plan_entry")


def _enter_by_addresses(entry: int, *arrays: np.ndarray) -> int:
    """What the built-in does, for a Python whose objects lie differently in memory."""
    words = ctypes.cast(entry, ctypes.POINTER(ctypes.c_int64))
    if words[plan_code.ENTRY_BUFFERS] != len(arrays):
        return plan_code.REFUSED
    if not all(type(array) is np.ndarray for array in arrays):
        return plan_code.REFUSED
    place = plan_code.ENTRY_PATCHES
    threads.block()  # with workers
    with _slow_entry:
        for array in arrays:
            for k in range(words[place]):
                address, offset = words[place + 1 + 2 * k], words[place + 2 + 2 * k]
                ctypes.c_int64.from_address(address).value = array.ctypes.data + offset
            place += 1 + 2 * words[place]
        _run_plan()(words[plan_code.ENTRY_POOL], words[plan_code.ENTRY_PLAN])
    return plan_code.RAN


_slow_entry = threading.Lock()


@functools.cache
def _run_plan() -> Any:
    word = ctypes.c_int64
    return ctypes.CFUNCTYPE(word, word, word)(runtime().address("plan_run"))
