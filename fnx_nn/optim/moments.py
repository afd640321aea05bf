"""Optimizers that divide a running mean of the gradient by a running size of it: Adam and its kin.

Read next: `adaptive`.
"""

from __future__ import annotations

from typing import Any

import fnx.optim as rules
from fnx_nn.optim.descent import check_fused
from fnx_nn.optim.optimizer import check_learning_rate, check_options
from fnx_nn.optim.rule_stepping import RuleOptimizer, operation_of
from fnx_nn.tensor.tensor import Tensor

__all__ = ["Adam", "AdamW", "Adamax", "NAdam", "RAdam"]


def _check(lr: Any, betas: tuple[Any, Any], eps: float, weight_decay: float) -> None:
    check_learning_rate(lr)
    check_options(
        (eps >= 0.0, f"Invalid epsilon value: {eps}"),
        (0.0 <= betas[0] < 1.0, f"Invalid beta parameter at index 0: {betas[0]}"),
        (0.0 <= betas[1] < 1.0, f"Invalid beta parameter at index 1: {betas[1]}"),
        (weight_decay >= 0.0, f"Invalid weight_decay value: {weight_decay}"),
    )


class Adam(RuleOptimizer):
    """Steps along the running mean of the gradient, divided by the root of its running square.

    Parameters
    ----------
    params : iterable
        Parameters, or groups of them.
    lr : float or Tensor
        Learning rate.
    betas : tuple of float
        Decay of the mean and of the square.
    eps : float
        Added to the root.
    weight_decay : float
        Adds this times the parameter to its gradient.
    amsgrad : bool
        Divide by the largest square so far.
    foreach, fused : bool, optional
        Accepted: they choose among ways to the same result.
    maximize : bool
        Go uphill.
    capturable : bool
        Only for devices that capture graphs; steps on the CPU refuse it.
    differentiable : bool
        Record steps on the tape.
    decoupled_weight_decay : bool
        Whether weight decay is apart from the gradient, as in `AdamW`.

    Examples
    --------
    >>> import fnx_nn as torch
    >>> weight = torch.ones(2, requires_grad=True)
    >>> optimizer = Adam([weight], lr=0.1)
    >>> weight.sum().backward()
    >>> optimizer.step()
    >>> weight
    tensor([0.9000, 0.9000], requires_grad=True)
    """

    _rule = rules.ADAM
    _operation = operation_of(rules.ADAM, "AdamStepBackward0")
    _added = {
        "amsgrad": False,
        "maximize": False,
        "foreach": None,
        "capturable": False,
        "differentiable": False,
        "decoupled_weight_decay": False,
        "fused": None,
    }

    def __init__(
        self,
        params: Any,
        lr: Any = 1e-3,
        betas: tuple[Any, Any] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        amsgrad: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
        decoupled_weight_decay: bool = False,
    ) -> None:
        is_tensor = [isinstance(b, Tensor) for b in betas]
        if isinstance(lr, Tensor) and foreach and not capturable:
            raise ValueError(
                "lr as a Tensor is not supported for capturable=False and foreach=True"
            )
        _check(lr, betas, eps, weight_decay)
        check_options(
            (
                all(is_tensor) or all(isinstance(b, float) for b in betas),
                "betas must be either both floats or both Tensors",
            ),
            *[
                (not tensor or b.numel() == 1, f"Tensor betas[{k}] must be 1-element")
                for k, (tensor, b) in enumerate(zip(is_tensor, betas))
            ],
        )
        defaults = {
            "lr": lr,
            "betas": tuple(betas),
            "eps": eps,
            "weight_decay": weight_decay,
            "amsgrad": amsgrad,
            "maximize": maximize,
            "foreach": foreach,
            "capturable": capturable,
            "differentiable": differentiable,
            "fused": fused,
            "decoupled_weight_decay": decoupled_weight_decay,
        }
        super().__init__(params, defaults)
        check_fused(fused, foreach, differentiable)


