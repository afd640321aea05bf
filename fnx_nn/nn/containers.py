"""`Sequential`, `ModuleList` and `ModuleDict`: modules that hold modules, in order or by name.

Their children are numbered, or named, as attributes; so they print, and appear in a state dict, as
in PyTorch.
Read next: `parameter_containers`.
"""

from __future__ import annotations

import operator
from collections import OrderedDict
from collections.abc import ItemsView, Iterable, Iterator, KeysView, Mapping, ValuesView
from typing import Any, Self

from fnx_nn.nn.module import Module
from fnx_nn.nn.module_tree import indented

__all__ = ["ModuleDict", "ModuleList", "Sequential", "checked_index", "pairs"]


class Sequential(Module):
    """Modules that are called one after the other, each with the result of the one before.

    Parameters
    ----------
    *args : Module, or one OrderedDict
        The modules; in a dictionary they have names.

    Examples
    --------
    >>> import fnx_nn as torch
    >>> from fnx_nn import nn
    >>> Sequential(nn.Linear(2, 3), nn.Linear(3, 1))
    Sequential(
      (0): Linear(in_features=2, out_features=3, bias=True)
      (1): Linear(in_features=3, out_features=1, bias=True)
    )
    """

    def __init__(self, *args: Any) -> None:
        super().__init__()
        if len(args) == 1 and isinstance(args[0], OrderedDict):
            for name, module in args[0].items():
                self.add_module(name, module)
        else:
            for index, module in enumerate(args):
                self.add_module(str(index), module)

    def forward(self, input: Any) -> Any:
        """Call the modules in their order.

        Parameters
        ----------
        input
            What the first one takes.
        """
        for module in self:
            input = module(input)
        return input

    def __len__(self) -> int:
        return len(self._modules)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._modules.values())

    def _name_at(self, index: Any) -> str:
        return list(self._modules)[checked_index(index, len(self))]

    def __getitem__(self, idx: Any) -> Any:
        if isinstance(idx, slice):
            return type(self)(OrderedDict(list(self._modules.items())[idx]))
        return self._modules[self._name_at(idx)]

    def __setitem__(self, idx: int, module: Any) -> None:
        setattr(self, self._name_at(idx), module)

    def __delitem__(self, idx: Any) -> None:
        chosen = list(self._modules)[idx] if isinstance(idx, slice) else [self._name_at(idx)]
        for name in chosen:
            delattr(self, name)
        _number_again(self)

    def __add__(self, other: Any) -> Sequential:
        made = Sequential()
        for module in (*self, *_require_sequential(other)):
            made.append(module)
        return made

    def __iadd__(self, other: Any) -> Self:
        for module in list(_require_sequential(other)):
            self.append(module)
        return self

    def __mul__(self, other: int) -> Sequential:
        made = Sequential()
        for _ in range(self._checked_factor(other)):
            made.extend(self)
        return made

    __rmul__ = __mul__

    def __imul__(self, other: int) -> Self:
        modules = list(self)
        for _ in range(self._checked_factor(other) - 1):
            self.extend(modules)
        return self

    def _checked_factor(self, other: Any) -> int:
        if not isinstance(other, int):
            raise TypeError(f"unsupported operand type(s) for *: {type(self)} and {type(other)}")
        if other <= 0:
            raise ValueError(f"Non-positive multiplication factor {other} for {type(self)}")
        return other

    def append(self, module: Any) -> Self:
        """Add a module at the end.

        Parameters
        ----------
        module : Module
            The module.
        """
        self.add_module(str(len(self)), module)
        return self

    def extend(self, sequential: Iterable[Any]) -> Self:
        """Add modules at the end.

        Parameters
        ----------
        sequential : iterable of Module
            The modules.
        """
        for module in list(sequential):
            self.append(module)
        return self

    def insert(self, index: int, module: Any) -> Self:
        """Add a module before the one at a position.

        Parameters
        ----------
        index : int
            The position; negative ones count from the end.
        module : Module
            The module.
        """
        if not isinstance(module, Module):
            raise AssertionError(f"module should be of type: {Module}")
        count = len(self)
        if not -count <= index <= count:
            raise IndexError(f"Index out of range: {index}")
        _shift(self, index + count if index < 0 else index, module)
        return self

    def pop(self, key: Any) -> Any:
        """Take modules out, and give them.

        Parameters
        ----------
        key : int or slice
            Which.
        """
        found = self[key]
        del self[key]
        return found


