"""Why a call of a jitted function was traced: what is new in its key, as data.

The key of a call is the structure of its arguments, the type of every leaf, the static arguments,
and the settings (and named axes) that change what a function means.  A call is traced when no
program has its key; the nearest key that was seen says what is new.  Read next: `jit`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from fnx.config import describe_key
from fnx.core.types import ShapedArray

__all__ = ["Cause", "causes", "told"]


@dataclass(frozen=True, slots=True)
class Cause:
    """One difference between a call and the nearest one that was traced before.

    Parameters
    ----------
    kind : str
        ``structure``, ``shape``, ``dtype``, ``weak type``, ``static argument`` or ``setting``.
    what : str
        Which argument or setting: ``params['w']``.
    now, before : str
        Its value in this call, and in the other one.
    """

    kind: str
    what: str
    now: str
    before: str

    def __str__(self) -> str:
        return f"{self.kind} of {self.what}: {self.now} (before {self.before})"


def causes(key: Any, seen: Iterable[Any], path: Callable[[int], str]) -> list[Cause]:
    """What is new in a key against the nearest of those that were seen; empty for the first call.

    Parameters
    ----------
    key : tuple
        ``(structure, types, static arguments, settings)``.
    seen : iterable of tuple
        The keys of the programs that there are.
    path : callable
        What the user calls the leaf of an index.
    """
    compared = [_differences(key, other, path) for other in seen]
    return min(compared, key=len, default=[])


def told(found: list[Cause], first: bool) -> str:
    """The causes as one line of text.

    Parameters
    ----------
    found : list of Cause
        From `causes`.
    first : bool
        Whether nothing was traced before.
    """
    if first:
        return "first call"
    return "; ".join(map(str, found)) or "nothing: its program was dropped, or captured tracers"


def _differences(key: Any, other: Any, path: Callable[[int], str]) -> list[Cause]:
    tree, types, static, setting = key
    tree_before, types_before, static_before, setting_before = other
    found = []
    if tree != tree_before:
        found.append(Cause("structure", "the arguments", str(tree), str(tree_before)))
    else:
        for k, (now, before) in enumerate(zip(types, types_before, strict=True)):
            if now != before:
                found.append(_type_cause(path(k), now, before))
    if static != static_before:
        found += _static_causes(static, static_before)
    if setting != setting_before:
        now_by_name, by_name = describe_key(setting), describe_key(setting_before)
        for name in now_by_name:
            if now_by_name[name] != by_name[name]:
                found.append(Cause("setting", name, repr(now_by_name[name]), repr(by_name[name])))
    return found


def _type_cause(what: str, now: Any, before: Any) -> Cause:
    kinds = ("shape", "dtype", "weak type")
    kind = next(k for k, a, b in zip(kinds, now, before, strict=True) if a != b)
    return Cause(kind, what, repr(ShapedArray(*now)), repr(ShapedArray(*before)))


def _static_causes(static: Any, static_before: Any) -> list[Cause]:
    now = {which: value for which, _, value in static}
    before = {which: value for which, _, value in static_before}
    kinds = {which: kind for which, kind, _ in static}
    kinds_before = {which: kind for which, kind, _ in static_before}
    found = []
    for which in dict.fromkeys([*now, *before]):
        same_type = kinds.get(which) is kinds_before.get(which)
        if same_type and which in now and which in before and now[which] == before[which]:
            continue
        values = [repr(d[which]) if which in d else "not passed" for d in (now, before)]
        found.append(Cause("static argument", repr(which), *values))
    return found
