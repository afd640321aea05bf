"""The second process compiles nothing; a damaged store is rebuilt; no Python between kernels."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.warm_process import damage, run_program

TRAINING = ("examples/functional_training.py", ["--steps", "20"])


def without_times(output: str) -> list[str]:
    return [line for line in output.splitlines() if " s, compilation included" not in line]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("second-process") / "store"


def test_training_loop(store: Path) -> None:
    program, arguments = TRAINING
    first = run_program(program, arguments, store, walled_up=False)
    assert first.store["written"] > 0
    assert {p["cache"] for p in first.programs} == {"miss"}
    assert {p["steps_in_python"] for p in first.programs} == {0}

    second = run_program(program, arguments, store, walled_up=True)
    assert without_times(second.output) == without_times(first.output)
    assert second.store["written"] == second.store["misses"] == 0
    assert {p["cache"] for p in second.programs} == {"hit"}
    assert len(second.programs) == len(first.programs) >= 2

    assert damage(store) > 0
    third = run_program(program, arguments, store, walled_up=False)
    assert without_times(third.output) == without_times(first.output)
    assert third.store["rejected"] > 0
    fourth = run_program(program, arguments, store, walled_up=True)
    assert without_times(fourth.output) == without_times(first.output)
