"""Fixtures and settings that every test shares.

Here are the seeded generator (`rng`), the golden files (`golden`, with `--update-golden`), the
hypothesis profiles, and a kernel cache of the session's own. Warnings are errors, and markers are
declared, in pyproject.toml.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import zlib
from collections.abc import Callable
from pathlib import Path

import hypothesis
import hypothesis.configuration
import numpy as np
import pytest

from tests.support.golden_files import compare_golden

ROOT = Path(__file__).resolve().parent.parent
GOLDEN = ROOT / "tests" / "golden"

_own_cache: list[str] = []


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-golden",
        action="store_true",
        help="write the golden files anew instead of comparing with them",
    )


def pytest_configure(config: pytest.Config) -> None:
    _choose_hypothesis_profile()
    # Set before fnx is imported: no test may read or fill the user's own cache.
    if "FNX_CACHE_DIR" not in os.environ:
        folder = tempfile.mkdtemp(prefix="fnx-test-cache-")
        _own_cache.append(folder)
        os.environ["FNX_CACHE_DIR"] = folder


def pytest_unconfigure(config: pytest.Config) -> None:
    while _own_cache:
        folder = _own_cache.pop()
        if os.environ.get("FNX_CACHE_DIR") == folder:
            del os.environ["FNX_CACHE_DIR"]
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def rng(request: pytest.FixtureRequest) -> np.random.Generator:
    """A generator seeded by the test's name: the same in every run, another for each test."""
    return np.random.default_rng(zlib.crc32(request.node.name.encode()))


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """`golden("name", text)` compares text with tests/golden/name.txt, or writes it there."""
    update = request.config.getoption("--update-golden")

    def compare(name: str, text: str) -> None:
        compare_golden(GOLDEN / f"{name}.txt", text, update)

    return compare


def _choose_hypothesis_profile() -> None:
    hypothesis.configuration.set_hypothesis_home_dir(ROOT / "build" / "hypothesis")
    hypothesis.settings.register_profile(
        "test", derandomize=True, deadline=None, database=None, print_blob=True
    )
    hypothesis.settings.register_profile(
        "fuzz", derandomize=False, deadline=None, max_examples=2000, print_blob=True
    )
    hypothesis.settings.load_profile("fuzz" if os.environ.get("FNX_FUZZ") == "1" else "test")
