"""vmap: every choice of axes equals the loop; prefixes of trees; sizes; errors with paths."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

import fnx
import fnx.numpy as jnp
from fnx import lax, random
from fnx.core.check import check_jaxpr
from fnx.core.jaxpr import eval_jaxpr
from fnx.core.types import ShapedArray
from fnx.transforms.batching import vmap_jaxpr
from fnx.transforms.jvp import stage_closed

X, Y = np.arange(12.0).reshape(3, 4), np.arange(4.0, 16.0).reshape(3, 4) / 3


@pytest.mark.parametrize("wrap", [lambda f: f, fnx.jit], ids=["eager", "compiled"])
@pytest.mark.parametrize("axes", list(itertools.product([0, 1, -1, None], [0, -2, None])))
@pytest.mark.parametrize("out_axis", [0, -1])
def test_every_choice_of_axes_equals_the_loop(axes: Any, out_axis: int, wrap: Any) -> None:
    if axes == (None, None):
        return
    sizes = {x.shape[a] for x, a in zip((X, Y), axes, strict=True) if a is not None}
    if len(sizes) > 1:
        with pytest.raises(ValueError, match="one size"):
            fnx.vmap(lambda x, y: x, axes)(X, Y)
        return

    def function(x: Any, y: Any) -> Any:
        return jnp.outer(jnp.sin(x.ravel()), jnp.cumsum(y.ravel()))

    (size,) = sizes
    lanes = [
        function(*[x if a is None else np.take(x, k, a) for x, a in zip((X, Y), axes, strict=True)])
        for k in range(size)
    ]
    found = wrap(fnx.vmap(function, axes, out_axis))(X, Y)
    np.testing.assert_allclose(found, np.stack(lanes, out_axis), rtol=1e-13)


def test_prefixes_of_trees() -> None:
    def function(d: Any, pair: Any) -> Any:
        return {"s": d["a"] + d["b"] * pair[0], "p": (pair[1], d["a"])}

    d, pair = {"a": X, "b": 2.0}, (Y, 5.0)
    out = fnx.vmap(
        function, in_axes=({"a": 1, "b": None}, (1, None)), out_axes={"s": 1, "p": (None, 0)}
    )(d, pair)
    np.testing.assert_allclose(out["s"], X + 2 * Y, rtol=1e-6)
    assert float(out["p"][0]) == 5 and out["p"][1].shape == (4, 3)
    np.testing.assert_array_equal(
        fnx.vmap(lambda t: t[0] * t[1], in_axes=([0, None],))([X, 2.0]), X * 2
    )
    np.testing.assert_array_equal(fnx.vmap(lambda t: t["x"]["y"], in_axes=1)({"x": {"y": X}}), X.T)


def test_keywords_and_defaults() -> None:
    np.testing.assert_array_equal(fnx.vmap(lambda x, y=2.0: x * y)(X), X * 2)
    np.testing.assert_array_equal(fnx.vmap(lambda x, y: x * y)(X, y=Y), X * Y)
    np.testing.assert_array_equal(fnx.vmap(lambda x, y: x * y, [0, None])(X, 2.0), X * 2)


def test_axis_size() -> None:
    np.testing.assert_array_equal(fnx.vmap(lambda: jnp.ones(2), axis_size=3)(), np.ones((3, 2)))
    np.testing.assert_array_equal(fnx.vmap(lambda x: x, None, axis_size=3)(1.0), np.ones(3))
    assert fnx.vmap(lambda x: x * 2)(np.zeros((0, 2))).shape == (0, 2)


def test_results_that_are_not_mapped() -> None:
    out = fnx.vmap(lambda x: (x, 3.0, jnp.ones(2)), out_axes=(0, None, 1))(X)
    assert out[1].shape == () and out[2].shape == (2, 3)
    assert fnx.vmap(lambda x: None)(X) is None


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (
            lambda: fnx.vmap(lambda x, y: x)(X, X.T),
            ValueError,
            r"x \(f64\[3,4\], axis 0\).*y \(",
        ),
        (lambda: fnx.vmap(lambda x: x)(1.0), ValueError, r"x is ~f32\[\].*no axis 0"),
        (lambda: fnx.vmap(lambda p: p)({"w": 1.0}), ValueError, r"p\['w'\]"),
        (lambda: fnx.vmap(lambda x, y: x)(X, y=1.0), ValueError, r"y is ~f32"),
        (lambda: fnx.vmap(lambda x: x, 2)(X), ValueError, "no axis 2"),
        (lambda: fnx.vmap(lambda x: x, None)(X), ValueError, "no argument is mapped"),
        (lambda: fnx.vmap(lambda x: x, axis_size=4)(X), ValueError, "4 from axis_size"),
        (lambda: fnx.vmap(lambda x: x, (0, 0))(X), ValueError, "2 entries.*1 positional"),
        (lambda: fnx.vmap(lambda x: x, "a")(X), TypeError, "in_axes"),
        (lambda: fnx.vmap(lambda x: x, (0.5,))(X), TypeError, "ints and None, got float"),
        (lambda: fnx.vmap(lambda x: x, out_axes=None)(X), ValueError, "depends on the mapped axis"),
        (lambda: fnx.vmap(lambda x: x, out_axes=3)(X), ValueError, "out_axes 3.*2 axes"),
        (lambda: fnx.vmap(lambda x: "text")(X), TypeError, "str"),
        (lambda: fnx.vmap(3), TypeError, "expected a function"),
        (lambda: fnx.vmap(lambda x: x if x > 0 else -x)(X[0]), TypeError, "jnp.where"),
    ],
)
def test_errors(call: Any, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        call()


def test_nested() -> None:
    table = fnx.vmap(fnx.vmap(lambda x, y: x * y, (0, None)), (None, 0))(X[0], Y[:, 0])
    np.testing.assert_allclose(table, np.outer(Y[:, 0], X[0]))
    deep = fnx.vmap(fnx.vmap(fnx.vmap(jnp.sin), 1), 1)
    np.testing.assert_allclose(deep(np.ones((2, 3, 4))).shape, (3, 4, 2))


def test_values_stay_weak_and_integers_stay_integers() -> None:
    out = fnx.vmap(lambda x: (x * 2, x + 1.0, 1.0))(np.arange(3))
    assert [o.dtype.name for o in out] == ["int64", "float32", "float32"]
    assert [o.weak_type for o in out] == [False, True, True]


def test_gradients_per_example() -> None:
    loss = lambda w, x: jnp.sum(jnp.tanh(w * x))  # noqa: E731
    found = fnx.vmap(fnx.grad(loss), (None, 0))(X[0], Y)
    np.testing.assert_allclose(found, np.stack([fnx.grad(loss)(X[0], y) for y in Y]), rtol=1e-13)
    through = fnx.grad(lambda w: jnp.sum(fnx.vmap(loss, (None, 0))(w, Y)))(X[0])
    np.testing.assert_allclose(through, np.sum(found, 0), rtol=1e-13)


def test_random_keys() -> None:
    keys = random.split(random.PRNGKey(0), 3)
    lanes = np.stack([random.normal(k, (2,)) for k in keys])
    np.testing.assert_array_equal(fnx.vmap(lambda k: random.normal(k, (2,)))(keys), lanes)


def test_control_flow_with_a_mapped_predicate() -> None:
    def function(x: Any) -> Any:
        y = lax.while_loop(lambda c: c < 10.0, lambda c: c * 2.0, x)
        return lax.cond(x > 2.5, lambda: y, lambda: -y)

    x = np.array([1.0, 2.0, 3.0, 20.0])
    wanted = [-16.0, -16.0, 12.0, 20.0]
    np.testing.assert_array_equal(fnx.vmap(function)(x), wanted)
    np.testing.assert_array_equal(fnx.jit(fnx.vmap(function))(x), wanted)


def test_program_to_program() -> None:
    f64 = ShapedArray((4,), np.dtype(np.float64))
    jaxpr = stage_closed(lambda x, y: [x * y, jnp.cos(y)], [f64, f64], "f")
    program, mapped = vmap_jaxpr(jaxpr, 3, (True, False))
    check_jaxpr(program)
    assert mapped == (True, False)
    out = eval_jaxpr(program, jnp.asarray(X), jnp.asarray(Y[0]))
    np.testing.assert_allclose(out[0], X * Y[0])
    everything, mapped = vmap_jaxpr(jaxpr, 3, (True, False), True)
    assert mapped == (True, True) and everything.out_avals[1].shape == (3, 4)
