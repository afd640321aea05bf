"""The few machine operations that vector math is written in, and their printer to LLVM IR text.

A definition in `vector_math` is a Python function over an *operations* object ``o`` and registers:
``o.fma(x, y, z)``, ``o.select(c, x, y)``, ``o.bits(x)``. Running it on `TextOperations` prints LLVM
IR, on scalars or on vectors of any width; running it on `vector_math_numba.BuilderOperations` makes
the body of a Numba function. So each function exists once and has the same bits in both. What goes
in: registers (`Register`: a name and a scalar type). What comes out: registers, and lines of text
in the given sink. All arithmetic is strict IEEE: no fast-math flags, no contraction.
Read next: `vector_math`.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

__all__ = ["LLVM_TYPES", "Operations", "Register", "TextOperations", "literal"]

LLVM_TYPES = {
    "f16": "half",
    "f32": "float",
    "f64": "double",
    **{f"i{n}": f"i{n}" for n in (1, 8, 16, 32, 64, 128)},
}
_BITS = {"f16": 16, "f32": 32, "f64": 64, **{f"i{n}": n for n in (1, 8, 16, 32, 64, 128)}}


class Register(NamedTuple):
    """A value in the code being printed: what to write for it, and its scalar type."""

    name: str
    type: str


class Operations:
    """What both printers share: numbers as operands, and operations made of others.

    A Python number beside a register is a constant of the register's type. Subclasses give the
    machine operations: ``add sub mul div fma sqrt neg abs floor ceil trunc rint`` on floats;
    ``copysign frem`` and ``min max`` (IEEE minimum and maximum) on floats; ``add sub mul and_ or_
    xor not_ shl lshr ashr sdiv udiv srem urem ctpop ctlz`` on integers (shifts by less than the
    width, divisors not 0); ``eq ne lt le gt ge`` (floats: ordered, except ``ne``; integers:
    signed) and ``ult``; ``select``; ``fptosi sitofp uitofp fpext fptrunc sext zext itrunc`` to a
    named type and ``fptosi_saturating fptoui_saturating``; ``bits`` and ``from_bits`` between a
    float and the integer of its width; and ``rarely``, a branch.
    """

    def constant(self, value: Any, type: str) -> Any:
        """A constant of a type; floats may be given as hexadecimal text."""
        raise NotImplementedError

    def type_of(self, x: Any) -> str:
        """The scalar type of a register."""
        raise NotImplementedError

    def width_of(self, x: Any) -> int:
        """The bits of a register's scalar type."""
        return _BITS[self.type_of(x)]

    def pair(self, x: Any, y: Any) -> tuple[Any, Any]:
        """Both operands as registers of one type."""
        if isinstance(x, (int, float, str)):
            return self.constant(x, self.type_of(y)), y
        if isinstance(y, (int, float, str)):
            return x, self.constant(y, self.type_of(x))
        return x, y


