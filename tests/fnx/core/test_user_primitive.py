"""A user's own primitive: JAX's tutorial multiply-add, under every transform; what is missing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import fnx as jax
import fnx.numpy as jnp
from fnx.core import Primitive, ShapedArray
from fnx.core.primitive import registry
from fnx.errors import MissingRuleError
from fnx.experimental.jet import jet
from fnx.extend import Undefined
from fnx.interpreters import ad, batching


def multiply_add() -> Primitive:
    """'JAX internal mechanics: primitives', with other import lines."""
    multiply_add_p = Primitive("multiply_add")

    @multiply_add_p.def_impl
    def multiply_add_impl(x: Any, y: Any, z: Any) -> Any:
        return np.add(np.multiply(x, y), z)

    @multiply_add_p.def_abstract_eval
    def multiply_add_abstract_eval(xs: Any, ys: Any, zs: Any) -> Any:
        assert xs.shape == ys.shape and xs.shape == zs.shape
        return ShapedArray(xs.shape, xs.dtype)

    def multiply_add_value_and_jvp(arg_values: Any, arg_tangents: Any) -> Any:
        x, y, z = arg_values
        xt, yt, zt = arg_tangents
        primal_out = multiply_add_p.bind(x, y, z)

        def make_zero(tan: Any) -> Any:
            return jnp.zeros_like(x) if type(tan) is ad.Zero else tan

        tangent_out = multiply_add_p.bind(
            make_zero(xt), y, multiply_add_p.bind(x, make_zero(yt), make_zero(zt))
        )
        return primal_out, tangent_out

    ad.primitive_jvps[multiply_add_p] = multiply_add_value_and_jvp

    def multiply_add_transpose(ct: Any, x: Any, y: Any, z: Any) -> Any:
        if not ad.is_undefined_primal(x):
            assert ad.is_undefined_primal(y)
            ct_y = ad.Zero(y.aval) if type(ct) is ad.Zero else multiply_add_p.bind(
                x, ct, jnp.zeros_like(x)
            )  # fmt: skip
            return None, ct_y, ct
        ct_x = ad.Zero(x.aval) if type(ct) is ad.Zero else multiply_add_p.bind(
            ct, y, jnp.zeros_like(y)
        )  # fmt: skip
        return ct_x, None, ct

    ad.primitive_transposes[multiply_add_p] = multiply_add_transpose

    def multiply_add_batch(vector_arg_values: Any, batch_axes: Any) -> Any:
        assert batch_axes[0] == batch_axes[1] and batch_axes[0] == batch_axes[2]
        return multiply_add_p.bind(*vector_arg_values), batch_axes[0]

    batching.primitive_batchers[multiply_add_p] = multiply_add_batch
    return multiply_add_p


def test_jaxs_tutorial() -> None:
    p = multiply_add()

    def square_add(a: Any, b: Any) -> Any:
        return p.bind(a, a, b)

    assert float(square_add(2.0, 10.0)) == 14
    assert float(jax.jit(square_add)(2.0, 10.0)) == 14
    value, tangent = jax.jvp(square_add, (2.0, 10.0), (1.0, 1.0))
    assert (float(value), float(tangent)) == (14, 5)
    assert float(jax.grad(square_add)(2.0, 10.0)) == 4
    assert float(jax.jit(jax.grad(square_add))(2.0, 10.0)) == 4
    np.testing.assert_array_equal(
        jax.vmap(square_add)(jnp.array([2.0, 3.0]), jnp.array([10.0, 20.0])), [14, 29]
    )
    assert "multiply_add" in str(jax.make_jaxpr(square_add)(2.0, 10.0))
    assert "multiply_add" not in registry  # which is of the library alone


def test_several_results_and_parameters() -> None:
    split_p = Primitive(
        "split",
        multiple_results=True,
        infer=lambda x, *, at: [x.update(shape=(at,)), x.update(shape=(x.shape[0] - at,))],
        evaluate=lambda x, *, at: [x[:at], x[at:]],
        jvp=lambda primals, tangents, *, at: (
            split_p(*primals, at=at),
            split_p(*tangents, at=at),
        ),
        transpose=lambda cts, x, *, at: [jnp.concatenate([ad.instantiate_zeros(c) for c in cts])],
        vmap=lambda size, args, dims, *, at: (
            [jax.vmap(lambda x: x[:at], dims)(*args), jax.vmap(lambda x: x[at:], dims)(*args)],
            [0, 0],
        ),
    )
    x = jnp.arange(5.0)
    for wrap in (lambda f: f, jax.jit):
        first, rest = wrap(lambda v: split_p(v, at=2))(x)
        np.testing.assert_array_equal(first, [0, 1])
        np.testing.assert_array_equal(rest, [2, 3, 4])
        slope = wrap(jax.grad(lambda v: jnp.sum(split_p(v, at=2)[1] ** 2)))(x)
        np.testing.assert_array_equal(slope, [0, 0, 4, 6, 8])
    lanes, _ = jax.vmap(lambda v: split_p(v, at=1))(jnp.ones((3, 4)))
    assert lanes.shape == (3, 1)


def test_series_are_derived_from_the_jvp_or_given() -> None:
    square_p = Primitive("square", infer=lambda x: x, evaluate=lambda x: x * x)
    ad.defjvp(square_p, lambda dx, x: 2.0 * x * dx)
    out, series = jet(square_p, (3.0,), ((1.0, 0.0),))
    assert float(out) == 9 and [float(c) for c in series] == [6, 2]
    square_p.jet = lambda primals, series: (square_p(*primals), [c * 0 + 7.0 for c in series[0]])
    assert float(jet(square_p, (3.0,), ((1.0, 0.0),))[1][0]) == 7


def test_missing_rules_are_named_with_the_remedy() -> None:
    bare = Primitive("bare")
    typed = Primitive("typed", infer=lambda x: x)
    alone = Primitive("alone", infer=lambda x: x, evaluate=lambda x: x + 1)
    linear = Primitive("linear", infer=lambda x: x, evaluate=lambda x: 2 * x)
    linear.jvp = lambda primals, tangents: (linear(*primals), linear(*tangents))
    stopped = Primitive("stopped", infer=lambda x: x, evaluate=np.sign, jvp=Undefined("it jumps"))
    x = jnp.ones(2)
    for call, words in (
        (lambda: jax.jit(bare)(x), "`bare` has no type rule.*def_abstract_eval"),
        (lambda: typed(x), "`typed` has no evaluation rule.*def_impl"),
        (lambda: jax.jvp(alone, (x,), (x,)), r"`alone` has no jvp rule.*ad.primitive_jvps\[p\]"),
        (lambda: jax.vmap(alone)(x), r"`alone` has no vmap rule.*batching.primitive_batchers"),
        (lambda: jax.grad(lambda v: jnp.sum(linear(v)))(x), "transpose of `linear` is not defined"),
        (lambda: jax.jvp(stopped, (x,), (x,)), "jvp of `stopped` is not defined: it jumps"),
    ):
        with pytest.raises(MissingRuleError, match=words):
            call()


def test_rules_that_disagree_are_named() -> None:
    x = jnp.ones(2)
    shape = Primitive("shape", infer=lambda x: x, evaluate=lambda x: x[0])
    text = Primitive("text", infer=lambda x: x, evaluate=lambda x: "text")
    no_type = Primitive("no_type", infer=lambda x: "f32", evaluate=lambda x: x)
    no_list = Primitive("no_list", infer=lambda x: x, evaluate=lambda x: x, multiple_results=True)
    one = Primitive("one", infer=lambda x: [x], evaluate=lambda x: x, multiple_results=True)
    for call, words in (
        (lambda: shape(x), r"shape: its evaluation gave f32\[\], its type rule said f32\[2\]"),
        (lambda: jax.jit(shape)(x), r"shape: its evaluation gave f32\[\]"),
        (lambda: text(x), "text: the result of its evaluation is str"),
        (lambda: no_type(x), "no_type: its type rule must give a ShapedArray, it gave 'f32'"),
        (lambda: no_list(x), "no_list: it has several results"),
        (lambda: one(x), "one: its evaluation must give a list of 1 results"),
    ):
        with pytest.raises(TypeError, match=words):
            call()


def test_types_are_normalized() -> None:
    p = Primitive(
        "ones", infer=lambda n: ShapedArray([2], np.float32), evaluate=lambda n: 1 + 0 * n
    )
    with pytest.raises(TypeError, match=r"gave ~?f?i?32\[\]|gave"):
        p(1)
    q = Primitive("half", infer=lambda x: ShapedArray((), np.float32), evaluate=lambda x: 0.5)
    assert q(jnp.ones(3)).dtype == np.float32 and not q(jnp.ones(3)).weak_type
