"""Folding of constants: an elementwise operation on numbers is a number.

A fold rule gets the recording, the operands, and the parameters, and gives an equal, simpler
operand or None (see `core.staging`).  `uniform` recognises arrays of one number, which rules make
with `shaping.full`; `fold_uniform` is the rule that computes with the numbers instead.  Identities
of arithmetic are in `arithmetic`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from fnx.core.array import adopt
from fnx.core.jaxpr import Eqn, Literal
from fnx.core.primitive import registry
from fnx.core.types import ShapedArray

__all__ = ["fold_uniform", "repeated", "uniform"]

Fold = Callable[[Any, Any, dict[str, Any]], Any]


def uniform(staging: Any, atom: Any) -> tuple[Literal, Eqn | None] | None:
    """The number that an atom repeats, and the equation that repeats it, if it is such an atom.

    Parameters
    ----------
    staging : StagingTrace
        The recording.
    atom : Var or Literal
        The operand.

    Returns
    -------
    literal : Literal
        The number.
    eqn : Eqn or None
        The ``broadcast_in_dim``; None for a scalar.
    """
    if type(atom) is Literal:
        return atom, None
    eqn = staging.definition(atom)
    if eqn is None or eqn.primitive.name != "broadcast_in_dim":
        return None
    number = eqn.inputs[0]
    return (number, eqn) if type(number) is Literal else None


def repeated(staging: Any, number: Any, aval: ShapedArray) -> Any:
    """An array of one number, recorded.

    Parameters
    ----------
    staging : StagingTrace
        The recording.
    number : number
        The value.
    aval : ShapedArray
        Its type.
    """
    value = staging.wrap(Literal(adopt(np.asarray(number, aval.dtype), aval.weak_type)))
    if not aval.shape:
        return value
    params = {"shape": aval.shape, "broadcast_dimensions": ()}
    return staging.process(registry["broadcast_in_dim"], [value], params)


def fold_uniform(primitive: Callable[[], Any], otherwise: Fold | None = None) -> Fold:
    """The fold rule of an elementwise primitive: of numbers, the number.

    Parameters
    ----------
    primitive : callable
        Gives the primitive (which isn't made yet when its rules are).
    otherwise : callable, optional
        The fold rule for operands that are not all numbers.
    """

    def fold(staging: Any, atoms: Any, params: dict[str, Any]) -> Any:
        found = [f for f in [uniform(staging, a) for a in atoms] if f is not None]
        if len(found) < len(atoms):
            return None if otherwise is None else otherwise(staging, atoms, params)
        value = Literal(primitive().apply([literal.value for literal, _ in found], params))
        eqn = next((eqn for _, eqn in found if eqn is not None), None)
        if eqn is None:
            return value
        return staging.process(eqn.primitive, [staging.wrap(value)], eqn.params).atom

    return fold
