"""Elementary functions: exponential, logarithmic, trigonometric, hyperbolic, powers.

Each definition has its derivative beside it.  Derivatives reuse the function's value where they can (``exp' = exp``), and
are written as ``t * slope`` with a slope that doesn't involve the tangent t: so reverse mode transposes one
product, and the slopes are shared between derivatives of every order.  ``t`` is a tangent, ``y`` the value.
Read next: `recurrences` (Taylor series), `special`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from fnx.core.lowering import Element
from fnx.core.primitive import Primitive
from fnx.primitives import recurrences as series
from fnx.primitives.arithmetic import add, div, mul, neg, sub
from fnx.primitives.constants import minus, over, plus, subtracted_from, times
from fnx.primitives.families import FLOAT, INEXACT, elementwise
from fnx.primitives.folding import fold_uniform
from fnx.primitives.recurrences import Series, jet_rule
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
    "atan_p",
    "atanh",
    "atanh_p",
    "cos",
    "cos_p",
    "cosh",
    "cosh_p",
    "exp",
    "exp2",
    "exp2_p",
    "exp_p",
    "expm1",
    "expm1_p",
    "log",
    "log1p",
    "log1p_p",
    "log_p",
    "logistic",
    "logistic_p",
    "sin",
    "sin_p",
    "sinh",
    "sinh_p",
    "tan",
    "tan_p",
    "tanh",
    "tanh_p",
]


def function(
    name: str,
    evaluate: Callable[[Any], Any],
    slope: Callable[[Any, Any, Any], Any],
    jet: Callable[[Any, Series], Series],
    domain: tuple[float, float] = (-2.0, 2.0),
    accepts: str = INEXACT,
) -> Primitive:
    """An elementary function of one number, which is also a word of element rules.

    Parameters
    ----------
    name : str
        Of the primitive and of the builder's method.
    evaluate : callable
        NumPy.
    slope : callable
        ``slope(t, y, x)``: the tangent.
    jet : callable
        The series of the result from that of the operand.
    domain : pair of float
        Where the sampler draws.
    accepts : str
        Kinds of dtypes.
    """
    primitive = elementwise(
        name,
        accepts=accepts,
        evaluate=evaluate,
        tangents=(slope,),
        jet=jet_rule(jet),
        lower=Element(lambda b, i, x: getattr(b, name)(x(*i))),
        fold=fold_uniform(lambda: primitive),
        sample=elementwise_samples(accepts, domain, edges=True),
    )
    return primitive


# ---------------------------------------------------------------------------------------------- exponentials

LOG_2 = math.log(2.0)

exp_p = function(
    "exp",
    np.exp,
    lambda t, y, x: mul(t, y),
    lambda x: series.exponential(exp(x[0]), x),
)
exp2_p = function(
    "exp2",
    np.exp2,
    lambda t, y, x: mul(t, times(y, LOG_2)),
    lambda x: series.exponential(exp2(x[0]), [x[0], *series.scaled(x[1:], LOG_2)]),
)
expm1_p = function(
    "expm1",
    np.expm1,
    lambda t, y, x: mul(t, plus(y, 1)),
    lambda x: _expm1_series(expm1(x[0]), x),
)
logistic_p = function(
    "logistic",
    lambda x: _logistic_evaluate(x),
    lambda t, y, x: mul(t, mul(y, subtracted_from(1, y))),
    lambda x: _logistic_series(logistic(x[0]), x),
)


def _logistic_evaluate(x: Any) -> Any:
    if x.dtype.itemsize == 2:  # one rounding
        return _logistic_evaluate(x.astype(np.float32)).astype(x.dtype)
    one = x.dtype.type(1)
    return one / (one + np.exp(-x))


def _expm1_series(y0: Any, x: Series) -> Series:
    return series.product_rule(y0, x, lambda y, s: y[-1], plus(y0, 1))[0]


def _logistic_series(y0: Any, x: Series) -> Series:
    # y' = (y - y^2) x'
    def slope(y: Series, s: Series) -> Any:
        return series.minus(y[-1], series.last_of_product(y, y))

    return series.product_rule(y0, x, slope, mul(y0, subtracted_from(1, y0)))[0]


def exp(x: Any) -> Any:
    """The exponential function.

    Parameters
    ----------
    x : Array
        Floating or complex.
    """
    return exp_p(x)


def exp2(x: Any) -> Any:
    """Two to the power of a number.

    Parameters
    ----------
    x : Array
        Floating or complex.
    """
    return exp2_p(x)


def expm1(x: Any) -> Any:
    """``exp(x) - 1``, accurate near 0.

    Parameters
    ----------
    x : Array
        Floating or complex.
    """
    return expm1_p(x)


def logistic(x: Any) -> Any:
    """The sigmoid ``1 / (1 + exp(-x))``.

    Parameters
    ----------
    x : Array
        Floating or complex.
    """
    return logistic_p(x)


# ---------------------------------------------------------------------------------------------- logarithms

log_p = function(
    "log",
    np.log,
    lambda t, y, x: div(t, x),
    lambda x: series.quotient_rule(log(x[0]), x, x),
    domain=(0.3, 3.0),
)
log1p_p = function(
    "log1p",
    np.log1p,
    lambda t, y, x: div(t, plus(x, 1)),
    lambda x: series.quotient_rule(log1p(x[0]), x, series.shifted(x, 1)),
    domain=(-0.7, 2.0),
)


def log(x: Any) -> Any:
    """The natural logarithm.

    Parameters
    ----------
    x : Array
        Floating or complex.
    """
    return log_p(x)


def log1p(x: Any) -> Any:
    """``log(1 + x)``, accurate near 0.

    Parameters
    ----------
    x : Array
        Floating or complex.
    """
    return log1p_p(x)


# ---------------------------------------------------------------------------------------------- trigonometric

sin_p = function(
    "sin",
    np.sin,
    lambda t, y, x: mul(t, cos(x)),
    lambda x: _circular(sin(x[0]), cos(x[0]), x, -1)[0],
)
cos_p = function(
    "cos",
    np.cos,
    lambda t, y, x: neg(mul(t, sin(x))),
    lambda x: _circular(sin(x[0]), cos(x[0]), x, -1)[1],
)
tan_p = function(
    "tan",
    np.tan,
    lambda t, y, x: mul(t, plus(mul(y, y), 1)),
    lambda x: _tangent(tan(x[0]), x, 1),
    domain=(-1.2, 1.2),
)
asin_p = function(
    "asin",
    np.arcsin,
    lambda t, y, x: div(t, _root_of_one_minus_square(x)),
    lambda x: series.quotient_rule(asin(x[0]), x, _root_series(x, 1, -1)),
    domain=(-0.8, 0.8),
)
acos_p = function(
    "acos",
    np.arccos,
    lambda t, y, x: neg(div(t, _root_of_one_minus_square(x))),
    lambda x: series.opposite(
        series.quotient_rule(neg(acos(x[0])), x, _root_series(x, 1, -1))
    ),
    domain=(-0.8, 0.8),
)
atan_p = function(
    "atan",
    np.arctan,
    lambda t, y, x: div(t, plus(mul(x, x), 1)),
    lambda x: series.quotient_rule(
        atan(x[0]), x, series.shifted(series.product(x, x), 1)
    ),
    domain=(-0.8, 0.8),
)
