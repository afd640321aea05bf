"""The matrices of Winograd's minimal filtering algorithm F(m, 3), by Cook and Toom's construction.

For m outputs of a 3-tap correlation, ``y = A^t [(G g) * (B^t d)]``: the transformed filter and
the transformed tile of m + 2 inputs are multiplied element by element.  F(4, 3) here uses the
points 0, +-5/8, +-3/2 and infinity: a third of the rounding error of the usual 0, +-1, +-2, at the
same cost.  Source: A. Lavin, S. Gray, "Fast Algorithms for Convolutional Neural Networks", 2015.
"""

from __future__ import annotations

import math

__all__ = ["POINTS", "transforms", "transposed"]

Matrix = list[list[float]]

POINTS: dict[int, tuple[float, ...]] = {
    2: (0.0, 1.0, -1.0),
    4: (0.0, 5 / 8, -5 / 8, 3 / 2, -3 / 2),
}
"""The finite interpolation points for each size of output tile."""


def transforms(size: int) -> tuple[Matrix, Matrix, Matrix]:
    """``(A^t, G, B^t)`` of F(size, 3); the rows of B^t are monic polynomials."""
    points = POINTS[size]
    output = [[*(p**k for p in points), 1.0 if k == size - 1 else 0.0] for k in range(size)]
    filters = [
        [p**k / math.prod(p - q for q in points if q != p) for k in range(3)] for p in points
    ]
    filters.append([0.0, 0.0, 1.0])
    inputs = [[*_polynomial([q for q in points if q != p]), 0.0] for p in points]
    inputs.append(_polynomial(list(points)))
    return output, filters, inputs


def transposed(matrix: Matrix) -> Matrix:
    """Rows and columns exchanged."""
    return [list(column) for column in zip(*matrix, strict=True)]


def _polynomial(roots: list[float]) -> list[float]:
    """Coefficients of the monic polynomial with these roots, the constant one first."""
    coefficients = [1.0]
    for root in roots:
        shifted = [0.0, *coefficients]
        scaled = [*(-root * c for c in coefficients), 0.0]
        coefficients = [a + b for a, b in zip(shifted, scaled, strict=True)]
    return coefficients
