"""`LBFGS`: states, limits, several parameters, closures. Its numbers: test_against_torch."""

from __future__ import annotations

import io

import pytest

import fnx_nn as torch
from fnx_nn import optim
from fnx_nn.tensor.traced import tracing


def problem(dtype=torch.float64):
    """Two parameters of different shapes in a curved valley."""
    x = torch.tensor([-1.2, 0.5], dtype=dtype, requires_grad=True)
    y = torch.tensor([[1.0], [0.7]], dtype=dtype, requires_grad=True)

    def loss():
        inner = y.reshape(2) - x * x
        return (100.0 * inner * inner + (1.0 - x) ** 2).sum()

    return [x, y], loss


def closure_of(optimizer, loss, count=None):
    def closure():
        optimizer.zero_grad()
        value = loss()
        value.backward()
        if count is not None:
            count.append(value.item())
        return value

    return closure


def test_a_valley_is_followed_to_its_end():
    params, loss = problem()
    optimizer = optim.LBFGS(params, max_iter=100, line_search_fn="strong_wolfe")
    optimizer.step(closure_of(optimizer, loss))
    for p in params:
        assert p.reshape(-1).tolist() == pytest.approx([1.0, 1.0], rel=1e-4)


@pytest.mark.parametrize("line_search", [None, "strong_wolfe"])
def test_going_on_from_a_state(line_search):
    def run(params, loss, optimizer, steps):
        return [optimizer.step(closure_of(optimizer, loss)).item() for _ in range(steps)]

    params, loss = problem()
    options = {"lr": 0.01 if line_search is None else 1.0, "line_search_fn": line_search}
    optimizer = optim.LBFGS(params, max_iter=3, history_size=4, **options)
    run(params, loss, optimizer, 3)
    file = io.BytesIO()
    torch.save(optimizer.state_dict(), file)
    others, other_loss = problem()
    with torch.no_grad():
        for q, p in zip(others, params, strict=True):
            q.copy_(p)
    again = optim.LBFGS(others)
    file.seek(0)
    again.load_state_dict(torch.load(file))
    assert run(params, loss, optimizer, 3) == run(others, other_loss, again, 3)


def test_the_state_is_laid_out_as_torchs():
    params, loss = problem(torch.float32)
    optimizer = optim.LBFGS(params, lr=0.01, max_iter=3)
    optimizer.step(closure_of(optimizer, loss))
    state = optimizer.state_dict()["state"][0]
    assert list(state) == (
        "func_evals n_iter al d t old_dirs old_stps ro H_diag prev_flat_grad prev_loss".split()
    )
    assert state["d"].shape == (4,) and state["d"].dtype == torch.float32
    assert all(r.dtype == torch.float32 and r.shape == () for r in state["ro"])
    assert len(state["al"]) == 100 and isinstance(state["prev_loss"], float)


def test_limits():
    params, loss = problem()
    values = []
    optimizer = optim.LBFGS(params, lr=1e-3, max_iter=50, max_eval=4)
    optimizer.step(closure_of(optimizer, loss, values))
    assert len(values) == 4 and optimizer.state[params[0]]["func_evals"] == 4
    params, loss = problem()
    values = []
    optimizer = optim.LBFGS(params, max_iter=2, line_search_fn="strong_wolfe", max_eval=3)
    optimizer.step(closure_of(optimizer, loss, values))
    assert len(values) <= 4


def test_nothing_moves_at_a_minimum():
    x = torch.ones(2, requires_grad=True)
    optimizer = optim.LBFGS([x])
    loss = optimizer.step(closure_of(optimizer, lambda: ((x - 1) ** 2).sum()))
    assert loss.item() == 0.0 and x.tolist() == [1.0, 1.0]
    assert dict(optimizer.state[x]) == {"func_evals": 1, "n_iter": 0}


def test_parameters_without_gradient_count_as_flat():
    x, unused = torch.zeros(2, requires_grad=True), torch.ones(3, requires_grad=True)
    optimizer = optim.LBFGS([unused, x])
    optimizer.step(closure_of(optimizer, lambda: ((x - 1) ** 2).sum()))
    assert unused.tolist() == [1.0] * 3 and x.tolist() == pytest.approx([1.0, 1.0])


def test_the_closure_may_change_parameters_and_run_without_grad():
    x = torch.full((2,), 3.0, requires_grad=True)
    optimizer = optim.LBFGS([x], max_iter=5)

    def closure():
        assert torch.is_grad_enabled()
        with torch.no_grad():
            x.clamp_(0, 2)
        optimizer.zero_grad()
        loss = ((x - 1) ** 2).sum()
        loss.backward()
        return loss

    with torch.no_grad():
        assert optimizer.step(closure).item() == 2.0


def test_a_step_can_not_be_traced():
    optimizer = optim.LBFGS([torch.ones(1, requires_grad=True)])
    with tracing(), pytest.raises(RuntimeError, match=r"use fnx\.optim\.lbfgs there"):
        optimizer.step(lambda: torch.ones(1))


def test_refusals():
    x = torch.ones(1, requires_grad=True)
    with pytest.raises(ValueError, match="doesn't support per-parameter options"):
        optim.LBFGS([{"params": x}, {"params": torch.ones(1, requires_grad=True)}])
    with pytest.raises(TypeError, match="missing 1 required positional argument: 'closure'"):
        optim.LBFGS([x]).step()
    optimizer = optim.LBFGS([x], line_search_fn="armijo")
    with pytest.raises(RuntimeError, match="only 'strong_wolfe' is supported"):
        optimizer.step(closure_of(optimizer, lambda: (x**2).sum()))
