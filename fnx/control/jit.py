"""`jit`: trace once for each type of arguments, compile, and call the compiled program.

A call flattens its arguments, makes a key of structure, types and settings, and finds the
executable.  Under a trace the traced program is applied as one `jit` equation.  What happened is
data: `explain()`, `source()`, `lower().as_text()`.
"""

from __future__ import annotations

import functools
import inspect
import time
import weakref
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from fnx import tree_util
from fnx.compiler import cache
from fnx.config import CONTEXT, config, settings, trace_key
from fnx.control.stages import Entry, Lowered, Traced, executable_of, jit_p
from fnx.core.array import Array, adopt
from fnx.core.conversion import as_value
from fnx.core.simplify import simplify
from fnx.core.staging import stage
from fnx.core.tracing import Tracer
from fnx.core.types import ShapedArray
from fnx.errors import user_frame
from fnx.transforms.trees import Flat, as_values, check_callable, function_name
from fnx.tree_util import flatten_into

__all__ = ["JitFunction", "clear_caches", "jit", "no_retrace"]

#: Traced programs that one function keeps; the least recently used go first.
CACHE_SIZE = 512

_refusing: list[str] = []


@contextmanager
def no_retrace() -> Iterator[None]:
    """Within this context a call of a jitted function that would be traced raises.

    Raises
    ------
    RuntimeError
        Names the function and what was new in the call.

    Examples
    --------
    >>> import fnx
    >>> f = fnx.jit(lambda x: x + 1)
    >>> _ = f(1.)
    >>> with fnx.no_retrace():
    ...     _ = f(2.)
    """
    _refusing.append(user_frame())
    try:
        yield
    finally:
        _refusing.pop()


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


