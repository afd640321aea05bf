"""Functions that only place elements, made to take arrays of keys, too.

What moves elements about doesn't ask what they are: it is mapped over the axis of their words.
Read next: `vmap`.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any, TypeVar

from fnx.core.array import Array
from fnx.core.extended import ExtendedArray
from fnx.errors import ArgumentTypeError
from fnx.transforms.vmap import vmap
from fnx.tree_util import tree_flatten, tree_map, tree_unflatten

__all__ = ["structural"]

F = TypeVar("F", bound=Callable[..., Any])
#: A reduction over axes, such as `reduce_and`.
Verdict = Callable[[Any, tuple[int, ...]], Any]


def structural(*elements: str, verdict: Verdict | None = None) -> Callable[[F], F]:
    """A decorator of functions whose results are made of elements of some of their arguments.

    Parameters
    ----------
    *elements : str
        The names of these arguments: arrays, or sequences of arrays.
    verdict : callable, optional
        For functions whose results are no elements but say something of each: what that is for an
        element from what it is for its words.

    Returns
    -------
    callable
        From a function of arrays of numbers to one that takes extended arrays, too, if all of
        these arguments are such.

    Examples
    --------
    >>> import fnx
    >>> @structural("x")
    ... def second(x):
    ...     return x[1]
    >>> second(fnx.random.split(fnx.random.key(0)))
    KeyArray(shape=(), impl=threefry2x32)
    """

    def decorate(function: F) -> F:
        @functools.wraps(function)
        def call(*args: Any, **options: Any) -> Any:
            for value in args:
                if type(value) is not Array and _is_extended(value):
                    return _through_words(function, elements, verdict, args, options)
            if options and any([_is_extended(value) for value in options.values()]):
                return _through_words(function, elements, verdict, args, options)
            return function(*args, **options)

        return call  # type: ignore[return-value]  # of the same parameters

    return decorate


def _is_extended(value: Any) -> bool:
    """Whether it is an extended array, or its first element is."""
    while type(value) in (list, tuple) and value:
        value = value[0]
    return isinstance(value, ExtendedArray)


def _is_leaf(value: Any) -> bool:
    return isinstance(value, ExtendedArray)


def _through_words(
    function: Callable[..., Any],
    elements: tuple[str, ...],
    verdict: Verdict | None,
    args: tuple[Any, ...],
    options: dict[str, Any],
) -> Any:
    """The function mapped over the words of its elements."""
    name = function.__name__
    bound = inspect.signature(function).bind(*args, **options)
    bound.apply_defaults()
    given = {element: bound.arguments[element] for element in elements}
    arrays, tree = tree_flatten(given, is_leaf=_is_leaf)
    if not any([_is_leaf(array) for array in arrays]):
        return function(*args, **options)  # other arguments are, which the function refuses
    if not all([type(array) is type(arrays[0]) for array in arrays]):
        raise ArgumentTypeError(
            f"{name}: {' and '.join(elements)} must be keys all or none, got "
            f"{', '.join([repr(getattr(a, 'aval', a)) for a in arrays])}. Convert numbers with "
            "random.wrap_key_data, or keys with random.key_data."
        )
    first = arrays[0]
    if bound.arguments.get("dtype") is not None:
        if bound.arguments["dtype"] != first.dtype:
            first.refuse(name)
        bound.arguments["dtype"] = None

    def of_words(*words: Any) -> Any:
        bound.arguments.update(tree_unflatten(tree, words))
        return function(*bound.args, **bound.kwargs)

    def rewrapped(words: Any) -> Any:
        if verdict is not None:
            return verdict(words, (words.ndim - 1,))
        return type(first)(words)

    found = vmap(of_words, in_axes=-1, out_axes=-1)(*[array.data for array in arrays])
    return tree_map(rewrapped, found)
