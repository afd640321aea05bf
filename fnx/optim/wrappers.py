"""Transformations around others, or before them: clipping by value, decay, masks, accumulation.

Read next: `lbfgs`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from fnx import numpy as jnp
from fnx import tree_util
from fnx.errors import ArgumentValueError
from fnx.optim.transformations import Optimizer

__all__ = ["AccumulateState", "accumulate", "add_decayed_weights", "clip", "masked", "scale"]


def clip(max_delta: Any) -> Optimizer:
    """Every element of the gradients kept between ``-max_delta`` and ``max_delta``.

    Parameters
    ----------
    max_delta : float
        The bound.

    Examples
    --------
    >>> import fnx.numpy as jnp
    >>> clip(1.0).update(jnp.array([3.0, -0.5]), ())[0]
    Array([ 1. , -0.5], dtype=float32)
    """
    return _stateless(lambda g, p: jnp.clip(g, -max_delta, max_delta), False)


def scale(step_size: Any) -> Optimizer:
    """All gradients times a number.

    Parameters
    ----------
    step_size : float
        The number.

    Examples
    --------
    >>> import fnx.numpy as jnp
    >>> scale(-0.1).update(jnp.ones(2), ())[0]
    Array([-0.1, -0.1], dtype=float32)
    """
    return _stateless(lambda g, p: g * step_size, False)


def add_decayed_weights(weight_decay: Any) -> Optimizer:
    """The parameters times a number added to the gradients.

    Parameters
    ----------
    weight_decay : float
        The number.

    Examples
    --------
    >>> import fnx.numpy as jnp
    >>> add_decayed_weights(0.1).update(jnp.ones(1), (), jnp.full(1, 5.0))[0]
    Array([1.5], dtype=float32)
    """
    return _stateless(lambda g, p: g + weight_decay * p, True)


def _stateless(function: Callable[[Any, Any], Any], reads_params: bool) -> Optimizer:
    def update(grads: Any, state: Any, params: Any = None) -> tuple[Any, Any]:
        if params is None:
            if reads_params:
                raise ArgumentValueError(
                    "add_decayed_weights: it reads the parameters. Call "
                    "update(grads, state, params)."
                )
            params = grads
        return tree_util.tree_map(function, grads, params), state

    return Optimizer(lambda params: (), update)


def masked(inner: Optimizer, mask: Any) -> Optimizer:
    """An optimizer for some of the parameters; the gradients of the others pass unchanged.

    Parameters
    ----------
    inner : Optimizer
        For those that are chosen.
    mask : pytree of bool, or callable
        Which are chosen: a tree like the parameters, or a function from them to one.

    Examples
    --------
    >>> import fnx.numpy as jnp
    >>> params = {"w": jnp.ones(1), "b": jnp.ones(1)}
    >>> opt = masked(scale(-0.1), {"w": True, "b": False})
    >>> opt.update(params, opt.init(params))[0]
    {'b': Array([1.], dtype=float32), 'w': Array([-0.1], dtype=float32)}
    """

    def chosen(tree: Any) -> Any:
        return mask(tree) if callable(mask) else mask

    def without(tree: Any) -> Any:
        # None is a tree without leaves.
        return tree_util.tree_map(lambda m, x: x if m else None, chosen(tree), tree)

    def init(params: Any) -> Any:
        return inner.init(without(params))

    def update(grads: Any, state: Any, params: Any = None) -> tuple[Any, Any]:
        rest = None if params is None else without(params)
        updates, state = inner.update(without(grads), state, rest)
        merged = tree_util.tree_map(lambda m, u, g: u if m else g, chosen(grads), updates, grads)
        return merged, state

    return Optimizer(init, update)


class AccumulateState(NamedTuple):
    """What `accumulate` remembers.

    Parameters
    ----------
    count : Array
        Gradients taken in since the last update.
    mean : pytree
        Their sum over `every`.
    inner : pytree
        The state of the optimizer.
    """

    count: Any
    mean: Any
    inner: Any


def accumulate(inner: Optimizer, every: int) -> Optimizer:
    """An optimizer that steps by the mean of several gradients; between, updates are zero.

    Parameters
    ----------
    inner : Optimizer
        What steps.
    every : int
        Gradients to a step.

    Examples
    --------
    >>> import fnx.numpy as jnp
    >>> opt = accumulate(scale(-1.0), 2)
    >>> state = opt.init(jnp.zeros(1))
    >>> first, state = opt.update(jnp.array([1.0]), state)
    >>> second, state = opt.update(jnp.array([3.0]), state)
    >>> first, second
    (Array([0.], dtype=float32), Array([-2.], dtype=float32))
    """
    if every < 1:
        raise ArgumentValueError(f"accumulate: every must be at least 1, got {every}")

    def init(params: Any) -> AccumulateState:
        mean = tree_util.tree_map(jnp.zeros_like, params)
        return AccumulateState(jnp.zeros((), "int32"), mean, inner.init(params))

    def update(grads: Any, state: AccumulateState, params: Any = None) -> tuple[Any, Any]:
        full = state.count + 1 == every
        mean = tree_util.tree_map(lambda a, g: a + g / every, state.mean, grads)
        updates, after = inner.update(mean, state.inner, params)

        def where(yes: Any, no: Any) -> Any:
            return tree_util.tree_map(lambda a, b: jnp.where(full, a, b), yes, no)

        nothing = tree_util.tree_map(jnp.zeros_like, mean)
        count = jnp.where(full, 0, state.count + 1).astype("int32")
        kept = AccumulateState(count, where(nothing, mean), where(after, state.inner))
        return where(updates, nothing), kept

    return Optimizer(init, update)
