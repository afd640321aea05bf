"""The table of operators and methods: written once, the same for arrays and tracers."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np
import pytest

import fnx
import fnx.numpy as jnp
from fnx.core.array import Array
from fnx.core.operators import install
from fnx.core.tracing import Tracer

BINARY = [operator.add, operator.sub, operator.mul, operator.truediv, operator.floordiv]
BINARY += [operator.mod, operator.pow, operator.lt, operator.le, operator.gt, operator.ge]
BINARY += [operator.eq, operator.ne, divmod]
INTEGER = [operator.and_, operator.or_, operator.xor, operator.lshift, operator.rshift]
UNARY = [operator.neg, operator.pos, abs]

X, Y = np.array([3.0, 5.0, 7.5]), np.array([2.0, 5.0, 4.0])
M, N = np.array([6, 5, 12]), np.array([1, 3, 2])


def same(found: Any, wanted: Any) -> None:
    for f, w in zip(fnx.tree.leaves(found), fnx.tree.leaves(wanted), strict=True):
        np.testing.assert_allclose(f, w, rtol=1e-14)


@pytest.mark.parametrize("op", BINARY, ids=lambda op: op.__name__)
def test_binary_operators_and_their_reflections(op: Any) -> None:
    x, y = jnp.asarray(X), jnp.asarray(Y)
    same(op(x, y), op(X, Y))
    same(op(x, Y), op(X, Y))
    same(op(X, y), op(X, Y))
    same(op(x, 2.0), op(X, 2.0))
    same(op(2.0, x), op(2.0, X))
    same(fnx.jit(op)(x, y), op(X, Y))
    assert all(type(leaf) is Array for leaf in fnx.tree.leaves(op(X, y)))


@pytest.mark.parametrize("op", INTEGER, ids=lambda op: op.__name__)
def test_integer_operators(op: Any) -> None:
    same(op(jnp.asarray(M), jnp.asarray(N)), op(M, N))
    same(op(jnp.asarray(M), 1), op(M, 1))
    same(op(1, jnp.asarray(N)), op(1, N))
    same(fnx.jit(op)(M, N), op(M, N))


@pytest.mark.parametrize("op", UNARY, ids=lambda op: op.__name__)
def test_unary_operators(op: Any) -> None:
    same(op(jnp.asarray(-X)), op(-X))
    same(fnx.jit(op)(-X), op(-X))


def test_matmul() -> None:
    a, b = np.arange(6.0).reshape(2, 3), np.arange(12.0).reshape(3, 4)
    same(jnp.asarray(a) @ b, a @ b)
    same(a @ jnp.asarray(b), a @ b)
    same(fnx.jit(operator.matmul)(a, b), a @ b)


def test_in_place_operators_bind_a_new_array() -> None:
    x = before = jnp.asarray(X)
    x += 1
    x *= 2
    same(x, (X + 1) * 2)
    same(before, X)


@pytest.mark.parametrize("other", ["text", None, object()], ids=["str", "None", "object"])
def test_operands_that_are_no_arrays(other: Any) -> None:
    with pytest.raises(TypeError):
        jnp.asarray(X) + other
    with pytest.raises(TypeError):
        fnx.jit(lambda x: x * other)(X)


def test_another_type_may_take_over() -> None:
    class Takes:
        def __radd__(self, other: Any) -> str:
            return "taken"

    assert jnp.asarray(X) + Takes() == "taken"
    fnx.jit(lambda x: [x, x + Takes()][0])(X)


def test_arrays_and_tracers_have_one_table() -> None:
    for name in ("__add__", "__rmatmul__", "__eq__", "__invert__", "sum", "reshape", "at", "T"):
        assert vars(Array)[name] is vars(Tracer)[name]


def test_the_table_is_written_once() -> None:
    for name in ("__add__", "shape", "sum", "reshape"):
        with pytest.raises(ValueError, match="already defined"):
            install({name: lambda self: None})
