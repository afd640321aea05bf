"""`Module`: the base class of everything that has parameters.

It is put together from its jobs, one file each: `module_registry` (attributes), `module_tree`
(walks and conversions), `module_calls` (calls and hooks), `module_state` (state dicts). Each is the
base of the next.
Read next: `containers`, `linear`.
"""

from __future__ import annotations

from fnx_nn.nn.module_state import ModuleState

__all__ = ["Module"]


class Module(ModuleState):
    """A part of a network: parameters, buffers, child modules, and `forward`.

    Subclasses call ``super().__init__()`` first, assign parameters and child modules to attributes,
    and write `forward`. A call of the module runs `forward` and the hooks around it.

    Examples
    --------
    >>> import fnx_nn as torch
    >>> from fnx_nn import nn
    >>> class Net(nn.Module):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.layer = nn.Linear(2, 1)
    ...
    ...     def forward(self, x):
    ...         return self.layer(x) ** 2
    >>> net = Net()
    >>> net
    Net(
      (layer): Linear(in_features=2, out_features=1, bias=True)
    )
    >>> [name for name, _ in net.named_parameters()], net(torch.ones(3, 2)).shape
    (['layer.weight', 'layer.bias'], torch.Size([3, 1]))
    """
