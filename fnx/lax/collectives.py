"""Collectives along the named axis of a `vmap`: sums, exchanges and the like among its lanes.

Read next: `fnx.primitives.collectives`, which says how they're resolved.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Sequence
from typing import Any

import numpy as np

from fnx import tree_util
from fnx.config import CONTEXT
from fnx.core.conversion import as_value
from fnx.errors import ArgumentValueError, AxisNameError, UnsupportedError
from fnx.primitives.cast import convert_element_type
from fnx.primitives.collectives import (
    all_gather_p,
    all_to_all_p,
    axis_index_p,
    pmax_p,
    pmin_p,
    ppermute_p,
    psum_p,
    psum_scatter_p,
)
from fnx.primitives.nonlinear_reductions import reduce_max, reduce_min
from fnx.primitives.reductions import reduce_sum
from fnx.primitives.shaping import full, reshape
from fnx.primitives.slicing import index_in_dim, normalized_axis

__all__ = [
    "all_gather",
    "all_to_all",
    "axis_index",
    "axis_size",
    "pbroadcast",
    "pmax",
    "pmean",
    "pmin",
    "ppermute",
    "pshuffle",
    "psum",
    "psum_scatter",
    "pswapaxes",
]


def _size(operation: str, name: Hashable) -> int:
    """The size of a named axis in scope."""
    around = CONTEXT.get().axis_env
    for known, size in reversed(around):
        if known == name:
            return int(size)
    names = [n for n, _ in around]
    raise AxisNameError(
        f"{operation}: unbound axis name: {name!r}; in scope are {names}. Call it within "
        f"vmap(..., axis_name={name!r})."
    )


def _names(axis_name: Any) -> tuple[Any, ...]:
    return tuple(axis_name) if isinstance(axis_name, (tuple, list)) else (axis_name,)


def _single(operation: str, axis_name: Any) -> dict[str, Any]:
    names = _names(axis_name)
    if len(names) != 1:
        raise UnsupportedError(
            f"{operation}: takes one axis name, got {len(names)}. Exchange along one axis after "
            "the other."
        )
    return {"axis": names[0], "lanes": _size(operation, names[0])}


def _no_groups(operation: str, groups: Any) -> None:
    if groups is not None:
        raise UnsupportedError(
            f"{operation}: axis_index_groups must be None. Use two nested vmaps with a name each."
        )


def _leaves(operation: str, function: Callable[[Any], Any], x: Any) -> Any:
    return tree_util.tree_map(lambda leaf: function(as_value(leaf, operation)), x)


def psum(x: Any, axis_name: Any, *, axis_index_groups: None = None) -> Any:
    """The sum over all lanes, in each of them.

    Parameters
    ----------
    x : pytree of arrays
        Booleans are counted.  The sum of a constant is a constant: ``psum(1, name)`` is the size.
    axis_name : hashable or sequence
        One name or several; ints are axes of the array.
    axis_index_groups : None
        Accepted for programs written for JAX.

    Raises
    ------
    NameError
        No `vmap` with this name is around.

    Examples
    --------
    >>> import fnx, fnx.numpy as jnp
    >>> from fnx import lax
    >>> fnx.vmap(lambda x: x / lax.psum(x, "i"), axis_name="i")(jnp.array([1., 3.]))
    Array([0.25, 0.75], dtype=float32)
    """
    _no_groups("psum", axis_index_groups)
    names = _names(axis_name)
    sizes = [_size("psum", n) for n in names if not isinstance(n, int)]

    def total(leaf: Any) -> Any:
        if type(leaf) in (int, float, complex) and len(sizes) == len(names):
            return leaf * math.prod(sizes)
        value = as_value(leaf, "psum")
        if value.dtype == np.bool_:
            value = convert_element_type(value, "int32")
        return _over(value, names, reduce_sum, psum_p, "psum")

    return tree_util.tree_map(total, x)


def _over(
    value: Any, names: Sequence[Any], reduce: Callable[..., Any], primitive: Any, operation: str
) -> Any:
    """Reduce over axes of the array, then over named ones."""
    places = [normalized_axis(operation, n, value.ndim) for n in names if isinstance(n, int)]
    if places:
        value = reduce(value, tuple(sorted(places)))
    for name in names:
        if not isinstance(name, int):
            value = primitive(value, axis=name, lanes=_size(operation, name))
    return value


def pmean(x: Any, axis_name: Any, *, axis_index_groups: None = None) -> Any:
    """The mean over all lanes, in each of them.

    Parameters
    ----------
    x : pytree of arrays
        Integers have a mean in floating-point numbers.
    axis_name, axis_index_groups
        As for `psum`.

    Examples
    --------
    >>> import fnx, fnx.numpy as jnp
    >>> from fnx import lax
    >>> fnx.vmap(lambda x: lax.pmean(x, "i"), axis_name="i")(jnp.array([1., 3.]))
    Array([2., 2.], dtype=float32)
    """
    total = psum(x, axis_name, axis_index_groups=axis_index_groups)
    count = psum(1, axis_name)
    return tree_util.tree_map(lambda v: v / count, total)


def pmax(x: Any, axis_name: Any, *, axis_index_groups: None = None) -> Any:
    """The greatest value over all lanes, in each of them.

    Its derivative is the mean of those of the lanes that have it.

    Parameters
    ----------
    x : pytree of arrays
        Any shapes.
    axis_name, axis_index_groups
        As for `psum`.

    Examples
    --------
    >>> import fnx, fnx.numpy as jnp
    >>> from fnx import lax
    >>> fnx.vmap(lambda x: lax.pmax(x, "i"), axis_name="i")(jnp.array([1., 3.]))
    Array([3., 3.], dtype=float32)
    """
    _no_groups("pmax", axis_index_groups)
    names = _names(axis_name)
    return _leaves("pmax", lambda v: _over(v, names, reduce_max, pmax_p, "pmax"), x)


def pmin(x: Any, axis_name: Any, *, axis_index_groups: None = None) -> Any:
    """The least value over all lanes, in each of them.

    Parameters
    ----------
    x : pytree of arrays
        Any shapes.
    axis_name, axis_index_groups
        As for `psum`.

    Examples
    --------
    >>> import fnx, fnx.numpy as jnp
    >>> from fnx import lax
    >>> fnx.vmap(lambda x: lax.pmin(x, "i"), axis_name="i")(jnp.array([1., 3.]))
    Array([1., 1.], dtype=float32)
    """
    _no_groups("pmin", axis_index_groups)
    names = _names(axis_name)
    return _leaves("pmin", lambda v: _over(v, names, reduce_min, pmin_p, "pmin"), x)


def axis_index(axis_name: Any) -> Any:
    """The number of this lane.

    Parameters
    ----------
    axis_name : hashable or sequence
        Of several names, the last one counts fastest.

    Examples
    --------
    >>> import fnx, fnx.numpy as jnp
    >>> from fnx import lax
    >>> fnx.vmap(lambda x: x * lax.axis_index("i"), axis_name="i")(jnp.ones(3))
    Array([0., 1., 2.], dtype=float32)
    """
    index: Any = None
    for name in _names(axis_name):
        size = _size("axis_index", name)
        here = axis_index_p(axis=name, lanes=size)
        index = here if index is None else index * full((), size, np.int32) + here
    return full((), 0, np.int32) if index is None else index


def axis_size(axis_name: Any) -> int:
    """The number of lanes.

    Parameters
    ----------
    axis_name : hashable or sequence
        Of several names, the product.

    Examples
    --------
    >>> import fnx, fnx.numpy as jnp
    >>> from fnx import lax
    >>> fnx.vmap(lambda x: x + lax.axis_size("i"), axis_name="i")(jnp.zeros(3))
    Array([3., 3., 3.], dtype=float32)
    """
    return math.prod([_size("axis_size", name) for name in _names(axis_name)])


def all_gather(
    x: Any,
    axis_name: Any,
    *,
    axis_index_groups: None = None,
    axis: int = 0,
    tiled: bool = False,
) -> Any:
    """What all lanes have, in each of them, along a new axis.

    Parameters
    ----------
    x : pytree of arrays
        Any shapes.
    axis_name : hashable or sequence
        Of several names, the last one counts fastest.
    axis_index_groups : None
        Accepted for programs written for JAX.
    axis : int
        Where the new axis goes.
    tiled : bool
        Whether that axis, which is there already, becomes longer instead.

    Examples
    --------
    >>> import fnx, fnx.numpy as jnp
    >>> from fnx import lax
    >>> fnx.vmap(lambda x: jnp.flip(lax.all_gather(x, "i")), axis_name="i")(jnp.arange(2))
    Array([[1, 0],
           [1, 0]], dtype=int32)
    """
    _no_groups("all_gather", axis_index_groups)
    sizes = [(name, _size("all_gather", name)) for name in _names(axis_name)]
    count = math.prod([size for _, size in sizes])

    def gather(value: Any) -> Any:
        place = normalized_axis("all_gather", axis, value.ndim + (not tiled))
        shape = value.shape
        for name, size in reversed(sizes):
            value = all_gather_p(value, axis=name, lanes=size, place=place)
        if tiled:
            return reshape(value, (*shape[:place], count * shape[place], *shape[place + 1 :]))
        return reshape(value, (*shape[:place], count, *shape[place:]))

    return _leaves("all_gather", gather, x)


def psum_scatter(
    x: Any,
    axis_name: Any,
    *,
    scatter_dimension: int = 0,
    axis_index_groups: None = None,
    tiled: bool = False,
) -> Any:
    """The sum over all lanes, of which each one gets its part.

    Parameters
    ----------
    x : pytree of arrays
        With an axis as long as there are lanes; with `tiled`, a multiple of that.
    axis_name : hashable
        One name.
    scatter_dimension : int
        That axis.
    axis_index_groups : None
        Accepted for programs written for JAX.
    tiled : bool
        Whether the axis stays, shorter.

    Examples
    --------
    >>> import fnx, fnx.numpy as jnp
    >>> from fnx import lax
    >>> fnx.vmap(lambda x: lax.psum_scatter(x, "i"), axis_name="i")(jnp.array([[1, 2], [3, 4]]))
    Array([4, 6], dtype=int32)
    """
    _no_groups("psum_scatter", axis_index_groups)
    along = _single("psum_scatter", axis_name)

    def scatter(value: Any) -> Any:
        place = normalized_axis("psum_scatter", scatter_dimension, value.ndim)
        if tiled:
            value = _divided("psum_scatter", value, place, along)
        psum_scatter_p.infer(value.aval, **along, place=place)
        return psum_scatter_p(value, **along, place=place)

    return _leaves("psum_scatter", scatter, x)


def _divided(operation: str, value: Any, place: int, along: dict[str, Any]) -> Any:
    """An axis as two: the number of the lane, and what it gets."""
    size, shape = along["lanes"], value.shape
    if shape[place] % size:
        raise ArgumentValueError(
            f"{operation}: axis {place} of {value.aval!r} can't be divided among the {size} lanes "
            f"of {along['axis']!r}. Its size must be a multiple of that."
        )
    return reshape(value, (*shape[:place], size, shape[place] // size, *shape[place + 1 :]))


def all_to_all(
    x: Any,
    axis_name: Any,
    split_axis: int,
    concat_axis: int,
    *,
    axis_index_groups: None = None,
    tiled: bool = False,
) -> Any:
    """Each lane gives every lane its part, and puts together what it gets.

    Parameters
    ----------
    x : pytree of arrays
        With an axis as long as there are lanes; with `tiled`, a multiple of that.
    axis_name : hashable
        One name.
    split_axis : int
        That axis, which goes away (with `tiled`, becomes shorter).
    concat_axis : int
        Where the parts of all lanes go, as a new axis (with `tiled`, as more of one).
    axis_index_groups : None
        Accepted for programs written for JAX.
    tiled : bool
        Whether no axis goes away or is added.

    Examples
    --------
    >>> import fnx, fnx.numpy as jnp
    >>> from fnx import lax
    >>> f = fnx.vmap(lambda x: lax.all_to_all(x, "i", 0, 0), axis_name="i")
    >>> f(jnp.array([[1, 2], [3, 4]]))
    Array([[1, 3],
           [2, 4]], dtype=int32)
    """
    _no_groups("all_to_all", axis_index_groups)
    along = _single("all_to_all", axis_name)

    def exchange(value: Any) -> Any:
        split = normalized_axis("all_to_all", split_axis, value.ndim)
        concat = normalized_axis("all_to_all", concat_axis, value.ndim)
        if not tiled:
            all_to_all_p.infer(value.aval, **along, split=split, concat=concat)
            return all_to_all_p(value, **along, split=split, concat=concat)
        value = _divided("all_to_all", value, split, along)
        value = all_to_all_p(value, **along, split=split, concat=concat)
        shape = value.shape
        merged = shape[concat] * shape[concat + 1]
        return reshape(value, (*shape[:concat], merged, *shape[concat + 2 :]))

    return _leaves("all_to_all", exchange, x)


def pswapaxes(x: Any, axis_name: Any, axis: int, *, axis_index_groups: None = None) -> Any:
    """Exchange the mapped axis with one of the array.

    Parameters
    ----------
    x : pytree of arrays
        With an axis as long as there are lanes.
    axis_name : hashable
        One name.
    axis : int
        That axis.
    axis_index_groups : None
        Accepted for programs written for JAX.

    Examples
    --------
    >>> import fnx, fnx.numpy as jnp
    >>> from fnx import lax
    >>> fnx.vmap(lambda x: lax.pswapaxes(x, "i", 0), axis_name="i")(jnp.array([[1, 2], [3, 4]]))
    Array([[1, 3],
           [2, 4]], dtype=int32)
    """
    return all_to_all(x, axis_name, axis, axis, axis_index_groups=axis_index_groups)


def pbroadcast(x: Any, axis_name: Any, source: int) -> Any:
    """Every lane gets what one of them has.

    Parameters
    ----------
    x : pytree of arrays
        Any shapes.
    axis_name : hashable
        One name.
    source : int
        The lane that gives.

    Examples
    --------
    >>> import fnx, fnx.numpy as jnp
    >>> from fnx import lax
    >>> fnx.vmap(lambda x: lax.pbroadcast(x, "i", 2), axis_name="i")(jnp.arange(1, 4))
    Array([3, 3, 3], dtype=int32)
    """
    size = _single("pbroadcast", axis_name)["lanes"]
    if not 0 <= source < size:
        raise ArgumentValueError(
            f"pbroadcast: source={source} must be a lane of {axis_name!r}, from 0 to {size - 1}."
        )
    return _leaves(
        "pbroadcast", lambda v: index_in_dim(all_gather(v, axis_name), source, 0, False), x
    )


def ppermute(x: Any, axis_name: Any, perm: Sequence[tuple[int, int]]) -> Any:
    """Values move from lane to lane; a lane that gets none has zeros.

    Parameters
    ----------
    x : pytree of arrays
        Any shapes.
    axis_name : hashable
        One name.
    perm : sequence of (int, int)
        From which lane to which; no lane gives or gets twice.

    Examples
    --------
    >>> import fnx, fnx.numpy as jnp
    >>> from fnx import lax
    >>> fnx.vmap(lambda x: lax.ppermute(x, "i", [(0, 1), (1, 2)]), axis_name="i")(jnp.arange(1, 4))
    Array([0, 1, 2], dtype=int32)
    """
    along = _single("ppermute", axis_name)
    pairs = tuple([(int(source), int(to)) for source, to in perm])
    size = along["lanes"]
    for what, lanes in (("source", [a for a, _ in pairs]), ("destination", [b for _, b in pairs])):
        beyond = sorted(k for k in lanes if not 0 <= k < size)
        if beyond or len(set(lanes)) < len(lanes):
            fault = f"{beyond} don't exist" if beyond else "one is named twice"
            raise ArgumentValueError(
                f"ppermute: of the {what} lanes {lanes}, {fault}; {along['axis']!r} has {size}. "
                "Give each lane at most once."
            )
    moves = tuple(sorted(pairs))
    return _leaves("ppermute", lambda v: ppermute_p(v, **along, perm=moves), x)


def pshuffle(x: Any, axis_name: Any, perm: Sequence[int]) -> Any:
    """Lane k gets what lane ``perm[k]`` has.

    Parameters
    ----------
    x : pytree of arrays
        Any shapes.
    axis_name : hashable
        One name.
    perm : sequence of int
        Every lane once.

    Examples
    --------
    >>> import fnx, fnx.numpy as jnp
    >>> from fnx import lax
    >>> fnx.vmap(lambda x: lax.pshuffle(x, "i", [2, 0, 1]), axis_name="i")(jnp.arange(3))
    Array([2, 0, 1], dtype=int32)
    """
    size = _single("pshuffle", axis_name)["lanes"]
    if sorted(perm) != list(range(size)):
        raise ArgumentValueError(
            f"pshuffle: perm must hold each of the {size} lanes once, got {list(perm)}."
        )
    return ppermute(x, axis_name, list(zip(perm, range(size), strict=True)))
