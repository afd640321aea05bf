"""Libraries that go by the array API standard take arrays of fnx, and give them back."""

from __future__ import annotations

import os
import subprocess
import sys

from tests.conftest import ROOT


def test_scipy_and_einops():
    environment = {**os.environ, "SCIPY_ARRAY_API": "1", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-m", "tests.support.scipy_array_api_calls"],
        capture_output=True, text=True, cwd=ROOT, env=environment, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    *failures, count = done.stdout.split("\n")[:-1]
    assert not [line for line in failures if line], done.stdout
    assert int(count.split()[0]) >= 40
