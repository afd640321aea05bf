"""Which arguments an option of jit means: by position, by name, by leaf."""

from __future__ import annotations

import inspect
from typing import Any

import pytest

from fnx import tree
from fnx.control.arguments import Chosen, chosen_arguments, chosen_leaves, named_like


def function(a: Any, b: Any, *rest: Any, c: Any = 0, **others: Any) -> None: ...


def plain(a: Any, b: Any, c: Any = 0) -> None: ...


@pytest.mark.parametrize(
    ("fun", "numbers", "names", "positions", "found"),
    [
        (plain, 0, None, {0}, {"a"}),
        (plain, -1, None, {-1}, {"c"}),
        (plain, None, "b", {1}, {"b"}),
        (plain, (0,), ["c"], {0, 2}, {"a", "c"}),
        (function, 5, "other", {5}, {"other"}),
        (max, 0, None, {0}, set()),
        (plain, (), (), set(), set()),
    ],
)
def test_lists_complete_each_other(
    fun: Any, numbers: Any, names: Any, positions: set[int], found: set[str]
) -> None:
    chosen = chosen_arguments("static", fun, numbers, names)
    assert (set(chosen.positions), set(chosen.names)) == (positions, found)
    assert bool(chosen) == bool(positions or found)


def test_leaves() -> None:
    structure = tree.structure((({"w": 0, "b": 0}, 0, (0, 0)), {"c": [0, 0], "d": 0}))
    assert chosen_leaves(structure, Chosen([0], [])) == (0, 1)
    assert chosen_leaves(structure, Chosen([-1], ["c"])) == (3, 4, 5, 6)
    # With the argument at position 1 left out of the tree, what follows is one further.
    assert chosen_leaves(structure, Chosen([0, 2], ["d"]), without=[1]) == (0, 1, 2, 7)
    assert Chosen([-1, 0, 7], []).among(3) == [0, 2]


def test_a_stand_in_has_the_names_and_keeps_nothing_alive() -> None:
    stub = named_like(function)
    assert stub.__name__ == "function"
    assert list(inspect.signature(stub).parameters) == ["a", "b", "rest", "c", "others"]
    assert inspect.signature(stub).parameters["c"].default is inspect.Parameter.empty
    assert list(inspect.signature(named_like(max)).parameters) == ["args"]
