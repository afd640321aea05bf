"""Key paths: where in a tree a leaf is, as a tuple of entries, one per level.

In comes a tuple of entries; out comes text such as ``['layers'][0].weight``. The entries are those
of the containers: `SequenceKey` (lists, tuples), `DictKey`, `GetAttrKey` (named tuples,
dataclasses), and `FlattenedIndexKey` for nodes that were registered without keys. Read next:
`registry`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

__all__ = [
    "DictKey",
    "FlattenedIndexKey",
    "GetAttrKey",
    "KeyEntry",
    "KeyPath",
    "SequenceKey",
    "keystr",
]


@dataclass(frozen=True, slots=True)
class SequenceKey:
    """A position in a list or tuple.

    Parameters
    ----------
    idx : int
        The position.
    """

    idx: int

    def __str__(self) -> str:
        return f"[{self.idx!r}]"


@dataclass(frozen=True, slots=True)
class DictKey:
    """A key of a dictionary.

    Parameters
    ----------
    key : hashable
        The key.
    """

    key: Any

    def __str__(self) -> str:
        return f"[{self.key!r}]"


@dataclass(frozen=True, slots=True)
class GetAttrKey:
    """An attribute of a named tuple, a dataclass or a registered node.

    Parameters
    ----------
    name : str
        The attribute.
    """

    name: str

    def __str__(self) -> str:
        return f".{self.name}"


@dataclass(frozen=True, slots=True)
class FlattenedIndexKey:
    """A position among the children of a node that was registered without keys.

    Parameters
    ----------
    key : int
        The position.
    """

    key: int

    def __str__(self) -> str:
        return f"[<flat index {self.key!r}>]"


#: Any hashable with a readable `str`: those above, and whatever a registered node yields.
KeyEntry: TypeAlias = Any
KeyPath: TypeAlias = tuple[KeyEntry, ...]


def keystr(keys: KeyPath, *, simple: bool = False, separator: str = "") -> str:
    """A key path as text.

    Parameters
    ----------
    keys : tuple
        The entries.
    simple : bool
        Write the bare keys, positions and names.
    separator : str
        What to put between entries.

    Returns
    -------
    str
        The text.

    Examples
    --------
    >>> path = (DictKey("layers"), SequenceKey(0), GetAttrKey("weight"))
    >>> keystr(path)
    "['layers'][0].weight"
    >>> keystr(path, simple=True, separator="/")
    'layers/0/weight'
    """
    return separator.join([_bare(key) if simple else str(key) for key in keys])


def _bare(entry: KeyEntry) -> str:
    if isinstance(entry, SequenceKey):
        return str(entry.idx)
    if isinstance(entry, GetAttrKey):
        return entry.name
    if isinstance(entry, (DictKey, FlattenedIndexKey)):
        return str(entry.key)
    return str(entry)
