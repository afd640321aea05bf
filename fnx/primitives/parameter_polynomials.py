"""Truncated polynomials in small changes of parameters, on NumPy arrays.

A function of parameters ``(a, b, ...)`` is computed at ``(a + e1, b + e2, ...)``: every number of
the computation is then a polynomial in the e's, cut at given degrees, and the coefficients of the
result are its derivatives, over factorials. A polynomial is an array with one leading axis for
each parameter. A parameter, or a sum of parameters, enters as a `Linear` form. Read next:
`hypergeometric`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = ["Linear", "constant", "derivative"]


@dataclass(frozen=True, slots=True)
class Linear:
    """``value + signs[0] e1 + signs[1] e2 + ...``: a combination of parameters.

    Parameters
    ----------
    value : ndarray
        The combination itself.
    signs : tuple
        The coefficients of the changes, numbers or arrays.
    """

    value: Any
    signs: tuple[Any, ...]

    def plus(self, number: Any) -> Linear:
        """A number more."""
        return Linear(self.value + number, self.signs)

    def times(self, polynomial: Any) -> Any:
        """The product with a polynomial."""
        result = polynomial * self.value
        for axis, sign in enumerate(self.signs):
            if polynomial.shape[axis] > 1 and np.any(sign):
                result[_from(axis, 1, None)] += sign * polynomial[_from(axis, 0, -1)]
        return result

    def into(self, polynomial: Any) -> Any:
        """The quotient of a polynomial by this form, in which one parameter enters."""
        (axis,) = [k for k, sign in enumerate(self.signs) if np.any(sign)]
        result = polynomial / self.value
        for n in range(1, polynomial.shape[axis]):
            here, below = _from(axis, n, n + 1), _from(axis, n - 1, n)
            result[here] -= self.signs[axis] / self.value * result[below]
        return result


def _from(axis: int, start: int, stop: int | None) -> tuple[slice, ...]:
    return (slice(None),) * axis + (slice(start, stop),)


def constant(value: Any, orders: Sequence[int]) -> Any:
    """The polynomial without changes.

    Parameters
    ----------
    value : ndarray
        The constant coefficient.
    orders : sequence of int
        The degrees at which polynomials are cut.
    """
    result = np.zeros([*(n + 1 for n in orders), *np.shape(value)])
    result[(0,) * len(orders)] = value
    return result


def derivative(polynomial: Any, orders: Sequence[int]) -> Any:
    """The derivative of these orders: the last coefficient, times factorials."""
    return polynomial[tuple(orders)] * math.prod(map(math.factorial, orders))
