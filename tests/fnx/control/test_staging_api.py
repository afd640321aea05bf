"""make_jaxpr, eval_shape, ShapeDtypeStruct, block_until_ready."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import fnx
import fnx.numpy as jnp

STRUCT = fnx.ShapeDtypeStruct((2, 3), "float32")


def test_make_jaxpr_takes_types_and_values() -> None:
    f = lambda x, n: jnp.sum(x) * n  # noqa: E731
    by_value = fnx.make_jaxpr(f, static_argnums=1)(jnp.ones((2, 3)), 2)
    by_type = fnx.make_jaxpr(f, static_argnums=(-1,))(STRUCT, 2)
    assert str(by_value) == str(by_type)
    closed, shape = fnx.make_jaxpr(lambda x: {"a": x}, return_shape=True)(1.0)
    assert shape == {"a": fnx.ShapeDtypeStruct((), "float32", weak_type=True)}
    keywords = fnx.make_jaxpr(lambda x, y: x + y)(1.0, y=2.0)
    assert len(keywords.in_avals) == 2


def test_eval_shape_computes_nothing() -> None:
    huge = fnx.ShapeDtypeStruct((10**6, 10**6), "float64")
    out = fnx.eval_shape(lambda x, y: {"a": x @ y, "n": 1}, huge, huge)
    assert out["a"] == fnx.ShapeDtypeStruct((10**6, 10**6), "float64")
    assert out["n"].weak_type and out["n"].dtype == np.int32
    assert fnx.jit(lambda x: x + 1).eval_shape(jnp.ones(3)).shape == (3,)
    with pytest.raises(TypeError, match="matmul|dot"):
        fnx.eval_shape(jnp.matmul, STRUCT, STRUCT)


def test_shape_dtype_struct() -> None:
    assert repr(STRUCT) == "ShapeDtypeStruct(shape=(2, 3), dtype=float32)"
    assert (STRUCT.ndim, STRUCT.size, len(STRUCT)) == (2, 6, 2)
    assert fnx.ShapeDtypeStruct([2, 3], np.float32) == STRUCT and STRUCT != "f32[2,3]"
    assert len({STRUCT, fnx.ShapeDtypeStruct((2, 3), "float32")}) == 1
    assert STRUCT.update(shape=(4,)).shape == (4,) and STRUCT.update(dtype="int8").dtype == np.int8
    with pytest.raises(TypeError, match=r"no fields \['size'\]"):
        STRUCT.update(size=3)
    with pytest.raises(TypeError, match="no length"):
        len(fnx.ShapeDtypeStruct((), "float32"))


def test_block_until_ready() -> None:
    tree: Any = {"w": jnp.ones(2), "n": 1, "name": "text"}
    assert fnx.block_until_ready(tree) is tree


def test_errors() -> None:
    for transform in (fnx.make_jaxpr, lambda f: fnx.eval_shape(f)):
        with pytest.raises(TypeError, match="expected a function"):
            transform(3)
    with pytest.raises(TypeError, match="str"):
        fnx.make_jaxpr(lambda x: x)("text")
