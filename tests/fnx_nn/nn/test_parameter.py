"""Parameters and buffers, against PyTorch's; pickling and files, which are ours."""

from __future__ import annotations

import copy
import io
import pickle

import pytest

import fnx_nn as torch
from fnx_nn import nn
from fnx_nn.nn.parameter import is_lazy
from tests.support.module_programs import check_program, programs_of


@pytest.mark.parametrize("name", programs_of("parameter"))
def test_parameters_are_those_of_pytorch(name):
    check_program(torch, name)


@pytest.mark.parametrize("requires_grad", [True, False])
def test_a_pickled_parameter_comes_back_as_one(requires_grad):
    parameter = nn.Parameter(torch.tensor([1.0, 2.0]), requires_grad)
    parameter.note = "kept"
    found = pickle.loads(pickle.dumps(parameter))
    assert type(found) is nn.Parameter and found.requires_grad is requires_grad
    assert found.tolist() == [1.0, 2.0] and found.note == "kept"


def test_a_saved_parameter_comes_back_as_one():
    file = io.BytesIO()
    parameter = nn.Parameter(torch.tensor([1.0, 2.0]))
    torch.save({"p": parameter, "t": parameter.detach()}, file)
    file.seek(0)
    found = torch.load(file)
    assert type(found["p"]) is nn.Parameter and found["p"].requires_grad
    assert type(found["t"]) is torch.Tensor and not found["t"].requires_grad
    assert found["p"].data_ptr() == found["t"].data_ptr()


class Named(torch.Tensor):
    pass


def test_a_parameter_of_a_users_class_keeps_the_class():
    data = torch.Tensor._make_subclass(Named, torch.ones(2))
    parameter = nn.Parameter(data)
    assert type(parameter) is Named and isinstance(parameter, nn.Parameter)
    assert parameter.requires_grad and parameter.data_ptr() == data.data_ptr()
    module = nn.Module()
    module.w = parameter
    assert list(module._parameters) == ["w"]
    assert not isinstance(data, nn.Parameter)


def test_a_parameter_is_made_of_a_tensor_only():
    with pytest.raises(AttributeError, match="must be a Tensor, not list"):
        nn.Parameter([1.0])


def test_operations_on_an_uninitialized_parameter_say_what_to_do():
    parameter = nn.UninitializedParameter()
    assert is_lazy(parameter) and not is_lazy(nn.Parameter())
    for operation in (
        lambda: parameter + 1,
        lambda: parameter.sum(),
        lambda: torch.exp(parameter),
        lambda: parameter[0],
    ):
        with pytest.raises(ValueError, match="Attempted to use an uninitialized parameter"):
            operation()
    with pytest.raises(RuntimeError, match="Can't share memory on an uninitialized"):
        parameter.share_memory_()


def test_an_uninitialized_parameter_is_pickled_and_copied_as_one():
    parameter = nn.UninitializedParameter(requires_grad=False, dtype=torch.float64)
    for found in (pickle.loads(pickle.dumps(parameter)), copy.deepcopy(parameter)):
        assert type(found) is nn.UninitializedParameter
        assert (found.requires_grad, found.dtype) == (False, torch.float64)


def test_writes_through_a_parameter_are_counted_with_those_to_its_tensor():
    data = torch.ones(2)
    parameter = nn.Parameter(data)
    loss = (parameter * parameter).sum()
    data.add_(1)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        loss.backward()


def test_marks_and_attributes_survive_copies_and_pickling():
    parameter = nn.Parameter(torch.Tensor._make_subclass(Named, torch.ones(2)))
    buffer = nn.Buffer(torch.ones(2), persistent=False)
    for through in (copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))):
        assert isinstance(through(parameter), nn.Parameter)
        assert type(through(parameter)) is Named
        assert isinstance(through(buffer), nn.Buffer) and not through(buffer).persistent
