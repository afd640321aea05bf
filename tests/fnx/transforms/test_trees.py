"""Functions of trees as flat functions, and the paths that errors name."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import fnx
import fnx.numpy as jnp
from fnx import tree_util
from fnx.transforms.trees import Flat, argument_path, call_path, function_name

TREE = {"w": [1.0, 2.0], "b": (3.0,)}


def test_flat_functions_remember_the_structure_of_the_result() -> None:
    leaves, tree = tree_util.tree_flatten((TREE,))
    flat = Flat(lambda d: {"r": d["w"][0], "n": None}, tree)
    (value,) = flat(*leaves)
    assert float(value) == 1 and flat.out_tree == tree_util.tree_structure({"r": 0, "n": None})


def test_auxiliary_results_keep_what_is_not_traced() -> None:
    flat = Flat(lambda x: (x, ["text", 3]), tree_util.tree_structure((0,)), aux=True)
    assert len(flat(jnp.ones(()))) == 1 and flat.aux_count == 0
    assert flat.aux([]) == ["text", 3]


def test_paths() -> None:
    tree = tree_util.tree_structure(TREE)
    assert [argument_path(tree, k, "params") for k in range(3)] == [
        "params['b'][0]",
        "params['w'][0]",
        "params['w'][1]",
    ]
    assert argument_path(tree_util.tree_structure(0), 0) == "the value"
    call = tree_util.tree_structure(((0, {"w": 0}), {"x": [0]}))
    assert [call_path(call, k) for k in range(3)] == ["args[0]", "args[1]['w']", "kwargs['x'][0]"]


def test_names_of_functions() -> None:
    class Callable:
        def __call__(self) -> None: ...

    assert function_name(np.sin) == "sin" and function_name(Callable()) == "Callable"
    assert function_name(fnx.jit(fnx.grad(jnp.sin))) == "sin"


@pytest.mark.parametrize(
    "transform",
    [fnx.jit, fnx.checkpoint, fnx.make_jaxpr, fnx.vmap],
    ids=["jit", "checkpoint", "make_jaxpr", "vmap"],
)
def test_errors_name_arguments_as_the_call_did(transform: Any) -> None:
    x = jnp.ones(2)
    f = transform(lambda *args, **kwargs: x)
    with pytest.raises(TypeError, match=r"args\[1\]\['w'\] is str"):
        f(x, {"w": "text"})
    with pytest.raises(TypeError, match=r"kwargs\['y'\]\[0\] is object"):
        f(x, y=[object()])
    if transform is not fnx.vmap:
        g = transform(lambda *args: x, static_argnums=(0, 2))
        with pytest.raises(TypeError, match=r"args\[3\] is object"):
            g("static", x, "static", object())
