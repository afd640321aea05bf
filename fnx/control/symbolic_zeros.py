"""Zeros that custom rules may see as such: `SymbolicZero`, and what else rules get in that mode.

A rule that asked for them gets a `SymbolicZero` in place of a tangent that is zero for a structural
reason, where that is known; where it isn't (in a program that was recorded, or mapped, before) it
gets an array of zeros.  Read next: `custom_rules`, `custom_api`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from fnx import tree_util
from fnx.core.array import adopt
from fnx.core.conversion import as_value
from fnx.core.primitive import Zero
from fnx.core.types import ShapedArray, float0, tangent_type
from fnx.errors import ArgumentTypeError
from fnx.primitives.shaping import zeros
from fnx.transforms.grad import float0_zeros

__all__ = [
    "CustomVJPPrimal",
    "SymbolicForward",
    "SymbolicRule",
    "SymbolicZero",
    "custom_vjp_primal_tree_values",
    "full_tangent",
    "rule_tangents",
    "told",
    "zero_from_primal",
]


class SymbolicZero:
    """A tangent or cotangent that is zero for a structural reason.

    Parameters
    ----------
    aval : ShapedArray
        The type of the zeros that it stands for.
    """

    __slots__ = ("aval",)

    def __init__(self, aval: ShapedArray) -> None:
        self.aval = aval

    @property
    def shape(self) -> tuple[int, ...]:
        """The extents."""
        return self.aval.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """The element type."""
        return self.aval.dtype

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.aval.shape)

    def __repr__(self) -> str:
        return f"SymbolicZero({self.aval!r})"

    @staticmethod
    def from_primal_value(val: Any) -> SymbolicZero:
        """The zero tangent of a value.

        Parameters
        ----------
        val : array
            The value.
        """
        return SymbolicZero(tangent_type(as_value(val).aval))


@dataclass(slots=True)
class CustomVJPPrimal:
    """What ``fwd`` gets for a leaf of its arguments, if it asked for symbolic zeros.

    Parameters
    ----------
    value : Array
        The leaf.
    perturbed : bool
        Whether it may be differentiated.
    """

    value: Any
    perturbed: bool


def custom_vjp_primal_tree_values(tree: Any) -> Any:
    """The values in a tree of `CustomVJPPrimal`.

    Parameters
    ----------
    tree : pytree
        As ``fwd`` gets its arguments.

    Raises
    ------
    TypeError
        A leaf is something else.
    """

    def value(leaf: Any) -> Any:
        if type(leaf) is not CustomVJPPrimal:
            raise ArgumentTypeError(
                "custom_vjp_primal_tree_values: leaves must be CustomVJPPrimal, got "
                f"{type(leaf).__name__}. Pass the arguments of fwd, with symbolic_zeros=True."
            )
        return leaf.value

    return tree_util.tree_map(value, tree)


def zero_from_primal(val: Any, symbolic_zeros: bool = False) -> Any:
    """The zero tangents of values.

    Parameters
    ----------
    val : pytree of arrays
        The values.
    symbolic_zeros : bool
        Whether to give `SymbolicZero` objects instead of arrays.

    Examples
    --------
    >>> from fnx.custom_derivatives import zero_from_primal
    >>> zero_from_primal(3.)
    Array(0., dtype=float32)
    """

    def zero(leaf: Any) -> Any:
        symbolic = SymbolicZero.from_primal_value(leaf)
        return symbolic if symbolic_zeros else full_tangent(Zero(symbolic.aval))

    return tree_util.tree_map(zero, val)


def full_tangent(tangent: Any) -> Any:
    """What a user's rule gets: an array, of dtype float0 for integers.

    Parameters
    ----------
    tangent : Array or Zero
        The tangent.
    """
    if type(tangent) is not Zero:
        return tangent
    if tangent.aval.dtype == float0:
        return adopt(float0_zeros(tangent.aval.shape))
    return zeros(tangent.aval)


class SymbolicRule:
    """A flat jvp rule that takes tangents which may be `Zero`.

    Parameters
    ----------
    rule : callable
        Of primals, then tangents.
    """

    def __init__(self, rule: Callable[..., list[Any]]) -> None:
        functools.update_wrapper(self, rule)
        self.rule = rule

    def __call__(self, *both: Any) -> list[Any]:
        return self.rule(*both)


class SymbolicForward:
    """A flat ``fwd`` that is told which of its arguments may be differentiated.

    Parameters
    ----------
    fwd : callable
        Of these flags, then the arguments.
    """

    def __init__(self, fwd: Callable[..., tuple[list[Any], list[Any]]]) -> None:
        functools.update_wrapper(self, fwd)
        self.fwd = fwd

    def __call__(self, *xs: Any) -> tuple[list[Any], list[Any]]:
        return self.fwd([True] * len(xs), *xs)


def rule_tangents(rule: Any, tangents: Sequence[Any]) -> list[Any]:
    """The tangents as a rule takes them.

    Parameters
    ----------
    rule : callable
        A flat jvp rule.
    tangents : sequence of Array or Zero
        The tangents.
    """
    if isinstance(rule, SymbolicRule):
        return list(tangents)
    return [full_tangent(t) for t in tangents]


def told(fwd: Any, tangents: Sequence[Any]) -> Callable[..., tuple[list[Any], list[Any]]]:
    """A flat ``fwd``, told which arguments have tangents if it asked for that.

    Parameters
    ----------
    fwd : callable
        The forward part of a rule.
    tangents : sequence of Array or Zero
        Of its arguments.
    """
    if isinstance(fwd, SymbolicForward):
        return functools.partial(fwd.fwd, [type(t) is not Zero for t in tangents])
    given: Callable[..., tuple[list[Any], list[Any]]] = fwd
    return given
