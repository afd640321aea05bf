"""Arithmetic of truncated Taylor series, for jet rules.

A series is a list ``[c1, ..., cK]`` of the coefficients of t, ..., t**K (normalised: ``c_k = d^k /
k!``); the constant term travels beside it as the primal.  A coefficient may be a `Zero`.  See
Griewank and Walther, *Evaluating Derivatives* (2008), chapter 13, for the recurrences.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from fnx.core.primitive import Zero

__all__ = ["add_terms", "bilinear_series", "map_series", "scale_term"]


def add_terms(terms: Sequence[Any], add: Callable[[Any, Any], Any], zero: Zero) -> Any:
    """The sum of terms, of which some may be `Zero`.

    Parameters
    ----------
    terms : sequence
        Arrays and Zeros.
    add : callable
        Adds two arrays.
    zero : Zero
        What an empty sum is.
    """
    total: Any = zero
    for term in terms:
        if type(term) is Zero:
            continue
        total = term if type(total) is Zero else add(total, term)
    return total


def scale_term(term: Any, factor: float, scale: Callable[[Any, float], Any]) -> Any:
    """A coefficient times a number; `Zero` stays."""
    return term if type(term) is Zero or factor == 1 else scale(term, factor)


def map_series(function: Callable[[Any], Any], series: Sequence[Any], zero: Zero) -> list[Any]:
    """A linear function of a series, coefficient by coefficient."""
    return [zero if type(c) is Zero else function(c) for c in series]


def bilinear_series(
    product: Callable[[Any, Any], Any],
    add: Callable[[Any, Any], Any],
    x: Sequence[Any],
    y: Sequence[Any],
    zero: Zero,
) -> list[Any]:
    """The product of two series: ``z_k = sum_j product(x_j, y_{k-j})``.

    Parameters
    ----------
    product : callable
        Linear in both arguments.
    add : callable
        Adds two of its results.
    x, y : sequence
        Both with the constant term in front, of equal length K + 1.
    zero : Zero
        What a coefficient without terms is.

    Returns
    -------
    list
        The coefficients 1 to K.
    """
    result = []
    for k in range(1, len(x)):
        terms = [
            product(x[j], y[k - j])
            for j in range(k + 1)
            if type(x[j]) is not Zero and type(y[k - j]) is not Zero
        ]
        result.append(add_terms(terms, add, zero))
    return result
