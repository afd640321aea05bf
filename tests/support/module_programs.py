"""Programs on modules, parameters, containers and first values, the same for PyTorch and fnx_nn.

They stand in tests/fnx_nn/data/module_programs.txt: a line ``=== name`` begins a group, a blank
line ends a program. A program sees `torch`, `nn`, `F`, `init`, `utils`, `func`, `copy`, `warnings`,
`OrderedDict`, and

- `show(*values)`: note them; tensors by their shape, dtype and weighted sums, the rest as text;
- `fails(function)`: note what it raises;
- `warns(function)`: note what it warns of, and what it gives;
- `d(*shape)`: a float64 tensor; the same numbers in both.

`notes` runs one; `check_program` compares. PyTorch's notes are stored by
`make_torch_module_references.py`.
"""

from __future__ import annotations

import copy
import importlib
import json
import re
import warnings
from collections import OrderedDict
from typing import Any

import numpy as np

from tests.support.nn_programs import DATA, agree, digest

STORED = DATA / "torch_modules.json"


def read_module_programs() -> dict[str, str]:
    """All programs, by the name of the group and their number in it."""
    programs: dict[str, str] = {}
    text = (DATA / "module_programs.txt").read_text()
    for part in re.split(r"^=== ", text, flags=re.MULTILINE)[1:]:
        group, _, body = part.partition("\n")
        found = [program for program in re.split(r"\n\s*\n", body) if program.strip()]
        programs.update({f"{group} {k}": program for k, program in enumerate(found)})
    return programs


def notes(torch: Any, program: str) -> list[Any]:
    """What a program notes, as a list that JSON can hold."""
    made: list[Any] = []
    rng = np.random.default_rng(7)
    torch.manual_seed(0)

    def show(*values: Any) -> None:
        made.extend(_plain(digest(torch, value)) for value in values)

    def fails(function: Any) -> None:
        try:
            made.append(["no error", _plain(digest(torch, function()))])
        except Exception as error:
            made.append(_plain(f"{type(error).__name__}: {error}"))

    def warns(function: Any) -> None:
        with warnings.catch_warnings(record=True) as raised:
            warnings.simplefilter("always")
            found = function()
        made.append([f"{w.category.__name__}: {w.message}" for w in raised])
        show(found)

    def d(*shape: int) -> Any:
        return torch.from_numpy(np.asarray(rng.uniform(-1, 1, shape)))

    base = torch.__name__
    scope = {
        "torch": torch, "nn": torch.nn, "F": torch.nn.functional, "init": torch.nn.init,
        "utils": torch.nn.utils, "func": importlib.import_module(f"{base}.func"),
        "copy": copy, "warnings": warnings, "OrderedDict": OrderedDict,
        "show": show, "fails": fails, "warns": warns, "d": d,
    }  # fmt: skip
    exec(compile(program, "<program>", "exec"), scope)
    return made


def _plain(value: Any) -> Any:
    """A note as JSON gives it back; the two libraries' names are made the same in texts."""
    if isinstance(value, str):
        value = re.sub(r"\b(fnx_nn|torch)\.nn(\.\w+)*\.(\w+)", r"torch.nn.\3", value)
        return re.sub(r"\bfnx_nn(\.\w+)*\.(\w+)", r"torch.\2", value)
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    return value


def programs_of(*groups: str) -> list[str]:
    """The names of the programs of some groups."""
    return [name for name in read_module_programs() if name.rsplit(" ", 1)[0] in groups]


def check_program(torch: Any, name: str) -> None:
    """Run a program with fnx_nn, and compare its notes with PyTorch's one by one."""
    wanted = json.loads(STORED.read_text())[name]
    found = json.loads(json.dumps(notes(torch, read_module_programs()[name])))
    for k, (want, got) in enumerate(zip(wanted, found, strict=False)):
        assert agree(want, got), f"note {k} of {name}:\nwant {want}\ngot  {got}"
    assert len(found) == len(wanted)
