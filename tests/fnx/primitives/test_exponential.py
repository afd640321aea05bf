"""Exponentials and logarithms against JAX at special numbers, and against mpmath."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest

from fnx.core.array import as_array
from fnx.primitives import exponential
from fnx.primitives.exponential import pow
from fnx.primitives.recurrences import composed
from fnx.transforms.grad import grad
from tests.support.elementwise_cases import operands
from tests.support.stored_elementwise import assert_agrees, line, stored
from tests.support.taylor_references import assert_jet, assert_values

NAMES = ("exp", "exp2", "expm1", "log", "log1p", "logistic")
REFERENCES = {
    "exp": mpmath.exp,
    "exp2": lambda x: mpmath.power(2, x),
    "expm1": lambda x: mpmath.exp(x) - 1,
    "log": mpmath.log,
    "log1p": lambda x: mpmath.log(1 + x),
    "logistic": lambda x: 1 / (1 + mpmath.exp(-x)),
}


@pytest.mark.parametrize("name", NAMES)
def test_special_numbers(name):
    assert_agrees(getattr(exponential, name), f"{name} float64", line(), rtol=1e-14)


def test_special_powers():
    assert_agrees(pow, "pow float64", *operands("float64"), rtol=1e-13)


@pytest.mark.parametrize("name", NAMES)
def test_values(name):
    function = getattr(exponential, name)
    assert_values(function, REFERENCES[name], [(0.3,), (1.7,), (1e-9,), (12.5,)], 1e-15)
    assert_values(function, REFERENCES[name], [(0.3 + 0.4j,), (1.7 - 2j,), (-0.6 + 1j,)], 4e-15)


@pytest.mark.parametrize("name", NAMES)
def test_jets(name):
    function = getattr(exponential, name)
    assert_jet(function, REFERENCES[name], [0.8, 0.5, -0.3, 0.2])
    assert_jet(function, REFERENCES[name], [0.8 + 0.3j, 0.5 - 0.2j, -0.3 + 0.1j])
    assert_jet(function, REFERENCES[name], [0.8, 0.0, 0.4])  # a missing coefficient


def test_jets_of_powers():
    assert_jet(pow, mpmath.power, [0.8, 0.5, -0.3], [1.7])
    assert_jet(pow, mpmath.power, [0.8, 0.5, -0.3], [-2.0])
    assert_jet(pow, mpmath.power, [0.8, 0.5, -0.3], [1.2, 0.3, 0.1])
    assert_jet(pow, mpmath.power, [0.8 + 0.1j, 0.5 + 0j, -0.3j], [1.2 + 0j, 0.3j])


def test_jet_of_a_constant_power_at_zero():
    assert_jet(lambda x: pow(x, as_array(np.array(3.0))), lambda x: x**3, [0.0, 0.5, -0.3])


def test_powers_with_integer_exponents():
    x = as_array(np.array([2.0, -2.0, 0.0]))
    got = pow(x, as_array(np.array([3, -3, 0], np.int32)))
    np.testing.assert_array_equal(got._data, [8, -0.125, 1])
    slope = grad(lambda v: pow(v, as_array(np.array(3, np.int8))))(np.float64(-2.0))
    assert float(slope._data) == 12.0


@pytest.mark.parametrize(
    ("x", "y", "slopes"),
    [
        (0.0, 1.0, (1.0, 0.0)),
        (0.0, 2.0, (0.0, 0.0)),
        (2.0, 0.0, (0.0, np.log(2.0))),
        (0.0, 0.5, (np.inf, 0.0)),
        (-2.0, 2.0, (-4.0, np.nan)),
        (0.0, 0.0, (0.0, 0.0)),  # JAX gives NaN for the first: 0 * 0**-1
    ],
)
def test_derivatives_of_powers_at_the_edge(x, y, slopes):
    got = grad(pow, argnums=(0, 1))(np.float64(x), np.float64(y))
    np.testing.assert_allclose([float(g._data) for g in got], slopes, rtol=1e-15)


def test_errors_of_pow():
    x = as_array(np.ones(3))
    with pytest.raises(TypeError, match="pow: operand 0 is i32"):
        pow(as_array(np.ones(3, np.int32)), x)
    with pytest.raises(TypeError, match=r"got f64\[3\] \*\* f32\[3\]"):
        pow(x, as_array(np.ones(3, np.float32)))


@pytest.mark.parametrize("name", ["exp", "log", "logistic"])
def test_slopes_at_the_edge(name):
    points = (0.0, -0.0, 1.0, 700.0)
    got = [float(grad(getattr(exponential, name))(np.float64(p))._data) for p in points]
    np.testing.assert_allclose(got, stored(f"grad {name}"), rtol=1e-14)


def test_composition_of_series():
    # (1 + d)^2 along d = 2t + 3t^2: 1 + 2d + d^2
    derivatives = [as_array(np.array(v)) for v in (1.0, 2.0, 1.0)]
    curve = [as_array(np.array(v)) for v in (0.0, 2.0, 3.0)]
    got = [float(c._data) for c in composed(derivatives, curve)]
    assert got == [1.0, 4.0, 10.0]
