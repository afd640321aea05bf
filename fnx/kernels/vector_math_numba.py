"""Vector math inside of Numba: the same definitions as bodies of Numba intrinsics.

`BuilderOperations` gives the definitions of `vector_math` llvmlite's IR builder to write with;
`scalar_function` makes an intrinsic (a function callable from `@njit` code) of one of them.
Besides there is what generated text needs to work on raw memory: typed pointers, words of
arguments, and the accumulators of a reduction in lanes. Importing this module imports Numba;
`vector_math` does so when one of its functions is first asked for. Read next: `vector_math`,
`native`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from fnx.kernels.vector_math_operations import Operations

__all__ = ["NUMBA_TYPES", "BuilderOperations", "lanes", "pointer", "scalar_function", "word"]

#: The Numba type of a scalar code; narrow floats are held in float32.
NUMBA_TYPES: dict[str, Any] = {
    "b1": types.boolean,
    "f16": types.float32,
    "bf16": types.float32,
    "f32": types.float32,
    "f64": types.float64,
    **{f"i{n}": getattr(types, f"int{n}") for n in (8, 16, 32, 64)},
    **{f"u{n}": getattr(types, f"uint{n}") for n in (8, 16, 32, 64)},
}
_MEMORY_TYPES: dict[str, Any] = {
    **NUMBA_TYPES,
    "b1": types.uint8,
    "f16": types.uint16,
    "bf16": types.uint16,
}
_LLVM: dict[str, Any] = {"f16": ir.HalfType(), "f32": ir.FloatType(), "f64": ir.DoubleType()}
_FLOATS = {ir.HalfType: "f16", ir.FloatType: "f32", ir.DoubleType: "f64"}


class BuilderOperations(Operations):
    """Writes operations on scalars with an llvmlite builder."""

    # made by `_add_operations` below
    fpext: Callable[..., Any]
    fptrunc: Callable[..., Any]
    ne: Callable[..., Any]
    shl: Callable[..., Any]

    def __init__(self, builder: Any) -> None:
        self.builder = builder

    def type_of(self, x: Any) -> str:
        if isinstance(x.type, ir.IntType):
            return f"i{x.type.width}"
        return _FLOATS[type(x.type)]

    def constant(self, value: Any, type: str) -> Any:
        if type[0] == "i":
            return ir.Constant(ir.IntType(int(type[1:])), int(value))
        number = float.fromhex(value) if isinstance(value, str) else float(value)
        return ir.Constant(_LLVM[type], number)

    def _type(self, type: str) -> Any:
        return _LLVM[type] if type[0] == "f" else ir.IntType(int(type[1:]))

    def _binary(self, integer: str, floating: str, x: Any, y: Any) -> Any:
        x, y = self.pair(x, y)
        return getattr(self.builder, floating if self.type_of(x)[0] == "f" else integer)(x, y)

    def _compare(self, op: str, x: Any, y: Any) -> Any:
        x, y = self.pair(x, y)
        if self.type_of(x)[0] == "f":
            if op == "!=":
                return self.builder.fcmp_unordered(op, x, y)
            return self.builder.fcmp_ordered(op, x, y)
        return self.builder.icmp_signed(op, x, y)

    def ult(self, x: Any, y: Any) -> Any:
        return self.builder.icmp_unsigned("<", *self.pair(x, y))

    def neg(self, x: Any) -> Any:
        return self.builder.fneg(x) if self.type_of(x)[0] == "f" else self.builder.neg(x)

    def not_(self, x: Any) -> Any:
        return self.builder.not_(x)

    def select(self, condition: Any, x: Any, y: Any) -> Any:
        return self.builder.select(condition, *self.pair(x, y))

    def fma(self, x: Any, y: Any, z: Any) -> Any:
        anchor = next(a for a in (x, y, z) if not isinstance(a, (int, float, str)))
        return self._intrinsic("fma", *(self.pair(a, anchor)[0] for a in (x, y, z)))

    def _intrinsic(self, name: str, *args: Any, flag: bool = False) -> Any:
        kind = args[0].type
        extra = [ir.IntType(1)] if flag else []
        function = cgutils.get_or_insert_function(
            self.builder.module,
            ir.FunctionType(kind, [kind] * len(args) + extra),
            f"llvm.{name}.{self.type_of(args[0])}",
        )
        return self.builder.call(function, [*args, *([ir.IntType(1)(0)] if flag else [])])

    def abs(self, x: Any) -> Any:
        if self.type_of(x)[0] == "f":
            return self._intrinsic("fabs", x)
        return self._intrinsic("abs", x, flag=True)

    def ctlz(self, x: Any) -> Any:
        return self._intrinsic("ctlz", x, flag=True)

    def _cast(self, op: str, x: Any, type: str) -> Any:
        return getattr(self.builder, op)(x, self._type(type))

    def itrunc(self, x: Any, type: str) -> Any:
        return self._cast("trunc", x, type)

    def bits(self, x: Any) -> Any:
        return self.builder.bitcast(x, ir.IntType(self.width_of(x)))

    def from_bits(self, x: Any) -> Any:
        return self.builder.bitcast(x, _LLVM[f"f{self.width_of(x)}"])

    def _saturating(self, name: str, x: Any, type: str) -> Any:
        kind = self._type(type)
        function = cgutils.get_or_insert_function(
            self.builder.module,
            ir.FunctionType(kind, [x.type]),
            f"llvm.{name}.sat.{type}.{self.type_of(x)}",
        )
        return self.builder.call(function, [x])

    def fptosi_saturating(self, x: Any, type: str) -> Any:
        return self._saturating("fptosi", x, type)

    def fptoui_saturating(self, x: Any, type: str) -> Any:
        return self._saturating("fptoui", x, type)

    def rarely(self, condition: Any, y: Any, name: str, x: Any) -> Any:
        builder = self.builder
        before = builder.block
        with builder.if_then(condition, likely=False):
            wide = x if self.type_of(x) == "f64" else self.fpext(x, "f64")
            slow = self._intrinsic(name, wide)
            slow = slow if self.type_of(x) == "f64" else self.fptrunc(slow, self.type_of(x))
            inside = builder.block
        result = builder.phi(y.type)
        result.add_incoming(y, before)
        result.add_incoming(slow, inside)
        return result


def _add_operations() -> None:
    """The operations that are one builder method or one intrinsic."""
    pairs = {
        "add": ("add", "fadd"),
        "sub": ("sub", "fsub"),
        "mul": ("mul", "fmul"),
        "div": ("", "fdiv"),
        "frem": ("", "frem"),
        **{n: (n, "") for n in "sdiv udiv srem urem and_ or_ xor shl lshr ashr".split()},
    }
    for name, (integer, floating) in pairs.items():
        setattr(BuilderOperations, name, _binary_method(integer, floating))
    for name, op in {"eq": "==", "ne": "!=", "lt": "<", "le": "<=", "gt": ">", "ge": ">="}.items():
        setattr(BuilderOperations, name, _compare_method(op))
    for name in "sqrt floor ceil trunc rint ctpop copysign".split():
        setattr(BuilderOperations, name, _intrinsic_method(name))
    for name, full in {"min": "minimum", "max": "maximum"}.items():
        setattr(BuilderOperations, name, _intrinsic_method(full))
    for name in "fptosi sitofp uitofp fpext fptrunc sext zext".split():
        setattr(BuilderOperations, name, _cast_method(name))


def _binary_method(integer: str, floating: str) -> Callable[..., Any]:
    return lambda self, x, y: self._binary(integer, floating, x, y)


def _compare_method(op: str) -> Callable[..., Any]:
    return lambda self, x, y: self._compare(op, x, y)


def _intrinsic_method(name: str) -> Callable[..., Any]:
    def method(self: BuilderOperations, *operands: Any) -> Any:
        anchor = next(x for x in operands if not isinstance(x, (int, float, str)))
        return self._intrinsic(name, *(self.pair(x, anchor)[0] for x in operands))

    return method


def _cast_method(name: str) -> Callable[..., Any]:
    return lambda self, x, type: self._cast(name, x, type)


_add_operations()


def scalar_function(
    define: Callable[..., Any], op: str, code: str, codes: tuple[str, ...], attr: Any
) -> Any:
    """An intrinsic that computes an operation of the loop language.

    Parameters
    ----------
    define : callable
        `vector_math.define`.
    op, code, codes, attr
        What it takes.
    """
    operands = tuple(NUMBA_TYPES[c] for c in codes)

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return define(BuilderOperations(builder), op, code, codes, args, attr)

    def typed(*given: Any) -> Any:
        return NUMBA_TYPES[code](*operands), generate

    # Numba reads the number of parameters from the function itself
    by_count = {
        1: lambda typing, x: typed(x),
        2: lambda typing, x, y: typed(x, y),
        3: lambda typing, x, y, z: typed(x, y, z),
        4: lambda typing, x, y, z, w: typed(x, y, z, w),
    }
    return intrinsic(by_count[len(codes)])


def pointer(code: str) -> Any:
    """An intrinsic: (address of words, k) -> typed pointer that word k is."""
    result = types.CPointer(_MEMORY_TYPES[code])

    @intrinsic
    def pointer_word(typing: Any, words: Any, k: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            value = _loaded_word(builder, args)
            return builder.inttoptr(value, context.get_value_type(result))

        return result(types.intp, types.intp), generate

    return pointer_word


def word(code: str) -> Any:
    """An intrinsic: (address of words, k) -> the number of a type that word k holds."""
    result = NUMBA_TYPES[code]

    @intrinsic
    def number_word(typing: Any, words: Any, k: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            o = BuilderOperations(builder)
            value = _loaded_word(builder, args)
            if code == "f64":
                return o.from_bits(value)
            if code == "f32":
                return o.from_bits(o.itrunc(value, "i32"))
            if code == "b1":
                return o.ne(value, 0)
            if code == "f16":
                return o.fpext(o.from_bits(o.itrunc(value, "i16")), "f32")
            if code == "bf16":
                return o.from_bits(o.shl(o.itrunc(value, "i32"), 16))
            width = f"i{code[1:]}"
            return value if width == "i64" else o.itrunc(value, width)

        return result(types.intp, types.intp), generate

    return number_word


def _loaded_word(builder: Any, args: Any) -> Any:
    address = builder.add(args[0], builder.mul(args[1], ir.IntType(64)(8)))
    return builder.load(builder.inttoptr(address, ir.IntType(64).as_pointer()))


@intrinsic(prefer_literal=True)
def lanes(typing: Any, count: Any, init: Any) -> Any:
    """lanes(count, init): as many accumulators, in the frame of the function; count is literal.

    Accumulators of truth values are uint8.
    """
    if not isinstance(count, types.IntegerLiteral):
        return None
    kind = types.unliteral(init)
    kind = types.uint8 if kind == types.boolean else kind
    result = types.CPointer(kind)

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        number = ir.IntType(64)(count.literal_value)
        data = context.get_data_type(kind)
        place = cgutils.alloca_once(builder, data, size=number)
        model = context.data_model_manager[kind]
        with cgutils.for_range(builder, number) as loop:
            value = model.as_data(builder, args[1])
            builder.store(value, cgutils.gep_inbounds(builder, place, loop.index))
        return place

    return result(count, kind), generate
