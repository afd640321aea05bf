"""The real JAX runs the programs of tests/fnx/data/jax_programs unchanged, to the stored results.

`make test-peers` runs this in the environment that has jax; `make test` runs the same files by fnx.
"""

from __future__ import annotations

import jax
import pytest

from tests.support.jax_programs import PROGRAMS, assert_stored, run, text_of

pytestmark = pytest.mark.peers


@pytest.mark.parametrize("name", PROGRAMS)
def test_jax_gives_the_stored_results(name: str) -> None:
    jax.config.update("jax_enable_x64", False)  # as a program finds it
    assert_stored(name, run(name, jax, text_of(name)))
