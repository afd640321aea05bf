"""Dormand and Prince's pair of Runge-Kutta methods, of orders 5 and 4, with adaptive steps.

`solution_program` gives the program that solves an initial value problem: a scan over the times of
the results, in which a loop takes steps until it is past the next one, where the solution is read
off a polynomial of degree 4.  The step is what keeps the estimated error within the tolerance
(Hairer, Norsett, Wanner: Solving Ordinary Differential Equations I, II.4 and II.5; the polynomial
is that of Shampine, Math. Comp. 46 (1986) 135).  What derivatives there are is said in `ode`, where
the program is used.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from fnx.control.loops import scan, while_loop
from fnx.core.jaxpr import Jaxpr, eval_jaxpr
from fnx.core.types import ShapedArray
from fnx.primitives.cast import convert_element_type
from fnx.primitives.comparison import max as maximum
from fnx.primitives.comparison import min as minimum
from fnx.primitives.comparison import select_n
from fnx.primitives.joining import concatenate
from fnx.primitives.powers import sqrt
from fnx.primitives.reductions import reduce_sum
from fnx.primitives.shaping import expand_dims, full
from fnx.primitives.slicing import index_in_dim, slice_in_dim
from fnx.transforms.jvp import stage_closed

__all__ = ["Control", "solution_program"]

#: When the stages after the first are, and what of the earlier slopes they start from.
NODES = (1 / 5, 3 / 10, 4 / 5, 8 / 9, 1.0, 1.0)
STAGES = (
    (1 / 5,),
    (3 / 40, 9 / 40),
    (44 / 45, -56 / 15, 32 / 9),
    (19372 / 6561, -25360 / 2187, 64448 / 6561, -212 / 729),
    (9017 / 3168, -355 / 33, 46732 / 5247, 49 / 176, -5103 / 18656),
    (35 / 384, 0.0, 500 / 1113, 125 / 192, -2187 / 6784, 11 / 84),  # the result, too
)
#: The result of order 5 less that of order 4.
ERROR = (
    35 / 384 - 1951 / 21600,
    0.0,
    500 / 1113 - 22642 / 50085,
    125 / 192 - 451 / 720,
    -2187 / 6784 + 12231 / 42400,
    11 / 84 - 649 / 6300,
    -1 / 60,
)
#: The solution in the middle of the step.
MIDDLE = (
    6025192743 / 30085553152 / 2,
    0.0,
    51252292925 / 65400821598 / 2,
    -2691868925 / 45128329728 / 2,
    187940372067 / 1594534317056 / 2,
    -1776094331 / 19743644256 / 2,
    11237099 / 235043384 / 2,
)

#: What a step may be multiplied with, and how far it stays from what would be just good enough.
SHRINK, GROW, SAFETY = 0.2, 10.0, 0.9

Values = list[Any]
Field = Callable[[Values, Any], Values]


@dataclass(frozen=True)
class Control:
    """How steps are chosen.

    Parameters
    ----------
    rtol, atol : float
        The error allowed to a step, relative and absolute.
    mxstep : int
        How many steps may lead from one result to the next.
    hmax : float
        The longest step.
    groups : tuple of int
        Which group each part of the state belongs to: the error of a step is the largest of the
        groups' root mean squares.  So what is added to a state (tangents, say) can't dilute it.
    """

    rtol: float
    atol: float
    mxstep: int
    hmax: float
    groups: tuple[int, ...]


def solution_program(field: Jaxpr, num_consts: int, count: int, control: Control) -> Jaxpr:
    """The program of the values of a solution at given times.

    Parameters
    ----------
    field : Jaxpr
        Constants, the parts of the state and the time, to the parts' derivatives.
    num_consts : int
        How many constants there are.
    count : int
        Number of times.
    control : Control
        Of the steps.

    Returns
    -------
    Jaxpr
        Constants, the parts of the first state and the times (rising), to the parts of the states
        with a leading axis; NaN from where the solver can't get on.
    """

    def solution(*args: Any) -> Values:
        consts, state, ts = args[:num_consts], list(args[num_consts:-1]), args[-1]
        times = [index_in_dim(ts, 0, keepdims=False), slice_in_dim(ts, 1, count)]

        def slopes(at: Values, t: Any) -> Values:
            return eval_jaxpr(field, *consts, *at, t)

        _, rest = scan(
            lambda step, target: _until(slopes, step, target, control),
            _first_step(slopes, state, times[0], control),
            times[1],
        )
        return [
            concatenate([expand_dims(first, (0,)), later], 0)
            for first, later in zip(state, rest, strict=True)
        ]

    ts = field.in_avals[-1]
    avals = [*field.in_avals[:-1], ShapedArray((count,), ts.dtype)]
    key = ("solution", num_consts, count, control)
    return field.derived(key, lambda: stage_closed(solution, avals, field.name))


#: (state, slopes, time, next step's length; then of the last step: first time, state, slopes, and
#: the state in its middle)
Step = tuple[Values, Values, Any, Any, Any, Values, Values, Values]


def _first_step(field: Field, state: Values, t: Any, control: Control) -> Step:
    """Where the loop starts, with a length that suits the first two derivatives."""
    slopes = field(state, t)
    scales = _scales(state, state, control)
    size, speed = _norm(state, scales, t.dtype), _norm(slopes, scales, t.dtype)
    tiny = (size < 1e-5) | (speed < 1e-5)
    trial = select_n(tiny, 0.01 * size / speed, full((), 1e-6, t.dtype))
    ahead = _moved(state, trial, [slopes], (1.0,))
    bend = [b - a for a, b in zip(slopes, field(ahead, t + trial), strict=True)]
    bending = _norm(bend, scales, t.dtype) / trial
    steep = (0.01 / maximum(speed, bending)) ** 0.2
    flat = (speed <= 1e-15) & (bending <= 1e-15)
    length = select_n(flat, steep, maximum(full((), 1e-6, t.dtype), trial * 1e-3))
    length = minimum(minimum(100.0 * trial, length), full((), control.hmax, t.dtype))
    return state, slopes, t, length, t, state, slopes, state


def _until(field: Field, start: Step, target: Any, control: Control) -> tuple[Step, Values]:
    """Steps until one ends at a time or after it, and the state at that time."""

    def goes_on(loop: tuple[Any, Step]) -> Any:
        taken, (_, _, t, length, *_) = loop
        return (t < target) & (taken < control.mxstep) & (t + length > t)

    def try_step(loop: tuple[Any, Step]) -> tuple[Any, Step]:
        taken, (state, slopes, t, length, *last) = loop
        found, after = [slopes], state
        for node, weights in zip(NODES, STAGES, strict=True):
            after = _moved(state, length, found, weights)
            found.append(field(after, t + node * length))
        error = _scaled_sum(found, ERROR, length)
        ratio = _ratio(error, _scales(state, after, control), control.groups, t.dtype)
        middle = _moved(state, length, found, MIDDLE)
        then = _next_length(length, ratio, control)
        good = (after, found[-1], t + length, then, t, state, slopes, middle)
        bad = (state, slopes, t, then, *last)
        return taken + 1, _choose(ratio <= 1.0, good, bad)

    _, step = while_loop(goes_on, try_step, (full((), 0, np.int32), start))
    return step, _between(step, target)


def _next_length(length: Any, ratio: Any, control: Control) -> Any:
    shrink = select_n(ratio < 1.0, full((), SHRINK, ratio.dtype), full((), 1.0, ratio.dtype))
    factor = minimum(full((), GROW, ratio.dtype), maximum(SAFETY * ratio**-0.2, shrink))
    factor = select_n(ratio == 0.0, factor, full((), GROW, ratio.dtype))
    return minimum(length * factor, full((), control.hmax, length.dtype))


def _between(step: Step, target: Any) -> Values:
    """The state at a time within the last step, from the values and slopes at its ends."""
    state, slopes, t, _, before, old, old_slopes, middle = step
    moved = t > before
    length = select_n(moved, full((), 1.0, t.dtype), t - before)
    inside = (before <= target) & (target <= t)
    results = []
    for y0, y1, mid, f0, f1 in zip(old, state, middle, old_slopes, slopes, strict=True):
        real = _real_dtype(y0)
        h, x = convert_element_type(length, real), convert_element_type(target - before, real)
        x, d0, d1 = x / h, h * f0, h * f1
        fourth = 2.0 * (d1 - d0) - 8.0 * (y0 + y1) + 16.0 * mid
        third = 5.0 * d0 - 3.0 * d1 + 18.0 * y0 + 14.0 * y1 - 32.0 * mid
        second = d1 - 4.0 * d0 - 11.0 * y0 - 5.0 * y1 + 16.0 * mid
        value = y0 + x * (d0 + x * (second + x * (third + x * fourth)))
        nowhere = full(value.shape, np.nan, value.dtype)
        results.append(select_n(inside, nowhere, value))
    return results


def _real_dtype(value: Any) -> np.dtype[Any]:
    """The dtype of the magnitudes of a value."""
    return np.zeros((), value.dtype).real.dtype


def _scaled_sum(slopes: Sequence[Values], weights: Sequence[float], length: Any) -> Values:
    """The weighted sum of slopes, times the length of the step."""
    sums = []
    for parts in zip(*slopes, strict=True):
        total: Any = None
        for weight, part in zip(weights, parts, strict=True):
            if weight != 0.0:
                total = weight * part if total is None else total + weight * part
        sums.append(convert_element_type(length, _real_dtype(total)) * total)
    return sums


def _moved(
    state: Values, length: Any, slopes: Sequence[Values], weights: Sequence[float]
) -> Values:
    moves = _scaled_sum(slopes, weights, length)
    return [y + move for y, move in zip(state, moves, strict=True)]


def _scales(state: Values, after: Values, control: Control) -> Values:
    """What an error is measured by."""
    pairs = zip(state, after, strict=True)
    return [control.atol + control.rtol * maximum(abs(a), abs(b)) for a, b in pairs]


def _square(part: Any, scale: Any, dtype: Any) -> Any:
    """The sum of squares of a part in units of its scale."""
    unit = abs(part) / scale
    return convert_element_type(reduce_sum(unit * unit, tuple(range(unit.ndim))), dtype)


def _norm(parts: Values, scales: Values, dtype: Any) -> Any:
    total = full((), 0.0, dtype)
    for part, scale in zip(parts, scales, strict=True):
        total = total + _square(part, scale, dtype)
    return sqrt(total)


def _ratio(error: Values, scales: Values, groups: Sequence[int], dtype: Any) -> Any:
    """The error in units of what is allowed, of the group where it is largest."""
    largest = full((), 0.0, dtype)
    for group in sorted(set(groups)):
        members = [k for k, g in enumerate(groups) if g == group and error[k].size]
        size = sum([error[k].size for k in members])
        if size:
            total = _norm([error[k] for k in members], [scales[k] for k in members], dtype)
            largest = maximum(largest, total / np.sqrt(size).item())
    # Where the field isn't a number the step was too long.
    return select_n(largest == largest, full((), np.inf, dtype), largest)


def _choose(condition: Any, then: Any, otherwise: Any) -> Any:
    """One of two nests of tuples and lists."""
    if isinstance(then, (tuple, list)):
        pairs = zip(then, otherwise, strict=True)
        return type(then)([_choose(condition, a, b) for a, b in pairs])
    return select_n(condition, otherwise, then)
