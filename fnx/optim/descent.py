"""Rules that follow the gradient itself: sgd, asgd and rprop.

Read next: `moments`, `adaptive`.
"""

from __future__ import annotations

from typing import Any

from fnx import numpy as jnp
from fnx.optim.rules import Options, Rule, as_number, choose, is_used, pair
from fnx.optim.transformations import Optimizer

__all__ = ["ASGD", "RPROP", "SGD", "asgd", "oriented", "rprop", "sgd"]


def oriented(switches: tuple[str, ...], p: Any, g: Any, weight_decay: Any) -> Any:
    """The gradient of what is to be made small: its sign turned, the penalty added.

    Parameters
    ----------
    switches : tuple of str
        Among them ``"maximize"`` and ``"decay"``, or not.
    p, g : Array
        A parameter and its gradient.
    weight_decay : float or Array
        Half the weight of the sum of squares of the parameter.
    """
    if "maximize" in switches:
        g = -g
    if "decay" in switches:
        g = g + weight_decay * p
    return g


# ---------------------------------------------------------------------------------------------- sgd


def _sgd_switches(options: Options) -> tuple[str, ...]:
    return tuple(
        [name for name in ("maximize", "nesterov") if options[name]]
        + (["momentum"] if is_used(options["momentum"]) else [])
        + (["decay"] if is_used(options["weight_decay"]) else [])
    )


def _sgd_numbers(count: Any, carried: dict[str, Any], options: Options) -> Any:
    # The first buffer is the gradient whole: dampening starts with the second step.
    first = count == 1
    momentum = options["momentum"]
    kept = choose(first, 0.0, momentum)
    gain = choose(first, 1.0, 1 - options["dampening"])
    return (options["weight_decay"], momentum, kept, gain, -options["lr"]), carried


def _sgd_leaf(switches: tuple[str, ...], p: Any, g: Any, slots: Any, numbers: Any) -> Any:
    decay, momentum, kept, gain, negative_lr = numbers
    g = oriented(switches, p, g, decay)
    if "momentum" not in switches:
        return negative_lr * g, ()
    buffer = kept * slots[0] + gain * g
    ahead = g + momentum * buffer if "nesterov" in switches else buffer
    return negative_lr * ahead, (buffer,)


SGD = Rule(
    "sgd",
    _sgd_switches,
    lambda switches: ("momentum_buffer",) if "momentum" in switches else (),
    _sgd_numbers,
    _sgd_leaf,
)


def sgd(
    learning_rate: Any,
    momentum: Any = 0.0,
    nesterov: bool = False,
    *,
    dampening: Any = 0.0,
    weight_decay: Any = 0.0,
    maximize: bool = False,
) -> Optimizer:
    """Gradient descent with momentum: ``m = momentum m + (1 - dampening) g``, ``-learning_rate m``.

    Parameters
    ----------
    learning_rate : float or 0-d array
        The step.
    momentum : float
        How much of the last direction stays.
    nesterov : bool
        Look ahead: ``g + momentum m`` in place of m.
    dampening : float
        How much of the gradient is left out of m, from the second step on.
    weight_decay : float
        Adds this times the parameter to its gradient.
    maximize : bool
        Go uphill.

    References
    ----------
    Sutskever, Martens, Dahl and Hinton, *On the importance of initialization and momentum in deep
    learning* (2013).

    Examples
    --------
    >>> import fnx.numpy as jnp
    >>> opt = sgd(0.1)
    >>> updates, state = opt.update(jnp.ones(2), opt.init(jnp.zeros(2)))
    >>> updates
    Array([-0.1, -0.1], dtype=float32)
    """
    return pair(
        SGD,
        {
            "lr": learning_rate,
            "momentum": momentum,
            "dampening": dampening,
            "weight_decay": weight_decay,
            "nesterov": nesterov,
            "maximize": maximize,
        },
    )


# --------------------------------------------------------------------------------------------- asgd


def decaying_switches(options: Options) -> tuple[str, ...]:
    """The switches of rules that know weight decay and the direction only.

    Parameters
    ----------
    options : mapping
        Hyperparameters.
    """
    switches = ["maximize"] if options["maximize"] else []
    return tuple(switches + (["decay"] if is_used(options["weight_decay"]) else []))


def _asgd_numbers(count: Any, carried: dict[str, Any], options: Options) -> Any:
    lambd, lr = options["lambd"], options["lr"]
    eta, mu = as_number(carried["eta"]), as_number(carried["mu"])
    after = {
        "eta": lr / (1 + lambd * lr * count) ** options["alpha"],
        "mu": 1 / choose(count - options["t0"] > 1, count - options["t0"], 1.0),
    }
    return (options["weight_decay"], -lambd * eta, -eta, mu), after


