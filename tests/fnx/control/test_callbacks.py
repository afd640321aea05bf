"""Python functions called from programs: how often, in which order, under every transform.

Counts and orders are those of real JAX, where it has the program.
"""

from __future__ import annotations

import numpy as np
import pytest

import fnx
import fnx.numpy as jnp
from fnx import lax
from fnx.errors import MissingRuleError
from fnx.experimental import io_callback
from fnx.experimental.jet import jet

NUMBER = fnx.ShapeDtypeStruct((), jnp.float32)
both = pytest.mark.parametrize("wrap", [lambda f: f, fnx.jit], ids=["eager", "jit"])


class Seen(list):
    """What a callback was called with."""

    def see(self, x):
        self.append(float(x))

    def look(self, x, **options):
        """Remember x, and give a function of it."""
        fnx.debug.callback(self.see, x, **options)
        return jnp.sin(x) * x


# ----------------------------------------------------------------------------------- debug.callback


@both
@pytest.mark.parametrize("ordered", [False, True])
def test_looking_happens_once(wrap, ordered):
    seen = Seen()
    assert float(wrap(lambda x: seen.look(x, ordered=ordered))(1.0)) == pytest.approx(np.sin(1.0))
    assert seen == [1.0]


@both
@pytest.mark.parametrize(
    "transform", [fnx.grad, fnx.jacfwd, fnx.hessian, lambda f: lambda x: jet(f, (x,), ([1.0],))]
)
def test_a_derivative_looks_once(wrap, transform):
    seen = Seen()
    wrap(transform(seen.look))(2.0)
    assert seen == [2.0]


@both
def test_derivatives_are_those_without_looking(wrap):
    seen = Seen()
    assert float(wrap(fnx.grad(seen.look))(1.0)) == pytest.approx(np.sin(1) + np.cos(1), rel=1e-6)


@both
@pytest.mark.parametrize("ordered", [False, True])
def test_vmap_looks_at_lane_after_lane(wrap, ordered):
    seen = Seen()
    wrap(fnx.vmap(lambda x: seen.look(x, ordered=ordered)))(jnp.arange(3.0))
    assert seen == [0.0, 1.0, 2.0]


@both
def test_vmap_of_what_is_not_mapped_looks_once(wrap):
    seen = Seen()
    wrap(fnx.vmap(lambda x, y: x + seen.look(y), in_axes=(0, None)))(jnp.arange(3.0), 5.0)
    assert seen == [5.0]


@both
def test_a_scan_looks_at_each_step_in_order(wrap):
    seen = Seen()

    def f(y):
        return lax.scan(lambda c, x: (c + seen.look(x * y), None), 0.0, jnp.arange(3.0))[0]

    wrap(fnx.grad(f))(2.0)
    assert seen == [0.0, 2.0, 4.0]


@both
def test_a_while_loop_looks_at_each_step(wrap):
    seen = Seen()

    def body(x):
        fnx.debug.callback(seen.see, x)
        return x + 1

    assert float(wrap(lambda x: lax.while_loop(lambda x: x < 3, body, x))(0.0)) == 3.0
    assert seen == [0.0, 1.0, 2.0]


def test_the_derivative_of_a_while_loop_looks_once():
    seen = Seen()

    def body(x):
        fnx.debug.callback(seen.see, x)
        return x * x

    grad = fnx.grad(lambda x: lax.while_loop(lambda x: x < 20, body, x))(3.0)
    assert float(grad) == 108.0  # of x**4
    assert seen == [3.0, 9.0]


@both
def test_the_branch_that_is_taken_looks(wrap):
    seen = Seen()
    f = wrap(lambda x: lax.cond(x > 0, seen.look, lambda x: x, x))
    f(1.0)
    f(-1.0)
    assert seen == [1.0]


@both
def test_vmap_of_a_branch_looks_where_it_is_taken(wrap):
    seen = Seen()
    wrap(fnx.vmap(lambda x: lax.cond(x > 0, seen.look, lambda x: x, x)))(jnp.arange(3.0))
    assert seen == [1.0, 2.0]


@both
def test_looking_is_no_dead_code(wrap):
    seen = Seen()
    steps = jnp.arange(2.0)

    def f(x):
        lax.scan(lambda c, y: (c, seen.look(y)), 0.0, steps)
        lax.cond(x > 0, seen.look, lambda x: x, x)
        custom(x)
        fnx.jit(seen.look)(x)
        return 1.0

    @fnx.custom_jvp
    def custom(x):
        return seen.look(x)

    custom.defjvp(lambda primals, tangents: (primals[0], tangents[0]))
    wrap(f)(7.0)
    assert seen == [0.0, 1.0, 7.0, 7.0, 7.0]


