"""Krylov methods against direct solutions."""

from __future__ import annotations

import numpy as np
import pytest

import fnx
import fnx.numpy as jnp
from fnx.scipy.sparse.linalg import bicgstab, cg, gmres
from fnx.test_util import check_grads

TIGHT = {"tol": 1e-13}
METHODS = {
    "cg": cg,
    "bicgstab": bicgstab,
    "gmres": gmres,
    "incremental": lambda *args, **named: gmres(*args, solve_method="incremental", **named),
}


def system(rng, method, n=7, complex_too=False):
    a = rng.standard_normal((n, n)) + 1j * complex_too * rng.standard_normal((n, n))
    a = a @ a.conj().T / n + np.eye(n) if method == "cg" else a / n + 2 * np.eye(n)
    b = rng.standard_normal(n) + 1j * complex_too * rng.standard_normal(n)
    return (a, b) if complex_too else (a.real, b.real)


def close(out, wanted, atol=1e-9):
    np.testing.assert_allclose(np.asarray(out), np.asarray(wanted), rtol=0, atol=atol)


@pytest.mark.parametrize("method", METHODS)
def test_solutions(rng, method):
    solve = METHODS[method]
    for complex_too in (False, True):
        a, b = system(rng, method, complex_too=complex_too)
        wanted = np.linalg.solve(a, b)
        close(solve(a, b, **TIGHT)[0], wanted)
        close(solve(lambda v, a=a: a @ v, b, wanted + 0.1, M=np.linalg.inv(a), **TIGHT)[0], wanted)
        close(fnx.jit(lambda a, b: solve(a, b, **TIGHT)[0])(a, b), wanted)
        rows = np.stack([b, 2 * b])
        close(fnx.vmap(lambda b, a=a: solve(a, b, **TIGHT)[0])(rows), [wanted, 2 * wanted])
    assert not np.any(solve(a, 0 * b)[0])
    single = solve(
        a.real.astype(np.float32) + 0 if method != "cg" else np.eye(7, dtype=np.float32),
        b.real.astype(np.float32),
    )
    assert single[0].dtype == np.float32


@pytest.mark.parametrize("method", METHODS)
def test_pytrees(rng, method):
    def a(v):
        return {"x": 3 * v["x"] + v["y"].sum(), "y": 4 * v["y"] + v["x"].sum()}

    b = {"x": jnp.asarray(rng.standard_normal(2)), "y": jnp.asarray(rng.standard_normal((2, 1)))}
    x, _ = METHODS[method](a, b, M=lambda v: {"x": v["x"] / 3, "y": v["y"] / 4}, **TIGHT)
    back = a(x)
    close(back["x"], b["x"])
    close(back["y"], b["y"])


@pytest.mark.parametrize("method", METHODS)
def test_derivatives(rng, method):
    a, b = system(rng, method, 4)
    m = np.linalg.inv(a) + (0 if method == "cg" else 0.01 * rng.standard_normal((4, 4)))

    def solution(a, b):
        a = (a + a.T) / 2 if method == "cg" else a
        return METHODS[method](lambda v: a @ v, b, M=m, **TIGHT)[0]

    check_grads(solution, (a, b), order=2)


def test_restarts_and_limits(rng):
    a, b = system(rng, "gmres", 12)
    for method in ("gmres", "incremental"):
        close(METHODS[method](a, b, restart=3, **TIGHT)[0], np.linalg.solve(a, b))
    first, info = gmres(a, b, restart=3, maxiter=1)
    assert info == 0 and not np.allclose(first, np.linalg.solve(a, b), atol=1e-6)
    # After k steps: the smallest residual in the Krylov space.
    space = np.stack([b, a @ b, a @ a @ b], 1)
    weights = np.linalg.lstsq(a @ space, b)[0]
    close(first, space @ weights)
    spd, b = system(rng, "cg", 12)
    one = cg(spd, b, maxiter=1)[0]
    close(one, b * (b @ b) / (b @ spd @ b))
    assert np.isnan(gmres(a * np.nan, b)[0]).all() and gmres(a * np.nan, b)[1] == -1
    # The shadow is orthogonal to what the map gives: the method stops where it is.
    turn = np.array([[0.0, 1.0], [-1.0, 0.0]])
    close(bicgstab(turn, np.array([1.0, 0.0]))[0], np.zeros(2))
    close(gmres(turn, np.array([1.0, 0.0]))[0], [0.0, 1.0])


def test_errors():
    b = np.ones(2)
    with pytest.raises(ValueError, match="cg: A must be a square matrix, got shape"):
        cg(np.ones((2, 3)), b)
    with pytest.raises(TypeError, match="bicgstab: M must be a function or a square matrix"):
        bicgstab(np.eye(2), b, M=3)
    with pytest.raises(ValueError, match="gmres: x0 must have the structure and the shapes of b"):
        gmres(np.eye(2), b, np.ones(3))
    with pytest.raises(ValueError, match="cg: what A returns must have the structure"):
        cg(lambda v: v[:1], b)
    with pytest.raises(ValueError, match="gmres: solve_method must be"):
        gmres(np.eye(2), b, solve_method="other")
    with pytest.raises(ValueError, match="cg: maxiter must not be negative"):
        cg(np.eye(2), b, maxiter=-1)
