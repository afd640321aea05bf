"""What is said when two trees do not agree: where, and how.

In come a prefix and a tree that it should fit (or two trees that should be alike); out come
sentences that name the place as the user would write it, ``params['layers'][0]``, and what is there
on either side. Read next: `operations`, which raises them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from fnx.tree_util.keys import KeyPath, keystr
from fnx.tree_util.registry import entry_of
from fnx.tree_util.structure import PyTreeDef, flatten_one_level, flatten_one_level_with_keys

__all__ = [
    "equality_errors",
    "equality_errors_pytreedef",
    "prefix_differences",
    "prefix_errors",
]


def prefix_errors(
    prefix_tree: Any, full_tree: Any, is_leaf: Callable[[Any], bool] | None = None
) -> list[Callable[[str], ValueError]]:
    """Every place where a tree is not a prefix of another one.

    Parameters
    ----------
    prefix_tree, full_tree : pytree
        The prefix, and the tree that it should fit.
    is_leaf : callable, optional
        Nodes of the prefix for which it is true are leaves.

    Returns
    -------
    list of callable
        Each makes the error, given the name of the prefix for the user: ``error("in_axes")``.

    Examples
    --------
    >>> [error] = prefix_errors({"w": [0]}, {"w": [1, 2]})
    >>> print(error("in_axes"))
    in_axes['w']: the prefix has a list of length 1, the tree has a list of length 2.
    """
    return [
        _prefix_error(path, one, other)
        for path, one, other, _ in prefix_differences(prefix_tree, full_tree, is_leaf)
    ]


def prefix_differences(
    prefix_tree: Any, full_tree: Any, is_leaf: Callable[[Any], bool] | None = None
) -> Iterator[tuple[KeyPath, str, str, str]]:
    """As `equality_errors`, for places where a tree is not a prefix of another one.

    Parameters
    ----------
    prefix_tree, full_tree : pytree
        The prefix, and the tree that it should fit.
    is_leaf : callable, optional
        Nodes of the prefix for which it is true are leaves.
    """
    yield from _differences((), prefix_tree, full_tree, is_leaf, True)


def equality_errors(
    tree1: Any, tree2: Any, is_leaf: Callable[[Any], bool] | None = None
) -> Iterator[tuple[KeyPath, str, str, str]]:
    """Every place where two trees differ in structure.

    Parameters
    ----------
    tree1, tree2 : pytree
        The trees.
    is_leaf : callable, optional
        Nodes for which it is true are leaves.

    Yields
    ------
    (key path, str, str, str)
        The place, what the first tree has there, what the second has, and why these differ.
    """
    yield from _differences((), tree1, tree2, is_leaf, False)


def equality_errors_pytreedef(
    tree1: PyTreeDef, tree2: PyTreeDef
) -> Iterator[tuple[KeyPath, str, str, str]]:
    """As `equality_errors`, for structures.

    Parameters
    ----------
    tree1, tree2 : PyTreeDef
        The structures.
    """
    yield from equality_errors(
        tree1.unflatten([_LEAF] * tree1.num_leaves), tree2.unflatten([_LEAF] * tree2.num_leaves)
    )


def _prefix_error(path: KeyPath, one: str, other: str) -> Callable[[str], ValueError]:
    return lambda name: ValueError(
        f"{name}{keystr(path)}: the prefix has {one}, the tree has {other}."
    )


def _differences(
    path: KeyPath,
    first: Any,
    second: Any,
    is_leaf: Callable[[Any], bool] | None,
    prefix: bool,
) -> Iterator[tuple[KeyPath, str, str, str]]:
    first_is_leaf = _is_leaf(first, is_leaf)
    # A leaf is a prefix of anything, and like any leaf.
    if first_is_leaf and (prefix or _is_leaf(second, is_leaf)):
        return
    if type(first) is not type(second):
        yield path, _kind(first), _kind(second), "their types differ"
        return
    if first_is_leaf or (not prefix and _is_leaf(second, is_leaf)):
        yield path, _kind(first), _kind(second), "only one of them is a leaf"
        return
    children, data = flatten_one_level(first)
    other_pairs, other_data = flatten_one_level_with_keys(second)
    if len(children) != len(other_pairs) or data != other_data:
        yield path, *_contents(first, second)
        return
    for child, (key, other) in zip(children, other_pairs, strict=True):
        yield from _differences((*path, key), child, other, is_leaf, prefix)


def _is_leaf(tree: Any, is_leaf: Callable[[Any], bool] | None) -> bool:
    return entry_of(type(tree)) is None or (is_leaf is not None and is_leaf(tree))


def _kind(tree: Any) -> str:
    if tree is _LEAF:
        return "a leaf"
    if tree is None:
        return "None"
    if entry_of(type(tree)) is None:
        return f"a leaf of type {type(tree).__name__}"
    name = type(tree).__name__
    if isinstance(tree, (list, tuple)):
        return f"a {name} of length {len(tree)}"
    return f"a {name}"


def _contents(first: Any, second: Any) -> tuple[str, str, str]:
    """Words for two nodes of one type whose children or data differ."""
    name = type(first).__name__
    if isinstance(first, (list, tuple)):
        return _kind(first), _kind(second), "their lengths differ"
    if isinstance(first, dict):
        mine, theirs = set(first), set(second)
        here, there = f"a {name} with keys {list(first)}", f"a {name} with keys {list(second)}"
        if mine == theirs:
            return here, there, "the order of their keys, or their default, differs"
        apart = sorted(map(repr, mine ^ theirs))
        return here, there, f"only one of them has the keys {', '.join(apart)}"
    mine_children, mine_data = flatten_one_level(first)
    their_children, their_data = flatten_one_level(second)
    if len(mine_children) != len(their_children):
        return (
            f"a {name} with {len(mine_children)} children",
            f"a {name} with {len(their_children)} children",
            "the numbers of their children differ",
        )
    return (
        f"a {name} with metadata {mine_data}",
        f"a {name} with metadata {their_data}",
        "their metadata differ",
    )


class _Leaf:
    """Stands for a leaf where only the structure is known."""


_LEAF = _Leaf()
