"""Jacobians and Hessians with few entries, from few products.

Columns of a Jacobian that have no row in common can be computed by one jvp, with a tangent that has
ones in all of them; rows without a common column by one vjp.  Colours say which go together: a
column gets the smallest colour that none of its neighbours has.  So a banded Jacobian of any size
takes as many jvps as its band is wide.

References
----------
Curtis, Powell, Reid, "On the Estimation of Sparse Jacobian Matrices" (1974); Gebremedhin, Manne,
Pothen, "What Color Is Your Jacobian?" (2005), for colourings at distance 2.  The peers are
``sparsejac`` for JAX and ``SparseDiffTools`` for Julia.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from fnx.core.conversion import as_value
from fnx.dtypes import kind_of
from fnx.errors import ArgumentTypeError, ArgumentValueError
from fnx.experimental.sparsity import flat_pattern
from fnx.numpy.creation import zeros
from fnx.primitives.shaping import reshape
from fnx.transforms.grad import grad, jvp, vjp
from fnx.transforms.trees import check_callable, function_name
from fnx.transforms.vmap import vmap
from fnx.tree_util import register_dataclass

__all__ = [
    "SparseMatrix",
    "color_columns",
    "hessian_sparsity",
    "jacobian_sparsity",
    "sparse_hessian",
    "sparse_jacobian",
]


@register_dataclass
@dataclass(frozen=True, slots=True, eq=False)
class SparseMatrix:
    """A matrix with few entries: values, and where they stand.

    A pytree, so it passes through `jit` and `vmap`; `data` and `indices` are as in JAX's ``BCOO``.

    Parameters
    ----------
    data : (n,) Array
        The entries, row by row.
    indices : (n, 2) Array
        Row and column of each.
    shape : tuple of int
        Rows and columns.
    """

    data: Any
    indices: Any
    shape: tuple[int, int] = field(metadata={"static": True})

    @property
    def nse(self) -> int:
        """Number of entries that are stored."""
        return int(self.data.shape[0])

    def todense(self) -> Any:
        """The whole matrix, as an array."""
        whole = zeros(self.shape, self.data.dtype)
        return whole.at[self.indices[:, 0], self.indices[:, 1]].set(self.data)

    def toscipy(self) -> Any:
        """The matrix as a ``scipy.sparse.csr_matrix``; outside of traces only."""
        from scipy import sparse

        rows, columns = np.asarray(self.indices).T
        return sparse.csr_matrix((np.asarray(self.data), (rows, columns)), self.shape)


def jacobian_sparsity(f: Callable[..., Any], x: Any, *args: Any) -> Any:
    """Where the Jacobian of a function may have entries that aren't zero.

    The pattern holds at every `x` of this type.  It may be too full: where it can't be told what an
    operation reads (a factorization, say, or an index that depends on `x`), every result depends on
    all.

    Parameters
    ----------
    f : callable
        Gives an array, of an array and more.
    x : array of real floats
        What it is differentiated by; any shape, only the type matters.
    *args : pytrees
        More arguments. Integers among them that choose places are part of the pattern.

    Returns
    -------
    scipy.sparse.csr_matrix
        Of bools; a row for each element of ``f(x)``, a column for each of `x`.

    Raises
    ------
    TypeError
        `x` or the result isn't an array of real floats.

    Examples
    --------
    >>> import fnx.numpy as jnp
    >>> from fnx.experimental.sparse_jacobian import jacobian_sparsity
    >>> jacobian_sparsity(lambda x: x[1:] * x[:-1], jnp.ones(4)).toarray().astype(int)
    array([[1, 1, 0, 0],
           [0, 1, 1, 0],
           [0, 0, 1, 1]])
    """
    name = f"jacobian_sparsity of {function_name(f)}"
    check_callable("jacobian_sparsity", f)
    value = _floats(name, "x", as_value(x, name))

    def flat(y: Any) -> list[Any]:
        return [_floats(name, "the result", as_value(f(y, *args), name))]

    return flat_pattern(flat, value, name)


def hessian_sparsity(f: Callable[..., Any], x: Any, *args: Any) -> Any:
    """Where the Hessian of a scalar function may have entries that aren't zero.

    Parameters
    ----------
    f : callable
        Gives a scalar, of an array and more.
    x : array of real floats
        What it is differentiated by.
    *args : pytrees
        More arguments.

    Returns
    -------
    scipy.sparse.csr_matrix
        Of bools, symmetric.

    Examples
    --------
    >>> import fnx.numpy as jnp
    >>> from fnx.experimental.sparse_jacobian import hessian_sparsity
    >>> hessian_sparsity(lambda x: jnp.sum(x**3) + x[0] * x[2], jnp.ones(3)).toarray().astype(int)
    array([[1, 0, 1],
           [0, 1, 0],
           [1, 0, 1]])
    """
    check_callable("hessian_sparsity", f)
    found = jacobian_sparsity(grad(f), x, *args)
    return (found + found.T).tocsr()


def color_columns(sparsity: Any) -> np.ndarray[Any, Any]:
    """Colours of columns: those that have an entry in one row differ.

    Parameters
    ----------
    sparsity : sparse or dense matrix
        Whatever isn't zero counts.

    Returns
    -------
    ndarray of int
        One for each column, from 0. Colours are given greedily, from left to right, or to columns
        with many neighbours first: the better of both. Their number is at least that of entries in
        the fullest row.

    Examples
    --------
    >>> import numpy as np
    >>> from fnx.experimental.sparse_jacobian import color_columns
    >>> color_columns(np.eye(3)).tolist()
    [0, 0, 0]
    """
    from scipy import sparse

    pattern = _pattern("color_columns", sparsity)
    near = sparse.csr_matrix(pattern.T @ pattern)
    count = pattern.shape[1]
    orders = (np.arange(count), np.argsort(-np.diff(near.indptr), kind="stable"))
    return min([_greedy(near, order) for order in orders], key=lambda c: int(c.max(initial=0)))


def _greedy(near: Any, order: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """To each node of a graph, in order, the smallest colour that no neighbour has."""
    starts, neighbours = near.indptr, near.indices
    colors = np.full(len(order), -1)
    for node in order:
        taken = np.unique(colors[neighbours[starts[node] : starts[node + 1]]])
        taken = taken[taken >= 0]
        gaps = np.flatnonzero(taken != np.arange(len(taken)))
        colors[node] = gaps[0] if len(gaps) else len(taken)
    return colors


def sparse_jacobian(
    f: Callable[..., Any],
    sparsity: Any = None,
    *,
    mode: Literal["forward", "reverse"] | None = None,
) -> Callable[..., SparseMatrix]:
    """The Jacobian by its first argument, from one product for each colour.

    Parameters
    ----------
    f : callable
        Gives an array of real floats, of an array of real floats and more.
    sparsity : matrix, optional
        Where entries may be; found by `jacobian_sparsity` if not given, for each call (in a jitted
        function, for each trace).
    mode : {"forward", "reverse"}, optional
        By jvps or by vjps; by default whatever takes fewer.

    Returns
    -------
    callable
        Of the arguments of `f`; gives a `SparseMatrix` with all entries of the pattern, those that
        happen to be zero included.

    Raises
    ------
    ValueError
        The pattern's shape isn't that of the Jacobian, or there is no such mode.

    Examples
    --------
    >>> import fnx, fnx.numpy as jnp
    >>> from fnx.experimental.sparse_jacobian import sparse_jacobian
    >>> f = lambda x: x[1:] * x[:-1]
    >>> found = fnx.jit(sparse_jacobian(f))(jnp.arange(4.))
    >>> found.data
    Array([1., 0., 2., 1., 3., 2.], dtype=float32)
    >>> found.toscipy().shape
    (3, 4)
    """
    check_callable("sparse_jacobian", f)
    if mode not in (None, "forward", "reverse"):
        raise ArgumentValueError(
            f'sparse_jacobian: mode must be "forward", "reverse" or None, got {mode!r}.'
        )
    given = None if sparsity is None else _pattern("sparse_jacobian", sparsity)

    @functools.wraps(f)
    def jacobian(x: Any, *args: Any) -> SparseMatrix:
        name = f"sparse_jacobian of {function_name(f)}"
        value = _floats(name, "x", as_value(x, name))
        pattern = jacobian_sparsity(f, value, *args) if given is None else given
        return _compressed(name, lambda y: f(y, *args), value, pattern, mode)

    return jacobian


def sparse_hessian(f: Callable[..., Any], sparsity: Any = None) -> Callable[..., SparseMatrix]:
    """The Hessian of a scalar function by its first argument, from one product for each colour.

    Parameters
    ----------
    f : callable
        Gives a scalar, of an array of real floats and more.
    sparsity : matrix, optional
        Where entries may be; found by `hessian_sparsity` if not given, for each call.

    Returns
    -------
    callable
        Of the arguments of `f`; gives a `SparseMatrix`.

    Examples
    --------
    >>> import fnx.numpy as jnp
    >>> from fnx.experimental.sparse_jacobian import sparse_hessian
    >>> sparse_hessian(lambda x: jnp.sum(x**3))(jnp.arange(3.)).data
    Array([ 0.,  6., 12.], dtype=float32)
    """
    check_callable("sparse_hessian", f)
    given = None if sparsity is None else _pattern("sparse_hessian", sparsity)

    @functools.wraps(f)
    def hessian(x: Any, *args: Any) -> SparseMatrix:
        name = f"sparse_hessian of {function_name(f)}"
        value = _floats(name, "x", as_value(x, name))
        pattern = hessian_sparsity(f, value, *args) if given is None else given
        return _compressed(name, lambda y: grad(f)(y, *args), value, pattern, "forward")

    return hessian


def _compressed(
    name: str, f: Callable[[Any], Any], x: Any, pattern: Any, mode: str | None
) -> SparseMatrix:
    """The entries of a Jacobian from products with sums of basis vectors."""
    out, pull = vjp(f, x)[:2]
    shape = (out.aval.size, x.aval.size)
    if pattern.shape != shape:
        raise ArgumentValueError(
            f"{name}: the pattern is {pattern.shape}, but the Jacobian of {out.aval!r} by "
            f"{x.aval!r} is {shape}. Give one row for each element of the result."
        )

    def push(seed: Any) -> Any:
        return jvp(f, (x,), (seed,))[1]

    def pulled(seed: Any) -> Any:
        return pull(seed)[0]

    rows, columns = pattern.nonzero()
    indices = as_value(np.stack([rows, columns], 1).astype(np.int32))
    if not len(rows):
        return SparseMatrix(zeros((0,), out.dtype), indices, shape)
    ways = []
    if mode != "reverse":
        ways.append((color_columns(pattern), push, x.aval, columns, rows))
    if mode != "forward":
        ways.append((color_columns(pattern.T), pulled, out.aval, rows, columns))
    colors, product, side, own, others = min(ways, key=lambda way: int(way[0].max(initial=0)))
    count = int(colors.max(initial=0)) + 1
    seeds = np.zeros((count, len(colors)), side.dtype)
    seeds[colors, np.arange(len(colors))] = 1
    products = vmap(product)(as_value(seeds.reshape(count, *side.shape)))
    table = reshape(products, (count, products.aval.size // count))
    return SparseMatrix(table[colors[own], others], indices, shape)


def _pattern(operation: str, sparsity: Any) -> Any:
    """A pattern as boolean CSR, row by row, without entries that are zero."""
    from scipy import sparse

    if not sparse.issparse(sparsity) and np.ndim(sparsity) != 2:
        raise ArgumentTypeError(
            f"{operation}: a pattern must be a matrix, got {np.ndim(sparsity)} axes. Use "
            "`jacobian_sparsity`, or make one with scipy.sparse."
        )
    found = sparse.csr_matrix(sparsity if sparse.issparse(sparsity) else np.asarray(sparsity))
    found = found.astype(np.bool_)
    found.sum_duplicates()
    found.eliminate_zeros()
    return found


def _floats(name: str, what: str, value: Any) -> Any:
    if kind_of(value.aval.dtype) != "f":
        raise ArgumentTypeError(f"{name}: {what} must be an array of real floats: {value.aval!r}.")
    return value
