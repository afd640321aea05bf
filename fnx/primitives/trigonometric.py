"""Trigonometric and hyperbolic functions and their inverses.

Read next: `special`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from fnx.core.lowering import Element
from fnx.core.primitive import Primitive
from fnx.primitives import recurrences as series
from fnx.primitives.arithmetic import add, div, mul, neg, square
from fnx.primitives.constants import minus, plus, subtracted_from, times
from fnx.primitives.elementary import elementary
from fnx.primitives.exponential import log
from fnx.primitives.families import FLOAT, elementwise
from fnx.primitives.folding import fold_uniform
from fnx.primitives.powers import sqrt
from fnx.primitives.recurrences import Series
from fnx.primitives.samplers import elementwise_samples

__all__ = [
    "acos",
    "acos_p",
    "acosh",
    "acosh_p",
    "asin",
    "asin_p",
    "asinh",
    "asinh_p",
    "atan",
    "atan2",
    "atan2_p",
    "atan_p",
    "atanh",
    "atanh_p",
    "cos",
    "cos_p",
    "cosh",
    "cosh_p",
    "sin",
    "sin_p",
    "sinh",
    "sinh_p",
    "tan",
    "tan_p",
    "tanh",
    "tanh_p",
]


# ---------------------------------------------------------------------- trigonometric

sin_p = elementary(
    "sin",
    np.sin,
    lambda t, y, x: mul(t, cos(x)),
    lambda x: _sine_and_cosine(sin(x[0]), cos(x[0]), x, -1)[0],
)
cos_p = elementary(
    "cos",
    np.cos,
    lambda t, y, x: mul(t, neg(sin(x))),
    lambda x: _sine_and_cosine(sin(x[0]), cos(x[0]), x, -1)[1],
)
tan_p = elementary(
    "tan",
    lambda x: _tan_evaluate(x),
    lambda t, y, x: mul(t, plus(square(y), 1)),
    lambda x: _tangent_series(tan(x[0]), x, 1),
    domain=(-1.2, 1.2),
)
asin_p = elementary(
    "asin",
    np.arcsin,
    lambda t, y, x: div(t, sqrt(_one_minus_square(x))),
    lambda x: series.quotient_rule(asin(x[0]), x, _root_of_one_minus_square(x)),
    domain=(-0.8, 0.8),
)
acos_p = elementary(
    "acos",
    np.arccos,
    lambda t, y, x: neg(div(t, sqrt(_one_minus_square(x)))),
    lambda x: series.quotient_rule(acos(x[0]), x, series.opposite(_root_of_one_minus_square(x))),
    domain=(-0.8, 0.8),
)
atan_p = elementary(
    "atan",
    np.arctan,
    lambda t, y, x: div(t, plus(square(x), 1)),
    lambda x: series.quotient_rule(atan(x[0]), x, series.shifted(series.product(x, x), 1)),
)


def _one_minus_square(x: Any) -> Any:
    """``(1 - x)(1 + x)``, which unlike ``1 - x*x`` is accurate near 1."""
    return mul(subtracted_from(1, x), plus(x, 1))


def _root_of_one_minus_square(x: Series) -> Series:
    inside = series.product(series.shifted(x, 1, -1), series.shifted(x, 1))
    return series.square_root(sqrt(inside[0]), inside)


def _sine_and_cosine(s0: Any, c0: Any, x: Series, sign: int) -> tuple[Series, Series]:
    """s and c with ``s' = c x'`` and ``c' = sign s x'``."""
    w = series.weighted(x)
    s, c = [s0], [c0]
    for k in range(1, len(x)):
        known = w[: k + 1]  # w_0 is zero, so that the coefficient it meets does not matter
        forward = series.last_of_product(known, [*c, w[0]])
        back = series.last_of_product(known, [*s, w[0]])
        s += series.scaled([forward], 1 / k)
        c += series.scaled([back], sign / k)
    return s, c


def _tanh_evaluate(z: Any) -> Any:
    result = np.tanh(z)
    if z.dtype.kind != "c":
        return result
    # The limit has the sign of the imaginary part, whatever direction that stands for.
    far = np.isinf(z.real)
    result = np.array(result)
    result.imag[far] = np.copysign(0, z.imag)[far]
    return result


def _tan_evaluate(z: Any) -> Any:
    if z.dtype.kind != "c":
        return np.tan(z)
    turned, result = np.empty_like(z), np.empty_like(z)  # tan z = -i tanh iz
    turned.real, turned.imag = -z.imag, z.real
    found = _tanh_evaluate(turned)
    result.real, result.imag = found.imag, -found.real
    return result


def _tangent_series(y0: Any, x: Series, sign: int) -> Series:
    """y with ``y' = (1 + sign y^2) x'``."""

    def slope(y: Series, s: Series) -> Any:
        term = series.last_of_product(y, y)
        return term if sign == 1 else series.opposite([term])[0]

    s0 = plus(square(y0), 1) if sign == 1 else subtracted_from(1, square(y0))
    return series.product_rule(y0, x, slope, s0)[0]


def sin(x: Any) -> Any:
    """The sine of an angle in radians.

    Parameters
    ----------
    x : Array
        Floating or complex.
    """
    return sin_p(x)


def cos(x: Any) -> Any:
    """The cosine of an angle in radians.

    Parameters
    ----------
    x : Array
        Floating or complex.
    """
    return cos_p(x)


def tan(x: Any) -> Any:
    """The tangent of an angle in radians.

    Parameters
    ----------
    x : Array
        Floating or complex.
    """
    return tan_p(x)


def asin(x: Any) -> Any:
    """The angle in radians, from -pi/2 to pi/2, of a sine.

    Parameters
    ----------
    x : Array
        Floating or complex.
    """
    return asin_p(x)


def acos(x: Any) -> Any:
    """The angle in radians, from 0 to pi, of a cosine.

    Parameters
    ----------
    x : Array
        Floating or complex.
    """
    return acos_p(x)


def atan(x: Any) -> Any:
    """The angle in radians, from -pi/2 to pi/2, of a tangent.

    Parameters
    ----------
    x : Array
        Floating or complex.
    """
    return atan_p(x)


# ---------------------------------------------------------------------- hyperbolic

sinh_p = elementary(
    "sinh",
    np.sinh,
    lambda t, y, x: mul(t, cosh(x)),
    lambda x: _sine_and_cosine(sinh(x[0]), cosh(x[0]), x, 1)[0],
)
cosh_p = elementary(
    "cosh",
    np.cosh,
    lambda t, y, x: mul(t, sinh(x)),
    lambda x: _sine_and_cosine(sinh(x[0]), cosh(x[0]), x, 1)[1],
)
tanh_p = elementary(
    "tanh",
    lambda x: _tanh_evaluate(x),
    lambda t, y, x: mul(t, subtracted_from(1, square(y))),
    lambda x: _tangent_series(tanh(x[0]), x, -1),
)
asinh_p = elementary(
    "asinh",
    np.arcsinh,
    lambda t, y, x: div(t, sqrt(plus(square(x), 1))),
    lambda x: series.quotient_rule(asinh(x[0]), x, _root_of_one_plus_square(x)),
)
acosh_p = elementary(
    "acosh",
    np.arccosh,
    # two roots: of a complex x, the root of the product can be on the other branch
    lambda t, y, x: div(t, mul(sqrt(minus(x, 1)), sqrt(plus(x, 1)))),
    lambda x: series.quotient_rule(acosh(x[0]), x, _roots_around(x)),
    domain=(1.2, 3.0),
)
atanh_p = elementary(
    "atanh",
    np.arctanh,
    lambda t, y, x: div(t, _one_minus_square(x)),
    lambda x: series.quotient_rule(
        atanh(x[0]), x, series.product(series.shifted(x, 1, -1), series.shifted(x, 1))
    ),
    domain=(-0.8, 0.8),
)


def _root_of_one_plus_square(x: Series) -> Series:
    inside = series.shifted(series.product(x, x), 1)
    return series.square_root(sqrt(inside[0]), inside)


def _roots_around(x: Series) -> Series:
    below, above = series.shifted(x, -1), series.shifted(x, 1)
    return series.product(
        series.square_root(sqrt(below[0]), below), series.square_root(sqrt(above[0]), above)
    )


def sinh(x: Any) -> Any:
    """The hyperbolic sine.

    Parameters
    ----------
    x : Array
        Floating or complex.
    """
    return sinh_p(x)


def cosh(x: Any) -> Any:
    """The hyperbolic cosine.

    Parameters
    ----------
    x : Array
        Floating or complex.
    """
    return cosh_p(x)


def tanh(x: Any) -> Any:
    """The hyperbolic tangent.

    Parameters
    ----------
    x : Array
        Floating or complex.
    """
    return tanh_p(x)


def asinh(x: Any) -> Any:
    """The inverse of the hyperbolic sine.

    Parameters
    ----------
    x : Array
        Floating or complex.
    """
    return asinh_p(x)


def acosh(x: Any) -> Any:
    """The inverse of the hyperbolic cosine, not negative.

    Parameters
    ----------
    x : Array
        Floating or complex.
    """
    return acosh_p(x)


def atanh(x: Any) -> Any:
    """The inverse of the hyperbolic tangent.

    Parameters
    ----------
    x : Array
        Floating or complex.
    """
    return atanh_p(x)


# ---------------------------------------------------------------------- atan2


def _square_of_radius(x: Any, y: Any) -> Any:
    return add(square(x), square(y))


def _atan2_jet(primals: Any, coefficients: Any) -> Any:
    # (x^2 + y^2) z' = y x' - x y'
    x, y = [primals[0], *coefficients[0]], [primals[1], *coefficients[1]]
    out = atan2(primals[0], primals[1])
    radius = series.total(series.product(x, x), series.product(y, y))
    slope = [
        series.difference(a, b)
        for a, b in zip(
            series.product(y[:-1], series.derivative(x)),
            series.product(x[:-1], series.derivative(y)),
            strict=True,
        )
    ]
    return out, series.integral(out, series.quotient(slope, radius[:-1]))[1:]


atan2_p: Primitive = elementwise(
    "atan2",
    accepts=FLOAT,
    arity=2,
    evaluate=np.arctan2,
    # d atan2(x, y) = (y dx - x dy) / (x^2 + y^2)
    tangents=(
        lambda t, out, x, y: mul(t, div(y, _square_of_radius(x, y))),
        lambda t, out, x, y: neg(mul(t, div(x, _square_of_radius(x, y)))),
    ),
    jet=_atan2_jet,
    lower=Element(lambda b, i, x, y: b.atan2(x(*i), y(*i))),
    fold=fold_uniform(lambda: atan2_p),
    sample=elementwise_samples(FLOAT, (0.3, 2.0), (-2.0, 2.0), edges=True),
)


def atan2(x: Any, y: Any) -> Any:
    """The angle in radians, from -pi to pi, of the point with ordinate `x` and abscissa `y`.

    Of complex numbers, ``-i log((y + i x) / sqrt(x*x + y*y))``.

    Parameters
    ----------
    x, y : Array
        Floating or complex; of one shape and one dtype.
    """
    if x.dtype.kind != "c":
        return atan2_p(x, y)
    direction = div(add(y, times(x, 1j)), sqrt(_square_of_radius(x, y)))
    return times(log(direction), -1j)
