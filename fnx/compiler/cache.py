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
from pathlib import Path

from fnx.compiler.canonical import NotCanonical, canonical_text
from fnx.compiler.program import Program
from fnx.config import settings
from fnx.core.jaxpr import Jaxpr
from fnx.kernels import native, store

__all__ = ["clear", "load", "program_key", "save"]

#: Plans that are kept in memory.
MOST_PROGRAMS = 1024

_SOURCES = ("core", "primitives", "compiler", "kernels", "control")


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
    except NotCanonical:
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
            digest.update(path.relative_to(root).as_posix().encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()
