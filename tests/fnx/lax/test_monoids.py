"""`reduce` and `reduce_window` against loops over NumPy arrays."""

from __future__ import annotations

import functools
import itertools

import numpy as np
import pytest

import fnx
import fnx.numpy as jnp
from fnx import lax

OPERATIONS = {
    "add": (lax.add, np.add, 0.0),
    "mul": (lax.mul, np.multiply, 1.0),
    "max": (lax.max, np.maximum, -np.inf),
    "min": (lax.min, np.minimum, np.inf),
    "composed": (lambda x, y: x + y + x * y, lambda x, y: x + y + x * y, 0.0),
}


def loop_over_windows(x, start, combine, window, strides, pads, base, spacing):
    extents = [(n - 1) * d + 1 if n else 0 for n, d in zip(x.shape, base)]
    padded = np.full([n + low + high for n, (low, high) in zip(extents, pads)], start, x.dtype)
    inner = tuple(
        slice(low, low + n, d) for n, d, (low, _) in zip(extents, base, pads, strict=True)
    )
    padded[inner] = x
    spans = [(k - 1) * d + 1 for k, d in zip(window, spacing)]
    counts = [(n - k) // s + 1 for n, k, s in zip(padded.shape, spans, strides)]
    out = np.full(counts, start, x.dtype)
    for place in itertools.product(*map(range, counts)):
        first = [p * s for p, s in zip(place, strides)]
        part = padded[tuple(slice(f, f + k, d) for f, k, d in zip(first, spans, spacing))]
        out[place] = functools.reduce(combine, part.ravel(), out[place])
    return out


@pytest.mark.parametrize("name", OPERATIONS)
@pytest.mark.parametrize("start_is_identity", [True, False])
def test_windows(name, start_is_identity, rng):
    function, combine, identity = OPERATIONS[name]
    start = identity if start_is_identity else 0.25
    x = rng.uniform(-1, 1, (6, 5))
    sizes = ((2, 3), (2, 1), ((1, 0), (1, 2)), (1, 2), (2, 1))
    found = lax.reduce_window(jnp.asarray(x), start, function, *sizes)
    np.testing.assert_allclose(found, loop_over_windows(x, start, combine, *sizes), rtol=1e-14)


@pytest.mark.parametrize("name", ["add", "max", "min", "mul"])
def test_known_functions_become_one_primitive(name):
    function, _, identity = OPERATIONS[name]
    x = jnp.ones((4, 4))
    reduced = fnx.make_jaxpr(lambda x: lax.reduce(x, identity, function, (0,)))(x)
    wanted = {"add": "reduce_sum", "mul": "reduce_prod"}.get(name, f"reduce_{name}")
    assert wanted in str(reduced)
    if name != "mul":
        windows = fnx.make_jaxpr(
            lambda x: lax.reduce_window(x, identity, function, (2, 2), (2, 2), "VALID")
        )(x)
        wanted = "sum" if name == "add" else name
        assert [e.primitive.name for e in windows.jaxpr.eqns] == [f"reduce_window_{wanted}"]


def test_window_padding_by_name(rng):
    x = rng.uniform(-1, 1, 7)
    same = lax.reduce_window(jnp.asarray(x), -np.inf, lax.max, (3,), (2,), "SAME")
    expected = loop_over_windows(x, -np.inf, np.maximum, (3,), (2,), ((1, 1),), (1,), (1,))
    np.testing.assert_array_equal(same, expected)


@pytest.mark.parametrize("name", OPERATIONS)
@pytest.mark.parametrize("axes", [(0,), (1, -1), (0, 1, 2), ()])
def test_reduce(name, axes, rng):
    function, combine, identity = OPERATIONS[name]
    x = rng.uniform(-1, 1, (3, 4, 5))
    expected = x
    for axis in sorted({a % 3 for a in axes}, reverse=True):
        expected = functools.reduce(combine, np.moveaxis(expected, axis, 0))
    expected = combine(expected, 0.5)
    found = lax.reduce(jnp.asarray(x), 0.5, function, axes)
    np.testing.assert_allclose(found, expected, rtol=1e-13)
    del identity


def test_several_operands_and_a_function_of_scalars(rng):
    """The greatest value with its position, chosen by a branch."""
    x = rng.uniform(-1, 1, (4, 9))
    place = np.broadcast_to(np.arange(9), x.shape)

    def later(left, right):
        return lax.cond(left["value"] >= right["value"], lambda: left, lambda: right)

    found = lax.reduce(
        {"value": jnp.asarray(x), "place": jnp.asarray(place)},
        {"value": -np.inf, "place": np.int64(-1)},
        later,
        (1,),
    )
    np.testing.assert_array_equal(found["value"], x.max(1))
    np.testing.assert_array_equal(found["place"], x.argmax(1))


def test_derivative_of_a_composed_reduction(rng):
    x = jnp.asarray(rng.uniform(-1, 1, 7))
    slope = fnx.grad(lambda x: lax.reduce(x, 0.0, lambda a, b: a + b + a * b, (0,)))(x)
    # a + b + a b is (1 + a)(1 + b) - 1.
    np.testing.assert_allclose(slope, np.prod(1 + np.asarray(x)) / (1 + np.asarray(x)), rtol=1e-13)


def test_empty_reductions():
    np.testing.assert_array_equal(lax.reduce(jnp.zeros((0, 2)), 3.0, lambda a, b: a, (0,)), [3, 3])
    assert lax.reduce_window(jnp.zeros((0,)), 0.0, lambda a, b: a, (1,), (1,), "VALID").shape == (
        0,
    )


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: lax.reduce(jnp.ones(3), (0.0,), lax.add, (0,)), ValueError, "structure"),
        (lambda: lax.reduce(jnp.ones(3), jnp.ones(2), lax.add, (0,)), ValueError, "scalar"),
        (lambda: lax.reduce(jnp.ones(3), np.int32(0), lax.add, (0,)), TypeError, "i32"),
        (lambda: lax.reduce(jnp.ones(3), 0.0, lax.add, (1,)), ValueError, "no axis 1"),
        (lambda: lax.reduce(jnp.ones(3), 0.0, lambda a, b: (a,), (0,)), TypeError, "structure"),
        (
            lambda: lax.reduce((jnp.ones(3), jnp.ones(2)), (0.0, 0.0), lambda a, b: a, (0,)),
            ValueError,
            "one shape",
        ),
    ],
)
def test_errors(call, error, words):
    with pytest.raises(error, match=words):
        call()
