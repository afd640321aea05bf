"""Schedulers that go down and up again: cosines, triangles, and one cycle for a whole training.

The last two move the momentum against the rate.
Read next: `compositions`.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

from fnx_nn.optim.lr_scheduler.schedule import (
    FormulaLR,
    check_optimizer,
    one_each,
    set_value,
    state_of_function,
)
from fnx_nn.optim.optimizer import Optimizer

__all__ = ["CosineAnnealingLR", "CosineAnnealingWarmRestarts", "CyclicLR", "OneCycleLR"]


class CosineAnnealingLR(FormulaLR):
    """Half a cosine from the initial rate to the least, and back again.

    Parameters
    ----------
    optimizer : Optimizer
        Whose rates change.
    T_max : int
        Epochs from the initial rate to the least.
    eta_min : float
        The least rate.
    last_epoch : int
        The epoch to go on from; -1 starts.

    References
    ----------
    Loshchilov and Hutter, *SGDR: stochastic gradient descent with warm restarts* (2017).
    """

    def __init__(
        self, optimizer: Optimizer, T_max: int, eta_min: float = 0.0, last_epoch: int = -1
    ) -> None:
        self.T_max = T_max
        self.eta_min = eta_min
        super().__init__(optimizer, last_epoch)

    def _next_lrs(self) -> list[Any]:
        if self._is_initial:
            return self._unchanged()
        period, least, epoch = self.T_max, self.eta_min, self.last_epoch
        if self._step_count == 1 and epoch > 0:
            return self._get_closed_form_lr()
        groups = self.optimizer.param_groups
        if (epoch - 1 - period) % (2 * period) == 0:  # from the least rate a quotient won't do
            rise = (1 - math.cos(math.pi / period)) / 2
            return [g["lr"] + (lr - least) * rise for lr, g in zip(self.base_lrs, groups)]
        now = 1 + math.cos(math.pi * epoch / period)
        before = 1 + math.cos(math.pi * (epoch - 1) / period)
        return [now / before * (g["lr"] - least) + least for g in groups]

    def _get_closed_form_lr(self) -> list[Any]:
        height = 1 + math.cos(math.pi * self.last_epoch / self.T_max)
        return [self.eta_min + (lr - self.eta_min) * height / 2 for lr in self.base_lrs]


class CosineAnnealingWarmRestarts(FormulaLR):
    """Half a cosine from the initial rate to the least, then the initial rate at once.

    Parameters
    ----------
    optimizer : Optimizer
        Whose rates change.
    T_0 : int
        Epochs to the first restart.
    T_mult : int
        How many times longer each run is than the one before.
    eta_min : float
        The least rate.
    last_epoch : int
        The epoch to go on from; -1 starts.

    References
    ----------
    Loshchilov and Hutter, *SGDR: stochastic gradient descent with warm restarts* (2017).
    """

    def __init__(
        self,
        optimizer: Optimizer,
        T_0: int,
        T_mult: int = 1,
        eta_min: float = 0.0,
        last_epoch: int = -1,
    ) -> None:
        if not isinstance(T_0, int) or T_0 <= 0:
            raise ValueError(f"Expected positive integer T_0, but got {T_0}")
        if not isinstance(T_mult, int) or T_mult < 1:
            raise ValueError(f"Expected integer T_mult >= 1, but got {T_mult}")
        if not isinstance(eta_min, (float, int)):
            raise ValueError(
                f"Expected float or int eta_min, but got {eta_min} of type {type(eta_min)}"
            )
        self.T_0 = T_0
        self.T_i = T_0
        self.T_mult = T_mult
        self.eta_min = eta_min
        self.T_cur: Any = last_epoch
        super().__init__(optimizer, last_epoch)

    def _next_lrs(self) -> list[Any]:
        height = 1 + math.cos(math.pi * self.T_cur / self.T_i)
        return [self.eta_min + (lr - self.eta_min) * height / 2 for lr in self.base_lrs]

    def step(self, epoch: float | None = None) -> None:
        """Go to the next epoch, or to a given one, which may lie between two.

        Parameters
        ----------
        epoch : float, optional
            Where to go.
        """
        if epoch is None and self.last_epoch < 0:
            epoch = 0
        if epoch is None:
            epoch = self.last_epoch + 1
            self.T_cur += 1
            if self.T_cur >= self.T_i:
                self.T_cur %= self.T_i
                self.T_i *= self.T_mult
        else:
            self._go_to(epoch)
        self.last_epoch = math.floor(epoch)
        self._get_lr_called_within_step = True
        try:
            values = self.get_lr()
        finally:
            self._get_lr_called_within_step = False
        self._set_lrs(values)

    def _go_to(self, epoch: float) -> None:
        if epoch < 0:
            raise ValueError(f"Expected non-negative epoch, but got {epoch}")
        if epoch < self.T_0:
            self.T_i, self.T_cur = self.T_0, epoch
        elif self.T_mult == 1:
            self.T_cur = epoch % self.T_0
        else:  # restarts lie at T_0 (T_mult^n - 1) / (T_mult - 1)
            n = int(math.log(epoch / self.T_0 * (self.T_mult - 1) + 1, self.T_mult))
            self.T_cur = epoch - self.T_0 * (self.T_mult**n - 1) / (self.T_mult - 1)
            self.T_i = self.T_0 * self.T_mult**n


class _MomentumLR(FormulaLR):
    """A scheduler that moves momentum, too: the option, or the first of Adam's betas."""

    cycle_momentum: bool
    use_beta1: bool

    def _choose_momentum(self, optimizer: Optimizer) -> None:
        if "momentum" not in optimizer.defaults and "betas" not in optimizer.defaults:
            raise ValueError(
                "optimizer must support momentum or beta1 with `cycle_momentum` option enabled"
            )
        self.use_beta1 = "betas" in optimizer.defaults

    def _start_momenta(self, optimizer: Optimizer, largest: list[Any], least: list[Any]) -> None:
        for most, fewest, group in zip(largest, least, optimizer.param_groups):
            self._set_momentum(group, most)
            group["max_momentum"] = most
            group["base_momentum"] = fewest

    def _set_momentum(self, group: dict[str, Any], momentum: Any) -> None:
        if self.use_beta1:
            group["betas"] = (momentum, *group["betas"][1:])
        else:
            group["momentum"] = momentum


