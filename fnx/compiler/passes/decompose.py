"""Choosing between two ways to compute one thing, where a primitive has both.

In comes a program without calls; out comes one in which a small contraction is a reduction that
the cut may fuse, and a large one stays a call of the named kernel, which packs its operands and
blocks for registers: that pays only above a size. Read next: `fuse`.
"""

from __future__ import annotations

import copy
import math

from fnx.core.jaxpr import Eqn, Jaxpr
from fnx.core.primitive import Primitive
from fnx.primitives.contraction import dot_general_element, dot_general_p

__all__ = ["decompose"]

#: Multiplications below which a contraction costs less as a fused loop than the call of a kernel.
SMALL_CONTRACTION = 2048


def decompose(jaxpr: Jaxpr) -> Jaxpr:
    """The program with small contractions made fusible.

    Parameters
    ----------
    jaxpr : Jaxpr
        Without calls; the bodies of its control flow are decomposed when they are cut.
    """
    eqns = tuple([_choose(eqn) for eqn in jaxpr.eqns])
    if all(new is old for new, old in zip(eqns, jaxpr.eqns, strict=True)):
        return jaxpr
    return Jaxpr(jaxpr.in_vars, eqns, jaxpr.outs, jaxpr.name)


def _choose(eqn: Eqn) -> Eqn:
    if eqn.primitive is not dot_general_p or _multiplications(eqn) > SMALL_CONTRACTION:
        return eqn
    return Eqn(_fused_dot, eqn.inputs, eqn.outputs, eqn.params, eqn.effects, eqn.source)


def _multiplications(eqn: Eqn) -> int:
    (contract, _), _ = eqn.params["dimension_numbers"]
    extent = math.prod(eqn.inputs[0].aval.shape[axis] for axis in contract)
    return eqn.outputs[0].aval.size * extent


def _fused(primitive: Primitive, element: object) -> Primitive:
    """The same primitive, lowered in another way; it is not registered."""
    other = copy.copy(primitive)
    other.lower = element
    return other


_fused_dot = _fused(dot_general_p, dot_general_element)
