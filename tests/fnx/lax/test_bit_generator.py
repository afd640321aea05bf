"""rng_bit_generator: JAX's bits and states, by both generators; compiled and mapped; errors."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import fnx
from fnx import lax
from tests.support.random_cases import GENERATED, plain, states

STORED = json.loads((Path(__file__).parents[1] / "data" / "jax_random.json").read_text())
STATE = states()["k"]
THREEFRY, PHILOX = lax.RandomAlgorithm.RNG_THREE_FRY, lax.RandomAlgorithm.RNG_PHILOX


@pytest.mark.parametrize("expression", GENERATED)
def test_states_and_bits_are_those_of_jax(expression):
    found = eval(expression, {"lax": lax} | states())
    assert [plain(part) for part in found] == STORED[expression]


@pytest.mark.parametrize("algorithm", [THREEFRY, PHILOX])
def test_compiled_and_mapped(algorithm):
    states = np.stack([STATE, STATE + 1])
    draw = lambda s: lax.rng_bit_generator(s, (3, 5), "uint16", algorithm)  # noqa: E731
    found = fnx.jit(fnx.vmap(draw))(states)
    for k, state in enumerate(states):
        for part, expected in zip(found, draw(state), strict=True):
            np.testing.assert_array_equal(part[k], expected)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: lax.rng_bit_generator(STATE[:2], (3,)), r"key must be uint32 of shape \(4,\)"),
        (lambda: lax.rng_bit_generator(STATE, (3,), "int32"), "dtype must be an unsigned"),
        (lambda: lax.rng_bit_generator(3, (3,)), "key must be"),
    ],
)
def test_errors(call, words):
    with pytest.raises(TypeError, match=f"rng_bit_generator: {words}"):
        call()
