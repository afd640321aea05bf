"""The family of elementary functions: one operand, one word of element rules, one line of calculus.

Each definition in `powers`, `exponential`, `trigonometric` and `special` has its derivative beside
it.  Derivatives reuse the function's value where they can (``exp' = exp``), and are written with a
slope that doesn't involve the tangent: so reverse mode transposes one product, and slopes are
shared between derivatives of every order. In slopes ``t`` is the tangent, ``y`` the value, ``x``
the operand.  Read next: `powers`, `recurrences`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fnx.core.lowering import Element
from fnx.core.primitive import Primitive
from fnx.primitives.families import INEXACT, elementwise
from fnx.primitives.folding import fold_uniform
from fnx.primitives.recurrences import Series, jet_rule
from fnx.primitives.samplers import elementwise_samples

__all__ = ["elementary"]


def elementary(
    name: str,
    evaluate: Callable[[Any], Any],
    slope: Callable[[Any, Any, Any], Any],
    jet: Callable[[Series], Series],
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
