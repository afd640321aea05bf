"""Trigonometric and hyperbolic functions against JAX at special numbers, and against mpmath."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest

from fnx.core.array import as_array
from fnx.primitives import trigonometric
from fnx.primitives.trigonometric import atan2
from fnx.transforms.grad import grad
from tests.support.elementwise_cases import operands
from tests.support.stored_elementwise import assert_agrees, line
from tests.support.taylor_references import assert_jet, assert_values

NAMES = ("sin", "cos", "tan", "asin", "acos", "atan")
ALL = (*NAMES, *(f"{name}h" for name in NAMES))


@pytest.mark.parametrize("name", ALL)
def test_special_numbers(name):
    assert_agrees(getattr(trigonometric, name), f"{name} float64", line(), rtol=1e-13)


def test_angles_of_special_points():
    assert_agrees(atan2, "atan2 float64", *operands("float64"), rtol=1e-15)


@pytest.mark.parametrize("name", ALL)
def test_values(name):
    function, reference = getattr(trigonometric, name), getattr(mpmath, name)
    points = [(1.3,), (2.9,), (7.5,)] if name == "acosh" else [(0.3,), (-0.7,), (1e-9,), (0.99,)]
    assert_values(function, reference, points, 1e-15)
    assert_values(function, reference, [(0.3 + 0.4j,), (1.7 - 2j,), (-0.6 + 1j,)], 4e-15)


@pytest.mark.parametrize("name", ALL)
def test_jets(name):
    function, reference = getattr(trigonometric, name), getattr(mpmath, name)
    start = 1.6 if name == "acosh" else 0.3
    assert_jet(function, reference, [start, 0.25, -0.3, 0.2])
    assert_jet(function, reference, [start + 0.3j, 0.25 - 0.2j, -0.3 + 0.1j])
    assert_jet(function, reference, [start, 0.0, 0.2])


def test_jets_of_atan2():
    assert_jet(atan2, mpmath.atan2, [0.4, 0.5, -0.3], [-1.2, 0.3, 0.1])
    assert_jet(atan2, mpmath.atan2, [0.4, 0.5, -0.3], [1.2])


@pytest.mark.parametrize("name", ["acosh", "asinh", "asin", "acos", "atanh"])
def test_derivatives_on_the_other_side_of_the_cut(name):
    z = -1.4 + 0.2j
    slope = grad(getattr(trigonometric, name), holomorphic=True)(np.complex128(z))
    wanted = complex(mpmath.diff(getattr(mpmath, name), z))
    assert complex(slope._data) == pytest.approx(wanted, rel=1e-12)


def test_slope_of_asin_next_to_one():
    x = 1 - 2.0**-40
    with mpmath.workdps(40):
        wanted = float(1 / mpmath.sqrt(1 - mpmath.mpf(x) ** 2))
    assert float(grad(trigonometric.asin)(np.float64(x))._data) == pytest.approx(wanted, rel=1e-15)


def test_angle_of_complex_operands():
    x, y = 0.3 + 0.2j, 1.1 - 0.4j
    got = atan2(as_array(np.array(x)), as_array(np.array(y)))._data
    with mpmath.workdps(30):
        wanted = complex(mpmath.atan(mpmath.mpmathify(x) / mpmath.mpmathify(y)))
    np.testing.assert_allclose(got, wanted, rtol=1e-14)
