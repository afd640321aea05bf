"""A user's Python function of pytrees, and its declared results, as a flat function of arrays.

Read next: `callbacks`, the primitives that hold one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from fnx import tree_util
from fnx.core.array import Array, adopt
from fnx.core.conversion import as_value, is_arraylike
from fnx.core.types import ShapedArray
from fnx.dtypes import canonicalize_dtype
from fnx.errors import ArgumentTypeError, user_frame
from fnx.transforms.trees import check_callable, function_name

__all__ = ["FlatCallback", "declared_types", "flat_callback"]


@dataclass(frozen=True, slots=True)
class FlatCallback:
    """A user's function of pytrees as one of flat arrays; equal if the function and trees are.

    Parameters
    ----------
    function : callable
        The user's.
    tree : PyTreeDef
        Of ``(args, kwargs)``.
    static : tuple of (int, object)
        Leaves that aren't arrays, by their place among the leaves.
    out_tree : PyTreeDef, optional
        The structure of the results; None: they're ignored.
    operation : str
        For errors.
    where : str
        The user's line.
    """

    function: Callable[..., Any]
    tree: Any
    static: tuple[tuple[int, Any], ...]
    out_tree: Any
    operation: str
    where: str = field(compare=False)

    def __repr__(self) -> str:
        return f"<{function_name(self.function)} at {self.where}>"

    def __call__(self, *values: Any) -> list[Any]:
        fixed, given = dict(self.static), iter(values)
        count = len(fixed) + len(values)
        leaves = [fixed[k] if k in fixed else next(given) for k in range(count)]
        args, kwargs = tree_util.tree_unflatten(self.tree, leaves)
        try:
            out = self.function(*args, **kwargs)
        except Exception as error:
            error.add_note(
                f"Raised by {function_name(self.function)}, the function that {self.operation} "
                f"calls (at {self.where})."
            )
            raise
        if self.out_tree is None:
            return []
        found, structure = tree_util.tree_flatten(out)
        if structure != self.out_tree:
            raise ArgumentTypeError(
                f"{self.operation}: {function_name(self.function)} gave a result of structure "
                f"{structure}, result_shape_dtypes says {self.out_tree} (at {self.where})."
            )
        return found

    def results(self, values: Sequence[Array], avals: Sequence[ShapedArray]) -> list[Array]:
        """What the function gives for values, checked against its declared types."""
        return [
            self._checked(k, value, aval)
            for k, (value, aval) in enumerate(zip(self(*values), avals, strict=True))
        ]

    def _checked(self, place: int, value: Any, aval: ShapedArray) -> Array:
        what = f"result {place} of {function_name(self.function)}"
        array = as_value(value, self.operation, what)
        given = array.aval
        if given.shape == aval.shape and given.dtype == aval.dtype:
            return array if not array.weak_type else adopt(array._data)
        if given.shape == aval.shape and _may_narrow(given.dtype, aval.dtype):
            return adopt(array._data.astype(aval.dtype))
        raise ArgumentTypeError(
            f"{self.operation}: {what} is {given.strengthen()!r}, result_shape_dtypes says "
            f"{aval!r} (at {self.where}). Give an array of that type, or declare the one it is."
        )


def _may_narrow(given: np.dtype[Any], declared: np.dtype[Any]) -> bool:
    """Whether NumPy's 64 bits stand for the declared 32, as they do in JAX by default."""
    halves = {"float64": "float32", "int64": "int32", "uint64": "uint32", "complex128": "complex64"}
    return halves.get(given.name) == declared.name


def flat_callback(
    operation: str, function: Callable[..., Any], args: Any, kwargs: Any, out_tree: Any
) -> tuple[FlatCallback, list[Any]]:
    """The flat function, and its arrays; other leaves (strings, say) are kept in it.

    Parameters
    ----------
    operation : str
        For errors.
    function : callable
        The user's.
    args, kwargs : pytrees
        Its arguments.
    out_tree : PyTreeDef or None
        See `FlatCallback`.
    """
    check_callable(operation, function)
    leaves, tree = tree_util.tree_flatten((args, kwargs))
    static = tuple([(k, x) for k, x in enumerate(leaves) if not is_arraylike(x)])
    values = [as_value(x) for x in leaves if is_arraylike(x)]
    return FlatCallback(function, tree, static, out_tree, operation, user_frame()), values


def declared_types(operation: str, declared: Any) -> tuple[list[ShapedArray], Any]:
    """The types, and their structure, in ``result_shape_dtypes``.

    Parameters
    ----------
    operation : str
        For errors.
    declared : pytree
        Of things with shape and dtype.
    """
    leaves, tree = tree_util.tree_flatten(declared)
    for leaf in leaves:
        if not hasattr(leaf, "shape") or not hasattr(leaf, "dtype"):
            raise ArgumentTypeError(
                f"{operation}: result_shape_dtypes must hold things with shape and dtype, got "
                f"{type(leaf).__name__}. Use ShapeDtypeStruct(shape, dtype)."
            )
    avals = [ShapedArray(tuple(x.shape), canonicalize_dtype(np.dtype(x.dtype))) for x in leaves]
    return avals, tree
