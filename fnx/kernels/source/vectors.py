"""Vector code that LLVM's own vectorisers do not find: register blocks, transposition, dots.

Each ``make_...`` returns a Numba intrinsic on byte addresses and strides in elements, which emits
straight-line code on ``lanes`` elements at once.  The register kernel is what matrix products
and convolutions spend their time in.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from fnx.kernels.source.intrinsics import I32, I64, LLVM_TYPES, declared, pointer

__all__ = [
    "Lanes",
    "make_dot_kernel",
    "make_register_kernel",
    "make_run_copy",
    "make_transpose",
]

Intrinsic = Callable[..., Any]


class Lanes:
    """Emits instructions on vectors of one dtype and width."""

    def __init__(self, builder: ir.IRBuilder, dtype: str, lanes: int) -> None:
        self.builder = builder
        self.scalar = LLVM_TYPES[dtype]
        self.lanes = lanes
        self.type = ir.VectorType(self.scalar, lanes)
        self._bytes = 4 if dtype == "float32" else 8
        suffix = f"v{lanes}f{8 * self._bytes}"
        self._fma = declared(builder, f"llvm.fma.{suffix}", self.type, [self.type] * 3)
        self._suffix = suffix

    def load(self, address: ir.Value, index: ir.Value) -> ir.Value:
        """The vector that begins at an element."""
        place = pointer(self.builder, address, index, self.scalar)
        return self.builder.load(place, typ=self.type, align=self._bytes)

    def load_first(self, address: ir.Value, index: ir.Value, count: ir.Value) -> ir.Value:
        """The first ``count`` elements of that vector and zeros; no others are touched."""
        builder, truth = self.builder, ir.IntType(1)
        numbers = ir.VectorType(I64, self.lanes)
        undefined = ir.Constant(numbers, ir.Undefined)
        first = builder.insert_element(undefined, count, I32(0))
        zeros = ir.Constant(ir.VectorType(I32, self.lanes), [I32(0)] * self.lanes)
        counts = builder.shuffle_vector(first, undefined, zeros)
        steps = ir.Constant(numbers, [I64(k) for k in range(self.lanes)])
        mask = builder.icmp_signed("<", steps, counts)
        arguments = [ir.PointerType(), I32, ir.VectorType(truth, self.lanes), self.type]
        function = declared(builder, f"llvm.masked.load.{self._suffix}.p0", self.type, arguments)
        place = pointer(builder, address, index, self.scalar)
        return builder.call(function, [place, I32(self._bytes), mask, self.constant(0.0)])

    def store(self, value: ir.Value, address: ir.Value, index: ir.Value) -> None:
        """Put a vector where an element begins."""
        place = pointer(self.builder, address, index, self.scalar)
        self.builder.store(value, place, align=self._bytes)

    def load_splat(self, address: ir.Value, index: ir.Value) -> ir.Value:
        """One element in all lanes."""
        place = pointer(self.builder, address, index, self.scalar)
        return self.splat(self.builder.load(place, typ=self.scalar, align=self._bytes))

    def splat(self, value: ir.Value) -> ir.Value:
        """A scalar in all lanes."""
        undefined = ir.Constant(self.type, ir.Undefined)
        first = self.builder.insert_element(undefined, value, I32(0))
        zeros = ir.Constant(ir.VectorType(I32, self.lanes), [I32(0)] * self.lanes)
        return self.builder.shuffle_vector(first, undefined, zeros)

    def constant(self, number: float) -> ir.Value:
        """A number in all lanes."""
        return ir.Constant(self.type, [ir.Constant(self.scalar, number)] * self.lanes)

    def fma(self, x: ir.Value, y: ir.Value, z: ir.Value) -> ir.Value:
        """``x * y + z`` with one rounding."""
        return self.builder.call(self._fma, [x, y, z])

    def total(self, value: ir.Value) -> ir.Value:
        """The sum of the lanes, as a tree of halves."""
        width = self.lanes
        while width > 1:
            width //= 2
            mask = [*range(width, 2 * width), *[0] * (self.lanes - width)]
            constant = ir.Constant(ir.VectorType(I32, self.lanes), [I32(k) for k in mask])
            undefined = ir.Constant(self.type, ir.Undefined)
            upper = self.builder.shuffle_vector(value, undefined, constant)
            value = self.builder.fadd(value, upper)
        return self.builder.extract_element(value, I32(0))


def make_register_kernel(
    dtype: str,
    rows: int,
    vectors: int,
    lanes: int,
    *,
    packed: bool = False,
    grouped: bool = False,
) -> Intrinsic:
    """``kernel(a, a_row, a_depth, b, b_depth, c, c_row, depth, accumulate)``.

    ``C[i, :] (+)= sum_k A[i, k] * B[k, :]`` for ``rows`` rows and ``vectors * lanes`` columns,
    one fused multiply-add per product, k ascending.  A's element is at
    ``a + i * a_row + k * a_depth``; with ``packed`` at ``a + k * rows + i``; with ``grouped`` at
    ``a + k // lanes * a_depth + i * lanes + k % lanes``.  Strides that are known here leave one
    address to keep in a register instead of one for each row.
    """

    @intrinsic
    def kernel(context, a, a_row, a_depth, b, b_depth, c, c_row, depth, accumulate):
        def generate(context, builder, signature, arguments):
            a, a_row, a_depth, b, b_depth, c, c_row, depth, accumulate = arguments
            if packed:
                a_row, a_depth = I64(1), I64(rows)
            elif grouped:
                a_row = I64(lanes)
            block = _RegisterBlock(Lanes(builder, dtype, lanes), rows, vectors)
            block.multiply(a, a_row, a_depth, b, b_depth, depth, grouped)
            block.write(c, c_row, accumulate)
            return context.get_dummy_value()

        return types.void(*[types.intp] * 9), generate

    return kernel


class _RegisterBlock:
    def __init__(self, emit: Lanes, rows: int, vectors: int) -> None:
        self.emit, self.rows, self.vectors = emit, rows, vectors
        self.sums: list[list[ir.Value]] = []

    def multiply(
        self,
        a: ir.Value,
        a_row: ir.Value,
        a_depth: ir.Value,
        b: ir.Value,
        b_depth: ir.Value,
        depth: ir.Value,
        grouped: bool,
    ) -> None:
        emit, builder = self.emit, self.emit.builder
        row_starts = [builder.mul(a_row, I64(i)) for i in range(self.rows)]
        before = builder.block
        loop = builder.append_basic_block("depth")
        done = builder.append_basic_block("depth.done")
        builder.branch(loop)
        builder.position_at_end(loop)
        k, a_at, b_at = (builder.phi(I64) for _ in range(3))
        sums = [[builder.phi(emit.type) for _ in range(self.vectors)] for _ in range(self.rows)]
        columns = [
            emit.load(b, builder.add(b_at, I64(j * emit.lanes))) for j in range(self.vectors)
        ]
        self.sums = []
        for i in range(self.rows):
            element = emit.load_splat(a, builder.add(row_starts[i], a_at))
            self.sums.append(
                [emit.fma(element, columns[j], sums[i][j]) for j in range(self.vectors)]
            )
        following = builder.add(k, I64(1))
        if grouped:
            within = builder.and_(following, I64(emit.lanes - 1))
            jump = builder.sub(a_depth, I64(emit.lanes - 1))
            ends = builder.icmp_signed("==", within, I64(0))
            a_depth = builder.select(ends, jump, I64(1))
        advanced = (following, builder.add(a_at, a_depth), builder.add(b_at, b_depth))
        for variable, value in zip((k, a_at, b_at), advanced, strict=True):
            variable.add_incoming(I64(0), before)
            variable.add_incoming(value, loop)
        for i in range(self.rows):
            for j in range(self.vectors):
                sums[i][j].add_incoming(emit.constant(0.0), before)
                sums[i][j].add_incoming(self.sums[i][j], loop)
        builder.cbranch(builder.icmp_signed("<", advanced[0], depth), loop, done)
        builder.position_at_end(done)

    def write(self, c: ir.Value, c_row: ir.Value, accumulate: ir.Value) -> None:
        emit, builder = self.emit, self.emit.builder
        with builder.if_else(builder.icmp_signed("!=", accumulate, I64(0))) as (yes, no):
            for branch, adds in ((yes, True), (no, False)):
                with branch:
                    for i in range(self.rows):
                        for j in range(self.vectors):
                            place = builder.add(builder.mul(c_row, I64(i)), I64(j * emit.lanes))
                            value = self.sums[i][j]
                            if adds:
                                value = builder.fadd(emit.load(c, place), value)
                            emit.store(value, c, place)


def make_dot_kernel(dtype: str, rows: int, columns: int, lanes: int) -> Intrinsic:
    """``kernel(a, a_row, b, b_column, c, c_row, c_column, depth)``: products of long vectors.

    ``C[i, j] = sum_k A[i, k] * B[j, k]`` with both contiguous along k: lanes take every
    ``lanes``-th product, are summed as a tree, and the last ``depth % lanes`` products are added
    one after the other.
    """

    @intrinsic
    def kernel(context, a, a_row, b, b_column, c, c_row, c_column, depth):
        def generate(context, builder, signature, arguments):
            a, a_row, b, b_column, c, c_row, c_column, depth = arguments
            emit = Lanes(builder, dtype, lanes)
            a_starts = [builder.mul(a_row, I64(i)) for i in range(rows)]
            b_starts = [builder.mul(b_column, I64(j)) for j in range(columns)]
            whole = builder.sub(depth, builder.srem(depth, I64(lanes)))
            zero = emit.constant(0.0)
            wide = _dot_loop(
                builder, I64(0), whole, lanes, [zero] * (rows * columns), emit,
                lambda k, e: (
                    [e.load(a, builder.add(start, k)) for start in a_starts],
                    [e.load(b, builder.add(start, k)) for start in b_starts],
                ),
            )  # fmt: skip
            single = _Scalars(builder, dtype)
            sums = _dot_loop(
                builder, whole, depth, 1, [emit.total(value) for value in wide], single,
                lambda k, e: (
                    [e.load(a, builder.add(start, k)) for start in a_starts],
                    [e.load(b, builder.add(start, k)) for start in b_starts],
                ),
            )  # fmt: skip
            for i in range(rows):
                for j in range(columns):
                    place = builder.add(builder.mul(c_row, I64(i)), builder.mul(c_column, I64(j)))
                    builder.store(sums[i * columns + j], pointer(builder, c, place, emit.scalar))
            return context.get_dummy_value()

        return types.void(*[types.intp] * 8), generate

    return kernel


class _Scalars:
    """What Lanes does, on single elements."""

    def __init__(self, builder: ir.IRBuilder, dtype: str) -> None:
        self.builder = builder
        self.type = LLVM_TYPES[dtype]
        name = "llvm.fma.f32" if dtype == "float32" else "llvm.fma.f64"
        self._fma = declared(builder, name, self.type, [self.type] * 3)

    def load(self, address: ir.Value, index: ir.Value) -> ir.Value:
        """The element at an index."""
        return self.builder.load(pointer(self.builder, address, index, self.type), typ=self.type)

    def fma(self, x: ir.Value, y: ir.Value, z: ir.Value) -> ir.Value:
        """``x * y + z`` with one rounding."""
        return self.builder.call(self._fma, [x, y, z])


def _dot_loop(
    builder: ir.IRBuilder,
    begin: ir.Value,
    end: ir.Value,
    step: int,
    initial: Sequence[ir.Value],
    emit: Lanes | _Scalars,
    read: Callable[[ir.Value, Any], tuple[list[ir.Value], list[ir.Value]]],
) -> list[ir.Value]:
    """Sums of products over [begin, end) in steps; the loop may run no time at all."""
    before = builder.block
    test = builder.append_basic_block("dot.test")
    body = builder.append_basic_block("dot")
    done = builder.append_basic_block("dot.done")
    builder.branch(test)
    builder.position_at_end(test)
    k = builder.phi(I64)
    sums = [builder.phi(emit.type) for _ in initial]
    builder.cbranch(builder.icmp_signed("<", k, end), body, done)
    builder.position_at_end(body)
    left, right = read(k, emit)
    products = [(x, y) for x in left for y in right]
    updated = [emit.fma(x, y, total) for (x, y), total in zip(products, sums, strict=True)]
    following = builder.add(k, I64(step))
    builder.branch(test)
    k.add_incoming(begin, before)
    k.add_incoming(following, body)
    for total, first, last in zip(sums, initial, updated, strict=True):
        total.add_incoming(first, before)
        total.add_incoming(last, body)
    builder.position_at_end(done)
    return sums


def make_transpose(dtype: str, rows: int, lanes: int) -> Intrinsic:
    """``transpose(source, source_row, destination, destination_row)`` of a small block.

    ``D[k, i] = S[i, k]`` for ``rows`` rows i and ``lanes`` columns k.  Vectors are stored whole,
    so up to ``lanes - 1`` elements beyond the last row of D are written; inside the block the
    order of the stores puts the right ones on top.
    """

    @intrinsic
    def transpose(context, source, source_row, destination, destination_row):
        def generate(context, builder, signature, arguments):
            source, source_row, destination, destination_row = arguments
            emit = Lanes(builder, dtype, lanes)
            undefined = ir.Constant(emit.type, ir.Undefined)
            for first in reversed(range(0, rows, lanes)):
                block = [
                    emit.load(source, builder.mul(source_row, I64(i))) if i < rows else undefined
                    for i in range(first, first + lanes)
                ]
                for k, value in enumerate(_transposed(emit, block)):
                    place = builder.add(builder.mul(destination_row, I64(k)), I64(first))
                    emit.store(value, destination, place)
            return context.get_dummy_value()

        return types.void(*[types.intp] * 4), generate

    return transpose


def _transposed(emit: Lanes, block: Sequence[ir.Value]) -> list[ir.Value]:
    """Transpose a square block in registers: log2(lanes) rounds of interleaving.

    Interleaving the first half of the rows with the second doubles the length of the runs of
    one column; after log2(lanes) rounds every vector is a column.
    """
    lanes, rows = emit.lanes, list(block)
    masks = [
        [k // 2 + (lanes if k % 2 else 0) + half for k in range(lanes)] for half in (0, lanes // 2)
    ]
    constants = [ir.Constant(ir.VectorType(I32, lanes), [I32(k) for k in mask]) for mask in masks]
    for _ in range(lanes.bit_length() - 1):
        mixed = []
        for i in range(lanes // 2):
            for mask in constants:
                pair = (rows[i], rows[i + lanes // 2])
                mixed.append(emit.builder.shuffle_vector(*pair, mask))
        rows = mixed
    return rows


def make_run_copy(dtype: str, lanes: int) -> Intrinsic:
    """``copy(source, destination, count)`` of a short run of elements.

    Reads exactly ``count`` elements, but writes whole vectors: up to ``lanes - 1`` zeros follow
    the run, for which there must be room.
    """

    @intrinsic
    def copy(context, source, destination, count):
        def generate(context, builder, signature, arguments):
            source, destination, count = arguments
            emit = Lanes(builder, dtype, lanes)
            before = builder.block
            loop = builder.append_basic_block("run")
            done = builder.append_basic_block("run.done")
            builder.branch(loop)
            builder.position_at_end(loop)
            at = builder.phi(I64)
            value = emit.load_first(source, at, builder.sub(count, at))
            emit.store(value, destination, at)
            following = builder.add(at, I64(lanes))
            at.add_incoming(I64(0), before)
            at.add_incoming(following, loop)
            builder.cbranch(builder.icmp_signed("<", following, count), loop, done)
            builder.position_at_end(done)
            return context.get_dummy_value()

        return types.void(types.intp, types.intp, types.intp), generate

    return copy
