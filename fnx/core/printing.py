"""Printing a program as JAX does: ``{ lambda ; a:f32[3]. let b:f32[3] = sin a in (b,) }``.

Names are given in order of binding: a, b, ..., z, ba, bb, ...; programs inside parameters are
indented.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np

from fnx.core import jaxpr as _jaxpr
from fnx.core.jaxpr import Atom, ClosedJaxpr, Jaxpr, Var

__all__ = ["format_jaxpr"]

_LETTERS = "abcdefghijklmnopqrstuvwxyz"


def _names() -> Iterator[str]:
    for length in itertools.count(1):
        for letters in itertools.product(_LETTERS, repeat=length):
            if length == 1 or letters[0] != "a":
                yield "".join(letters)


def format_jaxpr(jaxpr: Jaxpr | ClosedJaxpr, indent: int = 0, sources: bool = False) -> str:
    """The text of a program.

    Parameters
    ----------
    jaxpr : Jaxpr or ClosedJaxpr
        What to print; the captured inputs of a closed one stand before the semicolon.
    indent : int
        Spaces before every line but the first.
    sources : bool
        Whether to print the user's line behind every equation.

    Returns
    -------
    str
    """
    captured = len(jaxpr.consts) if isinstance(jaxpr, ClosedJaxpr) else 0
    program = jaxpr.jaxpr
    fresh = _names()
    names: dict[Var, str] = {}

    def bind(var: Var) -> str:
        names[var] = next(fresh)
        return f"{names[var]}:{var.aval!r}"

    def show(atom: Atom) -> str:
        if type(atom) is Var:
            return names[atom]
        return f"{_number(atom.val)}:{atom.aval!r}"  # type: ignore[union-attr]

    inputs = [bind(v) for v in program.in_vars]
    before = " ".join([*inputs[:captured], ";", *inputs[captured:]])
    head = f"{{ lambda {before}. let"
    pad = " " * (indent + 4)
    lines = []
    for eqn in program.eqns:
        arguments = " ".join(show(a) for a in eqn.inputs)
        left = " ".join(bind(v) for v in eqn.outputs) or "_"
        params = _params(eqn.params, indent + 4)
        tail = f"  # {eqn.source}" if sources and eqn.source else ""
        lines.append(f"{pad}{left} = {eqn.primitive.name}{params} {arguments}".rstrip() + tail)
    outs = ", ".join(show(o) for o in program.outs) + ("," if len(program.outs) == 1 else "")
    if not lines:
        return f"{head} in ({outs}) }}"
    return "\n".join([head, *lines, f"{' ' * (indent + 2)}in ({outs}) }}"])


def _number(value: np.ndarray[Any, Any]) -> str:
    return str(value.item())


def _params(params: dict[str, Any], indent: int) -> str:
    shown = {k: v for k, v in sorted(params.items()) if v is not None}
    if not shown:
        return ""
    if not any(_holds_program(v) for v in shown.values()):
        return "[" + " ".join(f"{k}={_param(v, indent)}" for k, v in shown.items()) + "]"
    pad = " " * (indent + 2)
    rows = "".join(f"\n{pad}{k}={_param(v, indent + 2)}" for k, v in shown.items())
    return f"[{rows}\n{' ' * indent}]"


def _holds_program(value: Any) -> bool:
    return isinstance(value, Jaxpr) or (
        isinstance(value, tuple) and any(isinstance(v, Jaxpr) for v in value)
    )


def _param(value: Any, indent: int) -> str:
    if isinstance(value, Jaxpr):
        return format_jaxpr(value, indent)
    if isinstance(value, tuple) and _holds_program(value):
        pad = " " * (indent + 2)
        rows = "".join(f"\n{pad}{_param(v, indent + 2)}" for v in value)
        return f"({rows}\n{' ' * indent})"
    if isinstance(value, np.dtype):
        return value.name
    if isinstance(value, np.ndarray):
        return np.array2string(value, threshold=10).replace("\n", " ")
    return getattr(value, "__name__", None) or repr(value)


_jaxpr._printer[0] = format_jaxpr
_jaxpr._printer[1] = format_jaxpr
