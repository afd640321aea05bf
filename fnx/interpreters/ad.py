"""Derivatives of a user's primitives: jvp and transpose rules, and shorthands for common ones.

Rules are written with operations (of `fnx.lax`, `fnx.numpy` or the primitive itself), so that they
can be differentiated, batched and compiled.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from fnx.core.primitive import Linear as UndefinedPrimal
from fnx.core.primitive import Zero
from fnx.core.types import ShapedArray
from fnx.core.user_primitive import UserPrimitive
from fnx.interpreters.tables import SlotTable
from fnx.primitives.arithmetic import add
from fnx.primitives.shaping import zeros
from fnx.transforms.jvp import instantiate, zero_tangent

__all__ = [
    "UndefinedPrimal",
    "Zero",
    "add_tangents",
    "defbilinear",
    "defjvp",
    "deflinear",
    "deflinear2",
    "instantiate_zeros",
    "is_undefined_primal",
    "primitive_jvps",
    "primitive_transposes",
    "zeros_like_aval",
]

#: ``primitive_jvps[p] = rule`` with ``rule(primals, tangents, **params) -> (out, tangent_out)``.
primitive_jvps = SlotTable("jvp")

#: ``primitive_transposes[p] = rule`` with ``rule(ct, *operands, **params) -> [ct or None]``.
primitive_transposes = SlotTable("transpose")


def is_undefined_primal(x: Any) -> bool:
    """Whether a transpose rule got a placeholder: the primitive is linear in this operand.

    Parameters
    ----------
    x : Array, tracer or UndefinedPrimal
        An operand; the placeholder has an ``aval``.
    """
    return type(x) is UndefinedPrimal


def zeros_like_aval(aval: ShapedArray) -> Any:
    """Zeros of a type.

    Parameters
    ----------
    aval : ShapedArray
        The type.
    """
    return zeros(aval)


def instantiate_zeros(tangent: Any) -> Any:
    """The array that a tangent stands for: a `Zero` becomes zeros.

    Parameters
    ----------
    tangent : Array, tracer or Zero
        What a rule gets.
    """
    return instantiate(tangent)


def add_tangents(x: Any, y: Any) -> Any:
    """The sum of two tangents, each of which may be a `Zero`.

    Parameters
    ----------
    x, y : Array, tracer or Zero
        Of one type.
    """
    if type(x) is Zero:
        return y
    return x if type(y) is Zero else add(x, y)


def defjvp(primitive: UserPrimitive, *rules: Callable[..., Any] | None) -> None:
    """Set the jvp from one rule for each operand.

    Parameters
    ----------
    primitive : Primitive
        With one result.
    *rules : callable or None
        ``rule(tangent, *primals, **params)``: what an operand's tangent adds; None for nothing.

    Examples
    --------
    >>> import fnx
    >>> from fnx.core import Primitive
    >>> times_p = Primitive("times", infer=lambda x, y: x, evaluate=lambda x, y: x * y)
    >>> defjvp(times_p, lambda dx, x, y: times_p(dx, y), lambda dy, x, y: times_p(x, dy))
    >>> fnx.jvp(times_p, (2., 3.), (1., 0.))[1]
    Array(3., dtype=float32, weak_type=True)
    """

    def jvp(primals: Sequence[Any], tangents: Sequence[Any], **params: Any) -> Any:
        out = primitive(*primals, **params)
        total: Any = zero_tangent(out)
        for rule, tangent in zip(rules, tangents, strict=True):
            if rule is not None and type(tangent) is not Zero:
                total = add_tangents(total, rule(tangent, *primals, **params))
        return out, total

    primitive_jvps[primitive] = jvp


def deflinear(primitive: UserPrimitive, transpose_rule: Callable[..., Any]) -> None:
    """Declare a primitive linear in all of its operands together.

    Parameters
    ----------
    primitive : Primitive
        Its jvp is then the primitive itself.
    transpose_rule : callable
        ``rule(ct, **params)`` gives a cotangent for each operand.
    """
    deflinear2(primitive, lambda ct, *operands, **params: transpose_rule(ct, **params))


def deflinear2(primitive: UserPrimitive, transpose_rule: Callable[..., Any]) -> None:
    """Declare a primitive linear in all of its operands together.

    Parameters
    ----------
    primitive : Primitive
        Its jvp is then the primitive itself.
    transpose_rule : callable
        ``rule(ct, *operands, **params)`` gives a cotangent for each operand.

    Examples
    --------
    >>> import fnx
    >>> from fnx.core import Primitive
    >>> half_p = Primitive("half", infer=lambda x: x, evaluate=lambda x: x / 2)
    >>> deflinear2(half_p, lambda ct, x: [half_p(ct)])
    >>> fnx.grad(half_p)(3.)
    Array(0.5, dtype=float32, weak_type=True)
    """

    def jvp(primals: Sequence[Any], tangents: Sequence[Any], **params: Any) -> Any:
        out = primitive(*primals, **params)
        if all(type(t) is Zero for t in tangents):
            many = primitive.multiple_results
            return out, [zero_tangent(o) for o in out] if many else zero_tangent(out)
        return out, primitive(*map(instantiate_zeros, tangents), **params)

    primitive_jvps[primitive] = jvp
    primitive_transposes[primitive] = transpose_rule


def defbilinear(
    primitive: UserPrimitive, left_rule: Callable[..., Any], right_rule: Callable[..., Any]
) -> None:
    """Declare a primitive of two operands linear in each of them.

    Parameters
    ----------
    primitive : Primitive
        With one result.
    left_rule, right_rule : callable
        ``left_rule(ct, x, y, **params)`` gives the cotangent of x, which it gets as a placeholder;
        ``right_rule`` that of y.

    Examples
    --------
    >>> import fnx
    >>> from fnx.core import Primitive
    >>> times_p = Primitive("times", infer=lambda x, y: x, evaluate=lambda x, y: x * y)
    >>> defbilinear(times_p, lambda ct, x, y: times_p(ct, y), lambda ct, x, y: times_p(x, ct))
    >>> fnx.grad(times_p, (0, 1))(2., 3.)
    (Array(3., dtype=float32, weak_type=True), Array(2., dtype=float32, weak_type=True))
    """
    defjvp(
        primitive,
        lambda dx, x, y, **params: primitive(dx, y, **params),
        lambda dy, x, y, **params: primitive(x, dy, **params),
    )

    def transpose(ct: Any, x: Any, y: Any, **params: Any) -> list[Any]:
        if is_undefined_primal(x):
            return [left_rule(ct, x, y, **params), None]
        return [None, right_rule(ct, x, y, **params)]

    primitive_transposes[primitive] = transpose
