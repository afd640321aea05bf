"""Wrong programs about transforms: grad, jvp, vjp, jacobians, jet, vmap, jit."""

from __future__ import annotations

from typing import Any

import numpy as np

import fnx
import fnx.numpy as jnp
from fnx import lax
from fnx.errors import (
    ArgumentTypeError,
    ArgumentValueError,
    AxisNameError,
    JaxRuntimeError,
    MissingRuleError,
    ShapeError,
)
from fnx.experimental.jet import jet
from fnx.extend import Primitive
from tests.support.wrong_operations import PARAMS, ones
from tests.support.wrong_programs import wrong


def total(params: Any, x: Any) -> Any:
    """A loss that is right."""
    return (params["w"] @ x).sum() + params["b"].sum()


# --------------------------------------------------------------------------------------------- grad


@wrong(
    "grad of layer",
    ArgumentTypeError,
    TypeError,
    remedy="Reduce it",
    types=("f32[3]",),
)
def a_gradient_of_a_vector() -> Any:
    def layer(params: Any) -> Any:
        return params["b"] * 2

    return fnx.grad(layer)(PARAMS)  # <- wrong


@wrong(
    "grad of total",
    ArgumentTypeError,
    TypeError,
    remedy="x.astype(float32)",
    types=("i32[3]",),
    arguments=("params['b'] is i32[3]",),
)
def a_gradient_by_integers() -> Any:
    return fnx.grad(total)({"w": ones(3, 4), "b": jnp.arange(3)}, ones(4))  # <- wrong


@wrong(
    "grad of total",
    ArgumentTypeError,
    TypeError,
    remedy="choose other argnums",
    types=("i32[4]",),
    arguments=("x is i32[4]",),
)
def a_gradient_by_the_second_argument_that_is_integer() -> Any:
    return fnx.grad(total, argnums=(0, 1))(PARAMS, jnp.arange(4))  # <- wrong


@wrong(
    "grad of count",
    ArgumentTypeError,
    TypeError,
    remedy="floating point",
    types=("i32[]",),
)
def a_gradient_of_a_count() -> Any:
    def count(x: Any) -> Any:
        return (x > 0).sum()

    return fnx.grad(count)(ones(3))  # <- wrong


@wrong(
    "grad of wave",
    ArgumentTypeError,
    TypeError,
    remedy="holomorphic=True",
    types=("c64[]",),
)
def a_gradient_of_a_complex_number() -> Any:
    def wave(x: Any) -> Any:
        return jnp.exp(1j * x)

    return fnx.grad(wave)(ones())  # <- wrong


@wrong(
    "grad of square with holomorphic=True",
    ArgumentTypeError,
    TypeError,
    remedy="Convert it with astype",
    types=("f32[]",),
    arguments=("z is f32[]",),
)
def a_holomorphic_gradient_at_a_real_point() -> Any:
    def square(z: Any) -> Any:
        return z * z

    return fnx.grad(square, holomorphic=True)(ones())  # <- wrong


@wrong(
    "grad of pair",
    ArgumentTypeError,
    TypeError,
    remedy="has_aux=True",
    arguments=("(*, *)",),
)
def a_gradient_of_a_pair() -> Any:
    def pair(x: Any) -> Any:
        return x, x

    return fnx.grad(pair)(ones())  # <- wrong


@wrong(
    "has_aux=True",
    ArgumentTypeError,
    TypeError,
    remedy="Return `out, aux`",
    types=("f32[]",),
)
def no_auxiliary_result() -> Any:
    return fnx.grad(total, has_aux=True)(PARAMS, ones(4))  # <- wrong


@wrong(
    "grad of total",
    ArgumentTypeError,
    TypeError,
    remedy="passed by position",
    arguments=("argnums=2",),
)
def an_argument_that_is_not_given() -> Any:
    return fnx.grad(total, argnums=2)(PARAMS, ones(4))  # <- wrong


