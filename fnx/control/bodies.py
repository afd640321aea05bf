"""Staged bodies of loops and branches, remembered from one eager call to the next.

`staged_body` gives the program of a function for arguments of some types.  A loop that is called
again, with the same function or with a new one of the same code, need not be staged again: if all
that the function can read is the same.  `what_it_reads` collects that: its code, its defaults, what
it closes over and the globals it names, and the same of each function among these.  Where it meets
something whose content may change (a list, an object, a NumPy array, a module of the user's), or
code that does more than compute (``import``, ``global``, a counter), it gives up, and the body is
staged each time:

    seen = [1.0]
    lax.fori_loop(0, 3, lambda i, x: x * seen[0], 1.0)
    seen[0] = 2.0                                       # the same code, the same list, another loop

Read next: `loops`.
"""

from __future__ import annotations

import builtins
import dis
import functools
import types
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from fnx.config import trace_key
from fnx.core.array import Array
from fnx.core.jaxpr import Jaxpr
from fnx.core.primitive import Primitive
from fnx.core.simplify import simplify
from fnx.core.staging import stage
from fnx.core.types import ShapedArray
from fnx.transforms.trees import Flat

__all__ = ["clear", "staged_body", "what_it_reads"]

Staged = tuple[Jaxpr, list[Any], Any]

#: Bodies that are remembered, and the bytes of captured arrays that one may keep alive.
_MOST, _LARGEST = 512, 1 << 14

_remembered: OrderedDict[Any, Staged] = OrderedDict()


def clear() -> None:
    """Forget all bodies."""
    _remembered.clear()


def staged_body(
    fun: Callable[..., Any], tree: Any, avals: Sequence[ShapedArray], name: str
) -> Staged:
    """Program, captured values, and structure of the result of a function of a tree's children.

    Parameters
    ----------
    fun : callable
        Of pytrees.
    tree : PyTreeDef
        Structure of its arguments.
    avals : sequence of ShapedArray
        Types of their leaves.
    name : str
        For errors and printing.
    """
    key: Any = what_it_reads(fun)
    if key is not None:
        key = (key, tree, tuple(avals), name, trace_key())
        try:
            found = _remembered.get(key)
        except TypeError:  # the structure holds something that has no hash
            key = None
        else:
            if found is not None:
                return found
    flat = Flat(fun, tree)
    jaxpr, consts = stage(flat, avals, name)
    made = simplify(jaxpr), consts, flat.out_tree
    if key is not None and all(type(c) is Array and c._data.nbytes <= _LARGEST for c in consts):
        _remembered[key] = made
        while len(_remembered) > _MOST:
            _remembered.popitem(last=False)
    return made


# ------------------------------------------------------------------------------ what functions read


class _Same:
    """An object as a key that equals nothing but itself."""

    __slots__ = ("of",)

    def __init__(self, of: Any) -> None:
        self.of = of

    def __hash__(self) -> int:
        return id(self.of)

    def __eq__(self, other: object) -> bool:
        return type(other) is _Same and self.of is other.of


class _Unknown(Exception):
    """Something whose content may change."""


def what_it_reads(fun: Callable[..., Any]) -> tuple[Any, ...] | None:
    """A key of all that decides what a function computes; None if that can't be told.

    Parameters
    ----------
    fun : callable
        Any.
    """
    found: list[Any] = []
    try:
        _read(fun, found, set())
    except _Unknown:
        return None
    return tuple(found)


