"""`lbfgs`: the quasi-Newton method with limited memory, as a pure state machine.

It calls the function that it minimises, so its pair is a `Minimizer`: ``init(params) -> state`` and
``update(params, state) -> (params, state, value)``. One update makes up to `max_iter` iterations,
in loops of `fnx.lax`: it can be jitted and mapped. The algorithm, its limits and its tolerances are
those of PyTorch's ``LBFGS``.
Read next: `wolfe_search`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from fnx import lax, tree_util
from fnx import numpy as jnp
from fnx.errors import ArgumentTypeError, ArgumentValueError
from fnx.optim.wolfe_search import Trial, strong_wolfe

__all__ = ["LbfgsState", "Minimizer", "lbfgs"]

#: The least curvature y·s of a pair that enters the history.
_CURVATURE = 1e-10


class Minimizer(NamedTuple):
    """An optimizer that evaluates what it minimises.

    Parameters
    ----------
    init : callable
        From parameters to a state.
    update : callable
        ``update(params, state) -> (params, state, value)``, with the value at the given parameters.
    """

    init: Callable[[Any], Any]
    update: Callable[[Any, Any], tuple[Any, Any, Any]]


class LbfgsState(NamedTuple):
    """What `lbfgs` remembers; all parameters are one vector here.

    Parameters
    ----------
    direction : Array
        Of the last move.
    t : Array
        Its step.
    gradient, value : Array
        Before it.
    changes, moves : Array
        Pairs of differences of the gradient and of the parameters, the newest last.
    inverse : Array
        One over their products; 0 where there is no pair yet.
    scale : Array
        Of the first guess at the inverse Hessian.
    iterations, evaluations : Array
        Counts.
    """

    direction: Any
    t: Any
    gradient: Any
    value: Any
    changes: Any
    moves: Any
    inverse: Any
    scale: Any
    iterations: Any
    evaluations: Any


class _Run(NamedTuple):
    """Between two iterations of one update."""

    x: Any
    value: Any
    gradient: Any
    state: LbfgsState
    iterations: Any
    evaluations: Any
    done: Any


def lbfgs(
    value_and_grad: Callable[[Any], tuple[Any, Any]],
    learning_rate: Any = 1.0,
    max_iter: int = 20,
    max_eval: int | None = None,
    tolerance_grad: float = 1e-7,
    tolerance_change: float = 1e-9,
    history_size: int = 100,
    line_search: str | None = None,
) -> Minimizer:
    """Steps along an inverse Hessian that the last gradients tell.

    Parameters
    ----------
    value_and_grad : callable
        From parameters to a value and its gradient, as `fnx.value_and_grad` makes it.
    learning_rate : float or 0-d array
        The step, or the first one that a line search tries.
    max_iter : int
        Iterations in one update.
    max_eval : int, optional
        Evaluations in one update; by default 1.25 `max_iter`.
    tolerance_grad : float
        Stop where no element of the gradient is larger.
    tolerance_change : float
        Stop where neither the parameters nor the value change by more.
    history_size : int
        Pairs of differences that are kept.
    line_search : str, optional
        ``"strong_wolfe"`` or None.

    References
    ----------
    Liu and Nocedal, *On the limited memory BFGS method for large scale optimization* (1989).

    Examples
    --------
    >>> import fnx, fnx.numpy as jnp
    >>> f = fnx.value_and_grad(lambda x: jnp.sum((x - 1.0) ** 2))
    >>> optimizer = lbfgs(f, line_search="strong_wolfe")
    >>> x = jnp.array([3.0, -1.0])
    >>> optimizer.update(x, optimizer.init(x))[0]
    Array([1., 1.], dtype=float32)
    """
    if line_search not in (None, "strong_wolfe"):
        raise ArgumentValueError(
            f"lbfgs: line_search is {line_search!r}; only 'strong_wolfe' and None are there."
        )
    most = max_iter * 5 // 4 if max_eval is None else max_eval

    def init(params: Any) -> LbfgsState:
        x = _flat(params)
        pairs = jnp.zeros((history_size, *x.shape), x.dtype)
        zero, none = jnp.zeros((), x.dtype), jnp.zeros((), "int32")
        inverse = jnp.zeros(history_size, x.dtype)
        blank = jnp.zeros_like(x)
        return LbfgsState(
            blank, zero, blank, zero, pairs, pairs, inverse, jnp.ones_like(zero), none, none
        )

    def update(params: Any, state: LbfgsState) -> tuple[Any, LbfgsState, Any]:
        def evaluate(x: Any) -> tuple[Any, Any]:
            value, gradient = value_and_grad(_unflat(x, params))
            return jnp.asarray(value).astype(x.dtype), _flat(gradient).astype(x.dtype)

        x = _flat(params)
        lr = jnp.asarray(learning_rate, x.dtype)
        first, gradient = evaluate(x)
        one = jnp.ones((), "int32")
        run = _Run(
            x,
            first,
            gradient,
            state._replace(evaluations=state.evaluations + 1),
            jnp.zeros((), "int32"),
            one,
            jnp.max(jnp.abs(gradient)) <= tolerance_grad,
        )

        def iterate(run: _Run) -> _Run:
            state, slope = _aimed(run, lr)
            run = run._replace(state=state, iterations=run.iterations + 1)
            uphill = slope > -tolerance_change
            return lax.cond(
                uphill, lambda r: r._replace(done=jnp.ones((), bool)), lambda r: move(r, slope), run
            )

        def move(run: _Run, slope: Any) -> _Run:
            state = run.state
            d, last = state.direction, run.iterations == max_iter
            if line_search is None:
                x = run.x + state.t * d
                # The last point is evaluated by the next update.
                value, gradient = lax.cond(last, lambda x: (run.value, run.gradient), evaluate, x)
                spent = jnp.where(last, 0, 1).astype("int32")
            else:
                here = Trial(jnp.zeros_like(state.t), run.value, run.gradient, slope)
                best, spent = strong_wolfe(
                    lambda t: evaluate(run.x + t * d),
                    state.t,
                    d,
                    here,
                    tolerance_change,
                    most - run.evaluations,
                )
                state = state._replace(t=best.t)
                x, value, gradient = run.x + best.t * d, best.value, best.gradient
            evaluations = run.evaluations + spent
            settled = (
                (jnp.max(jnp.abs(gradient)) <= tolerance_grad)
                | (jnp.max(jnp.abs(d * state.t)) <= tolerance_change)
                | (jnp.abs(value - state.value) < tolerance_change)
            )
            state = state._replace(evaluations=state.evaluations + spent)
            done = last | (evaluations >= most) | settled
            return _Run(x, value, gradient, state, run.iterations, evaluations, done)

        run = lax.while_loop(lambda r: ~r.done & (r.iterations < max_iter), iterate, run)
        return _unflat(run.x, params), run.state, first

    return Minimizer(init, update)


def _aimed(run: _Run, lr: Any) -> tuple[LbfgsState, Any]:
    """The state with the last move taken in, and the direction and step of the next; its slope."""
    state, g = run.state, run.gradient
    iterations = state.iterations + 1
    first = iterations == 1
    change, move = g - state.gradient, state.direction * state.t
    curvature = jnp.dot(change, move)
    new = (curvature > _CURVATURE) & ~first
    safe = jnp.where(new, curvature, jnp.ones_like(curvature))
    size = jnp.where(new, jnp.dot(change, change), jnp.ones_like(curvature))
    changes = jnp.where(new, _appended(state.changes, change), state.changes)
    moves = jnp.where(new, _appended(state.moves, move), state.moves)
    inverse = jnp.where(new, _appended(state.inverse, 1.0 / safe), state.inverse)
    scale = jnp.where(new, safe / size, state.scale)
    direction = jnp.where(first, -g, _newton(g, changes, moves, inverse, scale))
    total = jnp.sum(jnp.abs(g))
    one = jnp.ones_like(total)
    t = jnp.where(first, jnp.minimum(one, 1.0 / jnp.where(total > 0, total, one)) * lr, lr)
    after = LbfgsState(
        direction, t, g, run.value, changes, moves, inverse, scale, iterations, state.evaluations
    )
    return after, jnp.dot(g, direction)


def _newton(g: Any, changes: Any, moves: Any, inverse: Any, scale: Any) -> Any:
    """The inverse Hessian times the downhill gradient, by the two loops over the pairs."""

    def back(q: Any, pair: Any) -> tuple[Any, Any]:
        change, move, inverse = pair
        share = jnp.dot(move, q) * inverse
        return q - share * change, share

    def forth(r: Any, pair: Any) -> tuple[Any, None]:
        change, move, inverse, share = pair
        return r + (share - jnp.dot(change, r) * inverse) * move, None

    q, shares = lax.scan(back, -g, (changes, moves, inverse), reverse=True)
    return lax.scan(forth, q * scale, (changes, moves, inverse, shares))[0]


def _appended(rows: Any, row: Any) -> Any:
    return jnp.concatenate([rows[1:], row[None]])


def _flat(tree: Any) -> Any:
    leaves = [jnp.asarray(leaf) for leaf in tree_util.tree_leaves(tree)]
    for leaf in leaves:
        if not jnp.issubdtype(leaf.dtype, jnp.floating):
            raise ArgumentTypeError(
                f"lbfgs: parameters must be real floating-point arrays, got {leaf.dtype}. Give "
                "complex ones as their real and imaginary parts."
            )
    return jnp.concatenate([leaf.reshape(-1) for leaf in leaves])


def _unflat(x: Any, like: Any) -> Any:
    leaves, tree = tree_util.tree_flatten(like)
    parts, offset = [], 0
    for leaf in leaves:
        leaf = jnp.asarray(leaf)
        parts.append(x[offset : offset + leaf.size].reshape(leaf.shape).astype(leaf.dtype))
        offset += leaf.size
    return tree_util.tree_unflatten(tree, parts)
