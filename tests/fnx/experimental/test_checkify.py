"""`checkify` against what JAX finds in the same programs, and what goes beyond it.

The results of JAX are in tests/fnx/data/jax_checkify.json, made by
`tests.support.make_jax_checkify`.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import fnx
import fnx.numpy as jnp
from fnx import lax
from fnx.core.primitive import registry
from fnx.experimental import checkify as module
from fnx.experimental.checkify import (
    Error,
    JaxRuntimeError,
    all_checks,
    check,
    check_error,
    checkify,
    debug_check,
    index_checks,
    init_error,
    nan_checks,
)
from tests.support.checkify_programs import programs

DATA = Path(__file__).parents[1] / "data" / "jax_checkify.json"
STORED = json.loads(DATA.read_text(encoding="utf-8"))
PROGRAMS = programs(fnx, jnp, module)


def test_all_programs_are_compared():
    assert sorted(PROGRAMS) == sorted(STORED)


@pytest.mark.parametrize("name", PROGRAMS)
def test_as_in_jax(name):
    message, shape, numbers = STORED[name]
    found, out = PROGRAMS[name]()
    assert found == message
    expected = np.array([float(n) for n in numbers]).reshape(shape)
    assert np.shape(out) == tuple(shape)
    np.testing.assert_allclose(np.asarray(out, np.float64), expected, rtol=2e-6)


# ----------------------------------------------------------------------------------- beyond JAX


def positive(x):
    check(x > 0, "{} must be positive", x)
    return jnp.sin(x)


def counted(x):
    def step(y):
        check(y < 4, "at {}", y)
        return y + 1

    return lax.while_loop(lambda y: y < 6, step, x)


def test_lanes_of_a_loop_find_what_they_find_alone():
    starts = jnp.array([0.0, 7.0, 5.0])
    error, out = fnx.vmap(checkify(counted))(starts)
    assert out.tolist() == [6.0, 7.0, 6.0]
    alone = [checkify(counted)(x)[0].get() for x in starts]
    assert alone == ["at 4.0 (`check` failed)", None, "at 5.0 (`check` failed)"]
    assert error.get() == f"at mapped index 0: {alone[0]}\nat mapped index 2: {alone[2]}"


def test_lanes_take_only_their_own_branch():
    def f(x):
        return lax.cond(x > 0, lambda y: y, positive, x)

    assert checkify(fnx.vmap(f))(jnp.array([1.0, 2.0]))[0].get() is None
    assert "-2.0" in checkify(fnx.vmap(f))(jnp.array([1.0, -2.0]))[0].get()


def test_more_than_one_mapped_axis():
    error, _ = fnx.vmap(fnx.vmap(checkify(positive)))(jnp.array([[1.0, -2.0], [3.0, 4.0]]))
    assert error.get() == "at mapped index 0, 1: -2.0 must be positive (`check` failed)"
    with pytest.raises(JaxRuntimeError, match=r"-2\.0 must be positive"):
        error.throw()
    none = fnx.vmap(checkify(positive))(jnp.zeros((0,)))[0]
    assert none.get() is None
    none.throw()


def test_a_check_of_a_scan_is_found_in_its_gradient():
    def f(x):
        def step(carry, y):
            check(y < 2, "step {}", y)
            return carry * x, None

        return lax.scan(step, x, jnp.arange(4))[0]

    error, slope = checkify(fnx.grad(f))(jnp.array(2.0))
    assert error.get() == "step 2 (`check` failed)"
    assert slope == 5 * 2.0**4


def test_a_rule_stays_where_only_the_rule_can_be_differentiated():
    @fnx.custom_vjp
    def f(x):
        check(x > 0, "not of {}", x)
        return fnx.pure_callback(lambda y: np.square(y), x, x)

    f.defvjp(lambda x: (x * x, x), lambda x, ct: (10.0 * x * ct,))

    def loss(x):
        error, out = checkify(f)(x)
        return out, error

    slope, error = fnx.grad(loss, has_aux=True)(jnp.array(-3.0))
    assert slope == -30.0
    assert error.get() == "not of -3.0 (`check` failed)"


@pytest.mark.parametrize("compiled", [False, True])
def test_effects_happen_once(compiled):
    seen = []

    @fnx.custom_jvp
    def f(x):
        fnx.debug.callback(lambda y: seen.append(float(y)), x)
        check(x > 5, "low")
        return x + 1

    f.defjvp(lambda primals, tangents: (f(*primals), tangents[0]))

    def g(x):
        def goes_on(y):
            fnx.debug.callback(lambda z: seen.append(-float(z)), y)
            return y < 3

        return f(lax.while_loop(goes_on, lambda y: y + 1, x))

    checked = checkify(g, errors=all_checks)
    error, out = (fnx.jit(checked) if compiled else checked)(1.0)
    assert (error.get(), float(out)) == ("low (`check` failed)", 4.0)
    assert sorted(seen) == [-3.0, -2.0, -1.0, 3.0]


def test_a_predicate_that_does_something_is_asked_once_and_not_followed():
    seen = []

    def goes_on(y):
        ask = fnx.experimental.io_callback
        less = ask(lambda z: seen.append(float(z)) or np.bool_(z < 3), jnp.array(True), y)
        return less & ~(jnp.log(2 - y) > 9)  # NaN in the end

    def f(x):
        return lax.while_loop(goes_on, lambda y: y + 1 / (y - 2), x)

    error, out = checkify(f, errors=all_checks)(jnp.array(2.5))
    assert (error.get(), float(out), seen) == (None, 4.5, [2.5, 4.5])
    error, _ = checkify(f, errors=all_checks)(jnp.array(2.0))
    assert error.get() == "division by zero"


def test_nan_of_factorizations_and_scatters():
    error, _ = checkify(jnp.linalg.cholesky, errors=nan_checks)(-jnp.eye(2))
    assert error.get() == "nan generated by primitive: cholesky."
    error, _ = checkify(lambda x: x.at[0].add(-jnp.inf), errors=nan_checks)(jnp.array([jnp.inf]))
    assert error.get() == "nan generated by primitive: scatter_add."


def test_operations_that_pass_values_on_exist():
    assert sorted(module._PASSING - set(registry)) == []


@pytest.mark.parametrize("dtype", ["uint8", "int64", "int16"])
def test_indices_of_any_type(dtype):
    x = jnp.arange(300.0)
    checked = checkify(lambda i: x[i], errors=index_checks)
    assert checked(jnp.array([3, 99], dtype))[0].get() is None
    assert checked(jnp.array([], dtype))[0].get() is None
    if dtype != "uint8":
        assert (
            "index 300 is out of bounds for axis 0" in checked(jnp.array([3, 300], dtype))[0].get()
        )


def test_rows_of_a_mapped_gather():
    x, places = jnp.arange(12.0).reshape(3, 4), jnp.array([[0, 1], [3, 4], [9, 0]])
    whole, _ = checkify(fnx.vmap(lambda row, i: row[i]), errors=index_checks)(x, places)
    assert whole.get() == (
        "out-of-bounds indexing for array of shape (3, 4): index 4 is out of bounds for axis 1 "
        "with size 4. "
    )
    lanes, _ = fnx.vmap(checkify(lambda row, i: row[i], errors=index_checks))(x, places)
    assert [line[:17] for line in lanes.get().split("\n")] == [
        "at mapped index 1",
        "at mapped index 2",
    ]


# ---------------------------------------------------------------------- what isn't functionalized


@pytest.mark.parametrize(
    "transform", [lambda f: f, fnx.jit, fnx.grad, lambda f: fnx.jit(fnx.grad(f))]
)
def test_a_check_raises_where_it_is(transform):
    f = transform(positive)
    assert np.isfinite(f(jnp.array(1.0)))
    with pytest.raises(ValueError, match=r"-1\.0 must be positive") as caught:
        f(jnp.array(-1.0))
    assert isinstance(caught.value, JaxRuntimeError)
    assert isinstance(caught.value, fnx.errors.JaxRuntimeError)
    assert caught.value.where.startswith("test_checkify.py:")
    assert caught.value.where.endswith("(positive)")


@pytest.mark.parametrize("transform", [lambda f: f, fnx.jit])
def test_a_check_raises_in_loops_and_lanes(transform):
    f = transform(counted)
    assert f(jnp.array(7.0)) == 7.0
    with pytest.raises(JaxRuntimeError, match=r"at 4\.0"):
        f(jnp.array(0.0))
    g = transform(fnx.vmap(positive))
    assert g(jnp.array([1.0, 2.0])).shape == (2,)
    with pytest.raises(JaxRuntimeError, match=r"-3\.0 must be positive"):
        g(jnp.array([1.0, -2.0, -3.0]))


def test_debug_checks_are_not_in_compiled_programs():
    seen = []

    def looked(x):
        return fnx.pure_callback(lambda y: seen.append(1) or y, x, x)

    def f(x):
        debug_check(looked(x) > 0, "{}", x)
        return x + 1

    x = jnp.array(-1.0)
    assert fnx.jit(f)(x) == 0.0
    assert seen == []
    assert f(x) == 0.0
    error, _ = fnx.jit(checkify(f))(x)
    assert error.get() == "-1.0 (`check` failed)"


# ------------------------------------------------------------------------------- errors as values


def test_an_error_is_a_tree():
    error, _ = fnx.jit(checkify(positive))(jnp.array(-1.0))
    leaves, tree = fnx.tree_util.tree_flatten(error)
    again = fnx.tree_util.tree_unflatten(tree, leaves)
    assert isinstance(again, Error)
    assert str(again) == "Error(-1.0 must be positive (`check` failed))"
    assert hash(tree) == hash(fnx.tree_util.tree_structure(again))
    with pytest.raises(JaxRuntimeError, match=r"-1\.0 must be positive"):
        fnx.jit(check_error)(again)
    assert init_error.get() is None
    check_error(init_error)


def test_an_error_is_known_outside_of_traces_only():
    def f(x):
        error, _ = checkify(positive)(x)
        return 0.0 if error.get() is None else 1.0

    with pytest.raises(fnx.errors.TracerArrayConversionError):
        fnx.jit(f)(1.0)


def test_arguments_need_not_be_arrays():
    def f(scale, x, *, name):
        check(x > 0, f"{name} {{}}", x)
        return {"out": scale * x}

    error, out = checkify(f)(2, jnp.array(-1.0), name="x")
    assert (error.get(), float(out["out"])) == ("x -1.0 (`check` failed)", -2.0)


def test_the_same_program_is_transformed_once():
    traces = []

    @fnx.jit
    def f(x):
        traces.append(1)
        return checkify(positive)(x)

    codes = [f(jnp.array(x))[0].structure for x in (1.0, -1.0)]
    assert codes[0] == codes[1]
    assert len(traces) == 1


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: check(1.0, "x"), "check takes a scalar pred as argument"),
        (lambda: check(jnp.array([True]), "x"), "check takes a scalar pred as argument"),
        (lambda: debug_check(jnp.array(1), "x"), "debug_check takes a scalar pred as argument"),
        (lambda: check(True, "{}", 1.0), "need to be PyTrees of arrays, but got 1.0 of type"),
        (lambda: check(True, "{x}", x={"a": [1]}), "need to be PyTrees of arrays, but got 1 of"),
        (lambda: check_error(1.0), "check_error takes an Error as argument"),
        (lambda: checkify(1.0), "expected a function, got float"),
        (lambda: checkify(positive, errors={"nan"}), "errors must hold error categories"),
    ],
)
def test_errors_of_use(call, words):
    with pytest.raises(TypeError, match=words):
        call()
