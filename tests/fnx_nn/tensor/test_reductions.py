"""Reductions of tensors without elements: the errors are of PyTorch's kinds (torch 2.13)."""

from __future__ import annotations

import pytest

import fnx_nn


@pytest.mark.parametrize("name", ["max", "min", "amax", "amin"])
def test_the_extreme_of_no_elements_needs_a_dim(name: str) -> None:
    with pytest.raises(RuntimeError, match=rf"{name}\(\): Expected reduction dim to be specified"):
        getattr(fnx_nn.zeros(0), name)()


@pytest.mark.parametrize("name", ["max", "min", "amax", "amin"])
def test_the_extreme_along_an_empty_dim_is_an_index_error(name: str) -> None:
    with pytest.raises(IndexError, match=rf"{name}\(\): Expected reduction dim 1 to have non-zero"):
        getattr(fnx_nn.zeros(2, 0), name)(dim=1)


@pytest.mark.parametrize("name", ["max", "min"])
def test_the_extremes_beside_an_empty_dim_are_empty_and_pass_gradients(name: str) -> None:
    x = fnx_nn.zeros(2, 0, requires_grad=True)
    values, indices = getattr(x, name)(dim=0)
    assert (values.shape, indices.shape, indices.dtype) == ((0,), (0,), fnx_nn.int64)
    values.sum().backward()
    assert x.grad.shape == (2, 0)
