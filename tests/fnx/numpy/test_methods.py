"""Operators, methods, properties and Python's protocols of arrays and tracers."""

from __future__ import annotations

import copy
import operator
import pickle

import ml_dtypes
import numpy as np
import pytest

import fnx
import fnx.numpy as jnp

X = np.array([[3.0, 1.0, 2.5], [0.5, -2.0, 4.0]])
ARRAY = jnp.asarray(X)
WHOLE = np.array([5, -3, 2])
BINARY = [
    operator.add, operator.sub, operator.mul, operator.truediv, operator.floordiv, operator.mod,
    operator.pow, divmod, operator.lt, operator.le, operator.gt, operator.ge, operator.eq,
    operator.ne,
]  # fmt: skip
BITS = [operator.and_, operator.or_, operator.xor, operator.lshift, operator.rshift]


def agree(found, expected):
    parts = zip(found, expected, strict=True) if type(found) is tuple else [(found, expected)]
    for part, reference in parts:
        assert isinstance(part, fnx.Array)
        np.testing.assert_allclose(part, reference, rtol=1e-14)


@pytest.mark.parametrize("operation", BINARY, ids=lambda f: f.__name__)
def test_operators(operation):
    y = np.abs(X[::-1]) + 1
    agree(operation(ARRAY, jnp.asarray(y)), operation(X, y))
    agree(operation(ARRAY, y), operation(X, y))
    agree(operation(X, jnp.asarray(y)), operation(X, y))
    agree(operation(ARRAY, 2), operation(X, 2))
    agree(operation(2.5, jnp.asarray(y)), operation(2.5, y))
    agree(fnx.jit(operation)(X, y), operation(X, y))


@pytest.mark.parametrize("operation", BITS, ids=lambda f: f.__name__)
def test_operators_of_bits(operation):
    agree(operation(jnp.asarray(WHOLE), 2), operation(WHOLE, 2))
    agree(operation(7, jnp.asarray(np.abs(WHOLE))), operation(7, np.abs(WHOLE)))


def test_one_operand():
    agree(-ARRAY, -X)
    agree(+ARRAY, X)
    agree(abs(ARRAY), abs(X))
    agree(~jnp.asarray(WHOLE), ~WHOLE)
    agree(round(ARRAY / 3, 1), np.round(X / 3, 1))


@pytest.mark.parametrize("other", [None, "a", [1, 2], {}, object()])
def test_operators_leave_other_classes_alone(other):
    with pytest.raises(TypeError, match="unsupported operand"):
        ARRAY + other
    assert (other == ARRAY) is False and (other != ARRAY) is True


METHODS = [
    lambda x: x.reshape(3, 2), lambda x: x.reshape((3, -1)), lambda x: x.reshape(6, order="F"),
    lambda x: x.transpose(), lambda x: x.transpose(1, 0), lambda x: x.transpose((1, 0)),
    lambda x: x.T, lambda x: x.mT, lambda x: x.flatten(), lambda x: x.ravel(order="F"),
    lambda x: x.squeeze(), lambda x: x.swapaxes(0, 1), lambda x: x.sum(0), lambda x: x.prod(axis=1),
    lambda x: x.max(), lambda x: x.min(0, keepdims=True), lambda x: x.mean(axis=-1),
    lambda x: x.var(ddof=1), lambda x: x.std(0), lambda x: x.any(), lambda x: x.all(1),
    lambda x: x.cumsum(0), lambda x: x.cumprod(),
    lambda x: x.clip(0, 2), lambda x: x.clip(max=1), lambda x: x.conj(), lambda x: x.real,
    lambda x: x.imag, lambda x: x.dot(x.T), lambda x: x.trace(), lambda x: x.diagonal(1),
    lambda x: x.take(np.array([0, 1]), axis=1), lambda x: x.repeat(2, axis=0), lambda x: x.round(0),
    lambda x: x.astype("int8"), lambda x: x.copy(), lambda x: x[1].argsort(),
]  # fmt: skip


@pytest.mark.parametrize("method", METHODS)
def test_methods(method):
    expected = method(X.view(type("_", (np.ndarray,), {"mT": property(lambda a: a.T)})))
    agree(method(ARRAY), np.asarray(expected))
    agree(fnx.jit(method)(X), np.asarray(expected))


