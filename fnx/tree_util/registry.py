"""Which types are nodes of trees, and how to take them apart and put them together.

In come a type and its functions; `entry_of(type)` gives them back, for built-in containers too. A
node is taken apart into children and *data*: what it takes beside children to rebuild it (the keys
of a dictionary). The table is written when types are registered, as a rule while modules are
imported; registering twice is refused. Read next: `structure`, which walks trees by this table.
"""

from __future__ import annotations

import collections
import dataclasses
import functools
from collections.abc import Callable, Hashable, Iterable, Sequence
from operator import attrgetter
from typing import Any, TypeVar

from fnx.errors import ArgumentTypeError, ArgumentValueError
from fnx.tree_util.keys import DictKey, FlattenedIndexKey, GetAttrKey, KeyPath, SequenceKey

__all__ = [
    "NodeEntry",
    "Partial",
    "entry_of",
    "is_tree_node",
    "register_dataclass",
    "register_pytree_node",
    "register_pytree_node_class",
    "register_pytree_with_keys",
    "register_pytree_with_keys_class",
    "register_static",
]

T = TypeVar("T")
Typ = TypeVar("Typ", bound=type[Any])


@dataclasses.dataclass(frozen=True, slots=True)
class NodeEntry:
    """How nodes of one type are taken apart and put together.

    Parameters
    ----------
    flatten : callable
        ``flatten(node) -> (children, data)``.
    unflatten : callable
        ``unflatten(data, children) -> node``.
    keys : callable
        ``keys(node) -> entries``, one per child.
    """

    flatten: Callable[[Any], tuple[Iterable[Any], Any]]
    unflatten: Callable[[Any, Sequence[Any]], Any]
    keys: Callable[[Any], KeyPath]


def entry_of(kind: type) -> NodeEntry | None:
    """The entry of a type, or None if values of this type are leaves.

    Parameters
    ----------
    kind : type
        The type itself counts: subclasses of nodes are leaves, named tuples excepted.
    """
    entry = NODES.get(kind)
    if entry is None and issubclass(kind, tuple) and hasattr(kind, "_fields"):
        return _NAMEDTUPLE
    return entry


def is_tree_node(typ: type) -> bool:
    """Whether values of a type are nodes rather than leaves.

    Parameters
    ----------
    typ : type
        The type.

    Examples
    --------
    >>> is_tree_node(dict), is_tree_node(float)
    (True, False)
    """
    if not isinstance(typ, type):
        raise ArgumentTypeError(f"is_tree_node: expected a type, got {typ!r}. Write type(x).")
    return entry_of(typ) is not None


def register_pytree_node(
    nodetype: type[T],
    flatten_func: Callable[[T], tuple[Iterable[Any], Hashable]],
    unflatten_func: Callable[[Any, Any], T],
    flatten_with_keys_func: Callable[[T], tuple[Iterable[tuple[Any, Any]], Hashable]] | None = None,
) -> None:
    """Make a type a node of trees.

    Parameters
    ----------
    nodetype : type
        The type; its subclasses are not concerned.
    flatten_func : callable
        ``flatten_func(node) -> (children, data)``; the data are hashable and comparable.
    unflatten_func : callable
        ``unflatten_func(data, children) -> node``; it must take any objects as children.
    flatten_with_keys_func : callable, optional
        As `flatten_func`, with (key entry, child) pairs instead of children.

    Examples
    --------
    >>> class Pair:
    ...     def __init__(self, x, y):
    ...         self.x, self.y = x, y
    >>> register_pytree_node(Pair, lambda p: ((p.x, p.y), None), lambda _, c: Pair(*c))
    >>> from fnx.tree_util import tree_leaves
    >>> tree_leaves(Pair(1, (2, 3)))
    [1, 2, 3]
    """
    _require_callable("register_pytree_node", flatten_func, unflatten_func)
    with_keys = flatten_with_keys_func
    if with_keys is None:
        keys = functools.partial(_positions, flatten_func)
    else:
        _require_callable("register_pytree_node", with_keys)
        keys = functools.partial(_first_of_pairs, with_keys)
    _register(nodetype, NodeEntry(flatten_func, unflatten_func, keys))


