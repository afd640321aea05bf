"""Modules: attributes, walks, conversions, hooks and state dicts, against PyTorch's."""

from __future__ import annotations

import copy
import os
import pickle
import subprocess
import sys
import weakref

import pytest

import fnx_nn as torch
from fnx_nn import nn
from fnx_nn.nn import module_hooks
from tests.support.module_programs import check_program, programs_of


@pytest.mark.parametrize("name", programs_of("module", "hooks", "lazy"))
def test_modules_are_those_of_pytorch(name):
    check_program(torch, name)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 1))
        self.register_buffer("steps", torch.zeros(1), persistent=False)

    def forward(self, x):
        return self.layers(x)


def test_a_pickled_module_is_whole():
    net = Net()
    net.layers[0].register_forward_hook(_double)
    found = pickle.loads(pickle.dumps(net))
    x = torch.ones(4, 2)
    assert repr(found) == repr(net) and torch.equal(found(x), net(x))
    assert found.layers[0].weight is not net.layers[0].weight
    assert "steps" not in found.state_dict()


def _double(module, args, output):
    return output * 2


def test_a_copied_module_shares_nothing():
    net = Net()
    net.layers[0].register_forward_hook(_double)
    found = copy.deepcopy(net)
    found.layers[0]._forward_hooks.clear()
    with torch.no_grad():
        for parameter in found.parameters():
            parameter.zero_()
    assert len(net.layers[0]._forward_hooks) == 1
    assert not any(torch.equal(p, torch.zeros_like(p)) for p in net.parameters())


def test_a_state_read_from_a_module_without_newer_tables_gets_them():
    net = nn.Linear(1, 1)
    state = net.__getstate__()
    for table in ("_forward_pre_hooks_with_kwargs", "_backward_pre_hooks", "_state_dict_hooks"):
        del state[table]
    found = object.__new__(nn.Linear)
    found.__setstate__(state)
    assert torch.equal(found(torch.ones(1, 1)), net(torch.ones(1, 1)))
    assert list(found.state_dict()) == ["weight", "bias"]


def test_super_init_is_called_where_it_is_asked_for():
    class Base:
        def __init__(self, word):
            self.word = word

    class Both(nn.Module, Base):
        call_super_init = True

    assert Both("said").word == "said"


def test_a_module_and_its_parameters_go_away_together():
    net = Net()
    net(torch.ones(1, 2)).sum().backward()
    gone = weakref.ref(net.layers[0].weight)
    del net  # and no cycle that the collector would have to find
    assert gone() is None


def test_a_module_can_be_replaced_by_path():
    net = Net()
    layer = nn.Linear(3, 7)
    net.set_submodule("layers.1", layer)
    assert net.layers[1] is layer
    net.set_submodule("head", layer)
    assert net.head is layer
    with pytest.raises(AttributeError, match="Sequential has no attribute `9`"):
        net.set_submodule("layers.9", layer, strict=True)
    with pytest.raises(AttributeError, match="`weight` is not an nn.Module"):
        net.set_submodule("layers.0.weight", layer)
    with pytest.raises(ValueError, match="without a target name"):
        net.set_submodule("", layer)
    with pytest.raises(ValueError, match="`module` is not an nn.Module"):
        net.set_submodule("head", 3)


def test_hooks_on_all_modules():
    seen = []
    handles = [
        module_hooks.register_module_forward_pre_hook(
            lambda m, args: seen.append(("pre", type(m).__name__))
        ),
        module_hooks.register_module_forward_hook(
            lambda m, args, kwargs, out: seen.append(("post", type(m).__name__)), with_kwargs=True
        ),
        module_hooks.register_module_full_backward_pre_hook(
            lambda m, grads: seen.append(("backward pre", type(m).__name__))
        ),
        module_hooks.register_module_full_backward_hook(
            lambda m, grads_in, grads_out: seen.append(("backward", type(m).__name__))
        ),
    ]
    try:
        net = nn.Sequential(nn.Identity())
        net(torch.ones(1, requires_grad=True)).sum().backward()
        assert seen == [
            ("pre", "Sequential"), ("pre", "Identity"), ("post", "Identity"),
            ("post", "Sequential"), ("backward pre", "Sequential"), ("backward pre", "Identity"),
            ("backward", "Identity"), ("backward", "Sequential"),
        ]  # fmt: skip
    finally:
        for handle in handles:
            handle.remove()
    seen.clear()
    net(torch.ones(1))
    assert not seen and not module_hooks.GLOBAL_HOOKS.any()


def test_hooks_on_registration_may_replace_what_is_registered():
    seen = []

    def replace(module, name, value):
        seen.append(name)
        return nn.Identity() if isinstance(value, nn.Linear) else None

    with module_hooks.register_module_module_registration_hook(replace):
        module = nn.Module()
        module.a = nn.Linear(1, 1)
        module.add_module("b", nn.Linear(1, 1))
    assert seen == ["a", "b"] and repr(module.a) == repr(module.b) == "Identity()"
    with (
        module_hooks.register_module_parameter_registration_hook(
            lambda m, name, p: seen.append(name)
        ),
        module_hooks.register_module_buffer_registration_hook(lambda m, n, b: seen.append(n)),
    ):
        module.w = nn.Parameter(torch.ones(1))
        module.register_buffer("n", torch.ones(1))
    assert seen == ["a", "b", "w", "n"]


def test_a_buffer_of_a_subclass_with_an_older_register_buffer():
    class Old(nn.Module):
        def register_buffer(self, name, tensor):
            super().register_buffer(name, tensor)

    old = Old()
    old.b = nn.Buffer(torch.ones(1))
    assert list(old.state_dict()) == ["b"]
    with pytest.raises(RuntimeError, match="without the persistent argument"):
        old.c = nn.Buffer(torch.ones(1), persistent=False)


def test_to_refuses_what_is_no_dtype_device_or_tensor():
    layer = nn.Linear(1, 1)
    for args, kwargs in (((), {}), ((3.5,), {}), ((), {"what": 1})):
        with pytest.raises(TypeError, match="invalid combination of arguments"):
            layer.to(*args, **kwargs)
    with pytest.warns(UserWarning, match="Complex modules are a new feature"):
        layer.to(torch.complex64)
    with pytest.raises(AssertionError, match="CUDA"):
        layer.cuda()


def test_extra_state_needs_both_methods():
    module = nn.Module()
    with pytest.raises(RuntimeError, match="write both get_extra_state and set_extra_state"):
        module.get_extra_state()
    with pytest.raises(RuntimeError, match="write both get_extra_state and set_extra_state"):
        module.set_extra_state(1)


def test_a_hook_does_not_keep_its_module_alive():
    module = nn.Module()
    module.register_load_state_dict_pre_hook(lambda m, *others: None)
    (hook,) = module._load_state_dict_pre_hooks.values()
    del module
    with pytest.raises(RuntimeError, match="dead Module"):
        hook({}, "", {}, True, [], [], [])


SHARED = """
import os
import fnx_nn as torch
net = torch.nn.Linear(2, 1)
weight = net.weight
assert net.share_memory() is net and net.weight is weight
child = os.fork()
if not child:
    with torch.no_grad():
        weight.fill_(7.0)
    os._exit(0)
os.waitpid(child, 0)
print(net.weight.tolist())
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system has no fork")
def test_forked_processes_share_the_memory_of_a_module():
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", SHARED], capture_output=True, text=True, check=True
    )
    assert done.stdout == "[[7.0, 7.0]]\n"
    with pytest.raises(RuntimeError, match="Can't share memory on an uninitialized"):
        nn.LazyLinear(1).share_memory()
