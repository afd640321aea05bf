"""fnx.tree_util and fnx.tree: against JAX's stored answers, round trips, registration, errors.

`tests/support/make_jax_foundations.py` made the stored answers.
"""

from __future__ import annotations

import collections
import copy
import dataclasses
import functools
import json
import pickle
from pathlib import Path
from typing import Any

import hypothesis
import hypothesis.strategies as st
import pytest

import fnx.tree as tree_names
from fnx import tree_util
from fnx.tree_util import (
    Partial,
    PyTreeDef,
    broadcast_prefix,
    equality_errors,
    equality_errors_pytreedef,
    flatten_axes,
    flatten_into,
    prefix_errors,
    tree_flatten,
    tree_leaves,
    tree_map,
    tree_structure,
    tree_transpose,
    tree_unflatten,
)
from tests.support import tree_cases

STORED = json.loads((Path(__file__).parent / "data" / "jax_trees.json").read_text())
ANSWERS = tree_cases.results(tree_util)

Point = collections.namedtuple("Point", "x y")


def trees() -> Any:
    """Random trees of every container of the standard library that is a node."""
    keys = st.text("abc", min_size=1, max_size=2)

    def extend(inner: Any) -> Any:
        mapping = st.dictionaries(keys, inner, max_size=3)
        return st.one_of(
            st.lists(inner, max_size=3),
            st.lists(inner, max_size=3).map(tuple),
            mapping,
            mapping.map(collections.OrderedDict),
            mapping.map(lambda items: collections.defaultdict(list, items)),
            st.tuples(inner, inner).map(lambda pair: Point(*pair)),
        )

    return st.recursive(st.one_of(st.integers(), st.none()), extend, max_leaves=12)


@pytest.mark.parametrize("case", sorted(STORED))
def test_answers_are_jax_s(case: str) -> None:
    assert ANSWERS[case] == STORED[case]


def test_no_case_is_missing() -> None:
    assert set(ANSWERS) == set(STORED)


@hypothesis.given(trees())
def test_flatten_and_unflatten_are_inverse(tree: Any) -> None:
    leaves, structure = tree_flatten(tree)
    rebuilt = tree_unflatten(structure, leaves)
    assert rebuilt == tree and type(rebuilt) is type(tree)
    assert structure.num_leaves == len(leaves) == PyTreeDef(structure.spec).num_leaves
    assert tree_structure(rebuilt) == structure
    assert hash(tree_structure(rebuilt)) == hash(structure)


@hypothesis.given(trees())
def test_paths_lead_to_their_leaves(tree: Any) -> None:
    for path, leaf in tree_util.tree_leaves_with_path(tree):
        place = tree
        for entry in path:
            if isinstance(entry, tree_util.GetAttrKey):
                place = getattr(place, entry.name)
            else:
                place = place[entry.idx if hasattr(entry, "idx") else entry.key]
        assert place is leaf
    assert [leaf for _, leaf in tree_util.tree_leaves_with_path(tree)] == tree_leaves(tree)


@hypothesis.given(trees(), trees())
def test_structures_are_equal_where_their_text_is(one: Any, other: Any) -> None:
    same = repr(tree_structure(one)) == repr(tree_structure(other))
    assert (tree_structure(one) == tree_structure(other)) == same
    assert bool(list(equality_errors(one, other))) == (not same)


@hypothesis.given(trees(), st.data())
def test_a_prefix_is_broadcast_to_the_leaves_below(tree: Any, data: Any) -> None:
    # Cut the tree anywhere: what is above the cuts is a prefix.
    cut = functools.partial(lambda _: data.draw(st.booleans()))
    prefix = tree_map(lambda _: object(), tree, is_leaf=cut)
    spread = tree_util.tree_broadcast(prefix, tree)
    assert tree_structure(spread) == tree_structure(tree)
    assert broadcast_prefix(prefix, tree) == tree_leaves(spread)
    subtrees = tree_structure(prefix).flatten_up_to(tree)
    expected = [
        top for top, below in zip(tree_leaves(prefix), subtrees) for _ in tree_leaves(below)
    ]
    assert tree_leaves(spread) == expected
    assert prefix_errors(prefix, tree) == []