@wrong(
    "grad of total",
    ArgumentTypeError,
    TypeError,
    remedy="Give positions",
    arguments=("argnums", "str"),
)
def an_argument_by_its_name() -> Any:
    return fnx.grad(total, argnums=("params",))(PARAMS, ones(4))  # type: ignore[arg-type] # <- wrong


@wrong(
    "grad of total",
    ArgumentValueError,
    ValueError,
    remedy="Name it once",
    arguments=("argnums=(0, -2)",),
)
def an_argument_that_is_named_twice() -> Any:
    return fnx.grad(total, argnums=(0, -2))(PARAMS, ones(4))  # <- wrong


@wrong(
    "grad",
    ArgumentTypeError,
    TypeError,
    remedy="Write grad(f)(x)",
)
def a_gradient_of_a_value() -> Any:
    return fnx.grad(total(PARAMS, ones(4)))  # <- wrong


@wrong(
    "jacfwd of f",
    ArgumentTypeError,
    TypeError,
    remedy="astype",
    types=("i32[3]",),
    arguments=("x",),
)
def a_jacobian_by_integers() -> Any:
    def f(x: Any) -> Any:
        return x * 2.0

    return fnx.jacfwd(f)(jnp.arange(3))  # <- wrong


@wrong(
    "jacrev of f",
    ArgumentTypeError,
    TypeError,
    remedy="astype",
    types=("bool[3]",),
    arguments=("['positive']",),
)
def a_jacobian_of_booleans() -> Any:
    def f(x: Any) -> Any:
        return {"double": 2 * x, "positive": x > 0}

    return fnx.jacrev(f)(ones(3))  # <- wrong


# ------------------------------------------------------------------------------------ jvp, vjp, jet


@wrong(
    "jvp of total",
    ShapeError,
    ValueError,
    remedy="shape and dtype of its primal",
    types=("f32[3]", "f32[4]"),
    arguments=("tangents[0]['b']",),
)
def a_tangent_of_another_shape() -> Any:
    tangents = ({"w": ones(3, 4), "b": ones(4)}, ones(4))
    return fnx.jvp(total, (PARAMS, ones(4)), tangents)  # <- wrong


@wrong(
    "jvp of total",
    ArgumentTypeError,
    TypeError,
    remedy="shape and dtype of its primal",
    types=("f32[4]", "f64[4]"),
    arguments=("tangents[1]",),
)
def a_tangent_of_another_dtype() -> Any:
    return fnx.jvp(total, (PARAMS, ones(4)), (PARAMS, np.ones(4)))  # <- wrong


@wrong(
    "jvp of total",
    ArgumentTypeError,
    TypeError,
    remedy="one structure",
    arguments=("tangents[0]",),
)
def a_tangent_that_is_missing() -> Any:
    return fnx.jvp(total, (PARAMS, ones(4)), ({"w": ones(3, 4)}, ones(4)))  # <- wrong


@wrong(
    "jvp of sin",
    ArgumentTypeError,
    TypeError,
    remedy="(x,)",
    arguments=("primals",),
)
def primals_without_a_tuple() -> Any:
    return fnx.jvp(jnp.sin, ones(), ones())  # type: ignore[arg-type] # <- wrong


@wrong(
    "vjp of total",
    ArgumentValueError,
    ValueError,
    remedy="shape and dtype of the result",
    types=("f32[]", "f32[3]"),
    arguments=("cotangent",),
)
def a_cotangent_of_another_shape() -> Any:
    _, pull = fnx.vjp(total, PARAMS, ones(4))
    return pull(ones(3))  # <- wrong


@wrong(
    "vjp of twice",
    ArgumentValueError,
    ValueError,
    remedy="structure of the result",
    arguments=("{'x': *}",),
)
def a_cotangent_of_another_structure() -> Any:
    def twice(x: Any) -> Any:
        return {"x": 2 * x}

    _, pull = fnx.vjp(twice, ones())
    return pull(ones())  # <- wrong


