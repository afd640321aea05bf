"""Arithmetic: add, sub, mul, div, neg, square.  Operands of one shape and one dtype.

The identities that `fold` rules use hold for every value, NaN, infinities and -0 included:
``x - 0 = x``, ``x + (-0) = x``, ``x * 1 = x``, ``x / 1 = x``, ``-(-x) = x``,
``a + (-b) = a - b``, ``a - (-b) = a + b``, ``(-a) * b = -(a * b)``, ``x * x = square(x)``,
``x + x = 2x``, ``2 (4x) = 8x`` (for powers of two that are at least 1).  Not among them:
``x + 0`` (of -0 it is 0), ``x * 0`` (of inf it is NaN), ``(-a) + (-b) = -(a + b)`` (a zero would
get the other sign), ``2 (x / 2)`` (what is too small is rounded on the way).  The size of nested
derivatives hangs on these rules.  Read next: `elementary`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from fnx.core.jaxpr import Literal
from fnx.core.lowering import Element
from fnx.core.primitive import Linear, Primitive, Zero
from fnx.core.types import tangent_type
from fnx.dtypes import kind_of
from fnx.primitives.families import (
    NUMBER,
    elementwise,
    linear,
    same_rank_vmap,
)
from fnx.primitives.families import infer_elementwise as _infer
from fnx.primitives.folding import fold_uniform, repeated, uniform
from fnx.primitives.samplers import elementwise_samples
from fnx.primitives.series import bilinear_series

__all__ = [
    "add",
    "add_p",
    "div",
    "div_p",
    "mul",
    "mul_p",
    "neg",
    "neg_p",
    "square",
    "square_p",
    "sub",
    "sub_p",
]

ANY = (-2.0, 2.0)


def literal_is(atom: Any, number: float, negative_zero: bool = False) -> bool:
    """Whether an atom is the given number in the text of the program (zeros by their sign)."""
    if type(atom) is not Literal:
        return False
    value = atom.val
    if value.dtype.kind not in "iufc" or value != number:
        return False
    return number != 0 or value.dtype.kind in "iu" or bool(np.signbit(value.real)) == negative_zero


def uniform_is(staging: Any, atom: Any, number: float, negative_zero: bool = False) -> bool:
    """Whether an atom is an array of the given number."""
    if type(atom) is Literal:
        return literal_is(atom, number, negative_zero)
    eqn = staging.definition(atom)
    return (
        eqn is not None
        and eqn.primitive.name == "broadcast_in_dim"
        and literal_is(eqn.inputs[0], number, negative_zero)
    )


def negated(staging: Any, atom: Any) -> Any:
    """x, if the atom is defined as -x; else None."""
    eqn = staging.definition(atom)
    return eqn.inputs[0] if eqn is not None and eqn.primitive is neg_p else None


def same_or(result: Any, atom: Any) -> Any:
    """The atom, if it has the type that the folded equation would have."""
    return atom if atom.aval.shape == result.shape and atom.aval.dtype == result.dtype else None


# ---------------------------------------------------------------------- neg


def _neg_fold(staging: Any, atoms: Any, params: Any) -> Any:
    return negated(staging, atoms[0])  # -(-x) = x


neg_p: Primitive = linear(
    "neg",
    infer=_infer("neg", NUMBER, 1),
    evaluate=np.negative,
    transpose=lambda ct, x: [neg(ct)],
    vmap=same_rank_vmap(lambda: neg_p),
    lower=Element(lambda b, i, x: b.neg(x(*i))),
    fold=fold_uniform(lambda: neg_p, _neg_fold),
    sample=elementwise_samples(NUMBER, ANY, linear=(0,), edges=True),
)


def neg(x: Any) -> Any:
    """The number of opposite sign; unsigned integers wrap.

    Parameters
    ----------
    x : Array
        Of numbers.
    """
    return neg_p(x)


# ---------------------------------------------------------------------- add, sub


def _add_fold(staging: Any, atoms: Any, params: Any) -> Any:
    x, y = atoms
    if uniform_is(staging, y, 0, negative_zero=True):
        return x  # x + (-0) = x
    if uniform_is(staging, x, 0, negative_zero=True):
        return y
    for a, b in ((x, y), (y, x)):
        minus = negated(staging, b)
        if minus is not None:  # a + (-b) = a - b
            return staging.process(sub_p, [staging.wrap(a), staging.wrap(minus)], {}).atom
    if x is y and kind_of(x.aval.dtype) == "f":  # x + x = 2x, so that factors of two can meet
        return staging.process(mul_p, [repeated(staging, 2, x.aval), staging.wrap(x)], {}).atom
    return None


def _sub_fold(staging: Any, atoms: Any, params: Any) -> Any:
    x, y = atoms
    if uniform_is(staging, y, 0):
        return x  # x - 0 = x
    minus = negated(staging, y)
    if minus is not None:  # a - (-b) = a + b
        return staging.process(add_p, [staging.wrap(x), staging.wrap(minus)], {}).atom
    return None


def _sum_jvp(primitive: Any, sign: Any) -> Any:
    def jvp(primals: Any, tangents: Any) -> Any:  # d(x +- y) = dx +- dy
        out = primitive()(*primals)
        return out, _sum_terms(primitive(), sign, tangents, tangent_type(out.aval))

    return jvp


def _sum_jet(primitive: Any, sign: Any) -> Any:
    def jet(primals: Any, series: Any) -> Any:
        out = primitive()(*primals)
        pairs = zip(*series, strict=True)
        return out, [_sum_terms(primitive(), sign, p, tangent_type(out.aval)) for p in pairs]

    return jet


def _sum_terms(primitive: Any, sign: Any, terms: Any, aval: Any) -> Any:
    x, y = terms
    if aval.dtype.names is not None or (type(x) is Zero and type(y) is Zero):
        return Zero(aval)
    if type(y) is Zero:
        return x
    return sign(y) if type(x) is Zero else primitive(x, y)


def _sum_transpose(sign: Any) -> Any:
    def transpose(ct: Any, x: Any, y: Any) -> Any:
        return [ct if type(x) is Linear else None, sign(ct) if type(y) is Linear else None]

    return transpose


add_p: Primitive = linear(
    "add",
    infer=_infer("add", NUMBER, 2),
    evaluate=np.add,
    jvp=_sum_jvp(lambda: add_p, lambda y: y),
    transpose=_sum_transpose(lambda ct: ct),
    vmap=same_rank_vmap(lambda: add_p),
    jet=_sum_jet(lambda: add_p, lambda y: y),
    lower=Element(lambda b, i, x, y: b.add(x(*i), y(*i))),
    commutative=True,
    fold=fold_uniform(lambda: add_p, _add_fold),
    sample=elementwise_samples(NUMBER, ANY, ANY, linear=(0, 1), edges=True),
)

sub_p: Primitive = linear(
    "sub",
    infer=_infer("sub", NUMBER, 2),
    evaluate=np.subtract,
    jvp=_sum_jvp(lambda: sub_p, neg),
    transpose=_sum_transpose(neg),
    vmap=same_rank_vmap(lambda: sub_p),
    jet=_sum_jet(lambda: sub_p, neg),
    lower=Element(lambda b, i, x, y: b.sub(x(*i), y(*i))),
    fold=fold_uniform(lambda: sub_p, _sub_fold),
    sample=elementwise_samples(NUMBER, ANY, ANY, linear=(0, 1), edges=True),
)


def add(x: Any, y: Any) -> Any:
    """The sum of numbers of one dtype; integers wrap.

    Parameters
    ----------
    x, y : Array
        Of one shape and one dtype.
    """
    return add_p(x, y)


def sub(x: Any, y: Any) -> Any:
    """The difference of numbers of one dtype; integers wrap.

    Parameters
    ----------
    x, y : Array
        Of one shape and one dtype.
    """
    return sub_p(x, y)


# ---------------------------------------------------------------------- mul, div


def _mul_fold(staging: Any, atoms: Any, params: Any) -> Any:
    x, y = atoms
    if x is y:
        return staging.process(square_p, [staging.wrap(x)], {}).atom
    if uniform_is(staging, y, 1):
        return x  # x * 1 = x
    if uniform_is(staging, x, 1):
        return y
    for a, b in ((x, y), (y, x)):
        if uniform_is(staging, b, -1) and a.aval.dtype.kind in "if":
            return staging.process(neg_p, [staging.wrap(a)], {}).atom
        minus = negated(staging, b)
        if minus is not None and a.aval.dtype.kind in "if":  # a * (-b) = -(a * b)
            product = staging.process(mul_p, [staging.wrap(a), staging.wrap(minus)], {})
            return staging.process(neg_p, [product], {}).atom
        merged = _merged_factors(staging, a, b)
        if merged is not None:
            return merged
    return None


def _merged_factors(staging: Any, a: Any, b: Any) -> Any:
    """``c (d x)`` as ``(c d) x``, for numbers c and d with which no product rounds."""
    outer, inner = uniform(staging, b), staging.definition(a)
    if outer is None or inner is None or inner.primitive is not mul_p:
        return None
    for x, y in (inner.inputs, inner.inputs[::-1]):
        factor = uniform(staging, y)
        if factor is not None and _is_large_power(outer[0]) and _is_large_power(factor[0]):
            number = factor[0].val * outer[0].val
            if np.isfinite(number):
                both = repeated(staging, number, a.aval)
                return staging.process(mul_p, [both, staging.wrap(x)], {}).atom
    return None


def _is_large_power(number: Literal) -> bool:
    """Whether a number is plus or minus 1, 2, 4, ..."""
    if kind_of(number.aval.dtype) != "f":
        return False
    mantissa, exponent = np.frexp(number.val.astype(np.float64))
    return bool(np.abs(mantissa) == 0.5) and int(exponent) >= 1


def _mul_transpose(ct: Any, x: Any, y: Any) -> Any:
    if type(x) is Linear:
        return [mul(ct, y), None]
    return [None, mul(x, ct)]


def _mul_jet(primals: Any, series: Any) -> Any:
    out = mul(*primals)
    (x, y), (xs, ys) = primals, series
    return out, bilinear_series(mul, add, [x, *xs], [y, *ys], Zero(tangent_type(out.aval)))


mul_p: Primitive = elementwise(
    "mul",
    accepts=NUMBER,
    arity=2,
    evaluate=np.multiply,
    tangents=(lambda t, out, x, y: mul(t, y), lambda t, out, x, y: mul(x, t)),
    transpose=_mul_transpose,
    jet=_mul_jet,
    lower=Element(lambda b, i, x, y: b.mul(x(*i), y(*i))),
    commutative=True,
    fold=fold_uniform(lambda: mul_p, _mul_fold),
    sample=elementwise_samples(NUMBER, ANY, ANY, linear=(0,), edges=True),
)


def mul(x: Any, y: Any) -> Any:
    """The product of numbers of one dtype; integers wrap.

    Parameters
    ----------
    x, y : Array
        Of one shape and one dtype.
    """
    return mul_p(x, y)


def _square_tangent(t: Any, out: Any, x: Any) -> Any:
    half = mul(t, x)  # d(x^2) = 2 (dx x)
    return add(half, half)


def _square_jet(primals: Any, series: Any) -> Any:
    out = square(*primals)
    x = [primals[0], *series[0]]
    return out, bilinear_series(mul, add, x, x, Zero(tangent_type(out.aval)))


square_p: Primitive = elementwise(
    "square",
    accepts=NUMBER,
    evaluate=lambda x: np.multiply(x, x),
    tangents=(_square_tangent,),
    jet=_square_jet,
    lower=Element(lambda b, i, x: b.square(x(*i))),
    fold=fold_uniform(lambda: square_p),
    sample=elementwise_samples(NUMBER, ANY, edges=True),
)


def square(x: Any) -> Any:
    """The product of a number with itself.

    Parameters
    ----------
    x : Array
        Of numbers.
    """
    return square_p(x)


def _div_evaluate(x: Any, y: Any) -> Any:
    if x.dtype.kind in "fcV":
        return np.divide(x, y)
    # Toward zero; x / 0 is all ones and the lowest integer over -1 is itself, as in XLA.
    safe = np.where(y == 0, np.ones_like(y), y)
    if x.dtype.kind == "u":
        return np.where(y == 0, np.iinfo(x.dtype).max, x // safe).astype(x.dtype)
    quotient = x // safe
    quotient = quotient + ((x % safe != 0) & ((x < 0) != (safe < 0))).astype(x.dtype)
    return np.where(y == 0, np.array(-1, x.dtype), quotient).astype(x.dtype)


def _div_fold(staging: Any, atoms: Any, params: Any) -> Any:
    return atoms[0] if uniform_is(staging, atoms[1], 1) else None  # x / 1 = x


def _div_jet(primals: Any, series: Any) -> Any:
    # z = x / y: z_k = (x_k - sum_{j<k} z_j y_{k-j}) / y_0
    (x, y), (xs, ys) = primals, series
    out = div(x, y)
    zero = Zero(tangent_type(out.aval))
    zs: list[Any] = [out]
    for k in range(1, len(xs) + 1):
        total = xs[k - 1]
        for j in range(k):
            if type(zs[j]) is not Zero and type(ys[k - j - 1]) is not Zero:
                term = mul(zs[j], ys[k - j - 1])
                total = neg(term) if type(total) is Zero else sub(total, term)
        zs.append(zero if type(total) is Zero else div(total, y))
    return out, zs[1:]


div_p: Primitive = elementwise(
    "div",
    accepts=NUMBER,
    arity=2,
    evaluate=_div_evaluate,
    # d(x/y) = dx/y - (x/y) dy/y
    tangents=(
        lambda t, out, x, y: div(t, y),
        lambda t, out, x, y: neg(mul(t, div(out, y))),
    ),
    transpose=lambda ct, x, y: [div(ct, y), None],
    jet=_div_jet,
    lower=Element(lambda b, i, x, y: b.div(x(*i), y(*i))),
    fold=fold_uniform(lambda: div_p, _div_fold),
    sample=elementwise_samples(NUMBER, ANY, (0.5, 2.0), linear=(0,), edges=True),
)


def div(x: Any, y: Any) -> Any:
    """The quotient; of integers, toward zero.

    Parameters
    ----------
    x, y : Array
        Of one shape and one dtype.
    """
    return div_p(x, y)
