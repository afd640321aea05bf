"""Functions of pytrees as functions of flat arguments, and errors that name the leaf.

Every public transform flattens its arguments here, follows a flat function, and puts results back
into trees.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any

from fnx import tree_util
from fnx.core.conversion import as_value
from fnx.core.tracing import Tracer

__all__ = [
    "Flat",
    "argument_path",
    "as_values",
    "call_path",
    "check_callable",
    "function_name",
]


def function_name(function: Any) -> str:
    """What to call a function in messages."""
    inner = getattr(function, "__wrapped__", function)
    return getattr(inner, "__name__", None) or type(function).__name__


def check_callable(operation: str, function: Any) -> None:
    """Raise TypeError unless the first argument of a transform can be called."""
    if not callable(function):
        raise TypeError(
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
    """

    def __init__(
        self, function: Callable[..., Any], tree: Any, keywords: bool = False, aux: bool = False
    ) -> None:
        self.function = function
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
        if self.keywords:
            args, kwargs = structured
            out = self.function(*args, **kwargs)
        else:
            out = self.function(*structured)
        if not self.has_aux:
            leaves, self.out_tree = tree_util.tree_flatten(out)
            return as_values("output of " + function_name(self.function), leaves, self.out_tree)
        if not isinstance(out, (tuple, list)) or len(out) != 2:
            raise TypeError(
                f"has_aux=True: {function_name(self.function)} must give a pair (out, aux), "
                f"it gave {type(out).__name__}. Return `out, aux`."
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


_TRACED: Any = object()


def as_values(
    operation: str,
    leaves: Sequence[Any],
    tree: Any,
    name: str = "",
    fixed: Collection[int] | None = None,
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
    fixed : collection of int, optional
        Given if that is ``(args, kwargs)``: the positions that `args` lacks.
    """
    try:
        return [as_value(x) for x in leaves]
    except TypeError:
        for k, leaf in enumerate(leaves):
            path = argument_path(tree, k, name) if fixed is None else call_path(tree, k, fixed)
            as_value(leaf, operation, path)
        raise


def call_path(tree: Any, index: int, fixed: Collection[int] = ()) -> str:
    """The path of a leaf of ``(args, kwargs)``: ``args[0]['w']`` or ``kwargs['x']``.

    Parameters
    ----------
    tree : PyTreeDef
        Of ``(args, kwargs)``.
    index : int
        Of the leaf.
    fixed : collection of int
        Positions of static arguments, which `args` lacks.
    """
    path = argument_path(tree, index)
    if not path.startswith("[0]"):
        return "kwargs" + path[3:]
    place, rest = path[4:].split("]", 1)
    position = int(place)
    for k in sorted(fixed):
        position += k <= position
    return f"args[{position}]{rest}"


def argument_path(tree: Any, index: int, name: str = "") -> str:
    """The path of a leaf: ``params['w']``."""
    marked = tree_util.tree_unflatten(tree, list(range(tree.num_leaves)))
    for path, leaf in tree_util.tree_leaves_with_path(marked):
        if leaf == index:
            return (name + tree_util.keystr(path)) or "the value"
    return name