class ModuleList(Module):
    """A list of modules; it has no `forward`.

    Parameters
    ----------
    modules : iterable of Module, optional
        The modules.

    Examples
    --------
    >>> from fnx_nn import nn
    >>> ModuleList([nn.Linear(2, 2) for _ in range(3)])
    ModuleList(
      (0-2): 3 x Linear(in_features=2, out_features=2, bias=True)
    )
    """

    def __init__(self, modules: Iterable[Any] | None = None) -> None:
        super().__init__()
        if modules is not None:
            self.extend(modules)

    def __len__(self) -> int:
        return len(self._modules)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._modules.values())

    def __getitem__(self, idx: Any) -> Any:
        if isinstance(idx, slice):
            return type(self)(list(self._modules.values())[idx])
        return self._modules[str(checked_index(idx, len(self)))]

    def __setitem__(self, idx: int, module: Any) -> None:
        setattr(self, str(checked_index(idx, len(self))), module)

    def __delitem__(self, idx: Any) -> None:
        if isinstance(idx, slice):
            chosen = list(range(len(self))[idx])
        else:
            chosen = [checked_index(idx, len(self))]
        for index in chosen:
            delattr(self, str(index))
        _number_again(self)

    def __add__(self, other: Iterable[Any]) -> ModuleList:
        return ModuleList([*self, *other])

    def __iadd__(self, modules: Iterable[Any]) -> Self:
        return self.extend(modules)

    def append(self, module: Any) -> Self:
        """Add a module at the end.

        Parameters
        ----------
        module : Module
            The module.
        """
        self.add_module(str(len(self)), module)
        return self

    def extend(self, modules: Iterable[Any]) -> Self:
        """Add modules at the end.

        Parameters
        ----------
        modules : iterable of Module
            The modules.
        """
        if not isinstance(modules, Iterable):
            raise TypeError(
                "ModuleList.extend should be called with an iterable, but got "
                f"{type(modules).__name__}"
            )
        for module in list(modules):
            self.append(module)
        return self

    def insert(self, index: int, module: Any) -> None:
        """Add a module before the one at a position.

        Parameters
        ----------
        index : int
            The position.
        module : Module
            The module.
        """
        _shift(self, index, module)

    def pop(self, key: Any) -> Any:
        """Take modules out, and give them.

        Parameters
        ----------
        key : int or slice
            Which.
        """
        found = self[key]
        del self[key]
        return found

    def __repr__(self) -> str:
        texts = [repr(module) for module in self]
        if not texts:
            return f"{self._get_name()}()"
        # Neighbours that look alike are shown once, with their count.
        runs: list[list[Any]] = []
        for index, text in enumerate(texts):
            if runs and runs[-1][2] == text:
                runs[-1][1] = index
            else:
                runs.append([index, index, text])
        lines = [
            f"({first}): {text}"
            if first == last
            else f"({first}-{last}): {last - first + 1} x {text}"
            for first, last, text in runs
        ]
        return f"{self._get_name()}(\n  " + "\n  ".join(map(indented, lines)) + "\n)"


class ModuleDict(Module):
    """Modules by name, in the order in which they came; it has no `forward`.

    Parameters
    ----------
    modules : mapping or iterable of pairs, optional
        Names and modules.

    Examples
    --------
    >>> from fnx_nn import nn
    >>> layers = ModuleDict({"first": nn.Linear(2, 2)})
    >>> layers["first"], "second" in layers
    (Linear(in_features=2, out_features=2, bias=True), False)
    """

    def __init__(self, modules: Any = None) -> None:
        super().__init__()
        if modules is not None:
            self.update(modules)

    def __len__(self) -> int:
        return len(self._modules)

    def __iter__(self) -> Iterator[str]:
        return iter(self._modules)

    def __contains__(self, key: object) -> bool:
        return key in self._modules

    def __getitem__(self, key: str) -> Any:
        return self._modules[key]

    def __setitem__(self, key: str, module: Any) -> None:
        self.add_module(key, module)

    def __delitem__(self, key: str) -> None:
        del self._modules[key]

    def keys(self) -> KeysView[str]:
        """The names."""
        return self._modules.keys()

    def values(self) -> ValuesView[Any]:
        """The modules."""
        return self._modules.values()

    def items(self) -> ItemsView[str, Any]:
        """Names and modules."""
        return self._modules.items()

    def clear(self) -> None:
        """Take all modules out."""
        self._modules.clear()

    def pop(self, key: str) -> Any:
        """Take a module out, and give it.

        Parameters
        ----------
        key : str
            Its name.
        """
        return self._modules.pop(key)

    def update(self, modules: Any) -> None:
        """Add modules; those of names that are there are replaced.

        Parameters
        ----------
        modules : mapping or iterable of pairs
            Names and modules.
        """
        for name, module in pairs(modules, "ModuleDict", "ModuleDict"):
            self[name] = module


def checked_index(index: Any, count: int) -> int:
    """A position as a number from 0.

    Parameters
    ----------
    index : int
        Negative ones count from the end.
    count : int
        How many there are.

    Examples
    --------
    >>> checked_index(-1, 3)
    2
    """
    found = operator.index(index)
    if not -count <= found < count:
        raise IndexError(f"index {found} is out of range")
    return found % count


def pairs(given: Any, name: str, caller: str) -> list[tuple[str, Any]]:
    """Names and values, of a mapping or of an iterable of pairs.

    Parameters
    ----------
    given : mapping or iterable
        What a user gave.
    name, caller : str
        The container, for errors.

    Examples
    --------
    >>> pairs([("a", 1)], "ModuleDict", "ModuleDict")
    [('a', 1)]
    """
    if not isinstance(given, Iterable):
        raise TypeError(
            f"{caller}.update should be called with an iterable of key/value pairs, but got "
            f"{type(given).__name__}"
        )
    if isinstance(given, Mapping) or hasattr(given, "items"):
        return list(given.items())
    found = []
    for k, pair in enumerate(given):
        if not isinstance(pair, Iterable):
            raise TypeError(
                f"{name} update sequence element #{k} should be Iterable; is{type(pair).__name__}"
            )
        values = tuple(pair)
        if len(values) != 2:
            raise ValueError(
                f"{name} update sequence element #{k} has length {len(values)}; 2 is required"
            )
        found.append(values)
    return found


def _require_sequential(other: Any) -> Any:
    if not isinstance(other, Sequential):
        raise ValueError(
            f"add operator supports only objects of Sequential class, but {type(other)} is given."
        )
    return other


def _number_again(container: Module) -> None:
    modules = list(container._modules.values())
    container._modules = OrderedDict((str(k), module) for k, module in enumerate(modules))


def _shift(container: Module, index: int, module: Any) -> None:
    """Put a module at a position; those from there on move up by one."""
    modules = container._modules
    for k in range(len(modules), index, -1):
        modules[str(k)] = modules[str(k - 1)]
    modules[str(index)] = module
