"""The derivative passes all of it again: the jvp and the vjp of every primitive, under every law.

Both are functions of arrays, of a point with tangents or cotangents, and so subjects of the same
laws as the primitives. The bound of two ways of computing them is measured, by noise in every
rounding.  Read next: `tests.support.laws`.
"""

from __future__ import annotations

import pytest

from tests.support import laws
from tests.support.law_subjects import NAMES, forward, reverse, spread_over, wide_subjects

#: Cases of each primitive, in quick laws and in slow ones; `make fuzz` takes 40.
FEW, FEWER = 4, 2

#: With floating-point operands, and tangents that are not zero by definition.
DIFFERENTIATED = [name for name in NAMES if wide_subjects(name)]

both_derivatives = pytest.mark.parametrize("derivative", [forward, reverse])
every_primitive = pytest.mark.parametrize("name", DIFFERENTIATED)


def derivatives(name, derivative, most, seed=0):
    """Some of the primitive's cases, differentiated."""
    with_operands = [s for s in wide_subjects(name, seed) if all(a.size for a in s.args)]
    return [derivative(s) for s in spread_over(with_operands, most)]


@both_derivatives
@every_primitive
def test_jvp_is_the_limit_of_differences(name, derivative):
    for subject in derivatives(name, derivative, FEW):
        laws.check_differences(subject)


@both_derivatives
@every_primitive
def test_transposition(name, derivative):
    for subject in derivatives(name, derivative, FEW):
        laws.check_transposition(subject)


@both_derivatives
@every_primitive
def test_vmap_is_a_loop(name, derivative):
    for subject in derivatives(name, derivative, FEWER):
        laws.check_vmap(subject, most=3)


@both_derivatives
@every_primitive
def test_series_are_nested_derivatives(name, derivative):
    for subject in derivatives(name, derivative, FEW):
        laws.check_series(subject, degree=2)


@every_primitive
def test_compiled_is_evaluated(name):
    laws.check_compiled([*derivatives(name, forward, FEWER), *derivatives(name, reverse, FEWER)])


@pytest.mark.fuzz
@pytest.mark.parametrize("seed", range(1, 4))
@both_derivatives
@every_primitive
def test_everything_at_other_points(name, derivative, seed):
    subjects = derivatives(name, derivative, 40, seed)
    for subject in subjects:
        laws.check_differences(subject)
        laws.check_transposition(subject)
        laws.check_vmap(subject, most=8)
        laws.check_series(subject, degree=2)
    laws.check_compiled(subjects)
