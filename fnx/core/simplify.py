"""Simplifying a program: the same results from fewer equations.

One pass records the program again (value numbering, fold rules, inlining of calls), a second one
drops what nobody reads.  Folds respect NaN, infinities and -0.  Equations with effects stay, in
order. Read next: `check`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fnx.core.jaxpr import Atom, Eqn, Jaxpr, Literal, Var
from fnx.core.primitive import HigherOrderPrimitive
from fnx.core.staging import StagedTracer, StagingTrace
from fnx.core.tracing import running

__all__ = ["drop_dead", "inline_calls", "simplify"]


def simplify(jaxpr: Jaxpr) -> Jaxpr:
    """The same program: equal subexpressions merged, folded, calls inlined, dead code dropped.

    Parameters
    ----------
    jaxpr : Jaxpr
        Any program; the result takes the same inputs.
    """
    simplified: Jaxpr = jaxpr.derived(
        "simplified", lambda: drop_dead(inline_calls(jaxpr, folding=True))
    )
    return simplified


def inline_calls(jaxpr: Jaxpr, folding: bool, at: Sequence[str] = ("simplify",)) -> Jaxpr:
    """Record a program again, with calls replaced by their bodies.

    Parameters
    ----------
    jaxpr : Jaxpr
        Any program.
    folding : bool
        Whether fold rules are applied.
    at : sequence of str
        Which calls: those of primitives whose `inline_at` is one of these.
    """
    trace = StagingTrace(jaxpr.name, folding)
    args = [trace.input(a) for a in jaxpr.in_avals]
    with running(trace):
        outs = _replay(trace, jaxpr, args, at)
    again, captured = trace.finish(outs)
    assert not captured, "a Jaxpr is closed"
    return again


def _replay(trace: StagingTrace, jaxpr: Jaxpr, args: Sequence[Any], at: Sequence[str]) -> list[Any]:
    env: dict[Var, Any] = dict(zip(jaxpr.in_vars, args, strict=True))

    def read(atom: Atom) -> Any:
        return StagedTracer(trace, atom) if isinstance(atom, Literal) else env[atom]

    for eqn in jaxpr.eqns:
        primitive, inputs = eqn.primitive, [read(a) for a in eqn.inputs]
        body = None
        if (
            isinstance(primitive, HigherOrderPrimitive)
            and primitive.inline is not None
            and primitive.inline_at in at
        ):
            body = primitive.inline(eqn.params)
        if body is not None:
            outs = _replay(trace, body, inputs, at)
        else:
            before = len(trace.eqns)
            out = trace.process(primitive, inputs, eqn.params)
            outs = out if primitive.multiple_results else [out]
            for new in trace.eqns[before:]:
                new.source = eqn.source
        env.update(zip(eqn.outputs, outs, strict=True))
    return [read(o) for o in jaxpr.outs]


def drop_dead(jaxpr: Jaxpr, used: Sequence[bool] | None = None) -> Jaxpr:
    """Drop equations that no used result depends on and that have no effects.

    Parameters
    ----------
    jaxpr : Jaxpr
        Any program.
    used : sequence of bool, optional
        Which results are kept; all by default.
    """
    outs = [o for k, o in enumerate(jaxpr.outs) if used is None or used[k]]
    live: set[Var] = {o for o in outs if type(o) is Var}
    kept: list[Eqn] = []
    for eqn in reversed(jaxpr.eqns):
        wanted = [v in live for v in eqn.outputs]
        if not any(wanted) and not eqn.effects:
            continue
        if not all(wanted) and isinstance(eqn.primitive, HigherOrderPrimitive):
            prune = eqn.primitive.prune
            if prune is not None:
                eqn = prune(eqn, wanted)
        kept.append(eqn)
        live.update(a for a in eqn.inputs if type(a) is Var)
    kept.reverse()
    if len(kept) == len(jaxpr.eqns) and len(outs) == len(jaxpr.outs) and kept == list(jaxpr.eqns):
        return jaxpr
    return Jaxpr(jaxpr.in_vars, kept, outs, jaxpr.name)
