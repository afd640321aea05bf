"""Averages of the parameters of a model along its training, and what they need.

`AveragedModel` holds the average: of all points passed (stochastic weight averaging), or of the
last ones (an exponential moving average). `SWALR` brings the learning rate to the constant that
averaging wants, `update_bn` gives the averaged model statistics of its own.
Read next: `fnx_nn.optim.lr_scheduler`.
"""

from __future__ import annotations

import copy
import itertools
import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from fnx_nn.autograd.modes import no_grad
from fnx_nn.dtypes import int64
from fnx_nn.nn.module import Module
from fnx_nn.nn.normalization import _BatchNorm
from fnx_nn.optim.lr_scheduler.schedule import FormulaLR, LRScheduler, one_each
from fnx_nn.optim.optimizer import Optimizer
from fnx_nn.tensor.table import FUNCTIONS
from fnx_nn.tensor.tensor import Tensor

__all__ = [
    "AveragedModel",
    "LRScheduler",
    "SWALR",
    "get_ema_avg_fn",
    "get_ema_multi_avg_fn",
    "get_swa_avg_fn",
    "get_swa_multi_avg_fn",
    "update_bn",
]

#: From (average, parameter, how many went in) to the new average.
_Average = Callable[[Tensor, Tensor, Any], Tensor]
#: The same for lists of tensors, written into the averages.
_AverageOfMany = Callable[[Sequence[Tensor], Sequence[Tensor], Any], None]


def _check_decay(decay: float) -> None:
    if decay < 0.0 or decay > 1.0:
        raise ValueError(
            f"Invalid decay value {decay} provided. Please provide a value in [0,1] range."
        )


def get_ema_avg_fn(decay: float = 0.999) -> _Average:
    """The step of an exponential moving average.

    Parameters
    ----------
    decay : float
        How much of the average stays.

    Examples
    --------
    >>> import fnx_nn as torch
    >>> get_ema_avg_fn(0.75)(torch.zeros(1), torch.ones(1), 3)
    tensor([0.2500])
    """
    _check_decay(decay)

    @no_grad()
    def ema_update(ema_param: Tensor, current_param: Tensor, num_averaged: Any) -> Tensor:
        """The new average of one tensor."""
        return ema_param * decay + current_param * (1 - decay)

    return ema_update


def get_swa_avg_fn() -> _Average:
    """The step of the mean of all points passed.

    Examples
    --------
    >>> import fnx_nn as torch
    >>> get_swa_avg_fn()(torch.zeros(1), torch.ones(1), 3)
    tensor([0.2500])
    """

    @no_grad()
    def swa_update(averaged_param: Tensor, current_param: Tensor, num_averaged: Any) -> Tensor:
        """The new average of one tensor."""
        return averaged_param + (current_param - averaged_param) / (num_averaged + 1)

    return swa_update


def get_ema_multi_avg_fn(decay: float = 0.999) -> _AverageOfMany:
    """The step of an exponential moving average, for lists.

    Parameters
    ----------
    decay : float
        How much of the average stays.
    """
    step = get_ema_avg_fn(decay)
    return lambda averages, params, count: _write_each(step, averages, params, count)


def get_swa_multi_avg_fn() -> _AverageOfMany:
    """The step of the mean of all points passed, for lists."""
    step = get_swa_avg_fn()
    return lambda averages, params, count: _write_each(step, averages, params, count)


@no_grad()
def _write_each(
    step: _Average, averages: Iterable[Tensor], params: Iterable[Tensor], count: Any
) -> None:
    for average, param in zip(averages, params, strict=True):
        average.copy_(step(average, param, count))


