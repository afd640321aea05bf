"""Optimizers that see a parameter as a matrix: Adafactor and Muon.

Read next: `lbfgs`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import fnx.optim as rules
from fnx_nn.optim.optimizer import check_options
from fnx_nn.optim.rule_stepping import RuleOptimizer, filled_like, operation_of, scalar_dtype
from fnx_nn.tensor.tensor import Tensor, wrap

__all__ = ["Adafactor", "Muon"]


def _check(lr: Any, weight_decay: float) -> None:
    check_options((not isinstance(lr, Tensor) or lr.numel() == 1, "Tensor lr must be 1-element"))
    check_options(
        (lr >= 0.0, f"Learning rate should be >= 0 but is: {lr}"),
        (weight_decay >= 0.0, f"weight_decay should be >= 0 but is: {weight_decay}"),
    )


class Adafactor(RuleOptimizer):
    """Steps in proportion to the parameter, with second moments by row and column only.

    Parameters
    ----------
    params : iterable
        Parameters, or groups of them.
    lr : float or Tensor
        The largest share of a parameter's size that a step has.
    beta2_decay : float
        The second moment takes in ``step ** beta2_decay`` of the new square.
    eps : tuple of float
        The least second moment (None: the dtype's spacing), and the least size of a parameter.
    d : float
        The largest size of a step before it is scaled.
    weight_decay : float
        Parameters shrink by ``lr * weight_decay`` a step.
    foreach : bool, optional
        Accepted: it chooses among ways to the same result.
    maximize : bool
        Go uphill.
    """

    _rule = rules.ADAFACTOR
    _operation = operation_of(rules.ADAFACTOR, "AdafactorStepBackward0")
    _added = {"foreach": None}

    def __init__(
        self,
        params: Any,
        lr: Any = 1e-2,
        beta2_decay: float = -0.8,
        eps: tuple[float | None, float] = (None, 1e-3),
        d: float = 1.0,
        weight_decay: float = 0.0,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
    ) -> None:
        _check(lr, weight_decay)
        check_options(
            (beta2_decay <= 0.0, f"beta2_decay should be <= 0 but is: {beta2_decay}"),
            (eps[0] is None or eps[0] >= 0.0, f"epsilon1 should be >= 0 but is: {eps[0]}"),
            (eps[1] >= 0.0, f"epsilon2 should be >= 0 but is: {eps[1]}"),
            (d >= 1.0, f"Clipping threshold d should be >= 1 but is: {d}"),
        )
        defaults = {
            "lr": lr,
            "beta2_decay": beta2_decay,
            "eps": eps,
            "d": d,
            "weight_decay": weight_decay,
            "foreach": foreach,
            "maximize": maximize,
        }
        super().__init__(params, defaults)

    # A matrix has two slots, a vector another one; the rule is given empty ones for the rest.

    def _state_of(self, p: Tensor, options: Any, switches: tuple[Any, ...]) -> dict[str, Any]:
        if p._data.dtype.kind == "c":
            raise RuntimeError("Adafactor does not support complex parameters")
        state = self.state[p]
        if not state:
            state["step"] = wrap(np.zeros((), scalar_dtype()))
            for name in ("row_var", "col_var") if p.ndim > 1 else ("variance",):
                state[name] = filled_like(p, 0.0, self._rule.shape(name, p._data.shape))
        return state

    def _slots_of(self, p: Tensor, state: dict[str, Any], names: tuple[str, ...]) -> list[Tensor]:
        return [state[k] if k in state else filled_like(p, 0.0, (0,)) for k in names]


class Muon(RuleOptimizer):
    """Momentum whose steps are made orthogonal: every direction of a matrix moves alike.

    Parameters
    ----------
    params : iterable
        Matrices, or groups of them.
    lr : float or Tensor
        Learning rate.
    weight_decay : float
        Parameters shrink by ``lr * weight_decay`` a step.
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
        ``"original"`` (the default) or ``"match_rms_adamw"``.
    """

    _rule = rules.MUON
    _operation = operation_of(rules.MUON, "MuonStepBackward0")
    _counts = False
    _added = {}

    def __init__(
        self,
        params: Any,
        lr: Any = 1e-3,
        weight_decay: float = 0.1,
        momentum: float = 0.95,
        nesterov: bool = True,
        ns_coefficients: tuple[float, float, float] = (3.4445, -4.7750, 2.0315),
        eps: float = 1e-7,
        ns_steps: int = 5,
        adjust_lr_fn: str | None = None,
    ) -> None:
        _check(lr, weight_decay)
        check_options(
            (momentum >= 0.0, f"momentum should be >= 0 but is: {momentum}"),
            (
                adjust_lr_fn in (None, "original", "match_rms_adamw"),
                f"Adjust learning rate function {adjust_lr_fn} is not supported",
            ),
            (len(ns_coefficients) == 3, "Coefficients must be a tuple of exactly 3 values"),
        )
        defaults = {
            "lr": lr,
            "weight_decay": weight_decay,
            "momentum": momentum,
            "nesterov": nesterov,
            "ns_coefficients": ns_coefficients,
            "eps": eps,
            "ns_steps": ns_steps,
            "adjust_lr_fn": adjust_lr_fn,
        }
        super().__init__(params, defaults)
        for group in self.param_groups:
            for p in group["params"]:
                if p.ndim != 2:
                    raise ValueError(
                        "Muon only supports 2D parameters whereas we found a parameter with size: "
                        f"{p.size()}"
                    )

    def _state_of(self, p: Tensor, options: Any, switches: tuple[Any, ...]) -> dict[str, Any]:
        if p._data.dtype.kind == "c":
            raise RuntimeError("Muon does not support complex parameters")
        return super()._state_of(p, options, switches)

    def _next_count(self, state: dict[str, Any]) -> float:
        return 1.0  # steps do not depend on their number

    _count_recorded = _next_count
