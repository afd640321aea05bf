"""Short programs of tensors, the same for PyTorch and for fnx_nn, and what they show.

Each program is text: lines that run with `torch`, `np` and `copy`, and a last line that is an
expression. They stand in tests/fnx_nn/data/{tensor,tape}_programs.txt: a line ``=== name`` begins a
group, a blank line a program. `outcome` runs one and gives the text of the result, or of the error.
PyTorch's outcomes are stored by `make_torch_tensor_references.py`; the tests compare fnx_nn's.
"""

from __future__ import annotations

import copy
import re
from pathlib import Path
from typing import Any

import numpy as np

DATA = Path(__file__).resolve().parents[1] / "fnx_nn" / "data"
NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*(?:e[-+]?\d+)?|\bnan\b|\binf\b)")


def read_programs() -> dict[str, str]:
    """All programs, by the name of the group and their number in it."""
    programs: dict[str, str] = {}
    for file in ("tensor_programs.txt", "tape_programs.txt"):
        for part in re.split(r"^=== ", (DATA / file).read_text(), flags=re.MULTILINE)[1:]:
            group, _, text = part.partition("\n")
            for k, program in enumerate(text.strip().split("\n\n")):
                programs[f"{group} {k}"] = program
    return programs


def outcome(torch: Any, program: str) -> str:
    """What a program gives: the text of its value, or of the error that it raises."""
    scope = {"torch": torch, "np": np, "copy": copy}
    torch.manual_seed(0)
    lines = program.strip().split("\n")
    try:
        exec("\n".join(lines[:-1]), scope)
        text = shown(eval(lines[-1], scope))
    except Exception as error:
        text = f"{type(error).__name__}: {error}"
    return re.sub(r"0x[0-9a-f]+", "0x", text)


def shown(value: Any) -> str:
    """The text of a value; sequences of any kind look alike."""
    if isinstance(value, (tuple, list)) and type(value).__name__ != "Size":
        return "(" + ", ".join(shown(item) for item in value) + ")"
    return repr(value)


def alike(want: str, got: str, tolerance: float = 2e-4) -> bool:
    """Whether two texts are equal, with numbers equal up to a few units of the last digit shown."""
    if want == got:
        return True
    if _skeleton(want) != _skeleton(got):
        return False
    pairs = zip(NUMBER.findall(want), NUMBER.findall(got), strict=True)
    return all(_near(float(a), float(b), tolerance) for a, b in pairs)


def _skeleton(text: str) -> str:
    return NUMBER.sub("#", re.sub(r"\s+", "", text))


def _near(a: float, b: float, tolerance: float) -> bool:
    return a == b or (a != a and b != b) or abs(a - b) <= tolerance * max(abs(a), abs(b), 0.1)
