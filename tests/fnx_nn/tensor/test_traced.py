"""Tensors inside of fnx's transforms: programs with views and writes become pure functions."""

from __future__ import annotations

import numpy as np
import pytest

import fnx
import fnx.numpy as jnp
import fnx_nn as torch
from fnx_nn.tensor.traced import from_array, pure_tracing, to_array, tracing


def _step(parameters, x, y):
    """One step of gradient descent, with a view, writes through it, and the tape."""
    with tracing():
        w, b, v = (from_array(p).requires_grad_() for p in parameters)
        hidden = torch.tanh(from_array(x) @ w + b) * 1.0
        hidden[:, 0] *= 2.0
        hidden.clamp_(-1, 1)
        hidden.view(-1)[3:5].add_(1)
        loss = ((hidden @ v - from_array(y)) ** 2).mean()
        loss.backward()
        with torch.no_grad():
            for p in (w, b, v):
                p.sub_(p.grad, alpha=0.1)
        return to_array(loss), [to_array(p) for p in (w, b, v)]


def test_a_training_step_is_traced(rng):
    parameters = [rng.standard_normal(s) for s in ((4, 5), (5,), (5, 2))]
    x, y = rng.standard_normal((6, 4)), rng.standard_normal((6, 2))
    loss, after = fnx.jit(_step)(
        [jnp.asarray(p) for p in parameters], jnp.asarray(x), jnp.asarray(y)
    )

    w, b, v = (torch.tensor(p, requires_grad=True) for p in parameters)
    hidden = torch.tanh(torch.tensor(x) @ w + b) * 1.0
    hidden[:, 0] *= 2.0
    hidden.clamp_(-1, 1)
    hidden.view(-1)[3:5].add_(1)
    want = ((hidden @ v - torch.tensor(y)) ** 2).mean()
    want.backward()
    np.testing.assert_allclose(float(loss), want.item(), rtol=1e-13)
    for p, new in zip((w, b, v), after, strict=True):
        np.testing.assert_allclose(
            np.asarray(new), (p - 0.1 * p.grad).detach().numpy(), rtol=1e-12, atol=1e-14
        )


def _written(x):
    with tracing():
        y = from_array(x) * 2
        y[0] = 1.0
        z = y[1:]
        z.mul_(z)
        return to_array(y.sum())


def test_transforms_of_functions_that_write():
    x = jnp.asarray([1.0, 2.0, 3.0])
    assert fnx.grad(_written)(x).tolist() == [0, 16, 24]
    assert fnx.vmap(_written)(jnp.stack([x, x * 0])).tolist() == [1 + 16 + 36, 1]
    assert np.asarray(fnx.hessian(_written)(x)).tolist() == [[0, 0, 0], [0, 8, 0], [0, 0, 8]]


def test_values_are_not_known():
    def f(x):
        with tracing():
            return to_array(from_array(x) * from_array(x).sum().item())

    with pytest.raises(TypeError, match="item"):
        fnx.jit(f)(jnp.ones(2))


def test_functions_of_fnx_take_tensors_by_copy():
    x = torch.ones(2)
    array = jnp.sin(x)
    x.zero_()
    np.testing.assert_allclose(np.asarray(array), np.sin(np.ones(2)), rtol=1e-6)


@pytest.mark.parametrize("block", [tracing, pure_tracing])
def test_what_is_detached_has_no_derivative(block):
    def f(x):
        with block():
            y = from_array(x)
            return to_array((y.detach() * y + y.data[1:].sum() * y[0]).sum())

    assert fnx.grad(f)(jnp.asarray([2.0, 3.0])).tolist() == [2 + 2 * 3, 3]


def test_a_pure_trace_leaves_tensors_as_they_were(rng):
    base = torch.tensor(rng.normal(size=(3, 2)), requires_grad=True)
    held, part = base.detach(), base.detach()[1]
    before, version = held.tolist(), held._version

    def f(x):
        with pure_tracing() as journal:
            held.mul_(from_array(x))
            part.add_(1)
            total = (held * base).sum()
        assert list(journal.captured.values()) == [base]
        return to_array(total)

    expected = (base.detach().numpy() ** 2).sum()
    np.testing.assert_allclose(fnx.grad(f)(jnp.asarray(2.0, "float64")), expected, rtol=1e-12)
    assert held.tolist() == before and part.tolist() == before[1]
    assert held._version == version and type(part._data) is np.ndarray


def test_a_pure_trace_that_raises_leaves_tensors_as_they_were():
    x = torch.zeros(2)
    with pytest.raises(KeyError), pure_tracing():
        x.add_(1)
        raise KeyError
    assert x.tolist() == [0, 0] and type(x._data) is np.ndarray


def test_random_fills_are_drawn_while_tracing():
    torch.manual_seed(0)
    expected = torch.empty(3).uniform_().tolist()
    torch.manual_seed(0)
    with tracing():
        assert torch.empty(3).uniform_().tolist() == expected
