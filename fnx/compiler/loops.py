"""The loop language: what a kernel does, before it is printed as Numba text or as LLVM IR.

A `LoopKernel` is a nest of statements over typed scalar values. A `Value` is one operation in
single assignment; it is computed where a `Let` places it. `Loop` counts a variable up to the
least of its limits, `Accumulate` owns the accumulators that `Update` statements inside of it
feed, `Store` writes. A loop with ``lanes`` runs that many iterations side by side; the
accumulators of a reduction over such a loop are that many partial results, combined at the end by
halving (lane k with lane k + lanes/2, and so on): so the order of every reduction is written in
the text of the program, and both printers and any number of threads give the same bits. What goes
in: `lower` builds these. What comes out: `canonical`, the text that names a kernel (equal text is
equal machine code), with the words that a call must pass. Read next: `lower`, `emit_ir`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import ml_dtypes
import numpy as np

from fnx.compiler.positions import Atom, Coefficient, Position, Space

__all__ = [
    "CODES",
    "DTYPES",
    "Accumulate",
    "Buffer",
    "Canonical",
    "Let",
    "Loop",
    "LoopKernel",
    "Reduction",
    "Statement",
    "Store",
    "Update",
    "Value",
    "canonical",
]

_NAMES = {
    "b1": "bool",
    **{f"{k}{n}": f"{'u' if k == 'u' else ''}int{n}" for k in "iu" for n in (8, 16, 32, 64)},
    "f16": "float16",
    "f32": "float32",
    "f64": "float64",
}
#: The short code of a scalar type, and its NumPy dtype.
DTYPES: dict[str, np.dtype[Any]] = {code: np.dtype(name) for code, name in _NAMES.items()}
DTYPES["bf16"] = np.dtype(ml_dtypes.bfloat16)
CODES: dict[np.dtype[Any], str] = {dtype: code for code, dtype in DTYPES.items()}


class Value:
    """One scalar operation; the same operation on the same operands is the same object.

    Attributes
    ----------
    op : str
        ``const`` and ``parameter`` (attr: the bits), ``position`` (attr: a Position), ``load``
        (attr: buffer number, Position; args: the condition under which it may read, or nothing),
        ``reduced`` (attr: Reduction, component), ``left`` and ``right`` (attr: component; operands
        of a combination), or an operation that `fnx.kernels.vector_math` defines.
    code : str
        Its type; a key of `DTYPES`.
    args : tuple of Value
        Its operands.
    attr
        What else distinguishes it; hashable.
    free : frozenset of Atom
        The loop variables that it depends on.
    """

    __slots__ = ("args", "attr", "code", "free", "number", "op")
    free: frozenset[Atom]

    def __init__(self, op: str, code: str, args: tuple[Value, ...], attr: Any, number: int) -> None:
        self.op = op
        self.code = code
        self.args = args
        self.attr = attr
        self.number = number
        free = frozenset[Atom]()
        for arg in args:
            free |= arg.free
        if op == "load":
            free |= attr[1].free
        elif op == "position":
            free |= attr.free
        elif op == "reduced":
            free |= attr[0].free
        self.free = free

    @property
    def dtype(self) -> np.dtype[Any]:
        """The element type."""
        return DTYPES[self.code]

    def operands(self) -> Iterator[Value]:
        """The values that must be there before this one (not the body of a reduction)."""
        yield from self.args
        if self.op == "load":
            yield from self.attr[1].data()
        elif self.op == "position":
            yield from self.attr.data()
        elif self.op == "reduced":
            yield from self.attr[0].inits

    def __repr__(self) -> str:
        return f"{self.op}.{self.code}#{self.number}"


class Reduction:
    """A reduction of ``bodies`` over ``axes``, or (``running``) the state of one while it runs.

    Attributes
    ----------
    axes : tuple of Atom
        Loop variables, outermost first.
    inits : tuple of Value
        The identity of the combination.
    results : tuple of Value
        The combination, in terms of ``left`` and ``right`` values.
    bodies : tuple of Value
        What is combined.
    running : bool
        Whether the value after each step is wanted.
    reverse : bool
        Of a running one: from the end.
    limit : Position or None
        A bound of the first axis besides its extent.
    free : frozenset of Atom
        The loop variables that the result depends on.
    """

    __slots__ = ("axes", "bodies", "free", "inits", "limit", "results", "reverse", "running")

    def __init__(
        self,
        axes: tuple[Atom, ...],
        inits: tuple[Value, ...],
        results: tuple[Value, ...],
        bodies: tuple[Value, ...],
        running: bool = False,
        reverse: bool = False,
        limit: Position | None = None,
    ) -> None:
        self.limit = limit
        self.axes = axes
        self.inits = inits
        self.results = results
        self.bodies = bodies
        self.running = running
        self.reverse = reverse
        free: frozenset[Atom] = frozenset()
        for body in bodies:
            free |= body.free
        if limit is not None:
            free |= limit.free
        self.free = free if running else free - frozenset(axes)


@dataclass(frozen=True, slots=True, eq=False)
class Let:
    """Compute a value here."""

    value: Value


@dataclass(frozen=True, slots=True, eq=False)
class Store:
    """Write a value to a buffer."""

    buffer: int
    position: Position
    value: Value


@dataclass(frozen=True, slots=True, eq=False)
class Loop:
    """Count ``axis`` from 0 up to the least of ``limits`` (``reverse``: down to 0).

    ``parallel``: from the begin to the end that the caller of the kernel gives.
    """

    axis: Atom
    limits: tuple[Position, ...]
    body: tuple[Statement, ...]
    lanes: int = 0
    parallel: bool = False
    reverse: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Accumulate:
    """Run the body with accumulators for some reductions, then combine their lanes."""

    reductions: tuple[Reduction, ...]
    lanes: int
    body: tuple[Statement, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Update:
    """Combine the bodies of a reduction into its accumulators."""

    reduction: Reduction


Statement = Let | Store | Loop | Accumulate | Update


@dataclass(frozen=True, slots=True)
class Buffer:
    """An array that a kernel reads or writes: ``of`` says which (``in``, ``out``, ``temp``)."""

    of: str
    index: int
    code: str  # "c64" and "c128" never: a complex array is read as pairs of reals


@dataclass(frozen=True, slots=True)
class LoopKernel:
    """A kernel: its buffers, its statements, and how many parallel units a call has.

    Attributes
    ----------
    buffers : tuple of Buffer
        Numbered as in loads and stores.
    body : tuple of Statement
        What it does.
    space : Space
        Where its positions live.
    units : int
        The extent of the parallel loop; 1 if there is none.
    grain : int
        How many units one thread should take at least, a multiple of the lanes.
    cost : float
        An estimate of the work of one unit, in nanoseconds.
    """

    buffers: tuple[Buffer, ...]
    body: tuple[Statement, ...]
    space: Space
    units: int
    grain: int
    cost: float


@dataclass(frozen=True, slots=True)
class Canonical:
    """The text of a kernel and what its words are.

    Attributes
    ----------
    text : str
        Equal for kernels that are equal but for extents and parameters.
    buffers : tuple of int
        Buffer numbers, in the order of the words; then come
    sizes : tuple of int
        size numbers, then
    parameters : tuple of Value
        constants that are arguments.
    written : frozenset of int
        The buffers that are stored to.
    """

    text: str
    buffers: tuple[int, ...]
    sizes: tuple[int, ...]
    parameters: tuple[Value, ...]
    written: frozenset[int]


def canonical(kernel: LoopKernel) -> Canonical:
    """The text that names a kernel.

    Buffers, sizes, parameters, loop variables and values are numbered by their first use.
    """
    writer = _Writer(kernel)
    writer.block(kernel.body, 0)
    lines = [
        " ".join(
            f"{'out' if b in writer.written else 'in'}:{kernel.buffers[b].code}"
            for b in writer.buffers
        ),
        *writer.lines,
    ]
    return Canonical(
        "\n".join(lines),
        tuple(writer.buffers),
        tuple(writer.sizes),
        tuple(writer.parameters),
        frozenset(writer.written),
    )


class _Writer:
    def __init__(self, kernel: LoopKernel) -> None:
        self.kernel = kernel
        self.lines: list[str] = []
        self.buffers: dict[int, int] = {}
        self.sizes: dict[int, int] = {}
        self.parameters: dict[Value, int] = {}
        self.axes: dict[Atom, str] = {}
        self.names: dict[Any, str] = {}  # of values, and of (reduction, component)
        self.written: set[int] = set()
        self.count = 0

    def fresh(self) -> str:
        self.count += 1
        return f"v{self.count}"

    def block(self, statements: tuple[Statement, ...], depth: int) -> None:
        for statement in statements:
            self.statement(statement, depth)

    def statement(self, s: Statement, depth: int) -> None:
        pad = " " * depth
        if type(s) is Let:
            text = self.expression(s.value)
            name = self.names[s.value] = self.fresh()
            self.lines.append(f"{pad}{name}:{s.value.code} = {text}")
        elif type(s) is Store:
            self.written.add(s.buffer)
            place = f"{self.buffer(s.buffer)}[{self.position(s.position)}]"
            self.lines.append(f"{pad}{place} = {self.value(s.value)}")
        elif type(s) is Loop:
            name = self.axes.setdefault(s.axis, f"i{len(self.axes)}")
            limits = ", ".join(self.position(limit) for limit in s.limits)
            flags = f"{' parallel' if s.parallel else ''}{' reverse' if s.reverse else ''}"
            self.lines.append(f"{pad}for {name} < {limits} lanes {s.lanes}{flags}:")
            self.block(s.body, depth + 1)
        elif type(s) is Accumulate:
            self.lines.append(f"{pad}accumulate lanes {s.lanes}:")
            for reduction in s.reductions:
                inits = ", ".join(self.value(v) for v in reduction.inits)
                self.lines.append(f"{pad} from {inits}")
            self.block(s.body, depth + 1)
            for reduction in s.reductions:
                if not reduction.running:
                    self.finish(reduction, pad + " ", "reduced")
        elif type(s) is Update:
            reduction = s.reduction
            bodies = ", ".join(self.value(v) for v in reduction.bodies)
            results = ", ".join(self.combination(v) for v in reduction.results)
            self.lines.append(f"{pad}update {bodies} by {results}")
            if reduction.running:
                self.finish(reduction, pad, "running")

    def finish(self, reduction: Reduction, pad: str, word: str) -> None:
        names = []
        for k in range(len(reduction.bodies)):
            names.append(self.fresh())
            self.names[reduction, k] = names[-1]
        self.lines.append(f"{pad}{', '.join(names)} = {word}")

    def value(self, value: Value) -> str:
        if value.op == "reduced":
            return self.names[value.attr]
        name = self.names.get(value)
        return self.expression(value) if name is None else name

    def expression(self, value: Value) -> str:
        op, attr = value.op, value.attr
        if op == "const":
            return f"{value.code}({attr})"
        if op == "parameter":
            # With its type: inside of a conversion nothing else tells it.
            return f"c{self.parameters.setdefault(value, len(self.parameters))}:{value.code}"
        if op == "position":
            return f"position({self.position(attr)})"
        if op == "load":
            guard = f" if {self.value(value.args[0])}" if value.args else ""
            return f"{self.buffer(attr[0])}[{self.position(attr[1])}]{guard}"
        extra = "" if attr is None else f"<{attr}>"
        return f"{op}{extra}({', '.join(self.value(a) for a in value.args)})"

    def combination(self, value: Value) -> str:
        if value.op in ("left", "right"):
            return f"{value.op}{value.attr}"
        if value.op in ("const", "parameter"):
            return self.expression(value)
        extra = "" if value.attr is None else f"<{value.attr}>"
        return f"{value.op}{extra}({', '.join(self.combination(a) for a in value.args)})"

    def buffer(self, number: int) -> str:
        return f"b{self.buffers.setdefault(number, len(self.buffers))}"

    def position(self, position: Position) -> str:
        parts = [f"{self.coefficient(c)}*{self.atom(a)}" for a, c in position.terms]
        if position.constant or not parts:
            parts.append(self.coefficient(position.constant))
        return " + ".join(parts)

    def coefficient(self, coefficient: Coefficient) -> str:
        if not coefficient:
            return "0"
        terms = []
        for monomial, factor in coefficient:
            names = [f"s{self.sizes.setdefault(n, len(self.sizes))}" for n in monomial]
            terms.append("*".join([str(factor), *names]))
        return terms[0] if len(terms) == 1 else f"({' + '.join(terms)})"

    def atom(self, atom: Atom) -> str:
        if atom.kind == "loop":
            return self.axes.setdefault(atom, f"i{len(self.axes)}")
        if atom.kind == "datum":
            return f"({self.value(atom.parts[0])})"
        inner, number = atom.parts
        size = f"s{self.sizes.setdefault(number, len(self.sizes))}"
        return f"(({self.position(inner)}) {'/' if atom.kind == 'quotient' else '%'} {size})"
