"""Arrays from files, text, buffers and functions, and back."""

from __future__ import annotations

import io

import numpy as np
import pytest

import fnx
import fnx.numpy as jnp


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "int8", "bool", "complex64"])
def test_round_trip(tmp_path, dtype):
    x = jnp.array([[1, 0, 3]], dtype=dtype)
    jnp.save(tmp_path / "x.npy", x)
    found = jnp.load(tmp_path / "x.npy")
    assert isinstance(found, fnx.Array) and found.dtype == x.dtype
    np.testing.assert_array_equal(found, x)


def test_archives():
    buffer = io.BytesIO()
    jnp.savez(buffer, jnp.ones(2), b=jnp.zeros((1, 2), "bfloat16"))
    buffer.seek(0)
    found = jnp.load(buffer)
    assert sorted(found) == ["arr_0", "b"] and found["b"].dtype == jnp.bfloat16
    np.testing.assert_array_equal(found["arr_0"], [1.0, 1.0])


def test_text_is_refused(tmp_path):
    np.save(tmp_path / "words.npy", np.array(["a", "b"]))
    with pytest.raises(TypeError, match="not a numeric dtype"):
        jnp.load(tmp_path / "words.npy")
    np.save(tmp_path / "bytes.npy", np.zeros(2, "V3"))
    with pytest.raises(TypeError, match="load: elements of dtype"):
        jnp.load(tmp_path / "bytes.npy")


def test_buffers_text_and_iterables(tmp_path):
    data = np.arange(4, dtype=np.float32)
    np.testing.assert_array_equal(jnp.frombuffer(data.tobytes(), offset=4, count=2), [1.0, 2.0])
    data.tofile(tmp_path / "raw")
    np.testing.assert_array_equal(jnp.fromfile(tmp_path / "raw"), data)
    np.testing.assert_array_equal(jnp.fromiter((k * k for k in range(3)), int), [0, 1, 4])
    found = jnp.fromstring("1 2 3.5", sep=" ")
    assert found.dtype == "float32"
    np.testing.assert_array_equal(found, [1, 2, 3.5])


def test_fromfunction():
    found = jnp.fromfunction(lambda i, j: i * 10 + j, (2, 3), dtype=int)
    np.testing.assert_array_equal(found, np.fromfunction(lambda i, j: i * 10 + j, (2, 3)))
    found = jnp.fromfunction(lambda i, scale: jnp.stack([i, i * scale]), 3, scale=2.0)
    np.testing.assert_array_equal(found, [[0, 0], [1, 2], [2, 4]])


def test_texts_and_kinds():
    x = jnp.array([1.23456789, 2.0])
    assert jnp.array_repr(x) == repr(x)
    assert jnp.array_str(x, precision=2) == "[1.23 2.  ]"
    assert jnp.array_repr(x, precision=2) == "Array([1.23, 2.  ], dtype=float32)"
    with jnp.printoptions(precision=3):
        assert jnp.array_str(x) == "[1.235 2.   ]"
    assert jnp.isscalar(1.5) and jnp.isscalar(jnp.float32(1)) and not jnp.isscalar(x)
    assert jnp.iterable(x) and jnp.iterable([1]) and not jnp.iterable(jnp.float32(1))
