"""The first layers of VGG-19: built as far as needed, with weights from files or from a seed."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest

import fnx_nn as torch
from fnx_nn import nn
from fnx_nn.generator import Generator
from fnx_nn.serialization import SerializationError
from fnx_nn.style.features import (
    StyleFeatures,
    WeightsMismatchError,
    embed_filters,
    load_filters,
    normalise,
)

NAMES = [f"features.{layer}.{kind}" for layer in (0, 2, 5, 7, 10) for kind in ("weight", "bias")]


@pytest.fixture(scope="module")
def network() -> StyleFeatures:
    with torch.fork_rng():
        torch.manual_seed(3)
        return StyleFeatures()


@pytest.fixture
def other() -> StyleFeatures:
    with torch.fork_rng():
        torch.manual_seed(4)
        return StyleFeatures()


def test_it_is_the_beginning_of_vgg19(network, vgg19_with_seed_0):
    assert list(network.state_dict()) == NAMES
    for name in NAMES:
        assert tuple(network.state_dict()[name].shape) == vgg19_with_seed_0.shapes[name]
    kinds = [type(layer).__name__ for layer in vgg19_with_seed_0.features]
    assert [type(layer).__name__ for layer in network.features] == kinds[:11]


def test_responses_are_those_before_the_relu(network, rng):
    pictures = torch.tensor(rng.random((2, 3, 16, 16), dtype=np.float32))
    with torch.no_grad():
        responses = network(pictures)
        x = normalise(pictures)
        for index, response in zip((0, 2, 5, 7, 10), responses, strict=True):
            wanted = network.features[: index + 1](x)
            np.testing.assert_array_equal(response.numpy(), wanted.numpy())
            assert (response.numpy() < 0).any()


def test_a_state_dict_is_read(network, other, tmp_path):
    path = tmp_path / "vgg19.pth"
    # Official files hold the classifier, too.
    torch.save({**network.state_dict(), "classifier.6.bias": torch.ones(1000)}, path)
    assert not load_filters(other, path)
    for name in NAMES:
        np.testing.assert_array_equal(
            other.state_dict()[name].numpy(), network.state_dict()[name].numpy()
        )


def test_the_hash_in_the_name_is_checked(network, other, tmp_path):
    torch.save(network.state_dict(), tmp_path / "draft.pth")
    content = (tmp_path / "draft.pth").read_bytes()
    right = tmp_path / f"vgg19-{hashlib.sha256(content).hexdigest()[:8]}.pth"
    right.write_bytes(content)
    assert load_filters(other, right)
    wrong = tmp_path / "vgg19-dcbb9e9d.pth"
    wrong.write_bytes(content)
    with pytest.raises(SerializationError, match="announces the SHA-256 dcbb9e9d"):
        load_filters(other, wrong)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"features.5.weight": None}, r"holds no 'features\.5\.weight'"),
        ({"features.0.weight": torch.ones(64, 3, 5, 5)}, r"\(64, 3, 5, 5\), and VGG-19's is \(64,"),
        ({"features.10.bias": torch.ones(256, dtype=torch.int64)}, r"int64, not real numbers"),
        ({"features.7.bias": torch.ones(128) / 0}, r"'features\.7\.bias' holds .* not finite"),
    ],
)
def test_what_is_no_vgg19_is_refused(network, other, tmp_path, change, message):
    state = {k: v for k, v in {**network.state_dict(), **change}.items() if v is not None}
    before = {name: value.numpy().copy() for name, value in other.state_dict().items()}
    torch.save(state, tmp_path / "wrong.pth")
    with pytest.raises(WeightsMismatchError, match=message) as caught:
        load_filters(other, tmp_path / "wrong.pth")
    assert "wrong.pth" in str(caught.value) and "\n" not in str(caught.value)
    for name, value in other.state_dict().items():
        np.testing.assert_array_equal(value.numpy(), before[name])


def test_other_contents_are_refused(other, tmp_path):
    path: Path = tmp_path / "list.pth"
    torch.save([torch.ones(2)], path)
    with pytest.raises(WeightsMismatchError, match="holds a list, not the state dict"):
        load_filters(other, path)
    path.write_bytes(b"no weights at all")
    with pytest.raises(SerializationError, match="no weight file"):
        load_filters(other, path)


def test_embedded_filters_are_fixed_by_the_seed_and_calibrated(other, rng):
    pictures = rng.random((2, 3, 32, 32), dtype=np.float32)
    embed_filters(other, pictures, Generator().manual_seed(0))
    for response in other(torch.tensor(pictures)):
        values = response.detach().numpy()
        np.testing.assert_allclose(values.std(axis=(0, 2, 3)), 3.0, rtol=1e-3)
        np.testing.assert_allclose(values.mean(axis=(0, 2, 3)), -1.5, atol=1e-3)
    first = other.features[0].weight.detach().numpy().copy()
    embed_filters(other, pictures, Generator().manual_seed(1))
    assert np.abs(other.features[0].weight.detach().numpy() - first).max() > 0.01
    embed_filters(other, pictures, Generator().manual_seed(0))
    np.testing.assert_array_equal(other.features[0].weight.detach().numpy(), first)
    assert all(isinstance(p, nn.Parameter) and p.requires_grad for p in other.parameters())
