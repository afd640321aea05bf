"""Exponentials, logarithms, and what is made of them: exp exp2 expm1 log log1p logistic pow.

Read next: `trigonometric`.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from fnx.core.lowering import Element
from fnx.core.primitive import Primitive, Sample, Zero
from fnx.core.types import ShapedArray, tangent_type
from fnx.dtypes import kind_of
from fnx.errors import ArgumentTypeError
from fnx.primitives import recurrences as series
from fnx.primitives.arithmetic import div, mul
from fnx.primitives.cast import convert_element_type
from fnx.primitives.comparison import eq, select_n
from fnx.primitives.constants import divided_by, like, minus, plus, subtracted_from, times
from fnx.primitives.elementary import elementary
from fnx.primitives.families import INEXACT, check_kinds, elementwise
from fnx.primitives.folding import fold_uniform
from fnx.primitives.recurrences import Series
from fnx.primitives.samplers import DTYPES, arrays, elementwise_samples

__all__ = [
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
    "pow",
    "pow_p",
]


# ---------------------------------------------------------------------- exponentials

LOG_2 = math.log(2.0)

exp_p = elementary(
    "exp",
    np.exp,
    lambda t, y, x: mul(t, y),
    lambda x: series.exponential(exp(x[0]), x),
)
exp2_p = elementary(
    "exp2",
    np.exp2,
    lambda t, y, x: mul(t, times(y, LOG_2)),
    lambda x: series.exponential(exp2(x[0]), [x[0], *series.scaled(x[1:], LOG_2)]),
)
expm1_p = elementary(
    "expm1",
    lambda x: _expm1_evaluate(x),
    lambda t, y, x: mul(t, plus(y, 1)),
    lambda x: _expm1_series(expm1(x[0]), x),
)
logistic_p = elementary(
    "logistic",
    lambda x: _logistic_evaluate(x),
    lambda t, y, x: mul(t, mul(y, subtracted_from(1, y))),
    lambda x: _logistic_series(logistic(x[0]), x),
)


def _expm1_evaluate(z: Any) -> Any:
    if z.dtype.kind != "c":
        return np.expm1(z)
    # exp(x) cos y - 1 = expm1(x) cos y - 2 sin(y/2)^2; NumPy's has NaNs where x is infinite.
    x, y = z.real, z.imag
    grown, half = np.expm1(x), np.sin(y / 2)
    edge = np.isinf(x) & ~np.isfinite(y)
    result = np.empty_like(z)
    result.real = np.where(edge, grown, grown * np.cos(y) - 2 * half * half)
    result.imag = np.where(y == 0, y, np.where(edge & (x < 0), 0, np.exp(x) * np.sin(y)))
    return result


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
        return series.difference(y[-1], series.last_of_product(y, y))

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


# ---------------------------------------------------------------------- logarithms

log_p = elementary(
    "log",
    np.log,
    lambda t, y, x: div(t, x),
    lambda x: series.quotient_rule(log(x[0]), x, x),
    domain=(0.3, 3.0),
)
log1p_p = elementary(
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


# ---------------------------------------------------------------------- pow


def _pow_infer(x: ShapedArray, y: ShapedArray) -> ShapedArray:
    check_kinds("pow", INEXACT, [x])
    if x.shape != y.shape or (y.dtype != x.dtype and kind_of(y.dtype) not in "iu"):
        raise ArgumentTypeError(
            "pow: the exponent must have the base's shape, and its dtype or an integer one, got "
            f"{x!r} ** {y!r}. Broadcast or convert explicitly, or use `fnx.numpy.power`."
        )
    return ShapedArray(x.shape, x.dtype, x.weak_type and y.weak_type)


def _pow_evaluate(x: Any, y: Any) -> Any:
    return np.power(x, y.astype(x.dtype))


def _base_tangent(t: Any, out: Any, x: Any, y: Any) -> Any:
    # y x^(y-1); for y = 0 the power is taken as x^0, so that x = 0 gives 0 and not 0 * inf
    nothing = eq(y, like(y, 0))
    power = pow(x, select_n(nothing, minus(y, 1), like(y, 0)))
    return mul(t, mul(_as(y, x), power))


def _exponent_tangent(t: Any, out: Any, x: Any, y: Any) -> Any:
    if y.dtype != x.dtype:  # integers have no tangents
        return Zero(tangent_type(out.aval))
    # x^y log x, and 0 where x = 0
    return mul(t, mul(out, log(select_n(eq(x, like(x, 0)), x, like(x, 1)))))


def _as(y: Any, x: Any) -> Any:
    return y if y.dtype == x.dtype else convert_element_type(y, x.dtype)


def _pow_jet(primals: Any, coefficients: Any) -> Any:
    (x, y), (xs, ys) = primals, coefficients
    order = len(xs)
    out = pow(x, y)
    if all(type(c) is Zero for c in ys):
        # (x + d)^y = sum_n binomial(y, n) x^(y-n) d^n; a power whose coefficient is 0 may be
        # infinite
        exponent = _as(y, x)
        binomial, derivatives = like(x, 1), [out]
        for n in range(1, order + 1):
            binomial = divided_by(mul(binomial, minus(exponent, n - 1)), n)
            vanishes = eq(binomial, like(x, 0))
            power = pow(x, select_n(vanishes, minus(exponent, n), like(x, 0)))
            derivatives.append(mul(binomial, power))
        return out, series.composed(derivatives, [x, *xs])[1:]
    logarithm = series.quotient_rule(log(x), [x, *xs], [x, *xs])  # x^y = exp(y log x)
    return out, series.exponential(out, series.product([y, *ys], logarithm))[1:]


def _pow_samples(rng: np.random.Generator) -> Any:
    yield from elementwise_samples(INEXACT, (0.4, 2.0), (-2.0, 2.0), edges=True)(rng)
    for dtype in (*DTYPES["f"], *DTYPES["c"]):
        for power in (np.int32, np.int8, np.uint16):
            yield Sample((arrays(rng, (5,), dtype, 0.4, 2.0), arrays(rng, (5,), power)), {})


pow_p: Primitive = elementwise(
    "pow",
    accepts=INEXACT,
    arity=2,
    infer=_pow_infer,
    evaluate=_pow_evaluate,
    tangents=(_base_tangent, _exponent_tangent),
    jet=_pow_jet,
    lower=Element(lambda b, i, x, y: b.pow(x(*i), b.convert(y(*i), x.aval.dtype))),
    fold=fold_uniform(lambda: pow_p),
    sample=_pow_samples,
)


def pow(x: Any, y: Any) -> Any:
    """A number to the power of another one.

    Parameters
    ----------
    x : Array
        Floating or complex.
    y : Array
        Of the shape of `x`; of its dtype, or of integers.
    """
    return pow_p(x, y)