def register_pytree_with_keys(
    nodetype: type[T],
    flatten_with_keys: Callable[[T], tuple[Iterable[tuple[Any, Any]], Hashable]],
    unflatten_func: Callable[[Any, Any], T],
    flatten_func: Callable[[T], tuple[Iterable[Any], Hashable]] | None = None,
) -> None:
    """Make a type a node of trees, with keys for paths.

    Parameters
    ----------
    nodetype : type
        The type.
    flatten_with_keys : callable
        ``flatten_with_keys(node) -> (pairs, data)``, with (key entry, child) pairs.
    unflatten_func : callable
        ``unflatten_func(data, children) -> node``.
    flatten_func : callable, optional
        ``flatten_func(node) -> (children, data)``, where a quicker one than the first is known.
    """
    _require_callable("register_pytree_with_keys", flatten_with_keys, unflatten_func)

    def flatten(node: T) -> tuple[Iterable[Any], Hashable]:
        pairs, data = flatten_with_keys(node)
        return [child for _, child in pairs], data

    register_pytree_node(nodetype, flatten_func or flatten, unflatten_func, flatten_with_keys)


def register_pytree_node_class(cls: Typ) -> Typ:
    """Make a class with methods `tree_flatten` and `tree_unflatten` a node of trees; a decorator.

    Parameters
    ----------
    cls : type
        ``tree_flatten(self) -> (children, data)``, and a class method
        ``tree_unflatten(data, children)``.

    Returns
    -------
    type
        The class.

    Examples
    --------
    >>> @register_pytree_node_class
    ... class Scaled:
    ...     def __init__(self, x, unit):
    ...         self.x, self.unit = x, unit
    ...     def tree_flatten(self):
    ...         return (self.x,), self.unit
    ...     @classmethod
    ...     def tree_unflatten(cls, unit, children):
    ...         return cls(*children, unit)
    """
    register_pytree_node(cls, lambda node: node.tree_flatten(), cls.tree_unflatten)
    return cls


def register_pytree_with_keys_class(cls: Typ) -> Typ:
    """Make a class with methods `tree_flatten_with_keys` and `tree_unflatten` a node; a decorator.

    Parameters
    ----------
    cls : type
        ``tree_flatten_with_keys(self) -> (pairs, data)``, a class method `tree_unflatten`, and, if
        it likes, `tree_flatten`.

    Returns
    -------
    type
        The class.
    """
    plain = (lambda node: node.tree_flatten()) if hasattr(cls, "tree_flatten") else None
    register_pytree_with_keys(
        cls, lambda node: node.tree_flatten_with_keys(), cls.tree_unflatten, plain
    )
    return cls


