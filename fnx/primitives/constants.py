"""Arithmetic between an array and a number, for rules.

Rules must not hold arrays of their own, so a constant is a scalar in the text of the program,
broadcast where it is used; value numbering makes equal ones one.  Read next: `elementary`, whose
rules are written with these.
"""

from __future__ import annotations

from typing import Any

from fnx.primitives.arithmetic import add, div, mul, sub
from fnx.primitives.shaping import full

__all__ = ["divided_by", "like", "minus", "over", "plus", "subtracted_from", "times"]


def like(x: Any, number: complex) -> Any:
    """A number as an array of the shape and dtype of `x`.

    Parameters
    ----------
    x : Array
        Gives shape and dtype.
    number : number
        The value.
    """
    return full(x.shape, number, x.dtype)


def plus(x: Any, number: complex) -> Any:
    """``x + number``."""
    return add(x, like(x, number))


def minus(x: Any, number: complex) -> Any:
    """``x - number``."""
    return sub(x, like(x, number))


def subtracted_from(number: complex, x: Any) -> Any:
    """``number - x``."""
    return sub(like(x, number), x)


def times(x: Any, number: complex) -> Any:
    """``x * number``."""
    return mul(x, like(x, number))


def divided_by(x: Any, number: complex) -> Any:
    """``x / number``."""
    return div(x, like(x, number))


def over(number: complex, x: Any) -> Any:
    """``number / x``."""
    return div(like(x, number), x)
