"""Optimizers that divide the gradient by a size of past gradients: Adagrad, Adadelta, RMSprop.

Read next: `lbfgs`.
"""

from __future__ import annotations

from typing import Any

import fnx.optim as rules
from fnx_nn.optim.descent import check_fused
from fnx_nn.optim.optimizer import check_learning_rate, check_options
from fnx_nn.optim.rule_stepping import RuleOptimizer, operation_of

__all__ = ["Adadelta", "Adagrad", "RMSprop"]


class Adagrad(RuleOptimizer):
    """Steps divided by the root of the sum of all squared gradients.

    Parameters
    ----------
    params : iterable
        Parameters, or groups of them.
    lr : float or Tensor
        Learning rate.
    lr_decay : float
        Steps fall as ``1 / (1 + (count - 1) lr_decay)``.
    weight_decay : float
        Adds this times the parameter to its gradient.
    initial_accumulator_value : float
        What the sums start from.
    eps : float
        Added to the root.
    foreach, fused : bool, optional
        Accepted: they choose among ways to the same result.
    maximize : bool
        Go uphill.
    differentiable : bool
        Record steps on the tape.
    """

    _rule = rules.ADAGRAD
    _operation = operation_of(rules.ADAGRAD, "AdagradStepBackward0")
    _added = {"foreach": None, "maximize": False, "differentiable": False, "fused": None}

    def __init__(
        self,
        params: Any,
        lr: Any = 1e-2,
        lr_decay: float = 0,
        weight_decay: float = 0,
        initial_accumulator_value: float = 0,
        eps: float = 1e-10,
        foreach: bool | None = None,
        *,
        maximize: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        check_learning_rate(lr)
        check_options(
            (lr_decay >= 0.0, f"Invalid lr_decay value: {lr_decay}"),
            (weight_decay >= 0.0, f"Invalid weight_decay value: {weight_decay}"),
            (
                initial_accumulator_value >= 0.0,
                f"Invalid initial_accumulator_value value: {initial_accumulator_value}",
            ),
            (eps >= 0.0, f"Invalid epsilon value: {eps}"),
        )
        defaults = {
            "lr": lr,
            "lr_decay": lr_decay,
            "eps": eps,
            "weight_decay": weight_decay,
            "initial_accumulator_value": initial_accumulator_value,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
            "fused": fused,
        }
        super().__init__(params, defaults)
        check_fused(fused, foreach, differentiable)
        for group in self.param_groups:  # this one has its state from the start
            for p in group["params"]:
                self._state_of(p, group, ())


class Adadelta(RuleOptimizer):
    """Steps in the units of the parameters: past steps over past gradients, times the gradient.

    Parameters
    ----------
    params : iterable
        Parameters, or groups of them.
    lr : float or Tensor
        A factor.
    rho : float
        Decay of the two running squares.
    eps : float
        Added to them.
    weight_decay : float
        Adds this times the parameter to its gradient.
    foreach : bool, optional
        Accepted: it chooses among ways to the same result.
    capturable : bool
        Only for devices that capture graphs; steps on the CPU refuse it.
    maximize : bool
        Go uphill.
    differentiable : bool
        Record steps on the tape.
    """

    _rule = rules.ADADELTA
    _operation = operation_of(rules.ADADELTA, "AdadeltaStepBackward0")

    def __init__(
        self,
        params: Any,
        lr: Any = 1.0,
        rho: float = 0.9,
        eps: float = 1e-6,
        weight_decay: float = 0,
        foreach: bool | None = None,
        *,
        capturable: bool = False,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        check_learning_rate(lr)
        check_options(
            (0.0 <= rho <= 1.0, f"Invalid rho value: {rho}"),
            (eps >= 0.0, f"Invalid epsilon value: {eps}"),
            (weight_decay >= 0.0, f"Invalid weight_decay value: {weight_decay}"),
        )
        defaults = {
            "lr": lr,
            "rho": rho,
            "eps": eps,
            "weight_decay": weight_decay,
            "maximize": maximize,
            "capturable": capturable,
            "foreach": foreach,
            "differentiable": differentiable,
        }
        super().__init__(params, defaults)


class RMSprop(RuleOptimizer):
    """Steps divided by the root of the running mean of squared gradients.

    Parameters
    ----------
    params : iterable
        Parameters, or groups of them.
    lr : float or Tensor
        Learning rate.
    alpha : float
        Decay of the running mean.
    eps : float
        Added to the root.
    weight_decay : float
        Adds this times the parameter to its gradient.
    momentum : float
        How much of the last step stays.
    centered : bool
        Divide by the standard deviation.
    capturable : bool
        Only for devices that capture graphs; steps on the CPU refuse it.
    foreach : bool, optional
        Accepted: it chooses among ways to the same result.
    maximize : bool
        Go uphill.
    differentiable : bool
        Record steps on the tape.
    """

    _rule = rules.RMSPROP
    _operation = operation_of(rules.RMSPROP, "RMSpropStepBackward0")
    _added = {**RuleOptimizer._added, "momentum": 0, "centered": False}

    def __init__(
        self,
        params: Any,
        lr: Any = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum: float = 0,
        centered: bool = False,
        capturable: bool = False,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        check_learning_rate(lr)
        check_options(
            (eps >= 0.0, f"Invalid epsilon value: {eps}"),
            (momentum >= 0.0, f"Invalid momentum value: {momentum}"),
            (weight_decay >= 0.0, f"Invalid weight_decay value: {weight_decay}"),
            (alpha >= 0.0, f"Invalid alpha value: {alpha}"),
        )
        defaults = {
            "lr": lr,
            "momentum": momentum,
            "alpha": alpha,
            "eps": eps,
            "centered": centered,
            "weight_decay": weight_decay,
            "capturable": capturable,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
        }
        super().__init__(params, defaults)