@both
def test_a_checkpointed_function_looks_again_when_it_is_computed_again(wrap):
    seen = Seen()
    wrap(fnx.grad(fnx.checkpoint(lambda x: seen.look(x + 0))))(2.0)
    assert seen == [2.0, 2.0]


def test_different_callbacks_keep_their_order():
    events = []

    @fnx.jit
    def f(x):
        fnx.debug.callback(lambda: events.append("first"))
        y = io_callback(lambda x: events.append("second") or x, NUMBER, x)
        fnx.debug.callback(lambda x: events.append("third"), x)
        return y * 2

    for _ in range(2):
        events.clear()
        assert float(f(jnp.float32(3.0))) == 6.0
        assert events == ["first", "second", "third"]


def test_what_is_kept_from_a_compiled_run_stays_as_it_was():
    kept = []

    @fnx.jit
    def f(x):
        y = jnp.sort(x) * 2
        fnx.debug.callback(kept.append, y)
        return jnp.sum(jnp.cumsum(y) * y)

    f(jnp.array([3.0, 1.0, 2.0]))
    f(jnp.zeros(3))
    np.testing.assert_array_equal(kept[0], [2.0, 4.0, 6.0])


def test_leaves_that_are_no_arrays_pass_as_they_are():
    seen = []
    fnx.jit(
        lambda x: fnx.debug.callback(
            lambda name, tree, key=None: seen.append((name, float(tree["a"]), key)),
            "loss",
            {"a": x},
            key="step",
        )
    )(2.0)
    assert seen == [("loss", 2.0, "step")]


def test_a_callback_may_compute_with_fnx():
    found = []
    fnx.jit(lambda x: fnx.debug.callback(lambda y: found.append(fnx.grad(jnp.sin)(y)), x))(0.0)
    assert float(found[0]) == 1.0


def test_options_may_be_bound_first():
    seen = Seen()
    fnx.debug.callback(ordered=True)(seen.see, 4.0)
    assert seen == [4.0]
    with pytest.raises(TypeError, match="arguments without a function"):
        fnx.debug.callback(x=3.0)
    with pytest.raises(TypeError, match=r"debug\.callback: expected a function, got float"):
        fnx.debug.callback(3.0)


@both
def test_what_a_callback_raises_comes_out_with_a_note(wrap):
    def broken(x):
        raise LookupError("no such thing")

    with pytest.raises(LookupError, match="no such thing") as caught:
        wrap(lambda x: fnx.debug.callback(broken, x))(1.0)
    (note,) = caught.value.__notes__
    assert "broken" in note
    assert "debug.callback" in note
    assert "test_callbacks.py" in note


def test_explain_names_the_step_in_python():
    f = fnx.jit(lambda x: fnx.pure_callback(lambda x: x, NUMBER, x) + 1)
    f(jnp.float32(1.0))
    assert "a Python function of the user's computes" in str(f.explain())


# -------------------------------------------------------------------------------------- io_callback


@both
def test_doing_happens_also_if_nobody_reads_the_result(wrap):
    seen = Seen()

    def f(x):
        io_callback(seen.see, None, x)
        return x * 2

    assert float(wrap(f)(1.0)) == 2.0
    assert seen == [1.0]


@both
def test_equal_calls_are_not_merged(wrap):
    numbers = iter(range(10))

    def draw():
        return np.int32(next(numbers))

    number = fnx.ShapeDtypeStruct((), jnp.int32)
    first, second = wrap(lambda: (io_callback(draw, number), io_callback(draw, number)))()
    assert (int(first), int(second)) == (0, 1)


@both
def test_vmap_of_doing_is_a_loop(wrap):
    seen = Seen()
    f = wrap(fnx.vmap(lambda x: io_callback(lambda x: seen.see(x) or x * 2, NUMBER, x)))
    np.testing.assert_array_equal(f(jnp.arange(3.0)), [0.0, 2.0, 4.0])
    assert seen == [0.0, 1.0, 2.0]


def test_doing_in_order_has_no_vmap():
    with pytest.raises(ValueError, match=r"io_callback: an ordered callback has no vmap.*lax.scan"):
        fnx.vmap(lambda x: io_callback(lambda x: x, NUMBER, x, ordered=True))(jnp.ones(2))


def test_doing_is_not_computed_again():
    def f(x):
        io_callback(lambda x: None, None, lax.stop_gradient(x))
        return jnp.sin(x)

    with pytest.raises(NotImplementedError, match=r"checkpoint of .*effects \(IO\).*twice"):
        fnx.grad(fnx.checkpoint(f))(1.0)


def test_doing_has_no_derivative():
    with pytest.raises(MissingRuleError, match=r"jvp of `io_callback` is not defined.*custom_jvp"):
        fnx.grad(lambda x: io_callback(lambda x: x, NUMBER, x))(1.0)


# ------------------------------------------------------------------------------------ pure_callback


