"""Layers with a batch normalization folded in, and layers without first values."""

from __future__ import annotations

import pytest

import fnx_nn as torch
from fnx_nn import nn
from tests.support.module_programs import check_program, programs_of


@pytest.mark.parametrize("name", programs_of("fusion"))
def test_fused_layers_are_those_of_pytorch(name):
    check_program(torch, name)


@pytest.mark.parametrize("transpose", [False, True])
def test_a_fused_convolution_does_what_both_layers_do(transpose):
    torch.manual_seed(0)
    kind = nn.ConvTranspose2d if transpose else nn.Conv2d
    conv, bn = kind(2, 3, 3).double(), nn.BatchNorm2d(3).double()
    x = torch.randn(4, 2, 5, 5, dtype=torch.float64)
    for _ in range(3):
        bn(conv(x))  # moves the running statistics
    conv.eval(), bn.eval()
    fused = nn.utils.fuse_conv_bn_eval(conv, bn, transpose)
    assert (fused(x) - bn(conv(x))).abs().max().item() < 1e-13
