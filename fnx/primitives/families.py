"""Families of primitives: what follows from being elementwise, linear, or bilinear.

An author gives what is particular (evaluation, derivative, element rule, sampler); the family gives
type inference, vmap, jvp and jet where these follow.  A slot that the author gives wins over the
family's.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from fnx.core.primitive import Primitive, Undefined, Zero
from fnx.core.types import ShapedArray, tangent_type
from fnx.dtypes import kind_of
from fnx.errors import ArgumentTypeError, ShapeError
from fnx.primitives.series import add_terms, bilinear_series

__all__ = [
    "ALL",
    "BOOL_OR_INT",
    "COMPLEX",
    "FLOAT",
    "INEXACT",
    "NUMBER",
    "REAL",
    "Batching",
    "bilinear",
    "elementwise",
    "infer_elementwise",
    "linear",
    "nondifferentiable",
    "size_of_work",
]

# Kinds of dtypes that a primitive accepts: b bool, i signed, u unsigned, f float (bfloat16 is kind
# V or f), c complex.
FLOAT = "f"
COMPLEX = "c"
INEXACT = "fc"
REAL = "iuf"
NUMBER = "iufc"
BOOL_OR_INT = "biu"
ALL = "biufc"


def size_of_work(*avals: ShapedArray, **params: Any) -> int:
    """Elements of all operands: the work of what touches each once."""
    return sum(math.prod(a.shape) for a in avals)


def check_kinds(name: str, accepts: str, avals: Sequence[ShapedArray]) -> None:
    """Raise TypeError unless every operand's dtype is of an accepted kind."""
    for k, aval in enumerate(avals):
        if kind_of(aval.dtype) not in accepts:
            names = {"b": "bool", "i": "int", "u": "uint", "f": "float", "c": "complex"}
            raise ArgumentTypeError(
                f"{name}: operand {k} is {aval!r}; accepted are "
                f"{', '.join(names[c] for c in accepts)}. Convert it with `astype`."
            )


def check_equal(name: str, avals: Sequence[ShapedArray]) -> None:
    """Raise TypeError unless all operands have one shape and one dtype."""
    first = avals[0]
    for aval in avals[1:]:
        if aval.shape != first.shape:
            raise ShapeError(
                f"{name}: shapes must be equal, got {', '.join(map(repr, avals))}. Broadcast "
                "explicitly (`lax.broadcast_in_dim`), or use `fnx.numpy`, which broadcasts."
            )
        if aval.dtype != first.dtype:
            raise ArgumentTypeError(
                f"{name}: dtypes must be equal, got {', '.join(map(repr, avals))}. Convert "
                "explicitly (`lax.convert_element_type`), or use `fnx.numpy`, which promotes."
            )


class Batching:
    """The array operations that family rules need; set by `shaping`, which is made of families."""

    broadcast: Callable[[Any, int, int], Any]  # (x, axis, size): a new axis
    move: Callable[[Any, int, int], Any]  # (x, source, destination)
    zeros: Callable[[ShapedArray], Any]
    add: Callable[[Any, Any], Any]
    sum: Callable[[Any, tuple[int, ...]], Any]  # set by `reductions`


def to_front(value: Any, dim: int | None, size: int) -> Any:
    """The value with its mapped axis first; unmapped ones get one."""
    if dim is None:
        return Batching.broadcast(value, 0, size)
    return value if dim == 0 else Batching.move(value, dim, 0)


def instantiate(value: Any) -> Any:
    """Zeros in place of a `Zero`."""
    return Batching.zeros(value.aval) if type(value) is Zero else value


def same_rank_vmap(primitive_of: Callable[[], Primitive]) -> Callable[..., Any]:
    """vmap of what treats all axes alike and wants equal shapes."""

    def vmap(size: int, args: Sequence[Any], dims: Sequence[Any], **params: Any) -> Any:
        mapped = {d for d in dims if d is not None}
        if len(mapped) == 1:
            (axis,) = mapped
            args = [
                Batching.broadcast(a, axis, size) if d is None else a
                for a, d in zip(args, dims, strict=True)
            ]
            return primitive_of()(*args, **params), axis
        args = [to_front(a, d, size) for a, d in zip(args, dims, strict=True)]
        return primitive_of()(*args, **params), 0

    return vmap