class AveragedModel(Module):
    """A copy of a model with averages in place of its parameters.

    Parameters
    ----------
    model : Module
        What is averaged.
    device : device or str, optional
        Where the averages are.
    avg_fn : callable, optional
        ``avg_fn(average, parameter, count)`` gives the new average; the mean if left out.
    multi_avg_fn : callable, optional
        ``multi_avg_fn(averages, parameters, count)`` writes the new averages.
    use_buffers : bool
        Whether buffers are averaged, too, rather than copied.

    References
    ----------
    Izmailov, Podoprikhin, Garipov, Vetrov and Wilson, *Averaging weights leads to wider optima and
    better generalization* (2018).
    """

    n_averaged: Tensor
    module: Module

    def __init__(
        self,
        model: Module,
        device: Any = None,
        avg_fn: _Average | None = None,
        multi_avg_fn: _AverageOfMany | None = None,
        use_buffers: bool = False,
    ) -> None:
        super().__init__()
        if avg_fn is not None and multi_avg_fn is not None:
            raise AssertionError("Only one of avg_fn and multi_avg_fn should be provided")
        self.module = copy.deepcopy(model)
        if device is not None:
            self.module = self.module.to(device)
        count = FUNCTIONS["tensor"](0, dtype=int64, device=device)
        self.register_buffer("n_averaged", count)
        self.avg_fn = avg_fn
        self.multi_avg_fn = multi_avg_fn
        self.use_buffers = use_buffers

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """What the averaged model gives.

        Parameters
        ----------
        *args, **kwargs
            For the model.
        """
        return self.module(*args, **kwargs)

    def update_parameters(self, model: Module) -> None:
        """Take a model's parameters into the averages; the first time they are copied.

        Parameters
        ----------
        model : Module
            As it is now.
        """
        pairs = zip(_averaged(self.module, self.use_buffers), _averaged(model, self.use_buffers))
        averages, params = [], []
        for average, param in pairs:
            averages.append(average.detach())
            params.append(param.detach())
        if not averages or self.n_averaged.item() == 0:
            _write_each(lambda average, param, count: param, averages, params, None)
        elif self.multi_avg_fn is not None:
            for kind in dict.fromkeys(a.dtype for a in averages):
                chosen = [k for k, a in enumerate(averages) if a.dtype == kind]
                self.multi_avg_fn(
                    [averages[k] for k in chosen], [params[k] for k in chosen], self.n_averaged
                )
        else:
            _write_each(self.avg_fn or get_swa_avg_fn(), averages, params, self.n_averaged)
        if not self.use_buffers:
            buffers = zip(self.module.buffers(), model.buffers(), strict=True)
            for own, given in buffers:
                own.detach().copy_(given.detach())
        self.n_averaged += 1


def _averaged(model: Module, use_buffers: bool) -> Iterable[Tensor]:
    if not use_buffers:
        return model.parameters()
    return itertools.chain(model.parameters(), model.buffers())


@no_grad()
def update_bn(loader: Iterable[Any], model: Module, device: Any = None) -> None:
    """Compute the running statistics of batch normalisation anew, over one pass of the data.

    Parameters
    ----------
    loader : iterable
        Gives batches; of a tuple or list, the first item is the input.
    model : Module
        Its statistics are changed.
    device : device or str, optional
        Where inputs go first.
    """
    momenta = {m: m.momentum for m in model.modules() if isinstance(m, _BatchNorm)}
    if not momenta:
        return
    for module in momenta:
        module.reset_running_stats()
        module.momentum = None  # a plain mean over the batches
    was_training = model.training
    model.train()
    try:
        for batch in loader:
            batch = batch[0] if isinstance(batch, (list, tuple)) else batch
            model(batch if device is None else batch.to(device))
    finally:
        for module, momentum in momenta.items():
            module.momentum = momentum
        model.train(was_training)


class SWALR(FormulaLR):
    """From the rate at hand to a constant one.

    Parameters
    ----------
    optimizer : Optimizer
        Whose rates change.
    swa_lr : float or list of float
        The constant; one for all groups, or one for each.
    anneal_epochs : int
        Epochs on the way.
    anneal_strategy : str
        ``"cos"`` or ``"linear"``.
    last_epoch : int
        The epoch to go on from; -1 starts.

    Examples
    --------
    >>> import fnx_nn as torch
    >>> from fnx_nn.optim import SGD
    >>> optimizer = SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    >>> scheduler = SWALR(optimizer, swa_lr=0.5, anneal_epochs=2, anneal_strategy="linear")
    >>> optimizer.step()
    >>> scheduler.step()
    >>> scheduler.get_last_lr()
    [0.75]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        swa_lr: float | list[float],
        anneal_epochs: int = 10,
        anneal_strategy: str = "cos",
        last_epoch: int = -1,
    ) -> None:
        for rate, group in zip(one_each("swa_lr", optimizer, swa_lr), optimizer.param_groups):
            group["swa_lr"] = rate
        if anneal_strategy not in ("cos", "linear"):
            raise ValueError(
                f"anneal_strategy must be one of 'cos' or 'linear', instead got {anneal_strategy}"
            )
        self._anneal_strategy = anneal_strategy
        if not isinstance(anneal_epochs, int) or anneal_epochs < 0:
            raise ValueError(f"anneal_epochs must be equal or greater than 0, got {anneal_epochs}")
        self.anneal_epochs = anneal_epochs
        super().__init__(optimizer, last_epoch)

    def _share(self, step: int) -> float:
        """How much of the constant is in the rate after a step."""
        t = max(0, min(1, step / max(1, self.anneal_epochs)))
        return t if self._anneal_strategy == "linear" else (1 - math.cos(math.pi * t)) / 2

    def _next_lrs(self) -> list[Any]:
        step = self._step_count - 1
        if self.anneal_epochs == 0:
            step = max(1, step)
        before, now = self._share(step - 1), self._share(step)
        values = []
        for group in self.optimizer.param_groups:
            end = group["swa_lr"]
            start = end if before == 1 else (group["lr"] - before * end) / (1 - before)
            values.append(end * now + start * (1 - now))
        return values
