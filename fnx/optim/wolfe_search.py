"""The line search of `lbfgs`: a step that fulfils the strong Wolfe conditions, as one pure loop.

Along ``f(x + t d)`` with slope ``g·d``: the value has fallen enough, and the slope is small against
the slope at the start. Each turn of the loop evaluates one point. At first steps grow until two
points bracket a good one; from then on the bracket shrinks, by cubic interpolation.
Read next: `lbfgs`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from fnx import lax, tree_util
from fnx import numpy as jnp

__all__ = ["Trial", "strong_wolfe"]

_FALL = 1e-4  # share of the fall that the slope promises
_SLOPE = 0.9  # share of the slope that may be left


class Trial(NamedTuple):
    """A point of the line.

    Parameters
    ----------
    t : Array
        The step.
    value : Array
        Of the function.
    gradient : Array
        Of the function.
    slope : Array
        The gradient along the line.
    """

    t: Any
    value: Any
    gradient: Any
    slope: Any


class _Search(NamedTuple):
    """Between two evaluations; with no bracket yet, `low` and `high` are the last two points."""

    low: Trial
    high: Trial
    t: Any  # where to evaluate next
    trials: Any  # evaluations done
    bracketed: Any
    stuck: Any  # the last step was too near to an end of the bracket
    done: Any


def strong_wolfe(
    evaluate: Callable[[Any], tuple[Any, Any]],
    first_step: Any,
    direction: Any,
    start: Trial,
    tolerance_change: Any,
    most_trials: Any,
) -> tuple[Trial, Any]:
    """The best point found, and how many evaluations it took.

    Parameters
    ----------
    evaluate : callable
        From a step to the value and the gradient there.
    first_step : Array
        The first trial.
    direction : Array
        Of the line.
    start : Trial
        The point at step 0.
    tolerance_change : float
        A bracket that moves no parameter by more is small enough.
    most_trials : int or Array
        Trials after the first.
    """
    largest = jnp.max(jnp.abs(direction))

    def turn(s: _Search) -> _Search:
        value, gradient = evaluate(s.t)
        new = Trial(s.t, value, gradient, jnp.dot(gradient, direction))
        too_high = new.value > start.value + _FALL * new.t * start.slope
        flat = jnp.abs(new.slope) <= -_SLOPE * start.slope
        growing = _grow(s, new, start, too_high, flat, most_trials)
        shrinking = _shrink(s, new, too_high, flat)
        after = _where(s.bracketed, shrinking, growing)._replace(trials=s.trials + 1)
        width = jnp.abs(after.high.t - after.low.t) * largest
        spent = (after.trials > most_trials) | (width < tolerance_change)
        t, stuck = _inside(after)
        return after._replace(
            t=jnp.where(after.bracketed, t, after.t),
            stuck=jnp.where(after.bracketed, stuck, after.stuck),
            done=after.done | (after.bracketed & spent),
        )

    no = jnp.zeros((), bool)
    begin = _Search(start, start, first_step, jnp.zeros((), "int32"), no, no, no)
    end = lax.while_loop(lambda s: ~s.done, turn, begin)
    return end.low, end.trials


def _grow(
    s: _Search, new: Trial, start: Trial, too_high: Any, flat: Any, most_trials: Any
) -> _Search:
    """No bracket yet: is the new point good, or the other end of one, or should steps grow?"""
    previous = s.low
    rises = too_high | ((s.trials > 1) & (new.value >= previous.value))
    exhausted = s.trials >= most_trials
    good = flat & ~rises & ~exhausted
    found = ~exhausted & (rises | (new.slope >= 0)) & ~good
    other = _where(exhausted, start, previous)
    first, second = _ordered(other, new)
    ends = exhausted | found
    bounds = new.t + 0.01 * (new.t - previous.t), new.t * 10
    return _Search(
        low=_where(ends, first, new),
        high=_where(ends, second, previous),
        t=_cubic_minimum(previous, new, bounds),
        trials=s.trials,
        bracketed=found,
        stuck=s.stuck,
        done=exhausted | good,
    )


def _shrink(s: _Search, new: Trial, too_high: Any, flat: Any) -> _Search:
    """The new point takes the place of one end of the bracket."""
    worse = too_high | (new.value >= s.low.value)
    first, second = _ordered(s.low, new)
    turned = new.slope * (s.high.t - s.low.t) >= 0
    behind = _where(turned & ~flat, s.low, s.high)
    return s._replace(
        low=_where(worse, first, new),
        high=_where(worse, second, behind),
        done=~worse & flat,
    )


def _inside(s: _Search) -> tuple[Any, Any]:
    """The next step in a bracket, kept away from its ends if it comes near them twice."""
    least, most = jnp.minimum(s.low.t, s.high.t), jnp.maximum(s.low.t, s.high.t)
    t = _cubic_minimum(s.low, s.high, (least, most))
    margin = 0.1 * (most - least)
    near = jnp.minimum(most - t, t - least) < margin
    move = near & (s.stuck | (t >= most) | (t <= least))
    away = jnp.where(jnp.abs(t - most) < jnp.abs(t - least), most - margin, least + margin)
    return jnp.where(move, away, t), near & ~move


def _ordered(a: Trial, b: Trial) -> tuple[Trial, Trial]:
    """The one with the lower value first."""
    straight = a.value <= b.value
    return _where(straight, a, b), _where(straight, b, a)


def _cubic_minimum(a: Trial, b: Trial, bounds: tuple[Any, Any]) -> Any:
    """The minimum of the cubic through two points with their slopes, kept within bounds."""
    a, b = _by_place(a, b)
    d1 = a.slope + b.slope - 3 * (a.value - b.value) / (a.t - b.t)
    square = d1 * d1 - a.slope * b.slope
    real = square >= 0
    d2 = jnp.sqrt(jnp.where(real, square, jnp.ones_like(square)))
    t = b.t - (b.t - a.t) * ((b.slope + d2 - d1) / (b.slope - a.slope + 2 * d2))
    least, most = bounds
    inside = jnp.minimum(jnp.maximum(t, least), most)
    return jnp.where(real, inside, (least + most) / 2)


def _by_place(a: Trial, b: Trial) -> tuple[Trial, Trial]:
    straight = a.t <= b.t
    return _where(straight, a, b), _where(straight, b, a)


def _where(condition: Any, yes: Any, no: Any) -> Any:
    return tree_util.tree_map(lambda a, b: jnp.where(condition, a, b), yes, no)
