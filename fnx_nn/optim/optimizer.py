"""`Optimizer`: groups of parameters with their options, and the state that belongs to each.

What is here holds for every optimizer: groups, `state_dict`, hooks, `zero_grad`. What a step does
comes from the classes; their arithmetic is that of `fnx.optim`.
Read next: `rule_stepping`.
"""

from __future__ import annotations

import copy
import functools
import warnings
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Hashable, Iterable
from typing import Any

from fnx_nn.autograd.hooks import RemovableHandle
from fnx_nn.dtypes import float32
from fnx_nn.tensor.tensor import Tensor

__all__ = ["Optimizer", "check_learning_rate", "check_options", "required", "type_name"]

#: The places of hooks, as attributes of every optimizer.
_HOOKS = (
    "_optimizer_step_pre_hooks",
    "_optimizer_step_post_hooks",
    "_optimizer_state_dict_pre_hooks",
    "_optimizer_state_dict_post_hooks",
    "_optimizer_load_state_dict_pre_hooks",
    "_optimizer_load_state_dict_post_hooks",
)


class _Required:
    """The default of an option that every group must give."""

    def __repr__(self) -> str:
        return "<required parameter>"


required = _Required()


class Optimizer:
    """What changes parameters so that a loss falls; the base of all optimizers.

    Parameters
    ----------
    params : iterable
        Tensors, or dicts with key ``"params"`` and options of their own, or pairs of a name and a
        tensor.
    defaults : dict
        Options of groups that do not say otherwise.

    Examples
    --------
    >>> import fnx_nn as torch
    >>> from fnx_nn.optim import SGD
    >>> weight = torch.ones(2, requires_grad=True)
    >>> optimizer = SGD([weight], lr=0.1)
    >>> (weight * weight).sum().backward()
    >>> optimizer.step()
    >>> weight
    tensor([0.8000, 0.8000], requires_grad=True)
    """

    def __init__(self, params: Any, defaults: dict[str, Any]) -> None:
        self.defaults = defaults
        for place in _HOOKS:
            setattr(self, place, OrderedDict())
        if isinstance(params, Tensor):
            raise TypeError(
                "params argument given to the optimizer should be an iterable of Tensors or dicts, "
                f"but got {type_name(params)}"
            )
        self.state: defaultdict[Any, Any] = defaultdict(dict)
        self.param_groups: list[dict[str, Any]] = []
        groups = list(params)
        if not groups:
            raise ValueError("optimizer got an empty parameter list")
        if not isinstance(groups[0], dict):
            groups = [{"params": groups}]
        for group in groups:
            self.add_param_group(group)

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Let hooks run around the `step` of every class that writes one."""
        super().__init_subclass__(**kwargs)
        if "step" in vars(cls):
            cls.step = _hooked(cls.step)  # type: ignore[method-assign]

    def __getstate__(self) -> dict[str, Any]:
        return {
            "defaults": self.defaults,
            "state": self.state,
            "param_groups": self.param_groups,
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        for place in _HOOKS:
            self.__dict__.setdefault(place, OrderedDict())
        self.defaults.setdefault("differentiable", False)

    def __repr__(self) -> str:
        lines = [f"{type(self).__name__} ("]
        for k, group in enumerate(self.param_groups):
            lines.append(f"Parameter Group {k}")
            lines += [f"    {key}: {group[key]}" for key in sorted(group) if key != "params"]
        return "\n".join([*lines, ")"])

    # ------------------------------------------------------------------------------------ steps

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Change the parameters once.

        Parameters
        ----------
        closure : callable, optional
            Computes the loss and its gradients anew, and gives the loss.
        """
        raise NotImplementedError

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients of all parameters.

        Parameters
        ----------
        set_to_none : bool
            Whether they become None, rather than zero.
        """
        for group in self.param_groups:
            for p in group["params"]:
                grad = p.grad
                if grad is None:
                    continue
                if set_to_none:
                    p.grad = None
                    continue
                if grad.grad_fn is not None:
                    grad.detach_()
                else:
                    grad.requires_grad_(False)
                grad.zero_()

    # ----------------------------------------------------------------------------------- groups

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Take in more parameters, with options of their own.

        Parameters
        ----------
        param_group : dict
            ``"params"`` and options; it is completed by the defaults.
        """
        if not isinstance(param_group, dict):
            raise TypeError(f"param_group must be a dict, but got {type(param_group)}")
        _take_params(param_group)
        for p in param_group["params"]:
            if not isinstance(p, Tensor):
                raise TypeError(
                    "optimizer can only optimize Tensors, but one of the params is " + type_name(p)
                )
            if not (self.defaults.get("differentiable") or p.is_leaf or p.retains_grad):
                raise ValueError("can't optimize a non-leaf Tensor")
        for name, default in self.defaults.items():
            if default is required and name not in param_group:
                raise ValueError(
                    "parameter group didn't specify a value of required optimization parameter "
                    + name
                )
            param_group.setdefault(name, default)
        params = param_group["params"]
        if len(params) != len({id(p) for p in params}):
            warnings.warn(
                "optimizer contains a parameter group with duplicate parameters; in future, this "
                "will cause an error; see github.com/pytorch/pytorch/issues/40967 for more "
                "information",
                stacklevel=3,
            )
        named = "param_names" in param_group
        for group in self.param_groups:
            if named != ("param_names" in group):
                raise ValueError(
                    "all optimizer param groups should be with/without names. cannot add param "
                    f"group {'with' if named else 'without'} names to the optimizer"
                )
        known = {id(p) for group in self.param_groups for p in group["params"]}
        if any(id(p) in known for p in params):
            raise ValueError("some parameters appear in more than one parameter group")
        self.param_groups.append(param_group)

    # ------------------------------------------------------------------------------ state_dict

    def state_dict(self) -> dict[str, Any]:
        """The state and the options, with numbers in place of the parameters.

        Returns
        -------
        dict
            ``"state"``: by the number of a parameter; ``"param_groups"``: options, and the numbers
            of the parameters in each group.
        """
        for before in self._hooks("state_dict_pre"):
            before(self)
        numbers: dict[int, int] = {}
        groups, start = [], 0
        for group in self.param_groups:
            params = group["params"]
            for k, p in enumerate(params, start):
                numbers.setdefault(id(p), k)
            packed = {key: value for key, value in group.items() if key != "params"}
            groups.append({**packed, "params": [numbers[id(p)] for p in params]})
            start += len(params)
        state = {
            (numbers[id(key)] if isinstance(key, Tensor) else key): value
            for key, value in self.state.items()
        }
        result: dict[str, Any] = {"state": state, "param_groups": groups}
        for after in self._hooks("state_dict_post"):
            changed = after(self, result)
            if changed is not None:
                result = changed
        return result

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from a state.

        Parameters
        ----------
        state_dict : dict
            From `state_dict`; copied, and cast to the parameters' dtypes.
        """
        state_dict = state_dict.copy()
        for before in self._hooks("load_state_dict_pre"):
            changed = before(self, state_dict)
            if changed is not None:
                state_dict = changed
        groups, saved = self.param_groups, copy.deepcopy(state_dict["param_groups"])
        if len(groups) != len(saved):
            raise ValueError("loaded state dict has a different number of parameter groups")
        if any(len(g["params"]) != len(s["params"]) for g, s in zip(groups, saved)):
            raise ValueError(
                "loaded state dict contains a parameter group that doesn't match the size of "
                "optimizer's group"
            )
        owners: dict[Any, tuple[Tensor, dict[str, Any]]] = {}
        for group, given in zip(groups, saved):
            for number, p in zip(given["params"], group["params"]):
                owners[number] = (p, given)
        state: defaultdict[Any, Any] = defaultdict(dict)
        for key, value in state_dict["state"].items():
            if key in owners:
                p, given = owners[key]
                state[p] = _cast(p, value, given, None)
            else:
                state[key] = value
        for group, given in zip(groups, saved):
            given["params"] = group["params"]
            if "param_names" in group:
                given.setdefault("param_names", group["param_names"])
        self.__setstate__({"state": state, "param_groups": saved})
        for after in self._hooks("load_state_dict_post"):
            after(self)

    # ------------------------------------------------------------------------------------ hooks

    def _hooks(self, when: str) -> list[Callable[..., Any]]:
        return list(getattr(self, f"_optimizer_{when}_hooks").values())

    def _register(self, when: str, hook: Callable[..., Any], prepend: bool) -> RemovableHandle:
        place = getattr(self, f"_optimizer_{when}_hooks")
        handle = RemovableHandle(place, hook)
        if prepend:
            place.move_to_end(handle.id, last=False)
        return handle

    def register_step_pre_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Call a function before every step.

        Parameters
        ----------
        hook : callable
            ``hook(optimizer, args, kwargs)``; gives None, or new (args, kwargs).
        """
        return self._register("step_pre", hook, False)

    def register_step_post_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Call a function after every step.

        Parameters
        ----------
        hook : callable
            ``hook(optimizer, args, kwargs)``.
        """
        return self._register("step_post", hook, False)

    def register_state_dict_pre_hook(
        self, hook: Callable[..., Any], prepend: bool = False
    ) -> RemovableHandle:
        """Call a function before `state_dict`.

        Parameters
        ----------
        hook : callable
            ``hook(optimizer)``.
        prepend : bool
            Whether it comes before the hooks that are there.
        """
        return self._register("state_dict_pre", hook, prepend)

    def register_state_dict_post_hook(
        self, hook: Callable[..., Any], prepend: bool = False
    ) -> RemovableHandle:
        """Call a function with the result of `state_dict`.

        Parameters
        ----------
        hook : callable
            ``hook(optimizer, state_dict)``; gives None, or what replaces the result.
        prepend : bool
            Whether it comes before the hooks that are there.
        """
        return self._register("state_dict_post", hook, prepend)

    def register_load_state_dict_pre_hook(
        self, hook: Callable[..., Any], prepend: bool = False
    ) -> RemovableHandle:
        """Call a function with a shallow copy of what `load_state_dict` is given.

        Parameters
        ----------
        hook : callable
            ``hook(optimizer, state_dict)``; gives None, or what is loaded in its place.
        prepend : bool
            Whether it comes before the hooks that are there.
        """
        return self._register("load_state_dict_pre", hook, prepend)

    def register_load_state_dict_post_hook(
        self, hook: Callable[..., Any], prepend: bool = False
    ) -> RemovableHandle:
        """Call a function after `load_state_dict`.

        Parameters
        ----------
        hook : callable
            ``hook(optimizer)``.
        prepend : bool
            Whether it comes before the hooks that are there.
        """
        return self._register("load_state_dict_post", hook, prepend)


def _hooked(step: Callable[..., Any]) -> Callable[..., Any]:
    """A class's `step` with the hooks around it."""

    @functools.wraps(step)
    def hooked(self: Optimizer, *args: Any, **kwargs: Any) -> Any:
        if type(self).step is not hooked:  # called by the step of a class below
            return step(self, *args, **kwargs)
        arguments: tuple[Any, ...] = (self, *args)
        for before in self._hooks("step_pre"):
            changed = before(self, arguments, kwargs)
            if changed is not None:
                if not (isinstance(changed, tuple) and len(changed) == 2):
                    raise RuntimeError(
                        f"{step} must return None or a tuple of (new_args, new_kwargs), but got "
                        f"{changed}."
                    )
                arguments, kwargs = changed
        result = step(*arguments, **kwargs)
        for after in self._hooks("step_post"):
            after(self, arguments, kwargs)
        return result

    return hooked


