"""Texts stored beside the tests: a change shows as a readable difference, and in review."""

from __future__ import annotations

import difflib
from pathlib import Path


class GoldenMismatch(AssertionError):
    """The text is not the stored one; the message is the difference."""


def compare_golden(path: Path, text: str, update: bool) -> None:
    """Compare a text with the stored one, or store it.

    Parameters
    ----------
    path : Path
        The stored file.
    text : str
        What the test made; line ends at the end do not count.
    update : bool
        Whether to write the file instead.

    Raises
    ------
    GoldenMismatch
        If the file is absent or differs.
    """
    text = text.rstrip("\n") + "\n"
    if update:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return
    if not path.exists():
        raise GoldenMismatch(f"golden file {path.name} does not exist; `make golden` writes it")
    stored = path.read_text(encoding="utf-8")
    if text != stored:
        difference = difflib.unified_diff(
            stored.splitlines(), text.splitlines(), f"stored {path.name}", "now", lineterm=""
        )
        raise GoldenMismatch(
            "\n".join(difference) + "\nIf this change is meant, `make golden` writes it."
        )
