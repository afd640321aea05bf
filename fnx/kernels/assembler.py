"""A small structured assembler: Python statements in, text of LLVM IR out.

The thread pool and the plan runner are a hundred lines of control flow on 64-bit words each,
and every program needs them at once; written here they compile in milliseconds and without
Numba.  All values are 64-bit integers (addresses too); variables live in memory slots that
LLVM's first optimisation level turns into registers.  Read next: threads.py, plan_runner.py.

    program = Program()
    double = program.function("twice", "n")
    double.return_(double.argument("n") * 2)
    text = program.text()
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TypeAlias

__all__ = ["Condition", "Function", "Operand", "Program", "Value", "Variable"]

Operand: TypeAlias = "Value | Variable | int"


class Program:
    """A module: functions, and declarations of the external ones that they call."""

    def __init__(self) -> None:
        self._declarations: dict[str, str] = {}
        self._functions: list[Function] = []

    def function(self, name: str, *arguments: str) -> Function:
        """Begin a function of 64-bit arguments that returns a 64-bit value."""
        made = Function(self, name, arguments)
        self._functions.append(made)
        return made

    def declare(self, name: str, signature: str) -> None:
        """Declare an external function, for instance ``declare("usleep", "i32 (i32)")``."""
        result, arguments = signature.split(" ", 1)
        self._declarations[name] = f"declare {result} @{name}{arguments}"

    def text(self) -> str:
        """The module as LLVM IR."""
        return "\n".join([*self._declarations.values(), *(f.text() for f in self._functions)])


class Value:
    """A 64-bit result of an instruction; arithmetic on it emits instructions."""

    __slots__ = ("function", "name")

    def __init__(self, function: Function, name: str) -> None:
        self.function = function
        self.name = name

    def __add__(self, other: Operand) -> Value:
        return self.function.emit("add", self, other)

    def __sub__(self, other: Operand) -> Value:
        return self.function.emit("sub", self, other)

    def __mul__(self, other: Operand) -> Value:
        return self.function.emit("mul", self, other)

    def __lt__(self, other: Operand) -> Condition:
        return self.function.compare("slt", self, other)

    def __ge__(self, other: Operand) -> Condition:
        return self.function.compare("sge", self, other)

    def __gt__(self, other: Operand) -> Condition:
        return self.function.compare("sgt", self, other)

    def equals(self, other: Operand) -> Condition:
        """Whether two words are equal."""
        return self.function.compare("eq", self, other)

    def differs(self, other: Operand) -> Condition:
        """Whether two words differ."""
        return self.function.compare("ne", self, other)


class Condition:
    """A truth value, for `Function.if_` and the loops."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name


class Variable:
    """A named 64-bit place that keeps its value over loops and branches."""

    __slots__ = ("_function", "_place")

    def __init__(self, function: Function, place: str) -> None:
        self._function = function
        self._place = place

    @property
    def value(self) -> Value:
        """What is in it now."""
        return self._function.instruction(f"load i64, ptr {self._place}")

    def set(self, value: Operand) -> None:
        """Put something else into it."""
        self._function.line(f"store i64 {self._function.operand(value)}, ptr {self._place}")


