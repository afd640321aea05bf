"""Cases of gather and the scatters for results stored from JAX; needs NumPy only.

A case is data: the operand, the indices and the updates as ndarrays, the dimension numbers as a
tuple in the order of the fields, the windows' sizes, and the name of the mode.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

#: Operand's shape, shape of the indices, dimension numbers (window axes, missing axes, axes of the
#: coordinates, batching axes of both), windows' sizes.
LAYOUTS: tuple[Any, ...] = (
    ((6,), (5, 1), ((), (0,), (0,), (), ()), (1,)),
    ((6,), (1,), ((0,), (), (0,), (), ()), (4,)),
    ((4, 3), (5, 1), ((1,), (0,), (0,), (), ()), (1, 3)),
    ((4, 3), (3, 2), ((), (0, 1), (1, 0), (), ()), (1, 1)),
    ((4, 5), (2, 3, 2), ((0, 2), (), (0, 1), (), ()), (2, 3)),
    ((3, 4), (3, 2, 1), ((), (1,), (1,), (0,), (0,)), (1, 1)),
    ((2, 3, 4), (3, 2, 1), ((1,), (), (2,), (0, 1), (1, 0)), (1, 1, 2)),
)
MODES = ("clip", "fill", "promise_in_bounds")
SCATTERS = ("scatter", "scatter_add", "scatter_mul", "scatter_min", "scatter_max")


@dataclass(frozen=True)
class Case:
    """One call of gather, and of the scatter that goes with it."""

    operand: np.ndarray[Any, Any]
    indices: np.ndarray[Any, Any]
    updates: np.ndarray[Any, Any]
    numbers: tuple[tuple[int, ...], ...]
    sizes: tuple[int, ...]
    mode: str


def cases(dtype: str) -> Iterator[Case]:
    """Every layout in every mode; some indices are out of bounds, but where the mode promises.

    Parameters
    ----------
    dtype : str
        Of operand and updates; values are multiples of 1/4, so that sums are exact and ties occur.
    """
    rng = np.random.default_rng(2024)
    for shape, indices_shape, numbers, sizes in LAYOUTS:
        for mode in MODES:
            limits = np.array([shape[axis] - sizes[axis] for axis in numbers[2]])
            margin = 0 if mode == "promise_in_bounds" else 2
            indices = rng.integers(-margin, limits + 1 + margin, indices_shape).astype(np.int32)
            inside = [n for axis, n in enumerate(sizes) if axis not in numbers[1] + numbers[3]]
            window, around = iter(inside), iter(indices_shape[:-1])
            rank = len(inside) + len(indices_shape) - 1
            updates = [next(window) if k in numbers[0] else next(around) for k in range(rank)]
            yield Case(
                _numbers(rng, shape, dtype),
                indices,
                _numbers(rng, updates, dtype),
                numbers,
                sizes,
                mode,
            )


def unique_cases(dtype: str) -> Iterator[Case]:
    """Layouts whose windows do not meet, in increasing order of their places, in every mode.

    Parameters
    ----------
    dtype : str
        Of operand and updates; values are multiples of 1/4 and no zeros.
    """
    rng = np.random.default_rng(2025)
    layouts: tuple[Any, ...] = (
        ((6,), [[0], [2], [3]], ((), (0,), (0,), (), ()), (1,), (3,)),
        ((6,), [[-1], [1], [3], [9]], ((), (0,), (0,), (), ()), (1,), (4,)),
        ((4, 3), [[0], [3]], ((1,), (0,), (0,), (), ()), (1, 3), (2, 3)),
        ((4, 5), [[0, 1], [2, 0]], ((1, 2), (), (0, 1), (), ()), (2, 3), (2, 2, 3)),
        ((2, 4), [[[0], [3]], [[1], [2]]], ((), (1,), (1,), (0,), (0,)), (1, 1), (2, 2)),
    )
    for shape, indices, numbers, sizes, updates in layouts:
        for mode in MODES:
            given = np.array(indices, np.int32)
            if given.min() < 0 and mode == "promise_in_bounds":
                continue
            x, u = (_numbers(rng, s, dtype) for s in (shape, updates))
            x, u = (np.where(v == 0, 1, v).astype(dtype) for v in (x, u))
            yield Case(x, given, u, numbers, sizes, mode)


def _numbers(rng: np.random.Generator, shape: Any, dtype: str) -> np.ndarray[Any, Any]:
    wide = rng.integers(-8, 9, shape)
    return (wide / 4).astype(dtype) if np.dtype(dtype).kind == "f" else wide.astype(dtype)
