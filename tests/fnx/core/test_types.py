"""Types of values that don't exist yet; weakness; tangent types."""

from __future__ import annotations

import ml_dtypes
import numpy as np
import pytest

import fnx
import fnx.numpy as jnp
from fnx.core.types import Effect, ShapedArray, float0, tangent_type

F32, I32 = np.dtype(np.float32), np.dtype(np.int32)


def test_equality_and_hash():
    a, b = ShapedArray((2, 3), F32), ShapedArray((2, 3), np.dtype("float32"))
    assert a == b and hash(a) == hash(b) and len({a, b}) == 1
    others = [ShapedArray((3, 2), F32), ShapedArray((2, 3), I32), ShapedArray((2, 3), F32, True)]
    assert all(a != other for other in others) and a != "f32[2,3]"
    assert a.same_type(others[2]) and not a.same_type(others[0]) and not a.same_type(others[1])


def test_size_and_changes():
    a = ShapedArray((2, 3), F32, True)
    assert (a.ndim, a.size, ShapedArray((), F32).size, ShapedArray((0, 5), F32).size) == (
        2,
        6,
        1,
        0,
    )
    assert a.strengthen() == ShapedArray((2, 3), F32) and a.strengthen().strengthen() is not a
    assert a.update(shape=(4,)) == ShapedArray((4,), F32, True)
    assert a.update(dtype=I32, weak_type=False) == ShapedArray((2, 3), I32)


@pytest.mark.parametrize(
    ("aval", "text"),
    [
        (ShapedArray((3, 4), F32), "f32[3,4]"),
        (ShapedArray((), I32, True), "~i32[]"),
        (ShapedArray((2,), np.dtype(ml_dtypes.bfloat16)), "bf16[2]"),
        (ShapedArray((1,), np.dtype(bool)), "bool[1]"),
        (ShapedArray((), np.dtype("complex128")), "c128[]"),
        (ShapedArray((0,), np.dtype("uint8")), "u8[0]"),
    ],
)
def test_repr(aval: ShapedArray, text: str) -> None:
    assert repr(aval) == text


def test_tangent_types():
    for dtype in (np.float32, np.complex64, ml_dtypes.bfloat16):
        assert tangent_type(ShapedArray((2,), np.dtype(dtype), True)) == ShapedArray(
            (2,), np.dtype(dtype)
        )
    for dtype in (np.int32, np.uint8, np.bool_):
        assert tangent_type(ShapedArray((2,), np.dtype(dtype))).dtype == float0


def test_effects_are_told_apart_by_identity():
    one, other = Effect("print"), Effect("print")
    assert repr(one) == "print" and one != other and one.ordered


@pytest.mark.parametrize("dtype", ["int8", "uint8", "bfloat16", "float16", "float64", "complex64"])
def test_python_numbers_yield(dtype: str) -> None:
    x = jnp.ones(2, dtype)
    assert (x + 1).dtype == dtype and (1 * x).dtype == dtype
    assert fnx.jit(lambda x: x + 1)(x).dtype == dtype
    if dtype not in ("int8", "uint8"):
        assert (x * 0.5).dtype == dtype
    else:
        assert (x * 0.5).dtype == np.float32


def test_weakness_goes_through_operations_and_ends_at_strong_ones():
    weak, strong = jnp.asarray(2.0), jnp.asarray(np.float32(2))
    for result in (weak + 1, weak * weak, -weak, jnp.sin(weak), weak.reshape(1), weak[None]):
        assert result.weak_type
    for result in (weak + strong, strong * 2, weak.astype(np.float32), jnp.zeros(2)):
        assert not result.weak_type


def test_weakness_is_the_same_compiled_and_evaluated():
    one = np.float32(1)
    functions = [
        lambda x: x + 1,
        lambda x: x * one,
        lambda x: x - np.float32(0),
        lambda x: x / one,
        lambda x: jnp.negative(jnp.negative(x)),
        lambda x: jnp.where(x > 0, x, 0.0),
        lambda x: (x + one) - one,
        lambda x: jnp.maximum(x, one),
    ]
    for k, function in enumerate(functions):
        for argument in (2.0, np.float32(2)):
            eager, compiled = function(jnp.asarray(argument)), fnx.jit(function)(argument)
            assert eager.aval == compiled.aval, k
