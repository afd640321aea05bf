"""Views share memory, and agree with NumPy; their steps read and write the same elements."""

from __future__ import annotations

import numpy as np
import pytest

import fnx_nn as torch
from fnx.extend import Operation
from fnx_nn.tensor import views

VIEWS = {
    "view": (lambda x: x.view(6, 4), lambda a: a.reshape(6, 4)),
    "reshape": (lambda x: x.reshape(-1), lambda a: a.reshape(-1)),
    "flatten": (lambda x: x.flatten(1), lambda a: a.reshape(2, 12)),
    "unflatten": (lambda x: x.unflatten(2, (2, -1)), lambda a: a.reshape(2, 3, 2, 2)),
    "squeeze": (lambda x: x[:1].squeeze(0), lambda a: a[0]),
    "unsqueeze": (lambda x: x.unsqueeze(-1), lambda a: a[..., None]),
    "permute": (lambda x: x.permute(2, 0, 1), lambda a: a.transpose(2, 0, 1)),
    "transpose": (lambda x: x.transpose(0, 2), lambda a: a.swapaxes(0, 2)),
    "mT": (lambda x: x.mT, lambda a: a.swapaxes(1, 2)),
    "movedim": (lambda x: x.movedim(0, 2), lambda a: np.moveaxis(a, 0, 2)),
    "swapaxes": (lambda x: x.swapaxes(0, 1), lambda a: a.swapaxes(0, 1)),
    "select": (lambda x: x.select(1, 2), lambda a: a[:, 2]),
    "narrow": (lambda x: x.narrow(2, 1, 2), lambda a: a[:, :, 1:3]),
    "slice": (lambda x: x[:, ::2, 1:], lambda a: a[:, ::2, 1:]),
    "index": (lambda x: x[1, ..., None, 3], lambda a: a[1, ..., None, 3]),
    "diagonal": (lambda x: x.diagonal(1, 1, 2), lambda a: np.diagonal(a, 1, 1, 2)),
    "diagonal below": (lambda x: x.diagonal(-1, 0, 1), lambda a: np.diagonal(a, -1, 0, 1)),
    "unfold": (lambda x: x.unfold(2, 2, 2), lambda a: a.reshape(2, 3, 2, 2)),
    "as_strided": (
        lambda x: x.as_strided((2, 2), (12, 1), 5),
        lambda a: a.reshape(-1)[[[5, 6], [17, 18]]],
    ),
    "expand": (lambda x: x[:1].expand(5, 3, 4), lambda a: np.broadcast_to(a[:1], (5, 3, 4))),
    "split": (lambda x: x.split(2, 1)[1], lambda a: a[:, 2:]),
    "chunk": (lambda x: x.chunk(2, 2)[1], lambda a: a[:, :, 2:]),
    "unbind": (lambda x: x.unbind(1)[2], lambda a: a[:, 2]),
    "detach": (lambda x: x.detach(), lambda a: a),
    "data": (lambda x: x.data, lambda a: a),
}


@pytest.mark.parametrize("name", VIEWS)
def test_view(name):
    show, like = VIEWS[name]
    array = np.arange(24.0).reshape(2, 3, 4)
    x = torch.from_numpy(array)
    seen = show(x)
    np.testing.assert_array_equal(seen.numpy(), like(array))
    assert np.shares_memory(seen.numpy(), array)
    array += 100
    np.testing.assert_array_equal(seen.numpy(), like(array))
    if name != "expand":
        seen.mul_(2)
        np.testing.assert_array_equal(seen.numpy(), like(array))
        assert x._version == (0 if name == "data" else 1)


STEPS = (
    views.Index((0, (0, 2, 1), (1, 4, 2))),
    views.Index(((0, 2, 1), 1, (0, 4, 1))),
    views.Index((None, 1, (1, 3, 1))),
    views.Permute((2, 0, 1)),
    views.Reshape((6, 4)),
    views.Diagonal(0, 0, 1),
    views.Diagonal(-1, 1, 2),
    views.Window(2, 2, 2),
    views.Strided((2, 2), (12, 1), 5),
)


@pytest.mark.parametrize("step", STEPS, ids=str)
def test_steps_read_and_write_what_they_show(step, rng):
    x = rng.standard_normal((2, 3, 4))
    seen = step.view(x)
    np.testing.assert_array_equal(Operation(step.read).evaluate([x])[0], seen)
    value = rng.standard_normal(seen.shape)
    (written,) = Operation(step.write).evaluate([x, value])
    seen[...] = value
    np.testing.assert_array_equal(written, x)


@pytest.mark.parametrize("which", ["real", "imag", "both"])
def test_parts_of_complex_numbers(which, rng):
    z = rng.standard_normal((2, 3)) + 1j * rng.standard_normal((2, 3))
    step = views.Parts(which)
    seen = step.view(z)
    np.testing.assert_array_equal(Operation(step.read).evaluate([z])[0], seen)
    (written,) = Operation(step.write).evaluate([z, seen * 2])
    seen *= 2
    np.testing.assert_array_equal(written, z)
    back = views.Parts("complex")
    if which == "both":
        np.testing.assert_array_equal(back.view(seen), z)


def test_a_write_through_one_view_is_in_the_gradient_of_all():
    x = torch.ones(6, requires_grad=True)
    base = x * 1
    rows = base.view(2, 3)
    column = rows[:, 1]
    column.mul_(torch.tensor([10.0, 20.0]))
    rows[1].add_(column[0])
    base.sum().backward()
    # base = x but x1 -> 10 x1 and x4 -> 20 x4; the second row also gets 10 x1 three times.
    assert x.grad.tolist() == [1, 10 + 30, 1, 1, 20, 1]
    assert column.grad_fn.name() == "AsStridedBackward0"
    assert base.grad_fn.name() == "CopySlices"


def test_old_views_follow_a_write_to_the_base():
    x = torch.ones(3, requires_grad=True)
    base = torch.zeros(3)
    view = base[1:]
    assert not view.requires_grad
    base.copy_(x * 5)
    assert view.requires_grad
    (view * torch.tensor([1.0, 2.0])).sum().backward()
    assert x.grad.tolist() == [0, 5, 10]


def test_views_of_numpy_arrays_with_odd_strides():
    a = np.arange(12.0).reshape(3, 4)
    x = torch.from_numpy(a.T[1:])
    assert not x.is_contiguous() and x.stride() == (1, 4)
    assert x.contiguous().stride() == (3, 1)
    x.zero_()
    assert a[:, 1:].sum() == 0 and a[0, 0] == 0 and a[1, 0] == 4
    with pytest.raises(ValueError, match="negative"):
        torch.from_numpy(a[::-1])


def test_reshape_copies_only_where_it_must():
    x = torch.arange(6.0).view(2, 3)
    assert x.reshape(3, 2)._base is x._base
    copied = x.t().reshape(6)
    assert not np.shares_memory(copied.numpy(), x.numpy())
    with pytest.raises(
        RuntimeError, match=r"view size is not compatible .* Use \.reshape\(\.\.\.\)"
    ):
        x.t().view(6)