def _read(value: Any, found: list[Any], seen: set[int]) -> None:
    kind: Any = type(value)
    if kind in _PLAIN:
        found += (kind, value)
    elif kind is float or kind is complex:
        found += (kind, repr(value))  # 0.0 is not -0.0, and nan equals itself
    elif kind is types.FunctionType:
        _read_function(value, found, seen)
    elif kind is Array:
        _read_array(value, found)
    elif kind is types.ModuleType:
        if not _is_trusted(value.__name__):
            raise _Unknown
        found.append(_Same(value))
    elif isinstance(value, tuple):
        found += (_Same(kind), len(value))
        for item in value:
            _read(item, found, seen)
    elif isinstance(value, functools.partial):
        found += (_Same(kind), len(value.args), *value.keywords)
        for item in (value.func, *value.args, *value.keywords.values()):
            _read(item, found, seen)
    elif kind is types.BuiltinFunctionType:
        name = value.__name__
        if value is not getattr(builtins, name, None) or name in _WORLDLY:
            raise _Unknown
        found.append(_Same(value))
    elif isinstance(value, (np.generic, np.dtype)):
        found += (kind, value.tobytes() if isinstance(value, np.generic) else value)
    elif kind in _FIXED or (isinstance(value, type) and _is_trusted(value.__module__)):
        found.append(_Same(value))
    else:
        raise _Unknown


#: Immutable values that are compared by what they are.
_PLAIN = frozenset({type(None), bool, int, str, bytes, type(...)})

#: Types of objects that stay what they are: compared by identity.
_FIXED = frozenset({np.ufunc, Primitive})

#: Builtins that reach out of the function.
_WORLDLY = frozenset(
    "__import__ compile delattr eval exec globals id input locals open setattr vars".split()
)

_TRUSTED = ("builtins", "fnx", "math", "numpy", "operator")

#: Attributes of trusted modules that give something else each time.
_CHANGING = frozenset("fromfile genfromtxt load loadtxt memmap random seed".split())


def _is_trusted(module: str) -> bool:
    return module.split(".")[0] in _TRUSTED


def _read_array(value: Array, found: list[Any]) -> None:
    data = value._data
    if data.ndim == 0:
        found += (data.dtype, value._weak, data.tobytes())
    elif data.nbytes <= _LARGEST:
        found.append(_Same(value))
    else:
        raise _Unknown


def _read_function(function: types.FunctionType, found: list[Any], seen: set[int]) -> None:
    code = function.__code__
    found.append(_Same(code))
    if id(function) in seen:  # it calls itself
        return
    seen.add(id(function))
    scope = function.__globals__
    names = _names(code)
    if not _is_trusted(scope.get("__name__", "")):
        if names is None or vars(function).keys() - {"__wrapped__"}:
            raise _Unknown
        for name in names.read:
            if name in scope:
                found.append(name)
                _read(scope[name], found, seen)
            elif name in _WORLDLY:
                raise _Unknown
        if names.changing and any(_is_numpy(scope.get(name)) for name in names.read):
            raise _Unknown
    for part in (function.__defaults__, function.__kwdefaults__):
        if part:
            _read(tuple(part.items()) if isinstance(part, dict) else part, found, seen)
    for cell in function.__closure__ or ():
        try:
            content = cell.cell_contents
        except ValueError:  # not bound yet
            raise _Unknown from None
        _read(content, found, seen)


def _is_numpy(value: Any) -> bool:
    return type(value) is types.ModuleType and value.__name__.split(".")[0] == "numpy"


@dataclass(frozen=True, slots=True)
class _Names:
    """What a code names: the globals it reads, and whether it uses an attribute in `_CHANGING`."""

    read: tuple[str, ...]
    changing: bool


@functools.lru_cache(maxsize=4096)
def _names(code: types.CodeType) -> _Names | None:
    """The names in a code and in the codes of functions inside it; None if it does more."""
    read: dict[str, None] = {}
    changing = False
    for step in dis.get_instructions(code):
        name, word = step.opname, step.argval
        if name.startswith(("IMPORT", "STORE_GLOBAL", "DELETE_GLOBAL", "STORE_NAME")):
            return None
        if name in ("STORE_DEREF", "DELETE_DEREF") and word in code.co_freevars:
            return None
        if name in ("LOAD_GLOBAL", "LOAD_NAME", "LOAD_FROM_DICT_OR_GLOBALS"):
            read[word] = None
        elif name in ("LOAD_ATTR", "LOAD_METHOD") and word in _CHANGING:
            changing = True
    for inner in code.co_consts:
        if isinstance(inner, types.CodeType):
            inside = _names(inner)
            if inside is None:
                return None
            read.update(dict.fromkeys(inside.read))
            changing = changing or inside.changing
    return _Names(tuple(read), changing)
