"""Every function of `fnx.scipy.special` against mpmath and SciPy.

Values, all first and second derivatives, series to order 4, float32, compiled and mapped, from one
table (tests/support/special_cases.py); then the special numbers, and what is refused.
"""

from __future__ import annotations

import itertools
import math
from typing import Any

import mpmath
import numpy as np
import pytest
import scipy.special

import fnx
import fnx.numpy as jnp
from fnx.scipy import special
from tests.support.special_cases import CASES, Case
from tests.support.taylor_references import assert_jet, assert_values

every_case = pytest.mark.parametrize("case", CASES, ids=[c.name for c in CASES])

#: Named in other tests, or not functions of real numbers.
ELSEWHERE = {"bernoulli", "gammasgn", "log_softmax", "logsumexp", "softmax", "wofz"}


def test_every_function_has_a_row() -> None:
    rows = {case.name.partition("[")[0] for case in CASES}
    assert rows | ELSEWHERE == set(special.__all__)


@every_case
def test_values(case: Case) -> None:
    assert_values(case.function, case.reference, case.points, 2e-13)


def orders(count: int, total: int) -> list[tuple[int, ...]]:
    """Orders of the derivatives in each of `count` arguments, `total` in all."""
    return [o for o in itertools.product(range(total + 1), repeat=count) if sum(o) == total]


def derivative(case: Case, order: tuple[int, ...]) -> Any:
    """A mixed derivative, in reverse mode and then forward."""
    function: Any = case.function
    chosen = [k for k, n in enumerate(order) for _ in range(n)]
    for k, transform in zip(chosen, (fnx.grad, fnx.jacfwd), strict=False):
        function = transform(function, k)
    return function


@every_case
def test_first_and_second_derivatives(case: Case) -> None:
    for point in case.points:
        arguments = [np.float64(v) for v in point]
        for order in [*orders(len(point), 1), *orders(len(point), 2)]:
            got = derivative(case, order)(*arguments)
            with mpmath.workdps(30):
                exact = mpmath.diff(case.reference, tuple(map(mpmath.mpf, point)), order)
            assert got.dtype == np.float64
            np.testing.assert_allclose(got, float(exact), rtol=1e-10, atol=1e-13)


@every_case
def test_series(case: Case) -> None:
    order = 2 if len(case.points[0]) == 4 else 4  # of four arguments there are many derivatives
    curves = [[v, 0.02, -0.01, 0.005][: order + 1] for v in case.points[0]]
    assert_jet(case.function, case.reference, *curves, order=order, rtol=1e-10)


@every_case
def test_compiled_mapped_and_narrow(case: Case) -> None:
    columns = [jnp.array(np.array(c)) for c in zip(*case.points, strict=True)]
    slope = fnx.grad(lambda *xs: jnp.sum(case.function(*xs)))
    for function in (case.function, slope):
        wanted = function(*columns)
        np.testing.assert_allclose(fnx.jit(function)(*columns), wanted, rtol=1e-13, atol=1e-15)
        np.testing.assert_allclose(fnx.vmap(function)(*columns), wanted, rtol=1e-13, atol=1e-15)
        narrow = function(*[c.astype(np.float32) for c in columns])
        assert narrow.dtype == np.float32
        np.testing.assert_allclose(narrow, wanted, rtol=2e-5, atol=1e-6)


# ------------------------------------------------------------------------------- special numbers

LINE = np.array(
    [0, -0.0, 1, -1, 0.5, -0.5, 2.5, -2.5, 3, -2, 1e-300, 1e300, np.inf, -np.inf, np.nan]
)
PLANE = np.array([0, 1, -1, 0.5, 2.5, -2.5, 3, -2, np.inf, -np.inf, np.nan])

#: Where SciPy has NaN but there is a limit, or JAX has NaN at a pole: not compared.
DIFFERENT = {
    "digamma": lambda x: x == 0,
    "gammaln": lambda x: x == -np.inf,
    "boxcox": lambda x, k: np.isinf(k),
    "boxcox1p": lambda x, k: np.isinf(k),
    "kl_div": lambda p, q: np.isinf(p) | np.isinf(q),
    "poch": lambda z, m: np.isinf(m) | np.isnan(m),
}  # fmt: skip

