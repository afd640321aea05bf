"""`ReduceLROnPlateau`: smaller steps when a measurement no longer improves.

Read next: `fnx_nn.optim.swa_utils`.
"""

from __future__ import annotations

import math
import warnings
from typing import Any

from fnx_nn.optim.lr_scheduler.schedule import (
    EPOCH_DEPRECATION_WARNING,
    LRScheduler,
    check_optimizer,
    current,
    set_value,
)
from fnx_nn.optim.optimizer import Optimizer

__all__ = ["ReduceLROnPlateau"]


class ReduceLROnPlateau(LRScheduler):
    """A factor on the rates whenever a measurement has not improved for some epochs.

    Parameters
    ----------
    optimizer : Optimizer
        Whose rates change.
    mode : str
        ``"min"``: lower is better; ``"max"``.
    factor : float
        The factor, below 1.
    patience : int
        Epochs without improvement that are allowed.
    threshold : float
        The least improvement that counts.
    threshold_mode : str
        ``"rel"``: as a share of the best value; ``"abs"``.
    cooldown : int
        Epochs after a change in which nothing is counted.
    min_lr : float or list of float
        The least rate; one for all groups, or one for each.
    eps : float
        Smaller changes are left out.

    Examples
    --------
    >>> import fnx_nn as torch
    >>> from fnx_nn.optim import SGD, lr_scheduler
    >>> optimizer = SGD([torch.zeros(1, requires_grad=True)], lr=0.1)
    >>> scheduler = lr_scheduler.ReduceLROnPlateau(optimizer, patience=0)
    >>> for loss in (1.0, 2.0):
    ...     scheduler.step(loss)
    >>> scheduler.get_last_lr()
    [0.01]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        mode: str = "min",
        factor: float = 0.1,
        patience: int = 10,
        threshold: float = 1e-4,
        threshold_mode: str = "rel",
        cooldown: int = 0,
        min_lr: float | list[float] = 0,
        eps: float = 1e-8,
    ) -> None:
        if factor >= 1.0:
            raise ValueError("Factor should be < 1.0.")
        self.factor = factor
        check_optimizer(optimizer)
        self.optimizer = optimizer
        groups = len(optimizer.param_groups)
        self.default_min_lr: float | None
        if not isinstance(min_lr, (list, tuple)):
            self.default_min_lr = min_lr
            self.min_lrs = [min_lr] * groups
        elif len(min_lr) != groups:
            raise ValueError(f"expected {groups} min_lrs, got {len(min_lr)}")
        else:
            self.default_min_lr = None
            self.min_lrs = list(min_lr)
        self.patience = patience
        self.cooldown = cooldown
        self.eps = eps
        self.last_epoch = 0
        self._last_lr = current(optimizer, "lr")
        self._choose_comparison(mode, threshold, threshold_mode)
        self._reset()

    def _reset(self) -> None:
        """Forget the best value, and all counts."""
        self.best = self.mode_worse
        self.cooldown_counter = 0
        self.num_bad_epochs = 0

    def step(self, metrics: Any, epoch: int | None = None) -> None:  # type: ignore[override]
        """Take in a measurement.

        Parameters
        ----------
        metrics : float or Tensor
            The measurement.
        epoch : int, optional
            Its epoch (deprecated).
        """
        measured = float(metrics)
        if epoch is None:
            epoch = self.last_epoch + 1
        else:
            warnings.warn(EPOCH_DEPRECATION_WARNING, UserWarning, stacklevel=2)
        self.last_epoch = epoch
        if self._is_better(measured, self.best):
            self.best = measured
            self.num_bad_epochs = 0
        else:
            self.num_bad_epochs += 1
        if self.in_cooldown:
            self.cooldown_counter -= 1
            self.num_bad_epochs = 0
        if self.num_bad_epochs > self.patience:
            self._reduce()
            self.cooldown_counter = self.cooldown
            self.num_bad_epochs = 0
        self._last_lr = current(self.optimizer, "lr")

    def _reduce(self) -> None:
        groups = self.optimizer.param_groups
        if len(groups) != len(self.min_lrs):
            if self.default_min_lr is None:
                raise RuntimeError(
                    f"The number of param groups in the `optimizer` ({len(groups)}) differs from "
                    f"when `ReduceLROnPlateau` was initialized ({len(self.min_lrs)}), usually due "
                    "to a new param group being added to the optimizer. Please modify the "
                    "`min_lrs` field to match the length of the `optimizer` param groups."
                )
            self.min_lrs = [self.default_min_lr] * len(groups)
        for group, least in zip(groups, self.min_lrs):
            old = float(group["lr"])
            new = max(old * self.factor, least)
            if old - new > self.eps:
                set_value(group, "lr", new)

    @property
    def in_cooldown(self) -> bool:
        """Whether a change was so recent that nothing is counted."""
        return self.cooldown_counter > 0

    def _is_better(self, measured: float, best: float) -> bool:
        if self.threshold_mode == "rel":
            share = 1.0 - self.threshold if self.mode == "min" else 1.0 + self.threshold
            bound = best * share
        else:
            bound = best - self.threshold if self.mode == "min" else best + self.threshold
        return measured < bound if self.mode == "min" else measured > bound

    def _choose_comparison(self, mode: str, threshold: float, threshold_mode: str) -> None:
        if mode not in ("min", "max"):
            raise ValueError(f"mode {mode} is unknown!")
        if threshold_mode not in ("rel", "abs"):
            raise ValueError(f"threshold mode {threshold_mode} is unknown!")
        self.mode_worse = math.inf if mode == "min" else -math.inf
        self.mode = mode
        self.threshold = threshold
        self.threshold_mode = threshold_mode

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from a state.

        Parameters
        ----------
        state_dict : dict
            From `state_dict`.
        """
        self.__dict__.update(state_dict)
        self._choose_comparison(self.mode, self.threshold, self.threshold_mode)
