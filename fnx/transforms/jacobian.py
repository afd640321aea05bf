"""Whole derivative matrices: `jacfwd`, `jacrev`, `hessian`, and `jet` for users.

`jacfwd` maps `jvp` over a basis of the inputs, `jacrev` maps `vjp` over a basis of the outputs;
both work on pytrees.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from fnx import tree_util
from fnx.core.array import adopt
from fnx.core.primitive import Zero
from fnx.core.tracing import running
from fnx.core.types import float0, tangent_type
from fnx.dtypes import kind_of
from fnx.errors import ArgumentTypeError, ArgumentValueError
from fnx.primitives.cast import convert_element_type as cast
from fnx.primitives.shaping import move_axis, new_axis, reshape, zeros
from fnx.primitives.slicing import slice as slice_
from fnx.transforms.batching import vmap_flat
from fnx.transforms.grad import (
    _argnums,
    finish_cotangents,
    of_chosen,
    pullback,
    typed_as,
)
from fnx.transforms.jet import jet_flat, scale
from fnx.transforms.jvp import jvp_flat
from fnx.transforms.trees import (
    Flat,
    argument_name,
    argument_path,
    as_values,
    check_callable,
    function_name,
)

__all__ = ["hessian", "jacfwd", "jacrev", "jet"]


def _basis(avals: Sequence[Any]) -> list[Any]:
    """The standard basis of a list of arrays: for each, the identity's rows in its shape."""
    total = sum(a.size for a in avals)
    with running(None):
        eye = np.eye(total)
    parts, start = [], 0
    for aval in avals:
        part = eye[:, start : start + aval.size].reshape(total, *aval.shape)
        dtype = tangent_type(aval).dtype
        parts.append(adopt(np.ascontiguousarray(part).astype(dtype), aval.weak_type))
        start += aval.size
    return parts


def _check_dtypes(
    name: str,
    values: Sequence[Any],
    holomorphic: bool,
    path: Callable[[int], str],
    conjugate: bool = False,
) -> None:
    """Raise TypeError for integers, and for complex values unless these mean something."""
    for k, value in enumerate(values):
        kind = kind_of(value.aval.dtype)
        if kind not in ("c" if holomorphic else "fc" if conjugate else "f"):
            raise ArgumentTypeError(
                f"{name}: {path(k)} must be {'complex' if holomorphic else 'of real floats'}, got "
                f"{value.aval!r}. Convert with astype; for complex functions pass holomorphic=True."
            )


def jacfwd(
    fun: Callable[..., Any],
    argnums: int | Sequence[int] = 0,
    has_aux: bool = False,
    holomorphic: bool = False,
) -> Callable[..., Any]:
    """The Jacobian, one column for each input, by forward mode.

    Parameters
    ----------
    fun : callable
        Takes and gives pytrees of float arrays.
    argnums : int or sequence of int
        Which positional arguments to differentiate with respect to.
    has_aux : bool
        `fun` gives ``(out, aux)``.
    holomorphic : bool
        `fun` is holomorphic.

    Returns
    -------
    callable
        Gives for each result and each input an array of shape ``out.shape + in.shape``.

    Examples
    --------
    >>> import fnx, fnx.numpy as jnp
    >>> fnx.jacfwd(jnp.sin)(jnp.zeros(2))
    Array([[1., 0.],
           [0., 1.]], dtype=float32)
    """
    check_callable("jacfwd", fun)

    @functools.wraps(fun)
    def jacfun(*args: Any, **kwargs: Any) -> Any:
        name = f"jacfwd of {function_name(fun)}"
        numbers = _argnums(name, argnums, len(args))
        leaves, tree = tree_util.tree_flatten(tuple([args[k] for k in numbers]))
        chosen = of_chosen(fun, args, kwargs, numbers)
        flat = Flat(chosen, tree, aux=has_aux, positions=numbers, call=(args, kwargs))
        values = flat.values(name, leaves)
        _check_dtypes(name, values, holomorphic, flat.path)
        size = sum(v.size for v in values)
        counts: list[int] = []

        def push(*tangents: Any) -> list[Any]:
            outs, out_tangents = jvp_flat(flat, values, tangents, name)
            count = len(outs) - flat.aux_count
            counts[:] = [count]
            return (
                [
                    zeros(o.aval) if type(t) is Zero else t  # zeros of integers, too, as JAX gives
                    for o, t in zip(outs, out_tangents[:count], strict=False)
                ]
                + outs
            )

        basis = _basis([v.aval for v in values])
        results, dims = vmap_flat(push, basis, [0] * len(basis), size, name)
        (count,) = counts
        columns = [
            move_axis(r, d, r.ndim - 1) if d is not None else new_axis(r, r.ndim, size)
            for r, d in zip(results[:count], dims[:count], strict=True)
        ]
        rows = [_split_last(c, values) for c in columns]
        jacobian = _nested(flat.out_tree, tree, rows, isinstance(argnums, int))
        if has_aux:
            aux = results[count + count :]
            return jacobian, flat.aux(aux)
        return jacobian

    return jacfun


