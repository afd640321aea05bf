"""`Array`: immutable, NumPy's buffers at no cost, Python's conversions, JAX's repr."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pytest

import fnx
import fnx.numpy as jnp
from fnx.core.array import Array, adopt, as_array


def test_attributes():
    x = jnp.ones((2, 3))
    assert (x.shape, x.ndim, x.size, x.nbytes, x.itemsize) == ((2, 3), 2, 6, 24, 4)
    assert x.dtype == np.float32 and not x.weak_type
    assert repr(x.aval) == "f32[2,3]"
    assert x.block_until_ready() is x


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: jnp.asarray([1.0, 2.0, 3.0]), "Array([1., 2., 3.], dtype=float32)"),
        (lambda: jnp.asarray(1.0), "Array(1., dtype=float32, weak_type=True)"),
        (lambda: jnp.ones((2, 2)), "Array([[1., 1.],\n       [1., 1.]], dtype=float32)"),
        (lambda: jnp.zeros((0, 3)), "Array([], shape=(0, 3), dtype=float32)"),
        (lambda: jnp.asarray([1 + 2j]), "Array([1.+2.j], dtype=complex64)"),
        (lambda: jnp.asarray([True]), "Array([ True], dtype=bool)"),
    ],
)
def test_repr_is_that_of_jax(make: Any, text: str) -> None:
    assert repr(make()) == text


def test_str_and_format():
    assert str(jnp.asarray([1, 2])) == "[1 2]"
    assert f"{jnp.asarray(3.14159):.3f}" == "3.142"
    assert f"{jnp.asarray([1.0, 2.0])}" == "[1. 2.]"


def test_conversions():
    x = jnp.asarray(3.75)
    assert (float(x), int(x), complex(x), bool(x)) == (3.75, 3, 3.75 + 0j, True)
    assert [10, 20, 30][jnp.asarray(1)] == 20
    assert jnp.asarray([[1, 2]]).tolist() == [[1, 2]]
    assert jnp.asarray([5, 6]).item(1) == 6


@pytest.mark.parametrize(
    ("convert", "error"),
    [
        (lambda: float(jnp.ones(1)), TypeError),
        (lambda: int(jnp.ones(3)), TypeError),
        (lambda: complex(jnp.ones((1, 1))), TypeError),
        (lambda: bool(jnp.ones(2)), ValueError),
        (lambda: [1, 2][jnp.asarray(1.0)], TypeError),
        (lambda: len(jnp.asarray(1)), TypeError),
        (lambda: hash(jnp.ones(2)), TypeError),
        (lambda: {jnp.ones(2)}, TypeError),
    ],
)
def test_conversions_that_mean_nothing(convert: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        convert()


def test_the_error_of_a_conversion_says_what_to_do():
    with pytest.raises(TypeError, match=r"float\(\).*0-d.*f32\[3\].*item"):
        float(jnp.ones(3))


def test_arrays_do_not_change():
    x = jnp.ones(3)
    with pytest.raises(TypeError):
        x[0] = 2.0  # type: ignore[index]
    y = x
    y += 1
    np.testing.assert_array_equal(x, np.ones(3))
    assert not np.asarray(x).flags.writeable
    writable = np.array(x)
    writable[0] = 9
    assert float(x[0]) == 1


def test_data_come_out_without_a_copy():
    x = jnp.arange(4)
    assert np.shares_memory(np.asarray(x), np.asarray(x))
    assert np.shares_memory(np.asarray(x.__buffer__(0)), np.asarray(x))
    assert np.shares_memory(np.from_dlpack(x), np.asarray(x))
    assert np.asarray(x, np.float64).dtype == np.float64
    assert not np.shares_memory(np.array(x, copy=True), np.asarray(x))
    with pytest.raises(ValueError, match="without a copy"):
        np.asarray(x, np.float64, copy=False)


def test_what_a_user_can_write_to_is_copied():
    data = np.ones(3)
    x, view = as_array(data), as_array(data[1:])
    data[:] = 7
    np.testing.assert_array_equal(x, np.ones(3))
    np.testing.assert_array_equal(view, np.ones(2))
    # A read-only view of memory that is still written to elsewhere is copied, too.
    shown = data.view()
    shown.setflags(write=False)
    y = as_array(shown)
    data[:] = 8
    np.testing.assert_array_equal(y, np.full(3, 7))


def test_what_nobody_can_write_to_is_not_copied():
    frozen = np.ones(3)
    frozen.setflags(write=False)
    assert np.shares_memory(as_array(frozen), frozen)
    of_bytes = np.frombuffer(b"\0" * 8, np.int32)
    assert np.shares_memory(as_array(of_bytes), of_bytes)


def test_adopt_freezes_what_it_is_given():
    data = np.ones(3)
    assert adopt(data)._data is data and not data.flags.writeable
    assert adopt(np.float32(2)).shape == ()


@pytest.mark.parametrize("weak", [False, True])
def test_pickle_and_copies(weak: bool) -> None:
    x = adopt(np.arange(3.0), weak)
    again = pickle.loads(pickle.dumps(x))
    assert type(again) is Array and again.weak_type is weak
    np.testing.assert_array_equal(again, x)
    assert copy.copy(x) is x and copy.deepcopy({"x": x})["x"] is x


def test_tracers_count_as_arrays():
    seen: list[bool] = []

    def look(x: Any) -> Any:
        seen.append(isinstance(x, fnx.Array) and isinstance(x, jnp.ndarray))
        assert type(x) is not Array
        assert not isinstance(x, np.ndarray)
        return x

    x = jnp.ones(())
    fnx.jit(look)(x), fnx.grad(look)(x), fnx.jvp(look, (x,), (x,)), fnx.vmap(look)(jnp.ones(2))
    assert seen == [True] * 4
    assert isinstance(x, fnx.Array)
    assert not any(isinstance(y, fnx.Array) for y in (1.0, np.ones(2), [x], None))


def test_comparison_with_what_is_no_array():
    x = jnp.ones(2)
    assert (x == None) is not True  # noqa: E711
    for other in (None, "text"):
        result = x == other
        assert not np.any(result)
