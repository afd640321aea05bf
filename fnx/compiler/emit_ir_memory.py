"""Registers, positions and memory in LLVM IR text: the lower half of `emit_ir`.

What goes in: the open loops with the text of each, values, positions. What comes out: lines in the
text of the right loop, and registers. A position is computed term by term, each term in the
outermost loop that it depends on; a place that moves by one element from lane to lane is a vector
load or store, any other a gather or scatter; what may not be read is masked.
Read next: `emit_ir`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fnx.compiler.loops import Canonical, LoopKernel, Reduction, Store, Value
from fnx.compiler.positions import ONE, Atom, Coefficient, Position
from fnx.kernels import vector_math
from fnx.kernels.vector_math_operations import LLVM_TYPES, Register, TextOperations

__all__ = ["Lanes", "Level", "MemoryPrinter", "constant_number", "iota", "register_type"]

MINUS: Coefficient = (((), -1),)

_REGISTER_TYPES = {"b1": "i1", "f16": "f32", "bf16": "f32", "f32": "f32", "f64": "f64"}
_MEMORY_TYPES = {"b1": "i8", "f16": "f16", "bf16": "i16", "f32": "f32", "f64": "f64"}


class Level:
    """The text of one open loop, and the registers that are valid in it."""

    __slots__ = ("axis", "lines", "registers")

    def __init__(self, axis: Atom | None) -> None:
        self.axis = axis
        self.lines: list[str] = []
        self.registers: dict[Any, Register] = {}


@dataclass(frozen=True, slots=True)
class Lanes:
    """The loop that runs in lanes: its axis, how many, and the mask of the current step."""

    axis: Atom
    width: int
    mask: Register | None


class MemoryPrinter:
    """The open loops of the text, and what is known in each."""

    def __init__(self, kernel: LoopKernel, form: Canonical) -> None:
        self.kernel = kernel
        self.form = form
        self.levels = [Level(None)]
        self.lanes: Lanes | None = None
        self.count = 0
        self.declarations: dict[str, str] = {}
        self.accumulators: dict[tuple[Reduction, int], Register] = {}

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
        type = register_type(code)
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
                constant_number(value), register_type(value.code)
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
        first = self.emit(level, f"insertelement {vector} poison, {scalar} {register.name}, i64 0")
        text = f"shufflevector {vector} {first}, {vector} poison, <{width} x i32> zeroinitializer"
        return Register(self.emit(level, text), register.type)

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
                total = o.add(base, _times(o, iota(width, "i64"), step))
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
                return o.add(self.splat(base, width, level), iota(width, type))
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
            place = self.emit(level, f"getelementptr {scalar}, ptr {buffer.name}, i64 {index.name}")
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
            place = self.emit(level, f"getelementptr {scalar}, ptr {buffer.name}, i64 {index.name}")
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
            f"shufflevector {vector} {register.name}, {vector} poison, <{width} x i32> <{numbers}>"
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
            place = self.emit(level, f"getelementptr {scalar}, ptr {buffer.name}, i64 {index.name}")
            lines.append(f"  store {scalar} {raw.name}, ptr {place}")
            return
        width = lanes.width
        vector = f"<{width} x {scalar}>"
        o = self.operations(level, width)
        raw = self.to_memory(o, self.value(value, width, level), value.code)
        align = _alignment(memory)
        if position.coefficient(lanes.axis) == ONE:
            index = self.scalar_position(position)
            place = self.emit(level, f"getelementptr {scalar}, ptr {buffer.name}, i64 {index.name}")
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


def register_type(code: str) -> str:
    return _REGISTER_TYPES.get(code) or f"i{code[1:]}"


def _memory_type(code: str) -> str:
    return _MEMORY_TYPES.get(code) or f"i{code[1:]}"


def _alignment(memory: str) -> int:
    return int(memory[1:]) // 8


def _suffix(memory: str) -> str:
    return memory


def constant_number(value: Value) -> Any:
    """A constant as a Python number."""
    return vector_math.number(value.attr, value.code)


def iota(width: int, type: str) -> Register:
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


def _space_of(kernel: LoopKernel, atom: Atom) -> Position:
    return kernel.space.of(atom)
