"""The gamma function and what is made of it.  Read next: `error_functions`."""

from __future__ import annotations

import math
import operator
from typing import Any

import numpy as np

from fnx import dtypes
from fnx.errors import ArgumentValueError, UnsupportedError
from fnx.numpy import ufuncs
from fnx.numpy.creation import asarray
from fnx.numpy.elementwise import isnan, signbit
from fnx.numpy.promotion import as_arrays
from fnx.primitives import gamma_family, hurwitz, incomplete_beta, incomplete_gamma
from fnx.primitives import special as real
from fnx.scipy.special.arguments import elementwise, real_elementwise

__all__ = [
    "bernoulli", "beta", "betainc", "betaln", "comb", "digamma", "factorial", "gamma", "gammainc",
    "gammaincc", "gammaln", "gammasgn", "loggamma", "multigammaln", "poch", "polygamma", "zeta",
]  # fmt: skip


@elementwise
def gamma(x: Any) -> Any:
    """The gamma function.

    Parameters
    ----------
    x : array-like
        Real or complex.

    Examples
    --------
    >>> gamma(5.0)
    Array(24., dtype=float32, weak_type=True)
    """
    return gamma_family.gamma(x)


@real_elementwise
def gammaln(x: Any) -> Any:
    """The logarithm of the absolute value of the gamma function.

    Parameters
    ----------
    x : array-like
        Real.
    """
    return real.lgamma(x)


@real_elementwise
def gammasgn(x: Any) -> Any:
    """The sign of the gamma function; NaN at the poles below 0.

    Parameters
    ----------
    x : array-like
        Real.

    Examples
    --------
    >>> import fnx.numpy as jnp
    >>> gammasgn(jnp.array([1.5, -0.5, -1.5]))
    Array([ 1., -1.,  1.], dtype=float32)
    """
    whole = ufuncs.floor(x)
    odd = ufuncs.not_equal(ufuncs.floor(whole * 0.5) * 2, whole)
    one = ufuncs.constant_like(x, 1)
    minus = ufuncs.where(x < 0, odd, ufuncs.logical_and(ufuncs.equal(x, 0), signbit(x)))
    pole = ufuncs.logical_or(ufuncs.logical_and(x < 0, ufuncs.equal(x, whole)), isnan(x))
    return ufuncs.where(pole, ufuncs.constant_like(x, math.nan), ufuncs.where(minus, -one, one))


@elementwise
def loggamma(x: Any) -> Any:
    """The principal branch of the logarithm of the gamma function; NaN below 0 on the real axis.

    Parameters
    ----------
    x : array-like
        Real or complex.
    """
    if x.dtype.kind == "c":
        return gamma_family.log_gamma(x)
    return ufuncs.where(x < 0, ufuncs.constant_like(x, math.nan), real.lgamma(x))


@real_elementwise
def digamma(x: Any) -> Any:
    """The derivative of the logarithm of the gamma function.

    Parameters
    ----------
    x : array-like
        Real.
    """
    return real.digamma(x)


def polygamma(n: Any, x: Any) -> Any:
    """The n-th derivative of `digamma`.

    Parameters
    ----------
    n : array-like
        Integers, not negative.
    x : array-like
        Real.

    Raises
    ------
    ValueError
        The order isn't of an integer dtype.
    """
    (order,) = as_arrays("polygamma", n)
    if order.dtype.kind not in "iu":
        raise ArgumentValueError(
            f"polygamma: the order n must be of integers, got {order.aval!r}. "
            "Convert it with `astype`."
        )
    return _polygamma(order, x)


@real_elementwise
def _polygamma(n: Any, x: Any) -> Any:
    return real.polygamma(n, x)


def zeta(x: Any, q: Any = None) -> Any:
    """The Hurwitz zeta function, ``sum over k >= 0 of (q + k)**-x``.

    Parameters
    ----------
    x : array-like
        Real, larger than 1.
    q : array-like
        Real.

    Raises
    ------
    NotImplementedError
        Without q: Riemann's zeta function would need its continuation; for x > 1 it is ``zeta(x,
        1.0)``.
    """
    if q is None:
        raise UnsupportedError("zeta: give q; Riemann's zeta function of x > 1 is zeta(x, 1.0).")
    return _zeta(x, q)


@real_elementwise
def _zeta(x: Any, q: Any) -> Any:
    return hurwitz.zeta(x, q)


def multigammaln(a: Any, d: int) -> Any:
    """The logarithm of the multivariate gamma function.

    Parameters
    ----------
    a : array-like
        Real, more than ``(d - 1) / 2``.
    d : int
        The dimension.
    """
    dimension = operator.index(d)
    constant = dimension * (dimension - 1) / 4 * math.log(math.pi)
    terms = [gammaln(a - k / 2 if k else a) for k in range(dimension)]
    return sum(terms[1:], terms[0]) + constant


@real_elementwise
def gammainc(a: Any, x: Any) -> Any:
    """The regularised lower incomplete gamma function.

    Differentiable in both arguments, to any order.

    Parameters
    ----------
    a, x : array-like
        Real, not negative.

    Examples
    --------
    >>> gammainc(1.0, 2.0)
    Array(0.8646647, dtype=float32, weak_type=True)
    """
    return incomplete_gamma.igamma(a, x)


