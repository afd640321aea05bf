"""Wrong programs that want a value where there is only a tracer, and programs that leak tracers."""

from __future__ import annotations

from typing import Any

import numpy as np

import fnx
import fnx.numpy as jnp
from fnx import lax
from fnx.errors import (
    ArgumentTypeError,
    ConcretizationTypeError,
    NonConcreteBooleanIndexError,
    TracerArrayConversionError,
    TracerBoolConversionError,
    TracerIntegerConversionError,
    UnexpectedTracerError,
)
from tests.support.wrong_operations import ones
from tests.support.wrong_programs import wrong

# --------------------------------------------------------------------------------- values of Python


@wrong(
    "bool()",
    TracerBoolConversionError,
    TypeError,
    remedy="`lax.cond`",
    types=("bool[]",),
    arguments=("a value computed from x: f32[3]",),
)
def a_condition_of_data() -> Any:
    def f(x: Any, y: Any) -> Any:
        if x.sum() > 0:  # <- wrong
            return y
        return x

    return fnx.jit(f)(ones(3), ones(3))


@wrong(
    "bool()",
    TracerBoolConversionError,
    TypeError,
    remedy="`lax.while_loop`",
    types=("bool[]",),
    arguments=("a value computed from state['n']: i32[]",),
)
def a_loop_while_data() -> Any:
    def f(state: Any) -> Any:
        n = state["n"]
        while n > 0:  # <- wrong
            n = n - 1
        return n

    return fnx.jit(f)({"n": jnp.int32(3), "x": ones(3)})


@wrong(
    "bool()",
    TracerBoolConversionError,
    TypeError,
    remedy="`jnp.where`",
    types=("bool[]",),
    arguments=("flag: bool[]",),
)
def a_flag_in_vmap() -> Any:
    def f(flag: Any, x: Any) -> Any:
        return x if flag else -x  # <- wrong

    return fnx.vmap(f)(jnp.array([True, False]), ones(2))


@wrong(
    "bool()",
    TracerBoolConversionError,
    TypeError,
    remedy="`jnp.where`",
    types=("f32[]",),
    arguments=("y: f32[]",),
)
def an_or_of_numbers() -> Any:
    def f(x: Any, y: Any) -> Any:
        return y or x  # <- wrong

    return fnx.jit(f)(ones(), ones())


@wrong(
    "int()",
    ConcretizationTypeError,
    TypeError,
    remedy="static_argnums",
    types=("f32[]",),
    arguments=("x: f32[]",),
)
def an_integer_from_data() -> Any:
    def f(x: Any) -> Any:
        return int(x)  # <- wrong

    return fnx.jit(f)(ones())


@wrong(
    "float()",
    ConcretizationTypeError,
    TypeError,
    remedy="x.astype(float)",
    types=("f32[]",),
    arguments=("a value computed from x: f32[3]",),
)
def a_float_from_data() -> Any:
    def f(x: Any) -> Any:
        return float(x.mean())  # <- wrong

    return fnx.jit(f)(ones(3))


@wrong(
    "float()",
    ConcretizationTypeError,
    TypeError,
    remedy="lax.stop_gradient(x)",
    types=("f32[]",),
    arguments=("x: f32[]",),
)
def a_float_that_would_lose_its_derivative() -> Any:
    def f(x: Any) -> Any:
        return float(x) * x  # <- wrong

    return fnx.grad(f)(ones())


@wrong(
    "item",
    ConcretizationTypeError,
    TypeError,
    remedy="Return the array itself",
    types=("f32[]",),
    arguments=("x: f32[]",),
)
def an_item_of_data() -> Any:
    def f(x: Any) -> Any:
        return x.item()  # <- wrong

    return fnx.jit(f)(ones())


@wrong(
    "tolist",
    ConcretizationTypeError,
    TypeError,
    remedy="Compute with the array itself",
    types=("f32[3]",),
    arguments=("x: f32[3]",),
)
def a_list_of_data() -> Any:
    def f(x: Any) -> Any:
        return x.tolist()  # <- wrong

    return fnx.jit(f)(ones(3))


@wrong(
    "operator.index()",
    TracerIntegerConversionError,
    TypeError,
    remedy="`lax.fori_loop`",
    types=("~i32[]",),
    arguments=("n: ~i32[]",),
)
def a_range_of_data() -> Any:
    def f(n: Any) -> Any:
        return sum(range(n))  # <- wrong

    return fnx.jit(f)(3)


