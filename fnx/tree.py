"""Trees of containers, by short names: `fnx.tree.map` is `fnx.tree_util.tree_map`.

In come trees, out come trees and leaves. Nothing is defined here but `static`, which marks a field
of a dataclass as part of the structure. Read next: `tree_util`.
"""

from __future__ import annotations

import dataclasses
from typing import Any

from fnx.tree_util import tree_all as all
from fnx.tree_util import tree_broadcast as broadcast
from fnx.tree_util import tree_flatten as flatten
from fnx.tree_util import tree_flatten_with_path as flatten_with_path
from fnx.tree_util import tree_leaves as leaves
from fnx.tree_util import tree_leaves_with_path as leaves_with_path
from fnx.tree_util import tree_map as map
from fnx.tree_util import tree_map_with_path as map_with_path
from fnx.tree_util import tree_reduce as reduce
from fnx.tree_util import tree_reduce_associative as reduce_associative
from fnx.tree_util import tree_structure as structure
from fnx.tree_util import tree_transpose as transpose
from fnx.tree_util import tree_unflatten as unflatten

__all__ = [
    "all",
    "broadcast",
    "flatten",
    "flatten_with_path",
    "leaves",
    "leaves_with_path",
    "map",
    "map_with_path",
    "reduce",
    "reduce_associative",
    "static",
    "structure",
    "transpose",
    "unflatten",
]


def static(**kwargs: Any) -> Any:
    """A field of a registered dataclass that is part of the structure, not a child.

    Parameters
    ----------
    **kwargs
        As for `dataclasses.field`.

    Returns
    -------
    dataclasses.Field
        A field with ``static`` in its metadata.

    Examples
    --------
    >>> import dataclasses, fnx
    >>> @fnx.tree_util.register_dataclass
    ... @dataclasses.dataclass
    ... class Layer:
    ...     weight: float
    ...     name: str = static(default="dense")
    >>> structure(Layer(1.0))
    PyTreeDef(CustomNode(Layer[('dense',)], [*]))
    """
    metadata = {"static": True, **(kwargs.pop("metadata", None) or {})}
    return dataclasses.field(metadata=metadata, **kwargs)
