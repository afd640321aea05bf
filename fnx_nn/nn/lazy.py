"""`LazyModuleMixin`: layers that learn the shapes of their parameters from their first input.

Until then the parameters are uninitialized. A hook before the first forward pass calls
`initialize_parameters`, takes itself away, and makes the layer one of the ordinary class.
Read next: `linear` (`LazyLinear`).
"""

from __future__ import annotations

import itertools
from typing import Any

from fnx_nn.ambient import changed
from fnx_nn.nn.parameter import is_lazy

__all__ = ["LazyModuleMixin"]


class LazyModuleMixin:
    """What a lazy layer has beside its ordinary class, of which it comes first.

    Parameters
    ----------
    *args, **kwargs
        For the ordinary class.
    """

    #: What the layer becomes when its parameters have shapes.
    cls_to_become: Any = None
    _parameters: dict[str, Any]
    _buffers: dict[str, Any]
    _non_persistent_buffers_set: set[str]
    _register_load_state_dict_pre_hook: Any
    register_forward_pre_hook: Any

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._load_hook = self._register_load_state_dict_pre_hook(self._lazy_load_hook)
        self._initialize_hook = self.register_forward_pre_hook(
            self._infer_parameters, with_kwargs=True
        )

    def initialize_parameters(self, *args: Any, **kwargs: Any) -> None:
        """Give the parameters their shapes; for subclasses.

        Parameters
        ----------
        *args, **kwargs
            What the layer is first called with.
        """
        raise NotImplementedError(
            f"initialize_parameters is not implemented for {type(self).__name__}"
        )

    def has_uninitialized_params(self) -> bool:
        """Whether a parameter or buffer has no shape yet."""
        members = itertools.chain(self._parameters.values(), self._buffers.values())
        return any([is_lazy(member) for member in members])

    def _save_to_state_dict(self, destination: Any, prefix: str, keep_vars: bool) -> None:
        for name, param in self._parameters.items():
            if param is not None:
                keeps = keep_vars or is_lazy(param)
                destination[prefix + name] = param if keeps else param.detach()
        for name, buffer in self._buffers.items():
            if buffer is not None and name not in self._non_persistent_buffers_set:
                keeps = keep_vars or is_lazy(buffer)
                destination[prefix + name] = buffer if keeps else buffer.detach()

    def _lazy_load_hook(self, state_dict: Any, prefix: str, *others: Any) -> None:
        """Take the shapes of a state that is being loaded."""
        members = itertools.chain(self._parameters.items(), self._buffers.items())
        for name, member in list(members):
            given = state_dict.get(prefix + name)
            if member is not None and given is not None and is_lazy(member) and not is_lazy(given):
                with changed(grad=False):
                    member.materialize(given.shape)

    def _infer_parameters(self, module: Any, args: Any, kwargs: Any = None) -> None:
        module.initialize_parameters(*args, **(kwargs or {}))
        if module.has_uninitialized_params():
            raise RuntimeError(f"module {type(self).__name__} has not been fully initialized")
        module._initialize_hook.remove()
        module._load_hook.remove()
        del module._initialize_hook, module._load_hook
        if module.cls_to_become is not None:
            module.__class__ = module.cls_to_become

    def _replicate_for_data_parallel(self) -> Any:
        raise RuntimeError(
            "Modules with uninitialized parameters can't be used with `DataParallel`. Run a dummy "
            "forward pass to correctly initialize the modules"
        )
