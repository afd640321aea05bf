"""The structure of a tree: taking it apart into leaves, and putting it together again.

In comes a tree; out come its leaves in order and a `PyTreeDef`. Behind a `PyTreeDef` is a *spec*,
plain nested tuples: None for a leaf, and ``(type, data, *specs of children)`` for a node. So
flattening makes no objects but tuples, and hashing and comparing structures, which every call of a
jitted function does, runs at the speed of tuples. Read next: `operations`, what is done with this;
`mismatch`, what is said when trees do not agree.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, TypeAlias

from fnx.errors import ArgumentValueError
from fnx.tree_util.keys import KeyPath
from fnx.tree_util.registry import NODES, Partial, entry_of, sorted_keys

__all__ = [
    "PyTreeDef",
    "Spec",
    "default_registry",
    "flatten_into",
    "flatten_one_level",
    "flatten_one_level_with_keys",
    "tree_flatten",
    "tree_flatten_with_path",
    "tree_structure",
    "tree_unflatten",
    "treedef_tuple",
]

Spec: TypeAlias = tuple[Any, ...] | None
IsLeaf: TypeAlias = Callable[..., bool] | None


class PyTreeDef:
    """The structure of a tree without its leaves: hashable, comparable, printable.

    Structures come from `tree_structure` and `tree_flatten`, not from this class.

    Parameters
    ----------
    spec : tuple or None
        The structure as nested tuples; see above.
    count : int, optional
        How many leaves it has, where that is known.

    Examples
    --------
    >>> structure = tree_structure({"a": 1, "b": (2, None)})
    >>> structure
    PyTreeDef({'a': *, 'b': (*, None)})
    >>> structure.unflatten("xy")
    {'a': 'x', 'b': ('y', None)}
    """

    __slots__ = ("_count", "_hash", "spec")
    spec: Spec

    def __init__(self, spec: Spec, count: int | None = None) -> None:
        self.spec = spec
        self._count = count
        self._hash: int | None = None

    @property
    def num_leaves(self) -> int:
        """How many leaves a tree of this structure has."""
        if self._count is None:
            self._count = _count_leaves(self.spec)
        return self._count

    @property
    def num_nodes(self) -> int:
        """How many nodes it has, leaves included."""
        return _count_nodes(self.spec)

    def unflatten(self, leaves: Iterable[Any]) -> Any:
        """The tree of this structure with given leaves; see `tree_unflatten`."""
        leaves = leaves if type(leaves) in (list, tuple) else list(leaves)
        if len(leaves) != self.num_leaves:  # type: ignore[arg-type]
            few = len(leaves) < self.num_leaves  # type: ignore[arg-type]
            raise ArgumentValueError(
                f"tree_unflatten: too {'few' if few else 'many'} leaves for {self}; "
                f"expected {self.num_leaves}, got {len(leaves)}."  # type: ignore[arg-type]
            )
        return _build(self.spec, iter(leaves).__next__)

    def children(self) -> list[PyTreeDef]:
        """The structures of the root's children."""
        return [] if self.spec is None else [PyTreeDef(spec) for spec in self.spec[2:]]

    def node_data(self) -> tuple[type, Any] | None:
        """The type of the root and its data (the keys of a dictionary, say); None for a leaf."""
        if self.spec is None:
            return None
        kind, data = self.spec[:2]
        if kind is dict:
            return kind, list(data)
        return kind, (None if kind is data else data)

    def flatten_up_to(self, tree: Any) -> list[Any]:
        """The subtrees of a tree at the leaves of this structure, which is a prefix of it."""
        subtrees: list[Any] = []
        if not match_prefix(self.spec, tree, subtrees):
            raise ArgumentValueError(
                f"flatten_up_to: {self} is not a prefix of {tree_structure(tree)}. "
                "Containers must be of the same types and lengths, with the same keys, "
                "down to the leaves of the prefix."
            )
        return subtrees

    def compose(self, inner: PyTreeDef) -> PyTreeDef:
        """This structure with another one in place of each leaf."""
        return PyTreeDef(_substitute(self.spec, inner.spec))

    def walk(
        self,
        node: Callable[[tuple[Any, ...], Any], Any],
        leaf: Callable[[Any], Any] | None,
        leaves: Iterable[Any],
    ) -> Any:
        """Fold from the leaves up: ``leaf(x)``, then ``node(results of children, data)``."""

        def fold(spec: Spec, rest: Iterator[Any]) -> Any:
            if spec is None:
                return next(rest) if leaf is None else leaf(next(rest))
            data = list(spec[1]) if spec[0] is dict else spec[1]
            return node(tuple([fold(child, rest) for child in spec[2:]]), data)

        return fold(self.spec, iter(leaves))

    def from_iterable_tree(self, tree: Any) -> Any:
        """A tree of this structure out of nested iterables of the same shape."""

        def rebuild(spec: Spec, part: Any) -> Any:
            if spec is None:
                return part
            parts = zip(spec[2:], part, strict=True)
            return _assemble(spec, [rebuild(child, below) for child, below in parts])

        return rebuild(self.spec, tree)

    @staticmethod
    def from_node_data_and_children(
        registry: Registry, node_data: tuple[type, Any] | None, children: Sequence[PyTreeDef]
    ) -> PyTreeDef:
        """The structure with a given root, as `node_data` gives it, and given children."""
        if node_data is None:
            if children:
                raise ArgumentValueError("from_node_data_and_children: a leaf has no children.")
            return PyTreeDef(None)
        kind, data = node_data
        if not registry.is_node(kind):
            raise ArgumentValueError(
                f"from_node_data_and_children: {kind!r} is not a node of trees."
            )
        if kind not in NODES:
            data = kind
        if kind is dict:
            data = tuple(data)
        return PyTreeDef((kind, data, *[child.spec for child in children]))

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        return isinstance(other, PyTreeDef) and self.spec == other.spec

    def __hash__(self) -> int:
        if self._hash is None:
            self._hash = hash(self.spec)
        return self._hash

    def __repr__(self) -> str:
        return f"PyTreeDef({_spell(self.spec)})"

    def __reduce__(self) -> tuple[Any, ...]:
        return PyTreeDef, (self.spec, self._count)


