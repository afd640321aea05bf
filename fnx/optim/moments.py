"""Rules that divide a running mean of the gradient by a running size of it: Adam and its kin.

With g the gradient, b1 and b2 the decays and t the step: ``m = b1 m + (1 - b1) g``,
``v = b2 v + (1 - b2) g²``; ``c1 = 1 - b1^t`` and ``c2 = 1 - b2^t`` undo the start from zero.
Read next: `adaptive`.
"""

from __future__ import annotations

from typing import Any

from fnx import numpy as jnp
from fnx.optim.descent import decaying_switches, oriented
from fnx.optim.rules import Options, Rule, as_number, choose, is_used, pair, rounded
from fnx.optim.transformations import Optimizer

__all__ = ["ADAM", "ADAMAX", "NADAM", "RADAM", "adam", "adamax", "adamw", "nadam", "radam"]


def _switches(options: Options) -> tuple[str, ...]:
    switches = [name for name in ("amsgrad", "maximize") if options.get(name)]
    if is_used(options["weight_decay"]):
        switches.append("decoupled" if options["decoupled_weight_decay"] else "decay")
    return tuple(switches)


def _decay(options: Options) -> Any:
    """The number that weight decay multiplies parameters by: in the gradient, or in the update."""
    if options["decoupled_weight_decay"]:
        return -(options["lr"] * options["weight_decay"])
    return options["weight_decay"]


def _means(g: Any, mean: Any, square: Any, numbers: Any) -> tuple[Any, Any]:
    one_minus_b1, b2, one_minus_b2 = numbers
    mean = mean + one_minus_b1 * (g - mean)
    return mean, b2 * square + one_minus_b2 * g * g


def _with_decay(switches: tuple[str, ...], p: Any, update: Any, decay: Any) -> Any:
    return decay * p + update if "decoupled" in switches else update


# --------------------------------------------------------------------------------------------- adam


def _adam_numbers(count: Any, carried: dict[str, Any], options: Options) -> Any:
    b1, b2 = options["betas"]
    step_size = options["lr"] / (1 - b1**count)
    root = (1 - b2**count) ** 0.5
    return (_decay(options), 1 - b1, b2, 1 - b2, root, options["eps"], -step_size), carried


def _adam_leaf(switches: tuple[str, ...], p: Any, g: Any, slots: Any, numbers: Any) -> Any:
    decay, *blend, root, eps, negative_step = numbers
    g = oriented(switches, p, g, decay)
    mean, square = _means(g, slots[0], slots[1], blend)
    after: tuple[Any, ...] = (mean, square)
    if "amsgrad" in switches:
        largest = jnp.maximum(slots[2], square)
        after = (mean, square, largest)
    size = jnp.sqrt(after[-1]) / root + eps
    return _with_decay(switches, p, negative_step * (mean / size), decay), after


def _adam_slots(switches: tuple[str, ...]) -> tuple[str, ...]:
    largest = ("max_exp_avg_sq",) if "amsgrad" in switches else ()
    return ("exp_avg", "exp_avg_sq", *largest)


ADAM = Rule("adam", _switches, _adam_slots, _adam_numbers, _adam_leaf)


def adam(
    learning_rate: Any,
    b1: Any = 0.9,
    b2: Any = 0.999,
    eps: Any = 1e-8,
    *,
    weight_decay: Any = 0.0,
    amsgrad: bool = False,
    maximize: bool = False,
) -> Optimizer:
    """Steps scaled by running moments of the gradient.

    Parameters
    ----------
    learning_rate : float or 0-d array
        The step.
    b1, b2 : float
        Decay of the first and second moment.
    eps : float
        Added to the root of the second moment.
    weight_decay : float
        Adds this times the parameter to its gradient.
    amsgrad : bool
        Divide by the largest second moment so far.
    maximize : bool
        Go uphill.

    References
    ----------
    Kingma and Ba, *Adam: a method for stochastic optimization* (2015), algorithm 1. Reddi, Kale and
    Kumar, *On the convergence of Adam and beyond* (2018).

    Examples
    --------
    >>> import fnx.numpy as jnp
    >>> opt = adam(0.1)
    >>> updates, state = opt.update(jnp.ones(2), opt.init(jnp.zeros(2)))
    >>> updates
    Array([-0.1, -0.1], dtype=float32)
    """
    return _adam_pair(
        ADAM, learning_rate, b1, b2, eps, weight_decay, False, amsgrad=amsgrad, maximize=maximize
    )


