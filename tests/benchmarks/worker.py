"""One long-lived process per library: loads workloads and times rounds of them on request.

It is run as a script by the interpreter of the library's own environment, so it uses the standard
library and NumPy only. Requests and answers are lines of JSON on standard input and output:

    {"do": "load", "path": ..., "library": "fnx", "case": ..., "round_seconds": ...}
        -> {"number": calls per round, "digest": [size, sum, sum of absolute values] of the result}
    {"do": "round"} -> {"seconds": per call}
    {"do": "stop"}

An answer {"error": ...} takes the place of the one asked for. Read next: harness.py.
"""

from __future__ import annotations

import importlib.util
import json
import os
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np


class Worker:
    """The workload in hand and how often a round calls it."""

    def __init__(self) -> None:
        self.run: Callable[[], Any] | None = None
        self.number = 1

    def load(self, path: str, library: str, case: Any, round_seconds: float) -> dict[str, Any]:
        """Set a workload up, warm it up, and choose how many calls make a round."""
        workload = load_workload(Path(path))
        setup = getattr(workload, f"setup_{library}")
        self.run = setup() if case is None else setup(case)
        result = self.run()
        if not getattr(workload, "COLD", False):
            self.run()
        start = time.perf_counter()
        self.run()
        once = time.perf_counter() - start
        self.number = 1
        while self.number * once < round_seconds and self.number < 1_000_000:
            self.number *= 2
            once = self.round()["seconds"] if self.number * once > round_seconds / 16 else once
        return {"number": self.number, "digest": digest(result)}

    def round(self) -> dict[str, float]:
        """The seconds per call of one round."""
        run, number = self.run, self.number
        assert run is not None
        start = time.perf_counter()
        for _ in range(number):
            run()
        return {"seconds": (time.perf_counter() - start) / number}


def load_workload(path: Path) -> Any:
    """The module in a workload's file, which need not be importable by name."""
    name = f"workload_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"benchmark: {path} is not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def digest(result: Any) -> list[float]:
    """Size, sum and sum of absolute values, to see that every library did the same work."""
    size, total, absolute = 0, 0.0, 0.0
    pending = [result]
    while pending:
        item = pending.pop()
        if isinstance(item, dict):
            pending.extend(item.values())
        elif isinstance(item, list | tuple):
            pending.extend(item)
        else:
            if hasattr(item, "detach"):
                item = item.detach()
            values = np.asarray(item, dtype=np.float64)
            size += values.size
            total += float(values.sum())
            absolute += float(np.abs(values).sum())
    return [size, total, absolute]


def main() -> None:
    # What libraries print must not get between the answers.
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    worker = Worker()
    for line in sys.stdin:
        request = json.loads(line)
        action = request.pop("do")
        if action == "stop":
            return
        try:
            answer = worker.load(**request) if action == "load" else worker.round()
        except Exception as error:
            # The other end reports it in the table; the traceback goes to the log.
            traceback.print_exc()
            answer = {"error": f"{type(error).__name__}: {error}".splitlines()[0]}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
