"""Functions of matrices, and the Sylvester equation (`jax.scipy.linalg`), over batch axes.

References
----------
N. Higham, "The scaling and squaring method for the matrix exponential revisited", 2005.
N. Higham, "Functions of matrices: theory and computation", 2008.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from fnx.control.loops import cond, scan
from fnx.errors import ArgumentValueError, ShapeError
from fnx.numpy import elementwise, ufuncs
from fnx.numpy.creation import arange
from fnx.numpy.joining import concatenate
from fnx.numpy.linalg import systems
from fnx.numpy.number_parts import ldexp
from fnx.numpy.promotion import broadcast_shapes, broadcast_to, cast, promote_inexact
from fnx.numpy.reductions import any as any_
from fnx.numpy.reductions import max as max_
from fnx.numpy.reductions import sum as sum_
from fnx.primitives import matrices, sylvester
from fnx.primitives.cast import stop_gradient
from fnx.scipy.linalg.systems import solve_triangular
from fnx.transforms.grad import jvp

__all__ = ["expm", "expm_frechet", "solve_sylvester", "sqrtm"]

#: By the number of digits: the degree of the Pade approximant, and the norm up to which it is
#: exact to rounding (Higham 2005, table 2.3).
_PADE = {4: (7, 3.925724783138660), 8: (13, 5.371920351148152)}


def expm(A: Any, *, upper_triangular: bool = False, max_squarings: int = 16) -> Any:
    """The exponential of matrices.

    Parameters
    ----------
    A : array-like
        Square matrices in the last two axes.
    upper_triangular : bool
        Whether they are, which makes the system easy.
    max_squarings : int
        A matrix so large that its approximation had to be squared more often gives NaN.

    Examples
    --------
    >>> import fnx.numpy as jnp
    >>> from fnx.scipy import linalg
    >>> linalg.expm(jnp.array([[0.0, 1.0], [0.0, 0.0]]))
    Array([[1., 1.],
           [0., 1.]], dtype=float32)
    """
    (x,) = promote_inexact("expm", A)
    matrices.check_matrices("expm", x.aval, square=True)
    if x.size == 0:
        return x
    parts = matrices.real_type(x.dtype)
    degree, limit = _PADE[parts.itemsize]
    norm = max_(sum_(elementwise.abs(stop_gradient(x)), -2), -1)
    squarings = ufuncs.ceil(elementwise.log2(norm / limit))
    squarings = ufuncs.where(norm > limit, squarings, 0)[..., None, None]
    # exp(A) = exp(A / 2^s)^(2^s)
    most = float(max_squarings)
    shrink = ldexp(
        np.ones((), parts), cast(-ufuncs.where(squarings <= most, squarings, 0), np.int32)
    )
    p, q = _pade(x * cast(shrink, x.dtype), degree)
    out = solve_triangular(q, p) if upper_triangular else systems.solve(q, p)

    def step(out: Any, k: Any) -> tuple[Any, None]:
        wanted = squarings > k
        squared = cond(any_(wanted), lambda r: matrices.matmul(r, r), lambda r: r, out)
        return ufuncs.where(wanted, squared, out), None

    if max_squarings:
        out, _ = scan(step, out, arange(max_squarings, dtype=parts))
    return ufuncs.where(squarings > most, np.nan, out)


def _pade(x: Any, degree: int) -> tuple[Any, Any]:
    """Numerator and denominator: the even terms with the odd ones added, and subtracted."""
    f = math.factorial
    c = [
        f(2 * degree - j) * f(degree) // (f(j) * f(degree - j)) / f(2 * degree)
        for j in range(degree + 1)
    ]
    square = matrices.matmul(x, x)
    fourth = matrices.matmul(square, square)
    powers = [matrices.eye_like(x), square, fourth, matrices.matmul(fourth, square)]

    def terms(c: list[float]) -> Any:
        low = sum(f * p for f, p in zip(c[:4], powers, strict=True))
        high = [f * p for f, p in zip(c[4:], powers[1:], strict=False)]
        return low + matrices.matmul(powers[3], sum(high)) if high else low

    even, odd = terms(c[0::2]), matrices.matmul(x, terms(c[1::2]))
    return even + odd, even - odd


def expm_frechet(A: Any, E: Any, *, method: str | None = None, compute_expm: bool = True) -> Any:
    """The exponential of a matrix and its derivative in a direction.

    Parameters
    ----------
    A : array-like
        Square matrices in the last two axes.
    E : array-like
        The directions, of the same shape.
    method : {"SPS", "blockEnlarge"}, optional
        Differentiate the algorithm of `expm` (the default), or take the exponential of
        ``[[A, E], [0, A]]``, whose upper right block the derivative is.
    compute_expm : bool
        Whether to give the exponential as well.

    Examples
    --------
    >>> import fnx.numpy as jnp
    >>> from fnx.scipy import linalg
    >>> linalg.expm_frechet(jnp.zeros((1, 1)), jnp.ones((1, 1)), compute_expm=False)
    Array([[1.]], dtype=float32)
    """
    x, change = promote_inexact("expm_frechet", A, E)
    matrices.check_matrices("expm_frechet", x.aval, square=True)
    if x.shape != change.shape:
        raise ShapeError(
            f"expm_frechet: A and E must have one shape, got A {x.aval!r} and E {change.aval!r}."
        )
    if method in (None, "SPS"):
        value, derivative = jvp(expm, (x,), (change,))
    elif method == "blockEnlarge":
        n = x.shape[-1]
        rows = [concatenate([x, change], axis=-1), concatenate([x * 0, x], axis=-1)]
        whole = expm(concatenate(rows, axis=-2))
        value, derivative = whole[..., :n, :n], whole[..., :n, n:]
    else:
        raise ArgumentValueError(
            f"expm_frechet: method must be None, 'SPS' or 'blockEnlarge', got {method!r}."
        )
    return (value, derivative) if compute_expm else derivative


def sqrtm(A: Any, blocksize: int = 1) -> Any:
    """The principal square root of matrices, complex.

    Parameters
    ----------
    A : array-like
        Square matrices in the last two axes.
    blocksize : int
        1: SciPy's choice of how the triangular factor is walked through.

    Notes
    -----
    The derivative exists, to any order, where no two eigenvalues of the root add to zero.

    Examples
    --------
    >>> import fnx.numpy as jnp
    >>> from fnx.scipy import linalg
    >>> linalg.sqrtm(jnp.array([[4.0, 0.0], [0.0, 9.0]])).real
    Array([[2., 0.],
           [0., 3.]], dtype=float32)
    """
    if blocksize != 1:
        raise ArgumentValueError(f"sqrtm: blocksize must be 1, got {blocksize!r}.")
    (x,) = promote_inexact("sqrtm", A)
    return sylvester.sqrtm(x)


def solve_sylvester(A: Any, B: Any, C: Any, *, method: str = "schur", tol: float = 1e-8) -> Any:
    """The solution X of ``A X + X B = C``.

    Parameters
    ----------
    A, B : array-like
        Square matrices in the last two axes, m x m and n x n.
    C : array-like
        Matrices m x n; batch axes are broadcast.
    method : {"schur", "eigen"}
        JAX's choice of an algorithm; it is Bartels and Stewart's always, made of Schur forms.
    tol : float
        For JAX's ``"eigen"``, which refuses small denominators; ignored.

    Examples
    --------
    >>> import fnx.numpy as jnp
    >>> from fnx.scipy import linalg
    >>> linalg.solve_sylvester(jnp.eye(2), jnp.array([[1.0]]), jnp.array([[2.0], [4.0]]))
    Array([[1.],
           [2.]], dtype=float32)
    """
    del tol
    if method not in ("schur", "eigen"):
        raise ArgumentValueError(
            f"solve_sylvester: method must be 'schur' or 'eigen', got {method!r}."
        )
    xs = promote_inexact("solve_sylvester", A, B, C)
    for x in xs:
        matrices.check_matrices("solve_sylvester", x.aval)
    batch = broadcast_shapes(*[x.shape[:-2] for x in xs])
    return sylvester.solve_sylvester(*[broadcast_to(x, (*batch, *x.shape[-2:])) for x in xs])
