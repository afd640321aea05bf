"""`Entry`: one traced specialisation of a jitted function, and how a call of it runs.

An executable takes only the inputs that the program reads (all of them with ``keep_unused``), and
may write results over the memory of donated ones.  Read next: `stages`, `jit`.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from fnx.config import settings
from fnx.control.calls import with_inputs
from fnx.control.jit_call import check_results, executable_of
from fnx.core.array import adopt
from fnx.core.donation import take
from fnx.core.jaxpr import Jaxpr
from fnx.core.tracing import Tracer
from fnx.core.types import ShapedArray
from fnx.errors import DonationError

__all__ = ["Entry"]


@dataclass(slots=True)
class Entry:
    """One traced specialisation of a function.

    Attributes
    ----------
    name : str
        The function.
    jaxpr : Jaxpr
        The program; its leading inputs are the captured values.
    consts : list
        The captured values.
    in_tree, out_tree : PyTreeDef
        Structure of ``(args, kwargs)`` and of the result.
    donated : tuple of int
        The leaves of the arguments that a call gives away.
    keep_unused : bool
        Whether the executable takes inputs that the program doesn't read.
    path : callable
        What the user calls the leaf of an index.
    executable : Executable or None
        None until it is compiled.
    trace_seconds, compile_seconds : float
        How long that took.
    where : str
        The user's line that made it.
    calls : int
        How often it ran.
    """

    name: str
    jaxpr: Jaxpr
    consts: list[Any]
    in_tree: Any
    out_tree: Any
    donated: tuple[int, ...]
    keep_unused: bool
    path: Callable[[int], str]
    executable: Any = None
    trace_seconds: float = 0.0
    compile_seconds: float = 0.0
    where: str = ""
    calls: int = 0
    kept: tuple[int, ...] = field(init=False)

    def __post_init__(self) -> None:
        jaxpr = self.jaxpr
        read = {a for e in jaxpr.eqns for a in e.inputs} | set(jaxpr.outs)
        #: The inputs of the program that the executable takes.
        self.kept = tuple([k for k, v in enumerate(jaxpr.in_vars) if self.keep_unused or v in read])

    @property
    def captures_tracers(self) -> bool:
        """Whether it can run only inside of the transform whose values it captured."""
        return any(isinstance(c, Tracer) for c in self.consts)

    @property
    def in_avals(self) -> tuple[ShapedArray, ...]:
        """Types of the arguments' leaves."""
        return self.jaxpr.in_avals[len(self.consts) :]

    @property
    def program(self) -> Jaxpr:
        """The program of the executable: the same with fewer inputs."""
        if len(self.kept) == len(self.jaxpr.in_vars):
            return self.jaxpr
        return with_inputs(self.jaxpr, self.kept)

    def compile(self) -> Any:
        """The executable, made on first use."""
        if self.executable is None:
            start = time.perf_counter()
            # A second run that looks for NaN needs the arguments again: nothing is written over.
            given = () if settings().watches else self.donated
            positions = [k - len(self.consts) for k in self.kept]
            donated = tuple([positions.index(k) for k in given if k in positions])
            self.executable = executable_of(self.program, donated)
            self.compile_seconds = time.perf_counter() - start
            unused = set(donated) - set(self.executable.program.donations.values())
            if unused:
                names = ", ".join([_named(self, positions[k]) for k in sorted(unused)])
                warnings.warn(
                    f"jit of {self.name}: no result takes the memory of the donated {names}: none "
                    f"has its type, or it is read until the end. It is freed by the call.",
                    UserWarning,
                    stacklevel=2,
                )
        return self.executable

    def runner(self) -> Callable[[list[Any]], Any]:
        """What runs the executable on arrays of its types, and gives what the function gives."""
        watches, tree = settings().watches, self.out_tree
        executable = executable_of(self.program) if watches else self.compile()
        weak = tuple([a.weak_type for a in self.jaxpr.out_avals])
        count = len(self.consts)
        constants = [self.consts[k]._data for k in self.kept if k < count]
        places = [k - count for k in self.kept if k >= count]
        all_kept = len(places) == len(self.in_avals)
        run, single, donated = executable.run, tree.spec is None, self.donated
        if watches:  # a part of the key: this runner belongs to calls under it

            def run(data: list[Any]) -> Any:
                outs = executable.run(data)
                check_results(self.program, self.name, data, outs)
                return outs

        def call(leaves: list[Any]) -> Any:
            self.calls += 1
            if donated:
                inputs = [*constants, *self._take(leaves, places)]
            elif all_kept:
                inputs = [*constants, *[x._data for x in leaves]]
            else:
                inputs = [*constants, *[leaves[k]._data for k in places]]
            data = run(inputs)
            if single:
                return adopt(data[0], weak[0])
            return tree.unflatten([adopt(o, w) for o, w in zip(data, weak)])

        return call

    def owned(self, leaves: list[Any], values: list[Any]) -> list[Any]:
        """The arguments of a call; donated ones that still belong to the user are copied.

        Parameters
        ----------
        leaves, values : list
            What the user passed, and the arrays that were made of it.
        """
        donated = set(self.donated)
        return [
            adopt(v._data.copy(), v._weak) if k in donated and v._data is x else v
            for k, (x, v) in enumerate(zip(leaves, values, strict=True))
        ]

    def _take(self, leaves: list[Any], places: list[int]) -> list[Any]:
        """The inputs of a call; donated arrays are deleted, and their memory may be written to."""
        given = [leaves[k] for k in self.donated]
        for k, array in zip(self.donated, given, strict=True):
            if sum([x is array for x in leaves]) > 1:
                twice = [j for j, x in enumerate(leaves) if x is array]
                raise DonationError(
                    f"jit of {self.name}: {' and '.join(_named(self, j) for j in twice)} are one "
                    f"array, and {self.path(k)} is donated. Donate a copy, jnp.array(x)."
                )
        taken = take(given, f"donated to jit of {self.name}")
        if isinstance(taken, int):
            raise DonationError(
                f"jit of {self.name}: {_named(self, self.donated[taken])} is donated, but "
                "something else has its memory: a view such as np.asarray(x) or x.reshape(...), "
                "or a program that captured the array. Donate a copy, jnp.array(x), or let go of "
                "the other first."
            )
        memory = dict(zip(self.donated, taken, strict=True))
        return [memory[k] if k in memory else leaves[k]._data for k in places]


def _named(entry: Entry, leaf: int) -> str:
    return f"{entry.path(leaf)} {entry.in_avals[leaf]!r}"
