"""The functions of `fnx.scipy.special` with their references: one row each.

A row has a function of real arrays, the same in mpmath, points inside the domain, and which
arguments it is differentiated in. Read next: tests/fnx/scipy/special/test_special.py.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import mpmath
from mpmath import mp

import fnx.numpy as jnp
from fnx.scipy import special

__all__ = ["CASES", "Case"]


@dataclass(frozen=True)
class Case:
    """One function.

    Parameters
    ----------
    name : str
        The public name, perhaps with a mark.
    function, reference : callable
        Of arrays, and of mpmath's numbers.
    points : tuple
        Arguments.
    """

    name: str
    function: Callable[..., Any]
    reference: Callable[..., Any]
    points: tuple[tuple[float, ...], ...]


def _owens_t(h: Any, a: Any) -> Any:
    def density(t: Any) -> Any:
        return mpmath.exp(-h * h * (1 + t * t) / 2) / (1 + t * t) / (2 * mp.pi)

    # twenty Gauss-Legendre nodes have thirty digits here, and quad would look for more
    return mpmath.quad(density, [0, a], method="gauss-legendre", maxdegree=4)


def _box_cox(x: Any, lmbda: Any) -> Any:
    return mpmath.log(x) if lmbda == 0 else (x**lmbda - 1) / lmbda


def _entropy(p: Any, q: Any) -> Any:
    return p * mpmath.log(p / q)


def _lower_gamma(a: Any, x: Any) -> Any:
    return mpmath.gammainc(a, 0, x, regularized=True)


def _beta_function(a: Any, b: Any, x: Any) -> Any:
    return mpmath.betainc(a, b, 0, x, regularized=True)


def _multi_gamma(a: Any) -> Any:
    terms = [mpmath.loggamma(a - mpmath.mpf(k) / 2) for k in range(3)]
    return sum(terms) + mpmath.log(mp.pi) * 3 / 2


def _dawson(x: Any) -> Any:
    return mpmath.sqrt(mp.pi) / 2 * mpmath.exp(-x * x) * mpmath.erfi(x)


def _harmonic(theta: Any, phi: Any) -> Any:
    return mpmath.spherharm(3, -2, theta, phi).real


_ONE = ((0.3,), (1.7,), (4.5,))
_BOTH = ((-1.6,), (0.0,), (0.7,))
_TWO = ((0.7, 1.9), (2.5, 0.6))

CASES = (
    Case("bessel_jn", lambda x: special.bessel_jn(x, v=3)[2], lambda x: mpmath.besselj(2, x),
         ((-1.6,), (0.3,), (7.5,))),
    Case("beta", special.beta, mpmath.beta, _TWO),
    Case("betainc", special.betainc, _beta_function, ((0.7, 1.9, 0.4), (3.0, 0.5, 0.9))),
    Case("betaln", special.betaln, lambda a, b: mpmath.log(mpmath.beta(a, b)), _TWO),
    Case("boxcox", special.boxcox, _box_cox, ((0.6, 0.5), (2.5, -1.5))),
    Case("boxcox1p", special.boxcox1p, lambda x, k: _box_cox(1 + x, k), ((-0.4, 0.5), (1.5, 2.0))),
    Case("comb", special.comb, mpmath.binomial, ((5.5, 1.25), (3.0, 2.0))),
    Case("dawsn", special.dawsn, _dawson, (*_BOTH, (8.0,))),
    Case("digamma", special.digamma, mpmath.digamma, _ONE),
    Case("entr", special.entr, lambda x: -x * mpmath.log(x), _ONE),
    Case("erf", special.erf, mpmath.erf, _BOTH),
    Case("erfc", special.erfc, mpmath.erfc, _BOTH),
    Case("erfcx", special.erfcx, lambda x: mpmath.exp(x * x) * mpmath.erfc(x), (*_BOTH, (9.0,))),
    Case("erfinv", special.erfinv, mpmath.erfinv, ((-0.9,), (0.3,))),
    Case("exp1", special.exp1, mpmath.e1, _ONE),
    Case("expi", special.expi, mpmath.ei, (*_ONE, (-0.8,))),
    Case("expit", special.expit, lambda x: 1 / (1 + mpmath.exp(-x)), _BOTH),
    Case("expn", lambda x: special.expn(2, x), lambda x: mpmath.expint(2, x), _ONE),
    Case("factorial", special.factorial, mpmath.factorial, _ONE),
    Case("fresnel[0]", lambda x: special.fresnel(x)[0], mpmath.fresnels, _BOTH),
    Case("fresnel[1]", lambda x: special.fresnel(x)[1], mpmath.fresnelc, _BOTH),
    Case("gamma", special.gamma, mpmath.gamma, (*_ONE, (-1.3,))),
    Case("gammainc", special.gammainc, _lower_gamma, (*_TWO, (30.0, 28.0))),
    Case("gammaincc", special.gammaincc, lambda a, x: 1 - _lower_gamma(a, x), _TWO),
    Case("gammaln", special.gammaln, lambda x: mpmath.log(abs(mpmath.gamma(x))), _ONE),
    Case("hyp1f1", special.hyp1f1, mpmath.hyp1f1, ((0.7, 1.9, 2.5), (1.5, 0.6, -4.0))),
    Case("hyp2f1", special.hyp2f1, mpmath.hyp2f1,
         ((1.5, 0.4, 2.6, -0.4), (0.7, 1.2, 1.9, 0.85), (0.5, 1.2, 1.9, -3.0))),
    Case("i0", special.i0, lambda x: mpmath.besseli(0, x), (*_BOTH, (9.0,))),
    Case("i0e", special.i0e, lambda x: mpmath.besseli(0, x) * mpmath.exp(-x), _ONE),
    Case("i1", special.i1, lambda x: mpmath.besseli(1, x), (*_BOTH, (9.0,))),
    Case("i1e", special.i1e, lambda x: mpmath.besseli(1, x) * mpmath.exp(-x), _ONE),
    Case("kl_div", special.kl_div, lambda p, q: _entropy(p, q) - p + q, _TWO),
    Case("log_ndtr", special.log_ndtr, lambda x: mpmath.log(mpmath.ncdf(x)), (*_BOTH, (-12.0,))),
    Case("loggamma", special.loggamma, mpmath.loggamma, _ONE),
    Case("logit", special.logit, lambda x: mpmath.log(x / (1 - x)), ((0.1,), (0.5,), (0.76,))),
    Case("multigammaln", lambda a: special.multigammaln(a, 3), _multi_gamma, ((1.7,), (4.5,))),
    Case("ndtr", special.ndtr, mpmath.ncdf, _BOTH),
    Case("ndtri", special.ndtri, lambda p: mpmath.sqrt(2) * mpmath.erfinv(2 * p - 1),
         ((0.1,), (0.7,))),
    Case("owens_t", special.owens_t, _owens_t, ((0.7, 1.2), (-0.4, 0.3))),
    Case("poch", special.poch, mpmath.rf, _TWO),
    Case("polygamma", lambda x: special.polygamma(2, x), lambda x: mpmath.polygamma(2, x), _ONE),
    Case("rel_entr", special.rel_entr, _entropy, _TWO),
    Case("sici[0]", lambda x: special.sici(x)[0], mpmath.si, _BOTH),
    Case("sici[1]", lambda x: special.sici(x)[1], mpmath.ci, _ONE),
    Case("spence", special.spence, lambda x: mpmath.polylog(2, 1 - x).real,
         ((0.3,), (1.0,), (4.5,))),
    Case("sph_harm_y", lambda t, p: jnp.real(special.sph_harm_y(3, -2, t, p)), _harmonic,
         ((0.7, 1.2), (2.1, 4.0))),
    Case("xlog1py", special.xlog1py, lambda x, y: x * mpmath.log(1 + y), _TWO),
    Case("xlogy", special.xlogy, lambda x, y: x * mpmath.log(y), _TWO),
    Case("zeta", special.zeta, mpmath.zeta, ((1.7, 0.6), (3.2, 2.5))),
)  # fmt: skip
