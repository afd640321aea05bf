"""Differences and sums along an axis: diff, gradient, trapezoid.  Read next: `reductions`."""

from __future__ import annotations

from typing import Any

import numpy as np

from fnx import dtypes
from fnx.errors import ArgumentTypeError, ArgumentValueError, UnsupportedError
from fnx.numpy import reductions, ufuncs
from fnx.numpy.creation import ones, zeros
from fnx.numpy.joining import concatenate
from fnx.numpy.manipulation import moveaxis, normal_axes, normal_axis, ravel
from fnx.numpy.promotion import as_arrays, broadcast_to, promote_inexact

__all__ = ["cumulative_prod", "cumulative_sum", "diff", "ediff1d", "gradient", "trapezoid"]


def _part(x: Any, axis: int, start: int | None, stop: int | None) -> Any:
    return x[(slice(None),) * axis + (slice(start, stop),)]


def diff(a: Any, n: int = 1, axis: int = -1, prepend: Any = None, append: Any = None) -> Any:
    """Differences of neighbours along an axis.

    Parameters
    ----------
    a : array-like
        The operand.
    n : int
        How often differences are taken.
    axis : int
        Along which axis.
    prepend, append : array-like, optional
        What stands before and after the operand; a scalar stands for one slice.
    """
    (x,) = as_arrays("diff", a)
    if n < 0:
        raise ArgumentValueError(
            f"diff: n must not be negative, got {n}. Pass n=0 for no difference."
        )
    if n == 0:
        return x
    if x.ndim == 0:
        raise ArgumentValueError(
            "diff: the operand has no axis, got shape (). Pass an array of one axis."
        )
    place = normal_axis("diff", axis, x.ndim)
    parts = [x]
    if prepend is not None:
        parts.insert(0, _slice_of(x, prepend, place))
    if append is not None:
        parts.append(_slice_of(x, append, place))
    x = concatenate(parts, axis=place) if len(parts) > 1 else x
    subtract = ufuncs.not_equal if x.dtype.kind == "b" else ufuncs.subtract
    for _ in range(n):
        x = subtract(_part(x, place, 1, None), _part(x, place, None, -1))
    return x


def _slice_of(x: Any, value: Any, place: int) -> Any:
    (y,) = as_arrays("diff", value)
    return y if y.ndim else broadcast_to(y, (*x.shape[:place], 1, *x.shape[place + 1 :]))


def ediff1d(ary: Any, to_end: Any = None, to_begin: Any = None) -> Any:
    """Differences of neighbours among all elements.

    Parameters
    ----------
    ary : array-like
        The operand.
    to_end, to_begin : array-like, optional
        What stands after and before the differences, in the operand's dtype.
    """
    x = ravel(as_arrays("ediff1d", ary)[0])
    parts = [ufuncs.subtract(x[1:], x[:-1])]
    if to_begin is not None:
        parts.insert(0, ravel(as_arrays("ediff1d", to_begin)[0]).astype(x.dtype))
    if to_end is not None:
        parts.append(ravel(as_arrays("ediff1d", to_end)[0]).astype(x.dtype))
    return concatenate(parts)


def trapezoid(y: Any, x: Any = None, dx: Any = 1.0, axis: int = -1) -> Any:
    """The integral along an axis by the trapezoidal rule.

    Parameters
    ----------
    y : array-like
        Values of the integrand.
    x : array-like, optional
        Where they are taken: one axis, or of a shape that broadcasts with `y`.
    dx : number or array-like
        The spacing where `x` isn't given.
    axis : int
        Along which axis.
    """
    if x is None:
        # First alone: a Python spacing does not widen the float that integers become.
        values, step = promote_inexact("trapezoid", *promote_inexact("trapezoid", y), dx)
        values = moveaxis(values, normal_axis("trapezoid", axis, values.ndim), -1)
    else:
        values, points = promote_inexact("trapezoid", y, x)
        place = normal_axis("trapezoid", axis, values.ndim)
        values = moveaxis(values, place, -1)
        if points.ndim > 1:
            points = moveaxis(points, normal_axis("trapezoid", axis, points.ndim), -1)
        step = diff(points)
    return 0.5 * reductions.sum(step * (values[..., 1:] + values[..., :-1]), axis=-1)


_LETTER = {"b": "i", "i": "i", "u": "u"}


