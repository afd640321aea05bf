"""Images at places between their points (`jax.scipy.ndimage`)."""

from __future__ import annotations

import functools
import itertools
import operator
from collections.abc import Sequence
from typing import Any

from fnx import numpy as jnp
from fnx.errors import ArgumentValueError, ShapeError, UnsupportedError
from fnx.numpy.promotion import as_arrays
from fnx.primitives.rounding import round as round_

__all__ = ["map_coordinates"]


def _mirrored(index: Any, size: int) -> Any:
    # The end points stay single: a period is 2 (size - 1) long.
    last = max(size - 1, 1)
    return jnp.abs((index + last) % (2 * last) - last) if size > 1 else index * 0


def _reflected(index: Any, size: int) -> Any:
    # The end points are doubled: a period is 2 size long.
    place = index % (2 * size)
    return jnp.minimum(place, 2 * size - 1 - place)


_FIXES = {
    "constant": lambda index, size: jnp.clip(index, 0, size - 1),
    "nearest": lambda index, size: jnp.clip(index, 0, size - 1),
    "wrap": lambda index, size: index % size,
    "mirror": _mirrored,
    "reflect": _reflected,
}


def map_coordinates(
    input: Any, coordinates: Sequence[Any], order: int, mode: str = "constant", cval: Any = 0.0
) -> Any:
    """Values of an image at places between its points.

    Parameters
    ----------
    input : array-like
        The image, of any number of axes.
    coordinates : sequence of array-like
        For each axis the places along it, of shapes that broadcast.
    order : {0, 1}
        The nearest point (halves go away from zero), or linear interpolation.
    mode : {"constant", "nearest", "wrap", "mirror", "reflect"}
        What lies outside: `cval`, the nearest point, or the image repeated, or mirrored at the
        centres or at the edges of its last points. As in JAX, ``"constant"`` and ``"wrap"`` are
        SciPy's ``"grid-constant"`` and ``"grid-wrap"``.
    cval : number
        The value outside.

    Returns
    -------
    Array
        Of the shape of the coordinates and the dtype of the image; integers are rounded.

    Notes
    -----
    Differentiable in the image, and with order 1 in the coordinates.

    Examples
    --------
    >>> import fnx.numpy as jnp
    >>> from fnx.scipy.ndimage import map_coordinates
    >>> image = jnp.array([[0.0, 1.0], [2.0, 3.0]])
    >>> map_coordinates(image, [jnp.array([0.5]), jnp.array([0.5])], order=1)
    Array([1.5], dtype=float32)
    """
    (image,) = as_arrays("map_coordinates", input)
    places = as_arrays("map_coordinates", *coordinates)
    if len(places) != image.ndim:
        raise ShapeError(
            f"map_coordinates: takes one array of coordinates for each axis of the image "
            f"{image.aval!r}, got {len(places)}."
        )
    if mode not in _FIXES:
        raise UnsupportedError(
            f"map_coordinates: mode {mode!r} is not implemented, only {', '.join(_FIXES)}."
        )
    if order not in (0, 1):
        raise UnsupportedError(f"map_coordinates: order must be 0 or 1, got {order!r}.")
    if image.size == 0:
        raise ArgumentValueError(f"map_coordinates: the image {image.aval!r} has no points.")
    places = jnp.broadcast_arrays(*places) if places else []
    outside = jnp.asarray(cval, image.dtype)
    nodes = [_nodes(place, order) for place in places]
    total: Any = 0
    for corner in itertools.product(*nodes):
        fixed = tuple(_FIXES[mode](k, n) for (k, _), n in zip(corner, image.shape, strict=True))
        value = image[fixed]
        if mode == "constant":
            inside = [(k >= 0) & (k < n) for (k, _), n in zip(corner, image.shape, strict=True)]
            value = jnp.where(functools.reduce(operator.and_, inside, True), value, outside)
        total = total + functools.reduce(operator.mul, [w for _, w in corner], value)
    total = jnp.asarray(total)
    if image.dtype.kind in "iu" and total.dtype.kind == "f":
        total = round_(total)
    return total.astype(image.dtype)


def _nodes(place: Any, order: int) -> list[tuple[Any, Any]]:
    """The points along one axis that count, and their weights."""
    if place.dtype.kind in "iub":
        return [(place.astype("int32"), 1)]
    if order == 0:
        return [(round_(place).astype("int32"), 1)]
    lower = jnp.floor(place)
    share = place - lower
    index = lower.astype("int32")
    return [(index, 1 - share), (index + 1, share)]
