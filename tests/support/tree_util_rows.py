"""The rows of `name_rows` for `fnx.tree_util`: a call of each name that gives True."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import fnx.tree_util as tu

__all__ = ["TREE_UTIL_ROWS"]

TREE: Any = {"a": 1, "b": (2, 3)}


class Pair:
    """A node that the rows register, each in another way."""

    def __init__(self, first: Any, second: Any) -> None:
        self.first, self.second = first, second


def subclass(register: Callable[[Any], Any]) -> Any:
    """A fresh class like `Pair`, registered; a pair of 1 and 2."""

    class Mine(Pair):
        def tree_flatten(self) -> Any:
            return (self.first, self.second), None

        def tree_flatten_with_keys(self) -> Any:
            return (
                (tu.GetAttrKey("first"), self.first),
                (tu.GetAttrKey("second"), self.second),
            ), None

        @classmethod
        def tree_unflatten(cls, _: Any, children: Any) -> Any:
            return cls(*children)

    register(Mine)
    return Mine(1, 2)


def doubled(pair: Any) -> tuple[Any, Any]:
    out = tu.tree_map(lambda x: 2 * x, pair)
    return out.first, out.second


def paths(pair: Any) -> list[str]:
    return [tu.keystr(path) for path, _ in tu.tree_leaves_with_path(pair)]


def by_function(cls: Any) -> None:
    tu.register_pytree_node(cls, lambda p: ((p.first, p.second), None), lambda _, c: cls(*c))


def by_function_with_keys(cls: Any) -> None:
    tu.register_pytree_with_keys(
        cls, cls.tree_flatten_with_keys, lambda _, children: cls(*children)
    )


def registered_dataclass() -> bool:
    @tu.register_dataclass
    @dataclasses.dataclass
    class Point:
        x: Any
        y: Any

    return tu.tree_leaves(Point(1, 2)) == [1, 2]


def registered_static() -> bool:
    @tu.register_static
    @dataclasses.dataclass(frozen=True)
    class Flag:
        on: bool

    return tu.tree_leaves([Flag(True), 1]) == [1]


PATHS = [path for path, _ in tu.tree_leaves_with_path(TREE)]
DEF = tu.tree_structure(TREE)

TREE_UTIL_ROWS: dict[str, Callable[[], Any]] = {
    "DictKey": lambda: PATHS[0] == (tu.DictKey("a"),),
    "FlattenedIndexKey": lambda: (
        paths(subclass(by_function)) == ["[<flat index 0>]", "[<flat index 1>]"]
    ),
    "GetAttrKey": lambda: str(tu.GetAttrKey("w")) == ".w",
    "KeyEntry": lambda: tu.KeyEntry is Any,
    "KeyPath": lambda: tu.KeyPath == tuple[Any, ...],
    "Partial": lambda: tu.tree_leaves(tu.Partial(max, 3)) == [3] and tu.Partial(max, 3)(5) == 5,
    "PyTreeDef": lambda: isinstance(DEF, tu.PyTreeDef) and DEF.num_leaves == 3,
    "SequenceKey": lambda: PATHS[2][1] == tu.SequenceKey(1),
    "all_leaves": lambda: tu.all_leaves([1, 2]) and not tu.all_leaves([(1,)]),
    "default_registry": lambda: tu.default_registry.flatten(TREE)[0] == [1, 2, 3],
    "flatten_one_level": lambda: tuple(tu.flatten_one_level(TREE)[0]) == (1, (2, 3)),
    "flatten_one_level_with_keys": lambda: (
        tuple(tu.flatten_one_level_with_keys((4,))[0]) == ((tu.SequenceKey(0), 4),)
    ),
    "is_tree_node": lambda: tu.is_tree_node(dict) and not tu.is_tree_node(int),
    "keystr": lambda: tu.keystr(PATHS[1]) == "['b'][0]",
    "register_dataclass": registered_dataclass,
    "register_pytree_node": lambda: doubled(subclass(by_function)) == (2, 4),
    "register_pytree_node_class": lambda: (
        doubled(subclass(tu.register_pytree_node_class)) == (2, 4)
    ),
    "register_pytree_with_keys": lambda: (
        paths(subclass(by_function_with_keys)) == [".first", ".second"]
    ),
    "register_pytree_with_keys_class": lambda: (
        paths(subclass(tu.register_pytree_with_keys_class)) == [".first", ".second"]
    ),
    "register_static": registered_static,
    "tree_all": lambda: tu.tree_all([True]) and not tu.tree_all([True, 0]),
    "tree_broadcast": lambda: tu.tree_broadcast({"a": 1, "b": 2}, TREE) == {"a": 1, "b": (2, 2)},
    "tree_flatten": lambda: tu.tree_flatten(TREE) == ([1, 2, 3], DEF),
    "tree_flatten_with_path": lambda: tu.tree_flatten_with_path(TREE)[0][1] == (PATHS[1], 2),
    "tree_leaves": lambda: tu.tree_leaves([None, 1]) == [1],
    "tree_leaves_with_path": lambda: [x for _, x in tu.tree_leaves_with_path(TREE)] == [1, 2, 3],
    "tree_map": lambda: tu.tree_map(lambda x: -x, TREE) == {"a": -1, "b": (-2, -3)},
    "tree_map_with_path": lambda: (
        tu.tree_map_with_path(lambda p, x: p[0].key, TREE)["b"] == ("b", "b")
    ),
    "tree_reduce": lambda: tu.tree_reduce(lambda x, y: x - y, TREE, 10) == 4,
    "tree_reduce_associative": lambda: tu.tree_reduce_associative(max, TREE) == 3,
    "tree_structure": lambda: tu.tree_structure({"b": (0, 0), "a": 0}) == DEF,
    "tree_transpose": lambda: (
        tu.tree_transpose(tu.tree_structure((0, 0)), tu.tree_structure([0]), ([1], [2])) == [(1, 2)]
    ),
    "tree_unflatten": lambda: tu.tree_unflatten(DEF, "xyz") == {"a": "x", "b": ("y", "z")},
    "treedef_children": lambda: [c.num_leaves for c in tu.treedef_children(DEF)] == [1, 2],
    "treedef_is_leaf": lambda: (
        tu.treedef_is_leaf(tu.tree_structure(0)) and not tu.treedef_is_leaf(DEF)
    ),
    "treedef_tuple": lambda: tu.treedef_tuple([tu.tree_structure(0), DEF]).num_leaves == 4,
}
