"""How values and functions enter programs: with a name, by platform, by device, from shapes."""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from fnx import tree_util
from fnx.control.tracing_api import named_call
from fnx.core.array import adopt
from fnx.core.conversion import as_value
from fnx.core.device import checked_device
from fnx.errors import ArgumentTypeError, UnsupportedError
from fnx.sharding import NamedSharding

__all__ = [
    "composite",
    "platform_dependent",
    "shape_as_value",
    "stage",
    "with_sharding_constraint",
]


def composite(decomposition: Callable[..., Any], name: str, version: int = 0) -> Callable[..., Any]:
    """The function as one operation with a name of its own, which programs show.

    Parameters
    ----------
    decomposition : callable
        What it computes.
    name : str
        The name of the operation.
    version : int
        Of the operation's meaning; one other than 0 is shown behind the name.

    Returns
    -------
    callable
        Positional arguments are operands, keyword arguments are attributes, which do not become
        values of the program.

    Notes
    -----
    No name is known to the compiler, so that what is compiled is always the decomposition.  Unlike
    in JAX the operation can be differentiated and mapped, as its decomposition can.

    Examples
    --------
    >>> import fnx
    >>> from fnx import lax
    >>> tangent = lax.composite(lambda x: lax.sin(x) / lax.cos(x), name="my.tangent")
    >>> fnx.make_jaxpr(tangent)(1.0).eqns[0].params["name"]
    'my.tangent'
    """
    if not isinstance(name, str):
        raise ArgumentTypeError(f"composite: name must be a string, got {name!r}.")
    number = operator.index(version)
    label = f"{name}.v{number}" if number else name

    @functools.wraps(decomposition)
    def operation(*args: Any, **attributes: Any) -> Any:
        return named_call(functools.partial(decomposition, **attributes), name=label)(*args)

    return operation


def platform_dependent(
    *args: Any,
    default: Callable[..., Any] | None = None,
    **per_platform: Callable[..., Any],
) -> Any:
    """The result of the function that is meant for the platform, which is the CPU.

    Parameters
    ----------
    *args : pytree
        The operands.
    default : callable, optional
        For platforms that are not named.
    **per_platform : callable
        By the platform's name: ``cpu``, ``tpu``, ...  Those for other platforms are not called.

    Raises
    ------
    NotImplementedError
        There is neither one for ``cpu`` nor a default.

    Examples
    --------
    >>> from fnx import lax
    >>> lax.platform_dependent(2.0, cpu=lambda x: 3 * x, tpu=lambda x: x)
    6.0
    """
    chosen = per_platform.get("cpu", default)
    if chosen is None:
        raise UnsupportedError(
            f"platform_dependent: there are functions for {', '.join(per_platform)}, none for cpu "
            "and no default. Give one of them."
        )
    return chosen(*args)


def shape_as_value(shape: Sequence[int]) -> Any:
    """A shape as an array of its extents, int32.

    Parameters
    ----------
    shape : sequence of int
        The extents.

    Examples
    --------
    >>> from fnx import lax
    >>> lax.shape_as_value((2, 3))
    Array([2, 3], dtype=int32)
    """
    return adopt(np.array([operator.index(n) for n in shape], np.int32))


def stage(x: Any, /) -> Any:
    """A number or an array as a value of the program that is being traced.

    Parameters
    ----------
    x : array-like
        Any.

    Examples
    --------
    >>> from fnx import lax
    >>> lax.stage(3.0)
    Array(3., dtype=float32, weak_type=True)
    """
    return as_value(x, "stage", "x")


def with_sharding_constraint(x: Any, shardings: Any) -> Any:
    """The arrays as they are, after a check that they could be divided as asked for.

    Parameters
    ----------
    x : pytree of arrays
        The values.
    shardings : NamedSharding, Device, or tree prefix of them
        How each is divided.

    Returns
    -------
    pytree of arrays
        The values as they are.

    Raises
    ------
    ValueError
        A sharding is of other devices, or has more parts than the array has axes.

    Examples
    --------
    >>> import fnx, fnx.numpy as jnp
    >>> from fnx import lax
    >>> lax.with_sharding_constraint(jnp.arange(2), fnx.devices()[0])
    Array([0, 1], dtype=int32)
    """
    name = "with_sharding_constraint"
    leaves, tree = tree_util.tree_flatten(x)
    values = [as_value(leaf, name, f"leaf {k}") for k, leaf in enumerate(leaves)]
    for value, place in zip(values, tree_util.broadcast_prefix(shardings, x), strict=True):
        checked_device(name, place)
        if isinstance(place, NamedSharding):
            place.mesh.check_spec(name, place.spec, value.ndim)
    return tree_util.tree_unflatten(tree, values)
