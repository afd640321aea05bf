"""Raw memory for Numba kernels: words, typed loads and stores, scratch memory, bulk moves.

Addresses are plain integers in bytes, indices count elements.  Read next: vectors.py.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

from fnx.kernels import pool_code

__all__ = [
    "I64",
    "LLVM_TYPES",
    "NUMBA_TYPES",
    "SIGNATURE",
    "acquire",
    "as_float",
    "copy_bytes",
    "declared",
    "element",
    "fma",
    "inner",
    "pointer",
    "release",
    "word",
    "zero_bytes",
]

SIGNATURE = "void(intp, intp, intp)"
"""Of every kernel: words, begin, end."""

I8, I16, I32, I64 = (ir.IntType(bits) for bits in (8, 16, 32, 64))

LLVM_TYPES: dict[str, ir.Type] = {
    "bool": I8,
    "int8": I8,
    "uint8": I8,
    "int16": I16,
    "uint16": I16,
    "int32": I32,
    "uint32": I32,
    "int64": I64,
    "uint64": I64,
    "float32": ir.FloatType(),
    "float64": ir.DoubleType(),
}
NUMBA_TYPES: dict[str, Any] = {name: getattr(types, name) for name in LLVM_TYPES} | {
    "bool": types.uint8
}


def inner(function: Callable[..., Any]) -> Any:
    """Decorator of a function that kernels call: no wrappers, no exceptions.

    It is compiled once for each set of argument types.  Numba by itself takes a constant for a
    type of its own, and would compile a copy for each constant that is passed.
    """
    made = njit(error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True)(function)
    specialise = made.get_call_template

    def by_type(arguments: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
        return specialise(tuple(map(types.unliteral, arguments)), keywords)

    made.get_call_template = by_type
    return made


def pointer(builder: ir.IRBuilder, address: ir.Value, index: ir.Value, type_: ir.Type) -> ir.Value:
    """The place of an element at an address."""
    base = builder.inttoptr(address, ir.PointerType())
    return builder.gep(base, [index], source_etype=type_)


def declared(
    builder: ir.IRBuilder, name: str, result: ir.Type, arguments: list[ir.Type]
) -> ir.Function:
    """A function that LLVM provides."""
    return cgutils.get_or_insert_function(builder.module, ir.FunctionType(result, arguments), name)


def element(dtype: str) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """``(load(address, index), store(address, index, value))`` for a dtype.

    Half types are widened to float32 when loaded and rounded to nearest even when stored.
    """
    if dtype in ("float16", "bfloat16"):
        return _half_element(dtype)
    llvm_type, numba_type = LLVM_TYPES[dtype], NUMBA_TYPES[dtype]

    @intrinsic
    def load(context, address, index):
        def generate(context, builder, signature, arguments):
            return builder.load(
                pointer(builder, arguments[0], arguments[1], llvm_type), typ=llvm_type
            )

        return numba_type(types.intp, types.intp), generate

    @intrinsic
    def store(context, address, index, value):
        def generate(context, builder, signature, arguments):
            address, index, value = arguments
            builder.store(value, pointer(builder, address, index, llvm_type))
            return context.get_dummy_value()

        return types.void(types.intp, types.intp, numba_type), generate

    return load, store


def _half_element(dtype: str) -> tuple[Callable[..., Any], Callable[..., Any]]:
    single = ir.FloatType()

    @intrinsic
    def load(context, address, index):
        def generate(context, builder, signature, arguments):
            place = pointer(builder, arguments[0], arguments[1], I16)
            bits = builder.load(place, typ=I16)
            if dtype == "float16":
                return builder.fpext(builder.bitcast(bits, ir.HalfType()), single)
            wide = builder.shl(builder.zext(bits, I32), I32(16))
            return builder.bitcast(wide, single)

        return types.float32(types.intp, types.intp), generate

    @intrinsic
    def store(context, address, index, value):
        def generate(context, builder, signature, arguments):
            address, index, value = arguments
            place = pointer(builder, address, index, I16)
            if dtype == "float16":
                half = builder.fptrunc(value, ir.HalfType())
                builder.store(builder.bitcast(half, I16), place)
            else:
                builder.store(_round_to_bfloat16(builder, value), place)
            return context.get_dummy_value()

        return types.void(types.intp, types.intp, types.float32), generate

    return load, store


def _round_to_bfloat16(builder: ir.IRBuilder, value: ir.Value) -> ir.Value:
    """The upper half of a float32, rounded to nearest even; a NaN stays one."""
    bits = builder.bitcast(value, I32)
    odd = builder.and_(builder.lshr(bits, I32(16)), I32(1))
    rounded = builder.add(bits, builder.add(odd, I32(0x7FFF)))
    quiet = builder.or_(bits, I32(0x400000))
    chosen = builder.select(builder.fcmp_unordered("uno", value, value), quiet, rounded)
    return builder.trunc(builder.lshr(chosen, I32(16)), I16)


@intrinsic
def word(context, words, index):
    """The integer at a position of a kernel's words."""

    def generate(context, builder, signature, arguments):
        return builder.load(pointer(builder, arguments[0], arguments[1], I64), typ=I64)

    return types.intp(types.intp, types.intp), generate


@intrinsic
def as_float(context, bits):
    """The float64 that a word holds the bits of."""

    def generate(context, builder, signature, arguments):
        return builder.bitcast(arguments[0], ir.DoubleType())

    return types.float64(types.intp), generate


@intrinsic
def fma(context, x, y, z):
    """``x * y + z`` with one rounding."""

    def generate(context, builder, signature, arguments):
        type_ = context.get_value_type(signature.return_type)
        name = "llvm.fma.f32" if signature.return_type == types.float32 else "llvm.fma.f64"
        return builder.call(declared(builder, name, type_, [type_] * 3), arguments)

    return x(x, x, x), generate


@intrinsic
def copy_bytes(context, destination, source, size):
    """Copy bytes between places that do not overlap."""

    def generate(context, builder, signature, arguments):
        opaque, void = ir.PointerType(), ir.VoidType()
        name = "llvm.memcpy.p0.p0.i64"
        function = declared(builder, name, void, [opaque, opaque, I64, ir.IntType(1)])
        places = [builder.inttoptr(address, opaque) for address in arguments[:2]]
        builder.call(function, [*places, arguments[2], ir.IntType(1)(0)])
        return context.get_dummy_value()

    return types.void(types.intp, types.intp, types.intp), generate


@intrinsic
def zero_bytes(context, destination, size):
    """Set bytes to zero."""

    def generate(context, builder, signature, arguments):
        opaque, void = ir.PointerType(), ir.VoidType()
        function = declared(builder, "llvm.memset.p0.i64", void, [opaque, I8, I64, ir.IntType(1)])
        place = builder.inttoptr(arguments[0], opaque)
        builder.call(function, [place, I8(0), arguments[1], ir.IntType(1)(0)])
        return context.get_dummy_value()

    return types.void(types.intp, types.intp), generate


@intrinsic
def _call_words(context, function, first, second):
    def generate(context, builder, signature, arguments):
        type_ = ir.FunctionType(I64, [I64, I64])
        return builder.call(builder.inttoptr(arguments[0], type_.as_pointer()), arguments[1:])

    return types.intp(types.intp, types.intp, types.intp), generate


@inner
def acquire(pool, size):
    """Working memory that no other thread uses, until it is released."""
    return _call_words(word(pool, pool_code.ACQUIRE), pool, size)


@inner
def release(pool, address):
    """Give working memory back."""
    _call_words(word(pool, pool_code.RELEASE), pool, address)
