"""`state_dict` and `load_state_dict`: the parameters and buffers of a module by path, and back.

The state dict is an `OrderedDict` with the versions of the module classes in its ``_metadata``.
Loading collects all that does not fit, and says it at once.
Read next: `module`.
"""

from __future__ import annotations

import itertools
import warnings
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from fnx_nn.ambient import changed
from fnx_nn.autograd.hooks import RemovableHandle
from fnx_nn.nn.module_calls import HookOfModule, ModuleCalls
from fnx_nn.nn.parameter import Parameter, is_lazy
from fnx_nn.tensor.tensor import Tensor

__all__ = ["ModuleState"]

_EXTRA_STATE = "_extra_state"


class _Keys(NamedTuple):
    missing_keys: list[str]
    unexpected_keys: list[str]


class _IncompatibleKeys(_Keys):  # the name that users see
    """What `load_state_dict` gives: the keys that were missing, and those that nobody expected."""

    __slots__ = ()

    def __repr__(self) -> str:
        if not self.missing_keys and not self.unexpected_keys:
            return "<All keys matched successfully>"
        return super().__repr__()

    __str__ = __repr__


class ModuleState(ModuleCalls):
    """The state of a module and its descendants, as one dictionary."""

    #: The version of the class, for `_load_from_state_dict` to tell older states.
    _version: int = 1

    # ----------------------------------------------------------------------------------- reading

    def state_dict(
        self, *args: Any, destination: Any = None, prefix: str = "", keep_vars: bool = False
    ) -> Any:
        """The parameters and persistent buffers by path.

        Parameters
        ----------
        *args
            The others by position, as PyTorch no longer wants it.
        destination : dict, optional
            Where to put them.
        prefix : str
            Before every path.
        keep_vars : bool
            Whether they are themselves, or detached.

        Examples
        --------
        >>> import fnx_nn as torch
        >>> list(torch.nn.Sequential(torch.nn.Linear(1, 1)).state_dict())
        ['0.weight', '0.bias']
        """
        if args:
            warnings.warn(
                "Positional args are being deprecated, use kwargs instead. Refer to "
                "https://pytorch.org/docs/main/generated/torch.nn.Module.html"
                "#torch.nn.Module.state_dict for details.",
                FutureWarning,
                stacklevel=2,
            )
            destination = args[0] if destination is None else destination
            prefix = args[1] if len(args) > 1 and prefix == "" else prefix
            keep_vars = args[2] if len(args) > 2 and keep_vars is False else keep_vars
        if destination is None:
            destination = OrderedDict()
            destination._metadata = OrderedDict()
        local_metadata = {"version": self._version}
        if hasattr(destination, "_metadata"):
            destination._metadata[prefix[:-1]] = local_metadata
        for hook in self._state_dict_pre_hooks.values():
            hook(self, prefix, keep_vars)
        self._save_to_state_dict(destination, prefix, keep_vars)
        for name, module in self._modules.items():
            if module is not None:
                module.state_dict(
                    destination=destination, prefix=f"{prefix}{name}.", keep_vars=keep_vars
                )
        for hook in self._state_dict_hooks.values():
            answer = hook(self, destination, prefix, local_metadata)
            if answer is None:
                continue
            if getattr(hook, "_from_public_api", False):
                raise RuntimeError("state_dict post-hook must return None")
            destination = answer
        return destination

    def _save_to_state_dict(self, destination: Any, prefix: str, keep_vars: bool) -> None:
        for name, value in self._local_state().items():
            destination[prefix + name] = value if keep_vars else value.detach()
        if type(self).get_extra_state is not ModuleState.get_extra_state:
            destination[prefix + _EXTRA_STATE] = self.get_extra_state()

    def _local_state(self) -> dict[str, Any]:
        """This module's own parameters and persistent buffers."""
        persistent = (
            (name, buffer)
            for name, buffer in self._buffers.items()
            if name not in self._non_persistent_buffers_set
        )
        members = itertools.chain(self._parameters.items(), persistent)
        return {name: value for name, value in members if value is not None}

    def get_extra_state(self) -> Any:
        """What else is in the state; for subclasses that write `set_extra_state`, too."""
        raise RuntimeError(
            f"{type(self).__name__}.get_extra_state: the class defines no extra state; write both "
            "get_extra_state and set_extra_state to have one."
        )

    def set_extra_state(self, state: Any) -> None:
        """Take back what `get_extra_state` gave; for subclasses.

        Parameters
        ----------
        state : object
            From the state dict.
        """
        raise RuntimeError(
            f"{type(self).__name__}.set_extra_state: the class defines no extra state; write both "
            "get_extra_state and set_extra_state to have one."
        )

    # ----------------------------------------------------------------------------------- loading

    def load_state_dict(
        self, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False
    ) -> _IncompatibleKeys:
        """Copy a state into the parameters and buffers.

        Parameters
        ----------
        state_dict : mapping
            From `state_dict`, or of a file.
        strict : bool
            Whether every key must be there, and no other.
        assign : bool
            Whether its tensors become the module's, in place of copies.

        Returns
        -------
        named tuple
            `missing_keys` and `unexpected_keys`.

        Raises
        ------
        RuntimeError
            Keys are missing or surplus, or shapes differ; all of them are named.

        Examples
        --------
        >>> import fnx_nn as torch
        >>> layer = torch.nn.Linear(1, 1)
        >>> layer.load_state_dict(layer.state_dict())
        <All keys matched successfully>
        """
        if not isinstance(state_dict, Mapping):
            raise TypeError(f"Expected state_dict to be dict-like, got {type(state_dict)}.")
        metadata = getattr(state_dict, "_metadata", None)
        given: Any = OrderedDict(state_dict)  # hooks may change it
        if metadata is not None:
            given._metadata = metadata
        keys, complaints = _IncompatibleKeys([], []), list[str]()
        _load(self, given, "", _Loading(metadata, assign, keys, complaints))
        if strict:
            for words, found in (
                ("Unexpected", keys.unexpected_keys),
                ("Missing", keys.missing_keys),
            ):
                if found:
                    listed = ", ".join([f'"{key}"' for key in found])
                    complaints.insert(0, f"{words} key(s) in state_dict: {listed}. ")
        if complaints:
            raise RuntimeError(
                f"Error(s) in loading state_dict for {type(self).__name__}:\n\t"
                + "\n\t".join(complaints)
            )
        return keys

    def _load_from_state_dict(
        self,
        state_dict: Any,
        prefix: str,
        local_metadata: dict[str, Any],
        strict: bool,
        missing_keys: list[str],
        unexpected_keys: list[str],
        error_msgs: list[str],
    ) -> None:
        """Load this module's own part; subclasses that know older states override it."""
        for hook in list(self._load_state_dict_pre_hooks.values()):
            hook(state_dict, prefix, local_metadata, strict, missing_keys, unexpected_keys,
                 error_msgs)  # fmt: skip
        own = self._local_state()
        assign = local_metadata.get("assign_to_params_buffers", False)
        for name, present in own.items():
            key = prefix + name
            if key in state_dict:
                complaint = self._take(name, key, present, state_dict[key], assign)
                if complaint is not None:
                    error_msgs.append(complaint)
            elif strict:
                missing_keys.append(key)
        extra = prefix + _EXTRA_STATE
        if type(self).set_extra_state is not ModuleState.set_extra_state:
            if extra in state_dict:
                self.set_extra_state(state_dict[extra])
            elif strict:
                missing_keys.append(extra)
        elif strict and extra in state_dict:
            unexpected_keys.append(extra)
        if not strict:
            return
        for key in state_dict:
            if key.startswith(prefix) and key != extra:
                first, dot, _ = key[len(prefix) :].partition(".")
                if first not in (self._modules if dot else own):
                    unexpected_keys.append(key)

    def _take(self, name: str, key: str, present: Any, value: Any, assign: bool) -> str | None:
        """Copy one tensor of the state; gives what is wrong with it, if something is."""
        if not isinstance(value, Tensor):
            return (
                f'While copying the parameter named "{key}", expected torch.Tensor or Tensor-like '
                f"object from checkpoint but received {type(value)}"
            )
        if not is_lazy(present):
            if present.shape == () and value.shape == (1,):
                value = value[0]  # scalars once were vectors of one element
            if value.shape != present.shape:
                return (
                    f"size mismatch for {key}: copying a param with shape {value.shape} from "
                    f"checkpoint, the shape in current model is {present.shape}."
                )
        try:
            with changed(grad=False):
                if not assign:
                    present.copy_(value)
                    return None
                if isinstance(present, Parameter):
                    if isinstance(value, Parameter):
                        value.requires_grad_(present.requires_grad)
                    else:
                        value = Parameter(value, requires_grad=present.requires_grad)
                setattr(self, name, value)
        except Exception as error:  # whatever it is, the user gets it with all the others
            return (
                f'While copying the parameter named "{key}", whose dimensions in the model are '
                f"{present.size()} and whose dimensions in the checkpoint are {value.size()}, an "
                f"exception occurred : {error.args}."
            )
        return None

    # ------------------------------------------------------------------------------------- hooks

    def register_state_dict_pre_hook(self, hook: Callable[..., None]) -> RemovableHandle:
        """Call a function before `state_dict`.

        Parameters
        ----------
        hook : callable
            ``hook(module, prefix, keep_vars)``.
        """
        return RemovableHandle(self._state_dict_pre_hooks, hook)

    def register_state_dict_post_hook(self, hook: Callable[..., None]) -> RemovableHandle:
        """Call a function after `state_dict`; it may change the dictionary.

        Parameters
        ----------
        hook : callable
            ``hook(module, state_dict, prefix, local_metadata)``; gives None.
        """
        hook._from_public_api = True  # type: ignore[attr-defined]
        return RemovableHandle(self._state_dict_hooks, hook)

    def _register_state_dict_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        if getattr(hook, "_from_public_api", False):
            raise RuntimeError(
                "Cannot register the same function as the state dict post hook that was previously "
                "registered via register_state_dict_post_hook"
            )
        return RemovableHandle(self._state_dict_hooks, hook)

    def register_load_state_dict_pre_hook(self, hook: Callable[..., None]) -> RemovableHandle:
        """Call a function before the module's part of a state is loaded.

        Parameters
        ----------
        hook : callable
            ``hook(module, state_dict, prefix, local_metadata, strict, missing_keys,
            unexpected_keys, error_msgs)``.
        """
        return self._register_load_state_dict_pre_hook(hook, with_module=True)

    def _register_load_state_dict_pre_hook(
        self, hook: Callable[..., None], with_module: bool = False
    ) -> RemovableHandle:
        wrapped = HookOfModule(hook, self if with_module else None)
        return RemovableHandle(self._load_state_dict_pre_hooks, wrapped)

    def register_load_state_dict_post_hook(self, hook: Callable[..., None]) -> RemovableHandle:
        """Call a function after the module and its descendants were loaded.

        Parameters
        ----------
        hook : callable
            ``hook(module, incompatible_keys)``; it may change the lists, and gives None.
        """
        return RemovableHandle(self._load_state_dict_post_hooks, hook)


class _Loading(NamedTuple):
    """What one `load_state_dict` carries from module to module."""

    metadata: Any
    assign: bool
    keys: _IncompatibleKeys
    complaints: list[str]


def _load(module: Any, state: Any, prefix: str, loading: _Loading) -> None:
    metadata, keys = loading.metadata, loading.keys
    local_metadata = {} if metadata is None else dict(metadata.get(prefix[:-1], {}))
    if loading.assign:
        local_metadata["assign_to_params_buffers"] = True
    module._load_from_state_dict(
        state, prefix, local_metadata, True, keys.missing_keys, keys.unexpected_keys,
        loading.complaints,
    )  # fmt: skip
    for name, child in module._modules.items():
        if child is not None:
            path = f"{prefix}{name}."
            part = {key: value for key, value in state.items() if key.startswith(path)}
            _load(child, part, path, loading)
    for hook in list(module._load_state_dict_post_hooks.values()):
        if hook(module, keys) is not None:
            raise AssertionError(
                "Hooks registered with ``register_load_state_dict_post_hook`` are not expected to "
                "return new values, if incompatible_keys need to be modified, it should be done "
                "inplace."
            )
