"""Makes `fnx/kernels/vector_math_coefficients.py`: the polynomials of vector math, by mpmath.

Every entry is a Chebyshev fit (near minimax) of a function that is smooth on the interval, in 60
digits, rounded to the precision in which it is used. Run from the root of the repository:
``python tests/support/make_vector_math_coefficients.py``.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import mpmath as mp
import numpy as np

TARGET = Path(__file__).parents[2] / "fnx" / "kernels" / "vector_math_coefficients.py"
HEADER = '''"""Coefficients of the polynomials of vector math, lowest power first, as hexadecimals.

Made by tests/support/make_vector_math_coefficients.py with mpmath; do not edit. ``POLYNOMIALS``
maps (name, type) to coefficients; ``CONSTANTS`` maps names to double-double (high, low) pairs.
Read next: `vector_math_elementary`, which says what each polynomial approximates.
"""

from __future__ import annotations

'''
SMALL = mp.mpf(10) ** -18
Function = Callable[[mp.mpf], mp.mpf]


def at_zero(function: Function, limit: mp.mpf | str) -> Function:
    """The function, with its limit where the formula is 0/0."""
    value = mp.mpf(limit)
    return lambda x: value if abs(x) < SMALL else function(x)


def of_root(function: Function, limit: mp.mpf | str) -> Function:
    """z -> function(sqrt(z))."""
    return at_zero(lambda z: function(mp.sqrt(z)), limit)


def inverse_erf(w: mp.mpf) -> mp.mpf:
    """erfinv(x)/x, where w = -log(1 - x*x)."""
    if w < mp.mpf(10) ** -30:
        return mp.sqrt(mp.pi) / 2
    complement = mp.exp(-w)  # 1 - x^2
    x = mp.sqrt(1 - complement)
    tail = complement / (1 + x)  # 1 - x
    guess = mp.sqrt(mp.log(2 / tail)) if tail < 0.3 else x
    root = mp.findroot(lambda y: mp.log(mp.erfc(y)) - mp.log(tail), guess)
    return root / x


def scaled_erfc(t: mp.mpf) -> mp.mpf:
    """(1 + 2x) exp(x^2) erfc(x), where t = (x - 4)/(x + 4)."""
    x = 4 * (1 + t) / (1 - t)
    return (1 + 2 * x) * mp.exp(x * x) * mp.erfc(x)


def stirling(z: mp.mpf) -> mp.mpf:
    """The remainder of Stirling's series of log gamma, times x, where z = 1/x^2."""
    if z < SMALL:
        return mp.mpf(1) / 12
    x = 1 / mp.sqrt(z)
    return x * (mp.loggamma(x) - ((x - 0.5) * mp.log(x) - x + mp.log(2 * mp.pi) / 2))


def digamma_tail(z: mp.mpf) -> mp.mpf:
    """(log x - 1/(2x) - digamma(x)) x^2, where z = 1/x^2."""
    if z < SMALL:
        return mp.mpf(1) / 12
    x = 1 / mp.sqrt(z)
    return x * x * (mp.log(x) - 1 / (2 * x) - mp.digamma(x))


