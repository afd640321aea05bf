"""Rounding: floor, ceil, round, rem, reduce_precision.

Piecewise constant functions have derivative zero; ``rem(x, y) = x - y trunc(x / y)`` has slope 1
in x; the derivative of ``reduce_precision`` is that of the identity, of which it is an
approximation.  Read next: `cast`.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import IntEnum
from typing import Any

import numpy as np

from fnx.core.lowering import Element
from fnx.core.primitive import Primitive, Sample
from fnx.core.types import ShapedArray
from fnx.errors import ArgumentValueError
from fnx.primitives.arithmetic import div, mul, neg, sub
from fnx.primitives.families import (
    FLOAT,
    REAL,
    elementwise,
    infer_elementwise,
    nondifferentiable,
    same_rank_vmap,
)
from fnx.primitives.folding import fold_uniform
from fnx.primitives.samplers import DTYPES, elementwise_samples, special_rows

__all__ = [
    "RoundingMethod",
    "ceil",
    "ceil_p",
    "floor",
    "floor_p",
    "reduce_precision",
    "reduce_precision_p",
    "rem",
    "rem_p",
    "round",
    "round_p",
]


class RoundingMethod(IntEnum):
    """Where a number halfway between two integers goes.

    Examples
    --------
    >>> RoundingMethod.TO_NEAREST_EVEN
    <RoundingMethod.TO_NEAREST_EVEN: 1>
    """

    AWAY_FROM_ZERO = 0
    TO_NEAREST_EVEN = 1


# ---------------------------------------------------------------------- floor, ceil, round


def _rounding(name: str, evaluate: Any, element: Any, params: Any = ({},)) -> Any:
    primitive = nondifferentiable(
        name,
        infer=infer_elementwise(name, FLOAT, 1),
        evaluate=evaluate,
        vmap=same_rank_vmap(lambda: primitive),
        lower=Element(element),
        fold=fold_uniform(lambda: primitive),
        sample=elementwise_samples(FLOAT, (1.1, 1.4), params=params, edges=True),
    )
    return primitive


def _round_evaluate(x: Any, rounding_method: RoundingMethod) -> Any:
    if rounding_method == RoundingMethod.TO_NEAREST_EVEN:
        return np.rint(x)
    # Exact: trunc(|x| + 0.5) would round up the number just below a half.
    whole = np.trunc(x)
    return np.where(np.abs(x - whole) >= 0.5, whole + np.copysign(np.ones_like(x), x), whole)


def _round_element(b: Any, i: Any, x: Any, rounding_method: RoundingMethod) -> Any:
    if rounding_method == RoundingMethod.TO_NEAREST_EVEN:
        return b.round_half_even(x(*i))
    return b.round_half_away(x(*i))


floor_p = _rounding("floor", np.floor, lambda b, i, x: b.floor(x(*i)))
ceil_p = _rounding("ceil", np.ceil, lambda b, i, x: b.ceil(x(*i)))
round_p = _rounding(
    "round",
    _round_evaluate,
    _round_element,
    params=tuple({"rounding_method": method} for method in RoundingMethod),
)


def floor(x: Any) -> Any:
    """The largest integer that is not above a number.

    Parameters
    ----------
    x : Array
        Floating; so is the result.
    """
    return floor_p(x)


def ceil(x: Any) -> Any:
    """The smallest integer that is not below a number.

    Parameters
    ----------
    x : Array
        Floating; so is the result.
    """
    return ceil_p(x)


def round(x: Any, rounding_method: int = RoundingMethod.AWAY_FROM_ZERO) -> Any:
    """The nearest integer.

    Parameters
    ----------
    x : Array
        Floating; so is the result.
    rounding_method : RoundingMethod
        Where halves go: away from zero, or to the even neighbour.
    """
    return round_p(x, rounding_method=RoundingMethod(rounding_method))


# ---------------------------------------------------------------------- rem


def _rem_evaluate(x: Any, y: Any) -> Any:
    if x.dtype.kind in "iu":
        nothing = y == 0
        return np.where(nothing, x, np.fmod(x, np.where(nothing, np.ones_like(y), y)))
    return np.fmod(x, y)


def _rem_tangent(t: Any, out: Any, x: Any, y: Any) -> Any:
    # x - out is y times an integer, trunc(x / y), so the nearest integer to the quotient is it
    return neg(mul(t, round(div(sub(x, out), y), RoundingMethod.TO_NEAREST_EVEN)))


rem_p: Primitive = elementwise(
    "rem",
    accepts=REAL,
    arity=2,
    evaluate=_rem_evaluate,
    tangents=(lambda t, out, x, y: t, _rem_tangent),
    lower=Element(lambda b, i, x, y: b.rem(x(*i), y(*i))),
    fold=fold_uniform(lambda: rem_p),
    sample=elementwise_samples(REAL, (5.1, 5.4), (1.1, 1.2), edges=True),
)


def rem(x: Any, y: Any) -> Any:
    """The remainder with the sign of the dividend; of integers by 0, the dividend.

    Parameters
    ----------
    x, y : Array
        Not complex; of one shape and one dtype.
    """
    return rem_p(x, y)


# ---------------------------------------------------------------------- reduce_precision


def _reduce_precision_infer(
    x: ShapedArray, *, exponent_bits: int, mantissa_bits: int
) -> ShapedArray:
    if exponent_bits < 1 or mantissa_bits < 0:
        raise ArgumentValueError(
            "reduce_precision: needs at least 1 exponent bit and 0 mantissa bits, got "
            f"exponent_bits={exponent_bits}, mantissa_bits={mantissa_bits}."
        )
    return _reduce_precision_type(x)


_reduce_precision_type = infer_elementwise("reduce_precision", FLOAT, 1)

#: Bits of the exponent and the mantissa, and the unsigned type of the same width, by dtype name.
_LAYOUT: dict[str, tuple[int, int, Any]] = {
    "float64": (11, 52, np.uint64),
    "float32": (8, 23, np.uint32),
    "float16": (5, 10, np.uint16),
    "bfloat16": (8, 7, np.uint16),
}


def _reduce_precision_evaluate(x: Any, exponent_bits: int, mantissa_bits: int) -> Any:
    wide_exponent, wide_mantissa, word = _LAYOUT[x.dtype.name]
    bits = np.ascontiguousarray(x).reshape(x.shape).view(word)
    drop = wide_mantissa - mantissa_bits
    if drop > 0:  # to nearest, ties to even; a carry moves on into the exponent
        odd = (bits >> word(drop)) & word(1)
        bits = (bits + word((1 << (drop - 1)) - 1) + odd) & ~word((1 << drop) - 1)
    if exponent_bits < wide_exponent:
        bias, narrow_bias = (1 << (wide_exponent - 1)) - 1, (1 << (exponent_bits - 1)) - 1
        mask = word(((1 << wide_exponent) - 1) << wide_mantissa)
        sign = bits & word(1 << (wide_exponent + wide_mantissa))
        exponent = bits & mask
        too_large = exponent > word((bias + narrow_bias) << wide_mantissa)
        too_small = exponent <= word((bias - narrow_bias) << wide_mantissa)
        bits = np.where(too_large, sign | mask, bits)
        bits = np.where(too_small, sign, bits)
    return np.where(np.isnan(x), x, bits.astype(word).view(x.dtype))


def _precision_samples(rng: np.random.Generator) -> Iterator[Sample]:
    # The first layout is float64's own, so that the function is smooth where it is differentiated.
    own = {"exponent_bits": 11, "mantissa_bits": 52}
    yield from elementwise_samples(FLOAT, (-2.0, 2.0), params=(own,))(rng)
    narrow = [(5, 10), (8, 7), (8, 23), (4, 3), (11, 20), (1, 0)]
    layouts = [{"exponent_bits": e, "mantissa_bits": m} for e, m in narrow]
    for layout in layouts:
        for dtype in DTYPES["f"]:
            yield Sample((special_rows(dtype),), layout, smooth=False)
            # What overflows, what underflows, and what is halfway between two numbers.
            numbers = 2.0 ** np.arange(-14, 14) * (1 + 2.0**-5)
            for sign in (1, -1):
                yield Sample(((sign * numbers).astype(dtype),), layout, smooth=False)


reduce_precision_p: Primitive = elementwise(
    "reduce_precision",
    accepts=FLOAT,
    evaluate=_reduce_precision_evaluate,
    tangents=(lambda t, out, x, **params: t,),
    infer=_reduce_precision_infer,
    lower=Element(
        lambda b, i, x, exponent_bits, mantissa_bits: b.reduce_precision(
            x(*i), exponent_bits, mantissa_bits
        )
    ),
    fold=fold_uniform(lambda: reduce_precision_p),
    # The first layout is float64's own, so that the function is smooth where it is differentiated.
    sample=_precision_samples,
)


def reduce_precision(operand: Any, exponent_bits: int, mantissa_bits: int) -> Any:
    """The nearest number of a narrower floating format; what is too small for it becomes 0.

    Parameters
    ----------
    operand : Array
        Floating.
    exponent_bits, mantissa_bits : int
        The format; widths beyond the operand's own change nothing.
    """
    return reduce_precision_p(operand, exponent_bits=exponent_bits, mantissa_bits=mantissa_bits)
