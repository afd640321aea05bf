"""Optimizers as pairs of pure functions: ``init(params) -> state``, ``update(grads, state, params) -> (updates, state)``.

Parameters, gradients and states are pytrees; nothing is changed in place, so a training step can be jitted and
differentiated.  `apply_updates` adds updates to parameters.  The pairs have the shape of optax's
``GradientTransformation``, so that the loops written for it run.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from fnx import numpy as jnp
from fnx import tree_util

__all__ = [
    "Optimizer",
    "adam",
    "adamw",
    "apply_updates",
    "chain",
    "clip_by_global_norm",
    "global_norm",
    "sgd",
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


def _zeros(params: Any) -> Any:
    return tree_util.tree_map(jnp.zeros_like, params)


def sgd(learning_rate: float, momentum: float = 0.0, nesterov: bool = False) -> Optimizer:
    """Gradient descent with momentum: ``m = momentum m + g``, ``update = -learning_rate m``.

    Parameters
    ----------
    learning_rate : float or 0-d array
        The step.
    momentum : float
        How much of the last direction stays.
    nesterov : bool
        Look ahead: ``g + momentum m`` in place of m.

    References
    ----------
    Sutskever, Martens, Dahl and Hinton, *On the importance of initialization and momentum in deep learning* (2013).

    Examples
    --------
    >>> import fnx.numpy as jnp
    >>> opt = sgd(0.1)
    >>> updates, state = opt.update(jnp.ones(2), opt.init(jnp.zeros(2)))
    >>> updates
    Array([-0.1, -0.1], dtype=float32)
    """

    def init(params: Any) -> Any:
        return _zeros(params) if momentum else ()

    def update(grads: Any, state: Any, params: Any = None) -> tuple[Any, Any]:
        if not momentum:
            return tree_util.tree_map(lambda g: -learning_rate * g, grads), state
        state = tree_util.tree_map(lambda m, g: momentum * m + g, state, grads)
        ahead = (
            tree_util.tree_map(lambda m, g: g + momentum * m, state, grads) if nesterov else state
        )
        return tree_util.tree_map(lambda m: -learning_rate * m, ahead), state

    return Optimizer(init, update)


class AdamState(NamedTuple):
    """Step count and running moments."""

    count: Any
    mean: Any
    square: Any


def adam(learning_rate: float, b1: float = 0.9, b2: float = 0.999, eps: float = 1e-8) -> Optimizer:
    """Steps scaled by running moments of the gradient.

    Parameters
    ----------
    learning_rate : float or 0-d array
        The step.
    b1, b2 : float
        Decay of the first and second moment.
    eps : float
        Added to the root of the second moment.

    References
    ----------
    Kingma and Ba, *Adam: a method for stochastic optimization* (2015), algorithm 1.

    Examples
    --------
    >>> import fnx.numpy as jnp
    >>> opt = adam(0.1)
    >>> updates, state = opt.update(jnp.ones(2), opt.init(jnp.zeros(2)))
    >>> updates
    Array([-0.1, -0.1], dtype=float32)
    """
    return adamw(learning_rate, b1, b2, eps, weight_decay=0.0)


def adamw(
    learning_rate: float,
    b1: float = 0.9,
    b2: float = 0.999,
    eps: float = 1e-8,
    weight_decay: float = 1e-4,
) -> Optimizer:
    """Adam with weight decay apart from the gradient.

    Parameters
    ----------
    learning_rate : float or 0-d array
        The step.
    b1, b2 : float
        Decay of the first and second moment.
    eps : float
        Added to the root of the second moment.
    weight_decay : float
        Parameters shrink by ``learning_rate * weight_decay`` a step.

    References
    ----------
    Loshchilov and Hutter, *Decoupled weight decay regularization* (2019), algorithm 2.

    Examples
    --------
    >>> import fnx.numpy as jnp
    >>> opt = adamw(0.1)
    >>> params = jnp.zeros(2)
    >>> updates, state = opt.update(jnp.ones(2), opt.init(params), params)
    >>> updates
    Array([-0.1, -0.1], dtype=float32)
    """

    def init(params: Any) -> AdamState:
        return AdamState(jnp.zeros((), "int32"), _zeros(params), _zeros(params))

    def update(grads: Any, state: AdamState, params: Any = None) -> tuple[Any, AdamState]:
        count = state.count + 1
        mean = tree_util.tree_map(lambda m, g: b1 * m + (1 - b1) * g, state.mean, grads)
        square = tree_util.tree_map(lambda v, g: b2 * v + (1 - b2) * g * g, state.square, grads)
        c1 = 1 - b1 ** count.astype("float32")
        c2 = 1 - b2 ** count.astype("float32")

        def step(m: Any, v: Any) -> Any:
            scale = c1.astype(m.dtype), c2.astype(m.dtype)
            return -learning_rate * (m / scale[0]) / (jnp.sqrt(v / scale[1]) + eps)

        updates = tree_util.tree_map(step, mean, square)
        if weight_decay:
            if params is None:
                raise ValueError(
                    "adamw: weight decay needs the parameters. Call update(grads, state, params)."
                )
            updates = tree_util.tree_map(
                lambda u, p: u - learning_rate * weight_decay * p, updates, params
            )
        return updates, AdamState(count, mean, square)

    return Optimizer(init, update)


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
