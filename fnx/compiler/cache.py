"""The cache of compiled programs: from what a program means to the plan that computes it.

In comes a Jaxpr; `program_key` writes it in a canonical text (structure, parameters, types,
literals; not the names, not the user's lines) and hashes it with all else that a plan depends on:
the source of fnx, the machine, the printer of kernels, the donated inputs. `load` and `save` keep
plans in memory and in the persistent store, so that a new process traces, and compiles nothing. A
program whose parameters cannot be written down, or whose element rules are not part of fnx, has
no key: it is compiled in every process. Read next: `program` (what is kept), `fnx.kernels.store`.
"""

from __future__ import annotations

import functools
import hashlib
import json
import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import fields, is_dataclass
from enum import Enum
from pathlib import Path
from typing import Any

import numpy as np

from fnx.compiler.program import Program
from fnx.config import settings
from fnx.core.jaxpr import Eqn, Jaxpr, Literal, Var
from fnx.core.lowering import Element, Host
from fnx.kernels import native, store

__all__ = ["canonical_text", "clear", "load", "program_key", "save"]

#: Plans that are kept in memory.
MOST_PROGRAMS = 1024

_SOURCES = ("core", "primitives", "compiler", "kernels", "control")


class _NotCacheable(Exception):
    """Something in a program has no canonical text."""


class _Kept:
    """The plans in memory, the least recently used first."""

    def __init__(self) -> None:
        self.programs: OrderedDict[str, Program] = OrderedDict()
        self.lock = threading.Lock()


_kept = _Kept()


def program_key(jaxpr: Jaxpr, donated: Sequence[int]) -> str | None:
    """What the plan of a program is kept under; None if it can't be kept.

    Parameters
    ----------
    jaxpr : Jaxpr
        The program.
    donated : sequence of int
        Inputs whose memory may become a result's.
    """
    try:
        text = canonical_text(jaxpr)
    except _NotCacheable:
        return None
    parts = (
        source_digest(),
        native.host_key(),
        settings().kernel_printer,
        ",".join(map(str, sorted(donated))),
        text,
    )
    return "program " + hashlib.sha256("\n".join(parts).encode()).hexdigest()


def load(key: str) -> Program | None:
    """The plan kept under a key, or None.

    Parameters
    ----------
    key : str
        From `program_key`.
    """
    with _kept.lock:
        program = _kept.programs.get(key)
        if program is not None:
            _kept.programs.move_to_end(key)
            return program
    payload = store.get(key)
    if payload is None:
        return None
    try:
        program = Program.from_json(json.loads(payload))
    except (ValueError, KeyError, TypeError, IndexError, AttributeError):
        return None  # of another version: it is compiled, and written, anew
    _remember(key, program)
    return program


def save(key: str, program: Program) -> None:
    """Keep a plan.

    Parameters
    ----------
    key : str
        From `program_key`.
    program : Program
        The plan.
    """
    _remember(key, program)
    store.put(key, json.dumps(program.to_json(), separators=(",", ":")).encode())


def clear() -> None:
    """Drop all plans from memory; the store keeps its own."""
    with _kept.lock:
        _kept.programs.clear()


def _remember(key: str, program: Program) -> None:
    with _kept.lock:
        _kept.programs[key] = program
        _kept.programs.move_to_end(key)
        if len(_kept.programs) > MOST_PROGRAMS:
            _kept.programs.popitem(last=False)


@functools.cache
def source_digest() -> str:
    """A digest of the source files that decide what a program is compiled to."""
    root = Path(__file__).resolve().parent.parent
    digest = hashlib.sha256()
    for folder in _SOURCES:
        for path in sorted((root / folder).rglob("*.py")):
            digest.update(path.name.encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()


# --- canonical text -------------------------------------------------------------------------------


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
        raise _NotCacheable(eqn.primitive.name)  # the digest of the sources doesn't see its rule
    return eqn.primitive.name


def _params(eqn: Eqn) -> str:
    if not eqn.params:
        return ""
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
    raise _NotCacheable(repr(value))
