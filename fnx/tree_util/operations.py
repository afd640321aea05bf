"""What is done with trees: mapping, reducing, transposing, broadcasting a prefix.

In come functions and trees; out come trees of the same structure, or what is left of their leaves.
Where trees do not agree the error names the place and both structures. Read next: `fnx.tree`,
the same functions by short names.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

from fnx.errors import ArgumentTypeError, ArgumentValueError
from fnx.tree_util.keys import KeyPath, keystr
from fnx.tree_util.mismatch import (
    equality_errors_pytreedef,
    prefix_differences,
    prefix_errors,
)
from fnx.tree_util.registry import entry_of
from fnx.tree_util.structure import (
    PyTreeDef,
    flatten_into,
    match_prefix,
    tree_flatten,
    tree_flatten_with_path,
    tree_structure,
)

__all__ = [
    "all_leaves",
    "broadcast_prefix",
    "flatten_axes",
    "tree_all",
    "tree_broadcast",
    "tree_leaves",
    "tree_leaves_with_path",
    "tree_map",
    "tree_map_with_path",
    "tree_reduce",
    "tree_reduce_associative",
    "tree_transpose",
    "treedef_children",
    "treedef_is_leaf",
    "treedef_is_strict_leaf",
]

T = TypeVar("T")


class _Unspecified:
    """Stands for an argument that was not given, in signatures."""

    def __repr__(self) -> str:
        return "<unspecified>"


_UNSPECIFIED: Any = _Unspecified()


def tree_leaves(tree: Any, is_leaf: Callable[[Any], bool] | None = None) -> list[Any]:
    """A tree's leaves.

    Parameters
    ----------
    tree : pytree
        The tree.
    is_leaf : callable, optional
        Nodes for which it is true are leaves.

    Examples
    --------
    >>> tree_leaves({"b": 1, "a": (2, None)})
    [2, 1]
    """
    if is_leaf is None:
        leaves: list[Any] = []
        flatten_into(tree, leaves)
        return leaves
    return tree_flatten(tree, is_leaf)[0]


def tree_leaves_with_path(
    tree: Any, is_leaf: Callable[..., bool] | None = None, is_leaf_takes_path: bool = False
) -> list[tuple[KeyPath, Any]]:
    """A tree's leaves with their key paths.

    Parameters
    ----------
    tree : pytree
        The tree.
    is_leaf : callable, optional
        Nodes for which it is true are leaves.
    is_leaf_takes_path : bool
        `is_leaf` takes the key path before the node.
    """
    return tree_flatten_with_path(tree, is_leaf, is_leaf_takes_path)[0]


def tree_map(
    f: Callable[..., Any],
    tree: Any,
    *rest: Any,
    is_leaf: Callable[[Any], bool] | None = None,
) -> Any:
    """Apply a function to each leaf.

    Parameters
    ----------
    f : callable
        Takes a leaf of `tree`, and of each of `rest` what is at its place.
    tree : pytree
        The tree.
    *rest : pytree
        Trees that `tree` is a prefix of.
    is_leaf : callable, optional
        Nodes of `tree` for which it is true are leaves.

    Returns
    -------
    pytree
        A tree of the structure of `tree`.

    Examples
    --------
    >>> tree_map(lambda x, y: x + y, {"a": 1, "b": [2]}, {"a": 10, "b": [20]})
    {'a': 11, 'b': [22]}
    """
    leaves, structure = tree_flatten(tree, is_leaf)
    columns = [_up_to("tree_map", structure, tree, other, is_leaf) for other in rest]
    return structure.unflatten([f(*row) for row in zip(leaves, *columns)])


def tree_map_with_path(
    f: Callable[..., Any],
    tree: Any,
    *rest: Any,
    is_leaf: Callable[..., bool] | None = None,
    is_leaf_takes_path: bool = False,
) -> Any:
    """Apply a function to each leaf and its key path.

    Parameters
    ----------
    f : callable
        Takes the key path, a leaf of `tree`, and of each of `rest` what is at its place.
    tree : pytree
        The tree.
    *rest : pytree
        Trees that `tree` is a prefix of.
    is_leaf : callable, optional
        Nodes of `tree` for which it is true are leaves.
    is_leaf_takes_path : bool
        `is_leaf` takes the key path before the node.

    Returns
    -------
    pytree
        A tree of the structure of `tree`.

    Examples
    --------
    >>> from fnx.tree_util import keystr
    >>> tree_map_with_path(lambda path, x: f"{keystr(path)} = {x}", {"a": [1]})
    {'a': ["['a'][0] = 1"]}
    """
    pairs, structure = tree_flatten_with_path(tree, is_leaf, is_leaf_takes_path)
    plain = None if is_leaf_takes_path else is_leaf
    columns = [_up_to("tree_map_with_path", structure, tree, other, plain) for other in rest]
    return structure.unflatten([f(*pair, *row) for pair, *row in zip(pairs, *columns)])


def tree_reduce(
    function: Callable[[T, Any], T],
    tree: Any,
    initializer: T = _UNSPECIFIED,
    is_leaf: Callable[[Any], bool] | None = None,
) -> T:
    """Fold a function over the leaves, from the left.

    Parameters
    ----------
    function : callable
        ``function(result so far, leaf) -> result``.
    tree : pytree
        The tree.
    initializer : object, optional
        The result of a tree without leaves.
    is_leaf : callable, optional
        Nodes for which it is true are leaves.

    Examples
    --------
    >>> import operator
    >>> tree_reduce(operator.add, {"a": 1, "b": (2, 3)})
    6
    """
    leaves = tree_leaves(tree, is_leaf)
    if initializer is not _UNSPECIFIED:
        return functools.reduce(function, leaves, initializer)
    if not leaves:
        raise ArgumentTypeError("tree_reduce: the tree has no leaves. Give an initializer.")
    return functools.reduce(function, leaves)


def tree_reduce_associative(
    operation: Callable[[T, T], T],
    tree: Any,
    *,
    identity: T = _UNSPECIFIED,
    is_leaf: Callable[[Any], bool] | None = None,
) -> T:
    """Reduce the leaves pairwise, as a balanced tree of calls.

    Parameters
    ----------
    operation : callable
        An associative function of two leaves.
    tree : pytree
        The tree.
    identity : object, optional
        The result of a tree without leaves.
    is_leaf : callable, optional
        Nodes for which it is true are leaves.

    Examples
    --------
    >>> tree_reduce_associative(lambda x, y: f"({x}{y})", list("abcd"))
    '((ab)(cd))'
    """
    leaves = tree_leaves(tree, is_leaf)
    if not leaves:
        if identity is _UNSPECIFIED:
            raise ArgumentTypeError(
                "tree_reduce_associative: the tree has no leaves. Give an identity."
            )
        return identity
    return _halve(operation, leaves)


def tree_all(tree: Any, *, is_leaf: Callable[[Any], bool] | None = None) -> bool:
    """Whether all leaves are true.

    Parameters
    ----------
    tree : pytree
        The tree.
    is_leaf : callable, optional
        Nodes for which it is true are leaves.
    """
    return all(tree_leaves(tree, is_leaf))


def tree_transpose(
    outer_treedef: PyTreeDef, inner_treedef: PyTreeDef | None, pytree_to_transpose: Any
) -> Any:
    """A tree of trees, turned inside out.

    Parameters
    ----------
    outer_treedef : PyTreeDef
        The structure outside.
    inner_treedef : PyTreeDef or None
        The structure inside; None: whatever the first one is.
    pytree_to_transpose : pytree
        A tree of the outer structure whose leaves are trees of the inner structure.

    Returns
    -------
    pytree
        A tree of the inner structure whose leaves are trees of the outer structure.

    Examples
    --------
    >>> tree_transpose(tree_structure([0, 0]), tree_structure((0, 0)), [(1, 2), (3, 4)])
    ([1, 3], [2, 4])
    """
    leaves, structure = tree_flatten(pytree_to_transpose)
    if inner_treedef is None:
        subtrees = outer_treedef.flatten_up_to(pytree_to_transpose)
        if not subtrees:
            raise ArgumentTypeError(
                "tree_transpose: the outer structure has no leaves. Give inner_treedef."
            )
        inner_treedef = tree_structure(subtrees[0])
    # As in JAX, the number of leaves decides: a tuple may stand where the structure has a list.
    if structure.num_leaves != outer_treedef.num_leaves * inner_treedef.num_leaves:
        expected = outer_treedef.compose(inner_treedef)
        raise ArgumentTypeError(
            f"tree_transpose: expected a tree of {expected}, got one of {structure}."
            + "".join(
                f" At tree{keystr(path)}: expected {one}, got {other}."
                for path, one, other, _ in equality_errors_pytreedef(expected, structure)
            )
        )
    width = inner_treedef.num_leaves
    columns = [leaves[i::width] for i in range(width)]
    return inner_treedef.unflatten([outer_treedef.unflatten(column) for column in columns])


def tree_broadcast(
    prefix_tree: Any, full_tree: Any, is_leaf: Callable[[Any], bool] | None = None
) -> Any:
    """A prefix of a tree, spread out to its structure.

    Parameters
    ----------
    prefix_tree, full_tree : pytree
        The prefix and the tree.
    is_leaf : callable, optional
        Nodes of the prefix for which it is true are leaves.

    Returns
    -------
    pytree
        A tree of the structure of `full_tree`, whose leaves are those of the prefix above them.

    Examples
    --------
    >>> tree_broadcast((0, 1), ({"a": "x", "b": "y"}, "z"))
    ({'a': 0, 'b': 0}, 1)
    """
    spread = _broadcast("tree_broadcast prefix_tree", prefix_tree, full_tree, is_leaf)
    return tree_structure(full_tree).unflatten(spread)


def broadcast_prefix(
    prefix_tree: Any,
    full_tree: Any,
    is_leaf: Callable[[Any], bool] | None = None,
    *,
    operation: str = "broadcast_prefix",
    name: str = "prefix_tree",
) -> list[Any]:
    """The leaves of `tree_broadcast`: for each leaf of a tree, the leaf of the prefix above it.

    Parameters
    ----------
    prefix_tree, full_tree : pytree
        The prefix and the tree.
    is_leaf : callable, optional
        Nodes of the prefix for which it is true are leaves.
    operation, name : str
        Who asks, and what the user calls the prefix, for messages.

    Examples
    --------
    >>> broadcast_prefix((0, 1), ((10, 11), 12))
    [0, 0, 1]
    """
    return _broadcast(name, prefix_tree, full_tree, is_leaf, f"{operation}: ")


def flatten_axes(name: str, treedef: PyTreeDef, axis_tree: Any) -> list[Any]:
    """One axis for each leaf of a structure, from a prefix of axes in which None is an axis too.

    Parameters
    ----------
    name : str
        What the user calls the prefix, for messages: ``vmap in_axes``.
    treedef : PyTreeDef
        The structure.
    axis_tree : pytree
        The prefix.

    Examples
    --------
    >>> flatten_axes("vmap in_axes", tree_structure(((0, 0), 0)), (None, 1))
    [None, None, 1]
    """
    stand_ins = treedef.unflatten([_UNSPECIFIED] * treedef.num_leaves)
    return _broadcast(name, axis_tree, stand_ins, _is_none)


def all_leaves(iterable: Iterable[Any], is_leaf: Callable[[Any], bool] | None = None) -> bool:
    """Whether every value is a leaf.

    Parameters
    ----------
    iterable : iterable
        The values.
    is_leaf : callable, optional
        Nodes for which it is true are leaves.

    Examples
    --------
    >>> all_leaves([1, 2.0]), all_leaves([1, (2,)])
    (True, False)
    """
    return all(
        entry_of(type(value)) is None or (is_leaf is not None and is_leaf(value))
        for value in iterable
    )


def treedef_children(treedef: PyTreeDef) -> list[PyTreeDef]:
    """The structures of the root's children.

    Parameters
    ----------
    treedef : PyTreeDef
        The structure.
    """
    return treedef.children()


def treedef_is_leaf(treedef: PyTreeDef) -> bool:
    """Whether a structure is a single node, a leaf or an empty container.

    Parameters
    ----------
    treedef : PyTreeDef
        The structure.
    """
    return treedef.num_nodes == 1


def treedef_is_strict_leaf(treedef: PyTreeDef) -> bool:
    """Whether a structure is a leaf, and not an empty container.

    Parameters
    ----------
    treedef : PyTreeDef
        The structure.
    """
    return treedef.spec is None


def _up_to(
    operation: str,
    structure: PyTreeDef,
    tree: Any,
    other: Any,
    is_leaf: Callable[[Any], bool] | None,
) -> list[Any]:
    subtrees: list[Any] = []
    if match_prefix(structure.spec, other, subtrees):
        return subtrees
    lines = [f"{operation}: the trees do not agree. Give trees of one structure."]
    for path, mine, theirs, why in list(prefix_differences(tree, other, is_leaf))[:5]:
        where = f"at tree{keystr(path)}"
        lines.append(f"  {where}: the first has {mine}, the other has {theirs}; {why}.")
    lines += [f"  first: {structure}", f"  other: {tree_structure(other)}"]
    raise ArgumentValueError("\n".join(lines))


def _broadcast(
    name: str,
    prefix_tree: Any,
    full_tree: Any,
    is_leaf: Callable[[Any], bool] | None,
    operation: str = "",
) -> list[Any]:
    leaves, prefix = tree_flatten(prefix_tree, is_leaf)
    subtrees: list[Any] = []
    if not match_prefix(prefix.spec, full_tree, subtrees):
        places = [str(error(name)) for error in prefix_errors(prefix_tree, full_tree, is_leaf)]
        raise ArgumentValueError(
            f"{operation}{name} must be a prefix of the tree that it is for.\n  "
            + "\n  ".join(places[:5])
            + f"\n  prefix: {prefix}\n  tree:   {tree_structure(full_tree)}"
        )
    spread: list[Any] = []
    for leaf, subtree in zip(leaves, subtrees, strict=True):
        spread += [leaf] * len(tree_leaves(subtree))
    return spread


def _is_none(value: Any) -> bool:
    return value is None


def _halve(operation: Callable[[T, T], T], leaves: Sequence[T]) -> T:
    if len(leaves) == 1:
        return leaves[0]
    middle = len(leaves) // 2
    return operation(_halve(operation, leaves[:middle]), _halve(operation, leaves[middle:]))
