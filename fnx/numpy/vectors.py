"""Products of vectors and matrices: cross, matvec, vecmat; and how einsum goes about it.

Read next: `products`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import opt_einsum

from fnx.errors import ArgumentValueError
from fnx.numpy.joining import stack
from fnx.numpy.manipulation import moveaxis, normal_axis, ravel
from fnx.numpy.products import diag, matmul
from fnx.numpy.promotion import as_arrays, broadcast_shapes, broadcast_to, promote_dtypes

__all__ = ["cross", "diagflat", "einsum_path", "matvec", "vecmat"]


def cross(
    a: Any, b: Any, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: int | None = None
) -> Any:
    """The cross product of vectors of three components, or of two in a plane.

    Parameters
    ----------
    a, b : array-like
        The operands, broadcast.
    axisa, axisb : int
        Which axes hold the components.
    axisc : int
        Where the components of the result stand; in a plane there is only one, without an axis.
    axis : int, optional
        For all three.

    Examples
    --------
    >>> import fnx.numpy as jnp
    >>> cross(jnp.array([1., 0., 0.]), jnp.array([0., 1., 0.]))
    Array([0., 0., 1.], dtype=float32)
    """
    if axis is not None:
        axisa = axisb = axisc = axis
    x, y = promote_dtypes("cross", a, b)
    x = moveaxis(x, normal_axis("cross", axisa, x.ndim), -1)
    y = moveaxis(y, normal_axis("cross", axisb, y.ndim), -1)
    if x.shape[-1] not in (2, 3) or y.shape[-1] not in (2, 3):
        raise ArgumentValueError(
            f"cross: vectors must have 2 or 3 components, got {x.aval!r} and {y.aval!r}."
        )
    shape = broadcast_shapes(x.shape[:-1], y.shape[:-1])
    x, y = broadcast_to(x, (*shape, x.shape[-1])), broadcast_to(y, (*shape, y.shape[-1]))
    u, v = [x[..., k] for k in range(x.shape[-1])], [y[..., k] for k in range(y.shape[-1])]
    last = u[0] * v[1] - u[1] * v[0]
    if len(u) == len(v) == 2:
        return last
    if len(u) == 2:
        parts = [u[1] * v[2], -u[0] * v[2], last]
    elif len(v) == 2:
        parts = [-u[2] * v[1], u[2] * v[0], last]
    else:
        parts = [u[1] * v[2] - u[2] * v[1], u[2] * v[0] - u[0] * v[2], last]
    return stack(parts, axis=normal_axis("cross", axisc, len(shape) + 1))


def matvec(x1: Any, x2: Any, /) -> Any:
    """Matrices times vectors.

    Parameters
    ----------
    x1 : array-like
        Of shape (..., m, n).
    x2 : array-like
        Of shape (..., n).

    Returns
    -------
    array
        Of shape (..., m).
    """
    x, y = as_arrays("matvec", x1, x2)
    if x.ndim < 2 or y.ndim < 1 or x.shape[-1] != y.shape[-1]:
        raise ArgumentValueError(
            f"matvec: takes (..., m, n) and (..., n), got {x.aval!r} and {y.aval!r}."
        )
    return matmul(x, y[..., None])[..., 0]


def vecmat(x1: Any, x2: Any, /) -> Any:
    """Vectors, conjugated, times matrices.

    Parameters
    ----------
    x1 : array-like
        Of shape (..., n).
    x2 : array-like
        Of shape (..., n, m).

    Returns
    -------
    array
        Of shape (..., m).
    """
    x, y = as_arrays("vecmat", x1, x2)
    if x.ndim < 1 or y.ndim < 2 or x.shape[-1] != y.shape[-2]:
        raise ArgumentValueError(
            f"vecmat: takes (..., n) and (..., n, m), got {x.aval!r} and {y.aval!r}."
        )
    return matmul(x.conj()[..., None, :], y)[..., 0, :]


def diagflat(v: Any, k: int = 0) -> Any:
    """A matrix with the elements on a diagonal.

    Parameters
    ----------
    v : array-like
        The elements, over all axes.
    k : int
        Which diagonal.
    """
    return diag(ravel(as_arrays("diagflat", v)[0]), k)


def einsum_path(subscripts: Any, /, *operands: Any, optimize: Any = "auto") -> tuple[Any, Any]:
    """The order in which `einsum` would contract operands.

    Parameters
    ----------
    subscripts : str
        As for `einsum`.
    *operands : array-like
        The operands; only shapes count.
    optimize : bool, str or list of tuple
        As for `opt_einsum.contract_path`.

    Returns
    -------
    path : list of tuple of int
    description : opt_einsum.PathInfo
        Its text says what each step costs.
    """
    if optimize is True:
        optimize = "optimal"
    elif optimize is False:
        optimize = [tuple(range(len(operands)))]
    shapes = [np.broadcast_to(np.float32(0), x.shape) for x in as_arrays("einsum_path", *operands)]
    return opt_einsum.contract_path(subscripts, *shapes, optimize=optimize)
