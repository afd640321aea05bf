"""The golden files: stored on request, compared otherwise, with the difference in the message."""

from __future__ import annotations

import pytest

from tests.support.golden_files import GoldenMismatch, compare_golden


def test_a_stored_text_is_compared(tmp_path):
    path = tmp_path / "part" / "program.txt"
    with pytest.raises(GoldenMismatch, match="make golden"):
        compare_golden(path, "a = 1\n", update=False)
    compare_golden(path, "a = 1\nb = 2", update=True)
    assert path.read_text() == "a = 1\nb = 2\n"
    compare_golden(path, "a = 1\nb = 2\n\n", update=False)
    with pytest.raises(GoldenMismatch, match=r"(?s)-b = 2.*\+b = 3"):
        compare_golden(path, "a = 1\nb = 3\n", update=False)
    assert path.read_text() == "a = 1\nb = 2\n"