@hypothesis.given(trees(), trees())
def test_transposing_twice_changes_nothing(outer: Any, inner: Any) -> None:
    outer_def, inner_def = tree_structure(outer), tree_structure(inner)
    both = outer_def.compose(inner_def)
    tree = both.unflatten(range(both.num_leaves))
    hypothesis.assume(both.num_leaves > 0)
    turned = tree_transpose(outer_def, inner_def, tree)
    assert tree_structure(turned) == inner_def.compose(outer_def)
    assert tree_transpose(inner_def, outer_def, turned) == tree


@hypothesis.given(trees())
def test_structures_survive_pickling_and_copying(tree: Any) -> None:
    structure = tree_structure(tree)
    assert pickle.loads(pickle.dumps(structure)) == structure
    assert copy.deepcopy(structure) == structure


def test_spec_is_a_key_that_flatten_into_gives_without_a_structure() -> None:
    leaves: list[Any] = []
    spec = flatten_into({"a": (1, [2])}, leaves)
    assert leaves == [1, 2] and spec == tree_structure({"a": (3, [4])}).spec
    assert PyTreeDef(spec).unflatten(leaves) == {"a": (1, [2])}


def test_keys_of_other_types_come_back_as_they_were() -> None:
    # 1, 1.0 and True are equal and hash alike: a table of structures would mix these up.
    for key in (1, 1.0, True):
        [(found, _)] = tree_map(lambda x: x, {key: 0}).items()
        assert type(found) is type(key)


def test_the_tree_itself_may_be_cut() -> None:
    assert tree_flatten(None, is_leaf=lambda x: x is None) == ([None], tree_structure(0))
    assert tree_leaves({"a": (1, 2), "b": 3}, is_leaf=lambda x: isinstance(x, tuple)) == [(1, 2), 3]


def test_default_dict_and_ordered_dict_keep_what_they_are() -> None:
    default = tree_map(lambda x: x + 1, collections.defaultdict(list, b=1, a=2))
    assert default == {"a": 3, "b": 2} and default["missing"] == []
    ordered = tree_map(lambda x: x + 1, collections.OrderedDict([("b", 1), ("a", 2)]))
    assert list(ordered.items()) == [("b", 2), ("a", 3)]


def test_structures_with_unhashable_data_can_be_mapped_but_not_hashed() -> None:
    @dataclasses.dataclass
    class Node:
        x: Any
        names: Any

    tree_util.register_dataclass(Node, ["x"], ["names"])
    assert tree_map(lambda x: x + 1, Node(1, ["a"])) == Node(2, ["a"])
    with pytest.raises(TypeError, match="unhashable"):
        hash(tree_structure(Node(1, ["a"])))


# --- registration --------------------------------------------------------------------------------


def test_a_type_is_registered_once() -> None:
    class Node:
        pass

    tree_util.register_pytree_node(Node, lambda _: ((), None), lambda *_: Node())
    with pytest.raises(ValueError, match="already"):
        tree_util.register_pytree_node(Node, lambda _: ((), None), lambda *_: Node())
    with pytest.raises(ValueError, match="already"):
        tree_util.register_pytree_node(tuple, lambda _: ((), None), lambda *_: ())
    with pytest.raises(TypeError, match="expected a function"):
        tree_util.register_pytree_node(type("Other", (), {}), None, None)  # type: ignore[arg-type]


