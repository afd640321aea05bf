"""The compiler's table of contents: from a Jaxpr to an `Executable`, pass by pass.

In comes a typed program, out comes something that runs on ndarrays. `prepare` and `compile_jaxpr`
name the passes in their order, with the reason for it. With the setting ``enable_checks`` every
program between two passes is checked. A plan found in the cache skips all of them. Read next: the
passes, in the order in which they are named here.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from fnx.compiler import build, cache, control_flow
from fnx.compiler.draft import numbered_eqns
from fnx.compiler.executable import Executable, HostFunction, host_function
from fnx.compiler.explanation import Explanation, explain
from fnx.compiler.lower import compile_group
from fnx.compiler.passes.bodies import everywhere
from fnx.compiler.passes.decompose import decompose
from fnx.compiler.passes.fuse import cut
from fnx.compiler.passes.inline import inline
from fnx.compiler.passes.layout import layout
from fnx.compiler.passes.steps import Block, Step
from fnx.compiler.planning import Planner
from fnx.compiler.program import Program, finished
from fnx.config import settings
from fnx.core.check import check_jaxpr
from fnx.core.jaxpr import Jaxpr
from fnx.kernels import libraries

__all__ = ["compile_jaxpr", "prepare"]


def prepare(jaxpr: Jaxpr) -> Jaxpr:
    """The program as it is cut: still a Jaxpr, of primitives that have kernels.

    Parameters
    ----------
    jaxpr : Jaxpr
        Any program; the result takes the same inputs and computes the same.
    """
    return jaxpr.derived("prepared", lambda: _prepare(jaxpr))


def _prepare(jaxpr: Jaxpr) -> Jaxpr:
    # Calls go first: every later pass sees one list of equations, and values are shared and folded
    # across the borders of calls.
    program = _checked("inline", inline(jaxpr))
    # Convolutions get the layout that their kernel wants while transpositions are still equations,
    # so that those in the middle meet and cancel.
    program = _checked("layout", everywhere(layout, program))
    # Last the choice among ways to compute one thing: it goes by shapes, which are final now.
    return _checked("decompose", everywhere(decompose, program))


def compile_jaxpr(jaxpr: Jaxpr, *, donated: Sequence[int] = ()) -> Executable:
    """Compile a program, or find it compiled.

    Parameters
    ----------
    jaxpr : Jaxpr
        Any program; what it captured is among its inputs.
    donated : sequence of int
        Inputs that the caller gives away: their memory may become a result's.

    Returns
    -------
    Executable
        Takes a list of ndarrays, one for each input, and gives a list of ndarrays.

    Raises
    ------
    CompilationError
        A primitive has nothing that the compiler can use in its ``lower`` slot.
    """
    start = time.perf_counter()
    key = cache.program_key(jaxpr, donated)
    program = None if key is None else cache.load(key)
    if program is not None:
        try:
            return _executable(jaxpr, program, _load(program), start, "hit")
        except build.KernelMissing:  # the store lost a kernel: all is made anew
            pass
    program = _compile(prepare(jaxpr), jaxpr, donated)
    loaded = _load(program)
    program = program.without_sources()
    if key is not None:
        cache.save(key, program)
    return _executable(jaxpr, program, loaded, start, "off" if key is None else "miss")


def _compile(prepared: Jaxpr, jaxpr: Jaxpr, donated: Sequence[int]) -> Program:
    # The cut decides what is one kernel; it fixes what is kept in memory, hence comes before
    block = cut(prepared)
    # the plan, which gives every value its bytes and writes the calls, loops and branches.
    numbers = {eqn: k for k, eqn in reversed(list(enumerate(numbered_eqns(prepared))))}
    draft = Planner(block, numbers, control_flow.CONTROL, donated).draft()
    return finished(jaxpr, draft)


def _load(program: Program) -> tuple[dict[str, int], list[Any]]:
    """The addresses of all kernels, and the modules that they are in."""
    code, modules = libraries.code_addresses(frozenset(program.functions)), []
    for launch in program.launches:
        module, code[f"loops/{launch.key}"] = build.address(launch)
        modules.append(module)
    return code, modules


def _executable(
    jaxpr: Jaxpr,
    program: Program,
    loaded: tuple[dict[str, int], list[Any]],
    start: float,
    found: str,
) -> Executable:
    code, keep = loaded
    eqns = _Lazy(lambda: numbered_eqns(prepare(jaxpr)))

    def host(number: int) -> HostFunction:
        eqn = eqns.value[number]
        if isinstance(eqn.primitive.lower, str):
            return control_flow.run(eqn, compile_jaxpr)
        return host_function(eqn)

    details = _Details(jaxpr, eqns, time.perf_counter() - start, found)
    return Executable(program, code, keep, host, details)


class _Lazy:
    """A value that is made when it is first wanted."""

    def __init__(self, make: Callable[[], Any]) -> None:
        self._make = make
        self._value: Any = None

    @property
    def value(self) -> Any:
        if self._value is None:
            self._value = self._make()
        return self._value


class _Details:
    """What an executable tells about itself; nothing of it is made before it is asked for."""

    def __init__(self, jaxpr: Jaxpr, eqns: _Lazy, seconds: float, found: str) -> None:
        self._jaxpr = jaxpr
        self._eqns = eqns
        self._seconds = seconds
        self._found = found

    def explanation(self, program: Program) -> Explanation:
        return explain(program, self._eqns.value, self._seconds, self._found)

    def source(self) -> str:
        groups = [step.jaxpr() for step in _loops(cut(prepare(self._jaxpr)))]
        return "\n\n".join(build.source(compile_group(group)) for group in groups)


def _loops(block: Block) -> list[Step]:
    found = []
    for step in block.steps:
        if step.kind == "loops":
            found.append(step)
        for body in step.bodies:
            found += _loops(body)
    return found


def _checked(name: str, jaxpr: Jaxpr) -> Jaxpr:
    if settings().enable_checks:
        check_jaxpr(jaxpr, name)
    return jaxpr