def flatten_into(tree: Any, leaves: list[Any]) -> Spec:
    """Append a tree's leaves to a list; the spec of its structure comes back.

    Parameters
    ----------
    tree : pytree
        The tree.
    leaves : list
        Grows.

    Returns
    -------
    tuple or None
        The spec: a key, as good as the structure and cheaper.
    """
    kind = type(tree)
    children: Iterable[Any]
    if kind is tuple or kind is list:
        children, data = tree, None
    elif kind is dict:
        keys = sorted_keys(tree)
        children, data = [tree[key] for key in keys], tuple(keys)
    else:
        entry = entry_of(kind)
        if entry is None:
            leaves.append(tree)
            return None
        children, data = entry.flatten(tree)
    spec = [kind, data]
    for child in children:
        # The test is made here, and not by the call, because most children are leaves.
        if type(child) in NODES or isinstance(child, tuple):
            spec.append(flatten_into(child, leaves))
        else:
            leaves.append(child)
            spec.append(None)
    return tuple(spec)


def tree_flatten(tree: Any, is_leaf: IsLeaf = None) -> tuple[list[Any], PyTreeDef]:
    """A tree's leaves, and its structure.

    Parameters
    ----------
    tree : pytree
        Nested tuples, lists, dictionaries (in the order of sorted keys), None (no leaves), named
        tuples, and registered types.
    is_leaf : callable, optional
        Nodes for which it is true are leaves.

    Returns
    -------
    (list, PyTreeDef)
        The leaves and the structure; `tree_unflatten` inverts.

    Examples
    --------
    >>> tree_flatten({"b": 1, "a": [2, 3]})
    ([2, 3, 1], PyTreeDef({'a': [*, *], 'b': *}))
    """
    leaves: list[Any] = []
    spec = flatten_into(tree, leaves) if is_leaf is None else _flatten_until(tree, is_leaf, leaves)
    return leaves, PyTreeDef(spec, len(leaves))


