"""First and second derivatives of operations against central differences in float64.

One row for each differentiable operation: a function of tensors and the shapes of its operands,
whose values lie where the function is smooth.
"""

from __future__ import annotations

import numpy as np
import pytest

import fnx_nn as torch

INDEX = torch.tensor([2, 0, 2])
MASK = torch.tensor([[True, False, True], [False, True, True]])

#: name: (function, shapes); operands are drawn from [0.3, 0.9], all different.
ROWS = {
    "add": (lambda x, y: x + y, [(2, 3), (3,)]),
    "add alpha": (lambda x, y: torch.add(x, y, alpha=3), [(2, 3), (2, 1)]),
    "sub": (lambda x, y: x - y, [(2, 3), ()]),
    "rsub": (lambda x: 2 - x, [(3,)]),
    "mul": (lambda x, y: x * y, [(2, 1), (1, 3)]),
    "div": (lambda x, y: x / y, [(2, 3), (3,)]),
    "pow": (lambda x, y: x**y, [(2, 3), (3,)]),
    "pow whole": (lambda x: x**4, [(3,)]),
    "pow of number": (lambda x: 2.5**x, [(3,)]),
    "pow negative": (lambda x: x**-2, [(3,)]),
    "sqrt": (lambda x: x**0.5, [(3,)]),
    "remainder": (lambda x, y: (x + 1) % y, [(3,), (3,)]),
    "addcmul": (lambda x, a, b: torch.addcmul(x, a, b, value=2), [(2, 3), (3,), (2, 1)]),
    "addcdiv": (lambda x, a, b: torch.addcdiv(x, a, b, value=2), [(2, 3), (3,), (2, 1)]),
    "lerp": (torch.lerp, [(3,), (3,), (3,)]),
    "atan2": (torch.atan2, [(3,), (3,)]),
    "hypot": (torch.hypot, [(3,), (3,)]),
    "logaddexp": (torch.logaddexp, [(3,), (3,)]),
    "xlogy": (torch.xlogy, [(3,), (3,)]),
    "maximum": (torch.maximum, [(2, 3), (3,)]),
    "minimum": (torch.minimum, [(2, 3), (3,)]),
    "where": (lambda x, y: torch.where(MASK, x * x, y), [(2, 3), (3,)]),
    "clamp": (lambda x: (x * x).clamp(0.2, 0.6), [(4,)]),
    "sum": (lambda x: (x * x).sum(1), [(2, 3)]),
    "mean": (lambda x: (x * x).mean((0, 2), keepdim=True), [(2, 3, 2)]),
    "prod": (lambda x: x.prod(1), [(2, 3)]),
    "var": (lambda x: x.var(1), [(2, 3)]),
    "std": (lambda x: x.std(), [(2, 3)]),
    "norm": (lambda x: x.norm(dim=1), [(2, 3)]),
    "norm 3": (lambda x: x.norm(3, dim=1), [(2, 3)]),
    "logsumexp": (lambda x: x.logsumexp(0), [(2, 3)]),
    "softmax": (lambda x: x.softmax(1), [(2, 3)]),
    "log_softmax": (lambda x: torch.log_softmax(x, 0), [(2, 3)]),
    "amax": (lambda x: (x * x).amax(1), [(2, 3)]),
    "max": (lambda x: (x * x).max(1)[0], [(2, 3)]),
    "min": (lambda x: (x * x).min(0)[0], [(2, 3)]),
    "cumsum": (lambda x: (x * x).cumsum(1), [(2, 3)]),
    "cumprod": (lambda x: x.cumprod(1), [(2, 3)]),
    "sort": (lambda x: (x * x).sort(1)[0], [(2, 3)]),
    "topk": (lambda x: (x * x).topk(2)[0], [(2, 3)]),
    "kthvalue": (lambda x: (x * x).kthvalue(2)[0], [(2, 3)]),
    "median": (lambda x: (x * x).median(1)[0], [(2, 3)]),
    "mm": (torch.mm, [(2, 3), (3, 2)]),
    "mv": (torch.mv, [(2, 3), (3,)]),
    "dot": (torch.dot, [(3,), (3,)]),
    "bmm": (torch.bmm, [(2, 2, 3), (2, 3, 1)]),
    "matmul": (torch.matmul, [(2, 2, 3), (3, 2)]),
    "addmm": (lambda x, a, b: torch.addmm(x, a, b, beta=2, alpha=3), [(2,), (2, 3), (3, 2)]),
    "outer": (torch.outer, [(2,), (3,)]),
    "einsum": (lambda x, y: torch.einsum("ij,kj->ik", x, y), [(2, 3), (2, 3)]),
    "tensordot": (lambda x, y: torch.tensordot(x, y, 1), [(2, 3), (3, 2)]),
    "reshape": (lambda x: (x * x).t().reshape(6), [(2, 3)]),
    "permute": (lambda x: (x * x).permute(2, 0, 1), [(2, 1, 3)]),
    "expand": (lambda x: (x * x).expand(2, 3), [(3,)]),
    "repeat": (lambda x: (x * x).repeat(2, 2), [(3,)]),
    "select": (lambda x: (x * x)[1, ::2], [(2, 3)]),
    "diagonal": (lambda x: (x * x).diagonal(1), [(2, 3)]),
    "unfold": (lambda x: (x * x).unfold(0, 2, 1), [(4,)]),
    "as_strided": (lambda x: (x * x).as_strided((2, 2), (1, 2)), [(6,)]),
    "cat": (lambda x, y: torch.cat([x * x, y], 1), [(2, 3), (2, 1)]),
    "stack": (lambda x, y: torch.stack([x * x, y], 1), [(2, 3), (2, 3)]),
    "split": (lambda x: (x * x).split(2)[1] * x[0], [(3,)]),
    "flip": (lambda x: (x * x).flip(1) * x, [(2, 3)]),
    "roll": (lambda x: (x * x).roll(1, 1) * x, [(2, 3)]),
    "tril": (lambda x: (x * x).tril(), [(2, 3)]),
    "diag": (lambda x: torch.diag(x * x, 1), [(3,)]),
    "gather": (lambda x: (x * x).gather(1, torch.tensor([[2, 2], [0, 1]])), [(2, 3)]),
    "scatter": (lambda x, y: (x * x).scatter(0, INDEX[:2], y), [(3,), (2,)]),
    "scatter add": (lambda x, y: (x * x).scatter_add(0, INDEX, y), [(3,), (3,)]),
    "index": (lambda x: (x * x)[:, INDEX], [(2, 3)]),
    "mask": (lambda x: (x * x)[MASK], [(2, 3)]),
    "index_select": (lambda x: (x * x).index_select(1, INDEX), [(2, 3)]),
    "index_add": (lambda x, y: (x * x).index_add(0, INDEX, y, alpha=2), [(3,), (3,)]),
    "index_put": (lambda x, y: (x * x).index_put((INDEX[:2],), y), [(3,), (2,)]),
    "masked_fill": (lambda x, y: (x * x).masked_fill(MASK, y), [(2, 3), ()]),
    "masked_scatter": (lambda x, y: (x * x).masked_scatter(MASK, y), [(2, 3), (6,)]),
    "take": (lambda x: (x * x).take(INDEX), [(2, 3)]),
    "repeat_interleave": (lambda x: (x * x).repeat_interleave(2, 1), [(2, 3)]),
    "to float64": (lambda x: (x * x).to(torch.float64), [(2, 3)]),
}

