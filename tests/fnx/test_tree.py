"""`fnx.tree`: the functions of `tree_util` by short names, and fields that are structure."""

from __future__ import annotations

import dataclasses

import pytest

import fnx
from fnx import tree, tree_util

TREE = {"a": [1, 2], "b": (3, None)}


@pytest.mark.parametrize("name", sorted(set(tree.__all__) - {"static"}))
def test_short_names(name):
    assert getattr(tree, name) is getattr(tree_util, f"tree_{name}")


def test_they_work_on_trees():
    assert tree.map(lambda x: 2 * x, TREE) == {"a": [2, 4], "b": (6, None)}
    leaves, structure = tree.flatten(TREE)
    assert leaves == tree.leaves(TREE) == [1, 2, 3]
    assert tree.unflatten(structure, leaves) == TREE and structure == tree.structure(TREE)
    assert tree.reduce(lambda a, b: a + b, TREE) == 6 and not tree.all({"a": 0, "b": 1})


def test_static_fields_are_structure():
    @tree_util.register_dataclass
    @dataclasses.dataclass
    class Layer:
        weight: float
        name: str = tree.static(default="dense", metadata={"note": 1})

    (field,) = [f for f in dataclasses.fields(Layer) if f.name == "name"]
    assert dict(field.metadata) == {"static": True, "note": 1}
    layer = Layer(2.0, "first")
    assert tree.leaves(layer) == [2.0]
    assert tree.map(lambda x: x + 1, layer) == Layer(3.0, "first")
    assert tree.structure(layer) != tree.structure(Layer(2.0, "second"))
    slope = fnx.grad(lambda layer: layer.weight**2)(layer)
    assert float(slope.weight) == 4 and slope.name == "first"
