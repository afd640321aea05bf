"""`jit_p`: the primitive that stands for a call of a jitted function in a program.

Evaluated, it runs the program's executable, which is kept with the program.  Read next: `entries`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fnx.compiler.pipeline import compile_jaxpr
from fnx.config import disable_jit, settings
from fnx.control.calls import call_primitive, evaluate_jaxpr, silent
from fnx.control.samplers import call_samples
from fnx.core.array import Array, adopt
from fnx.core.finite import check_finite, offence
from fnx.core.jaxpr import Jaxpr, eval_jaxpr
from fnx.core.tracing import running

__all__ = ["check_results", "executable_of", "jit_p"]


def executable_of(jaxpr: Jaxpr, donated: tuple[int, ...] = ()) -> Any:
    """The compiled form of a program, made on first use.

    Parameters
    ----------
    jaxpr : Jaxpr
        The program.
    donated : tuple of int
        Inputs whose memory results may take.
    """
    return jaxpr.derived(
        ("executable", donated) if donated else "executable",
        lambda: compile_jaxpr(jaxpr, donated=donated),
    )


def check_results(jaxpr: Jaxpr, name: str, args: Sequence[Any], outs: Sequence[Any]) -> None:
    """Under ``debug_nans``, look at the results of a program; the culprit is found by a second run.

    Parameters
    ----------
    jaxpr : Jaxpr
        The program.
    name : str
        Of the function.
    args, outs : sequence of ndarray
        What it was applied to, and gave.

    Raises
    ------
    NonFiniteError
        Names the operation in the program that made the first NaN, and its line.
    """
    if settings().watches and any(offence(o) for o in outs):
        # Equation by equation, so that each result is looked at; nothing is printed twice.
        with running(None), disable_jit(True):
            eval_jaxpr(silent(jaxpr), *[adopt(a) for a in args])
        check_finite(f"jit of {name} (compiled; not when run step by step)", outs)


def _evaluate(*args: Array, jaxpr: Jaxpr, name: str) -> list[Array]:
    if settings().disable_jit:
        return evaluate_jaxpr(*args, jaxpr=jaxpr)
    data = [a._data for a in args]
    outs = executable_of(jaxpr)(data)
    check_results(jaxpr, name, data, outs)
    return [adopt(o, a.weak_type) for o, a in zip(outs, jaxpr.out_avals, strict=True)]


jit_p = call_primitive(
    "jit",
    _evaluate,
    rewrap=lambda params, jaxpr: {"jaxpr": jaxpr, "name": params["name"]},
    sample=call_samples(name="sampled"),
)
