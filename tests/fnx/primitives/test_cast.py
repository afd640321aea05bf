"""Conversions against what JAX gives at the limits of each dtype; bits; identities."""

from __future__ import annotations

import ml_dtypes
import numpy as np
import pytest

from fnx.core.array import as_array
from fnx.core.jaxpr import eval_jaxpr
from fnx.core.simplify import simplify
from fnx.core.staging import stage
from fnx.core.types import ShapedArray
from fnx.primitives.arithmetic import mul
from fnx.primitives.cast import (
    bitcast_convert_type,
    convert_element_type,
    convert_element_type_p,
    optimization_barrier,
    stop_gradient,
)
from fnx.primitives.exponential import exp
from fnx.transforms.grad import grad
from fnx.transforms.jet import jet_flat
from fnx.transforms.vmap import vmap
from tests.support.elementwise_cases import CONVERSIONS
from tests.support.stored_elementwise import assert_agrees, line

EXTREME = np.array([*line(), 1e20, -1e20, 255.7, 300.0, 2.5e9, 127.9, 128.0, -129.0, 65520.0, 3.3])
WIDE = np.array([0, 1, -1, 300, 70000, 2**40, -(2**40), 2**24 + 1])


@pytest.mark.parametrize("name", CONVERSIONS)
@pytest.mark.parametrize("values", [EXTREME, WIDE], ids=["float64", "int64"])
def test_conversion(name, values):
    key = f"convert {values.dtype.name} {name}"
    dtype = np.dtype(getattr(ml_dtypes, name, name))
    assert_agrees(lambda x: convert_element_type(x, dtype), key, values)


def test_float64_to_bfloat16_rounds_once():
    # just above the middle of two neighbours: by way of float32 it would fall on the middle
    x = as_array(np.array([1 + 2.0**-8 + 2.0**-40, 1 + 2.0**-8, 1e300, -np.nan]))
    got = convert_element_type(x, ml_dtypes.bfloat16)._data.astype(np.float64)
    np.testing.assert_array_equal(got, [1 + 2.0**-7, 1, np.inf, np.nan])


def test_complex_to_real_says_what_it_drops():
    z = as_array(np.array([1 + 2j, 0 + 1j]))
    with pytest.warns(np.exceptions.ComplexWarning, match="discards the imaginary part"):
        real = convert_element_type(z, np.float32)
    np.testing.assert_array_equal(real._data, np.array([1, 0], np.float32))
    truth = convert_element_type_p(z, new_dtype=np.dtype(bool), weak_type=False)
    np.testing.assert_array_equal(truth._data, [True, False])


def test_nothing_flows_through_integers():
    def f(x):
        return convert_element_type(convert_element_type(mul(x, x), np.int32), np.float64)

    assert float(grad(f)(np.float64(1.7))._data) == 0.0


def test_folds_keep_every_value():
    there = np.dtype(np.float64)

    def widened(x):
        return convert_element_type(convert_element_type(x, there), x.dtype)

    for dtype, left in ((np.float32, 0), (np.int32, 2)):  # int32 -> float64 -> int32 stays
        jaxpr, _ = stage(lambda x: [widened(x)], [ShapedArray((3,), np.dtype(dtype))])
        assert len(simplify(jaxpr).eqns) == left


def test_bits():
    x = np.array([1.5, -0.0, np.inf], np.float32)
    words = bitcast_convert_type(as_array(x), np.uint32)._data
    np.testing.assert_array_equal(words, x.view(np.uint32))
    parts = bitcast_convert_type(as_array(x), np.uint8)._data
    np.testing.assert_array_equal(parts, x.view(np.uint8).reshape(3, 4))
    joined = bitcast_convert_type(as_array(parts), np.float32)._data
    np.testing.assert_array_equal(joined, x)
    with pytest.raises(TypeError, match="joins 4 elements into one, so the last axis must have"):
        bitcast_convert_type(as_array(np.zeros(3, np.uint8)), np.float32)
    with pytest.raises(TypeError, match="bitcast_convert_type: operand 0 is bool"):
        bitcast_convert_type(as_array(np.zeros(3, bool)), np.uint8)


def test_stop_gradient_is_a_constant_to_every_transform():
    def f(x):
        return mul(x, stop_gradient(exp(x)))

    x = np.float64(0.7)
    assert float(grad(f)(x)._data) == pytest.approx(np.exp(0.7), rel=1e-15)
    assert float(grad(grad(f))(x)._data) == 0.0
    mapped = vmap(grad(f))(np.array([0.0, 1.0]))
    np.testing.assert_allclose(mapped._data, np.exp([0.0, 1.0]), rtol=1e-15)
    one = as_array(np.array(1.0))
    _, ((first, second),) = jet_flat(
        lambda t: [f(t)], [as_array(np.array(0.7))], [[one, as_array(np.array(0.0))]], 2
    )
    assert float(first._data) == pytest.approx(np.exp(0.7), rel=1e-15)
    assert float(getattr(second, "_data", 0.0)) == 0.0


def test_a_barrier_is_not_looked_behind():
    def f(x):
        y = optimization_barrier(x)
        return [mul(exp(x), exp(y))]

    jaxpr, _ = stage(f, [ShapedArray((), np.dtype(np.float64))])
    simple = simplify(jaxpr)
    assert [e.primitive.name for e in simple.eqns].count("exp") == 2
    (out,) = eval_jaxpr(simple, as_array(np.array(0.5)))
    assert float(out._data) == pytest.approx(np.e)
