"""`LRScheduler`: what changes the learning rates of an optimizer from step to step; the base.

A scheduler's attributes are its state, under PyTorch's names. `get_lr` gives the rates for the
epoch that `last_epoch` says; most of them go from the rates that the groups have now, so that
several schedulers can act on one optimizer.
Read next: `factors`, `cycles`, `compositions`, `plateau`.
"""

from __future__ import annotations

import functools
import types
import warnings
import weakref
from collections.abc import Callable
from typing import Any

from fnx_nn.optim.optimizer import Optimizer
from fnx_nn.tensor.tensor import Tensor

__all__ = [
    "FormulaLR",
    "LRScheduler",
    "check_optimizer",
    "current",
    "one_each",
    "set_value",
    "state_of_function",
]

EPOCH_DEPRECATION_WARNING = (
    "The epoch parameter in `scheduler.step()` was not necessary and is being deprecated where "
    "possible. Please use `scheduler.step()` to step the scheduler. During the deprecation, if "
    "epoch is different from None, the closed form is used instead of the new chainable form, "
    "where available. Please open an issue if you are unable to replicate your use case: "
    "https://github.com/pytorch/pytorch/issues/new/choose."
)
_ORDER = (
    "Detected call of `lr_scheduler.step()` before `optimizer.step()`. In PyTorch 1.1.0 and later, "
    "you should call them in the opposite order: `optimizer.step()` before `lr_scheduler.step()`.  "
    "Failure to do this will result in PyTorch skipping the first value of the learning rate "
    "schedule. See more details at "
    "https://pytorch.org/docs/stable/optim.html#how-to-adjust-learning-rate"
)
_OVERRIDDEN = (
    "Seems like `optimizer.step()` has been overridden after learning rate scheduler "
    "initialization. Please, make sure to call `optimizer.step()` before `lr_scheduler.step()`. "
    "See more details at "
    "https://pytorch.org/docs/stable/optim.html#how-to-adjust-learning-rate"
)


