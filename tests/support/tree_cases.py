"""Trees and calls on them, written once for fnx and for JAX.

`results(tree_util)` makes every case with a given `tree_util` module and gives texts, so that what
JAX answers can be stored and compared: containers of the standard library, registered types.
"""

from __future__ import annotations

import collections
import dataclasses
from types import ModuleType
from typing import Any

Point = collections.namedtuple("Point", "x y")


def results(tree_util: ModuleType) -> dict[str, list[str]]:
    """What a `tree_util` says of every case, as text."""
    trees = _trees(tree_util)
    described = {name: _describe(tree_util, tree) for name, tree in trees.items()}
    return {**described, "calls": _calls(tree_util)}


def _trees(tree_util: ModuleType) -> dict[str, Any]:
    layer, pair, keyed, unit = _registered(tree_util)
    return {
        "none": None,
        "leaf": 1,
        "empty tuple": (),
        "empty list": [],
        "empty dict": {},
        "tuple of one": (1,),
        "list": [1, 2],
        "dict": {"b": 1, "a": (1, None)},
        "dict of ints": {2: 1, 1: {}},
        "namedtuple": Point(1, (2, None)),
        "ordered dict": collections.OrderedDict(b=1, a=2),
        "default dict": collections.defaultdict(list, b=1, a=[2]),
        "deque is a leaf": collections.deque([1]),
        "subclass of list is a leaf": type("Sub", (list,), {})([1]),
        "dataclass": layer((1.0, 2.0), "first"),
        "pair": pair([1, 2], 3),
        "keyed": keyed(1, {"k": 2}),
        "static": (unit("metre"), 1),
        "partial": tree_util.Partial(max, 1, key=2),
        "nested": {"params": [Point(1, 2), {"w": 3, "b": None}], "step": 4},
    }


def _registered(tree_util: ModuleType) -> tuple[Any, Any, Any, Any]:
    @tree_util.register_dataclass
    @dataclasses.dataclass
    class Layer:
        weight: Any
        name: str = dataclasses.field(metadata={"static": True})

    class Pair:
        def __init__(self, left: Any, right: Any) -> None:
            self.left, self.right = left, right

    tree_util.register_pytree_node(
        Pair, lambda pair: ((pair.left, pair.right), None), lambda _, children: Pair(*children)
    )

    @tree_util.register_pytree_with_keys_class
    class Keyed:
        def __init__(self, left: Any, right: Any) -> None:
            self.left, self.right = left, right

        def tree_flatten_with_keys(self) -> Any:
            left = (tree_util.GetAttrKey("left"), self.left)
            return (left, (tree_util.DictKey("right"), self.right)), "data"

        @classmethod
        def tree_unflatten(cls, data: str, children: Any) -> Any:
            return cls(*children)

    @tree_util.register_static
    @dataclasses.dataclass(frozen=True)
    class Unit:
        name: str

        def __repr__(self) -> str:
            return f"Unit({self.name})"

    return Layer, Pair, Keyed, Unit


def _describe(tree_util: ModuleType, tree: Any) -> list[str]:
    structure = tree_util.tree_structure(tree)
    pairs, same = tree_util.tree_flatten_with_path(tree)
    rebuilt = tree_util.tree_structure(tree_util.tree_map(str, tree))
    return [
        repr(structure),
        repr(tree_util.tree_leaves(tree)),
        repr([path for path, _ in pairs]),
        repr([tree_util.keystr(path) for path, _ in pairs]),
        repr([tree_util.keystr(path, simple=True, separator="/") for path, _ in pairs]),
        repr(structure.num_leaves),
        repr(structure.num_nodes),
        repr(structure.children()),
        repr(tree_util.treedef_is_leaf(structure)),
        repr(structure == same == rebuilt),
        repr(tree_util.tree_structure(tree, is_leaf=lambda x: x is None or type(x) is dict)),
    ]


def _calls(tree_util: ModuleType) -> list[str]:
    structure = tree_util.tree_structure
    outer, inner = structure([0, 0]), structure({"a": 0, "b": (0, 0)})
    tree = [{"a": 1, "b": (2, 3)}, {"a": 4, "b": (5, 6)}]
    answers = [
        tree_util.tree_map(lambda *xs: xs, [1, (2, 3)], [4, (5, {"c": 6})]),
        tree_util.tree_transpose(outer, inner, tree),
        tree_util.tree_transpose(outer, None, tree),
        tree_util.tree_broadcast((1, None, {"a": 2}), ([3, 4], None, {"a": (5, [])})),
        tree_util.tree_reduce(lambda x, y: x + y, tree),
        tree_util.tree_reduce(lambda x, y: x + y, [], 7),
        tree_util.tree_reduce_associative(lambda x, y: f"({x}{y})", list("abcdefg")),
        tree_util.tree_reduce_associative(lambda x, y: f"({x}{y})", list("abc")),
        tree_util.tree_reduce_associative(min, [], identity=9),
        tree_util.tree_all((True, [1, False])),
        tree_util.tree_all(()),
        tree_util.all_leaves([1, None]),
        tree_util.all_leaves([1, 2]),
        tree_util.flatten_one_level({"b": 1, "a": [2]}),
        tree_util.flatten_one_level_with_keys([5, [6]]),
        tree_util.treedef_tuple([outer, inner]),
        tree_util.treedef_children(inner),
        outer.compose(inner),
        inner.node_data(),
        structure((1, 2)).node_data(),
        structure(1).node_data(),
        outer.flatten_up_to([1, (2, 3)]),
        outer.from_iterable_tree((1, 2)),
        inner.walk(lambda children, data: (children, data), lambda x: -x, [1, 2, 3]),
        tree_util.PyTreeDef.from_node_data_and_children(
            tree_util.default_registry, (dict, ["k"]), [outer]
        ),
        [
            tree_util.is_tree_node(kind)
            for kind in (dict, type(None), Point, int, tree_util.Partial)
        ],
        tree_util.tree_map_with_path(lambda path, x: (tree_util.keystr(path), x), tree),
        tree_util.tree_leaves_with_path(
            {"a": [1, (2,)]}, is_leaf=lambda path, _: len(path) == 2, is_leaf_takes_path=True
        ),
        structure({"b": 1, "a": 2}) == structure({"a": 1, "b": 2}),
        structure((1, 2)) == structure([1, 2]),
        list(tree_util.tree_map(lambda x: x, {"b": 1, "a": 2})),
    ]
    return [repr(answer) for answer in answers]
