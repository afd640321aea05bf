"""Functions of pytrees as functions of flat arguments, and errors that name the leaf.

Every public transform flattens its arguments here, follows a flat function, and puts results back
into trees. A `Flat` knows what the user calls each leaf, ``params['w']``: it names what can't be
traced, and tells errors that pass through it which of its arguments the failing operation got.
"""

from __future__ import annotations

import inspect
import traceback
from collections.abc import Callable, Iterator, Sequence
from types import TracebackType
from typing import Any

import numpy as np

from fnx import tree_util
from fnx.core.array import Array
from fnx.core.conversion import as_value
from fnx.core.tracing import Tracer
from fnx.errors import (
    ArgumentTypeError,
    ConcretizationTypeError,
    FnxError,
    NonConcreteBooleanIndexError,
    TracerArrayConversionError,
    TracerIntegerConversionError,
    is_internal_file,
    type_string,
)

__all__ = [
    "Flat",
    "aliased",
    "argument_name",
    "argument_path",
    "as_values",
    "check_callable",
    "described",
    "function_name",
    "structure_difference",
    "users_name",
]


def function_name(function: Any) -> str:
    """What to call a function in messages."""
    inner = getattr(function, "__wrapped__", function)
    return getattr(inner, "__name__", None) or type(function).__name__


def described(value: Any) -> str:
    """What a value is, in messages: its type as Jaxprs write it, or its class."""
    aval = getattr(value, "aval", None)
    if aval is None and isinstance(value, np.ndarray):
        aval = type_string(value.dtype, value.shape)
    return type(value).__name__ if aval is None else str(aval)


def check_callable(operation: str, function: Any) -> None:
    """Raise TypeError unless the first argument of a transform can be called."""
    if not callable(function):
        raise ArgumentTypeError(
            f"{operation}: expected a function, got {type(function).__name__}. "
            f"Write {operation}(f)(x), not {operation}(f(x))."
        )


