"""Powers and roots: integer_pow, reciprocal, sqrt, rsqrt, cbrt.

``integer_pow`` has a Python int as exponent and takes integers, too; ``pow``, with an array, is in
`exponential`. Read next: `exponential`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from fnx.core.lowering import Element
from fnx.core.primitive import Primitive, Zero
from fnx.core.types import ShapedArray, tangent_type
from fnx.dtypes import kind_of
from fnx.errors import ArgumentTypeError
from fnx.primitives import recurrences as series
from fnx.primitives.arithmetic import div, mul, square, square_p
from fnx.primitives.constants import like, over, times
from fnx.primitives.elementary import elementary
from fnx.primitives.families import (
    FLOAT,
    INEXACT,
    NUMBER,
    elementwise,
    infer_elementwise,
)
from fnx.primitives.folding import fold_uniform
from fnx.primitives.recurrences import Series, jet_rule
from fnx.primitives.samplers import elementwise_samples

__all__ = [
    "cbrt",
    "cbrt_p",
    "integer_pow",
    "integer_pow_p",
    "reciprocal",
    "rsqrt",
    "rsqrt_p",
    "sqrt",
    "sqrt_p",
    "square",
]


# ---------------------------------------------------------------------- integer_pow


def _integer_pow_infer(x: ShapedArray, *, y: int) -> ShapedArray:
    if y < 0 and kind_of(x.dtype) in "iu":
        raise ArgumentTypeError(
            f"integer_pow: {x!r} ** {y} is not an integer. "
            "Convert the base to a floating dtype first."
        )
    return _number(x)


_number = infer_elementwise("integer_pow", NUMBER, 1)


def _integer_pow_evaluate(x: Any, y: int) -> Any:
    if y < 0:
        return np.ones_like(x) / _integer_pow_evaluate(x, -y)
    if y == 0:
        return np.ones_like(x)
    result, square = None, x
    while y:  # by repeated squaring, as compiled code does
        if y & 1:
            result = square if result is None else result * square
        y >>= 1
        if y:
            square = square * square
    return result


def _integer_pow_tangent(t: Any, out: Any, x: Any, y: int) -> Any:
    if y == 0:
        return Zero(t.aval)
    return mul(t, times(integer_pow(x, y - 1), y))


def _integer_pow_series(x: Series, y: int) -> Series:
    if y < 0:
        power = _integer_pow_series(x, -y)
        one = [like(x[0], 1), *[Zero(tangent_type(x[0].aval))] * (len(x) - 1)]
        return [integer_pow(x[0], y), *series.quotient(one, power)[1:]]
    if y == 0:
        return [like(x[0], 1), *[Zero(tangent_type(x[0].aval))] * (len(x) - 1)]
    result: Series | None = None
    square = x
    while y:
        if y & 1:
            result = square if result is None else series.product(result, square)
        y >>= 1
        if y:
            square = series.product(square, square)
    return x if result is None else result


def _integer_pow_fold(staging: Any, atoms: Any, params: Any) -> Any:
    (x,) = atoms
    if params["y"] == 1:
        return x
    if params["y"] == 2:
        return staging.process(square_p, [staging.wrap(x)], {}).atom
    return None


def _integer_pow_samples(rng: np.random.Generator) -> Any:
    exponents = [{"y": k} for k in (-3, -2, -1, 0, 1, 2, 3, 4, 7)]
    yield from elementwise_samples(INEXACT, (0.5, 2.0), params=exponents, edges=True)(rng)
    natural = [p for p in exponents if p["y"] >= 0]
    yield from elementwise_samples("iu", (-3.0, 3.0), params=natural)(rng)


integer_pow_p: Primitive = elementwise(
    "integer_pow",
    accepts=NUMBER,
    infer=_integer_pow_infer,
    evaluate=_integer_pow_evaluate,
    tangents=(_integer_pow_tangent,),
    jet=jet_rule(_integer_pow_series),
    lower=Element(lambda b, i, x, y: b.integer_pow(x(*i), y)),
    fold=fold_uniform(lambda: integer_pow_p, _integer_pow_fold),
    sample=_integer_pow_samples,
)


def integer_pow(x: Any, y: int) -> Any:
    """A number to the power of a constant integer, by multiplications.

    Parameters
    ----------
    x : Array
        Of numbers.
    y : int
        The exponent; not negative if `x` is of integers.
    """
    return x if y == 1 else integer_pow_p(x, y=int(y))


def reciprocal(x: Any) -> Any:
    """``1 / x``.

    Parameters
    ----------
    x : Array
        Floating or complex.
    """
    return over(1, x)


# ---------------------------------------------------------------------- roots


def _in_single(function: Any) -> Any:
    """Half-width floats computed in float32, so that they are rounded once."""

    def evaluate(x: Any) -> Any:
        if x.dtype.itemsize == 2:
            return function(x.astype(np.float32)).astype(x.dtype)
        return function(x)

    return evaluate


sqrt_p = elementary(
    "sqrt",
    np.sqrt,
    lambda t, y, x: mul(t, over(0.5, y)),
    lambda x: series.square_root(sqrt(x[0]), x),
    domain=(0.3, 2.0),
)
rsqrt_p = elementary(
    "rsqrt",
    _in_single(lambda x: x.dtype.type(1) / np.sqrt(x)),
    lambda t, y, x: mul(t, times(div(y, x), -0.5)),
    lambda x: series.constant_power(rsqrt(x[0]), x, -0.5),
    domain=(0.3, 2.0),
)
cbrt_p = elementary(
    "cbrt",
    np.cbrt,
    lambda t, y, x: mul(t, over(1 / 3, mul(y, y))),
    lambda x: series.constant_power(cbrt(x[0]), x, 1 / 3),
    domain=(0.3, 2.0),
    accepts=FLOAT,
)


def sqrt(x: Any) -> Any:
    """The square root.

    Parameters
    ----------
    x : Array
        Floating or complex.
    """
    return sqrt_p(x)


def rsqrt(x: Any) -> Any:
    """``1 / sqrt(x)``.

    Parameters
    ----------
    x : Array
        Floating or complex.
    """
    return rsqrt_p(x)


def cbrt(x: Any) -> Any:
    """The cube root, of the sign of the number.

    Parameters
    ----------
    x : Array
        Floating.
    """
    return cbrt_p(x)
