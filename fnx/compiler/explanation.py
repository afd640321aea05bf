"""What `explain()` tells about a compiled program: data, which print as a table.

In comes a `Program` and the equations that it was cut from; out comes an `Explanation`. The
user's lines are looked up in the program at hand, since a plan from the store may have been made
from another file.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

from fnx.compiler.draft import HostStep
from fnx.compiler.program import Program
from fnx.core.jaxpr import Eqn

__all__ = ["Explanation", "StepExplanation", "explain"]


@dataclass(frozen=True, slots=True)
class StepExplanation:
    """One step of a compiled program.

    Attributes
    ----------
    kind : str
        ``loops`` (generated kernels), ``kernel`` (a named one), ``alias``, ``control`` or ``host``.
    kernel : str
        The functions that it calls; of a ``host`` step the reason why it is in Python.
    primitives : tuple of str
        What it computes.
    sources : tuple of str
        The user's lines.
    bytes : int
        The size of its operands and results.
    flops : int
        Operations on elements in one run of it.
    nanoseconds : float
        Estimated time on one thread, 0 where there is no estimate.
    units : int
        In how many parts its longest call may be divided among threads.
    depth : int
        How many loops and branches it is inside of.
    """

    kind: str
    kernel: str
    primitives: tuple[str, ...]
    sources: tuple[str, ...]
    bytes: int
    flops: int
    nanoseconds: float
    units: int
    depth: int


@dataclass(frozen=True, slots=True)
class Explanation:
    """What a compiled program does at a call.

    Attributes
    ----------
    steps : tuple of StepExplanation
        In the order in which they run; those of loops and branches follow the loop.
    host_steps : tuple of StepExplanation
        The ones in Python.
    native_segments : int
        Native calls; 1 for a program without steps in Python.
    python_calls_between_kernels : int
        How often a call comes back to Python before it is done.
    arena_bytes : int
        Memory for values in between.
    compile_seconds : float
        The time from the Jaxpr to the executable.
    cache : str
        ``hit`` (nothing was generated), ``miss``, or ``off`` (the program can't be kept).
    """

    steps: tuple[StepExplanation, ...]
    host_steps: tuple[StepExplanation, ...]
    native_segments: int
    python_calls_between_kernels: int
    arena_bytes: int
    compile_seconds: float
    cache: str

    def keys(self) -> list[str]:
        """The names of the fields, so that ``dict(explanation)`` is plain data."""
        return [field.name for field in fields(self)]

    def __getitem__(self, name: str) -> Any:
        if name not in self.keys():
            raise KeyError(f"explain: no field {name!r}; there are {', '.join(self.keys())}")
        return getattr(self, name)

    def __str__(self) -> str:
        rows = [("step", "computes", "bytes", "flops", "est. us", "units", "lines")]
        for k, step in enumerate(self.steps):
            rows.append(
                (
                    f"{'  ' * step.depth}{k} {step.kind}",
                    _shortened(step.primitives),
                    str(step.bytes),
                    str(step.flops),
                    f"{step.nanoseconds / 1000:.3g}" if step.nanoseconds else "",
                    str(step.units),
                    _shortened(step.sources),
                )
            )
        widths = [max(len(row[k]) for row in rows) for k in range(len(rows[0]))]
        lines = [
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip()
            for row in rows
        ]
        lines.append(
            f"{self.native_segments} native calls, "
            f"{self.python_calls_between_kernels} Python calls between kernels, "
            f"arena of {self.arena_bytes} bytes, "
            f"compiled in {self.compile_seconds * 1000:.1f} ms (cache: {self.cache})"
        )
        lines += [f"in Python: {s.primitives[0]}: {s.kernel}" for s in self.host_steps]
        return "\n".join(lines)


def explain(
    program: Program, eqns: Sequence[Eqn], compile_seconds: float, cache: str
) -> Explanation:
    """Describe a program.

    Parameters
    ----------
    program : Program
        The plan.
    eqns : sequence of Eqn
        `numbered_eqns` of what it was cut from.
    compile_seconds : float
        How long it took.
    cache : str
        ``hit``, ``miss`` or ``off``.
    """
    steps = []
    for report in program.reports:
        own = [eqns[number] for number in report.eqns]
        steps.append(
            StepExplanation(
                report.kind,
                report.name,
                tuple(eqn.primitive.name for eqn in own),
                tuple(dict.fromkeys(eqn.source for eqn in own if eqn.source)),
                report.bytes,
                report.flops,
                report.nanoseconds,
                report.units,
                report.depth,
            )
        )
    in_python = sum(isinstance(segment, HostStep) for segment in program.segments)
    return Explanation(
        tuple(steps),
        tuple(step for step in steps if step.kind == "host"),
        len(program.segments) - in_python,
        in_python,
        program.arena,
        compile_seconds,
        cache,
    )


def _shortened(words: Sequence[str]) -> str:
    text = " ".join(words)
    return text if len(text) <= 60 else text[:57] + "..."
