"""Pullbacks are derived: they save what mathematics reads, and agree with `fnx.vjp`."""

from __future__ import annotations

import numpy as np
import pytest

import fnx
import fnx.nn
import fnx.numpy as jnp
from fnx import lax
from fnx.extend import Operation, pullback
from fnx.extend.operations import LARGE


def _saved(operation, *operands, needs=None):
    chosen = needs or (True,) * len(operands)
    back = pullback(operation, operands, {}, chosen)
    return back.operands, back.results


X, Y = np.array([0.3, 0.7, 1.9]), np.array([1.1, 0.2, 0.4])
M = np.arange(6.0).reshape(2, 3)


@pytest.mark.parametrize(
    ("operation", "operands", "saved"),
    [
        (Operation(jnp.add, elementwise=True), (X, Y), ((), ())),
        (Operation(jnp.multiply, elementwise=True), (X, Y), ((0, 1), ())),
        (Operation(jnp.exp, elementwise=True, reuse_results=True), (X,), ((), (0,))),
        (Operation(jnp.exp, elementwise=True), (X,), ((0,), ())),
        (Operation(jnp.tanh, elementwise=True, reuse_results=True), (X,), ((), (0,))),
        (Operation(jnp.sqrt, elementwise=True, reuse_results=True), (X,), ((), (0,))),
        (Operation(jnp.sin, elementwise=True), (X,), ((0,), ())),
        (Operation(jnp.matmul), (M, M.T), ((0, 1), ())),
        (Operation(jnp.sum), (M,), ((), ())),
        (Operation(lambda x: jnp.reshape(x, (3, 2)).T), (M,), ((), ())),
    ],
    ids=lambda v: v.name if isinstance(v, Operation) else "",
)
def test_what_is_saved(operation, operands, saved):
    assert _saved(operation, *operands) == saved


def test_what_is_saved_depends_on_what_is_wanted():
    mul = Operation(jnp.multiply, elementwise=True)
    assert _saved(mul, X, Y, needs=(True, False)) == ((1,), ())
    assert _saved(mul, X, Y, needs=(False, True)) == ((0,), ())


FUNCTIONS = {
    "mul": (jnp.multiply, (X, Y)),
    "broadcast": (lambda x, y: x * y, (M, X)),
    "composite": (lambda x, y: jnp.tanh(x @ y) ** 2, (M, M.T)),
    "softmax": (fnx.nn.softmax, (M,)),
    "scan": (lambda x: lax.scan(lambda c, v: (c * v, c + v), x[0], x)[1], (X,)),
    "sort": (jnp.sort, (X,)),
    "gather": (lambda x: x[jnp.asarray([2, 0, 2])], (X,)),
}


@pytest.mark.parametrize("reuse", [False, True])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_agrees_with_vjp(name, reuse, rng):
    function, operands = FUNCTIONS[name]
    operation = Operation(function, name, reuse_results=reuse)
    results = operation.evaluate(operands)
    cotangents = [rng.standard_normal(r.shape) for r in results]
    back = pullback(operation, operands, {}, (True,) * len(operands))
    values = [operands[k] for k in back.operands] + [results[k] for k in back.results]
    got = back.run([*values, *cotangents])
    _, pull = fnx.vjp(function, *[jnp.asarray(x) for x in operands])
    want = pull(jnp.asarray(cotangents[0]))
    for a, b in zip(got, want, strict=True):
        if reuse:
            np.testing.assert_allclose(a, np.asarray(b), rtol=1e-14, atol=1e-15)
        else:
            np.testing.assert_array_equal(a, np.asarray(b))


def test_pullbacks_of_pullbacks(rng):
    # The derivative of x -> J(x)^T c at order after order, against nested grad.
    function = lambda x: jnp.sum(jnp.sin(x) * x)  # noqa: E731
    operation = Operation(function, "f")
    derivatives = [fnx.grad(lambda x: jnp.sum(function(x)))]
    for _ in range(3):
        previous = derivatives[-1]
        derivatives.append(fnx.grad(lambda x, p=previous: jnp.sum(p(x))))
    x = rng.standard_normal(3)
    one = np.ones(())
    current, operands = operation, [x]
    for order in range(3):
        back = pullback(current, operands, {}, (True,) + (False,) * (len(operands) - 1))
        results = current.evaluate(operands)
        values = [operands[k] for k in back.operands] + [results[k] for k in back.results]
        (got,) = back.run([*values, one if order == 0 else np.ones(3)])
        np.testing.assert_allclose(got, np.asarray(derivatives[order](jnp.asarray(x))), rtol=1e-12)
        current = back.recorded
        operands = [*values, one if order == 0 else np.ones(3)]
        if back.operands[:1] != (0,):
            break


def _with_statistics(x):
    mean = jnp.mean(x)
    return (x - mean) ** 3, mean


def test_hidden_results_are_saved_and_differentiated():
    operation = Operation(_with_statistics, hidden=1)
    back = pullback(operation, [X], {}, (True,))
    assert back.results == (1,) and back.cotangents == (0,)
    assert back.full is not None and back.full.cotangents == (0, 1)
    results = operation.evaluate([X])
    values = [X, results[1]]
    assert back.operands == (0,)
    (got,) = back.run([*values, np.ones(3)])
    want = fnx.grad(lambda x: jnp.sum(_with_statistics(x)[0]))(jnp.asarray(X))
    np.testing.assert_allclose(got, np.asarray(want), rtol=1e-14)
    (got,) = back.full.run([*values, np.zeros(3), np.ones(())])
    np.testing.assert_allclose(got, np.full(3, 1 / 3))


def test_a_gradient_that_is_zero_by_structure_has_the_operands_shape():
    floor = Operation(jnp.floor, elementwise=True)
    back = pullback(floor, [M], {}, (True,))
    assert np.asarray(back.run([np.ones((2, 3))])[0]).tolist() == np.zeros((2, 3)).tolist()
    back = pullback(floor, [X], {}, (True,))
    assert np.asarray(back.run([np.ones(3)])[0]).shape == (3,)


def test_one_pullback_serves_all_shapes_of_small_operands():
    mul = Operation(jnp.multiply, elementwise=True)
    assert pullback(mul, [X, Y], {}, (True, True)).pointwise
    assert not pullback(mul, [M, X], {}, (True, True)).pointwise  # it sums
    assert pullback(mul, [M, X], {}, (True, False)).pointwise
    large = np.ones(LARGE)
    assert not pullback(mul, [large, large], {}, (True, True)).pointwise  # it may be compiled


def test_complex_conventions():
    z = np.array([1 + 2j, 3 - 1j])
    for adjoint in (False, True):
        square = Operation(lambda x: x * x, elementwise=True, adjoint=adjoint)
        back = pullback(square, [z], {}, (True,))
        (got,) = back.run([z, np.ones(2, z.dtype)])
        np.testing.assert_allclose(got, 2 * (z.conj() if adjoint else z))


def test_caches_are_bounded(monkeypatch):
    monkeypatch.setattr("fnx.extend.operations.CACHE_SIZE", 4)
    scale = Operation(lambda x, k: x * k, elementwise=True)
    for k in range(10):
        assert scale.evaluate([np.ones(1)], {"k": k})[0].tolist() == [k]
    assert len(scale._programs) == 4
    assert scale.evaluate([np.ones(1)], {"k": 0})[0].tolist() == [0]  # made anew
