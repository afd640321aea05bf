"""Factors of matrices, and the systems that they solve (`jax.scipy.linalg`), over batch axes.

SciPy's ``overwrite_*`` are permissions that immutable arrays never use, and ``check_finite`` would
look at values, which traced ones don't have: NaN and infinities go through, whatever they say.
Read next: `decompositions`.
"""

from __future__ import annotations

from typing import Any

from fnx.errors import ArgumentTypeError, ArgumentValueError, ShapeError
from fnx.numpy.linalg import systems
from fnx.numpy.promotion import as_arrays, broadcast_shapes, broadcast_to, promote_inexact
from fnx.primitives import factorizations, matrices, triangular

__all__ = [
    "cho_factor",
    "cho_solve",
    "cholesky",
    "det",
    "inv",
    "lu",
    "lu_factor",
    "lu_solve",
    "solve",
    "solve_triangular",
]


def _right_hand_side(name: str, a: Any, b: Any) -> tuple[Any, Any, bool]:
    """A square stack and its right hand sides with the same batch axes; whether `b` is a vector."""
    matrices.check_matrices(name, a.aval, square=True)
    vector = b.ndim == 1
    columns = b[:, None] if vector else b
    if columns.ndim < 2 or columns.shape[-2] != a.shape[-1]:
        raise ShapeError(
            f"{name}: b must be a vector, or matrices with as many rows as a has columns, got a "
            f"{a.aval!r} and b {b.aval!r}."
        )
    batch = broadcast_shapes(a.shape[:-2], columns.shape[:-2])
    a = broadcast_to(a, (*batch, *a.shape[-2:]))
    return a, broadcast_to(columns, (*batch, *columns.shape[-2:])), vector


def _transposition(name: str, trans: Any) -> int:
    modes = {0: 0, 1: 1, 2: 2, "N": 0, "T": 1, "C": 2}
    if not isinstance(trans, int | str) or trans not in modes:
        raise ArgumentValueError(
            f"{name}: trans must be 0 ('N'), 1 ('T') or 2 ('C'), got {trans!r}."
        )
    return modes[trans]


# ----------------------------------------------------------------------------------------- Cholesky


def cholesky(
    a: Any, lower: bool = False, overwrite_a: bool = False, check_finite: bool = True
) -> Any:
    """The triangular factor of Hermitian positive definite matrices.

    Parameters
    ----------
    a : array-like
        Matrices in the last two axes; those that aren't positive definite give NaN.
    lower : bool
        Give the lower triangle L of ``L L^H = a`` instead of U of ``U^H U = a``; the other one of
        `a` isn't read.
    overwrite_a, check_finite : bool
        See the module.

    Examples
    --------
    >>> import fnx.numpy as jnp
    >>> from fnx.scipy import linalg
    >>> linalg.cholesky(jnp.array([[4.0, 2.0], [2.0, 5.0]]))
    Array([[2., 1.],
           [0., 2.]], dtype=float32)
    """
    del overwrite_a, check_finite
    (x,) = promote_inexact("cholesky", a)
    matrices.check_matrices("cholesky", x.aval, square=True)
    factor = triangular.cholesky_p(x if lower else matrices.adjoint(x))
    return factor if lower else matrices.adjoint(factor)


def cho_factor(
    a: Any, lower: bool = False, overwrite_a: bool = False, check_finite: bool = True
) -> tuple[Any, bool]:
    """What `cho_solve` needs: `cholesky`, and which triangle it is.

    Parameters
    ----------
    a, lower, overwrite_a, check_finite
        As for `cholesky`.

    Examples
    --------
    >>> import fnx.numpy as jnp
    >>> from fnx.scipy import linalg
    >>> factor = linalg.cho_factor(jnp.array([[4.0, 2.0], [2.0, 5.0]]))
    >>> linalg.cho_solve(factor, jnp.array([4.0, 2.0]))
    Array([1., 0.], dtype=float32)
    """
    return cholesky(a, lower, overwrite_a, check_finite), lower


def cho_solve(
    c_and_lower: tuple[Any, bool], b: Any, overwrite_b: bool = False, check_finite: bool = True
) -> Any:
    """The solution x of ``a x = b``, given what `cho_factor` gives for a.

    Parameters
    ----------
    c_and_lower : (array-like, bool)
        The factor.
    b : array-like
        A vector, or matrices in the last two axes; batch axes are broadcast.
    overwrite_b, check_finite : bool
        See the module.
    """
    del overwrite_b, check_finite
    c, lower = c_and_lower
    factor, b, vector = _right_hand_side("cho_solve", *promote_inexact("cho_solve", c, b))
    out = _cholesky_solve(factor, b, lower)
    return out[..., 0] if vector else out


