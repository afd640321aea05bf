"""The other scatters: set, multiply, minimum, maximum at places that are computed.

``scatter`` (set) takes the last of several updates to one element.  With indices held fixed it's
linear in operand and updates; its transpose gives an overwritten element nothing, nor an update
that another one came after.  ``scatter_mul`` is a product, and its derivative the product rule
over all updates that meet.  ``scatter_min`` and ``scatter_max`` share a tangent equally between
all that attain the extremum.  Read before: `gather_numbers`, `scatter_rules`, `gathering`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from fnx.core.lowering import Kernel
from fnx.core.primitive import Linear, Primitive, Zero
from fnx.core.types import tangent_type
from fnx.errors import ArgumentTypeError
from fnx.primitives.arithmetic import add, div, mul, neg
from fnx.primitives.bits import bitwise_or
from fnx.primitives.comparison import eq, ne, select_n
from fnx.primitives.families import ALL, NUMBER, instantiate, linear
from fnx.primitives.gather_numbers import GatherScatterMode, ScatterDimensionNumbers
from fnx.primitives.gather_samples import scatter_samples
from fnx.primitives.gathering import gathered, scatter_add, scatter_add_p
from fnx.primitives.iota import iota
from fnx.primitives.scatter_rules import (
    evaluate_scatter,
    infer_scatter,
    scatter_params,
    scatter_vmap,
)
from fnx.primitives.segment_products import other_factors
from fnx.primitives.series import add_terms
from fnx.primitives.shaping import full, reshape, zeros

__all__ = [
    "scatter",
    "scatter_max",
    "scatter_max_p",
    "scatter_min",
    "scatter_min_p",
    "scatter_mul",
    "scatter_mul_p",
    "scatter_p",
    "scatter_sub",
]

ORDERED = "biuf"
Mode = str | GatherScatterMode | None


# ------------------------------------------------------------------------------------ set


def _set(array: np.ndarray[Any, Any], positions: Any, updates: Any) -> None:
    array[positions] = updates  # NumPy assigns in order, so the last one stays


def _numbered(shape: Sequence[int]) -> Any:
    """The numbers from 1 on, in row-major order."""
    count = math.prod(shape)
    dtype = np.dtype(np.int32 if count < np.iinfo(np.int32).max else np.int64)
    return add(reshape(iota(dtype, count), shape), full(shape, 1, dtype))


def _scatter_transpose(ct: Any, x: Any, indices: Any, updates: Any, **params: Any) -> list[Any]:
    result: list[Any] = [None, None, None]
    if type(x) is Linear:  # nothing comes from what is overwritten
        nothing = full(updates.shape, 0, ct.dtype)
        result[0] = scatter_p(ct, indices, nothing, **params)
    if type(updates) is Linear:
        pulled = gathered(ct, indices, updates.shape, params)
        if not params["unique_indices"]:  # only the last one to come is seen
            numbers = _numbered(updates.shape)
            seen = scatter_p(full(ct.shape, 0, numbers.dtype), indices, numbers, **params)
            last = eq(gathered(seen, indices, updates.shape, params), numbers)
            pulled = select_n(last, full(updates.shape, 0, ct.dtype), pulled)
        result[2] = pulled
    return result


scatter_p: Primitive = linear(
    "scatter",
    linear_in=(0, 2),
    infer=infer_scatter("scatter", ALL),
    evaluate=evaluate_scatter(_set),
    transpose=_scatter_transpose,
    vmap=scatter_vmap(lambda: scatter_p),
    lower=Kernel("scatter"),
    sample=scatter_samples(
        (np.float64, np.float32, np.int32, np.bool_, np.complex128, np.float16), (0, 2)
    ),
)


def scatter(
    operand: Any,
    scatter_indices: Any,
    updates: Any,
    dimension_numbers: ScatterDimensionNumbers,
    *,
    indices_are_sorted: bool = False,
    unique_indices: bool = False,
    mode: Mode = None,
) -> Any:
    """An array with windows replaced, at places that another array names.

    Parameters
    ----------
    operand : Array
        Any dtype.
    scatter_indices : Array
        Integers; the last axis holds the coordinates of a window's first element.
    updates : Array
        The windows, of the operand's dtype.
    dimension_numbers : ScatterDimensionNumbers
        Which axis is which.
    indices_are_sorted, unique_indices : bool
        Promises about the indices, which only make it faster.
    mode : str or GatherScatterMode, optional
        What happens where a window does not lie within the operand; it is left out by default.

    Returns
    -------
    Array
        Of the operand's type.  Where several windows meet, the last one stays.
    """
    params = scatter_params(dimension_numbers, indices_are_sorted, unique_indices, mode)
    return scatter_p(operand, scatter_indices, updates, **params)


def scatter_sub(
    operand: Any,
    scatter_indices: Any,
    updates: Any,
    dimension_numbers: ScatterDimensionNumbers,
    *,
    indices_are_sorted: bool = False,
    unique_indices: bool = False,
    mode: Mode = None,
) -> Any:
    """An array with windows subtracted from it, at places that another array names.

    Parameters
    ----------
    operand : Array
        Of numbers.
    scatter_indices : Array
        Integers; the last axis holds the coordinates of a window's first element.
    updates : Array
        The windows, of the operand's dtype.
    dimension_numbers : ScatterDimensionNumbers
        Which axis is which.
    indices_are_sorted, unique_indices : bool
        Promises about the indices, which only make it faster.
    mode : str or GatherScatterMode, optional
        What happens where a window does not lie within the operand; it is left out by default.

    Returns
    -------
    Array
        Of the operand's type.  Where several windows meet, all are subtracted.
    """
    return scatter_add(
        operand,
        scatter_indices,
        neg(updates),
        dimension_numbers,
        indices_are_sorted=indices_are_sorted,
        unique_indices=unique_indices,
        mode=mode,
    )


# ------------------------------------------------------------------------------------ mul


def _met(x: Any, indices: Any, updates: Any, params: dict[str, Any]) -> Any:
    """For each update, the product of the operand's element and all other updates that it meets."""
    own = gathered(x, indices, updates.shape, params)
    if params["unique_indices"] or math.prod(updates.shape) == 0:
        return own
    # Places from 1 on; what is dropped gets 0 and is dropped again by who asks.
    places = gathered(_numbered(x.shape), indices, updates.shape, params)
    count = (math.prod(updates.shape),)
    others = other_factors(reshape(places, count), reshape(updates, count))
    return mul(own, reshape(others, updates.shape))


