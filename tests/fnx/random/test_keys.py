"""Keys: words equal to JAX's, eager, compiled and mapped; typed keys; errors."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import fnx
from fnx import random
from tests.support.random_cases import KEYS, drawn, expressions, wide

STORED = json.loads((Path(__file__).parents[1] / "data" / "jax_random.json").read_text())


@pytest.mark.parametrize("expression", expressions(KEYS))
def test_words_are_those_of_jax(expression):
    entry = STORED[expression]
    with fnx.enable_x64(True if wide(expression) else None):
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


def test_the_dtype_of_keys():
    keys = random.split(random.key(1))
    assert keys.dtype == random.key_dtype() == random.key_dtype("threefry2x32")
    assert repr(keys.dtype) == "key<fry>" and keys.dtype.itemsize == 8
    assert fnx.dtypes.issubdtype(keys.dtype, fnx.dtypes.prng_key)
    assert not fnx.dtypes.issubdtype(random.key_data(keys).dtype, fnx.dtypes.prng_key)
    same = random.key(1, dtype=keys.dtype), random.key(1, impl="threefry2x32")
    assert [random.key_data(k).tolist() for k in same] == [[0, 1], [0, 1]]
    assert random.wrap_key_data(random.PRNGKey(1), dtype="threefry2x32").dtype == keys.dtype


def test_settings():
    with fnx.enable_custom_prng(True):
        typed = random.PRNGKey(4)
        assert isinstance(typed, random.KeyArray)
        assert isinstance(random.split(random.key_data(typed)), random.KeyArray)
    assert random.key_data(typed).tolist() == random.PRNGKey(4).tolist()
    with fnx.default_prng_impl("threefry2x32"):
        assert random.key_impl(random.key(0)) == "threefry2x32"
    with pytest.raises(ValueError, match="default_prng_impl.*rbg"), fnx.default_prng_impl("rbg"):
        pass
    fnx.config.update("jax_random_seed_offset", 7)
    try:
        moved = random.PRNGKey(3), fnx.jit(random.PRNGKey)(3)
    finally:
        fnx.config.update("jax_random_seed_offset", 0)
    assert [k.tolist() for k in moved] == [[0, 10], [0, 10]]


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: random.normal(3), TypeError, r"normal|uniform: expected a key"),
        (lambda: random.split(np.zeros(2)), TypeError, "split: expected a key .*f64"),
        (lambda: random.uniform(random.split(random.key(0))), ValueError, "Map with vmap"),
        (lambda: random.PRNGKey(1.5), TypeError, "integer scalar, got ~f32"),
        (lambda: random.PRNGKey(2**64), OverflowError, "64 bits"),
        (lambda: random.key(0, impl="rbg"), ValueError, "'rbg' doesn't exist"),
        (lambda: random.key(0, impl="threefry2x32", dtype="x"), ValueError, "impl or dtype"),
        (lambda: random.key_dtype("philox"), ValueError, "key_dtype: the generator 'philox'"),
        (lambda: random.key(random.key(0)), TypeError, "must be an integer scalar, got a key"),
        (lambda: random.fold_in(random.key(0), 1.5), TypeError, "integer scalar"),
        (lambda: random.wrap_key_data(np.zeros(3, np.uint32)), TypeError, "last axis of 2"),
        (lambda: len(random.key(0)), TypeError, "single key"),
    ],
)
def test_errors(call, error, words):
    with pytest.raises(error, match=words):
        call()