class LRScheduler:
    """What changes learning rates; subclasses write `get_lr`.

    Parameters
    ----------
    optimizer : Optimizer
        Whose groups change.
    last_epoch : int
        The epoch to go on from; -1 starts.

    Examples
    --------
    >>> import fnx_nn as torch
    >>> from fnx_nn.optim import SGD, lr_scheduler
    >>> optimizer = SGD([torch.zeros(1, requires_grad=True)], lr=0.1)
    >>> scheduler = lr_scheduler.StepLR(optimizer, step_size=1, gamma=0.5)
    >>> optimizer.step()
    >>> scheduler.step()
    >>> scheduler.get_last_lr()
    [0.05]
    """

    _get_lr_called_within_step: bool = False
    _is_initial: bool = False

    def __init__(self, optimizer: Optimizer, last_epoch: int = -1) -> None:
        check_optimizer(optimizer)
        self.optimizer = optimizer
        for k, group in enumerate(optimizer.param_groups):
            if last_epoch == -1:
                group.setdefault("initial_lr", _copied(group["lr"]))
            elif "initial_lr" not in group:
                raise KeyError(
                    f"param 'initial_lr' is not specified in param_groups[{k}] when resuming "
                    "scheduler with last_epoch >= 0.\nThis typically happens when:\n1. You're "
                    "trying to resume training from a checkpoint but haven't properly loaded the "
                    "optimizer state\n2. You're using last_epoch >= 0 for a fresh training run "
                    "(not recommended)"
                )
        self.base_lrs: list[Any] = current(optimizer, "initial_lr")
        self.last_epoch = last_epoch
        _notice_steps(optimizer)
        self._initial_step()

    def _initial_step(self) -> None:
        self._step_count = 0
        self._is_initial = True
        try:
            self.step()
        finally:
            self._is_initial = False

    def state_dict(self) -> dict[str, Any]:
        """All attributes but the optimizer."""
        return {key: value for key, value in self.__dict__.items() if key != "optimizer"}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from a state.

        Parameters
        ----------
        state_dict : dict
            From `state_dict`.
        """
        self.__dict__.update(state_dict)

    def get_last_lr(self) -> list[Any]:
        """The rates that the groups have."""
        return self._last_lr

    def get_lr(self) -> list[Any]:
        """The rates for `last_epoch`; to be called by `step` only."""
        raise NotImplementedError

    def step(self, epoch: int | None = None) -> None:
        """Go to the next epoch.

        Parameters
        ----------
        epoch : int, optional
            Go to this one (deprecated).
        """
        if self._step_count == 1:
            if not hasattr(self.optimizer.step, "_wrapped_by_lr_sched"):
                warnings.warn(_OVERRIDDEN, UserWarning, stacklevel=2)
            elif not getattr(self.optimizer, "_opt_called", False):
                warnings.warn(_ORDER, UserWarning, stacklevel=2)
        self._step_count += 1
        if epoch is not None:
            warnings.warn(EPOCH_DEPRECATION_WARNING, UserWarning, stacklevel=2)
        self._update_lr(epoch)

    def _update_lr(self, epoch: int | None = None) -> None:
        self.last_epoch = self.last_epoch + 1 if epoch is None else epoch
        closed_form = getattr(self, "_get_closed_form_lr", None)
        self._get_lr_called_within_step = True
        try:
            values = self.get_lr() if epoch is None or closed_form is None else closed_form()
        finally:
            self._get_lr_called_within_step = False
        self._set_lrs(values)

    def _set_lrs(self, values: list[Any]) -> None:
        for group, lr in zip(self.optimizer.param_groups, values, strict=True):
            set_value(group, "lr", lr)
        self._last_lr: list[Any] = current(self.optimizer, "lr")


class FormulaLR(LRScheduler):
    """A scheduler with a formula for the next rates: ``_next_lrs()``.

    Users who ask `get_lr` for the last rates are warned, for it computes the next ones.
    """

    def get_lr(self) -> list[Any]:
        """The rates for `last_epoch`; to be called by `step` only."""
        if not self._get_lr_called_within_step:
            warnings.warn(
                "To get the last learning rate computed by the scheduler, please use "
                "`get_last_lr()`.",
                UserWarning,
                stacklevel=2,
            )
        return self._next_lrs()

    def _next_lrs(self) -> list[Any]:
        raise NotImplementedError

    def _scaled(self, factor: float) -> list[Any]:
        """The rates of the groups times a factor."""
        return [group["lr"] * factor for group in self.optimizer.param_groups]

    def _unchanged(self) -> list[Any]:
        return current(self.optimizer, "lr")


def _notice_steps(optimizer: Optimizer) -> None:
    """Let an optimizer remember that it has stepped, so that a wrong order can be told."""
    if hasattr(optimizer.step, "_wrapped_by_lr_sched"):
        return
    function = optimizer.step.__func__  # type: ignore[attr-defined]
    reference = weakref.ref(optimizer)

    @functools.wraps(function)
    def step(*args: Any, **kwargs: Any) -> Any:
        owner = reference()
        owner._opt_called = True  # type: ignore[union-attr]
        return function.__get__(owner, type(owner))(*args, **kwargs)

    step._wrapped_by_lr_sched = True  # type: ignore[attr-defined]
    optimizer.step = step  # type: ignore[method-assign]


def check_optimizer(optimizer: Any) -> None:
    """Raise unless something is an optimizer.

    Parameters
    ----------
    optimizer : object
        What a scheduler was given.

    Raises
    ------
    TypeError
        It is something else.
    """
    if not isinstance(optimizer, Optimizer):
        raise TypeError(f"{type(optimizer).__name__} is not an Optimizer")


def current(optimizer: Optimizer, key: str) -> list[Any]:
    """An option of every group; tensors are copied.

    Parameters
    ----------
    optimizer : Optimizer
        Whose groups.
    key : str
        Name of the option.
    """
    return [_copied(group[key]) for group in optimizer.param_groups]


def set_value(group: dict[str, Any], key: str, value: Any) -> None:
    """Change an option of a group; a tensor is written to in place.

    Parameters
    ----------
    group : dict
        The group.
    key : str
        Name of the option.
    value : float or Tensor
        Its new value.
    """
    if isinstance(group[key], Tensor):
        group[key].fill_(value.item() if isinstance(value, Tensor) else value)
    else:
        group[key] = value


def one_each(name: str, optimizer: Optimizer, value: Any) -> list[Any]:
    """A list with a value for every group.

    Parameters
    ----------
    name : str
        Of the argument.
    optimizer : Optimizer
        Whose groups.
    value : float or sequence of float
        For all groups, or one for each.

    Raises
    ------
    ValueError
        The sequence has another length.
    """
    count = len(optimizer.param_groups)
    if not isinstance(value, (list, tuple)):
        value = [value] * count
    elif len(value) != count:
        raise ValueError(
            f"{name} must have the same length as optimizer.param_groups. {name} has {len(value)} "
            f"values, param_groups has {count}."
        )
    return [_copied(v) for v in value]


def state_of_function(function: Callable[..., Any] | None) -> dict[str, Any] | None:
    """What of a function goes into a state: the attributes of a callable object, else nothing.

    Parameters
    ----------
    function : callable, optional
        From a user.
    """
    if function is None or isinstance(function, types.FunctionType):
        return None
    return function.__dict__.copy()


def _copied(value: Any) -> Any:
    return value.clone() if isinstance(value, Tensor) else value