def infer_elementwise(
    name: str,
    accepts: str | Sequence[str],
    arity: int,
    result: Callable[..., np.dtype[Any]] | None = None,
    equal_dtypes: bool = True,
) -> Callable[..., ShapedArray]:
    """An elementwise infer rule: equal shapes, accepted dtypes, weak if all are."""

    def infer(*avals: ShapedArray, **params: Any) -> ShapedArray:
        if len(avals) != arity:
            raise ArgumentTypeError(f"{name}: takes {arity} operands, got {len(avals)}")
        if isinstance(accepts, str):
            check_kinds(name, accepts, avals)
        else:
            for k, aval in enumerate(avals):
                check_kinds(name, accepts[k], [aval])
        if arity > 1:
            check_equal(
                name, avals if equal_dtypes else [a.update(dtype=avals[0].dtype) for a in avals]
            )
        dtype = avals[0].dtype if result is None else result(*[a.dtype for a in avals], **params)
        return ShapedArray(avals[0].shape, dtype, all(a.weak_type for a in avals))

    return infer


def elementwise(
    name: str,
    *,
    accepts: str | Sequence[str],
    evaluate: Callable[..., Any],
    lower: Any,
    tangents: Sequence[Callable[..., Any] | None] | None,
    arity: int = 1,
    result: Callable[..., np.dtype[Any]] | None = None,
    equal_dtypes: bool = True,
    transpose: Any = None,
    jvp: Any = None,
    jet: Any = None,
    **slots: Any,
) -> Primitive:
    """A primitive that computes every element of its result from the elements at the same place.

    Parameters
    ----------
    name : str
        The primitive's name.
    accepts : str or sequence of str
        Kinds of dtypes, for all operands or one by one.
    evaluate : callable
        NumPy on ndarrays of one shape; gives the result's dtype.
    lower : Element
        The element rule.
    tangents : sequence of callable or None
        For each operand ``(t, out, *operands, **params) -> tangent``, linear in t; None for an
        operand whose derivative is zero wherever it exists.  ``None`` for the whole: piecewise
        constant.
    arity : int
        How many operands; shapes (and dtypes, unless `equal_dtypes` is False) must agree.
    result : callable, optional
        ``result(*dtypes, **params) -> dtype``; the first operand's by default.
    transpose, jvp, jet, **slots
        As for `Primitive`; an `infer` here replaces the family's.
    """

    infer = slots.pop("infer", None) or infer_elementwise(
        name, accepts, arity, result, equal_dtypes
    )

    def tangent_rule(primals: Sequence[Any], ts: Sequence[Any], **params: Any) -> Any:
        out = primitive(*primals, **params)
        if tangents is None:
            return out, Zero(tangent_type(out.aval))
        terms = [
            rule(t, out, *primals, **params)
            for t, rule in zip(ts, tangents, strict=True)
            if type(t) is not Zero and rule is not None
        ]
        return out, add_terms(terms, Batching.add, Zero(tangent_type(out.aval)))

    primitive = Primitive(
        name,
        infer=infer,
        evaluate=evaluate,
        jvp=tangent_rule if jvp is None else jvp,
        transpose=transpose,
        vmap=slots.pop("vmap", None) or same_rank_vmap(lambda: primitive),
        jet=nondifferentiable_jet(lambda: primitive) if jet is None and tangents is None else jet,
        lower=lower,
        **slots,
    )
    return primitive


def nondifferentiable_jet(primitive_of: Callable[[], Primitive]) -> Callable[..., Any]:
    """jet of what is piecewise constant."""

    def jet(primals: Sequence[Any], series: Sequence[Any], **params: Any) -> Any:
        out = primitive_of()(*primals, **params)
        order = max(len(s) for s in series)
        if primitive_of().multiple_results:
            return out, [[Zero(tangent_type(o.aval))] * order for o in out]
        return out, [Zero(tangent_type(out.aval))] * order

    return jet


