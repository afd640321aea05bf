"""Wrong programs about arrays: axes, indices, changes in place, random keys, trees, settings."""

from __future__ import annotations

from typing import Any

import numpy as np

import fnx
import fnx.numpy as jnp
from fnx import config, flatten_util, optim, random, tree_util
from fnx.errors import (
    ArgumentTypeError,
    ArgumentValueError,
    AxisError,
    DeletedArrayError,
    DonationError,
    JAXIndexError,
    KeyReuseError,
    NonFiniteError,
    ShapeError,
    TypePromotionError,
    UnknownSettingError,
    UnsupportedError,
)
from tests.support.wrong_operations import PARAMS, ones
from tests.support.wrong_programs import wrong

# ------------------------------------------------------------------------------------ axes, indices


@wrong(
    "sum",
    AxisError,
    ValueError,
    remedy="from -2 to 1",
    arguments=("x: f32[3,4]",),
)
def an_axis_that_is_not_there() -> Any:
    def f(x: Any) -> Any:
        return x.sum(axis=2)  # <- wrong

    return fnx.jit(f)(ones(3, 4))


@wrong(
    "sum",
    ArgumentValueError,
    ValueError,
    remedy="once",
    types=("(0, -2)",),
    arguments=("x: f32[3,4]",),
)
def an_axis_that_is_named_twice() -> Any:
    def f(x: Any) -> Any:
        return x.sum(axis=(0, -2))  # <- wrong

    return fnx.jit(f)(ones(3, 4))


@wrong(
    "max",
    ArgumentValueError,
    ValueError,
    remedy="Give initial=",
    types=("f32[0,4]",),
    arguments=("x: f32[0,4]",),
)
def the_largest_of_nothing() -> Any:
    def f(x: Any) -> Any:
        return x.max(axis=0)  # <- wrong

    return fnx.jit(f)(ones(0, 4))


@wrong(
    "transpose",
    ArgumentValueError,
    ValueError,
    remedy="each axis once",
    types=("f32[3,4]", "(0, 0)"),
    arguments=("x: f32[3,4]",),
)
def a_permutation_that_is_none() -> Any:
    def f(x: Any) -> Any:
        return x.transpose(0, 0)  # <- wrong

    return fnx.jit(f)(ones(3, 4))


@wrong(
    "indexing f32[3,4]",
    JAXIndexError,
    IndexError,
    remedy="from -3 to 2",
    types=("f32[3,4]",),
    arguments=("params['w']: f32[3,4]",),
)
def an_index_out_of_bounds() -> Any:
    def f(params: Any) -> Any:
        return params["w"][3]  # <- wrong

    return fnx.jit(f)(PARAMS)


@wrong("indexing f32[3]", JAXIndexError, IndexError, remedy="from -3 to 2", types=("f32[3]",))
def an_index_out_of_bounds_eagerly() -> Any:
    return ones(3)[5]  # <- wrong


@wrong(
    "indexing f32[3]",
    JAXIndexError,
    IndexError,
    remedy="Give at most 1",
    types=("f32[3]",),
    arguments=("x: f32[3]",),
)
def too_many_indices() -> Any:
    def f(x: Any) -> Any:
        return x[0, 0]  # <- wrong

    return fnx.jit(f)(ones(3))


@wrong(
    "indexing f32[3]",
    ArgumentTypeError,
    TypeError,
    remedy="astype(int)",
    types=("f32[2]",),
    arguments=("i: f32[2]",),
)
def an_index_of_floats() -> Any:
    def f(x: Any, i: Any) -> Any:
        return x[i]  # <- wrong

    return fnx.jit(f)(ones(3), ones(2))


@wrong(
    "indexing f32[3]",
    ArgumentTypeError,
    TypeError,
    remedy="integers",
    types=("f32[3]", "str"),
    arguments=("x: f32[3]",),
)
def an_index_by_a_name() -> Any:
    def f(x: Any) -> Any:
        return x["w"]  # <- wrong

    return fnx.jit(f)(ones(3))


@wrong(
    "indexing f32[3]",
    JAXIndexError,
    IndexError,
    remedy="shape of the axes",
    types=("f32[3]", "(4,)"),
    arguments=("x: f32[3]",),
)
def a_mask_of_another_shape() -> Any:
    def f(x: Any) -> Any:
        return x[np.ones(4, bool)]  # <- wrong

    return fnx.jit(f)(ones(3))