@wrong(
    "operator.index()",
    TracerIntegerConversionError,
    TypeError,
    remedy="index arrays",
    types=("i32[]",),
    arguments=("i: i32[]",),
)
def an_index_into_a_list() -> Any:
    def f(i: Any) -> Any:
        return [10, 20, 30][i]  # <- wrong

    return fnx.jit(f)(jnp.int32(1))


@wrong(
    "numpy.asarray()",
    TracerArrayConversionError,
    TypeError,
    remedy="`pure_callback`",
    types=("f32[3]",),
    arguments=("params['w']: f32[3]",),
)
def an_ndarray_from_data() -> Any:
    def f(params: Any) -> Any:
        return np.asarray(params["w"])  # <- wrong

    return fnx.jit(f)({"w": ones(3)})


@wrong(
    "numpy.asarray()",
    TracerArrayConversionError,
    TypeError,
    remedy="lax.stop_gradient(x)",
    types=("f32[3]",),
    arguments=("x: f32[3]",),
)
def an_ndarray_that_would_lose_its_derivative() -> Any:
    def f(x: Any) -> Any:
        return np.asarray(x).sum() * x[0]  # <- wrong

    return fnx.grad(f)(ones(3))


# ------------------------------------------------------------------------------- shapes out of data


@wrong(
    "zeros",
    TracerIntegerConversionError,
    TypeError,
    remedy="static_argnums",
    types=("~i32[]",),
    arguments=("n: ~i32[]",),
)
def a_shape_of_data() -> Any:
    def f(n: Any) -> Any:
        return jnp.zeros((n, 3))  # <- wrong

    return fnx.jit(f)(3)


@wrong(
    "reshape",
    ConcretizationTypeError,
    TypeError,
    remedy="static_argnums",
    types=("~i32[]",),
    arguments=("n: ~i32[]",),
)
def a_size_of_data() -> Any:
    def f(x: Any, n: Any) -> Any:
        return x.reshape(n, -1)  # <- wrong

    return fnx.jit(f)(ones(3, 4), 6)


@wrong(
    "arange",
    ConcretizationTypeError,
    TypeError,
    remedy="static_argnums",
    types=("~i32[]",),
    arguments=("n: ~i32[]",),
)
def an_arange_of_data() -> Any:
    def f(n: Any) -> Any:
        return jnp.arange(n)  # <- wrong

    return fnx.jit(f)(3)


@wrong(
    "sum",
    TracerIntegerConversionError,
    TypeError,
    remedy="static_argnums",
    types=("~i32[]",),
    arguments=("axis: ~i32[]",),
)
def an_axis_of_data() -> Any:
    def f(x: Any, axis: Any) -> Any:
        return x.sum(axis)  # <- wrong

    return fnx.jit(f)(ones(3, 4), 0)


@wrong(
    "indexing f32[3]",
    NonConcreteBooleanIndexError,
    IndexError,
    remedy="jnp.where(mask, x, 0)",
    types=("f32[3]", "bool[3]"),
    arguments=("x: f32[3]",),
)
def a_mask_of_data() -> Any:
    def f(x: Any) -> Any:
        return x[x > 0]  # <- wrong

    return fnx.jit(f)(ones(3))


@wrong(
    "nonzero",
    ConcretizationTypeError,
    TypeError,
    remedy="size=",
    types=("f32[3]",),
    arguments=("x: f32[3]",),
)
def places_of_data() -> Any:
    def f(x: Any) -> Any:
        return jnp.nonzero(x)  # <- wrong

    return fnx.jit(f)(ones(3))


@wrong(
    "unique",
    ConcretizationTypeError,
    TypeError,
    remedy="size=",
    arguments=("x: f32[3]",),
)
def different_data() -> Any:
    def f(x: Any) -> Any:
        return jnp.unique(x)  # <- wrong

    return fnx.jit(f)(ones(3))


@wrong(
    "repeat",
    ConcretizationTypeError,
    TypeError,
    remedy="computed indices",
    types=("i32[3]",),
    arguments=("counts: i32[3]",),
)
def repeats_of_data() -> Any:
    def f(x: Any, counts: Any) -> Any:
        return jnp.repeat(x, counts)  # <- wrong

    return fnx.jit(f)(ones(3), jnp.arange(3))


# -------------------------------------------------------------------------------------------- leaks

MADE_HERE = "wrong_conversions.py"
kept: dict[str, Any] = {}


@wrong(
    "add",
    UnexpectedTracerError,
    TypeError,
    remedy="Return the value",
    types=("f32[3]",),
    arguments=(f"made at {MADE_HERE}", "the trace of remember"),
)
def a_tracer_of_jit_in_a_global() -> Any:
    def remember(x: Any) -> Any:
        kept["x"] = 2 * x
        return x

    fnx.jit(remember)(ones(3))
    return kept.pop("x") + 1  # <- wrong


