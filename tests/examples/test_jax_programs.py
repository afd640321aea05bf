"""Five programs as JAX users write them run with only their import lines changed.

They are the files tests/fnx/data/jax_programs/*.py.txt; the results of the real JAX are beside
them, stored by tests/support/make_jax_program_references.py.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fnx

DATA = Path(__file__).parents[1] / "fnx" / "data" / "jax_programs"
PROGRAMS = sorted(path.name.removesuffix(".py.txt") for path in DATA.glob("*.py.txt"))

#: Relative to the largest element of a result; Newton steps on ill-conditioned matrices lose more.
TOLERANCE = {"hessian": 5e-5}


def for_fnx(text: str) -> str:
    """The program with `jax` replaced in its import lines, and nowhere else."""
    text = re.sub(r"^import jax$", "import fnx as jax", text, flags=re.MULTILINE)
    return re.sub(r"^(import|from) jax\b", r"\1 fnx", text, flags=re.MULTILINE)


def run(name: str) -> dict[str, Any]:
    """The leaves of the program's `results`, by path."""
    text = for_fnx((DATA / f"{name}.py.txt").read_text(encoding="utf-8"))
    names: dict[str, Any] = {"__name__": name}
    exec(compile(text, f"{name}.py", "exec"), names)
    leaves = fnx.tree_util.tree_leaves_with_path(names["results"])
    return {fnx.tree_util.keystr(where): leaf for where, leaf in leaves}


def test_there_are_five() -> None:
    assert PROGRAMS == ["custom_vjp", "hessian", "scan_rnn", "training_loop", "vmap_of_grad"]


@pytest.mark.parametrize("name", PROGRAMS)
def test_only_import_lines_change(name: str) -> None:
    before = (DATA / f"{name}.py.txt").read_text(encoding="utf-8").splitlines()
    after = for_fnx("\n".join(before)).splitlines()
    changed = [(b, a) for b, a in zip(before, after, strict=True) if a != b]
    assert changed
    for old, new in changed:
        assert re.match(r"(import|from) jax\b", old) and "jax" not in new.replace(" as jax", "")


@pytest.mark.parametrize("name", PROGRAMS)
def test_results_are_those_of_jax(name: str) -> None:
    found = run(name)
    with np.load(DATA / f"{name}.npz") as stored:
        assert sorted(found) == sorted(stored.files)
        for key, leaf in found.items():
            expected, value = stored[key], np.asarray(leaf)
            assert (value.shape, value.dtype) == (expected.shape, expected.dtype), key
            finite = np.abs(expected[np.isfinite(expected)])
            assert finite.size and not np.any(np.isnan(expected)), key
            scale = max(float(np.max(finite)), 1e-3)
            bound = TOLERANCE.get(name, 5e-6) * scale
            np.testing.assert_allclose(value, expected, rtol=0, atol=bound, err_msg=key)
