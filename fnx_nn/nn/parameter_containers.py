"""`ParameterList` and `ParameterDict`: modules that hold parameters, in order or by name.

Tensors become parameters when they are put in; other values are kept as they are.
Read next: `linear`.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator, KeysView, Mapping
from typing import Any, Self

from fnx_nn.nn.containers import checked_index, pairs
from fnx_nn.nn.module import Module
from fnx_nn.nn.module_registry import type_name
from fnx_nn.nn.parameter import Parameter
from fnx_nn.tensor.tensor import Tensor

__all__ = ["ParameterDict", "ParameterList"]


class ParameterList(Module):
    """A list of parameters.

    Parameters
    ----------
    values : iterable, optional
        Tensors, which become parameters, and other values.

    Examples
    --------
    >>> import fnx_nn as torch
    >>> ParameterList([torch.ones(2, 3)])
    ParameterList(  (0): Parameter containing: [torch.float32 of size 2x3])
    """

    def __init__(self, values: Iterable[Any] | None = None) -> None:
        super().__init__()
        self._size = 0
        if values is not None:
            self.extend(values)

    def __len__(self) -> int:
        return self._size

    def __iter__(self) -> Iterator[Any]:
        return iter([self[k] for k in range(len(self))])

    def __getitem__(self, idx: Any) -> Any:
        if not isinstance(idx, slice):
            return getattr(self, str(checked_index(idx, len(self))))
        made = type(self)()
        for k in range(len(self))[idx]:
            made.append(self[k])
        return made

    def __setitem__(self, idx: int, param: Any) -> None:
        setattr(self, str(checked_index(idx, len(self))), _as_parameter(param))

    def __iadd__(self, parameters: Iterable[Any]) -> Self:
        return self.extend(parameters)

    def append(self, value: Any) -> Self:
        """Add a value at the end.

        Parameters
        ----------
        value : object
            A tensor becomes a parameter.
        """
        self._size += 1
        self[self._size - 1] = value
        return self

    def extend(self, values: Iterable[Any]) -> Self:
        """Add values at the end.

        Parameters
        ----------
        values : iterable
            Tensors become parameters.
        """
        if not isinstance(values, Iterable) or isinstance(values, Tensor):
            raise TypeError(
                "ParameterList.extend should be called with an iterable, but got "
                f"{type(values).__name__}"
            )
        for value in list(values):
            self.append(value)
        return self

    def extra_repr(self) -> str:
        """A line for each value."""
        return "\n".join([_line(k, value, str(_dtype(value))) for k, value in enumerate(self)])

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        raise RuntimeError("ParameterList should not be called.")


class ParameterDict(Module):
    """Parameters by name, in the order in which they came.

    Parameters
    ----------
    parameters : mapping or iterable of pairs, optional
        Names, and tensors, which become parameters, or other values. A plain mapping is taken in
        the order of its sorted names.

    Examples
    --------
    >>> import fnx_nn as torch
    >>> weights = ParameterDict({"scale": torch.ones(1)})
    >>> weights["scale"].requires_grad, list(weights)
    (True, ['scale'])
    """

    def __init__(self, parameters: Any = None) -> None:
        super().__init__()
        self._keys: dict[str, None] = {}
        if parameters is not None:
            self.update(parameters)

    def __len__(self) -> int:
        return len(self._keys)

    def __iter__(self) -> Iterator[str]:
        return iter(self._keys)

    def __reversed__(self) -> Iterator[str]:
        return reversed(self._keys)

    def __contains__(self, key: object) -> bool:
        return key in self._keys

    def __getitem__(self, key: str) -> Any:
        return getattr(self, _checked_key(key))

    def __setitem__(self, key: str, value: Any) -> None:
        self._keys[key] = None
        setattr(self, _checked_key(key), _as_parameter(value))

    def __delitem__(self, key: str) -> None:
        del self._keys[key]
        delattr(self, _checked_key(key))

    def keys(self) -> KeysView[str]:
        """The names."""
        return self._keys.keys()

    def values(self) -> Iterator[Any]:
        """The values."""
        return (self[key] for key in self._keys)

    def items(self) -> Iterator[tuple[str, Any]]:
        """Names and values."""
        return ((key, self[key]) for key in self._keys)

    def copy(self) -> ParameterDict:
        """Another one with the same parameters."""
        return ParameterDict(OrderedDict(self.items()))

    def fromkeys(self, keys: Iterable[str], default: Any = None) -> ParameterDict:
        """Another one with some names.

        Parameters
        ----------
        keys : iterable of str
            The names.
        default : object
            The value of each.
        """
        return ParameterDict((key, default) for key in keys)

    def get(self, key: str, default: Any = None) -> Any:
        """A value, or another one if it is not there.

        Parameters
        ----------
        key : str
            Its name.
        default : object
            What to give if it is not there.
        """
        return self[key] if key in self._keys else default

    def setdefault(self, key: str, default: Any = None) -> Any:
        """A value, put in first if it is not there.

        Parameters
        ----------
        key : str
            Its name.
        default : object
            What to put in if it is not there.
        """
        if key not in self:
            self[key] = default
        return self[key]

    def pop(self, key: str) -> Any:
        """Take a value out, and give it.

        Parameters
        ----------
        key : str
            Its name.
        """
        found = self[key]
        del self[key]
        return found

    def popitem(self) -> tuple[str, Any]:
        """Take the last name and value out, and give both."""
        if not self._keys:
            raise KeyError("popitem(): dictionary is empty")
        key = next(reversed(self._keys))
        return key, self.pop(key)

    def clear(self) -> None:
        """Take all values out."""
        for key in list(self._keys):
            del self[key]

    def update(self, parameters: Any) -> None:
        """Add values; those of names that are there are replaced.

        Parameters
        ----------
        parameters : mapping or iterable of pairs
            Names and values.
        """
        found = pairs(parameters, "ParameterDict", "ParametersDict")
        if isinstance(parameters, Mapping) and not isinstance(parameters, OrderedDict):
            found = sorted(found, key=lambda pair: pair[0])
        for key, value in found:
            self[key] = value

    def __or__(self, other: ParameterDict) -> ParameterDict:
        made = self.copy()
        made.update(other)
        return made

    def __ror__(self, other: ParameterDict) -> ParameterDict:
        made = other.copy()
        made.update(self)
        return made

    def __ior__(self, other: ParameterDict) -> Self:
        self.update(other)
        return self

    def extra_repr(self) -> str:
        """A line for each value."""
        return "\n".join([_line(key, value, type_name(value)) for key, value in self.items()])

    def __call__(self, input: Any) -> Any:
        raise RuntimeError("ParameterDict should not be called.")


def _as_parameter(value: Any) -> Any:
    wants = isinstance(value, Tensor) and not isinstance(value, Parameter)
    return Parameter(value) if wants else value


def _dtype(value: Any) -> Any:
    return value.dtype if isinstance(value, Tensor) else None


def _line(key: Any, value: Any, kind: str) -> str:
    if not isinstance(value, Tensor):
        return f"  ({key}): Object of type: {type(value).__name__}"
    what = "Parameter" if isinstance(value, Parameter) else "Tensor"
    size = "x".join([str(n) for n in value.size()])
    return f"  ({key}): {what} containing: [{kind} of size {size}]"


def _checked_key(key: Any) -> str:
    if not isinstance(key, str):
        raise TypeError(
            "Index given to ParameterDict cannot be used as a key as it is not a string (type is "
            f"'{type(key).__name__}'). Open an issue on github if you need non-string keys."
        )
    return key
