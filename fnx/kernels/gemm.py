"""The planner of matrix products: C[b] = A[b] @ B[b] for any strides of A and B.

In come A (batch, M, K) and B (batch, K, N) and a contiguous C (batch, M, N); a batch stride of 0
shares an operand.  Out comes one of four forms, chosen by shape: register blocks on a packed B
(the usual one), register blocks on B as it lies (few rows), dot products (both contiguous along
K, one of them thin), and a generic loop for the remaining dtypes.  float16 and bfloat16 are
widened to float32, multiplied, and rounded once.  Read next: source/gemm.py, contraction.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from fnx.kernels.blocking import blocking
from fnx.kernels.calls import KernelCall, KernelPlan, Operand, Workspace, grain
from fnx.kernels.copying import copy_call
from fnx.kernels.plan_runner import Reference, Word, buffer, pool_block

__all__ = ["Matrix", "multiply_calls", "plan"]

_HALVES = ("float16", "bfloat16")
_TILE_HEIGHT = 120  # rows of A packed at once: with DEPTH columns they fit the second-level cache
_THIN = 64  # up to so many rows or columns dot products need no packing and lose nothing


class Matrix:
    """A batch of matrices: where it is, and its strides in elements."""

    __slots__ = ("batch", "column", "place", "row")

    def __init__(self, place: Word, batch: int, row: int, column: int) -> None:
        self.place, self.batch, self.row, self.column = place, batch, row, column

    def transposed(self) -> Matrix:
        """The same memory, rows and columns exchanged."""
        return Matrix(self.place, self.batch, self.column, self.row)


def plan(
    operands: Sequence[Operand], results: Sequence[Operand], params: Mapping[str, Any]
) -> KernelPlan:
    """Plan ``C = A @ B`` of operands (batch, M, K) and (batch, K, N)."""
    a, b = operands
    batch, height, depth = a.shape
    width = b.shape[2]
    space = Workspace()
    calls = multiply_calls(
        a.dtype.name,
        Matrix(buffer(0), *_strides(a)),
        Matrix(buffer(1), *_strides(b)),
        Matrix(buffer(2), *_strides(results[0])),
        (batch, height, width, depth),
        space,
    )
    return KernelPlan(tuple(calls), space.size)


def multiply_calls(
    dtype: str,
    a: Matrix,
    b: Matrix,
    c: Matrix,
    extents: tuple[int, int, int, int],
    space: Workspace,
) -> list[KernelCall]:
    """The calls of a product of (batch, M, N, K) extents; C is written with unit column stride.

    Raises
    ------
    ValueError
        If C's columns are not contiguous.
    """
    batch, height, width, depth = extents
    if batch == 0 or height == 0 or width == 0:
        return []
    if width == 1 and height > 1 and c.row == 1:  # a column is a row of the transposed product
        a, b, c = b.transposed(), a.transposed(), Matrix(c.place, c.batch, height, 1)
        height, width = width, height
    if width > 1 and c.column != 1:
        raise ValueError("gemm: the result's columns must be contiguous.")
    if dtype in _HALVES:
        return _half(dtype, a, b, c, (batch, height, width, depth), space)
    extents = (batch, height, width, depth)
    if dtype not in ("float32", "float64") or depth == 0:
        return [_generic(dtype, a, b, c, extents)]
    along_depth = (a.column == 1 or depth == 1) and (b.row == 1 or depth == 1)
    if along_depth and depth > 1 and (height <= _THIN or width <= _THIN // 4):
        return [_dots(dtype, a, b, c, extents)]
    if height < 8 and (b.column == 1 or width == 1):
        return [_rows(dtype, a, b, c, extents)]
    return _packed(dtype, a, b, c, extents, space)


def _packed(
    dtype: str,
    a: Matrix,
    b: Matrix,
    c: Matrix,
    extents: tuple[int, int, int, int],
    space: Workspace,
) -> list[KernelCall]:
    batch, height, width, depth = extents
    block = blocking(dtype)
    panels = -(-width // block.columns)
    shared = b.batch == 0
    copies = 1 if shared else batch
    packed_size = panels * block.columns * depth
    packed = space.take(copies * packed_size, np.dtype(dtype).itemsize)
    pack = KernelCall(
        f"gemm:{dtype}/pack",
        (b.place, b.batch, b.row, b.column, depth, width, panels, packed),
        copies * panels,
        grain(copies * panels, 0.5 * depth * block.columns),
    )
    tile_height, tile_width = _tiles(batch, height, width, block.rows, block.columns)
    units = batch * -(-height // tile_height) * -(-width // tile_width)
    work = tile_height * tile_width * depth / 32
    words: tuple[Word, ...] = (
        a.place, a.batch, a.row, a.column, packed, 0 if shared else packed_size,
        c.place, c.batch, c.row, height, width, depth, tile_height, tile_width, pool_block(),
    )  # fmt: skip
    multiply = KernelCall(f"gemm:{dtype}/multiply", words, units, grain(units, work))
    return [pack, multiply]


def _tiles(batch: int, height: int, width: int, rows: int, columns: int) -> tuple[int, int]:
    """Tiles of C: wide ones repack A less, but some 16 of them keep the threads busy."""
    tile_height = min(-(-height // rows) * rows, _TILE_HEIGHT // rows * rows)
    down = batch * -(-height // tile_height)
    across = max(1, min(-(-16 // down), width // (8 * columns)))
    share = -(-width // across)
    tile_width = -(-share // columns) * columns
    return tile_height, tile_width


def _rows(
    dtype: str, a: Matrix, b: Matrix, c: Matrix, extents: tuple[int, int, int, int]
) -> KernelCall:
    batch, height, width, depth = extents
    tile_width = 1024
    units = batch * -(-width // tile_width)
    words: tuple[Word, ...] = (
        a.place, a.batch, a.row, a.column, b.place, b.batch, b.row,
        c.place, c.batch, c.row, height, width, depth, tile_width,
    )  # fmt: skip
    work = height * min(width, tile_width) * depth / 8
    return KernelCall(f"gemm:{dtype}/multiply_rows", words, units, grain(units, work))


def _dots(
    dtype: str, a: Matrix, b: Matrix, c: Matrix, extents: tuple[int, int, int, int]
) -> KernelCall:
    batch, height, width, depth = extents
    c_row, c_column = c.row, c.column
    if height > width:  # walk over the longer side in tiles, keep the shorter one in cache
        a, b = b.transposed(), a.transposed()
        height, width, c_row, c_column = width, height, c_column, c_row
    tile_width = 16
    units = batch * -(-width // tile_width)
    words: tuple[Word, ...] = (
        a.place, a.batch, a.row, b.place, b.batch, b.column,
        c.place, c.batch, c_row, c_column, height, width, depth, tile_width,
    )  # fmt: skip
    work = height * tile_width * depth / 16
    return KernelCall(f"gemm:{dtype}/multiply_dots", words, units, grain(units, work))


def _generic(
    dtype: str, a: Matrix, b: Matrix, c: Matrix, extents: tuple[int, int, int, int]
) -> KernelCall:
    batch, height, width, depth = extents
    words: tuple[Word, ...] = (
        a.place, a.batch, a.row, a.column, b.place, b.batch, b.row, b.column,
        c.place, c.batch, c.row, height, width, depth,
    )  # fmt: skip
    units = batch * height
    chunk = grain(units, width * max(1, depth))
    return KernelCall(f"generic_gemm:{dtype}/multiply", words, units, chunk)


def _half(
    dtype: str,
    a: Matrix,
    b: Matrix,
    c: Matrix,
    extents: tuple[int, int, int, int],
    space: Workspace,
) -> list[KernelCall]:
    """Widen both operands, multiply in float32, round the result once."""
    batch, height, width, depth = extents
    wide_a, call_a = _widened(dtype, a, (batch, height, depth), space)
    wide_b, call_b = _widened(dtype, b, (batch, depth, width), space)
    place = space.take(batch * height * width, 4)
    product = Matrix(place, height * width, width, 1)
    inner = multiply_calls("float32", wide_a, wide_b, product, extents, space)
    rounding = copy_call(
        place, "float32", (height * width, width, 1),
        c.place, dtype, (c.batch, c.row, c.column), (batch, height, width),
    )  # fmt: skip
    return [call_a, call_b, *inner, rounding]


def _widened(
    dtype: str, matrix: Matrix, shape: tuple[int, int, int], space: Workspace
) -> tuple[Matrix, KernelCall]:
    batch, height, width = shape
    copies = 1 if matrix.batch == 0 else batch
    place: Reference = space.take(copies * height * width, 4)
    call = copy_call(
        matrix.place, dtype, (matrix.batch, matrix.row, matrix.column),
        place, "float32", (height * width, width, 1), (copies, height, width),
    )  # fmt: skip
    return Matrix(place, 0 if matrix.batch == 0 else height * width, width, 1), call


def _strides(operand: Operand) -> tuple[int, int, int]:
    """Batch, row and column stride; 0 for a batch of one, so that it can be shared."""
    batch, row, column = operand.strides
    return (0 if operand.shape[0] == 1 else batch, row, column)
