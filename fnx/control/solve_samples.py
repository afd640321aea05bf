"""Cases of the primitive that solves linear equations, for the law tests.

The systems are small and triangular, so that their solvers are written in two lines. Read next:
`samplers`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from fnx.core.jaxpr import Jaxpr
from fnx.core.primitive import Sample
from fnx.core.types import ShapedArray
from fnx.primitives.arithmetic import add, div, mul, sub
from fnx.primitives.comparison import gt
from fnx.primitives.samplers import arrays
from fnx.transforms.jvp import stage_closed

__all__ = ["linear_solve_samples"]


def _matvec(a: Any, c: Any, x: Any, y: Any) -> list[Any]:
    return [add(mul(a, x), mul(c, y)), mul(a, y)]


def _solve(a: Any, c: Any, u: Any, v: Any) -> list[Any]:
    y = div(v, a)
    return [div(sub(u, mul(c, y)), a), y]


def _transpose_solve(a: Any, c: Any, u: Any, v: Any) -> list[Any]:
    x = div(u, a)
    return [x, div(sub(v, mul(c, x)), a)]


def _with_aux(solve: Callable[..., list[Any]]) -> Callable[..., list[Any]]:
    """A solver that also says where its first result is the larger one."""

    def with_aux(*args: Any) -> list[Any]:
        x, y = solve(*args)
        return [x, y, gt(x, y)]

    return with_aux


def _diagonal(a: Any, x: Any) -> list[Any]:
    return [mul(a, x)]


def _quotient(a: Any, b: Any) -> list[Any]:
    return [div(b, a)]


def _program(function: Callable[..., Any], *operands: Any) -> Jaxpr:
    avals = [ShapedArray(np.shape(a), np.asarray(a).dtype) for a in operands]
    return stage_closed(function, avals, "sampled")


def linear_solve_samples(rng: np.random.Generator) -> Iterator[Sample]:
    """Cases of `custom_linear_solve`: one unknown and two, a symmetric map, further results."""

    def case(args: Any, functions: Any, consts: int, symmetric: bool, linear: Any) -> Sample:
        programs = [_program(f, *args) for f in functions]
        names = ("matvec", "solve", "transpose_solve")
        params = {**dict(zip(names, programs, strict=True)), "symmetric": symmetric}
        return Sample(args, {**params, "num_consts": consts}, linear=linear)

    for dtype in (np.float64, np.float32, np.complex128):
        for shape in ((3,), (), (0, 2)) if dtype is np.float64 else ((2, 2),):
            a = arrays(rng, shape, dtype, 1.0, 2.0)
            c, u, v = (arrays(rng, shape, dtype, -1.0, 1.0) for _ in range(3))
            two = (_matvec, _solve, _transpose_solve)
            yield case((a, c, u, v), two, 2, False, (2, 3))
            yield case((a, u), (_diagonal, _quotient, _quotient), 1, True, (1,))
            if dtype is np.float64:
                further = (_matvec, _with_aux(_solve), _with_aux(_transpose_solve))
                yield case((a, c, u, v), further, 2, False, ())
