"""Interpolation on a grid of unevenly spaced lines (`jax.scipy.interpolate`)."""

from __future__ import annotations

import functools
import itertools
import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from fnx import numpy as jnp
from fnx import tree_util
from fnx.errors import ArgumentValueError, ShapeError, UnsupportedError
from fnx.numpy.promotion import as_arrays, promote_inexact

__all__ = ["RegularGridInterpolator"]


class RegularGridInterpolator:
    """A function that interpolates values given on a grid; a pytree of its arrays.

    Parameters
    ----------
    points : sequence of array-like
        For each of the first axes of `values` the coordinates, strictly increasing, at least two.
    values : array-like
        Values on the grid; further axes are carried along.
    method : {"linear", "nearest"}
        How.
    bounds_error : bool
        False: whether places are outside can't raise in a traced program.
    fill_value : number, optional
        The value outside of the grid; with None the outermost cells are continued.

    Examples
    --------
    >>> import fnx.numpy as jnp
    >>> from fnx.scipy.interpolate import RegularGridInterpolator
    >>> f = RegularGridInterpolator([jnp.array([0.0, 1.0, 3.0])], jnp.array([0.0, 1.0, 5.0]))
    >>> f(jnp.array([[2.0], [4.0]]))
    Array([ 3., nan], dtype=float32)
    """

    def __init__(
        self,
        points: Sequence[Any],
        values: Any,
        method: str = "linear",
        bounds_error: bool = False,
        fill_value: Any = np.nan,
    ) -> None:
        name = "RegularGridInterpolator"
        self.method = _known(method)
        if bounds_error:
            raise UnsupportedError(
                f"{name}: bounds_error must be False, a traced program can't raise for its data. "
                "Compare with the bounds before the call."
            )
        self.bounds_error = False
        (self.values,) = promote_inexact(name, values)
        self.grid = tuple(as_arrays(name, *points))
        shapes = [g.shape for g in self.grid]
        if shapes != [(n,) for n in self.values.shape[: len(shapes)]] or (1,) in shapes:
            raise ShapeError(
                f"{name}: points must be one vector for each of the first axes of values, of the "
                f"same length (at least 2), got shapes {shapes} and values {self.values.aval!r}."
            )
        self.fill_value = fill_value
        if fill_value is not None:
            self.fill_value = jnp.asarray(fill_value)
            if self.fill_value.dtype.kind == "c" and self.values.dtype.kind != "c":
                raise ArgumentValueError(
                    f"{name}: fill_value {fill_value!r} doesn't fit values {self.values.aval!r}."
                )

    def __call__(self, xi: Any, method: str | None = None) -> Any:
        """The values at some places.

        Parameters
        ----------
        xi : array-like or tuple of array-like
            Places, their coordinates in the last axis; or one array for each coordinate.
        method : {"linear", "nearest"}, optional
            How, if otherwise than said before.
        """
        method = self.method if method is None else _known(method)
        places = self._places(xi)
        edges, outside = [], []
        for x, g in zip(places, self.grid, strict=True):
            low = jnp.clip(jnp.searchsorted(g, x) - 1, 0, g.shape[0] - 2)
            share = (x - g[low]) / (g[low + 1] - g[low])
            near = [(jnp.where(share <= 0.5, low, low + 1), 1)]
            edges.append(near if method == "nearest" else [(low, 1 - share), (low + 1, share)])
            outside.append((x < g[0]) | (x > g[-1]))
        trailing = (None,) * (self.values.ndim - len(self.grid))
        total: Any = 0
        for corner in itertools.product(*edges):
            weight = functools.reduce(operator.mul, [w for _, w in corner])
            value = self.values[tuple(k for k, _ in corner)]
            total = total + value * jnp.asarray(weight)[(..., *trailing)]
        if self.fill_value is None:
            return total
        out = functools.reduce(operator.or_, outside)[(..., *trailing)]
        return jnp.where(out, self.fill_value.astype(total.dtype), total)

    def _places(self, xi: Any) -> list[Any]:
        count = len(self.grid)
        if isinstance(xi, tuple) and len(xi) == count and count > 1:
            return list(jnp.broadcast_arrays(*promote_inexact("RegularGridInterpolator", *xi)))
        xi = xi[0] if isinstance(xi, tuple) and len(xi) == 1 else xi
        (x,) = promote_inexact("RegularGridInterpolator", xi)
        if x.ndim == 1:
            x = x.reshape((-1, count))
        if x.ndim < 1 or x.shape[-1] != count:
            raise ShapeError(
                f"RegularGridInterpolator: xi must have {count} coordinates in the last axis, got "
                f"{x.aval!r}."
            )
        return [x[..., k] for k in range(count)]


def _known(method: str) -> str:
    if method not in ("linear", "nearest"):
        raise ArgumentValueError(
            f"RegularGridInterpolator: method must be 'linear' or 'nearest', got {method!r}."
        )
    return method


def _flatten(f: RegularGridInterpolator) -> tuple[Any, Any]:
    return (f.grid, f.values, f.fill_value), f.method


def _unflatten(method: str, children: Any) -> RegularGridInterpolator:
    # Leaves may be anything while a transform is at work: nothing is checked.
    f = object.__new__(RegularGridInterpolator)
    f.grid, f.values, f.fill_value = children
    f.method, f.bounds_error = method, False
    return f


tree_util.register_pytree_node(RegularGridInterpolator, _flatten, _unflatten)