@wrong(
    "x.at[...]",
    ShapeError,
    ValueError,
    remedy="equal or 1",
    types=("f32[3]", "f32[2]"),
    arguments=("y: f32[2]",),
)
def values_that_do_not_fit_their_place() -> Any:
    def f(x: Any, y: Any) -> Any:
        return x.at[:].set(y)  # <- wrong

    return fnx.jit(f)(ones(3), ones(2))


# ----------------------------------------------------------------------------- arrays do not change


@wrong(
    "x[index] = y",
    ArgumentTypeError,
    TypeError,
    remedy="x.at[index].set(y)",
    types=("f32[3]",),
    arguments=("x: f32[3]",),
)
def an_assignment_to_an_element() -> Any:
    def f(x: Any) -> Any:
        x[0] = 1.0  # <- wrong
        return x

    return fnx.jit(f)(ones(3))


@wrong(
    "add",
    ArgumentTypeError,
    TypeError,
    remedy="Use what the call returns",
    types=("f32[3]",),
)
def numpy_writing_into_an_array() -> Any:
    x = ones(3)
    return np.add(x, x, out=x)  # <- wrong


@wrong(
    "sum",
    UnsupportedError,
    NotImplementedError,
    remedy="out= must be None",
    arguments=("x: f32[3]",),
)
def a_place_for_the_result() -> Any:
    def f(x: Any) -> Any:
        return jnp.sum(x, out=np.zeros(()))  # <- wrong

    return fnx.jit(f)(ones(3))


@wrong("len()", ArgumentTypeError, TypeError, remedy="x.size", types=("f32[]",))
def the_length_of_a_scalar() -> Any:
    return len(ones())  # <- wrong


@wrong("iteration", ArgumentTypeError, TypeError, remedy="x[None]", types=("f32[]",))
def a_loop_over_a_scalar() -> Any:
    return list(ones())  # <- wrong


@wrong("float()", ArgumentTypeError, TypeError, remedy="x[0]", types=("f32[3]",))
def a_vector_as_a_number() -> Any:
    return float(ones(3))  # <- wrong


# ----------------------------------------------------------------------------------- random numbers


@wrong("normal", ArgumentTypeError, TypeError, remedy="random.key(seed)", types=("f32[2]",))
def a_key_of_floats() -> Any:
    return random.normal(ones(2))  # <- wrong


@wrong("split", ArgumentTypeError, TypeError, remedy="random.key(seed)", types=("int",))
def splitting_a_seed() -> Any:
    return random.split(0)  # <- wrong


@wrong("key", ArgumentTypeError, TypeError, remedy="integer", types=("~f32[]",))
def a_seed_that_is_a_float() -> Any:
    return random.key(0.5)  # <- wrong


@wrong(
    "gamma",
    ShapeError,
    ValueError,
    remedy="broadcast",
    types=("f32[3]", "(2,)"),
    arguments=("a",),
)
def a_parameter_of_another_shape() -> Any:
    return random.gamma(random.key(0), ones(3), (2,))  # <- wrong


@wrong(
    "normal",
    ArgumentValueError,
    ValueError,
    remedy="Map with vmap",
    types=("(2,)",),
)
def two_keys_for_one() -> Any:
    return random.normal(random.split(random.key(0)))  # <- wrong


@wrong(
    "uniform",
    KeyReuseError,
    TypeError,
    remedy="random.split(key)",
    arguments=("normal used it at wrong_arrays.py",),
)
def a_key_that_is_used_twice() -> Any:
    with fnx.debug_key_reuse(True):
        key = random.key(0)
        x = random.normal(key)
        return x + random.uniform(key)  # <- wrong


# ------------------------------------------------------------------------------- trees, optimizers


@wrong(
    "tree_map",
    ArgumentValueError,
    ValueError,
    remedy="one structure",
    arguments=("['w']",),
)
def trees_that_differ() -> Any:
    return fnx.tree.map(jnp.add, {"w": [1, 2]}, {"w": [1]})  # <- wrong


