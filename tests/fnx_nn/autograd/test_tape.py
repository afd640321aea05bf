"""The tape itself: what it keeps alive, its depth, its order, its agreement with `fnx.grad`."""

from __future__ import annotations

import gc
import threading
import weakref

import numpy as np
import pytest

import fnx
import fnx.numpy as jnp
import fnx_nn as torch
from fnx_nn.tensor.dispatch import TensorOperation, apply


def test_backward_agrees_with_grad_bit_for_bit(rng):
    x, w, b = (rng.standard_normal(s).astype(np.float32) for s in ((8, 5), (5, 3), (3,)))

    def loss(w, b, tanh, x):
        return ((tanh(x @ w + b) * 2) ** 2).sum()

    want = fnx.grad(lambda w, b: loss(w, b, jnp.tanh, jnp.asarray(x)), (0, 1))(
        jnp.asarray(w), jnp.asarray(b)
    )
    tw, tb = torch.tensor(w, requires_grad=True), torch.tensor(b, requires_grad=True)
    loss(tw, tb, torch.tanh, torch.tensor(x)).backward()
    np.testing.assert_array_equal(tw.grad.numpy(), np.asarray(want[0]))
    np.testing.assert_array_equal(tb.grad.numpy(), np.asarray(want[1]))


def test_a_graph_dies_with_its_results():
    gc.collect()
    gc.disable()
    try:
        x = torch.ones(3, requires_grad=True)
        y = x.exp().sigmoid()  # both save their results
        z = y.view(3, 1) * 2
        z[0].mul_(3)
        nodes = [weakref.ref(t.grad_fn) for t in (y, z)]
        leaf = weakref.ref(x)
        del x, y, z
        assert [n() for n in nodes] == [None, None]
        assert leaf() is None
    finally:
        gc.enable()


def test_backward_frees_what_was_saved():
    x = torch.ones(3, requires_grad=True)
    y = x * 2
    product = y * y
    buffer = weakref.ref(y._data)
    product.sum().backward()
    del y
    assert buffer() is None
    with pytest.raises(RuntimeError, match="Trying to backward through the graph a second time"):
        product.sum().backward()


def test_deep_graphs():
    x = torch.ones(1, requires_grad=True)
    y = x
    for _ in range(20_000):
        y = y + 1
    y.backward()
    assert x.grad.item() == 1
    del y


def test_wide_graphs_accumulate_in_one_pass():
    x = torch.ones(2, requires_grad=True)
    calls = []
    x.register_hook(calls.append)
    sum((x * k).sum() for k in range(50)).backward()
    assert x.grad.tolist() == [1225, 1225] and len(calls) == 1


def test_gradients_belong_to_the_leaf():
    # The gradients of both operands of an addition are one array; leaves must not share it.
    x, y = torch.ones(2, requires_grad=True), torch.ones(2, requires_grad=True)
    given = torch.ones(2)
    (x + y).backward(given)
    x.grad.mul_(5)
    assert y.grad.tolist() == [1, 1] and given.tolist() == [1, 1]
    z = torch.ones(3, requires_grad=True)
    z.sum().backward()
    z.grad.add_(1)  # not a broadcast scalar
    assert z.grad.tolist() == [2, 2, 2]


def test_accumulation_is_in_place_and_grad_can_be_replaced():
    x = torch.ones(2, requires_grad=True)
    (x * 2).sum().backward()
    first = x.grad
    (x * 3).sum().backward()
    assert x.grad is first and first.tolist() == [5, 5]
    x.grad = None
    (x * 3).sum().backward()
    assert x.grad is not first
    with pytest.raises(RuntimeError, match="different size"):
        x.grad = torch.ones(3)
    with pytest.raises(RuntimeError, match="different type"):
        x.grad = torch.ones(2).double()
    with pytest.raises(TypeError, match="expected to be a Tensor or None"):
        x.grad = 3


