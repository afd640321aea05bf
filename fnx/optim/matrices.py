"""Rules that see a parameter as a matrix: adafactor and muon.

The first keeps second moments by row and by column, the second makes its steps orthogonal.

Read next: `lbfgs`.
"""

from __future__ import annotations

import math
from typing import Any

from fnx import numpy as jnp
from fnx.errors import ArgumentValueError
from fnx.optim.rules import Options, Rule, choose, is_used, pair
from fnx.optim.transformations import Optimizer

__all__ = ["ADAFACTOR", "MUON", "adafactor", "muon"]


# ---------------------------------------------------------------------------------------- adafactor


def _adafactor_switches(options: Options) -> tuple[Any, ...]:
    switches = ["maximize"] if options["maximize"] else []
    switches += ["decoupled"] if is_used(options["weight_decay"]) else []
    return tuple(switches + (["eps of dtype"] if options["eps"][0] is None else []))


def _adafactor_shape(name: str, shape: tuple[int, ...]) -> tuple[int, ...]:
    """Slots of the other kind of parameter are empty."""
    is_matrix = len(shape) > 1
    if (name == "variance") == is_matrix:
        return (0,)
    if name == "row_var":
        return (*shape[:-1], 1)
    return (*shape[:-2], 1, shape[-1]) if name == "col_var" else shape


def _adafactor_numbers(count: Any, carried: dict[str, Any], options: Options) -> Any:
    lr, (eps1, eps2) = options["lr"], options["eps"]
    rest = count ** options["beta2_decay"]
    bound = 1 / count**0.5
    rho = choose(lr < bound, lr, bound)
    decay = -(lr * options["weight_decay"])
    return (rest, rho, decay, 0.0 if eps1 is None else eps1, eps2, options["d"]), carried


def _adafactor_leaf(switches: tuple[Any, ...], p: Any, g: Any, slots: Any, numbers: Any) -> Any:
    rest, rho, decay, eps1, eps2, d = numbers
    row, column, variance = slots
    g = -g if "maximize" in switches else g
    eps1 = jnp.finfo(p.dtype).eps if "eps of dtype" in switches else eps1
    squares = g * g
    if p.ndim > 1:
        row = row + rest * (jnp.mean(squares, axis=-1, keepdims=True) - row)
        column = column + rest * (jnp.mean(squares, axis=-2, keepdims=True) - column)
        scale = jnp.maximum(jnp.mean(row, axis=-2, keepdims=True), eps1)
        estimate = row * column / scale
    else:
        estimate = variance = variance + rest * (squares - variance)
    step = g / jnp.sqrt(jnp.maximum(estimate, eps1 * eps1))
    size = rho * jnp.maximum(_root_mean_square(p), eps2)
    update = -(size / jnp.maximum(_root_mean_square(step) / d, 1.0)) * step
    update = decay * p + update if "decoupled" in switches else update
    return update, (row, column, variance)


def _root_mean_square(x: Any) -> Any:
    return jnp.sqrt(jnp.sum(x * x)) / math.sqrt(x.size)


ADAFACTOR = Rule(
    "adafactor",
    _adafactor_switches,
    lambda switches: ("row_var", "col_var", "variance"),
    _adafactor_numbers,
    _adafactor_leaf,
    shape=_adafactor_shape,
    reads_params=True,
    elementwise=False,
)


def adafactor(
    learning_rate: Any = 0.01,
    beta2_decay: Any = -0.8,
    eps: tuple[Any, Any] = (None, 1e-3),
    d: Any = 1.0,
    *,
    weight_decay: Any = 0.0,
    maximize: bool = False,
) -> Optimizer:
    """Steps in proportion to the parameter, with second moments by row and column only.

    Parameters
    ----------
    learning_rate : float or 0-d array
        The largest share of a parameter's size that a step has.
    beta2_decay : float
        The second moment takes in ``count ** beta2_decay`` of the new square.
    eps : tuple of float
        The least second moment (None: the dtype's spacing), and the least size of a parameter.
    d : float
        The largest size of a step before it is scaled.
    weight_decay : float
        Parameters shrink by ``learning_rate * weight_decay`` a step.
    maximize : bool
        Go uphill.

    References
    ----------
    Shazeer and Stern, *Adafactor: adaptive learning rates with sublinear memory cost* (2018).

    Examples
    --------
    >>> import fnx.numpy as jnp
    >>> opt = adafactor(0.1)
    >>> params = jnp.ones((2, 2))
    >>> opt.update(params, opt.init(params), params)[0]
    Array([[-0.1, -0.1],
           [-0.1, -0.1]], dtype=float32)
    """
    options = {
        "lr": learning_rate,
        "beta2_decay": beta2_decay,
        "eps": eps,
        "d": d,
        "weight_decay": weight_decay,
        "maximize": maximize,
    }
    return pair(ADAFACTOR, options)


# --------------------------------------------------------------------------------------------- muon


