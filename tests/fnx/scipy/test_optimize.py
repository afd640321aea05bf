"""Minima that are known, and SciPy's."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.optimize

import fnx
import fnx.numpy as jnp
from fnx.scipy.optimize import minimize

LIMITED = "l-bfgs-experimental-do-not-rely-on-this"
METHODS = ["BFGS", LIMITED]


def rosenbrock(x):
    return jnp.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


@pytest.mark.parametrize("method", METHODS)
def test_minima(rng, method):
    x0 = np.array([1.3, 0.7, 0.8, 1.9])
    precise = {} if method == "BFGS" else {"ftol": 0.0}
    out = minimize(rosenbrock, x0, method=method, tol=1e-8, options=precise)
    assert out.success and out.status == 0
    np.testing.assert_allclose(out.x, np.ones(4), atol=1e-6)
    assert abs(out.jac).max() < 1e-8 and out.fun < 1e-12
    wanted = scipy.optimize.minimize(
        scipy.optimize.rosen, x0, jac=scipy.optimize.rosen_der, options={"gtol": 1e-8}
    )
    assert out.nit < 2 * wanted.nit and out.nfev == out.njev < 2 * wanted.nfev
    # A quadratic, with its parameters as arguments, under jit and vmap.
    a = rng.standard_normal((3, 3))
    a = a @ a.T + np.eye(3)
    b = rng.standard_normal((2, 3))

    def found(b):
        return minimize(
            lambda x, a, b: x @ a @ x / 2 - b @ x,
            jnp.zeros(3, b.dtype),
            (a, b),
            method=method,
            tol=1e-9,
        )

    for f in (found, fnx.jit(found)):
        np.testing.assert_allclose(f(jnp.asarray(b[0])).x, np.linalg.solve(a, b[0]), atol=1e-8)
    rows = fnx.vmap(found)(jnp.asarray(b))
    np.testing.assert_allclose(rows.x, np.linalg.solve(a, b.T).T, atol=1e-8)
    assert minimize(lambda x: jnp.sum(x**4), jnp.ones(2), method=method).x.dtype == np.float32


def test_the_inverse_hessian(rng):
    a = rng.standard_normal((4, 4))
    a = a @ a.T + np.eye(4)
    out = minimize(lambda x: x @ a @ x / 2, rng.standard_normal(4), method="BFGS", tol=1e-10)
    np.testing.assert_allclose(out.hess_inv, np.linalg.inv(a), atol=1e-2)
    assert minimize(lambda x: x @ a @ x / 2, np.ones(4), method=LIMITED).hess_inv is None


def test_how_it_ends():
    x0 = np.array([-1.2, 1.0])
    for method in METHODS:
        out = minimize(rosenbrock, x0, method=method, options={"maxiter": 3})
        assert (out.status, out.nit, bool(out.success)) == (1, 3, False)
        assert minimize(rosenbrock, np.ones(2), method=method).nit == 0
        # No value below the kink: the search ends.
        stuck = minimize(lambda x: jnp.sum(jnp.abs(x)), np.zeros(2) + 1e-300, method=method, tol=0)
        assert stuck.status == 5 and not stuck.success
    status = {"maxfun": 2, "maxgrad": 3}
    for option, code in status.items():
        assert minimize(rosenbrock, x0, method=LIMITED, options={option: 4}).status == code
    assert minimize(rosenbrock, x0, method=LIMITED, options={"ftol": 1e9}).status == 4


def test_errors():
    with pytest.raises(TypeError, match="minimize: args must be a tuple"):
        minimize(rosenbrock, np.ones(2), [1], method="BFGS")
    with pytest.raises(ValueError, match="minimize: method 'CG' is not known"):
        minimize(rosenbrock, np.ones(2), method="CG")
    with pytest.raises(ValueError, match="minimize: BFGS has no option maxcor"):
        minimize(rosenbrock, np.ones(2), method="BFGS", options={"maxcor": 3})
    with pytest.raises(ValueError, match="minimize: x0 must be a vector of real numbers"):
        minimize(rosenbrock, np.ones((2, 2)), method="BFGS")
