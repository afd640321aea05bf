"""Which arguments of a function an option of `jit` means: static ones, donated ones.

Users name arguments by position or by name; each list is completed from the other by the function's
signature, so that it does not matter how the caller passes them.  Read next: `jit`.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from typing import Any

from fnx import tree_util
from fnx.errors import ArgumentTypeError, ArgumentValueError
from fnx.transforms.trees import function_name

__all__ = ["Chosen", "chosen_arguments", "chosen_leaves", "named_like"]


class Chosen:
    """Arguments of a function, by position and by name.

    Parameters
    ----------
    positions : iterable of int
        Negative ones count from the end of the arguments of a call.
    names : iterable of str
        For those that are passed by keyword.
    """

    __slots__ = ("names", "positions")

    def __init__(self, positions: Iterable[int], names: Iterable[str]) -> None:
        self.positions = frozenset(positions)
        self.names = frozenset(names)

    def __bool__(self) -> bool:
        return bool(self.positions or self.names)

    @property
    def key(self) -> Any:
        """What equal choices have in common."""
        return self.positions, self.names

    def among(self, count: int) -> list[int]:
        """The positions in a call with `count` positional arguments, sorted."""
        return sorted({n % count for n in self.positions if -count <= n < count})


def chosen_arguments(option: str, fun: Callable[..., Any], numbers: Any, names: Any) -> Chosen:
    """The arguments that a user chose by position and by name.

    Parameters
    ----------
    option : str
        ``static`` or ``donate``, for errors.
    fun : callable
        Whose signature completes one list from the other.
    numbers, names : int, str, sequence of them, or None
        What the user gave.

    Raises
    ------
    ArgumentTypeError, ArgumentValueError
        These are no positions and names, or the function has no such arguments.
    """
    positions = _several(f"{option}_argnums", numbers, int)
    named = _several(f"{option}_argnames", names, str)
    try:
        parameters = list(inspect.signature(fun).parameters.values())
    except (ValueError, TypeError):  # a built-in without a signature
        return Chosen(positions, named)
    positional = [
        p.name for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.POSITIONAL_ONLY)
    ]
    unknown = named - {p.name for p in parameters}
    if unknown and not any(p.kind is p.VAR_KEYWORD for p in parameters):
        raise ArgumentValueError(
            f"jit of {function_name(fun)}: {option}_argnames {sorted(unknown)} aren't parameters "
            f"of it; it has {[p.name for p in parameters]}."
        )
    count = len(positional)
    if not any(p.kind is p.VAR_POSITIONAL for p in parameters):
        beyond = sorted(n for n in positions if not -count <= n < count)
        if beyond:
            raise ArgumentValueError(
                f"jit of {function_name(fun)}: {option}_argnums {beyond} name no positional "
                f"parameter; it has {positional}."
            )
    by_name = {k for k, n in enumerate(positional) if n in named}
    by_number = {positional[n] for n in positions if -count <= n < count}
    return Chosen(positions | by_name, named | by_number)


def named_like(fun: Callable[..., Any]) -> Callable[..., Any]:
    """Something with the name and the parameters of a function, which doesn't keep it alive.

    Parameters
    ----------
    fun : callable
        Any.
    """

    def stub() -> None:
        """Only asked for its signature."""

    stub.__name__ = function_name(fun)
    try:
        found = inspect.signature(fun)
        bare = [p.replace(default=p.empty, annotation=p.empty) for p in found.parameters.values()]
        stub.__signature__ = inspect.Signature(bare)  # type: ignore[attr-defined]
    except (ValueError, TypeError):  # a built-in without a signature
        stub.__signature__ = inspect.signature(lambda *args: None)  # type: ignore[attr-defined]
    return stub


def _several(option: str, given: Any, kind: type) -> set[Any]:
    """One or several positions or names as a set."""
    if given is None:
        return set()
    if isinstance(given, kind) and not isinstance(given, bool):
        return {given}
    if isinstance(given, Iterable) and not isinstance(given, str):
        found = list(given)
        if all(isinstance(x, kind) and not isinstance(x, bool) for x in found):
            return set(found)
    raise ArgumentTypeError(
        f"jit: {option} must be {kind.__name__} or a sequence of {kind.__name__}, got {given!r}."
    )


def chosen_leaves(tree: Any, chosen: Chosen, without: Iterable[int] = ()) -> tuple[int, ...]:
    """The leaves of a call's arguments that belong to chosen ones.

    Parameters
    ----------
    tree : PyTreeDef
        Of ``(args, kwargs)``.
    chosen : Chosen
        Which arguments.
    without : iterable of int
        Positions (of static arguments) that `args` lacks.
    """
    args, kwargs = tree_util.tree_unflatten(tree, list(range(tree.num_leaves)))
    gaps = set(without)
    total = len(args) + len(gaps)
    places = [n for n in range(total) if n not in gaps]
    wanted = set(chosen.among(total))
    parts = [a for n, a in zip(places, args, strict=True) if n in wanted]
    parts += [a for name, a in kwargs.items() if name in chosen.names]
    return tuple(tree_util.tree_leaves(parts))
