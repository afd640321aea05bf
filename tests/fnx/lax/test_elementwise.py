"""Functions of several operands with Python numbers and scalars among them, as JAX takes them."""

from __future__ import annotations

import numpy as np
import pytest

import fnx
import fnx.numpy as jnp
from fnx import lax
from fnx.lax import elementwise

X = np.array([1.0, 2.0, 3.0])
WHOLE = np.array([3, -4, 5], np.int8)


@pytest.mark.parametrize(
    ("name", "numpy"),
    [
        ("add", np.add), ("sub", np.subtract), ("mul", np.multiply), ("div", np.divide),
        ("rem", np.fmod), ("max", np.maximum), ("min", np.minimum), ("eq", np.equal),
        ("ne", np.not_equal), ("lt", np.less), ("le", np.less_equal), ("gt", np.greater),
        ("ge", np.greater_equal), ("nextafter", np.nextafter), ("atan2", np.arctan2),
        ("pow", np.power), ("complex", lambda x, y: x + 1j * y),
    ],
)  # fmt: skip
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_number_takes_the_dtype_and_shape_of_an_array(name, numpy, dtype):
    function, x = getattr(lax, name), X.astype(dtype)
    for number in (2.0, np.asarray(2, dtype), jnp.asarray(2, dtype)):
        expected = numpy(x, np.asarray(2, dtype))
        for found in (function(x, number), fnx.jit(lambda x, n=number: function(x, n))(x)):
            assert found.dtype == expected.dtype and not found.weak_type
            np.testing.assert_allclose(found, expected, rtol=1e-6)
        np.testing.assert_allclose(function(number, x), numpy(np.asarray(2, dtype), x), rtol=1e-6)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("bitwise_and", WHOLE & 3), ("bitwise_or", WHOLE | 3), ("bitwise_xor", WHOLE ^ 3),
        ("shift_left", WHOLE << 3), ("shift_right_arithmetic", WHOLE >> 3),
        ("shift_right_logical", (WHOLE.view(np.uint8) >> 3).view(np.int8)),
        ("add", WHOLE + np.int8(3)),
        ("mulhi", (WHOLE.astype(int) * 3) >> 8),
    ],
)  # fmt: skip
def test_integers(name, expected):
    found = getattr(lax, name)(WHOLE, 3)
    assert found.dtype == np.int8
    np.testing.assert_array_equal(found, expected)


def test_numbers_alone_stay_weak():
    for found in (lax.add(1.0, 2.0), lax.sin(1.0), lax.neg(1), lax.expand_dims(2.0, (0,))):
        assert found.weak_type
    assert lax.lt(1, 2) and float(lax.integer_pow(2.0, 3)) == 8
    assert lax.reshape(2.0, (1, 1)).shape == (1, 1)
    assert lax.convert_element_type(1.5, np.int8).dtype == np.int8


def test_choosing_and_limiting():
    np.testing.assert_array_equal(lax.clamp(1.5, X, 2.5), [1.5, 2, 2.5])
    np.testing.assert_array_equal(lax.select(True, X, -X), X)
    assert float(lax.select_n(False, 1.0, 2.0)) == 1


def test_integer_exponents():
    np.testing.assert_array_equal(lax.pow(X, 2), X**2)
    np.testing.assert_array_equal(lax.pow(X, np.array([0, 1, 2])), X ** np.arange(3))
    assert float(fnx.grad(lambda x: lax.pow(x, 2))(np.float64(0))) == 0


def test_loops_with_numbers():
    found = fnx.jit(lambda n: lax.while_loop(lambda c: lax.lt(c, 10), lambda c: lax.mul(c, 3), n))(
        1
    )
    assert int(found) == 27


def test_every_function_here_is_the_one_of_lax():
    for name in set(elementwise.__all__) - {"matched"}:  # which its neighbours use
        assert getattr(lax, name) is getattr(elementwise, name)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: lax.add(X, 1), r"add: dtypes must be equal, got f64\[3\]"),
        (lambda: lax.add(WHOLE, 1.5), r"add: dtypes must be equal, got i8\[3\]"),
        (lambda: lax.add(X, np.float32(1)), "add: dtypes must be equal"),
        (lambda: lax.clamp(0, X, 1), "clamp"),
        (lambda: lax.add([1.0], X), "add: argument 0 is list"),
        (lambda: lax.exp(1), r"exp: operand 0 is ~i32\[\]"),
        (lambda: lax.select(X > 0, X, 0.0), "select_n"),
        (lambda: lax.add(X, np.ones(2)), "add"),
    ],
)
def test_errors(call, words):
    with pytest.raises((TypeError, ValueError), match=words):
        call()