def test_register_dataclass_takes_drop_fields_and_checks_names() -> None:
    @dataclasses.dataclass
    class Node:
        x: int
        y: int
        cache: int = 0

    with pytest.raises(ValueError, match=r"missing: \['cache'\].*drop_fields"):
        tree_util.register_dataclass(Node, ["x"], ["y"])
    with pytest.raises(ValueError, match=r"unexpected: \['z'\]"):
        tree_util.register_dataclass(Node, ["x", "z"], ["y"], ["cache"])
    with pytest.raises(ValueError, match="in data_fields and in meta_fields"):
        tree_util.register_dataclass(Node, ["x", "y"], ["y"], ["cache"])
    with pytest.raises(TypeError, match="or neither"):
        tree_util.register_dataclass(Node, ["x"])
    with pytest.raises(TypeError, match="not a dataclass"):
        tree_util.register_dataclass(type("Plain", (), {}))
    tree_util.register_dataclass(Node, ["x"], ["y"], ["cache"])
    assert tree_map(lambda x: x + 1, Node(1, 2, 3)) == Node(2, 2, 0)
    assert tree_structure(Node(1, 2)) != tree_structure(Node(1, 3))


def test_a_class_without_fields_may_be_registered_by_names() -> None:
    class Plain:
        def __init__(self, x: int, unit: str) -> None:
            self.x, self.unit = x, unit

    tree_util.register_dataclass(Plain, ["x"], ["unit"])
    doubled = tree_map(lambda x: 2 * x, Plain(3, "m"))
    assert (doubled.x, doubled.unit) == (6, "m")


def test_static_fields_by_fnx_tree() -> None:
    @tree_util.register_dataclass
    @dataclasses.dataclass
    class Layer:
        weight: int
        name: str = tree_names.static(default="dense", metadata={"doc": "what it is called"})

    assert tree_leaves(Layer(1)) == [1]
    field = dataclasses.fields(Layer)[1]
    assert dict(field.metadata) == {"static": True, "doc": "what it is called"}


def test_short_names_are_the_long_ones() -> None:
    for name in tree_names.__all__:
        if name != "static":
            assert getattr(tree_names, name) is getattr(tree_util, f"tree_{name}")


def test_partial_is_a_function_and_a_tree() -> None:
    partial = Partial(pow, 2)
    assert partial(3) == 8 and tree_leaves(partial) == [2]
    assert tree_map(lambda x: 10, partial)(2) == 100
    nested = Partial(functools.partial(pow, 2), 3)
    assert nested() == 8 and tree_leaves(nested) == [3]
    same = Partial(functools.partial(pow, 2), 4)
    # The inner partials are two objects: functools.partial compares by identity.
    assert tree_structure(nested) != tree_structure(same)
    assert tree_structure(nested) == tree_structure(tree_map(lambda x: x, nested))


# --- errors --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "other", "words"),
    [
        ({"w": [1, 2]}, {"w": [1]}, r"tree\['w'\].*list of length 2.*list of length 1"),
        ({"a": 1}, {"b": 1}, r"keys \['a'\].*keys \['b'\].*only one of them has"),
        ((1, 2), [1, 2], "tuple of length 2.*list of length 2"),
        (None, 1, "None.*leaf of type int"),
        (Point(1, 2), (1, 2), "a Point of length 2.*a tuple"),
        (
            collections.OrderedDict(a=1, b=2),
            collections.OrderedDict(b=1, a=2),
            "the order of their keys",
        ),
    ],
)
def test_tree_map_names_the_place_and_both_structures(one: Any, other: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words) as caught:
        tree_map(lambda *xs: xs, one, other)
    assert f"first: {tree_structure(one)}" in str(caught.value)
    assert f"other: {tree_structure(other)}" in str(caught.value)


def test_metadata_that_differ_are_shown() -> None:
    @dataclasses.dataclass
    class Unit:
        x: int
        name: str

    tree_util.register_dataclass(Unit, ["x"], ["name"])
    with pytest.raises(ValueError, match=r"metadata \('m',\).*metadata \('s',\)"):
        tree_map(max, [Unit(1, "m")], [Unit(1, "s")])


