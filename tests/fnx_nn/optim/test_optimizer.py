"""What every optimizer does: groups, states, hooks, zero_grad, errors."""

from __future__ import annotations

import copy
import io

import pytest

import fnx_nn as torch
from fnx_nn import optim


def leaf(*values):
    return torch.tensor(list(values), requires_grad=True)


def stepped(optimizer, *params):
    """Gradients of one, and a step."""
    for p in params:
        p.grad = torch.ones_like(p)
    optimizer.step()


def test_groups_have_options_of_their_own():
    a, b = leaf(1.0), leaf(2.0, 3.0)
    optimizer = optim.SGD([{"params": a}, {"params": [b], "lr": 0.5, "own": "x"}], lr=0.1)
    stepped(optimizer, a, b)
    assert a.tolist() == pytest.approx([0.9]) and b.tolist() == pytest.approx([1.5, 2.5])
    assert optimizer.param_groups[1]["own"] == "x"
    c = leaf(1.0)
    optimizer.add_param_group({"params": c})
    assert optimizer.param_groups[2]["lr"] == 0.1 and optimizer.param_groups[2]["params"][0] is c


def test_repr():
    shown = repr(optim.SGD([leaf(1.0)], lr=0.1))
    lines = ["SGD (", "Parameter Group 0", "    dampening: 0", "    differentiable: False"]
    assert shown.splitlines()[:4] == lines and shown.endswith("    weight_decay: 0\n)")


@pytest.mark.parametrize(
    ("make", "kind", "words"),
    [
        (lambda: optim.SGD([]), ValueError, "got an empty parameter list"),
        (lambda: optim.SGD(leaf(1.0)), TypeError, "dicts, but got torch.FloatTensor"),
        (lambda: optim.SGD([3.0]), TypeError, "can only optimize Tensors, but one .* is float"),
        (lambda: optim.SGD([leaf(1.0) * 2]), ValueError, "can't optimize a non-leaf Tensor"),
        (lambda: optim.SGD([{"params": {leaf(1.0)}}]), TypeError, "ordered collections"),
        (lambda: optim.SGD([("a", leaf(1.0)), leaf(2.0)]), ValueError, "Some param names"),
        (lambda: optim.SGD([leaf(1.0)], lr=-1), ValueError, "Invalid learning rate: -1"),
        (lambda: optim.SGD([leaf(1.0)], lr=torch.ones(2)), ValueError, "Tensor lr must be 1-el"),
        (lambda: optim.SGD([leaf(1.0)], momentum=-1), ValueError, "Invalid momentum value: -1"),
        (lambda: optim.SGD([leaf(1.0)], nesterov=True), ValueError, "requires a momentum"),
        (lambda: optim.SGD([leaf(1.0)], fused=True, foreach=True), RuntimeError, "`foreach`"),
        (lambda: optim.Adam([leaf(1.0)], betas=(1.0, 0.9)), ValueError, "index 0: 1.0"),
        (lambda: optim.Adam([leaf(1.0)], betas=(0.9, 2)), ValueError, "index 1: 2"),
        (lambda: optim.Adam([leaf(1.0)], betas=(0, 0.9)), ValueError, "both floats or both Ten"),
        (lambda: optim.AdamW([leaf(1.0)], eps=-1), ValueError, "Invalid epsilon value: -1"),
        (lambda: optim.Adagrad([leaf(1.0)], lr_decay=-1), ValueError, "Invalid lr_decay value"),
        (lambda: optim.Adadelta([leaf(1.0)], rho=2), ValueError, "Invalid rho value: 2"),
        (lambda: optim.NAdam([leaf(1.0)], momentum_decay=-1), ValueError, "momentum_decay"),
        (lambda: optim.Rprop([leaf(1.0)], etas=(2, 3)), ValueError, "Invalid eta values: 2, 3"),
        (lambda: optim.RMSprop([leaf(1.0)], alpha=-1), ValueError, "Invalid alpha value: -1"),
        (lambda: optim.Adafactor([leaf(1.0)], d=0.5), ValueError, "Clipping threshold d"),
        (lambda: optim.Adafactor([leaf(1.0)], lr=-1), ValueError, "should be >= 0 but is: -1"),
        (lambda: optim.Muon([leaf(1.0)]), ValueError, r"2D .* with size: torch.Size\(\[1\]\)"),
        (lambda: optim.ASGD([leaf(1.0)], weight_decay=-1), ValueError, "weight_decay value"),
    ],
)
def test_refusals(make, kind, words):
    with pytest.raises(kind, match=words):
        make()


