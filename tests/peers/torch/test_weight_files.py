"""Weight files, live against PyTorch: theirs read here, ours read there."""

from __future__ import annotations

import io
from collections import OrderedDict

import numpy as np
import pytest
import torch

from fnx_nn.serialization import TensorRecord, read_weights, write_weights
from tests.support.make_torch_weight_files import contents

pytestmark = pytest.mark.peers


@pytest.mark.parametrize("zipped", [True, False])
def test_what_pytorch_saved_goes_there_and_back(zipped, tmp_path):
    saved = contents()
    buffer = io.BytesIO()
    torch.save(saved, buffer, _use_new_zipfile_serialization=zipped)
    buffer.seek(0)
    path = tmp_path / "again.pt"
    write_weights(read_weights(buffer), path)
    for options in ({}, {"mmap": True}):
        found = torch.load(path, weights_only=True, **options)
        assert list(found) == list(saved) and found._metadata == saved._metadata
        for name, value in saved.items():
            if isinstance(value, torch.Tensor):
                assert type(found[name]) is type(value)
                assert found[name].dtype == value.dtype
                assert found[name].stride() == value.stride()
                assert found[name].requires_grad == value.requires_grad
                assert torch.equal(found[name], value)
            else:
                assert found[name] == value and type(found[name]) is type(value)
        assert found["base"].data_ptr() == found["transposed"].data_ptr()
        assert found["shared"][0] is found["shared"][1]


def test_every_dtype(rng):
    for dtype in (
        *(torch.float32, torch.float64, torch.float16, torch.bfloat16, torch.complex64),
        *(torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8, torch.bool),
        *(torch.uint16, torch.uint32, torch.uint64, torch.float8_e4m3fn, torch.float8_e5m2),
    ):
        bytes_of_ones = torch.ones(6).to(dtype).view(2, 3)
        buffer = io.BytesIO()
        torch.save({"x": bytes_of_ones}, buffer)
        buffer.seek(0)
        record = read_weights(buffer)["x"]
        assert record.array().shape == (2, 3)
        again = io.BytesIO()
        write_weights({"x": TensorRecord.of(record.array())}, again)
        again.seek(0)
        found = torch.load(again, weights_only=True)["x"]
        assert found.dtype == dtype
        assert torch.equal(found.view(torch.uint8), bytes_of_ones.view(torch.uint8))


def test_a_state_dict_fits_a_module(rng):
    weight = rng.standard_normal((3, 4)).astype(np.float32)
    tree = OrderedDict(weight=TensorRecord.of(weight), bias=TensorRecord.of(weight[:, 0]))
    buffer = io.BytesIO()
    write_weights(tree, buffer)
    buffer.seek(0)
    layer = torch.nn.Linear(4, 3)
    layer.load_state_dict(torch.load(buffer, weights_only=True))
    np.testing.assert_array_equal(layer.weight.detach().numpy(), weight)
