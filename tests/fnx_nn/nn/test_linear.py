"""Linear and bilinear layers, against PyTorch's, with first and second derivatives."""

from __future__ import annotations

import pytest

import fnx_nn as torch
from tests.support.module_programs import check_program, programs_of


@pytest.mark.parametrize("name", programs_of("linear"))
def test_linear_layers_are_those_of_pytorch(name):
    check_program(torch, name)


@pytest.mark.parametrize("shape", [(3,), (4, 3), (2, 4, 3)])
@pytest.mark.parametrize("with_bias", [True, False])
def test_derivatives_of_linear(shape, with_bias):
    torch.manual_seed(0)
    operands = [torch.randn(*shape, dtype=torch.float64), torch.randn(2, 3, dtype=torch.float64)]
    operands += [torch.randn(2, dtype=torch.float64)] if with_bias else []
    operands = [x.requires_grad_() for x in operands]
    assert torch.autograd.gradcheck(torch.nn.functional.linear, operands)
    assert torch.autograd.gradgradcheck(torch.nn.functional.linear, operands)


def test_derivatives_of_bilinear():
    torch.manual_seed(0)
    shapes = ((2, 3), (2, 4), (5, 3, 4), (5,))
    operands = [torch.randn(*s, dtype=torch.float64, requires_grad=True) for s in shapes]
    assert torch.autograd.gradcheck(torch.nn.functional.bilinear, operands)
    assert torch.autograd.gradgradcheck(torch.nn.functional.bilinear, operands)