def jacrev(
    fun: Callable[..., Any],
    argnums: int | Sequence[int] = 0,
    has_aux: bool = False,
    holomorphic: bool = False,
    allow_int: bool = False,
) -> Callable[..., Any]:
    """The Jacobian, one row for each output, by reverse mode.

    Parameters
    ----------
    fun : callable
        Takes and gives pytrees of float arrays.
    argnums : int or sequence of int
        Which positional arguments to differentiate with respect to.
    has_aux : bool
        `fun` gives ``(out, aux)``.
    holomorphic : bool
        `fun` is holomorphic.
    allow_int : bool
        Allow integer arguments, whose derivative is trivial.

    Returns
    -------
    callable
        Gives for each result and each input an array of shape ``out.shape + in.shape``.

    Examples
    --------
    >>> import fnx, fnx.numpy as jnp
    >>> fnx.jacrev(jnp.sum)(jnp.zeros(2))
    Array([1., 1.], dtype=float32)
    """
    check_callable("jacrev", fun)

    @functools.wraps(fun)
    def jacfun(*args: Any, **kwargs: Any) -> Any:
        name = f"jacrev of {function_name(fun)}"
        numbers = _argnums(name, argnums, len(args))
        leaves, tree = tree_util.tree_flatten(tuple([args[k] for k in numbers]))
        chosen = of_chosen(fun, args, kwargs, numbers)
        flat = Flat(chosen, tree, aux=has_aux, positions=numbers, call=(args, kwargs))
        values = flat.values(name, leaves)
        if not allow_int:
            _check_dtypes(name, values, holomorphic, flat.path, conjugate=True)
        outs, pull = pullback(flat, values, name)
        count = len(outs) - flat.aux_count
        of_results = functools.partial(argument_path, flat.out_tree, name="the result")
        _check_dtypes(name, outs[:count], holomorphic, of_results)
        size = sum(o.size for o in outs[:count])

        def rows_of(*cts: Any) -> list[Any]:
            rest = [Zero(tangent_type(o.aval)) for o in outs[count:]]
            pulled = pull([*cts, *rest])
            return [
                typed_as(v, zeros(tangent_type(v.aval)) if c is None else c)
                for v, c in zip(values, pulled, strict=True)
                if tangent_type(v.aval).dtype != float0
            ]

        basis = _basis([o.aval for o in outs[:count]])
        results, dims = vmap_flat(rows_of, basis, [0] * len(basis), size, name)
        pulled = iter(
            [
                move_axis(r, d, 0) if d is not None else new_axis(r, 0, size)
                for r, d in zip(results, dims, strict=True)
            ]
        )
        columns = [
            next(pulled)
            if tangent_type(v.aval).dtype != float0
            else adopt(np.zeros((size, *v.shape), float0))
            for v in values
        ]
        rows = _split_first(columns, outs[:count])
        jacobian = _nested(flat.out_tree, tree, rows, isinstance(argnums, int))
        if has_aux:
            return jacobian, flat.aux(outs[count:])
        return jacobian

    return jacfun


def hessian(
    fun: Callable[..., Any],
    argnums: int | Sequence[int] = 0,
    has_aux: bool = False,
    holomorphic: bool = False,
) -> Callable[..., Any]:
    """The matrix of second derivatives, forward over reverse.

    Parameters
    ----------
    fun : callable
        Takes and gives pytrees of float arrays.
    argnums : int or sequence of int
        Which positional arguments to differentiate with respect to.
    has_aux : bool
        `fun` gives ``(out, aux)``.
    holomorphic : bool
        `fun` is holomorphic.

    Returns
    -------
    callable
        For each result and pair of inputs an array of shape ``out.shape + in.shape + in.shape``.

    Examples
    --------
    >>> import fnx, fnx.numpy as jnp
    >>> fnx.hessian(lambda x: (x ** 3).sum())(jnp.ones(2))
    Array([[6., 0.],
           [0., 6.]], dtype=float32)
    """
    return jacfwd(jacrev(fun, argnums, has_aux, holomorphic), argnums, has_aux, holomorphic)


def _split_last(column: Any, values: Sequence[Any]) -> list[Any]:
    """Cut the last axis into the inputs' shapes."""
    shape, parts, start = column.shape[:-1], [], 0
    for value in values:
        part = _cut(column, start, start + value.size, column.ndim - 1)
        parts.append(reshape(part, (*shape, *value.shape)))
        start += value.size
    return parts