@both
def test_computing_with_numpy(wrap):
    def f(tree):
        types = {"sum": fnx.ShapeDtypeStruct((3,), jnp.float32), "sorted": tree["x"]}
        return fnx.pure_callback(
            lambda t, shift: {"sum": np.add(t["x"], t["y"]), "sorted": np.sort(t["x"]) + shift},
            types,
            tree,
            shift=np.float32(1),
        )

    out = wrap(f)({"x": jnp.array([3.0, 1.0, 2.0]), "y": jnp.ones(3)})
    np.testing.assert_array_equal(out["sum"], [4.0, 2.0, 3.0])
    np.testing.assert_array_equal(out["sorted"], [2.0, 3.0, 4.0])


def test_computing_is_merged_and_dropped():
    calls = Seen()

    def double(x):
        calls.see(x)
        return x * 2

    @fnx.jit
    def f(x):
        fnx.pure_callback(double, NUMBER, x + 1)
        return fnx.pure_callback(double, NUMBER, x) + fnx.pure_callback(double, NUMBER, x)

    assert float(f(jnp.float32(3.0))) == 12.0
    assert calls == [3.0]


@both
@pytest.mark.parametrize(
    ("method", "shapes"),
    [
        ("sequential", [((), ())] * 3),
        ("sequential_unrolled", [((), ())] * 3),
        ("expand_dims", [((3,), (1,))]),
        ("broadcast_all", [((3,), (3,))]),
        ("legacy_vectorized", [((3,), ())]),
    ],
)
def test_ways_to_map_computing(wrap, method, shapes):
    seen = []

    def add(x, y):
        seen.append((x.shape, y.shape))
        return np.add(x, y)

    mapped = fnx.vmap(
        lambda x, y: fnx.pure_callback(add, NUMBER, x, y, vmap_method=method), in_axes=(0, None)
    )
    out = wrap(mapped)(jnp.arange(3.0), jnp.float32(1.0))
    np.testing.assert_array_equal(out, [1.0, 2.0, 3.0])
    assert seen == shapes


def test_how_to_map_computing_must_be_said():
    with pytest.raises(NotImplementedError, match=r"pure_callback.*vmap_method='sequential'"):
        fnx.vmap(lambda x: fnx.pure_callback(np.sin, NUMBER, x))(jnp.ones(2))
    with pytest.raises(ValueError, match=r"vmap_method must be one of .*'loop'"):
        fnx.pure_callback(np.sin, NUMBER, 1.0, vmap_method="loop")


@both
def test_computing_with_a_derivative_of_its_own(wrap):
    @fnx.custom_jvp
    def sine(x):
        return fnx.pure_callback(np.sin, NUMBER, x)

    sine.defjvps(lambda t, out, x: t * jnp.cos(x))
    assert float(wrap(fnx.grad(sine))(0.5)) == pytest.approx(np.cos(0.5), rel=1e-6)


@pytest.mark.parametrize(
    "transform", [fnx.grad, fnx.jacfwd, lambda f: lambda x: jet(f, (x,), ([1.0],))]
)
def test_computing_has_no_derivative(transform):
    with pytest.raises(MissingRuleError, match=r"`pure_callback` is not defined.*custom_jvp"):
        transform(lambda x: fnx.pure_callback(np.sin, NUMBER, x))(1.0)


def test_a_derivative_with_respect_to_something_else():
    def f(x, y):
        return x * fnx.pure_callback(np.sin, NUMBER, y)

    assert float(fnx.grad(f)(2.0, 1.0)) == pytest.approx(np.sin(1.0), rel=1e-6)


@both
@pytest.mark.parametrize(
    ("given", "message"),
    [
        (np.zeros(3, np.float32), r"result 0 of .* is f32\[3\], result_shape_dtypes says f32\[\]"),
        (3, r"result 0 of .* is i32\[\], result_shape_dtypes says f32\[\]"),
        (
            (1.0, 2.0),
            r"structure PyTreeDef\(\(\*, \*\)\), result_shape_dtypes says PyTreeDef\(\*\)",
        ),
        (None, r"structure PyTreeDef\(None\)"),
    ],
)
def test_a_result_of_another_type_than_declared(wrap, given, message):
    with pytest.raises(TypeError, match=message):
        wrap(lambda x: fnx.pure_callback(lambda x: given, NUMBER, x))(1.0)


def test_numpy_results_of_64_bits_where_32_are_declared():
    out = fnx.pure_callback(lambda x: np.float64(0.1), NUMBER, 1.0)
    assert out.dtype == jnp.float32
    assert not out.weak_type


def test_declared_types_must_be_types():
    with pytest.raises(TypeError, match=r"result_shape_dtypes.*got int.*ShapeDtypeStruct"):
        fnx.pure_callback(np.sin, 3, 1.0)
