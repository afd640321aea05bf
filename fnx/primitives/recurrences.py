"""Taylor coefficients of elementary functions, for their jet rules.

A function of a series x(t) satisfies a differential equation in t; comparing coefficients gives
its own series in O(K^2) products (Griewank and Walther, *Evaluating Derivatives*, 2008, table
13.2).  Three kinds suffice: ``y' = s x'`` with s a function of y (`product_rule`), ``h y' = x'``
with h a function of x (`quotient_rule`), and for what has neither the composition with the Taylor
series at the point (`composed`).  Series come and go with the constant term in front; coefficients
may be `Zero`.  Read next: `elementary`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from fnx.core.primitive import Zero
from fnx.core.types import tangent_type
from fnx.primitives.arithmetic import add, div, mul, neg, sub
from fnx.primitives.constants import divided_by, plus, subtracted_from, times
from fnx.primitives.series import add_terms, bilinear_series

__all__ = [
    "Series",
    "composed",
    "constant_power",
    "derivative",
    "difference",
    "exponential",
    "integral",
    "jet_rule",
    "last_of_product",
    "opposite",
    "product",
    "product_rule",
    "quotient",
    "quotient_rule",
    "scaled",
    "shifted",
    "square_root",
    "total",
    "weighted",
]

Series = list[Any]


def jet_rule(solve: Callable[..., Series]) -> Callable[..., tuple[Any, Series]]:
    """The jet rule of a function of one operand.

    Parameters
    ----------
    solve : callable
        ``solve(x, **params)``: from the operand's series to the result's.
    """

    def jet(primals: Sequence[Any], coefficients: Sequence[Series], **params: Any) -> Any:
        y = solve([primals[0], *coefficients[0]], **params)
        return y[0], y[1:]

    return jet


def _zero(x: Any) -> Zero:
    return x if type(x) is Zero else Zero(tangent_type(x.aval))


def _times(x: Any, y: Any) -> Any:
    if type(x) is Zero or type(y) is Zero:
        return _zero(x)
    return mul(x, y)


def _sum(terms: Sequence[Any], zero: Zero) -> Any:
    return add_terms(terms, add, zero)


def _scaled(x: Any, number: float) -> Any:
    return x if type(x) is Zero or number == 1 else times(x, number)


def _over(x: Any, number: float) -> Any:
    return x if type(x) is Zero or number == 1 else divided_by(x, number)


def difference(x: Any, y: Any) -> Any:
    """``x - y`` of two coefficients."""
    if type(y) is Zero:
        return x
    return neg(y) if type(x) is Zero else sub(x, y)


def weighted(x: Series) -> Series:
    """``k x_k``: the coefficients of ``t x'(t)``."""
    return [_zero(x[0]), *[_scaled(c, k) for k, c in enumerate(x[1:], 1)]]


def shifted(x: Series, number: float, sign: int = 1) -> Series:
    """``number + sign * x``."""
    if sign == 1:
        return [plus(x[0], number), *x[1:]]
    return [subtracted_from(number, x[0]), *opposite(x[1:])]


def opposite(x: Series) -> Series:
    """``-x``."""
    return [c if type(c) is Zero else neg(c) for c in x]


def scaled(x: Series, number: float) -> Series:
    """``number * x``."""
    return [_scaled(c, number) for c in x]


def product(x: Series, y: Series) -> Series:
    """``x * y``."""
    return [_times(x[0], y[0]), *bilinear_series(mul, add, x, y, _zero(x[0]))]


def quotient(x: Series, y: Series) -> Series:
    """``x / y``; ``z_k = (x_k - sum_{j<k} z_j y_{k-j}) / y_0``."""
    zero, z = _zero(y[0]), Series()
    for k in range(len(x)):
        rest = _sum([_times(z[j], y[k - j]) for j in range(k)], zero)
        remaining = difference(x[k], rest)
        z.append(zero if type(remaining) is Zero else div(remaining, y[0]))
    return z


def derivative(x: Series) -> Series:
    """``x'``, to one order less."""
    return weighted(x)[1:]


