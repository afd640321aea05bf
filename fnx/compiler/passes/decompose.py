"""Choosing between two ways to compute one thing, where a primitive has both.

In comes a program without calls; out comes one in which a small contraction is a reduction that
the cut may fuse, and a large one stays a call of the named kernel, which packs its operands and
blocks for registers: that pays only above a size. An update of a small part of a large array
becomes a scatter, whose kernel can write into the array itself: a loop that fills an array is
linear in its size then. Read next: `fuse`.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from fnx.core.jaxpr import Atom, Eqn, Jaxpr, Literal, Var
from fnx.core.primitive import Primitive
from fnx.core.staging import stage
from fnx.primitives.cast import convert_element_type
from fnx.primitives.contraction import dot_general_element, dot_general_p
from fnx.primitives.dynamic_slicing import dynamic_update_slice_p
from fnx.primitives.gather_numbers import GatherScatterMode, ScatterDimensionNumbers
from fnx.primitives.joining import concatenate
from fnx.primitives.scattering import scatter
from fnx.primitives.shaping import reshape

__all__ = ["decompose"]

#: Multiplications up to which a contraction costs less as a fused loop than the call of a kernel.
#: (The kernel takes 25 ns for 2 x 2 matrices, the loop 35; fusing spares the call.)
SMALL_CONTRACTION = 8

#: Elements from which on an array is not copied to change a part of it, and how small that part is.
LARGE_ARRAY = 512
SMALL_PART = 4


def decompose(jaxpr: Jaxpr) -> Jaxpr:
    """The program with small contractions made fusible, and small updates made scatters.

    Parameters
    ----------
    jaxpr : Jaxpr
        Without calls; the pass is applied to the bodies of its control flow first.
    """
    eqns: list[Eqn] = []
    for eqn in jaxpr.eqns:
        if eqn.primitive is dot_general_p and _is_fused(eqn):
            eqns.append(_with(_fused_dot, eqn))
        elif eqn.primitive is dynamic_update_slice_p and _is_small_update(eqn):
            eqns += _recorded(_as_scatter, eqn)
        else:
            eqns.append(eqn)
    if len(eqns) == len(jaxpr.eqns) and all(a is b for a, b in zip(eqns, jaxpr.eqns)):
        return jaxpr
    return Jaxpr(jaxpr.in_vars, eqns, jaxpr.outs, jaxpr.name)


def _is_fused(eqn: Eqn) -> bool:
    """Whether a contraction is a loop: it is small, or no sum at all (an outer product)."""
    (contract, _), _ = eqn.params["dimension_numbers"]
    extent = math.prod(eqn.inputs[0].aval.shape[axis] for axis in contract)
    return extent == 1 or eqn.outputs[0].aval.size * extent <= SMALL_CONTRACTION


def _is_small_update(eqn: Eqn) -> bool:
    operand, update = eqn.inputs[0].aval, eqn.inputs[1].aval
    return operand.size >= LARGE_ARRAY and update.size * SMALL_PART <= operand.size


def _as_scatter(operand: Any, update: Any, *starts: Any) -> Any:
    """``dynamic_update_slice``: one window, at a place that is moved until it lies within."""
    axes = tuple(range(len(starts)))
    places = [reshape(convert_element_type(start, np.int64), (1,)) for start in starts]
    return scatter(
        operand,
        concatenate(places, 0),
        update,
        ScatterDimensionNumbers(axes, (), axes),
        unique_indices=True,
        mode=GatherScatterMode.CLIP,
    )


def _recorded(function: Callable[..., Any], eqn: Eqn) -> list[Eqn]:
    """The equations of a function of an equation's operands, which give the equation's result."""
    jaxpr, captured = stage(lambda *args: [function(*args)], [a.aval for a in eqn.inputs])
    assert not captured
    names: dict[Var, Atom] = dict(zip(jaxpr.in_vars, eqn.inputs, strict=True))
    names.update(zip(jaxpr.outs, eqn.outputs, strict=True))  # type: ignore[arg-type]

    def renamed(atom: Atom) -> Any:
        return atom if type(atom) is Literal else names.get(atom, atom)  # type: ignore[arg-type]

    return [
        Eqn(
            each.primitive,
            tuple([renamed(a) for a in each.inputs]),
            tuple([renamed(v) for v in each.outputs]),
            each.params,
            each.effects,
            eqn.source,
        )
        for each in jaxpr.eqns
    ]


def _with(primitive: Primitive, eqn: Eqn) -> Eqn:
    return Eqn(primitive, eqn.inputs, eqn.outputs, eqn.params, eqn.effects, eqn.source)


def _fused(primitive: Primitive, element: object) -> Primitive:
    """The same primitive, lowered in another way; it is not registered."""
    other = copy.copy(primitive)
    other.lower = element
    return other


_fused_dot = _fused(dot_general_p, dot_general_element)
