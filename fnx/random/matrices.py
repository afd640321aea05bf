"""Random vectors and matrices: `multivariate_normal` and `orthogonal`."""

from __future__ import annotations

import operator
from typing import Any

from fnx import numpy as jnp
from fnx.errors import ArgumentValueError, ShapeError
from fnx.numpy import linalg
from fnx.numpy.creation import shape_of
from fnx.numpy.promotion import broadcast_shapes, promote_inexact
from fnx.random.arguments import check_shape, float_dtype, one_device
from fnx.random.keys import used
from fnx.random.words import normals

__all__ = ["multivariate_normal", "orthogonal"]


def multivariate_normal(
    key: Any,
    mean: Any,
    cov: Any,
    shape: Any = None,
    dtype: Any = None,
    method: str = "cholesky",
    *,
    out_sharding: Any = None,
) -> Any:
    """Normal vectors of given mean and covariance.

    ``mean + F z`` of standard normal z, where ``F F^T`` is the covariance. It is differentiable in
    both, along that path.

    Parameters
    ----------
    key : key
        Not to be used again.
    mean : array-like
        Of shape (..., n).
    cov : array-like
        Positive definite, of shape (..., n, n); semidefinite if the method isn't "cholesky".
    shape : sequence of int, optional
        Extents before the last; the joint ones of the parameters by default.
    dtype : dtype, optional
        A float, of the draws; that of the parameters by default.
    method : {"cholesky", "eigh", "svd"}
        How F is found.
    out_sharding : None
        For programs written for JAX; there is one device.

    Examples
    --------
    >>> from fnx import numpy as jnp, random
    >>> random.multivariate_normal(random.key(0), jnp.zeros(2), jnp.eye(2), (5,)).shape
    (5, 2)
    """
    name = "multivariate_normal"
    one_device(name, out_sharding)
    centre, spread = promote_inexact(name, mean, cov)
    if method not in ("cholesky", "eigh", "svd"):
        raise ArgumentValueError(
            f"{name}: method must be one of ('cholesky', 'eigh', 'svd'), got {method!r}."
        )
    wanted = float_dtype(name, centre.dtype if dtype is None else dtype)
    if centre.ndim < 1:
        raise ShapeError(f"{name}: mean must be a vector, or several, got {centre.aval!r}.")
    n = centre.shape[-1]
    if spread.ndim < 2 or spread.shape[-2:] != (n, n):
        raise ShapeError(
            f"{name}: cov must have shape (..., {n}, {n}), as mean is {centre.aval!r}; got "
            f"{spread.aval!r}."
        )
    joint = broadcast_shapes(centre.shape[:-1], spread.shape[:-2])
    size = joint if shape is None else shape_of(shape)
    check_shape(name, (*size, n), mean=centre)
    check_shape(name, (*size, n, n), cov=spread)
    z = normals(used(name, key), (*size, n), wanted)
    return centre + jnp.einsum("...ij,...j->...i", _factor(spread, method), z)


def _factor(cov: Any, method: str) -> Any:
    if method == "cholesky":
        return linalg.cholesky(cov)
    if method == "eigh":
        w, v = linalg.eigh(cov)
        return v * jnp.sqrt(w[..., None, :])
    u, s, _ = linalg.svd(cov)
    return u * jnp.sqrt(s[..., None, :])


def orthogonal(
    key: Any,
    n: int,
    shape: Any = (),
    dtype: Any = None,
    m: int | None = None,
    *,
    out_sharding: Any = None,
) -> Any:
    """Orthogonal matrices, evenly spread over the group; unitary ones for complex dtypes.

    The factor Q of a normal matrix, with signs that make R positive on the diagonal. Source:
    Mezzadri, *How to generate random matrices from the classical compact groups* (2007).

    Parameters
    ----------
    key : key
        Not to be used again.
    n : int
        Rows.
    shape : sequence of int
        How many matrices.
    dtype : dtype, optional
        A float or complex dtype; float32 by default (float64 under ``enable_x64``).
    m : int, optional
        Columns; as many as rows by default. With fewer, columns are orthonormal; with more, rows.
    out_sharding : None
        For programs written for JAX; there is one device.

    Returns
    -------
    Array
        Of shape ``(*shape, n, m)``.

    Examples
    --------
    >>> from fnx import numpy as jnp, random
    >>> q = random.orthogonal(random.key(0), 3)
    >>> bool(jnp.allclose(q @ q.T, jnp.eye(3), atol=1e-6))
    True
    """
    one_device("orthogonal", out_sharding)
    wanted = float_dtype("orthogonal", dtype, complex_too=True)
    rows = operator.index(n)
    columns = rows if m is None else operator.index(m)
    if rows < 0 or columns < 0:
        raise ArgumentValueError(
            f"orthogonal: n and m must not be negative, got {rows} and {columns}."
        )
    size = (*shape_of(shape), max(rows, columns), min(rows, columns))
    q, r = linalg.qr(normals(used("orthogonal", key), size, wanted))
    q = q * jnp.expand_dims(jnp.sign(jnp.diagonal(r, axis1=-2, axis2=-1)), -2)
    return jnp.matrix_transpose(q) if rows < columns else q