def test_groups_that_do_not_go_together():
    a = leaf(1.0)
    optimizer = optim.SGD([a])
    with pytest.raises(ValueError, match="appear in more than one parameter group"):
        optimizer.add_param_group({"params": [a]})
    with pytest.raises(ValueError, match="cannot add param group with names"):
        optimizer.add_param_group({"params": [("b", leaf(2.0))]})
    with pytest.raises(TypeError, match="param_group must be a dict, but got <class 'list'>"):
        optimizer.add_param_group([leaf(2.0)])
    with pytest.warns(UserWarning, match="duplicate parameters"):
        optim.SGD([a, a])


def test_names_are_kept():
    optimizer = optim.SGD([("weight", leaf(1.0)), ("bias", leaf(2.0))])
    assert optimizer.state_dict()["param_groups"][0]["param_names"] == ["weight", "bias"]


def test_zero_grad():
    a, b = leaf(1.0), leaf(2.0)
    optimizer = optim.SGD([a, b])
    a.grad = kept = torch.ones(1)
    optimizer.zero_grad(set_to_none=False)
    assert a.grad is kept and kept.tolist() == [0.0] and b.grad is None
    optimizer.zero_grad()
    assert a.grad is None


@pytest.mark.parametrize("name", ["SGD", "Adam", "RMSprop", "NAdam", "ASGD", "Rprop", "Adagrad"])
def test_training_goes_on_from_a_state(name):
    def run(optimizer, p, steps):
        for _ in range(steps):
            optimizer.zero_grad()
            (p**4).sum().backward()
            optimizer.step()

    options = {"momentum": 0.9} if name in ("SGD", "RMSprop") else {}
    p = leaf(1.0, -2.0)
    optimizer = getattr(optim, name)([p], lr=0.01, **options)
    run(optimizer, p, 3)
    file = io.BytesIO()
    torch.save({"state": optimizer.state_dict(), "p": p.detach()}, file)
    run(optimizer, p, 3)
    file.seek(0)
    saved = torch.load(file)
    q = saved["p"].clone().requires_grad_()
    other = getattr(optim, name)([q], lr=0.5)
    other.load_state_dict(saved["state"])
    run(other, q, 3)
    assert q.tolist() == p.tolist() and other.param_groups[0]["lr"] == 0.01


def test_a_loaded_state_has_the_dtype_of_its_parameter():
    single, double = leaf(1.0), torch.tensor([1.0], dtype=torch.float64, requires_grad=True)
    first, second = optim.Adam([single]), optim.Adam([double])
    stepped(first, single)
    second.load_state_dict(first.state_dict())
    state = second.state[double]
    assert state["exp_avg"].dtype == torch.float64 and state["step"].dtype == torch.float32
    assert state["exp_avg"] is not first.state[single]["exp_avg"]


def test_states_that_do_not_fit():
    optimizer = optim.SGD([leaf(1.0)])
    with pytest.raises(ValueError, match="a different number of parameter groups"):
        optimizer.load_state_dict({"state": {}, "param_groups": []})
    with pytest.raises(ValueError, match="doesn't match the size of optimizer's group"):
        optimizer.load_state_dict({"state": {}, "param_groups": [{"params": [0, 1]}]})