class Flat:
    """A function of pytrees as one of flat values that remembers the structure of its result.

    Parameters
    ----------
    function : callable
        Of pytrees.
    tree : PyTreeDef
        Structure of ``(args, kwargs)`` or of `args`.
    keywords : bool
        Whether the tree is ``(args, kwargs)``.
    aux : bool
        Whether the function gives ``(out, aux)``.  The tracers in `aux` follow the leaves of `out`
        as further values, what else it holds (strings, say) is kept here; see `aux`.
    positions : sequence of int, optional
        Which positional arguments of the function `args` are; all of them, by default.
    call : tuple, optional
        All ``(args, kwargs)`` of the call, if the function holds some of them itself; for errors.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        tree: Any,
        keywords: bool = False,
        aux: bool = False,
        positions: Sequence[int] | None = None,
        call: tuple[Any, Any] | None = None,
    ) -> None:
        self.function = function
        self.call = call
        self.positions = positions
        self.tree = tree
        self.keywords = keywords
        self.has_aux = aux
        self.out_tree: Any = None
        self.aux_tree: Any = None
        self.aux_count = 0
        #: The leaves of aux; `_TRACED` in place of tracers.
        self._aux_leaves: list[Any] = []

    def __call__(self, *flat: Any) -> list[Any]:
        structured = tree_util.tree_unflatten(self.tree, flat)
        args, kwargs = structured if self.keywords else (structured, {})
        try:
            out = self.function(*args, **kwargs)
        except FnxError as error:
            self._name_operands(error, structured)
            raise
        if not self.has_aux:
            leaves, self.out_tree = tree_util.tree_flatten(out)
            return as_values("output of " + function_name(self.function), leaves, self.out_tree)
        if not isinstance(out, (tuple, list)) or len(out) != 2:
            raise ArgumentTypeError(
                f"has_aux=True: {function_name(self.function)} must give a pair (out, aux), "
                f"it gave {described(out)}. Return `out, aux`."
            )
        leaves, self.out_tree = tree_util.tree_flatten(out[0])
        aux_leaves, self.aux_tree = tree_util.tree_flatten(out[1])
        values = as_values("output of " + function_name(self.function), leaves, self.out_tree)
        traced = [x for x in aux_leaves if isinstance(x, Tracer)]
        self.aux_count = len(traced)
        self._aux_leaves = [_TRACED if isinstance(x, Tracer) else x for x in aux_leaves]
        return values + traced

    def aux(self, values: Sequence[Any]) -> Any:
        """The aux of the last call.

        Parameters
        ----------
        values : sequence
            What became of its tracers.
        """
        it = iter(values)
        leaves = [next(it) if x is _TRACED else x for x in self._aux_leaves]
        return tree_util.tree_unflatten(self.aux_tree, leaves)

    def values(self, operation: str, leaves: Sequence[Any]) -> list[Any]:
        """Arrays and tracers from the leaves of a call; errors name the argument.

        Parameters
        ----------
        operation : str
            For errors.
        leaves : sequence
            What a user passes.
        """
        return as_values(operation, leaves, self.tree, path=self.path)

    def path(self, index: int) -> str:
        """What the user calls a leaf: ``params['w']``; ``args[0]`` if the function has no names.

        Parameters
        ----------
        index : int
            Of the leaf.
        """
        marked = tree_util.tree_unflatten(self.tree, list(range(self.tree.num_leaves)))
        call = marked if self.keywords else (marked, {})
        return next(name for name, leaf in self._named(call, self.positions) if leaf == index)

    def _named(
        self, call: tuple[Any, Any], positions: Sequence[int] | None
    ) -> Iterator[tuple[str, Any]]:
        """The names and the leaves of ``(args, kwargs)``."""
        names, by_position, rest = _parameter_names(self.function)
        for path, leaf in tree_util.tree_leaves_with_path((tuple(call[0]), call[1])):
            keyword = path[0].idx == 1
            place = path[1].key if keyword else path[1].idx
            if positions is not None and not keyword:
                place = positions[place]
            if keyword:
                name = place if place in names else f"kwargs[{place!r}]"
            elif place < len(by_position):
                name = by_position[place]
            else:
                name = f"{rest}[{place - len(by_position)}]"
            yield users_name(self.function, name + tree_util.keystr(path[2:])), leaf

    def _name_operands(self, error: FnxError, structured: Any) -> None:
        """Tell an error which arguments the operation got that failed."""
        call = structured if self.keywords else (structured, {})
        named = [*self._named(call, self.positions), *self._named(self.call or ((), {}), None)]
        names = {_identity(x): f"{name}: {described(x)}" for name, x in reversed(named)}
        operation = list(_frames_of_operation(error.__traceback__))
        said = [text for texts in error.operands.values() for text in texts]
        texts: list[str] = []
        for values in operation:
            found = dict.fromkeys([names[i] for i in map(_identity, values) if i in names])
            texts = [text for text in found if text not in said]
            if texts:
                break
        if not texts and isinstance(error, _WANTS_VALUES):
            tracer = next((v for held in operation for v in held if isinstance(v, Tracer)), None)
            sources = [] if tracer is None else [names[i] for i in tracer.sources() if i in names]
            texts = [f"a value computed from {', '.join(sources)}"] if sources else []
        if texts:
            function = function_name(self.function)
            error.operands[function] = (*error.operands.get(function, ()), *texts)


def _identity(value: Any) -> Any:
    """What an operand is known by: tracers of one variable are one; None for numbers."""
    if isinstance(value, Tracer):
        return value.identity
    return id(value) if isinstance(value, (Array, np.ndarray)) else None


_TRACED: Any = object()

#: Errors that are about a value, wherever it was computed.
_WANTS_VALUES = (
    ConcretizationTypeError,
    NonConcreteBooleanIndexError,
    TracerArrayConversionError,
    TracerIntegerConversionError,
)


def _frames_of_operation(trace: TracebackType | None) -> Iterator[list[Any]]:
    """What the frames of fnx hold below the user's innermost line, which called an operation."""
    frames = [frame for frame, _ in traceback.walk_tb(trace)][1:]
    user = [k for k, f in enumerate(frames) if not is_internal_file(f.f_code.co_filename)]
    for frame in frames[user[-1] + 1 if user else 0 :]:
        held: list[Any] = []
        for value in frame.f_locals.values():
            held += value if type(value) in (list, tuple) else [value]
        yield [value for value in held if _identity(value) is not None]


