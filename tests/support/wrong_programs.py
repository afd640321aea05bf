"""Wrong programs, each with what fnx must say about it.

A wrong program is a function that makes one mistake, on the line that ends with ``# <- wrong``.
`wrong` writes down what the error must tell, field by field, before the program that provokes it:

    @wrong(
        "matmul",                                   # the operation, first in the message
        ShapeError, ValueError,                     # the class of fnx, the builtin that it is
        remedy="Transpose one operand",             # what to do
        types=("f32[3,4]", "f32[5,6]"),             # shapes and dtypes, as Jaxprs write them
        arguments=("params['w']", "x"),             # what the user calls the operands
    )
    def inner_sizes_of_a_product() -> None: ...

The programs are in `wrong_operations`, `wrong_arrays`, `wrong_conversions`, `wrong_transforms` and
`wrong_control`;
`tests/fnx/test_wrong_programs.py` runs them.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = ["WRONG_PROGRAMS", "Wrong", "wrong"]


@dataclass(frozen=True, slots=True)
class Wrong:
    """A wrong program, and what its error must say."""

    program: Callable[[], Any]
    operation: str
    kind: type[Exception]
    builtin: type[Exception]
    remedy: str
    types: tuple[str, ...]
    arguments: tuple[str, ...]

    @property
    def name(self) -> str:
        """The name of the program."""
        return self.program.__name__

    @property
    def place(self) -> str:
        """File and line of the mistake, without the folders."""
        lines, first = inspect.getsourcelines(self.program)
        (marked,) = [k for k, line in enumerate(lines) if line.rstrip().endswith("# <- wrong")]
        return f"{Path(inspect.getfile(self.program)).name}:{first + marked}"


#: All of them, in the order of their definition.
WRONG_PROGRAMS: list[Wrong] = []


def wrong(
    operation: str,
    kind: type[Exception],
    builtin: type[Exception],
    *,
    remedy: str,
    types: tuple[str, ...] = (),
    arguments: tuple[str, ...] = (),
) -> Callable[[Callable[[], Any]], Callable[[], Any]]:
    """Write down what the error of the program below must say."""

    def add(program: Callable[[], Any]) -> Callable[[], Any]:
        found = Wrong(program, operation, kind, builtin, remedy, types, arguments)
        WRONG_PROGRAMS.append(found)
        return program

    return add
