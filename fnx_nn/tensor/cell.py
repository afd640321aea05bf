"""`Cell`: the version counter that a tensor shares with its views.

The memory itself is shared by NumPy: tensors that alias hold ndarray views of one buffer. The cell
counts the writes to it, so that the tape can tell whether something it saved was changed since.
Cells are made when the first view, write or save asks for one.
Read next: `tensor`.
"""

from __future__ import annotations

__all__ = ["Cell"]


class Cell:
    """How often a piece of memory was written to."""

    __slots__ = ("version",)

    def __init__(self) -> None:
        self.version = 0