def _mul_jvp(primals: Sequence[Any], tangents: Sequence[Any], **params: Any) -> Any:
    (x, indices, updates), (dx, _, du) = primals, tangents
    out = scatter_mul_p(x, indices, updates, **params)
    aval = tangent_type(out.aval)
    terms = []
    if aval.dtype == out.aval.dtype:
        if type(dx) is not Zero:
            terms.append(scatter_mul_p(dx, indices, updates, **params))
        if type(du) is not Zero:  # d(x u1 u2 ...) = ... + (x u2 ...) du1 + (x u1 ...) du2 + ...
            pushed = mul(_met(x, indices, updates, params), du)
            terms.append(scatter_add_p(zeros(aval), indices, pushed, **params))
    return out, add_terms(terms, add, Zero(aval))


def _mul_transpose(ct: Any, x: Any, indices: Any, updates: Any, **params: Any) -> list[Any]:
    if type(x) is Linear:
        return [scatter_mul_p(ct, indices, updates, **params), None, None]
    raise ArgumentTypeError(
        "scatter_mul: as a function of its updates it is linear only if no two of them meet, and "
        "for an element that none meets not even then. Write it as `gather`, `mul` and "
        "`scatter_add`."
    )


scatter_mul_p: Primitive = Primitive(
    "scatter_mul",
    infer=infer_scatter("scatter_mul", NUMBER),
    evaluate=evaluate_scatter(np.multiply.at),
    jvp=_mul_jvp,
    transpose=_mul_transpose,
    vmap=scatter_vmap(lambda: scatter_mul_p),
    lower=Kernel("scatter_mul"),
    sample=scatter_samples((np.float64, np.float32, np.int32, np.complex128), (0,)),
)


def scatter_mul(
    operand: Any,
    scatter_indices: Any,
    updates: Any,
    dimension_numbers: ScatterDimensionNumbers,
    *,
    indices_are_sorted: bool = False,
    unique_indices: bool = False,
    mode: Mode = None,
) -> Any:
    """An array multiplied by windows, at places that another array names.

    Parameters
    ----------
    operand : Array
        Of numbers.
    scatter_indices : Array
        Integers; the last axis holds the coordinates of a window's first element.
    updates : Array
        The windows, of the operand's dtype.
    dimension_numbers : ScatterDimensionNumbers
        Which axis is which.
    indices_are_sorted, unique_indices : bool
        Promises about the indices, which only make it faster.
    mode : str or GatherScatterMode, optional
        What happens where a window does not lie within the operand; it is left out by default.

    Returns
    -------
    Array
        Of the operand's type.  Where several windows meet, it is the product of all.
    """
    params = scatter_params(dimension_numbers, indices_are_sorted, unique_indices, mode)
    return scatter_mul_p(operand, scatter_indices, updates, **params)


