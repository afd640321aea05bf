"""The benchmark harness on small workloads: turns, ratios, failures that show, and the report.

What is measured is not looked at here, only that it is measured and told honestly.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.benchmarks import harness
from tests.benchmarks.harness import Measurement, Workload, find_workloads, measure, ratios, spread
from tests.benchmarks.report import BEGIN, END, section, table, write_section

PROGRAM = """
import os
import numpy as np
TITLE = "sum"
ROUND_SECONDS = 0.001

def setup_fnx():
    print("noise between the answers")
    return lambda: np.arange(10.0).sum()

def setup_numpy():
    return lambda: [np.float64(45.0)]

def setup_torch():
    return lambda: np.arange(11.0).sum()

def setup_jax():
    raise LookupError("no such thing")

def setup_other():
    return lambda: 0.0

def setup_numpy_dying():
    os._exit(3)
"""


@pytest.fixture
def measurement(tmp_path, monkeypatch) -> Measurement:
    (tmp_path / "sum.py").write_text(PROGRAM)
    monkeypatch.setattr(harness, "WORKLOADS", tmp_path)
    (workload,) = find_workloads()
    pythons = dict.fromkeys(("fnx", "numpy", "torch", "jax"), sys.executable)
    return measure(workload, pythons, rounds=3, log=tmp_path / "log")


def test_libraries_take_turns_and_failures_show(measurement, tmp_path):
    assert sorted(measurement.seconds) == ["fnx", "numpy"]
    assert all(len(values) == 3 for values in measurement.seconds.values())
    assert all(value > 0 for values in measurement.seconds.values() for value in values)
    assert measurement.failures == {
        "torch": "its result differs from that of fnx",
        "jax": "LookupError: no such thing",
        "other": "not measured: its environment was not named",
        "numpy_dying": "numpy_dying: the worker's process ended",
    }
    assert "noise between the answers" in (tmp_path / "log").read_text()

    text = section([measurement], {}, rounds=3)
    assert "| sum | fnx |" in text
    assert "- sum, jax: LookupError: no such thing" in text


def _workload(*libraries: str) -> Workload:
    return Workload(Path("w.py"), "w", None, libraries, 0.1, 1e-4)


def test_ratios_are_formed_within_a_round():
    measurement = Measurement(
        _workload("fnx", "jax"), {"fnx": [1.0, 2.0, 4.0], "jax": [2.0, 2.0, 2.0]}
    )
    assert ratios(measurement, "fnx", "jax") == [2.0, 1.0, 0.5]
    assert table([measurement]).splitlines()[-1] == (
        "| w | fnx | 2 s | jax | 2 s | 1.00 (0.75 to 1.50) |"
    )


def test_spread_is_median_and_quartiles():
    values = spread([4.0, 1.0, 3.0, 2.0])
    assert (values.low, values.median, values.high) == (1.75, 2.5, 3.25)
    assert spread([7.0]).median == 7.0


def test_the_section_is_replaced_in_its_place(tmp_path):
    page = tmp_path / "docs" / "performance.md"
    write_section(page, f"{BEGIN}\n\nfirst\n\n{END}\n")
    page.write_text(page.read_text() + "\nWhat limits us.\n")
    write_section(page, f"{BEGIN}\n\nsecond\n\n{END}\n")
    text = page.read_text()
    assert text.startswith("# Performance\n")
    assert "first" not in text
    assert text.index("second") < text.index("What limits us.")
    before = text
    write_section(page, f"{BEGIN}\n\nsecond\n\n{END}\n")
    assert page.read_text() == before


def test_every_workload_of_the_folder_compares_us_with_a_peer():
    found = list(find_workloads())
    assert len(found) >= 9
    for workload in found:
        assert workload.title
        assert set(workload.libraries) & set(harness.OURS), workload.path.name
        assert set(workload.libraries) - set(harness.OURS), workload.path.name