def test_older_states_get_new_options():
    p = leaf(1.0)
    optimizer = optim.Adam([p])
    stepped(optimizer, p)
    old = optimizer.state_dict()
    old["param_groups"] = [{"lr": 0.1, "betas": (0.9, 0.999), "eps": 1e-8, "weight_decay": 0,
                            "params": [0]}]  # fmt: skip
    old["state"] = {0: {**old["state"][0], "step": 1}}
    optimizer.load_state_dict(old)
    assert optimizer.param_groups[0]["amsgrad"] is False
    assert optimizer.state[p]["step"].item() == 1.0
    stepped(optimizer, p)
    assert optimizer.state[p]["step"].item() == 2.0


def test_hooks():
    p = leaf(1.0)
    optimizer = optim.SGD([p], lr=0.1)
    calls = []
    handles = [
        optimizer.register_step_pre_hook(lambda o, args, kwargs: calls.append("before")),
        optimizer.register_step_post_hook(lambda o, args, kwargs: calls.append("after")),
        optimizer.register_state_dict_pre_hook(lambda o: calls.append("saving")),
        optimizer.register_state_dict_post_hook(lambda o, s: {**s, "extra": 1}),
        optimizer.register_load_state_dict_pre_hook(lambda o, s: calls.append("loading")),
        optimizer.register_load_state_dict_post_hook(lambda o: calls.append("loaded")),
    ]
    optimizer.register_state_dict_pre_hook(lambda o: calls.append("first"), prepend=True)
    stepped(optimizer, p)
    state = optimizer.state_dict()
    optimizer.load_state_dict(state)
    assert calls == ["before", "after", "first", "saving", "loading", "loaded"]
    assert state["extra"] == 1
    for handle in handles:
        handle.remove()
    stepped(optimizer, p)
    assert calls.count("before") == 1


def test_a_hook_can_change_the_arguments():
    p = leaf(1.0)
    optimizer = optim.SGD([p])
    handle = optimizer.register_step_pre_hook(lambda o, args, kwargs: ((o, lambda: 7.0), {}))
    assert optimizer.step() == 7.0
    handle.remove()
    optimizer.register_step_pre_hook(lambda o, args, kwargs: 3)
    with pytest.raises(RuntimeError, match=r"must return None or a tuple of \(new_args"):
        optimizer.step()


def test_a_users_optimizer():
    class Plain(optim.Optimizer):
        def step(self, closure=None):
            with torch.no_grad():
                for p in self.param_groups[0]["params"]:
                    p -= self.param_groups[0]["lr"] * p.grad

    p = leaf(1.0)
    optimizer = Plain([p], {"lr": 0.25})
    seen = []
    optimizer.register_step_post_hook(lambda *arguments: seen.append(1))
    stepped(optimizer, p)
    assert p.tolist() == [0.75] and seen == [1]


def test_hooks_run_once_when_a_step_calls_the_one_above():
    class Counted(optim.SGD):
        def step(self, closure=None):
            return super().step(closure)

    p = leaf(1.0)
    optimizer = Counted([p])
    seen = []
    optimizer.register_step_pre_hook(lambda *arguments: seen.append(1))
    stepped(optimizer, p)
    assert seen == [1]


def test_copies_are_independent():
    p = leaf(1.0)
    optimizer = optim.Adam([p])
    stepped(optimizer, p)
    other = copy.deepcopy(optimizer)
    (q,) = other.param_groups[0]["params"]
    stepped(other, q)
    assert other.state[q]["step"].item() == 2.0 and optimizer.state[p]["step"].item() == 1.0


def test_closures_run_with_gradients_and_give_the_loss():
    p = leaf(3.0)
    optimizer = optim.SGD([p], lr=0.5)

    def closure():
        assert torch.is_grad_enabled()
        optimizer.zero_grad()
        loss = (p * p).sum()
        loss.backward()
        return loss

    with torch.no_grad():
        loss = optimizer.step(closure)
    assert loss.item() == 9.0 and p.tolist() == [0.0]
