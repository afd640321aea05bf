"""The line search of L-BFGS: a step that fulfils the strong Wolfe conditions.

Along ``f(x + t d)`` with slope ``g·d``: the value has fallen enough, and the slope is small against
the slope at the start. First steps grow until a bracket is found, then the bracket shrinks by cubic
interpolation. The order of the arithmetic is PyTorch's.
Read next: `lbfgs`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = ["Trial", "strong_wolfe"]

NDArray = np.ndarray[Any, Any]

_FALL = 1e-4  # share of the fall that the slope promises
_SLOPE = 0.9  # share of the slope that may be left


@dataclass(frozen=True, slots=True)
class Trial:
    """A point of the line: where, its value, its gradient, and the slope along the line.

    Parameters
    ----------
    t : float
        The step.
    value : float
        Of the function.
    gradient : ndarray
        Of the function.
    slope : float
        The gradient along the line.
    """

    t: Any
    value: float
    gradient: NDArray
    slope: Any


def strong_wolfe(
    evaluate: Callable[[Any], tuple[float, NDArray]],
    first_step: Any,
    direction: NDArray,
    start: Trial,
    tolerance_change: float,
    most_trials: int,
) -> tuple[Trial, int]:
    """The best point found, and how many evaluations it took.

    Parameters
    ----------
    evaluate : callable
        From a step to the value and the gradient there.
    first_step : float
        The first trial.
    direction : ndarray
        Of the line.
    start : Trial
        The point at step 0.
    tolerance_change : float
        A bracket that moves no parameter by more is small enough.
    most_trials : int
        Trials after the first.
    """

    def trial(t: Any) -> Trial:
        value, gradient = evaluate(t)
        return Trial(t, value, gradient, gradient.dot(direction))

    def too_high(new: Trial) -> bool:
        return bool(new.value > start.value + _FALL * new.t * start.slope)

    def flat(new: Trial) -> bool:
        return bool(abs(new.slope) <= -_SLOPE * start.slope)

    previous, new, trials = start, trial(first_step), 0
    bracket: list[Trial] = []
    while trials < most_trials:
        if too_high(new) or (trials > 1 and new.value >= previous.value):
            bracket = [previous, new]
            break
        if flat(new):
            return new, trials + 1
        if new.slope >= 0:
            bracket = [previous, new]
            break
        bounds = new.t + 0.01 * (new.t - previous.t), new.t * 10
        t = _cubic_minimum(previous, new, bounds)
        previous, new, trials = new, trial(t), trials + 1
    if not bracket:
        bracket = [start, new]
    low, trials = _zoom(
        bracket, trial, too_high, flat, direction, tolerance_change, trials, most_trials
    )
    return bracket[low], trials + 1


def _zoom(
    bracket: list[Trial],
    trial: Callable[[Any], Trial],
    too_high: Callable[[Trial], bool],
    flat: Callable[[Trial], bool],
    direction: NDArray,
    tolerance_change: float,
    trials: int,
    most_trials: int,
) -> tuple[int, int]:
    """Shrink a bracket in place until its lower end is good, or nothing is left to gain.

    Gives which end is the lower one, and the count of trials.
    """
    largest = np.abs(direction).max()
    stuck = False
    low, high = (0, 1) if bracket[0].value <= bracket[1].value else (1, 0)
    while trials < most_trials:
        ends = bracket[0].t, bracket[1].t
        if abs(ends[1] - ends[0]) * largest < tolerance_change:
            break
        t = _cubic_minimum(bracket[0], bracket[1], None)
        # Twice too close to an end, or at it: move away by a tenth of the bracket.
        margin = 0.1 * (max(ends) - min(ends))
        if min(max(ends) - t, t - min(ends)) < margin:
            if stuck or t >= max(ends) or t <= min(ends):
                near_top = abs(t - max(ends)) < abs(t - min(ends))
                t = max(ends) - margin if near_top else min(ends) + margin
                stuck = False
            else:
                stuck = True
        else:
            stuck = False
        new = trial(t)
        trials += 1
        if too_high(new) or new.value >= bracket[low].value:
            bracket[high] = new
            low, high = (0, 1) if bracket[0].value <= bracket[1].value else (1, 0)
            continue
        done = flat(new)
        if not done and new.slope * (bracket[high].t - bracket[low].t) >= 0:
            bracket[high] = bracket[low]
        bracket[low] = new
        if done:
            break
    return low, trials


def _cubic_minimum(a: Trial, b: Trial, bounds: tuple[Any, Any] | None) -> Any:
    """The minimum of the cubic through two points with their slopes, kept within bounds."""
    if bounds is None:
        bounds = (a.t, b.t) if a.t <= b.t else (b.t, a.t)
    with np.errstate(all="ignore"):
        d1 = a.slope + b.slope - 3 * (a.value - b.value) / (a.t - b.t)
        square = d1**2 - a.slope * b.slope
        if not square >= 0:
            return (bounds[0] + bounds[1]) / 2.0
        d2 = np.sqrt(square)
        if a.t <= b.t:
            t = b.t - (b.t - a.t) * ((b.slope + d2 - d1) / (b.slope - a.slope + 2 * d2))
        else:
            t = a.t - (a.t - b.t) * ((a.slope + d2 - d1) / (a.slope - b.slope + 2 * d2))
    return min(max(t, bounds[0]), bounds[1])
