"""Containers of modules and of parameters, against PyTorch's."""

from __future__ import annotations

import pytest

import fnx_nn as torch
from fnx_nn import nn
from tests.support.module_programs import check_program, programs_of


@pytest.mark.parametrize("name", programs_of("containers"))
def test_containers_are_those_of_pytorch(name):
    check_program(torch, name)


def test_sequences_can_be_added_to_themselves():
    net = nn.Sequential(nn.Linear(1, 1), nn.Identity())
    net += net
    assert len(net) == 4 and net[0] is net[2]
    modules = nn.ModuleList([nn.Identity()])
    modules.extend(modules)
    assert len(modules) == 2
    values = nn.ParameterList([torch.ones(1)])
    values += values
    assert len(values) == 2 and values[0] is values[1]


def test_a_subclass_of_sequential_is_sliced_to_itself():
    class Chain(nn.Sequential):
        pass

    assert type(Chain(nn.Identity(), nn.Identity())[:1]) is Chain


def test_a_list_of_parameters_is_trained():
    values = nn.ParameterList([torch.ones(2), torch.ones(3)])
    sum((value * value).sum() for value in values).backward()
    assert [value.grad.tolist() for value in values] == [[2.0, 2.0], [2.0, 2.0, 2.0]]
