"""Clipping of gradients, and parameters as a vector, against PyTorch's."""

from __future__ import annotations

import numpy as np
import pytest

import fnx_nn as torch
from fnx_nn import nn
from tests.support.module_programs import check_program, programs_of


@pytest.mark.parametrize("name", programs_of("utils"))
def test_utilities_are_those_of_pytorch(name):
    check_program(torch, name)


@pytest.mark.parametrize("norm_type", [1.0, 2.0, 3.0, float("inf")])
def test_the_norm_of_all_gradients_is_the_bound_after_clipping(norm_type):
    rng = np.random.default_rng(0)
    parameters = [nn.Parameter(torch.zeros(4, dtype=torch.float64)) for _ in range(3)]
    for parameter in parameters:
        parameter.grad = torch.tensor(rng.normal(size=4))
    together = np.concatenate([p.grad.numpy() for p in parameters])
    total = nn.utils.clip_grad_norm_(parameters, 0.5, norm_type)
    np.testing.assert_allclose(total.item(), np.linalg.norm(together, norm_type), rtol=1e-14)
    clipped = np.concatenate([p.grad.numpy() for p in parameters])
    # The bound is divided by the norm and 1e-6 more.
    np.testing.assert_allclose(np.linalg.norm(clipped, norm_type), 0.5, rtol=1e-6)
    np.testing.assert_allclose(clipped / clipped[0], together / together[0], rtol=1e-12)
