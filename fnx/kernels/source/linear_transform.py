"""Separable two-dimensional linear transforms of small tiles, ``lanes`` channels at once.

``D = T S T^t`` for a constant matrix T, as straight-line code: products with 0 and 1 vanish, and
rows or columns of T that come in pairs of equal magnitude share their work.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from fnx.kernels.source.intrinsics import I64
from fnx.kernels.source.vectors import Lanes

__all__ = ["make_transform"]

Matrix = Sequence[Sequence[float]]


def make_transform(matrix: Matrix, lanes: int, *, masked: bool = False) -> Callable[..., Any]:
    """``transform(source, row, column, destination, to_row, to_column, rows, columns)``.

    Strides are in float32 elements.  With ``masked``, only the first ``rows`` rows and
    ``columns`` columns of the result are stored (tiles at the edge of an image).
    """
    size_out, size_in = len(matrix), len(matrix[0])

    @intrinsic
    def transform(context, source, row, column, destination, to_row, to_column, rows, columns):
        def generate(context, builder, signature, arguments):
            source, row, column, destination, to_row, to_column, rows, columns = arguments
            emit = Lanes(builder, "float32", lanes)

            def place(first, i, second, j):
                return builder.add(builder.mul(first, I64(i)), builder.mul(second, I64(j)))

            half: list[list[ir.Value]] = []
            for j in range(size_in):
                values = [emit.load(source, place(row, i, column, j)) for i in range(size_in)]
                half.append(_apply(emit, matrix, values))
            for o in range(size_out):
                result = _apply(emit, matrix, [half[j][o] for j in range(size_in)])
                if not masked:
                    for p in range(size_out):
                        emit.store(result[p], destination, place(to_row, o, to_column, p))
                    continue
                with builder.if_then(builder.icmp_signed("<", I64(o), rows), likely=True):
                    for p in range(size_out):
                        inside = builder.icmp_signed("<", I64(p), columns)
                        with builder.if_then(inside, likely=True):
                            emit.store(result[p], destination, place(to_row, o, to_column, p))
            return context.get_dummy_value()

        return types.void(*[types.intp] * 8), generate

    return transform


def _apply(emit: Lanes, matrix: Matrix, values: Sequence[ir.Value]) -> list[ir.Value]:
    """The product of a matrix and a vector of vectors."""
    even_odd = _by_row_pairs(emit, matrix, values)
    if even_odd is not None:
        return even_odd
    return _by_column_pairs(emit, matrix, values)


def _by_row_pairs(emit: Lanes, matrix: Matrix, values: Sequence[ir.Value]) -> list[ir.Value] | None:
    """Rows of the points +p and -p differ by the sign of odd columns: sum even and odd apart."""
    size = len(values)
    if size < 4:
        return None
    results: list[ir.Value | None] = [None] * len(matrix)
    for i in range(len(matrix)):
        for j in range(i + 1, len(matrix)):
            mirrored = all(
                matrix[j][k] == (matrix[i][k] if k % 2 == 0 else -matrix[i][k]) for k in range(size)
            )
            if results[i] is None and results[j] is None and mirrored and any(matrix[i][1::2]):
                even = _combination(emit, matrix[i][0::2], values[0::2])
                odd = _combination(emit, matrix[i][1::2], values[1::2])
                results[i], results[j] = emit.builder.fadd(even, odd), emit.builder.fsub(even, odd)
    if all(result is None for result in results):
        return None
    return [
        _combination(emit, matrix[i], values) if result is None else result
        for i, result in enumerate(results)
    ]


def _by_column_pairs(emit: Lanes, matrix: Matrix, values: Sequence[ir.Value]) -> list[ir.Value]:
    """Columns of equal magnitude: work on the sum and the difference of their values."""
    size, height = len(values), len(matrix)
    pairs: list[tuple[int, int]] = []
    used: set[int] = set()
    for i in range(size):
        for j in range(i + 1, size):
            equal = all(abs(matrix[r][i]) == abs(matrix[r][j]) for r in range(height))
            worthwhile = sum(1 for r in range(height) if matrix[r][i]) >= 2
            if equal and worthwhile and not used & {i, j}:
                pairs.append((i, j))
                used |= {i, j}
    sums = {
        (i, j): (emit.builder.fadd(values[i], values[j]), emit.builder.fsub(values[i], values[j]))
        for i, j in pairs
    }
    results = []
    for r in range(height):
        factors = [matrix[r][i] for i in range(size) if i not in used]
        terms = [values[i] for i in range(size) if i not in used]
        for i, j in pairs:
            factors.append(matrix[r][i])
            terms.append(sums[i, j][0 if matrix[r][i] == matrix[r][j] else 1])
        results.append(_combination(emit, factors, terms))
    return results


def _combination(emit: Lanes, factors: Sequence[float], values: Sequence[ir.Value]) -> ir.Value:
    """The sum of factors times values, those with factor 1 or -1 first."""
    terms = [(f, v) for f, v in zip(factors, values, strict=True) if f != 0]
    terms.sort(key=lambda term: abs(term[0]) != 1)
    total: ir.Value | None = None
    for factor, value in terms:
        if total is None:
            total = value if factor == 1 else emit.builder.fmul(emit.constant(factor), value)
        elif factor == 1:
            total = emit.builder.fadd(total, value)
        elif factor == -1:
            total = emit.builder.fsub(total, value)
        else:
            total = emit.fma(emit.constant(factor), value, total)
    return emit.constant(0.0) if total is None else total