def test_prefix_errors_name_the_path_as_the_user_writes_it() -> None:
    [error] = prefix_errors({"params": {"w": [0]}}, {"params": {"w": [1, 2]}})
    assert str(error("in_axes")).startswith("in_axes['params']['w']: the prefix has a list of ")
    two = prefix_errors([(0,), {"a": 0}], [[1], {"b": 1}])
    assert [str(error("x"))[:4] for error in two] == ["x[0]", "x[1]"]


def test_flatten_axes_takes_none_for_an_axis() -> None:
    structure = tree_structure(((0, 0), {"a": 0}))
    assert flatten_axes("in_axes", structure, (None, 1)) == [None, None, 1]
    assert flatten_axes("in_axes", structure, 2) == [2, 2, 2]
    assert flatten_axes("in_axes", structure, ((0, None), {"a": 1})) == [0, None, 1]
    with pytest.raises(ValueError, match=r"vmap in_axes\[1\].*key") as caught:
        flatten_axes("vmap in_axes", structure, (0, {"b": 1}))
    assert "must be a prefix" in str(caught.value)


def test_none_in_the_tree_is_no_leaf_where_none_in_the_prefix_is_one() -> None:
    tree = {"a": (None, 1), "b": None, "c": 2}
    assert flatten_axes("in_axes", tree_structure(tree), 0) == [0, 0]
    assert flatten_axes("in_axes", tree_structure(tree), {"a": None, "b": 5, "c": 1}) == [None, 1]
    none = {"is_leaf": lambda x: x is None}
    assert broadcast_prefix(None, tree, **none) == [None, None]
    assert tree_util.tree_broadcast({"a": None, "b": None, "c": 1}, tree, **none) == {
        "a": (None, None),
        "b": None,
        "c": 1,
    }


def test_transposing_asks_for_the_number_of_leaves_only() -> None:
    assert tree_transpose(tree_structure((1, 2)), tree_structure(1), [3, 4]) == (3, 4)


def test_equality_errors_of_structures() -> None:
    one, other = tree_structure({"a": (1, 2)}), tree_structure({"a": [1, 2]})
    [(path, mine, theirs, why)] = equality_errors_pytreedef(one, other)
    assert tree_util.keystr(path) == "['a']"
    assert (mine, theirs) == ("a tuple of length 2", "a list of length 2")
    assert "types" in why
    [(_, mine, theirs, _)] = equality_errors_pytreedef(tree_structure(1), tree_structure((1,)))
    assert (mine, theirs) == ("a leaf", "a tuple of length 1")
    assert list(equality_errors_pytreedef(one, one)) == []


def test_wrong_numbers_of_leaves() -> None:
    structure = tree_structure((1, [2]))
    with pytest.raises(ValueError, match="too few leaves for .*; expected 2, got 1"):
        structure.unflatten([1])
    with pytest.raises(ValueError, match="too many leaves for .*; expected 2, got 3"):
        structure.unflatten(iter([1, 2, 3]))


def test_other_mistakes() -> None:
    with pytest.raises(ValueError, match=r"can't be sorted: \[1, 'a'\]"):
        tree_flatten({1: 0, "a": 0})
    with pytest.raises(ValueError, match="not a node"):
        tree_util.flatten_one_level(3)
    with pytest.raises(TypeError, match=r"Write type\(x\)"):
        tree_util.is_tree_node(3)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="initializer"):
        tree_util.tree_reduce(max, [])
    with pytest.raises(TypeError, match="identity"):
        tree_util.tree_reduce_associative(max, [])
    with pytest.raises(TypeError, match=r"expected .*got one of.*At tree\[0\]"):
        tree_transpose(tree_structure([0]), tree_structure((0, 0)), [(1, 2, 3)])
    with pytest.raises(ValueError, match="not a prefix"):
        tree_structure((1, 2)).flatten_up_to((1, 2, 3))
    with pytest.raises(ValueError, match="a leaf has no children"):
        PyTreeDef.from_node_data_and_children(tree_util.default_registry, None, [tree_structure(1)])