def nondifferentiable(name: str, *, why: str = "", **slots: Any) -> Primitive:
    """A primitive whose derivative is zero where it exists (comparisons, argmax, integer results).

    Parameters
    ----------
    name : str
        The primitive's name.
    why : str
        The reason that its transpose slot gives.
    **slots
        As for `Primitive`, without jvp and jet.
    """

    def jvp(primals: Sequence[Any], tangents: Sequence[Any], **params: Any) -> Any:
        out = primitive(*primals, **params)
        if primitive.multiple_results:
            return out, [Zero(tangent_type(o.aval)) for o in out]
        return out, Zero(tangent_type(out.aval))

    primitive = Primitive(
        name,
        jvp=jvp,
        transpose=Undefined(why or "piecewise constant, so not linear in any operand"),
        jet=nondifferentiable_jet(lambda: primitive),
        **slots,
    )
    return primitive


def linear(
    name: str,
    *,
    linear_in: Sequence[int] | Callable[[int], Sequence[int]] | None = None,
    transpose: Callable[..., Any],
    **slots: Any,
) -> Primitive:
    """A primitive that is linear in some operands together, and piecewise constant in the others.

    Parameters
    ----------
    name : str
        The primitive's name.
    linear_in : sequence of int, or callable, optional
        Positions of the operands it is linear in, all together (``p(a + b, c + d) = p(a, c) + p(b,
        d)``), or a function from the number of operands to them; all by default.
    transpose : callable
        As for `Primitive`.
    **slots
        As for `Primitive`, without jvp and jet.
    """

    def positions(count: int) -> Sequence[int]:
        if callable(linear_in):
            return linear_in(count)
        return range(count) if linear_in is None else linear_in

    def jvp(primals: Sequence[Any], tangents: Sequence[Any], **params: Any) -> Any:
        out = primitive(*primals, **params)
        zero = Zero(tangent_type(out.aval))
        if all(type(tangents[k]) is Zero for k in positions(len(primals))):
            return out, zero
        if zero.aval.dtype != out.aval.dtype:  # integers have no tangents
            return out, zero
        return out, primitive(*_replaced(primals, tangents), **params)

    def _replaced(primals: Sequence[Any], terms: Sequence[Any]) -> list[Any]:
        operands = list(primals)
        for k in positions(len(primals)):
            operands[k] = instantiate(terms[k])
        return operands

    def jet(primals: Sequence[Any], series: Sequence[Any], **params: Any) -> Any:
        out = primitive(*primals, **params)
        result = []
        for terms in zip(*series, strict=True):
            if all(type(terms[k]) is Zero for k in positions(len(primals))):
                result.append(Zero(tangent_type(out.aval)))
            else:
                result.append(primitive(*_replaced(primals, terms), **params))
        return out, result

    primitive = Primitive(
        name, jvp=slots.pop("jvp", jvp), transpose=transpose, jet=slots.pop("jet", jet), **slots
    )
    return primitive


def bilinear(name: str, *, transpose: Callable[..., Any], **slots: Any) -> Primitive:
    """A primitive of two operands that is linear in each.

    Parameters
    ----------
    name : str
        The primitive's name.
    transpose : callable
        As for `Primitive`; one of the two operands is a `Linear`.
    **slots
        As for `Primitive`, without jvp and jet.
    """

    def jvp(primals: Sequence[Any], tangents: Sequence[Any], **params: Any) -> Any:
        x, y = primals
        dx, dy = tangents
        out = primitive(x, y, **params)
        terms = []  # d(x.y) = dx.y + x.dy
        if type(dx) is not Zero:
            terms.append(primitive(dx, y, **params))
        if type(dy) is not Zero:
            terms.append(primitive(x, dy, **params))
        return out, add_terms(terms, Batching.add, Zero(tangent_type(out.aval)))

    def jet(primals: Sequence[Any], series: Sequence[Any], **params: Any) -> Any:
        (x, y), (xs, ys) = primals, series
        out = primitive(x, y, **params)
        coefficients = bilinear_series(
            lambda a, b: primitive(a, b, **params),
            Batching.add,
            [x, *xs],
            [y, *ys],
            Zero(tangent_type(out.aval)),
        )
        return out, coefficients

    primitive = Primitive(
        name, jvp=slots.pop("jvp", jvp), transpose=transpose, jet=slots.pop("jet", jet), **slots
    )
    return primitive
