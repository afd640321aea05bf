"""Prints a `LoopKernel` as LLVM IR text, with explicit vectors.

What goes in: a kernel. What comes out: a module with one function ``void name(ptr words, i64 begin,
i64 end)``. The text is meant for code generation without optimisation passes: everything
is inlined, a loop with lanes works on whole vectors, its rest on a masked one, and integer
arithmetic is put into the outermost loop that it depends on. Widths are those that the loops ask for;
LLVM cuts them to what the CPU has. Scalar operations are printed by the definitions in
`fnx.kernels.vector_math`, so the bits are those of the other printer. Read next: `emit_text`.
"""

from __future__ import annotations

from dataclasses import dataclass
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
from fnx.compiler.positions import ONE, Atom, Coefficient, Position
from fnx.kernels import vector_math
from fnx.kernels.vector_math_operations import LLVM_TYPES, Register, TextOperations

__all__ = ["module_text"]

#: A lane loop of more statements than this is printed once, masked, and not once more unmasked.
LONG = 48

MINUS: Coefficient = (((), -1),)

_REGISTER_TYPES = {"b1": "i1", "f16": "f32", "bf16": "f32", "f32": "f32", "f64": "f64"}
_MEMORY_TYPES = {"b1": "i8", "f16": "f16", "bf16": "i16", "f32": "f32", "f64": "f64"}


def module_text(kernel: LoopKernel, symbol: str, form: Canonical | None = None) -> str:
    """The LLVM module of a kernel.

    Parameters
    ----------
    kernel : LoopKernel
        What to print.
    symbol : str
        The name of its function.
    form : Canonical, optional
        Its canonical form, if known: the order of the words.
    """
    return _Printer(kernel, form or canonical(kernel)).module(symbol)


class _Level:
    """The text of one open loop, and the registers that are valid in it."""

    __slots__ = ("axis", "lines", "registers")

    def __init__(self, axis: Atom | None) -> None:
        self.axis = axis
        self.lines: list[str] = []
        self.registers: dict[Any, Register] = {}


@dataclass(frozen=True, slots=True)
class _Lanes:
    """The loop that runs in lanes: its axis, how many, and the mask of the current step."""

    axis: Atom
    width: int
    mask: Register | None