def _muon_switches(options: Options) -> tuple[Any, ...]:
    steps = options["ns_steps"]
    if steps >= 100:
        raise ArgumentValueError(
            f"Number of steps must be less than 100 for computational efficiency, got {steps}"
        )
    nesterov = ("nesterov",) if options["nesterov"] else ()
    return (("steps", steps), ("adjust", options["adjust_lr_fn"]), *nesterov)


def _muon_numbers(count: Any, carried: dict[str, Any], options: Options) -> Any:
    lr, momentum = options["lr"], options["momentum"]
    shrinking = -(lr * options["weight_decay"])
    numbers = (-lr, shrinking, momentum, 1 - momentum, options["eps"])
    return (*numbers, *options["ns_coefficients"]), carried


def _muon_leaf(switches: tuple[Any, ...], p: Any, g: Any, slots: Any, numbers: Any) -> Any:
    negative_lr, shrinking, momentum, rest, eps, *polynomial = numbers
    if p.ndim != 2:
        raise ArgumentValueError(f"muon: parameters must be matrices, got one of shape {p.shape}")
    chosen: dict[str, Any] = dict([entry for entry in switches if isinstance(entry, tuple)])
    (buffer,) = slots
    buffer = buffer + rest * (g - buffer)
    ahead = g + momentum * (buffer - g) if "nesterov" in switches else buffer
    step = _orthogonal(ahead, chosen["steps"], polynomial, eps).astype(p.dtype)
    ratio = _adjustment(chosen["adjust"], p.shape)
    return shrinking * p + (negative_lr * ratio) * step, (buffer,)


def _orthogonal(g: Any, steps: int, polynomial: Any, eps: Any) -> Any:
    """The nearest orthogonal matrix, about, by iterating a x + b x³ + c x⁵ on singular values.

    In bfloat16, as the method is meant; products are added up in float32.
    """
    a, b, c = [jnp.asarray(x).astype("float32") for x in polynomial]
    is_tall = g.shape[0] > g.shape[1]
    x = _short(g.T if is_tall else g)
    wide = x.astype("float32")
    size = _short(jnp.sqrt(jnp.sum(wide * wide))).astype("float32")
    x = _short(wide / jnp.maximum(size, jnp.asarray(eps).astype("float32")))
    for _ in range(steps):
        wide = x.astype("float32")
        gram = _short(wide @ wide.T).astype("float32")
        change = _short(b * gram + c * (gram @ gram)).astype("float32")
        x = _short(a * wide + change @ wide)
    return x.T if is_tall else x


def _short(x: Any) -> Any:
    return x.astype("bfloat16")


def _adjustment(how: str | None, shape: tuple[int, ...]) -> float:
    """By what a step is scaled for the shape of its matrix."""
    rows, columns = shape
    if how == "match_rms_adamw":
        return 0.2 * math.sqrt(max(rows, columns))
    return math.sqrt(max(1, rows / columns))


MUON = Rule(
    "muon",
    _muon_switches,
    lambda switches: ("momentum_buffer",),
    _muon_numbers,
    _muon_leaf,
    reads_params=True,
    elementwise=False,
)


def muon(
    learning_rate: Any = 1e-3,
    weight_decay: Any = 0.1,
    momentum: Any = 0.95,
    nesterov: bool = True,
    *,
    ns_coefficients: tuple[Any, Any, Any] = (3.4445, -4.7750, 2.0315),
    eps: Any = 1e-7,
    ns_steps: int = 5,
    adjust_lr_fn: str | None = None,
) -> Optimizer:
    """Momentum whose steps are made orthogonal: every direction of a matrix moves alike.

    Parameters
    ----------
    learning_rate : float or 0-d array
        The step.
    weight_decay : float
        Parameters shrink by ``learning_rate * weight_decay`` a step.
    momentum : float
        How much of the last direction stays.
    nesterov : bool
        Look ahead.
    ns_coefficients : tuple of float
        Of the polynomial that is iterated.
    eps : float
        The least size of a direction.
    ns_steps : int
        Iterations.
    adjust_lr_fn : str, optional
        ``"original"`` (the default): tall matrices get larger steps; ``"match_rms_adamw"``: steps
        have the size of AdamW's.

    References
    ----------
    Jordan, *Muon: an optimizer for hidden layers in neural networks* (2024). Liu and others, *Muon
    is scalable for LLM training* (2025).

    Examples
    --------
    >>> import fnx.numpy as jnp
    >>> opt = muon(0.1)
    >>> params = jnp.eye(2)
    >>> opt.update(3 * jnp.eye(2), opt.init(params), params)[0].shape
    (2, 2)
    """
    options = {
        "lr": learning_rate,
        "weight_decay": weight_decay,
        "momentum": momentum,
        "nesterov": nesterov,
        "ns_coefficients": ns_coefficients,
        "eps": eps,
        "ns_steps": ns_steps,
        "adjust_lr_fn": adjust_lr_fn,
    }
    return pair(MUON, options)