@wrong(
    "mul",
    UnexpectedTracerError,
    TypeError,
    remedy="fnx.checking_leaks() tells where",
    types=("f32[]",),
    arguments=("the trace of grad of loss",),
)
def a_tracer_of_grad_in_a_closure() -> Any:
    best = ones()

    def loss(x: Any) -> Any:
        nonlocal best
        best = x * x
        return best

    fnx.grad(loss)(ones())
    return best * 2  # <- wrong


@wrong(
    "jit",
    UnexpectedTracerError,
    TypeError,
    remedy="Return the value",
    types=("f32[]",),
    arguments=("the trace of vmap of example",),
)
def a_tracer_of_vmap_in_a_list() -> Any:
    found = []

    def example(x: Any) -> Any:
        found.append(x)
        return x

    fnx.vmap(example)(ones(3))
    return fnx.jit(jnp.sin)(found[0])  # <- wrong


@wrong(
    "mul",
    UnexpectedTracerError,
    TypeError,
    remedy="Return the value",
    types=("f32[]",),
    arguments=(f"made at {MADE_HERE}", "(body)"),
)
def a_tracer_of_scan_used_after_it() -> Any:
    def body(carry: Any, x: Any) -> Any:
        kept["sum"] = carry + x
        return kept["sum"], x

    lax.scan(body, ones(), ones(3))
    return kept.pop("sum") * 2  # <- wrong


@wrong(
    "vmap of step",
    UnexpectedTracerError,
    TypeError,
    remedy="Return the values",
    types=("f32[]",),
    arguments=(f"made at {MADE_HERE}", "(step)", "list"),
)
def a_leak_of_vmap_that_is_looked_for() -> Any:
    found = []

    def step(x: Any) -> Any:
        found.append(x * 2)
        return x

    with fnx.checking_leaks():
        return fnx.vmap(step)(ones(3))  # <- wrong


@wrong(
    "step",
    UnexpectedTracerError,
    TypeError,
    remedy="Return the values",
    types=("f32[3]",),
    arguments=(f"made at {MADE_HERE}", "(step)", "dict"),
)
def a_leak_of_jit_that_is_looked_for() -> Any:
    found = {}

    def step(x: Any) -> Any:
        found["x"] = x * 2
        return x

    with fnx.checking_leaks():
        return fnx.jit(step)(ones(3))  # <- wrong


@wrong(
    "device_get",
    ConcretizationTypeError,
    TypeError,
    remedy="outside of transformed functions",
    types=("f32[3]",),
    arguments=("x: f32[3]",),
)
def a_copy_for_the_host_while_tracing() -> Any:
    def f(x: Any) -> Any:
        return fnx.device_get(x)  # <- wrong

    return fnx.jit(f)(ones(3))


@wrong(
    "jit of f",
    ArgumentTypeError,
    TypeError,
    remedy="Pass arrays, numbers",
    types=("str",),
    arguments=("params['name']",),
)
def a_string_as_an_argument() -> Any:
    def f(params: Any) -> Any:
        return params["w"]

    return fnx.jit(f)({"w": ones(3), "name": "dense"})  # <- wrong


@wrong(
    "grad of f",
    ArgumentTypeError,
    TypeError,
    remedy="Convert it to numbers",
    types=("object",),
    arguments=("x has",),
)
def an_array_of_objects_as_an_argument() -> Any:
    def f(w: Any, x: Any) -> Any:
        return w * x

    return fnx.grad(f, argnums=1)(1.0, np.array([None], object))  # <- wrong


@wrong(
    "eval_shape of f",
    ArgumentTypeError,
    TypeError,
    remedy="Pass arrays, numbers",
    types=("object",),
    arguments=("x[1]",),
)
def a_type_of_no_array() -> Any:
    def f(x: Any) -> Any:
        return x[0]

    return fnx.eval_shape(f, (ones(3), object()))  # <- wrong


@wrong(
    "output of f",
    ArgumentTypeError,
    TypeError,
    remedy="Pass arrays, numbers",
    types=("str",),
    arguments=("['name'] is str",),
)
def a_string_as_a_result() -> Any:
    def f(x: Any) -> Any:
        return {"x": x, "name": "dense"}

    return fnx.jit(f)(ones(3))  # <- wrong


@wrong(
    "sin",
    ArgumentTypeError,
    TypeError,
    remedy="Pass arrays",
    types=("NoneType",),
)
def an_operation_on_nothing() -> Any:
    return jnp.sin(None)  # <- wrong