class AdamW(Adam):
    """Adam with weight decay apart from the gradient.

    Parameters
    ----------
    params : iterable
        Parameters, or groups of them.
    lr : float or Tensor
        Learning rate.
    betas : tuple of float
        Decay of the mean and of the square.
    eps : float
        Added to the root.
    weight_decay : float
        Parameters shrink by ``lr * weight_decay`` a step.
    amsgrad : bool
        Divide by the largest square so far.
    maximize : bool
        Go uphill.
    foreach, fused : bool, optional
        Accepted: they choose among ways to the same result.
    capturable : bool
        Only for devices that capture graphs; steps on the CPU refuse it.
    differentiable : bool
        Record steps on the tape.
    """

    def __init__(
        self,
        params: Any,
        lr: Any = 1e-3,
        betas: tuple[Any, Any] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        super().__init__(
            params,
            lr,
            betas,
            eps,
            weight_decay,
            amsgrad,
            foreach=foreach,
            maximize=maximize,
            capturable=capturable,
            differentiable=differentiable,
            fused=fused,
            decoupled_weight_decay=True,
        )

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        for group in self.param_groups:
            group["decoupled_weight_decay"] = True


class Adamax(RuleOptimizer):
    """Adam with the largest recent gradient in place of the root of the square.

    Parameters
    ----------
    params : iterable
        Parameters, or groups of them.
    lr : float or Tensor
        Learning rate.
    betas : tuple of float
        Decay of the mean, and of the largest gradient.
    eps : float
        Added to the size of the gradient.
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

    _rule = rules.ADAMAX
    _operation = operation_of(rules.ADAMAX, "AdamaxStepBackward0")

    def __init__(
        self,
        params: Any,
        lr: Any = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        foreach: bool | None = None,
        *,
        maximize: bool = False,
        differentiable: bool = False,
        capturable: bool = False,
    ) -> None:
        _check(lr, betas, eps, weight_decay)
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
            "capturable": capturable,
        }
        super().__init__(params, defaults)


class NAdam(RuleOptimizer):
    """Adam that looks ahead, as Nesterov's momentum does.

    Parameters
    ----------
    params : iterable
        Parameters, or groups of them.
    lr : float or Tensor
        Learning rate.
    betas : tuple of float
        Decay of the mean and of the square.
    eps : float
        Added to the root.
    weight_decay : float
        Adds this times the parameter to its gradient, or shrinks the parameter.
    momentum_decay : float
        How quickly the momentum rises.
    decoupled_weight_decay : bool
        Whether weight decay is apart from the gradient.
    foreach : bool, optional
        Accepted: it chooses among ways to the same result.
    maximize : bool
        Go uphill.
    capturable : bool
        Only for devices that capture graphs; steps on the CPU refuse it.
    differentiable : bool
        Record steps on the tape.
    """

    _rule = rules.NADAM
    _operation = operation_of(rules.NADAM, "NAdamStepBackward0")
    _added = {**RuleOptimizer._added, "decoupled_weight_decay": False}

    def __init__(
        self,
        params: Any,
        lr: Any = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum_decay: float = 4e-3,
        decoupled_weight_decay: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
    ) -> None:
        _check(lr, betas, eps, weight_decay)
        check_options((momentum_decay >= 0.0, f"Invalid momentum_decay value: {momentum_decay}"))
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "momentum_decay": momentum_decay,
            "decoupled_weight_decay": decoupled_weight_decay,
            "maximize": maximize,
            "foreach": foreach,
            "capturable": capturable,
            "differentiable": differentiable,
        }
        super().__init__(params, defaults)


class RAdam(RuleOptimizer):
    """Adam that takes plain steps until its running square means something.

    Parameters
    ----------
    params : iterable
        Parameters, or groups of them.
    lr : float or Tensor
        Learning rate.
    betas : tuple of float
        Decay of the mean and of the square.
    eps : float
        Added to the root.
    weight_decay : float
        Adds this times the parameter to its gradient, or shrinks the parameter.
    decoupled_weight_decay : bool
        Whether weight decay is apart from the gradient.
    foreach : bool, optional
        Accepted: it chooses among ways to the same result.
    maximize : bool
        Go uphill.
    capturable : bool
        Only for devices that capture graphs; steps on the CPU refuse it.
    differentiable : bool
        Record steps on the tape.
    """

    _rule = rules.RADAM
    _operation = operation_of(rules.RADAM, "RAdamStepBackward0")
    _added = {**RuleOptimizer._added, "decoupled_weight_decay": False}

    def __init__(
        self,
        params: Any,
        lr: Any = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        decoupled_weight_decay: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
    ) -> None:
        _check(lr, betas, eps, weight_decay)
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "maximize": maximize,
            "foreach": foreach,
            "capturable": capturable,
            "decoupled_weight_decay": decoupled_weight_decay,
            "differentiable": differentiable,
        }
        super().__init__(params, defaults)
