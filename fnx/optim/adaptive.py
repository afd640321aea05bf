"""Rules that divide the gradient by a size of past gradients: adagrad, adadelta and rmsprop.

Read next: `lbfgs`.
"""

from __future__ import annotations

from typing import Any

from fnx import numpy as jnp
from fnx.optim.descent import decaying_switches, oriented
from fnx.optim.rules import Options, Rule, is_used, pair
from fnx.optim.transformations import Optimizer

__all__ = ["ADADELTA", "ADAGRAD", "RMSPROP", "adadelta", "adagrad", "rmsprop"]


# ------------------------------------------------------------------------------------------ adagrad


def _adagrad_numbers(count: Any, carried: dict[str, Any], options: Options) -> Any:
    step_size = options["lr"] / (1 + (count - 1) * options["lr_decay"])
    return (options["weight_decay"], options["eps"], -step_size), carried


def _adagrad_leaf(switches: tuple[str, ...], p: Any, g: Any, slots: Any, numbers: Any) -> Any:
    decay, eps, negative_step = numbers
    g = oriented(switches, p, g, decay)
    total = slots[0] + g * g
    return negative_step * (g / (jnp.sqrt(total) + eps)), (total,)


ADAGRAD = Rule(
    "adagrad",
    decaying_switches,
    lambda switches: ("sum",),
    _adagrad_numbers,
    _adagrad_leaf,
    initial=lambda options: {"sum": options["initial_accumulator_value"]},
)


def adagrad(
    learning_rate: Any = 0.01,
    initial_accumulator_value: Any = 0.0,
    eps: Any = 1e-10,
    *,
    lr_decay: Any = 0.0,
    weight_decay: Any = 0.0,
    maximize: bool = False,
) -> Optimizer:
    """Steps divided by the root of the sum of all squared gradients.

    Parameters
    ----------
    learning_rate : float or 0-d array
        The step.
    initial_accumulator_value : float
        What the sums start from.
    eps : float
        Added to the root.
    lr_decay : float
        Steps fall as ``1 / (1 + (count - 1) lr_decay)``.
    weight_decay : float
        Adds this times the parameter to its gradient.
    maximize : bool
        Go uphill.

    References
    ----------
    Duchi, Hazan and Singer, *Adaptive subgradient methods for online learning and stochastic
    optimization* (2011).

    Examples
    --------
    >>> import fnx.numpy as jnp
    >>> opt = adagrad(0.1)
    >>> opt.update(jnp.array([2.0, -7.0]), opt.init(jnp.zeros(2)))[0]
    Array([-0.1,  0.1], dtype=float32)
    """
    return pair(
        ADAGRAD,
        {
            "lr": learning_rate,
            "lr_decay": lr_decay,
            "eps": eps,
            "weight_decay": weight_decay,
            "initial_accumulator_value": initial_accumulator_value,
            "maximize": maximize,
        },
    )


# ----------------------------------------------------------------------------------------- adadelta


def _adadelta_numbers(count: Any, carried: dict[str, Any], options: Options) -> Any:
    rho = options["rho"]
    return (options["weight_decay"], rho, 1 - rho, options["eps"], -options["lr"]), carried


def _adadelta_leaf(switches: tuple[str, ...], p: Any, g: Any, slots: Any, numbers: Any) -> Any:
    decay, rho, rest, eps, negative_lr = numbers
    square, moved = slots
    g = oriented(switches, p, g, decay)
    square = rho * square + rest * g * g
    delta = jnp.sqrt(moved + eps) / jnp.sqrt(square + eps) * g
    moved = rho * moved + rest * delta * delta
    return negative_lr * delta, (square, moved)


ADADELTA = Rule(
    "adadelta",
    decaying_switches,
    lambda switches: ("square_avg", "acc_delta"),
    _adadelta_numbers,
    _adadelta_leaf,
)


