"""Prints a `LoopKernel` as readable Numba text.

What goes in: a kernel. What comes out: a Python module that imports numba and
`fnx.kernels.vector_math` and nothing else. Its function ``kernel`` takes flat arrays (narrow
floats as uint16, truth values as uint8), sizes, numbers, and the part of the parallel axis to do,
and can be run as it is; ``entry`` is the same for a caller that has only words. The statements
are those of the loop language one for one, so the bits are those of `emit_ir`. Read next:
`build`.
"""

from __future__ import annotations

from typing import Any

from fnx.compiler.loops import (
    Accumulate,
    Canonical,
    Let,
    Loop,
    LoopKernel,
    Reduction,
    Statement,
    Store,
    Update,
    Value,
    canonical,
)
from fnx.compiler.positions import Atom, Coefficient, Position
from fnx.kernels import vector_math

__all__ = ["kernel_text"]

_INFIX = {"add": "+", "sub": "-", "mul": "*", "div": "/"}
_COMPARE = {"eq": "==", "ne": "!=", "lt": "<", "le": "<="}
_WIDEST = 76

_TYPES = {
    "b1": "boolean",
    "f16": "float32",
    "bf16": "float32",
    "f32": "float32",
    "f64": "float64",
    **{f"i{n}": f"int{n}" for n in (8, 16, 32, 64)},
    **{f"u{n}": f"uint{n}" for n in (8, 16, 32, 64)},
}


def kernel_text(
    kernel: LoopKernel, form: Canonical | None = None, comments: tuple[str, ...] = ()
) -> str:
    """The Numba module of a kernel.

    Parameters
    ----------
    kernel : LoopKernel
        What to print.
    form : Canonical, optional
        Its canonical form, if known: the order of the words.
    comments : tuple of str
        Lines to put above the function.
    """
    return _Printer(kernel, form or canonical(kernel)).module(comments)