@wrong(
    "tree_unflatten",
    ArgumentValueError,
    ValueError,
    remedy="leaves",
)
def leaves_that_are_too_few() -> Any:
    structure = tree_util.tree_structure({"w": 1, "b": 2})
    return tree_util.tree_unflatten(structure, [1])  # <- wrong


@wrong(
    "unravel",
    ShapeError,
    ValueError,
    remedy="vector of that length",
    types=("f32[15]", "f32[14]"),
)
def a_vector_of_another_length() -> Any:
    _, unravel = flatten_util.ravel_pytree(PARAMS)
    return unravel(ones(14))  # <- wrong


@wrong(
    "sgd",
    ArgumentValueError,
    ValueError,
    remedy="structure",
    arguments=("grads is", "params is", "'b'"),
)
def gradients_of_another_structure() -> Any:
    optimizer = optim.sgd(0.1)
    state = optimizer.init(PARAMS)
    return optimizer.update({"w": PARAMS["w"]}, state, PARAMS)  # <- wrong


@wrong(
    "sgd",
    ShapeError,
    ValueError,
    remedy="shape of its parameter",
    types=("f32[3]", "f32[4]"),
    arguments=("grads['b']",),
)
def gradients_of_another_shape() -> Any:
    optimizer = optim.sgd(0.1)
    state = optimizer.init(PARAMS)
    return optimizer.update({"w": PARAMS["w"], "b": ones(4)}, state, PARAMS)  # <- wrong


# ---------------------------------------------------------------------------------------- settings


@wrong("debug_nans", ArgumentValueError, ValueError, remedy="True or False")
def a_setting_with_another_value() -> Any:
    config.update("jax_debug_nans", "perhaps")  # <- wrong


@wrong(
    "numpy_dtype_promotion",
    ArgumentValueError,
    ValueError,
    remedy="'standard', 'strict'",
)
def a_setting_with_a_choice_that_is_not_there() -> Any:
    config.update("jax_numpy_dtype_promotion", "loose")  # <- wrong


@wrong(
    "config",
    UnknownSettingError,
    AttributeError,
    remedy="Did you mean enable_x64",
    arguments=("'jax_enable_x46'",),
)
def a_setting_that_is_not_there() -> Any:
    config.update("jax_enable_x46", True)  # <- wrong


@wrong(
    "config.jax_enable_x64",
    UnknownSettingError,
    AttributeError,
    remedy="config.update('jax_enable_x64', True)",
)
def a_setting_that_is_assigned() -> Any:
    config.jax_enable_x64 = True  # <- wrong


@wrong(
    "add",
    TypePromotionError,
    TypeError,
    remedy="Cast them with x.astype",
    types=("float32", "int32"),
    arguments=("x: f32[3]", "n: i32[3]"),
)
def a_promotion_that_is_switched_off() -> Any:
    def f(x: Any, n: Any) -> Any:
        return x + n  # <- wrong

    with fnx.numpy_dtype_promotion("strict"):
        return fnx.jit(f)(ones(3), jnp.arange(3))


@wrong(
    "log",
    NonFiniteError,
    FloatingPointError,
    remedy="jnp.where before the operation",
    types=("f32[3]",),
)
def a_logarithm_of_negative_numbers() -> Any:
    def f(x: Any) -> Any:
        return jnp.log(x - 2)  # <- wrong

    with fnx.debug_nans(True):
        return fnx.jit(f)(ones(3))


# ------------------------------------------------------------------------------- arrays given away


@wrong(
    "array f32[3] was deleted",
    DeletedArrayError,
    RuntimeError,
    remedy="Use the result of that call",
    types=("f32[3]",),
)
def an_array_that_was_donated() -> Any:
    def step(x: Any) -> Any:
        return x + 1

    x = ones(3)
    fnx.jit(step, donate_argnums=0)(x)
    return x * 2  # <- wrong


@wrong(
    "jit of add",
    DonationError,
    RuntimeError,
    remedy="Donate a copy",
    types=("x f32[3]", "y f32[3]"),
)
def an_array_that_is_donated_and_read() -> Any:
    def add(x: Any, y: Any) -> Any:
        return x + y

    x = ones(3)
    return fnx.jit(add, donate_argnums=0)(x, x)  # <- wrong
