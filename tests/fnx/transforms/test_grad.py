"""Reverse mode as users call it: grad, value_and_grad, vjp, linear_transpose; types and errors."""

from __future__ import annotations

import collections
import dataclasses
from typing import Any

import numpy as np
import pytest

import fnx
import fnx.numpy as jnp
from fnx import lax

X = np.array([0.3, -1.2, 2.0])
Point = collections.namedtuple("Point", "a b")


@fnx.tree_util.register_dataclass
@dataclasses.dataclass
class Weights:
    w: Any
    b: Any


def loss(w: Any, x: Any) -> Any:
    return jnp.sum(jnp.tanh(x * w) ** 2) + jnp.prod(jnp.cos(w))


@pytest.mark.parametrize("wrap", [lambda f: f, fnx.jit], ids=["eager", "compiled"])
def test_against_differences(wrap: Any) -> None:
    value, gradient = wrap(fnx.value_and_grad(loss))(X, X[::-1].copy())
    steps = 1e-6 * np.eye(3)
    wanted = [float(loss(X + s, X[::-1]) - loss(X - s, X[::-1])) / 2e-6 for s in steps]
    np.testing.assert_allclose(gradient, wanted, rtol=1e-7)
    np.testing.assert_allclose(value, loss(X, X[::-1]), rtol=1e-13)
    np.testing.assert_array_equal(wrap(fnx.grad(loss))(X, X[::-1].copy()), gradient)


@pytest.mark.parametrize(
    "tree",
    [
        {"a": 2.0, "b": (3.0, None)},
        [2.0, [3.0]],
        Point(2.0, 3.0),
        Weights(2.0, 3.0),
        collections.OrderedDict(z=2.0, a=3.0),
    ],
    ids=lambda t: type(t).__name__,
)
def test_gradients_have_the_structure_of_their_argument(tree: Any) -> None:
    def product(t: Any) -> Any:
        first, second = fnx.tree.leaves(t)
        return first * second

    found = fnx.grad(product)(tree)
    assert type(found) is type(tree) and fnx.tree.structure(found) == fnx.tree.structure(tree)
    assert sorted(float(g) for g in fnx.tree.leaves(found)) == [2, 3]


def test_argnums() -> None:
    f = lambda x, y, z=1.0: x * y * y + z  # noqa: E731
    assert float(fnx.grad(f, 1)(2.0, 3.0)) == 12
    assert float(fnx.grad(f, -1)(2.0, 3.0)) == 12
    pair = fnx.grad(f, (1, 0))(2.0, 3.0)
    assert type(pair) is tuple and [float(g) for g in pair] == [12, 9]
    assert type(fnx.grad(f, [0])(2.0, 3.0)) is tuple
    assert float(fnx.grad(f)(2.0, 3.0, z=5.0)) == 9


