"""The programs of JAX users in tests/fnx/data/jax_programs, and how one is run and compared.

A program is the text of a file ``NAME.py.txt``; what it shows is in its dict `results`. JAX runs
the file as it is, `fnx` runs it with `jax` replaced in the import lines. The results of JAX are in
``NAME.npz``, made by `make_jax_program_references`.
"""

from __future__ import annotations

import re
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

DATA = Path(__file__).parents[1] / "fnx" / "data" / "jax_programs"
ENDING = ".py.txt"

#: The five of every subject, and five longer ones at the top.
PROGRAMS = sorted(
    path.relative_to(DATA).as_posix().removesuffix(ENDING) for path in DATA.rglob(f"*{ENDING}")
)

#: Relative to the largest element of a result; of Newton steps on ill-conditioned matrices, and of
#: many steps of training in single precision, more is lost.
TOLERANCE = {"hessian": 5e-5}


def text_of(name: str) -> str:
    """The program as JAX runs it."""
    return (DATA / f"{name}{ENDING}").read_text(encoding="utf-8")


def for_fnx(text: str) -> str:
    """The program with `jax` replaced in its import lines, and nowhere else."""
    text = re.sub(r"^import jax$", "import fnx as jax", text, flags=re.MULTILINE)
    return re.sub(r"^(import|from) jax\b", r"\1 fnx", text, flags=re.MULTILINE)


def run(name: str, library: ModuleType, text: str) -> dict[str, np.ndarray[Any, Any]]:
    """The leaves of the program's `results`, by path; the setting of widths is put back.

    Parameters
    ----------
    name : str
        For tracebacks.
    library : module
        What the program imports as `jax`.
    text : str
        The program.
    """
    names: dict[str, Any] = {"__name__": name}
    before = library.config.jax_enable_x64
    try:
        exec(compile(text, f"{name}.py", "exec", dont_inherit=True), names)
        leaves = library.tree_util.tree_leaves_with_path(names["results"])
        return {library.tree_util.keystr(where): np.asarray(leaf) for where, leaf in leaves}
    finally:
        library.config.update("jax_enable_x64", before)


def assert_stored(name: str, found: dict[str, np.ndarray[Any, Any]]) -> None:
    """Results have the shapes and dtypes that are stored, and the values within the tolerance."""
    with np.load(DATA / f"{name}.npz") as stored:
        assert sorted(found) == sorted(stored.files)
        for key, value in found.items():
            expected = stored[key]
            assert (value.shape, value.dtype) == (expected.shape, expected.dtype), key
            finite = np.abs(expected[np.isfinite(expected)])
            assert finite.size and not np.any(np.isnan(expected)), key
            scale = max(float(np.max(finite)), 1e-3)
            bound = TOLERANCE.get(name, 5e-6) * scale
            np.testing.assert_allclose(value, expected, rtol=0, atol=bound, err_msg=key)
