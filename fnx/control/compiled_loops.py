"""Eager loops that run compiled, because they are long.

An eager loop is evaluated step by step, which costs microseconds for each equation; to compile it
costs a few hundred times as much for each equation, once. So a loop that applies its equations
`REPEATS` times or more runs as one compiled program. That goes by the program and the number of
steps only: which way a loop runs does not depend on what ran before. Loops with effects, and all
loops under ``disable_jit``, stay in Python.  Read next: `scan`, `while_loop`, which ask.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

from fnx.config import settings
from fnx.control.jit_call import jit_p
from fnx.core.array import Array
from fnx.core.jaxpr import Jaxpr, subjaxprs
from fnx.core.primitive import Primitive
from fnx.transforms.jvp import stage_closed

__all__ = ["REPEATS", "may_compile", "run_compiled", "steps_in_python"]

#: Evaluations of an equation in Python that take about as long as compiling it.
REPEATS = 256

#: Compiled programs of one body.
_MOST = 16


def _counts(jaxpr: Jaxpr) -> tuple[int, int]:
    """Equations of a program, and how many are applied in one run; a `while` counts as one step."""

    def count() -> tuple[int, int]:
        written = applied = len(jaxpr.eqns)
        for eqn in jaxpr.eqns:
            for _, body in subjaxprs(eqn.params):
                inside = _counts(body)
                written += inside[0]
                applied += inside[1] * int(eqn.params.get("length", 1))
        return written, applied

    counts: tuple[int, int] = jaxpr.derived("counts", count)
    return counts


def steps_in_python(*programs: Jaxpr) -> int:
    """How many steps of a loop cost less than to compile it.

    Parameters
    ----------
    *programs : Jaxpr
        What is run in each step.
    """
    written, applied = (sum(n) for n in zip(*map(_counts, programs), strict=True))
    return REPEATS * written // max(applied, 1) if written else REPEATS


def may_compile(*programs: Jaxpr) -> bool:
    """Whether loops of these programs may run compiled.

    Parameters
    ----------
    *programs : Jaxpr
        What the primitive holds.
    """
    return not settings().disable_jit and not any(p.effects for p in programs)


def run_compiled(
    primitive: Primitive, args: tuple[Array, ...], params: dict[str, Any], body: Jaxpr
) -> list[Array]:
    """Apply the primitive of a loop as a compiled program, which is kept with the body.

    Parameters
    ----------
    primitive : Primitive
        The loop.
    args : tuple of Array
        Its operands.
    params : dict
        Its parameters.
    body : Jaxpr
        The one among them that keeps the compiled program.
    """
    kept: OrderedDict[Any, Jaxpr] = body.derived("compiled", OrderedDict)
    avals = [a.aval for a in args]
    key = (primitive, tuple(avals), tuple(sorted(params.items())))
    program = kept.get(key)
    if program is None:
        program = stage_closed(lambda *xs: primitive(*xs, **params), avals, body.name)
        kept[key] = program
        if len(kept) > _MOST:  # one for each length: the oldest goes
            kept.popitem(last=False)
    outs: list[Array] = jit_p.evaluate(*args, jaxpr=program, name=body.name)
    return outs
