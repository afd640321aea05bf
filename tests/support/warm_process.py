"""Run a program in a process of its own, whose doors to code generation are open or walled up.

`run_program` starts it with a kernel store and returns what it reports: its output, what the store
did, and how the functions that it jitted run. In a walled-up process every entry to code generation
raises: ours, llvmlite's and Numba's (which cannot even be imported).
"""

from __future__ import annotations

import builtins
import contextlib
import dataclasses
import io
import json
import os
import runpy
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]


@dataclasses.dataclass(frozen=True, slots=True)
class Run:
    """What a program reported."""

    output: str
    #: What its process asked of the store: hits, misses, rejected entries, written ones.
    store: dict[str, int]
    #: Of every program that it compiled or found: the steps in Python, and "hit" or "miss".
    programs: list[dict[str, Any]]


def run_program(program: str, arguments: Sequence[str], store: Path, *, walled_up: bool) -> Run:
    """Run a script (``file.py``) or a module (``package.module``) in a new process.

    Parameters
    ----------
    program : str
        A path relative to the project's root, or the name of a module.
    arguments : sequence of str
        Its command line.
    store : Path
        The kernel store.
    walled_up : bool
        Whether entries to code generation raise.
    """
    code = "from tests.support.warm_process import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code, str(int(walled_up)), program, *arguments],
        cwd=ROOT,
        env={**os.environ, "FNX_CACHE_DIR": str(store), "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return Run(**json.loads(done.stdout.splitlines()[-1]))


def damage(store: Path) -> int:
    """Flip a bit in the middle of every entry of a store; how many there are."""
    entries = [path for path in store.rglob("*") if path.is_file()]
    for path in entries:
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 1
        path.write_bytes(content)
    return len(entries)


def main() -> None:
    """What runs in the new process."""
    walled_up, program, *arguments = sys.argv[1:]
    if walled_up == "1":
        wall_up()
    import fnx

    jitted = _remember_what_is_jitted(fnx)
    from fnx.kernels import store

    sys.argv = [program, *arguments]
    output = io.StringIO()
    with contextlib.redirect_stdout(output):
        if program.endswith(".py"):
            runpy.run_path(str(ROOT / program), run_name="__main__")
        else:
            runpy.run_module(program, run_name="__main__", alter_sys=True)
    counts = dataclasses.asdict(store.stats())
    report = {
        "output": output.getvalue(),
        "store": {k: counts[k] for k in ("hits", "misses", "rejected", "written")},
        "programs": [described for f in jitted for described in _programs(f)],
    }
    print(json.dumps(report))


def wall_up() -> None:
    """Let every entry to code generation raise."""
    import llvmlite.binding as llvm

    from fnx.kernels import native

    native.compile_ir = _refusing("fnx.kernels.native.compile_ir")
    native.compile_numba = _refusing("fnx.kernels.native.compile_numba")
    for name in ("parse_assembly", "parse_bitcode", "create_mcjit_compiler"):
        setattr(llvm, name, _refusing(f"llvmlite.binding.{name}"))
    for name in ("emit_object", "emit_assembly"):
        setattr(llvm.TargetMachine, name, _refusing(f"llvmlite.binding.TargetMachine.{name}"))
    assert "numba" not in sys.modules
    builtins.__import__ = _without_numba


_import = builtins.__import__


def _without_numba(name: str, *args: Any, **options: Any) -> Any:
    if name.partition(".")[0] == "numba":
        raise AssertionError(f"{name} was imported")
    return _import(name, *args, **options)


def _refusing(name: str) -> Callable[..., Any]:
    def refuse(*args: Any, **options: Any) -> Any:
        raise AssertionError(f"code was generated: {name} was called")

    return refuse


def _remember_what_is_jitted(fnx: Any) -> list[Any]:
    made: list[Any] = []
    jit = fnx.jit

    def remembering(*args: Any, **options: Any) -> Any:
        function = jit(*args, **options)
        made.append(function)
        return function

    fnx.jit = remembering
    return made


def _programs(function: Any) -> list[dict[str, Any]]:
    found = []
    for entry in function.explain()["programs"]:
        executable = entry["executable"]
        if executable is not None:
            found.append(
                {
                    "function": function.explain()["function"],
                    "steps_in_python": executable.python_calls_between_kernels,
                    "cache": executable.cache,
                }
            )
    return found
