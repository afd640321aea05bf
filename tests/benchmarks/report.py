"""The table of a benchmark run: every ratio, the losing ones included, and what it was run on."""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
import subprocess
from pathlib import Path

from tests.benchmarks.harness import OURS, THREADS, Measurement, ratios, spread

BEGIN = "<!-- written by `make bench`: begin -->"
END = "<!-- written by `make bench`: end -->"

PREAMBLE = """# Performance

Ratios are the peer's time divided by ours, in one run, round by round: above 1 we are faster.
Every workload is a small file in `tests/benchmarks/workloads/`.
"""


def table(measurements: list[Measurement]) -> str:
    """Markdown: one row per workload, library of ours and peer."""
    lines = [
        "| workload | ours | time | peer | time | ratio (quartiles) |",
        "| --- | --- | ---: | --- | ---: | ---: |",
    ]
    for measurement in measurements:
        title, seconds = measurement.workload.title, measurement.seconds
        ours = [name for name in measurement.workload.libraries if name in OURS]
        peers = [name for name in measurement.workload.libraries if name not in OURS]
        for mine in ours:
            for peer in peers:
                lines.append(_row(measurement, title, mine, peer))
            if not peers and mine in seconds:
                lines.append(f"| {title} | {mine} | {_time(seconds[mine])} | | | |")
    return "\n".join(lines)


def section(measurements: list[Measurement], pythons: dict[str, str], rounds: int) -> str:
    """The whole section: what it was run on, the table, the failures."""
    parts = [
        BEGIN,
        f"{platform.machine()}, {_processor()}, {THREADS} threads each, {rounds} rounds; "
        f"{', '.join(_versions(pythons))}.",
        table(measurements),
    ]
    failures = [
        f"- {measurement.workload.title}, {library}: {reason}"
        for measurement in measurements
        for library, reason in measurement.failures.items()
    ]
    if failures:
        parts.append("Without a figure:\n\n" + "\n".join(failures))
    return "\n\n".join([*parts, END]) + "\n"


def write_section(path: Path, text: str) -> None:
    """Put the section in its place in a page, or at the end of it, or into a new page."""
    page = path.read_text(encoding="utf-8") if path.exists() else PREAMBLE
    before, found, rest = page.partition(BEGIN)
    after = rest.partition(END)[2].lstrip("\n") if found else ""
    page = before.rstrip("\n") + "\n\n" + text + ("\n" + after if after else "")
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".new")
    temporary.write_text(page, encoding="utf-8")
    os.replace(temporary, path)


def write_record(path: Path, measurements: list[Measurement]) -> None:
    """Every round's figure, for whoever wants another statistic."""
    record = [
        {
            "workload": measurement.workload.title,
            "seconds": measurement.seconds,
            "failures": measurement.failures,
        }
        for measurement in measurements
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


def _row(measurement: Measurement, title: str, mine: str, peer: str) -> str:
    seconds = measurement.seconds
    ratio = "-"
    if mine in seconds and peer in seconds:
        values = spread(ratios(measurement, mine, peer))
        ratio = f"{values.median:.2f} ({values.low:.2f} to {values.high:.2f})"
    times = [_time(seconds[name]) if name in seconds else "-" for name in (mine, peer)]
    return f"| {title} | {mine} | {times[0]} | {peer} | {times[1]} | {ratio} |"


def _time(values: list[float]) -> str:
    median = spread(values).median
    for unit, scale in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if median >= scale:
            return f"{median / scale:.3g} {unit}"
    return f"{median / 1e-9:.3g} ns"


def _versions(pythons: dict[str, str]) -> list[str]:
    ours = [f"Python {platform.python_version()}"]
    ours += [f"{name} {importlib.metadata.version(name)}" for name in ("numpy", "llvmlite")]
    for name in ("torch", "jax"):
        if name in pythons:
            program = f"import importlib.metadata as m; print(m.version({name!r}))"
            asked = subprocess.run(
                [pythons[name], "-c", program], capture_output=True, text=True, check=True
            )
            ours.append(f"{name} {asked.stdout.strip()}")
    return ours


def _processor() -> str:
    information = Path("/proc/cpuinfo")
    if information.exists():
        for line in information.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or "unknown processor"
