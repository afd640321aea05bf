"""Products, powers and traces of matrices in the last two axes.

Most are those of `fnx.numpy`, with the axes that the array API gives them.
"""

from __future__ import annotations

import itertools
import operator
import string
from collections.abc import Sequence
from typing import Any

from fnx.errors import ArgumentTypeError, ArgumentValueError, ShapeError
from fnx.numpy import products, vectors
from fnx.numpy.creation import eye
from fnx.numpy.linalg.systems import inv
from fnx.numpy.manipulation import matrix_transpose
from fnx.numpy.products import matmul, vecdot
from fnx.numpy.promotion import as_arrays, broadcast_to, promote_dtypes

__all__ = [
    "cross",
    "diagonal",
    "matmul",
    "matrix_power",
    "matrix_transpose",
    "multi_dot",
    "outer",
    "tensordot",
    "trace",
    "vecdot",
]


def cross(x1: Any, x2: Any, /, *, axis: int = -1) -> Any:
    """The vector product of vectors of three elements.

    Parameters
    ----------
    x1, x2 : array-like
        Broadcast against each other.
    axis : int
        Of the vectors.

    Examples
    --------
    >>> import fnx.numpy as jnp
    >>> jnp.linalg.cross(jnp.array([1.0, 0.0, 0.0]), jnp.array([0.0, 1.0, 0.0]))
    Array([0., 0., 1.], dtype=float32)
    """
    x, y = promote_dtypes("cross", x1, x2)
    if x.ndim == 0 or y.ndim == 0 or x.shape[axis] != 3 or y.shape[axis] != 3:
        raise ShapeError(
            f"cross: both arrays must hold vectors of three elements along axis {axis}, got "
            f"{x.aval!r} and {y.aval!r}."
        )
    return vectors.cross(x, y, axis=axis)


def diagonal(x: Any, /, *, offset: int = 0) -> Any:
    """The diagonals, as the last axis.

    Parameters
    ----------
    x : array-like
        Matrices in the last two axes.
    offset : int
        Which diagonal; positive ones are above the main one.
    """
    return products.diagonal(x, offset, -2, -1)


def trace(x: Any, /, *, offset: int = 0, dtype: Any = None) -> Any:
    """The sums of the diagonals.

    Parameters
    ----------
    x : array-like
        Matrices in the last two axes.
    offset : int
        Which diagonal; positive ones are above the main one.
    dtype : dtype, optional
        Accumulate and give in this one.
    """
    return products.trace(x, offset, -2, -1, dtype)


def outer(x1: Any, x2: Any, /) -> Any:
    """All products of elements of two vectors.

    Parameters
    ----------
    x1, x2 : array-like
        With one axis.
    """
    x, y = as_arrays("outer", x1, x2)
    if x.ndim != 1 or y.ndim != 1:
        raise ShapeError(
            f"outer: takes vectors, got {x.aval!r} and {y.aval!r}. `fnx.numpy.outer` flattens."
        )
    return products.outer(x, y)


def tensordot(
    x1: Any,
    x2: Any,
    /,
    *,
    axes: Any = 2,
    precision: Any = None,
    preferred_element_type: Any = None,
) -> Any:
    """The product over several axes.

    Parameters
    ----------
    x1, x2 : array-like
        The factors.
    axes : int or pair of sequences of int
        How many (last of x1 with first of x2), or which.
    precision, preferred_element_type
        As for `fnx.numpy.dot`.
    """
    return products.tensordot(
        x1, x2, axes, precision=precision, preferred_element_type=preferred_element_type
    )


def multi_dot(arrays: Sequence[Any], *, precision: Any = None) -> Any:
    """The product of several matrices, in the order that costs least.

    Parameters
    ----------
    arrays : sequence of array-like
        Matrices; the first and the last may be vectors.
    precision : ignored or Precision
        Passed to `lax.dot_general`.

    Examples
    --------
    >>> import fnx.numpy as jnp
    >>> jnp.linalg.multi_dot([jnp.ones((2, 3)), jnp.ones((3, 4)), jnp.ones(4)])
    Array([12., 12.], dtype=float32)
    """
    xs = as_arrays("multi_dot", *arrays)
    if len(xs) < 2:
        raise ArgumentValueError(f"multi_dot: takes at least two arrays, got {len(xs)}.")
    shapes = ", ".join(repr(x.aval) for x in xs)
    ends = [xs[0].ndim, xs[-1].ndim]
    if any(n not in (1, 2) for n in ends) or any(x.ndim != 2 for x in xs[1:-1]):
        raise ShapeError(
            f"multi_dot: takes matrices, and vectors as the first and the last one, got {shapes}."
        )
    if any(x.shape[-1] != y.shape[0] for x, y in itertools.pairwise(xs)):
        raise ShapeError(
            f"multi_dot: the last size of each must be the first one of the next, got {shapes}."
        )
    letters = string.ascii_letters
    if len(xs) >= len(letters):  # more than einsum has names for
        split = len(letters) // 2
        left = multi_dot(xs[:split], precision=precision)
        return multi_dot([left, *xs[split:]], precision=precision)
    terms = [letters[k : k + 2] for k in range(len(xs))]
    terms[0] = terms[0][1:] if ends[0] == 1 else terms[0]
    terms[-1] = terms[-1][:1] if ends[1] == 1 else terms[-1]
    first = letters[0] if ends[0] == 2 else ""
    last = letters[len(xs)] if ends[1] == 2 else ""
    return products.einsum(f"{','.join(terms)}->{first}{last}", *xs, precision=precision)


def matrix_power(a: Any, n: int) -> Any:
    """Integer powers of square matrices, by repeated squaring.

    Parameters
    ----------
    a : array-like
        Square matrices in the last two axes; of a negative power, the inverse is taken.
    n : int
        The power.

    Examples
    --------
    >>> import fnx.numpy as jnp
    >>> jnp.linalg.matrix_power(jnp.array([[1, 1], [0, 1]]), 5)
    Array([[1, 5],
           [0, 1]], dtype=int32)
    """
    (x,) = as_arrays("matrix_power", a)
    if x.ndim < 2 or x.shape[-1] != x.shape[-2]:
        raise ShapeError(
            f"matrix_power: takes square matrices in the last two axes, got {x.aval!r}."
        )
    try:
        n = operator.index(n)
    except TypeError:
        raise ArgumentTypeError(
            f"matrix_power: the exponent must be an integer, got {n!r}."
        ) from None
    if n == 0:
        return broadcast_to(eye(x.shape[-1], dtype=x.dtype), x.shape)
    square, result = (inv(x) if n < 0 else x), None
    n = abs(n)
    while True:
        if n & 1:
            result = square if result is None else matmul(result, square)
        n >>= 1
        if not n:
            return result
        square = matmul(square, square)
