"""A reader of pickles that runs nothing: opcodes it knows build inert data, all else is refused.

In: a stream of pickle opcodes (parsed by the standard `pickletools`, which executes none of
them), and two callables that say what a global name and a persistent identifier stand for. Out:
the object at the top of the stack at STOP. Python's own unpickler may call anything that a file
names; this one calls only what the table of known globals gives it.

Read next: `known_globals`, then `read_zip` and `read_legacy`.
"""

from __future__ import annotations

import pickletools
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, BinaryIO

from fnx_nn.serialization.records import (
    SerializationError,
    TensorRecord,
    UnsupportedContentError,
)

__all__ = ["read_pickle"]


def read_pickle(
    stream: BinaryIO,
    find_global: Callable[[str], Any],
    find_persistent: Callable[[Any], Any] | None = None,
) -> Any:
    """Read one pickle, up to and including its STOP.

    Parameters
    ----------
    stream : binary file
        Positioned at the pickle; afterwards, behind it.
    find_global : callable
        From a dotted name to what stands for it: a function of the REDUCE arguments, or a value.
        Raises UnsupportedContentError for a name that it does not know.
    find_persistent : callable, optional
        From a persistent identifier to the object.

    Raises
    ------
    UnsupportedContentError
        If the pickle uses an opcode or a global that is not known.
    SerializationError
        If the pickle is damaged.
    """
    machine = _Machine(find_global, find_persistent)
    try:
        for opcode, argument, _ in pickletools.genops(stream):
            step = _STEPS.get(opcode.name)
            if step is None:
                raise UnsupportedContentError(f"the pickle opcode {opcode.name} is not read here")
            step(machine, argument)
    except SerializationError:
        raise
    except (ValueError, IndexError, KeyError, TypeError, AttributeError, EOFError) as error:
        raise SerializationError(f"the pickle is damaged ({error})") from error
    if len(machine.stack) != 1:
        raise SerializationError("the pickle is damaged (STOP with a stack that is not one object)")
    return machine.stack[0]


class _Machine:
    """The stack, the suspended stacks below each MARK, and the memo."""

    __slots__ = ("find_global", "find_persistent", "marks", "memo", "stack")

    def __init__(
        self, find_global: Callable[[str], Any], find_persistent: Callable[[Any], Any] | None
    ) -> None:
        self.find_global = find_global
        self.find_persistent = find_persistent
        self.stack: list[Any] = []
        self.marks: list[list[Any]] = []
        self.memo: dict[int, Any] = {}

    def push(self, value: Any) -> None:
        self.stack.append(value)

    def pop(self) -> Any:
        return self.stack.pop()

    def pop_to_mark(self) -> list[Any]:
        items = self.stack
        self.stack = self.marks.pop()
        return items

    def mark(self) -> None:
        self.marks.append(self.stack)
        self.stack = []

    def tuple_of(self, count: int) -> None:
        items = tuple(self.stack[len(self.stack) - count :])
        if len(items) != count:
            raise IndexError("a tuple of more items than the stack holds")
        del self.stack[len(self.stack) - count :]
        self.push(items)

    def set_items(self, flat: list[Any]) -> None:
        target = self.stack[-1]
        if not isinstance(target, dict):
            raise TypeError("SETITEMS on an object that is no dictionary")
        for key, value in zip(flat[::2], flat[1::2]):
            target[key] = value

    def append_items(self, items: list[Any]) -> None:
        target = self.stack[-1]
        if not isinstance(target, list):
            raise TypeError("APPENDS on an object that is no list")
        target.extend(items)

    def call(self) -> None:
        arguments, function = self.pop(), self.pop()
        if not callable(function) or not isinstance(arguments, tuple):
            raise UnsupportedContentError(f"the pickle calls {function!r}, which is no function")
        self.push(function(*arguments))

    def build(self) -> None:
        state = self.pop()
        target = self.stack[-1]
        if isinstance(target, OrderedDict) and isinstance(state, dict):
            # state_dict keeps its `_metadata` as an attribute
            vars(target).update({str(name): value for name, value in state.items()})
        elif isinstance(target, TensorRecord) and target.is_parameter and isinstance(state, tuple):
            target.requires_grad = bool(state[0])  # files of before 2018
        else:
            raise UnsupportedContentError(
                f"the pickle sets the state of {type(target).__name__}, which is not read here"
            )

    def load_persistent(self) -> None:
        if self.find_persistent is None:
            raise UnsupportedContentError("the pickle refers to an object outside of it")
        self.push(self.find_persistent(self.pop()))

    def add_items(self, items: list[Any]) -> None:
        target = self.stack[-1]
        if not isinstance(target, set):
            raise TypeError("ADDITEMS on an object that is no set")
        target.update(items)