def _asgd_leaf(switches: tuple[str, ...], p: Any, g: Any, slots: Any, numbers: Any) -> Any:
    decay, shrinking, negative_eta, mu = numbers
    (average,) = slots
    g = oriented(switches, p, g, decay)
    update = shrinking * p + negative_eta * g
    new = p + update
    average = jnp.where(mu == 1, new, average + (new - average) * mu)
    return update, (average,)


ASGD = Rule(
    "asgd",
    decaying_switches,
    lambda switches: ("ax",),
    _asgd_numbers,
    _asgd_leaf,
    carried=lambda options: {"eta": options["lr"], "mu": 1.0},
    reads_params=True,
)


def asgd(
    learning_rate: Any = 0.01,
    lambd: Any = 1e-4,
    alpha: Any = 0.75,
    t0: Any = 1e6,
    *,
    weight_decay: Any = 0.0,
    maximize: bool = False,
) -> Optimizer:
    """Averaged gradient descent; the slot ``ax`` of the state holds the average.

    Parameters
    ----------
    learning_rate : float or 0-d array
        The first step.
    lambd : float
        Parameters shrink by this times the step.
    alpha : float
        Steps fall as ``(1 + lambd learning_rate count) ** -alpha``.
    t0 : float
        The step at which averaging starts.
    weight_decay : float
        Adds this times the parameter to its gradient.
    maximize : bool
        Go uphill.

    References
    ----------
    Polyak and Juditsky, *Acceleration of stochastic approximation by averaging* (1992).

    Examples
    --------
    >>> import fnx.numpy as jnp
    >>> opt = asgd(0.5)
    >>> params = jnp.zeros(2)
    >>> opt.update(jnp.ones(2), opt.init(params), params)[0]
    Array([-0.5, -0.5], dtype=float32)
    """
    return pair(
        ASGD,
        {
            "lr": learning_rate,
            "lambd": lambd,
            "alpha": alpha,
            "t0": t0,
            "weight_decay": weight_decay,
            "maximize": maximize,
        },
    )


# -------------------------------------------------------------------------------------------- rprop


def _rprop_numbers(count: Any, carried: dict[str, Any], options: Options) -> Any:
    return (*options["etas"], *options["step_sizes"]), carried


def _rprop_leaf(switches: tuple[str, ...], p: Any, g: Any, slots: Any, numbers: Any) -> Any:
    shrinking, growing, least, largest = numbers
    previous, size = slots
    g = oriented(switches, p, g, 0.0)
    agreement = g * previous
    one = jnp.ones_like(agreement)
    factor = jnp.where(agreement > 0, growing, jnp.where(agreement < 0, shrinking, one))
    size = jnp.minimum(jnp.maximum(size * factor, least), largest)
    # Where the sign changed, the step is left out, and the next one counts as a first.
    g = jnp.where(agreement < 0, jnp.zeros_like(g), g)
    return -(jnp.sign(g) * size), (g, size)


RPROP = Rule(
    "rprop",
    lambda options: ("maximize",) if options["maximize"] else (),
    lambda switches: ("prev", "step_size"),
    _rprop_numbers,
    _rprop_leaf,
    initial=lambda options: {"step_size": options["lr"]},
)


def rprop(
    learning_rate: Any = 0.01,
    etas: tuple[Any, Any] = (0.5, 1.2),
    step_sizes: tuple[Any, Any] = (1e-6, 50.0),
    *,
    maximize: bool = False,
) -> Optimizer:
    """Steps that read the sign of the gradient only, and grow while it stays.

    Parameters
    ----------
    learning_rate : float
        Every element's first step.
    etas : tuple of float
        Factors by which steps shrink and grow.
    step_sizes : tuple of float
        The smallest and the largest step.
    maximize : bool
        Go uphill.

    References
    ----------
    Riedmiller and Braun, *A direct adaptive method for faster backpropagation learning* (1993).

    Examples
    --------
    >>> import fnx.numpy as jnp
    >>> opt = rprop(0.1)
    >>> opt.update(jnp.array([2.0, -7.0]), opt.init(jnp.zeros(2)))[0]
    Array([-0.1,  0.1], dtype=float32)
    """
    options = {"lr": learning_rate, "etas": etas, "step_sizes": step_sizes, "maximize": maximize}
    return pair(RPROP, options)
