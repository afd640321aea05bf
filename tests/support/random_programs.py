"""Random programs: Python texts of 5 to 20 equations over a stack of values, from a seed.

`random_program(seed)` writes a function statement by statement and runs each statement, as it is
written, on three sets of arguments (`lanes`): so every operand is known to lie inside the domain,
ties and kinks are kept at a distance, and values stay bounded.  A statement that breaks a rule is
taken back.  Each program starts with a few operations that its seed assigns: of `ROUND` seeds in a
row, one for each operation.  What follows is free.  Results are all values that nothing else uses.
Whether an operation enters a program, and when, is decided by its name and the seed alone; so an
operation that is added to the table changes the programs that it enters, and no others.

The text is the program: `Program.text` with its arguments reproduces it anywhere.  What may be
written is in `random_operations`, what loops hold in `random_bodies`.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

import fnx
from fnx.core.jaxpr import Jaxpr, subjaxprs
from tests.support.random_bodies import PRELUDE, Bodies
from tests.support.random_operations import Rejected
from tests.support.random_samples import OPERATIONS

__all__ = ["Builder", "Program", "count_primitives", "random_program"]

LANES = 3
FEWEST, MOST = 5, 20
LARGEST, MOST_ELEMENTS = 8.0, 48
#: In so many seeds, one after the other, each operation is assigned to one.
ROUND, ROUND_OF_SAMPLED = 26, 40
#: How often an operation may try to find operands.
TRIES = 4

_PRELUDE = compile(PRELUDE, "<prelude of random programs>", "exec")


@dataclass(frozen=True)
class Program:
    """A function as text, with arguments.

    Parameters
    ----------
    seed : int
        What it was made from.
    body : str
        The function's text, without the prelude.
    lanes : tuple of tuple of ndarray
        Sets of arguments, floating-point ones first.
    faithful : bool
        Whether its derivatives are those of the function, so that differences can check them: no
        `stop_gradient`, and no precision but float64.
    """

    seed: int
    body: str
    lanes: tuple[tuple[np.ndarray, ...], ...]
    faithful: bool

    @cached_property
    def function(self) -> Callable[..., Any]:
        """The program itself."""
        namespace: dict[str, Any] = {}
        exec(
            compile(f"{PRELUDE}\n\n{self.body}", f"<random program {self.seed}>", "exec"), namespace
        )
        return namespace["program"]

    @property
    def floats(self) -> int:
        """How many leading arguments are floating-point."""
        return sum(a.dtype.kind == "f" for a in self.lanes[0])

    @property
    def text(self) -> str:
        """A Python file that runs it."""
        arguments = ",\n    ".join(
            f"jnp.array({a.tolist()!r}, {a.dtype.name!r})" for a in self.lanes[0]
        )
        return (
            f"# random_program({self.seed})\n{PRELUDE}\n\n{self.body}\n\n"
            f"arguments = (\n    {arguments},\n)\nprint(program(*arguments))\n"
        )

    @cached_property
    def jaxpr(self) -> Any:
        """What it is traced to."""
        return fnx.make_jaxpr(self.function)(*map(fnx.numpy.asarray, self.lanes[0]))


class Builder(Bodies):
    """Writes one program; the operations of the table call its methods.

    Parameters
    ----------
    seed : int
        Decides everything.
    """

    def __init__(self, seed: int) -> None:
        super().__init__(np.random.default_rng([seed, 2]))
        self.seed = seed
        self.lines: list[tuple[tuple[str, ...], str]] = []
        self.namespace: dict[str, Any] = {}
        exec(_PRELUDE, self.namespace)
        self.lanes: list[dict[str, Any]] = [{} for _ in range(LANES)]
        self.faithful = True
        #: Equations so far.
        self.size = 0
        self.parameters: list[str] = []
        self._arguments()

    # ------------------------------------------------------------------------------------ writing

    def emit(self, expression: str, results: int = 1) -> str:
        """Write ``v = expression`` and run it; the (first) name."""
        names = tuple([f"v{len(self.lanes[0]) + k}" for k in range(results)])
        for lane in self.lanes:
            with fnx.disable_jit():
                out = eval(expression, self.namespace | lane)
            for name, value in zip(names, [out] if results == 1 else out, strict=True):
                _check(value)
                lane[name] = value
        self.lines.append((names, expression))
        for name in names:
            self._rescale(name)
        return self.lines[-1][0][0] if results == 1 else names[0]

    def _rescale(self, name: str) -> None:
        largest = max((np.max(np.abs(v), initial=0) for v in self.values(name)), default=0)
        if self.kind(name) == "f" and largest > LARGEST:
            factor = 2.0 ** -int(np.ceil(np.log2(largest / 2)))
            if factor < 1e-4:
                raise Rejected
            self.emit(f"{name} * {factor!r}")

    def attempt(self, operation: Callable[[Builder], Any]) -> bool:
        """Write one operation, or nothing at all; whether it was written."""
        before = len(self.lines), [dict(lane) for lane in self.lanes], self.faithful
        try:
            operation(self)
            size = self.equations()
            if len(self.lines) > before[0] and size <= MOST:
                self.size = size
                return True
        except Rejected:
            pass
        self.lines = self.lines[: before[0]]
        self.lanes, self.faithful = before[1], before[2]
        return False

    def equations(self) -> int:
        """How many equations what is written traces to."""
        return len(self.program().jaxpr.eqns)

    def arguments(self, lane: int) -> tuple[np.ndarray, ...]:
        """The arguments of one lane."""
        return tuple([np.asarray(self.lanes[lane][p]) for p in self.parameters])

    def program(self) -> Program:
        """What has been written so far."""
        used = {w for _, e in self.lines for w in re.findall(r"\b[vxn]\d+\b", e)}
        written = [name for names, _ in self.lines for name in names]
        results = [n for n in written if n not in used] or self.parameters[:1]
        statements = [f"    {', '.join(names)} = {e}" for names, e in self.lines]
        body = "\n".join(
            [
                f"def program({', '.join(self.parameters)}):",
                *statements,
                f"    return {', '.join(results)},",
            ]
        )
        lanes = tuple([self.arguments(k) for k in range(LANES)])
        return Program(self.seed, body, lanes, self.faithful and not self.names("f", "float32"))

    def _arguments(self) -> None:
        rng = self.rng
        shapes = [tuple(int(n) for n in rng.integers(1, 5, rng.integers(4))) for _ in range(2)]
        shapes.append(tuple(int(n) for n in rng.integers(2, 5, 2)))
        single = self.seed % 5 == 4  # one program in five has an argument in single precision
        for k, shape in enumerate(shapes[: 2 + int(rng.integers(2))]):
            dtype = np.float32 if single and k == 1 else np.float64
            center = rng.uniform(-1.5, 1.5, shape)
            self._argument(f"x{k}", lambda c=center: c + rng.uniform(-0.05, 0.05, c.shape), dtype)
        if rng.random() < 0.5:
            shape = tuple(int(n) for n in rng.integers(1, 5, rng.integers(3)))
            self._argument("n0", lambda: rng.integers(-5, 9, shape), np.int32)
        if rng.random() < 0.25:
            self._argument("n1", lambda: rng.integers(0, 2**32, (2,)), np.uint32)

    def _argument(self, name: str, draw: Callable[[], Any], dtype: Any) -> None:
        self.parameters.append(name)
        for lane in self.lanes:
            lane[name] = fnx.numpy.asarray(np.asarray(draw(), dtype))

    # ------------------------------------------------------------------------------------- choosing

    def values(self, name: str) -> list[np.ndarray]:
        """A value on every lane."""
        return [np.asarray(lane[name]) for lane in self.lanes]

    def shape(self, name: str) -> tuple[int, ...]:
        """Its shape."""
        return tuple(self.lanes[0][name].shape)

    def dtype(self, name: str) -> str:
        """Its dtype's name."""
        return self.lanes[0][name].dtype.name

    def kind(self, name: str) -> str:
        """Its dtype's kind."""
        return self.lanes[0][name].dtype.kind

    def names(
        self,
        kinds: str,
        dtype: str | None = None,
        where: Callable[[str], bool] = lambda name: True,
    ) -> list[str]:
        """The values of some kinds and a dtype for which a condition holds."""
        found = [n for n in self.lanes[0] if self.kind(n) in kinds]
        return [n for n in found if (dtype is None or self.dtype(n) == dtype) and where(n)]

    def pick(self, names: Sequence[str]) -> str:
        """One of several values, later ones with preference."""
        if not names:
            raise Rejected
        weights = np.arange(1, len(names) + 1) ** 1.5
        return names[int(self.rng.choice(len(names), p=weights / weights.sum()))]

    def real(self, rank: int = 0, where: Callable[[str], bool] = lambda name: True) -> str:
        """A floating-point value of at least some rank, with elements."""
        return self.pick(self.names("f", None, lambda n: len(self.shape(n)) >= rank and where(n)))

    def whole(self, kinds: str = "iu", rank: int = 0) -> str:
        """An integer (or boolean) value, made if there is none."""
        found = self.names(kinds, None, lambda n: len(self.shape(n)) >= rank)
        if found:
            return self.pick(found)
        scaled = self.emit(f"lax.floor({self.clear(self.real(rank), 1.0)})")
        if "i" in kinds:
            return self.emit(f"lax.convert_element_type({scaled}, 'int32')")
        if "u" in kinds:
            return self.emit(f"lax.convert_element_type(lax.abs({scaled}), 'uint32')")
        return self.emit(f"{scaled} > 0.5")

    def within(self, low: float, high: float, rank: int = 0) -> str:
        """A floating-point value inside an interval, made if there is none."""
        fits = self.names(
            "f",
            None,
            lambda n: (
                len(self.shape(n)) >= rank
                and all(np.all((v > low) & (v < high)) for v in self.values(n))
            ),
        )
        if fits and self.rng.random() < 0.8:
            return self.pick(fits)
        low, high = max(low, -2.5), min(high, 3.0)
        middle, half = round((low + high) / 2, 3), round((high - low) * 0.4, 3)
        name = self.real(rank)
        return self.emit(f"fnx.jit(partial(between, {middle}, {half}))({name})")

    def like(self, name: str) -> str:
        """Another value of the same shape and dtype, made if there is none."""
        fits = self.names(
            self.kind(name), self.dtype(name), lambda n: self.shape(n) == self.shape(name)
        )
        fits = [n for n in fits if n != name]
        if fits and self.rng.random() < 0.8:
            return self.pick(fits)
        if self.kind(name) == "f":
            return self.emit(f"lax.{self.one_of(('sin', 'cos'))}({name} + {self.number(0.2, 1)})")
        if self.kind(name) == "b":
            return self.emit(f"lax.bitwise_not({name})")
        return self.emit(f"{name} + {int(self.rng.integers(1, 5))}")

    def interval(self, name: str, low: float, high: float) -> str:
        """A value of the same shape and dtype inside an interval."""
        middle, half = round((low + high) / 2, 3), round((high - low) * 0.4, 3)
        return self.emit(f"fnx.jit(partial(between, {middle}, {half}))({self.like(name)})")

    def clear(self, name: str, step: float) -> str:
        """The value, if it is nowhere near a multiple of a step; rejected otherwise."""
        for v in self.values(name):
            if np.any(np.abs(v / step - np.rint(v / step)) < 0.01):
                raise Rejected
        return name

    def apart(self, first: str, second: str) -> None:
        """Reject two values that are close to each other anywhere."""
        for a, b in zip(self.values(first), self.values(second), strict=True):
            if np.any(np.abs(np.subtract(a, b, dtype=np.float64)) < 0.01):
                raise Rejected

    def distinct(self, rank: int = 1) -> str:
        """A floating-point value whose elements all differ, made if there is none."""

        def differ(name: str) -> bool:
            rows = [np.sort(v, axis=None) for v in self.values(name)]
            return len(self.shape(name)) >= rank and all(
                np.all(np.diff(row) > 0.01) for row in rows
            )

        fits = self.names("f", None, differ)
        if fits and self.rng.random() < 0.8:
            return self.pick(fits)
        name = self.real(rank)
        shape = self.shape(name)
        steps = (self.rng.permutation(int(np.prod(shape))) * 0.125).reshape(shape)
        ramp = f"jnp.asarray({steps.tolist()!r}, {name}.dtype)"
        return self.emit(f"lax.sin({name}) * 0.0625 + {ramp}")

    def shaped(self, shape: Sequence[int], dtype: str = "float64") -> str:
        """The text of an expression of some shape and dtype, made from a floating-point value."""
        count = int(np.prod(shape))
        fits = self.names("f", dtype, lambda n: np.prod(self.shape(n)) >= count)
        name = self.pick(fits or self.names("f", dtype))
        return f"fnx.jit(shaped, static_argnums=1)({name}, {tuple(shape)})"

    def axis(self, name: str) -> int:
        """An axis of a value."""
        if not self.shape(name):
            raise Rejected
        return int(self.rng.integers(len(self.shape(name))))