def test_sorting_gives_a_new_array():
    agree(ARRAY.sort(axis=0), np.sort(X, axis=0))
    np.testing.assert_array_equal(ARRAY, X)


def test_length_iteration_and_membership():
    assert len(ARRAY) == 2 and [row.tolist() for row in ARRAY] == X.tolist()
    assert [float(x) for x in ARRAY.flat] == X.ravel().tolist()
    assert 2.5 in ARRAY and 9 not in ARRAY
    assert [r.tolist() for r in reversed(ARRAY)] == X[::-1].tolist()
    first, second = ARRAY
    assert first.shape == second.shape == (3,)
    for call in (len, iter):
        with pytest.raises(TypeError, match="has no axes"):
            call(jnp.float32(1))


def test_conversions_to_python_numbers():
    one = jnp.asarray(np.float64(2.75))
    assert (float(one), int(one), complex(one), bool(one)) == (2.75, 2, 2.75 + 0j, True)
    assert one.item() == 2.75 and ARRAY.item(1, 0) == 0.5 and ARRAY.tolist() == X.tolist()
    assert [10, 20, 30][jnp.int32(1)] == 20 and list(range(jnp.uint8(3))) == [0, 1, 2]
    assert f"{one:.1f} {one} {jnp.arange(2)}" == "2.8 2.75 [0 1]"
    for call, words in (
        (lambda: bool(ARRAY), "ambiguous"), (lambda: bool(jnp.zeros(0)), "empty"),
        (lambda: int(ARRAY), "0-d"), (lambda: float(ARRAY), "0-d"),
        (lambda: operator.index(one), "integer"), (lambda: f"{ARRAY:.2f}", "format"),
        (lambda: hash(ARRAY), "unhashable"), (lambda: ARRAY.item(), "size 1"),
    ):  # fmt: skip
        with pytest.raises((TypeError, ValueError), match=words):
            call()


@pytest.mark.parametrize(
    ("array", "text"),
    [
        (jnp.arange(3), "Array([0, 1, 2], dtype=int32)"),
        (jnp.zeros((0, 3)), "Array([], shape=(0, 3), dtype=float32)"),
        (jnp.asarray(2.5), "Array(2.5, dtype=float32, weak_type=True)"),
        (jnp.array(1.5, ml_dtypes.bfloat16), "Array(1.5, dtype=bfloat16)"),
        (jnp.eye(2), "Array([[1., 0.],\n       [0., 1.]], dtype=float32)"),
        (jnp.array([True, False]), "Array([ True, False], dtype=bool)"),
        (jnp.arange(2000), "Array([   0,    1,    2, ..., 1997, 1998, 1999], dtype=int32)"),
        (jnp.array([1 + 2j]), "Array([1.+2.j], dtype=complex64)"),
        (jnp.zeros(0), "Array([], shape=(0,), dtype=float32)"),
    ],
)
def test_printing_as_in_jax(array, text):
    assert repr(array) == text


def test_copies():
    weak = jnp.asarray(2)
    for array in (ARRAY, weak, jnp.zeros(0, ml_dtypes.bfloat16)):
        for twin in (copy.copy(array), copy.deepcopy(array), pickle.loads(pickle.dumps(array))):
            np.testing.assert_array_equal(twin, array)
            assert (twin.dtype, twin.weak_type) == (array.dtype, array.weak_type)
            assert not np.asarray(twin).flags.writeable


def test_data_go_out_without_a_copy():
    data = np.asarray(ARRAY)
    assert data is np.asarray(ARRAY) and not data.flags.writeable
    assert np.shares_memory(np.from_dlpack(ARRAY), data)
    assert np.asarray(ARRAY, np.float32).dtype == np.float32
    assert not np.shares_memory(np.array(ARRAY, copy=True), data)
    with pytest.raises(ValueError, match="copy=False"):
        np.asarray(ARRAY, np.float32, copy=False)
    assert fnx.Array.__doc__ and ARRAY.nbytes == 48 and ARRAY.itemsize == 8 and ARRAY.size == 6


def test_a_traced_value_has_no_number():
    for call in (bool, float, int, operator.index, np.asarray):
        with pytest.raises(TypeError):
            fnx.jit(lambda x, call=call: call(x))(1.0)
