"""Schedules: learning rates as functions of the number of updates done.

Any optimizer takes one in place of a number: ``adam(cosine_decay_schedule(0.1, 1000))``. They work
on numbers and on traced counts.
Read next: `wrappers`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from fnx import numpy as jnp
from fnx.errors import ArgumentValueError
from fnx.optim.rules import choose, wide_dtype

__all__ = [
    "Schedule",
    "constant_schedule",
    "cosine_decay_schedule",
    "cosine_onecycle_schedule",
    "exponential_decay",
    "join_schedules",
    "linear_schedule",
    "piecewise_constant_schedule",
    "warmup_cosine_decay_schedule",
]

#: From the number of updates done to a learning rate.
Schedule = Callable[[Any], Any]


def constant_schedule(value: Any) -> Schedule:
    """The same rate always.

    Parameters
    ----------
    value : float
        The rate.

    Examples
    --------
    >>> constant_schedule(0.1)(3)
    0.1
    """
    return lambda count: value


def linear_schedule(init_value: Any, end_value: Any, transition_steps: int) -> Schedule:
    """Along a line from one rate to another, which stays.

    Parameters
    ----------
    init_value, end_value : float
        The rates.
    transition_steps : int
        Updates from one to the other.

    Examples
    --------
    >>> float(linear_schedule(0.0, 1.0, 4)(1))
    0.25
    """
    return lambda count: init_value + (end_value - init_value) * _share(count, transition_steps)


def exponential_decay(
    init_value: Any,
    transition_steps: int,
    decay_rate: Any,
    staircase: bool = False,
    end_value: Any = None,
) -> Schedule:
    """A factor for every so many updates.

    Parameters
    ----------
    init_value : float
        The rate at the start.
    transition_steps : int
        Updates to one factor.
    decay_rate : float
        The factor, positive.
    staircase : bool
        Whether the rate changes at once, rather than bit by bit.
    end_value : float, optional
        The rate goes no further.

    Examples
    --------
    >>> float(exponential_decay(1.0, 2, 0.25)(1))
    0.5
    """

    def schedule(count: Any) -> Any:
        passed = _wide(count) / transition_steps
        value = init_value * decay_rate ** (jnp.floor(passed) if staircase else passed)
        if end_value is None:
            return value
        bound = jnp.maximum if decay_rate < 1 else jnp.minimum
        return bound(value, end_value)

    return schedule


def piecewise_constant_schedule(
    init_value: Any, boundaries_and_scales: Mapping[int, Any]
) -> Schedule:
    """A factor at each of some counts.

    Parameters
    ----------
    init_value : float
        The rate at the start.
    boundaries_and_scales : mapping
        From a count to the factor that holds from it on.

    Examples
    --------
    >>> schedule = piecewise_constant_schedule(1.0, {2: 0.5, 4: 0.1})
    >>> [round(float(schedule(count)), 3) for count in (1, 2, 4)]
    [1.0, 0.5, 0.05]
    """

    def schedule(count: Any) -> Any:
        value = init_value
        for boundary, scale in boundaries_and_scales.items():
            value = value * choose(_wide(count) >= boundary, scale, 1.0)
        return value

    return schedule


def cosine_decay_schedule(
    init_value: Any, decay_steps: int, alpha: Any = 0.0, exponent: Any = 1.0
) -> Schedule:
    """Half a cosine from the initial rate to a share of it.

    Parameters
    ----------
    init_value : float
        The rate at the start.
    decay_steps : int
        Updates to the end.
    alpha : float
        The last rate over the first.
    exponent : float
        Power of the cosine.

    References
    ----------
    Loshchilov and Hutter, *SGDR: stochastic gradient descent with warm restarts* (2017).

    Examples
    --------
    >>> float(cosine_decay_schedule(1.0, 4)(2))
    0.5
    """

    def schedule(count: Any) -> Any:
        height = 0.5 * (1 + jnp.cos(math.pi * _share(count, decay_steps)))
        return init_value * ((1 - alpha) * height**exponent + alpha)

    return schedule


def join_schedules(schedules: Sequence[Schedule], boundaries: Sequence[int]) -> Schedule:
    """Schedules that follow each other; each counts from where it begins.

    Parameters
    ----------
    schedules : sequence of callable
        In order.
    boundaries : sequence of int
        The counts at which the second, third... begin.

    Examples
    --------
    >>> float(join_schedules([constant_schedule(1.0), constant_schedule(2.0)], [3])(3))
    2.0
    """
    if len(boundaries) != len(schedules) - 1:
        raise ArgumentValueError(
            f"join_schedules: {len(schedules)} schedules need {len(schedules) - 1} boundaries, got "
            f"{len(boundaries)}."
        )

    def schedule(count: Any) -> Any:
        count = _wide(count)
        value = schedules[0](count)
        for boundary, following in zip(boundaries, schedules[1:], strict=True):
            value = choose(count < boundary, value, following(count - boundary))
        return value

    return schedule


def warmup_cosine_decay_schedule(
    init_value: Any,
    peak_value: Any,
    warmup_steps: int,
    decay_steps: int,
    end_value: Any = 0.0,
    exponent: Any = 1.0,
) -> Schedule:
    """Up along a line, then down along half a cosine.

    Parameters
    ----------
    init_value, peak_value, end_value : float
        The first, the largest and the last rate.
    warmup_steps : int
        Updates to the largest.
    decay_steps : int
        Updates to the end, those of the way up included.
    exponent : float
        Power of the cosine.

    Examples
    --------
    >>> schedule = warmup_cosine_decay_schedule(0.0, 1.0, 2, 6)
    >>> [round(float(schedule(count)), 3) for count in (0, 1, 2, 4, 6)]
    [0.0, 0.5, 1.0, 0.5, 0.0]
    """
    up = linear_schedule(init_value, peak_value, warmup_steps)
    share = end_value / peak_value if peak_value else 0.0
    down = cosine_decay_schedule(peak_value, decay_steps - warmup_steps, share, exponent)
    return join_schedules([up, down], [warmup_steps])


def cosine_onecycle_schedule(
    transition_steps: int,
    peak_value: Any,
    pct_start: float = 0.3,
    div_factor: float = 25.0,
    final_div_factor: float = 1e4,
) -> Schedule:
    """Up to the largest rate, then down far below the first one, along half cosines.

    Parameters
    ----------
    transition_steps : int
        Updates in all.
    peak_value : float
        The largest rate.
    pct_start : float
        Share of the updates that go up.
    div_factor : float
        The largest rate over the first one.
    final_div_factor : float
        The first rate over the last one.

    References
    ----------
    Smith and Topin, *Super-convergence: very fast training of neural networks using large learning
    rates* (2019).

    Examples
    --------
    >>> schedule = cosine_onecycle_schedule(10, 1.0)
    >>> [round(float(schedule(count)), 3) for count in (0, 3, 10)]
    [0.04, 1.0, 0.0]
    """
    first = peak_value / div_factor
    last = first / final_div_factor
    top = int(pct_start * transition_steps)
    up, down = (
        _half_cosine(first, peak_value, top),
        _half_cosine(peak_value, last, transition_steps - top),
    )
    return join_schedules([up, down], [top])


def _half_cosine(start: Any, end: Any, steps: int) -> Schedule:
    def schedule(count: Any) -> Any:
        return end + (start - end) / 2 * (jnp.cos(math.pi * _share(count, steps)) + 1)

    return schedule


def _share(count: Any, steps: int) -> Any:
    """How much of a stretch is done, from 0 to 1."""
    if steps <= 0:
        raise ArgumentValueError(f"a schedule needs a positive number of steps, got {steps}")
    return jnp.minimum(_wide(count) / steps, 1.0)


def _wide(count: Any) -> Any:
    return jnp.asarray(count, wide_dtype())
