"""Checking a program: every variable is bound once, before use, with the type its rule gives.

`check_jaxpr` is called on every program of the tests and, with the setting ``enable_checks``, after
every pass.
"""

from __future__ import annotations

from fnx.core.jaxpr import Jaxpr, Literal, Var, subjaxprs
from fnx.errors import JaxprTypeError

__all__ = ["check_jaxpr"]


def check_jaxpr(jaxpr: Jaxpr, stage: str = "traced") -> None:
    """Raise unless a program is well formed.

    Parameters
    ----------
    jaxpr : Jaxpr
        The program, and the programs that it holds.
    stage : str
        Which pass made it, for the error.

    Raises
    ------
    JaxprTypeError
        Names the equation and both types.
    """
    bound: set[Var] = set()

    def bind(var: Var, where: str) -> None:
        if var in bound:
            raise JaxprTypeError(f"{stage} program: a variable is bound twice, in {where}")
        bound.add(var)

    def read(atom: Var | Literal, where: str) -> None:
        if type(atom) is Var and atom not in bound:
            raise JaxprTypeError(f"{stage} program: {where} reads a variable before it is bound")

    for var in jaxpr.in_vars:
        bind(var, "the inputs")
    for k, eqn in enumerate(jaxpr.eqns):
        where = f"equation {k} ({eqn.primitive.name}, {eqn.source})"
        for atom in eqn.inputs:
            read(atom, where)
        types = eqn.primitive.infer(*[a.aval for a in eqn.inputs], **eqn.params)
        if not eqn.primitive.multiple_results:
            types = [types]
        if len(types) != len(eqn.outputs):
            raise JaxprTypeError(
                f"{stage} program: {where} binds {len(eqn.outputs)} variables, its rule gives "
                f"{len(types)}"
            )
        for var, expected in zip(eqn.outputs, types, strict=True):
            if not var.aval.same_type(expected):
                raise JaxprTypeError(
                    f"{stage} program: {where} binds {var.aval!r}, its rule gives {expected!r}"
                )
            bind(var, where)
        for name, inner in subjaxprs(eqn.params):
            check_jaxpr(inner, f"{stage}, {eqn.primitive.name}.{name}")
    for out in jaxpr.outs:
        read(out, "a result")