class CyclicLR(_MomentumLR):
    """Triangles between two rates.

    Parameters
    ----------
    optimizer : Optimizer
        Whose rates change.
    base_lr, max_lr : float or list of float
        The least and the largest rate; one for all groups, or one for each.
    step_size_up : int
        Steps from the least to the largest.
    step_size_down : int, optional
        Steps back; by default as many.
    mode : str
        ``"triangular"``; ``"triangular2"``: half the height each cycle; ``"exp_range"``: the height
        falls as ``gamma ** step``.
    gamma : float
        See `mode`.
    scale_fn : callable, optional
        A function for the height, in place of `mode`.
    scale_mode : str
        What `scale_fn` is a function of: ``"cycle"`` or ``"iterations"``.
    cycle_momentum : bool
        Whether momentum goes against the rate.
    base_momentum, max_momentum : float or list of float
        The least and the largest momentum.
    last_epoch : int
        The step to go on from; -1 starts.

    References
    ----------
    Smith, *Cyclical learning rates for training neural networks* (2017).
    """

    def __init__(
        self,
        optimizer: Optimizer,
        base_lr: float | list[float],
        max_lr: float | list[float],
        step_size_up: int = 2000,
        step_size_down: int | None = None,
        mode: str = "triangular",
        gamma: float = 1.0,
        scale_fn: Callable[[float], float] | None = None,
        scale_mode: str = "cycle",
        cycle_momentum: bool = True,
        base_momentum: float = 0.8,
        max_momentum: float = 0.9,
        last_epoch: int = -1,
    ) -> None:
        check_optimizer(optimizer)
        self.optimizer = optimizer
        base_lrs = one_each("base_lr", optimizer, base_lr)
        if last_epoch == -1:
            for lr, group in zip(base_lrs, optimizer.param_groups):
                set_value(group, "lr", lr)
        self.max_lrs = one_each("max_lr", optimizer, max_lr)
        up = float(step_size_up)
        down = up if step_size_down is None else float(step_size_down)
        self.total_size = up + down
        self.step_ratio = up / self.total_size
        if mode not in ("triangular", "triangular2", "exp_range") and scale_fn is None:
            raise ValueError("mode is invalid and scale_fn is None")
        self.mode = mode
        self.gamma = gamma
        self._scale_fn_custom = scale_fn
        self.scale_mode = scale_mode
        self._choose_scale()
        self.cycle_momentum = cycle_momentum
        if cycle_momentum:
            self._choose_momentum(optimizer)
            self.base_momentums = one_each("base_momentum", optimizer, base_momentum)
            self.max_momentums = one_each("max_momentum", optimizer, max_momentum)
            if last_epoch == -1:
                self._start_momenta(optimizer, self.max_momentums, self.base_momentums)
        super().__init__(optimizer, last_epoch)
        self.base_lrs = base_lrs

    def _choose_scale(self) -> None:
        if self._scale_fn_custom is not None:
            return
        self._scale_fn_ref: Callable[[float], float]
        self.scale_mode = "iterations" if self.mode == "exp_range" else "cycle"
        if self.mode == "exp_range":
            self._scale_fn_ref = functools.partial(pow, self.gamma)
        else:
            self._scale_fn_ref = _halves if self.mode == "triangular2" else _ones

    def scale_fn(self, x: float) -> float:
        """The height of a cycle, against the first one's.

        Parameters
        ----------
        x : float
            The cycle (from 1), or the step.
        """
        custom = self._scale_fn_custom
        return self._scale_fn_ref(x) if custom is None else custom(x)

    def _next_lrs(self) -> list[Any]:
        cycle = math.floor(1 + self.last_epoch / self.total_size)
        x = 1.0 + self.last_epoch / self.total_size - cycle
        rising = x <= self.step_ratio
        height = x / self.step_ratio if rising else (x - 1) / (self.step_ratio - 1)
        scale = self.scale_fn(cycle if self.scale_mode == "cycle" else self.last_epoch)
        if self.cycle_momentum:
            groups = self.optimizer.param_groups
            for least, most, group in zip(self.base_momentums, self.max_momentums, groups):
                self._set_momentum(group, most - (most - least) * height * scale)
        pairs = zip(self.base_lrs, self.max_lrs, strict=True)
        return [least + (most - least) * height * scale for least, most in pairs]

    def state_dict(self) -> dict[str, Any]:
        """All attributes but the optimizer; of a function for the height only an object's."""
        state = super().state_dict()
        state.pop("_scale_fn_ref", None)
        custom = state.pop("_scale_fn_custom")
        return {**state, "_scale_fn_custom": state_of_function(custom)}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from a state.

        Parameters
        ----------
        state_dict : dict
            From `state_dict`.
        """
        own = {key: value for key, value in state_dict.items() if key != "_scale_fn_custom"}
        super().load_state_dict(own)
        custom = state_dict["_scale_fn_custom"]
        if custom is not None:
            self._scale_fn_custom.__dict__.update(custom)
        self._choose_scale()


def _ones(x: float) -> float:
    return 1.0


def _halves(x: float) -> float:
    return 1 / 2.0 ** (x - 1)


class OneCycleLR(_MomentumLR):
    """Up to the largest rate, then down far below the initial one: one cycle for all steps.

    Parameters
    ----------
    optimizer : Optimizer
        Whose rates change.
    max_lr : float or list of float
        The largest rate; one for all groups, or one for each.
    total_steps : int, optional
        Steps in all; or give `epochs` and `steps_per_epoch`.
    epochs, steps_per_epoch : int, optional
        Their product is the number of steps.
    pct_start : float
        Share of the steps that go up.
    anneal_strategy : str
        ``"cos"`` or ``"linear"``.
    cycle_momentum : bool
        Whether momentum goes against the rate.
    base_momentum, max_momentum : float or list of float
        The least and the largest momentum.
    div_factor : float
        The largest rate over the initial one.
    final_div_factor : float
        The initial rate over the last one.
    three_phase : bool
        Go down as long as up, to the initial rate, before the last fall.
    last_epoch : int
        The step to go on from; -1 starts.

    References
    ----------
    Smith and Topin, *Super-convergence: very fast training of neural networks using large learning
    rates* (2019).
    """

    def __init__(
        self,
        optimizer: Optimizer,
        max_lr: float | list[float],
        total_steps: int | None = None,
        epochs: int | None = None,
        steps_per_epoch: int | None = None,
        pct_start: float = 0.3,
        anneal_strategy: str = "cos",
        cycle_momentum: bool = True,
        base_momentum: float | list[float] = 0.85,
        max_momentum: float | list[float] = 0.95,
        div_factor: float = 25.0,
        final_div_factor: float = 1e4,
        three_phase: bool = False,
        last_epoch: int = -1,
    ) -> None:
        check_optimizer(optimizer)
        self.optimizer = optimizer
        self.total_steps = _total_steps(total_steps, epochs, steps_per_epoch)
        self._schedule_phases = _phases(self.total_steps, pct_start, three_phase)
        if not isinstance(pct_start, float) or not 0 <= pct_start <= 1:
            raise ValueError(f"Expected float between 0 and 1 pct_start, but got {pct_start}")
        if anneal_strategy not in ("cos", "linear"):
            raise ValueError(
                f"anneal_strategy must be one of 'cos' or 'linear', instead got {anneal_strategy}"
            )
        self._anneal_func_type = anneal_strategy
        max_lrs = one_each("max_lr", optimizer, max_lr)
        if last_epoch == -1:
            for most, group in zip(max_lrs, optimizer.param_groups):
                group["initial_lr"] = most / div_factor
                group["max_lr"] = most
                group["min_lr"] = group["initial_lr"] / final_div_factor
        self.cycle_momentum = cycle_momentum
        if cycle_momentum:
            self._choose_momentum(optimizer)
            largest = one_each("max_momentum", optimizer, max_momentum)
            least = one_each("base_momentum", optimizer, base_momentum)
            if last_epoch == -1:
                self._start_momenta(optimizer, largest, least)
        super().__init__(optimizer, last_epoch)

    def _between(self, start: Any, end: Any, share: float) -> Any:
        if self._anneal_func_type == "linear":
            return (end - start) * share + start
        return end + (start - end) / 2.0 * (math.cos(math.pi * share) + 1)

    def _next_lrs(self) -> list[Any]:
        step = self.last_epoch
        if step > self.total_steps:
            raise ValueError(
                f"Tried to step {step} times. The specified number of total steps is "
                f"{self.total_steps}"
            )
        phase, start = self._schedule_phases[0], 0.0
        for following in self._schedule_phases[1:]:
            if step <= phase["end_step"]:
                break
            phase, start = following, phase["end_step"]
        share = (step - start) / (phase["end_step"] - start)
        values = []
        for group in self.optimizer.param_groups:
            values.append(self._between(group[phase["start_lr"]], group[phase["end_lr"]], share))
            if self.cycle_momentum:
                ends = group[phase["start_momentum"]], group[phase["end_momentum"]]
                self._set_momentum(group, self._between(*ends, share))
        return values


def _total_steps(total: Any, epochs: Any, steps_per_epoch: Any) -> int:
    if total is None and (epochs is None or steps_per_epoch is None):
        raise ValueError("You must define either total_steps OR (epochs AND steps_per_epoch)")
    if total is not None:
        given = {"total_steps": total}
    else:
        given = {"epochs": epochs, "steps_per_epoch": steps_per_epoch}
    for name, value in given.items():
        if not isinstance(value, int) or value <= 0:
            raise ValueError(f"Expected positive integer {name}, but got {value}")
    return math.prod(given.values())


def _phases(total: int, share: float, three: bool) -> list[dict[str, Any]]:
    """The stretches of the cycle, as PyTorch's state has them."""

    def phase(end: float, lrs: tuple[str, str], momenta: tuple[str, str]) -> dict[str, Any]:
        return {
            "end_step": end,
            "start_lr": lrs[0],
            "end_lr": lrs[1],
            "start_momentum": momenta[0],
            "end_momentum": momenta[1],
        }

    falling, rising = ("max_momentum", "base_momentum"), ("base_momentum", "max_momentum")
    first = phase(float(share * total) - 1, ("initial_lr", "max_lr"), falling)
    if not three:
        return [first, phase(total - 1, ("max_lr", "min_lr"), rising)]
    second = phase(float(2 * share * total) - 2, ("max_lr", "initial_lr"), rising)
    level = ("max_momentum", "max_momentum")
    return [first, second, phase(total - 1, ("initial_lr", "min_lr"), level)]
