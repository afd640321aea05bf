"""A canonical text of programs: equal for programs that mean the same computation.

In comes a Jaxpr; out comes a text of its structure, parameters, types and literals, not of names
and not of the user's lines. It is what the caches of the compiler go by. What cannot be written
down, or whose meaning is not seen from here (an element rule that is not part of fnx), raises
`NotCanonical`: it is compiled each time. Read next: `cache`.
"""

from __future__ import annotations

import hashlib
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Any

import numpy as np

from fnx.core.jaxpr import Eqn, Jaxpr, Literal, Var
from fnx.core.lowering import Element, Host
from fnx.core.primitive import HigherOrderPrimitive

__all__ = ["NotCanonical", "canonical_text"]


class NotCanonical(Exception):
    """Something in a program has no canonical text."""


def canonical_text(jaxpr: Jaxpr) -> str:
    """A text that is equal for programs that mean the same computation.

    Parameters
    ----------
    jaxpr : Jaxpr
        The program; variables are numbered in the order in which they are bound.
    """
    parts: list[str] = []
    _write_program(jaxpr, parts)
    return "\n".join(parts)


def _write_program(jaxpr: Jaxpr, parts: list[str]) -> None:
    numbers: dict[Var, int] = {}
    for var in jaxpr.in_vars:
        numbers[var] = len(numbers)
    parts.append(f"in {' '.join(repr(a) for a in jaxpr.in_avals)}")

    def atom(a: Any) -> str:
        if type(a) is Literal:
            return f"{a.aval!r}:{a.val.tobytes().hex()}"
        return str(numbers[a])

    for eqn in jaxpr.eqns:
        inputs = " ".join([atom(a) for a in eqn.inputs])
        for var in eqn.outputs:
            numbers[var] = len(numbers)
        types = " ".join([repr(v.aval) for v in eqn.outputs])
        parts.append(f"{_primitive(eqn)}[{_params(eqn)}] {inputs} -> {types}")
    parts.append(f"out {' '.join(atom(a) for a in jaxpr.outs)}")


def _primitive(eqn: Eqn) -> str:
    lower = eqn.primitive.lower
    if isinstance(lower, Element) and not lower.rule.__module__.startswith("fnx."):
        raise NotCanonical(eqn.primitive.name)  # the digest of the sources doesn't see its rule
    return eqn.primitive.name


def _params(eqn: Eqn) -> str:
    if not eqn.params:
        return ""
    primitive = eqn.primitive
    if isinstance(primitive, HigherOrderPrimitive) and primitive.inline is not None:
        # The program that is compiled in its place says all: a name or a rule for transforms,
        # which is a function of the user's, changes nothing.
        return _value(primitive.inline(eqn.params))
    # A step in Python runs with the parameters of the program at hand: only its types matter here.
    opaque = isinstance(eqn.primitive.lower, Host)
    return " ".join([f"{k}={_value(v, opaque)}" for k, v in sorted(eqn.params.items())])


def _value(value: Any, opaque: bool = False) -> str:
    kind = type(value)
    if value is None or kind in (int, bool, str):
        return repr(value)
    if kind is float:
        return value.hex()
    if kind is tuple:
        return f"({','.join([_value(v, opaque) for v in value])})"
    if isinstance(value, np.dtype):
        return value.name
    if isinstance(value, Jaxpr):
        parts: list[str] = []
        _write_program(value, parts)
        return "{" + "\n".join(parts) + "}"
    if isinstance(value, Enum):
        return f"{kind.__name__}.{value.name}"
    if isinstance(value, tuple):  # a named one
        return f"{kind.__name__}({','.join([_value(v, opaque) for v in value])})"
    if isinstance(value, np.generic | np.ndarray):
        digest = hashlib.sha256(np.ascontiguousarray(value).tobytes()).hexdigest()
        return f"{value.dtype.name}{value.shape}:{digest}"
    if isinstance(value, complex | frozenset):
        return repr(sorted(value, key=repr) if isinstance(value, frozenset) else value)
    if is_dataclass(value) and not isinstance(value, type):
        items = [_value(getattr(value, f.name), opaque) for f in fields(value)]
        return f"{kind.__name__}({','.join(items)})"
    if isinstance(value, type):
        return f"{value.__module__}.{value.__qualname__}"
    if opaque:
        return "*"
    raise NotCanonical(repr(value))
