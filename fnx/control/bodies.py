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
from collections import OrderedDict, namedtuple
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
    reader = _Reader()
    try:
        reader.read(fun)
    except _Unknown:
        return None
    if any(not reader.attributes.isdisjoint(_CHANGING[room]) for room in reader.rooms):
        return None
    return tuple(reader.found)


#: Immutable values that are compared by what they are.
_PLAIN = frozenset({type(None), bool, int, str, bytes, type(...)})

#: Types of objects that stay what they are: compared by identity.
_FIXED = frozenset({np.ufunc, Primitive})

#: Builtins that reach out of the function.
_WORLDLY = frozenset(
    "__import__ compile delattr dir eval exec getattr globals hasattr id input locals open"
    " setattr vars".split()
)

_TRUSTED = ("builtins", "fnx", "math", "numpy", "operator")

_FILES = frozenset("fromfile genfromtxt load loadtxt memmap".split())

#: Attributes of trusted modules that give something else each time.
_CHANGING = {
    "fnx": _FILES | {"config"},
    "math": frozenset[str](),
    "numpy": _FILES | {"random", "seed"},
    "operator": frozenset({"attrgetter", "methodcaller"}),
}

#: What the class of a named tuple without methods of its own holds, beside the fields.
_BARE = vars(namedtuple("_Bare", ())).keys() | {
    *("__annotations__", "__orig_bases__", "__annotate_func__", "__annotations_cache__")
}


def _is_trusted(module: str) -> bool:
    return module.split(".")[0] in _TRUSTED


class _Reader:
    """What was found so far, and what the codes among it do with modules."""

    __slots__ = ("attributes", "found", "order", "rooms")

    def __init__(self) -> None:
        self.found: list[Any] = []
        self.order: dict[int, int] = {}  # of functions that were read, by identity
        self.attributes: set[str] = set()
        self.rooms: set[str] = set()

    def read(self, value: Any) -> None:
        found = self.found
        kind: Any = type(value)
        if kind in _PLAIN:
            found += (kind, value)
        elif kind is float or kind is complex:
            found += (kind, repr(value))  # 0.0 is not -0.0, and nan equals itself
        elif kind is types.FunctionType:
            self.read_function(value)
        elif kind is Array:
            self.read_array(value)
        elif kind is types.ModuleType:
            self.read_module(value)
        elif kind is tuple or (isinstance(value, tuple) and _is_bare(kind)):
            found += (_Same(kind), len(value))
            for item in value:
                self.read(item)
        elif isinstance(value, functools.partial) and not value.__dict__:
            if kind is not functools.partial and not _is_trusted(kind.__module__):
                raise _Unknown
            found += (_Same(kind), len(value.args), *value.keywords)
            for item in (value.func, *value.args, *value.keywords.values()):
                self.read(item)
        elif kind is types.BuiltinFunctionType:
            name = value.__name__
            if value is not getattr(builtins, name, None) or name in _WORLDLY:
                raise _Unknown
            found.append(_Same(value))
        elif isinstance(value, np.generic) and kind.__module__ == "numpy":
            found += (value.dtype, value.tobytes())
        elif isinstance(value, np.dtype):
            found += (kind, value)
        elif kind in _FIXED or (isinstance(value, type) and _is_trusted(value.__module__)):
            found.append(_Same(value))
        else:
            raise _Unknown

    def read_array(self, value: Array) -> None:
        data = value._data
        if data.ndim == 0:
            self.found += (data.dtype, value._weak, data.tobytes())
        elif data.nbytes <= _LARGEST:
            self.found.append(_Same(value))
        else:
            raise _Unknown

    def read_module(self, value: types.ModuleType) -> None:
        room, *inner = value.__name__.split(".")
        if room not in _CHANGING or not _CHANGING[room].isdisjoint(inner):
            raise _Unknown
        self.rooms.add(room)
        self.found.append(_Same(value))

    def read_function(self, function: types.FunctionType) -> None:
        code = function.__code__
        self.found.append(_Same(code))
        if id(function) in self.order:  # it calls itself, or has two names
            self.found.append(self.order[id(function)])
            return
        self.order[id(function)] = len(self.order)
        scope = function.__globals__
        names = _names(code)
        if _is_trusted(scope.get("__name__", "")):
            if function.__name__ in _FILES:
                raise _Unknown
        else:
            if names is None or vars(function).keys() - {"__wrapped__"}:
                raise _Unknown
            self.attributes |= names.attributes
            for name in names.read:
                if name in scope:
                    self.found.append(name)
                    self.read(scope[name])
                elif name in _WORLDLY:
                    raise _Unknown
        for part in (function.__defaults__, function.__kwdefaults__):
            if part:
                self.read(tuple(part.items()) if isinstance(part, dict) else part)
        for cell in function.__closure__ or ():
            try:
                content = cell.cell_contents
            except ValueError:  # not bound yet
                raise _Unknown from None
            self.read(content)


def _is_bare(kind: Any) -> bool:
    fields = getattr(kind, "_fields", None)
    if fields is None or kind.__bases__ != (tuple,):
        return False
    return _is_trusted(kind.__module__) or vars(kind).keys() <= _BARE.union(fields)


@dataclass(frozen=True, slots=True)
class _Names:
    """What a code names: the globals it reads, and attributes of whatever it has."""

    read: tuple[str, ...]
    attributes: frozenset[str]


@functools.lru_cache(maxsize=4096)
def _names(code: types.CodeType) -> _Names | None:
    """The names in a code and in the codes of functions inside it; None if it does more."""
    read: dict[str, None] = {}
    attributes: set[str] = set()
    for step in dis.get_instructions(code):
        name, word = step.opname, step.argval
        if name.startswith(("IMPORT", "STORE_GLOBAL", "DELETE_GLOBAL", "STORE_NAME")):
            return None
        if name in ("STORE_DEREF", "DELETE_DEREF") and word in code.co_freevars:
            return None
        if name in ("LOAD_GLOBAL", "LOAD_NAME", "LOAD_FROM_DICT_OR_GLOBALS"):
            read[word] = None
        elif name in ("LOAD_ATTR", "LOAD_METHOD", "LOAD_SUPER_ATTR"):
            if word.startswith("__"):  # of a function, these lead to all that it could read
                return None
            attributes.add(word)
    for inner in code.co_consts:
        if isinstance(inner, types.CodeType):
            inside = _names(inner)
            if inside is None:
                return None
            read.update(dict.fromkeys(inside.read))
            attributes |= inside.attributes
    return _Names(tuple(read), frozenset(attributes))
