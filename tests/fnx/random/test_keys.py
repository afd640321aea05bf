"""Keys: words equal to JAX's, eager, compiled and mapped; typed keys; errors."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import fnx
from fnx import random
from tests.support.random_cases import KEYS, drawn

STORED = json.loads((Path(__file__).parents[1] / "data" / "jax_random.json").read_text())
EXPRESSIONS = [e.strip() for e in KEYS.replace("\n", ";").split(";") if e.strip()]


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_words_are_those_of_jax(expression):
    entry = STORED[expression]
    wide = any(word in expression for word in ("64", "2**3", "2**4"))
    with fnx.enable_x64(True if wide else None):
        found = drawn(random, expression)
    assert found.dtype == entry["dtype"] and list(found.shape) == entry["shape"]
    assert np.asarray(found).ravel().tolist() == entry["words"]


def test_wide_seeds_are_not_cut_without_being_asked():
    assert random.PRNGKey(2**40 + 7).tolist() == [2**8, 7]
    assert random.PRNGKey(-1).tolist() == [0, 2**32 - 1]  # an int32
    assert random.PRNGKey(-(2**31) - 1).tolist() == [2**32 - 1, 2**31 - 1]
    assert fnx.jit(random.PRNGKey)(5).tolist() == [0, 5]


def test_compiled_and_mapped():
    k = random.PRNGKey(3)
    np.testing.assert_array_equal(fnx.jit(lambda k: random.split(k, 4))(k), random.split(k, 4))
    numbers = np.arange(5)
    folded = fnx.vmap(random.fold_in, in_axes=(None, 0))(k, numbers)
    for n in numbers:
        np.testing.assert_array_equal(folded[n], random.fold_in(k, n))
    np.testing.assert_array_equal(
        fnx.vmap(random.split)(random.split(k, 3)), [random.split(s) for s in random.split(k, 3)]
    )


def test_typed_keys():
    keys = random.split(random.key(1), 6)
    assert keys.shape == (6,) and keys.ndim == 1 and keys.size == len(keys) == 6
    assert keys.reshape(2, 3).shape == (2, 3) and keys[1:3].shape == (2,)
    assert [k.shape for k in keys] == [()] * 6
    assert repr(keys[0]) == "KeyArray(shape=(), impl=threefry2x32)"
    assert random.key_impl(keys) == "threefry2x32"
    draws = fnx.jit(fnx.vmap(random.normal))(keys)
    raw = random.key_data(keys)
    np.testing.assert_allclose(draws, [random.normal(raw[n]) for n in range(6)], rtol=1e-6)
    wrapped = random.wrap_key_data(raw)
    np.testing.assert_array_equal(random.key_data(wrapped), raw)


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: random.normal(3), TypeError, r"normal|uniform: expected a key"),
        (lambda: random.split(np.zeros(2)), TypeError, "split: expected a key .*f64"),
        (lambda: random.uniform(random.split(random.key(0))), ValueError, "Map with vmap"),
        (lambda: random.PRNGKey(1.5), TypeError, "integer scalar, got ~f32"),
        (lambda: random.PRNGKey(2**64), OverflowError, "64 bits"),
        (lambda: random.key(0, impl="rbg"), ValueError, "'rbg' doesn't exist"),
        (lambda: random.fold_in(random.key(0), 1.5), TypeError, "integer scalar"),
        (lambda: random.wrap_key_data(np.zeros(3, np.uint32)), TypeError, "last axis of 2"),
        (lambda: len(random.key(0)), TypeError, "single key"),
    ],
)
def test_errors(call, error, words):
    with pytest.raises(error, match=words):
        call()
