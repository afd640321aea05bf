"""`jit`: trace once for each type of arguments, compile, and call the compiled program.

A call flattens its arguments, makes a key of structure, types and settings, and finds the
executable.  Under a trace the traced program is applied as one `jit` equation.  What happened is
data: `explain()`, `source()`, `lower().as_text()`.
"""

from __future__ import annotations

import functools
import logging
import time
import weakref
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from fnx import tree_util
from fnx.compiler import cache
from fnx.config import CONTEXT, config, settings, trace_key
from fnx.control import bodies
from fnx.control.arguments import Chosen, chosen_arguments, chosen_leaves, named_like
from fnx.control.entries import Entry
from fnx.control.jit_call import jit_p
from fnx.control.retracing import causes, told
from fnx.control.stages import Lowered, Traced
from fnx.core.array import Array, adopt
from fnx.core.conversion import as_value
from fnx.core.device import checked_device, devices
from fnx.core.jaxpr import eval_jaxpr
from fnx.core.simplify import simplify
from fnx.core.staging import stage
from fnx.core.tracing import Tracer, traces_abstractly
from fnx.errors import (
    ArgumentValueError,
    JaxRuntimeError,
    UnsupportedError,
    user_frame,
)
from fnx.transforms.trees import Flat, argument_name, check_callable, function_name
from fnx.tree_util import flatten_into

__all__ = ["JitFunction", "clear_caches", "jit"]

#: Traced programs that one function keeps; the least recently used go first.
CACHE_SIZE = 512

_logger = logging.getLogger(__name__)


class _Programs:
    """What was traced of one function with one choice of static arguments."""

    def __init__(self) -> None:
        self.entries: OrderedDict[Any, Entry] = OrderedDict()
        self.reasons: list[dict[str, Any]] = []
        #: What runs, by the short key of a call.
        self.short: dict[Any, Callable[[list[Any]], Any]] = {}


#: So that ``jit(f)`` in a loop traces f once.
_programs: weakref.WeakKeyDictionary[Any, dict[Any, _Programs]] = weakref.WeakKeyDictionary()


def _programs_of(fun: Any, static: Any) -> _Programs:
    try:
        by_static = _programs.setdefault(fun, {})
    except TypeError:  # without a hash, or without weak references
        return _Programs()
    return by_static.setdefault(static, _Programs())


#: All that live, for `clear_caches`.
_functions: weakref.WeakSet[JitFunction] = weakref.WeakSet()


def clear_caches() -> None:
    """Forget what was traced and compiled in this process; the kernels on disk stay.

    Examples
    --------
    >>> import fnx
    >>> f = fnx.jit(lambda x: x + 1)
    >>> _ = f(1.)
    >>> fnx.clear_caches()
    >>> _ = f(1.)
    >>> len(f.explain()["traces"])
    2
    """
    for function in list(_functions):
        function.clear_cache()
    cache.clear()
    bodies.clear()


