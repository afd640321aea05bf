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
from tests.support.law_strengths import bounds_of
from tests.support.law_subjects import NAMES, is_wide, spread_over, subjects_of

every_primitive = pytest.mark.parametrize("name", NAMES)


def wide_subjects(name, smooth=True):
    """The cases in double precision with tangents."""
    return [
        s
        for s in subjects_of(name)
        if s.inexact
        and all(is_wide(s.args[k].dtype) for k in s.inexact)
        and (s.smooth or not smooth)
    ]


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
        assert isinstance(primitive.lower, str)
    else:
        assert not isinstance(primitive.lower, Undefined | Derived)


@every_primitive
def test_results_have_the_inferred_types(name):
    for subject in subjects_of(name):
        laws.check_types(subject)


@every_primitive
def test_memory_order_does_not_matter(name):
    for subject in subjects_of(name):
        laws.check_layouts(subject)


@every_primitive
def test_jvp_is_the_limit_of_differences(name):
    for subject in wide_subjects(name):
        laws.check_differences(subject)


@every_primitive
def test_transposition(name):
    for subject in subjects_of(name):
        if subject.inexact and subject.smooth:
            laws.check_transposition(subject)
        if subject.linear:
            laws.check_transpose_slot(subject)


@every_primitive
def test_vmap_is_a_loop(name):
    for subject in subjects_of(name):
        laws.check_vmap(subject, most=6)


@every_primitive
def test_vmap_over_every_choice_of_axes(name):
    chosen = {}
    for subject in subjects_of(name):
        ranks = tuple(a.ndim for a in subject.args)
        chosen.setdefault(ranks, subject)
    for subject in chosen.values():
        if subject.args:
            laws.check_vmap(subject, most=60)


@every_primitive
def test_nested_vmap(name):
    for subject in spread_over([s for s in subjects_of(name) if s.args], 6):
        laws.check_nested_vmap(subject)


@every_primitive
def test_series_are_nested_derivatives(name):
    for subject in spread_over(wide_subjects(name), 12):
        laws.check_series(subject)


@every_primitive
def test_compiled_is_evaluated(name, monkeypatch):
    primitive = registry[name]
    most = 8 if isinstance(primitive.lower, Kernel) else 24
    cases = []
    for subject in spread_over(subjects_of(name), most):
        wanted = laws.evaluated(subject, subject.args)
        cases.append((subject, wanted, bounds_of(subject, subject.args, wanted)))
    for other in registry.values():  # nothing may pass by falling back
        if not isinstance(other.lower, Host):
            monkeypatch.setattr(other, "evaluate", _refuse)
    for case in cases:
        laws.check_compiled(*case)


def _refuse(*args, **params):
    raise AssertionError("a compiled program called evaluate")
