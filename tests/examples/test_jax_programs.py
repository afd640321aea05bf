"""Programs as JAX users write them run with only their import lines changed, to the same results.

Five each on custom derivatives, the subjects of the autodiff cookbook, control flow, pytrees and
random numbers, and five longer ones, in tests/fnx/data/jax_programs; the results of the real JAX
are beside them. `make test-peers` runs the same files by JAX.
"""

from __future__ import annotations

import re

import pytest

import fnx
from tests.support.jax_programs import PROGRAMS, assert_stored, for_fnx, run, text_of


def test_there_are_five_of_each() -> None:
    subjects = [name.rpartition("/")[0] for name in PROGRAMS]
    assert {s: subjects.count(s) for s in subjects} == dict.fromkeys(
        ("", "control", "cookbook", "derivatives", "pytrees", "random"), 5
    )


@pytest.mark.parametrize("name", PROGRAMS)
def test_only_import_lines_change(name: str) -> None:
    before = text_of(name).splitlines()
    after = for_fnx("\n".join(before)).splitlines()
    changed = [(b, a) for b, a in zip(before, after, strict=True) if a != b]
    assert changed
    for old, new in changed:
        assert re.match(r"(import|from) jax\b", old) and "jax" not in new.replace(" as jax", "")


@pytest.mark.parametrize("name", PROGRAMS)
def test_results_are_those_of_jax(name: str) -> None:
    assert_stored(name, run(name, fnx, for_fnx(text_of(name))))
