"""The error of every function of vector math, in units of the last place, and its special values.

References: for float32 NumPy and SciPy in float64, for float64 mpmath with 40 digits. The measured
maxima are published in docs/vector_math.md, which ``--update-golden`` writes anew.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable
from pathlib import Path

import ml_dtypes
import mpmath
import numpy as np
import pytest
import scipy.special

from tests.support.element_groups import scalar_kernel

PAGE = Path(__file__).parents[3] / "docs" / "vector_math.md"
CORE, SPECIAL = 2.0, 8.0


@dataclasses.dataclass(frozen=True)
class Function:
    """One function: where to sample it, what to compare with, and what error is allowed.

    ``near`` are intervals sampled evenly, ``small`` decades of arguments of both signs. Where the
    function has zeros that no argument hits (``relative`` False), the error is measured in units
    of the last place of max(1, |f|).
    """

    near: tuple[tuple[float, float], ...]
    single: Callable[..., np.ndarray]
    exact: Callable[..., mpmath.mpf]
    small: tuple[float, float] | None = None
    positive: bool = False
    bound: float = CORE
    relative: bool = True


def reciprocal_root(x):
    return 1 / np.sqrt(x)


def log_gamma(x):
    return mpmath.log(abs(mpmath.gamma(x)))


special = scipy.special
FUNCTIONS = {
    "exp": Function(((-80, 80), (-1, 1)), np.exp, mpmath.exp, (-20, 0)),
    "exp2": Function(((-120, 120), (-1, 1)), np.exp2, lambda x: mpmath.mpf(2) ** x),
    "expm1": Function(((-20, 80), (-1, 1)), np.expm1, mpmath.expm1, (-30, 0)),
    "log": Function(((0.5, 2),), np.log, mpmath.log, (-37, 37), True),
    "log2": Function(((0.5, 2),), np.log2, lambda x: mpmath.log(x, 2), (-37, 37), True),
    "log10": Function(((0.5, 2),), np.log10, mpmath.log10, (-37, 37), True),
    "log1p": Function(((-0.999, 2), (0, 1e4)), np.log1p, mpmath.log1p, (-30, 0)),
    "sin": Function(((-10, 10), (-1e3, 1e3), (-1e6, 1e6)), np.sin, mpmath.sin, (-20, 9)),
    "cos": Function(((-10, 10), (-1e3, 1e3), (-1e6, 1e6)), np.cos, mpmath.cos, (-20, 9)),
    "tan": Function(((-10, 10), (-1e3, 1e3), (-1e6, 1e6)), np.tan, mpmath.tan, (-20, 9)),
    "asin": Function(((-1, 1), (0.99, 1)), np.arcsin, mpmath.asin, (-20, 0)),
    "acos": Function(((-1, 1), (0.99, 1)), np.arccos, mpmath.acos, (-20, 0)),
    "atan": Function(((-3, 3),), np.arctan, mpmath.atan, (-20, 20)),
    "sinh": Function(((-80, 80), (-2, 2)), np.sinh, mpmath.sinh, (-20, 0)),
    "cosh": Function(((-80, 80), (-2, 2)), np.cosh, mpmath.cosh),
    "tanh": Function(((-10, 10), (-1, 1)), np.tanh, mpmath.tanh, (-20, 0)),
    "asinh": Function(((-3, 3),), np.arcsinh, mpmath.asinh, (-20, 30)),
    "acosh": Function(((1, 3), (1, 1e4)), np.arccosh, mpmath.acosh),
    "atanh": Function(((-1, 1),), np.arctanh, mpmath.atanh, (-20, 0)),
    "logistic": Function(
        ((-80, 40), (-3, 3)), special.expit, lambda x: 1 / (1 + mpmath.exp(-x)), bound=SPECIAL
    ),
    "rsqrt": Function(((0.1, 9),), reciprocal_root, lambda x: 1 / mpmath.sqrt(x), (-37, 37), True),
    "cbrt": Function(
        ((-9, 9),), np.cbrt, lambda x: mpmath.sign(x) * mpmath.cbrt(abs(x)), (-37, 37)
    ),
    "erf": Function(((-4, 4),), special.erf, mpmath.erf, (-20, 0), bound=SPECIAL),
    "erfc": Function(((-5, 9), (-1, 1)), special.erfc, mpmath.erfc, (-9, 0), bound=SPECIAL),
    "erf_inv": Function(
        ((-1, 1), (0.999, 1)), special.erfinv, mpmath.erfinv, (-15, -1), bound=SPECIAL
    ),
    "lgamma": Function(
        ((0.01, 12), (0.9, 2.1)), special.gammaln, log_gamma, (-8, 8), True, SPECIAL
    ),
    "digamma": Function(
        ((0.01, 12), (1.4, 1.5)), special.digamma, mpmath.digamma, (-4, 8), True, SPECIAL
    ),
    "lgamma of negative": Function(
        ((-9.9, -0.01),), special.gammaln, log_gamma, bound=SPECIAL, relative=False
    ),
    "digamma of negative": Function(
        ((-9.9, -0.01),), special.digamma, mpmath.digamma, bound=4 * SPECIAL, relative=False
    ),
}

PAIRS = {
    "pow": (np.power, lambda x, y: mpmath.power(x, y), (0.0, 8.0), (-12.0, 12.0)),
    "atan2": (np.arctan2, mpmath.atan2, (-5.0, 5.0), (-5.0, 5.0)),
    "hypot": (np.hypot, mpmath.hypot, (-5.0, 5.0), (-5.0, 5.0)),
}


def samples(function, dtype, count):
    rng = np.random.default_rng(7)
    parts = [rng.uniform(low, high, count) for low, high in function.near]
    if function.small is not None:
        magnitude = 10.0 ** rng.uniform(*function.small, count)
        parts.append(magnitude if function.positive else magnitude * rng.choice([-1, 1], count))
    return np.concatenate(parts).astype(dtype)


def error_in_ulp(got, want, dtype, relative=True):
    """The largest error; ``want`` in a wider type, or exact numbers."""
    worst = 0.0
    limits = np.finfo(dtype)
    for g, w in zip(got, want):
        if not np.isfinite(float(w)) or abs(w) > float(limits.max):
            continue
        size = abs(w) if relative else max(abs(w), 1)
        _, exponent = mpmath.frexp(size)
        unit = mpmath.ldexp(1, max(exponent - 1, limits.minexp) - limits.nmant)
        worst = max(worst, float(abs(mpmath.mpf(float(g)) - w) / unit))
    return worst


def error_of_singles(got, want, relative=True):
    want = want[np.isfinite(got)]
    got = got[np.isfinite(got)].astype(np.float64)
    size = np.abs(want) if relative else np.maximum(np.abs(want), 1)
    _, exponent = np.frexp(size)
    unit = np.ldexp(1.0, np.maximum(exponent - 1, -126) - 23)
    return float(np.max(np.abs(got - want) / unit))


@functools.cache
def measured(name):
    """(error in float32, error in float64) of a function."""
    function = FUNCTIONS[name]
    operation = name.split()[0]
    with mpmath.workdps(40), np.errstate(all="ignore"):
        x = samples(function, np.float32, 4000)
        single = error_of_singles(
            scalar_kernel(operation, "f4")(x),
            function.single(x.astype(np.float64)),
            function.relative,
        )
        x = samples(function, np.float64, 400)
        want = [function.exact(mpmath.mpf(float(v))) for v in x]
        double = error_in_ulp(
            scalar_kernel(operation, "f8")(x), want, np.float64, function.relative
        )
    return single, double


@functools.cache
def measured_pair(name):
    numpy_function, exact, first, second = PAIRS[name]
    rng = np.random.default_rng(8)
    with mpmath.workdps(40), np.errstate(all="ignore"):
        x, y = rng.uniform(*first, 8000).astype("f4"), rng.uniform(*second, 8000).astype("f4")
        single = error_of_singles(
            scalar_kernel(name, "f4", "f4")(x, y),
            numpy_function(x.astype(np.float64), y.astype(np.float64)),
        )
        x, y = rng.uniform(*first, 400), rng.uniform(*second, 400)
        want = [exact(mpmath.mpf(a), mpmath.mpf(b)) for a, b in zip(x.tolist(), y.tolist())]
        double = error_in_ulp(scalar_kernel(name, "f8", "f8")(x, y), want, np.float64)
    return single, double


@pytest.mark.parametrize("name", FUNCTIONS)
def test_error(name):
    for error in measured(name):
        assert error <= FUNCTIONS[name].bound


@pytest.mark.parametrize("name", FUNCTIONS)
def test_error_at_round_numbers(name):
    """Where one formula takes over from another: no random sample hits these numbers."""
    function, operation = FUNCTIONS[name], name.split()[0]
    quarters = np.arange(-64, 65) / 4
    inside = [(quarters >= low) & (quarters <= high) for low, high in function.near]
    x = quarters[np.any(inside, axis=0)]
    with mpmath.workdps(40), np.errstate(all="ignore"):
        want = [function.exact(mpmath.mpf(v)) if finite(function, v) else mpmath.inf for v in x]
        double = scalar_kernel(operation, "f8")(x)
        assert error_in_ulp(double, want, np.float64, function.relative) <= function.bound
        single = scalar_kernel(operation, "f4")(x.astype(np.float32))
        assert error_in_ulp(single, want, np.float32, function.relative) <= function.bound


def finite(function, x):
    """Whether a function has a finite value, so that mpmath does not refuse it."""
    return bool(np.isfinite(function.single(np.float64(x))))


@pytest.mark.parametrize("name", PAIRS)
def test_error_of_two_arguments(name):
    for error in measured_pair(name):
        assert error <= CORE


def test_the_published_table(request):
    """docs/vector_math.md says what is measured here, to a tenth."""
    rows = {name: measured(name) for name in FUNCTIONS}
    rows |= {name: measured_pair(name) for name in PAIRS}
    if request.config.getoption("--update-golden"):
        PAGE.write_text(page(rows))
    published = {}
    for line in PAGE.read_text().splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) == 4 and cells[1].replace(".", "").isdigit():
            published[cells[0].strip("`")] = tuple(float(cell) for cell in cells[1:3])
    assert published.keys() == rows.keys()
    for name, errors in rows.items():
        for said, error in zip(published[name], errors):
            assert abs(said - error) < 0.15, (name, said, error)


def page(rows):
    lines = [
        "# Vector math: errors",
        "",
        "The largest error seen in units of the last place (0.5 is correct rounding), in compiled",
        "code; eager operations are NumPy's and SciPy's. Samples are dense in the intervals where",
        "the functions vary, and spread over the exponents. Written by",
        "`pytest tests/fnx/compiler/test_vector_math.py --update-golden`, which also checks the",
        "bounds: 2 for elementary",
        "functions, 8 for special ones. Functions of negative arguments that have zeros between",
        "poles are measured in units of the last place of max(1, |f|). bfloat16 and float16 are",
        "computed in float32 and rounded. Sine, cosine and tangent of arguments beyond a million",
        "are the C library's.",
        "",
        "| function | float32 | float64 | bound |",
        "| --- | ---: | ---: | ---: |",
    ]
    for name, (single, double) in rows.items():
        bound = FUNCTIONS[name].bound if name in FUNCTIONS else CORE
        lines.append(f"| `{name}` | {single:.1f} | {double:.1f} | {bound:g} |")
    return "\n".join(lines) + "\n"


EDGES = {
    "exp": (np.exp, {}),
    "exp2": (np.exp2, {}),
    "expm1": (np.expm1, {}),
    "log": (np.log, {}),
    "log2": (np.log2, {}),
    "log10": (np.log10, {}),
    "log1p": (np.log1p, {}),
    "sin": (np.sin, {}),
    "cos": (np.cos, {}),
    "tan": (np.tan, {}),
    "asin": (np.arcsin, {}),
    "acos": (np.arccos, {}),
    "atan": (np.arctan, {}),
    "sinh": (np.sinh, {}),
    "cosh": (np.cosh, {}),
    "tanh": (np.tanh, {}),
    "asinh": (np.arcsinh, {}),
    "acosh": (np.arccosh, {}),
    "atanh": (np.arctanh, {}),
    "cbrt": (np.cbrt, {}),
    "rsqrt": (reciprocal_root, {}),
    "erf": (special.erf, {}),
    "erfc": (special.erfc, {}),
    # SciPy gives log gamma of -inf as -inf, and digamma of 0 as an infinity
    "lgamma": (special.gammaln, {-np.inf: np.inf}),
    "digamma": (special.digamma, {0.0: np.nan, -np.inf: np.nan}),
    "floor": (np.floor, {}),
    "ceil": (np.ceil, {}),
    "trunc": (np.trunc, {}),
    "round_half_even": (np.rint, {}),
    "sqrt": (np.sqrt, {}),
}


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", EDGES)
def test_special_values(name, dtype):
    limits = np.finfo(dtype)
    tiny = limits.smallest_subnormal
    edge = [0.0, limits.tiny, limits.eps, 0.5, 1.0, 2.0, 3.0, 88.0, 104.0, 710.0, 745.0, 1e20]
    if name not in ("lgamma", "digamma"):  # SciPy's own range ends before
        edge += [tiny, 3 * tiny, limits.max]
    edge = np.array([*edge, np.inf, np.nan], dtype)
    x = np.concatenate([edge, -edge])
    reference, exceptions = EDGES[name]
    with np.errstate(all="ignore"):
        want = reference(x)
        for place, value in exceptions.items():
            want = np.where(x == place, dtype(value), want)
        got = scalar_kernel(name, dtype)(x)
        np.testing.assert_array_equal(np.isnan(got), np.isnan(want))
        near = np.abs(got - want) <= 8 * np.spacing(np.abs(want))
        assert (near | (got == want) | np.isnan(want)).all(), (x, got, want)
        # the sign of zero
        zero = (want == 0) & (got == 0)
        np.testing.assert_array_equal(np.signbit(got[zero]), np.signbit(want[zero]))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_powers_of_special_values(dtype):
    limits = np.finfo(dtype)
    edge = [0, limits.smallest_subnormal, limits.tiny, 0.5, 1, 2, 3, 2.5, 1e3, limits.max]
    edge = np.array([*edge, np.inf, np.nan], dtype)
    edge = np.concatenate([edge, -edge])
    x, y = np.repeat(edge, edge.size), np.tile(edge, edge.size)
    with np.errstate(all="ignore"):
        want = np.power(x, y)
        got = scalar_kernel("pow", dtype, dtype)(x, y)
        near = np.abs(got - want) <= 2 * np.spacing(np.abs(want))
    same = near | (got == want) | (np.isnan(got) & np.isnan(want))
    assert same.all(), (x[~same], y[~same], got[~same], want[~same])
    zero = want == 0
    np.testing.assert_array_equal(np.signbit(got[zero]), np.signbit(want[zero]))


def test_atan2_in_all_quadrants():
    edge = np.array([0.0, 1e-300, 1.0, 1e300, np.inf])
    edge = np.concatenate([edge, -edge, [np.nan]])
    y, x = np.repeat(edge, edge.size), np.tile(edge, edge.size)
    np.testing.assert_allclose(
        scalar_kernel("atan2", "f8", "f8")(y, x), np.arctan2(y, x), rtol=4e-16
    )


def test_exact_results_are_exact():
    powers = 2.0 ** np.arange(-1074, 1024)
    np.testing.assert_array_equal(scalar_kernel("log2", "f8")(powers), np.arange(-1074, 1024))
    np.testing.assert_array_equal(scalar_kernel("exp2", "f8")(np.arange(-1074.0, 1024)), powers)
    np.testing.assert_array_equal(
        scalar_kernel("log10", "f8")(10.0 ** np.arange(0, 20)), np.arange(20)
    )
    np.testing.assert_array_equal(scalar_kernel("cbrt", "f8")(np.arange(50.0) ** 3), np.arange(50))
    whole = np.arange(1.0, 13)
    np.testing.assert_array_equal(scalar_kernel("pow", "f8", "f8")(whole, whole), whole**whole)


def test_sines_near_multiples_of_pi():
    """Where the argument reduction cancels nearly everything."""
    x = np.arange(1, 400_000, 1117) * np.pi
    want = [mpmath.sin(mpmath.mpf(float(v))) for v in x]
    assert error_in_ulp(scalar_kernel("sin", "f8")(x), want, np.float64) <= 1.0
    # the double closest to a multiple of pi/2 (Muller, section 11.1)
    hard = np.array([6381956970095103.0 * 2.0**797, 1e22, 2.0**1023])
    with mpmath.workdps(400):
        want = np.array([float(mpmath.sin(mpmath.mpf(float(v)))) for v in hard])
    np.testing.assert_allclose(scalar_kernel("sin", "f8")(hard), want, rtol=4e-16)


@pytest.mark.parametrize("target", [np.int8, np.uint8, np.int32, np.uint32, np.int64, np.uint64])
def test_conversions_of_floats_saturate(target):
    """As in XLA: truncated, NaN to 0, beyond the range to its ends."""
    x = np.array([0, 1.9, -1.9, 127.5, 128, -129, 255.9, 256, 3e9, -3e9, 1e19, -1e19, 2e19])
    x = np.concatenate([x, [np.inf, -np.inf, np.nan]])
    limits = np.iinfo(target)
    got = scalar_kernel(lambda b, v: b.convert(v, target), "f8")(x)
    want = [
        0
        if np.isnan(v)
        else int(min(max(v, float(limits.min)), 2.0**64))
        if np.isfinite(v)
        else (limits.max if v > 0 else limits.min)
        for v in x
    ]
    want = [min(max(w, limits.min), limits.max) for w in want]
    assert got.tolist() == want


def test_rounding_to_narrow_floats_is_to_nearest_even(rng):
    x = rng.standard_normal(3000).astype(np.float32) * 10.0 ** rng.uniform(-40, 38, 3000)
    x = np.concatenate([x, [0.0, -0.0, np.inf, -np.inf, 1 + 2.0**-8, 1 + 3 * 2.0**-8, 65520.0]])
    x = x.astype(np.float32)
    with np.errstate(over="ignore"):
        for dtype in (np.dtype(np.float16), np.dtype(ml_dtypes.bfloat16)):
            got = scalar_kernel(lambda b, v, d=dtype: b.convert(v, d), "f4")(x)
            np.testing.assert_array_equal(got.view(np.uint16), x.astype(dtype).view(np.uint16))
        wide = 1 + 2.0**-11 + 2.0**-40 * np.arange(-3, 4)  # double rounding would err here
        got = scalar_kernel(lambda b, v: b.convert(v, np.float16), "f8")(wide)
        np.testing.assert_array_equal(got, wide.astype(np.float16))


def test_shifts_and_divisions_out_of_range():
    """As in XLA's operation semantics."""
    x = np.array([-8, -8, 8, 8, -(2**31), 5, -5, 0], np.int32)
    y = np.array([1, 32, -1, 31, -1, 0, 0, 0], np.int32)
    pair = ("i4", "i4")
    assert scalar_kernel("shift_left", *pair)(x, y).tolist()[:4] == [-16, 0, 0, 0]
    arithmetic = scalar_kernel("shift_right_arithmetic", *pair)(x, y).tolist()
    assert arithmetic[:4] == [-4, -1, 0, 0]
    logical = scalar_kernel("shift_right_logical", *pair)(x, y).tolist()
    assert logical[:4] == [2**31 - 4, 0, 0, 0]
    assert scalar_kernel("div", *pair)(x, y).tolist()[4:] == [-(2**31), -1, -1, -1]
    assert scalar_kernel("rem", *pair)(x, y).tolist()[4:] == [0, 5, -5, 0]


def test_threefry_is_the_published_function():
    """The known answers of Salmon et al. (the `kat_vectors` of Random123), 20 rounds."""
    words = np.array([0, 0xFFFFFFFF, 0x243F6A88], np.uint32)
    others = np.array([0, 0xFFFFFFFF, 0x85A308D3], np.uint32)
    keys0 = np.array([0, 0xFFFFFFFF, 0x13198A2E], np.uint32)
    keys1 = np.array([0, 0xFFFFFFFF, 0x03707344], np.uint32)
    kind = ("u4",) * 4
    first = scalar_kernel(lambda b, k, m, x, y: b.threefry2x32(k, m, x, y)[0], *kind)
    second = scalar_kernel(lambda b, k, m, x, y: b.threefry2x32(k, m, x, y)[1], *kind)
    assert first(keys0, keys1, words, others).tolist() == [0x6B200159, 0x1CB996FC, 0xC4923A9C]
    assert second(keys0, keys1, words, others).tolist() == [0x99BA4EFE, 0xBB002BE7, 0x483DF7A0]