class _Printer:
    def __init__(self, kernel: LoopKernel, form: Canonical) -> None:
        self.kernel = kernel
        self.form = form
        self.levels = [_Level(None)]
        self.lanes: _Lanes | None = None
        self.count = 0
        self.declarations: dict[str, str] = {}
        self.accumulators: dict[tuple[Reduction, int], Register] = {}

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

    # Lines and registers.

    def fresh(self) -> str:
        self.count += 1
        return f"%t{self.count}"

    def emit(self, level: int, text: str) -> str:
        name = self.fresh()
        self.levels[level].lines.append(f"  {name} = {text}")
        return name

    def operations(self, level: int, width: int) -> TextOperations:
        def sink(text: str) -> str:
            return self.emit(level, text)

        return TextOperations(sink, self.levels[level].lines.append, self.declarations, width)

    def word(self, k: int, type: str) -> Register:
        place = self.emit(0, f"getelementptr i64, ptr %words, i64 {k}")
        name = self.emit(0, f"load {type}, ptr {place}")
        return Register(name, "i64")

    def parameter(self, k: int, value: Value) -> Register:
        word = self.word(k, "i64")
        o = self.operations(0, 0)
        code = value.code
        if code == "f64":
            return o.from_bits(word)
        if code == "f32":
            return o.from_bits(o.itrunc(word, "i32"))
        if code == "b1":
            return o.ne(word, 0)
        if code in ("f16", "bf16"):
            return self.from_memory(o, o.itrunc(word, "i16"), code)
        type = _register_type(code)
        return word if type == "i64" else o.itrunc(word, type)

    def level_of(self, free: frozenset[Atom]) -> int:
        for level in range(len(self.levels) - 1, 0, -1):
            if self.levels[level].axis in free:
                return level
        return 0

    def find(self, key: Any) -> tuple[Register, int] | None:
        for level in range(len(self.levels) - 1, -1, -1):
            found = self.levels[level].registers.get(key)
            if found is not None:
                return found, level
        return None

    def varying(self, free: frozenset[Atom]) -> bool:
        return self.lanes is not None and self.lanes.axis in free

    def value(self, value: Value, width: int, level: int) -> Register:
        """The register of a value, as a vector if a width is given."""
        op = value.op
        if op == "const":
            return self.operations(level, width).constant(
                _constant(value), _register_type(value.code)
            )
        if not width:
            return self.known(value)[0]
        if self.varying(value.free):
            return self.known(value)[0]
        found = self.find((value, width))
        if found is not None:
            return found[0]
        register, at = self.known(value)
        splat = self.levels[at].registers[value, width] = self.splat(register, width, at)
        return splat

    def known(self, value: Value) -> tuple[Register, int]:
        found = self.find(value.attr if value.op == "reduced" else value)
        if found is None:
            raise RuntimeError(f"emit_ir: {value!r} is used where it has not been computed")
        return found

    def splat(self, register: Register, width: int, level: int) -> Register:
        scalar = LLVM_TYPES[register.type]
        vector = f"<{width} x {scalar}>"
        first = self.emit(
            level, f"insertelement {vector} poison, {scalar} {register.name}, i64 0"
        )
        text = (
            f"shufflevector {vector} {first}, {vector} poison, <{width} x i32> zeroinitializer"
        )
        return Register(self.emit(level, text), register.type)

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
            else:
                self.update(statement.reduction)

    def let(self, value: Value) -> None:
        level = len(self.levels) - 1
        width = self.lanes.width if self.varying(value.free) and self.lanes else 0
        if value.op == "load":
            register = self.load(value, width, level)
        elif value.op == "position":
            register = self.number(value.attr, _register_type(value.code), width, level)
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
        elif _length(loop.body) > LONG:
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
        level = _Level(loop.axis)
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
            self.lanes = _Lanes(loop.axis, loop.lanes, None)
            if masked is not None:
                mask = self.mask(counter, masked, loop.lanes, depth)
                self.lanes = _Lanes(loop.axis, loop.lanes, mask)
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
        return self.operations(level, width).lt(_iota(width, "i32"), splat)

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
        scalar = LLVM_TYPES[_register_type(key[0].bodies[key[1]].code)]
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
                return o.constant(_constant(value), _register_type(value.code))
            if value.op == "parameter":
                return self.value(value, o.width, level)
            if value not in known:
                args = [evaluate(arg) for arg in value.args]
                codes = tuple(arg.code for arg in value.args)
                known[value] = vector_math.define(
                    o, value.op, value.code, codes, args, value.attr
                )
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

    # Positions.

    def coefficient(self, coefficient: Coefficient) -> Register | int:
        if not coefficient:
            return 0
        if len(coefficient) == 1 and not coefficient[0][0]:
            return coefficient[0][1]
        found = self.levels[0].registers.get(("coefficient", coefficient))
        if found is not None:
            return found
        o = self.operations(0, 0)
        total: Register | int = 0
        for monomial, factor in coefficient:
            product: Register | int = factor
            for number in monomial:
                product = _times(o, product, self.levels[0].registers["size", number])
            total = _plus(o, total, product)
        assert isinstance(total, Register)
        self.levels[0].registers["coefficient", coefficient] = total
        return total

    def scalar_position(self, position: Position) -> Register:
        """A position as an i64; the axis of lanes counts with its first lane."""
        found = self.find(position)
        if found is not None:
            return found[0]
        terms = sorted(position.terms, key=lambda term: self.level_of(term[0].free))
        total = self.coefficient(position.constant)
        known = 0
        for k in range(len(terms)):
            level = self.level_of(terms[k][0].free)
            key = ("partial", tuple(terms[: k + 1]), position.constant)
            partial = self.levels[level].registers.get(key)
            if partial is None:
                o = self.operations(level, 0)
                part = _times(o, self.atom(terms[k][0]), self.coefficient(terms[k][1]))
                partial = _plus(o, total, part)
                if isinstance(partial, int):
                    partial = Register(str(partial), "i64")
                self.levels[level].registers[key] = partial
            total, known = partial, level
        register = Register(str(total), "i64") if isinstance(total, int) else total
        self.levels[known].registers[position] = register
        return register

    def atom(self, atom: Atom) -> Register:
        level = self.level_of(atom.free)
        if atom.kind == "datum":
            return self.known(atom.parts[0])[0]
        found = self.levels[level].registers.get(atom)
        if found is None:
            inner = self.scalar_position(atom.parts[0])
            o = self.operations(level, 0)
            size = self.levels[0].registers["size", atom.parts[1]]
            divide = o.sdiv if atom.kind == "quotient" else o.srem
            found = self.levels[level].registers[atom] = divide(inner, size)
        return found

    def vector_position(self, position: Position, width: int, level: int) -> Register:
        """A position as a vector of i64, one for each lane."""
        assert self.lanes is not None
        found = self.find((position, width))
        if found is not None:
            return found[0]
        o = self.operations(level, width)
        factor = position.coefficient(self.lanes.axis)
        if factor is not None:
            base = self.splat(self.scalar_position(position), width, level)
            total = base
            if factor:
                step = self.coefficient(factor)
                if isinstance(step, Register):
                    step = self.splat(step, width, 0)
                total = o.add(base, _times(o, _iota(width, "i64"), step))
        else:
            uniform = position.space.position(
                tuple(t for t in position.terms if self.lanes.axis not in t[0].free),
                position.constant,
            )
            total = self.splat(self.scalar_position(uniform), width, level)
            for atom, coefficient in position.terms:
                if self.lanes.axis in atom.free:
                    part = self.vector_atom(atom, width, level)
                    scale = self.coefficient(coefficient)
                    if isinstance(scale, Register):
                        scale = self.splat(scale, width, 0)
                    total = o.add(total, _times(o, part, scale))
        self.levels[level].registers[position, width] = total
        return total

    def vector_atom(self, atom: Atom, width: int, level: int) -> Register:
        if atom.kind == "datum":
            return self.value(atom.parts[0], width, level)
        if atom.kind == "loop":
            return self.vector_position(_space_of(self.kernel, atom), width, level)
        found = self.find((atom, width))
        if found is not None:
            return found[0]
        inner = self.vector_position(atom.parts[0], width, level)
        o = self.operations(level, width)
        size = self.splat(self.levels[0].registers["size", atom.parts[1]], width, 0)
        divide = o.sdiv if atom.kind == "quotient" else o.srem
        result = self.levels[level].registers[atom, width] = divide(inner, size)
        return result

    def number(self, position: Position, type: str, width: int, level: int) -> Register:
        """A position as a value of an integer type."""
        if width:
            factor = position.coefficient(self.lanes.axis) if self.lanes else None
            o = self.operations(level, width)
            if factor == ONE and type != "i64":
                base = self.operations(level, 0).itrunc(self.scalar_position(position), type)
                return o.add(self.splat(base, width, level), _iota(width, type))
            wide = self.vector_position(position, width, level)
            return wide if type == "i64" else o.itrunc(wide, type)
        register = self.scalar_position(position)
        return register if type == "i64" else self.operations(level, 0).itrunc(register, type)

    # Memory.

    def load(self, value: Value, width: int, level: int) -> Register:
        number, position = value.attr
        memory = _memory_type(value.code)
        buffer = self.levels[0].registers["buffer", number]
        o = self.operations(level, width)
        scalar = LLVM_TYPES[memory]
        if not width:
            index = self.scalar_position(position)
            if value.args:  # a place that may always be read, if not this one
                index = o.select(self.value(value.args[0], 0, level), index, 0)
            place = self.emit(
                level, f"getelementptr {scalar}, ptr {buffer.name}, i64 {index.name}"
            )
            raw = Register(self.emit(level, f"load {scalar}, ptr {place}"), memory)
            return self.from_memory(o, raw, value.code)
        assert self.lanes is not None
        mask = self.lanes.mask
        if value.args:
            guard = self.value(value.args[0], width, level)
            mask = guard if mask is None else o.and_(guard, mask)
        vector = f"<{width} x {scalar}>"
        factor = position.coefficient(self.lanes.axis)
        if factor in (ONE, MINUS):
            index = self.scalar_position(position)
            if factor == MINUS:  # read forwards from the last lane's place, and turn around
                index = self.operations(level, 0).sub(index, width - 1)
                mask = None if mask is None else self.turned(mask, width, level)
            place = self.emit(
                level, f"getelementptr {scalar}, ptr {buffer.name}, i64 {index.name}"
            )
            align = _alignment(memory)
            if mask is None:
                text = f"load {vector}, ptr {place}, align {align}"
            else:
                name = f"@llvm.masked.load.v{width}{memory}.p0"
                self.declarations[name] = (
                    f"declare {vector} {name}(ptr, i32, <{width} x i1>, {vector})"
                )
                text = (
                    f"call {vector} {name}(ptr {place}, i32 {align}, "
                    f"<{width} x i1> {mask.name}, {vector} zeroinitializer)"
                )
            raw = Register(self.emit(level, text), memory)
            if factor == MINUS:
                raw = self.turned(raw, width, level)
        else:
            index = self.vector_position(position, width, level)
            raw = self.gather(buffer, index, memory, mask, width, level)
        return self.from_memory(o, raw, value.code)

    def turned(self, register: Register, width: int, level: int) -> Register:
        """The lanes in reverse order."""
        vector = f"<{width} x {LLVM_TYPES[register.type]}>"
        numbers = ", ".join(f"i32 {k}" for k in range(width - 1, -1, -1))
        text = (
            f"shufflevector {vector} {register.name}, {vector} poison, "
            f"<{width} x i32> <{numbers}>"
        )
        return Register(self.emit(level, text), register.type)

    def gather(
        self,
        buffer: Register,
        index: Register,
        memory: str,
        mask: Register | None,
        width: int,
        level: int,
    ) -> Register:
        scalar = LLVM_TYPES[memory]
        vector = f"<{width} x {scalar}>"
        places = self.emit(
            level, f"getelementptr {scalar}, ptr {buffer.name}, <{width} x i64> {index.name}"
        )
        name = f"@llvm.masked.gather.v{width}{memory}.v{width}p0"
        self.declarations[name] = (
            f"declare {vector} {name}(<{width} x ptr>, i32, <{width} x i1>, {vector})"
        )
        condition = "splat (i1 true)" if mask is None else mask.name
        text = (
            f"call {vector} {name}(<{width} x ptr> {places}, i32 {_alignment(memory)}, "
            f"<{width} x i1> {condition}, {vector} zeroinitializer)"
        )
        return Register(self.emit(level, text), memory)

    def store(self, statement: Store) -> None:
        level = len(self.levels) - 1
        value, position = statement.value, statement.position
        memory = _memory_type(value.code)
        scalar = LLVM_TYPES[memory]
        buffer = self.levels[0].registers["buffer", statement.buffer]
        lines = self.levels[level].lines
        lanes = self.lanes
        if lanes is None or lanes.axis not in position.free:
            o = self.operations(level, 0)
            raw = self.to_memory(o, self.value(value, 0, level), value.code)
            index = self.scalar_position(position)
            place = self.emit(
                level, f"getelementptr {scalar}, ptr {buffer.name}, i64 {index.name}"
            )
            lines.append(f"  store {scalar} {raw.name}, ptr {place}")
            return
        width = lanes.width
        vector = f"<{width} x {scalar}>"
        o = self.operations(level, width)
        raw = self.to_memory(o, self.value(value, width, level), value.code)
        align = _alignment(memory)
        if position.coefficient(lanes.axis) == ONE:
            index = self.scalar_position(position)
            place = self.emit(
                level, f"getelementptr {scalar}, ptr {buffer.name}, i64 {index.name}"
            )
            if lanes.mask is None:
                lines.append(f"  store {vector} {raw.name}, ptr {place}, align {align}")
                return
            name = f"@llvm.masked.store.v{width}{memory}.p0"
            kind, where = "ptr", place
        else:
            index = self.vector_position(position, width, level)
            where = self.emit(
                level,
                f"getelementptr {scalar}, ptr {buffer.name}, <{width} x i64> {index.name}",
            )
            name = f"@llvm.masked.scatter.v{width}{memory}.v{width}p0"
            kind = f"<{width} x ptr>"
        mask = "splat (i1 true)" if lanes.mask is None else lanes.mask.name
        self.declarations[name] = f"declare void {name}({vector}, {kind}, i32, <{width} x i1>)"
        lines.append(
            f"  call void {name}({vector} {raw.name}, {kind} {where}, i32 {align}, "
            f"<{width} x i1> {mask})"
        )

    def from_memory(self, o: TextOperations, raw: Register, code: str) -> Register:
        if code == "b1":
            return o.ne(raw, 0)
        if code == "bf16":
            return o.from_bits(o.shl(o.zext(raw, "i32"), 16))
        if code == "f16":
            half = raw if raw.type == "f16" else o.from_bits(raw)
            return o.fpext(half, "f32")
        return raw

    def to_memory(self, o: TextOperations, register: Register, code: str) -> Register:
        if code == "b1":
            return o.zext(register, "i8")
        if code == "bf16":
            return o.itrunc(o.lshr(o.bits(register), 16), "i16")
        if code == "f16":
            return o.fptrunc(register, "f16")
        return register