@wrong(
    "linear_transpose of sin",
    MissingRuleError,
    NotImplementedError,
    remedy="vjp",
    arguments=("sin",),
)
def a_transpose_of_what_is_not_linear() -> Any:
    return fnx.linear_transpose(jnp.sin, ones())(ones())  # <- wrong


@wrong(
    "linear_transpose of twice",
    ArgumentTypeError,
    TypeError,
    remedy="shape and dtype of the result",
    types=("f32[3]", "f32[2]"),
    arguments=("cotangent",),
)
def a_cotangent_that_does_not_fit() -> Any:
    def twice(x: Any) -> Any:
        return 2 * x

    return fnx.linear_transpose(twice, ones(3))(ones(2))  # <- wrong


@wrong(
    "jet of f",
    ArgumentValueError,
    ValueError,
    remedy="one length",
    arguments=("x", "y"),
)
def series_of_two_lengths() -> Any:
    def f(x: Any, y: Any) -> Any:
        return x * y

    return jet(f, (1.0, 2.0), ([1.0, 0.0], [1.0]))  # <- wrong


@wrong(
    "jet of f",
    ArgumentValueError,
    ValueError,
    remedy="shape of its primal",
    types=("f32[3]", "f32[2]"),
    arguments=("y",),
)
def a_coefficient_of_another_shape() -> Any:
    def f(x: Any, y: Any) -> Any:
        return x * y

    return jet(f, (ones(3), ones(3)), ([ones(3)], [ones(2)]))  # <- wrong


@wrong(
    "jvp of `pure_callback` is not defined",
    MissingRuleError,
    NotImplementedError,
    remedy="custom_jvp",
)
def a_derivative_that_python_would_have_to_know() -> Any:
    def f(x: Any) -> Any:
        return fnx.pure_callback(np.sin, x, x)  # <- wrong

    return fnx.grad(f)(ones())


@wrong(
    "`cube` has no jvp rule",
    MissingRuleError,
    NotImplementedError,
    remedy="ad.primitive_jvps[p] = rule",
    arguments=("x: f32[]",),
)
def a_primitive_without_a_derivative() -> Any:
    cube_p = Primitive("cube")
    cube_p.def_impl(lambda x: x**3)

    def f(x: Any) -> Any:
        return cube_p.bind(x)  # <- wrong

    return fnx.grad(f)(ones())


# --------------------------------------------------------------------------------------------- vmap


@wrong(
    "vmap of example",
    ArgumentValueError,
    ValueError,
    remedy="in_axes=None",
    types=("f32[2,4]", "f32[3]"),
    arguments=("x (f32[2,4]", "params['b'] (f32[3]"),
)
def mapped_axes_of_two_sizes() -> Any:
    def example(x: Any, params: Any) -> Any:
        return x * params["b"]

    return fnx.vmap(example)(ones(2, 4), {"b": ones(3)})  # <- wrong


@wrong(
    "vmap of total",
    ArgumentValueError,
    ValueError,
    remedy="one entry for each positional argument",
    arguments=("in_axes",),
)
def axes_for_too_few_arguments() -> Any:
    return fnx.vmap(total, in_axes=(None,))(PARAMS, ones(2, 4))  # <- wrong


@wrong(
    "vmap of total",
    ArgumentValueError,
    ValueError,
    remedy="prefix",
    arguments=("in_axes[0]['w']", "in_axes[0]"),
)
def axes_of_another_structure() -> Any:
    return fnx.vmap(total, in_axes=({"w": (0, 1), "b": 0}, None))(PARAMS, ones(4))  # <- wrong


@wrong(
    "vmap of total",
    ArgumentValueError,
    ValueError,
    remedy="in_axes=None",
    types=("f32[3]",),
    arguments=("params['b'] is f32[3]",),
)
def an_axis_that_an_argument_does_not_have() -> Any:
    return fnx.vmap(total, in_axes=(1, None))(PARAMS, ones(4))  # <- wrong