@pytest.mark.parametrize(
    ("argnums", "error", "words"),
    [
        (3, TypeError, "was not given: the call has 2"),
        ((0, 0), ValueError, "names an argument twice"),
        ((0, -2), ValueError, "names an argument twice"),
        ("x", TypeError, "must be integers"),
    ],
)
def test_argnums_that_mean_nothing(argnums: Any, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        fnx.grad(lambda x, y: x * y, argnums)(2.0, 3.0)


def test_auxiliary_results_may_be_anything() -> None:
    def with_aux(x: Any) -> Any:
        return x**2, {"name": "loss", "doubled": x * 2, "n": 3, "array": np.ones(2)}

    gradient, aux = fnx.grad(with_aux, has_aux=True)(3.0)
    (value, again), same = fnx.value_and_grad(with_aux, has_aux=True)(3.0)
    assert (float(gradient), float(value), float(same)) == (6, 9, 6)
    for found in (aux, again):
        assert found["name"] == "loss" and found["n"] == 3 and type(found["array"]) is np.ndarray
        assert type(found["doubled"]) is fnx.Array
    compiled = fnx.jit(lambda x: fnx.grad(with_aux, has_aux=True)(x)[1]["doubled"])
    assert float(compiled(3.0)) == 6
    second = fnx.grad(lambda x: fnx.grad(with_aux, has_aux=True)(x)[1]["doubled"])
    assert float(second(3.0)) == 2
    with pytest.raises(TypeError, match=r"must give a pair \(out, aux\)"):
        fnx.grad(lambda x: x, has_aux=True)(1.0)


@pytest.mark.parametrize(
    ("function", "argument", "words"),
    [
        (lambda x: x, X, r"must give a scalar, it gave f64\[3\]"),
        (lambda x: x, np.ones(1), "must give a scalar"),
        (lambda x: (x, x), 1.0, "must give one scalar"),
        (lambda x: None, 1.0, "must give one scalar"),
        (lambda x: 3, 1.0, "must give a float"),
        (lambda x: x * 1j, 1.0, "real number"),
        (lambda x: x, 1, r"x is ~i32\[\].*allow_int(.|\n)*test_grad.py"),
        (lambda x: x, True, "bool"),
        (lambda x: x["w"], {"w": "text"}, r"x\['w'\] is str"),
        (lambda p: p["b"] * 1.0, {"w": 1.0, "b": 1}, r"p\['b'\] is ~i32"),
    ],
)
def test_errors_name_the_argument_and_the_type(function: Any, argument: Any, words: str) -> None:
    with pytest.raises(TypeError, match=words):
        fnx.grad(function)(argument)


def test_what_is_no_function() -> None:
    with pytest.raises(TypeError, match=r"Write grad\(f\)\(x\), not grad\(f\(x\)\)"):
        fnx.grad(3.0)  # type: ignore[arg-type]


def test_integers_on_request() -> None:
    for_x, for_n = fnx.grad(lambda x, n: x * n, (0, 1), allow_int=True)(2.0, 3)
    assert float(for_x) == 3 and for_n.dtype == fnx.float0 and for_n.shape == ()


def test_complex_arguments_of_real_functions_have_the_conjugate_convention() -> None:
    z = np.complex128(1 + 2j)
    np.testing.assert_allclose(fnx.grad(lambda z: jnp.abs(z) ** 2)(z), 2 * np.conj(z))
    np.testing.assert_allclose(fnx.grad(lambda z: jnp.real(z * z))(z), 2 * z)
    np.testing.assert_allclose(fnx.grad(lambda z: jnp.imag(z * z))(z), -2j * z)


def test_holomorphic() -> None:
    z = np.complex128(1 + 2j)
    np.testing.assert_allclose(fnx.grad(lambda z: z**3, holomorphic=True)(z), 3 * z**2)
    np.testing.assert_allclose(fnx.grad(jnp.exp, holomorphic=True)(z), np.exp(z))
    with pytest.raises(TypeError, match="arguments must be complex"):
        fnx.grad(lambda x: x, holomorphic=True)(1.0)
    with pytest.raises(TypeError, match="must give a complex number"):
        fnx.grad(jnp.abs, holomorphic=True)(z)


def test_vjp() -> None:
    out, pull = fnx.vjp(lambda x, y: {"p": x * y, "s": jnp.sum(x)}, X, 2.0)
    for _ in range(2):  # as often as one likes
        for_x, for_y = pull({"p": X, "s": 3.0})
        np.testing.assert_allclose(for_x, 2 * X + 3)
        np.testing.assert_allclose(for_y, np.sum(X * X), rtol=1e-6)
    np.testing.assert_allclose(
        fnx.vmap(lambda c: pull({"p": c, "s": 0.0})[0])(np.eye(3)), 2 * np.eye(3)
    )
    np.testing.assert_allclose(fnx.jit(lambda c: pull({"p": c, "s": 0.0})[0])(X), 2 * X)


def test_vjp_without_arguments_and_with_auxiliary_results() -> None:
    out, pull = fnx.vjp(lambda: 2.0)
    assert pull(1.0) == ()
    out, pull, aux = fnx.vjp(lambda x: (x * 2, "text"), 2.0, has_aux=True)
    assert aux == "text" and float(pull(1.0)[0]) == 2


@pytest.mark.parametrize(
    ("cotangent", "words"),
    [
        ([1.0, X], "structure of the result"),
        ((1.0,), "structure of the result"),
        ((1, X), r"cotangent\[0\] must be f32\[\]"),
        ((1.0, 1.0), r"cotangent\[1\] must be f64\[3\], got ~f32\[\]"),
        ((1.0, X.astype(np.float32)), r"got f32\[3\](.|\n)*test_grad.py"),
    ],
)
def test_cotangents_that_do_not_fit(cotangent: Any, words: str) -> None:
    _, pull = fnx.vjp(lambda x: (x * 2, jnp.asarray(X) * x), 2.0)
    with pytest.raises(ValueError, match=words):
        pull(cotangent)


def test_python_numbers_are_cotangents_and_tangents_of_any_float() -> None:
    for dtype in ("float64", "bfloat16"):
        x = jnp.ones((), dtype)
        assert fnx.vjp(lambda x: x * 2, x)[1](1.0)[0].dtype == dtype
        assert fnx.jvp(lambda x: x * 2, (x,), (1.0,))[1].dtype == dtype


def test_linear_transpose() -> None:
    matrix = np.arange(6.0).reshape(2, 3)
    transposed = fnx.linear_transpose(lambda x: jnp.matmul(matrix, x), X)
    np.testing.assert_allclose(transposed(np.array([1.0, -1.0]))[0], matrix.T @ [1.0, -1.0])
    by_type = fnx.linear_transpose(lambda x: 3 * x, fnx.ShapeDtypeStruct((2,), "float64"))
    np.testing.assert_allclose(by_type(np.ones(2))[0], [3, 3])
    with pytest.raises(TypeError, match=r"must be f64\[2\]"):
        transposed(1.0)
    with pytest.raises(NotImplementedError, match="not linear"):
        fnx.linear_transpose(jnp.sin, X)(X)


def test_values_are_known_where_nothing_is_staged() -> None:
    assert float(fnx.grad(lambda x: x**2 if x > 0 else -x)(-2.0)) == -1
    with pytest.raises(fnx.errors.TracerBoolConversionError):
        fnx.jit(fnx.grad(lambda x: x**2 if x > 0 else -x))(-2.0)


def test_derivatives_of_every_mode_agree_on_second_derivatives() -> None:
    function = lambda x: jnp.sum(jnp.sin(x) * x[::-1])  # noqa: E731
    wanted = fnx.jacfwd(fnx.jacfwd(function))(X)
    for outer in (fnx.jacfwd, fnx.jacrev):
        for inner in (fnx.grad, fnx.jacfwd, fnx.jacrev):
            for wrap in (lambda f: f, fnx.jit, fnx.checkpoint):
                np.testing.assert_allclose(outer(wrap(inner(function)))(X), wanted, atol=1e-14)


def test_subgradients_at_singular_points_are_those_of_jax() -> None:
    at_zero = {
        "abs": (jnp.abs, 1.0),
        "maximum": (lambda x: jnp.maximum(x, 0.0), 0.5),
        "relu": (fnx.nn.relu, 0.0),
        "where": (lambda x: jnp.where(x > 0, x, 0.0), 0.0),
        "sqrt": (jnp.sqrt, np.inf),
        "x**2": (lambda x: x**2, 0.0),
        "x**0": (lambda x: x**0, 0.0),
        "sign": (jnp.sign, 0.0),
        "stopped": (lambda x: lax.stop_gradient(x) * 3.0, 0.0),
    }
    for name, (function, wanted) in at_zero.items():
        assert float(fnx.grad(function)(0.0)) == wanted, name
        assert float(fnx.jit(fnx.grad(function))(0.0)) == wanted, name


def test_stop_gradient_of_a_tree() -> None:
    def moving(params: Any, target: Any) -> Any:
        fixed = lax.stop_gradient(target)
        return params["w"] * fixed["w"] + fixed["n"][0]

    found = fnx.grad(moving, (0, 1))({"w": 2.0}, {"w": 3.0, "n": (4.0,)})
    assert [float(leaf) for leaf in fnx.tree.leaves(found)] == [3, 0, 0]