# ------------------------------------------------------------------------------------ min, max


def _extremum(name: str, ufunc: np.ufunc) -> Primitive:
    def jvp(primals: Sequence[Any], tangents: Sequence[Any], **params: Any) -> Any:
        (x, indices, updates), (dx, _, du) = primals, tangents
        out = primitive(x, indices, updates, **params)
        aval = tangent_type(out.aval)
        if (type(dx) is Zero and type(du) is Zero) or aval.dtype != out.aval.dtype:
            return out, Zero(aval)

        def where(condition: Any, value: Any) -> Any:
            return select_n(condition, full(value.shape, 0, value.dtype), value)

        def total(of_operand: Any, of_updates: Any) -> Any:
            kept = where(attains, of_operand)
            return scatter_add_p(kept, indices, where(attain, of_updates), **params)

        # All that attain the extremum share equally; NaN attains it wherever it stands.
        attains: Any = bitwise_or(eq(x, out), ne(x, x))
        met = gathered(out, indices, updates.shape, params)
        attain: Any = bitwise_or(eq(updates, met), ne(updates, updates))
        one = full(x.shape, 1, x.dtype), full(updates.shape, 1, x.dtype)
        return out, div(total(instantiate(dx), instantiate(du)), total(*one))

    primitive: Primitive = Primitive(
        name,
        infer=infer_scatter(name, ORDERED),
        evaluate=evaluate_scatter(ufunc.at),
        jvp=jvp,
        vmap=scatter_vmap(lambda: primitive),
        lower=Kernel(name),
        sample=scatter_samples((np.float64, np.float32, np.int32, np.uint8, np.bool_), ()),
    )
    return primitive


scatter_min_p = _extremum("scatter_min", np.minimum)
scatter_max_p = _extremum("scatter_max", np.maximum)


def scatter_min(
    operand: Any,
    scatter_indices: Any,
    updates: Any,
    dimension_numbers: ScatterDimensionNumbers,
    *,
    indices_are_sorted: bool = False,
    unique_indices: bool = False,
    mode: Mode = None,
) -> Any:
    """The smaller of an array and windows, at places that another array names.

    Parameters
    ----------
    operand : Array
        Of booleans or real numbers.
    scatter_indices : Array
        Integers; the last axis holds the coordinates of a window's first element.
    updates : Array
        The windows, of the operand's dtype.
    dimension_numbers : ScatterDimensionNumbers
        Which axis is which.
    indices_are_sorted, unique_indices : bool
        Promises about the indices, which only make it faster.
    mode : str or GatherScatterMode, optional
        What happens where a window does not lie within the operand; it is left out by default.

    Returns
    -------
    Array
        Of the operand's type.  Where several windows meet, it is the extremum of all.
    """
    params = scatter_params(dimension_numbers, indices_are_sorted, unique_indices, mode)
    return scatter_min_p(operand, scatter_indices, updates, **params)


def scatter_max(
    operand: Any,
    scatter_indices: Any,
    updates: Any,
    dimension_numbers: ScatterDimensionNumbers,
    *,
    indices_are_sorted: bool = False,
    unique_indices: bool = False,
    mode: Mode = None,
) -> Any:
    """The greater of an array and windows, at places that another array names.

    Parameters
    ----------
    operand : Array
        Of booleans or real numbers.
    scatter_indices : Array
        Integers; the last axis holds the coordinates of a window's first element.
    updates : Array
        The windows, of the operand's dtype.
    dimension_numbers : ScatterDimensionNumbers
        Which axis is which.
    indices_are_sorted, unique_indices : bool
        Promises about the indices, which only make it faster.
    mode : str or GatherScatterMode, optional
        What happens where a window does not lie within the operand; it is left out by default.

    Returns
    -------
    Array
        Of the operand's type.  Where several windows meet, it is the extremum of all.
    """
    params = scatter_params(dimension_numbers, indices_are_sorted, unique_indices, mode)
    return scatter_max_p(operand, scatter_indices, updates, **params)
