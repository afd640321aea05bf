"""`skip_init`: a module without the first values of its parameters.

Read next: `fnx_nn.nn.init`.
"""

from __future__ import annotations

import inspect
from typing import Any

from fnx_nn.ambient import changed
from fnx_nn.nn.module import Module

__all__ = ["skip_init"]


def skip_init(module_cls: type[Module], *args: Any, **kwargs: Any) -> Any:
    """Make a module whose parameters have arbitrary contents, and draw no random numbers.

    Parameters
    ----------
    module_cls : type
        A class of modules whose constructor takes `device`, and gives its parameters their first
        values by `fnx_nn.nn.init`.
    *args, **kwargs
        For its constructor.

    Examples
    --------
    >>> from fnx_nn import nn
    >>> skip_init(nn.Linear, 2, 3)
    Linear(in_features=2, out_features=3, bias=True)
    """
    if not (isinstance(module_cls, type) and issubclass(module_cls, Module)):
        raise RuntimeError(f"Expected a Module; got {module_cls}")
    if "device" not in inspect.signature(module_cls).parameters:
        raise RuntimeError("Module must support a 'device' arg to skip initialization")
    with changed(initializes=False):
        return module_cls(*args, **kwargs)