class JitFunction:
    """A compiled function; made by `jit`."""

    def __init__(self, fun: Callable[..., Any], **options: Any) -> None:
        functools.update_wrapper(self, fun)
        self._fun = fun
        self._name = function_name(fun)
        self._static_numbers, self._static_names = _static(
            fun, options.pop("static_argnums"), options.pop("static_argnames")
        )
        static = (frozenset(self._static_numbers), frozenset(self._static_names))
        programs = _programs_of(fun, static)
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
        values, key, tree, static = self._flatten(args, kwargs)
        entry = self._entries.get(key)
        if entry is None:
            entry = self._trace(key, values, tree, static)
        if CONTEXT.get().trace is not None or any(isinstance(c, Tracer) for c in entry.consts):
            entry.calls += 1
            outs = jit_p(*entry.consts, *values, jaxpr=entry.jaxpr, name=self._name)
            return tree_util.tree_unflatten(entry.out_tree, outs)
        if any([type(v) is not Array for v in values]):
            for v in values:
                if isinstance(v, Tracer):
                    raise v.leak_error(jit_p)
        executable = entry.executable
        if executable is None:
            executable = self._compile(entry)
        run = _runner(entry, executable)
        if not static and self._entries.get(key) is entry:
            short = _short_key(args, kwargs, trace_key(), [])
            if short is not None:
                self._short[short] = run
        return run(values)

    # -------------------------------------------------------------------------------------- tracing

    def _flatten(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Values, key, structure and static arguments of a call."""
        static: tuple[Any, ...] = ()
        if self._static_numbers or self._static_names:
            static, args, kwargs = self._take_static(args, kwargs)
        leaves, tree = tree_util.tree_flatten((args, kwargs))
        try:
            values = [x if type(x) is Array else as_value(x) for x in leaves]
        except TypeError:
            fixed = [which for which, _, _ in static if isinstance(which, int)]
            values = as_values(f"jit of {self._name}", leaves, tree, fixed=fixed)
        types = tuple([(v.shape, v.dtype, v.weak_type) for v in values])
        return values, (tree, types, static, trace_key()), tree, static

    def _take_static(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        numbers = {n % len(args) for n in self._static_numbers if -len(args) <= n < len(args)}
        static: list[tuple[int | str, Any]] = [(n, args[n]) for n in sorted(numbers)]
        static += [(n, kwargs[n]) for n in sorted(self._static_names) if n in kwargs]
        for which, value in static:
            try:
                hash(value)
            except TypeError:
                raise ValueError(
                    f"jit of {self._name}: static argument {which!r} is a {type(value).__name__}, "
                    "which can't be hashed. Static arguments are compared to find the compiled "
                    "program: pass a tuple or a frozen dataclass, or make the argument dynamic."
                ) from None
        dynamic = tuple([a for k, a in enumerate(args) if k not in numbers])
        rest = {k: v for k, v in kwargs.items() if k not in self._static_names}
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

    def _trace(self, key: Any, values: Sequence[Any], tree: Any, static: Any) -> Entry:
        reason = self._why(key)
        if _refusing:
            raise RuntimeError(
                f"jit of {self._name}: this call would be traced (at {user_frame()}), but "
                f"no_retrace() was entered at {_refusing[-1]}. New in this call: {reason['new']}."
            )
        start = time.perf_counter()
        flat = Flat(self._with_static(static), tree, keywords=True)
        jaxpr, consts = stage(flat, [v.aval for v in values], self._name)
        jaxpr = simplify(jaxpr)
        entry = Entry(
            jaxpr,
            consts,
            flat.out_tree,
            tuple([a.weak_type for a in jaxpr.out_avals]),
            trace_seconds=time.perf_counter() - start,
            where=user_frame(),
        )
        self._reasons.append(reason)
        if not any(isinstance(c, Tracer) for c in consts):
            self._entries[key] = entry
            if len(self._entries) > CACHE_SIZE:
                self._entries.popitem(last=False)
                self._short.clear()
        if settings().log_compiles or settings().explain_cache_misses:
            print(f"jit of {self._name}: traced at {entry.where}; new: {reason['new']}")
        return entry

    def _why(self, key: Any) -> dict[str, Any]:
        """What is new in a key, against the nearest that was seen."""
        if not self._entries:
            return {"where": user_frame(), "new": "first call"}
        tree, types, static, setting = key
        best: list[str] | None = None
        for seen_tree, seen_types, seen_static, seen_setting in self._entries:
            if seen_tree != tree:
                new = [f"structure {tree} (before {seen_tree})"]
            else:
                new = [
                    f"leaf {k}: {_type(a)} (before {_type(b)})"
                    for k, (a, b) in enumerate(zip(types, seen_types, strict=True))
                    if a != b
                ]
            if seen_static != static:
                new.append(f"static arguments {[v for _, _, v in static]}")
            if seen_setting != setting:
                new.append("settings")
            if best is None or len(new) < len(best):
                best = new
        return {"where": user_frame(), "new": "; ".join(best or [])}

    def _compile(self, entry: Entry) -> Any:
        start = time.perf_counter()
        entry.executable = executable_of(entry.jaxpr)
        entry.compile_seconds = time.perf_counter() - start
        return entry.executable

    # ----------------------------------------------------------------------------------- inspection

    def trace(self, *args: Any, **kwargs: Any) -> Traced:
        """The traced program for arguments (arrays, or what has shape and dtype).

        Parameters
        ----------
        *args, **kwargs : pytrees
            As for a call.
        """
        args, kwargs = tree_util.tree_map(_placeholder, (args, kwargs))
        values, key, tree, static = self._flatten(args, kwargs)
        entry = self._entries.get(key)
        if entry is None:
            entry = self._trace(key, values, tree, static)
        return Traced(self, entry, tree)

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
            raise RuntimeError(
                f"jit of {self._name}: nothing is compiled yet. Call the function, or pass "
                "arguments to source()."
            )
        return str(compiled[-1].executable.source())

    def explain(self) -> dict[str, Any]:
        """What happened: every traced program, why it was traced, and how it runs.

        Returns
        -------
        dict
            ``traces``: a list with the reason and place of each trace. ``programs``: for each one
            its input and output types, equations, seconds of tracing and compiling, calls, and the
            steps of its executable.
        """
        programs = []
        for entry in self._entries.values():
            programs.append(
                {
                    "inputs": [repr(a) for a in entry.jaxpr.in_avals],
                    "outputs": [repr(a) for a in entry.jaxpr.out_avals],
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


def _runner(entry: Entry, executable: Any) -> Callable[[list[Any]], Any]:
    """What runs a compiled program on arrays of its types, and gives what the function gives."""
    constants = [c._data for c in entry.consts]
    run, weak, tree = executable.run, entry.weak, entry.out_tree
    single = tree.spec is None

    def call(leaves: list[Any]) -> Any:
        entry.calls += 1
        data = run([*constants, *[x._data for x in leaves]])
        if single:
            return adopt(data[0], weak[0])
        return tree.unflatten([adopt(o, w) for o, w in zip(data, weak)])

    return call


def _placeholder(x: Any) -> Any:
    """Zeros, without memory, for what has only shape and dtype."""
    if isinstance(x, (Array, Tracer, np.ndarray, np.generic)) or not hasattr(x, "shape"):
        return x
    zeros = np.broadcast_to(np.zeros((), x.dtype), tuple(x.shape))
    return adopt(zeros, bool(getattr(x, "weak_type", False)))


def _type(triple: Any) -> str:
    shape, dtype, weak = triple
    return repr(ShapedArray(shape, dtype, weak))


def _static(fun: Callable[..., Any], numbers: Any, names: Any) -> tuple[set[int], set[str]]:
    """Static arguments by position and by name, each completed from the other by the signature."""
    positions = {numbers} if isinstance(numbers, int) else set(numbers or ())
    named = {names} if isinstance(names, str) else set(names or ())
    try:
        parameters = list(inspect.signature(fun).parameters.values())
    except (ValueError, TypeError):
        return positions, named
    positional = [
        p.name for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.POSITIONAL_ONLY)
    ]
    unknown = named - {p.name for p in parameters}
    if unknown and not any(p.kind is p.VAR_KEYWORD for p in parameters):
        raise ValueError(
            f"jit of {function_name(fun)}: static_argnames {sorted(unknown)} aren't parameters of "
            f"it; it has {[p.name for p in parameters]}."
        )
    if not any(p.kind is p.VAR_POSITIONAL for p in parameters):
        beyond = sorted(n for n in positions if not -len(positional) <= n < len(positional))
        if beyond:
            raise ValueError(
                f"jit of {function_name(fun)}: static_argnums {beyond} name no positional "
                f"parameter; it has {positional}."
            )
    by_name = {k for k, n in enumerate(positional) if n in named}
    by_number = {positional[n] for n in positions if -len(positional) <= n < len(positional)}
    return positions | by_name, named | by_number


def jit(
    fun: Callable[..., Any] | None = None,
    *,
    static_argnums: int | Sequence[int] | None = None,
    static_argnames: str | Sequence[str] | None = None,
    donate_argnums: int | Sequence[int] | None = None,
    donate_argnames: str | Sequence[str] | None = None,
    keep_unused: bool = False,
    inline: bool = False,
    **peers: Any,
) -> Any:
    """Compile a function to native kernels.

    Parameters
    ----------
    fun : callable
        Pure; takes and gives pytrees of arrays.
    static_argnums, static_argnames : int, str or sequence
        Arguments that are Python values and decide what is compiled; hashable.
    donate_argnums, donate_argnames : int, str or sequence
        Arguments whose memory isn't needed any more. Accepted; results never share memory with
        them.
    keep_unused, inline : bool
        Accepted for programs written for JAX.
    **peers
        ``device``, ``backend``, ``in_shardings``, ``out_shardings``, ``abstracted_axes``: accepted
        when None.

    Returns
    -------
    JitFunction
        Called like `fun`; also has ``lower``, ``trace``, ``source``, ``explain``, ``clear_cache``.

    Examples
    --------
    >>> import fnx, fnx.numpy as jnp
    >>> fnx.jit(lambda x: jnp.sin(x) ** 2 + jnp.cos(x) ** 2)(1.)
    Array(1., dtype=float32, weak_type=True)
    """
    for option, value in peers.items():
        if option not in ("device", "backend", "in_shardings", "out_shardings", "abstracted_axes"):
            raise TypeError(f"jit: unexpected argument {option!r}.")
        if value is not None:
            raise NotImplementedError(f"jit: {option} must be None; there is one device, the CPU.")
    if fun is None:
        return functools.partial(
            jit, static_argnums=static_argnums, static_argnames=static_argnames
        )
    check_callable("jit", fun)
    return JitFunction(fun, static_argnums=static_argnums, static_argnames=static_argnames)
