"""How exact the derivatives are that are computed here: docs/special_functions.md.

Each row of the page is a derivative at a spread of points against mpmath's. The page holds the
worst relative errors; what is measured here may not be larger. ``--update-golden`` writes it anew.
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import mpmath
import numpy as np
import pytest

import fnx
import fnx.numpy as jnp
from fnx import lax
from fnx.scipy import special

PAGE = Path(__file__).parents[3] / "docs" / "special_functions.md"

Points = list[tuple[float, ...]]


@dataclass(frozen=True)
class Row:
    """Derivatives of one function.

    Parameters
    ----------
    name : str
        The function as the page calls it.
    function, reference : callable
        Of arrays, and of mpmath's numbers.
    points : list of tuple
        Where.
    domain : str
        The same in words.
    orders : tuple of tuple of int
        Of the derivatives in each argument.
    ceiling : float
        The error that a page may never show.
    """

    name: str
    function: Callable[..., Any]
    reference: Callable[..., Any]
    points: Points
    domain: str
    orders: tuple[tuple[int, ...], ...]
    ceiling: float


def _lower_gamma(a: Any, x: Any) -> Any:
    return mpmath.gammainc(a, 0, x, regularized=True)


def _beta(a: Any, b: Any, x: Any) -> Any:
    return mpmath.betainc(a, b, 0, x, regularized=True)


def _sample_slope(a: Any, x: Any) -> Any:
    with mpmath.workdps(90):  # P may be 1 to many digits
        density = x ** (a - 1) * mpmath.exp(-x) / mpmath.gamma(a)
        return -mpmath.diff(lambda s: _lower_gamma(s, x), a) / density


def _dawson(x: Any) -> Any:
    return mpmath.sqrt(mpmath.pi) / 2 * mpmath.exp(-x * x) * mpmath.erfi(x)


_GAMMA: Points = [
    *itertools.product((1e-3, 0.05, 0.5), (1e-6, 0.3, 0.95, 1.2, 5.0)),
    *[(a, a * r) for a in (0.9, 2.5, 30.0, 1e3) for r in (0.5, 0.96, 1.02, 1.5)],
]
_BETA: Points = list(
    itertools.product((1e-2, 0.7, 7.0, 100.0), (1e-2, 1.0, 40.0), (1e-4, 0.2, 0.7, 0.99))
)
_CONFLUENT: Points = list(
    itertools.product((0.3, 2.5, -1.5), (0.7, 5.5), (-100.0, -3.0, 0.2, 4.0, 60.0))
)
_GAUSS: Points = list(
    itertools.product((0.3, 2.5), (0.6, 4.0), (1.3, 3.0), (-50.0, -0.7, 0.2, 0.8, 0.99))
)
_LINE: Points = [(x,) for x in (0.05, 0.7, 2.0, 4.0, 6.2, 7.0, 30.0, 1e4)]

ROWS = (
    Row(
        "gammainc(a, x)", lax.igamma, _lower_gamma, _GAMMA,
        "a from 0.001 to 1000, x across the distribution",
        ((1, 0), (0, 1), (2, 0), (1, 1), (3, 0), (2, 1)), 1e-11,
    ),
    Row(
        "random_gamma_grad(a, x)", lax.random_gamma_grad, _sample_slope, _GAMMA[10:],
        "a from 0.5 to 1000, x across the distribution",
        ((0, 0), (1, 0), (0, 1)), 1e-9,
    ),
    Row(
        "betainc(a, b, x)", lax.betainc, _beta, _BETA,
        "a from 0.01 to 100, b from 0.01 to 40, x from 0.0001 to 0.99",
        ((1, 0, 0), (0, 1, 0), (0, 0, 1), (2, 0, 0), (1, 1, 0), (0, 2, 0), (1, 0, 1)), 1e-9,
    ),
    Row(
        "hyp1f1(a, b, x)", special.hyp1f1, mpmath.hyp1f1, _CONFLUENT,
        "a from -1.5 to 2.5, b 0.7 and 5.5, x from -100 to 60",
        ((1, 0, 0), (0, 1, 0), (0, 0, 1), (2, 0, 0), (1, 1, 0), (1, 0, 1)), 1e-11,
    ),
    Row(
        "hyp2f1(a, b, c, x)", special.hyp2f1, mpmath.hyp2f1, _GAUSS,
        "a 0.3 and 2.5, b 0.6 and 4, c 1.3 and 3, x from -50 to 0.99",
        ((1, 0, 0, 0), (0, 0, 1, 0), (0, 0, 0, 1), (2, 0, 0, 0), (1, 0, 1, 0), (0, 1, 0, 1)), 1e-9,
    ),
    Row("dawsn(x)", special.dawsn, _dawson, _LINE, "x from 0.05 to 10000",
        ((1,), (2,), (3,), (4,)), 1e-8),
    Row("erfcx(x)", special.erfcx, lambda x: mpmath.exp(x * x) * mpmath.erfc(x), _LINE[:-1],
        "x from 0.05 to 30", ((1,), (2,), (3,), (4,)), 1e-8),
)  # fmt: skip


@pytest.fixture
def update_golden(request: pytest.FixtureRequest) -> bool:
    """Whether the page is written anew."""
    return bool(request.config.getoption("--update-golden"))


def differentiated(row: Row, order: tuple[int, ...]) -> Callable[..., Any]:
    """A mixed derivative, element by element: gradients of sums."""
    function = row.function
    for k, count in enumerate(order):
        for _ in range(count):
            function = fnx.grad(lambda *xs, f=function: jnp.sum(f(*xs)), k)
    return function


@cache
def exact(name: str, order: tuple[int, ...]) -> np.ndarray:
    """mpmath's values."""
    row = next(r for r in ROWS if r.name == name)
    with mpmath.workdps(40):
        values = []
        for point in row.points:
            place = tuple(map(mpmath.mpf, point))
            values.append(float(mpmath.diff(row.reference, place, order) if any(order)
                                else row.reference(*place)))  # fmt: skip
    return np.array(values)