UNARY = (
    "dawsn digamma entr erf erfc erfcx erfinv exp1 expi expit factorial fresnel gamma gammaln "
    "gammasgn i0 i0e i1 i1e log_ndtr loggamma logit ndtr ndtri sici spence"
).split()
BINARY = (
    "beta betaln boxcox boxcox1p comb gammainc gammaincc kl_div owens_t poch rel_entr xlog1py xlogy"
).split()


def assert_like_scipy(name: str, *arguments: np.ndarray) -> None:
    if name in DIFFERENT:
        kept = ~DIFFERENT[name](*arguments)
        arguments = tuple(a[kept] for a in arguments)
    with np.errstate(all="ignore"):
        wanted = getattr(scipy.special, name)(*arguments)
    got = getattr(special, name)(*arguments)
    for one, other in zip(
        *(r if isinstance(r, tuple) else (r,) for r in (got, wanted)), strict=True
    ):
        np.testing.assert_allclose(one, other, rtol=1e-13)


@pytest.mark.parametrize("name", UNARY)
def test_special_numbers(name: str) -> None:
    assert_like_scipy(name, LINE)


@pytest.mark.parametrize("name", BINARY)
def test_special_pairs(name: str) -> None:
    assert_like_scipy(name, *np.array(list(itertools.product(PLANE, PLANE))).T)


def test_special_triples() -> None:
    line = PLANE[[0, 1, 2, 3, 4, 8, 10]]
    assert_like_scipy("betainc", *np.array(list(itertools.product(line, repeat=3))).T)


def test_limits_where_scipy_has_none() -> None:
    inf = np.inf
    np.testing.assert_array_equal(special.boxcox(2.5, inf), inf)
    np.testing.assert_array_equal(special.kl_div(1.0, inf), inf)
    np.testing.assert_array_equal(special.hyp1f1(1.0, 0.5, np.array([inf, -inf])), [inf, 0])
    np.testing.assert_array_equal(special.poch(2.0, inf), inf)
    np.testing.assert_allclose(special.poch(np.float64(2), 1e-300), 1)


def test_derivatives_at_special_points() -> None:
    # removable singularities, and limits
    np.testing.assert_allclose(fnx.grad(special.boxcox, 1)(np.float64(2), np.float64(0)),
                               math.log(2) ** 2 / 2, rtol=1e-14)  # fmt: skip
    np.testing.assert_allclose(fnx.grad(special.i1)(np.float64(0)), 0.5)
    np.testing.assert_allclose(fnx.grad(fnx.grad(special.i0))(np.float64(0)), 0.5)
    np.testing.assert_allclose(fnx.grad(special.spence)(np.float64(1)), -1)
    np.testing.assert_allclose(fnx.grad(special.xlogy)(np.float64(0), np.float64(2)), math.log(2))
    for a, slope in ((0.5, np.inf), (1.0, 1.0), (1.5, 0.0)):
        np.testing.assert_allclose(
            fnx.grad(special.gammainc, 1)(np.float64(a), np.float64(0)), slope
        )
    for a in (0.5, 1.0):
        np.testing.assert_array_equal(
            fnx.grad(special.gammainc)(a, np.array([0.0, np.inf])[:0].sum()), 0
        )
    # in the tails nothing overflows
    np.testing.assert_allclose(fnx.grad(special.log_ndtr)(np.float64(-1e5)), 1e5, rtol=1e-9)
    np.testing.assert_allclose(fnx.grad(special.log_ndtr)(np.float64(1e5)), 0)


# ------------------------------------------------------------------------------- the others


def test_complex_functions() -> None:
    points = [0.3 + 0.4j, -1.2 + 2.0j, 2.5 - 1.0j]
    z = np.array(points)
    np.testing.assert_allclose(special.gamma(z), scipy.special.gamma(z), rtol=1e-13)
    for function, reference in (
        (special.loggamma, mpmath.loggamma),
        (special.gamma, mpmath.gamma),
        (special.wofz, lambda z: mpmath.exp(-z * z) * mpmath.erfc(-1j * z)),
    ):
        for point in points:
            assert_jet(function, reference, [point, 0.02 + 0.01j, -0.01], order=4, rtol=1e-10)
    assert special.wofz(np.float32(0.5)).dtype == np.complex64
    np.testing.assert_allclose(special.wofz(np.float64(0.5)), scipy.special.wofz(0.5))


