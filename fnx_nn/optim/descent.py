"""Optimizers that follow the gradient itself: SGD, ASGD and Rprop.

Read next: `moments`, `adaptive`.
"""

from __future__ import annotations

from typing import Any

import fnx.optim as rules
from fnx_nn.optim.optimizer import check_learning_rate, check_options
from fnx_nn.optim.rule_stepping import RuleOptimizer, filled_like, operation_of

__all__ = ["ASGD", "Rprop", "SGD", "check_fused"]


def check_fused(fused: bool | None, foreach: bool | None, differentiable: bool) -> None:
    """Raise where the ways of running a step exclude each other.

    Parameters
    ----------
    fused, foreach : bool, optional
        Ways of running a step; they change nothing here.
    differentiable : bool
        Whether steps are recorded.

    Raises
    ------
    RuntimeError
        Two of them exclude each other.
    """
    if fused and differentiable:
        raise RuntimeError("`fused` does not support `differentiable`")
    if fused and foreach:
        raise RuntimeError("`fused` and `foreach` cannot be `True` together.")


class SGD(RuleOptimizer):
    """Gradient descent, with momentum if asked for.

    ``m = momentum m + (1 - dampening) g``, ``p = p - lr m``; the first m is g.

    Parameters
    ----------
    params : iterable
        Parameters, or groups of them.
    lr : float or Tensor
        Learning rate.
    momentum : float
        How much of the last direction stays.
    dampening : float
        How much of the gradient is left out of m.
    weight_decay : float
        Adds this times the parameter to its gradient.
    nesterov : bool
        Step along ``g + momentum m``.
    maximize : bool
        Go uphill.
    foreach, fused : bool, optional
        Accepted: they choose among ways to the same result.
    differentiable : bool
        Record steps on the tape.

    Examples
    --------
    >>> import fnx_nn as torch
    >>> weight = torch.ones(2, requires_grad=True)
    >>> optimizer = SGD([weight], lr=0.1, momentum=0.9)
    >>> weight.sum().backward()
    >>> optimizer.step()
    >>> weight
    tensor([0.9000, 0.9000], requires_grad=True)
    """

    _rule = rules.SGD
    _operation = operation_of(rules.SGD, "SGDStepBackward0")
    _counts = False
    _added = {
        "nesterov": False,
        "maximize": False,
        "foreach": None,
        "differentiable": False,
        "fused": False,
    }

    def __init__(
        self,
        params: Any,
        lr: Any = 1e-3,
        momentum: float = 0,
        dampening: float = 0,
        weight_decay: Any = 0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        check_learning_rate(lr)
        check_options(
            (momentum >= 0.0, f"Invalid momentum value: {momentum}"),
            (weight_decay >= 0.0, f"Invalid weight_decay value: {weight_decay}"),
            (
                not nesterov or (momentum > 0 and dampening == 0),
                "Nesterov momentum requires a momentum and zero dampening",
            ),
        )
        defaults = {
            "lr": lr,
            "momentum": momentum,
            "dampening": dampening,
            "weight_decay": weight_decay,
            "nesterov": nesterov,
            "maximize": maximize,
            "foreach": foreach,
            "differentiable": differentiable,
            "fused": fused,
        }
        super().__init__(params, defaults)
        check_fused(fused, foreach, differentiable)

    # The state is the buffer, and its absence says that this is the first step.

    def _state_of(self, p: Any, options: Any, switches: tuple[str, ...]) -> dict[str, Any]:
        if "momentum" not in switches:
            return {"fresh": False}
        state = self.state[p]
        fresh = state.get("momentum_buffer") is None
        if fresh:
            state["momentum_buffer"] = filled_like(p, 0.0)
        return {**state, "fresh": fresh}

    def _next_count(self, state: dict[str, Any]) -> float:
        return 1.0 if state["fresh"] else 2.0

    _count_recorded = _next_count


class ASGD(RuleOptimizer):
    """Averaged gradient descent; ``state[p]["ax"]`` is the average.

    Parameters
    ----------
    params : iterable
        Parameters, or groups of them.
    lr : float or Tensor
        Learning rate at the start.
    lambd : float
        Parameters shrink by this times the learning rate.
    alpha : float
        Power of the fall of the learning rate.
    t0 : float
        The step at which averaging starts.
    weight_decay : float
        Adds this times the parameter to its gradient.
    foreach : bool, optional
        Accepted: it chooses among ways to the same result.
    maximize : bool
        Go uphill.
    differentiable : bool
        Record steps on the tape.
    capturable : bool
        Only for devices that capture graphs; steps on the CPU refuse it.
    """

    _rule = rules.ASGD
    _operation = operation_of(rules.ASGD, "ASGDStepBackward0")

    def __init__(
        self,
        params: Any,
        lr: Any = 1e-2,
        lambd: float = 1e-4,
        alpha: float = 0.75,
        t0: float = 1e6,
        weight_decay: float = 0,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
        capturable: bool = False,
    ) -> None:
        check_learning_rate(lr)
        check_options((weight_decay >= 0.0, f"Invalid weight_decay value: {weight_decay}"))
        defaults = {
            "lr": lr,
            "lambd": lambd,
            "alpha": alpha,
            "t0": t0,
            "weight_decay": weight_decay,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
            "capturable": capturable,
        }
        super().__init__(params, defaults)


class Rprop(RuleOptimizer):
    """Steps that read the sign of the gradient only, and grow while it stays.

    Parameters
    ----------
    params : iterable
        Parameters, or groups of them.
    lr : float or Tensor
        Every element's first step.
    etas : tuple of float
        Factors by which steps shrink and grow.
    step_sizes : tuple of float
        The smallest and the largest step.
    capturable : bool
        Only for devices that capture graphs; steps on the CPU refuse it.
    foreach : bool, optional
        Accepted: it chooses among ways to the same result.
    maximize : bool
        Go uphill.
    differentiable : bool
        Record steps on the tape.
    """

    _rule = rules.RPROP
    _operation = operation_of(rules.RPROP, "RpropStepBackward0")

    def __init__(
        self,
        params: Any,
        lr: Any = 1e-2,
        etas: tuple[float, float] = (0.5, 1.2),
        step_sizes: tuple[float, float] = (1e-6, 50),
        *,
        capturable: bool = False,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        check_learning_rate(lr)
        check_options(
            (0.0 < etas[0] < 1.0 < etas[1], f"Invalid eta values: {etas[0]}, {etas[1]}"),
        )
        defaults = {
            "lr": lr,
            "etas": etas,
            "step_sizes": step_sizes,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
            "capturable": capturable,
        }
        super().__init__(params, defaults)