def tree_unflatten(treedef: PyTreeDef, leaves: Iterable[Any]) -> Any:
    """The tree of a structure with given leaves.

    Parameters
    ----------
    treedef : PyTreeDef
        The structure.
    leaves : iterable
        As many as the structure has.

    Returns
    -------
    pytree
        The tree.

    Examples
    --------
    >>> tree_unflatten(tree_structure([0, (0, 0)]), [1, 2, 3])
    [1, (2, 3)]
    """
    return treedef.unflatten(leaves)


def tree_structure(tree: Any, is_leaf: IsLeaf = None) -> PyTreeDef:
    """A tree's structure.

    Parameters
    ----------
    tree : pytree
        The tree.
    is_leaf : callable, optional
        Nodes for which it is true are leaves.
    """
    return tree_flatten(tree, is_leaf)[1]


def tree_flatten_with_path(
    tree: Any, is_leaf: IsLeaf = None, is_leaf_takes_path: bool = False
) -> tuple[list[tuple[KeyPath, Any]], PyTreeDef]:
    """A tree's leaves with their key paths, and its structure.

    Parameters
    ----------
    tree : pytree
        The tree.
    is_leaf : callable, optional
        Nodes for which it is true are leaves.
    is_leaf_takes_path : bool
        `is_leaf` takes the key path before the node.

    Returns
    -------
    (list of (key path, leaf), PyTreeDef)
        The pairs and the structure.

    Examples
    --------
    >>> tree_flatten_with_path({"a": [2]})[0]
    [((DictKey(key='a'), SequenceKey(idx=0)), 2)]
    """
    pairs: list[tuple[KeyPath, Any]] = []

    def descend(node: Any, path: KeyPath) -> Spec:
        entry = entry_of(type(node))
        stop = is_leaf is not None and (
            is_leaf(path, node) if is_leaf_takes_path else is_leaf(node)
        )
        if entry is None or stop:
            pairs.append((path, node))
            return None
        children, data = entry.flatten(node)
        below = zip(entry.keys(node), children, strict=True)
        return (type(node), data, *[descend(child, (*path, key)) for key, child in below])

    spec = descend(tree, ())
    return pairs, PyTreeDef(spec, len(pairs))


def treedef_tuple(treedefs: Iterable[PyTreeDef]) -> PyTreeDef:
    """The structure of a tuple of trees of given structures.

    Parameters
    ----------
    treedefs : iterable of PyTreeDef
        The structures.
    """
    return PyTreeDef((tuple, None, *[treedef.spec for treedef in treedefs]))


def flatten_one_level(tree: Any) -> tuple[tuple[Any, ...], Any]:
    """The children of a node, and its data.

    Parameters
    ----------
    tree : pytree
        A node; a leaf is refused.

    Returns
    -------
    (tuple, object)
        Children and data.

    Examples
    --------
    >>> flatten_one_level({"b": 1, "a": (2, 3)})
    (((2, 3), 1), ('a', 'b'))
    """
    entry = entry_of(type(tree))
    if entry is None:
        raise ArgumentValueError(f"flatten_one_level: {type(tree)!r} is not a node of trees.")
    children, data = entry.flatten(tree)
    return tuple(children), data


def flatten_one_level_with_keys(tree: Any) -> tuple[tuple[tuple[Any, Any], ...], Any]:
    """The children of a node with their key entries, and its data.

    Parameters
    ----------
    tree : pytree
        A node; a leaf is refused.

    Returns
    -------
    (tuple of (key entry, child), object)
        Pairs and data.
    """
    children, data = flatten_one_level(tree)
    entry = entry_of(type(tree))
    keys = () if entry is None else entry.keys(tree)
    return tuple(zip(keys, children, strict=True)), data