def _cholesky_solve(factor: Any, b: Any, lower: bool) -> Any:
    for adjoint in (not lower, lower):
        b = triangular.triangular_solve(
            factor, b, left_side=True, lower=lower, transpose_a=adjoint, conjugate_a=adjoint
        )
    return b


# ----------------------------------------------------------------------------------------------- LU


def lu(
    a: Any, permute_l: bool = False, overwrite_a: bool = False, check_finite: bool = True
) -> Any:
    """The decomposition ``a = P L U`` with partial pivoting.

    Parameters
    ----------
    a : array-like
        Matrices in the last two axes, m x n.
    permute_l : bool
        Give ``P L`` and U alone.
    overwrite_a, check_finite : bool
        See the module.

    Returns
    -------
    p, l, u : Array
        The permutation (m x m), a unit lower triangle (m x k) and an upper one (k x n), where k is
        the smaller extent.

    Examples
    --------
    >>> import fnx.numpy as jnp
    >>> from fnx.scipy import linalg
    >>> p, l, u = linalg.lu(jnp.array([[1.0, 2.0], [4.0, 4.0]]))
    >>> l
    Array([[1.  , 0.  ],
           [0.25, 1.  ]], dtype=float32)
    """
    del overwrite_a, check_finite
    (x,) = promote_inexact("lu", a)
    packed, _, permutation = factorizations.lu(x)
    m, n = x.shape[-2:]
    k = min(m, n)
    unit = matrices.eye_like(packed, m)
    left = matrices.lower_triangle(packed, 1)[..., :k] + unit[..., :k]
    upper = matrices.upper_triangle(packed)[..., :k, :]
    # Row permutation[i] of P is row i of the identity.
    p = matrices.swapped(matrices.permuted(unit, permutation, -2))
    return (p @ left, upper) if permute_l else (p, left, upper)


def lu_factor(a: Any, overwrite_a: bool = False, check_finite: bool = True) -> tuple[Any, Any]:
    """What `lu_solve` needs: both triangles in one array, and the exchanges of rows.

    Parameters
    ----------
    a : array-like
        Matrices in the last two axes.
    overwrite_a, check_finite : bool
        See the module.

    Returns
    -------
    lu, piv : Array
        U in the upper triangle, L without its ones below it; row k was exchanged with ``piv[k]``.

    Examples
    --------
    >>> import fnx.numpy as jnp
    >>> from fnx.scipy import linalg
    >>> factor = linalg.lu_factor(jnp.array([[1.0, 2.0], [4.0, 4.0]]))
    >>> linalg.lu_solve(factor, jnp.array([3.0, 8.0]))
    Array([1., 1.], dtype=float32)
    """
    del overwrite_a, check_finite
    (x,) = promote_inexact("lu_factor", a)
    packed, pivots, _ = factorizations.lu(x)
    return packed, pivots


def lu_solve(
    lu_and_piv: tuple[Any, Any],
    b: Any,
    trans: int | str = 0,
    overwrite_b: bool = False,
    check_finite: bool = True,
) -> Any:
    """The solution of a system, given what `lu_factor` gives for its matrix.

    Parameters
    ----------
    lu_and_piv : (array-like, array-like)
        The decomposition of a.
    b : array-like
        A vector, or matrices in the last two axes; batch axes are broadcast.
    trans : {0, 1, 2}
        Solve with a, its transpose, or its conjugate transpose.
    overwrite_b, check_finite : bool
        See the module.
    """
    del overwrite_b, check_finite
    packed, b = promote_inexact("lu_solve", lu_and_piv[0], b)
    (pivots,) = as_arrays("lu_solve", lu_and_piv[1])
    trans = _transposition("lu_solve", trans)
    packed, b, vector = _right_hand_side("lu_solve", packed, b)
    n = packed.shape[-1]
    if pivots.dtype.kind not in "iu" or pivots.shape[-1:] != (n,):
        raise ArgumentTypeError(
            f"lu_solve: piv must be {n} integers for each matrix {packed.aval!r}, got "
            f"{pivots.aval!r}."
        )
    permutation = factorizations.lu_pivots_to_permutation(pivots, n)
    permutation = broadcast_to(permutation, (*packed.shape[:-2], n))
    out = factorizations.lu_solve(packed, permutation, b, trans)
    return out[..., 0] if vector else out


# ------------------------------------------------------------------------------------------ systems