class Function:
    """One function under construction."""

    def __init__(self, program: Program, name: str, arguments: tuple[str, ...]) -> None:
        self.program = program
        self.name = name
        self._arguments = arguments
        self._slots: list[str] = []
        self._lines: list[str] = []
        self._count = 0
        self._loop_exits: list[str] = []

    # --- values ---

    def argument(self, name: str) -> Value:
        """An argument of the function."""
        if name not in self._arguments:
            raise KeyError(f"assembler: {self.name} has no argument {name!r}")
        return Value(self, f"%{name}")

    def constant(self, number: int) -> Value:
        """A number as a value."""
        return Value(self, str(number))

    def variable(self, initial: Operand = 0) -> Variable:
        """A new variable."""
        place = f"%slot{self._fresh()}"
        self._slots.append(f"  {place} = alloca i64")
        made = Variable(self, place)
        made.set(initial)
        return made

    def emit(self, operation: str, left: Operand, right: Operand) -> Value:
        """A binary integer instruction, by LLVM's name for it."""
        return self.instruction(f"{operation} i64 {self.operand(left)}, {self.operand(right)}")

    def smaller(self, left: Operand, right: Operand) -> Value:
        """The smaller of two signed words."""
        return self.select(self.compare("slt", left, right), left, right)

    def select(self, condition: Condition, yes: Operand, no: Operand) -> Value:
        """One of two words."""
        first, second = self.operand(yes), self.operand(no)
        return self.instruction(f"select i1 {condition.name}, i64 {first}, i64 {second}")

    def compare(self, relation: str, left: Operand, right: Operand) -> Condition:
        """A comparison, by LLVM's name for it."""
        text = f"icmp {relation} i64 {self.operand(left)}, {self.operand(right)}"
        return Condition(self.instruction(text).name)

    # --- memory: addresses are words too, an index counts words ---

    def load(self, base: Operand, index: Operand = 0) -> Value:
        """The word at an address."""
        return self.instruction(f"load i64, ptr {self._pointer(base, index)}")

    def load_signed(self, base: Operand, bits: int) -> Value:
        """A narrower signed integer at an address, widened."""
        narrow = self.instruction(f"load i{bits}, ptr {self._pointer(base, 0)}")
        return self.instruction(f"sext i{bits} {narrow.name} to i64")

    def store(self, value: Operand, base: Operand, index: Operand = 0) -> None:
        """Put a word at an address."""
        self.line(f"store i64 {self.operand(value)}, ptr {self._pointer(base, index)}")

    def atomic_load(self, base: Operand, index: Operand = 0) -> Value:
        """Sequentially consistent load."""
        pointer = self._pointer(base, index)
        return self.instruction(f"load atomic i64, ptr {pointer} seq_cst, align 8")

    def atomic_store(self, value: Operand, base: Operand, index: Operand = 0) -> None:
        """Sequentially consistent store."""
        pointer = self._pointer(base, index)
        self.line(f"store atomic i64 {self.operand(value)}, ptr {pointer} seq_cst, align 8")

    def atomic_add(self, value: Operand, base: Operand, index: Operand = 0) -> Value:
        """Add to a word and give what was there before."""
        pointer = self._pointer(base, index)
        return self.instruction(f"atomicrmw add ptr {pointer}, i64 {self.operand(value)} seq_cst")

    def exchange_if(
        self, expected: Operand, value: Operand, base: Operand, index: Operand = 0
    ) -> Condition:
        """Replace a word if it is as expected; whether that happened."""
        pointer = self._pointer(base, index)
        pair = self.instruction(
            f"cmpxchg ptr {pointer}, i64 {self.operand(expected)}, i64 {self.operand(value)} "
            "seq_cst seq_cst"
        )
        return Condition(self.instruction(f"extractvalue {{ i64, i1 }} {pair.name}, 1").name)

    # --- calls ---

    def call(self, name: str, *arguments: Operand) -> Value:
        """Call a function of this program, or a declared one that takes and gives words."""
        listed = ", ".join(f"i64 {self.operand(a)}" for a in arguments)
        return self.instruction(f"call i64 @{name}({listed})")

    def call_external(self, text: str, *arguments: Operand) -> Value:
        """Call by a text such as ``"i64 @syscall(i64 {}, ptr {})"``; a ``ptr`` takes an address.

        The result is as declared: a call that gives a pointer gives it as a word.
        """
        prepared = []
        for position, argument in enumerate(arguments):
            before = text.split("{}")[position]
            pointer = before.rstrip().endswith("ptr")
            prepared.append(self._pointer(argument, 0) if pointer else self.operand(argument))
        full = "call " + text.format(*prepared)
        if text.startswith("void"):
            self.line(full)
            return self.constant(0)
        made = self.instruction(full)
        if text.startswith("ptr"):
            return self.instruction(f"ptrtoint ptr {made.name} to i64")
        return made

    def call_kernel(self, address: Operand, *arguments: Operand) -> None:
        """Call a native function of words, which returns nothing, by its address."""
        listed = ", ".join(f"i64 {self.operand(a)}" for a in arguments)
        self.line(f"call void {self._pointer(address, 0)}({listed})")

    def return_(self, value: Operand = 0) -> None:
        """Leave the function."""
        self.line(f"ret i64 {self.operand(value)}")
        self.label(self._label("after"))

    # --- control flow ---

    @contextlib.contextmanager
    def if_(self, condition: Condition) -> Iterator[None]:
        """Statements that run only if a condition holds."""
        then, done = self._label("then"), self._label("done")
        self.line(f"br i1 {condition.name}, label %{then}, label %{done}")
        self.label(then)
        yield
        self.line(f"br label %{done}")
        self.label(done)

    @contextlib.contextmanager
    def loop(self) -> Iterator[None]:
        """Statements that repeat until `leave_if` or `return_`."""
        body, done = self._label("loop"), self._label("done")
        self.line(f"br label %{body}")
        self.label(body)
        self._loop_exits.append(done)
        yield
        self._loop_exits.pop()
        self.line(f"br label %{body}")
        self.label(done)

    def leave_if(self, condition: Condition) -> None:
        """Leave the innermost loop if a condition holds."""
        stay = self._label("stay")
        self.line(f"br i1 {condition.name}, label %{self._loop_exits[-1]}, label %{stay}")
        self.label(stay)

    # --- text ---

    def line(self, text: str) -> None:
        """Add an instruction without a result."""
        self._lines.append("  " + text)

    def label(self, name: str) -> None:
        """Begin a block."""
        self._lines.append(f"{name}:")

    def instruction(self, text: str) -> Value:
        """Add an instruction with a result."""
        name = f"%v{self._fresh()}"
        self.line(f"{name} = {text}")
        return Value(self, name)

    def operand(self, value: Operand) -> str:
        """How a value is written in an instruction."""
        if isinstance(value, Variable):
            value = value.value
        return value.name if isinstance(value, Value) else str(value)

    def text(self) -> str:
        """The function as LLVM IR."""
        arguments = ", ".join(f"i64 %{name}" for name in self._arguments)
        head = f"define i64 @{self.name}({arguments}) nounwind {{\nentry:"
        return "\n".join([head, *self._slots, *self._lines, "  ret i64 0", "}"])

    def _pointer(self, base: Operand, index: Operand) -> str:
        pointer = self.instruction(f"inttoptr i64 {self.operand(base)} to ptr").name
        if isinstance(index, int) and index == 0:
            return pointer
        text = f"getelementptr i64, ptr {pointer}, i64 {self.operand(index)}"
        return self.instruction(text).name

    def _fresh(self) -> int:
        self._count += 1
        return self._count

    def _label(self, kind: str) -> str:
        return f"{kind}{self._fresh()}"
