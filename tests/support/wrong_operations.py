"""Wrong programs about operations: shapes and dtypes that do not fit."""

from __future__ import annotations

from typing import Any

import fnx
import fnx.numpy as jnp
from fnx import lax
from fnx.errors import (
    ArgumentTypeError,
    ArgumentValueError,
    NumberOverflowError,
    ShapeError,
    TypePromotionError,
)
from tests.support.wrong_programs import wrong

PARAMS = {"w": jnp.ones((3, 4)), "b": jnp.ones(3)}


def ones(*shape: int) -> Any:
    """An array of ones, float32."""
    return jnp.ones(shape)


# ------------------------------------------------------------------------------------------- shapes


@wrong(
    "add",
    ShapeError,
    ValueError,
    remedy="equal or 1",
    types=("f32[3]", "f32[4]"),
    arguments=("params['b']: f32[3]", "x: f32[4]"),
)
def sizes_that_do_not_broadcast() -> Any:
    def loss(params: Any, x: Any) -> Any:
        return (params["b"] + x).sum()  # <- wrong

    return fnx.grad(loss)(PARAMS, ones(4))


@wrong(
    "matmul",
    ShapeError,
    ValueError,
    remedy="Transpose one operand",
    types=("f32[3,4]", "f32[5,6]"),
    arguments=("params['w']: f32[3,4]", "x: f32[5,6]"),
)
def inner_sizes_of_a_product() -> Any:
    def loss(params: Any, x: Any) -> Any:
        return (params["w"] @ x).sum()  # <- wrong

    return fnx.jit(fnx.grad(loss))(PARAMS, ones(5, 6))


@wrong(
    "dot",
    ShapeError,
    ValueError,
    remedy="Transpose one operand",
    types=("f32[3,4]", "f32[3]"),
    arguments=("params['w']: f32[3,4]", "params['b']: f32[3]"),
)
def contracted_sizes_of_dot() -> Any:
    def layer(params: Any) -> Any:
        return jnp.dot(params["w"], params["b"])  # <- wrong

    return fnx.jit(layer)(PARAMS)


@wrong(
    "dot_general",
    ShapeError,
    TypeError,
    remedy="Transpose one operand",
    types=("f32[3,4]", "f32[5,6]"),
    arguments=("x: f32[3,4]", "y: f32[5,6]"),
)
def dimension_numbers_of_dot_general() -> Any:
    def product(x: Any, y: Any) -> Any:
        return lax.dot_general(x, y, (((1,), (0,)), ((), ())))  # <- wrong

    return fnx.jit(product)(ones(3, 4), ones(5, 6))


@wrong(
    "conv_general_dilated",
    ShapeError,
    TypeError,
    remedy="Check dimension_numbers",
    types=("f32[1,3,8,8]", "f32[4,2,3,3]"),
    arguments=("images: f32[1,3,8,8]", "params['kernel']: f32[4,2,3,3]"),
)
def channels_of_a_convolution() -> Any:
    def layer(params: Any, images: Any) -> Any:
        return lax.conv(images, params["kernel"], (1, 1), "SAME")  # <- wrong

    return fnx.jit(layer)({"kernel": ones(4, 2, 3, 3)}, ones(1, 3, 8, 8))


@wrong(
    "reshape",
    ShapeError,
    TypeError,
    remedy="-1",
    types=("f32[3,4]", "(5, 2)"),
    arguments=("x: f32[3,4]",),
)
def a_shape_of_another_size() -> Any:
    def flat(x: Any) -> Any:
        return x.reshape(5, 2)  # <- wrong

    return fnx.jit(flat)(ones(3, 4))


@wrong(
    "concatenate",
    ShapeError,
    ValueError,
    remedy="reshape",
    types=("f32[3,4]", "f32[5]"),
    arguments=("x: f32[3,4]", "y: f32[5]"),
)
def ranks_of_concatenate() -> Any:
    def join(x: Any, y: Any) -> Any:
        return jnp.concatenate([x, y])  # <- wrong

    return fnx.jit(join)(ones(3, 4), ones(5))


@wrong(
    "stack",
    ShapeError,
    ValueError,
    remedy="one shape",
    types=("f32[3]", "f32[4]"),
    arguments=("x: f32[3]", "y: f32[4]"),
)
def shapes_of_stack() -> Any:
    def join(x: Any, y: Any) -> Any:
        return jnp.stack([x, y])  # <- wrong

    return fnx.jit(join)(ones(3), ones(4))