def solve(
    a: Any,
    b: Any,
    lower: bool = False,
    overwrite_a: bool = False,
    overwrite_b: bool = False,
    debug: bool = False,
    check_finite: bool = True,
    assume_a: str = "gen",
) -> Any:
    """The solution x of ``a x = b``.

    Parameters
    ----------
    a : array-like
        Square matrices in the last two axes.
    b : array-like
        A vector, or matrices in the last two axes; batch axes are broadcast.
    lower : bool
        Which triangle is read unless `assume_a` is ``"gen"``.
    overwrite_a, overwrite_b, debug, check_finite : bool
        See the module; `debug` is what SciPy had once.
    assume_a : {"gen", "sym", "her", "pos"}
        What is known: nothing, symmetric, Hermitian, or Hermitian positive definite (which is
        solved by `cholesky`).

    Examples
    --------
    >>> import fnx.numpy as jnp
    >>> from fnx.scipy import linalg
    >>> linalg.solve(jnp.array([[4.0, 2.0], [2.0, 5.0]]), jnp.array([4.0, 2.0]), assume_a="pos")
    Array([1., 0.], dtype=float32)
    """
    del overwrite_a, overwrite_b, debug, check_finite
    if assume_a not in ("gen", "sym", "her", "pos"):
        raise ArgumentValueError(
            f"solve: assume_a must be 'gen', 'sym', 'her' or 'pos', got {assume_a!r}."
        )
    x, y = promote_inexact("solve", a, b)
    x, y, vector = _right_hand_side("solve", x, y)
    if assume_a == "pos":
        out = _cholesky_solve(cholesky(x, lower), y, lower)
    else:
        if assume_a == "sym":
            half = matrices.lower_triangle if lower else matrices.upper_triangle
            x = half(x) + matrices.swapped(half(x, 1))
        elif assume_a == "her":
            x = matrices.from_triangle(x, lower)
        out = systems.solve(x, y)
    return out[..., 0] if vector else out


def solve_triangular(
    a: Any,
    b: Any,
    trans: int | str = 0,
    lower: bool = False,
    unit_diagonal: bool = False,
    overwrite_b: bool = False,
    debug: Any = None,
    check_finite: bool = True,
) -> Any:
    """The solution x of ``op(a) x = b``, where a is triangular.

    Parameters
    ----------
    a : array-like
        Square matrices in the last two axes; the other triangle isn't read.
    b : array-like
        A vector, or matrices in the last two axes; batch axes are broadcast.
    trans : {0, 1, 2}
        Solve with a, its transpose, or its conjugate transpose; also ``"N"``, ``"T"``, ``"C"``.
    lower : bool
        Which triangle.
    unit_diagonal : bool
        Take the diagonal for ones.
    overwrite_b, debug, check_finite
        See the module; `debug` is what SciPy had once.

    Examples
    --------
    >>> import fnx.numpy as jnp
    >>> from fnx.scipy import linalg
    >>> a = jnp.array([[2.0, 0.0], [1.0, 4.0]])
    >>> linalg.solve_triangular(a, jnp.array([2.0, 9.0]), lower=True)
    Array([1., 2.], dtype=float32)
    """
    del overwrite_b, debug, check_finite
    x, y = promote_inexact("solve_triangular", a, b)
    trans = _transposition("solve_triangular", trans)
    x, y, vector = _right_hand_side("solve_triangular", x, y)
    out = triangular.triangular_solve(
        x,
        y,
        left_side=True,
        lower=lower,
        transpose_a=trans > 0,
        conjugate_a=trans == 2,
        unit_diagonal=unit_diagonal,
    )
    return out[..., 0] if vector else out


def det(a: Any, overwrite_a: bool = False, check_finite: bool = True) -> Any:
    """The determinant: `fnx.numpy.linalg.det`.

    Parameters
    ----------
    a : array-like
        Square matrices in the last two axes.
    overwrite_a, check_finite : bool
        See the module.

    Examples
    --------
    >>> import fnx.numpy as jnp
    >>> from fnx.scipy import linalg
    >>> linalg.det(jnp.array([[1.0, 2.0], [3.0, 4.0]]))
    Array(-2., dtype=float32)
    """
    del overwrite_a, check_finite
    return systems.det(a)


def inv(a: Any, overwrite_a: bool = False, check_finite: bool = True) -> Any:
    """The inverse: `fnx.numpy.linalg.inv`.

    Parameters
    ----------
    a : array-like
        Square matrices in the last two axes.
    overwrite_a, check_finite : bool
        See the module.

    Examples
    --------
    >>> import fnx.numpy as jnp
    >>> from fnx.scipy import linalg
    >>> linalg.inv(jnp.array([[2.0, 0.0], [0.0, 4.0]]))
    Array([[0.5 , 0.  ],
           [0.  , 0.25]], dtype=float32)
    """
    del overwrite_a, check_finite
    return systems.inv(a)