def register_dataclass(
    nodetype: Typ,
    data_fields: Sequence[str] | None = None,
    meta_fields: Sequence[str] | None = None,
    drop_fields: Sequence[str] = (),
) -> Typ:
    """Make a dataclass a node of trees; a decorator where fields say themselves what they are.

    Parameters
    ----------
    nodetype : type
        A dataclass; or a class whose constructor takes the fields by keyword, if both lists of
        fields are given.
    data_fields : sequence of str, optional
        Fields that are children. By default those which are not static.
    meta_fields : sequence of str, optional
        Fields that are part of the structure: hashable, comparable. By default those with
        ``metadata={"static": True}`` (see `fnx.tree.static`).
    drop_fields : sequence of str
        Fields that are neither, and take their defaults when a node is rebuilt.

    Returns
    -------
    type
        The class.

    Examples
    --------
    >>> import dataclasses
    >>> @register_dataclass
    ... @dataclasses.dataclass
    ... class Layer:
    ...     weight: float
    ...     name: str = dataclasses.field(default="", metadata={"static": True})
    >>> from fnx.tree_util import tree_map
    >>> tree_map(lambda x: 2 * x, Layer(1.5, "first"))
    Layer(weight=3.0, name='first')
    """
    if (data_fields is None) != (meta_fields is None):
        raise ArgumentTypeError(
            "register_dataclass: give both data_fields and meta_fields, or neither; "
            f"got data_fields={data_fields}, meta_fields={meta_fields}."
        )
    if data_fields is None or meta_fields is None:
        if not dataclasses.is_dataclass(nodetype):
            raise ArgumentTypeError(
                f"register_dataclass: {nodetype!r} is not a dataclass. "
                "Make it one, or give data_fields and meta_fields."
            )
        taken = [f for f in dataclasses.fields(nodetype) if f.init and f.name not in drop_fields]
        data_fields = [f.name for f in taken if not f.metadata.get("static", False)]
        meta_fields = [f.name for f in taken if f.metadata.get("static", False)]
    data_names, meta_names = tuple(data_fields), tuple(meta_fields)
    _check_fields(nodetype, data_names, meta_names, drop_fields)
    names = data_names + meta_names
    read_data, read_meta = _reader(data_names), _reader(meta_names)
    keys = tuple([GetAttrKey(name) for name in data_names])

    def flatten(node: Any) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
        return read_data(node), read_meta(node)

    def unflatten(data: tuple[Any, ...], children: Sequence[Any]) -> Any:
        return nodetype(**dict(zip(names, (*children, *data), strict=True)))

    _register(nodetype, NodeEntry(flatten, unflatten, lambda _: keys))
    return nodetype


def register_static(cls: Typ) -> Typ:
    """Make values of a class part of the structure of trees: nodes without children; a decorator.

    Parameters
    ----------
    cls : type
        Its values are hashable and comparable.

    Returns
    -------
    type
        The class.

    Examples
    --------
    >>> @register_static
    ... class Activation(str):
    ...     pass
    >>> from fnx.tree_util import tree_leaves
    >>> tree_leaves((1.0, Activation("tanh")))
    [1.0]
    """
    _register(cls, NodeEntry(lambda node: ((), node), lambda data, _: data, lambda _: ()))
    return cls


class Partial(functools.partial[Any]):
    """A function with some arguments bound, as a node of trees.

    The function is part of the structure and the arguments are children: so that a function with
    arrays inside passes through transformations.

    Parameters
    ----------
    func : callable
        The function.
    *args, **kw
        The arguments that are bound.

    Examples
    --------
    >>> from fnx.tree_util import tree_map
    >>> tree_map(lambda x: 10 * x, Partial(pow, 2))(3)
    8000
    """

    def __new__(cls, func: Callable[..., Any], *args: Any, **kw: Any) -> Partial:
        # functools.partial dissolves a partial of a partial: its arguments would become children.
        if isinstance(func, functools.partial):
            func = _Opaque(func)
        return super().__new__(cls, func, *args, **kw)


class _Opaque:
    """A partial that is to be seen as one function; equal where function and arguments are."""

    __slots__ = ("_partial",)

    def __init__(self, partial: functools.partial[Any]) -> None:
        self._partial = partial

    def __call__(self, *args: Any, **kw: Any) -> Any:
        return self._partial(*args, **kw)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Opaque) and self._partial == other._partial

    def __hash__(self) -> int:
        return hash(self._partial)

    def __repr__(self) -> str:
        return repr(self._partial)


def _register(kind: type, entry: NodeEntry) -> None:
    if not isinstance(kind, type):
        raise ArgumentTypeError(f"register: expected a type, got {kind!r}.")
    if kind in NODES:
        raise ArgumentValueError(f"register: {kind!r} is registered as a node of trees already.")
    NODES[kind] = entry


def _require_callable(operation: str, *functions: Any) -> None:
    for function in functions:
        if not callable(function):
            raise ArgumentTypeError(f"{operation}: expected a function, got {function!r}.")


