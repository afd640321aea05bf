"""Looking at programs: `make_jaxpr`, `eval_shape`, `ShapeDtypeStruct`, `block_until_ready`."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from fnx import tree_util
from fnx.core.conversion import as_value, is_arraylike
from fnx.core.jaxpr import ClosedJaxpr, Jaxpr
from fnx.core.simplify import drop_dead
from fnx.core.staging import stage
from fnx.core.types import ShapedArray
from fnx.dtypes import canonicalize_dtype
from fnx.errors import ArgumentTypeError
from fnx.transforms.trees import Flat, check_callable, function_name

__all__ = ["ShapeDtypeStruct", "avals_of", "block_until_ready", "eval_shape", "make_jaxpr"]


def block_until_ready(x: Any) -> Any:
    """The argument itself: every result is computed when a function returns.

    Parameters
    ----------
    x : pytree
        Anything.

    Examples
    --------
    >>> import fnx.numpy as jnp
    >>> block_until_ready({"w": jnp.ones(2)})
    {'w': Array([1., 1.], dtype=float32)}
    """
    return x


class ShapeDtypeStruct:
    """Shape and dtype of an array that doesn't exist.

    Parameters
    ----------
    shape : sequence of int
        The extents.
    dtype : dtype
        The element type.
    weak_type : bool
        Whether the dtype yields in promotion.

    Examples
    --------
    >>> ShapeDtypeStruct((3,), "float32")
    ShapeDtypeStruct(shape=(3,), dtype=float32)
    """

    __slots__ = ("dtype", "shape", "weak_type")

    def __init__(self, shape: Sequence[int], dtype: Any, *, weak_type: bool = False) -> None:
        self.shape = tuple(shape)
        self.dtype = np.dtype(dtype)
        self.weak_type = weak_type

    @property
    def aval(self) -> ShapedArray:
        """The type."""
        return ShapedArray(self.shape, canonicalize_dtype(self.dtype), self.weak_type)

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """Number of elements."""
        return self.aval.size

    def __len__(self) -> int:
        if not self.shape:
            raise ArgumentTypeError("len(): ShapeDtypeStruct of shape () has no length.")
        return self.shape[0]

    def update(self, **changes: Any) -> ShapeDtypeStruct:
        """A copy with another ``shape``, ``dtype`` or ``weak_type``."""
        fields = {"shape": self.shape, "dtype": self.dtype, "weak_type": self.weak_type}
        unknown = sorted(set(changes) - set(fields))
        if unknown:
            raise ArgumentTypeError(
                f"ShapeDtypeStruct.update: no fields {unknown}; it has {list(fields)}."
            )
        return ShapeDtypeStruct(**{**fields, **changes})

    def __repr__(self) -> str:
        weak = ", weak_type=True" if self.weak_type else ""
        return f"ShapeDtypeStruct(shape={self.shape}, dtype={self.dtype.name}{weak})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ShapeDtypeStruct) and self.aval == other.aval

    def __hash__(self) -> int:
        return hash(self.aval)


def avals_of(name: str, leaves: Sequence[Any], flat: Flat) -> list[ShapedArray]:
    """Types of the leaves of a call: arrays, or what has shape and dtype.

    Parameters
    ----------
    name : str
        For errors.
    leaves : sequence
        What a user passes.
    flat : Flat
        The function of them, which names what can't be traced.
    """
    result = []
    for k, x in enumerate(leaves):
        if (
            hasattr(x, "shape")
            and hasattr(x, "dtype")
            and not isinstance(x, (np.ndarray, np.generic))
        ):
            aval = getattr(x, "aval", None)
            result.append(aval or ShapedArray(tuple(x.shape), canonicalize_dtype(x.dtype)))
        else:
            if not is_arraylike(x):
                as_value(x, name, flat.path(k))  # raises
            result.append(as_value(x, name).aval)
    return result


def make_jaxpr(
    fun: Callable[..., Any],
    static_argnums: int | Sequence[int] = (),
    return_shape: bool = False,
) -> Callable[..., Any]:
    """A function that gives the program of another one.

    Parameters
    ----------
    fun : callable
        Takes and gives pytrees of arrays.
    static_argnums : int or sequence of int
        Positional arguments that are Python values.
    return_shape : bool
        Also give the types of the results.

    Returns
    -------
    callable
        Of the arguments of `fun` (arrays, or what has shape and dtype), gives a `ClosedJaxpr`.

    Examples
    --------
    >>> import fnx, fnx.numpy as jnp
    >>> fnx.make_jaxpr(lambda x: jnp.sin(x) + 1.)(jnp.zeros(3))
    { lambda ; a:f32[3]. let
        b:f32[3] = sin a
        c:f32[3] = broadcast_in_dim[broadcast_dimensions=() shape=(3,)] 1.0:f32[]
        d:f32[3] = add b c
      in (d,) }
    """
    check_callable("make_jaxpr", fun)
    static = (static_argnums,) if isinstance(static_argnums, int) else tuple(static_argnums)

    @functools.wraps(fun)
    def jaxpr_maker(*args: Any, **kwargs: Any) -> Any:
        name = f"make_jaxpr of {function_name(fun)}"
        fixed = {k % len(args): args[k] for k in static}

        @functools.wraps(fun)
        def of_rest(*rest: Any, **keywords: Any) -> Any:
            it = iter(rest)
            return fun(
                *[fixed[k] if k in fixed else next(it) for k in range(len(args))], **keywords
            )

        positions = [k for k in range(len(args)) if k not in fixed]
        leaves, tree = tree_util.tree_flatten((tuple([args[k] for k in positions]), kwargs))
        flat = Flat(of_rest, tree, keywords=True, positions=positions)
        jaxpr, consts = stage(flat, avals_of(name, leaves, flat), function_name(fun))
        closed = ClosedJaxpr(drop_dead(jaxpr), consts)
        if return_shape:
            return closed, _shapes(jaxpr, flat)
        return closed

    return jaxpr_maker


def eval_shape(fun: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Types of a function's results, without computing them.

    Parameters
    ----------
    fun : callable
        Takes and gives pytrees of arrays.
    *args, **kwargs : pytrees
        Arrays, or what has shape and dtype.

    Returns
    -------
    pytree of ShapeDtypeStruct

    Examples
    --------
    >>> import fnx, fnx.numpy as jnp
    >>> fnx.eval_shape(jnp.dot, jnp.zeros((2, 3)), jnp.zeros(3))
    ShapeDtypeStruct(shape=(2,), dtype=float32)
    """
    check_callable("eval_shape", fun)
    leaves, tree = tree_util.tree_flatten((args, kwargs))
    flat = Flat(fun, tree, keywords=True)
    avals = avals_of(f"eval_shape of {function_name(fun)}", leaves, flat)
    jaxpr, _ = stage(flat, avals, function_name(fun))
    return _shapes(jaxpr, flat)


def _shapes(jaxpr: Jaxpr, flat: Flat) -> Any:
    """The types of the results of a program, in the structure of the function's result."""
    types = [ShapeDtypeStruct(a.shape, a.dtype, weak_type=a.weak_type) for a in jaxpr.out_avals]
    return tree_util.tree_unflatten(flat.out_tree, types)