class JitFunction:
    """A compiled function; made by `jit`.

    Parameters
    ----------
    fun : callable
        The function.
    static, donated : Chosen
        Arguments that are static, and those that calls give away.
    keep_unused, inline : bool
        As of `jit`.
    """

    def __init__(
        self,
        fun: Callable[..., Any],
        static: Chosen,
        donated: Chosen,
        keep_unused: bool = False,
        inline: bool = False,
    ) -> None:
        functools.update_wrapper(self, fun)
        self._fun = fun
        self._name = function_name(fun)
        self._static = static
        self._donated = donated
        self._keep_unused = keep_unused
        self._inline = inline
        programs = _programs_of(fun, (static.key, donated.key, keep_unused))
        self._entries, self._reasons = programs.entries, programs.reasons
        self._short = programs.short
        _functions.add(self)

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self if instance is None else functools.partial(self, instance)

    def __repr__(self) -> str:
        return f"<jit of {self._name}>"

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        # The short way of a call like an earlier one: arrays, no static argument, no trace.
        context = CONTEXT.get()
        if context.trace is None and self._short:
            chosen = context.settings or config._process
            leaves: list[Any] = []
            run = self._short.get(_short_key(args, kwargs, chosen.key, leaves))
            if run is not None and not chosen.disable_jit:
                return run(leaves)
        return self._call(args, kwargs)

    def _call(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if settings().disable_jit:
            return self._fun(*args, **kwargs)
        values, key, leaves, static = self._flatten(args, kwargs)
        entry = self._entries.get(key)
        if entry is None:
            entry = self._trace(key, values, static)
        trace = CONTEXT.get().trace
        if trace is not None or entry.captures_tracers:
            entry.calls += 1
            if self._inline and traces_abstractly(trace):
                outs = eval_jaxpr(entry.jaxpr, *entry.consts, *values)
            else:
                outs = jit_p(*entry.consts, *values, jaxpr=entry.jaxpr, name=self._name)
            return tree_util.tree_unflatten(entry.out_tree, outs)
        if any([type(v) is not Array for v in values]):
            for v in values:
                if isinstance(v, Tracer):
                    raise v.leak_error(jit_p)
        self._compile(entry)
        run = entry.runner()
        if not static and self._entries.get(key) is entry:
            short = _short_key(args, kwargs, trace_key(), [])
            if short is not None:
                self._short[short] = run
        return run(entry.owned(leaves, values))

    # -------------------------------------------------------------------------------------- tracing

    def _flatten(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Values, key, leaves and static arguments of a call."""
        static: tuple[Any, ...] = ()
        if self._static:
            static, args, kwargs = self._take_static(args, kwargs)
        leaves, tree = tree_util.tree_flatten((args, kwargs))
        try:
            values = [x if type(x) is Array else as_value(x) for x in leaves]
        except TypeError:
            values = self._flat(tree, static).values(f"jit of {self._name}", leaves)
        types = tuple([(v.shape, v.dtype, v.weak_type) for v in values])
        return values, (tree, types, static, trace_key()), leaves, static

    def _take_static(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        numbers = self._static.among(len(args))
        static: list[tuple[int | str, Any]] = [(n, args[n]) for n in numbers]
        static += [(n, kwargs[n]) for n in sorted(self._static.names) if n in kwargs]
        for which, value in static:
            try:
                hash(value)
            except TypeError:
                raise ArgumentValueError(
                    f"jit of {self._name}: static argument {argument_name(self._fun, which)} is a "
                    f"{type(value).__name__}, which can't be hashed. Static arguments are compared "
                    "to find the compiled program: pass a tuple or a frozen dataclass, or make "
                    "the argument dynamic."
                ) from None
        dynamic = tuple([a for k, a in enumerate(args) if k not in numbers])
        rest = {k: v for k, v in kwargs.items() if k not in self._static.names}
        return tuple([(w, type(v), v) for w, v in static]), dynamic, rest

    def _with_static(self, static: tuple[Any, ...]) -> Callable[..., Any]:
        if not static:
            return self._fun
        numbers = {w: v for w, _, v in static if isinstance(w, int)}
        names = {w: v for w, _, v in static if isinstance(w, str)}

        def whole(*args: Any, **kwargs: Any) -> Any:
            it = iter(args)
            count = len(args) + len(numbers)
            merged = [numbers[k] if k in numbers else next(it) for k in range(count)]
            return self._fun(*merged, **kwargs, **names)

        return functools.wraps(self._fun)(whole)

    def _flat(self, tree: Any, static: tuple[Any, ...]) -> Flat:
        """The function of the leaves of a call without static arguments."""
        fixed = {which for which, _, _ in static if isinstance(which, int)}
        count = tree.children()[0].num_nodes  # more than there are arguments
        positions = [k for k in range(count + len(fixed)) if k not in fixed]
        return Flat(self._with_static(static), tree, keywords=True, positions=positions)

    def _trace(self, key: Any, values: Sequence[Any], static: Any) -> Entry:
        tree = key[0]
        flat = self._flat(tree, static)
        found = causes(key, self._entries, flat.path)
        new = told(found, first=not self._reasons)
        if settings().no_retrace:
            raise JaxRuntimeError(
                f"jit of {self._name}: this call would be traced, and no_retrace is set. New in "
                f"this call: {new}."
            )
        start = time.perf_counter()
        jaxpr, consts = stage(flat, [v.aval for v in values], self._name)
        fixed = {which for which, _, _ in static if isinstance(which, int)}
        # Names without the function: its programs must not keep it alive.
        named = Flat(named_like(self._fun), tree, keywords=True, positions=flat.positions)
        entry = Entry(
            self._name,
            simplify(jaxpr),
            consts,
            tree,
            flat.out_tree,
            chosen_leaves(tree, self._donated, fixed) if self._donated else (),
            self._keep_unused,
            named.path,
            trace_seconds=time.perf_counter() - start,
            where=user_frame(),
        )
        self._reasons.append({"where": entry.where, "new": new, "causes": found})
        if not entry.captures_tracers:
            self._entries[key] = entry
            if len(self._entries) > CACHE_SIZE:
                self._entries.popitem(last=False)
                self._short.clear()
        chosen = settings()
        if chosen.explain_cache_misses:
            _logger.warning("jit of %s: traced at %s; new: %s", self._name, entry.where, new)
        if chosen.log_compiles:
            _logger.warning(
                "jit of %s: traced for %s: %d equations, %.1f ms",
                self._name, ", ".join(map(repr, entry.in_avals)) or "no arguments",
                len(entry.jaxpr.eqns), entry.trace_seconds * 1000,
            )  # fmt: skip
        return entry

    def _compile(self, entry: Entry) -> None:
        if entry.executable is None:
            executable = entry.compile()
            if settings().log_compiles:
                told_by = executable.explain()
                _logger.warning(
                    "jit of %s: compiled %d steps in %.1f ms (store: %s)",
                    self._name, len(told_by.steps), entry.compile_seconds * 1000, told_by.cache,
                )  # fmt: skip

    # ----------------------------------------------------------------------------------- inspection

    def trace(self, *args: Any, **kwargs: Any) -> Traced:
        """The traced program for arguments (arrays, or what has shape and dtype).

        Parameters
        ----------
        *args, **kwargs : pytrees
            As for a call.
        """
        args, kwargs = tree_util.tree_map(_placeholder, (args, kwargs))
        values, key, _, static = self._flatten(args, kwargs)
        entry = self._entries.get(key)
        if entry is None:
            entry = self._trace(key, values, static)
        return Traced(self, entry)

    def lower(self, *args: Any, **kwargs: Any) -> Lowered:
        """The lowered program for arguments; `as_text()` prints it, `compile()` compiles it.

        Parameters
        ----------
        *args, **kwargs : pytrees
            As for a call.
        """
        return self.trace(*args, **kwargs).lower()

    def source(self, *args: Any, **kwargs: Any) -> str:
        """The generated kernels as readable Numba text, for arguments or for the last program run.

        Parameters
        ----------
        *args, **kwargs : pytrees
            As for a call; none for the last program.
        """
        if args or kwargs:
            return self.lower(*args, **kwargs).compile().source()
        compiled = [e for e in self._entries.values() if e.executable is not None]
        if not compiled:
            raise JaxRuntimeError(
                f"jit of {self._name}: nothing is compiled yet. Call the function, or pass "
                "arguments to source()."
            )
        return str(compiled[-1].executable.source())

    def explain(self) -> dict[str, Any]:
        """What happened: every traced program, why it was traced, and how it runs.

        Returns
        -------
        dict
            ``traces``: for each trace its place, the reason as text (``new``) and as data
            (``causes``, a list of `Cause`). ``programs``: for each one its input and output types,
            donated arguments, equations, seconds of tracing and compiling, calls, and the steps of
            its executable.
        """
        programs = []
        for entry in self._entries.values():
            programs.append(
                {
                    "inputs": [repr(a) for a in entry.jaxpr.in_avals],
                    "outputs": [repr(a) for a in entry.jaxpr.out_avals],
                    "donated": [entry.path(k) for k in entry.donated],
                    "equations": len(entry.jaxpr.eqns),
                    "traced_at": entry.where,
                    "trace_seconds": entry.trace_seconds,
                    "compile_seconds": entry.compile_seconds,
                    "calls": entry.calls,
                    "executable": None if entry.executable is None else entry.executable.explain(),
                }
            )
        return {"function": self._name, "traces": list(self._reasons), "programs": programs}

    def clear_cache(self) -> None:
        """Forget all traced programs."""
        self._entries.clear()
        self._short.clear()

    def eval_shape(self, *args: Any, **kwargs: Any) -> Any:
        """Types of the results, without computing them.

        Parameters
        ----------
        *args, **kwargs : pytrees
            As for a call.
        """
        traced = self.trace(*args, **kwargs)
        return traced.out_info

    def _cache_size(self) -> int:
        return len(self._entries)


def _short_key(
    args: tuple[Any, ...], kwargs: dict[str, Any], meaning: Any, leaves: list[Any]
) -> tuple[Any, ...] | None:
    """A key of a call whose leaves are arrays, which are collected; None for other calls."""
    key: list[Any] = [meaning]
    for arg in args:
        if type(arg) is Array:
            leaves.append(arg)
        else:
            # The number of leaves so far says which argument the structure is of.
            key += (flatten_into(arg, leaves), len(leaves))
    if kwargs:
        key.append(flatten_into(kwargs, leaves))
    for leaf in leaves:
        if type(leaf) is not Array:
            return None
        data = leaf._data
        key += (data.shape, data.dtype, leaf._weak)
    return tuple(key)


def _placeholder(x: Any) -> Any:
    """Zeros, without memory, for what has only shape and dtype."""
    if isinstance(x, (Array, Tracer, np.ndarray, np.generic)) or not hasattr(x, "shape"):
        return x
    zeros = np.broadcast_to(np.zeros((), x.dtype), tuple(x.shape))
    return adopt(zeros, bool(getattr(x, "weak_type", False)))


def jit(
    fun: Callable[..., Any] | None = None,
    *,
    static_argnums: int | Sequence[int] | None = None,
    static_argnames: str | Sequence[str] | None = None,
    donate_argnums: int | Sequence[int] | None = None,
    donate_argnames: str | Sequence[str] | None = None,
    keep_unused: bool = False,
    inline: bool = False,
    device: Any = None,
    backend: str | None = None,
    in_shardings: Any = None,
    out_shardings: Any = None,
    compiler_options: Any = None,
) -> Any:
    """Compile a function to native kernels.

    Parameters
    ----------
    fun : callable
        Pure; takes and gives pytrees of arrays.
    static_argnums, static_argnames : int, str or sequence
        Arguments that are Python values and decide what is compiled; hashable.
    donate_argnums, donate_argnames : int, str or sequence
        Arguments that a call gives away: it deletes them, and a result of the same type takes their
        memory, so that an update happens in place. Not under another transform, nor under
        ``disable_jit``.
    keep_unused : bool
        Whether the executable takes arguments that the program doesn't read. By default it does
        not look at them, so they may have any memory layout without being copied.
    inline : bool
        Whether a call inside of another traced function is recorded as its equations, and not as
        one ``jit`` equation. Compiled programs are the same either way.
    device, backend : Device, str or None
        Where to run: the CPU. Another one raises.
    in_shardings, out_shardings : pytree of Device, or None
        Where arguments and results are: on the CPU. Another place raises.
    compiler_options : mapping, optional
        Empty: what can be chosen is a setting of `fnx.config`.

    Returns
    -------
    JitFunction
        Called like `fun`; also has ``lower``, ``trace``, ``source``, ``explain``, ``clear_cache``.

    Examples
    --------
    >>> import fnx, fnx.numpy as jnp
    >>> fnx.jit(lambda x: jnp.sqrt(x) * 2 + 1)(9.)
    Array(7., dtype=float32, weak_type=True)
    """
    options = {
        "static_argnums": static_argnums,
        "static_argnames": static_argnames,
        "donate_argnums": donate_argnums,
        "donate_argnames": donate_argnames,
        "keep_unused": keep_unused,
        "inline": inline,
    }
    checked_device("jit", device)
    devices(backend)
    for place in tree_util.tree_leaves((in_shardings, out_shardings)):
        checked_device("jit", place)
    if compiler_options:
        raise UnsupportedError(
            f"jit: compiler_options {sorted(compiler_options)}: the compiler has none. Settings "
            "(kernel_printer, threads) are in fnx.config."
        )
    if fun is None:
        return functools.partial(jit, **options)  # type: ignore[arg-type]
    check_callable("jit", fun)
    static = chosen_arguments("static", fun, static_argnums, static_argnames)
    donated = chosen_arguments("donate", fun, donate_argnums, donate_argnames)
    both = (static.positions & donated.positions) or (static.names & donated.names)
    if both:
        raise ArgumentValueError(
            f"jit of {function_name(fun)}: {sorted(both)} are static and donated. A static "
            "argument is a Python value and has no memory to give away."
        )
    return JitFunction(fun, static, donated, bool(keep_unused), bool(inline))