@real_elementwise
def gammaincc(a: Any, x: Any) -> Any:
    """The regularised upper incomplete gamma function, ``1 - gammainc(a, x)``.

    Parameters
    ----------
    a, x : array-like
        Real, not negative.
    """
    return incomplete_gamma.igammac(a, x)


@real_elementwise
def beta(a: Any, b: Any) -> Any:
    """The beta function, ``gamma(a) gamma(b) / gamma(a + b)``.

    Parameters
    ----------
    a, b : array-like
        Real.
    """
    return gamma_family.beta(a, b)


@real_elementwise
def betaln(a: Any, b: Any) -> Any:
    """The logarithm of the absolute value of the beta function.

    Parameters
    ----------
    a, b : array-like
        Real.
    """
    return incomplete_beta.betaln(a, b)


@real_elementwise
def betainc(a: Any, b: Any, x: Any) -> Any:
    """The regularised incomplete beta function.

    Differentiable in all arguments, to any order.

    Parameters
    ----------
    a, b : array-like
        Real, positive.
    x : array-like
        From 0 to 1.

    Examples
    --------
    >>> betainc(1.0, 1.0, 0.25)
    Array(0.25, dtype=float32, weak_type=True)
    """
    return incomplete_beta.betainc(a, b, x)


@real_elementwise
def poch(z: Any, m: Any) -> Any:
    """Pochhammer's symbol, the rising factorial ``gamma(z + m) / gamma(z)``.

    Parameters
    ----------
    z, m : array-like
        Real.
    """
    return gamma_family.poch(z, m)


def factorial(n: Any, exact: bool = False) -> Any:
    """``gamma(n + 1)``, and 0 of negative numbers.

    Parameters
    ----------
    n : array-like
        Real.
    exact : bool
        Must be False: arrays hold no integers of any size.

    Raises
    ------
    NotImplementedError
        An exact result is asked for.

    Examples
    --------
    >>> factorial(5)
    Array(120., dtype=float32, weak_type=True)
    """
    if exact:
        raise UnsupportedError(
            "factorial: exact=True needs integers of any size. Use math.factorial."
        )
    return _factorial(n)


@real_elementwise
def _factorial(n: Any) -> Any:
    zero = ufuncs.constant_like(n, 0)
    value = gamma_family.gamma(ufuncs.where(n < 0, zero, n) + 1)
    return ufuncs.where(n < 0, zero, value)


def comb(N: Any, k: Any, *, repetition: bool = False) -> Any:
    """How many ways there are to choose k of N things.

    Parameters
    ----------
    N, k : array-like
        Real; where k is negative or more than N there is none.
    repetition : bool
        Whether a thing can be chosen more than once.

    Examples
    --------
    >>> comb(5, 2)
    Array(10., dtype=float32, weak_type=True)
    """
    return (_ways_with_repetition if repetition else _ways)(N, k)


@real_elementwise
def _ways(N: Any, k: Any) -> Any:
    some = ufuncs.logical_and(k <= N, ufuncs.logical_and(N >= 0, k >= 0))
    zero = ufuncs.constant_like(N, 0)
    value = gamma_family.binom(ufuncs.where(some, N, zero), ufuncs.where(some, k, zero))
    return ufuncs.where(some, value, zero)


@real_elementwise
def _ways_with_repetition(N: Any, k: Any) -> Any:
    nothing = ufuncs.logical_and(ufuncs.equal(k, 0), N >= 0)
    return ufuncs.where(nothing, ufuncs.constant_like(N, 1), _ways(N + k - 1, k))


def bernoulli(n: int) -> Any:
    """The Bernoulli numbers from B_0 to B_n, of which ``B_1 = -1/2``.

    Parameters
    ----------
    n : int
        The last index.

    Raises
    ------
    ValueError
        It is negative.

    Examples
    --------
    >>> bernoulli(2)
    Array([ 1.        , -0.5       ,  0.16666667], dtype=float32)
    """
    last = operator.index(n)
    if last < 0:
        raise ArgumentValueError(f"bernoulli: n must be a non-negative integer, got {last}.")
    numbers = np.zeros(last + 1)
    numbers[:2] = (1.0, -0.5)[: last + 1]
    count = last // 2
    even = _even_bernoulli(min(count, FINITE))
    numbers[2 : 2 * len(even) + 1 : 2] = even
    numbers[2 * len(even) + 2 :: 2] = [
        -math.inf if k % 2 == 0 else math.inf for k in range(len(even) + 1, count + 1)
    ]
    with np.errstate(over="ignore"):
        return asarray(numbers.astype(dtypes.default_dtype("f")))


#: B_2k is a number of double precision for k up to this.
FINITE = 129


def _even_bernoulli(count: int) -> list[float]:
    """B_2, B_4, ... from the tangent numbers, which are integers.

    R. Brent and D. Harvey, *Fast computation of Bernoulli, tangent and secant numbers*, 2013.
    """
    tangents = [math.factorial(k) for k in range(count)]
    for k in range(1, count):
        for j in range(k, count):
            tangents[j] = (j - k) * tangents[j - 1] + (j - k + 2) * tangents[j]
    return [
        (-1) ** (k - 1) * (2 * k * tangent / (4**k * (4**k - 1)))
        for k, tangent in enumerate(tangents, 1)
    ]
