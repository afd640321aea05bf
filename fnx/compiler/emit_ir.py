"""Prints a `LoopKernel` as LLVM IR text, with explicit vectors.

What goes in: a kernel. What comes out: a module with one function ``void name(ptr words, i64
begin, i64 end)``. The text is meant for code generation without optimisation passes: everything
is inlined, a loop with lanes works on whole vectors, its rest on a masked one, and integer
arithmetic is put into the outermost loop that it depends on. Widths are those that the loops ask
for; LLVM cuts them to what the CPU has. Scalar operations are printed by the definitions in
`fnx.kernels.vector_math`, so the bits are those of the other printer. Read next: `emit_text`.
"""

from __future__ import annotations

from fnx.compiler.emit_ir_memory import (
    Lanes,
    Level,
    MemoryPrinter,
    constant_number,
    iota,
    register_type,
)
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
from fnx.compiler.positions import Atom
from fnx.kernels import vector_math
from fnx.kernels.vector_math_operations import LLVM_TYPES, Register, TextOperations

__all__ = ["module_text"]

#: A lane loop of more statements than this is printed once, masked, and not once more unmasked.
LONG = 48


def module_text(
    kernel: LoopKernel, symbol: str, form: Canonical | None = None, short: bool = False
) -> str:
    """The LLVM module of a kernel.

    Parameters
    ----------
    kernel : LoopKernel
        What to print.
    symbol : str
        The name of its function.
    form : Canonical, optional
        Its canonical form, if known: the order of the words.
    short : bool
        Prefer less text to faster code.
    """
    return _Printer(kernel, form or canonical(kernel), short).module(symbol)


