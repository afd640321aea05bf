"""Every primitive against every law, on the cases of its sampler.

What a law says is in `tests.support.laws`, how closely it must hold in
`tests.support.law_strengths`. Here each law is applied to every primitive there is; derivatives of
primitives are in `test_derivatives`, series of elementary functions in `test_elementary_series`.
"""

from __future__ import annotations

import pytest

from fnx.core.lowering import Host, Kernel
from fnx.core.primitive import SLOTS, Derived, HigherOrderPrimitive, Undefined, registry
from tests.support import laws
from tests.support.law_subjects import NAMES, SLOW, Subject, spread_over, subjects_of, wide_subjects

every_primitive = pytest.mark.parametrize("name", NAMES)


def cases_of(name: str) -> list[Subject]:
    """The cases of the short run."""
    return spread_over(subjects_of(name), 6 if name in SLOW else 1000)


@every_primitive
def test_no_slot_is_empty(name):
    primitive = registry[name]
    assert subjects_of(name), "the sampler gives nothing"
    for slot in SLOTS:
        found = getattr(primitive, slot)
        if isinstance(found, Derived):
            assert found.source in SLOTS
            assert callable(getattr(primitive, found.source)), slot
        elif isinstance(found, Undefined):
            assert found.why
        elif slot != "lower":
            assert callable(found), slot
    if isinstance(primitive, HigherOrderPrimitive):
        assert isinstance(primitive.lower, str | Host)
    else:
        assert not isinstance(primitive.lower, Undefined | Derived)


@every_primitive
def test_results_have_the_inferred_types(name):
    subjects = cases_of(name)
    weak = {id(subject) for subject in spread_over(subjects, 24)}
    for subject in subjects:
        laws.check_types(subject, weak=id(subject) in weak)


@every_primitive
def test_memory_order_does_not_matter(name):
    for subject in cases_of(name):
        laws.check_layouts(subject)


@every_primitive
def test_jvp_is_the_limit_of_differences(name):
    for subject in wide_subjects(name):
        laws.check_differences(subject)


@every_primitive
def test_transposition(name):
    for subject in cases_of(name):
        if subject.inexact and subject.smooth:
            laws.check_transposition(subject)
        if subject.linear:
            laws.check_transpose_slot(subject)


@every_primitive
def test_vmap_is_a_loop(name):
    for subject in cases_of(name):
        laws.check_vmap(subject, most=6)


@every_primitive
def test_vmap_over_every_choice_of_axes(name):
    chosen = {}
    for subject in cases_of(name):
        ranks = tuple(a.ndim for a in subject.args)
        chosen.setdefault(ranks, subject)
    for subject in chosen.values():
        if subject.args:
            laws.check_vmap(subject, most=60)


@every_primitive
def test_nested_vmap(name):
    for subject in spread_over([s for s in cases_of(name) if s.args], 6):
        laws.check_nested_vmap(subject)


@every_primitive
def test_series_are_nested_derivatives(name):
    for subject in spread_over(wide_subjects(name), 3 if name in SLOW else 12):
        laws.check_series(subject)


@every_primitive
def test_compiled_is_evaluated(name):
    # A named kernel is built for each dtype; `make fuzz` takes all cases.
    most, special_ones = (6, 2) if isinstance(registry[name].lower, Kernel) else (24, 24)
    subjects = cases_of(name)
    special = [s for s in subjects if not s.smooth]
    smooth = [s for s in subjects if s.smooth]
    laws.check_compiled([*spread_over(smooth, most), *spread_over(special, special_ones)])


@pytest.mark.fuzz
@pytest.mark.parametrize("seed", range(1, 6))
@every_primitive
def test_everything_at_other_points(name, seed):
    subjects = subjects_of(name, seed)
    for subject in subjects:
        laws.check_types(subject)
        laws.check_layouts(subject)
        laws.check_vmap(subject, most=400)
        if subject.args:
            laws.check_nested_vmap(subject)
        if subject.inexact and subject.smooth:
            laws.check_transposition(subject)
        if subject.linear:
            laws.check_transpose_slot(subject)
    for subject in wide_subjects(name, seed):
        laws.check_differences(subject)
        laws.check_series(subject)
    laws.check_compiled(subjects)
