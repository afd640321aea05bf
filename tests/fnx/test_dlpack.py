"""Arrays of other libraries: shared where nobody can write to them, copied elsewhere."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import fnx
import fnx.numpy as jnp
from fnx.dlpack import from_dlpack, is_supported_dtype


def test_memory_is_shared_only_if_nobody_can_write_to_it() -> None:
    writeable = np.arange(3.0)
    array = from_dlpack(writeable)
    writeable[0] = 9
    np.testing.assert_array_equal(array, [0, 1, 2])
    assert type(array) is fnx.Array and array.dtype == np.float64
    x = jnp.arange(3.0)
    assert np.shares_memory(from_dlpack(x), np.asarray(x))
    assert not np.shares_memory(from_dlpack(x, copy=True), np.asarray(x))
    assert np.shares_memory(from_dlpack(x, device="cpu", copy=False), np.asarray(x))


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: from_dlpack(np.ones(2), copy=False), ValueError, "copy=False forbids it"),
        (lambda: from_dlpack([1.0]), TypeError, "list has no __dlpack__"),
        (lambda: from_dlpack(np.ones(2), device="gpu"), ValueError, "no device 'gpu'"),
    ],
)
def test_errors(call: Any, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        call()


@pytest.mark.parametrize("name", ["bool", "int8", "uint64", "float16", "float64", "complex64"])
def test_dtypes_that_numpy_hands_over(name: str) -> None:
    assert is_supported_dtype(name) and is_supported_dtype(np.dtype(name))
    x = np.ones(2, name)
    np.testing.assert_array_equal(from_dlpack(x), x)


def test_dtypes_that_it_does_not() -> None:
    assert not is_supported_dtype(jnp.bfloat16) and not is_supported_dtype("bfloat16")
    with pytest.raises((BufferError, TypeError, ValueError)):
        from_dlpack(np.ones(2, jnp.bfloat16))
