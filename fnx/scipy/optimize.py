"""Minima of smooth functions by quasi-Newton methods (`jax.scipy.optimize`).

Both methods are one loop: aim with an inverse Hessian made of the last steps, search along the line
(`fnx.optim.wolfe_search`), remember the step.  They differ in how they remember.

References
----------
J. Nocedal, S. Wright, "Numerical optimization", 2006 (algorithms 6.1 and 7.4).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from fnx import lax
from fnx import numpy as jnp
from fnx.errors import ArgumentTypeError, ArgumentValueError, ShapeError
from fnx.numpy.promotion import promote_inexact
from fnx.optim.wolfe_search import Trial, strong_wolfe
from fnx.transforms.grad import value_and_grad

__all__ = ["OptimizeResults", "minimize"]


class OptimizeResults(NamedTuple):
    """What a minimization found.

    Parameters
    ----------
    x : Array
        The last point.
    success : Array
        Whether the gradient is small enough there.
    status : Array
        0: it is. 1, 2, 3: as many steps, values or gradients as were allowed. 4: the value fell by
        less than ``ftol``. 5: the line search found no lower value.
    fun, jac : Array
        The value and the gradient.
    hess_inv : Array or None
        The inverse Hessian as far as it is known (BFGS).
    nfev, njev, nit : Array
        How many values, gradients and steps it took.
    """

    x: Any
    success: Any
    status: Any
    fun: Any
    jac: Any
    hess_inv: Any
    nfev: Any
    njev: Any
    nit: Any


class _Memory(NamedTuple):
    """How a method remembers: what it has at first, where it aims, and what a step adds."""

    first: Any
    aim: Callable[[Any, Any], Any]
    step: Callable[[Any, Any, Any], Any]


class _Run(NamedTuple):
    x: Any
    value: Any
    gradient: Any
    memory: Any
    status: Any  # -1 while it runs
    evaluations: Any
    steps: Any


_DEFAULTS: dict[str, dict[str, Any]] = {
    "bfgs": {"maxiter": None, "norm": np.inf, "gtol": 1e-5, "line_search_maxiter": 10},
    "l-bfgs-experimental-do-not-rely-on-this": {
        "maxiter": None,
        "norm": np.inf,
        "maxcor": 10,
        "ftol": 2.220446049250313e-09,
        "gtol": 1e-5,
        "maxfun": None,
        "maxgrad": None,
        "maxls": 20,
    },
}


def minimize(
    fun: Callable[..., Any],
    x0: Any,
    args: tuple[Any, ...] = (),
    *,
    method: str,
    tol: float | None = None,
    options: Mapping[str, Any] | None = None,
) -> OptimizeResults:
    """A minimum of a smooth function of a vector.

    Parameters
    ----------
    fun : callable
        ``fun(x, *args)`` is a real number; its gradient is taken.
    x0 : array-like
        Where to begin, a real vector.
    args : tuple
        What `fun` takes further.
    method : {"BFGS", "l-bfgs-experimental-do-not-rely-on-this"}
        The inverse Hessian as a matrix, or by the last steps alone.
    tol : float, optional
        ``gtol``, unless that is among the options.
    options : mapping, optional
        ``maxiter`` (200 for each number), ``gtol`` (how small the gradient must be, 1e-5) in which
        ``norm`` (inf); for BFGS ``line_search_maxiter`` (10); for L-BFGS ``maxcor`` (steps that
        are kept, 10), ``ftol`` (the least fall of a step), ``maxfun``, ``maxgrad`` and ``maxls``
        (20).

    Returns
    -------
    OptimizeResults
        A tuple with names.

    Examples
    --------
    >>> import fnx.numpy as jnp
    >>> from fnx.scipy.optimize import minimize
    >>> out = minimize(lambda x: jnp.sum((x - 3) ** 2), jnp.zeros(2), method="BFGS")
    >>> out.x, out.success
    (Array([3., 3.], dtype=float32), Array(True, dtype=bool))
    """
    if not isinstance(args, tuple):
        raise ArgumentTypeError(f"minimize: args must be a tuple, got {args!r}.")
    kind = method.lower()
    if kind not in _DEFAULTS:
        raise ArgumentValueError(
            f"minimize: method {method!r} is not known. Use 'BFGS' or "
            "'l-bfgs-experimental-do-not-rely-on-this'."
        )
    given = {} if tol is None else {"gtol": tol}
    given |= dict(options or {})
    if unknown := sorted(set(given) - set(_DEFAULTS[kind])):
        raise ArgumentValueError(
            f"minimize: {method} has no option {', '.join(unknown)}. It has "
            f"{', '.join(_DEFAULTS[kind])}."
        )
    chosen = _DEFAULTS[kind] | given
    (x,) = promote_inexact("minimize", x0)
    if x.ndim != 1 or x.dtype.kind == "c":
        raise ShapeError(
            f"minimize: x0 must be a vector of real numbers, got {x.aval!r}. "
            "`fnx.flatten_util.ravel_pytree` makes one of a pytree."
        )
    evaluate = value_and_grad(lambda x: fun(x, *args))
    memory = _matrix(x) if kind == "bfgs" else _last_steps(x, chosen["maxcor"])
    run = _minimized(evaluate, x, memory, chosen)
    return OptimizeResults(
        x=run.x,
        success=run.status == 0,
        status=run.status,
        fun=run.value,
        jac=run.gradient,
        hess_inv=run.memory if kind == "bfgs" else None,
        nfev=run.evaluations,
        njev=run.evaluations,
        nit=run.steps,
    )


def _minimized(evaluate: Any, x: Any, memory: _Memory, options: dict[str, Any]) -> _Run:
    limits = [options.get(k) for k in ("maxiter", "maxfun", "maxgrad")]
    if limits == [None, None, None]:
        limits[0] = 200 * x.size
    most_steps, most_values, most_gradients = [np.inf if n is None else n for n in limits]
    trials = options.get("maxls", options.get("line_search_maxiter"))
    ftol = options.get("ftol", -np.inf)

    def small(gradient: Any) -> Any:
        return jnp.linalg.norm(gradient, ord=options["norm"]) < options["gtol"]

    def turn(run: _Run) -> _Run:
        direction = memory.aim(run.memory, run.gradient)
        size = jnp.sum(jnp.abs(direction))
        # Nothing is known of the scale at first.
        first = jnp.where(run.steps == 0, jnp.minimum(1, 1 / jnp.where(size > 0, size, 1)), 1)
        start = Trial(jnp.zeros_like(run.value), run.value, run.gradient, run.gradient @ direction)
        found, count = strong_wolfe(
            lambda t: evaluate(run.x + t * direction),
            first.astype(run.value.dtype),
            direction,
            start,
            0.0,
            trials,
        )
        moved, turned = found.t * direction, found.gradient - run.gradient
        lower = found.value < run.value
        evaluations, steps = run.evaluations + count, run.steps + 1
        status = jnp.where(run.value - found.value < ftol, 4, -1)
        status = jnp.where(evaluations >= most_gradients, 3, status)
        status = jnp.where(evaluations >= most_values, 2, status)
        status = jnp.where(steps >= most_steps, 1, status)
        status = jnp.where(lower, status, 5)
        status = jnp.where(small(found.gradient), 0, status)
        kept = memory.step(run.memory, moved, turned)
        return _Run(run.x + moved, found.value, found.gradient, kept, status, evaluations, steps)

    value, gradient = evaluate(x)
    status = jnp.where(small(gradient), 0, jnp.where(most_steps <= 0, 1, -1))
    begin = _Run(x, value, gradient, memory.first, status, jnp.asarray(1), jnp.asarray(0))
    return lax.while_loop(lambda run: run.status < 0, turn, begin)


def _matrix(x: Any) -> _Memory:
    """BFGS: the inverse Hessian H, with H y = s for the last step."""
    identity = jnp.eye(x.size, dtype=x.dtype)

    def step(h: Any, s: Any, y: Any) -> Any:
        curved = y @ s > 0
        scale = 1 / jnp.where(curved, y @ s, 1)
        w = identity - scale * jnp.outer(s, y)
        return jnp.where(curved, w @ h @ w.T + scale * jnp.outer(s, s), h)

    return _Memory(identity, lambda h, g: -(h @ g), step)


def _last_steps(x: Any, count: int) -> _Memory:
    """L-BFGS: the last s and y, the newest at the end, with ``1 / (s y)`` (0: nothing there)."""
    rows = jnp.zeros((count, x.size), x.dtype)

    def aim(memory: Any, g: Any) -> Any:
        moves, changes, inverse, scale = memory

        def down(q: Any, row: Any) -> Any:
            s, y, rho = row
            weight = rho * (s @ q)
            return q - weight * y, weight

        def up(q: Any, row: Any) -> Any:
            (s, y, rho), weight = row
            return q + (weight - rho * (y @ q)) * s, None

        kept = moves, changes, inverse
        q, weights = lax.scan(down, g, kept, reverse=True)
        q, _ = lax.scan(up, scale * q, (kept, weights))
        return -q

    def step(memory: Any, s: Any, y: Any) -> Any:
        moves, changes, inverse, scale = memory
        curved = y @ s > 0
        rho = 1 / jnp.where(curved, y @ s, 1)

        def appended(rows: Any, row: Any) -> Any:
            longer = jnp.concatenate([rows[1:], row[None]])
            return jnp.where(curved, longer, rows)

        return (
            appended(moves, s),
            appended(changes, y),
            appended(inverse, rho),
            jnp.where(curved, y @ s / jnp.where(curved, y @ y, 1), scale),
        )

    return _Memory((rows, rows, rows[:, 0], jnp.ones((), x.dtype)), aim, step)
