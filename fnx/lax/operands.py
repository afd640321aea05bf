"""Operands that may be numbers or scalars: what `elementwise` and `special` do with them.

A number becomes an array of the other operands' dtype if that is of its kind (a float doesn't
become an integer, nor the reverse), and a scalar is repeated to their shape. Nothing else is
promoted or broadcast.  Read next: `elementwise`.
"""

from __future__ import annotations

from typing import Any

from fnx.core.conversion import as_value
from fnx.dtypes import kind_of
from fnx.primitives.cast import convert_element_type
from fnx.primitives.shaping import broadcast_in_dim

__all__ = ["matched", "of_one_dtype"]


def of_one_dtype(name: str, *args: Any) -> list[Any]:
    """Operands as arrays; weak ones take the dtype of the first one that isn't, if of its kind.

    Parameters
    ----------
    name : str
        The operation, for errors.
    *args : array-like
        The operands.
    """
    xs = [as_value(a, name, f"argument {k}") for k, a in enumerate(args)]
    strong = [x for x in xs if not x.weak_type]
    if not strong or len(strong) == len(xs):
        return xs
    wanted = strong[0].dtype
    kind = kind_of(wanted).replace("u", "i")
    return [
        convert_element_type(x, wanted, True)
        if x.weak_type and x.dtype != wanted and kind_of(x.dtype).replace("u", "i") == kind
        else x
        for x in xs
    ]


def matched(name: str, *args: Any) -> list[Any]:
    """As `of_one_dtype`, with scalars in the shape of the others.

    Parameters
    ----------
    name : str
        The operation, for errors.
    *args : array-like
        The operands.
    """
    xs = of_one_dtype(name, *args)
    shape = next((x.shape for x in xs if x.shape), ())
    return [x if x.shape or not shape else broadcast_in_dim(x, shape, ()) for x in xs]