def _parameter_names(function: Callable[..., Any]) -> tuple[list[str], list[str], str]:
    """The names of all parameters, of positional ones, and of the one that takes the rest."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (ValueError, TypeError):  # a built-in without a signature
        return [], [], "args"
    names = [p.name for p in parameters if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]
    by_position = [
        p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)
    ]
    rest = [p.name for p in parameters if p.kind is p.VAR_POSITIONAL]
    return names, by_position, rest[0] if rest else "args"


def as_values(
    operation: str,
    leaves: Sequence[Any],
    tree: Any,
    name: str = "",
    path: Callable[[int], str] | None = None,
) -> list[Any]:
    """Arrays and tracers from leaves; errors name the leaf's path.

    Parameters
    ----------
    operation, name : str
        For errors.
    leaves : sequence
        What a user passes.
    tree : PyTreeDef
        Their structure.
    path : callable, optional
        What to call the leaf of an index; the path in the tree by default.
    """
    try:
        return [as_value(x) for x in leaves]
    except TypeError:
        for k, leaf in enumerate(leaves):
            as_value(leaf, operation, argument_path(tree, k, name) if path is None else path(k))
        raise


def argument_name(function: Callable[..., Any], which: int | str) -> str:
    """The name of a positional argument; its place, if it has none.

    Parameters
    ----------
    function : callable
        What is called.
    which : int or str
        The place, or the name itself.
    """
    by_position = _parameter_names(function)[1]
    if isinstance(which, str):
        return which
    return by_position[which] if which < len(by_position) else f"argument {which}"


def aliased(function: Callable[..., Any], user: Callable[..., Any], *parts: str) -> Any:
    """A function of ours around a user's, for whose arguments errors use the user's names.

    Parameters
    ----------
    function : callable
        Ours.
    user : callable
        The user's.
    *parts : str
        What our function calls each positional argument of the user's: ``carry[0]``.
    """
    function.__name__ = function_name(user)
    function._fnx_aliases = (user, parts)  # type: ignore[attr-defined]
    return function


def users_name(function: Callable[..., Any], name: str) -> str:
    """What the user calls a part of an argument; see `aliased`.

    Parameters
    ----------
    function : callable
        What is called.
    name : str
        The name by its own parameters.
    """
    user, parts = getattr(function, "_fnx_aliases", (function, ()))
    for place, part in enumerate(parts):
        if name.startswith(part):
            return argument_name(user, place) + name[len(part) :]
    return name


def structure_difference(name: str, expected: Any, given: Any) -> str:
    """Where a tree first has another structure: ``grads['w'] is a leaf, not a tuple of length 2``.

    Parameters
    ----------
    name : str
        What the user calls the tree.
    expected, given : PyTreeDef
        The two structures.
    """
    for path, wanted, found, _ in tree_util.equality_errors_pytreedef(expected, given):
        return f"{name}{tree_util.keystr(path)} is {found}, not {wanted}"
    return f"{name} is {given}, not {expected}"


def argument_path(tree: Any, index: int, name: str = "") -> str:
    """The path of a leaf: ``params['w']``."""
    marked = tree_util.tree_unflatten(tree, list(range(tree.num_leaves)))
    for path, leaf in tree_util.tree_leaves_with_path(marked):
        if leaf == index:
            return (name + tree_util.keystr(path)) or "the value"
    return name
