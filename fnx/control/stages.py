"""Between a function and its compiled form: `Traced`, `Lowered`, `Compiled` (as `jax.stages`).

A stage is a view of one `Entry`: all of them know the arguments (``args_info``, ``in_avals``,
``in_tree``), the results (``out_info``, ``out_tree``) and what is donated.  Read next: `jit`, which
makes them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NoReturn

from fnx import tree_util
from fnx.config import CONTEXT, settings
from fnx.control.costs import counts
from fnx.control.entries import Entry
from fnx.control.jit_call import jit_p
from fnx.control.staging_api import ShapeDtypeStruct
from fnx.core.device import SingleDeviceSharding
from fnx.core.jaxpr import ClosedJaxpr
from fnx.core.printing import format_jaxpr
from fnx.core.tracing import Tracer
from fnx.core.types import ShapedArray
from fnx.errors import ArgumentTypeError, ArgumentValueError, UnsupportedError
from fnx.transforms.trees import as_values

__all__ = ["ArgInfo", "Compiled", "Lowered", "MemoryStats", "Traced"]


@dataclass(frozen=True, slots=True)
class ArgInfo:
    """One leaf of the arguments.

    Parameters
    ----------
    aval : ShapedArray
        Its type.
    donated : bool
        Whether a call gives it away.
    """

    aval: ShapedArray
    donated: bool

    @property
    def shape(self) -> tuple[int, ...]:
        """The extents."""
        return self.aval.shape

    @property
    def dtype(self) -> Any:
        """The element type."""
        return self.aval.dtype


@dataclass(frozen=True, slots=True)
class MemoryStats:
    """The memory of one call, in bytes.

    Parameters
    ----------
    argument_size_in_bytes : int
        Inputs that the executable takes, captured arrays among them.
    output_size_in_bytes : int
        Results.
    alias_size_in_bytes : int
        Results that take the memory of donated inputs.
    temp_size_in_bytes : int
        The arena, for values in between; it is kept between calls.
    """

    argument_size_in_bytes: int
    output_size_in_bytes: int
    alias_size_in_bytes: int
    temp_size_in_bytes: int


class _Stage:
    """What every stage knows.

    Parameters
    ----------
    function : JitFunction
        What was traced.
    entry : Entry
        For which types.
    """

    __slots__ = ("entry", "function")

    def __init__(self, function: Any, entry: Entry) -> None:
        self.function = function
        self.entry = entry

    def __repr__(self) -> str:
        types = ", ".join(map(repr, self.entry.in_avals))
        return f"<{type(self).__name__.lower()} {self.entry.name}({types})>"

    @property
    def fun_name(self) -> str:
        """What the function is called."""
        return self.entry.name

    @property
    def in_tree(self) -> Any:
        """Structure of ``(args, kwargs)``, without static arguments."""
        return self.entry.in_tree

    @property
    def out_tree(self) -> Any:
        """Structure of the result."""
        return self.entry.out_tree

    @property
    def in_avals(self) -> Any:
        """Types of the arguments, in the structure ``(args, kwargs)``."""
        return tree_util.tree_unflatten(self.in_tree, list(self.entry.in_avals))

    @property
    def args_info(self) -> Any:
        """An `ArgInfo` for every leaf, in the structure ``(args, kwargs)``."""
        donated = set(self.entry.donated)
        leaves = [ArgInfo(a, k in donated) for k, a in enumerate(self.entry.in_avals)]
        return tree_util.tree_unflatten(self.in_tree, leaves)

    @property
    def out_avals(self) -> Any:
        """Types of the results, in their structure."""
        return tree_util.tree_unflatten(self.out_tree, list(self.entry.jaxpr.out_avals))

    @property
    def out_info(self) -> Any:
        """Types of the results, in their structure, as `ShapeDtypeStruct`."""
        return tree_util.tree_unflatten(
            self.out_tree,
            [
                ShapeDtypeStruct(a.shape, a.dtype, weak_type=a.weak_type)
                for a in self.entry.jaxpr.out_avals
            ],
        )

    @property
    def donate_argnums(self) -> tuple[int, ...]:
        """The leaves of the arguments that a call gives away, counted from the first."""
        return self.entry.donated

    def cost_analysis(self) -> dict[str, float]:
        """Operations and traffic of a call, as `fnx.cost` counts them.

        Returns
        -------
        dict
            ``flops``, ``bytes accessed`` (before the compiler fuses equations), ``equations``.
        """
        found = counts(self.entry.jaxpr)
        return {
            "flops": float(found.flops),
            "bytes accessed": float(found.bytes),
            "equations": float(found.eqns),
        }


class Traced(_Stage):
    """A traced function: its program (`jaxpr`), types, and `lower()`."""

    __slots__ = ()

    @property
    def jaxpr(self) -> ClosedJaxpr:
        """The simplified program, with the values that the function captured."""
        return ClosedJaxpr(self.entry.jaxpr, self.entry.consts)

    def lower(self, *, lowering_platforms: Any = None) -> Lowered:
        """The program ready to be compiled.

        Parameters
        ----------
        lowering_platforms : sequence of str, optional
            ``("cpu",)``; there is no other.
        """
        if lowering_platforms is not None and tuple(lowering_platforms) != ("cpu",):
            raise ArgumentValueError(
                f"lower: lowering_platforms {lowering_platforms!r}: there is only ('cpu',)."
            )
        return Lowered(self.function, self.entry)


class Lowered(_Stage):
    """A program ready to be compiled: `as_text()`, `cost_analysis()`, `compile()`."""

    __slots__ = ()

    def as_text(self, dialect: str | None = None, *, debug_info: bool = False) -> str:
        """The simplified program, as printed Jaxpr.

        Parameters
        ----------
        dialect : str, optional
            ``jaxpr``; the compiler has no other text before it generates kernels.
        debug_info : bool
            Whether to print the user's line behind every equation.
        """
        return format_jaxpr(self.compiler_ir(dialect), sources=debug_info)

    def compiler_ir(self, dialect: str | None = None) -> ClosedJaxpr:
        """The program that the compiler starts from.

        Parameters
        ----------
        dialect : str, optional
            ``jaxpr``.
        """
        if dialect not in (None, "jaxpr"):
            raise UnsupportedError(
                f"lowered {self.entry.name}: there is no dialect {dialect!r}. A program is a Jaxpr "
                "until its kernels are generated: see as_text() here, or compile().source()."
            )
        return ClosedJaxpr(self.entry.jaxpr, self.entry.consts)

    def compile(self, compiler_options: Any = None) -> Compiled:
        """Compile, or find it compiled.

        Parameters
        ----------
        compiler_options : mapping, optional
            Empty: what can be chosen is a setting of `fnx.config`.
        """
        if compiler_options:
            raise UnsupportedError(
                f"lowered {self.entry.name}: compiler_options {sorted(compiler_options)}: the "
                "compiler has none. Settings (kernel_printer, threads) are in fnx.config."
            )
        if not self.entry.captures_tracers:
            self.function._compile(self.entry)
        return Compiled(self.function, self.entry)


class Compiled(_Stage):
    """A compiled program: called with arguments of exactly the types that it was compiled for.

    Static arguments are left out of the call, they are a part of the program.

    Parameters
    ----------
    function : JitFunction
        What was traced.
    entry : Entry
        For which types.
    """

    __slots__ = ("_run",)

    def __init__(self, function: Any, entry: Entry) -> None:
        super().__init__(function, entry)
        self._run = None if entry.captures_tracers else entry.runner()

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        entry = self.entry
        leaves, tree = tree_util.tree_flatten((args, kwargs))
        if tree != self.in_tree:
            self._refuse_structure((args, kwargs))
        values = as_values(f"compiled {entry.name}", leaves, tree, path=entry.path)
        wrong = [
            f"\n  {entry.path(k)}: called with {v.aval!r}, compiled for {a!r}"
            for k, (v, a) in enumerate(zip(values, entry.in_avals, strict=True))
            if not a.same_type(v.aval)
        ]
        if wrong:
            raise ArgumentTypeError(
                f"compiled {entry.name}: arguments of other types:{''.join(wrong)}\nConvert them, "
                "or call the jitted function, which traces new types."
            )
        traced = CONTEXT.get().trace is not None or any(isinstance(v, Tracer) for v in values)
        if traced or self._run is None:
            outs = jit_p(*entry.consts, *values, jaxpr=entry.jaxpr, name=entry.name)
            return tree_util.tree_unflatten(entry.out_tree, outs)
        run = entry.runner() if settings().watches else self._run
        return run(entry.owned(leaves, values))

    def call(self, *args: Any, **kwargs: Any) -> Any:
        """Call it; the same as calling the object."""
        return self(*args, **kwargs)

    def _refuse_structure(self, given: Any) -> NoReturn:
        found = [
            f"{what}{tree_util.keystr(path[1:])}: compiled with {before}, called with {now} ({why})"
            for path, before, now, why in tree_util.equality_errors(self.in_avals, given)
            for what in [("args", "kwargs")[path[0].idx]]
        ]
        raise ArgumentTypeError(f"compiled {self.entry.name}: {'; '.join(found)}")

    @property
    def _executable(self) -> Any:
        if self._run is None:
            raise UnsupportedError(
                f"compiled {self.entry.name}: the program captured traced values, so it is "
                "compiled with the function around it. Pass them as arguments."
            )
        return self.entry.compile()

    @property
    def input_shardings(self) -> Any:
        """Where the arguments are, in the structure ``(args, kwargs)``: on the CPU."""
        return tree_util.tree_map(lambda _: SingleDeviceSharding(), self.in_avals)

    @property
    def output_shardings(self) -> Any:
        """Where the results are, in their structure: on the CPU."""
        return tree_util.tree_map(lambda _: SingleDeviceSharding(), self.out_avals)

    def source(self) -> str:
        """The generated kernels as readable Numba text."""
        return str(self._executable.source())

    def as_text(self) -> str:
        """The steps of the executable, as a table."""
        return str(self._executable.explain())

    def explain(self) -> dict[str, Any]:
        """How the program runs: steps, buffers, compile time."""
        return dict(self._executable.explain())

    def runtime_executable(self) -> Any:
        """What runs on ndarrays: takes a list with one for each input, gives a list."""
        return self._executable

    def memory_analysis(self) -> MemoryStats:
        """The memory of a call.

        Unused inputs count only if the function was jitted with ``keep_unused=True``.
        """
        program = self._executable.program

        def size(avals: Any) -> int:
            return sum(a.size * a.dtype.itemsize for a in avals)

        return MemoryStats(
            size(program.inputs),
            size(program.outputs),
            size([program.outputs[k] for k in program.donations]),
            program.arena,
        )