def test_only_what_leads_to_the_inputs_runs():
    ran = []

    class Seen(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 1

        @staticmethod
        def backward(ctx, g):
            ran.append(True)
            return g

    x, y = torch.ones(1, requires_grad=True), torch.ones(1, requires_grad=True)
    (got,) = torch.autograd.grad(x * 2 + Seen.apply(y), x)
    assert got.tolist() == [2] and not ran and y.grad is None


def test_gradients_of_intermediate_tensors():
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = x * 3
    z = (y * y).sum()
    gy, gx = torch.autograd.grad(z, (y, x))
    assert gy.tolist() == [6, 12] and gx.tolist() == [18, 36] and x.grad is None


def test_batched_gradients():
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = x**2
    (rows,) = torch.autograd.grad(y, x, torch.eye(2), is_grads_batched=True)
    assert rows.tolist() == [[2, 0], [0, 4]]


def test_order_five():
    x = torch.tensor(0.3, dtype=torch.float64, requires_grad=True)
    y = torch.tanh(torch.sin(x) * torch.exp(-x * x))
    reference = fnx.grad
    f = lambda t: jnp.tanh(jnp.sin(t) * jnp.exp(-t * t))  # noqa: E731
    for _ in range(5):
        (y,) = torch.autograd.grad(y, x, create_graph=True)
        f = reference(f)
        np.testing.assert_allclose(y.item(), float(f(jnp.asarray(np.float64(0.3)))), rtol=1e-11)


def test_modes_belong_to_their_thread():
    seen = []
    with torch.no_grad():
        thread = threading.Thread(target=lambda: seen.append(torch.is_grad_enabled()))
        thread.start()
        thread.join()
        assert seen == [True] and not torch.is_grad_enabled()


def test_modes_end_with_their_block_however_it_ends():
    with pytest.raises(KeyError), torch.no_grad():
        raise KeyError
    assert torch.is_grad_enabled()
    mode = torch.no_grad()
    with mode, mode:
        assert not torch.is_grad_enabled()
    assert torch.is_grad_enabled()


def test_generators_keep_their_mode_to_themselves():
    @torch.no_grad()
    def numbers():
        for _ in range(2):
            yield torch.is_grad_enabled()

    for inside in numbers():
        assert not inside and torch.is_grad_enabled()


def test_anomaly_mode_names_the_operation():
    x = torch.tensor([0.0], requires_grad=True)
    with torch.autograd.detect_anomaly():
        y = (x * 0.0).sqrt() * 0.0
        with (
            pytest.warns(UserWarning, match="Error detected in SqrtBackward0"),
            pytest.raises(
                RuntimeError, match="'SqrtBackward0' returned nan values in its 0th output"
            ),
        ):
            y.sum().backward()


def test_a_hook_that_changes_the_shape_is_refused():
    x = torch.ones(2, requires_grad=True)
    y = x * 2
    y.register_hook(lambda g: g[:1])
    with pytest.raises(RuntimeError, match="has changed the size of value"):
        y.sum().backward()


def test_a_write_in_place_of_another_dtype():
    x = torch.ones(2, requires_grad=True)
    y = x * 1
    y.add_(torch.ones(2, dtype=torch.float64, requires_grad=True) * 2)
    y.sum().backward()
    assert x.grad.dtype == torch.float32 and x.grad.tolist() == [1, 1]


def _normalized(x):
    mean = jnp.mean(x, 0)
    spread = jnp.mean((x - mean) ** 2, 0)
    return (x - mean) / jnp.sqrt(spread + 0.1), mean, spread


def test_hidden_results_at_every_order():
    # As a normalisation keeps its statistics: one node, and they are not computed again.
    operation = TensorOperation(_normalized, "NormalizedBackward0", hidden=2)
    x = torch.linspace(0.1, 1.0, 6, dtype=torch.float64).view(3, 2) ** 2
    x.requires_grad_()
    y = apply(operation, (x,))
    assert isinstance(y, torch.Tensor) and y.grad_fn.name() == "NormalizedBackward0"
    assert [k for k in y.grad_fn.pullback.results] == [1, 2]
    f = lambda x: apply(operation, (x,))  # noqa: E731
    assert torch.autograd.gradcheck(f, x, rtol=1e-6)
    assert torch.autograd.gradgradcheck(f, x, rtol=1e-5)


def test_several_results_with_and_without_gradients():
    operation = TensorOperation(
        lambda x: (jnp.sin(x), x > 0, jnp.cos(x)), "SeveralBackward0", reuse_results=True
    )
    x = torch.tensor([0.5, -0.5], dtype=torch.float64, requires_grad=True)
    sine, positive, cosine = apply(operation, (x,))
    assert positive.tolist() == [True, False] and not positive.requires_grad
    assert (sine.output_nr, cosine.output_nr) == (0, 2)
    (g,) = torch.autograd.grad(cosine.sum(), x, retain_graph=True)
    np.testing.assert_allclose(g.numpy(), -np.sin(x.detach().numpy()))
    (g,) = torch.autograd.grad((sine * cosine).sum(), x)
    np.testing.assert_allclose(g.numpy(), np.cos(2 * x.detach().numpy()))
