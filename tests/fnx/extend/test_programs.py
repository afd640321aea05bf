"""Programs on ndarrays: the values of the Jaxpr, results of one's own, compiled when heavy."""

from __future__ import annotations

import numpy as np
import pytest

import fnx
import fnx.nn
import fnx.numpy as jnp
from fnx import lax
from fnx.extend import Operation, adopt, borrow, buffer_of, evaluate, own, pullback
from fnx.extend.programs import HEAVY, Program


def _several(x, y):
    return jnp.sin(x) * y, jnp.sum(x, 0), x, lax.cond(True, lambda: x[0], lambda: y[0])


def test_results_are_those_of_the_function(rng):
    x, y = rng.standard_normal((3, 4)), rng.standard_normal((3, 4))
    got = Operation(_several).evaluate([x, y])
    want = _several(jnp.asarray(x), jnp.asarray(y))
    for a, b in zip(got, want, strict=True):
        np.testing.assert_array_equal(a, np.asarray(b))


def test_results_share_memory_with_nothing():
    x = np.arange(6.0).reshape(2, 3)
    results = Operation(lambda x: (x, x.T, x[0], jnp.reshape(x, (6,)), x)).evaluate([x])
    for k, result in enumerate(results):
        assert result.flags.writeable and result.flags.c_contiguous
        assert not any(np.shares_memory(result, other) for other in [x, *results[:k]])


def test_a_scalar_result_is_an_array_of_no_axes():
    (total,) = Operation(jnp.sum).evaluate([np.ones(3)])
    assert type(total) is np.ndarray and total.shape == ()


def test_noncontiguous_operands(rng):
    x = rng.standard_normal((4, 6))
    for view in (x.T, x[::2, ::-1], np.broadcast_to(x[0], (3, 6)), x.T[1:3]):
        (got,) = Operation(lambda v: jnp.exp(v) + 1).evaluate([view])
        np.testing.assert_array_equal(got, np.exp(view) + 1)


def test_one_program_serves_all_shapes_of_small_operands():
    add = Operation(jnp.add, elementwise=True)
    one = add.program([np.ones(3), np.ones(3)], {})
    assert one is add.program([np.ones((2, 4)), np.ones(4)], {})
    assert one.ufunc is np.add
    assert add.evaluate([np.ones((2, 1)), np.ones(3)])[0].shape == (2, 3)


def test_an_elementwise_result_has_the_joint_shape_even_if_an_operand_plays_no_part():
    first = Operation(lambda x, y: x + 0 * x, elementwise=True)
    assert first.evaluate([np.ones(3), np.ones((2, 3))])[0].shape == (2, 3)
    always = Operation(lambda x: jnp.isfinite(x), elementwise=True)
    assert always.evaluate([np.arange(4)])[0].tolist() == [True] * 4


def test_shapes_that_do_not_fit_raise():
    with pytest.raises(ValueError, match="broadcast"):
        Operation(jnp.add, elementwise=True).evaluate([np.ones(3), np.ones(4)])


def test_infinities_do_not_warn():
    (got,) = Operation(lambda x: 1 / x, elementwise=True).evaluate([np.array([0.0, -0.0])])
    assert got.tolist() == [np.inf, -np.inf]


def test_infinities_do_not_warn_beside_a_loop_either():
    def total(x):
        return lax.scan(lambda c, row: (c + row @ row, None), jnp.sum(x @ x.T - x @ x.T), x)[0]

    (found,) = Operation(total).evaluate([np.full((2, 2), np.inf)])
    assert np.isnan(found)


def test_constants_are_captured_and_tracers_refused():
    table = jnp.asarray(np.arange(3.0))
    assert Operation(lambda x: x + table).evaluate([np.ones(3)])[0].tolist() == [1, 2, 3]

    def leaks(t):
        return Operation(lambda x: x + t, "leaky").evaluate([np.ones(3)])[0].sum()

    with pytest.raises(TypeError, match=r"leaky: an operation captured the traced array f64\[3\]"):
        fnx.jit(leaks)(np.ones(3))


