"""The slots that mathematics leaves empty, with their reasons: a new one shows in review."""

from __future__ import annotations

from fnx.core.primitive import SLOTS, Undefined
from tests.support.law_subjects import NAMES, registry


def test_undefined_slots(golden):
    lines = [
        f"{name}.{slot}: {found.why}"
        for name in NAMES
        for slot in SLOTS
        if isinstance(found := getattr(registry[name], slot), Undefined)
    ]
    golden("undefined_slots", "\n".join(lines))