def _push_argument(machine: _Machine, argument: Any) -> None:
    machine.push(argument)


def _ignore(machine: _Machine, argument: Any) -> None:
    pass


def _global(machine: _Machine, argument: Any) -> None:
    # pickletools gives "module name"; names never contain a space
    machine.push(machine.find_global(".".join(argument.split(" "))))


def _stack_global(machine: _Machine, argument: Any) -> None:
    name, module = machine.pop(), machine.pop()
    machine.push(machine.find_global(f"{module}.{name}"))


def _dictionary(machine: _Machine, argument: Any) -> None:
    flat = machine.pop_to_mark()
    machine.push(dict(zip(flat[::2], flat[1::2])))


def _set_item(machine: _Machine, argument: Any) -> None:
    value, key = machine.pop(), machine.pop()
    machine.set_items([key, value])


def _put(machine: _Machine, argument: Any) -> None:
    machine.memo[argument] = machine.stack[-1]


def _memoize(machine: _Machine, argument: Any) -> None:
    machine.memo[len(machine.memo)] = machine.stack[-1]


def _get(machine: _Machine, argument: Any) -> None:
    machine.push(machine.memo[argument])


_Step = Callable[[_Machine, Any], object]

_LITERALS = (
    "INT BININT BININT1 BININT2 LONG LONG1 LONG4 FLOAT BINFLOAT STRING BINSTRING "
    "SHORT_BINSTRING UNICODE BINUNICODE SHORT_BINUNICODE BINUNICODE8 BINBYTES SHORT_BINBYTES "
    "BINBYTES8 BYTEARRAY8"
).split()

_STEPS: dict[str, _Step] = {
    **dict.fromkeys(_LITERALS, _push_argument),
    "PROTO": _ignore,
    "FRAME": _ignore,
    "STOP": _ignore,
    "NONE": lambda m, _: m.push(None),
    "NEWTRUE": lambda m, _: m.push(True),
    "NEWFALSE": lambda m, _: m.push(False),
    "MARK": lambda m, _: m.mark(),
    "POP": lambda m, _: m.pop(),
    "POP_MARK": lambda m, _: m.pop_to_mark(),
    "DUP": lambda m, _: m.push(m.stack[-1]),
    "EMPTY_LIST": lambda m, _: m.push([]),
    "LIST": lambda m, _: m.push(m.pop_to_mark()),
    "APPEND": lambda m, _: m.append_items([m.pop()]),
    "APPENDS": lambda m, _: m.append_items(m.pop_to_mark()),
    "EMPTY_TUPLE": lambda m, _: m.push(()),
    "TUPLE": lambda m, _: m.push(tuple(m.pop_to_mark())),
    "TUPLE1": lambda m, _: m.tuple_of(1),
    "TUPLE2": lambda m, _: m.tuple_of(2),
    "TUPLE3": lambda m, _: m.tuple_of(3),
    "EMPTY_DICT": lambda m, _: m.push({}),
    "DICT": _dictionary,
    "SETITEM": _set_item,
    "SETITEMS": lambda m, _: m.set_items(m.pop_to_mark()),
    "EMPTY_SET": lambda m, _: m.push(set()),
    "ADDITEMS": lambda m, _: m.add_items(m.pop_to_mark()),
    "FROZENSET": lambda m, _: m.push(frozenset(m.pop_to_mark())),
    "GLOBAL": _global,
    "STACK_GLOBAL": _stack_global,
    "REDUCE": lambda m, _: m.call(),
    "NEWOBJ": lambda m, _: m.call(),
    "BUILD": lambda m, _: m.build(),
    "BINPERSID": lambda m, _: m.load_persistent(),
    "PUT": _put,
    "BINPUT": _put,
    "LONG_BINPUT": _put,
    "MEMOIZE": _memoize,
    "GET": _get,
    "BINGET": _get,
    "LONG_BINGET": _get,
}
