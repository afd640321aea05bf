"""Modules as pure functions: with tensors as PyTorch's, with arrays under fnx's transforms."""

from __future__ import annotations

import numpy as np
import pytest

import fnx
import fnx.numpy as jnp
import fnx_nn as torch
from fnx_nn import nn
from fnx_nn.func import functional_call, stack_module_state
from tests.support.module_programs import check_program, programs_of


@pytest.mark.parametrize("name", programs_of("func"))
def test_functional_calls_are_those_of_pytorch(name):
    check_program(torch, name)


def network():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 1)).double()


def arrays_of(module):
    return {name: jnp.asarray(t.detach().numpy()) for name, t in module.state_dict().items()}


def squares(module):
    return lambda weights, x: (functional_call(module, weights, (x,)) ** 2).sum()


X = np.random.default_rng(0).normal(size=(5, 2))


def gradients_by_tape(module):
    module.zero_grad()
    module(torch.tensor(X)).pow(2).sum().backward()
    return {name: p.grad.numpy() for name, p in module.named_parameters()}


def test_arrays_give_arrays():
    net = network()
    out = functional_call(net, arrays_of(net), (jnp.asarray(X),))
    assert isinstance(out, fnx.Array)
    np.testing.assert_allclose(out, net(torch.tensor(X)).detach().numpy(), rtol=1e-14)
    # An array among the arguments is enough.
    assert isinstance(functional_call(net, {}, (jnp.asarray(X),)), fnx.Array)
    assert isinstance(functional_call(net, {}, torch.tensor(X)), torch.Tensor)


@pytest.mark.parametrize("compiled", [False, True])
def test_gradients_are_those_of_the_tape(compiled):
    net = network()
    gradient = fnx.grad(squares(net))
    found = (fnx.jit(gradient) if compiled else gradient)(arrays_of(net), jnp.asarray(X))
    for name, expected in gradients_by_tape(net).items():
        np.testing.assert_allclose(found[name], expected, rtol=1e-12)


def test_eager_gradients_are_those_of_the_tape_to_the_last_bit():
    net = network()
    found = fnx.grad(squares(net))(arrays_of(net), jnp.asarray(X))
    for name, expected in gradients_by_tape(net).items():
        np.testing.assert_array_equal(np.asarray(found[name]), expected)


def test_gradients_per_example():
    net = network()
    weights = arrays_of(net)
    found = fnx.vmap(fnx.grad(squares(net)), in_axes=(None, 0))(weights, jnp.asarray(X))
    for name, total in gradients_by_tape(net).items():
        assert found[name].shape == (5, *total.shape)
        np.testing.assert_allclose(np.asarray(found[name]).sum(0), total, rtol=1e-12)


def test_a_hessian_is_that_of_the_tape():
    net = network()
    weights = arrays_of(net)

    def by_bias(bias):
        return squares(net)({**weights, "0.bias": bias}, jnp.asarray(X))

    parameter = net[0].bias
    loss = net(torch.tensor(X)).pow(2).sum()
    (first,) = torch.autograd.grad(loss, parameter, create_graph=True)
    rows = [torch.autograd.grad(g, parameter, retain_graph=True)[0].numpy() for g in first]
    np.testing.assert_allclose(fnx.hessian(by_bias)(weights["0.bias"]), rows, rtol=1e-11)


def test_an_ensemble_is_a_vmap_over_stacked_weights():
    models = [network() for _ in range(3)]
    for k, model in enumerate(models):
        nn.init.constant_(model[0].bias, float(k))
    stacked, _ = stack_module_state(models)
    weights = {name: jnp.asarray(t.detach().numpy()) for name, t in stacked.items()}
    found = fnx.vmap(lambda w: functional_call(models[0], w, (jnp.asarray(X),)))(weights)
    for out, model in zip(np.asarray(found), models, strict=True):
        np.testing.assert_allclose(out, model(torch.tensor(X)).detach().numpy(), rtol=1e-13)


class Counting(nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("count", torch.zeros(1))

    def forward(self, x):
        self.count += 1
        return x * self.count


def test_a_call_with_arrays_leaves_the_buffers_of_the_module_alone():
    net = Counting()
    count = net.count
    for function in (
        fnx.grad(lambda x: functional_call(net, {}, x).sum()),
        fnx.jit(lambda x: functional_call(net, {}, x)),
    ):
        np.testing.assert_array_equal(function(jnp.ones(2)), [1.0, 1.0])
        assert net.count is count and net.count.tolist() == [0.0]


def test_the_state_comes_back_when_the_call_raises():
    class Failing(Counting):
        def forward(self, x):
            super().forward(x)
            raise KeyError("inside")

    net = Failing()
    count = net.count
    for value in (torch.ones(1), jnp.ones(1)):
        with pytest.raises(KeyError, match="inside"):
            functional_call(net, {"count": value}, value)
        assert net.count is count and net.count.tolist() == [0.0]


def test_named_tuples_and_dictionaries_go_through():
    class Boxed(nn.Module):
        def forward(self, inputs, *, scale):
            return {"out": [inputs["x"] * scale, "text"]}

    found = functional_call(Boxed(), {}, ({"x": jnp.ones(2)},), {"scale": 3.0})
    np.testing.assert_array_equal(found["out"][0], [3.0, 3.0])
    assert isinstance(found["out"][0], fnx.Array) and found["out"][1] == "text"


def test_a_wrong_path_or_value_is_refused():
    net = network()
    with pytest.raises(AttributeError, match="has no attribute `9`"):
        functional_call(net, {"9.weight": torch.ones(1)}, torch.tensor(X))
    with pytest.raises(TypeError, match="0.weight is 3, which is not a Tensor"):
        functional_call(net, {"0.weight": 3}, torch.tensor(X))