def adadelta(
    learning_rate: Any = 1.0,
    rho: Any = 0.9,
    eps: Any = 1e-6,
    *,
    weight_decay: Any = 0.0,
    maximize: bool = False,
) -> Optimizer:
    """Steps in the units of the parameters: past steps over past gradients, times the gradient.

    Parameters
    ----------
    learning_rate : float or 0-d array
        A factor.
    rho : float
        Decay of the two running squares.
    eps : float
        Added to them.
    weight_decay : float
        Adds this times the parameter to its gradient.
    maximize : bool
        Go uphill.

    References
    ----------
    Zeiler, *ADADELTA: an adaptive learning rate method* (2012).

    Examples
    --------
    >>> import fnx.numpy as jnp
    >>> opt = adadelta()
    >>> opt.update(jnp.ones(2), opt.init(jnp.zeros(2)))[0]
    Array([-0.00316226, -0.00316226], dtype=float32)
    """
    return pair(
        ADADELTA,
        {
            "lr": learning_rate,
            "rho": rho,
            "eps": eps,
            "weight_decay": weight_decay,
            "maximize": maximize,
        },
    )


# ------------------------------------------------------------------------------------------ rmsprop


def _rmsprop_switches(options: Options) -> tuple[str, ...]:
    centered = ("centered",) if options["centered"] else ()
    momentum = ("momentum",) if is_used(options["momentum"]) else ()
    return (*decaying_switches(options), *centered, *momentum)


def _rmsprop_slots(switches: tuple[str, ...]) -> tuple[str, ...]:
    momentum = ("momentum_buffer",) if "momentum" in switches else ()
    return ("square_avg", *momentum, *(("grad_avg",) if "centered" in switches else ()))


def _rmsprop_numbers(count: Any, carried: dict[str, Any], options: Options) -> Any:
    alpha = options["alpha"]
    numbers = (options["weight_decay"], alpha, 1 - alpha, options["eps"])
    return (*numbers, options["momentum"], -options["lr"]), carried


def _rmsprop_leaf(switches: tuple[str, ...], p: Any, g: Any, slots: Any, numbers: Any) -> Any:
    decay, alpha, rest, eps, momentum, negative_lr = numbers
    g = oriented(switches, p, g, decay)
    square = alpha * slots[0] + rest * g * g
    variance: Any = square
    mean: tuple[Any, ...] = ()
    if "centered" in switches:
        average = slots[-1] + rest * (g - slots[-1])
        variance = square - average * average
        mean = (average,)
    size = jnp.sqrt(variance) + eps
    if "momentum" not in switches:
        return negative_lr * (g / size), (square, *mean)
    buffer = momentum * slots[1] + g / size
    return negative_lr * buffer, (square, buffer, *mean)


RMSPROP = Rule("rmsprop", _rmsprop_switches, _rmsprop_slots, _rmsprop_numbers, _rmsprop_leaf)


def rmsprop(
    learning_rate: Any = 0.01,
    decay: Any = 0.99,
    eps: Any = 1e-8,
    *,
    weight_decay: Any = 0.0,
    momentum: Any = 0.0,
    centered: bool = False,
    maximize: bool = False,
) -> Optimizer:
    """Steps divided by the root of the running mean of squared gradients.

    Parameters
    ----------
    learning_rate : float or 0-d array
        The step.
    decay : float
        Of the running mean.
    eps : float
        Added to the root.
    weight_decay : float
        Adds this times the parameter to its gradient.
    momentum : float
        How much of the last step stays.
    centered : bool
        Divide by the standard deviation.
    maximize : bool
        Go uphill.

    References
    ----------
    Tieleman and Hinton, *Lecture 6.5: rmsprop* (2012). Graves, *Generating sequences with recurrent
    neural networks* (2013), for the centred form.

    Examples
    --------
    >>> import fnx.numpy as jnp
    >>> opt = rmsprop(0.1)
    >>> opt.update(jnp.ones(2), opt.init(jnp.zeros(2)))[0]
    Array([-0.9999999, -0.9999999], dtype=float32)
    """
    return pair(
        RMSPROP,
        {
            "lr": learning_rate,
            "alpha": decay,
            "eps": eps,
            "weight_decay": weight_decay,
            "momentum": momentum,
            "centered": centered,
            "maximize": maximize,
        },
    )
