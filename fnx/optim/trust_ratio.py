"""Rules for large batches and large models: lamb and lion.

Lamb scales Adam's step of each parameter to the parameter's own size; lion steps by signs only.
Read next: `schedules`.
"""

from __future__ import annotations

from typing import Any

from fnx import numpy as jnp
from fnx.optim.rules import Options, Rule, is_used, pair
from fnx.optim.transformations import Optimizer

__all__ = ["LAMB", "LION", "lamb", "lion"]


def _switches(options: Options) -> tuple[str, ...]:
    return ("decoupled",) if is_used(options["weight_decay"]) else ()


def _norm(x: Any) -> Any:
    return jnp.sqrt(jnp.sum(x * x))


def _lamb_numbers(count: Any, carried: dict[str, Any], options: Options) -> Any:
    b1, b2 = options["betas"]
    corrections = (1 - b1**count, 1 - b2**count)
    numbers = (1 - b1, b2, 1 - b2, options["eps"], options["weight_decay"], -options["lr"])
    return (*corrections, *numbers), carried


def _lamb_leaf(switches: tuple[str, ...], p: Any, g: Any, slots: Any, numbers: Any) -> Any:
    c1, c2, one_minus_b1, b2, one_minus_b2, eps, weight_decay, negative_lr = numbers
    mean = slots[0] + one_minus_b1 * (g - slots[0])
    square = b2 * slots[1] + one_minus_b2 * g * g
    step = (mean / c1) / (jnp.sqrt(square / c2) + eps)
    if "decoupled" in switches:
        step = step + weight_decay * p
    size, own = _norm(step), _norm(p)
    one = jnp.ones_like(size)
    usable = (size > 0) & (own > 0)
    ratio = jnp.where(usable, own / jnp.where(usable, size, one), one)
    return negative_lr * ratio * step, (mean, square)


LAMB = Rule(
    "lamb",
    _switches,
    lambda switches: ("exp_avg", "exp_avg_sq"),
    _lamb_numbers,
    _lamb_leaf,
    reads_params=True,
    elementwise=False,
)


def lamb(
    learning_rate: Any,
    b1: Any = 0.9,
    b2: Any = 0.999,
    eps: Any = 1e-6,
    weight_decay: Any = 0.0,
) -> Optimizer:
    """Adam's direction, with a step in proportion to the size of each parameter.

    Parameters
    ----------
    learning_rate : float or 0-d array
        The step, as a share of the parameter's norm.
    b1, b2 : float
        Decay of the first and second moment.
    eps : float
        Added to the root of the second moment.
    weight_decay : float
        Adds this times the parameter to the direction.

    References
    ----------
    You and others, *Large batch optimization for deep learning: training BERT in 76 minutes*
    (2020), algorithm 2.

    Examples
    --------
    >>> import fnx.numpy as jnp
    >>> opt = lamb(0.1)
    >>> params = jnp.full(2, 5.0)
    >>> opt.update(jnp.ones(2), opt.init(params), params)[0]
    Array([-0.5, -0.5], dtype=float32)
    """
    options = {"lr": learning_rate, "betas": (b1, b2), "eps": eps, "weight_decay": weight_decay}
    return pair(LAMB, options)


def _lion_numbers(count: Any, carried: dict[str, Any], options: Options) -> Any:
    b1, b2 = options["betas"]
    return (b1, 1 - b1, b2, 1 - b2, options["weight_decay"], -options["lr"]), carried


def _lion_leaf(switches: tuple[str, ...], p: Any, g: Any, slots: Any, numbers: Any) -> Any:
    b1, one_minus_b1, b2, one_minus_b2, weight_decay, negative_lr = numbers
    (mean,) = slots
    step = jnp.sign(b1 * mean + one_minus_b1 * g)
    if "decoupled" in switches:
        step = step + weight_decay * p
    return negative_lr * step, (b2 * mean + one_minus_b2 * g,)


LION = Rule("lion", _switches, lambda switches: ("exp_avg",), _lion_numbers, _lion_leaf)


def lion(learning_rate: Any, b1: Any = 0.9, b2: Any = 0.99, weight_decay: Any = 1e-3) -> Optimizer:
    """Steps by the sign of a mean of the gradient: every element moves by the same amount.

    Parameters
    ----------
    learning_rate : float or 0-d array
        The step.
    b1 : float
        How much of the mean is in the direction.
    b2 : float
        Decay of the mean.
    weight_decay : float
        Parameters shrink by ``learning_rate * weight_decay`` a step.

    References
    ----------
    Chen and others, *Symbolic discovery of optimization algorithms* (2023), program 1.

    Examples
    --------
    >>> import fnx.numpy as jnp
    >>> opt = lion(0.1, weight_decay=0.0)
    >>> opt.update(jnp.array([2.0, -7.0]), opt.init(jnp.zeros(2)))[0]
    Array([-0.1,  0.1], dtype=float32)
    """
    return pair(LION, {"lr": learning_rate, "betas": (b1, b2), "weight_decay": weight_decay})
