"""Wrong programs about control flow, custom rules, callbacks and solvers."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

import fnx
import fnx.numpy as jnp
from fnx import lax
from fnx.errors import (
    ArgumentTypeError,
    ArgumentValueError,
    ShapeError,
    UnexpectedTracerError,
    UnsetRuleError,
)
from tests.support.wrong_operations import ones
from tests.support.wrong_programs import wrong

# -------------------------------------------------------------------------------------------- loops


@wrong(
    "scan of step",
    ArgumentTypeError,
    TypeError,
    remedy="astype",
    types=("f32[3]", "f64[3]"),
    arguments=("carry['h'] is f32[3]",),
)
def a_carry_of_another_dtype() -> Any:
    def step(carry: Any, x: Any) -> Any:
        return {"h": carry["h"] * np.ones(3)}, x

    return lax.scan(step, {"h": ones(3)}, ones(5))  # <- wrong


@wrong(
    "scan of step",
    ArgumentTypeError,
    TypeError,
    remedy="Convert one of them",
    types=("f32[3]", "f32[5,3]"),
    arguments=("carry['h'] is f32[3]",),
)
def a_carry_of_another_shape() -> Any:
    def step(carry: Any, x: Any) -> Any:
        return {"h": carry["h"] + ones(5, 1)}, x

    return lax.scan(step, {"h": ones(3)}, ones(5))  # <- wrong


@wrong(
    "scan of step",
    ArgumentTypeError,
    TypeError,
    remedy="Return a carry",
    arguments=("carry['h']",),
)
def a_carry_of_another_structure() -> Any:
    def step(carry: Any, x: Any) -> Any:
        return {"h": (carry["h"], x)}, x

    return lax.scan(step, {"h": ones(3)}, ones(5))  # <- wrong


@wrong(
    "scan of step",
    ArgumentTypeError,
    TypeError,
    remedy="Return `carry, None`",
)
def a_body_without_a_second_result() -> Any:
    def step(carry: Any, x: Any) -> Any:
        return carry + x

    return lax.scan(step, ones(), ones(5))  # <- wrong


@wrong(
    "scan of step",
    ArgumentValueError,
    ValueError,
    remedy="Slice",
    types=("f32[5]", "f32[4]"),
    arguments=("xs['x']", "xs['y']"),
)
def inputs_of_two_lengths() -> Any:
    def step(carry: Any, xs: Any) -> Any:
        return carry + xs["x"] * xs["y"], None

    return lax.scan(step, ones(), {"x": ones(5), "y": ones(4)})  # <- wrong


@wrong(
    "scan of step",
    ArgumentValueError,
    ValueError,
    remedy="capture it",
    types=("f32[]",),
    arguments=("xs['y'] is f32[]",),
)
def an_input_without_an_axis() -> Any:
    def step(carry: Any, xs: Any) -> Any:
        return carry + xs["x"] * xs["y"], None

    return lax.scan(step, ones(), {"x": ones(5), "y": ones()})  # <- wrong


@wrong(
    "scan of step",
    ArgumentValueError,
    ValueError,
    remedy="give xs, or length",
)
def a_scan_without_a_length() -> Any:
    def step(carry: Any, _: Any) -> Any:
        return carry, None

    return lax.scan(step, ones())  # <- wrong


@wrong(
    "matmul",
    ShapeError,
    ValueError,
    remedy="Transpose one operand",
    types=("f32[3]", "f32[4,4]"),
    arguments=("carry['h']: f32[3]", "x: f32[4,4]"),
)
def a_product_in_a_body() -> Any:
    def step(carry: Any, x: Any) -> Any:
        return {"h": carry["h"] @ x}, None  # <- wrong

    return lax.scan(step, {"h": ones(3)}, ones(5, 4, 4))


@wrong(
    "while_loop of halve",
    ArgumentTypeError,
    TypeError,
    remedy="astype",
    types=("i32[]", "f32[]"),
    arguments=("carry",),
)
def a_loop_that_changes_the_dtype() -> Any:
    def halve(n: Any) -> Any:
        return n / 2

    return lax.while_loop(lambda n: n > 1, halve, jnp.int32(8))  # <- wrong


@wrong(
    "while_loop of halve",
    ArgumentTypeError,
    TypeError,
    remedy="all() or any()",
    types=("bool[3]",),
    arguments=("cond_fun",),
)
def a_predicate_that_is_a_vector() -> Any:
    def halve(x: Any) -> Any:
        return x / 2

    return lax.while_loop(lambda x: x > 1, halve, ones(3))  # <- wrong


@wrong(
    "while_loop of halve",
    ArgumentTypeError,
    TypeError,
    remedy="Compare",
    types=("f32[]",),
    arguments=("cond_fun",),
)
def a_predicate_that_is_a_number() -> Any:
    def halve(x: Any) -> Any:
        return x / 2

    return lax.while_loop(lambda x: x, halve, ones())  # <- wrong


@wrong(
    "fori_loop",
    ArgumentTypeError,
    TypeError,
    remedy="astype(int)",
    types=("~f32[]",),
    arguments=("upper",),
)
def a_bound_that_is_a_float() -> Any:
    return lax.fori_loop(0, 3.0, lambda i, x: x + i, 0)  # <- wrong


@wrong(
    "fori_loop",
    ArgumentTypeError,
    TypeError,
    remedy="Convert one of them",
    types=("i32[]", "i64[]"),
    arguments=("lower", "upper"),
)
def bounds_of_two_dtypes() -> Any:
    return lax.fori_loop(np.int32(0), np.int64(3), lambda i, x: x, 0)  # <- wrong


@wrong(
    "matmul",
    ShapeError,
    ValueError,
    remedy="Transpose one operand",
    types=("f32[3]", "f32[4,4]"),
    arguments=("state['h']: f32[3]", "state['w']: f32[4,4] (from the arguments of body)"),
)
def a_product_in_a_counted_loop() -> Any:
    def body(i: Any, state: Any) -> Any:
        return {"h": state["h"] @ state["w"], "w": state["w"]}  # <- wrong

    return lax.fori_loop(0, 5, body, {"h": ones(3), "w": ones(4, 4)})


@wrong(
    "concatenate",
    ShapeError,
    ValueError,
    remedy="Slice, pad or reshape",
    types=("f32[3]", "f32[1,2]"),
    arguments=("row['x']: f32[3]", "row['y']: f32[1,2] (from the arguments of <lambda>)"),
)
def rows_that_do_not_fit() -> Any:
    table = {"x": ones(5, 3), "y": ones(5, 1, 2)}
    return lax.map(lambda row: jnp.concatenate([row["x"], row["y"]]), table)  # <- wrong


@wrong(
    "scan of body",
    ArgumentTypeError,
    TypeError,
    remedy="Convert one of them",
    types=("i32[]", "f32[]"),
    arguments=("state['n'] is i32[]",),
)
def a_counted_loop_that_changes_a_dtype() -> Any:
    def body(i: Any, state: Any) -> Any:
        return {"n": state["n"] / 2}

    return lax.fori_loop(0, 5, body, {"n": jnp.int32(8)})  # <- wrong


# ----------------------------------------------------------------------------------------- branches


@wrong(
    "cond",
    ArgumentTypeError,
    TypeError,
    remedy="astype",
    types=("f32[3]", "bool[3]"),
    arguments=("['y']",),
)
def branches_of_two_types() -> Any:
    def f(x: Any) -> Any:
        return lax.cond(True, lambda x: {"y": x > 0}, lambda x: {"y": x}, x)  # <- wrong

    return fnx.jit(f)(ones(3))


@wrong(
    "cond",
    ArgumentTypeError,
    TypeError,
    remedy="one structure",
    arguments=("branch 0", "branch 1", "the result[0]"),
)
def branches_of_two_structures() -> Any:
    def f(x: Any) -> Any:
        return lax.cond(True, lambda x: (x, x), lambda x: ((x, x), x), x)  # <- wrong

    return fnx.jit(f)(ones(3))


@wrong(
    "cond",
    ArgumentTypeError,
    TypeError,
    remedy="jnp.where",
    types=("bool[3]",),
    arguments=("pred", "x: f32[3]"),
)
def a_choice_by_a_vector() -> Any:
    def f(x: Any) -> Any:
        return lax.cond(x > 0, jnp.sin, jnp.cos, x)  # <- wrong

    return fnx.jit(f)(ones(3))


@wrong(
    "cond",
    ArgumentTypeError,
    TypeError,
    remedy="cond(pred, true_fun, false_fun, *operands)",
    types=("Array",),
    arguments=("true_fun",),
)
def operands_before_functions() -> Any:
    return lax.cond(True, ones(3), jnp.sin, jnp.cos)  # type: ignore[arg-type] # <- wrong


@wrong("switch", ArgumentValueError, ValueError, remedy="at least one", arguments=("branches",))
def a_switch_without_branches() -> Any:
    return lax.switch(0, [], ones(3))  # <- wrong


@wrong(
    "switch",
    ArgumentTypeError,
    TypeError,
    remedy="astype(int)",
    types=("~f32[]",),
    arguments=("index",),
)
def a_switch_by_a_float() -> Any:
    return lax.switch(0.5, [jnp.sin, jnp.cos], ones(3))  # <- wrong


# ------------------------------------------------------------------------------------- custom rules


@wrong(
    "custom_jvp of f",
    UnsetRuleError,
    AttributeError,
    remedy=".defjvp(rule)",
)
def a_custom_jvp_without_a_rule() -> Any:
    @fnx.custom_jvp
    def f(x: Any) -> Any:
        return x

    return f(ones())  # <- wrong


@wrong(
    "custom_jvp of f",
    ArgumentTypeError,
    TypeError,
    remedy="Sum or broadcast",
    types=("f32[3]", "f32[]"),
    arguments=("['y']",),
)
def a_rule_with_a_tangent_of_another_shape() -> Any:
    @fnx.custom_jvp
    def f(x: Any) -> Any:
        return {"y": 2 * x}

    @f.defjvp
    def f_jvp(primals: Any, tangents: Any) -> Any:
        return f(*primals), {"y": tangents[0].sum()}

    return fnx.jvp(f, (ones(3),), (ones(3),))  # <- wrong


@wrong(
    "custom_jvp of f",
    ArgumentTypeError,
    TypeError,
    remedy="Return `out, tangent_out`",
)
def a_rule_without_a_value() -> Any:
    @fnx.custom_jvp
    def f(x: Any) -> Any:
        return 2 * x

    @f.defjvp
    def f_jvp(primals: Any, tangents: Any) -> Any:
        return 2 * tangents[0]

    return fnx.grad(f)(ones())  # <- wrong


@wrong(
    "custom_vjp of f",
    UnsetRuleError,
    AttributeError,
    remedy=".defvjp(fwd, bwd)",
)
def a_custom_vjp_without_a_rule() -> Any:
    @fnx.custom_vjp
    def f(x: Any) -> Any:
        return x

    return fnx.grad(f)(ones())  # <- wrong


@wrong(
    "custom_vjp of f",
    ArgumentTypeError,
    TypeError,
    remedy="one for each argument",
    arguments=("a tuple of 2", "tuple of 1"),
)
def a_rule_with_too_few_cotangents() -> Any:
    @fnx.custom_vjp
    def f(x: Any, y: Any) -> Any:
        return x * y

    f.defvjp(lambda x, y: (f(x, y), y), lambda y, ct: (ct * y,))
    return fnx.grad(f)(1.0, 2.0)  # <- wrong


@wrong(
    "custom_vjp of f",
    ArgumentTypeError,
    TypeError,
    remedy="Sum or broadcast",
    types=("f32[3]", "f32[]"),
    arguments=("params['b']",),
)
def a_rule_with_a_cotangent_of_another_shape() -> Any:
    @fnx.custom_vjp
    def f(params: Any) -> Any:
        return params["b"].sum()

    f.defvjp(lambda params: (f(params), None), lambda _, ct: ({"b": ct},))
    return fnx.grad(f)({"b": ones(3)})  # <- wrong


@wrong(
    "custom_vjp of f",
    ArgumentTypeError,
    TypeError,
    remedy="None is zero",
    arguments=("params",),
)
def a_rule_with_a_cotangent_of_another_structure() -> Any:
    @fnx.custom_vjp
    def f(params: Any) -> Any:
        return params["b"].sum() + params["c"].sum()

    f.defvjp(lambda params: (f(params), None), lambda _, ct: (ct,))
    return fnx.grad(f)({"b": ones(3), "c": ones(3)})  # <- wrong


@wrong(
    "custom_vjp of f",
    ArgumentTypeError,
    TypeError,
    remedy="Return `out, residuals`",
)
def a_forward_rule_without_residuals() -> Any:
    @fnx.custom_vjp
    def f(x: Any) -> Any:
        return 2 * x

    f.defvjp(lambda x: f(x), lambda _, ct: (2 * ct,))
    return fnx.grad(f)(ones())  # <- wrong


@wrong(
    "custom_vjp of f",
    UnexpectedTracerError,
    TypeError,
    remedy="cotangent of None",
    types=("f32[]",),
    arguments=("scale is in nondiff_argnums", "s: f32[]"),
)
def a_tracer_where_a_static_argument_is() -> Any:
    @functools.partial(fnx.custom_vjp, nondiff_argnums=(0,))
    def f(scale: Any, x: Any) -> Any:
        return scale * x

    f.defvjp(lambda scale, x: (f(scale, x), None), lambda scale, _, ct: (scale * ct,))

    def g(s: Any, x: Any) -> Any:
        return f(s, x)  # <- wrong

    return fnx.jit(g)(ones(), ones())


@wrong(
    "checkpoint",
    ArgumentTypeError,
    TypeError,
    remedy="fnx.checkpoint_policies",
    types=("str",),
    arguments=("policy",),
)
def a_policy_by_its_name() -> Any:
    return fnx.checkpoint(jnp.sin, policy="dots_saveable")  # <- wrong


# ------------------------------------------------------------------------------- callbacks, solvers


@wrong(
    "pure_callback",
    ArgumentTypeError,
    TypeError,
    remedy="declare the one it is",
    types=("f32[3]", "f32[2]"),
    arguments=("result 0 of sin",),
)
def a_callback_with_another_shape() -> Any:
    def f(x: Any) -> Any:
        return fnx.pure_callback(jnp.sin, fnx.ShapeDtypeStruct((2,), "float32"), x)

    return fnx.jit(f)(ones(3))  # <- wrong


@wrong(
    "pure_callback",
    ArgumentTypeError,
    TypeError,
    remedy="ShapeDtypeStruct(shape, dtype)",
    types=("str",),
    arguments=("result_shape_dtypes",),
)
def a_callback_without_types() -> Any:
    return fnx.pure_callback(np.sin, "float32", ones(3))  # <- wrong


@wrong(
    "custom_linear_solve",
    ArgumentTypeError,
    TypeError,
    remedy="as many equations",
    types=("f32[4]", "f32[3]"),
    arguments=("matvec",),
)
def a_linear_map_that_is_not_square() -> Any:
    a = ones(3, 4)
    return lax.custom_linear_solve(lambda x: a @ x, ones(4), lambda f, b: b)  # <- wrong


@wrong(
    "custom_root",
    ArgumentTypeError,
    TypeError,
    remedy="Convert with astype or reshape",
    types=("f32[3]", "f32[]"),
    arguments=("solve",),
)
def a_root_of_another_shape() -> Any:
    return lax.custom_root(jnp.sin, ones(3), lambda f, x: x[0], lambda g, y: y)  # <- wrong