def worst(row: Row, order: tuple[int, ...]) -> float:
    """The largest relative error; not where the derivative passes through zero, or underflows."""
    columns = [np.array(c) for c in zip(*row.points, strict=True)]
    got = np.asarray(differentiated(row, order)(*columns))
    wanted = exact(row.name, order)
    scale = np.zeros_like(wanted)
    for k, count in enumerate(order):
        if count and sum(order) > 1:
            below = tuple(n - (j == k) for j, n in enumerate(order))
            scale = np.maximum(scale, np.abs(exact(row.name, below) / np.maximum(columns[k], 1)))
    kept = (np.abs(wanted) > 1e-20) & (np.abs(wanted) > 1e-2 * scale)
    assert np.mean(kept) > 0.5
    return float(np.max(np.abs(got[kept] / wanted[kept] - 1)))


@pytest.mark.parametrize("row", ROWS, ids=[r.name.partition("(")[0] for r in ROWS])
def test_errors_are_within_the_published_ones(row: Row, update_golden: bool) -> None:
    measured = {_words(row, order): worst(row, order) for order in row.orders}
    assert max(measured.values()) <= row.ceiling, measured
    if not update_golden:
        allowed = published()[row.name]
        assert set(measured) == set(allowed)
        for words, error in measured.items():
            assert error <= allowed[words], (words, error)


def test_the_page(update_golden: bool) -> None:
    if update_golden:
        PAGE.write_text(page(), encoding="utf-8")
    assert list(published()) == [row.name for row in ROWS]
    assert PAGE.read_text(encoding="utf-8").startswith(_INTRODUCTION)


# ---------------------------------------------------------------------- the page

_INTRODUCTION = """\
# Special functions: errors of derivatives

All functions of `fnx.scipy.special`, and the incomplete gamma, beta and Bessel functions of
`fnx.lax`, have derivatives of every order in every real argument. Values are SciPy's. Most
derivatives are SciPy's functions again, by recurrences; the ones below are computed here. The
table has their worst relative errors against mpmath in float64, at the points of
`tests/fnx/primitives/test_special_derivative_errors.py`, which
`pytest --update-golden` on that file writes anew with a margin of two. Points where a derivative
passes through zero are left out. Narrower floats are computed in float64 and rounded.

How it is done: parameter derivatives of distribution functions by double exponential quadrature
(`fnx/primitives/parameter_integrals.py`), those of hypergeometric functions by series of truncated
polynomials in the parameters (`fnx/primitives/hypergeometric.py`), those of the Faddeeva family by
recurrence near the origin and asymptotic series farther out (`fnx/primitives/faddeeva.py`).
"""


def _words(row: Row, order: tuple[int, ...]) -> str:
    names = re.findall(r"\w+", row.name)[1:]
    factors = [f"d{x}" + (f"^{n}" if n > 1 else "") for x, n in zip(names, order, strict=True) if n]
    return " ".join(factors) or "value"


def _rounded_up(error: float) -> str:
    doubled = max(2 * error, 1e-15)
    exponent = math.floor(math.log10(doubled))
    digit = math.ceil(doubled / 10.0**exponent)
    return f"1e{exponent + 1}" if digit == 10 else f"{digit}e{exponent}"


def page() -> str:
    """The text of docs/special_functions.md."""
    lines = [_INTRODUCTION.rstrip("\n")]
    for row in ROWS:
        lines += ["", f"## `{row.name}`", "", f"Points: {row.domain}.", ""]
        lines += ["| derivative | error |", "| --- | ---: |"]
        lines += [f"| {_words(row, o)} | {_rounded_up(worst(row, o))} |" for o in row.orders]
    return "\n".join(lines) + "\n"


def published() -> dict[str, dict[str, float]]:
    """The page read back: function, derivative, error."""
    found: dict[str, dict[str, float]] = {}
    name = ""
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        title = re.fullmatch(r"## `(.*)`", line)
        entry = re.fullmatch(r"\| (.*) \| ([\d.e+-]+) \|", line)
        if title:
            name = title[1]
            found[name] = {}
        elif entry:
            found[name][entry[1]] = float(entry[2])
    return found
