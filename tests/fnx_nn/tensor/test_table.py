"""What the table makes of a row: function, method, in-place method and ``out=`` agree."""

from __future__ import annotations

import inspect

import numpy as np
import pytest

import fnx_nn as torch
from fnx_nn.tensor.table import FUNCTIONS, METHODS

UNARY = (
    "abs acos acosh asin asinh atan atanh ceil cos cosh deg2rad digamma erf erfc erfinv exp exp2 "
    "expm1 floor frac lgamma log log10 log1p log2 logit neg rad2deg reciprocal relu round rsqrt "
    "sgn sigmoid sign sin sinc sinh sqrt square tan tanh trunc"
).split()
#: Those that leave integers as they are.
WHOLE = "abs ceil floor neg relu round sgn sign square trunc".split()
BINARY = (
    "add sub mul div floor_divide remainder fmod pow maximum minimum atan2 hypot copysign".split()
)


@pytest.mark.parametrize("name", UNARY)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_function_method_and_in_place_agree(name, dtype):
    start = 1.1 if name == "acosh" else 0.1
    x = torch.linspace(start, start + 0.8, 7, dtype=dtype)
    want = getattr(torch, name)(x)
    assert want.dtype == dtype
    assert torch.equal(getattr(x, name)(), want)
    out = torch.empty(7, dtype=dtype)
    assert getattr(torch, name)(x, out=out) is out and torch.equal(out, want)
    written = x.clone()
    changed = getattr(written, f"{name}_")() if hasattr(written, f"{name}_") else None
    if changed is not None:
        assert changed is written and written._version == 1
        np.testing.assert_allclose(written.numpy(), want.numpy(), rtol=1e-6)


@pytest.mark.parametrize("name", BINARY)
def test_two_operands(name):
    x, y = torch.tensor([1.5, 2.5, -3.5]), torch.tensor([[2.0], [0.5]])
    if name == "pow":
        x = x.abs()
    want = getattr(torch, name)(x, y)
    assert want.shape == (2, 3)
    assert torch.equal(getattr(x, name)(y), want)
    if hasattr(x, f"{name}_"):
        wide = x.expand(2, 3).clone()
        # NumPy's loops over operands with other strides may differ in the last bit.
        assert torch.allclose(getattr(wide, f"{name}_")(y), want, rtol=1e-6)


NUMPY = {
    "exp": np.exp,
    "log1p": np.log1p,
    "tan": np.tan,
    "asinh": np.arcsinh,
    "floor": np.floor,
    "sign": np.sign,
    "square": np.square,
    "rsqrt": lambda x: 1 / np.sqrt(x),
    "frac": lambda x: x - np.trunc(x),
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
}


@pytest.mark.parametrize("name", NUMPY)
def test_values_against_numpy(name, rng):
    x = rng.uniform(0.1, 2.0, (3, 4))
    got = getattr(torch, name)(torch.from_numpy(x)).numpy()
    np.testing.assert_allclose(got, NUMPY[name](x), rtol=1e-14)


@pytest.mark.parametrize("name", [n for n in UNARY if n != "frac"])
def test_whole_numbers_become_floats_where_results_are_not_whole(name):
    got = getattr(torch, name)(torch.tensor([1, 0]))
    assert got.dtype == (torch.int64 if name in WHOLE else torch.float32)


def test_every_function_is_documented():
    for name, function in FUNCTIONS.items():
        text = inspect.getdoc(function)
        assert text and (text[0].isupper() or text[0] in "`-12"), f"{name}: {text}"


def test_in_place_methods_end_in_an_underscore_and_give_the_tensor_itself():
    for name in METHODS:
        if name.endswith("_") and not name.endswith("__"):
            assert name[:-1] in METHODS or name[:-1] in FUNCTIONS or name in IN_PLACE_ONLY, name


IN_PLACE_ONLY = {
    "apply_", "bernoulli_", "cauchy_", "copy_", "exponential_", "fill_", "fill_diagonal_",
    "geometric_", "log_normal_", "normal_", "random_", "resize_", "set_", "uniform_", "zero_",
}  # fmt: skip


def test_out_is_resized_and_refuses_gradients():
    out = torch.empty(0)
    assert torch.add(torch.ones(3), 1, out=out) is out and out.tolist() == [2, 2, 2]
    with pytest.warns(UserWarning, match="was resized since it had shape"):
        torch.add(torch.ones(2), 1, out=out)
    with pytest.raises(RuntimeError, match=r"add\(\): functions with out=... arguments"):
        torch.add(torch.ones(2, requires_grad=True), 1, out=torch.empty(2))


def test_unknown_operands_are_refused():
    x = torch.ones(2)
    with pytest.raises(TypeError, match="unsupported operand"):
        x + "a"
    with pytest.raises(TypeError, match=r"exp\(\): argument 'input' .* must be Tensor, not list"):
        torch.exp([1.0])
    assert (x == None) is False  # noqa: E711 (the operator is what is tested)


def test_numpy_leaves_operators_to_tensors():
    assert isinstance(np.float32(2) * torch.ones(2), torch.Tensor)
    assert (np.float64(2) + torch.ones(2)).dtype == torch.float32
