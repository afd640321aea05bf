"""Products with logarithms, entropies, logits and soft maxima."""

from __future__ import annotations

from typing import Any

from fnx.nn import functions as nn
from fnx.numpy import ufuncs
from fnx.numpy.elementwise import abs as magnitude
from fnx.numpy.elementwise import isinf, isnan
from fnx.primitives import entropy, hypergeometric
from fnx.primitives.exponential import logistic
from fnx.scipy.special.arguments import elementwise, real_elementwise

__all__ = [
    "boxcox", "boxcox1p", "entr", "expit", "kl_div", "log_softmax", "logit", "logsumexp",
    "rel_entr", "softmax", "xlog1py", "xlogy",
]  # fmt: skip

logsumexp = nn.logsumexp


@elementwise
def xlogy(x: Any, y: Any) -> Any:
    """``x * log(y)``, and 0 where x is 0.

    Parameters
    ----------
    x, y : array-like
        Real or complex.

    Examples
    --------
    >>> xlogy(0.0, 0.0)
    Array(0., dtype=float32, weak_type=True)
    """
    return entropy.xlogy(x, y)


@elementwise
def xlog1py(x: Any, y: Any) -> Any:
    """``x * log(1 + y)``, and 0 where x is 0.

    Parameters
    ----------
    x, y : array-like
        Real or complex.
    """
    return entropy.xlog1py(x, y)


@real_elementwise
def entr(x: Any) -> Any:
    """``-x * log(x)``: 0 at 0, minus infinity below.

    Parameters
    ----------
    x : array-like
        Real.
    """
    return entropy.entr(x)


@real_elementwise
def rel_entr(p: Any, q: Any) -> Any:
    """``p * log(p / q)``: 0 where p is 0, infinity where there is no value.

    Parameters
    ----------
    p, q : array-like
        Real.
    """
    return entropy.rel_entr(p, q)


@real_elementwise
def kl_div(p: Any, q: Any) -> Any:
    """The terms of the Kullback-Leibler divergence, ``rel_entr(p, q) - p + q``.

    Parameters
    ----------
    p, q : array-like
        Real.
    """
    relative = entropy.rel_entr(p, q)
    return ufuncs.where(isinf(relative), magnitude(relative), relative - p + q)


@elementwise
def expit(x: Any) -> Any:
    """The logistic function, ``1 / (1 + exp(-x))``.

    Parameters
    ----------
    x : array-like
        Real or complex.
    """
    return logistic(x)


@elementwise
def logit(x: Any) -> Any:
    """``log(x / (1 - x))``, the inverse of `expit`.

    Parameters
    ----------
    x : array-like
        From 0 to 1.
    """
    # near 1/2 the difference of logarithms cancels, and 2x - 1 is exact
    middle = ufuncs.logical_and(magnitude(x) > 0.25, magnitude(1 - x) > 0.25)
    odds = ufuncs.atanh(ufuncs.where(middle, x, ufuncs.constant_like(x, 0.5)) * 2 - 1) * 2
    return ufuncs.where(middle, odds, ufuncs.log(x) - ufuncs.log1p(-x))


def _power_of(logarithm: Any, lmbda: Any) -> Any:
    """``(exp(lmbda logarithm) - 1) / lmbda``, which 1F1(1; 2; .) continues through lmbda = 0."""
    one = ufuncs.constant_like(lmbda, 1)
    infinite = isinf(logarithm)
    finite = ufuncs.where(infinite, ufuncs.constant_like(logarithm, 0), logarithm)
    usual = finite * hypergeometric.hyp1f1(one, one * 2, lmbda * finite)
    # exp(lmbda logarithm) has gone to 0 or to infinity
    decays = ufuncs.not_equal(logarithm > 0, lmbda > 0)
    some = ufuncs.logical_and(decays, ufuncs.not_equal(lmbda, 0))
    end = ufuncs.where(some, -one / ufuncs.where(some, lmbda, one), logarithm)
    return ufuncs.where(infinite, ufuncs.where(isnan(lmbda), lmbda, end), usual)


@real_elementwise
def boxcox(x: Any, lmbda: Any) -> Any:
    """The Box-Cox transformation, ``(x**lmbda - 1) / lmbda``; ``log(x)`` where lmbda is 0.

    Parameters
    ----------
    x : array-like
        Real, not negative.
    lmbda : array-like
        Real; derivatives at 0 are the limits.
    """
    return _power_of(ufuncs.log(x), lmbda)


@real_elementwise
def boxcox1p(x: Any, lmbda: Any) -> Any:
    """``boxcox(1 + x, lmbda)``, accurate near 0.

    Parameters
    ----------
    x : array-like
        Real, not less than -1.
    lmbda : array-like
        Real; derivatives at 0 are the limits.
    """
    return _power_of(ufuncs.log1p(x), lmbda)


def softmax(x: Any, /, *, axis: Any = None) -> Any:
    """``exp(x) / sum(exp(x))``.

    Parameters
    ----------
    x : array-like
        Logits.
    axis : int, sequence of int or None
        Along which axes; all by default.
    """
    return nn.softmax(x, axis)


def log_softmax(x: Any, /, *, axis: Any = None) -> Any:
    """``log(softmax(x))``.

    Parameters
    ----------
    x : array-like
        Logits.
    axis : int, sequence of int or None
        Along which axes; all by default.
    """
    return nn.log_softmax(x, axis)