def _check_fields(
    nodetype: type, data: Sequence[str], meta: Sequence[str], dropped: Sequence[str]
) -> None:
    both = sorted(set(data) & set(meta))
    if both:
        raise ArgumentValueError(
            f"register_dataclass: {both} are in data_fields and in meta_fields."
        )
    if not dataclasses.is_dataclass(nodetype):
        return
    expected = {f.name for f in dataclasses.fields(nodetype) if f.init} - set(dropped)
    missing = sorted(expected - set(data) - set(meta))
    strange = sorted((set(data) | set(meta)) - expected)
    if missing or strange:
        raise ArgumentValueError(
            f"register_dataclass: data_fields and meta_fields of {nodetype.__name__} must name "
            f"every field of its constructor, and no other; missing: {missing}, "
            f"unexpected: {strange}. A field may be left out with drop_fields."
        )


def _reader(names: tuple[str, ...]) -> Callable[[Any], tuple[Any, ...]]:
    """Reads attributes into a tuple; `attrgetter` gives one only for two names or more."""
    if not names:
        return lambda _: ()
    if len(names) == 1:
        one = attrgetter(names[0])
        return lambda node: (one(node),)
    return attrgetter(*names)


def _positions(flatten: Callable[[Any], tuple[Iterable[Any], Any]], node: Any) -> KeyPath:
    return tuple([FlattenedIndexKey(i) for i, _ in enumerate(flatten(node)[0])])


def _first_of_pairs(
    with_keys: Callable[[Any], tuple[Iterable[tuple[Any, Any]], Any]], node: Any
) -> KeyPath:
    return tuple([key for key, _ in with_keys(node)[0]])


def sorted_keys(node: dict[Any, Any]) -> list[Any]:
    """The keys of a dictionary in the order of its children."""
    try:
        return sorted(node)
    except TypeError as error:
        raise ArgumentValueError(
            f"tree_flatten: the keys of a dictionary can't be sorted: {list(node)} ({error}). "
            "Use keys of one type, or an OrderedDict."
        ) from error


def _dict_flatten(node: dict[Any, Any]) -> tuple[list[Any], tuple[Any, ...]]:
    keys = sorted_keys(node)
    return [node[key] for key in keys], tuple(keys)


def _sequence_keys(node: Sequence[Any]) -> KeyPath:
    return tuple(map(SequenceKey, range(len(node))))


_NAMEDTUPLE = NodeEntry(
    lambda node: (node, type(node)),
    lambda kind, children: kind(*children),
    lambda node: tuple(map(GetAttrKey, node._fields)),
)

#: The entry of each type that is a node. Named tuples are recognised by their fields instead.
NODES: dict[type, NodeEntry] = {
    type(None): NodeEntry(lambda _: ((), None), lambda _, __: None, lambda _: ()),
    tuple: NodeEntry(
        lambda node: (node, None), lambda _, children: tuple(children), _sequence_keys
    ),
    list: NodeEntry(lambda node: (node, None), lambda _, children: list(children), _sequence_keys),
    dict: NodeEntry(
        _dict_flatten,
        lambda keys, children: dict(zip(keys, children, strict=True)),
        lambda node: tuple(map(DictKey, sorted_keys(node))),
    ),
    collections.OrderedDict: NodeEntry(
        lambda node: (list(node.values()), tuple(node)),
        lambda keys, children: collections.OrderedDict(zip(keys, children, strict=True)),
        lambda node: tuple(map(DictKey, node)),
    ),
    collections.defaultdict: NodeEntry(
        lambda node: (_dict_flatten(node)[0], (node.default_factory, tuple(sorted_keys(node)))),
        lambda data, children: collections.defaultdict(
            data[0], zip(data[1], children, strict=True)
        ),
        lambda node: tuple(map(DictKey, sorted_keys(node))),
    ),
    Partial: NodeEntry(
        lambda node: ((node.args, node.keywords), node.func),
        lambda func, children: Partial(func, *children[0], **children[1]),
        lambda _: (FlattenedIndexKey(0), FlattenedIndexKey(1)),
    ),
}