@wrong(
    "einsum",
    ShapeError,
    ValueError,
    remedy="another letter",
    types=("f32[3,4]", "f32[5,6]"),
    arguments=("params['w']: f32[3,4]", "x: f32[5,6]"),
)
def one_letter_for_two_sizes() -> Any:
    def loss(params: Any, x: Any) -> Any:
        return jnp.einsum("ij,jk->ik", params["w"], x)  # <- wrong

    return fnx.jit(loss)(PARAMS, ones(5, 6))


@wrong(
    "einsum",
    ArgumentValueError,
    ValueError,
    remedy="one letter for each axis",
    types=("f32[3,4]",),
    arguments=("x: f32[3,4]",),
)
def letters_that_are_too_few() -> Any:
    def trace(x: Any) -> Any:
        return jnp.einsum("i->i", x)  # <- wrong

    return fnx.jit(trace)(ones(3, 4))


@wrong(
    "broadcast_to",
    ShapeError,
    ValueError,
    remedy="equal or 1",
    types=("f32[3]", "(3, 2)"),
    arguments=("x: f32[3]",),
)
def a_shape_to_broadcast_to() -> Any:
    def spread(x: Any) -> Any:
        return jnp.broadcast_to(x, (3, 2))  # <- wrong

    return fnx.jit(spread)(ones(3))


@wrong(
    "squeeze",
    ArgumentValueError,
    ValueError,
    remedy="axes of size 1",
    types=("f32[3,4]",),
    arguments=("x: f32[3,4]",),
)
def squeezing_an_axis_that_is_used() -> Any:
    def f(x: Any) -> Any:
        return jnp.squeeze(x, 0)  # <- wrong

    return fnx.jit(f)(ones(3, 4))


@wrong(
    "dynamic_slice",
    ShapeError,
    TypeError,
    remedy="smaller",
    types=("f32[3]", "(4,)"),
    arguments=("x: f32[3]",),
)
def a_slice_that_is_too_large() -> Any:
    def window(x: Any, start: Any) -> Any:
        return lax.dynamic_slice(x, (start,), (4,))  # <- wrong

    return fnx.jit(window)(ones(3), 0)


@wrong(
    "pad",
    ArgumentTypeError,
    TypeError,
    remedy="(low, high, interior)",
    types=("f32[3,4]",),
    arguments=("x: f32[3,4]",),
)
def padding_for_one_axis_of_two() -> Any:
    def f(x: Any) -> Any:
        return lax.pad(x, jnp.float32(0), [(1, 1, 0)])  # <- wrong

    return fnx.jit(f)(ones(3, 4))


@wrong(
    "inv",
    ShapeError,
    ValueError,
    remedy="pinv",
    types=("f32[3,4]",),
    arguments=("params['w']: f32[3,4]",),
)
def the_inverse_of_a_matrix_that_is_not_square() -> Any:
    def f(params: Any) -> Any:
        return jnp.linalg.inv(params["w"])  # <- wrong

    return fnx.jit(f)(PARAMS)


@wrong(
    "solve",
    ShapeError,
    ValueError,
    remedy="as many rows",
    types=("f32[3,3]", "f32[4]"),
    arguments=("a: f32[3,3]", "b: f32[4]"),
)
def a_system_with_another_right_side() -> Any:
    def f(a: Any, b: Any) -> Any:
        return jnp.linalg.solve(a, b)  # <- wrong

    return fnx.jit(f)(jnp.eye(3), ones(4))


@wrong(
    "array",
    ShapeError,
    ValueError,
    remedy="Pad them to one shape",
)
def nested_lists_that_are_ragged() -> Any:
    return jnp.array([[1, 2], [3]])  # <- wrong


@wrong(
    "conv_general_dilated",
    ArgumentTypeError,
    TypeError,
    remedy="Give one for each",
    types=("f32[1,3,8,8]", "(1,)"),
    arguments=("images: f32[1,3,8,8]", "window_strides"),
)
def strides_for_one_axis_of_two() -> Any:
    def layer(images: Any, kernel: Any) -> Any:
        return lax.conv_general_dilated(images, kernel, (1,), "SAME")  # <- wrong

    return fnx.jit(layer)(ones(1, 3, 8, 8), ones(4, 3, 3, 3))


