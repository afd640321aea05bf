"""Calls become part of the program, at every depth; only control flow still holds programs.

In comes any Jaxpr; out comes one without calls. There are three kinds
(`HigherOrderPrimitive.inline_at`). Calls that carry rules for transforms, and jit, are recorded
again: with value numbering, folds and the removal of dead code across their borders. Calls that
mean "compute this again" (checkpoint) are put in place afterwards and as they are: value
numbering would merge them with the first computation and undo their purpose. Bodies of loops and
branches are treated alike. Read next: `layout`.
"""

from __future__ import annotations

from typing import Any

from fnx.core.jaxpr import Atom, Eqn, Jaxpr, Var
from fnx.core.primitive import HigherOrderPrimitive
from fnx.core.simplify import drop_dead, inline_calls

__all__ = ["inline"]


def inline(jaxpr: Jaxpr) -> Jaxpr:
    """The program without calls.

    Parameters
    ----------
    jaxpr : Jaxpr
        Any program; the result takes the same inputs.
    """
    return jaxpr.derived("inlined", lambda: _inline(jaxpr))


def _inline(jaxpr: Jaxpr) -> Jaxpr:
    again = drop_dead(inline_calls(jaxpr, folding=True, at=("simplify", "compile")))
    eqns: list[Eqn] = []
    env: dict[Var, Atom] = {}
    for eqn in again.eqns:
        _expand(eqn, env, eqns)
    outs = [env.get(o, o) if type(o) is Var else o for o in again.outs]
    return drop_dead(Jaxpr(again.in_vars, eqns, outs, jaxpr.name))


def _expand(eqn: Eqn, env: dict[Var, Atom], eqns: list[Eqn]) -> None:
    """Append an equation, or the equations of the call that it is."""
    inputs = tuple([env.get(a, a) if type(a) is Var else a for a in eqn.inputs])
    primitive = eqn.primitive
    if not isinstance(primitive, HigherOrderPrimitive):
        eqns.append(_with(eqn, inputs, eqn.outputs, eqn.params))
        return
    if primitive.inline is None:
        params = {k: _inlined_programs(v) for k, v in eqn.params.items()}
        eqns.append(_with(eqn, inputs, eqn.outputs, params))
        return
    body = inline(primitive.inline(eqn.params))
    inner: dict[Var, Atom] = dict(zip(body.in_vars, inputs, strict=True))
    for each in body.eqns:
        outputs = tuple([Var(v.aval) for v in each.outputs])
        read = tuple([inner[a] if type(a) is Var else a for a in each.inputs])
        eqns.append(_with(each, read, outputs, each.params))
        inner.update(zip(each.outputs, outputs, strict=True))
    for var, out in zip(eqn.outputs, body.outs, strict=True):
        env[var] = inner[out] if type(out) is Var else out


def _with(
    eqn: Eqn, inputs: tuple[Atom, ...], outputs: tuple[Var, ...], params: dict[str, Any]
) -> Eqn:
    if inputs == eqn.inputs and outputs == eqn.outputs and params is eqn.params:
        return eqn
    return Eqn(eqn.primitive, inputs, outputs, params, eqn.effects, eqn.source)


def _inlined_programs(value: Any) -> Any:
    if isinstance(value, Jaxpr):
        return inline(value)
    if type(value) is tuple and any(isinstance(item, Jaxpr) for item in value):
        return tuple([_inlined_programs(item) for item in value])
    return value