def random_program(seed: int) -> Program:
    """The program of a seed."""
    builder = Builder(seed)
    names = sorted(OPERATIONS, key=lambda name: _drawn(name, seed))
    assigned = [name for name in names if _assigned(name, seed)]
    assigned.sort(key=_is_sampled, reverse=True)  # they take one equation each
    short = seed % 10 == 5  # most programs get long by what they are assigned
    target = FEWEST + 1 if short else int(builder.rng.integers(FEWEST + 1, MOST - 6))
    assigned = assigned[:1] if short else assigned
    waiting = [name for name in assigned if not _written(builder, name)]
    for name in names:
        if builder.size >= target:
            break
        builder.attempt(OPERATIONS[name])
    for name in waiting:  # now there may be operands for them
        _written(builder, name)
    program = builder.program()
    size = len(program.jaxpr.eqns)
    if not FEWEST <= size <= MOST:
        raise AssertionError(f"seed {seed} gave {size} equations:\n{program.text}")
    return program


def _assigned(name: str, seed: int) -> bool:
    """Whether it is the seed's turn with an operation."""
    length = ROUND_OF_SAMPLED if _is_sampled(name) else ROUND
    return _drawn(name, f"round {seed // length}") % length == seed % length


def _is_sampled(name: str) -> bool:
    return name.startswith("sampled")


def _drawn(name: str, by: int | str) -> int:
    """A number drawn for an operation, the same in every table that it is in."""
    return int.from_bytes(hashlib.blake2b(f"{name} {by}".encode(), digest_size=8).digest())


def _written(builder: Builder, name: str) -> bool:
    """Whether an operation could be written, in a few attempts."""
    return any(builder.size < MOST and builder.attempt(OPERATIONS[name]) for _ in range(TRIES))


def count_primitives(jaxpr: Jaxpr, counts: dict[str, int]) -> None:
    """Add the occurrences of every primitive in a program and in the programs that it holds."""
    for eqn in jaxpr.eqns:
        counts[eqn.primitive.name] = counts.get(eqn.primitive.name, 0) + 1
        for _, inner in subjaxprs(eqn.params):
            count_primitives(inner, counts)


def _check(value: Any) -> None:
    array = np.asarray(value)
    if array.ndim > 3 or not 0 < array.size <= MOST_ELEMENTS or array.dtype.kind not in "fiub":
        raise Rejected
    if array.dtype.kind == "f" and (array.itemsize < 4 or not np.all(np.isfinite(array))):
        raise Rejected
