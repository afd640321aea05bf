"""First values, against PyTorch's of the same seed."""

from __future__ import annotations

import numpy as np
import pytest

import fnx_nn as torch
from fnx_nn.nn import init
from tests.support.module_programs import check_program, programs_of


@pytest.mark.parametrize("name", programs_of("init"))
def test_first_values_are_those_of_pytorch(name):
    check_program(torch, name)


@pytest.mark.parametrize("shape", [(4, 4), (3, 7), (7, 3), (4, 2, 3)])
def test_orthogonal_matrices_are_orthogonal(shape):
    matrix = init.orthogonal_(torch.empty(shape, dtype=torch.float64)).numpy()
    matrix = matrix.reshape(shape[0], -1)
    wide = matrix if matrix.shape[0] <= matrix.shape[1] else matrix.T
    np.testing.assert_allclose(wide @ wide.T, np.eye(len(wide)), atol=1e-14)


def test_the_variance_of_kaiming_weights_keeps_that_of_the_signal():
    torch.manual_seed(0)
    weight = init.kaiming_normal_(torch.empty(400, 500), nonlinearity="relu").numpy()
    assert abs(weight.std() - np.sqrt(2 / 500)) < 0.01 * np.sqrt(2 / 500)


def test_first_values_are_counted_as_writes():
    x = torch.ones(3, requires_grad=True)
    weight = torch.ones(3)
    loss = (x * weight).sum()
    init.trunc_normal_(weight)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        loss.backward()
