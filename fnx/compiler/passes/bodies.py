"""Applying a pass to a program and to the programs inside its control flow.

A pass is a function from Jaxpr to Jaxpr that looks at one list of equations; `everywhere` takes
it to the bodies of loops and branches as well, innermost first.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fnx.core.jaxpr import Eqn, Jaxpr

__all__ = ["everywhere"]

Pass = Callable[[Jaxpr], Jaxpr]


def everywhere(change: Pass, jaxpr: Jaxpr) -> Jaxpr:
    """Apply a pass to the programs that a program holds, then to itself.

    Parameters
    ----------
    change : callable
        From Jaxpr to Jaxpr; gives its argument when there is nothing to change.
    jaxpr : Jaxpr
        The program.
    """
    eqns = tuple([_with_bodies(change, eqn) for eqn in jaxpr.eqns])
    if any(new is not old for new, old in zip(eqns, jaxpr.eqns, strict=True)):
        jaxpr = Jaxpr(jaxpr.in_vars, eqns, jaxpr.outs, jaxpr.name)
    return change(jaxpr)


def _with_bodies(change: Pass, eqn: Eqn) -> Eqn:
    params = {key: _changed(change, value) for key, value in eqn.params.items()}
    if all(params[key] is value for key, value in eqn.params.items()):
        return eqn
    return Eqn(eqn.primitive, eqn.inputs, eqn.outputs, params, eqn.effects, eqn.source)


def _changed(change: Pass, value: Any) -> Any:
    if isinstance(value, Jaxpr):
        return everywhere(change, value)
    if type(value) is tuple and any(isinstance(item, Jaxpr) for item in value):
        items = tuple([_changed(change, item) for item in value])
        return value if all(a is b for a, b in zip(items, value, strict=True)) else items
    return value
