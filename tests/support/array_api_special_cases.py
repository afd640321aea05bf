"""The special cases of the elementwise functions, as the array API standard 2024.12 lists them.

A row is (operands, result). An operand is a number, or a tuple of numbers to go through; a result
is a number, or a function of the operands. Complex numbers are pairs ``Z(re, im)`` of operands
that go through in the same way. Read next: tests/fnx/numpy/test_array_api_special_cases.py.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

__all__ = ["COMPLEX", "REAL", "TWO_COMPLEX", "AnySign", "OneOf", "Z", "rows_of"]

nan, inf, pi = math.nan, math.inf, math.pi
minus_nan = math.copysign(nan, -1.0)
POSITIVE = (0.5, 1.0, 3.0, 1e30)
NEGATIVE = (-0.5, -1.0, -3.0, -1e30)
ZEROS = (0.0, -0.0)
INFINITIES = (inf, -inf)
NONZERO = POSITIVE + NEGATIVE
FINITE = ZEROS + NONZERO
NUMBERS = FINITE + INFINITIES
ANY = (*NUMBERS, nan)


@dataclass(frozen=True)
class AnySign:
    """A result whose sign the standard leaves open."""

    value: float


@dataclass(frozen=True)
class OneOf:
    """Results of which the standard allows each."""

    values: tuple[float, ...]


@dataclass(frozen=True)
class Z:
    """A complex number of which the parts are given, or vary."""

    re: Any
    im: Any


def rows_of(
    table: list[tuple[Any, ...]], rounded: Callable[[Any], float]
) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """The rows with each combination of operands written out, rounded to the dtype."""
    for *operands, result in table:
        for chosen in itertools.product(*[list(_choices(x, rounded)) for x in operands]):
            yield chosen, result(*chosen) if callable(result) else result


def _choices(operand: Any, rounded: Callable[[Any], float]) -> Iterator[Any]:
    if isinstance(operand, Z):
        for re in _choices(operand.re, rounded):
            for im in _choices(operand.im, rounded):
                yield Z(re, im)
    else:
        yield from map(rounded, operand if isinstance(operand, tuple) else (operand,))


def _same(x: float) -> float:
    return x


def _product(x: float, y: float) -> float:
    sign = math.copysign(1.0, x) * math.copysign(1.0, y)
    return sign * abs(x) * abs(y)


def _either_nan(result: float = nan) -> list[tuple[Any, ...]]:
    return [(nan, ANY, result), (ANY, nan, result)]


def _odd(y: float) -> bool:
    return math.isfinite(y) and y % 2 == 1


ODD, EVEN = (1.0, 3.0, 5.0), (0.5, 2.0, 2.5, 4.0, inf)
ROUNDING = [
    ((1.0, -2.0, 1e30, -1e30), _same),
    (inf, inf), (-inf, -inf), (0.0, 0.0), (-0.0, -0.0), (nan, nan),
]  # fmt: skip
ODD_AT_INFINITY = [(nan, nan), (0.0, 0.0), (-0.0, -0.0), (inf, inf), (-inf, -inf)]
LOGARITHM = [(nan, nan), (NEGATIVE, nan), (-inf, nan), (ZEROS, -inf), (1.0, 0.0), (inf, inf)]
CIRCULAR = [(nan, nan), (0.0, 0.0), (-0.0, -0.0), (INFINITIES, nan)]
SUM = [
    *_either_nan(),
    (inf, -inf, nan), (-inf, inf, nan), (inf, inf, inf), (-inf, -inf, -inf),
    (inf, FINITE, inf), (-inf, FINITE, -inf), (FINITE, inf, inf), (FINITE, -inf, -inf),
    (-0.0, -0.0, -0.0), (-0.0, 0.0, 0.0), (0.0, -0.0, 0.0), (0.0, 0.0, 0.0),
    (ZEROS, NONZERO, lambda x, y: y), (NONZERO, ZEROS, lambda x, y: x),
    (0.5, -0.5, 0.0), (-3.0, 3.0, 0.0), (1e30, -1e30, 0.0),
]  # fmt: skip
QUOTIENT = [
    *_either_nan(),
    (INFINITIES, INFINITIES, nan), (ZEROS, ZEROS, nan),
    (0.0, POSITIVE, 0.0), (-0.0, POSITIVE, -0.0), (0.0, NEGATIVE, -0.0), (-0.0, NEGATIVE, 0.0),
    (POSITIVE, 0.0, inf), (POSITIVE, -0.0, -inf), (NEGATIVE, 0.0, -inf), (NEGATIVE, -0.0, inf),
]  # fmt: skip
EQUALITY = [
    *_either_nan(False),
    (inf, inf, True), (-inf, -inf, True), (inf, -inf, False), (-inf, inf, False),
    (ZEROS, ZEROS, True), (FINITE, FINITE, lambda x, y: x == y),
    (FINITE, INFINITIES, False), (INFINITIES, FINITE, False),
]  # fmt: skip

REAL: dict[str, list[tuple[Any, ...]]] = {
    "abs": [(nan, nan), (-0.0, 0.0), (-inf, inf)],
    "acos": [(nan, nan), ((1.5, inf), nan), ((-1.5, -inf), nan), (1.0, 0.0)],
    "acosh": [(nan, nan), ((0.5, 0.0, -3.0, -inf), nan), (1.0, 0.0), (inf, inf)],
    "add": SUM,
    "subtract": [
        (x, tuple(-b for b in y) if isinstance(y, tuple) else -y,
         (lambda a, b, f=f: f(a, -b)) if callable(f) else f)
        for x, y, f in SUM
    ],
    "asin": [(nan, nan), ((1.5, inf), nan), ((-1.5, -inf), nan), (0.0, 0.0), (-0.0, -0.0)],
    "asinh": ODD_AT_INFINITY,
    "atan": [(nan, nan), (0.0, 0.0), (-0.0, -0.0), (inf, pi / 2), (-inf, -pi / 2)],
    "atan2": [
        *_either_nan(),
        (POSITIVE, 0.0, pi / 2), (POSITIVE, -0.0, pi / 2), (0.0, POSITIVE, 0.0), (0.0, 0.0, 0.0),
        (0.0, -0.0, pi), (0.0, NEGATIVE, pi), (-0.0, POSITIVE, -0.0), (-0.0, 0.0, -0.0),
        (-0.0, -0.0, -pi), (-0.0, NEGATIVE, -pi), (NEGATIVE, 0.0, -pi / 2),
        (NEGATIVE, -0.0, -pi / 2), (POSITIVE, inf, 0.0), (POSITIVE, -inf, pi),
        (NEGATIVE, inf, -0.0), (NEGATIVE, -inf, -pi), (inf, FINITE, pi / 2),
        (-inf, FINITE, -pi / 2), (inf, inf, pi / 4), (inf, -inf, 3 * pi / 4),
        (-inf, inf, -pi / 4), (-inf, -inf, -3 * pi / 4),
    ],
    "atanh": [
        (nan, nan), ((-1.5, -inf), nan), ((1.5, inf), nan), (-1.0, -inf), (1.0, inf), (0.0, 0.0),
        (-0.0, -0.0),
    ],
    "ceil": [*ROUNDING, (0.5, 1.0), (-0.5, -0.0), (-2.5, -2.0)],
    "clip": [
        (nan, (-1.0, -inf), (1.0, inf), nan), (NUMBERS, nan, (1.0, inf), nan),
        (NUMBERS, (-1.0, -inf), nan, nan), (NUMBERS, -inf, inf, lambda x, low, high: x),
        (inf, -1.0, 1.0, 1.0), (-inf, -1.0, 1.0, -1.0),
    ],
    "copysign": [
        (ANY, NEGATIVE, lambda x, y: math.copysign(x, -1.0)),
        (ANY, -0.0, lambda x, y: math.copysign(x, -1.0)),
        (ANY, 0.0, lambda x, y: math.copysign(x, 1.0)),
        (ANY, POSITIVE, lambda x, y: math.copysign(x, 1.0)),
        (ANY, minus_nan, lambda x, y: math.copysign(x, -1.0)),
        (ANY, nan, lambda x, y: math.copysign(x, 1.0)),
    ],
    "cos": [(nan, nan), (ZEROS, 1.0), (INFINITIES, nan)],
    "cosh": [(nan, nan), (ZEROS, 1.0), (INFINITIES, inf)],
    "divide": [
        *QUOTIENT,
        (inf, POSITIVE, inf), (inf, NEGATIVE, -inf), (-inf, POSITIVE, -inf), (-inf, NEGATIVE, inf),
        (POSITIVE, inf, 0.0), (POSITIVE, -inf, -0.0), (NEGATIVE, inf, -0.0), (NEGATIVE, -inf, 0.0),
        (NONZERO, (0.5, -0.5, 1.0, -1.0), lambda x, y: x / y),
    ],
    "equal": EQUALITY,
    "not_equal": [
        (x, y, (lambda a, b, f=f: not f(a, b)) if callable(f) else not f) for x, y, f in EQUALITY
    ],
    "exp": [(nan, nan), (ZEROS, 1.0), (inf, inf), (-inf, 0.0)],
    "expm1": [(nan, nan), (0.0, 0.0), (-0.0, -0.0), (inf, inf), (-inf, -1.0)],
    "floor": [*ROUNDING, (0.5, 0.0), (-0.5, -1.0), (2.5, 2.0)],
    "floor_divide": [
        *QUOTIENT,
        (inf, POSITIVE, OneOf((inf, nan))), (inf, NEGATIVE, OneOf((-inf, nan))),
        (-inf, POSITIVE, OneOf((-inf, nan))), (-inf, NEGATIVE, OneOf((inf, nan))),
        (POSITIVE, inf, 0.0), (POSITIVE, -inf, OneOf((-0.0, -1.0))),
        (NEGATIVE, inf, OneOf((-0.0, -1.0))), (NEGATIVE, -inf, 0.0),
        ((0.5, 3.0), (0.5, 1.0), lambda x, y: float(x // y)), (-3.0, 0.5, -6.0), (0.5, -1.0, -1.0),
    ],
    "hypot": [
        (INFINITIES, ANY, inf), (ANY, INFINITIES, inf), (ZEROS, NUMBERS, lambda x, y: abs(y)),
        (NUMBERS, ZEROS, lambda x, y: abs(x)), ((*FINITE, nan), nan, nan),
        (nan, (*FINITE, nan), nan), (1e30, 1e30, math.sqrt(2) * 1e30), (3e-30, 4e-30, 5e-30),
    ],
    "isfinite": [(INFINITIES, False), (nan, False), (FINITE, True)],
    "isinf": [(INFINITIES, True), (nan, False), (FINITE, False)],
    "isnan": [(nan, True), (minus_nan, True), (NUMBERS, False)],
    "log": LOGARITHM,
    "log1p": [
        (nan, nan), ((-1.5, -inf), nan), (-1.0, -inf), (-0.0, -0.0), (0.0, 0.0), (inf, inf),
    ],
    "log2": LOGARITHM,
    "log10": LOGARITHM,
    "logaddexp": [*_either_nan(), (inf, NUMBERS, inf), (NUMBERS, inf, inf), (-inf, -inf, -inf)],
    "maximum": [*_either_nan(), (inf, NUMBERS, inf), (-inf, NONZERO, lambda x, y: y)],
    "minimum": [*_either_nan(), (-inf, NUMBERS, -inf), (inf, NONZERO, lambda x, y: y)],
    "multiply": [
        *_either_nan(),
        (INFINITIES, ZEROS, nan), (ZEROS, INFINITIES, nan), (INFINITIES, INFINITIES, _product),
        (INFINITIES, NONZERO, _product), (NONZERO, INFINITIES, _product),
        (FINITE, (*ZEROS, 0.5, -0.5), _product), (1e30, -1e30, OneOf((-inf, -1e60))),
    ],
    "negative": [(NUMBERS, lambda x: -x), (nan, nan)],
    "nextafter": [*_either_nan(), (-0.0, 0.0, 0.0), (0.0, -0.0, -0.0)],
    "positive": [(ANY, _same)],
    "pow": [
        ((*ZEROS, 0.5, -1.0, 3.0, *INFINITIES, nan), nan, nan), (ANY, ZEROS, 1.0),
        (nan, (*NONZERO, *INFINITIES, nan), nan), ((3.0, -1.5, 1e30), inf, inf),
        ((3.0, -1.5, 1e30), -inf, 0.0), ((1.0, -1.0), INFINITIES, 1.0), (1.0, NUMBERS, 1.0),
        ((0.5, -0.5, *ZEROS), inf, 0.0), ((0.5, -0.5, *ZEROS), -inf, inf),
        (inf, (*POSITIVE, inf), inf), (inf, (*NEGATIVE, -inf), 0.0),
        (-inf, ODD, -inf), (-inf, EVEN, inf),
        (-inf, tuple(-y for y in ODD), -0.0), (-inf, tuple(-y for y in EVEN), 0.0),
        (0.0, (*POSITIVE, inf), 0.0), (0.0, (*NEGATIVE, -inf), inf),
        (-0.0, ODD, -0.0), (-0.0, EVEN, 0.0),
        (-0.0, tuple(-y for y in ODD), -inf), (-0.0, tuple(-y for y in EVEN), inf),
        (NEGATIVE, (0.5, -0.5, 2.5), nan),
    ],
    "reciprocal": [
        (nan, nan), (0.0, inf), (-0.0, -inf), (inf, 0.0), (-inf, -0.0), (NONZERO, lambda x: 1 / x),
    ],
    "remainder": [
        *_either_nan(),
        (INFINITIES, INFINITIES, nan), (ZEROS, ZEROS, nan), (ZEROS, POSITIVE, 0.0),
        (ZEROS, NEGATIVE, -0.0), (NONZERO, ZEROS, nan), (INFINITIES, NONZERO, nan),
        (POSITIVE, inf, _same_first := (lambda x, y: x)), (POSITIVE, -inf, lambda x, y: y),
        (NEGATIVE, inf, lambda x, y: y), (NEGATIVE, -inf, _same_first),
        ((0.5, -0.5, 3.0, -3.0), (0.5, -0.5, 1.0, -1.0, 3.0, -3.0), lambda x, y: x % y),
    ],
    "round": [*ROUNDING, (0.5, 0.0), (-0.5, -0.0), (1.5, 2.0), (2.5, 2.0), (-2.5, -2.0)],
    "sign": [(NEGATIVE, -1.0), (-inf, -1.0), (ZEROS, AnySign(0.0)), (POSITIVE, 1.0), (inf, 1.0),
             (nan, nan)],
    "signbit": [
        (0.0, False), (-0.0, True), (inf, False), (-inf, True), (POSITIVE, False),
        (NEGATIVE, True), (nan, False), (minus_nan, True),
    ],
    "sin": CIRCULAR,
    "sinh": ODD_AT_INFINITY,
    "square": [(nan, nan), (ZEROS, 0.0), (INFINITIES, inf)],
    "sqrt": [(nan, nan), (NEGATIVE, nan), (-inf, nan), (0.0, 0.0), (-0.0, -0.0), (inf, inf)],
    "tan": CIRCULAR,
    "tanh": [(nan, nan), (0.0, 0.0), (-0.0, -0.0), (inf, 1.0), (-inf, -1.0)],
    "trunc": [*ROUNDING, (0.5, 0.0), (-0.5, -0.0), (-2.5, -2.0)],
}  # fmt: skip


def _cis(scale: float) -> Callable[[Z], Z]:
    return lambda z: Z(scale * math.cos(z.im), scale * math.sin(z.im))


def _minus_one(function: Callable[[Z], Z]) -> Callable[[Z], Z]:
    return lambda z: Z(function(z).re - 1.0, function(z).im)


OPEN = AnySign
_LOG = [
    (Z(-0.0, 0.0), Z(-inf, pi)), (Z(0.0, 0.0), Z(-inf, 0.0)), (Z(FINITE, inf), Z(inf, pi / 2)),
    (Z(FINITE, nan), Z(nan, nan)), (Z(-inf, POSITIVE), Z(inf, pi)),
    (Z(inf, POSITIVE), Z(inf, 0.0)), (Z(-inf, inf), Z(inf, 3 * pi / 4)),
    (Z(inf, inf), Z(inf, pi / 4)), (Z(INFINITIES, nan), Z(inf, nan)),
    (Z(nan, FINITE), Z(nan, nan)), (Z(nan, inf), Z(inf, nan)), (Z(nan, nan), Z(nan, nan)),
]  # fmt: skip
_ASINH = [
    (Z(0.0, 0.0), Z(0.0, 0.0)), (Z(POSITIVE, inf), Z(inf, pi / 2)), (Z(FINITE, nan), Z(nan, nan)),
    (Z(inf, POSITIVE), Z(inf, 0.0)), (Z(inf, inf), Z(inf, pi / 4)), (Z(nan, 0.0), Z(nan, 0.0)),
    (Z(nan, NONZERO), Z(nan, nan)), (Z(nan, inf), Z(OPEN(inf), nan)), (Z(nan, nan), Z(nan, nan)),
]  # fmt: skip
_ATANH = [
    (Z(0.0, 0.0), Z(0.0, 0.0)), (Z(0.0, nan), Z(0.0, nan)), (Z(1.0, 0.0), Z(inf, 0.0)),
    (Z(POSITIVE, inf), Z(0.0, pi / 2)), (Z(NONZERO, nan), Z(nan, nan)),
    (Z(inf, POSITIVE), Z(0.0, pi / 2)), (Z(inf, inf), Z(0.0, pi / 2)), (Z(inf, nan), Z(0.0, nan)),
    (Z(nan, FINITE), Z(nan, nan)), (Z(nan, inf), Z(OPEN(0.0), pi / 2)), (Z(nan, nan), Z(nan, nan)),
]  # fmt: skip
_COSH = [
    (Z(0.0, 0.0), Z(1.0, 0.0)), (Z(0.0, inf), Z(nan, OPEN(0.0))), (Z(0.0, nan), Z(nan, OPEN(0.0))),
    (Z(NONZERO, inf), Z(nan, nan)), (Z(NONZERO, nan), Z(nan, nan)), (Z(inf, 0.0), Z(inf, 0.0)),
    (Z(inf, (0.5, 1.0, 3.0, -0.5, -3.0)), _cis(inf)), (Z(inf, inf), Z(OPEN(inf), nan)),
    (Z(inf, nan), Z(inf, nan)), (Z(nan, ZEROS), Z(nan, OPEN(0.0))), (Z(nan, NONZERO), Z(nan, nan)),
    (Z(nan, nan), Z(nan, nan)),
]  # fmt: skip
_SINH = [
    (Z(0.0, 0.0), Z(0.0, 0.0)), (Z(0.0, inf), Z(OPEN(0.0), nan)), (Z(0.0, nan), Z(OPEN(0.0), nan)),
    (Z(POSITIVE, inf), Z(nan, nan)), (Z(POSITIVE, nan), Z(nan, nan)), (Z(inf, 0.0), Z(inf, 0.0)),
    (Z(inf, (0.5, 1.0, 3.0)), _cis(inf)), (Z(inf, inf), Z(OPEN(inf), nan)),
    (Z(inf, nan), Z(OPEN(inf), nan)), (Z(nan, 0.0), Z(nan, 0.0)), (Z(nan, NONZERO), Z(nan, nan)),
    (Z(nan, nan), Z(nan, nan)),
]  # fmt: skip
# C99 before its correction gives NaN + NaN j in rows two and three, which the standard allows.
_TANH = [
    (Z(0.0, 0.0), Z(0.0, 0.0)), (Z(0.0, inf), Z(OneOf((0.0, nan)), nan)),
    (Z(0.0, nan), Z(OneOf((0.0, nan)), nan)), (Z(NONZERO, inf), Z(nan, nan)),
    (Z(NONZERO, nan), Z(nan, nan)), (Z(inf, POSITIVE), Z(1.0, 0.0)),
    (Z(inf, inf), Z(1.0, OPEN(0.0))), (Z(inf, nan), Z(1.0, OPEN(0.0))),
    (Z(nan, 0.0), Z(nan, 0.0)), (Z(nan, (*NONZERO, inf)), Z(nan, nan)), (Z(nan, nan), Z(nan, nan)),
]  # fmt: skip
_EXP = [
    (Z(ZEROS, 0.0), Z(1.0, 0.0)), (Z(FINITE, inf), Z(nan, nan)), (Z(FINITE, nan), Z(nan, nan)),
    (Z(inf, 0.0), Z(inf, 0.0)), (Z(-inf, FINITE), _cis(0.0)),
    (Z(inf, (0.5, 1.0, 3.0, -0.5, -3.0)), _cis(inf)), (Z(-inf, inf), Z(OPEN(0.0), OPEN(0.0))),
    (Z(inf, inf), Z(OPEN(inf), nan)), (Z(-inf, nan), Z(OPEN(0.0), OPEN(0.0))),
    (Z(inf, nan), Z(OPEN(inf), nan)), (Z(nan, 0.0), Z(nan, 0.0)),
    (Z(nan, (*NONZERO, inf)), Z(nan, nan)), (Z(nan, nan), Z(nan, nan)),
]  # fmt: skip


def _turned(table: list[tuple[Any, ...]], back: bool) -> list[tuple[Any, ...]]:
    """The rows of f(1j z), or of -1j f(1j z) with `back`, from those of f."""

    def result(expected: Any, w: Z) -> Z:
        found = expected(Z(-w.im, w.re)) if callable(expected) else expected
        return Z(found.im, _negated(found.re)) if back else found

    return [(Z(z.im, _negated(z.re)), lambda w, e=e: result(e, w)) for z, e in table]


def _negated(part: Any) -> Any:
    if isinstance(part, AnySign):
        return part
    if isinstance(part, (tuple, OneOf)):
        values = part if isinstance(part, tuple) else part.values
        negated = tuple(-x for x in values)
        return negated if isinstance(part, tuple) else OneOf(negated)
    return -part


def _scaled(table: list[tuple[Any, ...]], factor: float) -> list[tuple[Any, ...]]:
    return [(z, Z(e.re / factor, e.im / factor)) for z, e in table]


COMPLEX: dict[str, list[tuple[Any, ...]]] = {
    "abs": [
        (Z(INFINITIES, ANY), inf), (Z(ANY, INFINITIES), inf), (Z(ZEROS, NUMBERS),
        lambda z: abs(z.im)), (Z(NUMBERS, ZEROS), lambda z: abs(z.re)), (Z(nan, FINITE), nan),
        (Z(FINITE, nan), nan), (Z(nan, nan), nan),
    ],
    "acos": [
        (Z(ZEROS, 0.0), Z(pi / 2, -0.0)), (Z(ZEROS, nan), Z(pi / 2, nan)),
        (Z(FINITE, inf), Z(pi / 2, -inf)), (Z(NONZERO, nan), Z(nan, nan)),
        (Z(-inf, POSITIVE), Z(pi, -inf)), (Z(inf, POSITIVE), Z(0.0, -inf)),
        (Z(-inf, inf), Z(3 * pi / 4, -inf)), (Z(inf, inf), Z(pi / 4, -inf)),
        (Z(INFINITIES, nan), Z(nan, OPEN(inf))), (Z(nan, FINITE), Z(nan, nan)),
        (Z(nan, inf), Z(nan, -inf)), (Z(nan, nan), Z(nan, nan)),
    ],
    "acosh": [
        (Z(ZEROS, 0.0), Z(0.0, pi / 2)), (Z(FINITE, inf), Z(inf, pi / 2)),
        (Z(NONZERO, nan), Z(nan, nan)), (Z(0.0, nan), Z(nan, OPEN(pi / 2))),
        (Z(-inf, POSITIVE), Z(inf, pi)), (Z(inf, POSITIVE), Z(inf, 0.0)),
        (Z(-inf, inf), Z(inf, 3 * pi / 4)), (Z(inf, inf), Z(inf, pi / 4)),
        (Z(INFINITIES, nan), Z(inf, nan)), (Z(nan, FINITE), Z(nan, nan)),
        (Z(nan, inf), Z(inf, nan)), (Z(nan, nan), Z(nan, nan)),
    ],
    "asin": _turned(_ASINH, True),
    "asinh": _ASINH,
    "atan": _turned(_ATANH, True),
    "atanh": _ATANH,
    "conj": [(Z(ANY, NUMBERS), lambda z: Z(z.re, -z.im)), (Z(ANY, nan), lambda z: Z(z.re, nan))],
    "cos": _turned(_COSH, False),
    "cosh": _COSH,
    "exp": _EXP,
    "expm1": [
        (Z(ZEROS, 0.0), Z(OPEN(0.0), 0.0)),
        *[(z, _minus_one(e) if callable(e) else Z(OPEN(inf), nan) if z.re == inf and z.im != 0.0
           else Z(-1.0, e.im) if z.re == -inf else e) for z, e in _EXP[1:]],
    ],
    "imag": [(Z(ANY, ANY), lambda z: z.im)],
    "isfinite": [
        (Z(nan, ANY), False), (Z(ANY, nan), False), (Z(INFINITIES, ANY), False),
        (Z(ANY, INFINITIES), False), (Z(FINITE, FINITE), True),
    ],
    "isinf": [
        (Z(INFINITIES, ANY), True), (Z((*FINITE, nan), INFINITIES), True),
        (Z((*FINITE, nan), (*FINITE, nan)), False),
    ],
    "isnan": [(Z(nan, ANY), True), (Z(ANY, nan), True), (Z(NUMBERS, NUMBERS), False)],
    "log": _LOG,
    "log10": _scaled(_LOG, math.log(10)),
    "log1p": [(Z(-1.0, 0.0), Z(-inf, 0.0)), *_LOG[2:]],
    "log2": _scaled(_LOG, math.log(2)),
    "negative": [(Z(NUMBERS, NUMBERS), lambda z: Z(-z.re, -z.im))],
    "positive": [(Z(ANY, ANY), lambda z: z)],
    "real": [(Z(ANY, ANY), lambda z: z.re)],
    "round": [
        (Z((0.5, -0.0, 2.5, *INFINITIES, nan), (-0.5, 0.0, 1.5, *INFINITIES, nan)),
         lambda z: Z(*[x if x in INFINITIES or x != x else math.copysign(round(x), x)
                       for x in (z.re, z.im)])),
    ],
    "sign": [(Z(ZEROS, ZEROS), Z(OPEN(0.0), OPEN(0.0))), (Z(nan, ANY), Z(nan, nan)),
             (Z(ANY, nan), Z(nan, nan)), (Z(3.0, 4.0), Z(0.6, 0.8)), (Z(-1e30, 0.0), Z(-1.0, 0.0))],
    "sin": _turned(_SINH, True),
    "sinh": _SINH,
    # With b positive and finite, the document exchanges the rows of a = -inf and +inf by mistake;
    # here they are as in C99 (G.6.4.2), and so are NaNs that meet an infinite b.
    "sqrt": [
        (Z(ZEROS, 0.0), Z(0.0, 0.0)), (Z(ANY, inf), Z(inf, inf)), (Z(FINITE, nan), Z(nan, nan)),
        (Z(-inf, POSITIVE), Z(0.0, inf)), (Z(inf, POSITIVE), Z(inf, 0.0)),
        (Z(-inf, nan), Z(nan, OPEN(inf))), (Z(inf, nan), Z(inf, nan)),
        (Z(nan, FINITE), Z(nan, nan)), (Z(nan, nan), Z(nan, nan)),
    ],
    "square": [(Z(nan, nan), Z(nan, nan)), (Z(0.5, 3.0), Z(-8.75, 3.0))],
    "tan": _turned(_TANH, True),
    "tanh": _TANH,
}  # fmt: skip

TWO_COMPLEX: dict[str, list[tuple[Any, ...]]] = {
    "add": [
        (Z(-0.0, 0.0), Z(-0.0, -0.0), Z(-0.0, 0.0)),
        *[(Z(x, 3.0), Z(y, -3.0), lambda z, w, f=f: Z(f(z.re, w.re) if callable(f) else f, 0.0))
          for x, y, f in SUM],
        *[(Z(3.0, x), Z(-3.0, y), lambda z, w, f=f: Z(0.0, f(z.im, w.im) if callable(f) else f))
          for x, y, f in SUM],
    ],
    "divide": [(Z(nan, nan), Z(nan, nan), Z(nan, nan)), (Z(3.0, 1.0), Z(1.0, -1.0), Z(1.0, 2.0))],
    "equal": [
        (Z(nan, ANY), Z(ANY, 1.0), False), (Z(ANY, nan), Z(1.0, ANY), False),
        (Z(1.0, ANY), Z(nan, ANY), False), (Z(ANY, 1.0), Z(ANY, nan), False),
        (Z(ZEROS, NUMBERS), Z(ZEROS, NUMBERS), lambda z, w: z.im == w.im),
        (Z(NUMBERS, ZEROS), Z(NUMBERS, ZEROS), lambda z, w: z.re == w.re),
    ],
    "multiply": [
        (Z(nan, nan), Z(nan, nan), Z(nan, nan)), (Z(3.0, 1.0), Z(1.0, -1.0), Z(4.0, -2.0)),
    ],
    "not_equal": [
        (Z(nan, ANY), Z(ANY, 1.0), True), (Z(ANY, nan), Z(1.0, ANY), True),
        (Z(ZEROS, NUMBERS), Z(ZEROS, NUMBERS), lambda z, w: z.im != w.im),
    ],
    "subtract": [
        *[(Z(x, 3.0), Z(y, 3.0), lambda z, w, f=f: Z(f(z.re, -w.re) if callable(f) else f, 0.0))
          for x, y, f in [(x, tuple(-b for b in y) if isinstance(y, tuple) else -y, f)
                          for x, y, f in SUM]],
    ],
}  # fmt: skip
