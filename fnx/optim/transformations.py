"""`Optimizer`, a pair of pure functions, and the transformations of gradients that need no rule.

Parameters, gradients and states are pytrees; nothing is changed in place, so a training step can be
jitted and differentiated. The pairs have the shape of optax's ``GradientTransformation``, so that
the loops written for it run.
Read next: `rules`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from fnx import numpy as jnp
from fnx import tree_util

__all__ = [
    "Optimizer",
    "apply_updates",
    "chain",
    "clip_by_global_norm",
    "global_norm",
]


class Optimizer(NamedTuple):
    """An optimizer: two pure functions.

    Parameters
    ----------
    init : callable
        From parameters to a state.
    update : callable
        ``update(grads, state, params=None) -> (updates, state)``.
    """

    init: Callable[[Any], Any]
    update: Callable[..., tuple[Any, Any]]


def apply_updates(params: Any, updates: Any) -> Any:
    """Parameters plus updates, in the parameters' dtypes.

    Parameters
    ----------
    params, updates : pytree
        Of one structure.

    Examples
    --------
    >>> import fnx.numpy as jnp
    >>> apply_updates({"w": jnp.ones(2)}, {"w": jnp.ones(2)})
    {'w': Array([2., 2.], dtype=float32)}
    """
    return tree_util.tree_map(lambda p, u: (p + u).astype(p.dtype), params, updates)


def global_norm(tree: Any) -> Any:
    """The Euclidean norm of all leaves together.

    Parameters
    ----------
    tree : pytree
        Of arrays.

    Examples
    --------
    >>> import fnx.numpy as jnp
    >>> global_norm([jnp.array([3.]), jnp.array([4.])])
    Array(5., dtype=float32)
    """
    squares = [jnp.sum(jnp.square(x)) for x in tree_util.tree_leaves(tree)]
    total = squares[0]
    for square in squares[1:]:
        total = total + square
    return jnp.sqrt(total)


def clip_by_global_norm(max_norm: float) -> Optimizer:
    """Gradients scaled down to a norm, if theirs is larger.

    Parameters
    ----------
    max_norm : float
        The largest norm that passes.

    References
    ----------
    Pascanu, Mikolov and Bengio, *On the difficulty of training recurrent neural networks* (2013).

    Examples
    --------
    >>> import fnx.numpy as jnp
    >>> clip_by_global_norm(1.).update(jnp.array([3., 4.]), ())[0]
    Array([0.6, 0.8], dtype=float32)
    """

    def update(grads: Any, state: Any, params: Any = None) -> tuple[Any, Any]:
        norm = global_norm(grads)
        scale = jnp.where(norm > max_norm, max_norm / norm, 1.0)
        return tree_util.tree_map(lambda g: g * scale.astype(g.dtype), grads), state

    return Optimizer(lambda params: (), update)


def chain(*optimizers: Optimizer) -> Optimizer:
    """Several transformations of gradients, one after the other.

    Parameters
    ----------
    *optimizers : Optimizer
        Applied in order.

    Examples
    --------
    >>> import fnx.numpy as jnp
    >>> from fnx.optim import sgd
    >>> opt = chain(clip_by_global_norm(1.), sgd(1.))
    >>> opt.update(jnp.array([3., 4.]), opt.init(jnp.zeros(2)))[0]
    Array([-0.6, -0.8], dtype=float32)
    """

    def init(params: Any) -> Any:
        return tuple([o.init(params) for o in optimizers])

    def update(grads: Any, state: Any, params: Any = None) -> tuple[Any, Any]:
        states = []
        for optimizer, old in zip(optimizers, state, strict=True):
            grads, new = optimizer.update(grads, old, params)
            states.append(new)
        return grads, tuple(states)

    return Optimizer(init, update)