_SMOOTH = (
    "abs exp exp2 expm1 log log2 log10 log1p sqrt rsqrt reciprocal sin cos tan asin acos atan sinh "
    "cosh tanh asinh atanh sigmoid erf erfc erfinv lgamma digamma sinc square neg relu logit "
    "deg2rad rad2deg frac"
)
ROWS.update({name: (getattr(torch, name), [(2, 3)]) for name in _SMOOTH.split()})
ROWS["acosh"] = (lambda x: torch.acosh(x + 1), [(2, 3)])


def _operands(rng: np.random.Generator, shapes: list[tuple[int, ...]]) -> tuple:
    made = []
    for shape in shapes:
        values = np.linspace(0.3, 0.9, max(int(np.prod(shape)), 1)) + rng.uniform(-0.02, 0.02)
        rng.shuffle(values)
        made.append(torch.from_numpy(np.array(values).reshape(shape)).requires_grad_())
    return tuple(made)


@pytest.mark.parametrize("name", ROWS)
def test_derivatives(name, rng):
    function, shapes = ROWS[name]
    operands = _operands(rng, shapes)
    assert torch.autograd.gradcheck(function, operands, rtol=1e-5, atol=1e-7)
    assert torch.autograd.gradgradcheck(function, operands, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", ["add", "mul", "mm", "exp", "sum", "index", "cat"])
def test_complex_derivatives(name, rng):
    function, shapes = ROWS[name]
    operands = tuple(
        [
            torch.from_numpy(x.detach().numpy() * (1 + 0.5j)).requires_grad_()
            for x in _operands(rng, shapes)
        ]
    )
    # PyTorch's gradient of a real loss: twice the conjugate Wirtinger derivative.
    out = function(*operands)
    loss = (out * out.conj()).real.sum()
    found = torch.autograd.grad(loss, operands)
    for x, g in zip(operands, found, strict=True):
        want = _by_differences(lambda: float(_loss(function, operands)), x.detach().numpy())
        np.testing.assert_allclose(g.numpy(), want, rtol=1e-6, atol=1e-8)


def _loss(function, operands):
    with torch.no_grad():
        out = function(*operands)
        return (out * out.conj()).real.sum()


def _by_differences(loss, values: np.ndarray) -> np.ndarray:
    step, result = 1e-6, np.zeros_like(values)
    for place in np.ndindex(*values.shape):
        kept = values[place]
        parts = []
        for unit in (1, 1j):
            values[place] = kept + step * unit
            above = loss()
            values[place] = kept - step * unit
            parts.append((above - loss()) / (2 * step))
            values[place] = kept
        result[place] = parts[0] + 1j * parts[1]
    return result


def test_gradcheck_finds_a_wrong_gradient():
    class Wrong(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * x

        @staticmethod
        def backward(ctx, g):
            return g

    x = torch.ones(2, dtype=torch.float64, requires_grad=True)
    with pytest.raises(RuntimeError, match="Jacobian mismatch for output 0"):
        torch.autograd.gradcheck(Wrong.apply, x)
    assert torch.autograd.gradcheck(Wrong.apply, x, raise_exception=False) is False