@wrong(
    "vmap of total",
    ArgumentTypeError,
    TypeError,
    remedy="ints and None",
    types=("float",),
    arguments=("params['b']",),
)
def an_axis_that_is_a_float() -> Any:
    return fnx.vmap(total, in_axes=({"w": 0, "b": 0.5}, None))(PARAMS, ones(4))  # <- wrong


@wrong(
    "vmap of f",
    ArgumentValueError,
    ValueError,
    remedy="from -2 to 1",
    arguments=("['y']", "out_axes 2"),
)
def an_axis_that_a_result_does_not_have() -> Any:
    def f(x: Any) -> Any:
        return {"y": x}

    return fnx.vmap(f, out_axes=2)(ones(3, 4))  # <- wrong


@wrong(
    "vmap of f",
    ArgumentValueError,
    ValueError,
    remedy="Give the axis",
    arguments=("['y']", "out_axes is None"),
)
def a_result_that_is_mapped_after_all() -> Any:
    def f(x: Any) -> Any:
        return {"y": x}

    return fnx.vmap(f, out_axes=None)(ones(3, 4))  # <- wrong


@wrong(
    "vmap of total",
    ArgumentValueError,
    ValueError,
    remedy="axis_size",
)
def nothing_to_map_over() -> Any:
    return fnx.vmap(total, in_axes=None)(PARAMS, ones(4))  # <- wrong


@wrong(
    "psum",
    AxisNameError,
    NameError,
    remedy="axis_name='batch'",
    arguments=("'batch'", "['lanes']"),
)
def an_axis_that_no_vmap_has() -> Any:
    def f(x: Any) -> Any:
        return lax.psum(x, "batch")  # <- wrong

    return fnx.vmap(f, axis_name="lanes")(ones(3))


# ---------------------------------------------------------------------------------------------- jit


@wrong(
    "jit of power",
    ArgumentValueError,
    ValueError,
    remedy="pass a tuple",
    types=("list",),
    arguments=("exponents",),
)
def a_static_argument_without_a_hash() -> Any:
    def power(x: Any, exponents: Any) -> Any:
        return x ** exponents[0]

    return fnx.jit(power, static_argnums=1)(ones(3), [2])  # <- wrong


@wrong(
    "jit of power",
    ArgumentValueError,
    ValueError,
    remedy="make the argument dynamic",
    types=("Array",),
    arguments=("n",),
)
def a_static_argument_that_is_an_array() -> Any:
    def power(x: Any, n: Any) -> Any:
        return x**n

    return fnx.jit(power, static_argnames="n")(ones(3), n=ones())  # <- wrong


@wrong(
    "jit of total",
    ArgumentValueError,
    ValueError,
    remedy="it has ['params', 'x']",
    arguments=("static_argnames", "'training'"),
)
def a_static_name_that_is_not_there() -> Any:
    return fnx.jit(total, static_argnames="training")  # <- wrong


@wrong(
    "jit of total",
    ArgumentValueError,
    ValueError,
    remedy="it has ['params', 'x']",
    arguments=("static_argnums", "[2]"),
)
def a_static_number_that_is_not_there() -> Any:
    return fnx.jit(total, static_argnums=2)  # <- wrong


@wrong(
    "jit",
    ArgumentTypeError,
    TypeError,
    remedy="Write jit(f)(x)",
)
def compiling_a_value() -> Any:
    return fnx.jit(ones(3))  # <- wrong


@wrong(
    "jit",
    ArgumentValueError,
    ValueError,
    remedy="fnx.devices()[0]",
    arguments=("device 0",),
)
def an_option_for_many_devices() -> Any:
    return fnx.jit(total, in_shardings=0)  # <- wrong


@wrong(
    "jit of total",
    JaxRuntimeError,
    RuntimeError,
    remedy="no_retrace",
    types=("f32[4,2]", "f32[4]"),
    arguments=("x",),
)
def a_new_shape_where_none_is_wanted() -> Any:
    compiled = fnx.jit(total)
    compiled(PARAMS, ones(4))
    with fnx.no_retrace():
        compiled(PARAMS, ones(4, 2))  # <- wrong
