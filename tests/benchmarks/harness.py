"""Interleaved ratios: the libraries take turns, round by round, each in a process of its own.

A workload is a file in `workloads/` with a `TITLE` and one function `setup_LIBRARY` per library,
which returns a callable that does the work once, waits until it is done, and returns the result.
`measure` starts one worker per library, lets them take turns for at least twenty rounds, and
returns the seconds per call of each round. A ratio is formed inside each round, so that what else
the machine does meets both sides. Read next: worker.py (the other end), report.py (the table).
"""

from __future__ import annotations

import json
import math
import os
import select
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.benchmarks.worker import load_workload

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
WORKLOADS = HERE / "workloads"

THREADS = 2
LEAST_ROUNDS = 20
PATIENCE = 600.0  # seconds that one answer may take before the worker counts as lost

# Which environment a library runs in; a setup's name is a library's, or begins with one's and "_".
OURS = ("fnx", "fnx_nn")


@dataclass(frozen=True, slots=True)
class Workload:
    """A workload's file for one case, and the libraries that it has a setup for."""

    path: Path
    title: str
    case: str | None
    libraries: tuple[str, ...]
    round_seconds: float
    tolerance: float


@dataclass(slots=True)
class Measurement:
    """Seconds per call of each round and library, or why a library has none."""

    workload: Workload
    seconds: dict[str, list[float]] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Spread:
    """Median and quartiles."""

    low: float
    median: float
    high: float


class WorkerLost(RuntimeError):
    """The worker's process ended, or gave no answer in time."""


