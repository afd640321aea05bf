"""Cases of reductions, contractions, convolutions and windows whose results JAX has computed.

`values` makes the operands, the same with any library; the lists give shapes and parameters.
make_jax_contractions.py computes the results, test_against_stored_jax.py compares with them.
"""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["CONVOLUTIONS", "DOTS", "WINDOWS", "values"]


def values(shape: tuple[int, ...], seed: int) -> np.ndarray[Any, Any]:
    """Numbers in (-1, 1) in no apparent order, all different.

    Parameters
    ----------
    shape : tuple of int
        The extents.
    seed : int
        Another seed, other numbers.
    """
    count = int(np.prod(shape, dtype=np.int64))
    return np.sin(np.arange(1, count + 1) * 12.9898 + seed * 78.233).reshape(shape)


#: (left shape, right shape, dimension numbers)
DOTS: list[tuple[tuple[int, ...], tuple[int, ...], Any]] = [
    ((2, 3), (3, 4), (((1,), (0,)), ((), ()))),
    ((2, 3, 5), (4, 5, 3), (((1,), (2,)), ((2,), (1,)))),
    ((2, 3, 4, 5), (5, 2, 6, 4), (((3, 2), (0, 3)), ((0,), (1,)))),
    ((3, 2), (2, 3), (((), ()), ((0, 1), (1, 0)))),
    ((3, 4, 2), (5, 3), (((0,), (1,)), ((), ()))),
]

#: (left shape, right shape, keyword arguments of conv_general_dilated)
CONVOLUTIONS: list[tuple[tuple[int, ...], tuple[int, ...], dict[str, Any]]] = [
    ((2, 3, 7), (4, 3, 3), {"window_strides": (2,), "padding": "SAME"}),
    ((2, 3, 8), (4, 3, 4), {"window_strides": (3,), "padding": "SAME_LOWER"}),
    ((1, 2, 6), (2, 2, 3), {"window_strides": (1,), "padding": ((-1, 2),), "rhs_dilation": (2,)}),
    ((1, 2, 4), (2, 2, 3), {"window_strides": (2,), "padding": ((2, 1),), "lhs_dilation": (3,)}),
    (
        (2, 5, 4, 3),
        (3, 2, 3, 4),
        {
            "window_strides": (1, 2),
            "padding": ((1, 1), (0, 1)),
            "dimension_numbers": ("NHWC", "HWIO", "NHWC"),
        },
    ),
    (
        (2, 4, 5, 3),
        (2, 3, 2, 2),
        {
            "window_strides": (1, 1),
            "padding": "VALID",
            "dimension_numbers": ("CWHN", "WOHI", "HNWC"),
        },
    ),
    (
        (2, 4, 5, 4),
        (6, 2, 3, 2),
        {"window_strides": (1, 2), "padding": "SAME", "feature_group_count": 2},
    ),
    (
        (4, 2, 5, 4),
        (6, 2, 2, 3),
        {"window_strides": (2, 1), "padding": ((1, 0), (1, 1)), "batch_group_count": 2},
    ),
    ((1, 2, 3, 4, 3), (2, 2, 2, 2, 2), {"window_strides": (1, 2, 1), "padding": "SAME"}),
    ((3, 4), (2, 4), {"window_strides": (), "padding": ()}),
]

#: (shape, window, strides, padding, base dilation, window dilation)
WINDOWS: list[tuple[tuple[int, ...], ...]] = [
    ((9,), (3,), (2,), ((0, 0),), (1,), (1,)),
    ((9,), (3,), (2,), ((1, 2),), (1,), (2,)),
    ((5,), (3,), (1,), ((1, 0),), (2,), (1,)),
    ((6,), (2,), (2,), ((-1, 1),), (1,), (1,)),
    ((2, 6, 6), (1, 3, 2), (1, 2, 2), ((0, 0), (1, 1), (0, 0)), (1, 1, 1), (1, 1, 1)),
    ((3, 3), (2, 2), (1, 1), ((0, 3), (0, 0)), (1, 1), (1, 1)),
]  # type: ignore[assignment]
