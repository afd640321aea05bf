"""The VGG networks: torchvision's names, shapes and order; weights from files."""

from __future__ import annotations

import hashlib
import json
from functools import partial
from pathlib import Path

import numpy as np
import pytest

import fnx_nn as torch
from fnx_nn import nn
from fnx_nn.serialization import SerializationError
from fnx_nn.vision import models
from fnx_nn.vision.models import vgg
from fnx_nn.vision.models.weights import Weights, WeightsEnum
from fnx_nn.vision.transforms.presets import ImageClassification

NETWORKS = json.loads((Path(__file__).parents[2] / "data" / "vgg_states.json").read_text())[
    "networks"
]
LETTERS = {"vgg11": "A", "vgg13": "B", "vgg16": "D", "vgg19": "E"}


class SmallVGG(vgg.VGG):
    """A VGG with a classifier of 3 classes that takes no time to build."""

    def __init__(self, features: nn.Module, num_classes: int = 3, init_weights: bool = True):
        nn.Module.__init__(self)
        self.features = features
        self.avgpool = nn.AdaptiveAvgPool2d((1, 1))
        self.classifier = nn.Sequential(nn.Linear(8, num_classes))
        self.initialised = init_weights


def described(state: dict) -> list[str]:
    return [f"{key} {','.join(map(str, value.shape))}".strip() for key, value in state.items()]


@pytest.fixture
def small(monkeypatch, tmp_path):
    """An enum of weights whose file is made by `write`, and a configuration for it."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr(vgg, "VGG", SmallVGG)
    monkeypatch.setitem(vgg.CONFIGURATIONS, "small", (4, "M", 8))
    folder = tmp_path / "hub" / "checkpoints"
    folder.mkdir(parents=True)

    def write(state: dict) -> WeightsEnum:
        torch.save(state, folder / "draft")
        content = (folder / "draft").read_bytes()
        name = f"small-{hashlib.sha256(content).hexdigest()[:8]}.pth"
        (folder / "draft").rename(folder / name)
        value = Weights(
            f"http://127.0.0.1:9/{name}",
            partial(ImageClassification, crop_size=8),
            {"categories": ["a", "b", "c"]},
        )
        return WeightsEnum("SmallWeights", {"V1": value}).V1

    return write


@pytest.mark.parametrize("name", NETWORKS)
def test_names_and_shapes_of_the_convolutions(name):
    base, _, normalised = name.partition("_")
    with torch.fork_rng():
        layers = vgg.make_layers(vgg.CONFIGURATIONS[LETTERS[base]], batch_norm=bool(normalised))
    found = [f"features.{entry}" for entry in described(layers.state_dict())]
    assert found == [line for line in NETWORKS[name]["state"] if line.startswith("features")]


def test_names_and_shapes_of_all_of_vgg19(vgg19_with_seed_0):
    shapes = vgg19_with_seed_0.shapes
    found = [f"{key} {','.join(map(str, shape))}" for key, shape in shapes.items()]
    assert found == NETWORKS["vgg19"]["state"]


@pytest.mark.parametrize("name", NETWORKS)
def test_what_is_known_of_the_weights(name):
    known = models.get_model_weights(name)
    assert [member.name for member in known] == list(NETWORKS[name]["weights"])
    assert known.DEFAULT is known.IMAGENET1K_V1
    for member in known:
        wanted = NETWORKS[name]["weights"][member.name]
        preparation = member.transforms()
        assert (member.url, member.meta["num_params"]) == (wanted["url"], wanted["num_params"])
        assert len(member.meta["categories"] or ()) == wanted["categories"]
        assert str(member.meta["_metrics"]) == wanted["metrics"]
        assert (member.meta["_ops"], member.meta["_file_size"]) == (
            wanted["operations"],
            wanted["megabytes"],
        )
        assert (preparation.mean, preparation.std) == (wanted["mean"], wanted["std"])
        assert (preparation.crop_size, preparation.resize_size) == (
            wanted["crop"],
            wanted["resize"],
        )


def test_initial_weights_are_drawn_after_the_defaults_of_the_layers():
    with torch.fork_rng():
        torch.manual_seed(5)
        layers = vgg.make_layers([4, "M", 8], batch_norm=True)
        for module in layers.modules():
            vgg._initialise(module)
        torch.manual_seed(5)
        first, second = nn.Conv2d(3, 4, 3, padding=1), nn.Conv2d(4, 8, 3, padding=1)
        for convolution in (first, second):
            nn.init.kaiming_normal_(convolution.weight, mode="fan_out", nonlinearity="relu")
    for found, wanted in ((layers[0], first), (layers[4], second)):
        np.testing.assert_array_equal(found.weight.detach(), wanted.weight.detach())
        assert not found.bias.detach().numpy().any()
    assert [type(layer).__name__ for layer in layers] == [
        *("Conv2d", "BatchNorm2d", "ReLU", "MaxPool2d", "Conv2d", "BatchNorm2d", "ReLU"),
    ]


def test_weights_come_from_the_file_of_their_name(small):
    with torch.fork_rng():
        source = SmallVGG(vgg.make_layers([4, "M", 8]))
        weights = small(source.state_dict())
        model = vgg._vgg("small", False, weights, True, {})
    assert not model.initialised
    x = torch.linspace(0, 1, 3 * 8 * 8).reshape(1, 3, 8, 8)
    np.testing.assert_array_equal(model(x).detach(), source(x).detach())
    with pytest.raises(ValueError, match="'num_classes' expected value 3 but got 5"):
        vgg._vgg("small", False, weights, True, {"num_classes": 5})


def test_wrong_files_are_refused(small):
    with torch.fork_rng():
        state = SmallVGG(vgg.make_layers([4, "M", 8])).state_dict()
        del state["features.0.bias"]
        with pytest.raises(RuntimeError, match=r"features\.0\.bias"):
            vgg._vgg("small", False, small(state), True, {})
        weights = small({"x": torch.ones(3)})
        weights.file_path.write_bytes(b"PK\x03\x04 and no more")
        with pytest.raises(SerializationError, match="announces the SHA-256"):
            vgg._vgg("small", False, weights, True, {})
        weights.file_path.unlink()
        with pytest.raises(ConnectionError, match=r"put it at .*small-"):
            vgg._vgg("small", False, weights, True, {})