class TextOperations(Operations):
    """Prints LLVM IR on vectors of ``width`` lanes, or (``width`` 0) on scalars.

    Parameters
    ----------
    emit : callable
        Takes the right-hand side of an instruction and gives the name of its result.
    line : callable
        Takes a whole line.
    declarations : dict
        Filled with the intrinsics that are used, by name.
    width : int
        Lanes.
    """

    def __init__(
        self,
        emit: Callable[[str], str],
        line: Callable[[str], None],
        declarations: dict[str, str],
        width: int = 0,
    ) -> None:
        self.emit = emit
        self.line = line
        self.declarations = declarations
        self.width = width

    def type_of(self, x: Register) -> str:
        return x.type

    def llvm(self, type: str) -> str:
        """The LLVM type of a register of a scalar type."""
        name = LLVM_TYPES[type]
        return f"<{self.width} x {name}>" if self.width else name

    def constant(self, value: Any, type: str) -> Register:
        text = literal(value, type)
        if self.width:
            text = f"splat ({LLVM_TYPES[type]} {text})"
        return Register(text, type)

    def _binary(self, integer: str, floating: str, x: Any, y: Any) -> Register:
        x, y = self.pair(x, y)
        op = floating if x.type[0] == "f" else integer
        return Register(self.emit(f"{op} {self.llvm(x.type)} {x.name}, {y.name}"), x.type)

    def add(self, x: Any, y: Any) -> Register:
        return self._binary("add", "fadd", x, y)

    def sub(self, x: Any, y: Any) -> Register:
        return self._binary("sub", "fsub", x, y)

    def mul(self, x: Any, y: Any) -> Register:
        return self._binary("mul", "fmul", x, y)

    def div(self, x: Any, y: Any) -> Register:
        return self._binary("", "fdiv", x, y)

    def sdiv(self, x: Any, y: Any) -> Register:
        return self._binary("sdiv", "", x, y)

    def udiv(self, x: Any, y: Any) -> Register:
        return self._binary("udiv", "", x, y)

    def srem(self, x: Any, y: Any) -> Register:
        return self._binary("srem", "", x, y)

    def urem(self, x: Any, y: Any) -> Register:
        return self._binary("urem", "", x, y)

    def frem(self, x: Any, y: Any) -> Register:
        return self._binary("", "frem", x, y)

    def not_(self, x: Register) -> Register:
        return self.xor(x, True if x.type == "i1" else -1)

    def and_(self, x: Any, y: Any) -> Register:
        return self._binary("and", "", x, y)

    def or_(self, x: Any, y: Any) -> Register:
        return self._binary("or", "", x, y)

    def xor(self, x: Any, y: Any) -> Register:
        return self._binary("xor", "", x, y)

    def shl(self, x: Any, y: Any) -> Register:
        return self._binary("shl", "", x, y)

    def lshr(self, x: Any, y: Any) -> Register:
        return self._binary("lshr", "", x, y)

    def ashr(self, x: Any, y: Any) -> Register:
        return self._binary("ashr", "", x, y)

    def neg(self, x: Register) -> Register:
        if x.type[0] == "f":
            return Register(self.emit(f"fneg {self.llvm(x.type)} {x.name}"), x.type)
        return self.sub(0, x)

    def _compare(self, integer: str, floating: str, x: Any, y: Any) -> Register:
        x, y = self.pair(x, y)
        op = f"fcmp {floating}" if x.type[0] == "f" else f"icmp {integer}"
        return Register(self.emit(f"{op} {self.llvm(x.type)} {x.name}, {y.name}"), "i1")

    def eq(self, x: Any, y: Any) -> Register:
        return self._compare("eq", "oeq", x, y)

    def ne(self, x: Any, y: Any) -> Register:
        return self._compare("ne", "une", x, y)

    def lt(self, x: Any, y: Any) -> Register:
        return self._compare("slt", "olt", x, y)

    def le(self, x: Any, y: Any) -> Register:
        return self._compare("sle", "ole", x, y)

    def gt(self, x: Any, y: Any) -> Register:
        return self._compare("sgt", "ogt", x, y)

    def ge(self, x: Any, y: Any) -> Register:
        return self._compare("sge", "oge", x, y)

    def ult(self, x: Any, y: Any) -> Register:
        return self._compare("ult", "", x, y)

    def select(self, condition: Register, x: Any, y: Any) -> Register:
        x, y = self.pair(x, y)
        name = self.llvm(x.type)
        text = f"select {self.llvm('i1')} {condition.name}, {name} {x.name}, {name} {y.name}"
        return Register(self.emit(text), x.type)

    def _intrinsic(self, name: str, *args: Register, flag: str = "") -> Register:
        scalar = args[0].type
        suffix = f"v{self.width}{scalar}" if self.width else scalar
        full = f"@llvm.{name}.{suffix}"
        kind = self.llvm(scalar)
        extra = ", i1" if flag else ""
        self.declarations[full] = f"declare {kind} {full}({', '.join([kind] * len(args))}{extra})"
        operands = ", ".join(f"{kind} {a.name}" for a in args)
        return Register(self.emit(f"call {kind} {full}({operands}{flag})"), scalar)

    def fma(self, x: Any, y: Any, z: Any) -> Register:
        anchor = next(a for a in (x, y, z) if isinstance(a, Register))
        x, y, z = (self.pair(a, anchor)[0] for a in (x, y, z))
        return self._intrinsic("fma", x, y, z)

    def sqrt(self, x: Register) -> Register:
        return self._intrinsic("sqrt", x)

    def abs(self, x: Register) -> Register:
        if x.type[0] == "f":
            return self._intrinsic("fabs", x)
        return self._intrinsic("abs", x, flag=", i1 false")

    def floor(self, x: Register) -> Register:
        return self._intrinsic("floor", x)

    def ceil(self, x: Register) -> Register:
        return self._intrinsic("ceil", x)

    def trunc(self, x: Register) -> Register:
        return self._intrinsic("trunc", x)

    def rint(self, x: Register) -> Register:
        return self._intrinsic("rint", x)

    def copysign(self, x: Any, y: Any) -> Register:
        return self._intrinsic("copysign", *self.pair(x, y))

    def min(self, x: Any, y: Any) -> Register:
        return self._intrinsic("minimum", *self.pair(x, y))

    def max(self, x: Any, y: Any) -> Register:
        return self._intrinsic("maximum", *self.pair(x, y))

    def rarely(self, condition: Register, y: Register, name: str, x: Register) -> Register:
        """y, or where the condition holds the C library's function of that name of x.

        There is a branch: nothing is computed if the condition holds in no lane.
        """
        if self.width:
            full = f"@llvm.vector.reduce.or.v{self.width}i1"
            self.declarations[full] = f"declare i1 {full}(<{self.width} x i1>)"
            kind = self.llvm("i1")
            some = Register(self.emit(f"call i1 {full}({kind} {condition.name})"), "i1")
        else:
            some = condition
        label = some.name[1:]
        self.line(f"  br label %from_{label}")
        self.line(f"from_{label}:")
        self.line(f"  br i1 {some.name}, label %then_{label}, label %join_{label}")
        self.line(f"then_{label}:")
        wide = x if x.type == "f64" else self.fpext(x, "f64")
        # the library is asked only about the lanes in question
        slow = self._intrinsic(name, self.select(condition, wide, 1.0))
        slow = slow if x.type == "f64" else self.fptrunc(slow, x.type)
        slow = self.select(condition, slow, y)
        self.line(f"  br label %join_{label}")
        self.line(f"join_{label}:")
        text = f"[ {slow.name}, %then_{label} ], [ {y.name}, %from_{label} ]"
        return Register(self.emit(f"phi {self.llvm(y.type)} {text}"), y.type)

    def ctpop(self, x: Register) -> Register:
        return self._intrinsic("ctpop", x)

    def ctlz(self, x: Register) -> Register:
        return self._intrinsic("ctlz", x, flag=", i1 false")

    def _cast(self, op: str, x: Register, type: str) -> Register:
        text = f"{op} {self.llvm(x.type)} {x.name} to {self.llvm(type)}"
        return Register(self.emit(text), type)

    def fptosi(self, x: Register, type: str) -> Register:
        return self._cast("fptosi", x, type)

    def _saturating(self, name: str, x: Register, type: str) -> Register:
        vector = f"v{self.width}" if self.width else ""
        full = f"@llvm.{name}.sat.{vector}{type}.{vector}{x.type}"
        self.declarations[full] = f"declare {self.llvm(type)} {full}({self.llvm(x.type)})"
        text = f"call {self.llvm(type)} {full}({self.llvm(x.type)} {x.name})"
        return Register(self.emit(text), type)

    def fptosi_saturating(self, x: Register, type: str) -> Register:
        return self._saturating("fptosi", x, type)

    def fptoui_saturating(self, x: Register, type: str) -> Register:
        return self._saturating("fptoui", x, type)

    def sitofp(self, x: Register, type: str) -> Register:
        return self._cast("sitofp", x, type)

    def uitofp(self, x: Register, type: str) -> Register:
        return self._cast("uitofp", x, type)

    def fpext(self, x: Register, type: str) -> Register:
        return self._cast("fpext", x, type)

    def fptrunc(self, x: Register, type: str) -> Register:
        return self._cast("fptrunc", x, type)

    def sext(self, x: Register, type: str) -> Register:
        return self._cast("sext", x, type)

    def zext(self, x: Register, type: str) -> Register:
        return self._cast("zext", x, type)

    def itrunc(self, x: Register, type: str) -> Register:
        return self._cast("trunc", x, type)

    def bits(self, x: Register) -> Register:
        return self._cast("bitcast", x, f"i{_BITS[x.type]}")

    def from_bits(self, x: Register) -> Register:
        return self._cast("bitcast", x, f"f{_BITS[x.type]}")


def literal(value: Any, type: str) -> str:
    """The text of a constant in LLVM IR.

    It isn't remembered by value: 0 and -0 are equal, and so are 1, 1.0 and True.
    """
    if type == "i1":
        return "true" if value else "false"
    if type[0] == "i":
        return str(int(value))
    number = float.fromhex(value) if isinstance(value, str) else float(value)
    if type == "f32":
        number = float(np.float32(number))
    if math.isnan(number):
        return "0x7FF8000000000000"
    return f"0x{struct.unpack('<Q', struct.pack('<d', number))[0]:016X}"
