"""The Taylor coefficients of every elementary function, to order 8, against mpmath's.

The points are those of the samplers, real and complex; each operand moves along a polynomial, and
along a curve that stops at its first coefficients. Everything else is compared with nested jvps, in
`test_every_primitive`.
"""

from __future__ import annotations

import mpmath
import pytest

from fnx.core.lowering import Element
from fnx.core.primitive import registry
from tests.support.law_subjects import NAMES, spread_over, wide_subjects
from tests.support.taylor_references import assert_jet

ORDER = 8

REFERENCES = {
    **{
        name: getattr(mpmath, name)
        for name in (
            "acos acosh asin asinh atan atan2 atanh cbrt cos cosh digamma erf erfc exp log sin "
            "sinh sqrt tan tanh"
        ).split()
    },
    "add": lambda x, y: x + y,
    "div": lambda x, y: x / y,
    "entr": lambda x: -x * mpmath.log(x),
    "erf_inv": mpmath.erfinv,
    "exp2": lambda x: mpmath.power(2, x),
    "expm1": lambda x: mpmath.exp(x) - 1,
    "lgamma": lambda x: mpmath.log(abs(mpmath.gamma(x))),
    "log1p": lambda x: mpmath.log(1 + x),
    "logistic": lambda x: 1 / (1 + mpmath.exp(-x)),
    "mul": lambda x, y: x * y,
    "neg": lambda x: -x,
    "pow": mpmath.power,
    "rel_entr": lambda x, y: x * mpmath.log(x / y),
    "rsqrt": lambda x: 1 / mpmath.sqrt(x),
    "square": lambda x: x * x,
    "sub": lambda x, y: x - y,
    "integer_pow": lambda x, y: x**y,
    "xlog1py": lambda x, y: x * mpmath.log(1 + y),
    "xlogy": lambda x, y: x * mpmath.log(y),
    "zeta": lambda s, q, derivative: mpmath.zeta(s, q, derivative),
}

#: Elementwise, but not analytic: kinks, jumps, choices, parts of complex numbers, and casts.
NOT_ANALYTIC = set(
    "abs ceil clamp complex conj convert_element_type eq floor ge gt imag is_finite le lt max min "
    "ne nextafter optimization_barrier real reduce_precision rem round select_n sign "
    "name pmax pmin ppermute psum".split()  # and those that are the identity of one lane
)

#: How many points; mpmath differentiates zeta slowly.
POINTS, POINTS_OF_ZETA = 6, 1


def test_every_elementary_function_has_a_reference():
    elementary = {
        name
        for name in NAMES
        if isinstance(registry[name].lower, Element)
        and registry[name].lower.kind == "scalar"
        and wide_subjects(name)
    }
    assert elementary - NOT_ANALYTIC == set(REFERENCES)


@pytest.mark.parametrize("name", REFERENCES)
def test_series(name):
    subjects = [s for s in wide_subjects(name) if s.args[0].size and len(s.inexact) == len(s.args)]
    chosen = spread_over(subjects, POINTS_OF_ZETA if name == "zeta" else POINTS)
    for number, subject in enumerate(chosen):
        reference = REFERENCES[name]
        curves = []
        for k, operand in enumerate(subject.args):
            point = operand._data.ravel()[0].item()
            bends = [0.25, -0.2 + 0.05 * k, 0.15][: 1 + number % 3]
            if operand.dtype.kind == "c":
                bends = [b * (1 - 0.3j) for b in bends]
            curves.append([point, *bends])
        if name == "zeta":
            curves[0] = curves[0][:1]

        def along(*points, params=subject.params):
            return registry[name](*points, **params)

        assert_jet(
            along,
            lambda *xs, reference=reference, params=subject.params: reference(
                *xs, *params.values()
            ),
            *curves,
            order=ORDER,
            rtol=1e-9,
        )