class _Printer(MemoryPrinter):
    """Statements, loops and reductions."""

    def __init__(self, kernel: LoopKernel, form: Canonical, short: bool) -> None:
        super().__init__(kernel, form)
        self.longest = 0 if short else LONG

    def module(self, symbol: str) -> str:
        level = self.levels[0]
        form = self.form
        words = len(form.buffers)
        for k, number in enumerate(form.buffers):
            level.registers["buffer", number] = self.word(k, "ptr")
        for k, number in enumerate(form.sizes):
            level.registers["size", number] = self.word(words + k, "i64")
        words += len(form.sizes)
        for k, value in enumerate(form.parameters):
            level.registers[value] = self.parameter(words + k, value)
        self.statements(self.kernel.body)
        lines = [
            f"define void @{symbol}(ptr %words, i64 %begin, i64 %end) #0 {{",
            "entry:",
            *level.lines,
            "  ret void",
            "}",
            *sorted(self.declarations.values()),
            'attributes #0 = { nounwind "prefer-vector-width"="512" }',
        ]
        return "\n".join(lines) + "\n"

    # Statements.

    def statements(self, statements: tuple[Statement, ...]) -> None:
        for statement in statements:
            if type(statement) is Let:
                self.let(statement.value)
            elif type(statement) is Store:
                self.store(statement)
            elif type(statement) is Loop:
                self.loop(statement)
            elif type(statement) is Accumulate:
                self.accumulate(statement)
            elif type(statement) is Update:
                self.update(statement.reduction)

    def let(self, value: Value) -> None:
        level = len(self.levels) - 1
        width = self.lanes.width if self.varying(value.free) and self.lanes else 0
        if value.op == "load":
            register = self.load(value, width, level)
        elif value.op == "position":
            register = self.number(value.attr, register_type(value.code), width, level)
        else:
            o = self.operations(level, width)
            args = [self.value(arg, width, level) for arg in value.args]
            codes = tuple(arg.code for arg in value.args)
            register = vector_math.define(o, value.op, value.code, codes, args, value.attr)
        self.levels[level].registers[value] = register

    def loop(self, loop: Loop) -> None:
        level = len(self.levels) - 1
        o = self.operations(level, 0)
        low: Register | int = 0
        if loop.parallel:
            low, high = Register("%begin", "i64"), Register("%end", "i64")
        else:
            high = self.scalar_position(loop.limits[0])
            for limit in loop.limits[1:]:
                other = self.scalar_position(limit)
                high = o.select(o.lt(other, high), other, high)
        if not loop.lanes:
            self.counted(loop, low, high, 1, None)
        elif _length(loop.body) > self.longest:
            self.counted(loop, low, high, loop.lanes, high)
        else:
            span = high if isinstance(low, int) else o.sub(high, low)
            whole = o.and_(span, -loop.lanes)
            stop = whole if isinstance(low, int) else o.add(low, whole)
            self.counted(loop, low, stop, loop.lanes, None)
            self.counted(loop, stop, high, loop.lanes, high)

    def counted(
        self,
        loop: Loop,
        low: Register | int,
        high: Register,
        step: int,
        masked: Register | None,
    ) -> None:
        """A loop from low to high; with ``masked``, lanes at and beyond it do nothing."""
        self.count += 1
        name = f"{self.count}"
        parent = self.levels[-1]
        level = Level(loop.axis)
        self.levels.append(level)
        depth = len(self.levels) - 1
        counter = Register(f"%i{name}", "i64")
        position = counter
        if loop.reverse:
            last = self.operations(depth - 1, 0).sub(high, 1)
            position = self.operations(depth, 0).sub(last, counter)
        level.registers[loop.axis] = position
        lanes = self.lanes
        if loop.lanes:
            self.lanes = Lanes(loop.axis, loop.lanes, None)
            if masked is not None:
                mask = self.mask(counter, masked, loop.lanes, depth)
                self.lanes = Lanes(loop.axis, loop.lanes, mask)
        carried = [key for key in self.accumulators if key[0] in _updated(loop.body)]
        entering = {key: self.accumulators[key] for key in carried}
        for key in carried:
            self.accumulators[key] = Register(self.fresh(), entering[key].type)
        phis = {key: self.accumulators[key] for key in carried}
        self.statements(loop.body)
        self.levels.pop()
        start = str(low) if isinstance(low, int) else low.name
        lines = parent.lines
        lines += [f"  br label %pre{name}", f"pre{name}:", f"  br label %head{name}"]
        lines += [
            f"head{name}:",
            f"  {counter.name} = phi i64 [ {start}, %pre{name} ], [ %n{name}, %latch{name} ]",
        ]
        for key in carried:
            kind = self.accumulator_type(key)
            lines.append(
                f"  {phis[key].name} = phi {kind} [ {entering[key].name}, %pre{name} ], "
                f"[ {self.accumulators[key].name}, %latch{name} ]"
            )
        lines += [
            f"  %c{name} = icmp slt i64 {counter.name}, {high.name}",
            f"  br i1 %c{name}, label %body{name}, label %exit{name}",
            f"body{name}:",
            *level.lines,
            f"  br label %latch{name}",
            f"latch{name}:",
            f"  %n{name} = add i64 {counter.name}, {step}",
            f"  br label %head{name}",
            f"exit{name}:",
        ]
        for key in carried:
            self.accumulators[key] = phis[key]
        self.lanes = lanes

    def mask(self, counter: Register, high: Register, width: int, level: int) -> Register:
        """Which lanes of a step are below the end."""
        o = self.operations(level, 0)
        rest = o.sub(high, counter)
        rest = o.itrunc(o.select(o.lt(rest, width), rest, width), "i32")
        splat = self.splat(rest, width, level)
        return self.operations(level, width).lt(iota(width, "i32"), splat)

    # Reductions.

    def accumulate(self, statement: Accumulate) -> None:
        level = len(self.levels) - 1
        for reduction in statement.reductions:
            width = self.accumulator_width(reduction, statement.lanes)
            for k, init in enumerate(reduction.inits):
                self.accumulators[reduction, k] = self.value(init, width, level)
                self.levels[level].registers["width", reduction] = Register(str(width), "i64")
        self.statements(statement.body)
        for reduction in statement.reductions:
            keys = [(reduction, k) for k in range(len(reduction.inits))]
            results = [self.accumulators.pop(key) for key in keys]
            if statement.lanes:
                results = self.halved(reduction, results, statement.lanes, level)
            for key, result in zip(keys, results):
                self.levels[level].registers[key] = result

    def accumulator_width(self, reduction: Reduction, lanes: int) -> int:
        if lanes:
            return lanes
        free = frozenset[Atom]().union(*(body.free for body in reduction.bodies))
        return self.lanes.width if self.lanes is not None and self.varying(free) else 0

    def accumulator_type(self, key: tuple[Reduction, int]) -> str:
        found = self.find(("width", key[0]))
        assert found is not None
        width = int(found[0].name)
        scalar = LLVM_TYPES[register_type(key[0].bodies[key[1]].code)]
        return f"<{width} x {scalar}>" if width else scalar

    def update(self, reduction: Reduction) -> None:
        level = len(self.levels) - 1
        found = self.find(("width", reduction))
        assert found is not None
        width = int(found[0].name)
        keys = [(reduction, k) for k in range(len(reduction.bodies))]
        before = [self.accumulators[key] for key in keys]
        bodies = [self.value(body, width, level) for body in reduction.bodies]
        o = self.operations(level, width)
        after = self.combined(o, level, reduction, before, bodies)
        lanes = self.lanes
        if lanes is not None and lanes.mask is not None and lanes.axis in reduction.axes:
            after = [o.select(lanes.mask, new, old) for new, old in zip(after, before)]
        for key, register in zip(keys, after):
            self.accumulators[key] = register
            if reduction.running:
                self.levels[level].registers[key] = register

    def combined(
        self,
        o: TextOperations,
        level: int,
        reduction: Reduction,
        left: list[Register],
        right: list[Register],
    ) -> list[Register]:
        """Print the combination of two partial results."""
        known: dict[Value, Register] = {}

        def evaluate(value: Value) -> Register:
            if value.op == "left":
                return left[value.attr]
            if value.op == "right":
                return right[value.attr]
            if value.op == "const":
                return o.constant(constant_number(value), register_type(value.code))
            if value.op == "parameter":
                return self.value(value, o.width, level)
            if value not in known:
                args = [evaluate(arg) for arg in value.args]
                codes = tuple(arg.code for arg in value.args)
                known[value] = vector_math.define(o, value.op, value.code, codes, args, value.attr)
            return known[value]

        return [evaluate(result) for result in reduction.results]

    def halved(
        self, reduction: Reduction, results: list[Register], lanes: int, level: int
    ) -> list[Register]:
        """Combine lanes k and k + lanes/2 until one is left."""
        while lanes > 1:
            half = lanes // 2
            parts = []
            for offset in (0, half):
                numbers = ", ".join(f"i32 {offset + k}" for k in range(half))
                parts.append(
                    [
                        Register(
                            self.emit(
                                level,
                                f"shufflevector <{lanes} x {LLVM_TYPES[r.type]}> {r.name}, "
                                f"<{lanes} x {LLVM_TYPES[r.type]}> poison, "
                                f"<{half} x i32> <{numbers}>",
                            ),
                            r.type,
                        )
                        for r in results
                    ]
                )
            results = self.combined(
                self.operations(level, half), level, reduction, parts[0], parts[1]
            )
            lanes = half
        return [
            Register(
                self.emit(level, f"extractelement <1 x {LLVM_TYPES[r.type]}> {r.name}, i64 0"),
                r.type,
            )
            for r in results
        ]


def _length(statements: tuple[Statement, ...]) -> int:
    """A measure of how much text a block becomes."""
    total = 0
    for statement in statements:
        if type(statement) is Let:
            total += vector_math.length(statement.value.op)
        elif type(statement) is Loop or type(statement) is Accumulate:
            total += 10 + _length(statement.body)
        else:
            total += 1
    return total


def _updated(statements: tuple[Statement, ...]) -> frozenset[Reduction]:
    """The reductions that are fed somewhere in a block."""
    found: set[Reduction] = set()
    for statement in statements:
        if type(statement) is Update:
            found.add(statement.reduction)
        elif type(statement) is Loop or type(statement) is Accumulate:
            found |= _updated(statement.body)
    return frozenset(found)
