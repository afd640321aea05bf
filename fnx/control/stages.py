"""Between a function and its compiled form: `Traced`, `Lowered`, `Compiled` (as `jax.stages`).

Here are also the record of one traced specialisation (`Entry`) and the primitive that stands for a
call of a jitted function in a program. Read next: `jit`, which makes all of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fnx import tree_util
from fnx.compiler.pipeline import compile_jaxpr
from fnx.control.calls import call_primitive
from fnx.control.samplers import call_samples
from fnx.core.array import Array, adopt
from fnx.core.jaxpr import Jaxpr
from fnx.core.types import ShapedArray

__all__ = ["Compiled", "Entry", "Lowered", "Traced", "executable_of", "jit_p"]


def executable_of(jaxpr: Jaxpr) -> Any:
    """The compiled form of a program, made on first use."""
    return jaxpr.derived("executable", lambda: compile_jaxpr(jaxpr))


def _evaluate(*args: Array, jaxpr: Jaxpr, name: str) -> list[Array]:
    outs = executable_of(jaxpr)([a._data for a in args])
    return [adopt(o, a.weak_type) for o, a in zip(outs, jaxpr.out_avals, strict=True)]


jit_p = call_primitive(
    "jit",
    _evaluate,
    rewrap=lambda params, jaxpr: {"jaxpr": jaxpr, "name": params["name"]},
    sample=call_samples(name="sampled"),
)


@dataclass(slots=True)
class Entry:
    """One traced specialisation of a function."""

    jaxpr: Jaxpr
    consts: list[Any]
    out_tree: Any
    weak: tuple[bool, ...]
    executable: Any = None
    trace_seconds: float = 0.0
    compile_seconds: float = 0.0
    where: str = ""
    calls: int = 0


@dataclass(slots=True)
class Traced:
    """A traced function: `jaxpr`, `out_info`, `lower()`."""

    function: Any
    entry: Entry
    in_tree: Any

    @property
    def jaxpr(self) -> Jaxpr:
        """The program."""
        return self.entry.jaxpr

    @property
    def out_info(self) -> Any:
        """Types of the results, in their structure."""
        return tree_util.tree_unflatten(self.entry.out_tree, list(self.entry.jaxpr.out_avals))

    def lower(self) -> Lowered:
        """The program ready to be compiled."""
        return Lowered(self.function, self.entry, self.in_tree)


@dataclass(slots=True)
class Lowered:
    """A program ready to be compiled: `as_text()`, `compile()`."""

    function: Any
    entry: Entry
    in_tree: Any

    def as_text(self) -> str:
        """The simplified program, as printed Jaxpr."""
        return repr(self.entry.jaxpr)

    def compile(self) -> Compiled:
        """Compile, or find it compiled."""
        if self.entry.executable is None:
            self.function._compile(self.entry)
        return Compiled(self.function, self.entry, self.in_tree)


@dataclass(slots=True)
class Compiled:
    """A compiled program: callable with arguments of exactly the types that it was compiled for."""

    function: Any
    entry: Entry
    in_tree: Any

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        values, (tree, types, _, _), _, _ = self.function._flatten(args, kwargs)
        expected = self.entry.jaxpr.in_avals[len(self.entry.consts) :]
        given = [ShapedArray(*t) for t in types]
        if tree != self.in_tree or not all(
            a.same_type(b) for a, b in zip(given, expected, strict=True)
        ):
            raise TypeError(
                f"compiled {self.function._name}: called with {', '.join(map(repr, given))}, "
                f"compiled for {', '.join(map(repr, expected))}. Call the jitted function, which "
                "traces new types."
            )
        outs = jit_p(*self.entry.consts, *values, jaxpr=self.entry.jaxpr, name=self.function._name)
        return tree_util.tree_unflatten(self.entry.out_tree, outs)

    def source(self) -> str:
        """The generated kernels as readable Numba text."""
        return str(self.entry.executable.source())

    def as_text(self) -> str:
        """The steps of the executable."""
        return "\n".join(str(step) for step in self.entry.executable.explain()["steps"])

    def explain(self) -> dict[str, Any]:
        """How the program runs: steps, buffers, compile time."""
        return dict(self.entry.executable.explain())