def main() -> None:
    mp.mp.dps = 60
    half_log2, eighth = mp.log(2) / 2, mp.tan(mp.pi / 8)
    root_half, root_two = mp.sqrt(mp.mpf(1) / 2) - 1, mp.sqrt(2) - 1
    largest_s = root_two / (2 + root_two)
    quarter = (mp.pi / 4) ** 2
    root = mp.findroot(mp.digamma, mp.mpf("1.4616321449683623"))
    entries: list[tuple[str, Function, mp.mpf, mp.mpf, int, int]] = [
        ("exp", at_zero(lambda r: (mp.exp(r) - 1 - r) / r**2, "0.5"), -half_log2, half_log2, 5, 11),
        (
            "exp2",
            at_zero(lambda r: (mp.mpf(2) ** r - 1) / r, mp.log(2)),
            mp.mpf("-0.5"),
            mp.mpf("0.5"),
            7,
            13,
        ),
        (
            "log",
            at_zero(lambda f: (mp.log1p(f) - f + f * f / 2) / f**3, mp.mpf(1) / 3),
            root_half,
            root_two,
            9,
            0,
        ),
        (
            "log_ratio",
            of_root(lambda s: (2 * mp.atanh(s) - 2 * s) / s**3, mp.mpf(2) / 3),
            mp.mpf(0),
            largest_s**2,
            0,
            8,
        ),
        (
            "log_rest",
            of_root(lambda s: (2 * mp.atanh(s) - 2 * s - 2 * s**3 / 3) / s**5, mp.mpf(2) / 5),
            mp.mpf(0),
            largest_s**2,
            0,
            8,
        ),
        (
            "sin",
            of_root(lambda r: (mp.sin(r) / r - 1) / r**2, -mp.mpf(1) / 6),
            mp.mpf(0),
            quarter,
            4,
            7,
        ),
        (
            "cos",
            of_root(lambda r: (mp.cos(r) - 1 + r * r / 2) / r**4, mp.mpf(1) / 24),
            mp.mpf(0),
            quarter,
            4,
            7,
        ),
        (
            "atan",
            of_root(lambda t: (mp.atan(t) / t - 1) / t**2, -mp.mpf(1) / 3),
            mp.mpf(0),
            eighth**2,
            5,
            12,
        ),
        (
            "asin",
            of_root(lambda x: (mp.asin(x) / x - 1) / x**2, mp.mpf(1) / 6),
            mp.mpf(0),
            mp.mpf("0.25"),
            6,
            14,
        ),
        (
            "tanh",
            of_root(lambda x: (mp.tanh(x) / x - 1) / x**2, -mp.mpf(1) / 3),
            mp.mpf(0),
            mp.mpf("0.4"),
            6,
            13,
        ),
        (
            "sinh",
            of_root(lambda x: (mp.sinh(x) / x - 1) / x**2, mp.mpf(1) / 6),
            mp.mpf(0),
            mp.mpf(1),
            4,
            8,
        ),
        ("erf", of_root(lambda x: mp.erf(x) / x, 2 / mp.sqrt(mp.pi)), mp.mpf(0), mp.mpf(1), 8, 14),
        ("erfc", scaled_erfc, mp.mpf(-1), mp.mpf("0.76"), 12, 24),
        ("erf_inv_low", lambda t: inverse_erf(t + 3), mp.mpf(-3), mp.mpf(3), 11, 25),
        (
            "erf_inv_middle",
            lambda t: inverse_erf((t + mp.mpf("3.25")) ** 2),
            mp.mpf("-0.81"),
            mp.mpf("0.81"),
            10,
            24,
        ),
        (
            "erf_inv_high",
            lambda t: inverse_erf((t + 5) ** 2),
            mp.mpf("-1.01"),
            mp.mpf("1.2"),
            0,
            23,
        ),
        (
            "lgamma_one",
            at_zero(lambda t: mp.loggamma(1 + t) / t, -mp.euler),
            mp.mpf("-0.5"),
            mp.mpf("0.5"),
            13,
            28,
        ),
        (
            "lgamma_two",
            at_zero(lambda t: mp.loggamma(2 + t) / t, 1 - mp.euler),
            mp.mpf("-0.5"),
            mp.mpf("1.0"),
            12,
            26,
        ),
        ("stirling", stirling, mp.mpf(0), mp.mpf(1) / 64, 3, 9),
        (
            "digamma_root",
            lambda t: (
                mp.diff(mp.digamma, root)
                if abs(t + mp.mpf("1.5") - root) < SMALL
                else mp.digamma(t + mp.mpf("1.5")) / (t + mp.mpf("1.5") - root)
            ),
            mp.mpf("-0.5"),
            mp.mpf("0.5"),
            11,
            23,
        ),
        ("digamma_tail", digamma_tail, mp.mpf(0), mp.mpf(1) / 64, 3, 9),
    ]
    lines = [HEADER, "POLYNOMIALS: dict[tuple[str, str], tuple[str, ...]] = {\n"]
    for name, function, low, high, single, double in entries:
        for kind, count in (("f32", single), ("f64", double)):
            if not count:
                continue
            fit, error = mp.chebyfit(function, [low, high], count, error=True)
            scalar = np.float32 if kind == "f32" else np.float64
            coefficients = [float(scalar(mp.nstr(c, 40))) for c in reversed(fit)]
            print(f"{name:16s} {kind} {count:3d} error 2^{float(mp.log(error, 2)):.1f}")
            lines.append(f'    ("{name}", "{kind}"): (\n')
            lines += [f'        "{c.hex()}",\n' for c in coefficients]
            lines.append("    ),\n")
    lines.append("}\n\nCONSTANTS: dict[str, tuple[str, str]] = {\n")
    constants = {
        "ln2": mp.log(2),
        "log2e": 1 / mp.log(2),
        "log10e": 1 / mp.log(10),
        "log10_2": mp.log(2, 10),
        "pi": mp.pi,
        "half_pi": mp.pi / 2,
        "quarter_pi": mp.pi / 4,
        "half_log_2pi": mp.log(2 * mp.pi) / 2,
        "log_pi": mp.log(mp.pi),
        "digamma_root": root,
    }
    for name, value in constants.items():
        high = float(mp.nstr(value, 40))
        low = float(mp.nstr(value - mp.mpf(high), 40))
        lines.append(f'    "{name}": ("{high.hex()}", "{low.hex()}"),\n')
    lines.append("}\n")
    TARGET.write_text("".join(lines))


if __name__ == "__main__":
    main()