def test_what_has_no_dtype_is_64_bits_wide():
    assert Operation(jnp.argmax).evaluate([np.ones(3)])[0].dtype == np.int64
    with fnx.enable_x64(False):
        assert Operation(lambda x: x * 2).evaluate([np.ones(3)])[0].dtype == np.float64


def _gelu(x, b):
    return fnx.nn.gelu(x + b)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_heavy_program_is_compiled_and_agrees(dtype, rng):
    operation = Operation(_gelu, "gelu", elementwise=True)
    x = rng.standard_normal((HEAVY // 128, 128)).astype(dtype)
    b = rng.standard_normal(128).astype(dtype)
    heavy = operation.program([x, b], {})
    light = Operation(_gelu, elementwise=True).program([x[:8], b], {})
    assert heavy.heavy and not light.heavy
    (got,), (want,) = heavy([x, b]), light([x, b])
    np.testing.assert_allclose(got, want, rtol=0, atol=8 * np.finfo(dtype).eps)
    assert got.flags.writeable and not np.shares_memory(got, heavy([x, b])[0])


def test_whether_a_program_is_heavy_depends_on_the_types_alone():
    shape = (HEAVY,)
    aval = fnx.make_jaxpr(jnp.exp)(np.zeros(shape, np.float32)).jaxpr
    assert Program(aval).heavy
    moved = fnx.make_jaxpr(lambda x: x.reshape(2, -1).T)(np.zeros(shape, np.float32)).jaxpr
    assert not Program(moved).heavy  # nothing is computed
    sorted_ = fnx.make_jaxpr(jnp.sort)(np.zeros(shape, np.float32)).jaxpr
    assert not Program(sorted_).heavy  # the compiler does not fuse it


def test_a_compiled_loop_gives_what_its_steps_give(rng):
    def cumulated(x, w):
        def step(total, row):
            total = jnp.tanh(total @ w + row)
            return total, total

        return lax.scan(step, x[0], x)

    x, w = rng.standard_normal((4, 2, 3)), rng.standard_normal((3, 3))
    compiled = Operation(cumulated, compiled=True)
    assert compiled.program([x, w], {}).heavy and not Operation(cumulated).program([x, w], {}).heavy
    for got, want in zip(
        compiled.evaluate([x, w]), Operation(cumulated).evaluate([x, w]), strict=True
    ):
        np.testing.assert_allclose(got, want, rtol=1e-14)
        assert got.flags.writeable and not np.shares_memory(got, x)
    back = pullback(compiled, [x, w], {}, (True, True))
    assert back.program.heavy and back.recorded.compiled


def test_writing_into_a_buffer(rng):
    add = Operation(jnp.add, elementwise=True)
    for size in (3, HEAVY):
        x, y = rng.standard_normal(size), rng.standard_normal(size)
        want = x + y
        add.evaluate_into(x, [x, y], {})
        np.testing.assert_array_equal(x, want)
    whole = np.zeros(2, np.int64)
    add.evaluate_into(whole, [np.array([1.9, -1.9]), np.zeros(2)], {})
    assert whole.tolist() == [1, -1]


def test_buffers():
    data = np.zeros(2)
    borrowed = borrow(data)
    assert data.flags.writeable and not buffer_of(borrowed).flags.writeable
    assert np.shares_memory(buffer_of(borrowed), data)
    adopt(data)
    assert not data.flags.writeable
    assert own(np.float64(2.0), []).shape == ()
    assert own(data, []) is not data  # read-only: somebody else's


def test_evaluate_takes_functions_and_operations():
    assert evaluate(jnp.sin, np.zeros(2)).tolist() == [0, 0]
    assert [r.tolist() for r in evaluate(lambda x, k: (x, x * k), np.ones(1), k=3)] == [[1], [3]]
