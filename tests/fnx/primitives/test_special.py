"""Error, gamma and zeta functions against JAX at special numbers, and against mpmath."""

from __future__ import annotations

import ml_dtypes
import mpmath
import numpy as np
import pytest

from fnx.core.array import as_array
from fnx.primitives import special
from fnx.primitives.hurwitz import zeta, zeta_p
from fnx.primitives.special import digamma, erf, erf_inv, erfc, lgamma, polygamma
from fnx.transforms.grad import grad
from tests.support.stored_elementwise import line, stored
from tests.support.taylor_references import assert_jet, assert_values


def log_gamma(x):
    """log |gamma(x)|"""
    return mpmath.log(abs(mpmath.gamma(x)))


@pytest.mark.parametrize("name", ["erf", "erfc", "erf_inv", "lgamma", "digamma"])
def test_special_numbers(name):
    got = getattr(special, name)(as_array(line()))._data
    wanted = stored(f"{name} float64").copy()
    if name == "digamma":
        wanted[line() == -np.inf] = np.nan
    np.testing.assert_allclose(got, wanted, rtol=2e-13)
    zero = wanted == 0
    np.testing.assert_array_equal(np.signbit(got[zero]), np.signbit(wanted[zero]))


def test_values():
    points = [(0.3,), (-1.7,), (4.5,), (1e-8,)]
    assert_values(erf, mpmath.erf, points, 5e-16)
    assert_values(erfc, mpmath.erfc, points, 2e-15)
    assert_values(erf_inv, mpmath.erfinv, [(0.3,), (-0.99,), (1e-8,)], 2e-15)
    assert_values(lgamma, log_gamma, [(0.3,), (7.5,), (1e-8,), (-1.7,)], 2e-14)
    assert_values(digamma, mpmath.digamma, [(0.3,), (7.5,), (1e-8,), (-1.7,)], 2e-14)


@pytest.mark.parametrize(
    ("function", "reference", "start"),
    [
        (erf, mpmath.erf, 0.4),
        (erfc, mpmath.erfc, 0.4),
        (erf_inv, mpmath.erfinv, 0.4),
        (lgamma, log_gamma, 1.4),
        (digamma, mpmath.digamma, 1.4),
        (digamma, mpmath.digamma, -1.4),
    ],
)
def test_jets(function, reference, start):
    assert_jet(function, reference, [start, 0.25, -0.1, 0.1], rtol=1e-9)


def test_derivatives_of_every_order_of_lgamma():
    function, x = lgamma, 0.8
    for order in range(1, 5):
        function = grad(function)
        wanted = float(mpmath.polygamma(order - 1, x))
        assert float(function(np.float64(x))._data) == pytest.approx(wanted, rel=1e-13)


@pytest.mark.parametrize("s", [1.1, 2.0, 3.0, 7.5, 20.0])
@pytest.mark.parametrize("q", [1e-3, 0.3, 1.0, 2.5, 40.0, 1e6])
def test_zeta(s, q):
    assert_values(zeta, mpmath.zeta, [(s, q)], 2e-14)


@pytest.mark.parametrize("order", [1, 2, 3])
def test_derivatives_of_zeta_in_its_first_argument(order):
    s, q = 2.3, 0.7
    got = float(zeta_p(*[as_array(np.array(v)) for v in (s, q)], derivative=order)._data)
    with mpmath.workdps(30):
        wanted = float(mpmath.zeta(s, q, order))
    assert got == pytest.approx(wanted, rel=1e-12)
    slope = zeta
    for _ in range(order):
        slope = grad(slope)
    assert float(slope(np.float64(s), np.float64(q))._data) == pytest.approx(wanted, rel=1e-12)


def test_jets_of_zeta():
    with mpmath.workdps(30):
        assert_jet(zeta, mpmath.zeta, [2.3], [0.7, 0.2, -0.1], order=6, rtol=1e-10)
        assert_jet(zeta, mpmath.zeta, [2.3, 0.2, 0.1], [0.7, 0.2, -0.1], order=4, rtol=1e-10)
    both = [as_array(np.array(v)) for v in (2.3, 0.7)]

    def second(s, q):
        return zeta_p(s, q, derivative=2)

    assert float(second(*both)._data) == pytest.approx(float(mpmath.zeta(2.3, 0.7, 2)), rel=1e-12)
    assert_jet(
        second, lambda s, q: mpmath.zeta(s, q, 2), [2.3, 0.2], [0.7, 0.2], order=3, rtol=1e-9
    )


@pytest.mark.parametrize("q", [-0.5, -1.3, -7.9, -20.3])
@pytest.mark.parametrize("s", [2, 3, 6])
def test_zeta_beyond_its_poles(s, q):
    with mpmath.workdps(30):
        wanted = float(
            mpmath.nsum(lambda k: (mpmath.mpf(q) + k) ** -s, [0, 40]) + mpmath.zeta(s, q + 41)
        )
    got = zeta(as_array(np.array(float(s))), as_array(np.array(q)))
    assert float(got._data) == pytest.approx(wanted, rel=1e-12)


def test_edges_of_zeta():
    s = np.array([2.0, 2.0, 1.0, 0.5, 2.5, 2.0, np.nan])
    q = np.array([0.0, -1.0, 2.0, 2.0, -0.5, np.inf, 1.0])
    got = zeta(as_array(s), as_array(q))._data
    np.testing.assert_array_equal(got, [np.inf, np.inf, np.inf, np.nan, np.nan, 0, np.nan])


@pytest.mark.parametrize("order", [0, 1, 2, 5])
@pytest.mark.parametrize("x", [0.3, 2.7, -0.5, -2.5])
def test_polygamma(order, x):
    wanted = float(mpmath.polygamma(order, x))
    got = polygamma(as_array(np.array(float(order))), as_array(np.array(x)))
    assert float(got._data) == pytest.approx(wanted, rel=1e-12)
    slope = grad(polygamma, argnums=1)(np.float64(order), np.float64(x))
    wanted = float(mpmath.polygamma(order + 1, x))
    assert float(slope._data) == pytest.approx(wanted, rel=1e-11)


@pytest.mark.parametrize("dtype", [np.float32, np.float16, ml_dtypes.bfloat16])
@pytest.mark.parametrize("name", ["erf", "erfc", "erf_inv", "lgamma", "digamma"])
def test_narrow_floats(name, dtype):
    x = np.linspace(0.05, 0.95, 19).astype(dtype)
    got = getattr(special, name)(as_array(x))._data
    assert got.dtype == x.dtype
    wanted = getattr(special, name)(as_array(x.astype(np.float64)))._data
    eps = float(ml_dtypes.finfo(dtype).eps)
    np.testing.assert_allclose(got.astype(np.float64), wanted, rtol=4 * eps, atol=4 * eps)