def _take_params(group: dict[str, Any]) -> None:
    """Make ``group["params"]`` a list of tensors, and note their names if they have any."""
    params = group["params"]
    if isinstance(params, Tensor):
        params = [params]
    elif isinstance(params, set):
        raise TypeError(
            "optimizer parameters need to be organized in ordered collections, but the ordering of "
            "tensors in sets will change between runs. Please use a list instead."
        )
    params = list(params)
    names = [p[0] for p in params if isinstance(p, tuple)]
    if names and len(names) != len(params):
        raise ValueError(
            "all optimizer params should be with/without names. Some param names are missing"
        )
    group["params"] = [p[1] for p in params] if names else params
    if names:
        group["param_names"] = names


def _cast(param: Tensor, value: Any, group: dict[str, Any], key: Hashable) -> Any:
    """A loaded state as its parameter needs it; numbers of steps keep their dtype."""
    if isinstance(value, Tensor):
        if key == "step":
            own = group.get("capturable") or group.get("fused")
            return value.to(dtype=float32) if own else value
        return value.to(dtype=param.dtype) if param.is_floating_point() else value
    if isinstance(value, dict):
        return {k: _cast(param, v, group, k) for k, v in value.items()}
    if isinstance(value, Iterable) and not isinstance(value, str):
        return type(value)(_cast(param, v, group, None) for v in value)  # type: ignore[call-arg]
    return value


def type_name(value: Any) -> str:
    """The name of a value's type, as messages have it.

    Parameters
    ----------
    value : object
        Anything.
    """
    if isinstance(value, Tensor):
        return str(value.type())
    kind = type(value)
    if kind.__module__ in ("builtins", ""):
        return kind.__name__
    return f"{kind.__module__}.{kind.__name__}"


def check_options(*checks: tuple[Any, str]) -> None:
    """Raise for the first option that is out of its range.

    Parameters
    ----------
    *checks : tuple
        Whether an option is right, and what to say if it is not.

    Raises
    ------
    ValueError
        One is wrong.
    """
    for right, message in checks:
        if not right:
            raise ValueError(message)


def check_learning_rate(lr: Any) -> None:
    """Raise unless a learning rate is a number, or a tensor of one element, and not negative.

    Parameters
    ----------
    lr : float or Tensor
        The learning rate.

    Raises
    ------
    ValueError
        It is something else.
    """
    check_options(
        (not isinstance(lr, Tensor) or lr.numel() == 1, "Tensor lr must be 1-element"),
    )
    check_options((lr >= 0.0, f"Invalid learning rate: {lr}"))
