"""What users pass becomes arrays and tracers; everything else is refused, with its path."""

from __future__ import annotations

import enum
from typing import Any

import numpy as np
import pytest

import fnx
import fnx.numpy as jnp
from fnx.core.conversion import as_value, is_arraylike


class Wrapped:
    """What asks to be converted."""

    def __jax_array__(self) -> Any:
        return jnp.arange(3)


class Level(enum.IntEnum):
    HIGH = 3


@pytest.mark.parametrize(
    ("value", "dtype", "weak"),
    [
        (1.5, "float32", True),
        (1, "int32", True),
        (1j, "complex64", True),
        (True, "bool", False),
        (np.float64(1), "float64", False),
        (np.int8(1), "int8", False),
        (np.ones(2), "float64", False),
        (Wrapped(), "int32", False),
        (Level.HIGH, "int32", True),
    ],
)
def test_types(value: Any, dtype: str, weak: bool) -> None:
    assert is_arraylike(value)
    out = as_value(value)
    assert (out.dtype.name, out.weak_type) == (dtype, weak)


def test_arrays_and_tracers_are_themselves() -> None:
    x = jnp.ones(2)
    assert as_value(x) is x
    fnx.jit(lambda t: [t, as_value(t) is t or 1 / 0][0])(x)


@pytest.mark.parametrize(
    "value", ["text", None, object(), [1.0], {1}, np.array(["a"]), np.array([None])]
)
def test_what_is_refused(value: Any) -> None:
    with pytest.raises(TypeError, match="loss: params"):
        as_value(value, "loss", "params")


@pytest.mark.parametrize(
    ("call", "path"),
    [
        (lambda: fnx.jit(lambda p: p)({"w": 1.0, "b": "text"}), r"\['b'\]"),
        (lambda: fnx.grad(lambda p: p["w"])({"w": "text"}), r"p\['w'\]"),
        (lambda: fnx.vmap(lambda p: p)([jnp.ones(2), "text"]), r"\[1\]"),
        (lambda: fnx.jvp(lambda p: p, ({"w": "text"},), ({"w": 1.0},)), r"primals\[0\]\['w'\]"),
        (lambda: fnx.jit(lambda x: {"out": "text"})(1.0), r"output of <lambda>: \['out'\]"),
    ],
)
def test_errors_name_the_leaf(call: Any, path: str) -> None:
    with pytest.raises(TypeError, match=path + ".* is str"):
        call()


def test_x64_off_narrows_and_on_widens() -> None:
    with fnx.enable_x64(False):
        assert as_value(np.ones(2)).dtype == np.float32 and as_value(np.int64(1)).dtype == np.int32
    with fnx.enable_x64(True):
        assert as_value(1.0).dtype == np.float64 and as_value(1).dtype == np.int64
    assert as_value(np.ones(2)).dtype == np.float64