def adamw(
    learning_rate: Any,
    b1: Any = 0.9,
    b2: Any = 0.999,
    eps: Any = 1e-8,
    weight_decay: Any = 1e-4,
    *,
    amsgrad: bool = False,
    maximize: bool = False,
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
    amsgrad : bool
        Divide by the largest second moment so far.
    maximize : bool
        Go uphill.

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
    return _adam_pair(
        ADAM, learning_rate, b1, b2, eps, weight_decay, True, amsgrad=amsgrad, maximize=maximize
    )


def _adam_pair(
    rule: Rule,
    lr: Any,
    b1: Any,
    b2: Any,
    eps: Any,
    weight_decay: Any,
    decoupled_weight_decay: bool,
    **others: Any,
) -> Optimizer:
    options = {
        "lr": lr,
        "betas": (b1, b2),
        "eps": eps,
        "weight_decay": weight_decay,
        "decoupled_weight_decay": decoupled_weight_decay,
        **others,
    }
    return pair(rule, options)


# ------------------------------------------------------------------------------------------- adamax


def _adamax_numbers(count: Any, carried: dict[str, Any], options: Options) -> Any:
    b1, b2 = options["betas"]
    step_size = options["lr"] / (1 - b1**count)
    return (options["weight_decay"], 1 - b1, b2, options["eps"], -step_size), carried


def _adamax_leaf(switches: tuple[str, ...], p: Any, g: Any, slots: Any, numbers: Any) -> Any:
    decay, one_minus_b1, b2, eps, negative_step = numbers
    g = oriented(switches, p, g, decay)
    mean = slots[0] + one_minus_b1 * (g - slots[0])
    largest = jnp.maximum(slots[1] * b2, jnp.abs(g) + eps)
    return negative_step * (mean / largest), (mean, largest)


ADAMAX = Rule(
    "adamax",
    decaying_switches,
    lambda switches: ("exp_avg", "exp_inf"),
    _adamax_numbers,
    _adamax_leaf,
)


def adamax(
    learning_rate: Any = 0.002,
    b1: Any = 0.9,
    b2: Any = 0.999,
    eps: Any = 1e-8,
    *,
    weight_decay: Any = 0.0,
    maximize: bool = False,
) -> Optimizer:
    """Adam with the largest recent gradient in place of the second moment.

    Parameters
    ----------
    learning_rate : float or 0-d array
        The step.
    b1, b2 : float
        Decay of the mean, and of the largest gradient.
    eps : float
        Added to the size of the gradient.
    weight_decay : float
        Adds this times the parameter to its gradient.
    maximize : bool
        Go uphill.

    References
    ----------
    Kingma and Ba, *Adam: a method for stochastic optimization* (2015), algorithm 2.

    Examples
    --------
    >>> import fnx.numpy as jnp
    >>> opt = adamax(0.1)
    >>> opt.update(jnp.ones(2), opt.init(jnp.zeros(2)))[0]
    Array([-0.1, -0.1], dtype=float32)
    """
    return _adam_pair(ADAMAX, learning_rate, b1, b2, eps, weight_decay, False, maximize=maximize)


# -------------------------------------------------------------------------------------------- nadam


def _nadam_numbers(count: Any, carried: dict[str, Any], options: Options) -> Any:
    b1, b2 = options["betas"]
    lr, decay = options["lr"], options["momentum_decay"]
    mu = b1 * (1.0 - 0.5 * 0.96 ** (count * decay))
    mu_next = b1 * (1.0 - 0.5 * 0.96 ** ((count + 1) * decay))
    # The product is kept in the precision that it came in, and read in double precision.
    product = carried["mu_product"] * rounded(mu, carried["mu_product"])
    whole = as_number(product)
    of_gradient = -lr * (1.0 - mu) / (1.0 - whole)
    of_mean = -lr * mu_next / (1.0 - whole * mu_next)
    numbers = (_decay(options), 1 - b1, b2, 1 - b2, 1 - b2**count, options["eps"])
    return (*numbers, of_gradient, of_mean), {"mu_product": product}


def _nadam_leaf(switches: tuple[str, ...], p: Any, g: Any, slots: Any, numbers: Any) -> Any:
    decay, *blend, correction, eps, of_gradient, of_mean = numbers
    g = oriented(switches, p, g, decay)
    mean, square = _means(g, slots[0], slots[1], blend)
    size = jnp.sqrt(square / correction) + eps
    update = of_gradient * (g / size) + of_mean * (mean / size)
    return _with_decay(switches, p, update, decay), (mean, square)


NADAM = Rule(
    "nadam",
    _switches,
    _adam_slots,
    _nadam_numbers,
    _nadam_leaf,
    carried=lambda options: {"mu_product": 1.0},
)


def nadam(
    learning_rate: Any = 0.002,
    b1: Any = 0.9,
    b2: Any = 0.999,
    eps: Any = 1e-8,
    *,
    weight_decay: Any = 0.0,
    momentum_decay: Any = 0.004,
    decoupled_weight_decay: bool = False,
    maximize: bool = False,
) -> Optimizer:
    """Adam that looks ahead, as Nesterov's momentum does.

    Parameters
    ----------
    learning_rate : float or 0-d array
        The step.
    b1, b2 : float
        Decay of the first and second moment.
    eps : float
        Added to the root of the second moment.
    weight_decay : float
        Adds this times the parameter to its gradient, or shrinks the parameter.
    momentum_decay : float
        How quickly the momentum rises to `b1`.
    decoupled_weight_decay : bool
        Whether weight decay is apart from the gradient, as in `adamw`.
    maximize : bool
        Go uphill.

    References
    ----------
    Dozat, *Incorporating Nesterov momentum into Adam* (2016).

    Examples
    --------
    >>> import fnx.numpy as jnp
    >>> opt = nadam(0.1)
    >>> opt.update(jnp.ones(2), opt.init(jnp.zeros(2)))[0]
    Array([-0.10564518, -0.10564518], dtype=float32)
    """
    return _adam_pair(
        NADAM,
        learning_rate,
        b1,
        b2,
        eps,
        weight_decay,
        decoupled_weight_decay,
        momentum_decay=momentum_decay,
        maximize=maximize,
    )


# -------------------------------------------------------------------------------------------- radam


def _radam_numbers(count: Any, carried: dict[str, Any], options: Options) -> Any:
    b1, b2 = options["betas"]
    c1, c2 = 1 - b1**count, 1 - b2**count
    limit = 2 / (1 - b2) - 1
    length = limit - 2 * count * b2**count / c2  # of the average that v amounts to
    tractable = length > 5.0
    safe = choose(tractable, length, 6.0)  # the root below is of a positive number
    variance = (safe - 4) * (safe - 2) * limit / ((limit - 4) * (limit - 2) * safe)
    rectified = choose(tractable, 1.0, 0.0)
    scale = choose(tractable, variance, 1.0) ** 0.5
    numbers = (_decay(options), 1 - b1, b2, 1 - b2, options["eps"])
    return (*numbers, c1, options["lr"], c2**0.5, scale, rectified), carried


def _radam_leaf(switches: tuple[str, ...], p: Any, g: Any, slots: Any, numbers: Any) -> Any:
    decay, *blend, eps, c1, lr, root, scale, rectified = numbers
    g = oriented(switches, p, g, decay)
    mean, square = _means(g, slots[0], slots[1], blend)
    step = mean / c1 * lr
    adaptive = step * (root / (jnp.sqrt(square) + eps)) * scale
    update = -jnp.where(rectified > 0, adaptive, step)
    return _with_decay(switches, p, update, decay), (mean, square)


RADAM = Rule("radam", _switches, _adam_slots, _radam_numbers, _radam_leaf)


def radam(
    learning_rate: Any = 0.001,
    b1: Any = 0.9,
    b2: Any = 0.999,
    eps: Any = 1e-8,
    *,
    weight_decay: Any = 0.0,
    decoupled_weight_decay: bool = False,
    maximize: bool = False,
) -> Optimizer:
    """Adam that takes plain steps until its second moment means something.

    Parameters
    ----------
    learning_rate : float or 0-d array
        The step.
    b1, b2 : float
        Decay of the first and second moment.
    eps : float
        Added to the root of the second moment.
    weight_decay : float
        Adds this times the parameter to its gradient, or shrinks the parameter.
    decoupled_weight_decay : bool
        Whether weight decay is apart from the gradient, as in `adamw`.
    maximize : bool
        Go uphill.

    References
    ----------
    Liu, Jiang, He, Chen, Liu, Gao and Han, *On the variance of the adaptive learning rate and
    beyond* (2020).

    Examples
    --------
    >>> import fnx.numpy as jnp
    >>> opt = radam(0.1)
    >>> opt.update(jnp.ones(2), opt.init(jnp.zeros(2)))[0]
    Array([-0.1, -0.1], dtype=float32)
    """
    return _adam_pair(
        RADAM,
        learning_rate,
        b1,
        b2,
        eps,
        weight_decay,
        decoupled_weight_decay,
        maximize=maximize,
    )