@wrong(
    "split",
    ArgumentValueError,
    ValueError,
    remedy="array_split",
    types=("f32[5]",),
    arguments=("x: f32[5]",),
)
def parts_of_unequal_size() -> Any:
    def f(x: Any) -> Any:
        return jnp.split(x, 2)  # <- wrong

    return fnx.jit(f)(ones(5))


@wrong(
    "broadcast_in_dim",
    ArgumentTypeError,
    TypeError,
    remedy="equal or 1",
    types=("f32[3]", "(2, 4)"),
    arguments=("x: f32[3]",),
)
def an_axis_that_does_not_grow() -> Any:
    def f(x: Any) -> Any:
        return lax.broadcast_in_dim(x, (2, 4), (1,))  # <- wrong

    return fnx.jit(f)(ones(3))


@wrong(
    "select_n",
    ShapeError,
    TypeError,
    remedy="`fnx.numpy`, which broadcasts",
    types=("f32[3]", "f32[4]"),
    arguments=("x: f32[3]", "y: f32[4]"),
)
def cases_of_two_shapes() -> Any:
    def f(x: Any, y: Any) -> Any:
        return lax.select(True, x, y)  # <- wrong

    return fnx.jit(f)(ones(3), ones(4))


# ------------------------------------------------------------------------------------------- dtypes


@wrong(
    "add",
    ArgumentTypeError,
    TypeError,
    remedy="convert_element_type",
    types=("f32[3]", "i32[3]"),
    arguments=("x: f32[3]", "n: i32[3]"),
)
def dtypes_that_lax_does_not_promote() -> Any:
    def f(x: Any, n: Any) -> Any:
        return lax.add(x, n)  # <- wrong

    return fnx.jit(f)(ones(3), jnp.arange(3))


@wrong(
    "add",
    ShapeError,
    TypeError,
    remedy="broadcast_in_dim",
    types=("f32[3]", "f32[4]"),
    arguments=("x: f32[3]", "y: f32[4]"),
)
def shapes_that_lax_does_not_broadcast() -> Any:
    def f(x: Any, y: Any) -> Any:
        return lax.add(x, y)  # <- wrong

    return fnx.jit(f)(ones(3), ones(4))


@wrong(
    "and",
    ArgumentTypeError,
    TypeError,
    remedy="astype",
    types=("f32[3]",),
    arguments=("x: f32[3]",),
)
def bits_of_floats() -> Any:
    def f(x: Any) -> Any:
        return x & 1  # <- wrong

    return fnx.jit(f)(ones(3))


@wrong(
    "cholesky",
    ArgumentTypeError,
    TypeError,
    remedy="astype",
    types=("i32[3,3]",),
    arguments=("a: i32[3,3]",),
)
def a_factorization_of_integers() -> Any:
    def f(a: Any) -> Any:
        return lax.linalg.cholesky(a)  # <- wrong

    return fnx.jit(f)(jnp.eye(3, dtype=int))


@wrong(
    "add",
    TypePromotionError,
    TypeError,
    remedy="astype",
    types=("float8_e4m3fn", "float32"),
    arguments=("x: f8_e4m3fn[3]", "y: f32[3]"),
)
def dtypes_without_a_common_one() -> Any:
    def f(x: Any, y: Any) -> Any:
        return x + y  # <- wrong

    return fnx.jit(f)(jnp.ones(3, "float8_e4m3fn"), ones(3))


@wrong(
    "array",
    NumberOverflowError,
    OverflowError,
    remedy="dtype='int64'",
)
def an_integer_that_is_too_large() -> Any:
    return jnp.array([2**40])  # <- wrong


@wrong(
    "add",
    NumberOverflowError,
    OverflowError,
    remedy="wider dtype",
    types=("int8",),
    arguments=("x: i8[3]",),
)
def a_number_that_its_partner_can_not_hold() -> Any:
    def f(x: Any) -> Any:
        return x + 1000  # <- wrong

    return fnx.jit(f)(jnp.ones(3, "int8"))


@wrong(
    "array",
    ArgumentTypeError,
    TypeError,
    remedy="Pass arrays",
)
def an_array_of_strings() -> Any:
    return jnp.array(["a", "b"])  # <- wrong


@wrong("astype", ArgumentTypeError, TypeError, remedy="jnp.float32", types=("'float33'",))
def a_dtype_that_is_not_there() -> Any:
    return ones(3).astype("float33")  # <- wrong
