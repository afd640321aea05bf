"""Comparison and choice against what JAX gives at special numbers; ties, kinks and bounds."""

from __future__ import annotations

import numpy as np
import pytest

from fnx.core.array import as_array
from fnx.primitives import comparison
from fnx.transforms.grad import grad
from tests.support.elementwise_cases import operands
from tests.support.stored_elementwise import assert_agrees, line, stored

INTEGERS = ("int8", "int32", "int64", "uint8", "uint32", "uint64")


@pytest.mark.parametrize("name", ["eq", "ne", "lt", "le", "gt", "ge", "nextafter"])
def test_functions_of_two_floats(name):
    assert_agrees(getattr(comparison, name), f"{name} float64", *operands("float64"))


@pytest.mark.parametrize("name", ["max", "min"])
def test_extrema_of_floats(name):
    # of zeros of opposite sign NumPy gives either
    x, y = operands("float64")
    apart = ~((x == 0) & (y == 0))
    got = getattr(comparison, name)(as_array(x), as_array(y))._data
    np.testing.assert_array_equal(got[apart], stored(f"{name} float64")[apart])


@pytest.mark.parametrize("kind", INTEGERS)
@pytest.mark.parametrize("name", ["eq", "ge", "max", "min"])
def test_functions_of_two_integers(name, kind):
    assert_agrees(getattr(comparison, name), f"{name} {kind}", *operands(kind))


@pytest.mark.parametrize("name", ["abs", "sign", "is_finite"])
def test_functions_of_one_float(name):
    assert_agrees(getattr(comparison, name), f"{name} float64", line())


@pytest.mark.parametrize("kind", INTEGERS)
def test_functions_of_one_integer(kind):
    assert_agrees(comparison.sign, f"sign {kind}", operands(kind)[0])
    if kind[0] == "i":
        assert_agrees(comparison.abs, f"abs {kind}", operands(kind)[0])


def test_modulus_and_sign_of_complex_numbers():
    z = np.array([3 + 4j, 0j, -2 + 0j, 1e200 + 1e200j])
    np.testing.assert_allclose(comparison.abs(as_array(z))._data, np.hypot(z.real, z.imag))
    unit = comparison.sign(as_array(z))._data
    np.testing.assert_allclose(unit[:3], [0.6 + 0.8j, 0, -1])
    assert comparison.abs(as_array(z[:3].astype(np.complex64))).dtype == np.float32


def test_complex_extrema_are_lexicographic():
    x, y = np.array([1 + 2j, 1 + 5j, 2 + 0j]), np.array([1 + 3j, 0 + 9j, 2 + 0j])
    np.testing.assert_array_equal(
        comparison.max(as_array(x), as_array(y))._data, [1 + 3j, 1 + 5j, 2]
    )
    np.testing.assert_array_equal(comparison.min(as_array(x), as_array(y))._data, [1 + 2j, 9j, 2])


@pytest.mark.parametrize("name", ["max", "min"])
def test_ties_share_the_derivative(name):
    pairs = [(1.0, 1.0), (1.0, 2.0), (2.0, 1.0), (np.nan, 1.0), (0.0, -0.0)]
    slope = grad(getattr(comparison, name), argnums=(0, 1))
    got = [[float(s._data) for s in slope(np.float64(x), np.float64(y))] for x, y in pairs]
    np.testing.assert_array_equal(got, stored(f"grad {name}"))


def test_derivative_of_abs_at_zero_is_one():
    got = [float(grad(comparison.abs)(np.float64(x))._data) for x in (0.0, -0.0, 1.0, -3.0)]
    assert got == [1.0, 1.0, 1.0, -1.0]


def test_clamp():
    low, high = as_array(np.array(1.0)), as_array(np.array(2.0))
    x = as_array(np.array([0.0, np.nan, 1.5, 3.0]))
    np.testing.assert_array_equal(comparison.clamp(low, x, high)._data, stored("clamp"))
    x = as_array(np.array([0.0, 2.5, 5.0]))
    three = as_array(np.array(3.0))
    np.testing.assert_array_equal(comparison.clamp(three, x, high)._data, stored("clamp reversed"))


@pytest.mark.parametrize(
    ("point", "slopes"),
    [
        ((1.0, 0.0, 2.0), [1, 0, 0]),
        ((1.0, 1.0, 2.0), [0, 0, 0]),
        ((1.0, 1.5, 2.0), [0, 1, 0]),
        ((1.0, 3.0, 2.0), [0, 0, 1]),
    ],
)
def test_derivative_of_clamp(point, slopes):
    got = grad(comparison.clamp, argnums=(0, 1, 2))(*map(np.float64, point))
    assert [float(g._data) for g in got] == slopes


def test_select_n_takes_the_nearest_case_for_an_index_outside():
    which = as_array(np.array([-1, 0, 1, 2, 3, 9], np.int32))
    cases = [as_array(np.full(6, float(k))) for k in range(3)]
    np.testing.assert_array_equal(comparison.select_n(which, *cases)._data, stored("select_n"))


def test_select_takes_the_first_where_the_predicate_holds():
    x, y = as_array(np.array([1, 2, 3])), as_array(np.array([4, 5, 6]))
    pred = as_array(np.array([True, False, True]))
    np.testing.assert_array_equal(comparison.select(pred, x, y)._data, [1, 5, 3])
    scalar = as_array(np.array(False))
    np.testing.assert_array_equal(comparison.select(scalar, x, y)._data, [4, 5, 6])


def test_errors_of_select_n():
    x = as_array(np.zeros((2, 3)))
    with pytest.raises(TypeError, match="index must be bool or int32, got f64"):
        comparison.select_n(x, x, x)
    with pytest.raises(TypeError, match="a bool chooses between two cases, got 3"):
        comparison.select_n(as_array(np.array(True)), x, x, x)
    with pytest.raises(TypeError, match=r"scalar or have the shape of the cases, got bool\[3\]"):
        comparison.select_n(as_array(np.ones(3, bool)), x, x)
    with pytest.raises(TypeError, match="shapes must be equal"):
        comparison.select_n(as_array(np.array(True)), x, as_array(np.zeros(3)))


def test_complex_numbers_are_not_ordered():
    z = as_array(np.array([1j]))
    with pytest.raises(TypeError, match=r"lt: operand 0 is c128\[1\]"):
        comparison.lt(z, z)