def _split_first(columns: Sequence[Any], outs: Sequence[Any]) -> list[list[Any]]:
    """Cut the first axis into the outputs' shapes: a row of arrays for each output."""
    rows, start = [], 0
    for out in outs:
        row = []
        for column in columns:
            part = _cut(column, start, start + out.size, 0)
            row.append(reshape(part, (*out.shape, *column.shape[1:])))
        rows.append(row)
        start += out.size
    return rows


def _cut(x: Any, start: int, stop: int, axis: int) -> Any:
    if start == 0 and stop == x.shape[axis]:
        return x
    from_start = [0] * x.ndim
    limit = list(x.shape)
    from_start[axis], limit[axis] = start, stop
    return slice_(x, from_start, limit)


def _nested(out_tree: Any, in_tree: Any, rows: list[list[Any]], single: bool) -> Any:
    """Rows of arrays as the tree of results of trees of inputs."""
    inner = []
    for row in rows:
        tree = tree_util.tree_unflatten(in_tree, row)
        inner.append(tree[0] if single else tree)
    return tree_util.tree_unflatten(out_tree, inner)


def jet(
    fun: Callable[..., Any], primals: Sequence[Any], series: Sequence[Any], **options: Any
) -> tuple[Any, Any]:
    """Derivatives of all orders along a curve, in one pass (Taylor mode).

    Parameters
    ----------
    fun : callable
        Takes and gives pytrees of arrays.
    primals : sequence
        The point, an entry for each argument.
    series : sequence of sequence
        For each argument its derivatives of order 1, 2, ... along the curve (not divided by
        factorials).
    **options
        ``factorial_scaled=False``: coefficients are divided by factorials, in and out.

    Returns
    -------
    primals_out, series_out
        The value, and its derivatives of the same orders, in the structure of the result.

    References
    ----------
    Bettencourt, Johnson and Duvenaud, *Taylor-mode automatic differentiation for higher-order
    derivatives in JAX* (2019).

    Examples
    --------
    >>> import fnx, fnx.numpy as jnp
    >>> from fnx.experimental.jet import jet
    >>> [float(c) for c in jet(jnp.exp, (0.,), ([1., 0., 0.],))[1]]
    [1.0, 1.0, 1.0]
    """
    check_callable("jet", fun)
    name = f"jet of {function_name(fun)}"
    scaled = options.pop("factorial_scaled", True)
    if options:
        raise ArgumentTypeError(
            f"jet: unexpected arguments {sorted(options)}; known is factorial_scaled."
        )
    if len(primals) != len(series):
        raise ArgumentValueError(
            f"{name}: {len(primals)} primals and {len(series)} series; give one series for each "
            "primal."
        )
    leaves, tree = tree_util.tree_flatten(tuple(primals))
    flat = Flat(fun, tree)
    values = flat.values(name, leaves)
    order = len(series[0]) if len(series) else 0
    columns: list[list[Any]] = [[] for _ in values]
    for k in range(order):
        terms = []
        for place, argument in enumerate(series):
            if len(argument) != order:
                raise ArgumentValueError(
                    f"{name}: all series must have one length, got {order} for "
                    f"{argument_name(fun, 0)} and {len(argument)} for {argument_name(fun, place)}. "
                    "Pad the shorter with zeros."
                )
            terms.append(argument[k])
        coefficient_leaves, coefficient_tree = tree_util.tree_flatten(tuple(terms))
        if coefficient_tree != tree:
            raise ArgumentValueError(
                f"{name}: coefficients of order {k + 1} must have the structure of the primals, "
                f"{tree}, got {coefficient_tree}."
            )
        for j, (column, value, leaf) in enumerate(zip(columns, values, coefficient_leaves)):
            (given,) = as_values(name, [leaf], tree_util.tree_structure(0), "series")
            expected = tangent_type(value.aval)
            if expected.dtype == float0:
                column.append(Zero(expected))
                continue
            if given.shape != expected.shape:
                raise ArgumentValueError(
                    f"{name}: the coefficient of order {k + 1} of {flat.path(j)} must be "
                    f"{expected!r}, got {given.aval!r}. It has the shape of its primal."
                )
            if given.dtype != expected.dtype:
                given = cast(given, expected.dtype)
            factor = 1.0 / math.factorial(k + 1) if scaled else 1.0
            column.append(scale(given, factor) if factor != 1 else given)
    outs, out_series = jet_flat(flat, values, columns, order, name)
    by_leaf = []
    for value, terms in zip(outs, out_series, strict=True):
        if scaled:
            terms = [
                c if type(c) is Zero or k == 0 else scale(c, math.factorial(k + 1))
                for k, c in enumerate(terms)
            ]
        by_leaf.append(finish_cotangents([value] * order, terms))
    out = tree_util.tree_unflatten(flat.out_tree, outs)
    return out, tree_util.tree_unflatten(flat.out_tree, by_leaf)
