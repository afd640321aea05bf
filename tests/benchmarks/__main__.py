"""`python -m tests.benchmarks`: measures the workloads and writes the table.

`make bench` calls it with the peers' interpreters. `--only PART` runs the workloads whose file name
contains PART, and prints the table without writing the page.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tests.benchmarks.harness import LEAST_ROUNDS, ROOT, find_workloads, measure
from tests.benchmarks.report import section, table, write_record, write_section


def main() -> None:
    """Parse the command line, measure, report."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("--torch-python", help="an interpreter that has torch")
    parser.add_argument("--jax-python", help="an interpreter that has jax")
    parser.add_argument("--rounds", type=int, default=LEAST_ROUNDS)
    parser.add_argument("--only", help="run the workloads whose file name contains this")
    parser.add_argument("--report", type=Path, help="the page that gets the section")
    arguments = parser.parse_args()
    if arguments.rounds < LEAST_ROUNDS and arguments.report is not None:
        parser.error(f"a report needs --rounds of {LEAST_ROUNDS} or more")

    pythons = {"fnx": sys.executable, "numpy": sys.executable}
    if arguments.torch_python:
        pythons["torch"] = arguments.torch_python
    if arguments.jax_python:
        pythons["jax"] = arguments.jax_python

    records = ROOT / "build" / "benchmarks"
    records.mkdir(parents=True, exist_ok=True)
    log = records / "workers.log"
    log.unlink(missing_ok=True)
    measurements = []
    for workload in find_workloads(arguments.only):
        print(f"{workload.title} ...", flush=True)
        measurement = measure(workload, pythons, arguments.rounds, log)
        measurements.append(measurement)
        print("\n".join(table([measurement]).splitlines()[2:]), flush=True)
        for library, reason in measurement.failures.items():
            print(f"  {library}: {reason}", flush=True)
    write_record(records / "rounds.json", measurements)
    text = section(measurements, pythons, arguments.rounds)
    print("\n" + text)
    if arguments.report is not None and arguments.only is None:
        write_section(arguments.report, text)


if __name__ == "__main__":
    main()
