"""Functions of trees as flat functions, and the paths that errors name."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import fnx
import fnx.numpy as jnp
from fnx import tree_util
from fnx.transforms.trees import (
    Flat,
    argument_name,
    argument_path,
    function_name,
    structure_difference,
)

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


def test_arguments_have_the_names_of_parameters() -> None:
    def function(x: Any, /, params: Any, *more: Any, scale: Any = 1, **rest: Any) -> None: ...

    call = tree_util.tree_structure(((0, {"w": 0}, 0, [0]), {"other": [0], "scale": 0}))
    names = ["x", "params['w']", "more[0]", "more[1][0]", "kwargs['other'][0]", "scale"]
    assert [Flat(function, call, keywords=True).path(k) for k in range(6)] == names
    # Of a builtin nothing is known.
    call = tree_util.tree_structure((0, {"w": 0}))
    assert [Flat(max, call).path(k) for k in range(2)] == ["args[0]", "args[1]['w']"]
    # Arguments in front and between are static.
    chosen = Flat(function, call, positions=[1, 3])
    assert [chosen.path(k) for k in range(2)] == ["params", "more[1]['w']"]
    assert [argument_name(function, k) for k in (0, 1, 2, "scale")] == [
        "x",
        "params",
        "argument 2",
        "scale",
    ]


def test_the_first_difference_of_two_structures() -> None:
    expected, given = map(tree_util.tree_structure, (TREE, {"w": [1.0, (2.0,)], "b": (3.0,)}))
    difference = structure_difference("grads", expected, given)
    assert difference == "grads['w'][1] is a tuple of length 1, not a leaf"


def test_errors_know_which_arguments_an_operation_got() -> None:
    def loss(params: Any, x: Any) -> Any:
        hidden = params["w"] * 2
        return (hidden @ x).sum()

    def outer(params: Any, x: Any) -> Any:
        return fnx.grad(lambda w: loss({"w": w}, x))(params["w"])

    params, x = {"w": jnp.ones((3, 4))}, jnp.ones((5, 6))
    with pytest.raises(ValueError) as found:
        fnx.jit(loss)(params, x)
    # `hidden` is no argument.
    assert found.value.operands == {"loss": ("x: f32[5,6]",)}
    with pytest.raises(ValueError) as found:
        fnx.jit(outer)(params, x)
    assert found.value.operands == {"outer": ("x: f32[5,6]",)}
    with pytest.raises(ValueError) as found:
        fnx.jit(jnp.matmul)(params["w"], x)
    assert found.value.operands == {"matmul": ("a: f32[3,4]", "b: f32[5,6]")}
    # An argument that isn't followed, and one that was chosen.
    with pytest.raises(ValueError) as found:
        fnx.grad(lambda w, x: (w @ x).sum(), argnums=1)(params["w"], x)
    assert found.value.operands == {"<lambda>": ("w: f32[3,4]", "x: f32[5,6]")}


def test_names_are_looked_up_only_when_something_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: Any) -> None:
        raise AssertionError("looked up a name")

    monkeypatch.setattr("fnx.transforms.trees._parameter_names", fails)
    monkeypatch.setattr("fnx.errors.user_frame", fails)
    x = jnp.ones((3, 3))
    f = fnx.custom_vjp(lambda x: (x @ x).sum())
    f.defvjp(lambda x: (f(x), x), lambda x, ct: (ct * x,))
    for transform in (fnx.grad, fnx.vmap, fnx.jacfwd, fnx.checkpoint, fnx.make_jaxpr):
        transform(lambda x: (x * x).sum())(x)
        transform(lambda p, x: (p["w"] * x).sum())({"w": x}, x)
    fnx.jvp(fnx.grad(f), (x,), (x,))
    fnx.lax.scan(lambda c, x: (c + x.sum(), None), 0.0, x)


def test_errors_of_users_pass_unchanged() -> None:
    def f(x: Any) -> Any:
        raise ValueError("mine")

    with pytest.raises(ValueError) as found:
        fnx.jit(f)(1.0)
    assert str(found.value) == "mine" and type(found.value) is ValueError


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
