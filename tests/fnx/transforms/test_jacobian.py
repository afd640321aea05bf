"""Jacobians and Hessians on trees, by both modes, with the shapes, types and errors of JAX."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import fnx
import fnx.numpy as jnp

X = np.array([0.3, -1.2, 2.0])
BOTH = pytest.mark.parametrize("jacobian", [fnx.jacfwd, fnx.jacrev])


def differences(function: Any, x: np.ndarray) -> np.ndarray:
    columns = [
        (np.asarray(function(x + s)) - np.asarray(function(x - s))) / 2e-6
        for s in 1e-6 * np.eye(x.size).reshape(x.size, *x.shape)
    ]
    return np.stack(columns, -1).reshape(*columns[0].shape, *x.shape)


@BOTH
def test_against_differences(jacobian: Any) -> None:
    function = lambda x: jnp.outer(jnp.sin(x), x[:2])  # noqa: E731
    for wrap in (lambda f: f, fnx.jit):
        found = wrap(jacobian(function))(X)
        assert found.shape == (3, 2, 3)
        np.testing.assert_allclose(found, differences(function, X), rtol=1e-7, atol=1e-9)
    matrix = np.arange(4.0).reshape(2, 2)
    square = lambda x: x @ x.T  # noqa: E731
    np.testing.assert_allclose(jacobian(square)(matrix), differences(square, matrix), atol=1e-7)


@BOTH
def test_trees(jacobian: Any) -> None:
    found = jacobian(lambda d: {"o": d["a"] * jnp.sum(d["b"])})({"a": X, "b": np.ones(2)})
    np.testing.assert_allclose(found["o"]["a"], 2 * np.eye(3))
    np.testing.assert_allclose(found["o"]["b"], np.repeat(X[:, None], 2, 1))


@BOTH
def test_argnums(jacobian: Any) -> None:
    f = lambda x, y: x * y  # noqa: E731
    assert float(jacobian(f, 1)(2.0, 3.0)) == 2
    assert [float(j) for j in jacobian(f, (0, 1))(2.0, 3.0)] == [3, 2]
    with pytest.raises(TypeError, match="was not given"):
        jacobian(f, 2)(2.0, 3.0)


@BOTH
def test_auxiliary_results(jacobian: Any) -> None:
    found, aux = jacobian(lambda x: (x**2, {"x": x, "name": "aux"}), has_aux=True)(X)
    np.testing.assert_allclose(found, np.diag(2 * X))
    assert aux["name"] == "aux"
    np.testing.assert_array_equal(aux["x"], X)


@BOTH
def test_results_that_do_not_depend(jacobian: Any) -> None:
    np.testing.assert_array_equal(jacobian(lambda x: jnp.ones(2))(X), np.zeros((2, 3)))
    assert jacobian(lambda x: x)(np.zeros(0)).shape == (0, 0)


@BOTH
def test_weakness_and_dtypes(jacobian: Any) -> None:
    assert jacobian(jnp.sin)(1.0).weak_type and not jacobian(jnp.sin)(np.float32(1)).weak_type
    assert jacobian(jnp.sin)(X.astype(np.float32)).dtype == np.float32
    assert fnx.hessian(jnp.sin)(1.0).weak_type


def test_integers() -> None:
    with pytest.raises(TypeError, match="real floats, got ~i32"):
        fnx.jacfwd(lambda x: x)(1)
    with pytest.raises(TypeError, match="the result must be of real floats"):
        fnx.jacrev(lambda x: x.astype(int))(X)
    found = fnx.jacfwd(lambda x: x.astype("int32"))(X)  # zeros, as JAX gives
    assert found.dtype == np.int32 and found.shape == (3, 3) and not np.any(found)
    assert fnx.jacrev(lambda x: x * 1.0, allow_int=True)(1).dtype == fnx.float0


def test_complex() -> None:
    z = np.complex128(1 + 2j)
    for jacobian in (fnx.jacfwd, fnx.jacrev):
        np.testing.assert_allclose(jacobian(lambda z: z**2, holomorphic=True)(z), 2 * z)
        with pytest.raises(TypeError, match="holomorphic=True"):
            jacobian(lambda z: z**2)(z)
    np.testing.assert_allclose(fnx.jacrev(lambda z: jnp.abs(z) ** 2)(z), 2 * np.conj(z))


def test_hessian() -> None:
    def function(p: Any) -> Any:
        return jnp.sum(p["w"] ** 3) * p["b"]

    p = {"w": X, "b": np.float64(2)}
    for wrap in (lambda f: f, fnx.jit):
        found = wrap(fnx.hessian(function))(p)
        np.testing.assert_allclose(found["w"]["w"], np.diag(12 * X), rtol=1e-13)
        np.testing.assert_allclose(found["w"]["b"], 3 * X**2)
        np.testing.assert_allclose(found["b"]["w"], 3 * X**2)
        assert float(found["b"]["b"]) == 0
    value = fnx.hessian(lambda x: (jnp.sum(x**3), "aux"), has_aux=True)(X)
    assert value[1] == "aux" or value[1][1] == "aux"


def test_hessian_of_a_vector_function() -> None:
    found = fnx.hessian(lambda x: x**3)(X)
    assert found.shape == (3, 3, 3)
    np.testing.assert_allclose(np.einsum("iii->i", found), 6 * X)


def test_compositions() -> None:
    f = lambda x: jnp.sum(jnp.tanh(x) ** 2)  # noqa: E731
    batch = np.stack([X, X + 1])
    np.testing.assert_allclose(
        fnx.vmap(fnx.hessian(f))(batch), np.stack([fnx.hessian(f)(x) for x in batch]), rtol=1e-13
    )
    third = fnx.jacfwd(fnx.hessian(f))(X)
    np.testing.assert_allclose(third, fnx.jacrev(fnx.jacrev(fnx.grad(f)))(X), atol=1e-13)