class _Printer:
    def __init__(self, kernel: LoopKernel, form: Canonical) -> None:
        self.kernel = kernel
        self.form = form
        self.lines: list[str] = []
        self.names: dict[Any, str] = {}
        self.inline: dict[Value, str] = {}
        self.count = 0
        self.uses: dict[Value, int] = {}
        self.lanes: dict[Reduction, int] = {}
        self.functions: set[str] = set()
        self.types: set[str] = set()
        self.special: set[str] = set()

    def module(self, comments: tuple[str, ...]) -> str:
        form = self.form
        parameters, words = [], []
        for k, number in enumerate(form.buffers):
            buffer = self.kernel.buffers[number]
            name = self.names["buffer", number] = f"{_BUFFER_NAMES[buffer.of]}{buffer.index}"
            parameters.append(name)
            words.append(f"{self.function(f'pointer_{buffer.code}')}(words, {k})")
        for k, number in enumerate(form.sizes):
            name = self.names["size", number] = f"n{k}"
            parameters.append(name)
            words.append(f"{self.function('word_i64')}(words, {len(words)})")
        for k, value in enumerate(form.parameters):
            name = self.names[value] = f"c{k}"
            parameters.append(name)
            words.append(f"{self.function(f'word_{value.code}')}(words, {len(words)})")
        self.count_uses(self.kernel.body)
        self.block(self.kernel.body, 1)
        call = ",\n        ".join([*words, "begin", "end"])
        text = [
            *self.imports(),
            "",
            *(f"# {comment}" for comment in comments),
            '@njit(error_model="numpy")',
            f"def kernel({', '.join([*parameters, 'begin', 'end'])}):",
            *self.lines,
            "",
            "",
            "def entry(words, begin, end):",
            f"    kernel(\n        {call},\n    )",
        ]
        return "\n".join(text) + "\n"

    def imports(self) -> list[str]:
        lines = []
        if self.special:
            lines += [f"from math import {', '.join(sorted(self.special))}", ""]
        lines += [f"from numba import {', '.join(sorted({*self.types, 'njit'}))}", ""]
        functions = sorted(self.functions)
        one = f"from fnx.kernels.vector_math import {', '.join(functions)}"
        if len(one) <= 100:
            return [*lines, one, ""]
        names = [f"    {name}," for name in functions]
        return [*lines, "from fnx.kernels.vector_math import (", *names, ")", ""]

    def fresh(self) -> str:
        self.count += 1
        return f"v{self.count}"

    def count_uses(self, statements: tuple[Statement, ...]) -> None:
        """How often each value is mentioned; what is mentioned once can stand where it is used."""

        def use(value: Value) -> None:
            self.uses[value] = self.uses.get(value, 0) + 1

        for s in statements:
            if type(s) is Let:
                for operand in s.value.operands():
                    use(operand)
            elif type(s) is Store:
                use(s.value)
                for datum in s.position.data():
                    use(datum)
            elif type(s) is Loop:
                for limit in s.limits:
                    for datum in limit.data():
                        use(datum)
                self.count_uses(s.body)
            elif type(s) is Accumulate:
                for reduction in s.reductions:
                    for init in reduction.inits:
                        use(init)
                self.count_uses(s.body)
            elif type(s) is Update:
                for body in s.reduction.bodies:
                    use(body)
                    use(body)  # may be mentioned by several results of the combination

    def line(self, depth: int, text: str) -> None:
        self.lines.append("    " * depth + text)

    def block(self, statements: tuple[Statement, ...], depth: int) -> None:
        before = dict(self.names)
        for s in statements:
            if type(s) is Let:
                self.let(s.value, depth, statements)
            elif type(s) is Store:
                self.store(s, depth)
            elif type(s) is Loop:
                self.loop(s, depth)
            elif type(s) is Accumulate:
                self.accumulate(s, depth)
            elif type(s) is Update:
                self.update(s.reduction, depth)
        kept = {k: v for k, v in self.names.items() if k in before}
        self.names = kept if depth > 1 else self.names

    def let(self, value: Value, depth: int, statements: tuple[Statement, ...]) -> None:
        text = self.expression(value)
        plain = value.op not in ("load", "position")
        short = self.uses.get(value) == 1 and len(text) <= _WIDEST // 2
        if plain and short and any(_mentions(s, value) for s in statements):
            self.inline[value] = text
            return
        self.inline.pop(value, None)
        name = self.names[value] = self.fresh()
        self.line(depth, f"{name} = {text}")

    def store(self, s: Store, depth: int) -> None:
        code = s.value.code
        text = self.value(s.value)
        if code in ("f16", "bf16"):
            text = f"{self.function(f'bitcast_{code}_u16')}({text})"
        elif code == "b1":
            text = f"{self.type('u8')}({text})"
        place = f"{self.names['buffer', s.buffer]}[{self.position(s.position)}]"
        self.line(depth, f"{place} = {text}")

    def loop(self, loop: Loop, depth: int) -> None:
        name = f"{loop.axis.parts[0]}"
        while name in self.names.values():
            name += "_"
        limits = [self.position(limit) for limit in loop.limits]
        high = limits[0] if len(limits) == 1 else f"min({', '.join(limits)})"
        lanes = loop.lanes if any(loop.axis in r.axes for r in self.lanes) else 0
        saved = dict(self.names)
        if lanes:
            self.line(depth, f"for start in range(0, {high}, {lanes}):")
            self.line(depth + 1, f"for lane in range(min({lanes}, {high} - start)):")
            self.line(depth + 2, f"{name} = start + lane")
            depth += 1
        elif loop.parallel:
            self.line(depth, f"for {name} in range(begin, end):")
        elif loop.reverse:
            self.line(depth, f"for {name} in range({high} - 1, -1, -1):")
        else:
            self.line(depth, f"for {name} in range({high}):")
        self.names[loop.axis] = name
        self.block(loop.body, depth + 1)
        self.names = saved

    def accumulate(self, s: Accumulate, depth: int) -> None:
        for reduction in s.reductions:
            for k, init in enumerate(reduction.inits):
                name = self.names["accumulator", reduction, k] = f"a{self.fresh()[1:]}"
                text = self.value(init)
                if s.lanes:
                    text = f"{self.function('lanes')}({s.lanes}, {text})"
                self.line(depth, f"{name} = {text}")
            if s.lanes:
                self.lanes[reduction] = s.lanes
        self.block(s.body, depth)
        for reduction in s.reductions:
            self.lanes.pop(reduction, None)
            names = self.accumulators(reduction)
            if s.lanes:
                self.halve(reduction, names, s.lanes, depth)
            for k, name in enumerate(names):
                self.names[reduction, k] = _read(reduction, k, f"{name}[0]") if s.lanes else name

    def accumulators(self, reduction: Reduction) -> list[str]:
        return [self.names["accumulator", reduction, k] for k in range(len(reduction.inits))]

    def halve(self, reduction: Reduction, names: list[str], lanes: int, depth: int) -> None:
        self.line(depth, f"half = {lanes // 2}")
        self.line(depth, "while half:")
        self.line(depth + 1, "for lane in range(half):")
        targets = [f"{name}[lane]" for name in names]
        left = [_read(reduction, k, t) for k, t in enumerate(targets)]
        right = [_read(reduction, k, f"{name}[lane + half]") for k, name in enumerate(names)]
        self.assign(reduction, targets, left, right, depth + 2)
        self.line(depth + 1, "half //= 2")

    def update(self, reduction: Reduction, depth: int) -> None:
        names = left = self.accumulators(reduction)
        if reduction in self.lanes:
            names = [f"{name}[lane]" for name in names]
            left = [_read(reduction, k, name) for k, name in enumerate(names)]
        bodies = [self.value(body) for body in reduction.bodies]
        self.assign(reduction, names, left, bodies, depth)
        if reduction.running:
            for k, name in enumerate(names):
                self.names[reduction, k] = name

    def assign(
        self,
        reduction: Reduction,
        targets: list[str],
        left: list[str],
        right: list[str],
        depth: int,
    ) -> None:
        """The combination of partial results, common subexpressions by name."""
        counts: dict[Value, int] = {}

        def count(value: Value) -> None:
            counts[value] = counts.get(value, 0) + 1
            if counts[value] == 1:
                for arg in value.args:
                    count(arg)

        for result in reduction.results:
            count(result)
        known: dict[Value, str] = {}

        def text(value: Value) -> str:
            if value.op == "left":
                return left[value.attr]
            if value.op == "right":
                return right[value.attr]
            if value.op in ("const", "parameter"):
                return self.expression(value)
            if value not in known:
                known[value] = self.operation(value, [text(arg) for arg in value.args])
                if counts[value] > 1:
                    name = self.fresh()
                    self.line(depth, f"{name} = {known[value]}")
                    known[value] = name
            return known[value]

        results = [text(result) for result in reduction.results]
        self.line(depth, f"{', '.join(targets)} = {', '.join(results)}")

    # Expressions.

    def value(self, value: Value) -> str:
        if value.op == "reduced":
            return self.names[value.attr]
        name = self.names.get(value)
        if name is not None:
            return name
        text = self.inline.get(value)
        return self.expression(value) if text is None else text

    def expression(self, value: Value) -> str:
        op, code, attr = value.op, value.code, value.attr
        if op == "const":
            return self.constant(vector_math.number(attr, code), code)
        if op == "parameter":
            return self.names[value]
        if op == "position":
            text = self.position(attr)
            return text if code == "i64" else f"{self.type(code)}({text})"
        if op == "load":
            text = f"{self.names['buffer', attr[0]]}[{self.position(attr[1])}]"
            if code in ("f16", "bf16"):
                text = f"{self.function(f'bitcast_u16_{code}')}({text})"
            elif code == "b1":
                text = f"{text} != 0"
            if value.args:
                zero = self.constant(0, code)
                return f"{text} if {self.value(value.args[0])} else {zero}"
            return text
        return self.operation(value, [self.value(arg) for arg in value.args])

    def operation(self, value: Value, args: list[str]) -> str:
        op, code = value.op, value.code
        codes = tuple(arg.code for arg in value.args)
        real = codes[0] in ("f32", "f64")
        if op == "widen":
            return args[0]
        tight = [f"({arg})" if _loose(arg) else arg for arg in args]
        if op == "select":
            return f"{tight[1]} if {tight[0]} else {tight[2]}"
        if (real and op in _INFIX) or (codes[0] == "i64" and op in ("add", "sub")):
            return f"{tight[0]} {_INFIX[op]} {tight[1]}"
        if real and op == "neg":
            return f"-{tight[0]}"
        if (real or codes[0] == "i64") and op in _COMPARE:
            return f"{tight[0]} {_COMPARE[op]} {tight[1]}"
        name = self.function(vector_math.function_name(op, code, codes, value.attr))
        return f"{name}({', '.join(args)})"

    def function(self, name: str) -> str:
        """The name of a function of vector math, which will be imported."""
        self.functions.add(name)
        return name

    def type(self, code: str) -> str:
        """The name of a Numba type, which will be imported."""
        self.types.add(_TYPES[code])
        return _TYPES[code]

    def constant(self, number: Any, code: str) -> str:
        if code == "b1":
            return str(bool(number))
        text = repr(number)
        if "inf" in text or "nan" in text:
            self.special.add(text.strip("-"))
        return text if code == "i64" else f"{self.type(code)}({text})"

    def position(self, position: Position) -> str:
        parts = []
        for atom, coefficient in position.terms:
            scale = self.coefficient(coefficient)
            text = self.atom(atom)
            parts.append(
                text if scale == "1" else f"-{text}" if scale == "-1" else f"{text} * {scale}"
            )
        if position.constant or not parts:
            parts.append(self.coefficient(position.constant))
        return " + ".join(parts).replace("+ -", "- ")

    def coefficient(self, coefficient: Coefficient) -> str:
        if not coefficient:
            return "0"
        terms = []
        for monomial, factor in coefficient:
            names = [self.names["size", number] for number in monomial]
            if not names or factor not in (1, -1):
                names = [str(factor), *names]
            terms.append(("-" if factor == -1 and names[0] != "-1" else "") + " * ".join(names))
        return terms[0] if len(terms) == 1 else "(" + " + ".join(terms).replace("+ -", "- ") + ")"

    def atom(self, atom: Atom) -> str:
        if atom.kind == "loop":
            return self.names[atom]
        if atom.kind == "datum":
            return self.value(atom.parts[0])
        sign = "//" if atom.kind == "quotient" else "%"
        return f"(({self.position(atom.parts[0])}) {sign} {self.names['size', atom.parts[1]]})"


_BUFFER_NAMES = {"in": "x", "out": "y", "temp": "t"}


def _mentions(statement: Statement, value: Value) -> bool:
    if type(statement) is Let:
        return value in statement.value.args
    return type(statement) is Store and statement.value is value


def _read(reduction: Reduction, component: int, text: str) -> str:
    """The value of an accumulator in memory, where truth values are bytes."""
    return f"({text} != 0)" if reduction.bodies[component].code == "b1" else text


def _loose(text: str) -> bool:
    """Whether an expression needs parentheses as an operand."""
    depth = 0
    for character in text:
        depth += (character in "([") - (character in ")]")
        if depth == 0 and character in " -":
            return True
    return False
