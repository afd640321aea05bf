"""Interpolation on grids, and the trapezoidal rule, against SciPy's."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.interpolate

import fnx
from fnx.scipy.integrate import trapezoid
from fnx.scipy.interpolate import RegularGridInterpolator
from fnx.test_util import check_grads


@pytest.mark.parametrize("method", ["linear", "nearest"])
@pytest.mark.parametrize("fill_value", [np.nan, 7.0, None])
def test_values(rng, method, fill_value):
    for shape in ((4,), (3, 5), (2, 3, 4)):
        for trailing in ((), (2,)):
            points = [np.sort(rng.uniform(-1, 1, n)) for n in shape]
            values = rng.standard_normal((*shape, *trailing))
            xi = rng.uniform(-1.2, 1.2, (6, 2, len(shape)))
            given = {"method": method, "bounds_error": False, "fill_value": fill_value}
            wanted = scipy.interpolate.RegularGridInterpolator(points, values, **given)(xi)
            f = RegularGridInterpolator(points, values, **given)
            for out in (f(xi), fnx.jit(lambda f, x: f(x))(f, xi), fnx.vmap(f)(xi)):
                np.testing.assert_allclose(out, wanted, rtol=0, atol=1e-12)
            inner = RegularGridInterpolator(points, values, fill_value=fill_value)(xi, method)
            np.testing.assert_allclose(inner, wanted, rtol=0, atol=1e-12)
    apart = f(tuple(xi[..., k] for k in range(3)))
    np.testing.assert_allclose(apart, wanted, rtol=0, atol=1e-12)


def test_derivatives(rng):
    points = [np.sort(rng.uniform(-1, 1, n)) for n in (3, 4)]
    values = rng.standard_normal((3, 4))
    xi = np.stack([rng.uniform(p[0], p[-1], 5) for p in points], -1)

    def f(points, values, xi):
        return RegularGridInterpolator(points, values, fill_value=None)(xi)

    check_grads(f, (points, values, xi), order=2, eps=1e-6, rtol=1e-4)
    inside = fnx.grad(lambda f: f(xi).sum())(RegularGridInterpolator(points, values))
    assert inside.values.shape == (3, 4)


def test_errors():
    ramp = np.arange(3.0)
    with pytest.raises(ValueError, match="RegularGridInterpolator: method must be"):
        RegularGridInterpolator([ramp], ramp, "cubic")
    with pytest.raises(ValueError, match="RegularGridInterpolator: points must be one vector"):
        RegularGridInterpolator([ramp[:2]], ramp)
    with pytest.raises(NotImplementedError, match="bounds_error must be False"):
        RegularGridInterpolator([ramp], ramp, bounds_error=True)
    with pytest.raises(ValueError, match="xi must have 2 coordinates in the last axis"):
        RegularGridInterpolator([ramp, ramp], np.ones((3, 3)))(np.ones((2, 3)))
    with pytest.raises(ValueError, match="fill_value"):
        RegularGridInterpolator([ramp], ramp, fill_value=1j)


def test_trapezoid(rng):
    y, x = rng.standard_normal((2, 3, 5))
    np.testing.assert_allclose(trapezoid(y, x, axis=0), np.trapezoid(y, x, axis=0), rtol=1e-12)
    np.testing.assert_allclose(trapezoid(y, dx=0.5), np.trapezoid(y, dx=0.5), rtol=1e-12)
