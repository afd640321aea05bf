"""Krylov methods for ``A x = b``, where A is a matrix or any linear function (`jax.scipy.sparse`).

Right-hand sides may be pytrees; the methods see one vector, and the map is unravelled around them.
The derivative is that of the equation (`lax.custom_linear_solve`), so reverse mode solves the
transposed system in the same way, with the transposed preconditioner.

References
----------
Y. Saad, "Iterative methods for sparse linear systems", 2003 (algorithms 9.1, 7.7 and 6.9).
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

from fnx import lax, tree_util
from fnx import numpy as jnp
from fnx.errors import ArgumentTypeError, ArgumentValueError, ShapeError
from fnx.flatten_util import ravel_pytree
from fnx.numpy.promotion import promote_inexact
from fnx.transforms.grad import linear_transpose

__all__ = ["bicgstab", "cg", "gmres"]

_Map = Callable[[Any], Any]
#: From map, right-hand side, preconditioner, first guess and goal to the solution.
_Method = Callable[[_Map, Any, _Map, Any, Any], Any]


def cg(
    A: Any,
    b: Any,
    x0: Any = None,
    *,
    tol: Any = 1e-5,
    atol: Any = 0.0,
    maxiter: int | None = None,
    M: Any = None,
) -> tuple[Any, None]:
    """Solve ``A x = b`` by conjugate gradients.

    Parameters
    ----------
    A : callable or square matrix
        Hermitian and positive definite.
    b : pytree of arrays
        The right-hand side.
    x0 : pytree of arrays, optional
        Where to begin; by default zeros. The solution doesn't depend on it, nor do derivatives.
    tol, atol : float
        The residual is to fall below ``max(tol * norm(b), atol)``.
    maxiter : int, optional
        The most steps; by default ten for each number of `b`.
    M : callable or square matrix, optional
        A preconditioner: about the inverse of A.

    Returns
    -------
    x : pytree of arrays
        Like `b`.
    info : None
        There is no report.

    Examples
    --------
    >>> import fnx.numpy as jnp
    >>> from fnx.scipy.sparse.linalg import cg
    >>> cg(jnp.array([[4.0, 0.0], [0.0, 2.0]]), jnp.array([4.0, 6.0]))[0]
    Array([1., 3.], dtype=float32)
    """

    def method(a: _Map, b: Any, m: _Map, x: Any, goal: Any) -> Any:
        r = b - a(x)
        z = m(r)
        start = x, r, z, jnp.vdot(r, z), 0

        def step(state: Any) -> Any:
            x, r, p, gamma, k = state
            ap = a(p)
            alpha = gamma / jnp.vdot(p, ap)
            r = r - alpha * ap
            z = m(r)
            turned = jnp.vdot(r, z)
            return x + alpha * p, r, z + turned / gamma * p, turned, k + 1

        most = _most("cg", maxiter, b)
        return lax.while_loop(lambda s: _going(_norm(s[1]), goal, s[4], most), step, start)[0]

    return _solved("cg", method, A, b, x0, tol, atol, M, hermitian=True)


def bicgstab(
    A: Any,
    b: Any,
    x0: Any = None,
    *,
    tol: Any = 1e-5,
    atol: Any = 0.0,
    maxiter: int | None = None,
    M: Any = None,
) -> tuple[Any, None]:
    """Solve ``A x = b`` by stabilized biconjugate gradients.

    Parameters
    ----------
    A : callable or square matrix
        Any linear map that is not singular.
    b, x0, tol, atol, maxiter, M
        As for `cg`.

    Returns
    -------
    x : pytree of arrays
        Like `b`. If the method breaks down (a product that it divides by is zero), the last step.
    info : None
        There is no report.

    Examples
    --------
    >>> import fnx.numpy as jnp
    >>> from fnx.scipy.sparse.linalg import bicgstab
    >>> x, _ = bicgstab(jnp.array([[4.0, 0.0], [2.0, 2.0]]), jnp.array([4.0, 8.0]))
    >>> jnp.round(x, 4)
    Array([1., 3.], dtype=float32)
    """

    def method(a: _Map, b: Any, m: _Map, x: Any, goal: Any) -> Any:
        shadow = r = b - a(x)
        one = jnp.ones((), b.dtype)
        start = x, r, r * 0, r * 0, one, one, one, 0, jnp.asarray(False)

        def step(state: Any) -> Any:
            x, r, p, v, rho, alpha, omega, k, _ = state
            turned = jnp.vdot(shadow, r)
            p = r + turned / rho * (alpha / omega) * (p - omega * v)
            direction = m(p)
            v = a(direction)
            below = jnp.vdot(shadow, v)
            alpha = turned / below
            s = r - alpha * v
            halfway = _norm(s) <= goal
            stabilizer = m(s)
            t = a(stabilizer)
            length = jnp.vdot(t, t)
            omega = jnp.where(halfway, 1, jnp.vdot(t, s) / jnp.where(length == 0, 1, length))
            broken = (turned == 0) | (below == 0)
            new = x + alpha * direction + jnp.where(halfway, 0, omega) * stabilizer
            rest = jnp.where(halfway, s, s - omega * t)
            return (
                jnp.where(broken, x, new),
                jnp.where(broken, r, rest),
                *(p, v, turned, alpha, omega, k + 1, broken | (omega == 0)),
            )

        most = _most("bicgstab", maxiter, b)
        return lax.while_loop(lambda s: _going(_norm(s[1]), goal, s[7], most) & ~s[8], step, start)[
            0
        ]

    return _solved("bicgstab", method, A, b, x0, tol, atol, M)


def gmres(
    A: Any,
    b: Any,
    x0: Any = None,
    *,
    tol: Any = 1e-5,
    atol: Any = 0.0,
    restart: int = 20,
    maxiter: int | None = None,
    M: Any = None,
    solve_method: str = "batched",
) -> tuple[Any, Any]:
    """Solve ``A x = b`` by generalized minimal residuals.

    Parameters
    ----------
    A : callable or square matrix
        Any linear map that is not singular.
    b, x0, tol, atol, M
        As for `cg`.
    restart : int
        The dimension of the Krylov space, whose basis is kept.
    maxiter : int, optional
        The most spaces built, each from the best point of the last.
    solve_method : {"batched", "incremental"}
        Whether a space is always built in full, or only until the residual in it is small.

    Returns
    -------
    x : pytree of arrays
        Like `b`.
    info : Array
        -1 where x has NaN, else 0.

    Examples
    --------
    >>> import fnx.numpy as jnp
    >>> from fnx.scipy.sparse.linalg import gmres
    >>> x, _ = gmres(jnp.array([[4.0, 0.0], [2.0, 2.0]]), jnp.array([4.0, 8.0]))
    >>> jnp.round(x, 4)
    Array([1., 3.], dtype=float32)
    """
    if solve_method not in ("batched", "incremental"):
        raise ArgumentValueError(
            f"gmres: solve_method must be 'batched' or 'incremental', got {solve_method!r}."
        )
    early = solve_method == "incremental"
    if operator.index(restart) < 1:
        raise ArgumentValueError(f"gmres: restart must be at least 1, got {restart}.")

    def method(a: _Map, b: Any, m: _Map, x: Any, goal: Any) -> Any:
        most = _most("gmres", maxiter, b)
        size = min(operator.index(restart), b.size)
        share = jnp.minimum(1, goal / jnp.where(_norm(b) == 0, 1, _norm(b)))
        inner = jnp.where(early, _norm(m(b)) * share, 0)

        def step(state: Any) -> Any:
            x, _, k = state
            x = x + _krylov_step(lambda v: m(a(v)), m(b - a(x)), size, inner)
            return x, _norm(b - a(x)), k + 1

        start = x, _norm(b - a(x)), 0
        return lax.while_loop(lambda s: _going(s[1], goal, s[2], most), step, start)[0]

    x, _ = _solved("gmres", method, A, b, x0, tol, atol, M)
    flat, _ = ravel_pytree(x)
    return x, jnp.where(jnp.any(jnp.isnan(flat)), -1, 0)


def _krylov_step(a: _Map, r: Any, size: int, goal: Any) -> Any:
    """The combination of r, A r, A A r, ... with the smallest residual.

    The basis is orthonormal (Gram and Schmidt, twice); `turns` makes a triangle of the map in it,
    by one Givens rotation for each column, so that the residual is known at every step.
    """
    length = _norm(r)
    basis = jnp.zeros((size + 1, r.size), r.dtype)
    basis = basis.at[0].set(r / jnp.where(length == 0, 1, length))
    triangle = jnp.eye(size, dtype=r.dtype)
    turns = jnp.eye(size + 1, dtype=r.dtype)
    eps = float(jnp.finfo(r.dtype).eps)

    def step(state: Any) -> Any:
        basis, triangle, turns, k, _ = state
        w = a(basis[k])
        whole = _norm(w)
        h = jnp.zeros(size + 1, r.dtype)
        for _ in range(2):
            part = basis.conj() @ w
            w, h = w - part @ basis, h + part
        left = _norm(w)
        left = jnp.where(left > eps * whole, left, 0)
        basis = basis.at[k + 1].set(w / jnp.where(left == 0, 1, left))
        h = turns @ h.at[k + 1].set(0)
        first, second = h[k], left.astype(r.dtype)
        radius = jnp.sqrt(jnp.abs(first) ** 2 + left**2)
        radius = jnp.where(radius == 0, 1, radius)
        upper, lower = turns[k], turns[k + 1]
        turns = turns.at[k].set((first.conj() * upper + second * lower) / radius)
        turns = turns.at[k + 1].set((first * lower - second * upper) / radius)
        column = jnp.where(jnp.arange(size) < k, h[:-1], 0).at[k].set(radius)
        triangle = triangle.at[:, k].set(column)
        residual = length * jnp.abs(turns[k + 1][0])
        return basis, triangle, turns, k + 1, (left == 0) | (residual <= goal)

    start = basis, triangle, turns, 0, jnp.asarray(length == 0)
    basis, triangle, turns, k, _ = lax.while_loop(lambda s: (s[3] < size) & ~s[4], step, start)
    right = jnp.where(jnp.arange(size) < k, length * turns[:-1, 0], 0)
    weights = lax.linalg.triangular_solve(triangle, right, left_side=True)
    return weights @ basis[:-1]


# -------------------------------------------------------------------------------- what is the same


def _norm(x: Any) -> Any:
    return jnp.linalg.norm(x)


def _going(residual: Any, goal: Any, steps: Any, most: int) -> Any:
    # A first step through NaN, so that the solution says so.
    unknown = jnp.isnan(residual) & (steps == 0)
    return ((residual > goal) | unknown) & (steps < most)


def _most(name: str, maxiter: int | None, b: Any) -> int:
    most = 10 * b.size if maxiter is None else operator.index(maxiter)
    if most < 0:
        raise ArgumentValueError(f"{name}: maxiter must not be negative, got {most}.")
    return most


def _solved(
    name: str,
    method: _Method,
    A: Any,
    b: Any,
    x0: Any,
    tol: Any,
    atol: Any,
    M: Any,
    hermitian: bool = False,
) -> tuple[Any, None]:
    leaves, tree = tree_util.tree_flatten(b)
    if not leaves:
        raise ArgumentValueError(f"{name}: b must have at least one array, got {b!r}.")
    b = tree_util.tree_unflatten(tree, promote_inexact(name, *leaves))
    x0 = tree_util.tree_map(jnp.zeros_like, b) if x0 is None else x0
    _check_like(name, "x0", x0, b)
    vector, unravel = ravel_pytree(b)
    first = lax.stop_gradient(ravel_pytree(x0)[0].astype(vector.dtype))

    def flat(argument: str, given: Any) -> _Map:
        matvec = _as_map(name, argument, given)

        def of_vector(v: Any) -> Any:
            out = matvec(unravel(v))
            _check_like(name, f"what {argument} returns", out, b)
            return ravel_pytree(out)[0].astype(vector.dtype)

        return of_vector

    def solve_with(m: _Map) -> Callable[[_Map, Any], Any]:
        def solve(a: _Map, b: Any) -> Any:
            goal = jnp.maximum(tol * _norm(b), atol)
            return method(a, b, m, first, goal)

        return solve

    m = (lambda v: v) if M is None else flat("M", M)
    x = lax.custom_linear_solve(
        flat("A", A),
        vector,
        solve_with(m),
        solve_with(lambda v: linear_transpose(m, v)(v)[0]),
        symmetric=hermitian and vector.dtype.kind != "c",
    )
    return unravel(x), None


def _as_map(name: str, argument: str, given: Any) -> _Map:
    if callable(given):
        return given
    shape = getattr(given, "shape", None)
    if shape is None or not hasattr(given, "__matmul__"):
        raise ArgumentTypeError(
            f"{name}: {argument} must be a function or a square matrix, got {given!r}."
        )
    if len(shape) != 2 or shape[0] != shape[1]:
        raise ShapeError(f"{name}: {argument} must be a square matrix, got shape {tuple(shape)}.")
    return lambda v: given @ v


def _check_like(name: str, argument: str, given: Any, b: Any) -> None:
    same = tree_util.tree_structure(given) == tree_util.tree_structure(b)
    shapes = [[jnp.shape(x) for x in tree_util.tree_leaves(t)] for t in (given, b)]
    if not same or shapes[0] != shapes[1]:
        raise ShapeError(
            f"{name}: {argument} must have the structure and the shapes of b, "
            f"{tree_util.tree_structure(b)} with shapes {shapes[1]}, got "
            f"{tree_util.tree_structure(given)} with shapes {shapes[0]}."
        )
