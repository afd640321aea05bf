"""The painting itself: a picture is changed until its losses are small.

In: two pictures as arrays, and the network to look through. Out: the painted picture with the
history of its losses. A step, that is both losses and the gradient by the picture, is one function
compiled by `fnx.jit`: the module is split into weights and a pure function of them
(`functional_call`), and the losses are composed on top. `LBFGS` moves the picture.

Read next: `features`, `losses`; `command`, which reads and writes the files.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

import fnx
import fnx.numpy as jnp
import fnx_nn as torch
from fnx_nn import optim
from fnx_nn.func import functional_call
from fnx_nn.style.features import StyleFeatures
from fnx_nn.style.losses import Targets, content_and_style_losses, find_targets
from fnx_nn.vision.tensor_bridge import tensor_of

__all__ = ["Painting", "compile_step", "compile_targets", "paint"]

_ITERATIONS = 20  # of LBFGS in one step of the optimizer
_LEAP = 10.0  # by what factor the loss exceeds the least one, when LBFGS has leapt away
OnEvaluation = Callable[[float, float], None]


@dataclass(frozen=True, slots=True)
class Painting:
    """What a style transfer leads to.

    Parameters
    ----------
    picture : ndarray
        (1, 3, H, W), of all pictures that were evaluated the one with the least loss.
    best_losses : (style, content)
        Its weighted losses.
    history : list of (style, content)
        The weighted losses of every evaluation.
    leaps : int
        How often LBFGS leapt away, and began anew from the best picture.
    converged : bool
        Whether it stopped early, because nothing was left to improve.
    """

    picture: NDArray[Any]
    best_losses: tuple[float, float]
    history: list[tuple[float, float]]
    leaps: int
    converged: bool


def paint(
    network: StyleFeatures,
    content: NDArray[Any],
    style: NDArray[Any],
    *,
    steps: int = 300,
    style_weight: float = 1e6,
    content_weight: float = 1.0,
    on_evaluation: OnEvaluation | None = None,
) -> Painting:
    """Paint the content of one picture in the style of another, beginning with the content.

    Parameters
    ----------
    network : StyleFeatures
        What the pictures are seen through, in their dtype.
    content, style : ndarray
        (1, 3, H, W), values from 0 to 1.
    steps : int
        Evaluations of the losses.
    style_weight, content_weight : float
        What the losses are multiplied with.
    on_evaluation : callable, optional
        Called with the weighted style and content loss of each evaluation.

    Returns
    -------
    Painting

    Raises
    ------
    OverflowError
        If the losses are not finite from the start.
    """
    weights = {
        name: jnp.asarray(value.detach().numpy()) for name, value in network.named_parameters()
    }
    targets = compile_targets(network)(weights, jnp.asarray(content), jnp.asarray(style))
    step = compile_step(network, style_weight, content_weight)
    canvas = _Canvas(content, lambda image: step(image, weights, targets), on_evaluation)
    optimizer = optim.LBFGS([canvas.image])
    leaps = 0
    converged = False
    while len(canvas.history) < steps and not converged:
        before = len(canvas.history)
        allowed = min(_ITERATIONS, steps - before)
        optimizer.param_groups[0]["max_iter"] = allowed
        try:
            optimizer.step(canvas.evaluate)
        except _LeapError:
            canvas.return_to_best()
            optimizer = optim.LBFGS([canvas.image])
            leaps += 1
        else:
            converged = len(canvas.history) == before + 1 < before + allowed
    return Painting(canvas.best_picture, canvas.best_losses, canvas.history, leaps, converged)


def compile_targets(network: StyleFeatures) -> Any:
    """Return a compiled function ``(weights, content, style) -> Targets``.

    Parameters
    ----------
    network : StyleFeatures
        Its structure is used, not its weights.
    """

    def targets(weights: Any, content: Any, style: Any) -> Targets:
        return find_targets(
            functional_call(network, weights, (content,)),
            functional_call(network, weights, (style,)),
        )

    return fnx.jit(targets)


def compile_step(network: StyleFeatures, style_weight: float, content_weight: float) -> Any:
    """Return a compiled function of the image, the weights and the targets.

    It gives ``((total, (style, content)), gradient)``: the weighted losses, and the derivative of
    their sum by the image.

    Parameters
    ----------
    network : StyleFeatures
        Its structure is used, not its weights.
    style_weight, content_weight : float
        What the losses are multiplied with.
    """

    def losses(image: Any, weights: Any, targets: Targets) -> Any:
        responses = functional_call(network, weights, (image,))
        content, style = content_and_style_losses(responses, targets)
        weighted = style * style_weight, content * content_weight
        return weighted[0] + weighted[1], weighted

    return fnx.jit(fnx.value_and_grad(losses, has_aux=True))


class _LeapError(Exception):
    """LBFGS, which does without a line search here, leapt to where it would not return from."""


class _Canvas:
    """The picture that is painted, as LBFGS sees it, and a record of how it went."""

    def __init__(
        self, start: NDArray[Any], step: Callable[[Any], Any], report: OnEvaluation | None
    ) -> None:
        self.image = tensor_of(start).requires_grad_()
        self.history: list[tuple[float, float]] = []
        self.best_picture = start
        self.best_losses = (math.inf, math.inf)
        self._least = math.inf
        self._step = step
        self._report = report

    def evaluate(self) -> float:
        """The closure: the losses of the clamped picture, and their gradient beside it."""
        with torch.no_grad():
            self.image.clamp_(0, 1)
        picture = self.image.detach().numpy()
        (loss, (style, content)), gradient = self._step(jnp.asarray(picture))
        self.image.grad = tensor_of(np.asarray(gradient))
        total = float(loss)
        if not self.history and not math.isfinite(total):
            raise OverflowError(
                f"the first losses are style {float(style):g} and content {float(content):g}, too "
                f"large for {gradient.dtype}; choose smaller weights of the losses."
            )
        self.history.append((float(style), float(content)))
        if self._report is not None:
            self._report(*self.history[-1])
        if not total <= _LEAP * self._least:  # also where it is not a number
            raise _LeapError
        if total < self._least:
            self._least = total
            self.best_picture, self.best_losses = picture.copy(), self.history[-1]
        return total

    def return_to_best(self) -> None:
        with torch.no_grad():
            self.image.copy_(tensor_of(self.best_picture))
