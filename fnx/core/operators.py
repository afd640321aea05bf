"""The write-once table of operators and methods that arrays and tracers share.

Above layers register on import: `fnx.numpy` the operators, methods and NumPy overrides.  With the
primitive registry this is the only thing that is written after its definition, and only during
import.
"""

from __future__ import annotations

from typing import Any

from fnx.core.array import Array
from fnx.core.tracing import Tracer
from fnx.errors import ArgumentValueError

__all__ = ["install"]


def install(members: dict[str, Any]) -> None:
    """Give `Array` and `Tracer` operators, methods or properties.

    Parameters
    ----------
    members : dict
        Attribute name to function or property.

    Raises
    ------
    ValueError
        One of them was installed before.
    """
    for name, member in members.items():
        for owner in (Array, Tracer):
            if name in vars(owner) and vars(owner)[name] is not None:
                raise ArgumentValueError(f"{owner.__name__}.{name} is already defined")
            setattr(owner, name, member)
