"""The random numbers that transforms draw, from the facade's default generator.

In: ranges. Out: Python numbers, the ones that PyTorch's `torch.rand(1)`,
`torch.empty(1).uniform_(a, b)`, `torch.randint(0, n, (1,))` and `torch.randperm(n)` give from the
same state, so that a seed crops and flips the same pictures in the same way.

Read next: `fnx_nn.random_fill`.
"""

from __future__ import annotations

import numpy as np

from fnx_nn.generator import default_generator
from fnx_nn.random_choice import permutation
from fnx_nn.random_fill import random_, uniform_

__all__ = ["draw_integer", "draw_permutation", "draw_uniform"]


def draw_uniform(low: float = 0.0, high: float = 1.0) -> float:
    """Return a float32 number in [low, high)."""
    drawn = np.empty(1, dtype=np.float32)
    uniform_(drawn, default_generator, low, high)
    return float(drawn[0])


def draw_integer(end: int) -> int:
    """Return an integer in [0, end)."""
    drawn = np.empty(1, dtype=np.int64)
    random_(drawn, default_generator, 0, end)
    return int(drawn[0])


def draw_permutation(n: int) -> list[int]:
    """Return a permutation of 0, ..., n - 1."""
    return [int(index) for index in permutation(default_generator, n)]