class Registry:
    """The table of node types as an object, as JAX has it."""

    __slots__ = ()

    def is_node(self, kind: type) -> bool:
        """Whether values of a type are nodes."""
        return entry_of(kind) is not None

    def flatten(self, tree: Any, is_leaf: IsLeaf = None) -> tuple[list[Any], PyTreeDef]:
        """See `tree_flatten`."""
        return tree_flatten(tree, is_leaf)

    def flatten_with_path(
        self, tree: Any, is_leaf: IsLeaf = None, is_leaf_takes_path: bool = False
    ) -> tuple[list[tuple[KeyPath, Any]], PyTreeDef]:
        """See `tree_flatten_with_path`."""
        return tree_flatten_with_path(tree, is_leaf, is_leaf_takes_path)

    def flatten_one_level(self, tree: Any) -> tuple[tuple[Any, ...], Any] | None:
        """See `flatten_one_level`; None for a leaf."""
        return flatten_one_level(tree) if self.is_node(type(tree)) else None

    def flatten_one_level_with_keys(
        self, tree: Any
    ) -> tuple[tuple[tuple[Any, Any], ...], Any] | None:
        """See `flatten_one_level_with_keys`; None for a leaf."""
        return flatten_one_level_with_keys(tree) if self.is_node(type(tree)) else None


default_registry = Registry()


def match_prefix(spec: Spec, tree: Any, subtrees: list[Any]) -> bool:
    """Append the subtrees of a tree at the leaves of a spec; False where they do not agree."""
    if spec is None:
        subtrees.append(tree)
        return True
    kind = type(tree)
    if kind is not spec[0]:
        return False
    if kind is tuple or kind is list:
        children = tree
    else:
        children, data = flatten_one_level(tree)
        if data != spec[1]:
            return False
    if len(children) != len(spec) - 2:
        return False
    for child_spec, child in zip(spec[2:], children):
        if child_spec is None:
            subtrees.append(child)
        elif not match_prefix(child_spec, child, subtrees):
            return False
    return True


def _flatten_until(tree: Any, is_leaf: Callable[..., bool], leaves: list[Any]) -> Spec:
    entry = entry_of(type(tree))
    if entry is None or is_leaf(tree):
        leaves.append(tree)
        return None
    children, data = entry.flatten(tree)
    return (type(tree), data, *[_flatten_until(child, is_leaf, leaves) for child in children])


def _build(spec: Spec, take: Callable[[], Any]) -> Any:
    """The tree of a spec; `take` gives its leaves in order."""
    if spec is None:
        return take()
    kind = spec[0]
    children = [take() if child is None else _build(child, take) for child in spec[2:]]
    if kind is dict:
        return dict(zip(spec[1], children))
    if kind is tuple:
        return tuple(children)
    if kind is list:
        return children
    return _assemble(spec, children)


def _assemble(spec: tuple[Any, ...], children: list[Any]) -> Any:
    entry = entry_of(spec[0])
    if entry is None:
        raise ArgumentValueError(f"tree_unflatten: {spec[0]!r} is not a node of trees here.")
    return entry.unflatten(spec[1], children)


def _count_leaves(spec: Spec) -> int:
    return 1 if spec is None else sum(map(_count_leaves, spec[2:]))


def _count_nodes(spec: Spec) -> int:
    return 1 if spec is None else 1 + sum(map(_count_nodes, spec[2:]))


def _substitute(spec: Spec, inner: Spec) -> Spec:
    if spec is None:
        return inner
    return (*spec[:2], *[_substitute(child, inner) for child in spec[2:]])


def _spell(spec: Spec) -> str:
    if spec is None:
        return "*"
    kind, data, *below = spec
    if kind is type(None):
        return "None"
    children = [_spell(child) for child in below]
    if kind is dict:
        return "{" + ", ".join([f"{k!r}: {v}" for k, v in zip(data, children)]) + "}"
    inside = ", ".join(children)
    if kind is tuple:
        return f"({inside}{',' if len(children) == 1 else ''})"
    if kind is list:
        return f"[{inside}]"
    if kind not in NODES:
        return f"CustomNode(namedtuple[{kind.__name__}], [{inside}])"
    shown = repr(data) if kind is Partial else str(data)
    return f"CustomNode({kind.__name__}[{shown}], [{inside}])"
