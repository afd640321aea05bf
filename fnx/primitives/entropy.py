"""Products with logarithms that are 0 where the factor is: x log y, x log(1 + y), entropies.

``0 log 0`` is 0 here. Derivatives are those of the formula: ``d(x log y) = dx log y + dy x / y``.
Each formula is written once, in words that both NumPy and the compiler's element rules speak. Read
next: `exponential`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np

from fnx.core.lowering import Element
from fnx.core.primitive import Primitive
from fnx.primitives.arithmetic import div, mul, neg
from fnx.primitives.constants import plus
from fnx.primitives.exponential import log, log1p
from fnx.primitives.families import FLOAT, INEXACT, elementwise
from fnx.primitives.folding import fold_uniform
from fnx.primitives.samplers import elementwise_samples

__all__ = ["entr", "rel_entr", "xlog1py", "xlogy"]

NUMPY = SimpleNamespace(
    and_=np.logical_and,
    constant=lambda value, dtype: np.asarray(value, dtype),
    div=np.divide,
    eq=np.equal,
    gt=np.greater,
    log=np.log,
    log1p=np.log1p,
    lt=np.less,
    mul=np.multiply,
    ne=np.not_equal,
    neg=np.negative,
    or_=np.logical_or,
    select=np.where,
    sub=np.subtract,
)


def _product(b: Any, x: Any, logarithm: Any, y: Any) -> Any:
    """``x logarithm``, and 0 where x is 0 and y is a number."""
    zero = b.constant(0, x.dtype)
    vanishes = b.and_(b.eq(x, zero), b.eq(y, y))
    return b.select(vanishes, zero, b.mul(x, logarithm))


def _entropy(b: Any, x: Any) -> Any:
    zero = b.constant(0, x.dtype)
    product = b.neg(_product(b, x, b.log(x), x))
    return b.select(b.lt(x, zero), b.constant(-math.inf, x.dtype), product)


def _relative_entropy(b: Any, p: Any, q: Any) -> Any:
    zero, infinity = b.constant(0, p.dtype), b.constant(math.inf, p.dtype)
    ratio = b.div(p, q)
    usual = b.and_(b.gt(ratio, zero), b.lt(ratio, infinity))
    logarithm = b.select(usual, b.log(ratio), b.sub(b.log(p), b.log(q)))
    both = b.and_(b.gt(p, zero), b.gt(q, zero))
    nothing = b.and_(b.eq(p, zero), b.or_(b.eq(q, zero), b.gt(q, zero)))
    value = b.select(both, b.mul(p, logarithm), b.select(nothing, zero, infinity))
    # NaN stays NaN
    return b.select(b.eq(p, p), b.select(b.eq(q, q), value, q), p)


def _in_words(
    name: str,
    formula: Callable[..., Any],
    tangents: Sequence[Callable[..., Any]],
    *domains: tuple[float, float],
    accepts: str = FLOAT,
) -> Primitive:
    primitive = elementwise(
        name,
        accepts=accepts,
        arity=len(domains),
        evaluate=lambda *x: np.asarray(formula(NUMPY, *x), x[0].dtype),
        tangents=tangents,
        lower=Element(lambda b, i, *x: formula(b, *[operand(*i) for operand in x])),
        fold=fold_uniform(lambda: primitive),
        sample=elementwise_samples(accepts, *domains),
    )
    return primitive


xlogy_p = _in_words(
    "xlogy",
    lambda b, x, y: _product(b, x, b.log(y), y),
    (lambda t, out, x, y: mul(t, log(y)), lambda t, out, x, y: mul(t, div(x, y))),
    (-2.0, 2.0),
    (0.3, 3.0),
    accepts=INEXACT,
)
xlog1py_p = _in_words(
    "xlog1py",
    lambda b, x, y: _product(b, x, b.log1p(y), y),
    (lambda t, out, x, y: mul(t, log1p(y)), lambda t, out, x, y: mul(t, div(x, plus(y, 1)))),
    (-2.0, 2.0),
    (-0.7, 3.0),
    accepts=INEXACT,
)
entr_p = _in_words("entr", _entropy, (lambda t, out, x: neg(mul(t, plus(log(x), 1))),), (0.3, 3.0))
rel_entr_p = _in_words(
    "rel_entr",
    _relative_entropy,
    (
        lambda t, out, p, q: mul(t, plus(log(div(p, q)), 1)),
        lambda t, out, p, q: neg(mul(t, div(p, q))),
    ),
    (0.3, 3.0),
    (0.3, 3.0),
)


def xlogy(x: Any, y: Any) -> Any:
    """``x log(y)``, 0 where x is 0.

    Parameters
    ----------
    x : Array
        Floating or complex.
    y : Array
        Of the shape and dtype of `x`.
    """
    return xlogy_p(x, y)


def xlog1py(x: Any, y: Any) -> Any:
    """``x log(1 + y)``, 0 where x is 0.

    Parameters
    ----------
    x : Array
        Floating or complex.
    y : Array
        Of the shape and dtype of `x`.
    """
    return xlog1py_p(x, y)


def entr(x: Any) -> Any:
    """``-x log(x)``: 0 at 0, minus infinity below.

    Parameters
    ----------
    x : Array
        Floating.
    """
    return entr_p(x)


def rel_entr(p: Any, q: Any) -> Any:
    """``p log(p / q)``: 0 where p is 0, infinite where it has no value.

    Parameters
    ----------
    p : Array
        Floating.
    q : Array
        Of the shape and dtype of `p`.
    """
    return rel_entr_p(p, q)