def integral(y0: Any, x: Series) -> Series:
    """y with ``y' = x``, of value `y0`."""
    return [y0, *[_over(c, k) for k, c in enumerate(x, 1)]]


def total(x: Series, y: Series) -> Series:
    """``x + y``."""
    return [_sum([a, b], _zero(a)) for a, b in zip(x, y, strict=True)]


def product_rule(
    y0: Any, x: Series, extend: Callable[[Series, Series], Any], s0: Any
) -> tuple[Series, Series]:
    """y with ``y' = s x'``: ``k y_k = sum_{j=1..k} j x_j s_{k-j}``.

    Parameters
    ----------
    y0 : Array
        The value.
    x : list
        The operand's series.
    extend : callable
        ``extend(y, s) -> s_k``, where y goes to y_k and s to s_{k-1}.
    s0 : Array
        The slope's value.

    Returns
    -------
    y, s : list
    """
    w, zero = weighted(x), _zero(y0)
    y, s = [y0], [s0]
    for k in range(1, len(x)):
        y.append(_over(_sum([_times(w[j], s[k - j]) for j in range(1, k + 1)], zero), k))
        s.append(extend(y, s))
    return y, s


def quotient_rule(y0: Any, x: Series, h: Series) -> Series:
    """y with ``h y' = x'``: ``h_0 y_k = x_k - (1/k) sum_{0<j<k} j y_j h_{k-j}``."""
    zero = _zero(y0)
    y, w = [y0], [zero]
    for k in range(1, len(x)):
        rest = _over(_sum([_times(w[j], h[k - j]) for j in range(1, k)], zero), k)
        remaining = difference(x[k], rest)
        y.append(zero if type(remaining) is Zero else div(remaining, h[0]))
        w.append(_scaled(y[k], k))
    return y


def last_of_product(x: Series, y: Series) -> Any:
    """The highest coefficient of ``x * y``."""
    k = len(x) - 1
    return _sum([_times(x[j], y[k - j]) for j in range(k + 1)], _zero(x[0]))


def exponential(y0: Any, x: Series) -> Series:
    """``exp(x)``, of value `y0`."""
    return product_rule(y0, x, lambda y, s: y[-1], y0)[0]


def square_root(y0: Any, x: Series) -> Series:
    """``sqrt(x)``, of value `y0`: ``2 y_0 y_k = x_k - sum_{0<j<k} y_j y_{k-j}``."""
    zero = _zero(y0)
    y, twice = [y0], times(y0, 2)
    for k in range(1, len(x)):
        rest = _sum([_times(y[j], y[k - j]) for j in range(1, k)], zero)
        remaining = difference(x[k], rest)
        y.append(zero if type(remaining) is Zero else div(remaining, twice))
    return y


def constant_power(y0: Any, x: Series, power: float) -> Series:
    """``y = x**p``, of value `y0`: ``k x_0 y_k = sum_{j=1..k} (p j - (k - j)) x_j y_{k-j}``."""
    zero = _zero(y0)
    y = [y0]
    for k in range(1, len(x)):
        terms = [
            _scaled(_times(x[j], y[k - j]), (power * j - (k - j)) / k) for j in range(1, k + 1)
        ]
        known = _sum(terms, zero)
        y.append(zero if type(known) is Zero else div(known, x[0]))
    return y


def composed(derivatives: Series, x: Series) -> Series:
    """``f(x)``, of whose Taylor series at ``x_0`` the coefficients are given.

    Horner's rule in ``d = x - x_0``: ``f_0 + d (f_1 + d (f_2 + ...))``.

    Parameters
    ----------
    derivatives : list
        ``f^(n)(x_0) / n!`` for n up to the order.
    x : list
        The operand's series.
    """
    zero, order = _zero(derivatives[0]), len(x) - 1
    if order == 0:
        return [derivatives[0]]
    inner: Series = [derivatives[order]]  # after the step for f_n, degree order - n is needed
    for n in range(order - 1, -1, -1):
        degree = order - n
        result = [derivatives[n]]
        for k in range(1, degree + 1):
            terms = [_times(x[j], inner[k - j]) for j in range(1, k + 1) if k - j < len(inner)]
            result.append(_sum(terms, zero))
        inner = result
    return inner