class RemoteWorker:
    """This end of a worker's pipes."""

    def __init__(self, python: str, library: str, log: Path) -> None:
        self.library = library
        self._cache = tempfile.TemporaryDirectory(prefix="fnx-bench-")
        self._log = log.open("ab")
        self._process = subprocess.Popen(
            [python, str(HERE / "worker.py")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            cwd=ROOT,
            env=_environment(self._cache.name),
            preexec_fn=_two_processors if hasattr(os, "sched_setaffinity") else None,
        )
        self._buffer = b""

    def ask(self, request: dict[str, Any]) -> dict[str, Any]:
        """Send one request and wait for its answer."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(request).encode() + b"\n")
            self._process.stdin.flush()
            return json.loads(self._line())
        except BrokenPipeError as error:
            raise WorkerLost(f"{self.library}: the worker's process ended") from error

    def stop(self) -> None:
        """End the process and forget its kernel cache."""
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        self._log.close()
        self._cache.cleanup()

    def _line(self) -> bytes:
        assert self._process.stdout is not None
        descriptor = self._process.stdout.fileno()
        deadline = time.monotonic() + PATIENCE
        while b"\n" not in self._buffer:
            ready, _, _ = select.select([descriptor], [], [], max(0.0, deadline - time.monotonic()))
            if not ready:
                raise WorkerLost(f"{self.library}: no answer within {PATIENCE:.0f} s")
            received = os.read(descriptor, 65536)
            if not received:
                raise WorkerLost(f"{self.library}: the worker's process ended")
            self._buffer += received
        line, _, self._buffer = self._buffer.partition(b"\n")
        return line


def find_workloads(only: str | None = None) -> Iterator[Workload]:
    """The workloads of the folder, one per case, in the order of their file names."""
    for path in sorted(WORKLOADS.glob("*.py")):
        if only is not None and only not in path.stem:
            continue
        module = load_workload(path)
        libraries = tuple(
            name.removeprefix("setup_") for name in vars(module) if name.startswith("setup_")
        )
        for case in getattr(module, "CASES", (None,)):
            yield Workload(
                path=path,
                title=module.TITLE if case is None else f"{module.TITLE}, {case}",
                case=case,
                libraries=libraries,
                round_seconds=getattr(module, "ROUND_SECONDS", 0.05),
                tolerance=getattr(module, "TOLERANCE", 1e-4),
            )


def measure(
    workload: Workload, pythons: dict[str, str], rounds: int = LEAST_ROUNDS, log: Path | None = None
) -> Measurement:
    """Run a workload's libraries in turns.

    Parameters
    ----------
    workload : Workload
        What to run.
    pythons : dict of str to str
        The interpreter of each environment: "fnx", "numpy", "torch", "jax". A library whose
        environment is not named is reported as not measured.
    rounds : int
        How many times each library has its turn.
    log : Path, optional
        The file that gets what the workers print.

    Returns
    -------
    Measurement
        The seconds per call, by library and round, and the failures.
    """
    result = Measurement(workload)
    workers: dict[str, RemoteWorker] = {}
    digests: dict[str, list[float]] = {}
    try:
        for library in workload.libraries:
            python = pythons.get(environment_of(library))
            if python is None:
                result.failures[library] = "not measured: its environment was not named"
                continue
            workers[library] = RemoteWorker(python, library, log or Path(os.devnull))
            request = {
                "do": "load",
                "path": str(workload.path),
                "library": library,
                "case": workload.case,
                "round_seconds": workload.round_seconds,
            }
            answer = _ask(result, workers[library], request)
            if answer is not None:
                digests[library] = answer["digest"]
        _compare(result, digests)
        for turn in range(rounds):
            _one_round(result, workers, turn)
    finally:
        for worker in workers.values():
            worker.stop()
    for library in result.failures:
        result.seconds.pop(library, None)
    return result


def environment_of(library: str) -> str:
    """The environment that a library runs in: fnx_nn in that of fnx, torch_compiled in torch's."""
    return "fnx" if library in OURS else library.split("_")[0]


def ratios(measurement: Measurement, ours: str, peer: str) -> list[float]:
    """Peer's time over ours, for each round: above 1, ours is the faster one."""
    return [
        theirs / mine
        for mine, theirs in zip(measurement.seconds[ours], measurement.seconds[peer], strict=True)
    ]


def spread(values: list[float]) -> Spread:
    """Median and quartiles, by linear interpolation between the neighbours.

    Examples
    --------
    >>> spread([4.0, 1.0, 3.0, 2.0, 5.0])
    Spread(low=2.0, median=3.0, high=4.0)
    """
    ordered = sorted(values)

    def at(share: float) -> float:
        position = share * (len(ordered) - 1)
        below = math.floor(position)
        above = min(below + 1, len(ordered) - 1)
        return ordered[below] + (position - below) * (ordered[above] - ordered[below])

    return Spread(at(0.25), at(0.5), at(0.75))


def _one_round(result: Measurement, workers: dict[str, RemoteWorker], turn: int) -> None:
    # Another one begins each time, so that no library always follows the same one.
    names = list(workers)
    shift = turn % max(1, len(names))
    for library in names[shift:] + names[:shift]:
        if library in result.failures:
            continue
        answer = _ask(result, workers[library], {"do": "round"})
        if answer is not None:
            result.seconds.setdefault(library, []).append(answer["seconds"])
        time.sleep(0.01)  # idle threads of the last one stop spinning


def _ask(
    result: Measurement, worker: RemoteWorker, request: dict[str, Any]
) -> dict[str, Any] | None:
    try:
        answer = worker.ask(request)
    except WorkerLost as lost:
        answer = {"error": str(lost)}
    if "error" in answer:
        result.failures[worker.library] = answer["error"]
        return None
    return answer


def _compare(result: Measurement, digests: dict[str, list[float]]) -> None:
    ours = next((name for name in result.workload.libraries if name in digests), None)
    if ours is None:
        return
    for library, values in digests.items():
        expected = digests[ours]
        scale = max(abs(expected[2]), 1e-30)
        wrong = values[0] != expected[0] or any(
            not abs(mine - theirs) <= result.workload.tolerance * scale
            for mine, theirs in zip(expected[1:], values[1:], strict=True)
        )
        if wrong:
            result.failures[library] = f"its result differs from that of {ours}"


def _environment(cache: str) -> dict[str, str]:
    threads = str(THREADS)
    return {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "FNX_CACHE_DIR": cache,
        "FNX_THREADS": threads,
        "NUMBA_NUM_THREADS": threads,
        "OMP_NUM_THREADS": threads,
        "MKL_NUM_THREADS": threads,
        "OPENBLAS_NUM_THREADS": threads,
        "JAX_PLATFORMS": "cpu",
    }


def _two_processors() -> None:
    # XLA takes its number of threads from the processors that it may use.
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:THREADS])


if sys.platform == "win32":
    raise ImportError("benchmark: the harness waits on pipes with select, which Windows lacks")
