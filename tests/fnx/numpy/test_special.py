"""Signs, NaN, infinity, sinc: against NumPy, under jit and vmap, derivatives."""

from __future__ import annotations

import numpy as np
import pytest

import fnx
import fnx.numpy as jnp
from fnx.test_util import check_grads
from tests.support.numpy_tables import assert_mapped, assert_same_as_numpy

X = np.array([0.0, -0.0, 1.5, -2.5, np.inf, -np.inf, np.nan, 1e300, 3.0])
Z = np.array([1.0, -1.0, -0.0, 0.0, np.nan, 2.0, 1.0, -np.inf, -5.0])
SMOOTH = np.array([0.3, -1.7, 2.2, 0.8])
INTEGERS = np.array([3, -2, 0, 7])


@pytest.mark.parametrize("name", ["copysign", "fmax", "fmin", "heaviside", "logaddexp2"])
def test_two_operands(name):
    assert_same_as_numpy(name, [X, Z])
    assert_same_as_numpy(name, [X[:, None], Z])
    assert_same_as_numpy(name, [INTEGERS, INTEGERS[::-1].copy()])
    assert_same_as_numpy(name, [np.zeros((0, 2)), np.array(1.0)])
    assert_mapped(name, [SMOOTH, SMOOTH * 2 - 1])


def test_signs_of_zeros():
    with fnx.enable_x64(True):
        np.testing.assert_array_equal(
            np.signbit(jnp.copysign(jnp.asarray(X), -1.0)), np.ones(X.size, bool)
        )
        for ours, theirs in zip(jnp.modf(jnp.asarray(X)), np.modf(X), strict=True):
            number = ~np.isnan(theirs)
            np.testing.assert_array_equal(np.signbit(ours)[number], np.signbit(theirs)[number])


@pytest.mark.parametrize(
    "name",
    ["fabs", "modf", "isneginf", "isposinf", "isreal", "iscomplex", "nan_to_num", "sinc"],
)
def test_one_operand(name):
    x = np.where(np.isinf(X), 0.75, X) if name == "sinc" else X
    x = np.where(x == 1e300, 0.003, x)
    assert_same_as_numpy(name, [x])
    assert_same_as_numpy(name, [INTEGERS])
    assert_same_as_numpy(name, [np.array(-1.25)])
    assert_same_as_numpy(name, [np.array([0.5, -0.001, 0.0], np.float32)])
    assert_same_as_numpy(name, [np.zeros((2, 0))])
    assert_mapped(name, [SMOOTH])


@pytest.mark.parametrize("name", ["isreal", "iscomplex", "nan_to_num", "sinc"])
def test_complex(name):
    z = np.array([1 + 2j, 0.001 - 0.002j, 0, 2, 3 - 0.5j])
    z = np.append(z, [complex(np.nan, np.inf)]) if name != "sinc" else z
    assert_same_as_numpy(name, [z])


def test_nan_to_num_takes_numbers():
    assert_same_as_numpy("nan_to_num", [X], {"nan": 7.0, "posinf": 1.0, "neginf": -1.0})
    assert_same_as_numpy("nan_to_num", [X[:7].astype(np.float32)], {"nan": 7})


@pytest.mark.parametrize("name", ["copysign", "heaviside", "fabs", "modf", "isposinf"])
def test_complex_numbers_are_refused(name):
    args = [1j, 1.0] if name in ("copysign", "heaviside") else [1j]
    with pytest.raises(ValueError, match=f"{name}: complex numbers have no sign"):
        getattr(jnp, name)(*args)


@pytest.mark.parametrize("name", ["copysign", "fmax", "fmin", "logaddexp2"])
def test_derivatives_of_two(name):
    with fnx.enable_x64(True):
        other = jnp.asarray(SMOOTH[::-1] + 0.25)
        check_grads(getattr(jnp, name), (jnp.asarray(SMOOTH), other), order=2)


def test_derivatives_of_one():
    with fnx.enable_x64(True):
        x = jnp.asarray(SMOOTH)
        check_grads(jnp.fabs, (x,), order=2)
        check_grads(jnp.nan_to_num, (x,), order=2)
        check_grads(jnp.modf, (x,), order=2)
        check_grads(jnp.sinc, (jnp.asarray([0.3, -1.7, 0.001, 2.0]),), order=2)


def test_sinc_at_zero_has_derivatives():
    with fnx.enable_x64(True):
        assert fnx.grad(jnp.sinc)(0.0) == 0
        assert np.isclose(fnx.grad(fnx.grad(jnp.sinc))(0.0), -(np.pi**2) / 3)


def test_bessel():
    x = np.array([0.0, 0.5, -3.0, 20.0, 600.0])
    np.testing.assert_allclose(jnp.i0(x), np.i0(x), rtol=1e-14)
    check_grads(jnp.i0, (np.array([0.5, -3.0]),), order=2)
    with pytest.raises(ValueError, match="i0: complex"):
        jnp.i0(1j)
