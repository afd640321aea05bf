"""``x.at[index]``: updates against NumPy's in-place operations, modes, derivatives, errors."""

from __future__ import annotations

import numpy as np
import pytest

import fnx
import fnx.numpy as jnp
from fnx.test_util import check_grads

X = np.arange(1.0, 25.0).reshape(2, 3, 4)
PLACES = np.array([[2, 0], [1, -1]])
MASK = X[0] % 3 == 0
#: Each names no element twice.
DISTINCT = [
    0, (1, 2, 3), (1, -1), slice(None), slice(None, None, -1), (slice(None), slice(0, 3, 2)), None,
    (Ellipsis, 0), (None, 1, None, slice(2)), (slice(None), slice(2, 0, -1), slice(-3, None, 2)),
    (0, PLACES[:, 0]), (slice(None), PLACES[0], PLACES[0]), (0, slice(None), PLACES),
    (Ellipsis, PLACES), (PLACES[0] % 2, slice(None), PLACES[0]), X > 5, (1, MASK), (Ellipsis, MASK),
    True, False, (), Ellipsis, [0, 1], np.zeros(0, int), (slice(9, None), 0),
    (0, slice(None, None, -1), PLACES),
]  # fmt: skip
UFUNCS = {
    "add": np.add, "subtract": np.subtract, "multiply": np.multiply, "mul": np.multiply,
    "divide": np.divide, "min": np.minimum, "max": np.maximum, "power": np.power,
}  # fmt: skip


def _values(index):
    shape = X[index].shape
    return np.linspace(0.5, 2.5, int(np.prod(shape))).reshape(shape)


@pytest.mark.parametrize("index", DISTINCT, ids=repr)
@pytest.mark.parametrize("name", ["set", *UFUNCS])
def test_updates(index, name):
    values, expected = _values(index), X.copy()
    expected[index] = values if name == "set" else UFUNCS[name](expected[index], values)
    found = getattr(jnp.asarray(X).at[index], name)(values)
    np.testing.assert_allclose(found, expected, rtol=1e-15)
    assert found.dtype == X.dtype


@pytest.mark.parametrize("index", DISTINCT, ids=repr)
def test_compiled_updates_getting_and_applying(index):
    expected = X.copy()
    expected[index] = np.sin(expected[index])
    found = fnx.jit(lambda x: x.at[index].apply(jnp.sin))(X)
    np.testing.assert_allclose(found, expected, rtol=1e-14)
    np.testing.assert_array_equal(jnp.asarray(X).at[index].get(), X[index])


@pytest.mark.parametrize("name", ["add", "subtract", "multiply", "divide", "min", "max"])
def test_an_element_named_twice_gets_all_updates(name):
    index, values = np.array([1, 1, 0, 1]), np.array([2.0, 0.5, 4.0, 8.0])
    expected = X[0, :, 0].copy()
    UFUNCS[name].at(expected, index, values)
    found = getattr(jnp.asarray(X[0, :, 0]).at[index], name)(values)
    np.testing.assert_allclose(found, expected, rtol=1e-15)


@pytest.mark.parametrize("name", ["set", "add", "multiply", "min", "max"])
@pytest.mark.parametrize("index", [(slice(None), 1), (0, PLACES), (0, 0, slice(3, None, -2))])
def test_derivatives(name, index):
    # From 3 on, so that none of the values in (0.5, 2.5) is equal to an element.
    def function(x, values):
        return getattr(x.at[index], name)(values)

    check_grads(function, (X + 2, _values(index)), order=2, rtol=1e-5, atol=1e-5)


def test_mapped_updates():
    index = np.array([[0, 2], [1, -1]])
    found = fnx.jit(fnx.vmap(lambda x, i: x.at[i].add(10.0)))(X[:, :, 0], index)
    for lane in range(2):
        expected = X[lane, :, 0].copy()
        np.add.at(expected, index[lane], 10)
        np.testing.assert_array_equal(found[lane], expected)


@pytest.mark.parametrize("index", [5, -7, np.array(5), np.array([5, 5])])
def test_modes(index):
    x = jnp.arange(4.0)
    last = 3 if np.min(index) > 0 else 0
    for mode in ("drop", "fill"):
        np.testing.assert_array_equal(x.at[index].set(9.0, mode=mode), x)
    assert np.isnan(x.at[index].get(mode="fill")).all()
    assert (x.at[index].get(mode="fill", fill_value=-1) == -1).all()
    assert (x.at[index].get(fill_value=-1) == -1).all()
    assert (x.at[index].get(mode="clip") == last).all()
    assert x.at[index].set(9.0, mode="clip")[last] == 9
    with pytest.raises(ValueError, match="mode: 'wrap'"):
        x.at[index].set(9.0, mode="wrap")
    with pytest.raises(ValueError, match="mode: 'around'"):
        x.at[0].get(mode="around")


def test_out_of_bounds_without_a_mode():
    x = jnp.arange(4.0)
    np.testing.assert_array_equal(x.at[np.array([7, 1])].set(9.0), [0, 9, 2, 3])
    with pytest.raises(IndexError, match=r"f32\[4\]: index 7 .*axis 0.*mode='clip'"):
        x.at[7].set(9.0)


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda x: x.at[0].set(np.ones(3)), ValueError, r"f32\[3\] don't fit their place"),
        (lambda x: x.at[:].add(np.ones((2, 4))), ValueError, "don't fit their place"),
        (lambda x: x.at[0].add(1j), TypeError, "without losing information"),
        (lambda x: x.astype(int).at[0].set(1.5), TypeError, "can't store .* astype"),
        (lambda x: x.at[1.5].set(0), TypeError, "an index is float"),
        (lambda x: x.at[:, 0].set(0), IndexError, "too many indices"),
        (lambda x: x.at[x > 0].set(None), TypeError, "NoneType"),
    ],
)
def test_errors(call, error, words):
    with pytest.raises(error, match=words):
        call(jnp.arange(4.0))


def test_assignment_says_what_to_write():
    x = jnp.arange(4.0)
    with pytest.raises(TypeError, match=r"x = x.at\[index\].set\(y\)"):
        x[0] = 1