def test_spherical_harmonics() -> None:
    n, m = np.array([0, 1, 4, 4, 2, 2]), np.array([0, -1, 4, -3, 0, 3])
    got = special.sph_harm_y(n, m, np.float64(0.7), np.linspace(0.0, 5, 6))
    wanted = scipy.special.sph_harm_y(n, m, 0.7, np.linspace(0.0, 5, 6))
    np.testing.assert_allclose(got, wanted, rtol=1e-13, atol=1e-16)
    clipped = special.sph_harm_y(n, 1, np.float64(0.7), 0.2, n_max=2)
    np.testing.assert_allclose(
        clipped, special.sph_harm_y(np.minimum(n, 2), 1, np.float64(0.7), 0.2)
    )
    # no division by the sine: the slope at the pole
    slope = fnx.grad(lambda t: jnp.real(special.sph_harm_y(1, 1, t, 0.0)))(np.float64(0))
    np.testing.assert_allclose(slope, -math.sqrt(3 / (8 * math.pi)))


def test_bernoulli() -> None:
    with fnx.enable_x64(True):
        got = special.bernoulli(30)
    with mpmath.workdps(30):
        wanted = [float(mpmath.bernoulli(k)) for k in range(31)]
    wanted[1] = -0.5
    np.testing.assert_allclose(got, wanted, rtol=1e-13, atol=1e-15)
    np.testing.assert_array_equal(special.bernoulli(402)[[400, 401, 402]], [-np.inf, 0, np.inf])
    assert [special.bernoulli(n).shape for n in (0, 1, 4)] == [(1,), (2,), (5,)]


def test_softmax_is_over_everything() -> None:
    x = np.array([[0.5, 1.5], [-1.0, 2.0]])
    for axis in (None, 1):
        np.testing.assert_allclose(special.softmax(x, axis=axis), scipy.special.softmax(x, axis))
        got = special.log_softmax(x, axis=axis)
        np.testing.assert_allclose(got, scipy.special.log_softmax(x, axis))
        np.testing.assert_allclose(special.logsumexp(x, axis), scipy.special.logsumexp(x, axis))


def test_what_is_refused() -> None:
    with pytest.raises(ValueError, match="betaln: does not support complex"):
        special.betaln(1j, 1.0)
    with pytest.raises(ValueError, match="polygamma: the order n must be of integers"):
        special.polygamma(1.5, 1.0)
    with pytest.raises(NotImplementedError, match="zeta: give q"):
        special.zeta(2.0)
    with pytest.raises(NotImplementedError, match="math.factorial"):
        special.factorial(3, exact=True)
    with pytest.raises(ValueError, match="non-negative integer"):
        special.bernoulli(-1)
    with pytest.raises(TypeError, match="series_order must be a Python integer"):
        special.log_ndtr(1.0, 2.5)
    with pytest.raises(ValueError, match="at most 30"):
        special.log_ndtr(1.0, 31)
    with pytest.raises(ValueError, match="complex input"):
        special.bessel_jn(1j, v=1)
    with pytest.raises(ValueError, match="may not be negative"):
        special.bessel_jn(1.0, v=-1)
    with pytest.raises(NotImplementedError, match="diff_n"):
        special.sph_harm_y(1, 0, 0.1, 0.2, diff_n=1)
    with pytest.raises(TypeError, match="sph_harm_y: n must be integers"):
        special.sph_harm_y(1.0, 0, 0.1, 0.2)
    with pytest.raises(TypeError, match="incompatible shapes"):
        special.beta(np.ones(2), np.ones(3))


def test_arguments_by_name_and_promotion() -> None:
    np.testing.assert_allclose(special.betainc(x=0.25, a=1, b=1), 0.25)
    assert special.gamma(np.int32(3)).dtype == np.float32
    assert special.xlogy(np.ones((2, 1), np.float32), np.ones(3)).shape == (2, 3)