def _cumulative(
    name: str, accumulate: Any, first: Any, x: Any, axis: Any, dtype: Any, initial: bool
) -> Any:
    (value,) = as_arrays(name, x)
    if value.ndim == 0:
        raise ArgumentValueError(
            f"{name}: the operand has no axis, got shape (). Pass one axis or more."
        )
    if axis is None:
        if value.ndim > 1:
            raise ArgumentValueError(
                f"{name}: axis must be given for an operand of {value.ndim} axes, got shape "
                f"{value.shape}. Pass axis=0 to {value.ndim - 1}."
            )
        axis = 0
    place = normal_axis(name, axis, value.ndim)
    if dtype is None and value.dtype.kind in "biu":
        # As wide as the sum of all elements, as the array API asks.
        dtype = np.result_type(value.dtype, dtypes.default_dtype(_LETTER[value.dtype.kind]))
    result = accumulate(value, axis=place, dtype=dtype)
    if not initial:
        return result
    shape = (*value.shape[:place], 1, *value.shape[place + 1 :])
    return concatenate([first(shape, dtype=result.dtype), result], axis=place)


def cumulative_sum(
    x: Any, /, *, axis: int | None = None, dtype: Any = None, include_initial: bool = False
) -> Any:
    """Sums of the elements up to each place.

    Parameters
    ----------
    x : array-like
        The operand.
    axis : int, optional
        Along which axis; may be left out for one axis.
    dtype : dtype-like, optional
        Of the result.
    include_initial : bool
        Begin with zero.
    """
    return _cumulative("cumulative_sum", reductions.cumsum, zeros, x, axis, dtype, include_initial)


def cumulative_prod(
    x: Any, /, *, axis: int | None = None, dtype: Any = None, include_initial: bool = False
) -> Any:
    """Products of the elements up to each place.

    Parameters
    ----------
    x : array-like
        The operand.
    axis : int, optional
        Along which axis; may be left out for one axis.
    dtype : dtype-like, optional
        Of the result.
    include_initial : bool
        Begin with one.
    """
    return _cumulative("cumulative_prod", reductions.cumprod, ones, x, axis, dtype, include_initial)


def gradient(f: Any, *varargs: Any, axis: Any = None, edge_order: int | None = None) -> Any:
    """Central differences inside, one-sided differences at the ends.

    Parameters
    ----------
    f : array-like
        Values on a grid.
    *varargs : number or array-like
        The spacing: none (1), one for all axes, or one for each axis; an array of one axis gives
        coordinates.
    axis : int, sequence of int or None
        Along which axes; all by default.
    edge_order : int, optional
        Of the differences at the ends; only 1, as in JAX.

    Returns
    -------
    array or list of array
        One for each axis; the array itself for one axis.
    """
    if edge_order not in (None, 1):
        raise UnsupportedError(f"gradient: edge_order must be 1, got {edge_order}. Leave it out.")
    (x,) = promote_inexact("gradient", f)
    axes = normal_axes("gradient", axis, x.ndim)
    if len(varargs) not in (0, 1, len(axes)):
        raise ArgumentTypeError(
            f"gradient: {len(varargs)} spacings were given for {len(axes)} axes. "
            "Pass none, one, or one for each axis."
        )
    spacings = varargs if len(varargs) == len(axes) else (varargs or (1.0,)) * len(axes)
    results = [_gradient(x, step, k) for step, k in zip(spacings, axes, strict=True)]
    return results[0] if len(results) == 1 else results


def _gradient(x: Any, spacing: Any, axis: int) -> Any:
    size = x.shape[axis]
    if size < 2:
        raise ArgumentValueError(
            f"gradient: axis {axis} of shape {x.shape} has {size} elements. Pass at least 2 along "
            "each axis, or name the axes."
        )
    y = moveaxis(x, axis, -1)
    y, h = promote_inexact("gradient", y, spacing)
    steps = diff(y)
    if h.ndim == 0:
        inner = (y[..., 2:] - y[..., :-2]) / (2 * h)
        ends = (steps[..., :1] / h, steps[..., -1:] / h)
    else:
        if h.shape != (size,):
            raise ArgumentValueError(
                f"gradient: coordinates of shape {h.shape} don't fit axis {axis} of shape "
                f"{x.shape}. Pass a number, or {size} coordinates."
            )
        d = diff(h)
        left, right = d[:-1], d[1:]
        slopes = steps / d
        # The parabola through three neighbours: slopes weighted by the opposite distances.
        inner = (slopes[..., :-1] * right + slopes[..., 1:] * left) / (left + right)
        ends = (slopes[..., :1], slopes[..., -1:])
    return moveaxis(concatenate([ends[0], inner, ends[1]], axis=-1), -1, axis)