def _register_type(code: str) -> str:
    return _REGISTER_TYPES.get(code) or f"i{code[1:]}"


def _memory_type(code: str) -> str:
    return _MEMORY_TYPES.get(code) or f"i{code[1:]}"


def _alignment(memory: str) -> int:
    return int(memory[1:]) // 8


def _suffix(memory: str) -> str:
    return memory


def _constant(value: Value) -> Any:
    """A constant as a Python number."""
    return vector_math.number(value.attr, value.code)


def _iota(width: int, type: str) -> Register:
    return Register("<" + ", ".join(f"{type} {k}" for k in range(width)) + ">", type)


def _times(o: TextOperations, x: Register | int, y: Register | int) -> Any:
    if isinstance(x, int) and isinstance(y, int):
        return x * y
    if isinstance(x, int):
        x, y = y, x
    if isinstance(y, int) and y in (0, 1):
        return x if y else 0
    return o.mul(x, y)


def _plus(o: TextOperations, x: Register | int, y: Register | int) -> Any:
    if isinstance(x, int) and isinstance(y, int):
        return x + y
    if isinstance(x, int):
        x, y = y, x
    return x if isinstance(y, int) and y == 0 else o.add(x, y)


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


def _space_of(kernel: LoopKernel, atom: Atom) -> Position:
    return kernel.space.of(atom)

